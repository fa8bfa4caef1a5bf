"""What was not stored, as one error: how many of how many, and the first few reasons."""

from __future__ import annotations

from dcmsend.errors import FailuresError
from dcmsend.printable import MAX_PATH, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from dcmsend.errors import DcmsendError
    from dcmsend.model import Instance, Outcome, Refusal, Totals
    from dcmsend.reasons import Reason

MOST_REASONS: Final = 3
_LONGEST_REASON: Final = 300  # characters


def failures(
    totals: Totals,
    rows: Iterable[tuple[Instance, Outcome]],
    refusals: Iterable[Refusal],
    error: DcmsendError | None,
) -> FailuresError:
    """The error for a run that ended with ``error``, with not all being stored, or with something left out."""
    failed = totals.instances - totals.stored
    reasons = _first(failed, ((instance.path, outcome.why) for instance, outcome in rows if not outcome.stored))
    left_out = _first(totals.left_out, ((refusal.path, refusal.reason) for refusal in refusals if refusal.left_out))
    return FailuresError(
        totals.instances,
        failed,
        (*reasons, *left_out)[:MOST_REASONS],
        error,
        left_out=totals.left_out,
        left_over=totals.left_over,
    )


def _first(count: int, found: Iterable[tuple[str, Reason]]) -> Iterator[str]:
    """The first few of ``count``, a line each."""
    for _, (path, reason) in zip(range(min(count, MOST_REASONS)), found, strict=False):
        yield f"{plain(path, MAX_PATH)}: {plain(str(reason), _LONGEST_REASON)}"
