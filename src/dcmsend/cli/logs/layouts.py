"""A record of the log -> text: the layouts of log4cplus, as DCMTK 3.6.7 has them. Nothing here writes.

What a conversion (``%p``) gives is one row of a table.
"""

from __future__ import annotations

import re
import time

from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TypeAlias

    from dcmsend.cli.log import Level

    Layout: TypeAlias = "Callable[[Record], str]"
    Field: TypeAlias = "Callable[[Record, str], str]"  # a record, and one line of it

DATE: Final = "%Y-%m-%d %H:%M:%S"
WIDEST: Final = 1000  # characters to which something is filled up
_CONVERSION: Final = re.compile(r"(-*)([0-9]*)(?:\.([0-9]+))?(.)", re.DOTALL)
_DIRECTIVE: Final = re.compile(r"%(.)", re.DOTALL)


class Place(NamedTuple):
    """Where in the program a record was made."""

    file: str
    line: int
    function: str


class Record(NamedTuple):
    """What is logged at once: one line, or several that belong together. ``time`` is in seconds since 1970."""

    logger: str
    level: Level
    lines: tuple[str, ...]
    time: float
    place: Place


class World(NamedTuple):
    """What a layout knows besides the record. ``started`` is in seconds since 1970."""

    started: float
    process: int
    thread: int
    native_thread: int
    host: Callable[[bool], str]  # with its domain, or without


class PatternError(ValueError):
    """A pattern makes no sense; the text says why."""


def simple(record: Record) -> str:
    """log4cplus's SimpleLayout: ``LEVEL - message``; further lines stand as they are."""
    return f"{record.level.name} - {_message(record)}\n"


def ttcc(world: World, date: str, utc: bool) -> Layout:
    """log4cplus's TTCCLayout: time, thread, level, logger, context (there is none), message.

    Without a format of dates, the time is the milliseconds since the start.
    """
    moment = dates(date, utc) if date else lambda seconds: _elapsed(world, seconds)

    def layout(record: Record) -> str:
        head = f"{moment(record.time)} [{world.thread}] {record.level.name} {record.logger}"
        return f"{head} <> - {_message(record)}\n"

    return layout


def pattern(text: str, world: World, *, each_line: bool = True) -> Layout:
    """log4cplus's PatternLayout. With ``each_line``, each line of a record is formatted by itself.

    Raises ``PatternError``.
    """
    fields = _fields(text, world)

    def layout(record: Record) -> str:
        lines = record.lines if each_line else (_message(record),)
        return "".join([field(record, line) for line in lines for field in fields])

    return layout


def dates(text: str, utc: bool) -> Callable[[float], str]:
    """What writes a moment as ``strftime`` does; ``%q`` milliseconds, ``%Q`` those with fraction, ``%s`` seconds.

    Raises ``PatternError``.
    """
    split = time.gmtime if utc else time.localtime

    def write(moment: float) -> str:
        microseconds = int(moment * 1_000_000 + 0.5)
        own = {
            "q": f"{microseconds // 1000 % 1000:03}",
            "Q": f"{microseconds // 1000 % 1000:03}.{microseconds % 1000:03}",
            "s": str(microseconds // 1_000_000),
        }
        directives = _DIRECTIVE.sub(lambda found: own.get(found[1], found[0]), text)
        return time.strftime(directives, split(microseconds // 1_000_000))

    try:
        write(0.0)
    except ValueError as error:
        raise PatternError(f"the format of dates makes no sense: {error}") from error
    return write


def _message(record: Record) -> str:
    return "\n".join(record.lines)


def _elapsed(world: World, moment: float) -> str:
    return str(max(int((moment - world.started) * 1000), 0))


def _last_parts(name: str, count: int) -> str:
    return ".".join(name.split(".")[-count:]) if count > 0 else name


def _plain_fields(world: World) -> dict[str, Field]:
    """The conversions that take nothing in braces."""
    return {
        "p": lambda record, _: record.level.name,
        "P": lambda record, _: record.level.name[0],
        "m": lambda _, line: line,
        "n": lambda *_: "\n",
        "t": lambda *_: str(world.thread),
        "T": lambda *_: str(world.native_thread),
        "i": lambda *_: str(world.process),
        "r": lambda record, _: _elapsed(world, record.time),
        "F": lambda record, _: record.place.file,
        "b": lambda record, _: record.place.file.rpartition("/")[2],
        "L": lambda record, _: str(record.place.line),
        "l": lambda record, _: f"{record.place.file}:{record.place.line}",
        "M": lambda record, _: record.place.function,
        "x": lambda *_: "",
    }


def _logger(count: int) -> Field:
    return lambda record, _: _last_parts(record.logger, count)


def _date(text: str, utc: bool) -> Field:
    write = dates(text or DATE, utc)
    return lambda record, _: write(record.time)


def _constant(text: str) -> Field:
    return lambda *_: text


def _fields(text: str, world: World) -> list[Field]:
    """The fields of a pattern, in order."""
    found: list[Field] = []
    table = _plain_fields(world)
    position = 0
    while position < len(text):
        literal, percent, rest = text[position:].partition("%")
        if literal or not rest:
            found.append(_constant(literal + ("" if rest else percent)))
        position += len(literal) + len(percent)
        if rest.startswith("%"):
            found.append(_constant("%"))
            position += 1
        elif rest:
            field, position = _conversion(text, position, table, world)
            found.append(field)
    return found


def _conversion(text: str, position: int, table: dict[str, Field], world: World) -> tuple[Field, int]:
    """The field behind a percent sign, and where the pattern goes on."""
    found = _CONVERSION.match(text, position)
    if found is None:  # no character is left, or only digits
        raise PatternError("the pattern ends within a conversion")
    left, least, most, name = found.groups()
    position = found.end()
    if name in "cdDX":
        option, position = _option(text, position)
        field = _with_option(name, option)
    elif name in "hH":
        field = _constant(world.host(name == "H"))
    elif name in table:
        field = table[name]
    else:
        raise PatternError(f"'%{found[0]}' is no conversion of a pattern; %% is a percent sign")
    if len(least) > 4 or int(least or 0) > WIDEST:
        raise PatternError(f"'%{found[0][:20]}' is wider than {WIDEST} characters")
    return _cut(field, int(least or 0), int(most[:9]) if most else None, bool(left)), position


def _option(text: str, position: int) -> tuple[str, int]:
    """What stands in braces behind a conversion, and where the pattern goes on."""
    if text[position : position + 1] != "{":
        return "", position
    end = text.find("}", position)
    if end < 0:
        raise PatternError("{ without }")
    return text[position + 1 : end], end + 1


def _with_option(name: str, option: str) -> Field:
    if name == "c":
        return _logger(int(option) if option.isascii() and option.isdigit() and len(option) < 9 else 0)
    if name == "X":
        return _constant("")  # there is no context
    return _date(option, utc=name == "d")


def _cut(field: Field, least: int, most: int | None, left: bool) -> Field:
    """A field that is filled up on one side, and of which only the end is kept where it is too long."""
    if not least and most is None:
        return field

    def cut(record: Record, line: str) -> str:
        text = field(record, line)
        if most is not None and len(text) > most:
            return text[len(text) - most :]
        return text.ljust(least) if left else text.rjust(least)

    return cut
