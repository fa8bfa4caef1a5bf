"""What the library takes beside paths: it arrives bit for bit, and is let go as soon as it has its outcome."""

from __future__ import annotations

import gc
import gzip
import io
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import IO, Any, Final

import pytest
from pydicom import Dataset, dcmread, dcmwrite

import dcmsend
from dcmsend import JournalFile, Limits, Peer, Policy, ReadMode, Refusal, Retries, ScanOptions, Source
from dcmsend.files import given
from dcmsend.reasons import because
from tests.support import part10
from tests.support.builder import part10 as build
from tests.support.scripted import ScriptedPeer, accept, close, expect_message, release, store

Script = Callable[..., ScriptedPeer]
CT: Final = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT: Final = "1.2.840.10008.1.2"


def at(peer: Any) -> Peer:
    return Peer(host="127.0.0.1", port=peer.port)


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


class Trickle(io.RawIOBase):
    """A pipe: not seekable, and it gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._data.read(min(len(buffer), 1000))
        buffer[: len(data)] = data
        return len(data)


def temporary(data: bytes) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return file


def behind(data: bytes, folder: Path) -> IO[bytes]:
    """A file in which the instance stands behind something else that was read."""
    (folder / "behind").write_bytes(b"x" * 5001 + data)
    file = (folder / "behind").open("rb")
    file.read(5001)
    return file


def zipped(data: bytes, folder: Path) -> gzip.GzipFile:
    (folder / "x.gz").write_bytes(gzip.compress(data))
    return gzip.open(folder / "x.gz")  # its fileno() is that of the compressed file


def piped(data: bytes, buffering: int = -1) -> IO[bytes]:
    """The end of a pipe that somebody fills, as ``sys.stdin.buffer`` is one."""
    end, other = os.pipe()

    def fill() -> None:
        with os.fdopen(other, "wb") as stream:
            stream.write(data)

    Thread(target=fill).start()
    return os.fdopen(end, "rb", buffering)


def printed(data: bytes, folder: Path) -> IO[bytes]:
    """What a program writes."""
    (folder / "printed").write_bytes(data)
    code = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    command = [sys.executable, "-c", code, str(folder / "printed")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    Thread(target=process.wait).start()
    return process.stdout


KINDS: Final[dict[str, Callable[[bytes, Path], Any]]] = {
    "bytes": lambda data, _: data,
    "bytearray": lambda data, _: bytearray(data),
    "memoryview": lambda data, _: memoryview(b"xx" + data)[2:],
    "strided memoryview": lambda data, _: memoryview(bytes(data[at // 2] for at in range(2 * len(data))))[::2],
    "BytesIO": lambda data, _: io.BytesIO(data),
    "BytesIO behind something": lambda data, _: _read_on(io.BytesIO(b"abc" + data)),
    "temporary": lambda data, _: temporary(data),
    "named temporary": lambda data, folder: _named(data),
    "behind": behind,
    "unbuffered": lambda data, folder: (_write(folder, data)).open("rb", buffering=0),
    "to be written as well": lambda data, folder: (_write(folder, data)).open("r+b"),
    "pipe": lambda data, _: piped(data),
    "unbuffered pipe": lambda data, _: piped(data, 0),
    "process": lambda data, folder: printed(data, folder),
    "not seekable": lambda data, _: io.BufferedReader(Trickle(data)),
    "gzip": zipped,
    "PathLike": lambda data, folder: _write(folder, data),
}


def _read_on(stream: io.BytesIO) -> io.BytesIO:
    stream.read(3)
    return stream


def _write(folder: Path, data: bytes) -> Path:
    (folder / "written").write_bytes(data)
    return folder / "written"


def _named(data: bytes) -> Any:
    file = tempfile.NamedTemporaryFile()  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return file


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["ct_explicit.dcm", "mr_implicit.dcm", "us_rle.dcm", "ct_deflated.dcm"])
@pytest.mark.parametrize("only", [(), (IMPLICIT,)], ids=["as it is", "implicit"])
def test_each_kind_arrives_as_a_file_would(
    kind: str, name: str, only: tuple[str, ...], scripted_peer: Script, data: Path, tmp_path: Path
) -> None:
    """The same bytes, converted or not, and nothing of it stays open."""
    path = data / "samples" / name
    before = descriptors()
    source: Source = KINDS[kind](path.read_bytes(), tmp_path)
    script = [accept(only=only) if only else accept(), store(), store(), release()]
    peer = scripted_peer(script)
    with dcmsend.send(at(peer), [str(path), source]) as report:
        assert report.complete, list(report.rows())
    if isinstance(source, io.IOBase) or hasattr(source, "close"):
        source.close()
    del source
    peer.stop()
    assert descriptors() <= before
    first, second = (message.dataset for message in peer.messages)
    assert first == second
    if not only:
        assert first == part10.dataset(path)


def test_data_sets_arrive_as_pydicom_would_save_them(storescp: Any, samples: list[Path], tmp_path: Path) -> None:
    server = storescp()
    paths = [path for path in samples if "jpeg" not in path.name and "deflated" not in path.name]
    sets = [dcmread(path) for path in paths]
    saved = []
    for number, one in enumerate(sets):
        dcmwrite(tmp_path / str(number), one)
        saved.append(part10.dataset(tmp_path / str(number)))
    with dcmsend.send(at(server), sets) as report:
        assert report.error is None
        rows = list(report.rows())
        assert all(outcome.stored for _, outcome in rows)
        assert [instance.path for instance, _ in rows] == [f"<data set {one.SOPInstanceUID}>" for one in sets]
        assert [instance.transfer_syntax for instance, _ in rows] == [one.file_meta.TransferSyntaxUID for one in sets]
    assert sorted(each for kept in server.stored().values() for each in kept) == sorted(saved)


def test_a_data_set_without_meta_information(scripted_peer: Script) -> None:
    """Explicit little endian, or what it was read as; the caller's own object is left as it is."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID, made.PatientName = CT, "1.2.3", "A^B"
    peer = scripted_peer([accept(), store(), release()])
    with dcmsend.send(at(peer), [made]) as report:
        ((instance, outcome),) = report.rows()
    assert (instance.transfer_syntax, outcome.stored) == ("1.2.840.10008.1.2.1", True)
    assert not hasattr(made, "file_meta")


@pytest.mark.parametrize("broken", ["no UIDs", "a value that cannot be written"])
def test_a_data_set_that_cannot_be_sent_is_a_refusal(broken: str) -> None:
    made = Dataset()
    if broken != "no UIDs":
        made.SOPClassUID, made.SOPInstanceUID = CT, "1.2.3"
        with pytest.warns(UserWarning, match="cannot be assigned"):
            made.add_new(0x00280010, "US", "no number")
    events: list[object] = []
    dcmsend.send(Peer(host="127.0.0.1", port=1), [made], listener=events.append).close()
    (refusal,) = [event for event in events if isinstance(event, Refusal)]
    assert "pydicom cannot write it" in str(refusal.reason)
    assert "\n" not in str(refusal.reason)


@pytest.mark.parametrize(
    ("source", "name", "left_out"),
    [
        (b"not DICOM", "<bytes 2>", False),
        (b"", "<bytes 2>", True),
        (bytearray(200), "<bytes 2>", False),
        (io.BytesIO(b"x"), "<file 2>", False),
        (build(CT, "1.2.x"), "<bytes 2>", True),
    ],
)
def test_what_is_invalid_is_a_refusal(source: Source, name: str, left_out: bool, scripted_peer: Script) -> None:
    """An empty one was meant to be something."""
    events: list[object] = []
    peer = scripted_peer([accept(), store(), release()])
    sources = [build(CT, "1.2.3.1"), source]
    with dcmsend.send(at(peer), sources, policy=Policy(halt=False), listener=events.append) as report:
        totals = report.totals
        assert (totals.stored, totals.left_out, totals.no_dicom) == (1, left_out, not left_out)
        assert report.complete is not left_out
    assert [event.path for event in events if isinstance(event, Refusal)] == [name]


def test_file_objects_have_their_names(scripted_peer: Script, tmp_path: Path) -> None:
    paths = [tmp_path / "a.dcm", tmp_path / "b\n.dcm"]
    for number, path in enumerate(paths):
        path.write_bytes(build(CT, f"1.2.3.{number}"))
    peer = scripted_peer([accept(), *[store()] * 4, release()])
    first, again, second = paths[0].open("rb"), paths[0].open("rb"), paths[1].open("rb")
    with first, again, second, dcmsend.send(at(peer), [str(paths[0]), first, again, second]) as report:
        names = [instance.path for instance, _ in report.rows()]
    assert names == [str(paths[0]), f"<file {paths[0]}>", f"<file {paths[0]} (2)>", f"<file {paths[1]}>"]


def test_a_file_of_the_name_of_a_source_is_not_taken_for_it(
    scripted_peer: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("<bytes 1>").write_bytes(build(CT, "1.2.3.1"))
    peer = scripted_peer([accept(), store(), store(), release()])
    with dcmsend.send(at(peer), [build(CT, "1.2.3.2"), "<bytes 1>"]) as report:
        assert [instance.path for instance, _ in report.rows()] == ["<bytes 1 (2)>", "<bytes 1>"]
    assert [message.sop_instance for message in peer.messages] == ["1.2.3.2", "1.2.3.1"]


def test_a_file_object_may_be_closed_when_it_was_asked_for(scripted_peer: Script, tmp_path: Path) -> None:
    path = _write(tmp_path, build(CT, "1.2.3.1", value=bytes(100_000)))

    def sources() -> Iterator[IO[bytes]]:
        with path.open("rb") as file:
            yield file
        path.unlink()

    peer = scripted_peer([accept(), store(), release()])
    with dcmsend.send(at(peer), sources()) as report:
        assert report.complete


def test_a_file_that_changes_is_not_sent_half(scripted_peer: Script, tmp_path: Path) -> None:
    path = _write(tmp_path, build(CT, "1.2.3.1", value=bytes(100_000)))
    peer = scripted_peer([accept(), release()])

    def listener(event: object) -> None:
        if isinstance(event, dcmsend.InstanceStarted):
            os.truncate(path, 1000)

    with path.open("rb") as file, dcmsend.send(at(peer), [file], listener=listener) as report:
        ((_, outcome),) = report.rows()
        assert str(outcome.reason) in (
            "the file changed while it was being sent",
            "the file became shorter while it was being sent",
        )


def test_a_long_stream_goes_to_a_file(scripted_peer: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "SPOOL_LIMIT", 1000)
    content = build(CT, "1.2.3.1", value=os.urandom(50_000))
    before = descriptors()
    peer = scripted_peer([accept(), store(), release()])
    with dcmsend.send(at(peer), [io.BufferedReader(Trickle(content))]) as report:
        assert report.complete
    assert peer.messages[0].dataset == part10.split(content)[1]
    peer.stop()
    assert descriptors() <= before


@pytest.mark.parametrize("source", [3, None, object(), io.StringIO("x"), ["a"]])
def test_what_is_nothing_that_can_be_sent_is_told_with_its_place(source: Any) -> None:
    kind = type(source).__name__
    with pytest.raises(TypeError, match=f"^source 1 is of type {kind}, which cannot be sent"):
        dcmsend.send(Peer(host="127.0.0.1", port=1), [source])


@pytest.mark.parametrize("sources", ["x.dcm", b"x", bytearray(b"x"), memoryview(b"x")])
def test_a_single_source_is_not_taken_for_many(sources: Any) -> None:
    with pytest.raises(TypeError, match="for a single source give a list of one"):
        dcmsend.send(Peer(host="127.0.0.1", port=1), sources)


def test_errors_of_the_iterable_are_the_callers(scripted_peer: Script) -> None:
    def sources() -> Iterator[bytes]:
        yield build(CT, "1.2.3.1")
        raise LookupError("my own")

    before = descriptors()
    with pytest.raises(LookupError, match="my own"):
        dcmsend.send(Peer(host="127.0.0.1", port=1), sources())
    assert descriptors() == before


class Content(bytearray):
    """Bytes that can be watched."""


@pytest.mark.parametrize("associations", [1, 4])
def test_a_generator_of_many_does_not_fill_the_memory(
    associations: int, pynetdicom_scp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 600 only some are there at a time, and all are stored."""
    monkeypatch.setattr(given, "MAX_SOURCES", 20)
    server = pynetdicom_scp()
    held: list[int] = []
    keep = given.Given.take

    def take(self: given.Given, source: object, number: int) -> Iterator[Any]:
        yield from keep(self, source, number)
        held.append(len(self._kept))

    monkeypatch.setattr(given.Given, "take", take)
    sources = (build(CT, f"1.2.3.{number}") for number in range(600))
    with dcmsend.send(at(server), sources, limits=Limits(associations=associations)) as report:
        assert report.totals.stored == 600
    assert max(held) <= 20
    assert len(server.stored()) == 600


@pytest.mark.parametrize(("name", "value"), [("MAX_BYTES", 5000), ("MAX_FILES", 3)])
def test_bounds_on_what_is_kept(
    name: str, value: int, scripted_peer: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(given, name, value)
    content = build(CT, "1.2.3.1", value=bytes(2000))
    most = 3

    def sources() -> Iterator[Source]:
        for number in range(30):
            if name == "MAX_BYTES":
                yield content
            else:
                with temporary(content) as file:
                    yield file
            assert len(kept) <= most, number

    kept: dict[str, Any] = {}
    made = given.Given.__init__

    def init(self: given.Given, *words: Any, **named: Any) -> None:
        made(self, *words, **named)
        self._kept = kept

    monkeypatch.setattr(given.Given, "__init__", init)
    peer = scripted_peer([accept(), *[store()] * 30, release()])
    with dcmsend.send(at(peer), sources()) as report:
        assert report.totals.stored == 30
    assert not kept


@pytest.mark.parametrize("policy", [Policy(scan_first=True), Policy(multiple_associations=False)])
def test_where_all_input_comes_first_all_of_it_is_kept(
    policy: Policy, scripted_peer: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given, "MAX_SOURCES", 2)
    peer = scripted_peer([accept(), *[store()] * 5, release()])
    sources = [build(CT, f"1.2.3.{number}") for number in range(5)]
    with dcmsend.send(at(peer), sources, policy=policy) as report:
        assert report.totals.stored == 5


@pytest.mark.parametrize("associations", [1, 2])
def test_what_is_tried_again_is_kept_and_holds_up_nothing(
    associations: int, pynetdicom_scp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More are set aside at first than may be kept."""
    monkeypatch.setattr(given, "MAX_SOURCES", 3)
    monkeypatch.setattr("dcmsend.transfer.crew.PATIENCE", 0.05)
    server = pynetdicom_scp(statuses=[*[0xA700] * 6, 0])
    sources = (build(CT, f"1.2.3.{number}") for number in range(10))
    with dcmsend.send(
        at(server),
        sources,
        policy=Policy(halt=False),
        retries=Retries(count=9, delay=0),
        limits=Limits(associations=associations),
    ) as report:
        assert report.totals.stored == 10
        assert report.error is None


def test_of_several_sop_classes_with_a_bound(scripted_peer: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept may all be for another association than the one that is open."""
    monkeypatch.setattr(given, "MAX_SOURCES", 2)
    monkeypatch.setattr("dcmsend.api.FIRST_LOOK", 1)
    mr = "1.2.840.10008.5.1.4.1.1.4"
    peer = scripted_peer([accept(), store(), release()], [accept(), *[store()] * 4, release()])
    sources = [build(CT, "1.2.3.1"), *(build(mr, f"1.2.4.{number}") for number in range(4))]
    with dcmsend.send(at(peer), sources) as report:
        assert report.totals.stored == 5


def test_data_sets_are_let_go(scripted_peer: Script) -> None:
    alive: list[weakref.ref[Dataset]] = []

    def sources() -> Iterator[Dataset]:
        for number in range(5):
            made = Dataset()
            made.SOPClassUID, made.SOPInstanceUID = CT, f"1.2.3.{number}"
            alive.append(weakref.ref(made))
            yield made

    peer = scripted_peer([accept(), *[store()] * 5, release()])
    dcmsend.send(at(peer), sources()).close()
    gc.collect()
    assert [one() for one in alive] == [None] * 5


def made(**attributes: Any) -> Dataset:
    source = Dataset()
    source.SOPClassUID, source.SOPInstanceUID = CT, "1.2.3.4"
    for name, value in attributes.items():
        setattr(source, name, value)
    return source


LOST: Final = "it has text that its character set does not have"


@pytest.mark.parametrize(
    ("attributes", "character_set"),
    [
        ({"PatientName": "山田^太郎"}, "ISO_IR 6"),
        ({"PatientName": "山田^太郎", "SpecificCharacterSet": "ISO_IR 100"}, "ISO_IR 100"),
        ({"StudyDescription": "山"}, "ISO_IR 6"),
        ({"OtherPatientNames": ["a", "山"]}, "ISO_IR 6"),
        ({"RequestAttributesSequence": [made(RequestedProcedureDescription="山")]}, "ISO_IR 6"),
    ],
)
def test_text_that_its_character_set_cannot_hold_is_not_sent_as_question_marks(
    attributes: dict[str, Any], character_set: str
) -> None:
    with dcmsend.send(Peer(host="127.0.0.1", port=1), [made(**attributes)], policy=Policy(halt=False)) as report:
        (refusal,) = report.refusals()
    assert refusal.reason == because("text_not_in_character_set", character_set=character_set)
    assert "ISO_IR 192" in refusal.reason.hint()


def test_text_that_its_character_set_holds_is_sent(scripted_peer: Script) -> None:
    peer = scripted_peer([accept(), store(), store(), release()])
    sources = [
        made(PatientName="Müller^Jürgen", SpecificCharacterSet="ISO_IR 100"),
        made(PatientName="山田^太郎", SpecificCharacterSet="ISO_IR 192"),
    ]
    with dcmsend.send(at(peer), sources) as report:
        assert report.complete
    first, second = (message.dataset or b"" for message in peer.messages)
    assert "Müller".encode("latin-1") in first
    assert "山田".encode() in second


def test_an_image_without_pixels_is_told_and_sent(scripted_peer: Script) -> None:
    """As somebody sends it who has read it without them."""
    peer = scripted_peer([accept(), store(), store(), release()])
    image = {"Rows": 2, "Columns": 2, "BitsAllocated": 8}
    told: list[str] = []

    def listener(event: object) -> None:
        if isinstance(event, dcmsend.Notice):
            told.append(event.text)

    sources = [made(**image), made(**image, PixelData=b"abcd", PixelRepresentation=0, SamplesPerPixel=1)]
    with dcmsend.send(at(peer), sources, listener=listener) as report:
        assert report.totals.stored == 2
    assert [text for text in told if "pixel data" in text] == [
        "<data set 1.2.3.4>: it describes an image, and has no pixel data"
    ]


def test_standard_input_and_a_name_that_no_file_can_have(scripted_peer: Script, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(build(CT, "1.2.3.1"))
    peer = scripted_peer([accept(), store(), release()])
    code = (
        "import dcmsend, sys\n"
        f"with dcmsend.send(dcmsend.Peer(host='127.0.0.1', port={peer.port}), [sys.stdin.buffer]) as report:\n"
        "    print([instance.path for instance, _ in report.rows()], report.complete)"
    )
    command = ["sh", "-c", 'cat x | "$0" -c "$1"', sys.executable, code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "['<file <stdin>>'] True\n"
    stream = io.BytesIO(build(CT, "1.2.3.1"))
    stream.name = "\ud800"
    assert given._name(stream, 3) == "file 3"


def test_a_file_object_that_does_not_wait(tmp_path: Path) -> None:
    end, other = os.pipe()
    os.set_blocking(end, False)
    peer, policy = Peer(host="127.0.0.1", port=1), Policy(halt=False)
    with (
        os.fdopen(end, "rb", 0) as stream,
        os.fdopen(other, "wb"),
        dcmsend.send(peer, [stream], policy=policy) as report,
    ):
        (refusal,) = report.refusals()
    assert refusal.reason == because("source_not_ready")


def test_pydicom_is_not_imported_for_others(run_python: Callable[[str], str]) -> None:
    code = (
        "import dcmsend, sys; dcmsend.send(dcmsend.Peer(host='127.0.0.1', port=1), [b'x']);"
        " print('pydicom' in sys.modules)"
    )
    assert run_python(code) == "False\n"


@pytest.fixture
def run_python() -> Callable[[str], str]:
    def run(code: str) -> str:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    return run


def test_bare_data_sets_in_memory(scripted_peer: Script) -> None:
    _, bare = part10.split(build(CT, "1.2.3.1"))
    peer = scripted_peer([accept(), store(), release()])
    with dcmsend.send(at(peer), [bare], scan=ScanOptions(read_mode=ReadMode.DATASET_ONLY)) as report:
        assert report.complete
    assert peer.messages[0].dataset == bare


def test_a_journal_knows_what_is_the_same(scripted_peer: Script, tmp_path: Path) -> None:
    """By name, size and checksum; what is not in memory is sent again."""
    journal = JournalFile(path=str(tmp_path / "journal"))
    first, second, other = (build(CT, f"1.2.3.{number}") for number in range(3))
    peer = scripted_peer([accept(), store(), store(), release()])
    with dcmsend.send(at(peer), [first, second], journal=journal) as report:
        assert report.complete
    again = scripted_peer([accept(), store(), release()])
    with dcmsend.send(at(again), [first, other], journal=JournalFile(path=journal.path, any_peer=True)) as report:
        assert (report.totals.stored, report.totals.earlier) == (2, 1)
    assert [message.sop_instance for message in again.messages] == ["1.2.3.2"]


def test_only_one_connection_is_lost_to_a_broken_association(scripted_peer: Script) -> None:
    """What is in memory goes out over the next one."""
    peer = scripted_peer([accept(), expect_message(), close()], [accept(), store(), store(), release()])
    sources = [build(CT, f"1.2.3.{number}") for number in range(2)]
    with dcmsend.send(at(peer), sources, retries=Retries(count=1, delay=0)) as report:
        assert report.complete


def test_mixed(scripted_peer: Script, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(build(CT, "1.2.3.1"))
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = CT, "1.2.3.4"
    sources: list[Source] = [
        tmp_path / "folder",
        str(_write(tmp_path, build(CT, "1.2.3.2"))),
        build(CT, "1.2.3.3"),
        made,
    ]
    peer = scripted_peer([accept(), *[store()] * 4, release()])
    with dcmsend.send(at(peer), sources, scan=ScanOptions(directories=True)) as report:
        assert report.complete
    assert [message.sop_instance for message in peer.messages] == [f"1.2.3.{number}" for number in range(1, 5)]
