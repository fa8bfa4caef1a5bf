"""A property file of DCMTK's -> a tree of loggers and appenders.

Whatever DCMTK's dcmsend 3.6.7 complains of when it reads the file is a mistake here, told with its line before anything
is sent; so are values that make no sense. What it overlooks is told as a warning. Files are opened when everything else
is known to be right.
"""

from __future__ import annotations

import os
import time

from dcmsend.cli.logs.making import PROGRAM, Maker, Surroundings
from dcmsend.cli.logs.properties import Mistake, Properties, shown
from dcmsend.cli.logs.tree import LOGGERS, OFF, Route, Tree, TreeLog
from dcmsend.cli.words import CommandLineError
from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final

    from dcmsend.cli.log import Log
    from dcmsend.cli.logs.appenders import Appender

MOST_APPENDERS: Final = 64
MOST_REMARKS: Final = 20
_SPECIFIED: Final = "Specified --log-config file"
_INHERITED: Final = frozenset(("INHERITED", "INHERIT"))  # the second is in DCMTK's sample, and works there by chance
_ROOT: Final = "rootLogger"
_WITHOUT_EFFECT: Final = ("configDebug", "quietMode", "disableOverride")  # of log4cplus itself

# Our own names for DCMTK's loggers: either may stand in the file, DCMTK's are shown.
ALIASES: Final = {"dcmsend": "dcmtk", "dcmsend.app": "dcmtk.apps.dcmsend", "dcmsend.net": "dcmtk.dcmnet"}


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


class _Builder:
    """Makes the tree of one file."""

    def __init__(self, settings: Properties, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._maker = Maker(settings, around)
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
            made.update((name, self._maker.appender(name)) for name in names)
            for appender in made.values():
                self._maker.open(appender)
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
            level = self._maker.level(key, words[0])
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
