"""A peer that plays one script again and again, however far it gets each time."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from tests.support import pdus
from tests.support.listening import LIMIT, Listening
from tests.support.scripted import Connection, ScriptError, Step


class RepeatingPeer(Listening):
    """A ``Listening`` peer with one script for every connection. Use it as a context manager."""

    def __init__(self, script: Sequence[Step]) -> None:
        self._script = script
        super().__init__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self, connected: socket.socket, number: int) -> None:
        with connected:
            connected.settimeout(LIMIT)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(connected, threading.Semaphore())
            with suppress(ScriptError, OSError, struct.error, LookupError):
                for step in self._script:
                    step(connection)


def serve(*statuses: int) -> Step:
    """Answer all that comes until the release, C-STORE requests with these statuses by turns, or with success."""

    def step(connection: Connection) -> None:
        count = 0
        while (beginning := connection.socket.recv(1, socket.MSG_PEEK)) == bytes((pdus.P_DATA_TF,)):
            message = connection.read_message()
            if message.command_field == pdus.C_STORE_RQ:
                status = statuses[count % len(statuses)] if statuses else 0
                answer, count = pdus.store_rsp(message, status=status), count + 1
            else:
                answer = pdus.echo_rsp(message)
            connection.socket.sendall(answer)
        if beginning == bytes((pdus.A_RELEASE_RQ,)):
            connection.read_pdu()
            connection.socket.sendall(pdus.release_rp())

    return step
