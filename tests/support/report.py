"""Read a report in DCMTK's layout, ours or its own, into fields."""

from __future__ import annotations

import re
from pathlib import Path

Row = dict[str, str]


def rows(path: Path) -> list[Row]:
    """One mapping of label to value for each instance."""
    found = []
    for block in path.read_text(errors="surrogateescape").split("\n\n"):
        fields = {
            label.strip(" :"): value for label, _, value in (line.partition(" : ") for line in block.splitlines())
        }
        if "Number" in fields:
            found.append(fields)
    return found


def left_out(path: Path) -> list[tuple[str, str]]:
    """Path and reason of what was left out of the input, from the section that ours alone has."""
    _, _, text = path.read_text(errors="surrogateescape").partition("Left out of the Input\n")
    text = text.partition("Status Summary\n")[0]
    return re.findall(r"^Filename      : (.*)\nReason        : (.*)$", text, re.MULTILINE)


def summary(path: Path) -> dict[str, int]:
    """The counts at the end."""
    _, _, text = path.read_text(errors="surrogateescape").partition("Status Summary\n")
    lines = (line.rsplit(" : ", 1) for line in text.splitlines() if " : " in line)
    return {label.strip(" -*"): int(count) for label, count in lines}
