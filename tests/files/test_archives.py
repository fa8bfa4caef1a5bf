"""Archives: what is in them is found and arrives bit for bit; what is hostile or damaged ends with one clear line."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dcmsend
from dcmsend import Instance, JournalFile, Limits, Notice, Peer, Policy, ReadMode, Refusal, Retries, ScanOptions
from dcmsend.files import archives, tars, unpacking, zips
from dcmsend.files.archives import Archives, ArchiveScanner
from dcmsend.files.opening import OpenFile
from dcmsend.files.scan import scan
from dcmsend.reasons import because
from tests.support import part10
from tests.support.builder import part10 as build
from tests.support.scripted import ScriptedPeer, accept, close, expect_message, release, store

Script = Callable[..., ScriptedPeer]
CT: Final = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT: Final = "1.2.840.10008.1.2"
ARCHIVES: Final = ScanOptions(archives=True)
DCM: Final = build(CT, "1.2.3.1")
BIG: Final = build(CT, "1.2.3.2", value=bytes(range(256)) * 1000)

PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "tar": lambda data: data,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}
METHODS: Final = {"stored": zipfile.ZIP_STORED, "deflate": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}
KINDS: Final = (*METHODS, *PACKERS)

Members = list[tuple[str, bytes]]


def zipped(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return buffer.getvalue()


def tarred(members: Members, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def packed(kind: str, members: Members) -> bytes:
    return zipped(members, METHODS[kind]) if kind in METHODS else PACKERS[kind](tarred(members))


def found_in(path: str, options: ScanOptions = ARCHIVES) -> list[Any]:
    known = Archives()
    try:
        return list(scan([path], options, ArchiveScanner(options, known)))
    finally:
        known.close()


def read(path: str, options: ScanOptions = ARCHIVES) -> dict[str, bytes | str]:
    """Each instance's file as it would be sent, or why not."""
    known = Archives()
    contents: dict[str, bytes | str] = {}
    try:
        opener = known.opener(OpenFile)
        for found in scan([path], options, ArchiveScanner(options, known)):
            if isinstance(found, Instance):
                try:
                    with opener(found.path) as file:
                        source = file.source(100)
                        buffer, base = source.window(0, source.size)
                        assert base == 0
                        contents[found.path] = buffer[: source.size]
                        assert source.size == found.size
                except dcmsend.DcmsendError as error:
                    contents[found.path] = str(error)
        return contents
    finally:
        known.close()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archive of a test goes; it has no telling name."""
    monkeypatch.chdir(tmp_path)
    return Path("a")


@pytest.fixture(autouse=True)
def no_descriptor_is_left() -> Any:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    yield
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # a peer's listener may be closed later


# --- what is found


@pytest.mark.parametrize("kind", KINDS)
def test_members_of_each_kind(kind: str, path: Path) -> None:
    members = [("d/2.dcm", DCM), ("d/10.dcm", BIG), ("x", build(CT, "1.2.3.3"))]
    path.write_bytes(packed(kind, members))
    assert read("a") == {f"a/{name}": content for name, content in members}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("associations", [1, 4])
def test_they_arrive_as_from_a_folder(
    kind: str, associations: int, storescp: Any, samples: list[Path], tmp_path: Path
) -> None:
    """All samples, those that the peer does not take as they are converted."""
    server, other = storescp(), storescp()
    (tmp_path / "a").write_bytes(packed(kind, [(f"x/{path.name}", path.read_bytes()) for path in samples]))
    limits = Limits(associations=associations)
    policy = Policy(halt=False)
    for peer, source in ((server, str(tmp_path / "a")), (other, str(samples[0].parent))):
        where = Peer(host="127.0.0.1", port=peer.port)
        scanned = ScanOptions(archives=True, directories=True)
        with dcmsend.send(where, [source], scan=scanned, limits=limits, policy=policy) as report:
            assert report.error is None
    assert server.stored() == other.stored() != {}


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_converted_too(kind: str, scripted_peer: Script, data: Path, path: Path) -> None:
    name = data / "samples" / "ct_explicit.dcm"
    path.write_bytes(packed(kind, [("x", name.read_bytes())]))
    peer = scripted_peer([accept(only=[IMPLICIT]), store(), store(), release()])
    with dcmsend.send(Peer(host="127.0.0.1", port=peer.port), [str(name), "a"], scan=ARCHIVES) as report:
        assert report.complete
    assert peer.messages[0].dataset == peer.messages[1].dataset


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_option_an_archive_is_no_dicom_file(kind: str, path: Path) -> None:
    path.write_bytes(packed(kind, [("x", DCM)]))
    (refusal,) = scan(["a"], ScanOptions())
    assert isinstance(refusal, Refusal)


def test_what_only_looks_packed_is_no_archive(path: Path) -> None:
    for content in (gzip.compress(DCM), bz2.compress(DCM), lzma.compress(b"x"), b"", b"PK", bytes(512)):
        path.write_bytes(content)
        (refusal,) = found_in("a")
        assert isinstance(refusal, Refusal)
        assert "archive" not in str(refusal.reason)


@pytest.mark.parametrize("kind", ["deflate", "tar.gz"])
def test_the_pattern_is_for_members(kind: str, path: Path) -> None:
    """An archive is looked into whatever its own name; so is one in a folder."""
    path.mkdir()
    (path / "archive.any").write_bytes(packed(kind, [("d.dcm/1.x", DCM), ("d/2.dcm", BIG)]))
    (path / "3.x").write_bytes(build(CT, "1.2.3.3"))
    options = ScanOptions(archives=True, directories=True, pattern="*.dcm")
    assert [found.path for found in found_in("a", options)] == ["a/archive.any/d/2.dcm"]


def test_zip_members_are_sorted_and_tar_members_are_not(path: Path) -> None:
    members = [("10", DCM), ("9", BIG)]
    path.write_bytes(zipped(members))
    assert [found.path for found in found_in("a")] == ["a/9", "a/10"]
    path.write_bytes(tarred(members))
    assert [found.path for found in found_in("a")] == ["a/10", "a/9"]


def test_an_archive_that_is_given_twice_is_sent_once(path: Path) -> None:
    path.write_bytes(zipped([("x", DCM)]))
    known = Archives()
    first, second = scan(["a", "a"], ARCHIVES, ArchiveScanner(ARCHIVES, known))
    known.close()
    assert isinstance(first, Instance)
    assert isinstance(second, Notice) and "added already" in second.text


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_in_tars(form: int, path: Path) -> None:
    name = "/".join(["folder" * 5] * (8 if form != tarfile.USTAR_FORMAT else 5)) + "/file.dcm"
    path.write_bytes(tarred([(name, DCM), ("x", BIG)], form))
    assert read("a") == {f"a/{name}": DCM, "a/x": BIG}


def test_names_of_all_sorts(path: Path) -> None:
    """Shown as they are: nothing is unpacked to where they say."""
    names = ["/etc/passwd", "../../x", "a//b", "\u00e4", "n\nl", " "]
    for pack in (zipped, tarred):
        path.write_bytes(pack([(name, build(CT, f"1.2.{at}")) for at, name in enumerate(names)]))
        assert sorted(found.path for found in found_in("a")) == sorted(f"a/{name}" for name in names)


def test_names_that_are_no_utf_8(path: Path) -> None:
    content = zipped([("xyz", DCM)]).replace(b"xyz", b"x\xffz")
    path.write_bytes(content)
    assert read("a") == {f"a/{os.fsdecode(b'x' + bytes([255]) + b'z')}": DCM}


@pytest.mark.parametrize("kind", ["stored", "tar"])
def test_members_of_the_same_name(kind: str, path: Path) -> None:
    contents = [build(CT, f"1.2.3.{number}") for number in range(3)]
    members = [("x", contents[0]), ("x (2)", contents[1]), ("x", contents[2])]
    if kind == "stored":
        with pytest.warns(UserWarning, match="Duplicate name"):
            path.write_bytes(packed(kind, members))
    else:
        path.write_bytes(packed(kind, members))
    assert read("a") == {"a/x": contents[0], "a/x (2)": contents[1], "a/x (3)": contents[2]}


def test_folders_links_devices_and_nested_archives(path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (
            ("d", tarfile.DIRTYPE),
            ("l", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("c", tarfile.CHRTYPE),
            ("f", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd" if kind != tarfile.DIRTYPE else ""
            archive.addfile(info)
        for name, content in (("in.zip", zipped([("x", DCM)])), ("in.tar", tarred([("x", DCM)])), ("x", DCM)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(buffer.getvalue())
    *notices, first, second, instance = found_in("a")
    assert isinstance(instance, Instance)
    assert [first, second] == [Refusal(f"a/in.{kind}", because("archive_in_archive")) for kind in ("zip", "tar")]
    assert [notice.text for notice in notices] == [
        "ignoring link in an archive: a/l",
        "ignoring link in an archive: a/h",
        "ignoring device in an archive: a/c",
        "ignoring FIFO in an archive: a/f",
    ]


def test_zip_folders_and_what_is_no_dicom(path: Path) -> None:
    path.write_bytes(zipped([("d/", b""), ("d/readme", b"text"), ("d/x", DCM)]))
    refusal, instance = found_in("a")
    assert (refusal.path, instance.path) == ("a/d/readme", "a/d/x")


def test_an_empty_archive(path: Path) -> None:
    for content in (zipped([]), tarred([]) and zipped([("d/", b"")])):
        path.write_bytes(content)
        assert found_in("a") == [Notice("a: there are no files in this archive", empty=True)]


@pytest.mark.parametrize("kind", ["deflate", "tar"])
def test_a_dicomdir_in_an_archive(kind: str, path: Path) -> None:
    path.write_bytes(packed(kind, [("DICOMDIR", build("1.2.840.10008.1.3.10", "1.2.3")), ("x", DCM)]))
    first, second = found_in("a", ScanOptions(archives=True, dicomdir=True))
    assert (first.text, second.path) == (
        "ignoring DICOMDIR in an archive, which stands for all files in it: a/DICOMDIR",
        "a/x",
    )
    assert isinstance(found_in("a")[0], Refusal)


@pytest.mark.parametrize("kind", KINDS)
def test_bare_data_sets_and_long_heads(kind: str, path: Path) -> None:
    """The UIDs may stand far behind the beginning."""
    from tests.support.builder import element

    private = element(0x00020102, "UN", bytes(300_000))
    head, rest = DCM[:132], DCM[132:]
    _, bare = part10.split(DCM)
    meta = rest[: len(rest) - len(bare)]
    path.write_bytes(packed(kind, [("long", head + meta + private + bare), ("bare", bare)]))
    options = ScanOptions(archives=True, read_mode=ReadMode.FILE_OR_DATASET)
    assert set(read("a", options)) == {"a/long", "a/bare"}


def test_zip64(path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open(zipfile.ZipInfo("x"), "w", force_zip64=True) as stream:
        stream.write(BIG)
    path.write_bytes(buffer.getvalue())
    assert read("a") == {"a/x": BIG}


def test_zip64_directory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    members = [(str(number), build(CT, f"1.2.{number}", value=bytes(800))) for number in range(5)]
    path.write_bytes(zipped(members, zipfile.ZIP_STORED))
    assert b"PK\x06\x06" in path.read_bytes()
    assert read("a") == {f"a/{name}": content for name, content in members}


def test_a_zip64_directory_that_is_nowhere(path: Path) -> None:
    content = zipped([("x", DCM)])
    at = content.index(b"PK\5\6")
    for place in (0, len(content), 1 << 62, (1 << 64) - 1):
        path.write_bytes(content[:at] + struct.pack("<4sLQL", b"PK\6\7", 0, place, 1) + content[at:])
        (refusal,) = found_in("a")
        assert refusal == Refusal("a", because("archive_cut"))


def test_a_zip_with_a_comment_and_one_behind_something(path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x", DCM)
        archive.comment = b"PK\5\6 is no end" * 100
    path.write_bytes(buffer.getvalue())
    found = found_in("a")
    assert [type(one) for one in found] in ([Instance], [Refusal])  # nobody knows which of the ends is the one
    path.write_bytes(b"PK\3\4 something" + zipped([("x", DCM)]))
    assert read("a") == {"a/x": DCM}


@pytest.mark.parametrize("kind", PACKERS)
def test_archives_that_are_joined_are_left_out(kind: str, path: Path) -> None:
    """Most programs read one of them and say nothing."""
    first, second = (PACKERS[kind](tarred([(name, DCM)])) for name in "xy")
    path.write_bytes(first + second)
    instance, refusal = found_in("a")
    assert instance.path == "a/x"
    assert refusal == Refusal("a", because("archive_joined"))
    path.write_bytes(zipped([("x", DCM)]) + zipped([("y", DCM)]))
    assert found_in("a") == [Refusal("a", because("archive_joined"))]


def test_a_zip_with_more_entries_than_its_short_count_can_tell(path: Path) -> None:
    """macOS writes the count of entries modulo 65536; a count that is wrong by anything else is damage."""
    content = bytearray(zipped([("x", DCM), *((f"{number}/", b"") for number in range(65536)), ("y", DCM)]))
    end = content.rindex(b"PK\6\6")
    directory, at = struct.unpack_from("<2Q", content, end + 40)
    short = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, directory, at, 0)
    path.write_bytes(content[:end] + short)
    assert read("a") == {"a/x": DCM, "a/y": DCM}
    for wrong in (0, 1, 3):
        path.write_bytes(content[:end] + short[:8] + struct.pack("<2H", wrong, wrong) + short[12:])
        assert found_in("a") == [Refusal("a", because("archive_cut"))]


def test_several_gzip_members_are_one_stream(path: Path) -> None:
    content = tarred([("x", DCM), ("y", BIG)])
    path.write_bytes(gzip.compress(content[:700]) + gzip.compress(content[700:]) + bytes(100))
    assert read("a") == {"a/x": DCM, "a/y": BIG}


# --- hostile and damaged archives


def test_a_checksum_is_found_before_anything_is_sent(scripted_peer: Script, path: Path) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        content = bytearray(zipped([("x", BIG)], method))
        at = content.rfind(struct.pack("<L", zlib.crc32(BIG)))
        content[at] ^= 1
        path.write_bytes(content)
        peer = scripted_peer([accept(), release()])
        where = Peer(host="127.0.0.1", port=peer.port)
        with dcmsend.send(where, ["a"], scan=ARCHIVES, policy=Policy(halt=False)) as report:
            ((_, outcome),) = report.rows()
        assert str(outcome.reason) == "its checksum in the archive is another one: the archive is damaged"
        assert not peer.messages


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("damaged", [0, 131, 132, 200])
def test_what_was_a_dicom_file_before_it_was_damaged_is_left_out(method: str, damaged: int, path: Path) -> None:
    """A member that does not look like a DICOM file is none only if its checksum is right."""
    content = bytearray(zipped([("x", BIG), ("notes", b"text" * 100)], METHODS[method]))
    spoilt = BIG[:damaged] + bytes([BIG[damaged] ^ 0xFF]) + BIG[damaged + 1 :]
    if method == "stored":
        at = content.index(BIG)
        content[at : at + len(spoilt)] = spoilt
    else:  # what was packed is another file than the directory says
        checksum = struct.pack("<L", zlib.crc32(BIG))
        content = bytearray(zipped([("x", spoilt), ("notes", b"text" * 100)], METHODS[method]))
        content = content.replace(struct.pack("<L", zlib.crc32(spoilt)), checksum)
    path.write_bytes(content)
    notes, first = found_in("a")
    assert isinstance(notes, Refusal)
    assert not notes.left_out
    if damaged:
        assert first == Refusal("a/x", because("archive_checksum"))
        assert first.left_out
    else:  # the preamble: it is found where its bytes are read
        wrong = "its checksum in the archive is another one: the archive is damaged"
        assert read("a") == {"a/x": wrong}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_tar_archive_with_a_damaged_first_header_is_left_out(form: int, path: Path) -> None:
    content = bytearray(tarred([("x", DCM)], form))
    content[3] ^= 1
    path.write_bytes(content)
    (refusal,) = found_in("a")
    assert refusal == Refusal("a", because("archive_cut"))
    assert refusal.left_out
    path.write_bytes(DCM[:257] + b"ustar" + DCM[262:])  # what is DICOM stays DICOM
    assert "archive" not in str(found_in("a")[0])


def test_a_sparse_file_in_an_archive_is_left_out(path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type = tarfile.GNUTYPE_SPARSE
    info.size = 0
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + tarred([("y", DCM)], tarfile.GNU_FORMAT))
    refusal, instance = found_in("a")
    assert refusal == Refusal("a/x", because("member_sparse"))
    assert refusal.left_out
    assert instance.path == "a/y"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_an_archive_that_is_cut_off_is_left_out_and_what_comes_before_is_sent(
    kind: str, kept: float, path: Path
) -> None:
    members = [(f"{number}", build(CT, f"1.2.{number}", value=os.urandom(20_000))) for number in range(20)]
    content = packed(kind, members)
    path.write_bytes(content[: int(len(content) * kept)])
    *before, refusal = found_in("a")
    assert isinstance(refusal, Refusal)
    assert (refusal.path, refusal.left_out) == ("a", True)
    assert {"archive_cut", "archive_without_directory"} & {refusal.reason.code}
    instances = [found.path for found in before]
    assert instances == [f"a/{number}" for number in range(len(instances))]
    if kind in ("tar", "tar.gz"):
        assert len(instances) >= int(20 * kept) - 2


def entry(content: bytes, offset: int, value: bytes) -> bytes:
    """A zip archive with something else in its first directory entry."""
    at = content.index(b"PK\1\2") + offset
    return content[:at] + value + content[at + len(value) :]


def overlapping() -> bytes:
    """Two entries for one member, as in the bombs of David Fifield."""
    content = zipped([("x", DCM)])
    start, end = content.index(b"PK\1\2"), content.index(b"PK\5\6")
    directory = content[start:end]
    tail = bytearray(content[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<L", 2 * len(directory))
    return content[:start] + directory * 2 + bytes(tail)


HOSTILE: Final[dict[str, tuple[bytes, str]]] = {
    "encrypted": (entry(zipped([("x", DCM)]), 8, b"\1\0"), "it is encrypted in the archive"),
    "method": (entry(zipped([("x", DCM)]), 10, b"\x0e\0"), "it is packed by method 14, which is not supported"),
    "two sizes": (entry(zipped([("x", DCM)], 0), 24, b"\1\0\0\0"), "the archive gives two sizes for it"),
    "overlap": (overlapping(), "the archive's members overlap: it is not opened"),
    "bomb": (
        entry(zipped([("x", DCM)]), 24, struct.pack("<L", 0xFFFFFFF0)),
        "the archive unpacks to 4294967280 bytes, more than 1100 times its size: it is not opened",
    ),
    "several parts": (zipped([("x", DCM)])[:-18] + b"\1\0" + zipped([("x", DCM)])[-16:], "one of several parts"),
    "cut zip": (zipped([("x", DCM)])[:-30], "the archive's directory is missing: it is cut off"),
    "no entry": (zipped([("x", DCM)]).replace(b"PK\1\2", b"PK\1\3"), "cut off or damaged"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_zips(name: str, path: Path) -> None:
    content, reason = HOSTILE[name]
    path.write_bytes(content)
    (refusal,) = found_in("a")
    assert isinstance(refusal, Refusal)
    assert reason in str(refusal.reason)
    assert "\n" not in str(refusal.reason)


def tar_header(size: int, kind: bytes = b"0", name: bytes = b"x") -> bytes:
    block = bytearray(512)
    block[: len(name)] = name
    block[124:136] = b"\x80" + size.to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


PAX: Final = {
    "no length": b"path=x\n",
    "length too long": b"99 path=x\n",
    "length too short": b"1 path=x\n",
    "no number": b"18 size=123456789x\n",
}


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize(
    ("behind", "reason"),
    [
        (tar_header(1 << 80), "cut off or damaged"),
        (tar_header(10_000) + bytes(600), "cut off or damaged"),
        (tar_header(2 << 20, b"x") + bytes(3 << 20), "more than 1048576 bytes"),
        (tar_header(1 << 40, b"L"), "more than 1048576 bytes"),
        (b"damage" * 100, "cut off or damaged"),
        (b"", "cut off or damaged"),
        *((tar_header(len(text), b"x") + text.ljust(512, b"\0"), "cut off or damaged") for text in PAX.values()),
    ],
)
def test_what_came_before_the_damage_is_sent(packer: str, behind: bytes, reason: str, path: Path) -> None:
    good = tar_header(len(DCM)) + DCM + bytes(-len(DCM) % 512)
    path.write_bytes(PACKERS[packer](good + behind))
    instance, refusal = found_in("a")
    assert (type(instance), type(refusal)) == (Instance, Refusal)
    assert instance.path == "a/x"
    assert (refusal.path, reason in str(refusal.reason)) == ("a", True), refusal.reason


@pytest.mark.parametrize("packer", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_packed_tar_that_is_cut_off_or_damaged(packer: str, path: Path) -> None:
    members = [(str(number), build(CT, f"1.2.{number}", value=os.urandom(60_000))) for number in range(20)]
    content = PACKERS[packer](tarred(members))
    for broken in (
        content[: len(content) // 2],
        content[: len(content) // 2] + b"x" + content[len(content) // 2 + 1 :],
    ):
        path.write_bytes(broken)
        *instances, last = found_in("a")
        assert isinstance(last, Refusal)
        # of a damaged block of bzip2 nothing is right, and then it may not even look like a tar archive
        assert str(last.reason).startswith("the archive is cut off or damaged") or (
            packer == "tar.bz2" and not instances
        )
        assert all(isinstance(found, Instance) for found in instances)


def test_a_wrong_checksum_at_the_end_of_a_gzip_stream_is_told(path: Path) -> None:
    content = bytearray(gzip.compress(tarred([("x", DCM), ("y", os.urandom(200_000))])))
    content[-6] ^= 1
    path.write_bytes(content)
    instance, *_, refusal = found_in("a")
    assert isinstance(instance, Instance)
    assert "incorrect data check" in str(refusal.reason)


def test_more_than_the_directory_says(path: Path) -> None:
    content = zipped([("x", BIG)])
    short = struct.pack("<L", len(BIG) - 2)
    content = entry(entry(content, 24, short), 16, struct.pack("<L", zlib.crc32(BIG[:-2])))
    path.write_bytes(content)
    assert list(read("a").values()) == ["it unpacks to more than the archive says"]


def test_an_xz_stream_that_wants_too_much_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = lzma.compress(tarred([("x", DCM)]))
    monkeypatch.setattr(unpacking, "MAX_XZ_MEMORY", 1 << 20)
    path.write_bytes(content)
    (refusal,) = found_in("a")
    assert isinstance(refusal, Refusal)


@pytest.mark.parametrize(
    ("module", "name", "value", "kind", "reason"),
    [
        (zips, "MAX_DIRECTORY", 50, "deflate", "directory has more than 50 bytes"),
        (zips, "MAX_MEMBERS", 1, "deflate", "or 1 entries"),
        (tars, "MAX_MEMBERS", 1, "tar", "more than 1 members"),
        (unpacking, "MAX_LOOK", 5000, "tar", "its head is longer than 5000 bytes"),
        (unpacking, "MAX_LOOK", 5000, "deflate", "its head is longer than 5000 bytes"),
    ],
)
def test_bounds(
    module: Any, name: str, value: int, kind: str, reason: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.builder import element

    monkeypatch.setattr(module, name, value)
    head, rest = DCM[:132], DCM[132:]
    _, bare = part10.split(DCM)
    long = head + rest[: len(rest) - len(bare)] + element(0x00020102, "UN", bytes(10_000)) + bare
    path.write_bytes(packed(kind, [("1", long), ("2", BIG)]))
    reasons = [found.reason for found in found_in("a") if isinstance(found, Refusal)]
    assert len(reasons) == 1
    assert reason in str(reasons[0])


@pytest.mark.parametrize("kind", ["deflate", "tar.gz"])
def test_a_large_member_goes_to_a_file_without_a_name(
    kind: str, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    path.write_bytes(packed(kind, [("x", BIG), ("y", DCM)]))
    monkeypatch.setattr(unpacking, "MEMORY_LIMIT", len(BIG) - 1)
    assert read("a") == {"a/x": BIG, "a/y": DCM}
    assert not list((tmp_path / "temporary").iterdir())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert "does not fit into the folder for temporary files" in str(read("a")["a/x"])
    monkeypatch.setattr(unpacking, "MEMORY_LIMIT", len(BIG))
    assert read("a") == {"a/x": BIG, "a/y": DCM}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_archives_end_in_one_line(kind: str, path: Path) -> None:
    """Whatever is changed in them: instances arrive intact, or there is a reason."""
    members = [("d/1", DCM), ("d/2", BIG)]
    content = packed(kind, members)
    chance = random.Random(kind)
    for _ in range(150):
        broken = bytearray(content)
        for _ in range(chance.randrange(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        if chance.random() < 0.3:
            del broken[chance.randrange(len(broken)) :]
        path.write_bytes(broken)
        for found in found_in("a"):
            if isinstance(found, Refusal):
                assert "\n" not in str(found.reason)
        for content_or_reason in read("a").values():
            if kind not in PACKERS:  # tars have no checksums of their own
                assert isinstance(content_or_reason, str) or content_or_reason in (DCM, BIG)


# --- what happens while a run goes on


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", ["removed", "replaced", "written to"])
def test_an_archive_that_changes(kind: str, change: str, scripted_peer: Script, path: Path) -> None:
    members = [(str(number), build(CT, f"1.2.{number}")) for number in range(3)]
    path.write_bytes(packed(kind, members))

    def listener(event: object) -> None:
        if isinstance(event, dcmsend.AssociationAccepted):
            if change == "removed":
                path.unlink()
            elif change == "replaced":
                path.with_name("b").write_bytes(packed(kind, members[:1]))
                path.with_name("b").replace(path)
            else:
                with path.open("ab") as file:
                    file.write(b"x")

    peer = scripted_peer([accept(), release()])
    where = Peer(host="127.0.0.1", port=peer.port)
    policy = Policy(halt=False)
    with dcmsend.send(where, ["a"], scan=ARCHIVES, policy=policy, listener=listener) as report:
        reasons = {str(outcome.reason) for _, outcome in report.rows()}
    gone = "the archive is gone: No such file or directory"
    assert reasons == {gone if change == "removed" else "the archive changed since it was looked at"}


@pytest.mark.parametrize("kind", ["deflate", "tar", "tar.gz"])
def test_a_lost_connection_costs_nothing(kind: str, scripted_peer: Script, path: Path) -> None:
    members = [(str(number), build(CT, f"1.2.{number}", value=bytes(5000))) for number in range(5)]
    path.write_bytes(packed(kind, members))
    peer = scripted_peer([accept(), store(), expect_message(), close()], [accept(), *[store()] * 4, release()])
    where = Peer(host="127.0.0.1", port=peer.port)
    with dcmsend.send(where, ["a"], scan=ARCHIVES, retries=Retries(count=1, delay=0)) as report:
        assert report.complete
    assert [message.dataset for message in peer.messages[-4:]] == [part10.split(one)[1] for _, one in members[1:]]


@pytest.mark.parametrize("kind", ["deflate", "tar.gz"])
def test_a_journal_leaves_out_what_is_stored(kind: str, scripted_peer: Script, path: Path) -> None:
    members = [(str(number), build(CT, f"1.2.{number}")) for number in range(3)]
    path.write_bytes(packed(kind, members))
    journal = JournalFile(path="journal", any_peer=True)
    first = scripted_peer([accept(), store(), store(0xA700), store(), release()])
    dcmsend.send(Peer(host="127.0.0.1", port=first.port), ["a"], scan=ARCHIVES, journal=journal).close()
    second = scripted_peer([accept(), store(), release()])
    where = Peer(host="127.0.0.1", port=second.port)
    with dcmsend.send(where, ["a"], scan=ARCHIVES, journal=journal) as report:
        assert (report.totals.stored, report.totals.earlier) == (3, 2)
    assert [message.sop_instance for message in second.messages] == ["1.2.1"]
    # what is another file now is sent again
    members[0] = ("0", build(CT, "1.2.9"))
    path.write_bytes(packed(kind, members))
    os.utime(path, ns=(1, 1))
    again = 1 if kind == "deflate" else 3
    third = scripted_peer([accept(), *[store()] * again, release()])
    with dcmsend.send(Peer(host="127.0.0.1", port=third.port), ["a"], scan=ARCHIVES, journal=journal) as report:
        assert report.totals.earlier == 3 - again


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
@pytest.mark.parametrize("cache", [0, 20_000, None])
def test_members_are_found_in_any_order(kind: str, cache: int | None, path: Path, monkeypatch: Any) -> None:
    members = [(str(number), build(CT, f"1.2.{number}", value=bytes(3000))) for number in range(30)]
    path.write_bytes(packed(kind, members))
    if cache is not None:
        monkeypatch.setattr(tars, "CACHE", cache)
        monkeypatch.setattr(tars, "CACHED", cache // 4000)
    shuffled = list(members)
    random.Random(1).shuffle(shuffled)
    known = Archives()
    opener = known.opener(OpenFile)
    list(scan(["a"], ARCHIVES, ArchiveScanner(ARCHIVES, known)))
    for name, content in (*shuffled, *members):
        with opener(f"a/{name}") as file:
            assert file.source(10_000).window(0, 10_000)[0] == content
    with pytest.raises(dcmsend.DcmsendError, match="no longer in the archive"):
        opener("a/none")
    known.close()


@pytest.mark.parametrize("associations", [1, 4, 8])
def test_a_packed_tar_is_not_begun_anew(associations: int, pynetdicom_scp: Any, path: Path, monkeypatch: Any) -> None:
    """With several associations too members are read once, and in their order."""
    count = 300
    server = pynetdicom_scp()
    path.write_bytes(packed("tar.gz", [(str(at), build(CT, f"1.2.{at}", value=bytes(9000))) for at in range(count)]))
    readers: list[tars.Reader] = []
    made = tars.Reader.__init__

    def init(self: tars.Reader, *words: Any) -> None:
        readers.append(self)
        made(self, *words)

    monkeypatch.setattr(tars.Reader, "__init__", init)
    where = Peer(host="127.0.0.1", port=server.port)
    with dcmsend.send(where, ["a"], scan=ARCHIVES, limits=Limits(associations=associations)) as report:
        assert report.totals.stored == count
    assert sum(reader.restarts for reader in readers) == 0
    assert len(readers) == 1


def test_few_archives_are_open(path: Path, pynetdicom_scp: Any, monkeypatch: Any) -> None:
    """Of a hundred a few, with as many associations as you like."""
    server = pynetdicom_scp()
    path.mkdir()
    for number in range(100):
        (path / str(number)).write_bytes(zipped([("x", build(CT, f"1.2.{number}"))]))
    most: list[int] = []
    enter = Archives.enter

    def counted(self: Archives, path: str) -> Any:
        entered = enter(self, path)
        most.append(len(self._open))
        return entered

    monkeypatch.setattr(Archives, "enter", counted)
    where = Peer(host="127.0.0.1", port=server.port)
    options = ScanOptions(archives=True, directories=True)
    with dcmsend.send(where, ["a"], scan=options, limits=Limits(associations=4)) as report:
        assert report.totals.stored == 100
    assert max(most) <= archives.MOST_OPEN + 6


# --- any tree, any archive


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tree=st.dictionaries(
        st.lists(st.sampled_from(["a", "b", "2", "10", "x y", "\u00e4"]), min_size=1, max_size=4).map("/".join),
        st.integers(0, 70_000),
        max_size=8,
    ),
    kind=st.sampled_from(KINDS),
)
def test_an_archive_is_the_folder_that_went_into_it(
    tree: dict[str, int], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("tree")
    members: Members = []
    for number, (name, size) in enumerate(tree.items()):
        if any(other.startswith(f"{name}/") for other in tree):
            continue  # it is a folder
        content = build(CT, f"1.2.{number + 1}", value=random.Random(size).randbytes(size & ~1))
        (root / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "d" / name).write_bytes(content)
        members.append((name, content))
    (root / "a").write_bytes(packed(kind, members))
    found = read(str(root / "a"))
    assert found == {f"{root}/a/{name}": content for name, content in members}
    options = ScanOptions(directories=True, recurse=True)
    (root / "d").mkdir(exist_ok=True)
    in_folder = {one for one in scan([str(root / "d")], options) if isinstance(one, Instance)}
    assert {(one.path.removeprefix(f"{root}/d/"), one.sop_instance, one.size) for one in in_folder} == {
        (one.path.removeprefix(f"{root}/a/"), one.sop_instance, one.size)
        for one in found_in(str(root / "a"))
        if isinstance(one, Instance)
    }
