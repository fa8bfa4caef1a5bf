"""A configuration of Python's ``logging`` (JSON, TOML, INI), and the log that goes there.

Loggers are ``dcmsend.app`` for the program's own lines and ``dcmsend.net`` for what happens between us and the peer;
each line is a record. A configuration may name any class of any module: it is the user's own file.
"""

from __future__ import annotations

import logging
import sys

from dcmsend.cli.log import Level, Log
from dcmsend.cli.logs.properties import Mistake, shown
from dcmsend.cli.logs.tree import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final

NAMES: Final = {"": "dcmsend.app", "net": "dcmsend.net", "root": "dcmsend.app"}
TRACE: Final = 5
NUMBERS: Final = {
    Level.FATAL: logging.CRITICAL,
    Level.ERROR: logging.ERROR,
    Level.WARN: logging.WARNING,
    Level.INFO: logging.INFO,
    Level.DEBUG: logging.DEBUG,
    Level.TRACE: TRACE,
}


def python_log(path: str, text: str, kind: str) -> Log:
    """The log that the text of a file describes: ``kind`` is ``json``, ``toml`` or ``ini``. Raises ``Mistake``."""
    logging.addLevelName(TRACE, "TRACE")
    try:
        _READERS[kind](path, text)
    except Mistake:
        raise
    except Exception as error:  # whatever the classes raise that the file names
        raise Mistake(path, 0, _reason(error)) from error
    once = _Once()
    for handler in _handlers():
        handler.handleError = once.handler  # type: ignore[method-assign, assignment]
    return PythonLog("", once)


class PythonLog(Log):
    """One of our loggers in ``logging``. That of the program itself shows what either of them shows."""

    def __init__(self, room: str, once: _Once) -> None:
        super().__init__(sys.stderr)  # for what is no record: errors of the command line
        self._logger = logging.getLogger(NAMES[room])
        self._asked = [logging.getLogger(NAMES[each]) for each in (("", "net") if room == "" else (room,))]
        self._once = once
        self.level = max((level for level in Level if self._takes(level)), default=Level.FATAL)

    def __repr__(self) -> str:
        return f"<PythonLog {self._logger.name} {self.level.name.lower()}>"

    def room(self, name: str) -> Log:
        return PythonLog(name, self._once)

    def shows(self, level: Level) -> bool:
        return any(logger.isEnabledFor(NUMBERS[level]) for logger in self._asked)

    def write(self, level: Level, *lines: str) -> None:
        if self._takes(level):
            from dcmsend.printable import MAX_LINE, plain

            self._records(level, [plain(line, MAX_LINE) for line in lines])

    def always(self, level: Level, *lines: str) -> None:
        from dcmsend.printable import printable

        self._records(level, [printable(line) for line in lines])

    def close(self) -> None:
        logging.shutdown()

    def _takes(self, level: Level) -> bool:
        return self._logger.isEnabledFor(NUMBERS[level])

    def _records(self, level: Level, lines: list[str]) -> None:
        """Give each line that is not empty to the logger, whatever its level."""
        place = place_of(sys._getframe(1))  # noqa: SLF001 - as logging does
        number, name = NUMBERS[level], self._logger.name
        for line in filter(None, lines):
            try:
                record = self._logger.makeRecord(name, number, place.file, place.line, line, (), None, place.function)
                self._logger.handle(record)
            except Exception as error:  # noqa: BLE001 - a filter or handler of the user's
                self._once.tell(error)


class _Once:
    """Says once on standard error that a record could not be written; what is being sent matters more."""

    def __init__(self) -> None:
        self._told = False

    def handler(self, _: logging.LogRecord) -> None:
        """What a handler calls in the middle of an exception."""
        self.tell(sys.exception())

    def tell(self, error: BaseException | None) -> None:
        if not self._told:
            self._told = True
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            Log(sys.stderr).warn(f"a handler of the log loses lines: {why}")


def _handlers() -> Iterator[logging.Handler]:
    """All handlers that are in use, and those that they hand on to."""
    loggers = (logging.getLogger(name) for name in (None, *logging.root.manager.loggerDict))
    waiting = [handler for logger in loggers for handler in logger.handlers]
    while waiting:
        handler = waiting.pop()
        yield handler
        target = getattr(handler, "target", None)  # of a MemoryHandler
        if isinstance(target, logging.Handler):
            waiting.append(target)


def _from_json(path: str, text: str) -> None:
    import json

    try:
        found = json.loads(text)
    except ValueError as error:
        raise Mistake(path, getattr(error, "lineno", 0), f"no JSON: {getattr(error, 'msg', error)}") from error
    _from_dict(found)


def _from_toml(path: str, text: str) -> None:
    import re
    import tomllib

    try:
        found = tomllib.loads(text.replace("\r\n", "\n"))
    except ValueError as error:
        place = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        what = str(error)[: place.start()] if place else str(error)
        raise Mistake(path, int(place[1]) if place else 0, f"no TOML: {what}") from error
    _from_dict(found)


def _from_dict(found: dict[str, Any]) -> None:
    import logging.config

    logging.config.dictConfig({"disable_existing_loggers": False, **found})


def _from_ini(path: str, text: str) -> None:
    import configparser
    import logging.config

    parser = configparser.ConfigParser()
    try:
        parser.read_string(text)
    except configparser.ParsingError as error:
        raise Mistake(path, error.errors[0][0] if error.errors else 0, "no INI: not understood") from error
    except configparser.Error as error:
        raise Mistake(path, getattr(error, "lineno", 0) or 0, f"no INI: {error.message.partition(']: ')[2]}") from error
    logging.config.fileConfig(parser, disable_existing_loggers=False)


def _reason(error: BaseException) -> str:
    """What is wrong in one line, with what lies behind it."""
    reasons: list[str] = []
    each: BaseException | None = error
    while each is not None and len(reasons) < 4:
        what = f"there is no {shown(str(each.args[0]))}" if isinstance(each, KeyError) and each.args else str(each)
        reasons.append(what or type(each).__name__)
        each = each.__cause__ or each.__context__
    return ": ".join(dict.fromkeys(reasons))


_READERS: Final[dict[str, Callable[[str, str], None]]] = {"json": _from_json, "toml": _from_toml, "ini": _from_ini}
