"""The command line's grammar, which is DCMTK's: words -> ``CommandLine`` -> ``Arguments``.

Owns the order of the checks and the texts of the errors; what options there are is in ``options``. Nothing here
prints. ``argparse`` is not used: there are no abbreviations and no ``--option=value``, a value is taken as it stands
even if it looks like an option, and the order of the checks shows in what a wrong command line answers.

In the order in which the caller is to use them: ``read`` (command files, unknown options, missing values),
``request``, ``resolved`` (a named peer), ``check_parameters``, ``log_choice``, ``arguments``. The table of options is
loaded when the first option turns up: many command lines have none.
"""

from __future__ import annotations

from dcmsend.cli.log import Level
from dcmsend.cli.words import HIDDEN, MANY, CommandLine, CommandLineError, expand, range_error, scan_number
from dcmsend.light import Frozen
from dcmsend.model import Conversion, JournalFile, Limits, Peer, Policy, Retries, ScanOptions, Timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Final

    from dcmsend.cli.login import Login
    from dcmsend.cli.options import Option
    from dcmsend.security import Tls

_LONGEST_TITLE: Final = 16

_NULL: Final = "-0"  # the one option that begins like a number

# The parameters: name, and what it is.
PARAMETERS: Final[tuple[tuple[str, str], ...]] = (
    ("peer", "host name or address of the storage SCP"),
    ("port", "its TCP port, 1 to 65535"),
    ("dcmfile-in", "DICOM file to send, or folder (with +sd)"),
)


class LogChoice(Frozen, kw_only=True):
    """What log is wanted: up to which ``level`` and in which ``format``, or as a file says (``config``)."""

    level: Level = Level.WARN
    format: str = "text"
    config: str | None = None

    @property
    def special(self) -> bool:
        """Whether it is another log than lines for people on standard error."""
        return self.format != "text" or self.config is not None


class Arguments(Frozen, kw_only=True):
    """What the command line asks for."""

    peer: Peer
    files: tuple[str, ...]
    scan: ScanOptions
    policy: Policy
    conversion: Conversion
    timeouts: Timeouts
    limits: Limits
    retries: Retries
    journal: JournalFile | None
    log: LogChoice
    login: Login | None = None
    verbose_contexts: bool = False
    files_from: tuple[str, ...] = ()
    null_separated: bool = False
    dry_run: bool = False
    echo: bool = False
    probe: bool = False
    progress: bool | None = None  # None: where there is a terminal
    report_file: str = ""
    report_json: str = ""
    report_csv: str = ""
    report_html: str = ""
    dcmtk_exit_codes: bool = False


def parse(words: Sequence[str]) -> Arguments | Option:
    """All steps at once: the arguments, or the option (``--help``, ...) that is to be answered instead."""
    line = read(words)
    asked = request(line)
    if asked is not None:
        return asked
    line = resolved(line)
    check_parameters(line)
    choice = log_choice(line)
    return arguments(line, choice.level, choice)


def read(words: Sequence[str]) -> CommandLine:
    """Replace command files by their words, and tell options from parameters."""
    spelled: list[str] = []
    given: list[tuple[Option, tuple[str, ...]]] = []
    parameters: list[str] = []
    rest = iter(tuple(expand(words)))  # a command file that cannot be read is told before anything else
    for word in rest:
        if _looks_like_option(word):
            option, values = _option(word, rest)
            given.append((option, values))
            spelled.append(option.long)
            spelled += (
                HIDDEN if argument.secret else value for argument, value in zip(option.arguments, values, strict=True)
            )
        else:
            parameters.append(word)
            spelled.append(word)
    return CommandLine(words=tuple(spelled), given=tuple(given), parameters=tuple(parameters))


def request(line: CommandLine) -> Option | None:
    """The option that is to be answered at once, if any. Without any words, help is wanted."""
    if line.words and not line.given:
        return None
    from dcmsend.cli.options import BY_NAME, OPTIONS

    if not line.words:
        return BY_NAME["--help"]
    return next((option for option in OPTIONS if option.request and line.has(option.long)), None)


def resolved(line: CommandLine) -> CommandLine:
    """The command line with what a file says of the peer that it names, if it names one."""
    if not line.given or not line.has("--peer"):
        return line
    from dcmsend.cli.peers import with_named_peer

    return with_named_peer(line)


def check_parameters(line: CommandLine) -> None:
    """Peer and port must be there, and a file unless others are named elsewhere or nothing is to be sent."""
    without = line.has("--files-from") or (line.has("--echo") and not line.has("--probe"))
    wanted = PARAMETERS[: 2 if without else 3]
    missing = wanted[len(line.parameters) :]
    if missing:
        raise CommandLineError(f"Missing parameter {missing[0][0]}")


def log_choice(line: CommandLine) -> LogChoice:
    """What log is wanted; ``arguments`` has to know of the level that it then has."""
    return LogChoice(**{key.partition(".")[2]: value for key, value in _settings(line, None).items()})


def arguments(line: CommandLine, level: Level, choice: LogChoice | None = None) -> Arguments:
    """Everything else. ``level`` is how much the log shows that was chosen."""
    settings = _settings(line, level)

    def part(name: str) -> dict[str, Any]:
        return {key.partition(".")[2]: value for key, value in settings.items() if key.startswith(f"{name}.")}

    journal = part("journal")
    host, port, *files = line.parameters
    return Arguments(
        peer=Peer(host=host, port=_port(port, level), tls=_tls(part("tls")), **part("peer")),
        files=tuple(files),
        scan=ScanOptions(**part("scan")),
        policy=Policy(**part("policy")),
        conversion=Conversion(**part("conversion")),
        timeouts=Timeouts(**part("timeouts")),
        limits=Limits(**part("limits")),
        retries=Retries(**part("retries")),
        journal=JournalFile(**journal) if journal else None,
        log=choice or LogChoice(level=level),
        login=_login(part("identity")),
        **part("run"),
    )


def remarks(wanted: Arguments) -> Iterator[str]:
    """What the user should know about the arguments, though they are valid."""
    for title in (wanted.peer.calling_ae, wanted.peer.called_ae):
        if len(title) > _LONGEST_TITLE:
            cut = title[:_LONGEST_TITLE]
            yield f"AE title '{title}' is longer than {_LONGEST_TITLE} characters and is cut to '{cut}'"


def _login(identity: dict[str, Any]) -> Login | None:
    if not identity:
        return None
    from dcmsend.cli.login import Login

    return Login(**identity)


def _tls(settings: dict[str, Any]) -> Tls | None:
    if not settings:
        return None
    from dcmsend.cli.tls import tls_of

    return tls_of(settings)


def _settings(line: CommandLine, level: Level | None) -> dict[str, Any]:
    if not line.given:
        return {}
    from dcmsend.cli.settings import settings

    return settings(line, level)


# --- words


def _looks_like_option(word: str) -> bool:
    return len(word) > 1 and word[0] in "+-" and (word[1] not in "0123456789" or word == _NULL)


def _option(word: str, rest: Iterator[str]) -> tuple[Option, tuple[str, ...]]:
    from dcmsend.cli.options import BY_NAME

    option = BY_NAME.get(word)
    if option is None:
        raise CommandLineError(f"Unknown option {_without_secret(word)}")
    values = tuple(value for _ in option.arguments if (value := next(rest, None)) is not None)
    if len(values) < len(option.arguments):
        raise CommandLineError(f"Missing value for option {option.long}")
    return option, values


def _without_secret(word: str) -> str:
    """A word as it may be shown: somebody may have written ``--use-passwd=...``, which is not our grammar."""
    from dcmsend.cli.options import BY_NAME

    name, equals, _ = word.partition("=")
    meant = BY_NAME.get(name) if equals else None
    secret = meant and any(argument.secret for argument in meant.arguments)
    return f"{name}={HIDDEN}" if secret else word


def _port(text: str, level: Level) -> int:
    scanned = scan_number(text)
    if scanned is None:
        raise CommandLineError(f"Invalid parameter value {text}", log_level=level)
    number = MANY if scanned.negative and scanned.size else scanned.size  # C's unsigned numbers turn around
    wrong = range_error(number, 1, 65535)
    if wrong:
        raise CommandLineError(f"Invalid parameter value {text} ({wrong})", log_level=level)
    return number
