"""What ``--help``, ``--version`` and ``--list-decoders`` show, made from the table of options. Nothing here prints.

Groups and columns are those of DCMTK's dcmsend.
"""

from __future__ import annotations

import sys
from itertools import groupby
from textwrap import wrap

from dcmsend.cli.grammar import PARAMETERS
from dcmsend.cli.options import OPTIONS, SECURED, Argument, Kind, Option
from dcmsend.uids import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    transfer_syntax_name,
)
from dcmsend.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

DESCRIPTION: Final = "sends DICOM instances to a storage SCP"
_LONG_COLUMN: Final = 10
_TEXT_COLUMN: Final = 33
_WIDTH: Final = 80
_NATIVE: Final = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)


def heading() -> str:
    """The first lines of whatever is shown instead of a run."""
    return f"dcmsend {__version__}\n\ndcmsend: {DESCRIPTION}\n"


def usage() -> str:
    """The text of ``--help``."""
    return heading() + "\n".join(_usage_lines()) + "\n\n"


def version() -> str:
    """The text of ``--version``."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    return f"{heading()}\nPython version: {python}\nPlatform: {sys.platform}\n"


def decoders() -> str:
    """The text of ``--list-decoders``."""
    from dcmsend.payload.codecs import working_decoders

    groups = (
        ("Transfer syntaxes supported natively:", _NATIVE),
        ("Transfer syntaxes supported by decoders:", (DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, *working_decoders())),
    )
    lists = ("\n".join((title, *(f"- {transfer_syntax_name(uid)}" for uid in uids))) for title, uids in groups)
    return f"{heading()}\n" + "\n\n".join(lists) + "\n"


def ciphers() -> str:
    """The text of ``--list-ciphers``."""
    from dcmsend.net.tls import supported_ciphers

    return f"{heading()}\nSupported TLS ciphersuites are:\n" + "".join(f"  {name}\n" for name in supported_ciphers())


# By the long name of the option that asks for it.
ANSWERS: Final[dict[str, Callable[[], str]]] = {
    "--help": usage,
    "--version": version,
    "--list-decoders": decoders,
    "--list-ciphers": ciphers,
}


def _usage_lines() -> Iterator[str]:
    yield f"usage: dcmsend [options] {' '.join(name for name, _ in PARAMETERS)}..."
    yield ""
    yield "parameters:"
    yield from (f"  {name}".ljust(_TEXT_COLUMN) + text for name, text in PARAMETERS)
    yield ""
    for group, in_group in groupby(OPTIONS, key=lambda option: option.section.group):
        yield f"{group}:"
        for subgroup, options in groupby(in_group, key=lambda option: option.section.subgroup):
            if subgroup:
                yield f"  {subgroup}:"
            for option in options:
                yield from _option_lines(option, indent=4 if subgroup else 2)


def _option_lines(option: Option, indent: int) -> Iterator[str]:
    names = f"{' ' * indent}{option.short}".ljust(_LONG_COLUMN) + option.long
    texts = list(_texts(option))
    if len(names) > _TEXT_COLUMN - 2:
        yield names
    else:
        yield names.ljust(_TEXT_COLUMN) + texts.pop(0)
    yield from (" " * _TEXT_COLUMN + text for text in texts)


def _texts(option: Option) -> Iterator[str]:
    notes = []
    if option.argument:
        yield from _argument_lines(option.argument, option.further)
        if option.argument.default and not _default_in_first_line(option.argument):
            notes.append(f" (default: {option.argument.default})")
    if option.default:
        notes.append(" (default)")
    if option.needs:
        notes.append(f" (only with {'TLS' if option.needs == SECURED else option.needs})")
    yield from wrap(option.help + "".join(notes), _WIDTH - _TEXT_COLUMN, break_on_hyphens=False)


def _argument_lines(argument: Argument, further: tuple[Argument, ...]) -> Iterator[str]:
    names = ", ".join(f"[{each.name[0]}]{each.name[1:]}" for each in (argument, *further))
    kind = f"{names}: {argument.kind.value}"
    if argument.maximum is not None:
        kind += f" ({argument.minimum}..{argument.maximum})"
    elif argument.default and _default_in_first_line(argument):
        kind += f" (default: {argument.default})"
    yield kind
    if argument.choices:
        yield f"({', '.join(argument.choices)})"


def _default_in_first_line(argument: Argument) -> bool:
    return argument.kind is Kind.INTEGER and argument.maximum is None
