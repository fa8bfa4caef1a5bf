"""Log files, and how they roll over: FileAppender, RollingFileAppender, DailyRollingFileAppender of log4cplus 1.1.

A file that could not be written to is opened again after a while. Renaming does not fail: what cannot be renamed stays.
"""

from __future__ import annotations

import os
import time

from dcmsend.cli.logs.appenders import Appender
from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Final

    from dcmsend.cli.logs.appenders import Outlet
    from dcmsend.cli.logs.layouts import Record

SMALLEST_ROLL: Final = 200 * 1024  # bytes; log4cplus rolls no smaller file
_DAY: Final = 86_400

# How the name of a period's file ends, and how long the period is in seconds; months have a rule of their own.
SCHEDULES: Final[dict[str, tuple[str, int]]] = {
    "monthly": ("%Y-%m", 0),
    "weekly": ("%Y-%W", 7 * _DAY),
    "daily": ("%Y-%m-%d", _DAY),
    "twice_daily": ("%Y-%m-%d-%p", _DAY // 2),
    "hourly": ("%Y-%m-%d-%H", 3600),
    "minutely": ("%Y-%m-%d-%H-%M", 60),
}


class Target(NamedTuple):
    """A file to write to: ``append`` or begin anew, ``flush`` after each record, ``reopen`` after so many seconds."""

    path: str
    append: bool
    flush: bool
    reopen: int


class FileAppender(Appender):
    """A file that grows."""

    def __init__(self, outlet: Outlet, *, target: Target) -> None:
        super().__init__(outlet)
        self._target = target
        self._again = 0.0  # when a file that broke may be opened again
        self._stream: BinaryIO | None = None

    def open(self) -> None:
        self._stream = open(self._target.path, "ab" if self._target.append else "wb")  # noqa: SIM115 - until close

    def place(self) -> str:
        return f"file '{self._target.path}': "

    def write(self, text: str, record: Record, /) -> None:
        if self._stream is None and record.time >= self._again:
            self._again = record.time + self._target.reopen
            self._stream = open(self._target.path, "ab")  # noqa: SIM115 - until close
        if self._stream is None:
            return
        try:
            self._stream.write(text.encode("utf-8", "backslashreplace"))
            if self._target.flush:
                self._stream.flush()
        except (OSError, ValueError):
            self._again = record.time + self._target.reopen
            self._abandon()
            raise
        self.written()

    def written(self) -> None:
        """Something has been written: a chance to roll over."""

    def close(self) -> None:
        if self._stream is not None:
            try:
                self._stream.close()
            except OSError as error:  # what was in its buffer
                self.lost(error)
        self._stream = None

    def _abandon(self) -> None:
        """Let go of a file that broke; closing it writes what is in the buffer, which fails again."""
        try:
            if self._stream is not None:
                self._stream.close()
        except OSError:
            pass
        self._stream = None

    def _begin_anew(self) -> None:
        try:
            self._stream = open(self._target.path, "wb")  # noqa: SIM115 - until close
        except OSError as error:
            self.lost(error)


class RollingFileAppender(FileAppender):
    """When the file has become too large, it becomes ``file.1``, that before ``file.2``, and so on."""

    def __init__(
        self,
        outlet: Outlet,
        *,
        target: Target,
        size: int,
        backups: int,
    ) -> None:
        super().__init__(outlet, target=target)
        self._size = max(size, SMALLEST_ROLL)
        self._backups = max(backups, 1)

    def written(self) -> None:
        if self._stream is not None and self._stream.tell() > self._size:
            self.close()
            _make_room(self._target.path, self._backups)
            _rename(self._target.path, f"{self._target.path}.1")
            self._begin_anew()


class DailyRollingFileAppender(FileAppender):
    """When a period is over, and when the program ends, the file gets the name of the period.

    One that has this name already becomes ``name.1``, that before ``name.2``, and so on.
    """

    def __init__(
        self,
        outlet: Outlet,
        *,
        target: Target,
        schedule: str,
        backups: int,
        ending: str = "",
        now: float,
    ) -> None:
        super().__init__(outlet, target=target)
        self._schedule = schedule
        self._backups = backups
        self._ending = ending or SCHEDULES[schedule][0]
        self._begin(now)

    def write(self, text: str, record: Record, /) -> None:
        if record.time >= self._end:
            self._roll_over()
            self._begin(record.time)
        super().write(text, record)

    def close(self) -> None:
        if self._stream is not None:
            self._roll_over()
        super().close()

    def _begin(self, now: float) -> None:
        """The period in which ``now`` is."""
        start, self._end = period(self._schedule, now)
        self._kept = f"{self._target.path}.{time.strftime(self._ending, time.localtime(start))}"

    def _roll_over(self) -> None:
        super().close()
        _make_room(self._kept, self._backups)
        _rename(self._kept, f"{self._kept}.1")
        _rename(self._target.path, self._kept)
        self._begin_anew()


def period(schedule: str, now: float) -> tuple[float, float]:
    """When the period of ``now`` begins and ends, in local time; both in seconds since 1970."""
    when = time.localtime(now)
    month, day, hour, minute = when.tm_mon, when.tm_mday, when.tm_hour, when.tm_min
    first = {
        "monthly": (month, 1, 0, 0),
        "weekly": (month, day - (when.tm_wday + 1) % 7, 0, 0),  # Sunday
        "daily": (month, day, 0, 0),
        "twice_daily": (month, day, hour // 12 * 12, 0),
        "hourly": (month, day, hour, 0),
        "minutely": (month, day, hour, minute),
    }[schedule]
    start = time.mktime((when.tm_year, *first, 0, 0, 0, -1))
    length = SCHEDULES[schedule][1]
    if length:
        return start, start + length
    return start, time.mktime((when.tm_year, month + 1, 1, 0, 0, 0, 0, 0, -1))


def _make_room(path: str, backups: int) -> None:
    """``path.1`` to ``path.N`` move up by one, and the last of them goes."""
    try:
        os.unlink(f"{path}.{backups}")
    except OSError:
        pass
    for number in range(backups - 1, 0, -1):
        _rename(f"{path}.{number}", f"{path}.{number + 1}")


def _rename(old: str, new: str) -> None:
    try:
        os.replace(old, new)
    except OSError:
        pass
