"""Several associations at once: a thread for each, one list that they take from, one stream of events.

Owns the threads and how many there are. One association that is slow, rejected or broken holds up no other; a place
whose association could not be made, or broke before anything was tried, is not filled again when there are no retries
left. The caller's thread fills the list and hands on the events.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread, current_thread

# Loaded before there are many sockets: where no file can be opened any more, nothing can be loaded to say so.
import dcmsend.net.words
import dcmsend.reasons.table  # noqa: F401
from dcmsend.errors import DcmsendError, NetworkError, RunStopped, gave_out
from dcmsend.events import AssociationAccepted
from dcmsend.light import NamedTuple
from dcmsend.reasons import because
from dcmsend.transfer.intake import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import TypeAlias

    from dcmsend.events import Event
    from dcmsend.stop import Stop
    from dcmsend.transfer.feed import SharedFeed
    from dcmsend.transfer.intake import Intake
    from dcmsend.transfer.worker import Ending

    Orders: TypeAlias = SimpleQueue[Generator[Event, None, Ending] | None]
    Start: TypeAlias = Callable[[], Generator[Event, None, Ending]]

_GLANCE = 16  # files that are looked at between two looks at the events


class _Ended(NamedTuple):
    """An association is over: how it ended, or the defect that broke its thread."""

    thread: Thread
    ending: Ending | BaseException


class Crew:
    """Empties a feed with up to ``most`` associations at once.

    ``start`` makes one, and ``verdict`` says of its end which error that is to the run, if any. ``delay``: seconds to
    wait before another one, of which ``patience`` tells. ``error`` says afterwards what ended the work early: of
    network errors the last one, when no place is left.
    """

    def __init__(
        self,
        most: int,
        feed: SharedFeed,
        intake: Intake,
        start: Start,
        verdict: Callable[[Ending], DcmsendError | None],
        delay: Callable[[], float],
        patience: Callable[[], Iterable[Event]] = tuple,
    ) -> None:
        self.error: DcmsendError | None = None
        self._places = most
        self._feed = feed
        self._intake = intake
        self._start = start
        self._verdict = verdict
        self._delay = delay
        self._patience = patience
        self._events: SimpleQueue[Event | _Ended | None] = SimpleQueue()
        self._threads: dict[Thread, Orders] = {}
        self._connecting = 0

    def run(self, stop: Stop) -> Iterator[Event]:
        """The events of all associations, each in its order. A consumer that goes away aborts them."""
        stop.nudges[self] = lambda: self._events.put(None)
        try:
            while True:
                self._supply(stop)
                delay = self._delay() if self._places and len(self._feed) > self._connecting else 0
                if delay > 0:
                    yield from self._patience()
                if delay <= 0:
                    self._fill_places()
                if not self._threads and delay <= 0:
                    return
                yield from self._listen(delay)
        finally:
            try:
                self._dismiss(stop)
            finally:  # for a second Ctrl-C in a notebook may come in the middle of this
                self._dismiss(stop)
                stop.nudges.pop(self, None)

    def _supply(self, stop: Stop) -> None:
        if self.error is not None or self._intake.error is not None or stop.requested:
            self._feed.end()
        else:
            self._feed.supply()

    def _fill_places(self) -> None:
        """Begin associations, though no more than there are instances that nobody has taken."""
        while len(self._threads) < self._places and len(self._feed) > self._connecting:
            orders: Orders = SimpleQueue()
            thread = Thread(target=lambda orders=orders: self._work(orders.get()), daemon=True)
            self._threads[thread] = orders  # first: an interrupt may come behind any line, and nobody shall be left
            try:
                thread.start()
            except RuntimeError:  # the system has no room for another one: those that there are do the work
                del self._threads[thread]
                self._places = len(self._threads)
                if not self._places:
                    self.error = self.error or RunStopped(because("no_thread"))
                return
            orders.put(self._start())
            self._feed.come()
            self._connecting += 1

    def _work(self, events: Generator[Event, None, Ending] | None) -> None:
        """What a thread does: hand on the events of one association, if there is one, and how it ended."""
        ending: Ending | BaseException
        if events is None:
            return
        try:
            ending = self._hand_on(events)
        except BaseException as defect:  # noqa: BLE001 - raised again in the thread that waits for it
            ending = defect
        self._events.put(_Ended(current_thread(), ending))

    def _hand_on(self, events: Generator[Event, None, Ending]) -> Ending:
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                ending: Ending = end.value
                return ending
            self._events.put(event)

    def _listen(self, delay: float) -> Iterator[Event]:
        """What has come, within ``delay`` seconds if there is one.

        While there is input to be looked at, a bit of that is done instead of waiting.
        """
        looked = 0
        while looked < _GLANCE and self._intake.advance():
            looked += 1
        paused = not looked and self._intake.paused
        if paused:
            self._intake.when_ready(lambda: self._events.put(None))
        limit = delay if delay > 0 else PATIENCE if paused else None
        waited = not looked
        try:
            event = self._events.get(block=not looked, timeout=limit)
            waited = False
            while True:
                if isinstance(event, _Ended):
                    self._part(event)
                elif event is not None:
                    self._connecting -= isinstance(event, AssociationAccepted)
                    yield event
                event = self._events.get(block=False)
        except Empty:
            self._intake.quiet = paused and waited and delay <= 0

    def _part(self, ended: _Ended) -> None:
        """Take leave of a thread. Raises what broke it, if that was no error of the network."""
        self._threads.pop(ended.thread, None)
        ending = ended.ending
        if isinstance(ending, BaseException):
            broken = gave_out(ending) if isinstance(ending, OSError | MemoryError) else None
            if broken is None:
                raise ending
            self.error = self.error or broken  # the others finish what is under way
            return
        self._connecting -= not ending.established
        if not ending.spared:
            self._feed.leave()
        error = self._verdict(ending)
        if isinstance(error, NetworkError):
            self._places -= 1
            error = None if self._places else error
        self.error = self.error or error

    def _dismiss(self, stop: Stop) -> None:
        """Wait for the threads that are left, after aborting their associations: nobody listens to them any more."""
        self._feed.end()
        while self._threads and not stop.aborted:
            stop.request()
        for thread, orders in self._threads.items():
            orders.put(None)  # for one that still waits for its association
            try:
                thread.join()
            except RuntimeError:  # it was never started
                pass
