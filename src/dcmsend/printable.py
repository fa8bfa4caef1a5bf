"""Text from files, peers and users, made safe to show. Ground floor: knows nothing of where it is shown.

A file name, a UID or a peer's comment may hold line ends, terminal sequences, marks that turn the direction of
reading, or bytes that are no text. They are shown as escapes, so that nobody can forge a line of a log or a report; and
there is a limit to how much of them is shown.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MAX_PATH: Final = 4096  # characters of a path in a sentence
MAX_LINE: Final = 16384  # characters of a line of log or report, and of an error
MAX_HOST: Final = 255  # characters of a host's name in a sentence; DNS has 253
MAX_REMARK: Final = 256  # characters of what a peer says of itself or of an instance; the standard has 64 for it

_NAMED: Final = {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
# Line ends, and what turns the direction of reading: Unicode's Bidi_Control, and the six that stand behind it.
_MARKS: Final = frozenset((0x2028, 0x2029, 0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x2070)))


class _Escapes:
    """What is shown for a character, by its number, as ``str.translate`` asks for it: LookupError is for itself."""

    def __getitem__(self, code: int) -> str:
        if code in _NAMED:
            return _NAMED[code]
        if code < 0x20 or 0x7F <= code < 0xA0:
            return f"\\x{code:02x}"
        if 0xDC80 <= code <= 0xDCFF:  # a byte that was no text (PEP 383)
            return f"\\x{code - 0xDC00:02x}"
        if 0xD800 <= code <= 0xDFFF or code in _MARKS:
            return f"\\u{code:04x}"
        raise LookupError(code)


_ESCAPES: Final = _Escapes()


def printable(text: str) -> str:
    """``text`` on one line of valid Unicode, with control characters as escapes (``\\n``, ``\\x1b``, ``\\u202e``)."""
    return text if text.isprintable() else text.translate(_ESCAPES)


def plain(text: str, longest: int = 200) -> str:
    """``printable`` text of at most ``longest`` characters, for use within a sentence."""
    return printable(text) if len(text) <= longest else printable(text[:longest]) + "..."
