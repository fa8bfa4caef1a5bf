"""Text that came from files, made fit for one line of a log or a report.

Used for every UID, path and file ID that stands inside a reason or a notice, so that none can forge a second line.
"""

from __future__ import annotations


def plain(text: str, longest: int = 200) -> str:
    """``text`` with everything that does not print escaped, and cut where it has more than ``longest`` characters."""
    dots = "..." if len(text) > longest else ""
    text = text[:longest]
    if not text.isprintable():
        text = "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)
    return text + dots


def uid_of(value: bytes) -> str:
    """The UID in an element's value, without its padding (PS3.5 9.1; blanks are seen instead of NUL)."""
    return value.rstrip(b"\0 ").decode("latin-1")
