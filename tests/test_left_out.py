"""What was left out of the input counts: exit code, four reports, logs, library and journal say the same of it.

Each kind of input that can be left out stands once in ``LEFT_OUT``, beside a good file; what is no DICOM stands in
``NO_DICOM``.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

import dcmsend
from dcmsend import FailuresError, Peer, Policy, ScanOptions
from tests.files import encode
from tests.support import report
from tests.support.builder import element, part10
from tests.support.flaky import FlakyPeer

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
LIMIT: Final = 60.0  # seconds
GOOD: Final = part10(CT, "1.2.3.1")
OTHER: Final = part10(CT, "1.2.3.2", value=bytes(2000))
NOBODY: Final = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--",
)  # root without root's rights to files

Make = Callable[[Path], Sequence[str]]


@dataclass(frozen=True)
class Case:
    """A kind of input: ``make`` writes it and gives the words that name it.

    ``paths``: how the paths end that are left out. ``taken``: instances beside the good file that are taken on all the
    same. ``broken``: a folder whose listing breaks off after so many entries. ``halts``: it ends a run without ``-nh``.
    """

    name: str
    make: Make
    paths: tuple[str, ...]
    taken: int = 0
    options: tuple[str, ...] = ()
    broken: int | None = None
    halts: bool = True


def _file(name: str, content: bytes) -> Make:
    def make(folder: Path) -> Sequence[str]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        return [str(folder / name)]

    return make


def _found(name: str, content: bytes) -> Make:
    """The same in a folder that is named."""

    def make(folder: Path) -> Sequence[str]:
        _file(f"study/{name}", content)(folder)
        return [str(folder / "study")]

    return make


def _named(*names: str) -> Make:
    return lambda folder: [str(folder / name) for name in names]


def _link(name: str, target: str, *, within: str = "") -> Make:
    def make(folder: Path) -> Sequence[str]:
        (folder / within).mkdir(exist_ok=True)
        (folder / within / name).symlink_to(target)
        return [str(folder / (within or name))]

    return make


def _locked(name: str, *, within: str = "", content: bytes | None = None) -> Make:
    """A file, or without content a folder with one, that may not be read."""

    def make(folder: Path) -> Sequence[str]:
        path = folder / within / name
        path.parent.mkdir(exist_ok=True)
        if content is None:
            path.mkdir()
            (path / "inside.dcm").write_bytes(OTHER)
        else:
            path.write_bytes(content)
        path.chmod(0)
        return [str(folder / within if within else path)]

    return make


def _too_long(folder: Path) -> Sequence[str]:
    """A file whose path is longer than the system takes."""
    (folder / "deep").mkdir()
    above = os.open(folder / "deep", os.O_RDONLY)
    for _ in range(21):
        os.mkdir("d" * 200, dir_fd=above)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = below
    file = os.open("far.dcm", os.O_WRONLY | os.O_CREAT, dir_fd=above)
    os.write(file, OTHER)
    os.close(file)
    os.close(above)
    return [str(folder / "deep")]


def _listing(folder: Path) -> Sequence[str]:
    for number in range(6):
        _file(f"eio/{number}.dcm", part10(CT, f"1.2.4.{number}"))(folder)
    return [str(folder / "eio")]


def _dicomdir(*records: bytes, tail: bytes = b"", cut: int = 0) -> Make:
    def make(folder: Path) -> Sequence[str]:
        _file("disc/IM1", OTHER)(folder)
        content = encode.dicomdir(*records) + tail
        return _file("disc/DICOMDIR", content[: len(content) - cut])(folder)

    return make


def _medium(folder: Path) -> Sequence[str]:
    """A folder as on media: what its DICOMDIR lists is found there anyway."""
    _dicomdir(IM1)(folder)
    return [str(folder / "disc")]


def _tar(form: str, members: dict[str, bytes], cut: int = 0) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{form}") as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()[: len(buffer.getvalue()) - cut]


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _random(size: int) -> bytes:
    """Bytes that do not pack."""
    return os.urandom(size - size % 2)


def _fifo(folder: Path) -> Sequence[str]:
    os.mkfifo(folder / "pipe.dcm")
    return [str(folder / "pipe.dcm")]


def _list(folder: Path) -> Sequence[str]:
    (folder / "names.txt").write_text(f"{folder / 'gone.dcm'}\n")
    return ["--files-from", str(folder / "names.txt")]


BIG: Final = {f"{number}.dcm": part10(CT, f"1.2.5.{number}", value=_random(30_000)) for number in range(4)}
IM1: Final = encode.record("IM1", sop_class=CT, sop_instance="1.2.3.2", syntax=encode.EXPLICIT)
ZIP: Final = ("--scan-archives",)
FOLDER: Final = ("+sd", "+r")
MEDIA: Final = ("+rd",)

LEFT_OUT: Final = (
    Case("a file that is gone", _named("gone.dcm"), ("/gone.dcm",)),
    Case("a folder that is not mounted", _named("mnt/study2"), ("/mnt/study2",), options=FOLDER),
    Case("a broken link", _link("lost.dcm", "nowhere"), ("/lost.dcm",)),
    Case(
        "a broken link in a folder", _link("lost.dcm", "nowhere", within="study"), ("/study/lost.dcm",), options=FOLDER
    ),
    Case("a link to itself", _link("self.dcm", "self.dcm"), ("/self.dcm",)),
    Case("a name in a list", _list, ("/gone.dcm",)),
    Case("a folder that may not be read", _locked("study"), ("/study",), options=FOLDER),
    Case("a folder in a folder that may not", _locked("a", within="study"), ("/study/a",), options=FOLDER),
    Case("a file that may not be read", _locked("my.dcm", content=OTHER), ("/my.dcm",)),
    Case("a file in a folder that may not", _locked("x.dcm", within="s", content=OTHER), ("/s/x.dcm",), options=FOLDER),
    Case("a listing that breaks off", _listing, ("/eio",), options=FOLDER, broken=3, taken=3),
    Case("a listing that does not begin", _listing, ("/eio",), options=FOLDER, broken=0),
    Case("a path that is too long", _too_long, ("d" * 200,), options=FOLDER),
    Case("a folder that is not searched", lambda folder: _found("x.dcm", OTHER)(folder), ("/study",), halts=False),
    Case("a pipe", _fifo, ("/pipe.dcm",)),
    Case("a device", lambda _: ["/dev/null"], ("/dev/null",)),
    Case("an empty file that was named", _file("notes", b""), ("/notes",)),
    Case("an empty file called .dcm", _found("x.DCM", b""), ("/study/x.DCM",), options=FOLDER),
    Case("an empty file called as on media", _found("IM000001", b""), ("/study/IM000001",), options=FOLDER),
    Case("an empty file called by a UID", _found("1.2.840.5", b""), ("/study/1.2.840.5",), options=FOLDER),
    Case("a file that has just begun", _found("x.dcm", bytes(100)), ("/study/x.dcm",), options=FOLDER),
    Case("nothing behind the prefix", _file("a", bytes(128) + b"DICM"), ("/a",)),
    Case("rubbish behind the prefix", _file("a", bytes(128) + b"DICM" + b"\xff" * 99), ("/a",)),
    Case("cut off within the meta information", _file("a", GOOD[:200]), ("/a",)),
    Case("an invalid SOP Instance UID", _file("a", part10(CT, "1.2.x")), ("/a",)),
    Case("no SOP Instance UID", _file("a", part10(CT, "")), ("/a",)),
    Case("an invalid SOP class", _file("a", part10("1..2", "1.2.3.2")), ("/a",)),
    Case("no SOP class", _file("a", part10("", "1.2.3.2")), ("/a",)),
    Case("an unknown SOP class", _file("a", part10("1.2.840.10008.9.9", "1.2.3.2")), ("/a",)),
    Case("a class that stores nothing", _file("a", part10("1.2.840.10008.1.1", "1.2.3.2")), ("/a",)),
    Case("an unknown transfer syntax", _file("a", part10(CT, "1.2.3.2", transfer_syntax="1.2.9")), ("/a",)),
    Case("no transfer syntax", _file("a", part10(CT, "1.2.3.2", transfer_syntax="")), ("/a",)),
    Case("a DICOMDIR that is not read as one", _dicomdir(IM1), ("/DICOMDIR",)),
    Case("an entry that is gone", _dicomdir(IM1, encode.record("IM2")), ("/IM2",), 1, MEDIA),
    Case("an entry that leads out", _dicomdir(IM1, encode.record("..\\good.dcm")), ("good.dcm",), 1, MEDIA),
    Case("an entry with a bad UID", _dicomdir(IM1, encode.record("IM1", sop_instance="1.x")), ("/IM1",), 1, MEDIA),
    Case("a DICOMDIR that is cut off", _dicomdir(IM1, encode.record("IM2"), cut=40), ("/DICOMDIR",), 1, MEDIA),
    Case("a zip that is cut off", _file("a.zip", _zip(BIG)[:-60_000]), ("/a.zip",), options=ZIP),
    Case("a tar that is being copied", _file("a.tar", _tar("", BIG, cut=90_000)), ("/a.tar",), 1, ZIP),
    Case("a tar.gz that is being copied", _file("a.tgz", _tar("gz", BIG, cut=60_000)), ("/a.tgz",), 2, ZIP),
    Case("an empty file in an archive", _file("a.zip", _zip({"x.dcm": b""})), ("/x.dcm",), options=ZIP),
    Case("a damaged file in an archive", _file("a.zip", _zip({"x": GOOD[:200]})), ("/x",), options=ZIP),
    Case("a zip that has just begun", _found("a.zip", b""), ("/study/a.zip",), options=(*ZIP, *FOLDER)),
    Case("a tar that has just begun", _found("a.tar", b"1.2.3" + bytes(200)), ("/a.tar",), options=(*ZIP, *FOLDER)),
    Case("an archive within an archive", _file("a.zip", _zip({"b.zip": _zip(BIG)})), ("/b.zip",), options=ZIP),
    Case("an archive that may not be read", _locked("a.zip", content=_zip(BIG)), ("/a.zip",), options=ZIP),
)
NO_DICOM: Final = (
    Case("a text", _file("notes.txt", b"no DICOM"), ("/notes.txt",)),
    Case("a text in a folder", _found("notes.txt", b"no DICOM"), ("/study/notes.txt",), options=FOLDER),
    Case("an empty file in a folder", _found("notes.txt", b""), ("/study/notes.txt",), options=FOLDER),
    Case("a picture", _file("a.jpg", b"\xff\xd8\xff\xe0" + bytes(300)), ("/a.jpg",)),
    Case("a bare data set", _file("bare.dcm", GOOD[240:] + bytes(200)), ("/bare.dcm",)),
    Case("a zip that is not looked into", _file("a.zip", _zip(BIG)), ("/a.zip",)),
    Case("a DICOMDIR in a folder", _medium, ("/disc/DICOMDIR",), taken=1, options=FOLDER),
    Case("a text in an archive", _file("a.zip", _zip({"notes.txt": b"no DICOM" * 40})), ("/notes.txt",), options=ZIP),
    Case("an empty file in an archive", _file("a.zip", _zip({"notes.txt": b""})), ("/notes.txt",), options=ZIP),
)
# Run by a child: its own listing of one folder breaks off.
_BREAKING: Final = """
import errno, os, sys
true, most = os.scandir, int(sys.argv.pop(1))
class Broken:
    def __init__(self, path): self.entries, self.left = true(path), most
    def __iter__(self): return self
    def __next__(self):
        if not self.left: raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.left -= 1
        return next(self.entries)
    def close(self): self.entries.close()
    def __enter__(self): return self
    def __exit__(self, *_): self.close()
os.scandir = lambda path=".": Broken(path) if os.fspath(path).rstrip("/").endswith("/eio") else true(path)
from dcmsend.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def peer() -> Iterator[FlakyPeer]:
    """A receiver that stores all and knows what it has answered."""
    started = FlakyPeer(1, ("serve",), statuses=(0,))
    yield started
    started.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a good file."""
    made = tmp_path / "input"
    made.mkdir()
    (made / "good.dcm").write_bytes(GOOD)
    yield made
    for name in ("study", "study/a"):
        if (made / name).exists():
            (made / name).chmod(0o700)
    shutil.rmtree(made)


def _run(case: Case, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dcmsend"]
    if case.broken is not None:
        command = [sys.executable, "-c", _BREAKING, str(case.broken)]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        command = [*NOBODY, *command]
    return subprocess.run(
        [*command, *words], cwd=folder, capture_output=True, text=True, errors="replace", timeout=LIMIT, check=False
    )


def _words(case: Case, folder: Path, out: Path, port: int, *more: str) -> list[str]:
    given = [str(word) for word in case.make(folder)]
    reports = ["+crf", str(out / "r.txt")]
    for kind in ("json", "csv", "html"):
        reports += [f"--report-{kind}", str(out / f"r.{kind}")]
    options = [word for word in given if word == "--files-from"] and given
    names = [] if options else given
    return [*more, *case.options, *reports, *options, "127.0.0.1", str(port), str(folder / "good.dcm"), *names]


def _ids(case: Case) -> str:
    return case.name.replace(" ", "-")


@pytest.mark.parametrize("case", LEFT_OUT, ids=_ids)
def test_left_out_with_no_halt(case: Case, folder: Path, peer: FlakyPeer, tmp_path: Path) -> None:
    words = _words(case, folder, tmp_path, peer.port, "-nh", "--journal", str(tmp_path / "journal"))
    done = _run(case, folder, *words)
    taken, count = 1 + case.taken, len(case.paths)
    assert done.returncode == 67, done.stderr
    assert len(peer.answered) == taken
    assert f"E: {count} input{'s were' if count > 1 else ' was'} left out" in done.stderr.splitlines()
    _check_reports(case, tmp_path, taken, 67)
    with sqlite3.connect(f"file:{tmp_path / 'journal'}?mode=ro", uri=True) as journal:
        states = journal.execute("SELECT state, path FROM instance").fetchall()
    assert sum(state == "stored" for state, _ in states) == taken
    left_out = [path for state, path in states if state == "left out"]
    assert _matches(left_out, case.paths), states


@pytest.mark.parametrize("case", LEFT_OUT, ids=_ids)
def test_left_out_halts(case: Case, folder: Path, peer: FlakyPeer, tmp_path: Path) -> None:
    done = _run(case, folder, *_words(case, folder, tmp_path, peer.port))
    if not case.halts:
        assert done.returncode == 67, done.stderr
        _check_reports(case, tmp_path, 1, 67)
        return
    assert done.returncode == 22, done.stderr
    assert not peer.answered  # it was known before anything was sent
    assert "F: bad DICOM file: " in done.stderr
    found = json.loads((tmp_path / "r.json").read_text())
    assert (found["complete"], found["exit_code"], found["error"]["type"]) == (False, 22, "InvalidInputError")


@pytest.mark.parametrize("case", LEFT_OUT, ids=_ids)
def test_left_out_as_dcmtk_counts(case: Case, folder: Path, peer: FlakyPeer, tmp_path: Path) -> None:
    done = _run(case, folder, *_words(case, folder, tmp_path, peer.port, "-nh", "--dcmtk-exit-codes"))
    assert done.returncode == 0, done.stderr
    _check_reports(case, tmp_path, 1 + case.taken, 0)


def _in_this_process(case: Case) -> bool:
    """Return True if nothing has to be taken from this process for the case to be one: root may read everything."""
    return case.broken is None and not ("may not" in case.name and os.geteuid() == 0)


@pytest.mark.parametrize("case", [case for case in LEFT_OUT if _in_this_process(case)], ids=_ids)
def test_left_out_in_the_library(case: Case, folder: Path, peer: FlakyPeer) -> None:
    given = [str(word) for word in case.make(folder) if word != "--files-from"]
    if case.make is _list:
        given = [str(folder / "gone.dcm")]
    scan = ScanOptions(
        directories="+sd" in case.options,
        recurse="+r" in case.options,
        dicomdir="+rd" in case.options,
        archives="--scan-archives" in case.options,
    )
    target = Peer(host="127.0.0.1", port=peer.port)
    with dcmsend.send(target, [folder / "good.dcm", *given], scan=scan, policy=Policy(halt=False)) as done:
        assert (done.complete, done.error) == (False, None)
        assert (done.totals.stored, done.totals.left_out) == (1 + case.taken, len(case.paths))
        refusals = [refusal for refusal in done.refusals() if refusal.left_out]
        assert _matches([refusal.path for refusal in refusals], case.paths)
        with pytest.raises(FailuresError) as caught:
            done.raise_for_failures()
        assert (caught.value.failed, caught.value.left_out) == (0, len(case.paths))
        for refusal in refusals:
            assert str(refusal.reason)
            assert refusal.reason.hint().endswith((".", "?"))


@pytest.mark.parametrize("case", NO_DICOM, ids=_ids)
def test_what_is_no_dicom_does_not_count(case: Case, folder: Path, peer: FlakyPeer, tmp_path: Path) -> None:
    words = _words(case, folder, tmp_path, peer.port, "-nh", "--journal", str(tmp_path / "journal"))
    done = _run(case, folder, *words)
    assert done.returncode == 0, done.stderr
    assert len(peer.answered) == 1 + case.taken
    assert " left out" not in done.stderr
    found = json.loads((tmp_path / "r.json").read_text())
    assert (found["complete"], found["totals"]["no_dicom"], found["left_out"]) == (True, len(case.paths), [])
    assert _matches([one["path"] for one in found["no_dicom"]], case.paths)
    assert "No DICOM, and passed over" in (tmp_path / "r.html").read_text()
    assert "Left out of the Input" not in (tmp_path / "r.txt").read_text()
    assert not any("DICOM files" in label for label in report.summary(tmp_path / "r.txt"))  # as DCMTK has it


def _check_reports(case: Case, out: Path, taken: int, code: int) -> None:
    """All four say the same."""
    count = len(case.paths)
    found = json.loads((out / "r.json").read_text())
    assert (found["complete"], found["exit_code"], found["error"]) == (False, code, None)
    assert (found["totals"]["stored"], found["totals"]["left_out"]) == (taken, count)
    items: list[dict[str, Any]] = found["left_out"]
    assert _matches([item["path"] for item in items], case.paths)
    assert all(item["reason"] and item["code"] not in ("", "said") for item in items), items
    assert sum(group["count"] for group in found["left_out_causes"]) == count
    assert all(group["hint"].endswith((".", "?")) for group in found["left_out_causes"])
    with (out / "r.csv").open(newline="", encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(file, strict=True) if line["state"] == "left_out"]
    assert [line["reason"] for line in lines] == [item["reason"] for item in items]
    text = (out / "r.txt").read_text()
    section = text[text.index("Left out of the Input") : text.index("Status Summary")]
    assert [line[16:] for line in section.splitlines() if line.startswith("Reason")] == [one["reason"] for one in items]
    assert report.summary(out / "r.txt")["left out of the input"] == count
    page = (out / "r.html").read_text()
    heading = page[page.index("<h1>") : page.index("</h1>")]
    assert heading.endswith(f"but {count} input{'s were' if count > 1 else ' was'} left out"), heading
    assert f"Left out of the input: {count}" in page


def _matches(paths: Sequence[str], ends: Sequence[str]) -> bool:
    shown = sorted(paths)
    return len(shown) == len(ends) and all(
        any(path.rstrip("/").endswith(end) or end in path for path in shown) for end in ends
    )


def test_a_data_set_is_no_dicom_only_where_it_is_not_taken(folder: Path, peer: FlakyPeer) -> None:
    """With ``+f`` a bare data set is an instance."""
    bare = element(0x00080016, "UI", CT.encode()) + element(0x00080018, "UI", b"1.2.3.7")
    (folder / "bare").write_bytes(bare)
    done = subprocess.run(
        [sys.executable, "-m", "dcmsend", "+f", "127.0.0.1", str(peer.port), str(folder / "bare")],
        capture_output=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert (done.returncode, list(peer.answered)) == (0, ["1.2.3.7"])
