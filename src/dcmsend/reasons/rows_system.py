"""Rows of the table of reasons. What the system says, and what is in somebody else's words."""

from __future__ import annotations

from dcmsend.reasons.row import Kind, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ROWS: Final[dict[str, Row]] = {
    # --- what is said by somebody else, in that one's words
    "said": Row(Kind.OTHERS, "{words}", "", ("words",)),
    # --- the system
    "not_found": Row(
        Kind.READ,
        "{words}",
        "Nothing of this name is there, or no longer: is it spelled right, is the folder mounted, did somebody clean"
        " up?",
        ("words",),
    ),
    "no_permission": Row(Kind.READ, "{words}", "Whoever runs this program may not read these files.", ("words",)),
    "read_error": Row(
        Kind.READ,
        "{words}",
        "The disk or the network share cannot be read here: look at the system's log, then send these again.",
        ("words",),
        passes=True,
    ),
    "too_many_open_files": Row(
        Kind.READ,
        "{words}",
        "The system allows this program too few open files: raise the limit (ulimit -n), or use fewer {associations}.",
        ("words",),
        passes=True,
    ),
    "no_room": Row(
        Kind.READ, "{words}", "A disk is full. For temporary files, TMPDIR may name another folder.", ("words",)
    ),
    "name_too_long": Row(Kind.READ, "{words}", "Give a shorter path, as from within one of the folders.", ("words",)),
    "link_loop": Row(Kind.READ, "{words}", "A link leads back to itself: remove it or name its target.", ("words",)),
    "no_memory": Row(
        Kind.READ, "{words}", "The system has no memory left for this program: use fewer {associations}.", ("words",)
    ),
    "system": Row(Kind.READ, "{words}", "The system cannot give these files: its words say why.", ("words",)),
    "stopped": Row(
        Kind.NOT_TRIED,
        "stopped by the user",
        "The run was stopped. The same command sends the rest; with {journal} it leaves out what is stored.",
    ),
}
