"""What is tried again, and after how long."""

from __future__ import annotations

import pytest

from dcmsend import errors
from dcmsend.model import MAX_RETRY_DELAY, Retries
from dcmsend.transfer.retry import Attempts, Backoff, error_passes, status_passes


@pytest.mark.parametrize(
    ("status", "passes"),
    [
        (0x0000, False),
        (0xB000, False),
        (0xA700, True),
        (0xA7FF, True),
        (0xA800, False),
        (0xA900, False),
        (0x0110, True),
        (0x0111, False),
        (0x0122, False),
        (0x0124, False),
        (0xC000, False),
    ],
)
def test_statuses(status: int, passes: bool) -> None:
    assert status_passes(status) is passes


@pytest.mark.parametrize(
    ("error", "before", "after"),
    [
        (errors.ConnectError("?"), True, True),
        (errors.ConnectionLost("?"), True, True),
        (errors.PeerTimeout("waiting", 1), True, True),
        (errors.AssociationAborted(0, 0, "?"), True, True),
        (errors.ReleaseRequested("?"), True, True),
        (errors.AssociationRejected(2, 3, 1, "busy"), True, True),
        (errors.AssociationRejected(1, 1, 7, "unknown"), False, False),
        (errors.NameResolutionError("unknown"), False, False),
        (errors.NameResolutionError("nobody to ask", retryable=True), True, True),
        (errors.NegotiationError("?"), False, False),
        (errors.RemoteProtocolError("?"), False, True),
    ],
)
def test_errors(error: errors.NetworkError, before: bool, after: bool) -> None:
    assert error_passes(error, established=False) is before
    assert error_passes(error, established=True) is after


def test_an_instance_is_tried_once_and_so_often_again() -> None:
    attempts = Attempts(2)
    assert [attempts.fail(7) for _ in range(3)] == [True, True, False]
    assert attempts.fail(8)
    assert attempts.end(7) == 3
    assert attempts.end(7) == 0
    assert attempts.failed == {8: 1}
    assert not Attempts(0).fail(1)


def waits(backoff: Backoff, count: int, *, progressed: bool = False) -> list[float]:
    """How long is waited after each of some setbacks, each of an association that began after the wait before."""
    now, found = 100.0, []
    for _ in range(count):
        backoff.setback(now, began=now, progressed=progressed)
        found.append(backoff.until - now)
        now = backoff.until
    return found


def test_each_setback_in_a_row_is_waited_out_twice_as_long_up_to_a_minute() -> None:
    assert MAX_RETRY_DELAY == 60
    assert waits(Backoff(Retries(count=9, delay=1), lambda: 1.0), 8) == [1, 2, 4, 8, 16, 32, 60, 60]
    assert waits(Backoff(Retries(count=9, delay=1), lambda: 0.0), 3) == [0.5, 1, 2]
    assert waits(Backoff(Retries(count=9, delay=0)), 3) == [0, 0, 0]
    assert waits(Backoff(Retries(count=9, delay=50), lambda: 1.0), 2) == [50, MAX_RETRY_DELAY]


def test_progress_begins_anew() -> None:
    assert waits(Backoff(Retries(count=9, delay=1), lambda: 1.0), 4, progressed=True) == [1, 1, 1, 1]


def test_patience_ends_with_the_retries() -> None:
    backoff = Backoff(Retries(count=2, delay=0))
    assert [backoff.setback(now, began=now, progressed=False) for now in (1, 2, 3)] == [True, True, False]
    assert backoff.setback(4, began=4, progressed=True)


def test_what_was_open_at_a_setback_belongs_to_it() -> None:
    """Eight associations that a restart of the server ends are one setback, however long each takes to find out."""
    backoff = Backoff(Retries(count=1, delay=1), lambda: 1.0)
    assert all(backoff.setback(10 + number, began=5, progressed=False) for number in range(8))
    assert backoff.until == 18
    assert not backoff.setback(20, began=19, progressed=False)


def test_chance_is_between_a_half_and_all_of_the_wait() -> None:
    found = {waits(Backoff(Retries(count=1, delay=1)), 1)[0] for _ in range(200)}
    assert 0.5 <= min(found) < max(found) <= 1


def test_a_short_memory_of_a_long_row() -> None:
    """A row of thousands does not overflow."""
    assert waits(Backoff(Retries(count=1000, delay=60), lambda: 1.0), 2000)[-1] == MAX_RETRY_DELAY


def test_everything_prints_well() -> None:
    assert repr(Attempts(2)) == "<Attempts of 3: 0 instances have failed so far>"
    assert repr(Backoff(Retries())) == "<Backoff after 0 setbacks in a row>"
