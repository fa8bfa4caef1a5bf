"""A run leaves nothing to the garbage collector: not what it sent, nor what it knew, however it went.

What hangs on a reference cycle stays for nobody knows how long, and a run may be one of many in a long process. Each
case is done twice; with the collector off, nothing of ours is left of the second.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

import dcmsend
from dcmsend import Conversion, Decompression, JournalFile, Limits, Peer, Policy, Retries, ScanOptions, Stop, Timeouts
from dcmsend.errors import NetworkError
from tests.support import pdus
from tests.support.builder import part10
from tests.support.cycles import assert_no_cycles
from tests.support.repeating import RepeatingPeer, serve
from tests.support.scripted import Step, accept, close, drain, expect_message, reject, reset, send, store

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
GO_ON: Final = Policy(halt=False)
TIMES: Final = Timeouts(connect=10, acse=10, dimse=10, socket=10)
FOLDERS: Final = ScanOptions(directories=True, recurse=True)
AGAIN: Final = Retries(count=1, delay=0)
COUNT: Final = 6


def to(peer: RepeatingPeer) -> Peer:
    return Peer(host="127.0.0.1", port=peer.port)


def instance(number: int) -> bytes:
    return part10(CT, f"1.2.3.{number}", value=bytes(3000))


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    """What is sent: instances, damaged files, other files, an archive of each kind."""
    found = tmp_path / "study"
    found.mkdir()
    for number in range(COUNT):
        (found / f"{number}.dcm").write_bytes(instance(number))
    (found / "cut.dcm").write_bytes(instance(50)[:-100])
    (found / "empty.dcm").write_bytes(b"")
    (found / "notes.txt").write_text("no DICOM\n")
    (found / "gone").symlink_to("nowhere")
    with zipfile.ZipFile(found / "some.zip", "w") as archive:
        archive.writestr("a/1.dcm", instance(60))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("2.dcm")
        member.size = len(instance(61))
        tar.addfile(member, io.BytesIO(instance(61)))
    (found / "some.tar.gz").write_bytes(packed.getvalue())
    (found / "cut.tar.gz").write_bytes(packed.getvalue()[:-60])
    return found


def sent(peer: RepeatingPeer, sources: Any, **settings: Any) -> None:
    """One run, and all that there is to ask of its report."""
    settings = {"policy": GO_ON, "scan": FOLDERS, "timeouts": TIMES} | settings
    with dcmsend.send(to(peer), sources, **settings) as report:
        list(report.rows())
        list(report.refusals())
        with suppress(dcmsend.FailuresError):
            report.raise_for_failures()


# --- what goes well, or mostly

WINDOW: Final = struct.pack(">BxHHH", 0x53, 4, 4, 4)  # PS3.7 D.3.3.3
RUNS: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "associations": {"limits": Limits(associations=3)},
    "window": {"limits": Limits(async_window=4)},
    "archives": {"scan": ScanOptions(directories=True, archives=True)},
    "retries": {"retries": AGAIN},
    "halted": {"policy": Policy()},
    "looked at first": {"policy": Policy(halt=False, scan_first=True)},
    "slow": {"limits": Limits(rate=10_000_000)},
}


@pytest.mark.parametrize("settings", RUNS.values(), ids=RUNS.keys())
@pytest.mark.parametrize("statuses", [(0,), (0, 0xA700, 0xC001)], ids=["stored", "refused"])
def test_runs(settings: dict[str, Any], statuses: tuple[int, ...], folder: Path) -> None:
    with RepeatingPeer([accept(user=WINDOW), serve(*statuses)]) as peer:
        assert_no_cycles(lambda: sent(peer, [str(folder)], **settings))


@pytest.mark.parametrize("accepted", [IMPLICIT, EXPLICIT])
def test_conversion_and_decoding(accepted: str, data: Path) -> None:
    """Each of the sample files, to a peer that takes one transfer syntax."""
    conversion = Conversion(decompression=Decompression.LOSSY)
    with RepeatingPeer([accept(only=[accepted]), serve()]) as peer:
        assert_no_cycles(lambda: sent(peer, [str(data / "samples")], conversion=conversion))


def test_a_journal(folder: Path, tmp_path: Path) -> None:
    journal = JournalFile(path=str(tmp_path / "journal"))
    with RepeatingPeer([accept(), serve(0, 0xA700)]) as peer:
        assert_no_cycles(lambda: sent(peer, [str(folder)], journal=journal))


@pytest.mark.parametrize("more", [[], ["missing.dcm"], [b"", b"no DICOM at all"]])
def test_sources_of_the_library(more: list[object], folder: Path) -> None:
    """Bytes, file objects, path objects, and a generator of them."""

    def sources() -> Iterator[object]:
        yield instance(70)
        yield io.BytesIO(instance(71))
        yield folder / "1.dcm"
        with (folder / "2.dcm").open("rb") as opened:
            yield opened
        yield from more

    with RepeatingPeer([accept(), serve()]) as peer:
        assert_no_cycles(lambda: sent(peer, sources()))


def test_a_run_that_is_left_in_the_middle(folder: Path) -> None:
    def leave() -> None:
        with dcmsend.sending(to(peer), [str(folder)], policy=GO_ON, scan=FOLDERS) as run:
            next(event for event in run if isinstance(event, dcmsend.InstanceStarted))

    with RepeatingPeer([accept(), serve()]) as peer:
        assert_no_cycles(leave)


def test_a_run_that_is_stopped(folder: Path) -> None:
    def stop() -> None:
        stop = Stop()

        def listen(event: object) -> None:
            if isinstance(event, dcmsend.InstanceStarted):
                stop.request()

        sent(peer, [str(folder)], stop=stop, listener=listen)

    with RepeatingPeer([accept(), serve()]) as peer:
        assert_no_cycles(stop)


def test_a_listener_and_a_source_that_raise(folder: Path) -> None:
    def raised(**settings: Any) -> None:
        with suppress(ZeroDivisionError):
            sent(peer, settings.pop("sources", [str(folder)]), **settings)

    def hear(event: object) -> None:
        if isinstance(event, dcmsend.InstanceFinished):
            raise ZeroDivisionError

    def sources() -> Iterator[str]:
        yield str(folder / "1.dcm")
        raise ZeroDivisionError

    with RepeatingPeer([accept(), serve()]) as peer:
        assert_no_cycles(lambda: raised(listener=hear))
        assert_no_cycles(lambda: raised(sources=sources()))


# --- without sending


@pytest.mark.parametrize("scan", [FOLDERS, ScanOptions(directories=True, archives=True)])
def test_looks(scan: ScanOptions, folder: Path) -> None:
    sources: list[str | bytes] = [str(folder), instance(80)]
    with RepeatingPeer([accept(), serve()]) as peer:
        assert_no_cycles(lambda: dcmsend.dry_run(to(peer), sources, scan=scan, policy=GO_ON))
        assert_no_cycles(lambda: dcmsend.probe(to(peer), sources, scan=scan, policy=GO_ON, timeouts=TIMES))
        assert_no_cycles(lambda: dcmsend.dry_run(to(peer), [], scan=scan))
        assert_no_cycles(lambda: dcmsend.echo(to(peer), timeouts=TIMES))


# --- peers that break

BROKEN: Final[dict[str, list[Step]]] = {
    "abort": [accept(), expect_message(), send(pdus.abort(0, 0)), drain()],
    "abort at once": [accept(), send(pdus.abort(2, 1)), drain()],
    "close": [accept(), expect_message(), close()],
    "close at once": [close()],
    "reset": [accept(), expect_message(), reset()],
    "reject": [reject(2, 3, 1)],
    "nothing accepted": [accept(result=3), serve()],
    "rubbish": [accept(), expect_message(), send(b"\x99" * 6), drain()],
    "another protocol": [send(b"HTTP/1.1 400 Bad\r\n"), drain()],
    "release": [accept(), store(), send(pdus.release_rq()), close()],
    "no answer to the release": [accept(), *[store()] * COUNT, close()],
}


@pytest.mark.parametrize("associations", [1, 3])
@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
def test_broken_associations(script: list[Step], associations: int, folder: Path) -> None:
    """Neither errors nor what they came through, with the buffers of an association."""
    settings = {"limits": Limits(associations=associations), "retries": AGAIN}
    with RepeatingPeer(script) as peer:
        assert_no_cycles(lambda: sent(peer, [str(folder)], **settings))


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
def test_broken_looks(script: list[Step], folder: Path) -> None:
    def ask() -> None:
        with suppress(NetworkError):
            dcmsend.echo(to(peer), timeouts=TIMES)

    with RepeatingPeer(script) as peer:
        assert_no_cycles(ask)
        assert_no_cycles(lambda: dcmsend.probe(to(peer), [str(folder)], scan=FOLDERS, policy=GO_ON, timeouts=TIMES))
