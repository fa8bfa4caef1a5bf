"""The report as one JSON object, for programs; ``docs/report-schema.md`` and ``schema.json`` say what is in it.

Owns the names of the fields: they stay as they are within a version of the schema. Rows are streamed: one line each.
The file is ASCII: whatever a name has in it, no terminal and no editor is steered by it.
"""

from __future__ import annotations

import json

from dcmsend.model import status_class
from dcmsend.printable import printable
from dcmsend.report.run import CLASSES, STATES, local_time
from dcmsend.uids import sop_class_name, transfer_syntax_name
from dcmsend.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Final

    from dcmsend.errors import DcmsendError
    from dcmsend.model import Conflict, Instance, Outcome, Refusal, Totals
    from dcmsend.report.causes import Cause
    from dcmsend.report.recorder import AssociationRecord, Recorder, ResponseTimes
    from dcmsend.report.run import Run

SCHEMA_VERSION: Final = 1
PERCENTILES: Final = (50, 75, 90, 95, 99)


def pieces(run: Run) -> Iterator[str]:
    """The text of the report, in pieces."""
    head = json.dumps(_head(run), indent=2)
    yield head[: head.rindex("\n}")]
    seconds_of = run.recorder.seconds_of
    rows = (_instance(instance, outcome, seconds_of(outcome.number)) for instance, outcome in run.source.rows())
    yield from _list("instances", rows)
    yield from _list("left_out", (_refusal(refusal) for refusal in run.source.refusals() if refusal.left_out))
    yield from _list("no_dicom", (_refusal(refusal) for refusal in run.source.refusals() if not refusal.left_out))
    yield "\n}\n"


def _list(name: str, items: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A further member of the document: a list with an item a line."""
    yield f',\n  "{name}": ['
    separator = "\n    "
    for item in items:
        yield separator + json.dumps(item)
        separator = ",\n    "
    yield "\n  ]" if separator[0] == "," else "]"


def _head(run: Run) -> dict[str, Any]:
    source, recorder = run.source, run.recorder
    peer, error = source.peer, source.error
    return {
        "schema_version": SCHEMA_VERSION,
        "program": {"name": "dcmsend", "version": __version__},
        "peer": {
            "host": unicode(peer.host),
            "port": peer.port,
            "called_ae": unicode(peer.called_ae),
            "calling_ae": unicode(peer.calling_ae),
            "tls": peer.tls is not None,
        },
        "started": local_time(run.started),
        "ended": local_time(run.started + run.seconds),
        "seconds": round(run.seconds, 3),
        "complete": source.complete,
        "exit_code": run.exit_code,
        "error": _error(error, run) if error else None,
        "totals": _totals(source.totals, run),
        "failures": [_cause(cause) for cause in run.causes.groups()],
        "conflicts": [_conflict(conflict) for conflict in source.conflicts],
        "left_out_causes": [_cause(cause) for cause in run.left_out.groups()],
        "associations": _associations(recorder),
        "throughput": _throughput(recorder),
        "response_times": _response_times(recorder.response_times),
    }


def _error(error: DcmsendError, run: Run) -> dict[str, str]:
    return {
        "type": type(error).__name__,
        "code": error.why.code,
        "message": error.message,
        "hint": error.hint_in(run.names),
    }


def _totals(totals: Totals, run: Run) -> dict[str, Any]:
    return {
        "instances": totals.instances,
        "stored": totals.stored,
        "not_stored": totals.instances - totals.stored,
        "stored_by_earlier_runs": totals.earlier,
        "answered": totals.answered,
        "by_status_class": {name: totals.by_class.get(kind, 0) for kind, name in CLASSES.items()},
        "no_context": totals.no_context,
        "left_out": totals.left_out,
        "no_dicom": totals.no_dicom,
        "left_over": totals.left_over,
        "associations": totals.associations,
        "presentation_contexts": totals.contexts,
        "stored_bytes": run.stored_bytes,
        "postponed_attempts": run.recorder.postponed,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "kind": cause.kind.value,
        "code": cause.code,
        "reason": cause.reason,
        "count": cause.count,
        "examples": [unicode(path) for path in cause.examples],
        "hint": cause.hint,
    }


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "sop_instance_uid": unicode(conflict.sop_instance),
        "count": conflict.count,
        "paths": [unicode(path) for path in conflict.paths],
    }


def _refusal(refusal: Refusal) -> dict[str, str]:
    return {**_path(refusal.path), "code": refusal.reason.code, "reason": printable(str(refusal.reason))}


def _associations(recorder: Recorder) -> dict[str, Any]:
    kept = recorder.associations
    return {
        "count": recorder.association_count,
        "not_listed": recorder.association_count - len(kept),
        "items": [_association(record) for record in kept],
    }


def _association(record: AssociationRecord) -> dict[str, Any]:
    return {
        "number": record.number,
        "requested_seconds": _rounded(record.requested),
        "accepted_seconds": _rounded(record.accepted),
        "ended_seconds": _rounded(record.ended),
        "contexts_proposed": record.contexts,
        "contexts_accepted": record.contexts_accepted,
        "stored": record.stored,
        "not_stored": record.not_stored,
        "stored_bytes": record.stored_bytes,
        "max_pdu": record.max_pdu if record.accepted is not None else None,
        "implementation": printable(record.implementation),
        "security": record.security,
        "end_reason": printable(record.reason),
    }


def _throughput(recorder: Recorder) -> dict[str, Any]:
    intervals = recorder.throughput.intervals()
    return {
        "interval_seconds": recorder.throughput.seconds,
        "intervals": [
            {
                "start_seconds": interval.start,
                "stored": interval.stored,
                "not_stored": interval.not_stored,
                "stored_bytes": interval.stored_bytes,
            }
            for interval in intervals
        ],
    }


def _response_times(times: ResponseTimes) -> dict[str, Any]:
    def known(seconds: float) -> float | None:
        return _precise(seconds) if times.count else None

    return {
        "count": times.count,
        "shortest_seconds": known(times.shortest),
        "mean_seconds": known(times.mean),
        "longest_seconds": known(times.longest),
        "percentiles": {f"p{percent}": known(times.percentile(percent)) for percent in PERCENTILES},
        "histogram": [
            {"above_seconds": _precise(each.above), "up_to_seconds": _precise(each.up_to), "count": each.responses}
            for each in times.classes()
        ],
    }


def _instance(instance: Instance, outcome: Outcome, seconds: float | None) -> dict[str, Any]:
    status = outcome.status
    return {
        "number": outcome.number,
        **_path(instance.path),
        "sop_class_uid": unicode(instance.sop_class),
        "sop_class_name": sop_class_name(instance.sop_class),
        "sop_instance_uid": unicode(instance.sop_instance),
        "transfer_syntax_uid": unicode(instance.transfer_syntax),
        "transfer_syntax_name": transfer_syntax_name(instance.transfer_syntax),
        "sent_transfer_syntax_uid": unicode(outcome.network_syntax) or None,
        "dataset_bytes": outcome.dataset_size,
        "association": outcome.association or None,
        "context_id": outcome.context_id or None,
        "state": STATES[outcome.state],
        "stored": outcome.stored,
        "status": status,
        "status_hex": None if status is None else f"0x{status:04x}",
        "status_class": None if status is None else CLASSES[status_class(status)],
        "code": outcome.code,
        "reason": printable(str(outcome.reason)),
        "attempts": outcome.attempts,
        "response_seconds": _precise(seconds),
    }


def _path(path: str) -> dict[str, str]:
    """A path as text; where it is no UTF-8, text with escapes, and its bytes beside it."""
    text = unicode(path)
    if text == path:
        return {"path": text}
    from base64 import b64encode

    try:
        return {"path": text, "path_base64": b64encode(path.encode("utf-8", "surrogateescape")).decode()}
    except UnicodeEncodeError:  # no path of this system
        return {"path": text}


def unicode(text: str) -> str:
    """``text`` itself where it is valid Unicode, else with escapes. JSON's own escapes keep it on its line."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return printable(text)
    return text


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _precise(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
