"""What was not stored, as one error: how many of how many, and the first few reasons."""

from __future__ import annotations

from dcmsend.errors import FailuresError
from dcmsend.printable import MAX_PATH, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from dcmsend.errors import DcmsendError
    from dcmsend.model import Instance, Outcome, Totals

MOST_REASONS: Final = 3
_LONGEST_REASON: Final = 300  # characters


def failures(totals: Totals, rows: Iterable[tuple[Instance, Outcome]], error: DcmsendError | None) -> FailuresError:
    """The error for a run that ended with ``error``, or with not all being stored."""
    failed = totals.instances - totals.stored
    reasons: list[str] = []
    for instance, outcome in rows:
        if len(reasons) == min(failed, MOST_REASONS):
            break
        if not outcome.stored:
            reasons.append(f"{plain(instance.path, MAX_PATH)}: {plain(str(outcome.why), _LONGEST_REASON)}")
    return FailuresError(totals.instances, failed, tuple(reasons), error)
