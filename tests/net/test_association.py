"""An association with a peer that follows a script: what is sent, what is waited for and how long, what is raised."""

from __future__ import annotations

import itertools
import select
import socket
from collections.abc import Callable, Iterator, Sequence

import pytest

from dcmsend.errors import (
    AssociationAborted,
    AssociationRejected,
    ConnectionLost,
    DcmsendError,
    FileError,
    LocalProtocolError,
    NegotiationError,
    PeerTimeout,
    ReleaseRequested,
    RemoteProtocolError,
)
from dcmsend.events import Context
from dcmsend.model import Limits, Peer, Timeouts
from dcmsend.net.association import MAX_MESSAGE_ID, Association
from dcmsend.net.stream import Stream
from dcmsend.stop import Stop
from dcmsend.wire.command import C_STORE_RSP, Response
from dcmsend.wire.fragment import encode_command
from tests.support import pdus
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    Step,
    accept,
    answer,
    close,
    drain,
    expect,
    expect_bytes,
    expect_close,
    expect_message,
    reject,
    release,
    reset,
    respond,
    send,
    store,
)

Script = Callable[..., ScriptedPeer]

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
CONTEXTS = (Context(1, CT, (EXPLICIT,)),)


class Bytes:
    """A data set that is at hand; it fails before the byte at ``fails_at``."""

    sop_class = CT

    def __init__(self, data: bytes, *, number: int = 1, fails_at: int | None = None) -> None:
        self.sop_instance = f"1.2.3.{number}"
        self.length = len(data)
        self._data = data
        self._at = 0
        self._fails_at = fails_at

    def fill(self, views: Sequence[memoryview]) -> int:
        before = self._at
        for view in views:
            if self._fails_at is not None and self._at >= self._fails_at:
                raise FileError("it broke")
            piece = self._data[self._at : self._at + len(view)]
            view[: len(piece)] = piece
            self._at += len(piece)
        return self._at - before


def request(
    peer: ScriptedPeer, *, timeouts: Timeouts | None = None, clock: Callable[[], float] | None = None
) -> Association:
    settings = {"timeouts": timeouts or Timeouts(), "limits": Limits(), "stop": Stop()}
    if clock is not None:
        settings["clock"] = clock
    return Association.request(Peer(host="127.0.0.1", port=peer.port), CONTEXTS, **settings)  # type: ignore[arg-type]


def clock_that_jumps(*times: float) -> Callable[[], float]:
    """These times, one for each time that it is looked at, then the last one for ever."""
    return itertools.chain(times, itertools.repeat(times[-1])).__next__


class TestMessageIDs:
    def test_wrap_at_65535(self, scripted_peer: Script) -> None:
        """PS3.7 E.1: 16 bits; 0 is not used."""
        peer = scripted_peer([accept(), *[store()] * 3, release()])
        association = request(peer)
        association._last_message_id = MAX_MESSAGE_ID - 1
        for _ in range(3):
            association.store(1, Bytes(b"ab"))
            association.collect()
        association.release()
        assert [message.message_id for message in peer.messages] == [65535, 1, 2]
        assert association.next_message_id == 3

    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_responses_may_come_in_any_order(self, order: tuple[int, ...], scripted_peer: Script) -> None:
        """Three requests outstanding, as a window of three would allow: each response finds its own."""
        answers = [respond(0xC000 + index, message=index) for index in order]
        peer = scripted_peer([accept(), *[expect_message()] * 3, *answers, release()])
        association = request(peer)
        ids = [association.store(1, Bytes(b"ab", number=number)) for number in (1, 2, 3)]
        responses = [association.collect() for _ in ids]
        association.release()
        assert [response.message_id for response in responses] == [ids[index] for index in order]
        assert [response.status for response in responses] == [0xC000 + index for index in order]

    def test_a_second_response_to_the_same_request_is_an_error(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), expect_message(), respond(), respond(), expect(pdus.A_ABORT), drain()])
        association = request(peer)
        association.store(1, Bytes(b"ab"))
        association.collect()
        with pytest.raises(RemoteProtocolError, match="answered Message ID 1, which was not asked"):
            association.collect()
        assert association.closed


class TestDeadlines:
    """The clock is ours: it jumps, nobody waits."""

    def test_of_the_request(self, scripted_peer: Script) -> None:
        peer = scripted_peer([expect(pdus.A_ASSOCIATE_RQ), expect(pdus.A_ABORT), drain()])
        with pytest.raises(PeerTimeout, match="the answer to the association request took more than 30 seconds"):
            request(peer, clock=clock_that_jumps(0, 30))

    def test_of_the_response(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), expect_message(), expect(pdus.A_ABORT), drain()])
        association = request(peer, timeouts=Timeouts(acse=None, dimse=300), clock=clock_that_jumps(0, 300))
        association.store(1, Bytes(b"ab"))
        with pytest.raises(PeerTimeout, match="the peer's response took more than 300 seconds"):
            association.collect()
        assert association.closed

    def test_of_the_release(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), expect(pdus.A_RELEASE_RQ), expect(pdus.A_ABORT), drain()])
        association = request(peer, clock=clock_that_jumps(0, 0, 100, 130))
        with pytest.raises(PeerTimeout, match="the answer to the release request took more than 30 seconds"):
            association.release()

    def test_bytes_that_trickle_do_not_extend_it(self, scripted_peer: Script) -> None:
        """The limit is for the whole answer, not from one byte to the next."""
        peer = scripted_peer([expect(pdus.A_ASSOCIATE_RQ), send(b"\2"), expect(pdus.A_ABORT), drain()])
        with pytest.raises(PeerTimeout, match="the answer to the association request"):
            request(peer, clock=clock_that_jumps(0, 0, 31))

    def test_a_stall_within_a_pdu_has_its_own(self, scripted_peer: Script) -> None:
        peer = scripted_peer([expect(pdus.A_ASSOCIATE_RQ), send(b"\2\0\0"), expect(pdus.A_ABORT), drain()])
        with pytest.raises(PeerTimeout, match=r"the rest of a PDU took more than 0\.05 seconds"):
            request(peer, timeouts=Timeouts(acse=None, socket=0.05))


# Which of our errors tells what happened, and how much the user learns from it.
ENDS_BEFORE = {
    "reject": ([reject(1, 1, 7)], AssociationRejected, "called AE title not recognised"),
    "abort": ([expect(pdus.A_ASSOCIATE_RQ), send(pdus.abort(2, 2)), drain()], AssociationAborted, "did not expect"),
    "close": ([expect(pdus.A_ASSOCIATE_RQ), close()], ConnectionLost, "peer closed the connection"),
    "reset": ([expect(pdus.A_ASSOCIATE_RQ), reset()], ConnectionLost, "connection lost"),
    "rubbish": ([expect(pdus.A_ASSOCIATE_RQ), send(b"SSH-2.0-"), drain()], RemoteProtocolError, "the peer speaks SSH"),
}  # fmt: skip

ENDS_AFTER = {
    "abort": ([send(pdus.abort(0, 0)), drain()], AssociationAborted, "by the receiving application"),
    "release": ([send(pdus.release_rq()), expect(pdus.A_ABORT), drain()], ReleaseRequested, "asked to release"),
    "close": ([close()], ConnectionLost, "peer closed the connection"),
    "half a PDU": ([send(b"\4\0\0"), close()], ConnectionLost, "in the middle of a PDU"),
}


class TestEnds:
    @pytest.mark.parametrize(("script", "kind", "words"), ENDS_BEFORE.values(), ids=ENDS_BEFORE.keys())
    def test_of_a_request(
        self, script: list[Step], kind: type[DcmsendError], words: str, scripted_peer: Script
    ) -> None:
        with pytest.raises(kind, match=words):
            request(scripted_peer(script))

    @pytest.mark.parametrize(("script", "kind", "words"), ENDS_AFTER.values(), ids=ENDS_AFTER.keys())
    def test_instead_of_a_response(
        self, script: list[Step], kind: type[DcmsendError], words: str, scripted_peer: Script
    ) -> None:
        association = request(scripted_peer([accept(), expect_message(), *script]))
        association.store(1, Bytes(b"ab"))
        with pytest.raises(kind, match=words):
            association.collect()
        assert association.closed

    def test_an_abort_tells_more_than_the_reset_behind_it(self, scripted_peer: Script) -> None:
        """Sending fails because the connection is gone; the A-ABORT that came before says why."""
        script = [accept(), expect_bytes(1000), send(pdus.abort(2, 6)), close()]
        association = request(scripted_peer(script, receive_buffer=65536))
        with pytest.raises(AssociationAborted, match="invalid value in a PDU parameter"):
            association.store(1, Bytes(bytes(32 << 20)))
        assert association.closed

    def test_last_message_prefers_the_abort_over_the_lost_connection(self) -> None:
        association, ours, theirs = established()
        with ours, theirs:
            theirs.sendall(pdus.abort(2, 1))
            theirs.close()
            error = association._last_message(ConnectionLost("reset"))
        assert isinstance(error, AssociationAborted)

    def test_last_message_is_the_lost_connection_where_nothing_was_said(self) -> None:
        association, ours, theirs = established()
        lost = ConnectionLost("reset")
        with ours, theirs:
            theirs.close()
            assert association._last_message(lost) is lost


def established() -> tuple[Association, socket.socket, socket.socket]:
    """An association over a pair of sockets, its negotiation left out."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    association = Association(Stream(ours, 60), Timeouts(), Limits(), lambda: 0.0)
    association._machine.state = type(association._machine.state).ESTABLISHED
    return association, ours, theirs


class TestIdle:
    @pytest.mark.parametrize(("script", "kind", "words"), ENDS_AFTER.values(), ids=ENDS_AFTER.keys())
    def test_an_end_is_heard_before_anything_is_sent(
        self, script: list[Step], kind: type[DcmsendError], words: str
    ) -> None:
        association, ours, theirs = established()
        sent = {"abort": pdus.abort(0, 0), "release": pdus.release_rq(), "half a PDU": b"\4\0\0"}
        name = next(name for name, row in ENDS_AFTER.items() if row[0] is script)
        with ours, theirs:
            theirs.sendall(sent.get(name, b""))
            theirs.shutdown(socket.SHUT_WR)
            with pytest.raises(kind, match=words):
                association.listen()
            assert association.closed

    def test_silence_is_fine(self) -> None:
        association, ours, theirs = established()
        with ours, theirs:
            association.listen()
            assert not association.closed


class TestReady:
    """Whether there is something to collect, without waiting for it."""

    def test_not_while_the_peer_is_silent(self, tcp_pair: TCPPair) -> None:
        association, _ = watching(tcp_pair)
        assert not association.ready()

    def test_once_a_response_has_come(self, tcp_pair: TCPPair) -> None:
        association, arrived = watching(tcp_pair)
        association._outstanding[1] = C_STORE_RSP
        arrived(Response(C_STORE_RSP, 1, 0xB000))
        assert association.ready()
        assert association.collect().status == 0xB000
        assert not association.ready()

    def test_for_one_that_came_while_something_was_sent(self, tcp_pair: TCPPair) -> None:
        association, _ = watching(tcp_pair)
        association._feed(encode_command(1, Response(C_STORE_RSP, 1, 0).encode(), 16384))
        assert association.ready()

    def test_at_the_end_of_the_connection(self, tcp_pair: TCPPair) -> None:
        association, arrived = watching(tcp_pair)
        arrived(None)
        assert association.ready()
        with pytest.raises(ConnectionLost, match="peer closed the connection"):
            association.collect()
        assert association.ready()  # no waiting will bring more


TCPPair = tuple[socket.socket, socket.socket]


@pytest.fixture
def tcp_pair() -> Iterator[TCPPair]:
    """Two ends of a TCP connection, which has the options that a pair of sockets has not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        with ours, listener.accept()[0] as theirs:
            ours.setblocking(False)
            yield ours, theirs


def watching(pair: TCPPair) -> tuple[Association, Callable[[Response | None], None]]:
    """An association over a pair, and how to have a response (or the end of the connection) arrive there."""
    ours, theirs = pair
    association = Association(Stream(ours, 60), Timeouts(), Limits(), lambda: 0.0)
    association._machine.state = type(association._machine.state).ESTABLISHED

    def arrived(response: Response | None) -> None:
        if response is None:
            theirs.shutdown(socket.SHUT_WR)
        else:
            theirs.sendall(encode_command(1, response.encode(), 16384))
        assert select.select([ours], [], [], 60)[0]

    return association, arrived


class TestDataSets:
    @pytest.mark.parametrize("size", [2, 16370, 16372, 16374, 1 << 20])
    def test_arrive_whole(self, size: int, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), store(), release()])
        data = (bytes(range(256)) * (size // 256 + 1))[:size]
        association = request(peer)
        association.store(1, Bytes(data))
        association.collect()
        association.release()
        assert peer.messages[0].dataset == data

    def test_that_fail_at_once_leave_the_association_as_it_was(self, scripted_peer: Script) -> None:
        """Nothing had left: the next one goes over the same association, with the same Message ID."""
        peer = scripted_peer([accept(), store(), release()])
        association = request(peer)
        with pytest.raises(FileError, match="it broke"):
            association.store(1, Bytes(b"abcd", fails_at=0))
        assert not association.closed
        assert association.store(1, Bytes(b"ab", number=2)) == 1
        association.collect()
        association.release()
        assert [message.sop_instance for message in peer.messages] == ["1.2.3.2"]

    def test_that_fail_later_abort_the_association(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), drain()])
        association = request(peer)
        with pytest.raises(FileError, match="it broke"):
            association.store(1, Bytes(bytes(2 << 20), fails_at=1 << 20))
        assert association.closed
        peer.stop()
        assert peer.connections[0].received.endswith(pdus.abort(0, 0))
        with pytest.raises(LocalProtocolError):
            association.store(1, Bytes(b"ab"))


class TestRelease:
    @pytest.mark.parametrize(
        "ends", [[close()], [reset()], [send(pdus.release_rp()), expect_close()]], ids=["close", "reset", "confirm"]
    )
    def test_a_peer_that_just_goes_is_taken_for_released(self, ends: list[Step], scripted_peer: Script) -> None:
        association = request(scripted_peer([accept(), expect(pdus.A_RELEASE_RQ), *ends]))
        association.release()
        assert association.closed

    def test_an_abort_in_its_place_is_raised(self, scripted_peer: Script) -> None:
        association = request(scripted_peer([accept(), expect(pdus.A_RELEASE_RQ), send(pdus.abort()), drain()]))
        with pytest.raises(AssociationAborted):
            association.release()

    def test_aborting_again_does_no_harm(self, scripted_peer: Script) -> None:
        association = request(scripted_peer([accept(), expect(pdus.A_ABORT), expect_close()]))
        for _ in range(3):
            association.abort()
        assert association.closed


class TestNegotiation:
    @pytest.mark.parametrize(
        ("called", "calling"), [("", "US"), ("PEER", ""), ("   ", "US")], ids=["called", "calling", "blank"]
    )
    def test_titles_must_not_be_empty(self, called: str, calling: str) -> None:
        peer = Peer(host="127.0.0.1", port=1, called_ae=called, calling_ae=calling)
        with pytest.raises(NegotiationError, match="AE titles must not be empty"):
            Association.request(peer, CONTEXTS, timeouts=Timeouts(), limits=Limits(), stop=Stop())

    def test_without_an_item_a_maximum_length_is_assumed(self, scripted_peer: Script) -> None:
        bare = answer(lambda connection: without_user_information(pdus.associate_ac(known(connection))))
        association = request(scripted_peer([expect(pdus.A_ASSOCIATE_RQ), bare, store(), release()]))
        assert (association.max_pdu, association.implementation, association.window) == (16384, "", 1)
        association.store(1, Bytes(bytes(100_000)))
        association.collect()
        association.release()

    def test_after_an_abort_by_the_user_nothing_is_negotiated(self, scripted_peer: Script) -> None:
        """It came between connecting and asking, when there was nobody to wake."""
        peer = scripted_peer([drain()])
        stop = LateStop()
        target = Peer(host="127.0.0.1", port=peer.port)
        with pytest.raises(ConnectionLost, match="stopped by the user"):
            Association.request(target, CONTEXTS, timeouts=Timeouts(), limits=Limits(), stop=stop)
        peer.stop()
        assert pdus.A_ASSOCIATE_RQ not in peer.connections[0].received[:1]


class LateStop(Stop):
    """Aborts the moment that connecting is over."""

    def __init__(self) -> None:
        super().__init__()
        self.wakers = Wakers(self)


class Wakers(dict[object, Callable[[], None]]):
    """Nobody is left to be woken when the first of them goes."""

    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self._stop = stop

    def __delitem__(self, who: object) -> None:
        super().__delitem__(who)
        self._stop.aborted = self._stop.requested = True


def known(connection: Connection) -> pdus.Request:
    assert connection.request is not None
    return connection.request


def without_user_information(acceptance: bytes) -> bytes:
    """An A-ASSOCIATE-AC without its last item."""
    return pdus.pdu(pdus.A_ASSOCIATE_AC, acceptance[6 : acceptance.rindex(b"\x50\0")])


@pytest.fixture(autouse=True)
def no_socket_is_left_open() -> Iterator[None]:
    """A socket that is not closed warns when it is collected, and a warning is an error here."""
    import gc

    yield
    gc.collect()
