"""Fuzz targets of the files: heads, the structure of data sets, DICOMDIRs."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.target import DATA, Target, data_files, require_one_line
from tests.files import encode
from tests.support import part10
from tests.support.directories import FILE_IDS

from dcmsend.errors import FileError
from dcmsend.files import dataset, dicomdir, head
from dcmsend.files.layouts import Layouts
from dcmsend.files.part10 import read_meta
from dcmsend.files.scan import scan
from dcmsend.files.sources import BytesSource, FileSource
from dcmsend.files.uid_checks import complaint
from dcmsend.model import Instance, Notice, ReadMode, Refusal, ScanOptions
from dcmsend.uids import TRANSFER_SYNTAXES

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODES: Final = tuple(ReadMode)
_HEAD_SIZES: Final = (100, 400, 4096)  # bytes that are at hand at once
_SYNTAXES: Final = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.94", "1.2.3",
)  # fmt: skip


@cache
def folder() -> tempfile.TemporaryDirectory[str]:
    """A place for files; it goes when the process does."""
    return tempfile.TemporaryDirectory(prefix="fuzz-")


@cache
def _descriptor() -> int:
    return os.open(Path(folder().name) / "head", os.O_RDWR | os.O_CREAT)


def read_heads(data: bytes) -> None:
    """A file in all three modes; short cuts say what the long way says. The first byte says what is at hand at once."""
    if not data:
        return
    size, file = _HEAD_SIZES[data[0] % len(_HEAD_SIZES)], data[1:]
    os.ftruncate(_descriptor(), 0)
    os.pwrite(_descriptor(), file, 0)
    source = FileSource(_descriptor(), len(file), size)
    ordinary = head.ordinary_head(source.head)
    layouts = Layouts(checks=True)
    for _ in range(2):  # the second time it is like the one before
        uids = layouts.uids(source.head)
        if uids is not None:
            assert ordinary is not None
            assert uids == (ordinary.sop_class, ordinary.sop_instance, ordinary.transfer_syntax)
            assert not complaint(*uids)
    reasons = [_head(source, mode, ordinary) for mode in _MODES]
    for reason in filter(None, reasons):
        require_one_line(str(reason))


def _head(source: FileSource, mode: ReadMode, ordinary: head.Head | None) -> str:
    """Why there is no head, or nothing."""
    try:
        found = head.read_head(source, mode)
    except FileError as error:
        return str(error.reason)
    for text in found.notices:
        require_one_line(text)
    if ordinary is not None and mode is not ReadMode.DATASET_ONLY:
        meta = read_meta(source, source.size)
        long_way = head._compare(meta, *head._peek(source, meta))
        assert found == ordinary == long_way
    return ""


def _head_seeds() -> Iterator[bytes]:
    for number, file in enumerate(data_files("samples/*", "odd/*")):
        yield bytes((number,)) + file[:4000]


def check_structure(data: bytes) -> None:
    """A data set in the transfer syntax of the first byte: the short cut says what the long way says, or nothing."""
    if not data:
        return
    syntax, content = _SYNTAXES[data[0] % len(_SYNTAXES)], data[1:]
    source = BytesSource(content)
    short = dataset._check_ordinary(source, 0, len(content), syntax)
    ordinary = dataset._check_ordinary
    dataset._check_ordinary = lambda *_: None
    try:
        checked = dataset.check(source, 0, len(content), syntax)
    finally:
        dataset._check_ordinary = ordinary
    assert short in (None, checked)
    assert checked.end <= len(content)
    assert checked.faulty or (checked.end + checked.pad) % 2 == 0
    for text in checked.notices:
        require_one_line(text)


def _structure_seeds() -> Iterator[bytes]:
    for file in data_files("samples/*", "odd/*"):
        meta, content = part10.split(file)
        syntax = part10.uid(meta[part10.TRANSFER_SYNTAX]) if part10.TRANSFER_SYNTAX in meta else _SYNTAXES[0]
        if syntax in TRANSFER_SYNTAXES:
            encapsulated = TRANSFER_SYNTAXES[syntax].encapsulated
            number = 4 if encapsulated else _SYNTAXES.index(syntax)
            yield bytes((number,)) + content


@cache
def _file_set() -> Path:
    """A folder with a few files to refer to."""
    place = Path(folder().name) / "set"
    (place / "A" / "B").mkdir(parents=True)
    for name in ("A/B/1", "A/two.dcm;1", "3"):
        (place / name).write_bytes((DATA / "odd" / "no_study.dcm").read_bytes())
    (place / "OUT").symlink_to(DATA)
    (place / "LOOP").symlink_to(place)
    return place


def read_dicomdir(data: bytes) -> None:
    """A DICOMDIR; the first byte says with which options. What it refers to stays inside, unless that is wanted."""
    if not data:
        return
    place = _file_set()
    path = place / "DICOMDIR"
    path.write_bytes(data[1:])
    options = ScanOptions(
        dicomdir=True, external_references=bool(data[0] & 1), uid_checks=bool(data[0] & 2), send_duplicates=True
    )
    for found in (*dicomdir.read_dicomdir(str(path), options), *scan([str(path)], options)):
        match found:
            case Instance():
                assert options.external_references or Path(found.path).resolve().is_relative_to(place.resolve())
            case Refusal(_, reason):
                require_one_line(str(reason))
            case Notice(text):
                require_one_line(text.replace(str(place), ""))


_REFERRED_TO: Final = (
    "A\\B\\1", "a\\TWO.DCM", "3", "..\\head", "OUT\\odd\\no_study.dcm", "LOOP\\LOOP\\3", "A", "nothing", "",
)  # fmt: skip


def _dicomdir_seeds() -> Iterator[bytes]:
    records = b"".join(encode.record(name) for name in _REFERRED_TO)
    for file in (*data_files("dicomdir/DICOMDIR*"), encode.dicomdir(records)):
        for options in range(4):
            yield bytes((options,)) + file[:3000]


_WORDS: Final = (b"DICM", b"UI", b"SQ", b"OB", b"UN", b"\xfe\xff\0\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0",
                 b"\xff\xff\xff\xff", b"\x02\0\x10\0", b"\x02\0\x02\0", b"\x08\0\x16\0", b"\x08\0\x18\0",
                 b"\xe0\x7f\x10\0", b"\xfc\xff\xfc\xff", b"1.2.840.10008.1.2.1", b"\x04\0\x00\x15")  # fmt: skip
TARGETS: Final = (
    Target("heads", read_heads, (), _head_seeds, _WORDS),
    Target("structure", check_structure, (FileError,), _structure_seeds, _WORDS),
    Target("dicomdir", read_dicomdir, (), _dicomdir_seeds, (*_WORDS, *filter(None, FILE_IDS[:10]), *FILE_IDS[-8:])),
)
