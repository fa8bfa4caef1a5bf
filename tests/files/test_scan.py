"""Arguments, folders and UIDs: what becomes an instance, what is refused, what is passed over."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmsend.files import opening
from dcmsend.files import scan as scan_module
from dcmsend.files.archives import Archives, ArchiveScanner
from dcmsend.files.opening import Seen
from dcmsend.files.scan import Found, scan
from dcmsend.files.uid_checks import complaint
from dcmsend.light import replace
from dcmsend.model import Instance, Notice, ReadMode, Refusal, ScanOptions
from dcmsend.printable import plain
from dcmsend.reasons import because
from tests.files import encode
from tests.files.encode import CT, EXPLICIT, INSTANCE, part10

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PLAIN = ScanOptions()
FOLDERS = ScanOptions(directories=True, recurse=True)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*names: str) -> None:
    """Files with instances of their own."""
    for number, name in enumerate(names, 1):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part10(sop_instance=f"1.2.{number}"))


def found(arguments: Iterable[str], options: ScanOptions = PLAIN) -> list[Found]:
    return list(scan(arguments, options))


def told(arguments: Iterable[str], options: ScanOptions = PLAIN) -> list[tuple[str, str]]:
    """Paths and reasons of what is refused."""
    return [(value.path, str(value.reason)) for value in scan(arguments, options) if isinstance(value, Refusal)]


def paths(arguments: Iterable[str], options: ScanOptions = FOLDERS) -> list[str]:
    return [value.path for value in scan(arguments, options) if isinstance(value, Instance)]


def refused(value: Found, path: str, reason: str) -> None:
    assert isinstance(value, Refusal)
    assert (value.path, str(value.reason)) == (path, reason)


def notices(arguments: Iterable[str], options: ScanOptions = FOLDERS) -> list[str]:
    return [value.text for value in scan(arguments, options) if isinstance(value, Notice)]


def test_a_file(here: Path) -> None:
    put("x.dcm")
    assert found(["x.dcm"]) == [Instance("x.dcm", CT, "1.2.1", EXPLICIT, len(part10(sop_instance="1.2.1")))]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("gone", None, "No such file or directory"),
        ("", None, "Invalid filename"),
        ("a\0b", None, "Invalid filename"),
        ("empty", b"", "End of stream"),
        ("short", b"x", "File meta information header missing"),
        ("directory record", encode.dicomdir(), f"Invalid SOP Class UID: {encode.DICOMDIR} (a DICOMDIR)"),
    ],
)
def test_a_file_that_cannot_be_sent(here: Path, name: str, content: bytes | None, reason: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    assert told([name]) == [(name, reason)]


def test_files_are_taken_in_order_and_lazily(here: Path) -> None:
    put("b", "a")
    values = scan(["b", "gone", "a"], PLAIN)
    assert isinstance(next(values), Instance)
    refused(next(values), "gone", "No such file or directory")
    Path("a").unlink()
    refused(next(values), "a", "No such file or directory")


def test_a_folder_without_the_option(here: Path) -> None:
    put("d/x")
    assert found(["d"]) == [Refusal("d", because("folder_not_searched"))]


def test_folders_are_sorted_naturally_and_in_place(here: Path) -> None:
    put("d/im10", "d/im9", "d/im09", "d/a/2", "d/a/10", "d/z", "d/.hidden", "d/.dir/x")
    assert paths(["d/"]) == ["d/.dir/x", "d/.hidden", "d/a/2", "d/a/10", "d/im09", "d/im9", "d/im10", "d/z"]
    assert paths(["d"], replace(FOLDERS, recurse=False)) == ["d/.hidden", "d/im09", "d/im9", "d/im10", "d/z"]


@pytest.mark.parametrize(("argument", "path"), [(".", "d/x"), ("./", "./d/x"), ("./d", "./d/x"), ("d//", "d//x")])
def test_how_paths_are_written(here: Path, argument: str, path: str) -> None:
    put("d/x")
    assert paths([argument]) == [path]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("", [".a.dcm", "B.DCM", "a.dcm", "b.dcm", "c[1]", "sub.d/a.dcm"]),
        ("*.dcm", [".a.dcm", "a.dcm", "b.dcm", "sub.d/a.dcm"]),
        ("[!a]*.dcm", [".a.dcm", "b.dcm"]),
        ("[^a]*.dcm", [".a.dcm", "b.dcm"]),
        ("?.dcm", ["a.dcm", "b.dcm", "sub.d/a.dcm"]),
        ("[a-b].DCM", []),
        (r"c\[1]", ["c[1]"]),
        (r"\a.\dcm", ["a.dcm", "sub.d/a.dcm"]),
    ],
)
def test_pattern(here: Path, pattern: str, names: list[str]) -> None:
    put("a.dcm", "b.dcm", ".a.dcm", "B.DCM", "c[1]", "sub.d/a.dcm")
    assert paths(["."], replace(FOLDERS, pattern=pattern)) == names


def test_the_pattern_does_not_filter_arguments(here: Path) -> None:
    put("x", "d.d/y.dcm")
    assert paths(["x", "d.d"], replace(FOLDERS, pattern="*.dcm")) == ["x", "d.d/y.dcm"]


def test_links_that_lead_back_are_not_followed(here: Path) -> None:
    put("d/e/x")
    Path("d/e/loop").symlink_to("..")
    Path("d/self").symlink_to("self")
    assert paths(["d"]) == ["d/e/x"]
    assert notices(["d"]) == ["ignoring directory because it is a loop: d/e/loop"]
    assert [value.path for value in found(["d"], FOLDERS) if isinstance(value, Refusal)] == ["d/self"]


def test_other_links_are_followed(here: Path) -> None:
    put("elsewhere/x", "d/y")
    Path("d/link").symlink_to("../elsewhere")
    Path("d/z").symlink_to("../elsewhere/x")
    assert paths(["d"]) == ["d/link/x", "d/y"]
    assert notices(["d"]) == ["ignoring file because it has been added already: d/z"]


def test_many_links_to_one_folder_do_not_multiply(here: Path) -> None:
    for level in range(12):
        put(f"d/{level}/x")
        for name in ("l", "m", "n"):
            Path(f"d/{level}/{name}").symlink_to(f"../{level + 1}")
    assert len(paths(["d"])) == 12


def test_special_files_in_folders_are_passed_over(here: Path) -> None:
    put("d/x")
    os.mkfifo("d/fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("d/socket")
        assert paths(["d"]) == ["d/x"]
        assert notices(["d"]) == ["ignoring FIFO: d/fifo", "ignoring socket: d/socket"]


def test_a_fifo_as_argument_does_not_block(here: Path) -> None:
    os.mkfifo("fifo")
    assert found(["fifo"]) == [Refusal("fifo", because("not_a_regular_file", kind="FIFO"))]
    assert found(["/dev/null"]) == [Refusal("/dev/null", because("not_a_regular_file", kind="device"))]


def test_a_folder_that_cannot_be_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("d/x", "e/y")

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert told(["d"], FOLDERS) == [("d", "cannot read directory: Permission denied")]


def numbered(folder: str, count: int) -> None:
    put(*(f"{folder}/{number}" for number in range(count)))


def test_a_huge_folder_is_sorted_in_runs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbered("d", 25)
    as_listed = os.listdir("d")
    monkeypatch.setattr(scan_module, "RUN", 10)
    runs = (as_listed[:10], as_listed[10:20], as_listed[20:])
    assert paths(["d"]) == [f"d/{name}" for run in runs for name in sorted(run, key=int)]


@pytest.mark.parametrize("count", [0, 9, 10, 11, 20])
def test_all_of_a_folder_is_found_in_runs(here: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    Path("d").mkdir()
    numbered("d", count)
    monkeypatch.setattr(scan_module, "RUN", 10)
    assert len(paths(["d"])) == count


def test_folders_in_a_huge_folder_are_entered_where_they_stand(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(*(f"d/{folder}/{number}" for folder in range(5) for number in range(5)))
    monkeypatch.setattr(scan_module, "RUN", 2)
    found_paths = paths(["d"])
    assert sorted(found_paths) == sorted(f"d/{folder}/{number}" for folder in range(5) for number in range(5))
    folders = [path.split("/")[1] for path in found_paths]
    assert folders == sorted(folders, key=folders.index)


class Listing:
    """A listing of a folder that counts, may break, and says whether it was closed."""

    def __init__(self, path: str, breaks_after: int | None = None) -> None:
        with os.scandir(path) as entries:
            self._entries = iter(list(entries))
        self._breaks_after = breaks_after
        self.read = 0
        self.closed = False

    def __iter__(self) -> Listing:
        return self

    def __next__(self) -> os.DirEntry[str]:
        if self.read == self._breaks_after:
            raise OSError(5, "Input/output error")
        entry = next(self._entries)
        self.read += 1
        return entry

    def close(self) -> None:
        self.closed = True


def test_a_folder_is_listed_no_further_than_needed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbered("d", 30)
    listing = Listing("d")
    monkeypatch.setattr(scan_module, "RUN", 10)
    monkeypatch.setattr(os, "scandir", lambda _: listing)
    values = scan(["d"], FOLDERS)
    assert isinstance(next(values), Instance)
    assert (listing.read, listing.closed) == (10, False)
    values.close()  # type: ignore[attr-defined]
    assert listing.closed


def test_a_folder_that_fits_is_closed_before_its_first_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbered("d", 9)
    listing = Listing("d")
    monkeypatch.setattr(scan_module, "RUN", 10)
    monkeypatch.setattr(os, "scandir", lambda _: listing)
    next(scan(["d"], FOLDERS))
    assert listing.closed


@pytest.mark.parametrize(("after", "count"), [(0, 0), (5, 5), (15, 15), (20, 20)])
def test_a_folder_that_breaks_off(here: Path, monkeypatch: pytest.MonkeyPatch, after: int, count: int) -> None:
    numbered("d", 30)
    listing = Listing("d", after)
    monkeypatch.setattr(scan_module, "RUN", 10)
    monkeypatch.setattr(os, "scandir", lambda _: listing)
    *instances, last = found(["d"], FOLDERS)
    assert len(instances) == count
    denied = because("read_error", words="Input/output error")
    assert last == Refusal("d", because("folder_not_listed", denied))
    assert listing.closed


def status(device: int, number: int, changed: int = 1, size: int = 0) -> os.stat_result:
    times = {"st_ctime_ns": changed, "st_mtime_ns": 1}
    return os.stat_result((0o100644, number, device, 1, 0, 0, size, 0, 0, 0), times)


NUMBERS = st.one_of(st.integers(1, 200), st.integers(1, (1 << 64) - 1))


@given(st.lists(st.tuples(st.integers(0, 3), NUMBERS, st.integers(1, 3), st.integers(0, 2))))
def test_no_file_is_taken_for_another_one(files: list[tuple[int, int, int, int]]) -> None:
    """Nor for one that had its numbers before."""
    seen, known = Seen(), dict[tuple[int, int], tuple[int, int]]()
    for device, number, changed, size in files:
        again = known.get((device, number)) == (changed, size)
        assert seen.again(status(device, number, changed, size), "x") == again
        known[device, number] = changed, size


@given(st.lists(st.tuples(NUMBERS, st.booleans())))
def test_what_is_forgotten_was_not_met(files: list[tuple[int, bool]]) -> None:
    seen, known = Seen(), set[int]()
    for number, forget in files:
        if forget:
            seen.forget(status(1, number), "x")
            known.discard(number)
        else:
            assert seen.again(status(1, number), "x") == (number in known)
            known.add(number)


@pytest.mark.parametrize("other", [b"the next one", b"the same size"])
def test_a_file_that_gets_the_numbers_and_the_times_of_one_that_is_gone(other: bytes, here: Path) -> None:
    """The clock of a file system has ticks of some milliseconds, in which many small files can be sent."""
    seen, now = Seen(), time.time_ns()
    Path("a").write_bytes(b"that one size")
    assert not seen.again(status(1, 7, now, 13), "a")
    assert seen.again(status(1, 7, now, 13), "a")
    Path("a").write_bytes(other)
    assert not seen.again(status(1, 7, now, 13), "a")
    assert seen.again(status(1, 7, now, 13), "a")


def test_what_had_just_changed_is_told_apart_without_end(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_MOST_YOUNG", 10)
    seen, now = Seen(), time.time_ns()
    for number in range(1, 100):
        assert not seen.again(status(1, number, now), "x")
    assert len(seen._young) == 10


def test_files_without_numbers_are_told_apart_by_their_paths(here: Path) -> None:
    seen = Seen()
    assert [seen.again(status(1, 0), path) for path in ("a", "b", "./a", "b")] == [False, False, True, True]


def test_the_same_file_is_taken_once(here: Path) -> None:
    put("x")
    Path("hard").hardlink_to("x")
    Path("soft").symlink_to("x")
    names = ["x", "./x", "hard", "soft"]
    assert paths(names) == ["x"]
    assert notices(names) == [f"ignoring file because it has been added already: {name}" for name in names[1:]]
    assert paths(names, replace(FOLDERS, send_duplicates=True)) == names


def test_the_same_folder_is_scanned_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("d/x")
    monkeypatch.setattr(opening, "time_ns", lambda: time.time_ns() + 10_000_000_000)
    assert notices(["d", "d"]) == ["ignoring directory because it has been scanned already: d"]
    assert paths(["d", "d"], replace(FOLDERS, send_duplicates=True)) == ["d/x", "d/x"]


def test_a_folder_that_is_filled_meanwhile_is_scanned_again(here: Path) -> None:
    put("d/x")
    values = scan(["d", "d"], FOLDERS)
    assert isinstance(next(values), Instance)
    put("d/y")
    assert [each.path for each in values if isinstance(each, Instance)] == ["d/y"]


@pytest.mark.parametrize("kept", ["file", "folder"])
def test_what_is_gone_leaves_its_numbers_to_others(kept: str, here: Path) -> None:
    """Files and folders that are removed when they have been sent: none of those that follow is passed over."""

    def names() -> Iterator[str]:
        for number in range(60):
            given = Path(str(number % 3))
            path = given if kept == "file" else given / "x"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(part10(sop_instance=f"1.2.3.{100 + number}"))
            yield str(given)
            path.unlink()
            if kept == "folder":
                given.rmdir()

    found = [each.sop_instance for each in scan(names(), FOLDERS) if isinstance(each, Instance)]
    assert found == [f"1.2.3.{100 + number}" for number in range(60)]


@pytest.mark.parametrize("name", ["bad", "no.zip"])
def test_what_was_refused_is_refused_again(name: str, here: Path) -> None:
    """Nothing of it was added."""
    Path(name).write_bytes(b"PK\3\4" + bytes(200))
    options = replace(FOLDERS, archives=True)
    first, second = scan([name, name], options, ArchiveScanner(options, Archives()))
    assert isinstance(first, Refusal)
    assert second == first


def test_names_that_are_no_text_work(here: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n.dcm")
    put(name)
    assert paths([name]) == [name]
    assert notices([name, name]) == ["ignoring file because it has been added already: caf\\xe9\\n.dcm"]


def test_deep_folders(here: Path) -> None:
    put("/".join(["d"] * 300) + "/x")
    assert len(paths(["d"])) == 1


def test_the_data_set_is_right_where_the_meta_information_disagrees(here: Path) -> None:
    Path("x").write_bytes(part10(encode.dataset(encode.MR, "1.9")))
    notice, other, instance = found(["x"])
    assert isinstance(instance, Instance)
    assert (instance.sop_class, instance.sop_instance) == (encode.MR, "1.9")
    assert notice == Notice(
        f"x: SOP Class UID {encode.MR} of the data set is used, not {CT} of the file meta information"
    )
    assert isinstance(other, Notice)


def test_a_class_that_no_context_can_have_is_refused_in_the_data_set_too(here: Path) -> None:
    Path("x").write_bytes(part10(encode.dataset("1.2.x")))
    assert told(["x"]) == [("x", "Invalid SOP Class UID: 1.2.x")]


def test_without_uid_checks_the_class_in_the_data_set_must_be_one_that_can_be_written(here: Path) -> None:
    Path("x").write_bytes(part10(encode.dataset("1.2\n3")))
    Path("y").write_bytes(part10(encode.dataset("1.2.x")))
    options = replace(PLAIN, uid_checks=False)
    assert told(["x"], options) == [("x", r"Invalid SOP Class UID: 1.2\n3")]
    assert isinstance(found(["y"], options)[-1], Instance)


CLASS, INST, SYNTAX = "Invalid SOP Class UID", "Invalid SOP Instance UID", "Invalid Transfer Syntax UID"
STEP = "Modality Performed Procedure Step SOP Class"
QUERY = "Study Root Query/Retrieve Information Model - FIND"
STORAGE = "1.2.840.10008.5.1.4.1.1."


@pytest.mark.parametrize(
    ("sop_class", "sop_instance", "syntax", "reason"),
    [
        (CT, INSTANCE, EXPLICIT, ""),
        ("", "", "", f"{CLASS}: there is none"),
        (CT, "", "", f"{INST}: there is none"),
        (CT, INSTANCE, "", f"{SYNTAX}: there is none"),
        (CT + r"\1.2", INSTANCE, EXPLICIT, f"{CLASS}: {CT}\\1.2"),
        ("1.2.", INSTANCE, EXPLICIT, f"{CLASS}: 1.2."),
        ("1..2", INSTANCE, EXPLICIT, f"{CLASS}: 1..2"),
        ("1.02", INSTANCE, EXPLICIT, f"{CLASS}: 1.02"),
        ("1.x", INSTANCE, EXPLICIT, f"{CLASS}: 1.x"),
        (STORAGE + "9999", INSTANCE, EXPLICIT, ""),
        ("1.2.840.10008.5.1.4.38.1", INSTANCE, EXPLICIT, ""),
        ("1.2.276.0.99", INSTANCE, EXPLICIT, ""),
        ("1.2.840.10008.1.1", INSTANCE, EXPLICIT, f"{CLASS}: 1.2.840.10008.1.1 (Verification SOP Class)"),
        ("1.2.840.10008.3.1.2.3.3", INSTANCE, EXPLICIT, f"{CLASS}: 1.2.840.10008.3.1.2.3.3 ({STEP})"),
        ("1.2.840.10008.5.1.4.1.2.2.1", INSTANCE, EXPLICIT, f"{CLASS}: 1.2.840.10008.5.1.4.1.2.2.1 ({QUERY})"),
        (EXPLICIT, INSTANCE, EXPLICIT, f"{CLASS}: {EXPLICIT} (Little Endian Explicit)"),
        (encode.DICOMDIR, INSTANCE, EXPLICIT, f"{CLASS}: {encode.DICOMDIR} (a DICOMDIR)"),
        ("1.2.840.10008.77", INSTANCE, EXPLICIT, "Unknown Storage SOP Class: 1.2.840.10008.77"),
        (CT, "1", EXPLICIT, ""),
        (CT, "3.99", EXPLICIT, ""),
        (CT, "1." + "2" * 62, EXPLICIT, ""),
        (CT, "1." + "2" * 63, EXPLICIT, f"{INST}: 1." + "2" * 63),
        (CT, "1.2\n3", EXPLICIT, rf"{INST}: 1.2\n3"),
        (CT, INSTANCE, "1.2.3.", f"{SYNTAX}: 1.2.3."),
        (CT, INSTANCE, "1.2.3", "Unknown Transfer Syntax: 1.2.3"),
        (CT, INSTANCE, "1.2.840.113619.5.2", ""),
        (CT, INSTANCE, "1.2.840.10008.1.2.4.52", ""),
    ],
)
def test_uid_checks(sop_class: str, sop_instance: str, syntax: str, reason: str) -> None:
    assert str(complaint(sop_class, sop_instance, syntax)) == reason


@pytest.mark.parametrize(
    ("sop_class", "sop_instance", "syntax", "reason"),
    [
        ("1.02", "x", "1.2.3", ""),
        (encode.DICOMDIR, INSTANCE, EXPLICIT, ""),
        ("", INSTANCE, EXPLICIT, f"{CLASS}: there is none"),
        (CT, "", EXPLICIT, f"{INST}: there is none"),
        (CT, INSTANCE, "", f"{SYNTAX}: there is none"),
        (CT, "1" * 65, EXPLICIT, f"{INST}: " + "1" * 65),
        (CT, "1.é", EXPLICIT, f"{INST}: 1.é"),
    ],
)
def test_without_uid_checks_only_what_cannot_be_written_is_refused(
    sop_class: str, sop_instance: str, syntax: str, reason: str
) -> None:
    assert str(complaint(sop_class, sop_instance, syntax, checks=False)) == reason


@given(st.text(max_size=300))
def test_text_in_reasons_is_one_line(text: str) -> None:
    assert encode.is_one_line(plain(text))


def edited(data: bytes) -> st.SearchStrategy[bytes]:
    """``data`` with a few bytes replaced, and cut anywhere."""
    change = st.tuples(st.integers(0, len(data) - 1), st.binary(min_size=1, max_size=4))

    def apply(changes: list[tuple[int, bytes]], end: int) -> bytes:
        buffer = bytearray(data)
        for at, new in changes:
            buffer[at : at + len(new)] = new
        return bytes(buffer[:end])

    return st.builds(apply, st.lists(change, max_size=4), st.integers(len(data) // 2, len(data)))


SEEDS = (
    part10(),
    part10(encode.deflate(encode.dataset()), syntax=encode.DEFLATED),
    encode.dicomdir(encode.record("A\\B"), encode.record("C")),
    encode.dataset(),
)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=400), *map(edited, SEEDS)), st.sampled_from(list(ReadMode)), st.booleans())
def test_any_file_comes_to_a_value(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, mode: ReadMode, checks: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    values = found([str(path)], ScanOptions(read_mode=mode, dicomdir=True, uid_checks=checks))
    assert len(values) <= 60
    for value in values:
        text = str(value.reason) if isinstance(value, Refusal) else value.text if isinstance(value, Notice) else ""
        assert encode.is_one_line(text)
