"""The settings of a property file -> appenders with their gates, filters and layouts.

What an appender is made of is one method each, and a table finds it by log4cplus's name.
"""

from __future__ import annotations

import os
import sys
import time

from dcmsend.cli.log import Level, Log
from dcmsend.cli.logs import appenders as kinds
from dcmsend.cli.logs.layouts import PatternError, World, pattern, simple, ttcc
from dcmsend.cli.logs.properties import shown
from dcmsend.cli.logs.tree import OFF
from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Final

    from dcmsend.cli.logs.appenders import Appender, Filter, Gate
    from dcmsend.cli.logs.files import Target
    from dcmsend.cli.logs.layouts import Layout
    from dcmsend.cli.logs.properties import Properties
    from dcmsend.net.syslog import Daemon

PROGRAM: Final = "dcmsend"
MOST_FILTERS: Final = 64
_LEVELS: Final = {"off": OFF, "all": Level.TRACE, **{level.name.lower(): level for level in Level}}
_WINDOWS: Final = ("NTEventLogAppender", "Win32DebugAppender", "Win32ConsoleAppender")
_LONGEST_INDEX: Final = 10_000


class Surroundings(NamedTuple):
    """What else a configuration depends on; tests give others."""

    environment: Mapping[str, str]
    clock: Callable[[], float] = time.time
    local: tuple[str, ...] | None = None  # sockets of the local syslog


class Maker:
    """Makes the appenders of one file."""

    def __init__(self, settings: Properties, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._world = _world(around.clock())

    def appender(self, name: str) -> Appender:
        """The appender of that name, not open yet."""
        key = f"appender.{name}"
        kind = self._settings.text(key).removeprefix("log4cplus::")
        if kind in _WINDOWS:
            self._settings.remark(key, f"{kind} is for Windows' own logs, which are not written; its lines go nowhere")
            for property_name in self._settings.below(f"{key}."):
                self._settings.get(f"{key}.{property_name}")
            kind = "NullAppender"
        make = _APPENDERS.get(kind)
        if make is None or not self._settings.text(key).startswith("log4cplus::"):
            self._settings.wrong(key, f"there is no kind of appender {shown(self._settings.text(key))}")
        return make(self, key, kinds.Outlet(name, self._gate(key), self._layout(key), _complain))

    def open(self, appender: Appender) -> None:
        """Open what the appender writes to."""
        try:
            appender.open()
        except (OSError, ValueError) as error:
            key = f"appender.{appender.name}.File"
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._settings.wrong(key, f"cannot open log file {shown(self._settings.text(key))}: {why}")

    def level(self, key: str, word: str) -> int:
        """A level, or ``OFF``."""
        if word.lower() not in _LEVELS:
            self._settings.wrong(key, f"{shown(word)} is no level")
        return int(_LEVELS[word.lower()])

    def _severity(self, key: str) -> Level | None:
        """The level of a filter."""
        word = self._settings.text(key)
        return Level(max(self.level(key, word), 0)) if word else None

    def _gate(self, key: str) -> Gate:
        word = self._settings.text(f"{key}.Threshold")
        threshold = self.level(f"{key}.Threshold", word) if word else None
        return kinds.Gate(threshold, tuple(self._filters(f"{key}.filters")))

    def _filters(self, key: str) -> Iterator[Filter]:
        for number in range(1, MOST_FILTERS + 1):
            if f"{key}.{number}" not in self._settings:
                return
            yield self._filter(f"{key}.{number}")

    def _filter(self, key: str) -> Filter:
        kind = self._settings.text(key)
        accept = self._settings.truth(f"{key}.AcceptOnMatch", default=False)
        if kind == "log4cplus::spi::DenyAllFilter":
            return kinds.deny_all
        if kind == "log4cplus::spi::LogLevelRangeFilter":
            return kinds.level_range(self._severity(f"{key}.LogLevelMin"), self._severity(f"{key}.LogLevelMax"), accept)
        if kind == "log4cplus::spi::LogLevelMatchFilter":
            return kinds.level_match(self._severity(f"{key}.LogLevelToMatch"), accept)
        if kind == "log4cplus::spi::StringMatchFilter":
            return kinds.text_match(self._settings.text(f"{key}.StringToMatch"), accept)
        return self._settings.wrong(key, f"there is no kind of filter {shown(kind)}")

    def _layout(self, key: str) -> Layout:
        settings, below = self._settings, f"{key}.layout"
        kind = settings.text(below, "log4cplus::SimpleLayout")
        if kind == "log4cplus::SimpleLayout":
            return simple
        try:
            if kind == "log4cplus::TTCCLayout":
                date, utc = settings.text(f"{below}.DateFormat"), settings.truth(f"{below}.Use_gmtime", default=False)
                return ttcc(self._world, date, utc)
            if kind == "log4cplus::PatternLayout":
                text = settings.text(f"{below}.Pattern")  # its old name
                text = settings.text(f"{below}.ConversionPattern", text)
                if not text:
                    settings.wrong(below, "it has no ConversionPattern")
                return pattern(text, self._world, each_line=settings.truth(f"{below}.FormatEachLine", default=True))
        except PatternError as error:
            where = "DateFormat" if kind == "log4cplus::TTCCLayout" else "ConversionPattern"
            settings.wrong(f"{below}.{where}", str(error))
        return settings.wrong(below, f"there is no kind of layout {shown(kind)}")

    def _target(self, key: str, *, append: bool) -> Target:
        from dcmsend.cli.logs.files import Target

        path = self._settings.text(f"{key}.File")
        if not path:
            self._settings.wrong(key, "it has no File")
        return Target(
            path,
            self._settings.truth(f"{key}.Append", default=append),
            self._settings.truth(f"{key}.ImmediateFlush", default=True),
            self._settings.number(f"{key}.ReopenDelay", 1, 0, _LONGEST_INDEX),
        )

    def console(self, key: str, outlet: kinds.Outlet) -> Appender:
        errors = self._settings.truth(f"{key}.logToStdErr", default=False)
        flush = self._settings.truth(f"{key}.ImmediateFlush", default=False)
        stream = sys.stderr if errors else sys.stdout
        return kinds.ConsoleAppender(outlet, stream=stream, flush=flush or errors)

    def null(self, _: str, outlet: kinds.Outlet) -> Appender:
        return kinds.Appender(outlet)

    def file(self, key: str, outlet: kinds.Outlet) -> Appender:
        from dcmsend.cli.logs.files import FileAppender

        return FileAppender(outlet, target=self._target(key, append=False))

    def rolling(self, key: str, outlet: kinds.Outlet) -> Appender:
        from dcmsend.cli.logs.files import SMALLEST_ROLL, RollingFileAppender

        size = self._size(f"{key}.MaxFileSize")
        if size < SMALLEST_ROLL:
            self._settings.remark(f"{key}.MaxFileSize", f"MaxFileSize is less than {SMALLEST_ROLL} bytes; that is used")
        backups = self._settings.number(f"{key}.MaxBackupIndex", 1, 0, _LONGEST_INDEX)
        return RollingFileAppender(outlet, target=self._target(key, append=True), size=size, backups=backups)

    def daily(self, key: str, outlet: kinds.Outlet) -> Appender:
        from dcmsend.cli.logs.files import SCHEDULES, DailyRollingFileAppender

        schedule = self._settings.text(f"{key}.Schedule", "daily").lower()
        if schedule not in SCHEDULES:
            self._settings.wrong(f"{key}.Schedule", f"{shown(schedule)} is no schedule ({', '.join(SCHEDULES)})")
        return DailyRollingFileAppender(
            outlet,
            target=self._target(key, append=True),
            schedule=schedule,
            backups=self._settings.number(f"{key}.MaxBackupIndex", 10, 0, _LONGEST_INDEX),
            ending=self._settings.text(f"{key}.DatePattern"),
            now=self._around.clock(),
        )

    def syslog(self, key: str, outlet: kinds.Outlet) -> Appender:
        from dcmsend.net.syslog import DEFAULT_PORT, LOCAL, LocalDaemon, RemoteDaemon, host_name

        ident = self._settings.text(f"{key}.ident")
        facility = self._settings.text(f"{key}.facility", "user").lower()
        if facility not in kinds.FACILITIES:
            self._settings.wrong(f"{key}.facility", f"{shown(facility)} is no facility of syslog")
        host = self._settings.text(f"{key}.host")
        port = self._settings.number(f"{key}.port", DEFAULT_PORT, 1, 65535)
        daemon: Daemon
        if host:
            head = kinds.remote_head(host_name(full=True), ident, self._world.process)
            try:
                daemon = RemoteDaemon(host, port)
            except OSError as error:
                daemon = kinds.Nobody(error)
        else:
            head = kinds.local_head(ident or PROGRAM)
            daemon = LocalDaemon(self._around.local or LOCAL)
        return kinds.SysLogAppender(outlet, daemon=daemon, facility=kinds.FACILITIES[facility], head=head)

    def _size(self, key: str) -> int:
        word = self._settings.text(key, "10MB").upper()
        factor = {"KB": 1024, "MB": 1024 * 1024}.get(word[-2:], 1)
        digits = (word if factor == 1 else word[:-2]).strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) < 13):
            self._settings.wrong(key, f"{shown(word)} is no size in bytes, KB or MB")
        return int(digits) * factor


_APPENDERS: Final = {
    "ConsoleAppender": Maker.console,
    "NullAppender": Maker.null,
    "FileAppender": Maker.file,
    "RollingFileAppender": Maker.rolling,
    "DailyRollingFileAppender": Maker.daily,
    "SysLogAppender": Maker.syslog,
}


def _complain(text: str) -> None:
    """Tell that an appender fails, where it has a chance to be seen."""
    Log(sys.stderr).warn(text)


def _world(now: float) -> World:
    from _thread import get_ident, get_native_id

    from dcmsend.net.syslog import host_name

    return World(now, os.getpid(), get_ident(), get_native_id(), lambda full: host_name(full=full))
