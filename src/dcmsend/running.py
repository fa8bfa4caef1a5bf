"""A run as an iterator over its events, in the thread of its caller: who takes no more events gets no more sent.

Owns when a run goes on and how it is called off. What is done in each step is decided elsewhere.
"""

from __future__ import annotations

from dcmsend.api import Report, prepared
from dcmsend.stop import Stop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Generator, Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from dcmsend.events import Event
    from dcmsend.meter import Meter
    from dcmsend.model import (
        Conversion,
        JournalFile,
        Limits,
        Peer,
        Policy,
        Retries,
        ScanOptions,
        Timeouts,
    )
    from dcmsend.source import Source
else:
    from _collections import deque


def sending(
    peer: Peer,
    sources: Iterable[Source],
    *,
    scan: ScanOptions | None = None,
    policy: Policy | None = None,
    conversion: Conversion | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    retries: Retries | None = None,
    journal: JournalFile | None = None,
    meter: Meter | None = None,
    stop: Stop | None = None,
) -> Run:
    """Like ``send``, with the events to be asked for: ``with sending(...) as run: for event in run: ...``.

    Takes and raises the same; what comes up later is raised where an event is asked for. Nothing is done before the
    first event is asked for.
    """
    told: deque[Event] = deque()
    stop = stop or Stop()
    transfer = prepared(
        peer,
        scan=scan,
        policy=policy,
        conversion=conversion,
        timeouts=timeouts,
        limits=limits,
        retries=retries,
        journal=journal,
        listener=told.append,
        meter=meter,
        stop=stop,
    )

    def go() -> Generator[None, None, Report]:
        yield from transfer.steps(sources)
        assert transfer.report is not None  # noqa: S101 - the last step makes it
        return transfer.report

    return Run(go(), told, stop)


class Run:
    """A run under way: an iterator over its events, in order. Use it as a context manager.

    It goes on when an event is asked for, in the thread that asks. At the end of the ``with`` statement the run is
    over: where events are left, no further instance is begun, and the answers to those under way are waited for; where
    the statement is left by an exception, they are not, and the associations are aborted. No thread is left behind.
    """

    def __init__(self, steps: Generator[None, None, Report], told: deque[Event], stop: Stop) -> None:
        self._steps = steps
        self._told = told
        self._stop = stop
        self._report: Report | None = None

    def __repr__(self) -> str:
        return f"<Run {self._report or 'under way'}>"

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        while not self._told:
            if self._report is not None:
                raise StopIteration
            try:
                next(self._steps)
            except StopIteration as end:
                if end.value is None:  # it broke before
                    raise
                self._report = end.value
        return self._told.popleft()

    @property
    def report(self) -> Report:
        """What has become of the run. Asked for early, it runs to its end, and the events that are left are lost.

        Its rows are there until the ``with`` statement ends.
        """
        for _ in self:
            pass
        if self._report is None:
            raise RuntimeError("the run was broken off by an exception, and there is no report")
        return self._report

    def stop(self) -> None:
        """Ask the run to end, as ``Stop.request`` does: once to finish what is under way, twice to abort."""
        self._stop.request()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._report is None and error is None:
                self._stop.request()
                for _ in self:
                    pass
        finally:
            while self._report is None and not self._stop.aborted:
                self._stop.request()
            self._steps.close()
            if self._report is not None:
                self._report.close()
