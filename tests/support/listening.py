"""What servers of ours for tests have in common: a free port, a thread for each connection, and an end."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Final

LIMIT: Final = 30.0  # seconds that any wait may take


class Listening:
    """Listens on a free port of 127.0.0.1 and serves each connection in a thread of its own. Stop it."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def associations(self) -> int:
        """How many connections there have been."""
        return len(self._threads)

    def stop(self) -> None:
        """End all threads."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()
        self.wait_idle()

    def wait_idle(self) -> None:
        """Wait until all connections have ended that were there."""
        for thread in tuple(self._threads):
            thread.join(LIMIT)
            assert not thread.is_alive()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self._listener.accept()
                arguments = (connected, len(self._threads) + 1)
                thread = threading.Thread(target=self._serve, args=arguments, daemon=True)
                thread.start()
                self._threads.append(thread)  # now, because nobody may wait for one that has not begun

    def _serve(self, connected: socket.socket, number: int) -> None:
        """What becomes of connection ``number``, from 1."""
        raise NotImplementedError
