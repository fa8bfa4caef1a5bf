"""The command as a process of its own: what the console script and ``python -m dcmsend`` call.

Owns the process: what a signal does before a run is under way, and how it ends. Small, and the rest is imported behind
the first statement, so that Ctrl-C finds a handler as early as Python allows. Where nothing has to be ended in order,
a signal ends the process at once, without a word, with the exit code that tells which signal it was.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import FrameType
    from typing import Final, NoReturn
else:
    import _signal as signal  # the functions without the enumerations that the module of that name has of them

_OF_A_SIGNAL: Final = 128  # what is added to its number
# New objects before the garbage collector looks for cycles. By default it would do so over a dozen times while modules
# are loaded, and find nothing to free.
_MANY: Final = 20_000
_WORK_AT_THE_END: Final = frozenset(("atexit", "threading"))  # modules that give the interpreter something to end
_REPORTS: Final = "dcmsend.report.file"  # who knows of reports that are half written; not loaded for nothing


def program() -> NoReturn:
    """Run the command as a process of its own, and end that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # started in the background, as by nohup
            signal.signal(number, end_at_once)
    import gc

    gc.set_threshold(_MANY)
    from dcmsend.cli.main import main

    code = main()
    _flush()
    if _may_end_at_once(sys._getframe().f_back):  # noqa: SLF001 - there is no other way to ask who has called
        os._exit(code)
    import atexit

    atexit.register(_let_end)
    sys.exit(code)


def _let_end() -> None:
    """Ignore signals: the threads have ended, and an interpreter that is taken apart would let itself be killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def end_at_once(number: int, _: FrameType | None = None) -> NoReturn:
    """Handle a signal by ending the process, whatever it is doing. Nothing is left but what its death may leave.

    A journal stands that as it stands a kill, and a report that is half written goes.
    """
    discard = getattr(sys.modules.get(_REPORTS), "discard_partial", None)
    if discard is not None:
        discard()
    os._exit(_OF_A_SIGNAL + number)


def _may_end_at_once(caller: FrameType | None) -> bool:
    """Whether the interpreter need not be taken apart, which takes as long as sending a small file.

    So it is where a script has called us and nobody above it waits (a profiler, a debugger), nobody has asked to be
    called at the end, and there are no threads.
    """
    above = caller and caller.f_back
    while above is not None and above.f_globals.get("__name__") == "runpy":  # python -m
        above = above.f_back
    return above is None and not sys.flags.inspect and _WORK_AT_THE_END.isdisjoint(sys.modules)


def _flush() -> None:
    """Write what is left to be written, and drop what cannot be (the disk is full).

    Else the interpreter would try once more, and end with a code of its own.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except ValueError:  # closed: nothing is left
            pass
