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

    def wait(self, seconds: float | None, notify: Callable[[Callable[[], None]], None] | None = None) -> bool:
        """Let time pass (``None``: without end), or less where a request comes, or ``notify`` calls what it is given.

        Whether one of these has come.
        """
        gate = allocate_lock()
        gate.acquire()
        self.nudges[gate] = lambda: _open(gate)
        if notify is not None:
            notify(lambda: _open(gate))
        limit = -1 if seconds is None else min(max(seconds, 0), TIMEOUT_MAX)
        came = self.requested or gate.acquire(timeout=limit)
        del self.nudges[gate]
        return came


def _open(gate: LockType) -> None:
    try:
        gate.release()
    except RuntimeError:  # another request has done so
        pass
