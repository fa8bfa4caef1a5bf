"""When and where it is shown how far a run is, and that it mixes with nothing else.

On a terminal a bar of a line or more, below the log: it is drawn some times a second, by a thread of its own, because a
long instance gives no events for minutes. Elsewhere a line in the log now and then. All that is written meanwhile goes
through one lock. ``rich`` and ``threading`` are not imported before there is a bar.
"""

from __future__ import annotations

import os
from _thread import RLock, allocate_lock, start_new_thread
from time import monotonic

from dcmsend.cli.log import Level
from dcmsend.meter import Meter
from dcmsend.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, Protocol, Self, TextIO

    from dcmsend.api import Report
    from dcmsend.cli.grammar import Arguments
    from dcmsend.cli.log import Log, Stream
    from dcmsend.cli.progress_bar import Painter
    from dcmsend.events import Event
    from dcmsend.progress import Standing

    class Face(Protocol):
        """How it is shown: again and again, and at the end."""

        def show(self, standing: Standing) -> None: ...
        def end(self, standing: Standing) -> None: ...


_DELAY: Final = 1.0  # seconds that a run may take before anybody wants to know how far it is
_BAR_PERIOD: Final = 0.25
_LINE_PERIOD: Final = 10.0
_SIZE: Final = os.terminal_size((80, 24))  # of a terminal that does not tell

# The cursor is hidden while a frame is drawn and never longer, so that nobody has to show it again. It stays at the
# beginning of the frame: whatever a terminal makes of long lines when its width changes, all of the frame is below it.
_BEGIN: Final = "\x1b[?25l\x1b[?7l\r"  # without wrapping: a line that is longer than we know shall stay one
_LINE_END: Final = "\x1b[K"
_REST: Final = "\x1b[J"
_END: Final = "\r\x1b[?7h\x1b[?25h"
_ERASE: Final = f"\r{_REST}"


def showing(send: Callable[..., Report], arguments: Arguments, log: Log, stream: TextIO) -> Callable[..., Report]:
    """``send`` that shows meanwhile how far it is."""
    terminal = Terminal(stream)
    face: Face
    if _draws(stream) and not arguments.log.special:
        face = Bar(terminal, verbose=log.level >= Level.INFO)
        delay, period = 0.0 if arguments.progress else _DELAY, _BAR_PERIOD
    elif arguments.progress:
        face, delay, period = Lines(log), _LINE_PERIOD, _LINE_PERIOD
    else:
        return send

    def shown(*parameters: Any, listener: Callable[[Event], None], **settings: Any) -> Report:
        with Display(face, terminal, log, delay=delay, period=period) as display:
            return send(*parameters, listener=display.listening(listener), meter=display.meter, **settings)

    return shown


def _draws(stream: TextIO) -> bool:
    """Whether it is a terminal that can draw over what it has drawn."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


class Terminal:
    """A stream with a frame below all that is written to it. The log writes here, in whole lines.

    Safe to be used from several threads. A signal handler that comes in the middle of a write gets a ``RuntimeError``,
    as from streams of the standard library.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._lock = RLock()
        self._writing = False
        self._frame = ""  # what is on the terminal now, and can be drawn again
        self._closed = False

    @property
    def size(self) -> os.terminal_size:
        """Columns and rows, as they are at this moment."""
        try:
            size = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError):
            return _SIZE
        return size if size.columns and size.lines else _SIZE

    @property
    def foreground(self) -> bool:
        """Whether it is ours at the moment: a job in the background has no business on it."""
        try:
            return os.tcgetpgrp(self.stream.fileno()) == os.getpgrp()
        except (AttributeError, OSError, ValueError):  # it is not known, or not the terminal that controls us
            return True

    def write(self, text: str) -> int:
        """Put lines above the frame."""
        with self._lock:
            self._put(f"{_ERASE}{text}{self._frame}" if self._frame else text)
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def draw(self, lines: list[str]) -> None:
        """Show a frame in place of the one before; none at all to take it away."""
        back = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
        frame = "".join((_BEGIN, f"{_LINE_END}\r\n".join(lines), _LINE_END, _REST, back, _END)) if lines else ""
        with self._lock:
            if frame != self._frame and not self._closed:
                before, self._frame = self._frame, frame
                self._put(frame or (_ERASE if before else ""))

    def leave(self) -> None:
        """Draw no more over what is there: another program has written."""
        with self._lock:
            self._frame = ""

    def close(self, text: str = "") -> None:
        """Take the frame away for good, and leave these lines in its place."""
        with self._lock:
            before, self._frame, self._closed = self._frame, "", True
            if before or text:
                self._put(f"{_ERASE if before else ''}{text}")

    def part(self) -> None:
        """Take the frame away, unless somebody is writing: the process ends, and nobody is waited for.

        Raises RuntimeError where it cannot be done.
        """
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("another thread is writing")
        try:
            self.close()
        finally:
            self._lock.release()

    def _put(self, text: str) -> None:
        with self._lock:
            if self._writing:
                raise RuntimeError("a write in the middle of another one")
            self._writing = True
            try:
                self.stream.write(text)
                self.stream.flush()
            finally:
                self._writing = False


class Bar:
    """A bar on a terminal; ``verbose``: with a line for each association."""

    def __init__(self, terminal: Terminal, *, verbose: bool) -> None:
        self._terminal = terminal
        self._verbose = verbose
        self._painter: Painter | None = None

    def show(self, standing: Standing) -> None:
        if self._painter is None:
            from dcmsend.cli.progress_bar import Painter

            self._painter = Painter(self._terminal.stream, verbose=self._verbose)
        if not self._painter.able:
            return
        if not self._terminal.foreground:
            self._terminal.leave()
            return
        size = self._terminal.size
        self._terminal.draw(self._painter.paint(standing, size.columns, size.lines))

    def end(self, standing: Standing) -> None:
        from dcmsend.cli.progress_lines import result

        self._terminal.close(f"{result(standing)}\n" if self._painter is not None and self._painter.able else "")


class Lines:
    """A line in the log now and then, and one at the end, whatever the log shows otherwise."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def show(self, standing: Standing) -> None:
        from dcmsend.cli.progress_lines import sentence

        self._log.always(Level.INFO, f"progress: {sentence(standing)}")

    def end(self, standing: Standing) -> None:
        from dcmsend.cli.progress_lines import result

        self._log.always(Level.INFO, f"progress: {result(standing)}")


class Display:
    """Shows how far a run is while it is entered: after ``delay`` seconds (0: at once), and then every ``period``."""

    def __init__(
        self,
        face: Face,
        terminal: Terminal,
        log: Log,
        *,
        delay: float,
        period: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.meter = Meter()
        self._progress = Progress(self.meter, clock)
        self._face = face
        self._terminal = terminal
        self._log = log
        self._delay = delay
        self._period = period
        self._over = allocate_lock()
        self._gone = allocate_lock()
        self._defect: Exception | None = None
        self._before: Stream | None = None

    def __enter__(self) -> Self:
        self._before = self._log.through(self._terminal)
        if not self._delay:
            self._show()
        self._over.acquire()
        self._gone.acquire()
        try:
            start_new_thread(self._run, ())
        except RuntimeError as error:  # the system has no thread left for this
            self._defect = error
            self._gone.release()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._over.release()
            self._gone.acquire()
        finally:
            try:
                self._face.end(self._progress.standing())
            except (OSError, ValueError):  # the terminal has gone
                pass
            finally:
                self._terminal.close()
                self._log.through(self._before)
        if self._defect is not None:
            self._log.warn(f"the display of progress broke: {type(self._defect).__name__}: {self._defect}")

    def listening(self, listener: Callable[[Event], None]) -> Callable[[Event], None]:
        """A listener that counts, and hands on."""
        progress = self._progress

        def listen(event: Event) -> None:
            progress(event)
            listener(event)

        return listen

    def _run(self) -> None:
        """What the thread does."""
        delay = self._delay or self._period
        while not self._over.acquire(timeout=delay) and self._show():
            delay = self._period
        self._gone.release()

    def _show(self) -> bool:
        """Show how far it is; whether to go on. Whatever goes wrong here must not end the run."""
        try:
            self._face.show(self._progress.standing())
        except (OSError, ValueError):  # the terminal has gone
            return False
        except Exception as error:  # noqa: BLE001 - told at the end
            self._defect = error
            return False
        return True
