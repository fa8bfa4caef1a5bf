"""Where workers take their instances from: the journal's list, in order, as it grows.

Owns which instance is given to whom, each to one worker at a time. What becomes of it is an event, and nobody's
business here; one that a worker could not try is given back.
"""

from __future__ import annotations

from dcmsend.transfer.intake import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Collection
    from threading import Condition

    from dcmsend.transfer.intake import Intake
    from dcmsend.transfer.journal import Entry, Journal
else:
    from _collections import deque  # the package around it takes longer to import than all of this


class Feed:
    """The pending instances of the contexts ``members``, for a worker that runs in the thread of the journal.

    The input is looked at whenever the worker has nothing better to do. ``others_wait`` says whether instances of
    other contexts are pending: then an association that has nothing to do ends, so that they get one.
    """

    def __init__(
        self, journal: Journal, intake: Intake, members: Collection[int], others_wait: Callable[[], bool]
    ) -> None:
        self._journal = journal
        self._intake = intake
        self._members = frozenset(members)
        self._others_wait = others_wait
        self._entries: deque[Entry] = deque()
        self._after = 0
        self._dropped = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._entries)} instances at hand, taken up to number {self._after}>"

    def __len__(self) -> int:
        return len(self._entries)

    def take(self) -> Entry | None:
        """The next instance, or ``None`` where none is at hand."""
        return self._entries.popleft() if self._entries or self.fill(1) else None

    def give_back(self, entry: Entry) -> None:
        """Return an instance that was not tried: it is the next one to be taken, unless nothing more is given out."""
        if not self._dropped:
            self._entries.appendleft(entry)

    def work(self) -> bool:
        """Do a bit of what can be done while a peer works; whether there was any."""
        return self._intake.advance()

    def wait(self) -> bool:
        """Whether there is an instance: looked for in the input as long as there is any, unless others wait.

        Where the input is a long time coming there is none: the association shall not wait idly.
        """
        while not self.fill(1):
            if self.finished:
                return False
            if not self._intake.advance() and not self._intake.wait(PATIENCE):
                self._intake.quiet = self._intake.paused
                return False
        return True

    def spare(self) -> bool:
        """Let one go who takes from here, if others stay; whether they do."""
        return False

    def fill(self, least: int) -> bool:
        """Have at least so many instances at hand, as far as they are known; whether there are any."""
        if self._intake.error is not None:
            self.drop()
        while len(self._entries) < least and self._after < len(self._journal):
            found, self._after = self._journal.take(self._members, self._after)
            self._entries.extend(found)
        return bool(self._entries)

    def drop(self) -> None:
        """Give out nothing more of what is known."""
        self._dropped = True
        self._entries.clear()
        self._after = len(self._journal)

    @property
    def finished(self) -> bool:
        """Whether no instance will come beside those at hand."""
        intake = self._intake
        return self._after >= len(self._journal) and (intake.ended or intake.quiet or self._others_wait())


class SharedFeed(Feed):
    """The same for workers in threads of their own: the thread of the journal fills, and they only take."""

    def __init__(
        self, journal: Journal, intake: Intake, members: Collection[int], others_wait: Callable[[], bool]
    ) -> None:
        super().__init__(journal, intake, members, others_wait)
        from threading import Condition

        self._changed: Condition = Condition()
        self._over = False
        self.takers = 0  # who take from here, and have not been let go

    def spare(self) -> bool:
        with self._changed:
            if self.takers <= 1:
                return False
            self.takers -= 1
            return True

    def come(self) -> None:
        """One more takes from here."""
        with self._changed:
            self.takers += 1

    def leave(self) -> None:
        """One of them has left without having been let go."""
        with self._changed:
            self.takers -= 1

    def take(self) -> Entry | None:
        try:
            return self._entries.popleft()
        except IndexError:
            return None

    def work(self) -> bool:
        return False

    def wait(self) -> bool:
        with self._changed:
            while not self._entries and not self._over:
                self._changed.wait()
        return bool(self._entries)

    def supply(self) -> None:
        """Fill up, and wake those who wait; they may go where nothing will come."""
        if len(self._entries) < _LOW:
            self.fill(_HIGH)
        if self._entries or self.finished:
            with self._changed:
                self._over = self.finished
                self._changed.notify_all()

    def end(self) -> None:
        """Let everybody go: nothing more is given out."""
        self.drop()
        with self._changed:
            self._over = True
            self._changed.notify_all()


_LOW = 512  # instances at hand, of which up to 64 workers may take a few each before the journal is asked again
_HIGH = 1024
