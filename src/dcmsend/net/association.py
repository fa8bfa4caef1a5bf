"""One association over one connection: request, echo, store (a pipeline), release, abort (PS3.7 9, PS3.8 7).

Drives ``wire.requestor`` with a ``Stream`` and a clock. An association that saw a timeout, a broken data set or a
protocol error is aborted and never used again.
"""

from __future__ import annotations

import time

from dcmsend.errors import ConnectionLost, FileError, NetworkError, settled
from dcmsend.model import status_class
from dcmsend.net.negotiation import Agreed, Known, request_for, require_titles
from dcmsend.net.stream import Stream, connect
from dcmsend.reasons import NONE, Reason, because, of_system
from dcmsend.wire.command import C_ECHO_RSP, C_STORE_RSP, Response, encode_echo_request, encode_store_request
from dcmsend.wire.fragment import DataFrames, encode_command
from dcmsend.wire.pdu import Abort, AssociateAccept
from dcmsend.wire.requestor import (
    Accepted,
    HungUp,
    Released,
    Requestor,
    Responded,
    Trigger,
    Violated,
    WireEvent,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Final, Protocol

    from dcmsend.events import Context
    from dcmsend.meter import Gauge
    from dcmsend.model import Limits, Peer, Timeouts
    from dcmsend.net.pace import Pace
    from dcmsend.net.tls import Security
    from dcmsend.stop import Stop
    from dcmsend.wire.command import Response
    from dcmsend.wire.items import UserItem
    from dcmsend.wire.pdu import AssociateAccept
    from dcmsend.wire.requestor import WireEvent

    class DataSet(Protocol):
        """What is needed of a data set to send it."""

        @property
        def sop_class(self) -> str: ...
        @property
        def sop_instance(self) -> str: ...
        @property
        def length(self) -> int:
            """Bytes that will be sent."""
            ...

        def fill(self, views: Sequence[memoryview]) -> int:
            """Put the next bytes into the views, in order, and say how many. Raises ``FileError``."""
            ...
else:
    from _collections import deque  # the package around it takes longer to import than all of this

FRAMES_CAPACITY: Final = 1024 * 1024
MAX_MESSAGE_ID: Final = 65535
_FAREWELL: Final = 1.0  # seconds for a peer that is reading to make room for an A-ABORT
_AWAITED: Final = (Responded, Accepted, Released)  # what does not end an association before its time


class Association:
    """An established association; ``request`` makes one.

    ``contexts``: the proposed ones with the peer's answers. ``max_pdu``: the peer's limit in bytes, 0 for none.
    ``window``: how many operations may be outstanding. ``security``: what protects the connection, if anything.
    ``user``: the user information of the peer's answer.
    """

    def __init__(
        self,
        stream: Stream,
        timeouts: Timeouts,
        limits: Limits,
        clock: Callable[[], float],
        known: Known | None = None,
    ) -> None:
        self.contexts: tuple[Context, ...] = ()
        self.max_pdu = 0
        self.window = 1
        self.implementation = ""
        self.security = ""
        self.user: Iterable[UserItem] = ()
        self._stream = stream
        self._timeouts = timeouts
        self._limits = limits
        self._clock = clock
        self._machine = Requestor(limits.max_receive_pdu)
        self._events: deque[WireEvent] = deque()
        self._outstanding: dict[int, int] = {}  # Message ID -> command field of the response it waits for
        self._last_message_id = 0
        self._sending = 0  # the Message ID of the data set that has not left whole
        self._identified = False
        self._known = known or Known()
        self._send_pdu = 0
        self._frames: DataFrames | None = None

    @classmethod
    def request(
        cls,
        peer: Peer,
        contexts: tuple[Context, ...],
        *,
        timeouts: Timeouts,
        limits: Limits,
        stop: Stop,
        pace: Pace | None = None,
        security: Security | None = None,
        gauge: Gauge | None = None,
        known: Known | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Association:
        """Connect and negotiate, through TLS where there is a ``security``; ``gauge`` counts what is sent.

        ``known``: what has been learnt of the peer, which is added to. Raises ``NetworkError``: whatever keeps the
        association from being made. From then on the association is among ``stop.wakers``; whoever has done with it
        takes it out.
        """
        require_titles(peer)
        known = known or Known()
        try:
            connection = connect(peer.host, peer.port, family=peer.family, timeout=timeouts.connect, stop=stop)
            stream = (Stream if security is None else security.stream)(connection, timeouts.socket, pace)
            if gauge is not None:
                stream.measure(gauge)
            association = cls(stream, timeouts, limits, clock, known)
            association._establish(peer, contexts, stop)
        except NetworkError as error:
            if stop.aborted:
                raise
            from dcmsend.net.words import not_made

            raise not_made(error, reached=known.accepted, secured=security is not None) from None
        except MemoryError as error:
            raise NetworkError(of_system(error)) from None
        known.accepted = True
        return association

    def _establish(self, peer: Peer, contexts: tuple[Context, ...], stop: Stop) -> None:
        """Negotiate over the connection. Raises ``NetworkError``; then all is closed."""
        stop.wakers[self] = self.interrupt
        try:
            if stop.aborted:  # between two waits, when there was nobody to wake
                raise ConnectionLost(because("stopped"))
            self._stream.begin(self._timeouts.connect or self._timeouts.acse)
            self.security = self._stream.security
            self._negotiate(peer, contexts)
        except BaseException:
            self.abort()
            del stop.wakers[self]
            raise

    def __repr__(self) -> str:
        return f"<Association {self._machine.state.value}, {len(self._outstanding)} outstanding>"

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent."""
        return self._machine.closed

    @property
    def next_message_id(self) -> int:
        """The Message ID that the next request will have: 1 to 65535, then 1 again."""
        return self._last_message_id % MAX_MESSAGE_ID + 1

    def listen(self) -> None:
        """Take what came while nobody waited. Raises the ``NetworkError`` that ended the association, if one did.

        A peer that gave up an idle association is found so before anything of the next instance is sent.
        """
        try:
            while not self.closed and (data := self._stream.receive_pending()) is not None:
                self._feed(data)
            self._require_open()
        except NetworkError:
            self.abort()
            raise

    def store(self, context_id: int, data_set: DataSet) -> int:
        """Send a C-STORE request with its data set (PS3.7 9.1.1); the Message ID.

        Raises ``NetworkError``, also where the peer says that it has stored what has not left whole; ``FileError``
        where the file fails. If part of the data set had left by then, the association has been aborted.
        """
        self._require_open()
        message_id = self.next_message_id
        request = encode_store_request(message_id, data_set.sop_class, data_set.sop_instance)
        command = encode_command(context_id, request, self._send_pdu)
        frames = self._frames = self._frames or DataFrames(self._send_pdu, FRAMES_CAPACITY)
        self._machine.act(Trigger.SEND)
        left = data_set.length
        begun = False
        try:
            while True:
                count = data_set.fill(frames.gaps)
                left -= count
                if begun:
                    self._hear_at_once()
                else:
                    self._begin(message_id, C_STORE_RSP)
                    self._sending = message_id
                    begun = True
                self._send(frames.seal(context_id, count, is_last=left == 0, command=command))
                command = b""
                if not left:
                    self._sending = 0
                    return message_id
        except BaseException as error:
            if begun:
                self.abort(_FAREWELL if isinstance(error, FileError) else 0)
            raise

    def echo(self, context_id: int) -> Response:
        """Send a C-ECHO request and wait for its response (PS3.7 9.1.5). Raises ``NetworkError``."""
        self._require_open()
        message_id = self.next_message_id
        self._machine.act(Trigger.SEND)
        self._begin(message_id, C_ECHO_RSP)
        self._send(encode_command(context_id, encode_echo_request(message_id), self._send_pdu))
        return self.collect()

    def ready(self) -> bool:
        """Whether ``collect`` would find something at once: a response, or the end of the association."""
        return self.closed or bool(self._events) or self._stream.readable()

    def collect(self) -> Response:
        """Wait for the next response to any outstanding request. Raises ``NetworkError``; the association is over then.

        The response's Message ID says to which request it belongs; one that belongs to none is the peer's error.
        """
        try:
            event = self._await(self._timeouts.dimse, "response_timeout")
            if not isinstance(event, Responded):
                raise self._error_of(event)
            return event.response
        except BaseException:
            self.abort()
            raise

    def heard(self) -> Iterator[Response]:
        """The responses that came while something was being sent, also when the association is over by now."""
        while self._events and isinstance(event := self._events[0], Responded):
            self._events.popleft()
            yield event.response

    def release(self) -> None:
        """Release in order (PS3.8 7.2); all responses must have come. Raises ``NetworkError`` where the peer does not.

        A peer that closes the connection instead of confirming is taken for released: everything was answered.
        """
        try:
            self._require_open()
            self._machine.act(Trigger.RELEASE)
            self._flush()
            event = self._await(self._timeouts.acse, "release_timeout")
            if not isinstance(event, Released | HungUp):
                raise self._error_of(event)
        except ConnectionLost:
            pass
        finally:
            self.abort()

    def abort(self, patience: float = 0) -> None:
        """End the association at once, with A-ABORT where it is still open (PS3.8 7.3). Never raises.

        ``patience``: seconds that the peer gets to take it.
        """
        if not self._machine.closed:
            self._machine.act(Trigger.ABORT)
        self._stream.last_words(self._take_outgoing(), patience)
        self._stream.close()

    def interrupt(self) -> None:
        """Abort from a signal handler or another thread: whoever waits for the peer sees the connection end.

        The machine may be in the middle of a step and is left alone.
        """
        self._stream.interrupt(Abort().encode())

    def _negotiate(self, peer: Peer, contexts: tuple[Context, ...]) -> None:
        request = request_for(peer, contexts, self._limits)
        self._identified = peer.identity is not None
        self._machine.act(Trigger.REQUEST)
        self._send(request.encode())
        event = self._await(self._timeouts.acse, "request_timeout")
        if not isinstance(event, Accepted):
            raise self._error_of(event)
        if peer.identity is not None:
            from dcmsend.net.identity import require_confirmation

            require_confirmation(peer.identity, event.answer.user)
        self._take_answer(event.answer, contexts)

    def _take_answer(self, answer: AssociateAccept, contexts: tuple[Context, ...]) -> None:
        agreed = Agreed.of(answer, contexts, self._limits)
        self.contexts, self.max_pdu, self._send_pdu, self.window, self.implementation = agreed
        self.user = answer.user

    def _begin(self, message_id: int, response: int) -> None:
        self._outstanding[message_id] = response
        self._last_message_id = message_id

    def _send(self, data: bytes | memoryview) -> None:
        try:
            self._stream.send(data, self._hear)
        except ConnectionLost as lost:
            raise self._last_message(settled(lost)) from None
        self._require_open()

    def _require_open(self) -> None:
        """Raise what ended the association, where the peer has said so: there is no point in sending more."""
        for event in self._events:
            if not isinstance(event, _AWAITED):
                raise self._error_of(event)

    def _last_message(self, lost: ConnectionLost) -> NetworkError:
        """A better reason for a lost connection: what the peer had said before it, often an A-ABORT."""
        try:
            while not self._machine.closed:
                self._feed(self._stream.receive_now())
        except ConnectionLost:
            pass
        return next((self._error_of(e) for e in self._events if not isinstance(e, (*_AWAITED, HungUp))), lost)

    def _hear_at_once(self) -> None:
        """Take what has come by now. Raises ``NetworkError`` where the association is over."""
        data = self._stream.receive_pending()
        if data is not None:
            self._hear(data)

    def _hear(self, data: bytes) -> None:
        """Take bytes that came while we were sending, for which there is no reason any more once it is all over."""
        self._feed(data)
        self._require_open()
        if self._machine.closed:
            raise ConnectionLost(because("association_over"))

    def _feed(self, data: bytes) -> None:
        """Take received bytes. A response is matched when it comes: one to what is asked later answers nothing."""
        for event in self._machine.receive(data):
            complaint = self._complaint(event.response) if isinstance(event, Responded) else NONE
            if complaint:
                self._events.append(Violated(complaint))
                if not self._machine.closed:
                    self._machine.act(Trigger.ABORT)
                return
            self._events.append(event)

    def _complaint(self, response: Response) -> Reason:
        """What is wrong with a response: it is none to anything that is outstanding, or comes too early."""
        message_id = response.message_id
        expected = self._outstanding.pop(message_id, None)
        if expected is None:
            return because("answered_unasked", message_id=message_id)
        if response.command_field != expected:
            return because("answered_with_command", command=f"{response.command_field:04x}")
        if message_id == self._sending and status_class(response.status).stored:
            return because("early_success", message_id=message_id)
        self._known.answered = True
        return NONE

    def _await(self, timeout: float | None, phase: str) -> WireEvent:
        """The next event, within ``timeout`` seconds. Raises ``PeerTimeout``, ``ConnectionLost``."""
        deadline = None if timeout is None else self._clock() + timeout
        while not self._events:
            if self._machine.closed:
                raise ConnectionLost(because("association_over"))
            left = None if deadline is None else deadline - self._clock()
            in_pdu = self._machine.in_pdu
            stall = self._timeouts.socket if in_pdu or self._machine.in_message else None
            if stall is not None and (left is None or stall < left):
                self._feed(self._stream.receive(stall, "pdu_timeout" if in_pdu else "message_timeout", stall))
            else:
                self._feed(self._stream.receive(left, phase, timeout))
            if not self._machine.closed:  # an abort is left to ``abort``, which does not wait for a peer that reads
                self._flush()
        return self._events.popleft()

    def _error_of(self, event: WireEvent) -> NetworkError:
        """The error that an event comes to where nobody wanted it."""
        from dcmsend.net.words import Standing, error_of  # most associations need none

        known = self._known
        return error_of(event, Standing(self._identified, known.answered))

    def _flush(self) -> None:
        outgoing = self._take_outgoing()
        if outgoing:
            self._stream.send(outgoing, self._hear)

    def _take_outgoing(self) -> bytes:
        outgoing, self._machine.outgoing = self._machine.outgoing, b""
        return outgoing
