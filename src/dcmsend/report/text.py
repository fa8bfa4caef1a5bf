"""The report as text, in the layout of DCMTK's dcmsend, field for field, because programs parse it.

Owns the layout and how the file is written; must not know who sent what or how (``api`` is above). The one
addition is a ``Reason`` line after ``DIMSE Status``, for an instance that has one. Rows are streamed: memory does not
grow with their number.
"""

from __future__ import annotations

import os
import stat

from dcmsend.errors import ReportError
from dcmsend.model import State, StatusClass, status_text
from dcmsend.printable import MAX_LINE, plain
from dcmsend.uids import sop_class_name, transfer_syntax_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, Final, Protocol

    from dcmsend.model import Instance, Outcome, Peer, Totals

    class ReportSource(Protocol):
        """What a report is made from; ``rows`` come in the order of the list."""

        @property
        def peer(self) -> Peer: ...

        @property
        def totals(self) -> Totals: ...

        def rows(self) -> Iterator[tuple[Instance, Outcome]]: ...

    class _Write(Protocol):
        def __call__(self, data: bytes, /) -> object: ...


_TITLE: Final = "Detailed Report on the Transfer of Instances"
_CHUNK: Final = 1 << 16  # characters that are gathered before a write

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
    yield ""
    yield from summary_lines(source.totals)


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
    )
    yield "Status Summary"
    yield "--------------"
    yield _field("Number of associations", 24, totals.associations)
    yield _field("Number of pres. contexts", 24, totals.contexts)
    yield _field("Number of SOP instances", 24, totals.instances)
    yield from (_field(label, 24, count) for label, count in counts if count > 0)


def write_report(path: str, source: ReportSource, date: str) -> None:
    """Write the report to ``path``.

    A reader never sees half of it, and an older report stays until the new one is complete. What is not a plain
    file (``/dev/stdout``, a FIFO, a link) is written as it is. Raises ``ReportError`` if that fails.
    """
    try:
        partial = _open_partial(path) if _replaceable(path) else None
        if partial is None:
            with _open_direct(path) as direct:
                _pour(direct.write, report_lines(source, date))
        else:
            _write_and_replace(path, partial, report_lines(source, date))
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ReportError(f"cannot write report file '{path}': {why}") from error


def overwrites(path: str) -> bool:
    """Whether writing the report to ``path`` takes the place of a file."""
    return os.path.isfile(path) and _own_output(path) is None


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


# --- the file


def _pour(write: _Write, lines: Iterator[str]) -> None:
    """Write the lines in large pieces, with a line end between two of them but not after the last."""
    gathered: list[str] = []
    size = 0
    separator = ""
    for line in lines:
        gathered.append(separator + line)
        separator = "\n"
        size += len(line)
        if size >= _CHUNK:
            write("".join(gathered).encode())
            gathered.clear()
            size = 0
    write("".join(gathered).encode())


def _replaceable(path: str) -> bool:
    """Whether a new file may take the place of ``path``: there is none yet, or a plain one of ours without links."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return True
    if _own_output(path) is not None:
        return False
    ours = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return ours and stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and os.access(path, os.W_OK)


def _open_direct(path: str) -> BinaryIO:
    """``path`` for writing. What is our output already is continued: ``/dev/stdout`` may be a log that others write."""
    output = _own_output(path)
    return open(path, "wb") if output is None else open(os.dup(output), "wb")


def _own_output(path: str) -> int | None:
    """The descriptor of standard output or standard error if ``path`` is another name of it."""
    for descriptor in (1, 2):
        try:
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return descriptor
        except (OSError, ValueError):  # one of the two is not there
            continue
    return None


def _open_partial(path: str) -> int | None:
    """A new file beside ``path``, or None where the folder takes none."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(_partial_name(path), flags, 0o666)
    except OSError:
        return None


def _partial_name(path: str) -> str:
    return f"{path}.{os.getpid()}.part"


def _write_and_replace(path: str, descriptor: int, lines: Iterator[str]) -> None:
    partial = _partial_name(path)
    try:
        with open(descriptor, "wb") as stream:
            if os.path.exists(path):
                os.chmod(partial, stat.S_IMODE(os.stat(path).st_mode))
            _pour(stream.write, lines)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
