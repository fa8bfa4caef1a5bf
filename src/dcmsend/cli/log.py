"""Writing log lines: ``F: ``, ``E: ``, ``W: ``, ``I: ``, ``D: ``, ``T: `` before each line, as DCMTK has it.

Knows nothing of what the lines say. ``logging`` of the standard library is not used: importing it costs more than
sending a small file.
"""

from __future__ import annotations

from dcmsend.light import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    class Stream(Protocol):
        """Where lines are written to."""

        def write(self, text: str, /) -> int: ...
        def flush(self) -> None: ...

    from dcmsend.api import Report
    from dcmsend.errors import DcmsendError
    from dcmsend.model import Totals
    from dcmsend.report.causes import Cause


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

    def __init__(self, stream: Stream | None, level: Level = Level.WARN) -> None:
        self.level = level
        self._stream = stream

    def __repr__(self) -> str:
        return f"<Log {self.level.name.lower()}>"

    def through(self, stream: Stream | None) -> Stream | None:
        """Write to another stream from now on; the one before."""
        before, self._stream = self._stream, stream
        return before

    def shows(self, level: Level) -> bool:
        return level <= self.level

    def write(self, level: Level, *lines: str) -> None:
        """Log the lines, each with the prefix, with its control characters escaped, and not longer than is useful."""
        if self.shows(level):
            from dcmsend.printable import MAX_LINE, plain

            self.always(level, *(plain(line, MAX_LINE) for line in lines))

    def always(self, level: Level, *lines: str) -> None:
        """Log the lines with the prefix of ``level``, whatever is shown otherwise."""
        from dcmsend.printable import printable

        self.plain(f"{level.name[0]}: {printable(line)}\n" for line in lines)

    def plain(self, pieces: Iterable[str]) -> None:
        """Write text as it is, with escapes for characters that the stream's encoding does not have."""
        if self._stream is None:
            return
        text = "".join(pieces)
        try:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                self._stream.write(text.encode("ascii", "backslashreplace").decode())
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: it is closed
            self._stream = None

    def room(self, name: str) -> Log:  # noqa: ARG002 - other logs have rooms
        """The log of a part of the program: ``net`` for what happens between us and the peer. Here all is one."""
        return self

    def close(self) -> None:
        """Let go of what was opened for this log."""

    def part(self, line: str) -> None:
        """Tell why the process ends in this very moment, if that can be told: a signal may have come in between."""
        try:
            if self._stream is not None and hasattr(self._stream, "part"):
                self._stream.part()
            self.fatal(line)
        except RuntimeError:  # in the middle of another line
            pass

    def failure(self, level: Level, error: DcmsendError) -> None:
        """Log an error that ends the run, with its hint."""
        from dcmsend.cli.names import OPTIONS

        hint = error.hint_in(OPTIONS)
        self.write(level, error.message, *([hint] if hint else []))

    def summary(self, totals: Totals) -> None:
        """Log what the run amounts to."""
        if self.shows(Level.INFO):
            from dcmsend.report.text import summary_lines

            self.info("", *summary_lines(totals))

    def causes(self, groups: Sequence[Cause]) -> None:
        """Log why instances were not stored, and what can be done."""
        from dcmsend.report.causes import cause_lines

        self.error(*cause_lines(groups))

    def finished(self, report: Report, code: int) -> None:
        """The run has ended, and the exit code is known: nothing that people need to be told."""

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
