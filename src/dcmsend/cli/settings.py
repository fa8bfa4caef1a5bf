"""What the options on a command line set, checked in the order of the table. Loaded when there are any."""

from __future__ import annotations

from dcmsend.cli.log import Level
from dcmsend.cli.options import OPTIONS, VERBOSE_MODE, Kind
from dcmsend.cli.words import CommandLine, CommandLineError, range_error, scan_number, scan_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeAlias

    from dcmsend.cli.options import Argument, Option

    InForce: TypeAlias = dict[str, tuple[Option, tuple[str, ...]]]


_CHOSEN: Final = {"--log-level": "log level"}  # in DCMTK's words


def settings(line: CommandLine, level: Level | None) -> dict[str, Any]:
    """What the options set, checked in the order of the table. Without a level, those of the log; else all others."""
    values: dict[str, Any] = {}
    in_force = line.in_force()
    for option in OPTIONS:
        chosen, texts = in_force.get(option.block or option.long, (None, ()))
        if chosen is option and option.sets.startswith("log.") is (level is None):
            complaint = _complaint(option, line, in_force, level)
            if complaint:
                raise CommandLineError(complaint, log_level=level)
            values.update(_values(option, texts, level))
    return values


def _complaint(option: Option, line: CommandLine, in_force: InForce, level: Level | None) -> str:
    """Why the option may not be used with the others, or at all."""
    present = {other.long for other, _ in in_force.values()}
    if option.block:  # what it has overruled itself was given all the same
        present.update(other.long for other, _ in line.given if other.block == option.block)
    for group in option.conflicts:
        if not present.isdisjoint(group):
            *others, last = group
            return f"{option.long} not allowed with {', '.join(others)}{' or ' if others else ''}{last}"
    return option.refused if met(option.needs, in_force, level) else f"{option.long} only allowed with {option.needs}"


def met(needs: str, in_force: InForce, level: Level | None) -> bool:
    """Whether one of the options that an option needs is there, and not overruled by another option of its block."""
    if needs == VERBOSE_MODE:
        return level is not None and level >= Level.INFO
    present = {option.long for option, _ in in_force.values()}
    return not needs or not present.isdisjoint(needs.replace(", ", " or ").split(" or "))


def _values(option: Option, texts: tuple[str, ...], level: Level | None) -> dict[str, Any]:
    """What an option sets, with its values."""
    if not option.sets:
        return {}
    if option.argument is None:
        return {option.sets: option.value}
    if option.collects:
        return {option.sets: tuple(_value(option.long, option.argument, text, level) for text in texts)}
    return {
        field: _value(option.long, argument, text, level)
        for field, argument, text in zip(option.sets.split(), option.arguments, texts, strict=True)
    }


def _value(long: str, argument: Argument, text: str, level: Level | None) -> object:
    """One value of an option as what it sets."""
    if argument.kind is Kind.STRING:
        return text
    if argument.kind is Kind.CHOICE:
        number = _choice(argument, text)
        complaint = f"Invalid {_CHOSEN.get(long, argument.name)} for {long} option" if number < 0 else ""
    else:
        number, complaint = _integer(long, argument, text)
    if complaint:
        raise CommandLineError(complaint, log_level=level)
    return argument.convert(number) if argument.convert else number


def _choice(argument: Argument, text: str) -> int:
    """Which of the choices it is, in any case of letters; -1 for none."""
    return argument.choices.index(text.lower()) if text.lower() in argument.choices else -1


def _integer(long: str, argument: Argument, text: str) -> tuple[int, str]:
    """The number, and what is wrong with it."""
    size: int | None
    if argument.kind is Kind.SIZE:
        size = scan_size(text)
    else:
        scanned = scan_number(text)
        size = None if scanned is None or scanned.negative else scanned.size
    if size is None:
        return 0, f"Invalid value for option {long}" + (f" ({text})" if text else "")
    wrong = range_error(size, argument.minimum, argument.maximum)
    return size, f"Invalid value for option {long} ({wrong}: {text})" if wrong else ""
