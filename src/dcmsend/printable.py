"""Text from files and peers, made safe to show. Ground floor: knows nothing of where it is shown.

A file name, a UID or a peer's comment may hold line ends, terminal sequences or marks that turn the direction of
reading. They are shown as escapes, so that nobody can forge a line of a log or a report.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_CONTROLS: Final = (*range(0x20), *range(0x7F, 0xA0))
_LINE_ENDS: Final = (0x2028, 0x2029)
_DIRECTIONS: Final = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_NAMED: Final = {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_ESCAPES: Final[dict[int, str]] = (
    {code: f"\\x{code:02x}" for code in _CONTROLS}
    | {code: f"\\u{code:04x}" for code in (*_LINE_ENDS, *_DIRECTIONS)}
    | _NAMED
)


def printable(text: str) -> str:
    """``text`` on one line, with control characters as escapes (``\\n``, ``\\x1b``, ``\\u202e``)."""
    return text if text.isprintable() else text.translate(_ESCAPES)


def plain(text: str, longest: int = 200) -> str:
    """``printable`` text of at most ``longest`` characters, for use within a sentence."""
    return printable(text[:longest]) + ("..." if len(text) > longest else "")
