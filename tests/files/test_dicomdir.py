"""DICOMDIRs (PS3.10 8): which file a record means, and that none leads out of the folder."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from dcmsend.files.dicomdir import read_dicomdir
from dcmsend.files.scan import Found, scan
from dcmsend.model import Instance, Notice, Refusal, ScanOptions
from dcmsend.reasons import because
from tests.files import encode
from tests.files.encode import CT, EXPLICIT, INSTANCE, dicomdir, part10, record

OPTIONS = ScanOptions(dicomdir=True)
FREE = ScanOptions(dicomdir=True, external_references=True)


@pytest.fixture
def disc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``disc/`` with an instance at IMAGES/IM1, and ``outside`` beside it."""
    monkeypatch.chdir(tmp_path)
    Path("disc/IMAGES").mkdir(parents=True)
    Path("disc/IMAGES/IM1").write_bytes(part10())
    Path("outside").write_bytes(part10(sop_instance="1.6.6"))
    return tmp_path


def read(*records: bytes, options: ScanOptions = OPTIONS) -> list[Found]:
    Path("disc/DICOMDIR").write_bytes(dicomdir(*records))
    return list(read_dicomdir("disc/DICOMDIR", options))


SIZE = len(part10())
IM1 = Instance("disc/IMAGES/IM1", CT, INSTANCE, EXPLICIT, SIZE)


def test_a_record(disc: Path) -> None:
    assert read(record("IMAGES\\IM1")) == [IM1]


def test_all_records_in_file_order(disc: Path) -> None:
    Path("disc/B").write_bytes(part10())
    without_file = encode.item(encode.explicit(0x00041430, b"CS", b"PATIENT "))
    values = read(without_file, record("B", encode.MR, "1.9", encode.JPEG), without_file, record("IMAGES\\IM1"))
    assert values == [Instance("disc/B", encode.MR, "1.9", encode.JPEG, SIZE), IM1]


@pytest.mark.parametrize(
    ("on_disc", "file_id"),
    [
        ("images/im1", "IMAGES\\IM1"),
        ("Images/Im1", "IMAGES\\IM1"),
        ("IMAGES/IM1.", "IMAGES\\IM1"),
        ("IMAGES/IM1;1", "IMAGES\\IM1"),
        ("images/im1.;1", "IMAGES\\IM1"),
        ("IMAGES/IM1", "IMAGES\\IM1."),
        ("IMAGES/im1", "IMAGES\\IM1;1"),
        ("IMAGES/IM1.DCM", "images\\im1.dcm"),
    ],
)
def test_names_are_found_as_media_need_it(disc: Path, on_disc: str, file_id: str) -> None:
    Path("disc/IMAGES/IM1").unlink()
    Path("disc/IMAGES").rmdir()
    path = Path("disc", on_disc)
    path.parent.mkdir()
    path.write_bytes(part10())
    assert read(record(file_id)) == [Instance(f"disc/{on_disc}", CT, INSTANCE, EXPLICIT, SIZE)]


def test_the_exact_name_comes_first(disc: Path) -> None:
    Path("disc/IMAGES/im1").write_bytes(part10())
    assert read(record("IMAGES\\IM1")) == [IM1]


@pytest.mark.parametrize(
    ("file_id", "reason"),
    [
        ("..\\outside", r"the file ID ..\outside leads out of the DICOMDIR's folder"),
        ("IMAGES\\..\\..\\outside", r"the file ID IMAGES\..\..\outside leads out of"),
        ("IMAGES/../../outside", r"the file ID IMAGES\..\..\outside leads out of"),
        (".\\..\\outside", r"the file ID ..\outside leads out of"),
        ("\\etc\\passwd", r"the file ID \etc\passwd leads out of"),
        ("/etc/passwd", r"the file ID \etc\passwd leads out of"),
        ("//etc/passwd", r"the file ID \etc\passwd leads out of"),
        ("C:\\X", r"the file ID C:\X leads out of"),
        ("A\0B", "Invalid filename"),
        ("link", "the file ID leads out of the DICOMDIR's folder through a link"),
        ("folder\\outside", "the file ID leads out of the DICOMDIR's folder through a link"),
        ("folder\\OUTSIDE", "the file ID leads out of the DICOMDIR's folder through a link"),
        ("\\".join("A" * 17), "the file ID has more than 16 components"),
        ("A" * 256, "the file ID has a component of more than 255 characters"),
        ("IMAGES\\IM2", r"No such file or directory (file ID IMAGES\IM2)"),
        ("IMAGES", "not a regular file but a directory"),
        ("IMAGES\\IM1\\X", "No such file or directory"),
        ("", "Invalid filename"),
        ("é\n", r"No such file or directory (file ID é\n)"),
    ],
)
def test_what_is_refused(disc: Path, file_id: str, reason: str) -> None:
    Path("disc/link").symlink_to("../outside")
    Path("disc/folder").symlink_to("..")
    (value,) = read(record(file_id))
    assert isinstance(value, Refusal)
    assert str(value.reason).startswith(reason)
    assert value.path.startswith(("disc", "/etc"))
    assert encode.is_one_line(value.path)


def test_links_inside_the_folder_are_followed(disc: Path) -> None:
    Path("disc/link").symlink_to("IMAGES")
    assert read(record("link\\IM1")) == [Instance("disc/link/IM1", CT, INSTANCE, EXPLICIT, SIZE)]


@pytest.mark.parametrize("file_id", ["..\\outside", "../outside", "link", "IMAGES\\..\\..\\OUTSIDE"])
def test_external_references_are_followed_when_allowed(disc: Path, file_id: str) -> None:
    Path("disc/link").symlink_to("../outside")
    (value,) = read(record(file_id), options=FREE)
    assert isinstance(value, Instance)
    assert Path(value.path).samefile("outside")


def test_uids_are_those_of_the_record_and_checked(disc: Path) -> None:
    bad = because("invalid_uid", name="SOP Class UID", uid="1.02")
    missing = because("missing_uid", name="Transfer Syntax UID")
    assert read(record("IMAGES\\IM1", "1.02")) == [Refusal("disc/IMAGES/IM1", bad)]
    assert read(record("IMAGES\\IM1", syntax="")) == [Refusal("disc/IMAGES/IM1", missing)]
    assert read(record("IMAGES\\IM1", "1.02"), options=ScanOptions(uid_checks=False)) == [
        Instance("disc/IMAGES/IM1", "1.02", INSTANCE, EXPLICIT, SIZE)
    ]


@pytest.mark.parametrize(
    "file_id",
    [
        "IMAGES/IM1",
        ".\\IMAGES\\IM1",
        "IMAGES\\\\IM1",
        "IMAGES\\.\\IM1",
        "./IMAGES//IM1",
        "IMAGES\\IM1\\",
        "IMAGES \\IM1 ",
    ],
)
def test_file_ids_are_normalised(disc: Path, file_id: str) -> None:
    assert read(record(file_id)) == [IM1]


def spoilt(whole: bytes, element: int) -> bytes:
    """A record in which the length of an element is too long."""
    at = whole.index(struct.pack("<HH", element >> 16, element & 0xFFFF))
    return whole[: at + 6] + struct.pack("<H", 60_000) + whole[at + 8 :]


def opened(whole: bytes) -> bytes:
    """A record with a delimiter instead of a length."""
    return encode.open_item(whole[8:])


RECORDS = [record(f"IMAGES\\{number}", sop_instance=f"1.2.{number}") for number in range(32)]


@pytest.mark.parametrize("bad", [0, 15, 31])
def test_a_damaged_record_costs_that_record(disc: Path, bad: int) -> None:
    for number in range(32):
        Path(f"disc/IMAGES/{number}").write_bytes(part10(sop_instance=f"1.2.{number}"))
    records = [*RECORDS[:bad], spoilt(RECORDS[bad], 0x00041512), *RECORDS[bad + 1 :]]
    values = read(*records)
    assert [value.path for value in values if isinstance(value, Instance)] == [
        f"disc/IMAGES/{number}" for number in range(32) if number != bad
    ]
    (refusal,) = [value for value in values if isinstance(value, Refusal)]
    assert refusal.path == f"disc/IMAGES/{bad}"
    assert (refusal.reason.code, refusal.reason.innermost.code) == ("record_damaged", "past_the_end")
    assert refusal.left_out


@pytest.mark.parametrize(
    ("tail", "lost"),
    [
        (RECORDS[31][:-4], 1),  # it ends before it says
        (spoilt(opened(RECORDS[31]), 0x00041512), 1),
        (b"\xfe\xff\x00\xe0\xff\xff\xff\x7f" + RECORDS[31][8:], 1),
        (b"\xfe\xff\x00", 1),
        (opened(RECORDS[30])[:-8] + RECORDS[31], 2),
    ],
)
@pytest.mark.parametrize("length", ["right", "undefined", "too long"])
def test_what_stands_before_the_damage_is_taken(disc: Path, tail: bytes, lost: int, length: str) -> None:
    for number in range(32):
        Path(f"disc/IMAGES/{number}").write_bytes(part10(sop_instance=f"1.2.{number}"))
    content = b"".join(RECORDS[: 32 - lost]) + tail
    stated = {"right": len(content), "undefined": encode.UNDEFINED, "too long": len(content) + 4711}[length]
    file = encode.PREAMBLE + encode.meta(encode.DICOMDIR) + encode.explicit(0x00041220, b"SQ", content, length=stated)
    Path("disc/DICOMDIR").write_bytes(file)
    *instances, refusal = read_dicomdir("disc/DICOMDIR", OPTIONS)
    assert [value.path for value in instances if isinstance(value, Instance)] == [
        f"disc/IMAGES/{number}" for number in range(32 - lost)
    ]
    assert isinstance(refusal, Refusal)
    assert (refusal.path, refusal.reason.code, refusal.left_out) == ("disc/DICOMDIR", "dicomdir_damaged", True)


def test_an_empty_dicomdir_yields_nothing(disc: Path) -> None:
    assert read() == []


def test_the_scan_takes_a_file_and_its_record_as_one(disc: Path) -> None:
    Path("disc/DICOMDIR").write_bytes(dicomdir(record("IMAGES\\IM1")))
    values = list(scan(["disc"], ScanOptions(dicomdir=True, directories=True, recurse=True)))
    assert values == [IM1, Notice("ignoring file because it has been added already: disc/IMAGES/IM1")]


def test_a_dicomdir_of_any_name_is_known_by_its_class(disc: Path) -> None:
    Path("disc/other").write_bytes(dicomdir(record("IMAGES\\IM1")))
    assert list(scan(["disc/other"], OPTIONS)) == [IM1]


def test_a_dicomdir_in_the_current_folder(disc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("disc/DICOMDIR").write_bytes(dicomdir(record("IMAGES\\IM1"), record("images\\im2")))
    monkeypatch.chdir("disc")
    first, second = scan(["DICOMDIR"], OPTIONS)
    assert first == Instance("IMAGES/IM1", CT, INSTANCE, EXPLICIT, SIZE)
    assert second == Refusal("images/im2", because("file_id_not_found", id=r"images\im2"))


def test_a_record_of_a_file_that_was_taken_before(disc: Path) -> None:
    Path("disc/DICOMDIR").write_bytes(dicomdir(record("IMAGES\\IM1")))
    _, notice = scan(["disc/IMAGES/IM1", "disc/DICOMDIR"], OPTIONS)
    assert notice == Notice("ignoring file because it has been added already: disc/IMAGES/IM1")


def test_many_folders_with_names_in_another_case(disc: Path) -> None:
    for number in range(70):
        Path(f"disc/s{number}").mkdir()
        Path(f"disc/s{number}/im").write_bytes(part10())
    values = read(*(record(f"S{number}\\IM") for number in [*range(70), 0]))
    assert [value.path for value in values[:70] if isinstance(value, Instance)] == [f"disc/s{n}/im" for n in range(70)]
    assert isinstance(values[70], Notice)


def test_a_folder_with_too_many_names_is_not_searched(disc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcmsend.files.dicomdir._MAX_NAMES", 3)
    for number in range(4):
        Path(f"disc/im{number}").write_bytes(part10())
    exact, searched = read(record("im1"), record("IM2"))
    assert isinstance(exact, Instance)
    assert isinstance(searched, Refusal)
    assert str(searched.reason) == "more than 3 names in a folder: too many to find one in another case"


def test_a_link_that_leads_to_itself(disc: Path) -> None:
    Path("disc/self").symlink_to("self")
    assert read(record("self"), options=FREE) == [
        Refusal("disc/self", because("link_loop", words="Too many levels of symbolic links"))
    ]
