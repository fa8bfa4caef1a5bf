"""What is tried again after a failure, and how long to wait before. Pure: time is passed in, nobody is waited for.

A failure passes if it is the network's or the moment's: another attempt may go well. What the peer refuses for good
(a rejection that it calls permanent, a SOP class, a data set) it will refuse again.
"""

from __future__ import annotations

from os import urandom

from dcmsend.errors import RemoteProtocolError
from dcmsend.model import MAX_RETRY_DELAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from dcmsend.errors import NetworkError
    from dcmsend.model import Retries

_MOST_TOUCHED: Final = 2
BREAKS: Final = 2  # associations that an instance may break before all others get their turn

# C-STORE statuses that pass: (mask, value), as in PS3.4 Table B.2-1 and PS3.7 C.4.2 and C.5.
_PASSING: Final = (
    (0xFF00, 0xA700),  # out of resources
    (0xFFFF, 0x0110),  # processing failure
)


def status_passes(status: int) -> bool:
    """Whether the peer may answer otherwise another time."""
    return any(status & mask == value for mask, value in _PASSING)


def error_passes(error: NetworkError, *, established: bool) -> bool:
    """Whether another association may do better. Which errors that are, they know themselves.

    Nonsense from a peer that had accepted the association is most likely damage on the way; from one that has not, it
    is another kind of server.
    """
    return error.retryable or (established and isinstance(error, RemoteProtocolError))


class Attempts:
    """How often each instance has failed so far; shared by all associations of a run.

    Each instance is in the hands of one of them at a time.
    """

    def __init__(self, most: int) -> None:
        self.failed: dict[int, int] = {}  # by the instance's number; those that have their outcome are not in there
        self._touched: dict[int, int] = {}
        self._most = most

    def __repr__(self) -> str:
        return f"<Attempts of {1 + self._most}: {len(self.failed)} instances have failed so far>"

    def fail(self, number: int) -> bool:
        """One more attempt has failed; whether there may be another one."""
        self.failed[number] = failed = self.failed.get(number, 0) + 1
        return failed <= self._most

    def touch(self, number: int) -> bool:
        """Its file was touched while it was sent; whether it may be sent once more for that, whatever else fails."""
        self._touched[number] = touched = self._touched.get(number, 0) + 1
        return touched <= _MOST_TOUCHED

    def made(self, number: int) -> int:
        """How many attempts have not gone well so far."""
        return self.failed.get(number, 0) + self._touched.get(number, 0)

    def end(self, number: int) -> int:
        """The instance has its outcome: how many attempts had not gone well by then."""
        if not self.failed and not self._touched:
            return 0
        return self.failed.pop(number, 0) + self._touched.pop(number, 0)


def _chance() -> float:
    return urandom(1)[0] / 256  # ``random`` would take longer to import than a small file to be sent


class Backoff:
    """How long to wait: twice as long after each setback in a row, with some chance in it lest many come back at once.

    ``until``: no association is to be asked for before. Times are seconds by any clock.
    """

    def __init__(self, retries: Retries, chance: Callable[[], float] = _chance) -> None:
        self.until = 0.0
        self._retries = retries
        self._chance = chance
        self._row = 0
        self._last = float("-inf")

    def __repr__(self) -> str:
        return f"<Backoff after {self._row} setbacks in a row>"

    def setback(self, now: float, *, began: float, progressed: bool) -> bool:
        """An association that was asked for when it ``began`` has failed ``now``; whether another may be tried.

        ``progressed``: something had gone well there before. Those that were open at the last setback have most likely
        ended for the same reason, and count as that one.
        """
        if began >= self._last:
            self._row = 1 if progressed else self._row + 1
            self._last = now
        if self.until <= now:
            self.until = now + self._delay()
        return self._row <= self._retries.count

    def _delay(self) -> float:
        doubled = self._retries.delay * 2.0 ** min(self._row - 1, 32)
        return min(doubled, MAX_RETRY_DELAY) * (1 + self._chance()) / 2
