"""All that the further reports are made from: a run as a value, and how its facts are put into words.

The formats (``document``, ``table``, ``page``) share the names of states and classes of status that stand here.
"""

from __future__ import annotations

from dcmsend.light import Frozen
from dcmsend.model import State, StatusClass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final, Protocol

    from dcmsend.errors import DcmsendError
    from dcmsend.model import Conflict, Instance, Outcome, Peer, Refusal, Totals
    from dcmsend.report.causes import Causes
    from dcmsend.report.recorder import Recorder

    class Source(Protocol):
        """What ``api.Report`` has; ``rows`` come in the order of the list, each time anew."""

        @property
        def peer(self) -> Peer: ...

        @property
        def totals(self) -> Totals: ...

        @property
        def error(self) -> DcmsendError | None: ...

        @property
        def complete(self) -> bool: ...

        @property
        def conflicts(self) -> tuple[Conflict, ...]: ...

        def rows(self) -> Iterator[tuple[Instance, Outcome]]: ...

        def refusals(self) -> Iterator[Refusal]: ...


class Run(Frozen, kw_only=True):
    """A run that is over. ``causes``: why instances were not stored, ``left_out``: why inputs were not taken on.

    ``started``: seconds since 1970. ``stored_bytes``: of the data sets stored in this run. ``exit_code``: the program's
    if no report fails to be written. ``names``: what settings are called in hints; without, as in the library.
    """

    source: Source
    recorder: Recorder
    causes: Causes
    left_out: Causes
    started: float
    seconds: float
    stored_bytes: int
    exit_code: int
    names: Mapping[str, str] | None = None


STATES: Final[dict[State, str]] = {
    State.PENDING: "not_tried",
    State.ANSWERED: "answered",
    State.NO_CONTEXT: "no_context",
    State.FAILED: "failed",
}
LEFT_OUT: Final = "left_out"  # beside those: what is no instance of the run
CLASSES: Final[dict[StatusClass, str]] = {
    StatusClass.SUCCESS: "success",
    StatusClass.WARNING: "warning",
    StatusClass.ERROR: "error",
    StatusClass.REFUSED: "refused",
    StatusClass.UNKNOWN: "unknown",
}


def run_line(stored: int, size: int, seconds: float) -> str:
    """How long a run took and how fast it was; ``size`` in bytes, of what was stored."""
    rate = f": {size / 1e6 / seconds:.1f} MB/s, {stored / seconds:.1f} instances/s" if seconds > 0 and stored else ""
    return f"{stored} instance{'' if stored == 1 else 's'} with {size} bytes stored in {seconds:.2f} s{rate}"


def local_time(seconds: float) -> str:
    """Seconds since 1970 as local time with its offset from UTC (ISO 8601)."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(timespec="milliseconds")
