"""Files of ``key = value`` lines as DCMTK's log4cplus reads them: lines, variables, and who has asked for what.

Owns the syntax and the texts of its mistakes; what the keys mean is not known here. A line without ``=`` means nothing
there, a line cannot be continued, of two values for a key the last counts. ``${name}`` is a property of the file, else
a variable of the environment, else it stays as it is; what it stands for is looked at again.
"""

from __future__ import annotations

from dcmsend.errors import ConfigurationError
from dcmsend.light import NamedTuple
from dcmsend.printable import MAX_PATH, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final, NoReturn

PREFIX: Final = "log4cplus."
MOST_REPLACED: Final = 1000  # variables in a value
LONGEST_VALUE: Final = 65_536  # characters of a value, after that
_SHOWN: Final = 100  # characters of a value in a sentence
_TRUE: Final = {"true": True, "false": False}


class Property(NamedTuple):
    """A value and the line where it stands, from 1."""

    value: str
    line: int


class Mistake(ConfigurationError):
    """Something in the file makes no sense; ``line`` from 1, 0 for the whole file."""

    def __init__(self, path: str, line: int, what: str) -> None:
        place = f", line {line}" if line else ""
        super().__init__(f"{plain(path, MAX_PATH)}{place}: {what}")
        self.line = line


def shown(text: str) -> str:
    """A word of the file as it stands in a message."""
    return f"'{plain(text, _SHOWN)}'"


class Properties:
    """The settings of one file whose keys begin with ``log4cplus.``, without that; each can be asked for."""

    def __init__(self, path: str, text: str, variables: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self.path = path
        self._remarks: list[tuple[int, str]] = []
        self._all = dict(self._lines(text))
        self.empty = not self._all
        self._variables = variables
        self._environment = environment
        self._ours = self._expanded()
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._ours

    def __len__(self) -> int:
        return len(self._ours)

    def below(self, prefix: str) -> list[str]:
        """The rest of each key that begins so, in alphabetical order."""
        return sorted(key.removeprefix(prefix) for key in self._ours if key.startswith(prefix) and key != prefix)

    def get(self, key: str) -> Property | None:
        self._asked.add(key)
        return self._ours.get(key)

    def text(self, key: str, default: str = "") -> str:
        found = self.get(key)
        return default if found is None else found.value

    def truth(self, key: str, *, default: bool) -> bool:
        """``true`` or ``false`` in any case of letters, or a number."""
        found = self.get(key)
        if found is None:
            return default
        word = found.value.lower()
        if word not in _TRUE and not _is_number(word):
            self.wrong(key, f"{shown(found.value)} is neither true nor false")
        return _TRUE[word] if word in _TRUE else int(word) != 0

    def number(self, key: str, default: int, least: int, most: int) -> int:
        found = self.get(key)
        if found is None:
            return default
        if not _is_number(found.value) or not least <= int(found.value) <= most:
            self.wrong(key, f"{shown(found.value)} is no number from {least} to {most}")
        return int(found.value)

    def wrong(self, key: str, what: str) -> NoReturn:
        """Raises ``Mistake`` at the line of the key."""
        found = self._ours.get(key)
        raise Mistake(self.path, found.line if found else 0, f"{what} ({PREFIX}{plain(key, _SHOWN)})")

    def remark(self, key: str, what: str) -> None:
        """Note what the user should know about a line that is no mistake."""
        found = self._ours.get(key)
        self._remarks.append((found.line if found else 0, what))

    def remarks(self) -> Iterator[str]:
        """What was noted, and what nobody has asked for."""
        known = {key.lower(): key for key in self._asked}
        ignored = list(self._remarks)
        for key, found in self._ours.items():
            if key not in self._asked:
                meant = known.get(key.lower(), "")
                instead = f"; it is written {meant.rpartition('.')[2]}" if meant else ""
                ignored.append((found.line, f"{shown(PREFIX + key)} is not known and has no effect{instead}"))
        for line, what in sorted(ignored):
            yield f"{plain(self.path, MAX_PATH)}, line {line}: {what}"

    def _lines(self, text: str) -> Iterator[tuple[str, Property]]:
        for number, line in enumerate(text.split("\n"), 1):
            line = line.lstrip()
            key, equals, value = line.partition("=")
            if not line or line[0] == "#":
                continue
            if equals:
                yield key.rstrip(), Property(value.strip(), number)
            else:
                self._remarks.append(
                    (number, f"{shown(line)} is neither a setting nor a comment (#) and has no effect")
                )

    def _expanded(self) -> dict[str, Property]:
        changed: dict[str, Property] = {}
        kept: dict[str, Property] = {}
        for key, found in self._all.items():
            name = self._expand(key, found.line)
            if name.startswith(PREFIX):
                value = Property(self._expand(found.value, found.line), found.line)
                (kept if name == key else changed)[name.removeprefix(PREFIX)] = value
        return kept | changed

    def _expand(self, text: str, line: int) -> str:
        position, left = 0, MOST_REPLACED
        while (start := text.find("${", position)) >= 0:
            end = text.find("}", start)
            if end < 0:
                raise Mistake(self.path, line, f"{shown(text)} has ${{ without }}")
            value = self._variable(text[start + 2 : end])
            text, position = (text[:start] + value + text[end + 1 :], start) if value else (text, end + 1)
            left -= 1
            if not left or len(text) > LONGEST_VALUE:
                raise Mistake(self.path, line, "the variables in it refer to one another without end")
        return text

    def _variable(self, name: str) -> str:
        found = self._all.get(name)
        return self._variables.get(name) or (found.value if found else "") or self._environment.get(name, "")


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 19
