"""The one thing that signal handlers and other threads may touch in a run. Ground floor: imports nothing of ours."""

from __future__ import annotations

from _thread import TIMEOUT_MAX, allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable


class Stop:
    """Asks a run to end: the first request lets the instances under way finish, the second aborts at once.

    Safe to call from a signal handler or another thread. Whoever blocks on the network keeps something in ``wakers``
    that ends the waiting, and whoever is sending instances is in ``busy``; there may be several of both. ``nudges`` are
    called at any request: by those who wait for time to pass, and have nothing to finish.
    """

    def __init__(self) -> None:
        self.requested = False
        self.aborted = False
        self.busy: set[object] = set()
        self.wakers: dict[object, Callable[[], None]] = {}  # by who waits
        self.nudges: dict[object, Callable[[], None]] = {}

    def __repr__(self) -> str:
        return f"<Stop {'aborted' if self.aborted else 'requested' if self.requested else 'not requested'}>"

    def request(self) -> None:
        """Ask once to finish, twice to abort; where nothing is under way, once is enough to abort."""
        self.aborted = self.requested or not self.busy
        self.requested = True
        for nudge in tuple(self.nudges.values()):
            nudge()
        if self.aborted:
            for wake in tuple(self.wakers.values()):
                wake()

    def wait(self, seconds: float) -> None:
        """Let time pass, or less where a request comes."""
        gate = allocate_lock()
        gate.acquire()
        self.nudges[gate] = lambda: _open(gate)
        if not self.requested:
            gate.acquire(timeout=min(seconds, TIMEOUT_MAX))
        del self.nudges[gate]


def _open(gate: LockType) -> None:
    try:
        gate.release()
    except RuntimeError:  # another request has done so
        pass
