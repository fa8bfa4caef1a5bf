"""The words of a command line, told apart: command files, numbers as C reads them, and what is wrong with them."""

from __future__ import annotations

import os

from dcmsend.cli.log import Level
from dcmsend.errors import DcmsendError
from dcmsend.light import Frozen, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from dcmsend.cli.options import Option

# A word of a command file: what stands before a quotation mark belongs to it, what comes after the closing one does
# not. A closing mark that is missing is forgiven.
_WORD: Final = r"""(?P<before>[^ \t\r\n"']*+)(?:"(?P<double>[^"]*)(?:"|\Z)|'(?P<single>[^']*)(?:'|\Z))|[^ \t\r\n"']++"""
_BLANKS: Final = " \t\n\v\f\r"
_DIGITS: Final = "0123456789"
MAX_COMMAND_FILE: Final = 256 << 20  # bytes: some millions of names
_PIECE: Final = 1 << 20  # bytes that are read at once
HIDDEN: Final = "*"  # stands for a value that must not be shown
MANY: Final = 10**18  # more digits than that make no difference


class CommandLineError(DcmsendError):
    """The command line makes no sense. ``log_level`` is None until the log was set up."""

    def __init__(self, message: str, *, log_level: Level | None = None) -> None:
        super().__init__(message)
        self.log_level = log_level

    @property
    def hidden(self) -> bool:
        """Whether the user asked not to be told (only once the log was set up, as in DCMTK)."""
        return self.log_level is Level.FATAL


class CommandLine(Frozen, kw_only=True):
    """The words after expansion, told apart.

    ``words`` has all of them, options by their long names and ``*`` for values that must not be shown; ``given`` the
    options with their values. Both are in the order of the command line.
    """

    words: tuple[str, ...]
    given: tuple[tuple[Option, tuple[str, ...]], ...]
    parameters: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<CommandLine {self.spelled_out()}>"

    def has(self, long: str) -> bool:
        return any(option.long == long for option, _ in self.given)

    def in_force(self) -> dict[str, tuple[Option, tuple[str, ...]]]:
        """The rightmost option of each block with its values, by block; options without one are by themselves.

        Of an option that collects, all values of all uses.
        """
        found: dict[str, tuple[Option, tuple[str, ...]]] = {}
        for option, values in self.given:
            before = found.get(option.long, (option, ()))[1] if option.collects else ()
            found[option.block or option.long] = (option, before + values)
        return found

    def spelled_out(self) -> str:
        """The end of the line of ``--arguments``; as in DCMTK, empty words count but are not shown."""
        return f"with {len(self.words)} arguments: " + "".join(f"'{word}' " for word in self.words if word)


class Number(NamedTuple):
    """An integer as it was written; ``-0`` is negative."""

    negative: bool
    size: int


def expand(words: Iterable[str]) -> Iterator[str]:
    """The words, with each ``@file`` replaced by the words of that file; ``@`` in a file means nothing."""
    for word in words:
        if word.startswith("@") and len(word) > 1:
            yield from _command_file(word[1:])
        else:
            yield word


def _command_file(path: str) -> Iterator[str]:
    pieces: list[bytes] = []
    left = MAX_COMMAND_FILE
    try:
        with open(path, "rb") as stream:
            while left >= 0 and (piece := stream.read(min(_PIECE, left + 1))):
                if b"\0" in piece:
                    raise CommandLineError(f"Command file '{path}' is not a text file")
                pieces.append(piece)
                left -= len(piece)
    except (OSError, ValueError) as error:
        raise CommandLineError(f"Cannot open command file '{path}'") from error
    if left < 0:
        raise CommandLineError(f"Command file '{path}' has more than {MAX_COMMAND_FILE} bytes")
    return split_words(os.fsdecode(b"".join(pieces)))


def split_words(text: str) -> Iterator[str]:
    """The words of a command file. A backslash and ``#`` are ordinary characters; ``""`` is an empty word."""
    import re

    for match in re.finditer(_WORD, text):
        before, double, single = match.group("before", "double", "single")
        quoted = single if double is None else double
        if quoted is None:
            yield match.group()
        elif match.group() not in ('"', "'"):  # a mark that ends the file is no word
            yield before + quoted


def scan_number(text: str) -> Number | None:
    """The integer at the start of ``text``, as C's ``scanf`` finds it: ``104x`` is 104, ``3.7`` is 3."""
    signed = text.lstrip(_BLANKS)
    unsigned = signed[1:] if signed.startswith(("+", "-")) else signed
    digits = unsigned[: len(unsigned) - len(unsigned.lstrip(_DIGITS))]
    if not digits:
        return None
    significant = digits.lstrip("0") or "0"
    return Number(signed.startswith("-"), int(significant) if len(significant) <= len(str(MANY)) - 1 else MANY)


def scan_size(text: str) -> int | None:
    """Digits, and k, M or G behind them for thousands, millions and milliards; ``None`` for anything else."""
    digits, suffix = (text, "") if text[-1:] in _DIGITS else (text[:-1], text[-1:])
    factor = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}.get(suffix.upper())
    if factor is None or not digits or digits.strip(_DIGITS) or len(digits) > len(str(MANY)):
        return None
    return int(digits) * factor


def range_error(number: int, minimum: int, maximum: int | None) -> str:
    """What is wrong with a number, in DCMTK's words; empty where nothing is."""
    if number < minimum:
        return "underflow"
    return "overflow" if maximum is not None and number > maximum else ""
