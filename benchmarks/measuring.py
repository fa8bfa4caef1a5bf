"""One run of one program: what it took. What a run must have done to count is for the server to say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

LIMIT = 1800.0  # seconds
_KIBIBYTES = 1024**2 if sys.platform == "darwin" else 1024  # per MiB, in the unit that the kernel tells
_LAUNCHER = Path(__file__).with_name("launch.py")
_LAST_ERRORS = 200  # characters

# An installed program is compiled and has nobody's settings.
_NOT_INHERITED = ("TCP_NODELAY", "PYTHONDONTWRITEBYTECODE")


class Failed(Exception):
    """A run that does not count; the text says why."""


@dataclass(frozen=True)
class Run:
    """What a run took: seconds, seconds of processor time (user and system), MiB resident at most.

    ``details``: what the server has to tell of it. ``per_second``: instances that arrived, second by second.
    """

    wall: float
    processor: float
    memory: float
    details: dict[str, float] = field(default_factory=dict)
    per_second: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Ended:
    """A program that has ended. ``began``: on the monotonic clock."""

    code: int
    began: float
    wall: float
    processor: float
    memory: float
    errors: str

    def expect(self, code: int) -> None:
        """Raises ``Failed`` for another exit code."""
        if self.code != code:
            raise Failed(f"exit code {self.code} instead of {code}; {self.errors or 'nothing on standard error'}")


def inherited(environment: dict[str, str]) -> dict[str, str]:
    """The environment of a program that is started."""
    return {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED} | environment


def run(words: list[str], environment: dict[str, str]) -> Ended:
    """Run a program through the launcher, which stands between it and our own size. Raises ``Failed``."""
    with tempfile.NamedTemporaryFile() as errors:
        launcher = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), errors.name, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env=inherited(environment),
            start_new_session=True,
        )
        try:
            told, _ = launcher.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            raise Failed(f"not done after {LIMIT:g} s") from None
        finally:
            if launcher.poll() is None:
                os.killpg(launcher.pid, signal.SIGKILL)
                launcher.communicate()
        lines = [line for line in Path(errors.name).read_text(errors="replace").splitlines() if line.strip()]
    if launcher.returncode:
        raise Failed(f"{words[0]} could not be started")
    code, wall, processor, memory, began = told.split()
    return Ended(
        code=int(code),
        began=float(began),
        wall=float(wall),
        processor=float(processor),
        memory=int(memory) / _KIBIBYTES,
        errors=" ".join(lines[-1].split())[:_LAST_ERRORS] if lines else "",
    )
