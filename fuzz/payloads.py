"""Fuzz targets of the payloads: data sets written anew, and the headers of compressed frames."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.files import folder
from fuzz.target import Target, data_files
from tests.payload.campaign import COMPRESSED_FRAME
from tests.support import builder, mutate, part10

from dcmsend.errors import FileError
from dcmsend.files.dataset import check
from dcmsend.files.sources import BytesSource
from dcmsend.model import Conversion, Instance, ScanOptions
from dcmsend.payload import ambiguous, convert, implicit, recode  # noqa: F401 - to be watched from the start
from dcmsend.payload.boxed import read_jpeg_2000, read_jpeg_xl
from dcmsend.payload.codestreams import Codestream, read_jpeg, read_jpeg_ls
from dcmsend.payload.opening import PayloadOpener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NATIVE: Final = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
_META_GROUP: Final = b"\2\0"  # at the beginning of a data set: in a file it would be taken for meta information
_CLASS, _INSTANCE = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"


@cache
def _opener() -> PayloadOpener:
    return PayloadOpener(ScanOptions(), Conversion())


def recode_there_and_back(data: bytes) -> None:
    """A data set from one encoding to another, back, and there again, which must give the same bytes.

    The first byte says the two encodings. Whatever is given out is a data set in order.
    """
    if not data:
        return
    syntax, target = _NATIVE[data[0] % 3], _NATIVE[data[0] // 3 % 3]
    there = _recoded(data[1:], syntax, target)
    if there[:2] == _META_GROUP:
        return
    back = _recoded(there, target, syntax)
    assert _recoded(back, syntax, target) == there


def _recoded(content: bytes, syntax: str, target: str) -> bytes:
    path = Path(folder().name) / "data.dcm"
    path.write_bytes(builder.part10(_CLASS, _INSTANCE, transfer_syntax=syntax, data_set=content))
    instance = Instance(str(path), _CLASS, _INSTANCE, syntax, path.stat().st_size)
    with _opener().open(instance, target) as payload:
        given = bytearray(payload.length)
        assert payload.fill([memoryview(given)]) == payload.length
    checked = check(BytesSource(given), 0, len(given), target)  # type: ignore[arg-type]
    assert not checked.faulty
    return bytes(given)


def _recode_seeds() -> Iterator[bytes]:
    for file in data_files("samples/*", "odd/*"):
        meta, content = part10.split(file)
        syntax = part10.uid(meta[part10.TRANSFER_SYNTAX]) if part10.TRANSFER_SYNTAX in meta else ""
        if syntax in _NATIVE:
            for target in range(3):
                yield bytes((_NATIVE.index(syntax) + 3 * target,)) + content


_READERS: Final[tuple[Callable[[bytes], Codestream], ...]] = (read_jpeg, read_jpeg_ls, read_jpeg_2000, read_jpeg_xl)


def read_codestream(data: bytes) -> None:
    """The header of a compressed frame, by the reader that the first byte says."""
    if not data:
        return
    found = _READERS[data[0] % len(_READERS)](data[1:])
    assert found.rows >= 0
    assert found.columns >= 0
    assert 0 <= found.samples <= 16384
    assert 0 <= found.precision <= 255
    assert len(found.data) <= len(data) + 2


def _codestream_seeds() -> Iterator[bytes]:
    kinds = {".4.5": 0, ".4.7": 0, ".4.8": 1, ".4.9": 2, ".4.2": 2}
    for file in data_files("samples/*", "odd/*"):
        if file[128:132] == b"DICM" and part10.TRANSFER_SYNTAX in part10.split(file)[0]:
            parts = mutate.take_apart(file)
            for place in parts.places():
                kind = kinds.get(parts.syntax.removeprefix("1.2.840.10008.1.2")[:4])
                if place.fragment and place.end > place.value and kind is not None:
                    yield bytes((kind,)) + parts.data[place.value : place.end]
                    break
    yield b"\3" + COMPRESSED_FRAME
    yield b"\3" + b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x2djxlc" + COMPRESSED_FRAME


_WORDS: Final = (b"UI", b"SQ", b"OB", b"OW", b"UN", b"US", b"UT", b"\xfe\xff\0\xe0", b"\xfe\xff\x0d\xe0",
                 b"\xfe\xff\xdd\xe0", b"\xff\xff\xff\xff", b"\x08\0\x16\0", b"\x28\0\x03\x01",
                 b"\xe0\x7f\x10\0", b"\x09\0\x10\0", b"\x09\0\x01\x10")  # fmt: skip
_MARKERS: Final = (b"\xff\xd8", b"\xff\xd9", b"\xff\xc0", b"\xff\xc3", b"\xff\xda", b"\xff\xf7", b"\xff\x4f\xff\x51",
                   b"\xff\x52", b"\xff\x53", b"\xff\x90", b"\xff\x93", b"\xff\x0a", b"jp2c", b"jxlc", b"jxlp",
                   b"JFIF\0", b"Adobe")  # fmt: skip
TARGETS: Final = (
    Target("recode", recode_there_and_back, (FileError,), _recode_seeds, _WORDS),
    Target("codestreams", read_codestream, (FileError,), _codestream_seeds, _MARKERS),
)
