"""The log that goes to appenders: for each of our loggers, up to which level and to whom.

A record belongs to one logger. Its level counts, or that of the nearest logger above it that has one; then it goes to
the appenders of that logger and of those above it, as far as they are additive. All that is worked out beforehand.
"""

from __future__ import annotations

import sys
import time

from dcmsend.cli.log import Level, Log
from dcmsend.cli.logs.layouts import Place, Record
from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import Final

    from dcmsend.cli.logs.appenders import Appender

# Our rooms and the names of DCMTK's loggers. ``root`` is its root logger: ``--arguments`` alone goes there.
LOGGERS: Final = {"": "dcmtk.apps.dcmsend", "net": "dcmtk.dcmnet", "root": "root"}
OFF: Final = -1
_OWN: Final = ("log.py", "tree.py", "python_log.py")  # modules that no record is made in
_NOWHERE: Final = Place("", 0, "")


class Route(NamedTuple):
    """Of one of our loggers: up to which level (``OFF``: nothing) its records count, and where they go, in order."""

    level: int
    appenders: tuple[Appender, ...]

    def detail(self) -> int:
        """The most detailed level that somebody takes."""
        limits = (appender.gate.threshold for appender in self.appenders)
        return min(self.level, max((self.level if limit is None else limit for limit in limits), default=OFF))


class Tree:
    """Where the records of all our loggers go. Used by one thread; a signal that comes in between is told so."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        appenders: tuple[Appender, ...],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.routes = routes
        self._appenders = appenders
        self._clock = clock
        self._busy = False

    def write(self, room: str, level: Level, lines: tuple[str, ...]) -> None:
        """Give a record to all appenders. Raises RuntimeError in the middle of another one."""
        if self._busy:
            raise RuntimeError("a record is being written")
        self._busy = True
        try:
            place = place_of(sys._getframe(1))  # noqa: SLF001 - as logging does
            record = Record(LOGGERS[room], level, lines, self._clock(), place)
            for appender in self.routes[room].appenders:
                appender.append(record)
        finally:
            self._busy = False

    def close(self) -> None:
        for appender in self._appenders:
            appender.close()


class TreeLog(Log):
    """One logger of a tree. That of the program itself (room ``""``) shows what any of them shows."""

    def __init__(self, tree: Tree, room: str = "") -> None:
        super().__init__(sys.stderr)  # for what is no record: errors of the command line
        self._tree = tree
        self._room = room
        rooms = ("", "net") if room == "" else (room,)
        self._detail = max(tree.routes[each].detail() for each in rooms)
        self._own = tree.routes[room].level
        self.level = Level(max(self._own, Level.FATAL))

    def __repr__(self) -> str:
        return f"<TreeLog {LOGGERS[self._room]} {self.level.name.lower()}>"

    def room(self, name: str) -> Log:
        return TreeLog(self._tree, name)

    def shows(self, level: Level) -> bool:
        return level <= self._detail

    def write(self, level: Level, *lines: str) -> None:
        if level <= self._own:
            from dcmsend.printable import MAX_LINE, plain

            self._tree.write(self._room, level, tuple([plain(line, MAX_LINE) for line in lines]))

    def always(self, level: Level, *lines: str) -> None:
        from dcmsend.printable import printable

        self._tree.write(self._room, level, tuple([printable(line) for line in lines]))

    def close(self) -> None:
        self._tree.close()


def place_of(frame: FrameType | None) -> Place:
    """Where the frame is in our source, or the one that called it where that is part of the log itself."""
    while frame is not None and frame.f_code.co_filename.rpartition("/")[2] in _OWN:
        frame = frame.f_back
    if frame is None:
        return _NOWHERE
    _, package, path = frame.f_code.co_filename.replace("\\", "/").rpartition("/dcmsend/")
    return Place(f"{package[1:]}{path}", frame.f_lineno, frame.f_code.co_name)
