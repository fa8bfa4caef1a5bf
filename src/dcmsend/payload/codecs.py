"""One table: transfer syntax -> how its frames are decoded and by which library; what of it is installed here.

It owns the choice of decoders, the import of their library (when a frame is to be decoded and not before), and the
bounds on their memory. It knows nothing of fragments or data elements (PS3.5 8.2, Annex A.4).

Memory is bounded before a decoder starts: ``MAX_FRAME_BYTES`` for a decoded frame, ``MAX_MEMORY`` for the frame, its
compressed bytes and the library's own store, of which each row of the table says how much it is (measured).
"""

from __future__ import annotations

import sys

from dcmsend.errors import FileError
from dcmsend.light import NamedTuple
from dcmsend.payload.decoders import (
    Decoder,
    deflated,
    jpeg,
    jpeg_2000,
    jpeg_ls,
    jpeg_xl,
    recompressed_jpeg,
    run_length,
    uncompressed,
)
from dcmsend.payload.pixels import MEANING
from dcmsend.reasons import because
from dcmsend.uids import IMPLICIT_VR_LITTLE_ENDIAN, transfer_syntax_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from dcmsend.payload.decoders import Frame
    from dcmsend.payload.pixels import Image

MAX_FRAME_BYTES: Final = 128 << 20
MAX_MEMORY: Final = 384 << 20

_MAX_WORDS: Final = 200  # characters of what the library says
_PACKAGE: Final = "imagecodecs"
_NEEDED: Final = (_PACKAGE, "numpy")
_HINT: Final = f"pip install {_PACKAGE}"


class _Codec(NamedTuple):
    """How one family of codestreams is decoded.

    ``part``: the part of the library that it needs, ``""`` for none. ``memory``: bytes for each sample of a frame
    that the library may hold beside the decoded ones. ``needless``: attributes without which it can be decoded.
    """

    decode: Callable[[Decoder, bytes], Frame]
    part: str = ""
    memory: int = 0
    needless: frozenset[int] = frozenset()


class FrameDecoder:
    """Decodes the frames of one pixel data element, one after the other, into the same memory.

    What ``decode`` returns is valid until its next call. Not to be shared between threads; several may work at once.
    Raises FileError where nothing that is installed can decode the transfer syntax, and where frames are too large.
    """

    __slots__ = ("_codec", "_decoder")

    def __init__(self, transfer_syntax: str, image: Image) -> None:
        name = transfer_syntax_label(transfer_syntax)
        codec = _CODECS.get(transfer_syntax)
        if codec is None:
            raise FileError(because("syntax_not_decodable", syntax=name))
        if image.frame_bytes > MAX_FRAME_BYTES:
            raise FileError(because("frame_too_large", size=image.frame_bytes, most=MAX_FRAME_BYTES))
        self._codec = codec
        self._decoder = Decoder(_load(codec.part, name) if codec.part else None, image)

    def decode(self, frame: bytes) -> Frame:
        """One frame. Raises FileError where it cannot be decoded faithfully."""
        image = self._decoder.image
        needed = len(frame) + image.frame_bytes + self._codec.memory * image.pixels * image.samples
        if needed > MAX_MEMORY:
            raise FileError(because("decoding_too_large", megabytes=needed >> 20, most=MAX_MEMORY >> 20))
        try:
            return self._codec.decode(self._decoder, frame)
        # What the library raises: RuntimeError of many kinds; ValueError; ImportError where a part of it is not there.
        except (RuntimeError, ValueError, MemoryError, ImportError) as error:
            raise FileError(because("decoder_failed", words=_one_line(error))) from None


# Suffix of 1.2.840.10008.1.2 -> codec. JPEG processes with arithmetic coding and hierarchical ones, JPEG 2000 part 2
# and video are not here: no library decodes them.
_CODECS: Final[dict[str, _Codec]] = {
    IMPLICIT_VR_LITTLE_ENDIAN + suffix: codec
    for suffixes, codec in (
        ((".1.98",), _Codec(uncompressed, needless=MEANING)),
        ((".4.50", ".4.51", ".4.53", ".4.55", ".4.57", ".4.70"), _Codec(jpeg, "JPEG8", 3)),
        ((".4.80", ".4.81"), _Codec(jpeg_ls, "JPEGLS", 2)),
        # High-Throughput JPEG 2000 too: the library's other decoder for it lets lossy samples overflow (255 becomes 0).
        ((".4.90", ".4.91", ".4.201", ".4.202", ".4.203"), _Codec(jpeg_2000, "JPEG2K", 7)),
        ((".4.110", ".4.112"), _Codec(jpeg_xl, "JPEGXL", 8)),
        ((".4.111",), _Codec(recompressed_jpeg, "JPEGXL", 8)),
        ((".5",), _Codec(run_length, "PACKBITS", 1, MEANING)),
        ((".8.1",), _Codec(deflated, needless=MEANING)),
    )
    for suffix in suffixes
}


def decodable(transfer_syntax: str) -> bool:
    """Whether pixel data in this transfer syntax can be decoded, as far as can be known without importing anything."""
    codec = _CODECS.get(transfer_syntax)
    return codec is not None and (not codec.part or _installed())


def needless_attributes(transfer_syntax: str) -> frozenset[int]:
    """The attributes without which pixel data in this transfer syntax can be decoded all the same."""
    codec = _CODECS.get(transfer_syntax)
    return codec.needless if codec is not None else frozenset()


def library_missing(transfer_syntax: str) -> str:
    """How to make this transfer syntax decodable by installing something; nothing where that would not help."""
    codec = _CODECS.get(transfer_syntax)
    return _HINT if codec is not None and codec.part and not _installed() else ""


def working_decoders() -> list[str]:
    """The transfer syntaxes that can be decoded here, in the order of the table. Imports the libraries to know."""
    return [uid for uid, codec in _CODECS.items() if not codec.part or _loads(codec.part)]


def _installed() -> bool:
    return all(map(_is_there, _NEEDED))


def _is_there(name: str) -> bool:
    """What ``importlib.util.find_spec`` says, without what that module imports."""
    if name in sys.modules:
        return sys.modules[name] is not None
    return any(finder.find_spec(name, None) for finder in sys.meta_path)


def _loads(part: str) -> bool:
    try:
        _load(part, part)
    except FileError:
        return False
    return True


def _load(part: str, name: str) -> Any:
    """The decoder library. Raises FileError where it, or this part of it, is not there or cannot be loaded."""
    try:
        import imagecodecs
        import numpy  # noqa: F401

        if getattr(imagecodecs, part).available:
            return imagecodecs
        reason = f"{_PACKAGE} was built without {part}"
    except (ImportError, OSError) as error:
        reason = _one_line(error)
    except AttributeError:
        reason = f"{_PACKAGE} is too old for {part}"
    raise FileError(because("decoder_unusable", syntax=name, install=_HINT, words=reason))


def _one_line(error: Exception) -> str:
    words = str(error).strip().partition("\n")[0]
    return words[:_MAX_WORDS] or type(error).__name__
