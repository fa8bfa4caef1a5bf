"""Writing log lines: ``F: ``, ``E: ``, ``W: ``, ``I: ``, ``D: ``, ``T: `` before each line, as DCMTK has it.

Knows nothing of what the lines say. ``logging`` of the standard library is not used: importing it costs more than
sending a small file.
"""

from __future__ import annotations

from dcmsend.light import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO


class Level(IntEnum):
    """How much is told; each level includes those before it."""

    FATAL = 0
    ERROR = 1
    WARN = 2
    INFO = 3
    DEBUG = 4
    TRACE = 5


class Log:
    """Writes what is at most as detailed as ``level`` to ``stream`` (None: to nowhere).

    A stream that breaks (its reader has gone, the disk is full) is given up: what is being sent matters more.
    """

    def __init__(self, stream: TextIO | None, level: Level = Level.WARN) -> None:
        self.level = level
        self._stream = stream

    def __repr__(self) -> str:
        return f"<Log {self.level.name.lower()}>"

    def shows(self, level: Level) -> bool:
        return level <= self.level

    def write(self, level: Level, *lines: str) -> None:
        """Log the lines, each with the prefix and with its control characters escaped."""
        if self.shows(level):
            self.always(level, *lines)

    def always(self, level: Level, *lines: str) -> None:
        """Log the lines with the prefix of ``level``, whatever is shown otherwise."""
        from dcmsend.printable import printable

        self.plain(f"{level.name[0]}: {printable(line)}\n" for line in lines)

    def plain(self, pieces: Iterable[str]) -> None:
        """Write text as it is."""
        if self._stream is None:
            return
        try:
            self._stream.write("".join(pieces))
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: closed, or an encoding that refuses a character
            self._stream = None

    def fatal(self, *lines: str) -> None:
        self.write(Level.FATAL, *lines)

    def error(self, *lines: str) -> None:
        self.write(Level.ERROR, *lines)

    def warn(self, *lines: str) -> None:
        self.write(Level.WARN, *lines)

    def info(self, *lines: str) -> None:
        self.write(Level.INFO, *lines)

    def debug(self, *lines: str) -> None:
        self.write(Level.DEBUG, *lines)
