"""Decoding before the turn: the order stays, the look-ahead is bounded, errors wait, and nothing is left behind."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import pytest

import dcmsend
from dcmsend.errors import FileError, Interrupted
from dcmsend.events import Event, InstanceFinished
from dcmsend.model import Decompression, Instance, Policy, State
from dcmsend.payload.opening import PayloadOpener
from dcmsend.payload.payload import Payload
from dcmsend.payload.pieces import Spool
from dcmsend.plan import Routes, Wishes, answered, pack
from dcmsend.reasons import NONE
from dcmsend.stop import Stop
from dcmsend.transfer.ahead import Ahead, Opening
from tests.support.builder import element, part10
from tests.support.scripted import ScriptedPeer, accept, close, drain, expect_message, release, store

if TYPE_CHECKING:
    from dcmsend.payload.opening import Ways
    from dcmsend.transfer.ahead import Entry

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
LEI: Final = "1.2.840.10008.1.2"
LEE: Final = "1.2.840.10008.1.2.1"
UNCOMPRESSED_FRAMES: Final = "1.2.840.10008.1.2.1.98"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
BASELINE: Final = "1.2.840.10008.1.2.4.50"
RLE: Final = "1.2.840.10008.1.2.5"
THREADS: Final = 2
LONGEST_LOOK: Final = 64
LIMIT: Final = 20.0  # seconds that a thread of a test may wait

Peer = Callable[..., ScriptedPeer]


def routes(*accepted: str) -> Routes:
    """An association on which all that is not lossy may be converted, to what the peer accepts."""
    wishes = Wishes(Policy(), Decompression.LOSSLESS, lambda syntax: NONE)
    (group,) = pack([(CT, syntax) for syntax in (RLE, BASELINE, DEFLATED, LEE)], wishes)
    found = {context.context_id: [s for s in context.transfer_syntaxes if s in accepted] for context in group.contexts}
    results = [(number, 0 if syntaxes else 4, "".join(syntaxes[:1])) for number, syntaxes in found.items()]
    return Routes(answered(group.contexts, results), wishes)


NATIVE_ONLY: Final = routes(LEE)


def entries(syntaxes: Iterable[str]) -> list[Entry]:
    return [(n, Instance(f"{n}.dcm", CT, f"1.2.{n}", syntax)) for n, syntax in enumerate(syntaxes, 1)]


class Opened:
    """What stands for a payload here."""

    def __init__(self, instance: Instance, target: str) -> None:
        self.instance = instance
        self.target = target
        self.thread = threading.current_thread()
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class FakeOpener:
    """Opens what it is asked for; ``before`` is called in the thread that does it, and may wait or raise."""

    def __init__(self, before: Callable[[Instance], None] = lambda instance: None) -> None:
        self.opened: list[Opened] = []
        self._before = before

    def open(self, instance: Instance, target: str, _ways: object = None) -> Payload:
        self._before(instance)
        self.opened.append(Opened(instance, target))
        return cast("Payload", self.opened[-1])


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: THREADS)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = {thread for thread in threading.enumerate() if "Pool" in thread.name} - before
    assert not left


def take(opening: Opening) -> Opened:
    assert opening.payload is not None
    return cast("Opened", opening.payload())


class Pulled:
    """Entries, and how many of them were asked for."""

    def __init__(self, found: list[Entry]) -> None:
        self.count = 0
        self._entries = iter(found)

    def take(self) -> Entry | None:
        entry = next(self._entries, None)
        self.count += entry is not None
        return entry


def ahead_of(opener: FakeOpener, found: list[Entry], ways: Routes = NATIVE_ONLY) -> Ahead:
    return Ahead(opener, Pulled(found).take, ways)


def openings(ahead: Ahead) -> Iterator[Opening]:
    while (opening := ahead.next()) is not None:
        yield opening


MIXED: Final = (LEE, RLE, BASELINE, RLE, DEFLATED, RLE, LEE, LEE, RLE, BASELINE)


def test_the_order_stays_whatever_is_decoded_first() -> None:
    """The first decoding ends only after the second one has."""
    second = threading.Event()

    def wait(instance: Instance) -> None:
        if instance.path == "2.dcm":
            assert second.wait(LIMIT)
        elif instance.path == "4.dcm":
            second.set()

    ahead = ahead_of(FakeOpener(wait), entries(MIXED))
    found = []
    for number, instance, payload in openings(ahead):
        found.append((number, instance.transfer_syntax))
        if payload is None:
            assert instance.transfer_syntax == BASELINE
        else:
            opened = cast("Opened", payload())
            assert (opened.instance, opened.target) == (instance, LEE)
    ahead.close()
    assert found == list(enumerate(MIXED, 1))


@pytest.mark.parametrize(
    ("accepted", "syntaxes"),
    [
        ((LEE,), [LEE] * 5),
        ((LEI,), [LEE] * 5),
        ((RLE, BASELINE), [RLE, BASELINE] * 3),
        ((DEFLATED,), [DEFLATED, LEE] * 3),
        ((LEE,), [DEFLATED, LEE] * 3),
        ((), [RLE, LEE] * 3),
        ((LEE,), [BASELINE] * 5),
    ],
    ids=["as it is", "recoded", "compressed as it is", "deflated", "inflated", "no way", "must not be decoded"],
)
def test_without_decoding_everything_is_opened_at_its_turn_and_in_this_thread(
    accepted: tuple[str, ...], syntaxes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = FakeOpener()
    monkeypatch.setattr(threading.Thread, "start", pytest.fail)
    pulled = Pulled(entries(syntaxes))
    ahead = Ahead(opener, pulled.take, routes(*accepted))
    for count, opening in enumerate(openings(ahead), 1):
        assert pulled.count == count
        if opening.payload is not None:
            already = len(opener.opened)
            assert take(opening).thread is threading.current_thread()
            assert len(opener.opened) == already + 1
    ahead.close()


@pytest.mark.parametrize(
    ("syntaxes", "pulled"),
    [
        # all that has been asked for when the n-th opening comes
        ([RLE] * 6, [3, 4, 5, 6, 6, 6]),
        ([LEE, LEE, RLE, RLE, RLE, RLE], [1, 2, 5, 6, 6, 6]),
        ([RLE, BASELINE, RLE, LEE, RLE, RLE], [5, 6, 6, 6, 6, 6]),
        ([RLE, *[LEE] * 100], [*[LONGEST_LOOK + 1] * (LONGEST_LOOK + 1), *range(LONGEST_LOOK + 2, 102)]),
    ],
    ids=["all", "after native ones", "among others", "the only one"],
)
def test_the_look_ahead_is_bounded(syntaxes: list[str], pulled: list[int]) -> None:
    """No more instances are decoded before their turn than there are threads."""
    source = Pulled(entries(syntaxes))
    opener = FakeOpener()
    ahead = Ahead(opener, source.take, NATIVE_ONLY)
    seen = []
    taken = 0
    for opening in openings(ahead):
        seen.append(source.count)
        if opening.payload is not None and opening.instance.transfer_syntax == RLE:
            assert sum(opened.instance.transfer_syntax == RLE for opened in opener.opened) <= taken + 1 + THREADS
            take(opening)
            taken += 1
    ahead.close()
    assert seen == pulled


def test_an_error_waits_for_its_turn_and_spoils_no_other() -> None:
    def refuse(instance: Instance) -> None:
        if instance.path in ("2.dcm", "4.dcm"):
            raise FileError(f"{instance.path} is broken")

    ahead = ahead_of(FakeOpener(refuse), entries([RLE, RLE, LEE, LEE, RLE]))
    found = []
    for opening in openings(ahead):
        try:
            found.append(take(opening).instance.path)
        except FileError as error:
            found.append(str(error.reason))
    ahead.close()
    assert found == ["1.dcm", "2.dcm is broken", "3.dcm", "4.dcm is broken", "5.dcm"]


def test_closing_closes_what_nobody_asked_for() -> None:
    done = threading.Barrier(THREADS + 1)

    def meet(instance: Instance) -> None:
        if instance.path != "1.dcm":
            done.wait(LIMIT)

    opener = FakeOpener(meet)
    ahead = ahead_of(opener, entries([RLE] * 9))
    first = take(next(openings(ahead)))
    done.wait(LIMIT)  # two more are, or will be, open
    assert ahead.close() == entries([RLE] * 9)[2:0:-1]  # what nobody has seen, the last one first
    assert {opened.instance.path: opened.closed for opened in opener.opened} == {"1.dcm": 0, "2.dcm": 1, "3.dcm": 1}
    assert not first.closed  # it belongs to who asked for it
    ahead.close()
    assert [opened.closed for opened in opener.opened if opened is not first] == [1, 1]


def test_closing_drops_what_was_not_begun_and_errors_that_nobody_sees() -> None:
    may_end = threading.Event()
    began: list[str] = []

    def wait(instance: Instance) -> None:
        began.append(instance.path)
        assert may_end.wait(LIMIT)
        raise FileError("broken")

    opener = FakeOpener(wait)
    ahead = ahead_of(opener, entries([RLE] * 9))
    next(openings(ahead))
    threading.Timer(0, may_end.set).start()
    ahead.close()
    assert set(began) <= {"1.dcm", "2.dcm", "3.dcm"}
    assert opener.opened == []


def test_there_are_at_most_four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    source = Pulled(entries([RLE] * 20))
    ahead = Ahead(FakeOpener(), source.take, NATIVE_ONLY)
    take(next(openings(ahead)))
    assert source.count == 5
    ahead.close()


@pytest.mark.parametrize("count", [None, 1])
def test_one_thread_decodes_one_ahead(count: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    source = Pulled(entries([RLE] * 5))
    opener = FakeOpener()
    ahead = Ahead(opener, source.take, NATIVE_ONLY)
    pulled = []
    for opening in openings(ahead):
        pulled.append(source.count)
        assert take(opening).thread is not threading.current_thread()
    ahead.close()
    assert pulled == [2, 3, 4, 5, 5]
    assert len({opened.thread for opened in opener.opened}) == 1


# --- with associations


def encapsulated(number: int) -> bytes:
    """A file with an image of 2 by 2 bytes, encapsulated and not compressed (PS3.5 A.4), which needs no library."""
    fragments = struct.pack("<HHI", 0xFFFE, 0xE000, 0) + struct.pack("<HHI", 0xFFFE, 0xE000, 4) + bytes([number] * 4)
    sequence_end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    numbers = {0x00280010: 2, 0x00280011: 2, 0x00280100: 8, 0x00280101: 8, 0x00280102: 7, 0x00280103: 0}
    data_set = (
        element(0x00080016, "UI", CT.encode())
        + element(0x00080018, "UI", f"1.2.3.{number}".encode())
        + element(0x00280002, "US", struct.pack("<H", 1))
        + element(0x00280004, "CS", b"MONOCHROME2 ")
        + b"".join(element(tag, "US", struct.pack("<H", value)) for tag, value in numbers.items())
        + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
        + fragments
        + sequence_end
    )
    return part10(CT, f"1.2.3.{number}", transfer_syntax=UNCOMPRESSED_FRAMES, data_set=data_set)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{number}.dcm" for number in range(1, 9)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(encapsulated(number))
    return [str(path) for path in paths]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Payload]]:
    """All payloads of real runs: those that were opened, and those that were closed, in order."""
    seen: dict[str, list[Payload]] = {"opened": [], "closed": []}
    plain_open, plain_close = PayloadOpener.open, Payload.close

    def open_it(self: PayloadOpener, instance: Instance, target: str, ways: Ways) -> Payload:
        payload = plain_open(self, instance, target, ways)
        seen["opened"].append(payload)
        return payload

    def close_it(self: Payload) -> None:
        seen["closed"].append(self)
        plain_close(self)

    monkeypatch.setattr(PayloadOpener, "open", open_it)
    monkeypatch.setattr(Payload, "close", close_it)
    return seen


ACCEPT: Final = accept(results={1: 4})  # not as it is, but explicit


def all_closed(opened: dict[str, list[Payload]]) -> bool:
    return bool(opened["opened"]) and {*map(id, opened["opened"])} == {*map(id, opened["closed"])}


def test_what_is_decoded_ahead_is_sent_in_order(
    scripted_peer: Peer, files: list[str], opened: dict[str, list[Payload]]
) -> None:
    peer = scripted_peer([ACCEPT, *[store()] * 8, release()])
    with dcmsend.send(dcmsend.Peer(host="127.0.0.1", port=peer.port), files) as report:
        assert report.complete
        assert [outcome.network_syntax for _, outcome in report.rows()] == [LEE] * 8
    assert [message.sop_instance for message in peer.messages] == [f"1.2.3.{number}" for number in range(1, 9)]
    assert [(message.dataset or b"")[-4:] for message in peer.messages] == [bytes([n] * 4) for n in range(1, 9)]
    assert all_closed(opened)


@pytest.mark.parametrize("halt", [True, False])
def test_payloads_of_a_broken_association_are_closed(
    halt: bool, scripted_peer: Peer, files: list[str], opened: dict[str, list[Payload]]
) -> None:
    broken = [ACCEPT, store(), expect_message(), close()]
    peer = scripted_peer(*([broken] if halt else [broken, [ACCEPT, *[store()] * 6, release()]]))
    target = dcmsend.Peer(host="127.0.0.1", port=peer.port)
    with dcmsend.send(target, files, policy=Policy(halt=halt)) as report:
        rest = State.PENDING if halt else State.ANSWERED
        assert [outcome.state for _, outcome in report.rows()] == [State.ANSWERED, State.FAILED, *[rest] * 6]
    assert all_closed(opened)


def test_a_file_that_cannot_be_decoded_fails_at_its_turn(
    scripted_peer: Peer, files: list[str], opened: dict[str, list[Payload]]
) -> None:
    broken = Path(files[2])
    broken.write_bytes(encapsulated(3).replace(struct.pack("<HHI", 0xFFFE, 0xE000, 4), b"\xfe\xff\x00\xe0\x06\0\0\0"))
    peer = scripted_peer([ACCEPT, *[store()] * 7, release()])
    target = dcmsend.Peer(host="127.0.0.1", port=peer.port)
    finished: list[int] = []

    def listener(event: Event) -> None:
        if isinstance(event, InstanceFinished):
            finished.append(event.outcome.number)

    with dcmsend.send(target, files, policy=Policy(halt=False), listener=listener) as report:
        states = [outcome.state for _, outcome in report.rows()]
    assert states == [*[State.ANSWERED] * 2, State.FAILED, *[State.ANSWERED] * 5]
    assert sorted(finished) == list(range(1, 9))
    assert all_closed(opened)


@pytest.mark.parametrize("requests", [1, 2])
def test_after_a_request_to_stop_nothing_is_left_open(
    requests: int, scripted_peer: Peer, files: list[str], opened: dict[str, list[Payload]]
) -> None:
    stop = Stop()
    ends = [release()] if requests == 1 else [drain()]
    peer = scripted_peer([ACCEPT, store(), *ends])

    def listener(event: Event) -> None:
        if isinstance(event, InstanceFinished) and event.outcome.number == 1:
            for _ in range(requests):
                stop.request()

    target = dcmsend.Peer(host="127.0.0.1", port=peer.port)
    with dcmsend.send(target, files, listener=listener, stop=stop) as report:
        assert [outcome.state for _, outcome in report.rows()] == [State.ANSWERED, *[State.PENDING] * 7]
    assert all_closed(opened)


def test_an_error_of_the_listener_leaves_nothing_open(
    scripted_peer: Peer, files: list[str], opened: dict[str, list[Payload]]
) -> None:
    peer = scripted_peer([ACCEPT, store(), drain()])

    def listener(event: Event) -> None:
        if isinstance(event, InstanceFinished):
            raise LookupError("the listener's own")

    with pytest.raises(LookupError, match="the listener's own"):
        dcmsend.send(dcmsend.Peer(host="127.0.0.1", port=peer.port), files, listener=listener)
    assert all_closed(opened)


def test_what_is_given_up_while_it_is_decoded_was_not_tried(
    scripted_peer: Peer, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user aborts while the first instance is decoded: that is no failure of the instance, and ends the run."""
    stop = Stop()
    write = Spool.write

    def writes(spool: Spool, data: bytes | bytearray | memoryview) -> None:
        stop.request()
        stop.request()
        write(spool, data)

    monkeypatch.setattr(Spool, "write", writes)
    monkeypatch.setattr(Spool, "take", writes)
    peer = scripted_peer([ACCEPT, drain()])
    target = dcmsend.Peer(host="127.0.0.1", port=peer.port)
    with dcmsend.send(target, files, stop=stop) as report:
        assert isinstance(report.error, Interrupted)
        outcomes = [outcome for _, outcome in report.rows()]
    assert {outcome.state for outcome in outcomes} == {State.PENDING}
    assert {str(outcome.reason) for outcome in outcomes} == {"not tried: the run ended before (stopped by the user)"}
