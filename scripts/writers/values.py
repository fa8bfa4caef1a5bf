"""What a shell can offer for an option's value. Knows no shell; the options' table knows no completion."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from dcmsend.cli.options import Argument, Kind, Option
from dcmsend.net.suites import SUITES

FEW: Final = 10  # so many numbers are worth a list


class Source(Enum):
    """Where the words come from."""

    FILES = "file"
    FOLDERS = "folder"
    PEERS = "peer"
    WORDS = "words"
    NOTHING = "free"


class Value(NamedTuple):
    """One value of an option; ``words`` with ``Source.WORDS`` alone."""

    name: str
    source: Source
    words: tuple[str, ...] = ()


_BY_ARGUMENT: Final = {
    "filename": Source.FILES,
    "private key file": Source.FILES,
    "certificate file": Source.FILES,
    "directory": Source.FOLDERS,
}
_BY_OPTION: Final = {"--peer": Source.PEERS}


def values(option: Option) -> tuple[Value, ...]:
    """The values of an option, in order."""
    return tuple(_value(option, argument) for argument in option.arguments)


def names(option: Option) -> tuple[str, ...]:
    """The names of an option, the short one first."""
    return tuple(name for name in (option.short, option.long) if name)


def is_unfinished(option: Option) -> bool:
    """Whether an option is refused, and its help does not say so."""
    return bool(option.refused) and "refused" not in option.help and "not supported" not in option.help


def _value(option: Option, argument: Argument) -> Value:
    words = _words(argument)
    if words:
        return Value(argument.name, Source.WORDS, words)
    source = _BY_OPTION.get(option.long) or _BY_ARGUMENT.get(argument.name, Source.NOTHING)
    return Value(argument.name, source)


def _words(argument: Argument) -> tuple[str, ...]:
    if argument.name == "ciphersuite name":
        return tuple(SUITES)
    if argument.kind is Kind.INTEGER and argument.maximum is not None and argument.maximum - argument.minimum < FEW:
        return tuple(str(number) for number in range(argument.minimum, argument.maximum + 1))
    return argument.choices
