"""Fuzz targets of the command line: command files, and what their words mean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.files import folder
from fuzz.target import Target
from tests.files.encode import is_one_line

from dcmsend.cli import grammar, options, settings  # noqa: F401 - to be watched from the start
from dcmsend.cli.words import CommandLineError, split_words
from dcmsend.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS: Final = (
    b"localhost 104 file.dcm",
    b"-v +sd +r -nh +crf report.txt pacs.example.org 104 study",
    b'-aet WORKSTATION -aec ARCHIVE host 104 \'a file.dcm\' "another one" x"y z',
    b"--associations 8 --async-window 16 --rate-limit 2M -ta 5 -td 0 -to 1 host 65535 a",
    b"-pdu 16384 --max-send-pdu 4096 +rd -nuc +fo -dn +dly host 1 \"\" ''",
    b"--help\n--version\r\n\t-d -q",
)


def parse_command_file(data: bytes) -> None:
    """A command file with these bytes: arguments, a request, or an error. Words are those that stand in it."""
    path = Path(folder().name) / "command"
    path.write_bytes(data)
    if b"\0" not in data:
        for word in split_words(os.fsdecode(data)):
            assert _without_marks(os.fsencode(word)) in _without_marks(data)
    try:
        found = grammar.parse([f"@{path}"])
    except CommandLineError as error:
        assert is_one_line(printable(error.message))
        return
    if isinstance(found, grammar.Arguments):
        assert found.files or found.files_from
        assert all(is_one_line(printable(remark)) for remark in grammar.remarks(found))


def _without_marks(text: bytes) -> bytes:
    return text.replace(b'"', b"").replace(b"'", b"")


def _seeds() -> Iterator[bytes]:
    yield from SEEDS
    for option in options.OPTIONS:
        words = (option.long, *(["1"] if option.argument else []), "host", "104", "file")
        yield " ".join(words).encode()


TARGETS: Final = (
    Target(
        "command-files",
        parse_command_file,
        (),
        _seeds,
        tuple(option.long.encode() for option in options.OPTIONS)
        + tuple(option.short.encode() for option in options.OPTIONS if option.short),
    ),
)
