"""What the options on a command line set, checked in the order of the table. Loaded when there are any."""

from __future__ import annotations

from dcmsend.cli.log import Level
from dcmsend.cli.options import ANY_IDENTITY, BY_NAME, IDENTITY_BLOCK, OPTIONS, VERBOSE_MODE, Kind
from dcmsend.cli.words import CommandLineError, range_error, scan_number, scan_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from dcmsend.cli.grammar import CommandLine
    from dcmsend.cli.options import Argument, Option

    InForce: TypeAlias = dict[str, tuple[Option, str]]


def settings(line: CommandLine, level: Level | None) -> dict[str, Any]:
    """What the options set, checked in the order of the table. Without a level, those of the log; else all others."""
    values: dict[str, Any] = {}
    in_force = line.in_force()
    for option in OPTIONS:
        chosen, text = in_force.get(option.block or option.long, (None, ""))
        if chosen is option and option.sets.startswith("log.") is (level is None):
            complaint = _complaint(option, line, in_force, level)
            if complaint:
                raise CommandLineError(complaint, log_level=level)
            if option.sets:
                values[option.sets] = _value(option, text, level) if option.argument else option.value
    return values


def _complaint(option: Option, line: CommandLine, in_force: InForce, level: Level | None) -> str:
    """Why the option may not be used with the others, or at all."""
    for group in option.conflicts:
        if any(line.has(long) for long in group):
            *others, last = group
            return f"{option.long} not allowed with {', '.join(others)}{' or ' if others else ''}{last}"
    return option.refused if _met(option.needs, in_force, level) else f"{option.long} only allowed with {option.needs}"


def _met(needs: str, in_force: InForce, level: Level | None) -> bool:
    """Whether what an option needs is there, and not overruled by another option of its block."""
    if needs == VERBOSE_MODE:
        return level is not None and level >= Level.INFO
    if needs == ANY_IDENTITY:
        return IDENTITY_BLOCK in in_force
    return not needs or in_force.get(BY_NAME[needs].block or needs, (None, ""))[0] is BY_NAME[needs]


def _value(option: Option, text: str, level: Level | None) -> object:
    """The value of an option as what it sets."""
    argument = option.argument
    if argument is None or argument.kind is Kind.STRING:
        return text
    if argument.kind is Kind.CHOICE:
        number = _choice(argument, text)
        complaint = f"Invalid log level for {option.long} option" if number < 0 else ""
    else:
        number, complaint = _integer(option.long, argument, text)
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
