"""What senders send to: servers that nobody here wrote, our counting receiver, a closed port. Fresh for every run.

Each is a context manager that yields a ``Server``; ``SERVERS`` names them all.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import certificate
import framing
from measuring import Ended, Failed, Run, inherited
from senders import NODELAY, dcmtk, dcmtk_version, prints

START_LIMIT = 60.0  # seconds
_HERE = Path(__file__).parent
_CANNOT_CONNECT = 61  # exit code

# Where conversion is measured, neither the receiver's disk nor Nagle's algorithm shall count.
_STORESCP_PROFILES = {"implicit": ("+xi", "--ignore"), "explicit": ("-xf", "PROFILE", "Explicit", "--ignore")}
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
PresentationContext4 = 1.2.840.10008.5.1.4.1.1.4\\Explicit
PresentationContext5 = 1.2.840.10008.5.1.4.1.1.7\\Explicit
[[Profiles]]
[Explicit]
PresentationContexts = Contexts
"""


class Server(Protocol):
    """What is to be sent to."""

    @property
    def port(self) -> int: ...

    @property
    def options(self) -> tuple[str, ...]:
        """What a sender is to be called with, besides, for it to be judged."""
        ...

    def judge(self, ended: Ended, count: int) -> Run:
        """The run, if all ``count`` instances have arrived. Raises ``Failed``."""
        ...


@dataclass
class Storing:
    """A server that can be asked how many instances it has."""

    port: int
    stored: Callable[[], int]
    options: tuple[str, ...] = ()

    def judge(self, ended: Ended, count: int) -> Run:
        ended.expect(0)
        _expect_all(self.stored(), count)
        return _run(ended)


@dataclass
class Answering:
    """A server that keeps nothing: the sender's report tells what it has answered."""

    port: int
    report: Path

    @property
    def options(self) -> tuple[str, ...]:
        return ("+crf", str(self.report))

    def judge(self, ended: Ended, count: int) -> Run:
        ended.expect(0)
        found = re.search(r"with status SUCCESS\s*: (\d+)", self.report.read_text()) if self.report.exists() else None
        _expect_all(int(found[1]) if found else 0, count)
        return _run(ended)


@dataclass
class Counting:
    """``receiver.py``. ``only_first``: it ends when the first instance begins to arrive, and the sender with it."""

    port: int
    process: subprocess.Popen[str]
    only_first: bool = False
    options: tuple[str, ...] = ()

    def judge(self, ended: Ended, count: int) -> Run:
        told, _ = self.process.communicate(timeout=START_LIMIT)
        if not told:
            raise Failed("the receiver broke")
        seen: dict[str, Any] = json.loads(told)
        if self.only_first:
            if not seen["first_data"]:
                raise Failed(f"nothing arrived; exit code {ended.code}; {ended.errors}")
            return _run(ended, first=seen["first_data"] - ended.began)
        ended.expect(0)
        _expect_all(seen["instances"], count)
        seconds = {int(second): number for second, number in seen["per_second"].items()}
        details = {
            "first": seen["first_data"] - ended.began,
            "receiver_processor": seen["processor"],
            "associations": seen["associations"],
            "most_associations": seen["most_associations"],
        }
        per_second = [seconds.get(second, 0) for second in range(max(seconds, default=-1) + 1)]
        return replace(_run(ended, **details), per_second=per_second)


@dataclass
class Discarding:
    """``receiver.py --discard``: all bytes must have come."""

    port: int
    process: subprocess.Popen[str]
    options: tuple[str, ...] = ()

    def judge(self, ended: Ended, count: int) -> Run:  # noqa: ARG002
        self.process.communicate(timeout=START_LIMIT)
        ended.expect(0)
        return _run(ended)


@dataclass
class Expecting:
    """No server: the program must end with this exit code."""

    port: int
    code: int
    options: tuple[str, ...] = ()

    def judge(self, ended: Ended, count: int) -> Run:  # noqa: ARG002
        ended.expect(self.code)
        return _run(ended)


def _run(ended: Ended, **details: float) -> Run:
    return Run(ended.wall, ended.processor, ended.memory, details)


def _expect_all(arrived: int, count: int) -> None:
    if arrived != count:
        raise Failed(f"{arrived} of {count} instances arrived")


@contextlib.contextmanager
def _storing(program: str, words: tuple[str, ...], scratch: Path) -> Iterator[Server]:
    """DCMTK's storescp or dcmrecv as it comes out of the box; it writes what it receives to disk."""
    received = _emptied(scratch / "received")
    port = _free_port()
    places = {"FOLDER": str(received), "PROFILE": str(_profile(scratch))}
    command = [_found(program), *(places.get(word, word) for word in words), str(port)]
    with _running(command, {}), _ready(port):
        yield Storing(port, lambda: sum(1 for _ in received.iterdir()))


@contextlib.contextmanager
def _storing_secured(program: str, words: tuple[str, ...], scratch: Path) -> Iterator[Server]:
    """The same with TLS, both sides showing a certificate."""
    received = _emptied(scratch / "received")
    port = _free_port()
    options = certificate.options(scratch)
    command = [_found(program), *options, *(str(received) if word == "FOLDER" else word for word in words), str(port)]
    with _running(command, {}), _ready(port, certificate.context(scratch)):
        yield Storing(port, lambda: sum(1 for _ in received.iterdir()), options)


@contextlib.contextmanager
def _answering(accepts: str, scratch: Path) -> Iterator[Server]:
    """storescp that accepts one uncompressed transfer syntax, stores nothing and sends at once."""
    report = scratch / "report.txt"
    report.unlink(missing_ok=True)
    port = _free_port()
    places = {"PROFILE": str(_profile(scratch))}
    words = (places.get(word, word) for word in _STORESCP_PROFILES[accepts])
    with _running([_found("storescp"), *words, str(port)], NODELAY), _ready(port):
        yield Answering(port, report)


@contextlib.contextmanager
def _orthanc(scratch: Path) -> Iterator[Server]:
    port, http_port = _free_port(), _free_port()
    configuration = scratch / "orthanc.json"
    database = _emptied(scratch / "orthanc")
    settings = {
        "Name": "benchmark",
        "StorageDirectory": str(database),
        "IndexDirectory": str(database),
        "Plugins": [],
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomPort": port,
        "DicomAlwaysAllowStore": True,
        "DicomCheckCalledAet": False,
        "UnknownSopClassAccepted": True,
    }
    configuration.write_text(json.dumps(settings))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def stored() -> int:
        with opener.open(f"http://127.0.0.1:{http_port}/statistics", timeout=START_LIMIT) as answer:
            return int(json.load(answer)["CountInstances"])

    with _running([find_orthanc() or "Orthanc", str(configuration)], {}), _ready(port):
        yield Storing(port, stored)


@contextlib.contextmanager
def _counting(scratch: Path, *, max_pdu: int = 16384, only_first: bool = False) -> Iterator[Server]:  # noqa: ARG001
    options = [f"--max-pdu={max_pdu}", *(["--until-first"] if only_first else [])]
    with _own("receiver.py", *options) as (process, port):
        yield Counting(port, process, only_first)


@contextlib.contextmanager
def _discarding(scratch: Path) -> Iterator[Server]:  # noqa: ARG001
    with _own("receiver.py", "--discard") as (process, port):
        yield Discarding(port, process)


@contextlib.contextmanager
def _closed(scratch: Path) -> Iterator[Server]:  # noqa: ARG001
    """A port on which nobody listens, and which nobody else can get meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Expecting(taken.getsockname()[1], _CANNOT_CONNECT)


@contextlib.contextmanager
def _none(scratch: Path) -> Iterator[Server]:  # noqa: ARG001
    yield Expecting(0, 0)


_STORESCP = ("-pm", "+xa", "-od", "FOLDER")
_DCMRECV = ("-xf", "PROFILE", "Explicit", "-od", "FOLDER")

SERVERS: dict[str, Callable[[Path], AbstractContextManager[Server]]] = {
    "storescp": partial(_storing, "storescp", _STORESCP),
    "storescp-tls": partial(_storing_secured, "storescp", _STORESCP),
    "dcmrecv": partial(_storing, "dcmrecv", _DCMRECV),
    "orthanc": _orthanc,
    "receiver-16k": partial(_counting, max_pdu=16384),
    "receiver-128k": partial(_counting, max_pdu=131072),
    "receiver-first": partial(_counting, only_first=True),
    "discard": _discarding,
    "closed port": _closed,
    "storescp-implicit": partial(_answering, "implicit"),
    "storescp-explicit": partial(_answering, "explicit"),
    "none": _none,
}
DESCRIPTIONS = {
    "storescp": f"`storescp {' '.join(_STORESCP)} PORT`, without `TCP_NODELAY`",
    "storescp-tls": f"`storescp +tls key.pem certificate.pem +cf certificate.pem {' '.join(_STORESCP)} PORT`, so",
    "dcmrecv": f"`dcmrecv {' '.join(_DCMRECV)} PORT` (the profile: Explicit VR Little Endian), without `TCP_NODELAY`",
    "orthanc": "`Orthanc orthanc.json`: a new SQLite database and storage folder, everything accepted",
    "receiver-16k": "`receiver.py --max-pdu=16384`",
    "receiver-128k": "`receiver.py --max-pdu=131072`",
    "receiver-first": "`receiver.py --until-first`: ends when the first data of an instance come",
    "discard": "`receiver.py --discard`: no DICOM; what `raw-sendfile` sends to",
    "closed port": "nobody listens: the sender ends with exit code 61 after the scan",
    "storescp-implicit": f"`TCP_NODELAY=1 storescp {' '.join(_STORESCP_PROFILES['implicit'])} PORT`",
    "storescp-explicit": f"`TCP_NODELAY=1 storescp {' '.join(_STORESCP_PROFILES['explicit'])} PORT` (the same profile)",
}
_NEEDS = {
    "storescp": "storescp",
    "storescp-tls": "storescp",
    "dcmrecv": "dcmrecv",
    "storescp-implicit": "storescp",
    "storescp-explicit": "storescp",
}


def available(server: str) -> bool:
    """Whether the program of this server is installed."""
    if server == "orthanc":
        return find_orthanc() is not None
    if server == "storescp-tls" and not certificate.available():
        return False
    return server not in _NEEDS or dcmtk(_NEEDS[server]) is not None


def find_orthanc() -> str | None:
    """Orthanc's program, also where only root's search path has it."""
    return next((found for name in ("Orthanc", "/usr/sbin/Orthanc") if (found := shutil.which(name))), None)


def versions() -> dict[str, str]:
    """What is installed, and its version."""
    found = {name: dcmtk_version(path) for name in ("storescp", "dcmrecv") if (path := dcmtk(name))}
    if orthanc := find_orthanc():
        found["orthanc"] = "Orthanc " + prints(orthanc, "--version").partition("\n")[0].rpartition(" ")[2]
    return found


@contextlib.contextmanager
def delayed(port: int, round_trip: float) -> Iterator[int]:
    """The port of a proxy in front of this one."""
    with _own("proxy.py", f"--to={port}", f"--round-trip={round_trip:g}") as (_, proxy_port):
        yield proxy_port


@contextlib.contextmanager
def _own(program: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """One of the programs beside this one, and the port that it prints. It ends with its standard input."""
    process = subprocess.Popen(
        [sys.executable, str(_HERE / program), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise Failed(f"{program} did not start")
        yield process, int(line)
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=inherited(environment),
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _ready(port: int, secure: ssl.SSLContext | None = None) -> Iterator[None]:
    """Goes on when the server accepts an association."""
    deadline = time.monotonic() + START_LIMIT
    while not _accepts(port, secure):
        if time.monotonic() > deadline:
            raise Failed(f"the server was not there after {START_LIMIT:g} s")
        time.sleep(0.02)
    yield


def _accepts(port: int, secure: ssl.SSLContext | None) -> bool:
    request = framing.associate_request(framing.VERIFICATION, framing.IMPLICIT_VR_LITTLE_ENDIAN)
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout=START_LIMIT)
        with plain, secure.wrap_socket(plain, server_hostname="127.0.0.1") if secure else plain as connection:
            connection.sendall(request)
            if connection.recv(65536)[:1] != bytes((framing.ASSOCIATE_AC,)):
                return False
            connection.sendall(framing.RELEASE_RQ)
            connection.recv(65536)
    except OSError:
        return False
    return True


def _found(program: str) -> str:
    path = dcmtk(program)
    if path is None:
        raise Failed(f"{program} is not installed")
    return path


def _profile(scratch: Path) -> Path:
    path = scratch / "profile.cfg"
    path.write_text(_PROFILE)
    return path


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
