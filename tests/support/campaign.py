"""Cases by the thousand, in processes that must neither grow nor hang nor die.

``python -m tests.support.campaign MODULE FOLDER FIRST LAST``: the cases of a module from FIRST up to LAST. The number
of each stands in a file before it begins, so that whoever finds the process dead knows why. A line of JSON is printed
for each case that went wrong, and one at the end with what became of the others. ``survey`` starts these processes.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    class Cases(Protocol):
        """What a module of cases must have."""

        MEMORY: int  # bytes that its process may have at any time

        @staticmethod
        def prepare(folder: Path) -> Callable[[int], Iterable[str]]:
            """Load what is needed, and give the function that does the case of a number.

            It says in a few words, which are counted, what became of the case, and raises where something is wrong.
            """


ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 60  # until a case counts as hanging; they take milliseconds
MOST_DEATHS: Final = 5
FOR_ONE_PROCESS: Final = 10_000  # cases; more are shared by all cores
_NUMBER: Final = "number"
_NO_END: Final[dict[str, Any]] = {"counts": {}, "slowest": (0.0, -1), "peak": 0}
_DIGITS: Final = 12


class Survey(NamedTuple):
    """What became of all cases. ``slowest``: seconds of processor time and the number; ``peak`` in bytes."""

    counts: Counter[str]
    wrong: list[str]
    slowest: tuple[float, int]
    peak: int


def survey(module: str, folder: Path, count: int) -> Survey:
    """All cases from 0 up to ``count``."""
    parts = 1 if count < FOR_ONE_PROCESS else os.cpu_count() or 1
    bounds = [count * part // parts for part in range(parts + 1)]

    def run(part: int) -> list[Survey]:
        own = folder / f"part-{part}"
        own.mkdir()
        return list(_surveys(module, own, bounds[part], bounds[part + 1]))

    with ThreadPoolExecutor(parts) as pool:
        found = [one for part in pool.map(run, range(parts)) for one in part]
    return Survey(
        sum((one.counts for one in found), Counter()),
        [line for one in found for line in one.wrong],
        max(one.slowest for one in found),
        max(one.peak for one in found),
    )


def _surveys(module: str, folder: Path, first: int, last: int) -> Iterator[Survey]:
    """One for each process that is needed: where one dies, the next begins behind the case that it died of."""
    for _ in range(MOST_DEATHS):
        command = (sys.executable, "-m", "tests.support.campaign", module, str(folder), str(first), str(last))
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
        wrong = [f"case {line['number']}: {line['wrong']}" for line in lines if "wrong" in line]
        end = next((line for line in lines if "peak" in line), _NO_END)
        if done.returncode:
            number = int((folder / _NUMBER).read_text())
            wrong.append(f"case {number}: exit {done.returncode}: {done.stderr[-2000:]}")
            first = number + 1
        yield Survey(Counter(end["counts"]), wrong, (end["slowest"][0], end["slowest"][1]), end["peak"])
        if not done.returncode or first >= last:
            return


def run(work: Callable[[int], Iterable[str]], folder: Path, first: int, last: int) -> dict[str, object]:
    """All cases, with a line for each that went wrong; what became of the others."""
    counts: Counter[str] = Counter()
    swallowed: list[str] = []
    sys.unraisablehook = lambda error: swallowed.append(f"{error.exc_value!r} came to nothing in {error.object!r}")
    slowest = (0.0, -1)
    armed = 0.0
    with (folder / _NUMBER).open("wb", buffering=0) as note:
        for number in range(first, last):
            os.pwrite(note.fileno(), b"%*d" % (_DIGITS, number), 0)
            began = time.process_time()
            if time.monotonic() - armed > 1:
                faulthandler.dump_traceback_later(SECONDS, exit=True)
                armed = time.monotonic()
            try:
                words = work(number)
                assert not swallowed, swallowed.pop()
                counts.update(words)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong here
                print(json.dumps({"number": number, "wrong": _told(error)}), flush=True)
            slowest = max(slowest, (time.process_time() - began, number))
    faulthandler.cancel_dump_traceback_later()
    return {"counts": counts, "slowest": slowest, "peak": _peak()}


def _peak() -> int:
    """The most memory that this process has had, in bytes. What Linux says of resources counts its parent's as well."""
    with contextlib.suppress(FileNotFoundError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _told(error: Exception) -> str:
    """An error and where it comes from."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}: {error}"


def _bound_memory(most: int) -> None:
    """Forbid the address space to grow by more than the memory that is left."""
    with contextlib.suppress(FileNotFoundError):  # elsewhere than in Linux
        pages, resident = map(int, Path("/proc/self/statm").read_text().split()[:2])
        limit = most + (pages - resident) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(arguments: list[str]) -> None:
    module, folder, first, last = arguments[0], Path(arguments[1]), int(arguments[2]), int(arguments[3])
    faulthandler.enable()
    (folder / _NUMBER).write_text(str(first))
    cases: Cases = importlib.import_module(module)  # type: ignore[assignment]
    work = cases.prepare(folder)
    _bound_memory(cases.MEMORY)
    print(json.dumps(run(work, folder, first, last)))


if __name__ == "__main__":
    main(sys.argv[1:])
