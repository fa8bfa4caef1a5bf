"""Where records go: log4cplus's appenders as DCMTK 3.6.7 has them. Files are in ``files``.

An appender that cannot write says so once and goes on trying, for what is being sent matters more than the log of it.
"""

from __future__ import annotations

import time

from dcmsend.cli.log import Level
from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TextIO, TypeAlias

    from dcmsend.cli.logs.layouts import Layout, Record
    from dcmsend.net.syslog import Daemon

    Filter: TypeAlias = Callable[[Record], "bool | None"]  # takes it, leaves it out, or leaves it to the next filter

# RFC 5424 6.2.1. Those that only some systems have are those of Linux.
FACILITIES: Final = {
    "kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8, "cron": 9,
    "authpriv": 10, "ftp": 11, **{f"local{number}": 16 + number for number in range(8)},
}  # fmt: skip
_SEVERITIES: Final = {
    Level.FATAL: 2, Level.ERROR: 3, Level.WARN: 4, Level.INFO: 6, Level.DEBUG: 7, Level.TRACE: 7,
}  # fmt: skip
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Gate(NamedTuple):
    """What an appender takes: up to a level (-1: nothing, None: everything), and what the first filter says."""

    threshold: int | None = None
    filters: tuple[Filter, ...] = ()

    def takes(self, record: Record) -> bool:
        if self.threshold is not None and record.level > self.threshold:
            return False
        answers = (answer for check in self.filters if (answer := check(record)) is not None)
        return next(answers, True)


def level_range(least: Level | None, most: Level | None, accept: bool) -> Filter:
    """LogLevelRangeFilter: leaves out what is less or more severe."""

    def check(record: Record) -> bool | None:
        if (least is not None and record.level > least) or (most is not None and record.level < most):
            return False
        return True if accept else None

    return check


def level_match(level: Level | None, accept: bool) -> Filter:
    """LogLevelMatchFilter."""
    return lambda record: accept if record.level == level else None


def text_match(text: str, accept: bool) -> Filter:
    """StringMatchFilter."""
    return lambda record: accept if text and text in "\n".join(record.lines) else None


def deny_all(_: Record) -> bool:
    """DenyAllFilter."""
    return False


class Outlet(NamedTuple):
    """What every appender has: its name, what it takes, how that looks, and who is told that it cannot write."""

    name: str
    gate: Gate
    layout: Layout
    complain: Callable[[str], None]


class Appender:
    """NullAppender, and the base of the others: these have ``write``, which may raise OSError or ValueError."""

    def __init__(self, outlet: Outlet) -> None:
        self.name, self.gate, self._layout, self._complain = outlet
        self._complained = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def open(self) -> None:
        """Open what is written to. May raise OSError or ValueError."""

    def append(self, record: Record) -> None:
        if not self.gate.takes(record):
            return
        try:
            self.write(self._layout(record), record)
        except (OSError, ValueError) as error:
            self.lost(error)

    def lost(self, error: Exception) -> None:
        """Say once that something could not be written."""
        if not self._complained:
            self._complained = True
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._complain(f"log appender '{self.name}' loses lines: {self.place()}{why}")

    def place(self) -> str:
        """What is written to, for a message: ``file 'x': ``."""
        return ""

    def write(self, text: str, record: Record, /) -> None:
        """Write what the layout gives."""

    def close(self) -> None:
        """Let go of what is open."""


class ConsoleAppender(Appender):
    """Standard output, or standard error (``logToStdErr``), which is never kept in a buffer."""

    def __init__(
        self,
        outlet: Outlet,
        *,
        stream: TextIO | None,
        flush: bool,
    ) -> None:
        super().__init__(outlet)
        self._stream = stream
        self._flush = flush

    def write(self, text: str, _: Record, /) -> None:
        if self._stream is None:
            return
        try:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                self._stream.write(text.encode("ascii", "backslashreplace").decode())
            if self._flush:
                self._stream.flush()
        except (OSError, ValueError):
            self._stream = None  # a reader that has gone does not come back
            raise


class SysLogAppender(Appender):
    """A syslog daemon: one on another host over UDP (RFC 5424), or that of this host in the form of its C library."""

    def __init__(
        self,
        outlet: Outlet,
        *,
        daemon: Daemon,
        facility: int,
        head: Callable[[Record], str],
    ) -> None:
        super().__init__(outlet)
        self._daemon = daemon
        self._facility = facility
        self._head = head

    def place(self) -> str:
        return "syslog: "

    def write(self, text: str, record: Record, /) -> None:
        priority = self._facility << 3 | _SEVERITIES[record.level]
        self._daemon.send(f"<{priority}>{self._head(record)}{text}".encode())

    def close(self) -> None:
        self._daemon.close()


class Nobody:
    """A daemon that cannot be reached at all; ``why`` says so."""

    def __init__(self, why: OSError) -> None:
        self._why = why

    def send(self, _: bytes, /) -> None:
        raise self._why

    def close(self) -> None:
        """Nothing is open."""


def remote_head(host: str, ident: str, process: int) -> Callable[[Record], str]:
    """The head of a message of RFC 5424, up to the text. What is empty is ``-`` there (6.2.5)."""

    def head(record: Record) -> str:
        milliseconds = int(record.time * 1000)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
        return f"1 {moment}.{milliseconds % 1000:03}Z {host} {ident or '-'} {process} {record.logger} - "

    return head


def local_head(ident: str) -> Callable[[Record], str]:
    """The head of a message as C libraries write it for the daemon of the same host (RFC 3164 without a host)."""

    def head(record: Record) -> str:
        when = time.localtime(record.time)
        return f"{_MONTHS[when.tm_mon - 1]} {when.tm_mday:2} {time.strftime('%H:%M:%S', when)} {ident}: "

    return head
