"""What a compressed frame says of itself before it is decoded: size, samples, precision, colour, where it ends.

It owns what a header tells of any codestream, and the headers of JPEG (ISO/IEC 10918-1) and JPEG-LS (14495-1);
those of JPEG 2000 and JPEG XL are in ``boxed``. It knows nothing of DICOM attributes or decoder libraries. Decoders
allocate by what these headers say, so nothing is decoded before they have been read and compared with the attributes.
"""

from __future__ import annotations

from struct import Struct

from dcmsend.errors import FileError
from dcmsend.light import NamedTuple
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

MAX_SCANS: Final = 500  # of one JPEG frame: each of them costs a pass over the whole image


class Codestream(NamedTuple):
    """One frame's header.

    ``colour``: what the coded samples certainly are, ``RGB`` or ``YBR``, or nothing where the codestream does not
    say. ``transformed``: the decoder undoes a colour transform of its own (JPEG 2000 multiple component transform).
    ``lossless``: a lossless JPEG process. ``planar``: one component after the other. ``ended``: with an end marker.
    ``data``: the bytes for the decoder, without a file format around them.
    """

    rows: int
    columns: int
    samples: int
    precision: int  # bits of a sample
    signed: bool = False
    colour: str = ""
    transformed: bool = False
    lossless: bool = False
    planar: bool = False
    ended: bool = True
    data: bytes = b""


_U16: Final = Struct(">H").unpack_from


def segments(data: bytes, position: int, kind: str) -> Iterator[tuple[int, int, int]]:
    """Marker segments from ``position``: marker, where its parameters begin, where they end."""
    while True:
        start = position
        while data[position + 1 : position + 2] == b"\xff":  # fill bytes (10918-1 B.1.1.2)
            position += 1
        if position + 4 > len(data) or data[position] != 0xFF:
            raise FileError(because("no_marker", kind=kind, offset=start))
        (length,) = _U16(data, position + 2)
        end = position + 2 + length
        if length < 2 or end > len(data):
            raise FileError(because("codestream_header_cut_off", kind=kind))
        yield data[position + 1], position + 4, end
        position = end


# JPEG and JPEG-LS

_SOI: Final = b"\xff\xd8"
_EOI: Final = b"\xff\xd9"
_SOS: Final = 0xDA
_FRAME: Final = Struct(">BHHB").unpack_from  # precision, lines, samples per line, components (10918-1 B.2.2)
_JPEG_PROCESSES: Final = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive", 0xC3: "lossless"}
_OTHER_PROCESSES: Final = frozenset((0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))
_JPEG_LS: Final = 0xF7
_ADOBE_COLOURS: Final = {0: "RGB", 1: "YBR"}


def read_jpeg(data: bytes) -> Codestream:
    """The header of a JPEG frame: sequential, progressive or lossless, Huffman coded. Raises FileError."""
    frame, scan, jfif, adobe = _read_jpeg_header(data, _JPEG_PROCESSES, "JPEG")
    marker, start = frame
    precision, rows, columns, samples = _FRAME(data, start)
    lossless = marker == 0xC3
    if not lossless and data.count(b"\xff\xda", scan) > MAX_SCANS:
        raise FileError(because("too_many_scans", most=MAX_SCANS))
    colour = _colour(data[start + 6 : start + 6 + 3 * samples], jfif and not lossless, adobe) if samples == 3 else ""
    ended = data.rfind(_EOI, scan) >= 0
    return Codestream(rows, columns, samples, precision, colour=colour, lossless=lossless, ended=ended, data=data)


def _colour(components: bytes, jfif: bool, adobe: int | None) -> str:
    """What three components are. Raises FileError where the codestream contradicts itself.

    JFIF means YCbCr, Adobe's segment says which, and only YCbCr has components of different sizes.
    """
    sizes, named = set(components[1::3]), components[::3] == b"RGB"
    said = {"YBR"} if jfif or len(sizes) > 1 else set()
    if adobe in _ADOBE_COLOURS:
        said.add(_ADOBE_COLOURS[adobe])
    elif named:
        said.add("RGB")
    if len(said) > 1:
        raise FileError(because("colours_contradict"))
    return said.pop() if said else ""


def read_jpeg_ls(data: bytes) -> Codestream:
    """The header of a JPEG-LS frame. Raises FileError."""
    (_, start), scan, _, _ = _read_jpeg_header(data, {_JPEG_LS: "JPEG-LS"}, "JPEG-LS")
    precision, rows, columns, samples = _FRAME(data, start)
    if set(data[start + 7 : start + 7 + 3 * samples : 3]) != {0x11}:
        raise FileError(because("components_differ", kind="JPEG-LS"))
    planar = samples > 1 and data[scan - 2] == 0  # interleave mode (14495-1 C.2.3)
    ended = data.rfind(_EOI, scan) >= 0
    # The decoder itself notices where coded data is missing.
    return Codestream(rows, columns, samples, precision, planar=planar, data=data if ended else data + _EOI)


def _read_jpeg_header(
    data: bytes, processes: dict[int, str], kind: str
) -> tuple[tuple[int, int], int, bool, int | None]:
    """Marker and place of the frame header, where coded data begins, whether JFIF, Adobe's colour transform."""
    if data[:2] != _SOI:
        raise FileError(because("no_codestream", kind=kind, start="FFD8"))
    frame: tuple[int, int] | None = None
    jfif, adobe = False, None
    for marker, start, end in segments(data, 2, kind):
        if marker in processes:
            if frame is not None or end - start < 6 or end - start != 6 + 3 * data[start + 5]:
                raise FileError(because("frame_header_damaged", kind=kind))
            frame = marker, start
        elif marker in _OTHER_PROCESSES or marker in _JPEG_PROCESSES or marker == _JPEG_LS:
            raise FileError(because("process_not_decodable", kind=kind, marker=f"FF{marker:02X}"))
        elif marker == 0xE0 and data[start : start + 5] == b"JFIF\0":
            jfif = True
        elif marker == 0xEE and data[start : start + 5] == b"Adobe" and end - start >= 12:
            adobe = data[start + 11]
        elif marker == _SOS:
            if frame is None:
                raise FileError(because("frame_header_missing", kind=kind))
            return frame, end, jfif, adobe
    raise AssertionError  # segments() goes on until it raises
