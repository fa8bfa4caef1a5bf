"""The report as text, in the layout of DCMTK's dcmsend, field for field, because programs parse it.

Owns the layout; must not know who sent what or how (``api`` is above), nor how a file is written. What is added: a
``Reason`` line after ``DIMSE Status``, for an instance that has one; behind the instances a section with what was left
out of the input, where there is any; and the lines that count it in the summary. Rows are streamed: memory does not
grow with their number.
"""

from __future__ import annotations

from dcmsend.model import State, StatusClass, status_text
from dcmsend.printable import MAX_LINE, plain
from dcmsend.uids import sop_class_name, transfer_syntax_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final, Protocol

    from dcmsend.model import Instance, Outcome, Peer, Refusal, Totals

    class ReportSource(Protocol):
        """What a report is made from; ``rows`` come in the order of the list."""

        @property
        def peer(self) -> Peer: ...

        @property
        def totals(self) -> Totals: ...

        def rows(self) -> Iterator[tuple[Instance, Outcome]]: ...

        def refusals(self) -> Iterator[Refusal]: ...


_TITLE: Final = "Detailed Report on the Transfer of Instances"

_LEFT_OUT: Final = "Left out of the Input"

_UNANSWERED: Final[dict[State, str]] = {
    State.PENDING: "<not sent>",
    State.NO_CONTEXT: "<no acceptable presentation context>",
    State.FAILED: "<not sent>",
}


def report_lines(source: ReportSource, date: str) -> Iterator[str]:
    """The lines of the report without their line ends; ``date`` is local time as ``YYYY-MM-DD HH:MM:SS``."""
    yield from _header(source.peer, date)
    for instance, outcome in source.rows():
        yield from _row(instance, outcome)
        yield ""
    yield from _left_out(source)
    yield ""
    yield from summary_lines(source.totals)


def pieces(source: ReportSource, date: str) -> Iterator[str]:
    """The text of the report, with a line end between two lines but not after the last."""
    separator = ""
    for line in report_lines(source, date):
        yield separator + line
        separator = "\n"


def summary_lines(totals: Totals) -> Iterator[str]:
    """The status summary: the end of the report, and of the log."""
    unsent = totals.instances - totals.answered
    by_class = totals.by_class
    counts = (
        ("- sent to the peer", totals.answered),
        ("  * by earlier runs", totals.earlier),
        *((f"  * with {_class_label(kind)}", by_class.get(kind, 0)) for kind in StatusClass),
        ("- NOT sent to the peer", unsent),
        ("  * no acceptable pres.", totals.no_context),
        ("- left out of the input", totals.left_out),
        ("- left over in journal", totals.left_over),
    )
    yield "Status Summary"
    yield "--------------"
    yield _field("Number of associations", 24, totals.associations)
    yield _field("Number of pres. contexts", 24, totals.contexts)
    yield _field("Number of SOP instances", 24, totals.instances)
    yield from (_field(label, 24, count) for label, count in counts if count > 0)


def _header(peer: Peer, date: str) -> Iterator[str]:
    yield _TITLE
    yield "=" * len(_TITLE)
    yield ""
    yield _field("Communication Peer", 18, f"{peer.host}:{peer.port}")
    yield _field("AE Titles used", 18, f"{peer.calling_ae} -> {peer.called_ae}")
    yield _field("Current Date/Time", 18, date)
    yield ""
    yield ""


def _row(instance: Instance, outcome: Outcome) -> Iterator[str]:
    yield _field("Number", 13, outcome.number)
    yield _field("Filename", 13, instance.path)
    yield _field("SOP Instance", 13, instance.sop_instance)
    yield _field("SOP Class", 13, f"{instance.sop_class} = {sop_class_name(instance.sop_class)}")
    yield _field("Original Xfer", 13, _syntax(instance.transfer_syntax))
    yield _field("Dataset Size", 13, f"{outcome.dataset_size} bytes")
    yield _field("Association", 13, outcome.association)
    yield _field("Pres. Context", 13, outcome.context_id)
    yield _field("Network Xfer", 13, _syntax(outcome.network_syntax))
    yield _field("DIMSE Status", 13, _status(outcome))
    if outcome.reason:
        yield _field("Reason", 13, outcome.reason)


def _left_out(source: ReportSource) -> Iterator[str]:
    """What was named and could not be taken on."""
    if not source.totals.left_out:
        return
    yield ""
    yield _LEFT_OUT
    yield "-" * len(_LEFT_OUT)
    for refusal in source.refusals():
        if refusal.left_out:
            yield _field("Filename", 13, refusal.path or "<empty string>")
            yield _field("Reason", 13, refusal.reason)
            yield ""


def _status(outcome: Outcome) -> str:
    if outcome.state is State.ANSWERED and outcome.status is not None:
        return f"0x{outcome.status:04x} ({status_text(outcome.status)})"
    return _UNANSWERED.get(outcome.state, "<not sent>")


def _syntax(uid: str) -> str:
    return f"{uid} = {transfer_syntax_name(uid)}" if uid else ""


def _class_label(kind: StatusClass) -> str:
    return kind.value if kind is StatusClass.UNKNOWN else f"status {kind.value}"


def _field(label: str, width: int, value: object) -> str:
    return f"{label:<{width}} : {plain(str(value), MAX_LINE)}"
