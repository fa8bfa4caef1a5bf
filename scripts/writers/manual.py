"""The manual page, in the man macros of roff, for groff and mandoc.

Options come from their table; exit codes, environment and examples from the pages where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap
from typing import Final

from dcmsend.cli.grammar import PARAMETERS
from dcmsend.cli.help import DESCRIPTION
from dcmsend.cli.options import BY_NAME, OPTIONS, SECURED, Kind, Option
from dcmsend.version import __version__
from scripts.writers.text import block, chapter, read, rows
from scripts.writers.values import is_unfinished, names

WIDTH: Final = 78  # of the source
COMMAND: Final = 64  # of an example
DATE: Final = "2026-11-26"  # of this page's own words

_SPECIAL: Final = str.maketrans(
    {
        "\\": r"\e",
        "-": r"\-",
        "'": r"\(aq",
        '"': r"\(dq",
        "`": r"\(ga",
        "^": r"\(ha",
        "~": r"\(ti",
    }
)
# Code, bold, italics, links: what our pages use within a line.
_INLINE: Final = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]*)\]\([^)]*\)")

_DESCRIPTION: Final = """\
**dcmsend** sends DICOM files to a storage SCP with C-STORE. It works out which SOP classes and transfer syntaxes the \
files need, negotiates as many associations as it takes, and sends every instance; where the peer does not take the \
transfer syntax of a file, the data set is converted without loss, if that can be done.
Its options, defaults, log, report and exit codes are those of the program of the same name in OFFIS DCMTK; there are \
more options, and the exit code says whether everything was stored.
Options may stand anywhere, and begin with `-` or `+`. There are no abbreviations and no `--option=value`: the value \
of an option is the next word, whatever it looks like. Of options that exclude each other, and of an option that is \
repeated, the rightmost counts. A word `@file` is replaced by the words of that file.
"""

_FILES: Final = (
    ("`FILE`, `FILE-lock`, `FILE-wal`, `FILE-shm`", "The journal of `--journal FILE`, and what is beside it in a run."),
)
_PEERS_FILE: Final = ("`~/.config/dcmsend/peers.toml`", "The peers that `--peer` knows by name.")

_SEE_ALSO: Final = ("storescp", "storescu", "dcmrecv", "openssl")


def manual() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield r".\" made by scripts/generate; do not edit"
    yield f'.TH DCMSEND 1 {DATE} "dcmsend {__version__}" "User Commands"'
    yield from (".SH NAME", rf"dcmsend \- {escaped(DESCRIPTION)}")
    yield ".SH SYNOPSIS"
    yield r".B dcmsend"
    yield " ".join([f"[{italic('options')}]", *(italic(name) for name, _ in PARAMETERS)]) + r"\&..."
    yield ".SH DESCRIPTION"
    yield from _paragraphs(_DESCRIPTION.splitlines())
    yield ".SH PARAMETERS"
    for name, text in PARAMETERS:
        yield from (".TP", italic(name), *filled(inline(f"{_sentence(text)}.")))
    yield ".SH OPTIONS"
    yield from _options()
    yield ".SH EXIT STATUS"
    for code, _, when, _ in rows(read("docs/exit-codes.md")):
        yield from _item(f"`{code}`", when)
    yield ".SH ENVIRONMENT"
    for variable, meaning in rows(chapter(read("docs/reference.md"), "## Environment")):
        yield from _item(variable, meaning)
    yield ".SH FILES"
    for name, text in (*_FILES, *(() if BY_NAME["--peer"].refused else (_PEERS_FILE,))):
        yield from _item(name, text)
    yield ".SH EXAMPLES"
    yield from _examples(block(chapter(read("README.md"), "## The command"), "sh"))
    yield ".SH SEE ALSO"
    yield ",\n".join(f"{bold(name)}(1)" for name in _SEE_ALSO)


def _options() -> Iterator[str]:
    for group, in_group in groupby(OPTIONS, key=lambda option: option.section.group):
        yield f".SS {escaped(_sentence(group))}"
        for number, (subgroup, options) in enumerate(groupby(in_group, key=lambda option: option.section.subgroup)):
            if subgroup:
                yield from (*([".PP"] if number else []), italic(_sentence(subgroup)))
            for option in options:
                yield from (".TP", _heading(option), *filled(escaped(_meaning(option))))


def _heading(option: Option) -> str:
    spelled = ", ".join(bold(name) for name in names(option))
    return " ".join([spelled, *(italic(argument.name) for argument in option.arguments)])


def _meaning(option: Option) -> str:
    """The text of the help, and what stands around it there."""
    parts = [f"{_sentence(option.help)}."]
    for argument in option.arguments:
        if argument.choices:
            parts.append(f"One of {', '.join(argument.choices)}.")
        elif argument.maximum is not None:
            parts.append(f"From {argument.minimum} to {argument.maximum}.")
        elif argument.kind is not Kind.STRING:
            parts.append(f"At least {argument.minimum}.")
        if argument.default:
            parts.append(f"Default: {argument.default}.")
    if option.default:
        parts.append("This is the default.")
    if option.collects:
        parts.append("May be repeated.")
    if option.needs:
        parts.append(f"Only with {'--enable-tls or --anonymous-tls' if option.needs == SECURED else option.needs}.")
    parts += [f"Not with {', '.join(group)}." for group in option.conflicts]
    if is_unfinished(option):
        parts.append("Not supported yet.")
    return " ".join(parts)


def _item(head: str, text: str) -> Iterator[str]:
    yield from (".TP", safe(inline(head)), *filled(inline(text)))


def _paragraphs(texts: list[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield from ([".PP"] if number else [])
        yield from filled(inline(text))


def _examples(text: str) -> Iterator[str]:
    """Comments and the commands below them."""
    for number, example in enumerate(text.strip().split("\n\n")):
        lines = example.splitlines()
        comments = [line.removeprefix("# ") for line in lines if line.startswith("#")]
        yield from (*([".PP"] if number else []), *filled(escaped(f"{_sentence(' '.join(comments))}:")))
        yield from (".PP", ".RS", ".nf")
        for command in (line for line in lines if not line.startswith("#")):
            folded = wrap(command, COMMAND, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
            yield from (safe(escaped(line)) for line in " \\\n".join(folded).split("\n"))
        yield from (".fi", ".RE")


def _sentence(text: str) -> str:
    """Begins with a capital letter, unless it begins with an abbreviation or a name."""
    return text[:1].upper() + text[1:]


def inline(text: str) -> str:
    """A line of Markdown in roff."""
    parts: list[str] = []
    place = 0
    for match in _INLINE.finditer(text):
        code, strong, italics, link = match.groups()
        parts.append(escaped(text[place : match.start()]))
        if code or strong:
            parts.append(bold(code or strong))
        else:
            parts.append(italic(italics) if italics else escaped(link))
        place = match.end()
    return "".join(parts) + escaped(text[place:])


def bold(text: str) -> str:
    return rf"\fB{escaped(text)}\fP"


def italic(text: str) -> str:
    return rf"\fI{escaped(text)}\fP"


def escaped(text: str) -> str:
    """Text that roff shows as it is, wherever in a line it stands but at its beginning."""
    return text.translate(_SPECIAL)


def filled(text: str) -> list[str]:
    """A paragraph in lines that are short enough to be looked at."""
    return [safe(line) for line in wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)]


def safe(line: str) -> str:
    """A line that is no request: those begin with a dot or an apostrophe."""
    return rf"\&{line}" if line.startswith((".", "'")) else line
