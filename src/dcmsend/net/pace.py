"""A limit on how many bytes are sent in a second, over all associations of a run.

Says how long to wait before the next bytes may leave; who waits, and how, is decided elsewhere. Knows a clock, and
nothing of what is sent.
"""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

_PIECES: Final = 50  # in a second, so that the rate is even
_LARGEST: Final = 65536


class Pace:
    """``rate`` in bytes per second. Safe to be used from several threads at once."""

    def __init__(self, rate: int, clock: Callable[[], float] = monotonic) -> None:
        self.piece = max(1, min(_LARGEST, rate // _PIECES))  # bytes that are sent at once
        self._rate = rate
        self._clock = clock
        self._lock = allocate_lock()
        self._free = clock()  # when everything that was allowed will have had its time

    def __repr__(self) -> str:
        return f"<Pace of {self._rate} bytes per second>"

    def delay(self, count: int) -> float:
        """Seconds to wait before ``count`` bytes are sent: as long as what was sent before takes at this rate."""
        with self._lock:
            now = self._clock()
            begins = max(now, self._free)
            self._free = begins + count / self._rate
            return begins - now
