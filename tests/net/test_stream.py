"""TCP connections: all addresses are tried, no wait is longer than allowed, every failure is one of our errors."""

from __future__ import annotations

import _socket
import contextlib
import errno
import importlib.util
import select
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import dcmsend
from dcmsend.errors import ConnectError, ConnectionLost, NameResolutionError, PeerTimeout
from dcmsend.model import AddressFamily, Limits, Peer, Policy, State
from dcmsend.net import stream
from dcmsend.net.pace import Pace
from dcmsend.net.stream import Stream, connect
from dcmsend.stop import Stop
from tests.support.builder import part10
from tests.support.scripted import ScriptedPeer, accept, drain, expect_bytes, send


class Watched:
    """A socket that remembers what was asked of it."""

    def __init__(self, connection: socket.socket) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if name == "fileno":
            return found

        def call(*arguments: object) -> object:
            self.calls.append((name, arguments))
            return found(*arguments)

        return call

    def count(self, *call: object) -> int:
        return self.calls.count((str(call[0]), call[1:]))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection; ours, the first one, does not block."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """A port that is ours and that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def resolves_to(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Let every name have these addresses, in this order."""
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(_socket, "getaddrinfo", lambda *_: entries)


def unheard(data: bytes) -> None:
    pytest.fail(f"nothing was to come, but {data!r} did")


class TestConnect:
    def test_tries_all_addresses_in_turn(
        self, monkeypatch: pytest.MonkeyPatch, listener: socket.socket, refusing_port: int
    ) -> None:
        port = listener.getsockname()[1]
        resolves_to(monkeypatch, refusing_port, refusing_port, port)
        with closing(connect("peer", 104, family=AddressFamily.ANY, timeout=None, stop=Stop())) as connection:
            assert connection.getpeername() == ("127.0.0.1", port)

    def test_names_the_last_address_that_refused(self, monkeypatch: pytest.MonkeyPatch, refusing_port: int) -> None:
        resolves_to(monkeypatch, refusing_port)
        with pytest.raises(ConnectError, match=r"^cannot connect to peer:104 \(127\.0\.0\.1\): .*refused"):
            connect("peer", 104, family=AddressFamily.ANY, timeout=None, stop=Stop())

    def test_without_any_address_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        resolves_to(monkeypatch)
        with pytest.raises(ConnectError, match=r"^no address found for host 'peer': it has none$"):
            connect("peer", 104, family=AddressFamily.ANY, timeout=None, stop=Stop())

    @pytest.mark.parametrize(
        ("host", "family", "words"),
        [
            ("::1", AddressFamily.IPV4, "^no IPv4 address found for host '::1': "),
            ("127.0.0.1", AddressFamily.IPV6, "^no IPv6 address found for host '127.0.0.1': "),
            ("\u00e9" * 64 + ".invalid", AddressFamily.ANY, "^no address found for host '\u00e9.*': not a host name"),
            ("a\0b", AddressFamily.ANY, r"^no address found for host 'a\\x00b': not a host name"),
        ],
    )
    def test_names_without_addresses(self, host: str, family: AddressFamily, words: str) -> None:
        with pytest.raises(NameResolutionError, match=words):
            connect(host, 104, family=family, timeout=None, stop=Stop())

    def test_the_connection_does_not_delay_and_does_not_block(self, listener: socket.socket) -> None:
        stop = Stop()
        port = listener.getsockname()[1]
        with closing(connect("127.0.0.1", port, family=AddressFamily.IPV4, timeout=10, stop=stop)) as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert connection.gettimeout() == 0
        assert not stop.wakers

    def test_gives_up_after_the_time_limit(self, monkeypatch: pytest.MonkeyPatch, listener: socket.socket) -> None:
        class Pending(_socket.socket):
            def connect_ex(self, address: object) -> int:
                return errno.EINPROGRESS

        monkeypatch.setattr(_socket, "socket", Pending)
        monkeypatch.setattr(stream, "poller", lambda _: lambda *, writing, timeout: (False, False))
        with pytest.raises(ConnectError, match=r"\(127.0.0.1\): no answer within 2.5 seconds"):
            connect("127.0.0.1", 104, family=AddressFamily.IPV4, timeout=2.5, stop=Stop())

    def test_is_not_tried_further_after_an_abort(
        self, monkeypatch: pytest.MonkeyPatch, listener: socket.socket, refusing_port: int
    ) -> None:
        """Also where the abort came before there was anything to wake."""
        resolves_to(monkeypatch, refusing_port, listener.getsockname()[1])
        stop = Stop()
        stop.request()
        with pytest.raises(ConnectError):
            connect("peer", 104, family=AddressFamily.ANY, timeout=None, stop=stop)


class TestStream:
    def test_sends_all_although_the_peer_reads_late(self, pair: tuple[socket.socket, socket.socket]) -> None:
        """The send buffer is full several times; what comes in between is handed on."""
        ours, theirs = pair
        theirs.setblocking(False)
        data, got, heard = bytes(range(256)) * 8192, bytearray(), bytearray()
        theirs.send(b"early")

        def hear(incoming: bytes) -> None:
            heard.extend(incoming)

        def read_on(*_: object, writing: bool, timeout: float | None) -> tuple[bool, bool]:
            got.extend(theirs.recv(1 << 20))
            return not heard, True

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stream, "poller", lambda _: read_on)
            Stream(ours, 60).send(data, hear)
        while len(got) < len(data):
            got.extend(theirs.recv(1 << 20))
        assert bytes(got) == data
        assert bytes(heard) == b"early"

    def test_gives_up_a_peer_that_takes_nothing(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with pytest.raises(
            PeerTimeout, match=r"^timeout: sending to a peer that takes nothing took more than 0.01 sec"
        ):
            Stream(pair[0], 0.01).send(bytes(1 << 24), unheard)

    def test_sending_to_a_closed_connection_is_a_lost_connection(
        self, pair: tuple[socket.socket, socket.socket]
    ) -> None:
        pair[1].close()
        with pytest.raises(ConnectionLost, match=r"^connection lost while sending: "):
            Stream(pair[0], 60).send(bytes(1 << 24), unheard)

    def test_receives_what_is_there_and_the_end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        ours, theirs = pair
        theirs.send(b"abc")
        watched = stream_of(ours)
        assert watched.receive(None, "phase", None) == b"abc"
        theirs.shutdown(socket.SHUT_WR)
        assert watched.receive(None, "phase", None) == b""

    @pytest.mark.parametrize("left", [0.0, 0.01, -5.0])
    def test_silence_is_a_timeout_with_phase_and_whole_limit(
        self, left: float, pair: tuple[socket.socket, socket.socket]
    ) -> None:
        with pytest.raises(PeerTimeout) as raised:
            stream_of(pair[0]).receive(left, "response_timeout", 30)
        assert str(raised.value) == "timeout: the peer's response took more than 30 seconds"
        assert (raised.value.phase, raised.value.seconds) == ("response_timeout", 30)

    def test_what_is_pending_is_told_from_silence_and_from_the_end(
        self, pair: tuple[socket.socket, socket.socket]
    ) -> None:
        ours, theirs = pair
        watched = Stream(ours, 60)
        found = [watched.receive_pending()]
        theirs.send(b"abc")
        found.append(watched.receive_pending())
        theirs.close()
        found.append(watched.receive_pending())
        assert found == [None, b"abc", b""]

    def test_last_words_are_sent_and_nothing_after(self, pair: tuple[socket.socket, socket.socket]) -> None:
        ours, theirs = pair
        Stream(ours, 60).last_words(b"bye")
        assert theirs.recv(10) == b"bye"
        assert theirs.recv(10) == b""

    @pytest.mark.parametrize(("patience", "heard"), [(0, False), (30, True)])
    def test_last_words_where_there_is_no_room(
        self, patience: float, heard: bool, pair: tuple[socket.socket, socket.socket]
    ) -> None:
        """A peer that reads late hears them if it is given the time."""
        ours, theirs = pair
        with contextlib.suppress(BlockingIOError):
            while True:
                ours.send(bytes(1 << 16))
        received: list[bytes] = []

        def read() -> None:
            while data := theirs.recv(1 << 16):
                received.append(data)

        reader = threading.Thread(target=read)
        if not heard:
            Stream(ours, 60).last_words(b"bye", patience)
        reader.start()
        if heard:
            Stream(ours, 60).last_words(b"bye", patience)
        reader.join(30)
        assert b"".join(received).endswith(b"bye") is heard

    def test_last_words_to_nobody_do_no_harm(self, pair: tuple[socket.socket, socket.socket]) -> None:
        pair[1].close()
        gone = Stream(pair[0], 60)
        gone.last_words(b"bye")
        gone.close()
        gone.last_words(b"bye")

    @pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="this system has no TCP_QUICKACK")
    def test_quick_acknowledgement_is_asked_for_before_each_wait(self, listener: socket.socket) -> None:
        """The option does not last: once per connection would be as good as never."""
        option = getattr(socket, "TCP_QUICKACK")  # noqa: B009 - not on every system
        with socket.create_connection(listener.getsockname()) as ours, listener.accept()[0] as theirs:
            watched = Watched(ours)
            receiving = Stream(watched, 60)  # type: ignore[arg-type]
            counts = []
            for _ in range(3):
                theirs.send(b"abc")
                receiving.receive(None, "phase", None)
                counts.append(watched.count("setsockopt", socket.IPPROTO_TCP, option, 1))
        assert counts == [1, 2, 3]
        waits = [name for name, _ in watched.calls if name in ("setsockopt", "recv")]
        assert waits == ["setsockopt", "recv"] * 3


def stream_of(connection: socket.socket) -> Stream:
    """A stream over one end of a pair, which has no TCP options to set."""

    class Pair(Watched):
        def setsockopt(self, *_: object) -> None:
            pass

    return Stream(Pair(connection), 60)  # type: ignore[arg-type]


@pytest.fixture
def without_poll(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as it is where the system has no ``poll``."""
    monkeypatch.delattr(select, "poll", raising=False)
    spec = importlib.util.spec_from_file_location("stream_without_poll", stream.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def waiting(module: ModuleType, connection: socket.socket, **wanted: Any) -> Any:
    """What ``poller`` makes, or with ``writing`` and ``timeout`` what that says."""
    if "only_writing" in wanted:
        return module.poller(connection, **wanted)
    return module.poller(connection)(**wanted)


class TestWaiting:
    """``poller``: (readable, ready), with ``poll`` and where there is only ``select``."""

    @pytest.fixture(params=["poll", "select"])
    def poll(self, request: pytest.FixtureRequest) -> Any:
        if request.param == "select":
            module = request.getfixturevalue("without_poll")
            return partial(waiting, module)
        if sys.platform == "win32":
            pytest.skip("there is no poll")
        return partial(waiting, stream)

    def test_silence(self, poll: Any, pair: tuple[socket.socket, socket.socket]) -> None:
        assert poll(pair[0], writing=False, timeout=0.0) == (False, False)

    def test_a_negative_limit_is_none_at_all(self, poll: Any, pair: tuple[socket.socket, socket.socket]) -> None:
        assert poll(pair[0], writing=False, timeout=-1.0) == (False, False)

    def test_room_to_send(self, poll: Any, pair: tuple[socket.socket, socket.socket]) -> None:
        assert poll(pair[0], writing=True, timeout=None) == (False, True)

    def test_room_alone(self, poll: Any, pair: tuple[socket.socket, socket.socket]) -> None:
        """What has come does not end the wait for room to send."""
        pair[1].send(b"abc")
        wait = poll(pair[0], only_writing=True)
        assert wait(writing=False, timeout=None) == (False, True)
        with pytest.raises(BlockingIOError):
            while pair[0].send(bytes(1 << 16)):
                pass
        assert wait(writing=False, timeout=0.0) == (False, False)

    def test_bytes_to_read(self, poll: Any, pair: tuple[socket.socket, socket.socket]) -> None:
        pair[1].send(b"abc")
        assert poll(pair[0], writing=False, timeout=None) == (True, True)
        assert poll(pair[0], writing=True, timeout=1e12) == (True, True)

    def test_the_end(self, poll: Any, pair: tuple[socket.socket, socket.socket]) -> None:
        pair[1].close()
        assert poll(pair[0], writing=False, timeout=None) == (True, True)


class TestPace:
    """What leaves is cut into pieces, and each waits for its time: with an ear for the peer, and never asleep."""

    def test_bytes_take_their_time(self) -> None:
        now = [100.0]
        pace = Pace(1000, lambda: now[0])
        assert pace.piece == 20
        assert pace.delay(500) == 0
        assert pace.delay(500) == 0.5
        now[0] += 0.25
        assert pace.delay(100) == 0.75
        now[0] += 10  # what was not used is gone
        assert pace.delay(1000) == 0
        assert pace.delay(1) == 1

    @pytest.mark.parametrize(("rate", "piece"), [(1, 1), (1000, 20), (10**9, 65536)])
    def test_pieces(self, rate: int, piece: int) -> None:
        assert Pace(rate).piece == piece

    def test_what_comes_in_a_pause_is_heard(self, pair: tuple[socket.socket, socket.socket]) -> None:
        ours, theirs = pair
        waits: list[float] = []
        heard: list[bytes] = []

        def poll(*, writing: bool, timeout: float) -> tuple[bool, bool]:
            assert not writing
            waits.append(timeout)
            if len(waits) == 2:
                theirs.send(b"abort")
            return len(waits) == 2, len(waits) == 2

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stream, "poller", lambda _: poll)
            Stream(ours, 60, Pace(1000, lambda: 0.0)).send(bytes(range(100)), heard.append)
        assert waits == pytest.approx([0.02, 0.04, 0.06, 0.08])
        assert heard == [b"abort"]
        assert theirs.recv(1000) == bytes(range(100))

    def test_an_abort_in_a_pause_ends_the_run_at_once(
        self, scripted_peer: Callable[..., ScriptedPeer], tmp_path: Path
    ) -> None:
        """The pause would be longer than any test."""
        abort = struct.pack(">BxIxxBB", 7, 4, 2, 0)
        peer = scripted_peer([accept(), expect_bytes(20), send(abort), drain()])
        path = tmp_path / "large.dcm"
        path.write_bytes(part10("1.2.840.10008.5.1.4.1.1.2", "1.2.3", value=bytes(10**6)))
        target = Peer(host="127.0.0.1", port=peer.port)
        with dcmsend.send(target, [str(path)], limits=Limits(rate=1000), policy=Policy(halt=False)) as report:
            ((_, outcome),) = report.rows()
        assert outcome.state is State.FAILED
        assert "aborted" in str(outcome.reason)
