"""Payloads opened before their turn, where that takes long: decoding in threads, a bounded number of instances ahead.

Owns the look-ahead and nothing else: the order stays, what need not be decoded is opened when its turn comes, and what
went wrong is raised when its turn comes. No thread exists until something has to be decoded (decoders release the
interpreter's lock, so a second core is used).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from dcmsend.model import Instance
from dcmsend.uids import TRANSFER_SYNTAXES

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from dcmsend.payload.payload import Payload
    from dcmsend.plan import Routes

Entry: TypeAlias = tuple[int, Instance]
_MOST_THREADS: Final = 4


class Opener(Protocol):
    """Opens the data set of an instance in a transfer syntax. Raises FileError."""

    def open(self, instance: Instance, target: str) -> Payload: ...


class Opening(NamedTuple):
    """An instance whose turn has come. ``payload`` opens it, or is ``None`` where there is no way to send it."""

    number: int
    instance: Instance
    payload: Callable[[], Payload] | None


class Ahead:
    """Opens entries in their order. Close it: payloads that nobody asked for are closed, and its threads end."""

    def __init__(self, opener: Opener) -> None:
        self._open = opener.open
        self._threads = min(_MOST_THREADS, os.cpu_count() or 1)
        self._pool: ThreadPoolExecutor | None = None
        self._futures: deque[Future[Payload]] = deque()

    def open(self, entries: Iterable[Entry], routes: Routes) -> Iterator[Opening]:
        """One opening for each entry. At most as many instances as there are threads are decoded before their turn."""
        waiting: deque[Opening] = deque()
        for entry in entries:
            waiting.append(self._opening(entry, routes))
            if not self._futures or len(self._futures) > self._threads or len(waiting) > _LONGEST_LOOK:
                yield waiting.popleft()
        yield from waiting

    def close(self) -> None:
        """Let go of what was opened ahead; closing twice does no harm."""
        for future in self._futures:
            future.cancel()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        while self._futures:
            future = self._futures.popleft()
            if not future.cancelled() and future.exception() is None:
                future.result().close()

    def _opening(self, entry: Entry, routes: Routes) -> Opening:
        number, instance = entry
        route = routes.find(instance.sop_class, instance.transfer_syntax)
        if route is None:
            return Opening(number, instance, None)
        known = TRANSFER_SYNTAXES.get(instance.transfer_syntax)
        if known is None or not known.encapsulated or route.transfer_syntax == instance.transfer_syntax:
            return Opening(number, instance, partial(self._open, instance, route.transfer_syntax))
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self._threads)
        self._futures.append(self._pool.submit(self._open, instance, route.transfer_syntax))
        return Opening(number, instance, self._first)

    def _first(self) -> Payload:
        """The payload of the decoding that was begun first. Raises FileError."""
        return self._futures.popleft().result()


_LONGEST_LOOK: Final = 64  # entries, most of which need not be decoded
