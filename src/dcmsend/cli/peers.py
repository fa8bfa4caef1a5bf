"""Named peers: a table of a TOML file -> options and parameters, as if they stood at the left of the command line.

Which keys there may be follows from the table of options: their long names without the dashes. The values are checked
by ``settings``, which checks those of the command line too; here is only what TOML and names have of their own. Loaded
where ``--peer`` is given.
"""

from __future__ import annotations

import os
import sys

from dcmsend.cli.log import Level
from dcmsend.cli.options import IDENTITY_BLOCK, OPTIONS, Kind
from dcmsend.cli.settings import met, settings
from dcmsend.cli.words import MANY, CommandLine, CommandLineError, range_error
from dcmsend.light import replace
from dcmsend.printable import MAX_PATH, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Final, TypeAlias

    from dcmsend.cli.options import Argument, Option

    Given: TypeAlias = tuple[Option, tuple[str, ...]]

MAX_PEERS_FILE: Final = 1 << 20  # bytes
_MOST_NAMES: Final = 20  # peers that an error lists
_LONGEST: Final = 64  # characters of a name or key in an error
_HOST: Final = "host"
_PORT: Final = "port"
_GROUPS: Final = ("network options", "transport layer security (TLS) options")
_SUBGROUPS: Final = ("transfer syntax conversion", "deflate compression level")
_NOT_HERE: Final = frozenset(("--peer", "--peers"))
# Arguments that name files: relative ones are meant from the folder of the peers file.
PATHS: Final = frozenset(("filename", "directory", "private key file", "certificate file"))
_STANDARD_INPUT: Final = "-"
_INSTEAD: Final = {
    "--password": "password-file names one for it",
    "--use-passwd": "it is asked for where it is needed",
}
# A password goes with the user or key that it is for: where one of these blocks is overruled, so is the other.
_GOES_WITH: Final = {"password": IDENTITY_BLOCK, "passwd": "tls"}

ALLOWED: Final[dict[str, Option]] = {
    option.long.removeprefix("--"): option
    for option in OPTIONS
    if (option.section.group in _GROUPS or option.section.subgroup in _SUBGROUPS)
    and option.long not in _NOT_HERE
    and not option.request
}


def default_path(environment: Mapping[str, str], platform: str) -> str:
    """Where the user's peers are: in the folder for settings of XDG, also on macOS; on Windows in that of APPDATA."""
    if platform == "win32":
        return os.path.join(environment.get("APPDATA") or os.path.expanduser("~"), "dcmsend", "peers.toml")
    folder = environment.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(folder):  # relative ones are to be passed over
        folder = os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(folder, "dcmsend", "peers.toml")


def with_named_peer(line: CommandLine) -> CommandLine:
    """The command line with the host, port and options of the peer that it names. Raises ``CommandLineError``."""
    in_force = line.in_force()
    name = in_force["--peer"][1][0]
    path = in_force["--peers"][1][0] if "--peers" in in_force else default_path(os.environ, sys.platform)
    return _PeersFile(path).peer(name, line)


class _PeersFile:
    """One file, read whole."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._peers = self._read()

    def peer(self, name: str, line: CommandLine) -> CommandLine:
        """A command line with what the peer of this name says."""
        table = self._peers.get(name)
        if not isinstance(table, dict):
            raise CommandLineError(self._unknown(name))
        where = f"{self._called()}, peer '{plain(name, _LONGEST)}'"
        host, port = _address(table, where)
        given = [
            each for key, value in table.items() if key not in (_HOST, _PORT) for each in self._given(key, value, where)
        ]
        _require_choice(given, where)
        try:
            settings(CommandLine(words=(), given=tuple(given), parameters=()), Level.WARN)
        except CommandLineError as error:
            raise CommandLineError(f"{where}: {error.message}") from None
        return replace(line, given=(*_kept(given, line), *line.given), parameters=(host, str(port), *line.parameters))

    def _read(self) -> dict[str, Any]:
        from tomllib import TOMLDecodeError, loads

        try:
            with open(self._path, "rb") as stream:
                content = stream.read(MAX_PEERS_FILE + 1)
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or "Invalid filename"
            raise CommandLineError(f"cannot read {self._called()}: {reason}") from None
        if len(content) > MAX_PEERS_FILE:
            raise CommandLineError(f"{self._called()} has more than {MAX_PEERS_FILE} bytes")
        try:
            return loads(content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            complaint = "it is not UTF-8 text"
        except TOMLDecodeError as error:
            complaint = plain(str(error))
        except RecursionError:
            complaint = "values are nested too deeply"
        except ValueError:  # Python reads no numbers of more than some thousand digits
            complaint = "a number has too many digits"
        raise CommandLineError(f"{self._called()} is no valid TOML: {complaint}")

    def _called(self) -> str:
        return f"peers file '{plain(self._path, MAX_PATH)}'"

    def _unknown(self, name: str) -> str:
        """What is wrong where there is no table of that name."""
        shown = plain(name, _LONGEST)
        if name in self._peers:
            return f"{self._called()}: '{shown}' is no peer, which is a table: [{shown}]"
        peers = [key for key, value in self._peers.items() if isinstance(value, dict)]
        if not peers:
            return f"{self._called()} has no peers; each is a table: [{shown}]"
        meant = _nearest(name, peers)
        names = ", ".join(plain(each, _LONGEST) for each in peers[:_MOST_NAMES])
        more = f" and {len(peers) - _MOST_NAMES} more" if len(peers) > _MOST_NAMES else ""
        return f"{self._called()} has no peer '{shown}'{meant}; it has {names}{more}"

    def _given(self, key: str, value: object, where: str) -> list[Given]:
        """A key and its value as options."""
        option = ALLOWED.get(key)
        shown = f"{where}: {plain(key, _LONGEST)}"
        if option is None:
            raise CommandLineError(
                f"{where}: unknown key '{plain(key, _LONGEST)}'{_nearest(key, [_HOST, _PORT, *ALLOWED])}"
            )
        if any(argument.secret and argument.name == "password" for argument in option.arguments):
            raise CommandLineError(f"{shown}: passwords must not stand in this file; {_INSTEAD[option.long]}")
        if option.argument is None:
            if not isinstance(value, bool):
                raise CommandLineError(f"{shown} must be true or false")
            return [(option, ())] if value else []
        if option.collects and isinstance(value, list):
            return [(option, (self._word(option.argument, each, shown),)) for each in value]
        values = value if option.further and isinstance(value, list) else [value]
        if len(values) != len(option.arguments):
            names = ", ".join(argument.name for argument in option.arguments)
            raise CommandLineError(f"{shown} must be a list of {len(option.arguments)}: {names}")
        return [
            (option, tuple(self._word(each, word, shown) for each, word in zip(option.arguments, values, strict=True)))
        ]

    def _word(self, argument: Argument, value: object, shown: str) -> str:
        """A value as it would stand on the command line."""
        if argument.kind in (Kind.INTEGER, Kind.SIZE) and isinstance(value, int) and not isinstance(value, bool):
            return str(_bounded(value))
        if argument.kind is Kind.INTEGER:
            raise CommandLineError(f"{shown} must be a whole number")
        if not isinstance(value, str):
            raise CommandLineError(f"{shown} must be {'a number or text' if argument.kind is Kind.SIZE else 'text'}")
        if argument.name not in PATHS or value == _STANDARD_INPUT or not value:
            return value
        return os.path.join(os.path.dirname(self._path), os.path.expanduser(value))


def _address(table: dict[str, Any], where: str) -> tuple[str, int]:
    """Host and port."""
    host, port = table.get(_HOST), table.get(_PORT)
    for key, value in ((_HOST, host), (_PORT, port)):
        if value is None:
            raise CommandLineError(f"{where}: {key} is missing")
    if not isinstance(host, str) or not host:
        raise CommandLineError(f"{where}: host must be text")
    if not isinstance(port, int) or isinstance(port, bool):
        raise CommandLineError(f"{where}: port must be a whole number")
    wrong = range_error(port, 1, 65535)
    if wrong:
        raise CommandLineError(f"{where}: port must be from 1 to 65535 ({wrong}: {_bounded(port)})")
    return host, port


def _bounded(number: int) -> int:
    """A number that can be shown; those beyond make no difference."""
    return max(-MANY, min(number, MANY))


def _require_choice(given: Iterable[Given], where: str) -> None:
    """Raises CommandLineError where options exclude each other: a table has no order."""
    chosen: dict[str, Option] = {}
    for option, _ in given:
        other = chosen.setdefault(option.block or option.long, option)
        if other is not option:
            names = " and ".join(each.long.removeprefix("--") for each in (other, option))
            raise CommandLineError(f"{where}: {names} exclude each other")


def _kept(given: list[Given], line: CommandLine) -> list[Given]:
    """The peer's options, without those that the command line overrules.

    That is what is of the same block, what conflicts with it, a password of what is overruled, and what needs an
    option that has gone.
    """
    blocks = {option.block or option.long for option, _ in line.given}
    present = {option.long for option, _ in line.given}
    against = {long for option, _ in line.given for group in option.conflicts for long in group}
    kept = [
        (option, values)
        for option, values in given
        if (option.block or option.long) not in blocks
        and _GOES_WITH.get(option.block) not in blocks
        and option.long not in against
        and not any(present.intersection(group) for group in option.conflicts)
    ]
    while True:
        whole = CommandLine(words=(), given=(*kept, *line.given), parameters=()).in_force()
        left = [each for each in kept if met(each[0].needs, whole, None)]
        if len(left) == len(kept):
            return kept
        kept = left


def _nearest(word: str, known: Iterable[str]) -> str:
    """A question after the one that may have been meant."""
    from difflib import get_close_matches

    found = get_close_matches(word[:_LONGEST], list(known)[:1000], 1, 0.7)
    return f" (did you mean '{plain(found[0], _LONGEST)}'?)" if found else ""
