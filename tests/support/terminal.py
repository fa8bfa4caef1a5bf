"""A terminal that tests can look at: a pseudo-terminal, and ``pyte`` as what is seen on it.

Nothing waits for a while: whoever waits does so until the screen shows something, with a limit.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from typing import Final

import pyte

LIMIT: Final = 30.0  # seconds that any single wait may take
_CHUNK: Final = 65536
# Makes the terminal the one that controls the process, so that Ctrl-C gets there, and becomes the program.
_LAUNCH: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A program on a terminal of its own, which shows ``rows`` of ``columns`` and keeps what has scrolled away."""

    def __init__(self, command: Sequence[str], columns: int, rows: int = 24, env: dict[str, str] | None = None) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=0.5)
        self._stream = pyte.ByteStream(self.screen)
        self.output = b""
        self._master, slave = os.openpty()
        self._set_size(columns, rows)
        environment = {name: value for name, value in os.environ.items() if name not in _NAMES}
        environment |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | (env or {})
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    @property
    def lines(self) -> list[str]:
        """What is visible, without blanks at the end."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def scrolled(self) -> list[str]:
        """What has scrolled away."""
        width = self.screen.columns
        return ["".join(row[x].data for x in range(width)).rstrip() for row in self.screen.history.top]

    @property
    def text(self) -> str:
        """All lines from the first one on, as far as anything was written."""
        return "\n".join([*self.scrolled, *self.lines]).rstrip("\n")

    def wait_for(self, seen: Callable[[Terminal], bool] | str) -> None:
        """Read until the screen shows it: a text, or what a function looks for."""
        shows = seen if callable(seen) else (lambda terminal: seen in terminal.text)
        deadline = time.monotonic() + LIMIT
        while not shows(self):
            left = deadline - time.monotonic()
            if not self._read(left):
                raise AssertionError(f"not seen within {LIMIT:g} s, or ever:\n{self.text}")

    def finish(self) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + LIMIT
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(LIMIT)

    def resize(self, columns: int, rows: int = 24) -> None:
        self._set_size(columns, rows)
        self.screen.resize(rows, columns)

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, left: float) -> bool:
        """Take what comes; whether there was anything before the end."""
        if not select.select([self._master], [], [], max(0.0, left))[0]:
            return False
        data = b""
        with contextlib.suppress(OSError):  # EIO: nobody has it open any more
            data = os.read(self._master, _CHUNK)
        self.output += data
        self._stream.feed(data)
        return bool(data)


_NAMES: Final = ("COLUMNS", "LINES", "LC_ALL", "LC_CTYPE", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "CI")
