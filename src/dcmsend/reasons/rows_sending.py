"""Rows of the table of reasons. What the peer accepts and answers, and what was not tried."""

from __future__ import annotations

from dcmsend.reasons.row import Kind, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ROWS: Final[dict[str, Row]] = {
    # --- what may be proposed, and what the peer accepted
    "decompression_forbidden": Row(
        Kind.NO_CONTEXT,
        "decompression is not allowed",
        "Leave out {decompress_never} to have it converted for a peer that does not take this transfer syntax.",
    ),
    "lossy_decompression_forbidden": Row(
        Kind.NO_CONTEXT,
        "it was compressed with loss, and such data is not decompressed without being asked for",
        "Where the peer does not take this compression: allow it there, or have it decompressed by {decompress_lossy}.",
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
}
