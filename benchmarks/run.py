"""Time senders against each other on the same works and the same unmodified storescp; print tables of ratios."""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from instances import WORKS, Work

LIMIT_SECONDS = 600
_MAXRSS_UNIT = 1024**2 if sys.platform == "darwin" else 1024
_NODELAY = {"TCP_NODELAY": "1"}


@dataclass(frozen=True)
class Sender:
    """A program that sends a folder; PORT, FOLDER and OPTIONS in its words are replaced.

    ``converts``: it can send to a receiver that does not accept the transfer syntax of the files.
    """

    name: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    converts: bool = False


@dataclass(frozen=True)
class Receiver:
    """Words of storescp, in which FOLDER and PROFILE are replaced. ``stores``: files show what has arrived."""

    words: tuple[str, ...]
    stores: bool = False
    environment: tuple[tuple[str, str], ...] = ()


# Where conversion is measured, neither the receiver's disk nor Nagle's algorithm shall count.
RECEIVERS = {
    "anything": Receiver(("-pm", "+xa", "-od", "FOLDER"), stores=True),
    "implicit": Receiver(("+xi", "--ignore"), environment=tuple(_NODELAY.items())),
    "explicit": Receiver(("-xf", "PROFILE", "Explicit", "--ignore"), environment=tuple(_NODELAY.items())),
}
_PROFILE = """\
[[TransferSyntaxes]]
[Default]
TransferSyntax1 = 1.2.840.10008.1.2
[Explicit]
TransferSyntax1 = 1.2.840.10008.1.2.1
[[PresentationContexts]]
[Contexts]
PresentationContext1 = 1.2.840.10008.1.1\\Default
PresentationContext2 = 1.2.840.10008.5.1.4.1.1.2\\Explicit
PresentationContext3 = 1.2.840.10008.5.1.4.1.1.2.1\\Explicit
PresentationContext4 = 1.2.840.10008.5.1.4.1.1.7\\Explicit
[[Profiles]]
[Explicit]
PresentationContexts = Contexts
"""


@dataclass(frozen=True)
class Run:
    """What one run took: seconds, seconds of processor time, mebibytes resident at most."""

    wall: float
    processor: float
    memory: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work",
        type=_works,
        default="tiny",
        help=f"comma separated: {', '.join(WORKS)}; a name stands for all that begin with it (default tiny)",
    )
    parser.add_argument("--repeat", type=int, default=3, help="counted runs of each sender (default 3)")
    parser.add_argument("--sender", action="append", help="only this sender (may be given more than once)")
    parser.add_argument("--folder", type=Path, help="keep instances here for the next time (default: temporary)")
    options = parser.parse_args()
    senders = [s for s in find_senders() if not options.sender or s.name in options.sender]
    if shutil.which("storescp") is None or not senders:
        print("storescp of DCMTK and at least one sender are needed", file=sys.stderr)
        return 2
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        for work in options.work:
            instances = Path(options.folder or scratch, work.name)
            if not instances.exists():  # in a process of its own, whose memory does not count here
                maker = str(Path(__file__).with_name("instances.py"))
                subprocess.run([sys.executable, maker, work.name, str(instances)], check=True)
            bench(work, senders, instances, Path(scratch), options.repeat)
    return 0


def _works(names: str) -> list[Work]:
    """The works of a list of names, each once. Raises ``argparse.ArgumentTypeError`` for an unknown one."""
    found: dict[str, Work] = {}
    for wanted in names.split(","):
        works = {name: work for name, work in WORKS.items() if name == wanted or name.startswith(f"{wanted}-")}
        if not works:
            message = f"no such work: {wanted}"
            raise argparse.ArgumentTypeError(message)
        found |= works
    return list(found.values())


def bench(work: Work, senders: list[Sender], instances: Path, scratch: Path, repeat: int) -> None:
    """All senders that can do the work, in turn, and the table."""
    able = [sender for sender in senders if sender.converts or work.receiver == "anything"]
    results: dict[str, list[Run]] = {sender.name: [] for sender in able}
    for _ in range(repeat):
        for sender in able:
            results[sender.name].append(measure(sender, work, instances, scratch))
    if able:
        print_table(work, results, repeat)


def find_senders() -> list[Sender]:
    """This package, and what is installed beside it."""
    ours = (sys.executable, "-m", "dcmsend", "+sd", "OPTIONS", "127.0.0.1", "PORT", "FOLDER")
    found = [Sender("dcmsend-ours", ours, converts=True)]
    dcmtk = next((path for path in _every("dcmsend") if _prints(path, "--version").startswith("$dcmtk")), None)
    if dcmtk:
        command = (dcmtk, "+sd", "OPTIONS", "127.0.0.1", "PORT", "FOLDER")
        found.append(Sender("dcmtk-dcmsend", command))
        found.append(Sender("dcmtk-dcmsend-nodelay", command, tuple(_NODELAY.items()), converts=True))
    storescu = next((path for path in _every("storescu") if _prints(path, "--version").startswith("$dcmtk")), None)
    if storescu:
        found.append(Sender("dcmtk-storescu", (storescu, "+sd", "127.0.0.1", "PORT", "FOLDER")))
    if _prints(sys.executable, "-c", "import pynetdicom; print('there')").startswith("there"):
        module = (sys.executable, "-m", "pynetdicom", "storescu", "-q", "-cx", "127.0.0.1", "PORT", "FOLDER")
        found.append(Sender("pynetdicom-storescu", module))
    return found


def measure(sender: Sender, work: Work, instances: Path, scratch: Path) -> Run:
    """One run against a fresh storescp. Raises ``RuntimeError`` where not everything arrived."""
    receiver = RECEIVERS[work.receiver]
    received, report = scratch / "received", scratch / "report.txt"
    shutil.rmtree(received, ignore_errors=True)
    received.mkdir()
    report.unlink(missing_ok=True)
    (scratch / "profile.cfg").write_text(_PROFILE)
    port = _free_port()
    environment = {key: value for key, value in os.environ.items() if key != "TCP_NODELAY"}
    places = {"PORT": str(port), "FOLDER": str(received), "PROFILE": str(scratch / "profile.cfg")}
    words = ["storescp", *(places.get(word, word) for word in receiver.words), str(port)]
    server = subprocess.Popen(words, env={**environment, **dict(receiver.environment)}, stdout=-3, stderr=-3)
    options = () if receiver.stores else ("+crf", str(report), *work.options)
    try:
        _wait_until_served(port)
        words = _command(sender, {**places, "FOLDER": str(instances)}, options)
        run, status = _time(words, {**environment, **dict(sender.environment)})
    finally:
        server.kill()
        server.wait()
    arrived = sum(1 for _ in received.iterdir()) if receiver.stores else _successes(report)
    if status != 0 or arrived != work.count:
        raise RuntimeError(f"{sender.name}: exit code {status}, {arrived} of {work.count} instances arrived")
    return run


def _command(sender: Sender, places: dict[str, str], options: tuple[str, ...]) -> list[str]:
    words = [options if word == "OPTIONS" else (places.get(word, word),) for word in sender.command]
    return [word for group in words for word in group]


def _successes(report: Path) -> int:
    """How many instances the receiver has answered with success, by the sender's report."""
    found = re.search(r"with status SUCCESS\s*: (\d+)", report.read_text()) if report.exists() else None
    return int(found[1]) if found else 0


def print_table(work: Work, results: dict[str, list[Run]], repeat: int) -> None:
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(
        f"{_prints('storescp', '--version').splitlines()[0].strip('$ ')}; loopback; medians of {repeat} runs, in turn;"
        f" {_own_memory():.0f} MiB resident is the least that can be told"
    )
    print(f"\nWork `{work.name}`: {work.what}; {work.count} instances, {work.megabytes:.1f} MB.\n")
    print(
        "| sender | seconds (min-max) | instances/s | MB/s | processor s (min-max) | MiB resident | time, ours = 1 "
        "| processor, ours = 1 |"
    )
    print("|---|---|---|---|---|---|---|---|")
    reference = next(iter(results.values()))
    for name, runs in results.items():
        wall, processor = _median(runs, "wall"), _median(runs, "processor")
        print(
            f"| {name} | {_spread(runs, 'wall')} | {work.count / wall:.0f} | {work.megabytes / wall:.1f} "
            f"| {_spread(runs, 'processor')} | {max(run.memory for run in runs):.0f} "
            f"| {wall / _median(reference, 'wall'):.2f} | {processor / _median(reference, 'processor'):.2f} |"
        )
    print(flush=True)


def _median(runs: list[Run], what: str) -> float:
    return statistics.median(_values(runs, what))


def _spread(runs: list[Run], what: str) -> str:
    values = _values(runs, what)
    return f"{_median(runs, what):.2f} ({min(values):.2f}-{max(values):.2f})"


def _values(runs: list[Run], what: str) -> list[float]:
    return [getattr(run, what) for run in runs]


def _own_memory() -> float:
    """Mebibytes: a process that is started from here counts with these at least, since it begins as a copy."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_UNIT


def _time(words: list[str], environment: dict[str, str]) -> tuple[Run, int]:
    began = time.monotonic()
    process = subprocess.Popen(words, env=environment, stdout=-3, stderr=-3)
    watchdog = threading.Timer(LIMIT_SECONDS, process.kill)
    watchdog.start()
    _, status, usage = os.wait4(process.pid, 0)
    watchdog.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _MAXRSS_UNIT), process.returncode


def _wait_until_served(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if subprocess.run(["echoscu", "127.0.0.1", str(port)], capture_output=True, check=False).returncode == 0:
            return
    raise RuntimeError("storescp did not come up")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _every(name: str) -> list[str]:
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return [found for folder in folders if (found := shutil.which(name, path=folder))]


def _prints(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
