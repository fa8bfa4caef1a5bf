"""The requestor's side of an association (PS3.8 9.2) as one table and a machine that follows it: bytes in, events out.

The machine owns the state and decides what must be sent; whoever drives it owns the socket and the clock. The standard
counts 13 states; a requestor that speaks TCP itself needs these six (in brackets those of PS3.8 Table 9-10).
"""

from __future__ import annotations

from dcmsend.errors import LocalProtocolError
from dcmsend.light import Enum, Frozen
from dcmsend.reasons import because
from dcmsend.wire.command import Response
from dcmsend.wire.fragment import MessageAssembler
from dcmsend.wire.pdu import (
    PDU,
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    Data,
    PDUBuffer,
    ReleaseRequest,
    ReleaseResponse,
)
from dcmsend.wire.reader import MalformedPDU

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final, TypeAlias

    from dcmsend.reasons import Reason


class State(Enum):
    """Where an association stands."""

    IDLE = "idle"  # connected, nothing said [Sta4]
    REQUESTED = "requested"  # awaiting A-ASSOCIATE-AC or -RJ [Sta5]
    ESTABLISHED = "established"  # ready for data transfer [Sta6]
    RELEASING = "releasing"  # awaiting A-RELEASE-RP [Sta7]
    COLLIDED = "releasing on both sides"  # awaiting it after the peer has asked for release too [Sta9, Sta11]
    CLOSED = "closed"  # over; only the transport is left [Sta13, Sta1]


class Trigger(Enum):
    """What can happen: four things that we do, nine that the peer does."""

    REQUEST = "we ask for an association"
    SEND = "we send P-DATA-TF"
    RELEASE = "we ask for release"
    ABORT = "we abort"
    ACCEPTED = "A-ASSOCIATE-AC"
    REJECTED = "A-ASSOCIATE-RJ"
    DATA = "P-DATA-TF"
    RELEASE_REQUESTED = "A-RELEASE-RQ"
    RELEASE_CONFIRMED = "A-RELEASE-RP"
    ABORTED = "A-ABORT"
    ASKED = "A-ASSOCIATE-RQ"
    VIOLATED = "what is no PDU, or none for this state"
    HUNG_UP = "the peer closes the connection"


class Reply(Enum):
    """What a transition sends by itself."""

    NOTHING = b""
    RELEASE_RQ = ReleaseRequest().encode()
    RELEASE_RP = ReleaseResponse().encode()
    ABORT = Abort(source=0).encode()  # by the service user: us
    PROTOCOL_ERROR = Abort(source=2, reason=2).encode()  # by the service provider: unexpected PDU


_OPEN: Final = (State.IDLE, State.REQUESTED, State.ESTABLISHED, State.RELEASING, State.COLLIDED)

# (state, trigger) -> (next state, what is sent); the actions of PS3.8 Tables 9-6 to 9-9 in the remarks.
# A trigger of ours that has no row is a defect of ours; one of the peer's is treated as VIOLATED.
TRANSITIONS: Final[dict[tuple[State, Trigger], tuple[State, Reply]]] = {
    (State.IDLE, Trigger.REQUEST): (State.REQUESTED, Reply.NOTHING),  # AE-2; the request itself is the caller's
    (State.REQUESTED, Trigger.ACCEPTED): (State.ESTABLISHED, Reply.NOTHING),  # AE-3
    (State.REQUESTED, Trigger.REJECTED): (State.CLOSED, Reply.NOTHING),  # AE-4
    (State.ESTABLISHED, Trigger.SEND): (State.ESTABLISHED, Reply.NOTHING),  # DT-1
    (State.ESTABLISHED, Trigger.DATA): (State.ESTABLISHED, Reply.NOTHING),  # DT-2
    (State.ESTABLISHED, Trigger.RELEASE): (State.RELEASING, Reply.RELEASE_RQ),  # AR-1
    (State.ESTABLISHED, Trigger.RELEASE_REQUESTED): (State.CLOSED, Reply.ABORT),  # AR-2, then AA-1: we were not done
    (State.RELEASING, Trigger.DATA): (State.RELEASING, Reply.NOTHING),  # AR-6
    (State.RELEASING, Trigger.RELEASE_REQUESTED): (State.COLLIDED, Reply.RELEASE_RP),  # AR-8, AR-9
    (State.RELEASING, Trigger.RELEASE_CONFIRMED): (State.CLOSED, Reply.NOTHING),  # AR-3
    (State.COLLIDED, Trigger.RELEASE_CONFIRMED): (State.CLOSED, Reply.NOTHING),  # AR-3
    **{(state, Trigger.ABORT): (State.CLOSED, Reply.ABORT) for state in _OPEN},  # AA-1
    **{(state, Trigger.ABORTED): (State.CLOSED, Reply.NOTHING) for state in _OPEN},  # AA-3
    **{(state, Trigger.HUNG_UP): (State.CLOSED, Reply.NOTHING) for state in _OPEN},  # AA-4
    **{(state, Trigger.VIOLATED): (State.CLOSED, Reply.PROTOCOL_ERROR) for state in _OPEN},  # AA-8
}

_TRIGGER_OF: Final[dict[type[PDU], Trigger]] = {
    AssociateRequest: Trigger.ASKED,
    AssociateAccept: Trigger.ACCEPTED,
    AssociateReject: Trigger.REJECTED,
    Data: Trigger.DATA,
    ReleaseRequest: Trigger.RELEASE_REQUESTED,
    ReleaseResponse: Trigger.RELEASE_CONFIRMED,
    Abort: Trigger.ABORTED,
}


class Accepted(Frozen):
    """The association is established."""

    answer: AssociateAccept


class Rejected(Frozen):
    """The peer rejected the association."""

    answer: AssociateReject


class Responded(Frozen):
    """A response has come."""

    response: Response


class Released(Frozen):
    """The peer confirmed the release."""


class ReleaseWanted(Frozen):
    """The peer asked for release in mid-transfer; we aborted."""


class Aborted(Frozen):
    """The peer aborted."""

    source: int
    reason: int


class HungUp(Frozen):
    """The connection ended; ``in_pdu`` tells whether a PDU had begun."""

    in_pdu: bool


class Violated(Frozen):
    """The peer broke the protocol; we aborted. ``received``: the first bytes of what is no PDU."""

    complaint: Reason
    received: bytes = b""


WireEvent: TypeAlias = Accepted | Rejected | Responded | Released | ReleaseWanted | Aborted | HungUp | Violated


class Requestor:
    """One association from its request to its end.

    ``max_receive_pdu``: the limit in bytes that the request announces. What must go out because of what came in is in
    ``outgoing``; take it and send it after each call.
    """

    def __init__(self, max_receive_pdu: int) -> None:
        self.state = State.IDLE
        self.outgoing = b""
        self._buffer = PDUBuffer(max_receive_pdu)
        self._assembler = MessageAssembler()

    def __repr__(self) -> str:
        return f"<Requestor {self.state.value}>"

    @property
    def closed(self) -> bool:
        """Whether the association is over."""
        return self.state is State.CLOSED

    @property
    def in_pdu(self) -> bool:
        """Whether the peer has begun a PDU and not ended it."""
        return self._buffer.partial

    @property
    def in_message(self) -> bool:
        """Whether the peer has begun a message and not ended it."""
        return self._assembler.partial

    def act(self, trigger: Trigger) -> None:
        """Do one of our four things. Raises ``LocalProtocolError`` where the state does not allow it."""
        if (self.state, trigger) not in TRANSITIONS:
            raise LocalProtocolError(f"{trigger.value} while the association is {self.state.value}")
        self._follow(trigger)

    def receive(self, data: bytes) -> list[WireEvent]:
        """Take received bytes (none at all: the peer has closed); what they mean, in order."""
        if self.closed:
            return []
        if not data:
            hung_up = HungUp(in_pdu=self.in_pdu)
            self._follow(Trigger.HUNG_UP)
            return [hung_up]
        events: list[WireEvent] = []
        try:
            for pdu in self._buffer.feed(data):
                for event in self._take(pdu):
                    events.append(event)  # noqa: PERF402 - those before an error must be kept
                if self.closed:
                    break
        except MalformedPDU as error:
            foreign = error.why.code == "unknown_pdu"
            events += self._violation(error.why, self._buffer.beginning if foreign else b"")
        return events

    def _take(self, pdu: PDU) -> Iterable[WireEvent]:
        trigger = _TRIGGER_OF[type(pdu)]
        if (self.state, trigger) not in TRANSITIONS:
            return self._violation(because("unexpected_pdu", name=trigger.value, state=self.state.value))
        self._follow(trigger)
        match pdu:
            case Data(values):
                return map(Responded, self._assembler.feed(values))
            case AssociateAccept():
                return [Accepted(pdu)]
            case AssociateReject():
                return [Rejected(pdu)]
            case Abort(source, reason):
                return [Aborted(source, reason)]
            case ReleaseRequest():
                return [ReleaseWanted()] if self.closed else []
            case _:
                return [Released()]

    def _violation(self, complaint: Reason, received: bytes = b"") -> list[WireEvent]:
        self._follow(Trigger.VIOLATED)
        return [Violated(complaint, received)]

    def _follow(self, trigger: Trigger) -> None:
        self.state, reply = TRANSITIONS[self.state, trigger]
        self.outgoing += reply.value
