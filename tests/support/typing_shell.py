"""An interactive shell on a terminal of its own, driven by what a person would type."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

LIMIT: Final = 60.0  # seconds until an answer is there
ROWS, COLUMNS = 250, 120
# What a terminal obeys and does not show: colours, the cursor, titles, modes.
_CONTROL: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>()][A-Z0-9]?|\r|\x07")


class Terminal:
    """A program on a terminal; use it as a context manager, which ends it."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        full = ["setsid", "--ctty", "--wait", *command]
        self._process = subprocess.Popen(
            full, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=folder, start_new_session=True
        )
        os.close(slave)
        self._seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._master)  # hangs up
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def read_until(self, pattern: str) -> str:
        """What was shown since the last call, up to and with what the pattern matches."""
        deadline = time.monotonic() + LIMIT
        while not (match := re.search(pattern, self._seen)):
            left = deadline - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self._seen!r}"
            if select.select([self._master], [], [], left)[0]:
                self._seen = _CONTROL.sub("", self._seen + self._read())
        shown, self._seen = self._seen[: match.end()], self._seen[match.end() :]
        return shown

    def _read(self) -> str:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the program has ended
            data = b""
        assert data, f"the shell ended after {self._seen!r}"
        return data.decode(errors="replace")
