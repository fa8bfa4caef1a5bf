"""Streams through TLS: the promises of ``Stream`` hold, whatever TLS does in between, and nothing can be cut off."""

from __future__ import annotations

import random
import select
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import IO, Any, Final

import pytest

from dcmsend.errors import ConnectionLost, NetworkError, PeerTimeout, TlsError
from dcmsend.net import secured
from dcmsend.net import stream as plain
from dcmsend.net.pace import Pace
from dcmsend.net.secured import TlsStream
from dcmsend.net.tls import Security
from dcmsend.security import Tls
from tests.support.certificates import Pki

LIMIT: Final = 30.0  # seconds
VERSIONS: Final = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class Peer:
    """A server's side of TLS over a socket, step by step: what it wants to send can be held back."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self.socket = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def handshake(self) -> None:
        self._do(self._tls.do_handshake)

    def records(self, data: bytes) -> bytes:
        """The records that this becomes; they are still to be sent."""
        self._tls.write(data)
        return self._outgoing.read()

    def send(self, data: bytes) -> None:
        self.socket.sendall(self.records(data))

    def receive(self, count: int) -> bytes:
        """Exactly so many bytes."""
        got = bytearray()
        while len(got) < count:
            piece = self._do(partial(self._tls.read, count - len(got)))
            assert piece, "the connection has ended"
            got += piece
        return bytes(got)

    def end(self) -> None:
        """Send close_notify."""
        with pytest.raises(ssl.SSLWantReadError):
            self._tls.unwrap()
        self.socket.sendall(self._outgoing.read())

    def _do(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.socket.sendall(self._outgoing.read())
                data = self.socket.recv(65536)
                self._incoming.write(data) if data else self._incoming.write_eof()
            finally:
                if self._outgoing.pending:
                    self.socket.sendall(self._outgoing.read())


@pytest.fixture
def connections() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection; ours, the first one, does not block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname(), timeout=LIMIT)
        theirs, _ = listening.accept()
    with ours, theirs:
        ours.setblocking(False)
        theirs.settimeout(LIMIT)
        yield ours, theirs


Connect = Callable[..., tuple[TlsStream, Peer]]


@pytest.fixture
def connect(connections: tuple[socket.socket, socket.socket], pki: Pki) -> Iterator[Connect]:
    """Our stream and the peer, after the handshake."""
    made: list[TlsStream] = []

    def make(
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, timeout: float | None = LIMIT, pace: Pace | None = None
    ) -> tuple[TlsStream, Peer]:
        ours, theirs = connections
        context = pki.context()
        context.minimum_version = context.maximum_version = version
        peer = Peer(theirs, context)
        stream = Security(Tls(ca_files=(str(pki.ca.certificate),)), "localhost").stream(ours, timeout, pace)
        made.append(stream)
        thread = threading.Thread(target=peer.handshake)
        thread.start()
        stream.begin(LIMIT)
        thread.join(LIMIT)
        return stream, peer

    yield make
    for stream in made:
        stream.close()


def unheard(data: bytes) -> None:
    pytest.fail(f"nothing was to come, but {data!r} did")


def readable(stream: TlsStream) -> bool:
    """Whether bytes have come, whatever they are; waits for them."""
    return bool(select.select([stream._tls], [], [], LIMIT)[0])


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
class TestStream:
    def test_both_directions(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, peer = connect(version)
        stream.send(b"question", unheard)
        assert peer.receive(8) == b"question"
        peer.send(b"answer")
        assert stream.receive(LIMIT, "phase", LIMIT) == b"answer"
        assert stream.security.startswith(
            "TLSv1.2, TLS_ECDHE_RSA_WITH_" if version.name == "TLSv1_2" else "TLSv1.3, TLS_"
        )

    def test_sends_all_although_the_peer_reads_late(self, version: ssl.TLSVersion, connect: Connect) -> None:
        """The send buffer is full several times in the middle of records; what comes in between is handed on."""
        stream, peer = connect(version)
        data, got, heard = bytes(range(256)) * 65536, bytearray(), bytearray()
        first, may_read = threading.Event(), threading.Event()

        def read_late() -> None:
            peer.send(b"early")
            first.set()
            assert may_read.wait(LIMIT)
            got.extend(peer.receive(len(data)))

        def hear(incoming: bytes) -> None:
            heard.extend(incoming)
            may_read.set()

        thread = threading.Thread(target=read_late)
        thread.start()
        assert first.wait(LIMIT)
        stream.send(memoryview(data), hear)
        thread.join(LIMIT)
        assert bytes(heard) == b"early"
        assert bytes(got) == data

    def test_what_is_no_data_is_not_readable(self, version: ssl.TLSVersion, connect: Connect) -> None:
        """Session tickets (TLS 1.3 sends them when the handshake is over), and a record of which half has come."""
        stream, peer = connect(version)
        if version is ssl.TLSVersion.TLSv1_3:
            assert readable(stream)
        assert not stream.readable()
        assert stream.receive_pending() is None
        record = peer.records(b"answer")
        peer.socket.sendall(record[:-1])
        assert readable(stream)
        assert not stream.readable()
        peer.socket.sendall(record[-1:])
        assert readable(stream)
        assert stream.readable()
        assert stream.readable()
        assert stream.receive(None, "phase", None) == b"answer"
        assert not stream.readable()

    def test_record_in_single_bytes(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, peer = connect(version)
        record = peer.records(b"answer")

        def trickle() -> None:
            for at in range(len(record)):
                peer.socket.sendall(record[at : at + 1])

        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=trickle)
        thread.start()
        assert stream.receive(LIMIT, "phase", LIMIT) == b"answer"
        thread.join(LIMIT)

    def test_half_a_record_is_silence(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, peer = connect(version)
        peer.socket.sendall(peer.records(b"answer")[:-1])
        with pytest.raises(PeerTimeout, match=r"^timeout: the peer's response took more than 7 seconds$"):
            stream.receive(0.01, "response_timeout", 7)

    def test_more_than_one_record_at_once(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, peer = connect(version)
        data = bytes(range(256)) * 160  # 40 KiB: three records
        peer.send(data)
        got = b""
        while len(got) < len(data):
            got += stream.receive(LIMIT, "phase", LIMIT)
        assert got == data
        assert stream.receive_pending() is None

    def test_silence_is_a_timeout(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, _ = connect(version)
        for left in (0.0, 0.01, -5.0):
            with pytest.raises(PeerTimeout, match=r"^timeout: the peer's response took more than 30 seconds$"):
                stream.receive(left, "response_timeout", 30)

    def test_gives_up_a_peer_that_takes_nothing(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, _ = connect(version, timeout=0.01)
        with pytest.raises(PeerTimeout, match=r"sending to a peer that takes nothing took more than 0.01 sec"):
            stream.send(bytes(1 << 25), unheard)

    def test_the_end_in_order(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, peer = connect(version)
        peer.send(b"last")
        peer.end()
        assert stream.receive(LIMIT, "phase", LIMIT) == b"last"
        assert stream.receive(LIMIT, "phase", LIMIT) == b""
        assert stream.receive_pending() == b""

    def test_what_may_have_been_cut_off_is_no_end(self, version: ssl.TLSVersion, connect: Connect) -> None:
        """Anybody on the way can end a TCP connection: only close_notify says that all has come."""
        stream, peer = connect(version)
        peer.send(b"last")
        peer.socket.shutdown(socket.SHUT_RDWR)
        assert stream.receive(LIMIT, "phase", LIMIT) == b"last"
        with pytest.raises(ConnectionLost, match="without ending TLS"):
            stream.receive(LIMIT, "phase", LIMIT)

    def test_an_error_that_was_found_early_is_not_lost(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, peer = connect(version)
        peer.socket.shutdown(socket.SHUT_RDWR)
        while not stream.readable():
            assert readable(stream)
        with pytest.raises(ConnectionLost, match="without ending TLS"):
            stream.receive(LIMIT, "phase", LIMIT)

    def test_a_forged_record_ends_the_connection(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, peer = connect(version)
        record = bytearray(peer.records(b"answer"))
        record[-1] ^= 1
        peer.socket.sendall(record)
        with pytest.raises(TlsError, match="damaged or forged") as caught:
            stream.receive(LIMIT, "phase", LIMIT)
        assert not caught.value.retryable

    def test_sending_to_a_closed_connection(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, peer = connect(version)
        peer.socket.close()
        with pytest.raises(ConnectionLost, match=r"connection lost while sending|without ending TLS"):
            stream.send(bytes(1 << 25), lambda data: None)

    def test_what_was_said_last_can_be_read_when_nothing_can_be_sent(
        self, version: ssl.TLSVersion, connect: Connect
    ) -> None:
        """A peer that aborts, says why and goes."""
        stream, peer = connect(version)
        peer.send(b"why")
        peer.socket.close()
        assert readable(stream)
        with pytest.raises(ConnectionLost, match=r"^connection lost while sending: "):
            while True:
                stream._tls.setblocking(True)  # so that nothing is heard meanwhile
                stream.send(bytes(1 << 20), unheard)
        stream._tls.setblocking(False)
        assert stream.receive_now() == b"why"
        with pytest.raises(ConnectionLost):
            stream.receive_now()

    def test_nothing_is_there(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, _ = connect(version)
        with pytest.raises(ConnectionLost, match=r"^connection lost: nothing is there$"):
            stream.receive_now()

    def test_last_words_are_sent_and_tls_is_ended(self, version: ssl.TLSVersion, connect: Connect) -> None:
        stream, peer = connect(version)
        stream.last_words(b"bye")
        stream.last_words(b"never")
        assert peer.receive(3) == b"bye"
        assert peer._do(lambda: peer._tls.read(10)) == b""  # in order: else this raises

    def test_last_words_to_a_peer_that_takes_nothing_do_not_wait(
        self, version: ssl.TLSVersion, connect: Connect
    ) -> None:
        """Part of a record has left, so nothing else can: the connection ends as it is."""
        stream, peer = connect(version, timeout=0.01)
        with pytest.raises(PeerTimeout):
            stream.send(bytes(1 << 25), unheard)
        stream.last_words(b"bye")
        stream.close()
        while peer.socket.recv(1 << 20):
            pass

    def test_interrupted_from_another_thread(self, version: ssl.TLSVersion, connect: Connect) -> None:
        """Who waits without a limit sees the end; nothing has been written into the middle of anything."""
        stream, peer = connect(version)
        timer = threading.Timer(0.05, stream.interrupt, [b"abort"])
        timer.start()
        with pytest.raises(NetworkError):
            stream.receive(None, "phase", None)
        timer.join()
        assert peer.socket.recv(100) == b""

    def test_pace(self, version: ssl.TLSVersion, connect: Connect) -> None:
        """Pieces of a paced stream have their pauses; what comes in one and is no data does no harm."""
        stream, peer = connect(version, pace=Pace(100_000))
        stream.send(bytes(range(256)) * 32, unheard)
        assert peer.receive(8192) == bytes(range(256)) * 32


class TestHandshake:
    @pytest.fixture
    def begun(self, connections: tuple[socket.socket, socket.socket]) -> Iterator[Callable[..., TlsStream]]:
        with ExitStack() as stack:
            yield lambda tls, timeout: stack.enter_context(
                closing(Security(tls, "localhost").stream(connections[0], timeout, None))
            )

    @pytest.mark.parametrize(("timeout", "limit"), [(0.01, LIMIT), (None, 0.01)], ids=["its own", "of the socket"])
    def test_a_peer_that_stalls(
        self, timeout: float | None, limit: float, begun: Callable[..., TlsStream], pki: Pki
    ) -> None:
        with pytest.raises(PeerTimeout, match=r"^timeout: the TLS handshake took more than 0.01 seconds$"):
            begun(Tls(), limit).begin(timeout)

    @pytest.mark.parametrize("server_name", ["", "pacs.example.org"])
    def test_the_name_is_asked_for(
        self,
        server_name: str,
        begun: Callable[..., TlsStream],
        connections: tuple[socket.socket, socket.socket],
        pki: Pki,
    ) -> None:
        asked: list[str | None] = []
        context = pki.context()
        context.sni_callback = lambda tls, name, _: asked.append(name)
        peer = Peer(connections[1], context)
        thread = threading.Thread(target=fails(peer.handshake))
        thread.start()
        ours = begun(Tls(server_name=server_name), LIMIT)
        with pytest.raises(TlsError):
            ours.begin(LIMIT)
        ours.last_words(b"")
        thread.join(LIMIT)
        assert asked == [server_name or "localhost"]

    def test_a_connection_that_is_gone_already(
        self, begun: Callable[..., TlsStream], connections: tuple[socket.socket, socket.socket]
    ) -> None:
        ours, theirs = connections
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        assert select.select([ours], [], [], LIMIT)[0]
        with pytest.raises(ConnectionLost, match=r"ended the connection in the TLS handshake") as caught:
            begun(Tls(), LIMIT).begin(LIMIT)
        assert caught.value.retryable


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
def test_whatever_a_peer_answers_is_an_error_of_the_network(version: ssl.TLSVersion, pki: Pki) -> None:
    """Its part of the handshake with bytes changed, taken out or added, and then the end of the connection."""
    context = pki.context()
    context.minimum_version = context.maximum_version = version
    security = Security(Tls(ca_files=(str(pki.ca.certificate),)), "localhost")
    outcomes: set[type[BaseException]] = set()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for seed in range(150):
            chance = random.Random(seed)
            ours = socket.create_connection(listening.getsockname(), timeout=LIMIT)
            theirs, _ = listening.accept()
            ours.setblocking(False)
            thread = threading.Thread(target=answer_wrongly, args=(theirs, context, chance))
            thread.start()
            with closing(security.stream(ours, LIMIT, None)) as stream:
                try:
                    stream.begin(LIMIT)
                    stream.receive(LIMIT, "phase", LIMIT)
                except NetworkError as error:
                    outcomes.add(type(error))
                stream.last_words(b"")
            thread.join(LIMIT)
    assert TlsError in outcomes


def answer_wrongly(connection: socket.socket, context: ssl.SSLContext, chance: random.Random) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    with connection:
        connection.settimeout(LIMIT)
        incoming.write(connection.recv(65536))
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        answer = bytearray(outgoing.read())
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(answer) if chance.random() < 0.5 else 200)
            match chance.randrange(4):
                case 0:
                    answer[at] ^= 1 << chance.randrange(8)
                case 1:
                    answer[at] = chance.randrange(256)
                case 2:
                    del answer[at : at + chance.randint(1, 50)]
                case _:
                    answer[at:at] = chance.randbytes(chance.randint(1, 50))
        try:
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except OSError:  # we have gone already
            pass


class Reluctant:
    """A secured socket that lacks something the first time that it is asked to do anything."""

    def __init__(self, connection: socket.socket, lacks: type[ssl.SSLError]) -> None:
        self._connection = connection
        self._lacks: type[ssl.SSLError] | None = lacks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def pending(self) -> int:
        return 0

    def do_handshake(self) -> None:
        self._try()

    def recv(self, count: int) -> bytes:
        self._try()
        return b"answer"

    def send(self, data: memoryview) -> int:
        self._try()
        return len(data)

    def _try(self) -> None:
        lacks, self._lacks = self._lacks, None
        if lacks:
            raise lacks


class TestWaitingForTheOther:
    """Reading may need room to write, writing something to read: that is waited for, and nothing else is."""

    @pytest.fixture
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What has been waited for; all of it is there at once."""
        seen: list[str] = []

        def poller(_: object, *, only_writing: bool = False) -> Callable[..., tuple[bool, bool]]:
            def poll(*, writing: bool, timeout: float | None) -> tuple[bool, bool]:
                seen.append("room" if only_writing else "anything" if writing else "bytes")
                return False, True

            return poll

        monkeypatch.setattr(plain, "poller", poller)
        monkeypatch.setattr(secured, "poller", poller)
        return seen

    @pytest.fixture
    def make(self, connections: tuple[socket.socket, socket.socket]) -> Callable[[type[ssl.SSLError]], TlsStream]:
        def build(lacks: type[ssl.SSLError]) -> TlsStream:
            reluctant: Any = Reluctant(connections[0], lacks)
            return TlsStream(reluctant, LIMIT, None, name="peer", certificate=False)

        return build

    def test_handshake(self, waits: list[str], make: Callable[[type[ssl.SSLError]], TlsStream]) -> None:
        make(ssl.SSLWantWriteError).begin(LIMIT)
        make(ssl.SSLWantReadError).begin(LIMIT)
        assert waits == ["room", "bytes"]

    def test_receive(self, waits: list[str], make: Callable[[type[ssl.SSLError]], TlsStream]) -> None:
        for lacks in (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            assert make(lacks).receive(LIMIT, "phase", LIMIT) == b"answer"
        assert waits == ["bytes", "room", "bytes", "bytes"]

    def test_negotiation_that_stalls(
        self, make: Callable[[type[ssl.SSLError]], TlsStream], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(plain, "poller", lambda *_: lambda *, writing, timeout: (False, False))
        with pytest.raises(PeerTimeout, match=r"^timeout: negotiating TLS anew took more than 30 seconds$"):
            make(ssl.SSLWantReadError).send(b"question", unheard)

    def test_send(self, waits: list[str], make: Callable[[type[ssl.SSLError]], TlsStream]) -> None:
        make(ssl.SSLWantWriteError).send(b"question", unheard)
        make(ssl.SSLWantReadError).send(b"question", unheard)
        assert waits == ["anything", "bytes"]


def fails(step: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        with pytest.raises(OSError):
            step()

    return call


class OpenSSL:
    """``openssl s_server``, which can be told to change keys (``K``) or to negotiate anew (``r``) at any time.

    Its standard output has what it received, what it says itself and, with ``-msg``, each message of TLS.
    """

    def __init__(self, program: str, pki: Pki, *options: str) -> None:
        command = [program, "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-msg", *options]
        command += ["-key", str(pki.server.key), "-cert", str(pki.server.certificate)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        self._watchdog = threading.Timer(LIMIT, self._process.kill)
        self._watchdog.start()
        self.seen = b""
        self.port = int(self.read_until(b"ACCEPT 127.0.0.1:", b"\n").rpartition(b":")[2])

    def read_until(self, begin: bytes, end: bytes = b"") -> bytes:
        """Read on until ``end`` has come behind ``begin``; both, with what is between them."""
        while True:
            at = self.seen.find(begin)
            last = self.seen.find(end, at + len(begin)) if at >= 0 else -1
            if last >= 0:
                found, self.seen = self.seen[at : last + len(end)], self.seen[last + len(end) :]
                return found
            piece = self._output.read(65536)
            assert piece, f"it has ended: {self.seen!r}"
            self.seen += piece

    def say(self, text: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text)

    def stop(self) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.communicate()

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout


@pytest.fixture
def openssl(openssl_command: str, pki: Pki) -> Iterator[Callable[..., tuple[TlsStream, OpenSSL]]]:
    """Our stream to ``openssl s_server``."""
    started: list[OpenSSL] = []
    streams: list[TlsStream] = []

    def start(*options: str) -> tuple[TlsStream, OpenSSL]:
        started.append(OpenSSL(openssl_command, pki, *options))
        connection = socket.create_connection(("127.0.0.1", started[-1].port), timeout=LIMIT)
        connection.setblocking(False)
        tls = Tls(ca_files=(str(pki.ca.certificate),))
        streams.append(Security(tls, "localhost").stream(connection, LIMIT, None))
        streams[-1].begin(LIMIT)
        return streams[-1], started[-1]

    yield start
    for stream in streams:
        stream.close()
    for server in started:
        server.stop()


@pytest.mark.parametrize(
    ("option", "command", "theirs", "ours"),
    [
        (
            "-tls1_3",
            b"K\n",
            b">>> TLS 1.3, Handshake [length 0005], KeyUpdate",
            b"<<< TLS 1.3, Handshake [length 0005], KeyUpdate",
        ),
        ("-tls1_3", b"k\n", b">>> TLS 1.3, Handshake [length 0005], KeyUpdate", b""),
        ("-tls1_2", b"r\n", b"HelloRequest", b"<<< TLS 1.2, Handshake [length 0010], Finished"),
    ],
    ids=["key update, answered", "key update", "renegotiation"],
)
def test_keys_that_change_in_mid_conversation(
    option: str, command: bytes, theirs: bytes, ours: bytes, openssl: Callable[..., tuple[TlsStream, OpenSSL]]
) -> None:
    """While we wait for something else: nothing is readable, nothing is lost, and the conversation goes on."""
    stream, server = openssl(option)
    stream.send(b"<before>", unheard)
    server.read_until(b"<before>")
    if option == "-tls1_2":
        server.seen = b""
    server.say(command)
    server.read_until(theirs)
    with pytest.raises(PeerTimeout):
        stream.receive(0.2, "phase", 0.2)
    stream.send(b"<after>", unheard)  # with it goes what the new keys ask of us
    if ours:
        server.read_until(ours)
    server.read_until(b"<after>")
    server.say(b"\x04answer")
    assert stream.receive(LIMIT, "phase", LIMIT) == b"\x04answer"
