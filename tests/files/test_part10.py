"""The head of a Part 10 file (PS3.10 7.1), and all that is odd in the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dcmsend.errors import FileError
from dcmsend.files.head import Head, read_head
from dcmsend.files.part10 import Meta, read_meta
from dcmsend.files.sources import BytesSource, FileSource
from dcmsend.model import ReadMode
from tests.files import encode
from tests.files.encode import CT, EXPLICIT, INSTANCE, PREAMBLE, SEQUENCE_END, explicit, implicit, item, open_item, uid

if TYPE_CHECKING:
    from pathlib import Path

DATA = encode.dataset()
CLASS = explicit(0x00020002, b"UI", uid(CT))
INST = explicit(0x00020003, b"UI", uid(INSTANCE))
SYNTAX = explicit(0x00020010, b"UI", uid(EXPLICIT))
ALL = CLASS + INST + SYNTAX
OPEN = encode.UNDEFINED


def length(number: int) -> bytes:
    return explicit(0x00020000, b"UL", number.to_bytes(4, "little"))


ODD = {
    "as in the book": PREAMBLE + length(len(ALL)) + ALL,
    "no group length": PREAMBLE + ALL,
    "group length too small": PREAMBLE + length(8) + ALL,
    "group length too large": PREAMBLE + length(1000) + ALL,
    "TIFF header in the preamble": b"II*\0" + bytes(124) + b"DICM" + ALL,
    "any order": PREAMBLE + SYNTAX + INST + CLASS,
    "UIDs padded with blanks": PREAMBLE + explicit(0x00020002, b"UI", CT.encode() + b"   ") + INST + SYNTAX,
    "UIDs padded with many NULs": PREAMBLE + CLASS + explicit(0x00020003, b"UI", INSTANCE.encode() + bytes(9)) + SYNTAX,
    "no VRs": PREAMBLE
    + b"".join(implicit(t, uid(u)) for t, u in ((0x00020002, CT), (0x00020003, INSTANCE), (0x00020010, EXPLICIT))),
    "sequence": PREAMBLE + explicit(0x00020001, b"SQ", item(ALL)) + ALL,
    "sequence of undefined length": PREAMBLE
    + explicit(0x00020001, b"SQ", open_item(explicit(0x00020002, b"UI", b"9.")) + SEQUENCE_END, length=OPEN)
    + ALL,
    "private information of 200 kB first": PREAMBLE + explicit(0x00020001, b"OB", bytes(200_000)) + ALL,
    "private information of 200 kB last": PREAMBLE + ALL + explicit(0x00020102, b"OB", bytes(200_000)),
}


@pytest.mark.parametrize("head", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize(
    "data",
    [DATA, b"", implicit(0x00080016, uid(CT)), implicit(0x00010001, b"", length=OPEN), encode.deflate(DATA)],
    ids=["explicit", "nothing", "implicit", "low group", "deflated"],
)
def test_meta(head: bytes, data: bytes) -> None:
    assert read_meta(BytesSource(head + data), len(head + data)) == Meta(CT, INSTANCE, EXPLICIT, len(head))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "End of stream"),
        (b"II*\0", "File meta information header missing"),
        (bytes(131), "File meta information header missing"),
        (bytes(128) + b"DICX" + ALL, "File meta information header missing"),
        (ALL + DATA, "File meta information header missing"),
        (PREAMBLE, "I/O suspension or premature end of stream"),
        (PREAMBLE + ALL[:-1], "I/O suspension or premature end of stream: (0002,0010) at byte 182: its 20 bytes"),
        (
            PREAMBLE + explicit(0x00020001, b"OB", bytes(17 << 20)) + ALL,
            "File meta information is longer than 16777216",
        ),
    ],
)
def test_no_meta(file: bytes, reason: str) -> None:
    with pytest.raises(FileError) as caught:
        read_meta(BytesSource(file), len(file))
    assert str(caught.value.reason).startswith(reason)


def head_of(path: Path, content: bytes, mode: ReadMode, first: int = 4096) -> Head:
    path.write_bytes(content)
    with path.open("rb") as file:
        return read_head(FileSource(file.fileno(), len(content), first), mode)


def test_the_data_set_is_right_where_the_meta_information_disagrees(tmp_path: Path) -> None:
    for data, syntax in (
        (encode.dataset(encode.MR, "1.9"), EXPLICIT),
        (encode.deflate(encode.dataset(encode.MR, "1.9")), encode.DEFLATED),
    ):
        head = head_of(tmp_path / "x", encode.part10(data, syntax=syntax), ReadMode.FILE_ONLY)
        assert head[:3] == (encode.MR, "1.9", syntax)
        assert (head.meta_sop_class, head.meta_sop_instance) == (CT, INSTANCE)
        assert head.notices == (
            f"SOP Class UID {encode.MR} of the data set is used, not {CT} of the file meta information",
            f"SOP Instance UID 1.9 of the data set is used, not {INSTANCE} of the file meta information",
        )


def test_the_data_set_is_not_read_beyond_the_first_window(tmp_path: Path) -> None:
    late = explicit(0x00080001, b"OB", bytes(5000)) + encode.dataset(encode.MR, "1.9")
    head = head_of(tmp_path / "x", encode.part10(late), ReadMode.FILE_ONLY)
    assert (head.sop_class, head.sop_instance, head.notices) == (CT, INSTANCE, ())


BIG = b"".join(explicit(t, b"UI", uid(u), order=">") for t, u in ((0x00080016, CT), (0x00080018, INSTANCE)))
IMPLICIT = implicit(0x00080016, uid(CT)) + implicit(0x00080018, uid(INSTANCE))
FO, F_OR_D, D = ReadMode.FILE_ONLY, ReadMode.FILE_OR_DATASET, ReadMode.DATASET_ONLY


@pytest.mark.parametrize(
    ("mode", "file", "syntax"),
    [
        pytest.param(D, DATA, EXPLICIT, id="-f explicit"),
        pytest.param(D, IMPLICIT, encode.IMPLICIT, id="-f implicit"),
        pytest.param(D, BIG, encode.BIG_ENDIAN, id="-f big endian"),
        pytest.param(F_OR_D, DATA, EXPLICIT, id="+f bare"),
        pytest.param(F_OR_D, encode.part10(), EXPLICIT, id="+f file"),
        pytest.param(F_OR_D, ALL + DATA, EXPLICIT, id="+f file without preamble"),
        pytest.param(F_OR_D, PREAMBLE + CLASS + INST + IMPLICIT, encode.IMPLICIT, id="+f without transfer syntax"),
        pytest.param(F_OR_D, PREAMBLE + SYNTAX + DATA, EXPLICIT, id="+f without SOP UIDs"),
        pytest.param(
            F_OR_D, PREAMBLE + SYNTAX + explicit(0x00080001, b"OB", bytes(99999)) + DATA, EXPLICIT, id="+f reads far"
        ),
        pytest.param(FO, encode.part10(), EXPLICIT, id="+fo"),
    ],
)
def test_read_modes(tmp_path: Path, mode: ReadMode, file: bytes, syntax: str) -> None:
    assert head_of(tmp_path / "x", file, mode)[:3] == (CT, INSTANCE, syntax)


@pytest.mark.parametrize(
    ("mode", "file", "reason"),
    [
        (D, b"", "End of stream"),
        (D, encode.part10(), "not a bare data set: it begins with file meta information"),
        (D, b"This is a text file, and no DICOM.", "Invalid SOP Class UID: there is none"),
        (F_OR_D, b"", "End of stream"),
        (F_OR_D, PREAMBLE, "I/O suspension or premature end of stream"),
        (F_OR_D, b"not DICOM", "Invalid SOP Class UID: there is none, and no file meta information either"),
        (D, b"\x08\0\x05\0CS\0\1", "I/O suspension or premature end of stream: (0008,0005) at byte 0"),
    ],
)
def test_nothing_to_be_read(tmp_path: Path, mode: ReadMode, file: bytes, reason: str) -> None:
    with pytest.raises(FileError) as caught:
        head_of(tmp_path / "x", file, mode)
    assert str(caught.value.reason).startswith(reason)


def test_in_files_only_mode_the_meta_information_must_have_the_uids(tmp_path: Path) -> None:
    head = head_of(tmp_path / "x", PREAMBLE + SYNTAX + DATA, FO)
    assert (head.meta_sop_class, head.meta_sop_instance) == ("", "")
