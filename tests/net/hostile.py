"""An association with a hostile peer, over a pair of sockets and in one thread: each case follows from its number.

Nobody waits. The peer speaks when something reaches it, or when it is its turn; what it has to say is there by the time
that we look for it. The clock jumps, so that silence is a timeout at once.
"""

from __future__ import annotations

import itertools
import socket
from random import Random
from typing import TYPE_CHECKING, Final, cast
from unittest import mock

from dcmsend.errors import DcmsendError, FileError, NetworkError
from dcmsend.events import Context, InstanceFinished, InstanceStarted
from dcmsend.model import Decompression, Instance, Limits, Peer, Policy, State, Timeouts, status_class
from dcmsend.net import association as association_module
from dcmsend.net import stream as stream_module
from dcmsend.net.association import Association
from dcmsend.net.stream import Stream
from dcmsend.plan import Routes, Wishes
from dcmsend.reasons import NONE
from dcmsend.stop import Stop
from dcmsend.transfer.retry import Attempts
from dcmsend.transfer.worker import Settings, Worker
from dcmsend.wire.command import MAX_COMMAND_LENGTH
from dcmsend.wire.pdu import MAX_ASSOCIATE_LENGTH
from tests.files.encode import is_one_line
from tests.support import malformed, pdus
from tests.support.malformed import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dcmsend.payload.payload import Payload
    from dcmsend.transfer.ahead import Entry, Opener
    from dcmsend.transfer.worker import Supply
    from dcmsend.wire.command import Response

MEMORY: Final = 120 << 20  # bytes, of which the interpreter and all modules take 40 MB
CONTEXTS: Final = tuple(Context(offer.context_id, offer.abstract_syntax, offer.transfer_syntaxes)
                        for offer in malformed.OFFERS)  # fmt: skip
CALLED: Final = Peer(host="127.0.0.1", port=1)
WISHES: Final = Wishes(Policy(halt=False), Decompression.NEVER, lambda _: NONE)
SIZES: Final = (0, 2, 100, 100, 100, 5000, 5000, 20_000, 60_000)  # of data sets
WINDOWS: Final = (1, 1, 4, 0)
CAPACITY: Final = 1 << 14  # of the frames, so that the largest data sets need them several times
STEPS: Final = (8192, 8192, 8192, 8192, 8192, 1000, 100, 7, 1)  # bytes that arrive at once
PARTS: Final = (1 << 20, 1 << 20, 10_000, 1000)  # bytes that leave at once
MOST_STEPS: Final = 100  # about, for a whole stream
MOST_NOTHING: Final = 50  # times that a case may ask for bytes where there are none


class HostilePeer:
    """The other end: says what is right until its moment comes, then what is not, then one or the other."""

    def __init__(self, random: Random, connection: socket.socket) -> None:
        self.said = bytearray()
        self._random = random
        self._socket = connection
        self._pending = memoryview(b"")
        self._moment = random.choice((0, 0, 1, 1, 2, 3, 4, 5, 6, 8, 10, 14, 20))
        self._reads_until = random.choice((1 << 30,) * 8 + (0, 1, 2, 3))  # moments
        self._ends = False
        self._ended = False
        if self._reads_until < 4:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def turn(self, kind: int | None, known: Known) -> None:
        """A moment to speak; ``kind`` is what would be right, if anything is."""
        random = self._random
        self._moment -= 1
        self._reads_until -= 1
        if self._moment == -1 or (self._moment < 0 and random.random() < 0.3):
            self._say(malformed.lied(random, kind or pdus.P_DATA_TF, known))
            self._ends = self._ends or random.random() < 0.3
        elif kind is not None:
            self._say(malformed.said(random, kind, known))
        self.go_on()

    def listen(self) -> None:
        """Take what has come, unless this peer takes nothing any more."""
        if self._reads_until > 0 and not self._ended:
            while True:
                try:
                    if len(self._socket.recv(1 << 18)) < 1 << 16:
                        return
                except OSError:
                    return

    def go_on(self) -> None:
        """Say as much of what is left to say as there is room for, and then hang up, if that is the end."""
        try:
            while self._pending:
                self._pending = self._pending[self._socket.send(self._pending) :]
        except BlockingIOError:
            return
        except OSError:  # nobody listens any more
            self._pending = memoryview(b"")
        if self._ends and not self._ended:
            self._ended = True
            if self._random.random() < 0.5:
                self._socket.shutdown(socket.SHUT_WR)
            else:
                self._socket.close()

    @property
    def left(self) -> int:
        return len(self._pending)

    def _say(self, data: bytes) -> None:
        if not self._ends:
            self.said += data
            self._pending = memoryview(bytes(self._pending) + data)


class Link:
    """Our end of the connection, as a socket: what is sent reaches the peer, what comes arrives in steps."""

    def __init__(self, random: Random, connection: socket.socket, peer: HostilePeer) -> None:
        self.begun: list[int] = []  # Message IDs that are to be answered, or may be
        self.last = 0  # of these
        self.check: Callable[[], None] = lambda: None
        self._socket = connection
        self._peer = peer
        self._step = random.choice(STEPS)
        self._part = random.choice(PARTS)
        self._slow = random.random() < 0.2  # whether there is no room at first, time and again
        self._full = False
        self._nothing = 0
        self._asked = False
        self.fileno = connection.fileno
        self.shutdown = connection.shutdown
        self.close = connection.close

    def known(self) -> Known:
        return Known(tuple(self.begun))

    def begin(self, message_id: int) -> None:
        self.begun.append(message_id)
        self.last = message_id

    def turn(self, kind: int | None = None) -> None:
        """Let the peer speak where nothing was sent."""
        self._peer.turn(kind, self.known())

    def send(self, data: bytes | memoryview) -> int:
        self._full = self._slow and not self._full
        if self._full:
            self.turn()
            raise BlockingIOError
        sent = self._socket.send(data[: self._part])
        self._peer.listen()
        if data[0] == pdus.A_ASSOCIATE_RQ and not self._asked:
            self._asked = True
            self.turn(pdus.A_ASSOCIATE_AC)
        elif data[0] == pdus.A_RELEASE_RQ and len(data) == 10:
            self.turn(pdus.A_RELEASE_RP)
        elif sent < len(data):
            self.turn()
        return sent

    def recv(self, size: int) -> bytes:
        self.check()
        step = max(self._step, len(self._peer.said) // MOST_STEPS)
        try:
            data = self._socket.recv(min(size, step))
        except BlockingIOError:
            self._got_nothing()
            raise
        if not data:
            self._got_nothing()
        self._peer.go_on()
        return data

    def _got_nothing(self) -> None:
        self._nothing += 1
        assert self._nothing < MOST_NOTHING, "it asks again and again"


class Zeros:
    """A data set of zero bytes; it fails before the byte at ``fails_at``."""

    sop_class = malformed.CT
    transfer_syntax = original_syntax = malformed.EXPLICIT
    notices = ()
    doubt = NONE

    def __init__(self, number: int, size: int, fails_at: int) -> None:
        self.sop_instance = f"1.2.3.{number}"
        self.length = self.dataset_size = self.file_size = size
        self._fails_at = fails_at
        self._at = 0

    def fill(self, views: Sequence[memoryview]) -> int:
        if self._at >= self._fails_at:
            raise FileError("it broke")
        count = min(sum(map(len, views)), self.length - self._at)
        self._at += count
        return count

    def close(self) -> None:
        pass


class Reported:
    """What came of a case: Message ID and status of each answer in order, and the error that ended it."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, int]] = []
        self.error: DcmsendError | None = None
        self.others: set[int] = set()  # Message IDs of which the peer spoke as of something else


def hostile(number: int) -> tuple[str]:
    """One case: by which error it ended. Raises AssertionError where it goes wrong, and whatever nobody may raise."""
    random = Random(number)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        peer = HostilePeer(random, theirs)
        if peer._reads_until < 4:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        link = Link(random, ours, peer)
        limits = Limits(async_window=random.choice(WINDOWS))
        clock = cast("Callable[[], float]", itertools.count(0, 1000).__next__)
        # No socket timeout: what cannot be sent at once is never sent.
        association = Association(Stream(cast("socket.socket", link), 0), Timeouts(acse=30, dimse=30), limits, clock)
        link.check = lambda: _bounded(association)
        sets = [_data_set(random, index) for index in range(1, random.choice((0, 1, 1, 1, 2, 3, 6)) + 1)]
        drive = _by_hand if random.random() < 0.6 else _by_worker
        reported = Reported()
        try:
            association._negotiate(CALLED, CONTEXTS)
            drive(association, link, sets, reported)
        except NetworkError as error:
            reported.error = error
        finally:
            association.abort()
        _truthful(reported, bytes(peer.said), link.last)
        return (type(reported.error).__name__,)


def _data_set(random: Random, number: int) -> Zeros:
    size = random.choice(SIZES)
    return Zeros(number, size, random.choice((0, 1, 70_000)) if random.random() < 0.05 else 1 << 30)


def _by_hand(association: Association, link: Link, sets: list[Zeros], reported: Reported) -> None:
    """What a worker does, without it. Raises NetworkError."""

    def collect() -> None:
        link.turn(pdus.P_DATA_TF)
        _note(association.collect(), link, reported)

    try:
        for data_set in sets:
            link.turn()
            association.listen()
            link.begin(association.next_message_id)
            try:
                association.store(1, data_set)
            except FileError:
                if association.closed:
                    raise NetworkError("a file failed") from None
                link.begun.pop()
            for response in association.heard():
                _note(response, link, reported)
            while len(link.begun) >= association.window:
                collect()
        while link.begun:
            collect()
        association.release()
    except NetworkError:
        for response in association.heard():
            _note(response, link, reported)
        raise
    assert not link.begun


def _note(response: Response, link: Link, reported: Reported) -> None:
    link.begun.remove(response.message_id)
    reported.answers.append((response.message_id, response.status))


class Supplies:
    """A list of instances for a worker; where it would do something else, the peer speaks."""

    def __init__(self, link: Link, sets: list[Zeros]) -> None:
        self.entries: list[Entry] = [
            (number, Instance(f"{number}.dcm", one.sop_class, one.sop_instance, one.transfer_syntax, one.length))
            for number, one in enumerate(sets)
        ]
        self._link = link
        self._sets = sets

    def take(self) -> Entry | None:
        return self.entries.pop(0) if self.entries else None

    def give_back(self, entry: Entry) -> None:
        self.entries.insert(0, entry)

    def work(self) -> bool:
        self._link.turn(pdus.P_DATA_TF)
        return False

    def wait(self) -> bool:
        return False

    def spare(self) -> bool:
        return False

    def open(self, instance: Instance, _: str, _ways: object = None) -> Payload:
        self._link.turn()
        return cast("Payload", self._sets[int(instance.path.partition(".")[0])])


def _by_worker(association: Association, link: Link, sets: list[Zeros], reported: Reported) -> None:
    supplies = Supplies(link, sets)
    settings = Settings(CALLED, WISHES, Timeouts(), association._limits, cast("Opener", supplies), Stop(), Attempts(0))
    worker = Worker(1, association, Routes(association.contexts, WISHES), cast("Supply", supplies), settings)
    messages: dict[Instance, int] = {}
    finished: set[Instance] = set()
    for event in worker.run():
        if isinstance(event, InstanceStarted):
            messages[event.instance] = event.message_id
            link.begin(event.message_id)
        elif isinstance(event, InstanceFinished):
            outcome = event.outcome
            assert event.instance not in finished, "two outcomes of one instance"
            finished.add(event.instance)
            if event.instance in messages:
                link.begun.remove(messages[event.instance])
            if outcome.reason.code in OTHERS:
                reported.others.add(messages[event.instance])
            if outcome.state is State.ANSWERED:
                assert outcome.status is not None
                reported.answers.append((messages[event.instance], outcome.status))
            assert is_one_line(str(outcome.reason)), outcome.reason
            assert len(str(outcome.reason)) < MOST_CHARACTERS
    assert messages.keys() <= finished, "an instance without an outcome"
    assert len(finished) + len(supplies.entries) == len(sets), "an instance is lost"
    assert worker.error or len(finished) == len(sets), "not all were tried"
    reported.error = worker.error


def _bounded(association: Association) -> None:
    """However much has come, little of it is kept."""
    machine = association._machine
    assert len(machine._buffer._received) <= MAX_ASSOCIATE_LENGTH + 6
    assert len(machine._assembler._command) <= MAX_COMMAND_LENGTH
    assert len(machine.outgoing) <= 20
    assert len(association._events) <= MOST_EVENTS, f"{len(association._events)} events"


OTHERS: Final = ("answered_for_other_instance", "answered_for_other_class", "answered_in_other_context")
MOST_EVENTS: Final = 8  # as many as requests, and what ended the association
MOST_CHARACTERS: Final = 600  # of a reason


def _truthful(reported: Reported, said: bytes, last: int) -> None:
    """What was reported is what the peer said, in its order.

    Only that the last instance is stored may be passed over: it was not sent whole.
    """
    answers = reported.answers
    if answers:
        really = [
            (number, status)
            for number, status in malformed.responses(said)
            if number not in reported.others or not status_class(status).stored
        ]
        believed = [(number, status) for number, status in really if number != last or not status_class(status).stored]
        told = (really[: len(answers)], believed[: len(answers)] if reported.error else None)
        assert answers in told, f"reported {answers}, really {really[: len(answers) + 3]}"
    if reported.error is not None:
        assert type(reported.error) in DOCUMENTED, repr(reported.error)
        assert is_one_line(str(reported.error)), str(reported.error)
        assert len(str(reported.error)) < MOST_CHARACTERS


def _tree(kind: type[NetworkError]) -> set[type[NetworkError]]:
    return {kind}.union(*map(_tree, kind.__subclasses__()))


DOCUMENTED: Final = _tree(NetworkError)


def prepare(_: Path) -> Callable[[int], tuple[str]]:
    """Sockets of a pair have none of TCP's options; small frames are made faster."""
    mock.patch.object(stream_module, "_QUICKACK", None).start()
    mock.patch.object(association_module, "FRAMES_CAPACITY", CAPACITY).start()
    for number in range(200):
        try:
            hostile(number)
        except Exception:  # noqa: BLE001 - the case itself will tell
            continue
    return hostile
