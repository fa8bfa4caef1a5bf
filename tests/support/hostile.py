"""Text that would forge lines or steer a terminal if it were shown as it is, and the check that nobody did."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from dcmsend.cli.help import heading

# A line end of each kind with a forged line behind it, terminal sequences (also with C1 controls), what rubs out
# characters, what turns the direction of reading, and what ends a line for some readers.
TEXT: Final = (
    "x\nF: forged\r\nF: forged\rF: forged\x1b[2J\x1b]0;forged\x07\b\b\b\x7f\x00\x85F: forged\x9b31m\x9d0;forged\x9c"
    "\u2028F: forged\u2029F: forged\x0bF: forged\x0cF: forged\x1cF: forged\u202edegrof\u2066\u2067\u200f\u061cz"
)
WITHOUT_NUL: Final = TEXT.replace("\x00", "")
# The same, and bytes that are no UTF-8: C1 controls by themselves, the first byte of a character that does not follow.
BYTES: Final = TEXT.encode() + b"\xff\x9b31m\x85F: forged\x90\xc2"
NAME: Final = WITHOUT_NUL.encode()[:180] + b"\xff\x9b31m\x85F: forged\x90\xc2"  # of a file: at most 255 bytes
# Where a field is read byte by byte (Latin-1).
ASCII: Final = b"x\nF: forged\rF: forged\x1b[2J\x07\x7f\x85\x9b31mz"

LOG_LINE: Final = re.compile(r"[FEWIDT]: ")
FORGED: Final = re.compile(r"(?:[FEWIDT]: *)?forged")
FIELD: Final = re.compile(
    r"(?:Communication Peer|AE Titles used|Current Date/Time|Number|Filename|SOP Instance|SOP Class|Original Xfer"
    r"|Dataset Size|Association|Pres\. Context|Network Xfer|DIMSE Status|Reason|Number of .*|[- ] .*) +: "
)
TITLES: Final = (
    "",
    "Detailed Report on the Transfer of Instances",
    "=" * 44,
    "Status Summary",
    "--------------",
    "Left out of the Input",
    "-" * 21,
)
LONGEST: Final = 6 * 16384 + 10  # characters: a line of the log, all of it escapes

_ALLOWED: Final = {"\n", "\u200d"}


def lines_of(output: bytes) -> list[str]:
    """The lines of valid UTF-8 without any character that controls something, but for the line feeds between them."""
    text = output.decode()
    controls = {character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert controls <= _ALLOWED, controls
    assert not text or text.endswith("\n"), "the last line is not complete"
    return text.split("\n")[:-1]


def check_log(output: bytes) -> list[str]:
    """The lines of a log, each of which is one that we wrote."""
    lines = lines_of(output)
    for line in lines:
        assert LOG_LINE.match(line), line
        assert not FORGED.match(line), line
        assert len(line) < LONGEST or line.startswith("I: calling '")  # as many arguments as were given
    return lines


def check_complaint(output: bytes) -> str:
    """What is wrong with a command line: the heading, and one line."""
    lines = lines_of(output)
    *before, last = lines
    assert before == heading().split("\n")[:-1]
    assert last.startswith("error: ")
    assert len(last) < LONGEST
    return last


def check_report(content: bytes) -> list[str]:
    """The lines of a report, each of which is one that we wrote."""
    lines = lines_of(content + b"\n")
    for line in lines:
        assert line in TITLES or FIELD.match(line), line
        assert len(line) < LONGEST
    return lines
