"""The manual page: made from its sources, understood by man, and complete."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from dcmsend.cli.exit_codes import ExitCode
from dcmsend.cli.help import usage
from dcmsend.cli.options import OPTIONS, Option
from scripts.writers import manual
from scripts.writers.__main__ import SHARED
from scripts.writers.text import chapter, read, rows
from scripts.writers.values import names

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "share" / "man" / "man1" / "dcmsend.1"
SECTIONS: Final = (
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "PARAMETERS",
    "OPTIONS",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "EXAMPLES",
    "SEE ALSO",
)


@pytest.fixture(scope="module")
def shown(program: Callable[[str], str]) -> str:
    """What ``man`` makes of the page in a terminal of 80 columns; it has nothing to complain about."""
    environment = os.environ | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MAN_KEEP_FORMATTING": ""}
    command = [program("man"), "--warnings", "--no-hyphenation", "-E", "ascii", "-l", str(PAGE)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert result.stderr == ""
    return result.stdout


@pytest.mark.parametrize("name", SHARED)
def test_what_is_checked_in_is_what_would_be_made(name: str) -> None:
    """If this fails, run ``./scripts/generate``."""
    assert (ROOT / name).read_text(encoding="utf-8") == SHARED[name]()


def test_all_sections_are_there_in_their_order(shown: str) -> None:
    assert [line for line in shown.splitlines() if line in SECTIONS] == list(SECTIONS)


def test_every_option_has_its_line(shown: str) -> None:
    heads = [" ".join([", ".join(names(option)), *(each.name for each in option.arguments)]) for option in OPTIONS]
    lines = {line.strip() for line in shown.splitlines()}
    lines |= {line[:6].strip() for line in lines}  # beside a short one there is room for the text
    assert [head for head in heads if head not in lines] == []


def test_the_words_of_the_help_are_there(shown: str) -> None:
    """Nothing gets lost between the two: backslashes, brackets, apostrophes, dashes at the beginning of a line."""
    words = " ".join(shown.split()).lower()
    help_of_all = [" ".join(option.help.split()).lower() for option in OPTIONS]
    assert len(help_of_all) > 80
    assert [text for text in help_of_all if text not in words] == []


@pytest.mark.parametrize("option", OPTIONS, ids=[option.long for option in OPTIONS])
def test_every_option_is_in_the_help(option: Option) -> None:
    assert re.search(rf"(?<!\S){re.escape(option.long)}(?!\S)", usage())


def test_exit_status_and_environment_are_those_of_the_pages(shown: str) -> None:
    status = shown.partition("\nEXIT STATUS\n")[2].partition("\nENVIRONMENT\n")[0]
    codes = [int(line.split()[0]) for line in status.splitlines() if re.match(r" {7}\d+ ", line)]
    assert codes == [code.value for code in ExitCode]
    environment = shown.partition("\nENVIRONMENT\n")[2].partition("\nFILES\n")[0]
    variables = [row[0].replace("`", "") for row in rows(chapter(read("docs/reference.md"), "## Environment"))]
    assert len(variables) > 3
    assert [name for name in variables if not re.search(rf"^ {{7}}{name}\b", environment, re.MULTILINE)] == []


def test_examples_can_be_copied(shown: str) -> None:
    """The commands are those of the README, as they were typed there."""
    examples = shown.partition("\nEXAMPLES\n")[2].partition("\nSEE ALSO\n")[0].replace("\\\n", " ")
    commands = [" ".join(line.split()) for line in examples.splitlines() if line.strip().startswith("dcmsend ")]
    told = chapter(read("README.md"), "## The command").splitlines()
    assert commands == [line for line in told if line.startswith("dcmsend ")]
    assert len(commands) > 10


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        ("a-b", r"a\-b"),
        (r"a\b", r"a\eb"),
        ("it's", r"it\(aqs"),
        ('"*.dcm"', r"\(dq*.dcm\(dq"),
        ("`+sd` or **no** *one*", r"\fB+sd\fP or \fBno\fP \fIone\fP"),
        ("see [below](#trying-again)", "see below"),
    ],
)
def test_special_characters_are_escaped(text: str, roff: str) -> None:
    assert manual.inline(text) == roff


@pytest.mark.parametrize("line", [".profile", "'quoted"])
def test_no_line_of_text_is_a_request(line: str) -> None:
    assert manual.filled(line) == [rf"\&{line}"]
