"""Time senders against each other on the same work and the same unmodified storescp; print a table of ratios."""

from __future__ import annotations

import argparse
import os
import platform
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

from instances import WORKS, Work, write

LIMIT_SECONDS = 600
_NODELAY = {"TCP_NODELAY": "1"}


@dataclass(frozen=True)
class Sender:
    """A program that sends a folder; PORT and FOLDER in its words are replaced."""

    name: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Run:
    """What one run took: seconds, seconds of processor time, mebibytes resident at most."""

    wall: float
    processor: float
    memory: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", choices=WORKS, default="tiny")
    parser.add_argument("--repeat", type=int, default=3, help="counted runs of each sender (default 3)")
    parser.add_argument("--sender", action="append", help="only this sender (may be given more than once)")
    parser.add_argument("--folder", type=Path, help="where to put instances and received files (default: temporary)")
    options = parser.parse_args()
    senders = [s for s in find_senders() if not options.sender or s.name in options.sender]
    if shutil.which("storescp") is None or not senders:
        print("storescp of DCMTK and at least one sender are needed", file=sys.stderr)
        return 2
    work = WORKS[options.work]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        instances = Path(folder, "instances")
        write(work, instances)
        results: dict[str, list[Run]] = {sender.name: [] for sender in senders}
        for _ in range(options.repeat):
            for sender in senders:
                results[sender.name].append(measure(sender, work, instances, Path(folder, "received")))
    print_table(work, results, options.repeat)
    return 0


def find_senders() -> list[Sender]:
    """This package, and what is installed beside it."""
    ours = (sys.executable, "-m", "dcmsend", "+sd", "127.0.0.1", "PORT", "FOLDER")
    found = [Sender("dcmsend-ours", ours)]
    dcmtk = next((path for path in _every("dcmsend") if _prints(path, "--version").startswith("$dcmtk")), None)
    if dcmtk:
        command = (dcmtk, "+sd", "127.0.0.1", "PORT", "FOLDER")
        found.append(Sender("dcmtk-dcmsend", command))
        found.append(Sender("dcmtk-dcmsend-nodelay", command, tuple(_NODELAY.items())))
    storescu = next((path for path in _every("storescu") if _prints(path, "--version").startswith("$dcmtk")), None)
    if storescu:
        found.append(Sender("dcmtk-storescu", (storescu, "+sd", "127.0.0.1", "PORT", "FOLDER")))
    if _prints(sys.executable, "-c", "import pynetdicom; print('there')").startswith("there"):
        module = (sys.executable, "-m", "pynetdicom", "storescu", "-q", "-cx", "127.0.0.1", "PORT", "FOLDER")
        found.append(Sender("pynetdicom-storescu", module))
    return found


def measure(sender: Sender, work: Work, instances: Path, received: Path) -> Run:
    """One run against a fresh storescp. Raises ``RuntimeError`` where not everything arrived."""
    shutil.rmtree(received, ignore_errors=True)
    received.mkdir()
    port = _free_port()
    environment = {key: value for key, value in os.environ.items() if key != "TCP_NODELAY"}
    server = subprocess.Popen(
        ["storescp", "-pm", "+xa", "-od", str(received), str(port)], env=environment, stdout=-3, stderr=-3
    )
    try:
        _wait_until_served(port)
        words = [word.replace("PORT", str(port)).replace("FOLDER", str(instances)) for word in sender.command]
        run, status = _time(words, {**environment, **dict(sender.environment)})
    finally:
        server.kill()
        server.wait()
    stored = sum(1 for _ in received.iterdir())
    if status != 0 or stored != work.count:
        raise RuntimeError(f"{sender.name}: exit code {status}, {stored} of {work.count} instances stored")
    return run


def print_table(work: Work, results: dict[str, list[Run]], repeat: int) -> None:
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(
        f"{_prints('storescp', '--version').splitlines()[0].strip('$ ')}; loopback; medians of {repeat} runs, in turn"
    )
    print(f"work '{work.name}': {work.count} instances, {work.megabytes:.1f} MB\n")
    print("| sender | seconds (min-max) | instances/s | MB/s | processor s | MiB resident | time, ours = 1 |")
    print("|---|---|---|---|---|---|---|")
    reference = statistics.median(run.wall for run in next(iter(results.values())))
    for name, runs in results.items():
        walls = [run.wall for run in runs]
        wall = statistics.median(walls)
        processor = statistics.median(run.processor for run in runs)
        memory = max(run.memory for run in runs)
        print(
            f"| {name} | {wall:.2f} ({min(walls):.2f}-{max(walls):.2f}) | {work.count / wall:.0f} "
            f"| {work.megabytes / wall:.1f} | {processor:.2f} | {memory:.0f} | {wall / reference:.2f} |"
        )


def _time(words: list[str], environment: dict[str, str]) -> tuple[Run, int]:
    began = time.monotonic()
    process = subprocess.Popen(words, env=environment, stdout=-3, stderr=-3)
    watchdog = threading.Timer(LIMIT_SECONDS, process.kill)
    watchdog.start()
    _, status, usage = os.wait4(process.pid, 0)
    watchdog.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit), process.returncode


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
