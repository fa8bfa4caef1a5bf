"""``--help``, ``--version`` and ``--list-decoders``."""

from __future__ import annotations

import re
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from dcmsend.cli.help import ANSWERS, decoders, usage, version
from dcmsend.cli.options import OPTIONS
from dcmsend.version import __version__

OURS_ALONE = {
    "--ipv4", "--ipv6", "--ip-auto", "--allow-external-references", "--send-duplicates", "--socket-timeout",
    "--dcmtk-exit-codes",
}  # fmt: skip


def _names(text: str) -> list[tuple[str, str]]:
    """The short and long names that a help text shows, in order."""
    return re.findall(r"^ {2,10}(?:([+-]\w+) +)?(--[\w-]+)", text, re.MULTILINE)


def test_help_has_every_option_once_and_in_order() -> None:
    assert _names(usage()) == [(option.short, option.long) for option in OPTIONS]


def test_names_are_unique() -> None:
    names = [name for option in OPTIONS for name in (option.short, option.long) if name]
    assert len(names) == len(set(names))


def test_help_fits_a_terminal() -> None:
    assert [line for line in usage().split("\n") if len(line) > 80 or line != line.rstrip()] == []


def test_help_tells_defaults_ranges_and_dependencies() -> None:
    text = " ".join(usage().split())
    for words in (
        "(fatal, error, warn, info, debug, trace)",
        "[s]econds: integer (default: 30)",
        "[n]umber of bytes: integer (4096..131072)",
        "(default: 16384)",
        "(default: DCMSEND)",
        "DICOM files only (default)",
        "(only with --scan-directories)",
        "(only with verbose mode)",
    ):
        assert words in text


@pytest.mark.parametrize("long", list(ANSWERS))
def test_heading(long: str) -> None:
    assert ANSWERS[long]().startswith(f"dcmsend {__version__}\n\ndcmsend: ")


def test_each_request_has_an_answer() -> None:
    assert list(ANSWERS) == ["--help", "--version", "--list-decoders"]
    assert {option.long for option in OPTIONS if option.request} == set(ANSWERS)


def test_version_names_the_python() -> None:
    assert re.search(r"^Python version: 3\.\d+\.\d+$", version(), re.MULTILINE)


def test_decoders_tells_the_truth() -> None:
    native, decoded = decoders().split("Transfer syntaxes supported by decoders:\n")
    assert native.endswith(
        "Transfer syntaxes supported natively:\n"
        "- Little Endian Implicit\n- Little Endian Explicit\n- Big Endian Explicit\n\n"
    )
    assert decoded.startswith("- none")


@pytest.mark.dcmtk
def test_help_is_laid_out_as_that_of_dcmtk(dcmsend_oracle: Callable[..., CompletedProcess[str]]) -> None:
    theirs = dcmsend_oracle("--help").stdout
    assert [names for names in _names(usage()) if names[1] not in OURS_ALONE] == _names(theirs)
    headings = re.compile(r"^(?:usage|parameters|\w+ options| {2}[\w ]+):.*$", re.MULTILINE)
    ours = [line for line in headings.findall(usage()) if line != "  IP protocol version:"]
    assert ours == headings.findall(theirs)
    columns = {line.index("--") for line in theirs.split("\n") if re.match(r"^ {2,10}[+-]", line)}
    assert {line.index("--") for line in usage().split("\n") if re.match(r"^ {2,10}[+-]", line)} == columns == {10}
