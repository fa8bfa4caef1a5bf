"""A peer that follows a script: one script, a sequence of steps, for each connection it gets, in order.

Every wait ends: socket timeouts, a bounded event, and the end of the test. An error in a script is kept and raised
when the peer is stopped, so that it fails the test.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tests.support import pdus

LIMIT: Final = 30.0  # seconds that any single wait may take
CHUNK: Final = 65536


class ScriptError(AssertionError):
    """The connection did not go as the script says."""


@dataclass(slots=True, eq=False)
class Connection:
    """One connection: what has come, and what the steps need to remember."""

    socket: socket.socket
    told: threading.Semaphore
    received: bytearray = field(default_factory=bytearray)
    received_pdus: list[tuple[int, bytes]] = field(default_factory=list)
    request: pdus.Request | None = None
    messages: list[pdus.Message] = field(default_factory=list)

    def read(self, count: int) -> bytes:
        """Exactly this many bytes."""
        data = bytearray()
        while len(data) < count:
            piece = self.socket.recv(min(count - len(data), CHUNK))
            if not piece:
                raise ScriptError(f"connection closed after {len(data)} of {count} bytes")
            data += piece
            self.received += piece
        return bytes(data)

    def read_pdu(self) -> tuple[int, bytes]:
        """The next PDU's type and body."""
        kind, length = struct.unpack(">BxI", self.read(6))
        self.received_pdus.append((kind, self.read(length)))
        return self.received_pdus[-1]

    def read_message(self) -> pdus.Message:
        """The next whole DIMSE message, from as many P-DATA-TF PDUs as it takes."""
        command, dataset, context_id = bytearray(), bytearray(), 0
        parsed: dict[int, bytes] | None = None
        while True:
            kind, body = self.read_pdu()
            _demand(kind == pdus.P_DATA_TF, f"expected P-DATA-TF, got PDU type {kind:#04x}")
            for context_id, is_command, last, fragment in pdus.parse_pdvs(body):
                (command if is_command else dataset).extend(fragment)
                if is_command and last:
                    parsed = pdus.parse_command(bytes(command))
                    if parsed[0x0800] == struct.pack("<H", pdus.NO_DATA_SET):
                        return self._keep(pdus.Message(context_id, parsed, None))
                elif last:
                    _demand(parsed is not None, "data set before its command")
                    return self._keep(pdus.Message(context_id, parsed or {}, bytes(dataset)))

    def _keep(self, message: pdus.Message) -> pdus.Message:
        self.messages.append(message)
        return message


Step: TypeAlias = Callable[[Connection], None]


def expect(kind: int) -> Step:
    """Read one PDU, which must be of this type."""

    def step(connection: Connection) -> None:
        got, body = connection.read_pdu()
        _demand(got == kind, f"expected PDU type {kind:#04x}, got {got:#04x}")
        if kind == pdus.A_ASSOCIATE_RQ:
            connection.request = pdus.parse_request(body)

    return step


def expect_bytes(count: int) -> Step:
    """Read this many bytes, whatever they are."""

    def step(connection: Connection) -> None:
        connection.read(count)

    return step


def expect_message(command_field: int = pdus.C_STORE_RQ) -> Step:
    """Read one whole DIMSE message, which must have this command field."""

    def step(connection: Connection) -> None:
        got = connection.read_message().command_field
        _demand(got == command_field, f"expected command {command_field:#06x}, got {got:#06x}")

    return step


def expect_close() -> Step:
    """The other side closes the connection, or resets it, and sends nothing before."""

    def step(connection: Connection) -> None:
        try:
            data = connection.socket.recv(CHUNK)
        except ConnectionError:
            return
        connection.received += data
        _demand(not data, f"expected the connection to close, got {data[:16].hex(' ')}")

    return step


def send(data: bytes) -> Step:
    """Send these bytes."""

    def step(connection: Connection) -> None:
        connection.socket.sendall(data)

    return step


def send_bytewise(data: bytes) -> Step:
    """Send these bytes, each with its own system call."""

    def step(connection: Connection) -> None:
        for at in range(len(data)):
            connection.socket.sendall(data[at : at + 1])

    return step


def answer(build: Callable[[Connection], bytes]) -> Step:
    """Send what ``build`` makes of the connection so far."""

    def step(connection: Connection) -> None:
        connection.socket.sendall(build(connection))

    return step


def accept(
    *,
    result: int = 0,
    syntaxes: dict[int, str] | None = None,
    results: dict[int, int] | None = None,
    only: Collection[str] | None = None,
    max_pdu: int = 16384,
    extra: bytes = b"",
    user: bytes = b"",
) -> Step:
    """Read the A-ASSOCIATE-RQ and answer with A-ASSOCIATE-AC; see ``pdus.associate_ac``.

    With ``only``, each context is accepted with the first of its transfer syntaxes that is among these, or refused.
    """

    def step(connection: Connection) -> None:
        expect(pdus.A_ASSOCIATE_RQ)(connection)
        request = connection.request
        assert request is not None
        liked = {
            offer.context_id: next((syntax for syntax in offer.transfer_syntaxes if only and syntax in only), "")
            for offer in request.offers
        }
        chosen = {number: syntax for number, syntax in liked.items() if syntax}
        refused = {} if only is None else {number: 4 for number, syntax in liked.items() if not syntax}
        reply = pdus.associate_ac(
            request,
            result=result,
            syntaxes=chosen | (syntaxes or {}),
            results=refused | (results or {}),
            max_pdu=max_pdu,
            extra=extra,
            user=user,
        )
        connection.socket.sendall(reply)

    return step


def reject(result: int = 1, source: int = 1, reason: int = 1) -> Step:
    """Read the A-ASSOCIATE-RQ and answer with A-ASSOCIATE-RJ."""

    def step(connection: Connection) -> None:
        expect(pdus.A_ASSOCIATE_RQ)(connection)
        connection.socket.sendall(pdus.associate_rj(result, source, reason))

    return step


def respond(status: int = 0, *, message_id: int | None = None, comment: str = "", message: int = -1) -> Step:
    """Send the C-STORE-RSP to a request already read, by default the last one."""

    def step(connection: Connection) -> None:
        request = connection.messages[message]
        connection.socket.sendall(pdus.store_rsp(request, status=status, message_id=message_id, comment=comment))

    return step


def store(status: int = 0, *, comment: str = "") -> Step:
    """Read a C-STORE-RQ and answer it."""

    def step(connection: Connection) -> None:
        expect_message()(connection)
        respond(status, comment=comment)(connection)

    return step


def release() -> Step:
    """Read the A-RELEASE-RQ and answer it; the other side closes the connection."""

    def step(connection: Connection) -> None:
        expect(pdus.A_RELEASE_RQ)(connection)
        connection.socket.sendall(pdus.release_rp())
        expect_close()(connection)

    return step


def secure(context: ssl.SSLContext) -> Step:
    """Do the server's part of a TLS handshake; all that follows goes through TLS."""

    def step(connection: Connection) -> None:
        connection.socket = context.wrap_socket(connection.socket, server_side=True)

    return step


def fail_to_secure(context: ssl.SSLContext) -> Step:
    """The same where the handshake must not succeed; the connection is over then."""

    def step(connection: Connection) -> None:
        try:
            connection.socket = context.wrap_socket(connection.socket, server_side=True)
            connection.socket.recv(1)  # in TLS 1.3 the server has finished before it knows
        except OSError:
            return
        raise ScriptError("the handshake was to fail")

    return step


def end_tls() -> Step:
    """End TLS in order: send close_notify and wait for the other side's."""

    def step(connection: Connection) -> None:
        assert isinstance(connection.socket, ssl.SSLSocket)
        connection.socket = connection.socket.unwrap()

    return step


def close() -> Step:
    """Close the connection in an orderly way, TLS not; nothing may follow but the end of the script."""

    def step(connection: Connection) -> None:
        connection.socket.shutdown(socket.SHUT_RDWR)

    return step


def reset() -> Step:
    """Close the connection with a TCP reset."""

    def step(connection: Connection) -> None:
        connection.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        )
        connection.socket.close()

    return step


def stall() -> Step:
    """Neither read nor write until ``ScriptedPeer.go_on`` is called or the test is over."""

    def step(connection: Connection) -> None:
        _demand(connection.told.acquire(timeout=LIMIT), f"nobody ended the stall within {LIMIT:g} s")

    return step


def drain() -> Step:
    """Read and keep whatever comes, until the other side closes or resets the connection."""

    def step(connection: Connection) -> None:
        try:
            while data := connection.socket.recv(CHUNK):
                connection.received += data
        except ConnectionError:
            return

    return step


class ScriptedPeer:
    """Listens on a free port of 127.0.0.1 and plays one script for each connection, in order, in one thread."""

    def __init__(self, *scripts: Sequence[Step], receive_buffer: int | None = None) -> None:
        self.begun: list[Connection] = []
        self._settled = threading.Condition()
        self._idle = True
        self._scripts = scripts
        self._told = threading.Semaphore(0)
        self._errors: list[str] = []
        self._listener = socket.socket()
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._wake_up, self._wake = socket.socketpair()
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="scripted peer", daemon=True)
        self._thread.start()

    def go_on(self) -> None:
        """End a stall: the one under way, or the next."""
        self._told.release()

    @property
    def connections(self) -> list[Connection]:
        """The connections that there have been, whole: one whose script is being played is waited for.

        The process or thread at the other end may be gone before the last step has been taken here. ``begun`` has them
        at any time, for those who stand within a script.
        """
        if threading.current_thread() is not self._thread:
            with self._settled:
                assert self._settled.wait_for(self._is_over, LIMIT), "a script does not come to its end"
        return self.begun

    @property
    def messages(self) -> list[pdus.Message]:
        """The DIMSE messages of all connections."""
        return [message for connection in self.connections for message in connection.messages]

    def stop(self) -> None:
        """End the thread and raise ``ScriptError`` if a script did not go as written or was never played."""
        self._told.release(sum(len(script) for script in self._scripts) + 1)  # no stall outlives the test
        self._wake.close()
        self._thread.join(LIMIT + 5)
        self._listener.close()
        self._wake_up.close()
        if self._thread.is_alive():
            self._errors.append("the peer's thread is still busy")
        if len(self.begun) < len(self._scripts) and not self._errors:
            self._errors.append(f"{len(self._scripts)} scripts, but only {len(self.begun)} connections")
        if self._errors:
            raise ScriptError("; ".join(self._errors))

    def _run(self) -> None:
        while self._next_is_there():
            connected, _ = self._listener.accept()
            self._settle(idle=False)
            with connected:
                connected.settimeout(LIMIT)
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(connected, self._told)
                self._play(connection)
                connection.socket.close()
            self._settle(idle=True)

    def _is_over(self) -> bool:
        """Whether nobody is served, and nobody waits for that."""
        if not self._idle or self._listener.fileno() < 0:
            return self._idle
        return not select.select([self._listener], [], [], 0)[0]

    def _settle(self, *, idle: bool) -> None:
        with self._settled:
            self._idle = idle
            self._settled.notify_all()

    def _next_is_there(self) -> bool:
        """Wait for a connection, or for ``stop``. A connection that already waits is still served."""
        ready, _, _ = select.select([self._listener, self._wake_up], [], [])
        return self._listener in ready

    def _play(self, connection: Connection) -> None:
        number = len(self.begun)
        self.begun.append(connection)
        if number >= len(self._scripts):
            self._errors.append(f"connection {number + 1} has no script")
            return
        for index, step in enumerate(self._scripts[number]):
            try:
                step(connection)
            except (ScriptError, OSError, struct.error, LookupError, ValueError) as error:
                name = step.__qualname__.split(".")[0]
                text = f"connection {number + 1}, step {index + 1} ({name}): {type(error).__name__}: {error}"
                self._errors.append(text)
                return


def _demand(condition: bool, complaint: str) -> None:
    if not condition:
        raise ScriptError(complaint)
