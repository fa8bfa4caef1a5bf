"""What hostile peers were found to do, each by itself: over a pair of sockets, whose other end is ours too."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest

from dcmsend.errors import AssociationAborted, ConnectionLost, FileError, LocalProtocolError, RemoteProtocolError
from dcmsend.events import AssociationEnded, InstanceFinished
from dcmsend.model import Instance, Limits, Outcome, State, Timeouts
from dcmsend.net import association as association_module
from dcmsend.net import stream as stream_module
from dcmsend.net.association import Association
from dcmsend.net.stream import Stream
from dcmsend.plan import Routes
from dcmsend.reasons import NONE, Reason
from dcmsend.stop import Stop
from dcmsend.transfer.retry import Attempts
from dcmsend.transfer.worker import Settings, Worker
from dcmsend.wire.command import C_STORE_RSP
from tests.files.encode import is_one_line
from tests.net.hostile import CALLED, CONTEXTS, WISHES
from tests.support import malformed, pdus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dcmsend.payload.payload import Payload
    from dcmsend.transfer.ahead import Entry

REFUSED, WARNING = 0xA700, 0xB000
PART = 16378  # bytes of a data set that leave at once here: a PDU


@pytest.fixture(autouse=True)
def one_pdu_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(association_module, "FRAMES_CAPACITY", PART)
    monkeypatch.setattr(stream_module, "_QUICKACK", None)  # which a pair of sockets does not have


@contextmanager
def asked(window: int = 1) -> Iterator[tuple[Association, socket.socket]]:
    """An association over a pair of sockets that has been asked for, and the other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield Association(Stream(ours, 10), Timeouts(acse=10, dimse=10), Limits(async_window=window), lambda: 0), theirs


@contextmanager
def established(window: int = 1) -> Iterator[tuple[Association, socket.socket]]:
    """The same, accepted."""
    with asked(window) as (association, theirs):
        theirs.send(pdus.associate_ac(malformed.REQUEST))
        association._negotiate(CALLED, CONTEXTS)
        drain(theirs)
        yield association, theirs


def drain(theirs: socket.socket) -> bytes:
    """Take all that has been sent."""
    received = bytearray()
    try:
        while data := theirs.recv(1 << 18):
            received += data
    except BlockingIOError:
        pass
    return bytes(received)


def response(message_id: int, status: int = 0, comment: bytes = b"") -> bytes:
    return pdus.p_data(1, malformed.response_set(message_id, status, comment=comment))


class Zeros:
    """A data set of zeros. Before each of its parts is made, ``speak`` is called with the number of the part."""

    sop_class, sop_instance, transfer_syntax = malformed.CT, "1.2.3", malformed.EXPLICIT
    original_syntax, file_size, doubt = malformed.EXPLICIT, 0, NONE
    notices = ()

    def __init__(self, length: int, speak: Callable[[int], None] = lambda _: None) -> None:
        self.length = self.dataset_size = length
        self._left = length
        self._part = 0
        self._speak = speak

    def fill(self, views: Sequence[memoryview]) -> int:
        self._speak(self._part)
        self._part += 1
        count = min(sum(map(len, views)), self._left)
        self._left -= count
        return count

    def close(self) -> None:
        pass


def hears(association: Association, theirs: socket.socket, said: bytes, *parts: int) -> Callable[[int], None]:
    """Have the peer say something before some parts of a data set, and be heard as if there were no room to send."""

    def speak(part: int) -> None:
        drain(theirs)
        if part in parts:
            theirs.send(said)
            association._hear(association._stream.receive_now())

    return speak


class TestResponses:
    def test_to_what_is_asked_later_answer_nothing(self) -> None:
        """One that lies there when the request goes out would look like the response to it."""
        with established() as (association, theirs):
            theirs.send(response(1))
            with pytest.raises(RemoteProtocolError, match="answered Message ID 1, which was not asked"):
                association.listen()
            assert association.closed

    def test_to_nothing_are_not_kept(self) -> None:
        """A peer that talks and talks and takes nothing ends the association with its first word."""
        with established() as (association, theirs):
            theirs.send(b"".join(response(number) for number in range(2, 500)))
            with pytest.raises(RemoteProtocolError, match="answered Message ID 2, which was not asked"):
                association.store(1, Zeros(1 << 20))
            assert len(association._events) == 1

    def test_to_a_request_are_expected_once(self) -> None:
        """Not again with each part of its data set."""
        with established() as (association, theirs):
            data_set = Zeros(9 * PART, hears(association, theirs, response(1, REFUSED), 2, 4))
            with pytest.raises(RemoteProtocolError, match="answered Message ID 1, which was not asked"):
                association.store(1, data_set)
            assert [found.status for found in association.heard()] == [REFUSED]

    @pytest.mark.parametrize(("status", "believed"), [(0, []), (WARNING, []), (REFUSED, [REFUSED])])
    def test_that_a_part_is_stored_are_not_believed(self, status: int, believed: list[int]) -> None:
        """The peer says so of an instance that it does not have whole, and aborts. A refusal may be true."""
        with established() as (association, theirs):
            said = response(1, status) + pdus.abort(0, 0)
            with pytest.raises(AssociationAborted if believed else RemoteProtocolError, match=r"abort|before it could"):
                association.store(1, Zeros(9 * PART, hears(association, theirs, said, 2)))
            assert [found.status for found in association.heard()] == believed

    def test_in_front_of_a_lie_count(self) -> None:
        with established(4) as (association, theirs):
            for _ in range(2):
                association.store(1, Zeros(2))
            theirs.send(response(2, WARNING) + response(2))
            first = association.collect()
            assert (first.message_id, first.status) == (2, WARNING)
            with pytest.raises(RemoteProtocolError, match="answered Message ID 2, which was not asked"):
                association.collect()

    def test_behind_a_lie_do_not(self) -> None:
        with established() as (association, theirs):
            association.store(1, Zeros(2))
            theirs.send(response(7) + pdus.abort(0, 0) + response(1))
            with pytest.raises(RemoteProtocolError, match="answered Message ID 7"):
                association.collect()
            assert list(association.heard()) == []


class TestTheEnd:
    def test_behind_the_last_response_is_told_by_the_release(self) -> None:
        """Both have come at once; that the association is over by now is no error of ours."""
        with established() as (association, theirs):
            association.store(1, Zeros(2))
            theirs.send(response(1) + pdus.abort(2, 1))
            association.collect()
            with pytest.raises(AssociationAborted, match="it did not recognise a PDU"):
                association.release()

    def test_is_not_waited_for_twice(self) -> None:
        with established() as (association, _):
            association.abort()
            with pytest.raises(ConnectionLost, match="the association is over"):
                association.collect()
            with pytest.raises(LocalProtocolError):
                association.release()

    def test_an_abort_does_not_wait_for_a_peer_that_takes_nothing(self) -> None:
        """There is no room for the A-ABORT. What the peer did wrong is told, and not that it timed out."""
        with established() as (association, theirs):
            association._begin(1, C_STORE_RSP)
            with pytest.raises(BlockingIOError):
                while True:
                    association._stream._socket.send(bytes(1000))
            association._stream._socket_timeout = 0
            theirs.send(b"\x99" * 6)
            with pytest.raises(RemoteProtocolError, match="unrecognised PDU type 0x99"):
                association.collect()

    def test_one_request_for_release_is_enough(self) -> None:
        """A peer could go on with them for ever."""
        with established() as (association, theirs):
            theirs.send(pdus.release_rq() * 2)
            with pytest.raises(RemoteProtocolError, match="A-RELEASE-RQ while the association is releasing"):
                association.release()

    def test_a_release_that_is_confirmed_before_it_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """There is no room for the request, and the end of the connection can be read for ever."""
        reads = iter(range(2))  # what was said, and its end
        receive = Stream.receive_now
        monkeypatch.setattr(Stream, "receive_now", lambda stream: (next(reads), receive(stream))[1])
        with established() as (association, theirs):
            with pytest.raises(BlockingIOError):
                while True:
                    association._stream._socket.send(bytes(1000))
            theirs.send(pdus.release_rp())
            theirs.shutdown(socket.SHUT_WR)
            association.release()
            assert association.closed

    def test_a_release_on_both_sides_is_one(self) -> None:
        with established() as (association, theirs):
            theirs.send(pdus.release_rq() + pdus.release_rp())
            association.release()
            assert drain(theirs) == pdus.release_rq() + pdus.release_rp()

    def test_an_acceptance_is_no_reason_for_a_lost_connection(self) -> None:
        with asked() as (association, theirs):
            association._machine.state = type(association._machine.state).REQUESTED
            theirs.send(pdus.associate_ac(malformed.REQUEST))
            theirs.close()
            lost = ConnectionLost("reset")
            assert association._last_message(lost) is lost


class Supply:
    """Instances for a worker, by their payloads. ``speak`` is called when it waits for a response."""

    def __init__(self, payloads: Sequence[Zeros], speak: Callable[[], object]) -> None:
        self._payloads = payloads
        self._left = [(n, Instance(str(n), malformed.CT, "1.2.3", malformed.EXPLICIT)) for n in range(len(payloads))]
        self._speak = speak

    def take(self) -> Entry | None:
        return self._left.pop(0) if self._left else None

    def give_back(self, entry: Entry) -> None:
        self._left.insert(0, entry)

    def work(self) -> bool:
        self._speak()
        return False

    def wait(self) -> bool:
        return False

    def spare(self) -> bool:
        return False

    def open(self, instance: Instance, _: str, _ways: object = None) -> Payload:
        return cast("Payload", self._payloads[int(instance.path)])


def worked(
    association: Association, *payloads: Zeros, speak: Callable[[], object] = lambda: None
) -> tuple[list[Outcome], Reason]:
    """What becomes of payloads that a worker sends, and why its association ended."""
    supply = Supply(payloads, speak)
    settings = Settings(CALLED, WISHES, Timeouts(), Limits(), supply, Stop(), Attempts(0))
    events = list(Worker(1, association, Routes(association.contexts, WISHES), supply, settings).run())
    (end,) = [event.reason for event in events if isinstance(event, AssociationEnded)]
    return [event.outcome for event in events if isinstance(event, InstanceFinished)], end


class TestWorker:
    @pytest.mark.parametrize(
        ("status", "outcome"), [(REFUSED, (State.ANSWERED, REFUSED)), (WARNING, (State.FAILED, None))]
    )
    def test_a_file_that_breaks_after_it_was_answered(self, status: int, outcome: tuple[State, int | None]) -> None:
        """Both in the middle of one data set. There is one outcome: a refusal counts."""
        with established() as (association, theirs):
            speak = hears(association, theirs, response(1, status), 2)

            def speak_and_break(part: int) -> None:
                speak(part)
                if part == 3:
                    raise FileError("it broke")

            (found,), end = worked(association, Zeros(9 * PART, speak_and_break))
            assert (found.state, found.status) == outcome
            assert end.innermost.code == ("file_failed_under_way" if found.status else "early_success")

    def test_the_end_behind_the_last_response_is_told(self) -> None:
        with established() as (association, theirs):
            said = response(1) + pdus.abort(2, 1)
            (found,), end = worked(association, Zeros(2), speak=lambda: theirs.send(said))
            assert (found.state, found.status) == (State.ANSWERED, 0)
            assert str(end).endswith("it did not recognise a PDU")

    def test_what_a_peer_says_is_one_line_and_not_too_long(self) -> None:
        tags = [(0x0901, b"\x10\0\x20\0" * 1000), (0x0902, b"no\nE: stored\x1b[2J" + b"!" * 5000)]
        elements = [(0x0100, b"\x01\x80"), (0x0120, b"\1\0"), (0x0800, b"\1\1"), (0x0900, b"\0\xa7"), *tags]
        with established() as (association, theirs):
            said = pdus.p_data(1, pdus.command_set(*elements)) + pdus.abort()
            (found,), _ = worked(association, Zeros(2), speak=lambda: theirs.send(said))
            assert str(found.reason).startswith(r"no\nE: stored\x1b[2J!!!!")
            assert str(found.reason).endswith("offending elements " + ", ".join(["(0010,0020)"] * 16) + " and 984 more")
            assert is_one_line(str(found.reason))
            assert len(str(found.reason)) < 600
