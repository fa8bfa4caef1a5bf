"""Read a report in DCMTK's layout, ours or its own, into fields."""

from __future__ import annotations

from pathlib import Path

Row = dict[str, str]


def rows(path: Path) -> list[Row]:
    """One mapping of label to value for each instance."""
    found = []
    for block in path.read_text(errors="surrogateescape").split("\n\n"):
        fields = {
            label.strip(" :"): value for label, _, value in (line.partition(" : ") for line in block.splitlines())
        }
        if "Filename" in fields:
            found.append(fields)
    return found


def summary(path: Path) -> dict[str, int]:
    """The counts at the end."""
    _, _, text = path.read_text(errors="surrogateescape").partition("Status Summary\n")
    lines = (line.rsplit(" : ", 1) for line in text.splitlines() if " : " in line)
    return {label.strip(" -*"): int(count) for label, count in lines}
