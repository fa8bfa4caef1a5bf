"""Reading our own pages: rows of tables and blocks of code. Markdown goes in, Markdown's pieces come out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read(page: str) -> str:
    """The text of a page, named from the root of the project."""
    return (ROOT / page).read_text(encoding="utf-8")


def chapter(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level. Raises KeyError where there is none."""
    level = heading.split(" ")[0]
    _, found, rest = f"\n{text}".partition(f"\n{heading}\n")
    if not found:
        raise KeyError(heading)
    return rest.partition(f"\n{level} ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of a text's only table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def block(text: str, language: str) -> str:
    """The first block of code in a language. Raises StopIteration where there is none."""
    return next(match[2] for match in _BLOCK.finditer(text) if match[1] == language)


def anchor(heading: str) -> str:
    """The fragment under which a heading is found."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
