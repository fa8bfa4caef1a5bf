"""Payloads opened before their turn, where that takes long: decoding in threads, a bounded number of instances ahead.

Owns the look-ahead and nothing else: the order stays, what need not be decoded is opened when its turn comes, and what
went wrong is raised when its turn comes. No thread exists until something has to be decoded (decoders release the
interpreter's lock, so a second core is used).
"""

from __future__ import annotations

import os

from dcmsend.light import NamedTuple
from dcmsend.uids import TRANSFER_SYNTAXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable
    from concurrent.futures import Future, ThreadPoolExecutor
    from typing import Final, Protocol, TypeAlias

    from dcmsend.model import Instance
    from dcmsend.payload.opening import Ways
    from dcmsend.payload.payload import Payload
    from dcmsend.plan import Routes

    Entry: TypeAlias = tuple[int, Instance]

    class Opener(Protocol):
        """Opens the data set of an instance in a transfer syntax; asks ``ways`` where it is another by now. Raises
        FileError.
        """

        def open(self, instance: Instance, target: str, ways: Ways | None = None) -> Payload: ...
else:
    from _collections import deque  # the package around it takes longer to import than all of this

_MOST_THREADS: Final = 4
_LONGEST_LOOK: Final = 64  # entries, most of which need not be decoded


class Opening(NamedTuple):
    """An instance whose turn has come. ``payload`` opens it, or is ``None`` where there is no way to send it."""

    number: int
    instance: Instance
    payload: Callable[[], Payload] | None


class Ahead:
    """Opens what ``take`` gives, in that order. Close it: what nobody asked for is closed, threads end."""

    def __init__(self, opener: Opener, take: Callable[[], Entry | None], routes: Routes) -> None:
        self._open = opener.open
        self._take = take
        self._routes = routes
        self._threads = min(_MOST_THREADS, os.cpu_count() or 1)
        self._pool: ThreadPoolExecutor | None = None
        self._futures: deque[Future[Payload]] = deque()
        self._waiting: deque[Opening] = deque()

    def next(self) -> Opening | None:
        """The next one, or ``None`` where nothing is at hand.

        At most as many instances as there are threads are decoded before their turn.
        """
        while not self._enough():
            entry = self._take()
            if entry is None:
                break
            self._waiting.append(self._opening(entry))
        return self._waiting.popleft() if self._waiting else None

    def close(self) -> list[Entry]:
        """Let go of what was opened ahead, and give back the entries that nobody has seen, the last one first."""
        for future in self._futures:
            future.cancel()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        while self._futures:
            future = self._futures.popleft()
            if not future.cancelled() and future.exception() is None:
                future.result().close()
        unseen = [(opening.number, opening.instance) for opening in reversed(self._waiting)]
        self._waiting.clear()
        return unseen

    def _enough(self) -> bool:
        """Whether one is waiting, and with threads at work enough of them to keep these busy."""
        if not self._futures:
            return bool(self._waiting)
        return len(self._futures) > self._threads or len(self._waiting) > _LONGEST_LOOK

    def _opening(self, entry: Entry) -> Opening:
        number, instance = entry
        route = self._routes.find(instance.sop_class, instance.transfer_syntax)
        if route is None:
            return Opening(number, instance, None)
        known = TRANSFER_SYNTAXES.get(instance.transfer_syntax)
        if known is None or not known.encapsulated or route.transfer_syntax == instance.transfer_syntax:
            return Opening(number, instance, lambda: self._open(instance, route.transfer_syntax, self._routes.find))
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self._threads)
        self._futures.append(self._pool.submit(self._open, instance, route.transfer_syntax, self._routes.find))
        return Opening(number, instance, self._first)

    def _first(self) -> Payload:
        """The payload of the decoding that was begun first. Raises FileError."""
        return self._futures.popleft().result()
