"""Programs that send DICOM files: which are installed here, and how each is called."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OURS = "dcmsend-ours"
DCMSEND, DCMSEND_NODELAY = "dcmtk-dcmsend", "dcmtk-dcmsend-nodelay"
STORESCU, STORESCU_NODELAY = "dcmtk-storescu", "dcmtk-storescu-nodelay"
PYNETDICOM, DCM4CHE, DICOM_RS = "pynetdicom-storescu", "dcm4che-storescu", "dicom-rs-storescu"
PASS = "python-pass"
RAW, RAW_FRAMED = "raw-sendfile", "raw-sendfile-framed"

NODELAY = {"TCP_NODELAY": "1"}
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sender:
    """A program that sends a folder; PORT, FOLDER and OPTIONS in its words are replaced.

    ``version``: what it says of itself. Only ours has options for associations and window.
    """

    name: str
    command: tuple[str, ...]
    version: str = ""
    environment: tuple[tuple[str, str], ...] = ()

    def words(self, port: int, folder: Path, options: tuple[str, ...]) -> list[str]:
        words: list[str] = []
        for word in self.command:
            if word == "OPTIONS":
                words += options
            else:
                words.append(word.replace("PORT", str(port)).replace("FOLDER", str(folder)))
        return words

    def line(self, options: tuple[str, ...]) -> str:
        """The command as a shell line, without what differs from run to run."""
        words = [word for each in self.command for word in (options if each == "OPTIONS" else (each,))]
        variables = [f"{name}={value}" for name, value in self.environment]
        return " ".join((*variables, *(shlex.quote(_short(word)) for word in words)))


def find() -> dict[str, Sender]:
    """This package, what is installed beside it, and the two raw senders that are no DICOM programs."""
    senders = [_ours(), *_dcmtk(), *_pynetdicom(), *_dcm4che(), *_dicom_rs()]
    raw = (sys.executable, "-I", "-S", str(_HERE / "raw.py"), "PORT", "FOLDER")
    senders += [Sender(RAW, raw), Sender(RAW_FRAMED, raw), Sender(PASS, (sys.executable, "-c", "pass"))]
    return {sender.name: sender for sender in senders}


def prints(*command: str) -> str:
    """What a command writes to its standard output; nothing if it cannot be run."""
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout


@cache
def dcmtk(name: str) -> str | None:
    """A program of DCMTK: pynetdicom installs some of the same names, and our own command is called dcmsend too."""
    return next((path for path in _every(name) if prints(path, "--version").startswith("$dcmtk")), None)


def dcmtk_version(path: str) -> str:
    found = re.search(r"v(\S+)", prints(path, "--version"))
    return f"DCMTK {found[1]}" if found else ""


def _ours() -> Sender:
    """The console script of this interpreter's environment, as users have it; else the module."""
    script = Path(sys.executable).with_name("dcmsend")
    found = str(script) if script.exists() and dcmtk("dcmsend") != str(script) else ""
    command = (found,) if found else (sys.executable, "-m", "dcmsend")
    version = " ".join(prints(*command, "--version").split("\n", 1)[0].strip("$ ").split())
    return Sender(OURS, (*command, "+sd", "+r", "OPTIONS", "127.0.0.1", "PORT", "FOLDER"), version)


def _dcmtk() -> list[Sender]:
    senders = []
    for program, as_it_is, at_once in (("dcmsend", DCMSEND, DCMSEND_NODELAY), ("storescu", STORESCU, STORESCU_NODELAY)):
        if path := dcmtk(program):
            command = (path, "+sd", "+r", "OPTIONS", "127.0.0.1", "PORT", "FOLDER")
            senders.append(Sender(as_it_is, command, dcmtk_version(path)))
            senders.append(Sender(at_once, command, dcmtk_version(path), tuple(NODELAY.items())))
    return senders


def _pynetdicom() -> list[Sender]:
    version = prints(sys.executable, "-c", "import pynetdicom; print(pynetdicom.__version__)").strip()
    module = (sys.executable, "-m", "pynetdicom", "storescu", "-q", "-cx", "-r", "127.0.0.1", "PORT", "FOLDER")
    return [Sender(PYNETDICOM, module, f"pynetdicom {version}")] if version else []


def _dcm4che() -> list[Sender]:
    """Java; it proposes an asynchronous operations window of its own accord."""
    for path in _every("storescu"):
        version = prints(path, "--version")
        if version.startswith("storescu:"):
            command = (path, "-c", "ANY-SCP@127.0.0.1:PORT", "FOLDER")
            return [Sender(DCM4CHE, command, f"dcm4che {version.split(':', 1)[1].strip()}")]
    return []


def _dicom_rs() -> list[Sender]:
    path = shutil.which("dicom-storescu")
    if not path:
        return []
    return [Sender(DICOM_RS, (path, "127.0.0.1:PORT", "FOLDER"), prints(path, "--version").strip())]


def _every(name: str) -> list[str]:
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return [found for folder in folders if (found := shutil.which(name, path=folder))]


def _short(word: str) -> str:
    """A program's name instead of its path."""
    return Path(word).name if word.startswith("/") else word
