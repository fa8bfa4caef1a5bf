"""A property file of DCMTK's -> a tree of loggers and appenders.

Whatever DCMTK's dcmsend 3.6.7 complains of when it reads the file is a mistake here, told with its line before anything
is sent; so are values that make no sense. What it overlooks is told as a warning. Nothing is written but what appenders do when they are
opened.
"""

from __future__ import annotations

import os
import sys
import time

from dcmsend.cli.log import Level, Log
from dcmsend.cli.logs import appenders as kinds
from dcmsend.cli.logs.layouts import PatternError, World, pattern, simple, ttcc
from dcmsend.cli.logs.properties import Mistake, Properties, shown
from dcmsend.cli.logs.tree import LOGGERS, OFF, Route, Tree, TreeLog
from dcmsend.cli.words import CommandLineError
from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Final

    from dcmsend.cli.logs.appenders import Appender, Filter, Gate
    from dcmsend.cli.logs.files import Target
    from dcmsend.cli.logs.layouts import Layout
    from dcmsend.net.syslog import Daemon

PROGRAM: Final = "dcmsend"
MOST_APPENDERS: Final = 64
MOST_FILTERS: Final = 64
MOST_REMARKS: Final = 20
_SPECIFIED: Final = "Specified --log-config file"
_INHERITED: Final = frozenset(("INHERITED", "INHERIT"))  # the second is in DCMTK's sample, and works there by chance
_LEVELS: Final = {"off": OFF, "all": Level.TRACE, **{level.name.lower(): level for level in Level}}
_ROOT: Final = "rootLogger"
_WITHOUT_EFFECT: Final = ("configDebug", "quietMode", "disableOverride")  # of log4cplus itself
_WINDOWS: Final = ("NTEventLogAppender", "Win32DebugAppender", "Win32ConsoleAppender")
_LONGEST_INDEX: Final = 10_000

# Our own names for DCMTK's loggers: either may stand in the file, DCMTK's are shown.
ALIASES: Final = {"dcmsend": "dcmtk", "dcmsend.app": "dcmtk.apps.dcmsend", "dcmsend.net": "dcmtk.dcmnet"}


class Surroundings(NamedTuple):
    """What else a configuration depends on; tests give others."""

    environment: Mapping[str, str]
    clock: Callable[[], float] = time.time
    local: tuple[str, ...] | None = None  # sockets of the local syslog


class Node(NamedTuple):
    """What the file says of a logger; ``level`` None is that of the next logger above."""

    level: int | None
    appenders: tuple[str, ...]


def read(path: str, text: str, around: Surroundings | None = None) -> Log:
    """The log that the text of a file describes, with a warning for each line in it that has no effect.

    Raises ``CommandLineError`` in DCMTK's words where there is nothing to set up, ``Mistake`` for what makes no sense.
    """
    around = around or Surroundings(os.environ)
    settings = Properties(path, text, _variables(around.clock()), around.environment)
    if settings.empty:
        raise CommandLineError(f"{_SPECIFIED} does not contain any settings")
    if not len(settings):
        raise CommandLineError(f"{_SPECIFIED} does not contain any valid settings")
    if _ROOT not in settings:
        raise CommandLineError(f"{_SPECIFIED} does not set up log4cplus.rootLogger")
    log = TreeLog(_Builder(settings, around).tree())
    remarks = list(settings.remarks())
    for remark in remarks[:MOST_REMARKS]:
        log.warn(remark)
    if len(remarks) > MOST_REMARKS:
        log.warn(f"{len(remarks) - MOST_REMARKS} further lines of it have no effect")
    return log


def _variables(now: float) -> dict[str, str]:
    """What DCMTK predefines."""
    from dcmsend.net.syslog import host_name

    when = time.localtime(now)
    return {
        "appname": PROGRAM,
        "hostname": host_name(full=False),
        "pid": str(os.getpid()),
        "date": time.strftime("%Y%m%d", when),
        "time": time.strftime("%H%M%S", when),
    }


def _complain(text: str) -> None:
    """Tell that an appender fails, where it has a chance to be seen."""
    Log(sys.stderr).warn(text)


class _Builder:
    """Makes the tree of one file."""

    def __init__(self, settings: Properties, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._world = _world(around.clock())
        for key in _WITHOUT_EFFECT:
            settings.get(key)

    def tree(self) -> Tree:
        names = [name for name in self._settings.below("appender.") if "." not in name]
        if len(names) > MOST_APPENDERS:
            raise Mistake(self._settings.path, 0, f"there are more than {MOST_APPENDERS} appenders")
        nodes = {"": self._node(_ROOT, names), **self._loggers(names)}
        blocked = self._blocked()
        if not any(node.appenders for node in nodes.values()) and nodes[""].level != OFF:
            self._settings.wrong(_ROOT, "no logger has an appender")
        made: dict[str, Appender] = {}
        try:
            for name in names:
                made[name] = self._appender(name)
        except Exception:
            for appender in made.values():
                appender.close()
            raise
        routes = {room: _route("" if room == "root" else name, nodes, blocked, made) for room, name in LOGGERS.items()}
        return Tree(routes, tuple(made.values()), clock=self._around.clock)

    # --- loggers

    def _loggers(self, names: list[str]) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for name in self._settings.below("logger."):
            node = self._node(f"logger.{name}", names)
            known = _dcmtk_name(name)
            if known in found:
                self._settings.wrong(f"logger.{name}", f"logger {known} is set up twice, under two names")
            found[known] = node
        return found

    def _node(self, key: str, names: list[str]) -> Node:
        text = "".join(self._settings.text(key).split())
        words = [word for word in text.split(",") if word]
        if not words:
            self._settings.wrong(key, "neither a level nor appenders")
        level = None
        if key == _ROOT or words[0] not in _INHERITED:
            level = self._level(key, words[0])
        for name in words[1:]:
            if name not in names:
                self._settings.wrong(key, f"there is no appender {shown(name)}")
        return Node(level, tuple(dict.fromkeys(words[1:])))

    def _blocked(self) -> frozenset[str]:
        """The loggers that do not give their records to those above."""
        return frozenset(
            _dcmtk_name(name)
            for name in self._settings.below("additivity.")
            if not self._settings.truth(f"additivity.{name}", default=True)
        )

    def _level(self, key: str, word: str) -> int:
        if word.lower() not in _LEVELS:
            self._settings.wrong(key, f"{shown(word)} is no level")
        return int(_LEVELS[word.lower()])

    def _severity(self, key: str) -> Level | None:
        """The level of a filter."""
        word = self._settings.text(key)
        return Level(max(self._level(key, word), 0)) if word else None

    # --- appenders

    def _appender(self, name: str) -> Appender:
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
        try:
            return make(self, key, (name, self._gate(key), self._layout(key), _complain))
        except (OSError, ValueError) as error:
            if isinstance(error, Mistake):
                raise
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._settings.wrong(
                f"{key}.File", f"cannot open log file {shown(self._settings.text(f'{key}.File'))}: {why}"
            )

    def _gate(self, key: str) -> Gate:
        word = self._settings.text(f"{key}.Threshold")
        threshold = self._level(f"{key}.Threshold", word) if word else None
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

    def console(self, key: str, common: Any) -> Appender:
        errors = self._settings.truth(f"{key}.logToStdErr", default=False)
        flush = self._settings.truth(f"{key}.ImmediateFlush", default=False)
        stream = sys.stderr if errors else sys.stdout
        return kinds.ConsoleAppender(*common, stream=stream, flush=flush or errors)

    def null(self, _: str, common: Any) -> Appender:
        return kinds.Appender(*common)

    def file(self, key: str, common: Any) -> Appender:
        from dcmsend.cli.logs.files import FileAppender

        return FileAppender(*common, target=self._target(key, append=False))

    def rolling(self, key: str, common: Any) -> Appender:
        from dcmsend.cli.logs.files import SMALLEST_ROLL, RollingFileAppender

        size = self._size(f"{key}.MaxFileSize")
        if size < SMALLEST_ROLL:
            self._settings.remark(f"{key}.MaxFileSize", f"MaxFileSize is less than {SMALLEST_ROLL} bytes; that is used")
        backups = self._settings.number(f"{key}.MaxBackupIndex", 1, 0, _LONGEST_INDEX)
        return RollingFileAppender(*common, target=self._target(key, append=True), size=size, backups=backups)

    def daily(self, key: str, common: Any) -> Appender:
        from dcmsend.cli.logs.files import SCHEDULES, DailyRollingFileAppender

        schedule = self._settings.text(f"{key}.Schedule", "daily").lower()
        if schedule not in SCHEDULES:
            self._settings.wrong(f"{key}.Schedule", f"{shown(schedule)} is no schedule ({', '.join(SCHEDULES)})")
        return DailyRollingFileAppender(
            *common,
            target=self._target(key, append=True),
            schedule=schedule,
            backups=self._settings.number(f"{key}.MaxBackupIndex", 10, 0, _LONGEST_INDEX),
            ending=self._settings.text(f"{key}.DatePattern"),
            now=self._around.clock(),
        )

    def syslog(self, key: str, common: Any) -> Appender:
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
        return kinds.SysLogAppender(*common, daemon=daemon, facility=kinds.FACILITIES[facility], head=head)

    def _size(self, key: str) -> int:
        word = self._settings.text(key, "10MB").upper()
        factor = {"KB": 1024, "MB": 1024 * 1024}.get(word[-2:], 1)
        digits = (word if factor == 1 else word[:-2]).strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) < 13):
            self._settings.wrong(key, f"{shown(word)} is no size in bytes, KB or MB")
        return int(digits) * factor


_APPENDERS: Final = {
    "ConsoleAppender": _Builder.console,
    "NullAppender": _Builder.null,
    "FileAppender": _Builder.file,
    "RollingFileAppender": _Builder.rolling,
    "DailyRollingFileAppender": _Builder.daily,
    "SysLogAppender": _Builder.syslog,
}


def _world(now: float) -> World:
    from _thread import get_ident, get_native_id

    from dcmsend.net.syslog import host_name

    return World(now, os.getpid(), get_ident(), get_native_id(), lambda full: host_name(full=full))


def _dcmtk_name(name: str) -> str:
    """The name of a logger as DCMTK has it."""
    return ALIASES.get(name, name)


def _above(name: str) -> Iterator[str]:
    """The logger itself, those above it, and at the end the root logger, whose name is empty."""
    while name:
        yield name
        name = name.rpartition(".")[0]
    yield ""


def _route(name: str, nodes: Mapping[str, Node], blocked: frozenset[str], made: Mapping[str, Appender]) -> Route:
    levels = (node.level for each in _above(name) if (node := nodes.get(each)) is not None)
    level = next(level for level in levels if level is not None)
    found: list[Appender] = []
    for each in _above(name):
        found += (made[appender] for appender in nodes.get(each, Node(None, ())).appenders)
        if each in blocked:
            break
    return Route(level, tuple(found))
