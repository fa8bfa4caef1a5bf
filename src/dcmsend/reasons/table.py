"""The one table of reasons: code -> words, kind, hint, what is the same reason, may it pass.

Loaded where a reason is shown. A template names facts in braces, and ``{inner}`` for the reason behind it, or
``{behind}`` for that with a colon before it where there is one; hints name
settings by the keys of ``reasons.names``, since what these are called depends on where a hint is shown: the command
line has options, the library has parameters. ``test_reasons`` holds every code in the source against this table.
"""

from __future__ import annotations

from dcmsend.light import Enum, NamedTuple
from dcmsend.printable import MAX_PATH, plain
from dcmsend.reasons.names import LIBRARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from dcmsend.reasons import Reason


class Kind(Enum):
    """What stood between an instance and its being stored."""

    REFUSED = "refused"  # the peer answered with a status that says so
    NO_CONTEXT = "no_context"  # the peer accepted no presentation context for it
    NOT_ANSWERED = "not_answered"  # the association broke while it was under way
    FILE = "file"  # the file, or its conversion
    READ = "read"  # the system did not give the file, or ran out of something
    NO_DICOM = "no_dicom"  # it is no DICOM file
    NOT_TRIED = "not_tried"  # the run ended before its turn
    NETWORK = "network"  # the association could not be made, or broke
    RUN = "run"  # what the run itself needs: the journal, temporary files, settings
    OTHERS = "others"  # more reasons than there are groups


class Row(NamedTuple):
    """A reason. ``by``: facts by which reasons of this code are told apart when they are counted; the others show as
    ``...`` where there is more than one. ``passes``: another attempt may go well. Without a ``hint``, that of the
    reason behind it counts, else that of its kind.
    """

    kind: Kind
    words: str
    hint: str = ""
    by: tuple[str, ...] = ()
    passes: bool = False


_AGAIN_WHEN_FINISHED: Final = "Somebody was still writing these files: send them again when they are finished."
_COPY_AGAIN: Final = "The file is damaged or incomplete: copy it from its source again."

TABLE: Final[dict[str, Row]] = {
    # --- what is said by somebody else, in that one's words
    "said": Row(Kind.OTHERS, "{words}", "", ("words",)),
    # --- the system
    "not_found": Row(
        Kind.READ,
        "{words}",
        "Nothing of this name is there, or no longer. Is the folder mounted, and did something else clean up?",
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
    # --- what is given: scan, lists, sources
    "too_short": Row(
        Kind.FILE,
        "it has only {size} bytes: too short for a DICOM file, though it is called like one",
        _COPY_AGAIN,
    ),
    "empty_file": Row(Kind.FILE, "empty file", _COPY_AGAIN),
    "empty_no_dicom": Row(Kind.NO_DICOM, "empty file"),
    "folder_not_searched": Row(
        Kind.FILE,
        "it is a directory, and directories are not searched",
        "Have folders searched: {scan_directories}, and {recurse} for those within them.",
    ),
    "folder_not_listed": Row(
        Kind.READ, "cannot read directory: {inner}", "What is in these folders is not known: see that they can be read."
    ),
    "not_a_regular_file": Row(
        Kind.READ, "not a regular file but a {kind}", "Only files can be sent: name those, or a folder.", ("kind",)
    ),
    "bad_file": Row(Kind.FILE, "bad DICOM file: {path}: {inner}"),
    # --- structure of files: Part 10, data sets, DICOMDIRs
    # --- archives
    # --- conversion and pixel data
    # --- what may be proposed, and what the peer accepted
    "decompression_forbidden": Row(
        Kind.NO_CONTEXT,
        "decompression is not allowed",
        "The peer does not take this transfer syntax, and {decompress_never} forbids to convert it: leave that out.",
    ),
    "lossy_decompression_forbidden": Row(
        Kind.NO_CONTEXT,
        "it was compressed with loss, and such data is not decompressed without being asked for",
        "The peer does not take this compression. Allow it there, or have it decompressed by {decompress_lossy}.",
    ),
    "no_conversion": Row(Kind.NO_CONTEXT, "there is no way to do that"),
    "decoder_missing": Row(
        Kind.NO_CONTEXT, "its decoder is not installed ({install})", "Install the decoder: {install}.", ("install",)
    ),
    "decoder_unknown": Row(Kind.NO_CONTEXT, "no decoder for it is known"),
    "uid_too_long_to_propose": Row(
        Kind.NO_CONTEXT, "a UID of more than {most} characters cannot be proposed", "", ("most",)
    ),
    "no_legal_proposal": Row(
        Kind.NO_CONTEXT,
        "{syntax} alone is no legal proposal, and it is not converted to Little Endian Implicit: {inner}",
        "The options forbid to propose this transfer syntax: leave out {no_illegal_proposal}.",
        ("syntax",),
    ),
    "context_not_proposed": Row(
        Kind.NO_CONTEXT,
        "no presentation context with SOP class {sop_class} and {syntax} was proposed",
        "",
        ("sop_class", "syntax"),
    ),
    "sop_class_not_supported": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer does not support this SOP class",
        "The peer does not take objects of this kind: its administrator has to allow the SOP class.",
        ("syntax",),
    ),
    "no_acceptable_context": Row(Kind.NO_CONTEXT, "no acceptable presentation context"),
    "context_refused_by_user": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer refused it (user rejection), {inner}",
        "",
        ("syntax",),
    ),
    "context_refused_without_reason": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer refused it without a reason, {inner}",
        "",
        ("syntax",),
    ),
    "transfer_syntax_not_supported": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer does not support this transfer syntax for it,"
        " {inner}",
        "",
        ("syntax",),
    ),
    "context_not_answered": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer's answer leaves it out, {inner}",
        "",
        ("syntax",),
    ),
    "context_not_as_proposed": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer chose a transfer syntax that was not proposed,"
        " {inner}",
        "",
        ("syntax",),
    ),
    "context_refused": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer refused it with result {result}, {inner}",
        "",
        ("syntax", "result"),
    ),
    "not_converted": Row(Kind.NO_CONTEXT, "and it is not converted: {inner}"),
    "nothing_uncompressed_accepted": Row(Kind.NO_CONTEXT, "and it accepted no uncompressed one either"),
    # --- under way
    "not_answered": Row(
        Kind.NOT_ANSWERED,
        "not answered: {inner}",
        "The association broke while these were under way; the peer may have stored them. Sending them again does"
        " no harm: {no_halt} goes on with the rest, {retries} tries again.",
    ),
    "not_answered_in_time": Row(
        Kind.NOT_ANSWERED,
        "not answered: {inner}",
        "The peer was silent for too long; it may have stored these. Look at its load, give it more time"
        " ({dimse_timeout}), or have it tried again ({retries}).",
    ),
    "aborted_under_way": Row(
        Kind.NOT_ANSWERED,
        "not answered: stopped by the user",
        "The run was aborted while these were under way; the peer may have stored them. The same command sends them"
        " again, which does no harm.",
    ),
    # --- not tried
    "never_tried": Row(Kind.NOT_TRIED, "never tried"),
    "failed": Row(Kind.FILE, "failed"),
    "contexts_do_not_fit": Row(
        Kind.NOT_TRIED,
        "not tried: of {needed} presentation contexts an association takes {most}, and no other association is allowed",
        "Leave out {single_association}: further associations take the rest.",
    ),
    "association_broke": Row(
        Kind.NOT_TRIED,
        "not tried: the association broke, and no other association is allowed",
        "Leave out {single_association}: further associations take the rest.",
    ),
    "run_ended": Row(Kind.NOT_TRIED, "not tried: the run ended before ({inner})"),
    # --- what the peer answered
    "remark": Row(Kind.REFUSED, "{words}", "", ("words",)),
    "refused_out_of_resources": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer is out of resources: look at its disk space and its log. {retries} tries such instances again.",
        ("status", "meaning"),
        passes=True,
    ),
    "refused_for_sop_class": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer says that the data set does not fit its SOP class: its log says why. Ask who made these files.",
        ("status", "meaning"),
    ),
    "refused_not_understood": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer cannot make sense of the data set: its log says which attribute. Files of one origin mostly share"
        " such a fault.",
        ("status", "meaning"),
    ),
    "refused_sop_class": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer does not store this SOP class: its administrator has to allow it.",
        ("status", "meaning"),
    ),
    "refused_not_authorized": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer does not allow this: check the AE titles ({aetitle}, {call}) and the user, and its list of who may"
        " store.",
        ("status", "meaning"),
    ),
    "refused_processing_failure": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "Something went wrong in the peer: its log says what. {retries} tries again.",
        ("status", "meaning"),
        passes=True,
    ),
    "refused_duplicate": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer has this instance already, and does not take it twice.",
        ("status", "meaning"),
    ),
    "refused": Row(Kind.REFUSED, "{status} ({meaning}){behind}", "", ("status", "meaning")),
    # --- network and associations
    # --- TLS
    # --- journal
    "stored_by_run": Row(Kind.RUN, "stored by run {run} of the journal, {finished} UTC"),
    # --- reports
}

# Where a row has no hint of its own.
_HINTS: Final[dict[Kind, str]] = {
    Kind.REFUSED: "The peer refused these: its log says why.",
    Kind.NO_CONTEXT: (
        "The peer takes neither this transfer syntax nor one that it can be converted to: its administrator has to"
        " allow it."
    ),
    Kind.NOT_ANSWERED: (
        "The association broke while these were under way; the peer may have stored them. Sending them again does"
        " no harm: {no_halt} goes on with the rest, {retries} tries again."
    ),
    Kind.FILE: "The file is not as the standard has it, so nothing of it was sent. Ask who made it for a correct one.",
    Kind.READ: "The system cannot give these files: its words say why.",
    Kind.NO_DICOM: "These are no DICOM files. {no_halt} passes over them.",
    Kind.NOT_TRIED: (
        "Their turn never came. Mend what ended the run and start it again; {no_halt} goes on after failures, and"
        " with {journal} only what is missing is sent."
    ),
    Kind.NETWORK: "",
    Kind.RUN: "",
    Kind.OTHERS: "The reports have the reason of each.",
}

VARIES: Final = "..."
_INNER: Final = ("inner", "behind")  # the reason behind, the second with a colon before it


def row_of(reason: Reason) -> Row:
    """The row of a reason; a code that is not there is shown as it is."""
    return TABLE.get(reason.code) or Row(Kind.OTHERS, plain(reason.code))


def words(reason: Reason) -> str:
    """A reason on one line; nothing where there is none."""
    return row_of(reason).words.format_map(_Words(reason)) if reason.code else ""


def group(reason: Reason) -> str:
    """The words of all reasons that count as the same: ``...`` for what is another in each."""
    return row_of(reason).words.format_map(_GroupWords(reason)) if reason.code else ""


def hint(reason: Reason, names: Mapping[str, str] | None = None) -> str:
    """What the user can do; ``names``: what the settings are called, without it as in the library."""
    told: Reason | None = reason
    while told is not None and not row_of(told).hint:
        told = told.inner
    told = told or reason
    template = row_of(told).hint or _HINTS[kind_of(told)]
    return template.format_map(_HintWords(told, names or LIBRARY))


def kind_of(reason: Reason) -> Kind:
    """What stood between an instance and its being stored."""
    return row_of(reason).kind


def may_pass(reason: Reason) -> bool:
    """Return True if this reason, or the one behind it, may not hold another time."""
    return row_of(reason).passes or (reason.inner is not None and may_pass(reason.inner))


class _Words:
    """What stands for a name in braces: a fact, or the words of the reason behind."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason

    def __getitem__(self, name: str) -> str:
        inner = self.reason.inner
        if name in _INNER:
            return f"{': ' if name == 'behind' else ''}{self.of_inner(inner)}" if inner is not None else ""
        return plain(str(self.reason.fact(name)), MAX_PATH)

    def of_inner(self, inner: Reason) -> str:
        return words(inner)


class _GroupWords(_Words):
    """The same without what is another in each reason of the group."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name) if name in (*_INNER, *row_of(self.reason).by) else VARIES

    def of_inner(self, inner: Reason) -> str:
        return group(inner)


class _HintWords(_Words):
    """The same with the names of settings."""

    def __init__(self, reason: Reason, names: Mapping[str, str]) -> None:
        super().__init__(reason)
        self._names = names

    def __getitem__(self, name: str) -> str:
        return self._names.get(name) or super().__getitem__(name)
