"""The requestor's table and machine (PS3.8 9.2), state by state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.errors import LocalProtocolError
from dcmsend.reasons import because
from dcmsend.wire import pdu
from dcmsend.wire.command import C_STORE_RSP, Response
from dcmsend.wire.requestor import (
    TRANSITIONS,
    Aborted,
    Accepted,
    HungUp,
    Rejected,
    Released,
    ReleaseWanted,
    Reply,
    Requestor,
    Responded,
    State,
    Trigger,
    Violated,
)

from .vectors import PDUS, recorded

ACCEPT = pdu.AssociateAccept(contexts=(pdu.ContextResult(1, 0, "1.2.840.10008.1.2"),), user=())
REJECT = pdu.AssociateReject(1, 1, 7)
SUCCESS = Response(C_STORE_RSP, 1, 0, context_id=1)
DATA = pdu.Data((pdu.PDV(1, True, True, SUCCESS.encode()),))
PEER_PDUS: list[pdu.PDU] = [ACCEPT, REJECT, DATA, pdu.ReleaseRequest(), pdu.ReleaseResponse(), pdu.Abort(2, 1)]
UNEXPECTED = because("unexpected_pdu", name="P-DATA-TF", state="requested")
ABORT_BY_USER = bytes.fromhex("07000000000400000000")
ABORT_BY_PROVIDER = bytes.fromhex("07000000000400000202")


def machine(state: State) -> Requestor:
    made = Requestor(16384)
    if state is not State.IDLE:
        made.act(Trigger.REQUEST)
    if state in (State.ESTABLISHED, State.RELEASING, State.COLLIDED):
        made.receive(ACCEPT.encode())
    if state in (State.RELEASING, State.COLLIDED):
        made.act(Trigger.RELEASE)
    if state is State.COLLIDED:
        made.receive(pdu.ReleaseRequest().encode())
    made.outgoing = b""
    assert made.state is state
    return made


@pytest.mark.parametrize(
    ("state", "received", "event", "next_state", "sent"),
    [
        (State.REQUESTED, ACCEPT, Accepted(ACCEPT), State.ESTABLISHED, b""),
        (State.REQUESTED, REJECT, Rejected(REJECT), State.CLOSED, b""),
        (State.REQUESTED, pdu.Abort(2, 1), Aborted(2, 1), State.CLOSED, b""),
        (
            State.REQUESTED,
            DATA,
            Violated(because("unexpected_pdu", name="P-DATA-TF", state="requested")),
            State.CLOSED,
            None,
        ),
        (State.REQUESTED, pdu.ReleaseRequest(), Violated, State.CLOSED, None),
        (State.REQUESTED, pdu.ReleaseResponse(), Violated, State.CLOSED, None),
        (State.ESTABLISHED, DATA, Responded(SUCCESS), State.ESTABLISHED, b""),
        (State.ESTABLISHED, pdu.ReleaseRequest(), ReleaseWanted(), State.CLOSED, ABORT_BY_USER),
        (State.ESTABLISHED, pdu.Abort(0, 0), Aborted(0, 0), State.CLOSED, b""),
        (State.ESTABLISHED, ACCEPT, Violated, State.CLOSED, None),
        (State.ESTABLISHED, REJECT, Violated, State.CLOSED, None),
        (State.ESTABLISHED, pdu.ReleaseResponse(), Violated, State.CLOSED, None),
        (State.RELEASING, pdu.ReleaseResponse(), Released(), State.CLOSED, b""),
        (State.RELEASING, DATA, Responded(SUCCESS), State.RELEASING, b""),
        (State.RELEASING, pdu.ReleaseRequest(), None, State.COLLIDED, pdu.ReleaseResponse().encode()),
        (State.RELEASING, pdu.Abort(0, 0), Aborted(0, 0), State.CLOSED, b""),
        (State.RELEASING, ACCEPT, Violated, State.CLOSED, None),
        (State.RELEASING, REJECT, Violated, State.CLOSED, None),
        (State.COLLIDED, pdu.ReleaseResponse(), Released(), State.CLOSED, b""),
        (State.COLLIDED, pdu.ReleaseRequest(), Violated, State.CLOSED, None),
        (State.COLLIDED, DATA, Violated, State.CLOSED, None),
        (State.COLLIDED, pdu.Abort(0, 0), Aborted(0, 0), State.CLOSED, b""),
    ],
)
def test_what_the_peer_sends(
    state: State, received: pdu.PDU, event: object, next_state: State, sent: bytes | None
) -> None:
    requestor = machine(state)
    events = requestor.receive(received.encode())
    if isinstance(event, type):
        assert isinstance(events[0], event)
    else:
        assert events == ([] if event is None else [event])
    assert requestor.state is next_state
    assert requestor.outgoing == (ABORT_BY_PROVIDER if sent is None else sent)


@pytest.mark.parametrize("state", [State.REQUESTED, State.ESTABLISHED, State.RELEASING, State.COLLIDED])
class TestInEveryOpenState:
    def test_the_peer_hangs_up(self, state: State) -> None:
        requestor = machine(state)
        assert requestor.receive(b"") == [HungUp(in_pdu=False)]
        assert requestor.closed

    def test_the_peer_hangs_up_within_a_pdu(self, state: State) -> None:
        requestor = machine(state)
        assert requestor.receive(DATA.encode()[:9]) == []
        assert requestor.receive(b"") == [HungUp(in_pdu=True)]

    def test_we_abort(self, state: State) -> None:
        requestor = machine(state)
        requestor.act(Trigger.ABORT)
        assert (requestor.state, requestor.outgoing) == (State.CLOSED, ABORT_BY_USER)

    def test_what_is_no_pdu_is_a_violation(self, state: State) -> None:
        requestor = machine(state)
        (event,) = requestor.receive(b"HTTP/1.1 400 Bad Request\r\n")
        assert event == Violated(because("unknown_pdu", type="48"), b"HTTP/1.1 400 Bad")
        assert (requestor.state, requestor.outgoing) == (State.CLOSED, ABORT_BY_PROVIDER)

    def test_a_request_from_the_peer_is_a_violation(self, state: State) -> None:
        requestor = machine(state)
        (event,) = requestor.receive(recorded("dcmtk-store", "requestor")[0])
        assert event == Violated(because("unexpected_pdu", name="A-ASSOCIATE-RQ", state=state.value))


@pytest.mark.parametrize(
    ("state", "trigger"),
    [
        (state, trigger)
        for state in State
        for trigger in (Trigger.REQUEST, Trigger.SEND, Trigger.RELEASE, Trigger.ABORT)
        if (state, trigger) not in TRANSITIONS
    ],
)
def test_what_we_must_not_do_is_our_error(state: State, trigger: Trigger) -> None:
    requestor = Requestor(16384)
    requestor.state = state
    with pytest.raises(LocalProtocolError, match=state.value):
        requestor.act(trigger)


def test_every_open_state_can_end() -> None:
    endings = (Trigger.ABORT, Trigger.ABORTED, Trigger.HUNG_UP, Trigger.VIOLATED)
    for state in (State.IDLE, State.REQUESTED, State.ESTABLISHED, State.RELEASING, State.COLLIDED):
        assert [TRANSITIONS[state, trigger][0] for trigger in endings] == [State.CLOSED] * 4


def test_nothing_leaves_a_closed_association() -> None:
    assert not [state for state, _ in TRANSITIONS if state is State.CLOSED]
    requestor = machine(State.ESTABLISHED)
    requestor.act(Trigger.ABORT)
    assert requestor.receive(DATA.encode()) == []


def test_events_before_a_violation_are_kept() -> None:
    requestor = machine(State.ESTABLISHED)
    events = requestor.receive(DATA.encode() + b"\xff" * 6)
    assert events == [Responded(SUCCESS), Violated(because("unknown_pdu", type="ff"), b"\xff" * 6)]


def test_a_response_in_front_of_a_violation_is_kept_within_one_pdu() -> None:
    requestor = machine(State.ESTABLISHED)
    both = pdu.Data((*DATA.values, pdu.PDV(1, True, True, b"no command")))
    events = requestor.receive(both.encode())
    assert events[0] == Responded(SUCCESS)
    assert isinstance(events[1], Violated)


def test_nothing_is_read_behind_an_abort() -> None:
    requestor = machine(State.ESTABLISHED)
    assert requestor.receive(pdu.Abort(0, 0).encode() + DATA.encode()) == [Aborted(0, 0)]


def test_a_whole_conversation_with_dcmtk() -> None:
    """The acceptor's recorded side, byte by byte."""
    accept, response, released = recorded("dcmtk-store", "acceptor")
    requestor = Requestor(16384)
    requestor.act(Trigger.REQUEST)
    events = [event for i in range(len(accept)) for event in requestor.receive(accept[i : i + 1])]
    assert isinstance(events[0], Accepted)
    requestor.act(Trigger.SEND)
    (answer,) = [event for i in range(len(response)) for event in requestor.receive(response[i : i + 1])]
    assert isinstance(answer, Responded)
    assert (answer.response.message_id, answer.response.status) == (1, 0)
    requestor.act(Trigger.RELEASE)
    assert requestor.outgoing == Reply.RELEASE_RQ.value
    assert requestor.receive(released) == [Released()]


def test_recorded_rejection_and_abort() -> None:
    requestor = machine(State.REQUESTED)
    assert requestor.receive(recorded("dcmtk-reject", "acceptor")[0]) == [Rejected(pdu.AssociateReject(1, 1, 1))]
    requestor = machine(State.ESTABLISHED)
    assert requestor.receive(recorded("dcmtk-abort-after", "acceptor")[1]) == [Aborted(0, 0)]


@given(
    st.lists(st.one_of(st.sampled_from([vector for _, vector in PDUS]), st.binary(max_size=40)), max_size=8), st.data()
)
def test_any_bytes_in_any_state_end_in_a_known_state(chunks: list[bytes], data: st.DataObject) -> None:
    requestor = machine(
        data.draw(st.sampled_from([State.REQUESTED, State.ESTABLISHED, State.RELEASING, State.COLLIDED]))
    )
    for chunk in chunks:
        events = requestor.receive(chunk)
        if any(isinstance(event, Violated) for event in events):
            assert requestor.outgoing.endswith(ABORT_BY_PROVIDER)
        if requestor.closed:
            break
    assert requestor.state in State
