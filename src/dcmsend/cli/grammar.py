"""The command line's grammar, which is DCMTK's: words -> ``CommandLine`` -> ``Arguments``.

Owns the order of the checks and the texts of the errors; what options there are is in ``options``. Nothing here
prints. ``argparse`` is not used: there are no abbreviations and no ``--option=value``, a value is taken as it stands
even if it looks like an option, and the order of the checks shows in what a wrong command line answers.

In the order in which the caller is to use them: ``read`` (command files, unknown options, missing values),
``request``, ``check_parameters``, ``log_level``, ``arguments``.
"""

from __future__ import annotations

from dcmsend.cli.errors import CommandLineError
from dcmsend.cli.log import Level
from dcmsend.cli.options import BY_NAME, OPTIONS, PARAMETERS, VERBOSE_MODE, Argument, Kind, Option
from dcmsend.cli.words import MANY, expand, scan_number, scan_size
from dcmsend.light import Frozen
from dcmsend.model import Conversion, Limits, Peer, Policy, ScanOptions, Timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, Final

_LOG_OPTIONS: Final = tuple(option for option in OPTIONS if option.sets.startswith("log."))
_OTHER_OPTIONS: Final = tuple(option for option in OPTIONS if option not in _LOG_OPTIONS)

_LONGEST_TITLE: Final = 16


class CommandLine(Frozen, kw_only=True):
    """The words after expansion, told apart.

    ``words`` has all of them, options by their long names; ``given`` the options with their values. Both are in the
    order of the command line.
    """

    words: tuple[str, ...]
    given: tuple[tuple[Option, str], ...]
    parameters: tuple[str, ...]

    def has(self, long: str) -> bool:
        return any(option.long == long for option, _ in self.given)

    def in_force(self) -> dict[str, tuple[Option, str]]:
        """The rightmost option of each block with its value, by block; options without one are by themselves."""
        return {option.block or option.long: (option, value) for option, value in self.given}

    def spelled_out(self) -> str:
        """The end of the line of ``--arguments``; as in DCMTK, empty words count but are not shown."""
        return f"with {len(self.words)} arguments: " + "".join(f"'{word}' " for word in self.words if word)


class Arguments(Frozen, kw_only=True):
    """What the command line asks for."""

    peer: Peer
    files: tuple[str, ...]
    scan: ScanOptions
    policy: Policy
    conversion: Conversion
    timeouts: Timeouts
    limits: Limits
    log_level: Level
    verbose_contexts: bool = False
    report_file: str = ""
    dcmtk_exit_codes: bool = False


def parse(words: Sequence[str]) -> Arguments | Option:
    """All steps at once: the arguments, or the option (``--help``, ...) that is to be answered instead."""
    line = read(words)
    asked = request(line)
    if asked is not None:
        return asked
    check_parameters(line)
    return arguments(line, log_level(line))


def read(words: Sequence[str]) -> CommandLine:
    """Replace command files by their words, and tell options from parameters."""
    spelled: list[str] = []
    given: list[tuple[Option, str]] = []
    parameters: list[str] = []
    rest = iter(tuple(expand(words)))  # a command file that cannot be read is told before anything else
    for word in rest:
        if _looks_like_option(word):
            option, value = _option(word, rest)
            given.append((option, value))
            spelled += (option.long, value) if option.argument else (option.long,)
        else:
            parameters.append(word)
            spelled.append(word)
    return CommandLine(words=tuple(spelled), given=tuple(given), parameters=tuple(parameters))


def request(line: CommandLine) -> Option | None:
    """The option that is to be answered at once, if any. Without any words, help is wanted."""
    if not line.words:
        return BY_NAME["--help"]
    return next((option for option in OPTIONS if option.request and line.has(option.long)), None)


def check_parameters(line: CommandLine) -> None:
    """All three kinds of parameters must be there."""
    missing = PARAMETERS[len(line.parameters) :]
    if missing:
        raise CommandLineError(f"Missing parameter {missing[0][0]}")


def log_level(line: CommandLine) -> Level:
    """The level of the log."""
    level: Level = _settings(line, _LOG_OPTIONS, None).get("log.level", Level.WARN)
    return level


def arguments(line: CommandLine, level: Level) -> Arguments:
    """Everything else."""
    settings = _settings(line, _OTHER_OPTIONS, level)

    def part(name: str) -> dict[str, Any]:
        return {key.partition(".")[2]: value for key, value in settings.items() if key.startswith(f"{name}.")}

    host, port, *files = line.parameters
    return Arguments(
        peer=Peer(host=host, port=_port(port, level), **part("peer")),
        files=tuple(files),
        scan=ScanOptions(**part("scan")),
        policy=Policy(**part("policy")),
        conversion=Conversion(**part("conversion")),
        timeouts=Timeouts(**part("timeouts")),
        limits=Limits(**part("limits")),
        log_level=level,
        **part("run"),
    )


def remarks(wanted: Arguments) -> Iterator[str]:
    """What the user should know about the arguments, though they are valid."""
    for title in (wanted.peer.calling_ae, wanted.peer.called_ae):
        if len(title) > _LONGEST_TITLE:
            cut = title[:_LONGEST_TITLE]
            yield f"AE title '{title}' is longer than {_LONGEST_TITLE} characters and is cut to '{cut}'"


# --- words


def _looks_like_option(word: str) -> bool:
    return len(word) > 1 and word[0] in "+-" and word[1] not in "0123456789"


def _option(word: str, rest: Iterator[str]) -> tuple[Option, str]:
    option = BY_NAME.get(word)
    if option is None:
        raise CommandLineError(f"Unknown option {word}")
    value = next(rest, None) if option.argument else ""
    if value is None:
        raise CommandLineError(f"Missing value for option {option.long}")
    return option, value


# --- values


def _settings(line: CommandLine, options: Iterable[Option], level: Level | None) -> dict[str, Any]:
    """What the options set, checked in their own order. Raises with ``level``."""
    in_force = line.in_force()
    settings: dict[str, Any] = {}
    for option in options:
        chosen, text = in_force.get(option.block or option.long, (None, ""))
        if chosen is option:
            complaint = _complaint(option, line, level)
            if complaint:
                raise CommandLineError(complaint, log_level=level)
            if option.sets:
                settings[option.sets] = _value(option, text, level) if option.argument else option.value
    return settings


def _complaint(option: Option, line: CommandLine, level: Level | None) -> str:
    """Why the option may not be used with the others, or at all."""
    for group in option.conflicts:
        if any(line.has(long) for long in group):
            *others, last = group
            return f"{option.long} not allowed with {', '.join(others)}{' or ' if others else ''}{last}"
    if option.needs == VERBOSE_MODE:
        met = level is not None and level >= Level.INFO
    else:
        met = not option.needs or line.has(option.needs)
    return option.refused if met else f"{option.long} only allowed with {option.needs}"


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
    wrong = _range_error(size, argument.minimum, argument.maximum)
    return size, f"Invalid value for option {long} ({wrong}: {text})" if wrong else ""


def _port(text: str, level: Level) -> int:
    scanned = scan_number(text)
    if scanned is None:
        raise CommandLineError(f"Invalid parameter value {text}", log_level=level)
    number = MANY if scanned.negative and scanned.size else scanned.size  # C's unsigned numbers turn around
    wrong = _range_error(number, 1, 65535)
    if wrong:
        raise CommandLineError(f"Invalid parameter value {text} ({wrong})", log_level=level)
    return number


def _range_error(number: int, minimum: int, maximum: int | None) -> str:
    if number < minimum:
        return "underflow"
    return "overflow" if maximum is not None and number > maximum else ""
