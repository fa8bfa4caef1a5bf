"""A storage SCP that misbehaves at random, with many associations at once, and knows what it has answered.

Each association draws its fate from a seed and its number: whether it is rejected, and after how many instances it
aborts, closes, stalls or breaks the protocol, and at which moment of an instance. Every wait ends with the sender.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tests.support import pdus
from tests.support.listening import Listening
from tests.support.scripted import LIMIT, Connection, ScriptError, accept, drain, reject, reset

ABORT: Final = struct.pack(">BxIxxBB", 7, 4, 0, 0)
STATUSES: Final = (0x0000, 0x0000, 0x0000, 0xB000, 0xA700, 0xC001)
REJECTIONS: Final = ((1, 1, 7), (2, 3, 2), (2, 2, 1))  # result, source, reason: permanent, and two transient ones


class FlakyPeer(Listening):
    """A ``Listening`` storage SCP. Stop it.

    ``fates``: what an association may come to, each of ``FATES`` as likely as it is often in there. ``statuses``: what
    it answers. ``answered``: the statuses that were sent for each SOP instance UID; ``seen``: how often its C-STORE
    request has come in whole.
    """

    def __init__(
        self,
        seed: int,
        fates: tuple[str, ...],
        *,
        most: int = 12,
        window: int = 1,
        statuses: tuple[int, ...] = STATUSES,
    ) -> None:
        self.answered: dict[str, list[int]] = {}
        self.seen: dict[str, int] = {}
        self.fates_met: list[str] = []
        self._seed = seed
        self._fates = fates
        self._most = most  # instances before an association meets its fate
        self._window = window
        self._statuses = statuses
        self._lock = threading.Lock()
        self._told = threading.Semaphore(0)
        super().__init__()

    def _serve(self, connected: socket.socket, number: int) -> None:
        fortune = random.Random(self._seed << 16 | number)
        connected.settimeout(LIMIT)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connected, suppress(OSError, ScriptError, struct.error, LookupError):
            self._associate(Connection(connected, self._told), fortune)

    def _associate(self, connection: Connection, fortune: random.Random) -> None:
        fate = fortune.choice(self._fates)
        with self._lock:
            self.fates_met.append(fate)
        if fate == "reject":
            reject(*fortune.choice(REJECTIONS))(connection)
            connection.socket.shutdown(socket.SHUT_WR)
            drain()(connection)
            return
        user = pdus.item(0x53, struct.pack(">HH", self._window, 1)) if self._window > 1 else b""
        accept(user=user)(connection)
        left = fortune.randrange(self._most)
        while fate == "serve" or left:
            message = self._message(connection)
            if message is None:
                return
            left -= 1
            self._answer(connection, message, fortune.choice(self._statuses))
        FATES[fate](self, connection, fortune)

    def _message(self, connection: Connection) -> pdus.Message | None:
        """The next C-STORE request, or ``None`` after a release."""
        kind = connection.socket.recv(1, socket.MSG_PEEK)
        if kind == bytes([pdus.A_RELEASE_RQ]):
            connection.read_pdu()
            connection.socket.sendall(pdus.release_rp())
            return None
        message = connection.read_message()
        with self._lock:
            self.seen[message.sop_instance] = self.seen.get(message.sop_instance, 0) + 1
        return message

    def _answer(self, connection: Connection, message: pdus.Message, status: int) -> None:
        with self._lock:
            self.answered.setdefault(message.sop_instance, []).append(status)
        connection.socket.sendall(pdus.store_rsp(message, status=status))

    def _abort(self, connection: Connection, fortune: random.Random) -> None:
        """Before an instance, in the middle of one, or instead of the answer."""
        self._take_some(connection, fortune)
        connection.socket.sendall(ABORT)
        connection.socket.shutdown(socket.SHUT_WR)
        drain()(connection)

    def _close(self, connection: Connection, fortune: random.Random) -> None:
        self._take_some(connection, fortune)
        reset()(connection)

    def _stall(self, connection: Connection, fortune: random.Random) -> None:
        self._take_some(connection, fortune)
        drain()(connection)  # until the sender loses patience

    def _lie(self, connection: Connection, fortune: random.Random) -> None:
        """Answer what was not asked."""
        message = self._message(connection)
        if message is not None:
            connection.socket.sendall(pdus.store_rsp(message, message_id=fortune.randrange(40_000, 60_000)))
            drain()(connection)

    def _take_some(self, connection: Connection, fortune: random.Random) -> None:
        moment = fortune.randrange(3)
        if moment == 1:
            connection.read(fortune.randrange(1, 300))
        elif moment == 2:
            self._message(connection)


FATES: Final[dict[str, Callable[[FlakyPeer, Connection, random.Random], None]]] = {
    "abort": FlakyPeer._abort,
    "close": FlakyPeer._close,
    "stall": FlakyPeer._stall,
    "lie": FlakyPeer._lie,
}
