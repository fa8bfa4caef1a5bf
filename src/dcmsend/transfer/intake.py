"""What a run is given, and its way into the journal, a bit at a time, while instances are being sent.

Owns what the input as a whole amounts to: when it has ended, how many files were refused, whether it ends the run.
Where files come from and what makes one acceptable is decided in ``files``. Belongs to the thread of the journal.
"""

from __future__ import annotations

from dcmsend.errors import (
    InputError,
    Interrupted,
    InvalidInputError,
    ListError,
    NoInputError,
    NoValidInputError,
    from_caller,
)
from dcmsend.events import InstanceKnown, ScanFinished
from dcmsend.files.scan import Scanner, scan
from dcmsend.model import Instance, Later, Notice, Refusal
from dcmsend.reasons import because
from dcmsend.transfer.left_out import LeftOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Final, Protocol

    from dcmsend.events import Event
    from dcmsend.files.archives import Archives
    from dcmsend.files.given import Given
    from dcmsend.files.opening import OpenFile
    from dcmsend.files.scan import Found
    from dcmsend.model import Outcome, ScanOptions
    from dcmsend.stop import Stop

    class Opener(Protocol):
        """Who opens what is found, by its path."""

        open_file: Callable[[str], OpenFile]

    class Looker(Protocol):
        """Who tells a file from what it was before, by two numbers."""

        look: Callable[[str], tuple[int, int]]

    class Taker(Protocol):
        """Where instances go: the journal, or who only counts them."""

        def __len__(self) -> int: ...
        def add(self, instance: Instance) -> int: ...
        def record(self, outcome: Outcome, instance: Instance) -> None: ...

    class Memory(Protocol):
        """What earlier runs have stored: the journal file, written or only read."""

        def meet(self, instance: Instance, number: int) -> Outcome | None: ...
        def leave_out(self, refusal: Refusal) -> None: ...
        def give_up(self) -> int: ...
        def left_over(self) -> int: ...


PATIENCE: Final = 5.0  # seconds for which an association with nothing to do waits for more input


class Intake:
    """Takes what is found into the journal, and tells what is not taken on.

    ``ended``: nothing more will come. ``error``: why it ended early, if it did; then nothing more shall be sent.
    ``broken``: why nobody knows what else there is; what is known shall be sent, unless the run halts on such things.
    ``left_out`` has what is not taken on; with ``halt``, the first of it ends the input. ``left_over``: how many
    instances of earlier runs the journal file has that are neither stored nor met, once the input has ended. What the
    ``ledger`` says is stored gets its outcome at once. ``quiet``: nothing has come for a while; it is set by those who
    waited.
    """

    def __init__(
        self,
        found: Iterable[Found],
        journal: Taker,
        tell: Callable[[Event], None],
        stop: Stop,
        *,
        halt: bool,
        ledger: Memory | None = None,
    ) -> None:
        self.ended = False
        self.error: InputError | Interrupted | None = None
        self.broken: ListError | None = None
        self.quiet = False
        self.left_out = LeftOut()
        self.left_over = 0
        self._later: Later | None = None
        self._found = iter(found)
        self._journal = journal
        self._tell = tell
        self._stop = stop
        self._halt = halt
        self._ledger = ledger
        self._looked_at = False  # at any file, though nothing may have come of it

    def advance(self) -> bool:
        """Look at the next file or the like; whether there was one. There is none while the input is ``paused``."""
        if self.ended:
            return False
        try:
            found = next(self._found, None)
        except Interrupted as error:  # of its own accord: it looks at the same request to stop
            self._break_off(error)
            return False
        if self._later is not None and not isinstance(found, Later):
            self._later, self.quiet = None, False
        if found is None:
            self._end()
        elif isinstance(found, Instance):
            number = self._journal.add(found)
            if self._ledger is not None:
                self._look_up(found, number, self._ledger)
        elif isinstance(found, Later):
            self._later = found
        elif isinstance(found, ListError):
            self._break(found)
            return False
        else:
            self._pass_over(found)
        if self._stop.requested and not self.ended:
            self._break_off(Interrupted(because("stopped")))
        return not self.ended and self._later is None

    @property
    def paused(self) -> bool:
        """Whether there was nothing to be looked at, and there may be something later."""
        return self._later is not None and not self.ended

    def wait(self, seconds: float | None = None) -> bool:
        """While it is paused, wait for more, or for a request to stop; whether it is worth another look."""
        later = self._later
        if later is None or later.notify is None or self.ended:
            return False
        return self._stop.wait(seconds, later.notify)

    def when_ready(self, call: Callable[[], None]) -> None:
        """While it is paused, have somebody called when it may go on. That may be in another thread."""
        if self._later is not None and self._later.notify is not None:
            self._later.notify(call)

    def _look_up(self, instance: Instance, number: int, ledger: Memory) -> None:
        outcome = ledger.meet(instance, number)
        if outcome is not None:
            self._journal.record(outcome, instance)
            self._tell(InstanceKnown(instance, outcome))

    def _pass_over(self, found: Refusal | Notice) -> None:
        self._tell(found)
        if isinstance(found, Notice):
            self._looked_at |= found.empty
            return
        self.left_out.add(found)
        if self._ledger is not None and found.left_out:
            self._ledger.leave_out(found)
        if found.tolerated:
            return
        self._looked_at = True
        if self._halt:
            self._break_off(InvalidInputError(found.path, found.reason))

    def _end(self) -> None:
        self.ended = True
        given_up = self._ledger.give_up() if self._ledger else 0
        left_over = self.left_over = self._ledger.left_over() if self._ledger else 0
        left_out, no_dicom = self.left_out.left_out, self.left_out.no_dicom
        self._tell(ScanFinished(len(self._journal), left_out, no_dicom, left_over))
        if given_up:
            self._tell(Notice(f"{given_up} SOP instances of earlier runs in the journal are given up"))
        if left_over:
            self._tell(
                Notice(f"{left_over} SOP instances of earlier runs in the journal are not stored, and not among these")
            )
        if not self._journal:
            if self._looked_at:
                self.error = NoValidInputError(because("no_valid_input"))
            else:
                self.error = NoInputError(because("no_input"))

    def _break(self, error: ListError) -> None:
        if self._halt:
            self._break_off(error)
        self.ended = True
        self.broken = error

    def _break_off(self, error: InputError | Interrupted) -> None:
        self.ended = True
        self.error = error


class Input:
    """What a run is given, from its first look at it to the outcome of the last. Loads what the unusual takes when it
    turns up.

    ``opener`` will open members of archives and what is no path as well, and the ``memory`` of earlier runs tell them
    from others. ``bounded``: no more than so much of what is no path is kept at once, for it is released meanwhile.
    """

    def __init__(
        self, options: ScanOptions, opener: Opener | None, memory: Looker | None, stop: Stop, *, bounded: bool
    ) -> None:
        self._options = options
        self._opener = opener
        self._memory = memory
        self._bounded = bounded
        self._given: Given | None = None
        self._archives: Archives | None = None
        self._scanner = self._archive_scanner() if options.archives else Scanner(options, self._unusual)
        self._scanner.stop = stop

    def found(self, sources: Iterable[object]) -> Iterator[Found]:
        """What the sources come to. Raises TypeError where they are a single one."""
        if isinstance(sources, str | bytes | bytearray | memoryview):
            raise TypeError(f"sources is of type {type(sources).__name__}: for a single source give a list of one")
        return scan(from_caller(sources), self._options, self._scanner)

    def release(self, path: str) -> None:
        """Let go of what is no path and needed no more."""
        if self._given is not None:
            self._given.release(path)

    def close(self) -> None:
        for kept in (self._given, self._archives):
            if kept is not None:
                kept.close()
        self._scanner.unusual = _nothing  # no method of ours any more, which would be a cycle

    def _archive_scanner(self) -> Scanner:
        from dcmsend.files.archives import Archives, ArchiveScanner

        self._archives = Archives()
        self._extend(self._archives)
        return ArchiveScanner(self._options, self._archives, self._unusual)

    def _unusual(self, source: object, number: int) -> Iterator[Found]:
        """What a source comes to that is no path."""
        if self._given is None:
            from dcmsend.files.given import Given

            self._given = Given(self._scanner, self._options, bounded=self._bounded)
            self._extend(self._given)
        return self._given.take(source, number)

    def _extend(self, by: Archives | Given) -> None:
        if self._opener is not None:
            self._opener.open_file = by.opener(self._opener.open_file)
        if self._memory is not None:
            self._memory.look = by.looker(self._memory.look)


def _nothing(_source: object, _number: int) -> Iterator[Found]:
    """What a source comes to when all is over."""
    return iter(())
