"""What a user can do about an instance that was not stored, as one table. Pure; knows the words of reasons."""

from __future__ import annotations

from dcmsend.light import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Kind(Enum):
    """What stood between an instance and its being stored."""

    REFUSED = "refused"  # the peer answered with a status that says so
    NO_CONTEXT = "no_context"  # the peer accepted no presentation context for it
    NOT_ANSWERED = "not_answered"  # the association broke while it was under way
    FILE = "file"  # the file, or its conversion
    NOT_TRIED = "not_tried"  # the run ended before its turn
    OTHERS = "others"  # more reasons than there are groups


# First match wins: kind, what the reason has in it (any of these words, or nothing in particular), hint.
HINTS: Final[tuple[tuple[Kind, tuple[str, ...], str], ...]] = (
    (
        Kind.REFUSED,
        ("0xa7",),
        "The peer is out of resources: look at its disk space and its log. --retries tries such instances again.",
    ),
    (
        Kind.REFUSED,
        ("0xa9",),
        "The peer says that the data set does not fit its SOP class: its log says why. Ask who made these files.",
    ),
    (
        Kind.REFUSED,
        ("0xc",),
        (
            "The peer cannot make sense of the data set: its log says which attribute. Files of one origin mostly share"
            " such a fault."
        ),
    ),
    (Kind.REFUSED, ("0x0122",), "The peer does not store this SOP class: its administrator has to allow it."),
    (
        Kind.REFUSED,
        ("0x0124",),
        (
            "The peer does not allow this: check the AE titles (--aetitle, --call) and the user, and its list of who"
            " may store."
        ),
    ),
    (Kind.REFUSED, ("0x0110",), "Something went wrong in the peer: its log says what. --retries tries again."),
    (Kind.REFUSED, ("0x0111",), "The peer has this instance already, and does not take it twice."),
    (Kind.REFUSED, (), "The peer refused these: its log says why."),
    (
        Kind.NO_CONTEXT,
        ("does not support this SOP class",),
        "The peer does not take objects of this kind: its administrator has to allow the SOP class.",
    ),
    (
        Kind.NO_CONTEXT,
        ("--decompress-never",),
        "The peer does not take this transfer syntax, and --decompress-never forbids to convert it: leave that out.",
    ),
    (
        Kind.NO_CONTEXT,
        ("--decompress-lossy",),
        "The peer does not take this compression. Allow it there, or have it decompressed by --decompress-lossy.",
    ),
    (
        Kind.NO_CONTEXT,
        ("--no-illegal-proposal",),
        "The options forbid to propose this transfer syntax: leave out --no-illegal-proposal.",
    ),
    (
        Kind.NO_CONTEXT,
        (),
        (
            "The peer takes neither this transfer syntax nor one that it can be converted to: its administrator has to"
            " allow it."
        ),
    ),
    (
        Kind.NOT_ANSWERED,
        ("stopped by the user",),
        (
            "The run was aborted while these were under way; the peer may have stored them. The same command sends them"
            " again, which does no harm."
        ),
    ),
    (
        Kind.NOT_ANSWERED,
        ("timeout",),
        (
            "The peer was silent for too long; it may have stored these. Look at its load, give it more time"
            " (--dimse-timeout), or have it tried again (--retries)."
        ),
    ),
    (
        Kind.NOT_ANSWERED,
        (),
        (
            "The association broke while these were under way; the peer may have stored them. Sending them again does"
            " no harm: --no-halt goes on with the rest, --retries tries again."
        ),
    ),
    (
        Kind.FILE,
        ("No such file",),
        "The file was there when the input was looked at, and gone when its turn came. Was something else cleaning up?",
    ),
    (Kind.FILE, ("TMPDIR",), "The folder for temporary files is full: let TMPDIR name another one."),
    (Kind.FILE, ("Permission denied",), "Whoever runs this program may not read these files."),
    (
        Kind.FILE,
        ("changed while", "shrunk", "shorter"),
        "Somebody was still writing these files: send them again when they are finished.",
    ),
    (
        Kind.FILE,
        ("past the end", "cut off", "cut short", "missing", "end of the file"),
        "The file is damaged or incomplete: copy it from its source again.",
    ),
    (
        Kind.FILE,
        ("cannot be decoded", "codestream", "pixel data", "Photometric", "samples", "frame"),
        "The peer wants it decompressed, which is not possible here. Have the peer accept its transfer syntax.",
    ),
    (
        Kind.FILE,
        ("in data set",),
        "The UIDs of the data set are not as they should be; --no-uid-checks sends what has them in another form.",
    ),
    (
        Kind.FILE,
        (),
        "The file is not as the standard has it, so nothing of it was sent. Ask who made it for a correct one.",
    ),
    (
        Kind.NOT_TRIED,
        ("stopped by the user",),
        "The run was stopped. The same command sends the rest; with --journal it leaves out what is stored.",
    ),
    (Kind.NOT_TRIED, ("--single-association",), "Leave out --single-association: further associations take the rest."),
    (
        Kind.NOT_TRIED,
        (),
        (
            "Their turn never came. Mend what ended the run and start it again; --no-halt goes on after failures, and"
            " with --journal only what is missing is sent."
        ),
    ),
    (Kind.OTHERS, (), "The reports have the reason of each."),
)


def hint_for(kind: Kind, reason: str) -> str:
    """What the user can do about a reason of this kind."""
    return next(
        hint for of, words, hint in HINTS if of is kind and (not words or any(_says(reason, word) for word in words))
    )


def _says(reason: str, word: str) -> bool:
    """Whether a reason has these words in it; a status stands at its beginning."""
    return reason.startswith(word) if word.startswith("0x") else word in reason
