"""Whether something is DICOM at all: what it is instead, of which kind the refusal is, and what can be done."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path
from typing import Final

import pytest

from dcmsend.cli.names import OPTIONS
from dcmsend.files import sources
from dcmsend.files.scan import scan
from dcmsend.model import ReadMode, Refusal, ScanOptions
from dcmsend.reasons.row import Kind
from tests.files.encode import PREAMBLE, part10


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x", part10())
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("x")
        info.size = len(part10())
        archive.addfile(info, io.BytesIO(part10()))
    return buffer.getvalue()


TEXT: Final = b"This is a text, and a long one. " * 40
DISC: Final = bytes(32769) + b"CD001" + bytes(3000)
UNPACK: Final = "unpack it first"
# Name -> content, what the reason calls it, and what the hint has.
FOREIGN: Final = {
    "text": (TEXT, "", "--read-file"),
    "picture": (b"\xff\xd8\xff\xe0" + bytes(400), "", "--no-halt"),
    "zip": (_zip(), "it is a zip archive", "--scan-archives"),
    "empty zip": (b"PK\5\6" + bytes(18), "it is a zip archive", "--scan-archives"),
    "tar": (_tar(), "it is a tar archive", "--scan-archives"),
    "tar.gz": (gzip.compress(_tar()), "it is a gzip file", "--scan-archives"),
    "bz2": (bz2.compress(TEXT), "it is a bzip2 file", UNPACK),
    "xz": (lzma.compress(TEXT), "it is a xz file", UNPACK),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4" + TEXT, "it is a 7z archive", UNPACK),
    "rar": (b"Rar!\x1a\7\1\0" + TEXT, "it is a rar archive", UNPACK),
    "zst": (b"\x28\xb5\x2f\xfd\x04" + TEXT, "it is a zstd file", UNPACK),
    "iso": (DISC, "it is a disc image (ISO 9660)", UNPACK),
}


def refusal_of(path: Path, content: bytes, options: ScanOptions | None = None) -> Refusal:
    path.write_bytes(content)
    (value,) = scan([str(path)], options or ScanOptions())
    assert isinstance(value, Refusal)
    return value


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_dicom_file(name: str, tmp_path: Path) -> None:
    content, called, advised = FOREIGN[name]
    refusal = refusal_of(tmp_path / "x", content)
    assert str(refusal.reason) == "File meta information header missing" + (f": {called}" if called else "")
    assert refusal.reason.kind is Kind.NO_DICOM
    assert not refusal.left_out
    assert advised in refusal.reason.hint(OPTIONS)
    assert "--" not in refusal.reason.hint()


@pytest.mark.parametrize("mode", [ReadMode.FILE_OR_DATASET, ReadMode.DATASET_ONLY])
@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_data_set_either(name: str, mode: ReadMode, tmp_path: Path) -> None:
    """There is no advice to do what has been done."""
    content, called, advised = FOREIGN[name]
    refusal = refusal_of(tmp_path / "x", content, ScanOptions(read_mode=mode))
    assert refusal.reason.kind is Kind.NO_DICOM
    assert called in str(refusal.reason)
    assert "--read-file" not in refusal.reason.hint(OPTIONS)
    assert (advised if called else "--no-halt") in refusal.reason.hint(OPTIONS)


BAD: Final = "1.02"


@pytest.mark.parametrize(
    ("content", "mode", "advised"),
    [
        (PREAMBLE, ReadMode.FILE_ONLY, "copy it"),
        (PREAMBLE + b"\xff" * 99, ReadMode.FILE_ONLY, "SOP Class UID"),
        (part10()[:200], ReadMode.FILE_ONLY, "copy it"),
        (part10(), ReadMode.DATASET_ONLY, "--read-file"),
        (part10(sop_class=""), ReadMode.FILE_ONLY, "has no SOP Class UID"),
        (part10(sop_instance=""), ReadMode.FILE_ONLY, "has no SOP Instance UID"),
        (part10(sop_class="1.2.840.10008.1.1"), ReadMode.FILE_ONLY, "Verification SOP Class"),
        (part10(sop_class="1.2.840.10008.77"), ReadMode.FILE_ONLY, "--no-uid-checks"),
        (part10(sop_class=BAD), ReadMode.FILE_ONLY, "--no-uid-checks"),
        (part10(syntax="1.2.3"), ReadMode.FILE_ONLY, "--no-uid-checks"),
        (part10(sop_class="1.2.840.10008.1.3.10"), ReadMode.FILE_ONLY, "--read-from-dicomdir"),
        (b"", ReadMode.FILE_ONLY, "copy it"),
    ],
)
def test_a_dicom_file_that_cannot_be_taken_is_left_out(
    content: bytes, mode: ReadMode, advised: str, tmp_path: Path
) -> None:
    refusal = refusal_of(tmp_path / "x", content, ScanOptions(read_mode=mode))
    assert refusal.reason.kind is Kind.FILE
    assert refusal.left_out
    assert advised in refusal.reason.hint(OPTIONS)


def test_only_empty_files_that_nobody_misses_are_no_dicom_files(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    (tmp_path / "image.dcm").touch()
    missed, other = scan([str(tmp_path)], ScanOptions(directories=True))
    assert isinstance(missed, Refusal)
    assert isinstance(other, Refusal)
    assert [(missed.reason.code, missed.left_out), (other.reason.code, other.left_out)] == [
        ("empty_file", True),
        ("empty_no_dicom", False),
    ]


def test_a_text_that_begins_like_group_two(tmp_path: Path) -> None:
    """Meta information without a preamble is looked for in both byte orders; what is none is no data set either."""
    for begins in (b"\2\0\1\0", b"\0\2\0\1"):
        refusal = refusal_of(tmp_path / "x", begins + TEXT, ScanOptions(read_mode=ReadMode.FILE_OR_DATASET))
        assert refusal.reason.no_dicom


def test_long_uids_are_cut_in_reasons(tmp_path: Path) -> None:
    refusal = refusal_of(tmp_path / "x", part10(sop_class="1." + "2" * 1000))
    assert len(str(refusal.reason)) < 300


def test_a_huge_file_of_zeros_is_soon_known_to_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for 600 million elements without a name."""
    read: list[int] = []

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        read.append(length)
        return plain(descriptor, length, offset)

    plain = sources.read_at
    monkeypatch.setattr(sources, "read_at", counted)
    with (tmp_path / "x").open("wb") as file:
        file.truncate(5 << 30)
    for mode in (ReadMode.FILE_OR_DATASET, ReadMode.DATASET_ONLY):
        (refusal,) = scan([str(tmp_path / "x")], ScanOptions(read_mode=mode))
        assert isinstance(refusal, Refusal)
        assert refusal.reason.no_dicom
    assert sum(read) < 4 << 20
