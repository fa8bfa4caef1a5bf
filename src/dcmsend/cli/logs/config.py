"""``--log-config``: a file -> a log. Which kind of file it is, its content says.

DCMTK's files have keys that begin with ``log4cplus.``; Python's are JSON, TOML or INI. What is none of these is taken
for one of DCMTK's, and told in DCMTK's words what it lacks.
"""

from __future__ import annotations

import re

from dcmsend.cli.words import CommandLineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.cli.log import Log

LONGEST_FILE: Final = 1 << 20  # bytes
_SPECIFIED: Final = "Specified --log-config file"
_DCMTK: Final = re.compile(r"^\s*log4cplus\.[^=\n]*=", re.MULTILINE)
_INI: Final = re.compile(r"""^\[loggers\][ \t\r]*$(?:\s|[#;].*)*^keys\s*[=:]\s*[^"'\[\s]""", re.MULTILINE)
_TOML: Final = re.compile(r"^\s*(?:version\s*=\s*[0-9]|\[)", re.MULTILINE)


def configured(path: str) -> Log:
    """The log that the file describes; what is no mistake but should be known is in it already.

    Raises ``CommandLineError`` where the file cannot be used at all, ``ConfigurationError`` for what is in it.
    """
    text = _content(path)
    kind = kind_of(text)
    if kind == "dcmtk":
        from dcmsend.cli.logs.log4cplus import read

        return read(path, text)
    from dcmsend.cli.logs.python_log import python_log

    return python_log(path, text, kind)


def kind_of(text: str) -> str:
    """``dcmtk``, ``json``, ``ini`` or ``toml``."""
    if _DCMTK.search(text):
        return "dcmtk"
    if text.lstrip().startswith("{"):
        return "json"
    if _INI.search(text):
        return "ini"
    return "toml" if _TOML.search(text) else "dcmtk"


def _content(path: str) -> str:
    import os
    import stat

    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise CommandLineError(f"{_SPECIFIED} does not exist")
        with open(path, "rb") as stream:
            content = stream.read(LONGEST_FILE + 1)
    except FileNotFoundError:
        raise CommandLineError(f"{_SPECIFIED} does not exist") from None
    except (OSError, ValueError):  # ValueError: a NUL in the name
        raise CommandLineError(f"{_SPECIFIED} cannot be read") from None
    if len(content) > LONGEST_FILE:
        raise CommandLineError(f"{_SPECIFIED} is larger than {LONGEST_FILE} bytes")
    if b"\0" in content:
        raise CommandLineError(f"{_SPECIFIED} is no text")
    return content.decode("utf-8-sig", "surrogateescape")
