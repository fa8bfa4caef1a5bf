"""Storage servers that nobody here wrote, each on a free port of 127.0.0.1, stopped by its process ID.

A server is ready when it answers an association: a bare connection would be counted, logged or even mourned as a
broken association by some of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from pydicom.uid import UID_dictionary

from tests.support import part10, pdus

START_LIMIT: Final = 60.0  # seconds until a server answers
STOP_LIMIT: Final = 10.0  # seconds from SIGTERM to SIGKILL
ATTEMPTS: Final = 5  # a free port may be taken by somebody else before the server gets it
RECEIVER: Final = Path(__file__).parents[2] / "scripts" / "receiver.py"
ORTHANC: Final = ("Orthanc", "/usr/sbin/Orthanc")

TRANSFER_SYNTAXES: Final = tuple(
    uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax" and "Papyrus" not in entry[0]
)
DATA: Final = Path(__file__).parents[1] / "data"


class ServerError(RuntimeError):
    """A server did not start or did not stop."""


class Server(Protocol):
    """What all servers have in common."""

    @property
    def port(self) -> int: ...

    @property
    def aet(self) -> str: ...

    def stored(self) -> dict[str, list[bytes]]:
        """The data sets' bytes that it keeps, without meta information, by SOP instance UID."""
        ...

    def log(self) -> str:
        """What it has printed so far."""
        ...

    def stop(self) -> None: ...


@dataclass(slots=True)
class Program:
    """A child process whose output goes to a file."""

    arguments: Sequence[str]
    log_path: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    politely: bool = True  # with SIGTERM before SIGKILL

    def start(self) -> None:
        with self.log_path.open("wb") as output:
            self.process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | self.environment,
                cwd=self.log_path.parent,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def wait_until(self, ready: Callable[[], bool]) -> bool:
        """Whether it became ready; False if it ended before."""
        assert self.process is not None
        deadline = time.monotonic() + START_LIMIT
        while not ready():
            if time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"{self.arguments[0]} was not ready within {START_LIMIT:g} s:\n{self.log()}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)
                return False
        return self.process.poll() is None

    def stop(self) -> None:
        """End the process by its ID."""
        if self.process is None or self.process.poll() is not None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self.politely:
                self.process.terminate()
                self.process.wait(STOP_LIMIT)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_LIMIT)


@dataclass(slots=True)
class FolderServer:
    """A server that writes Part 10 files into a folder."""

    port: int
    aet: str
    folder: Path
    program: Program

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def stored(self) -> dict[str, list[bytes]]:
        return _by_instance(path.read_bytes() for path in self.files())

    def log(self) -> str:
        return self.program.log()

    def stop(self) -> None:
        self.program.stop()


@dataclass(slots=True)
class OrthancServer:
    """Orthanc, asked over HTTP what it keeps.

    It writes a received data set anew, with group and sequence lengths of its own choice, so that its bytes are not
    always those that were sent.
    """

    port: int
    aet: str
    http_port: int
    program: Program

    def instances(self) -> dict[str, str]:
        """Orthanc's identifier of each SOP instance UID."""
        ids = json.loads(self.get("/instances"))
        return {json.loads(self.get(f"/instances/{name}"))["MainDicomTags"]["SOPInstanceUID"]: name for name in ids}

    def file(self, sop_instance: str) -> bytes:
        """The Part 10 file of an instance."""
        return self.get(f"/instances/{self.instances()[sop_instance]}/file")

    def stored(self) -> dict[str, list[bytes]]:
        return _by_instance(self.get(f"/instances/{name}/file") for name in self.instances().values())

    def get(self, path: str) -> bytes:
        """The body of an answer of the REST API."""
        with self._opener().open(f"http://127.0.0.1:{self.http_port}{path}", timeout=START_LIMIT) as answer:
            body: bytes = answer.read()
            return body

    def log(self) -> str:
        return self.program.log()

    def stop(self) -> None:
        self.program.stop()

    @staticmethod
    def _opener() -> urllib.request.OpenerDirector:
        return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def storescp(
    folder: Path,
    *options: str,
    defaults: Sequence[str] = ("+xa", "-pm"),
    no_delay: bool = True,
    secure: ssl.SSLContext | None = None,
) -> FolderServer:
    """DCMTK's storescp, which keeps each data set exactly as received.

    With TLS (``+tls``) ``secure`` is what to ask with whether it is ready.

    ``+xa`` does not accept all that there is: for other transfer syntaxes give ``defaults=()`` and
    ``-xf`` with an ``association_profile``. ``no_delay=False`` leaves Nagle's algorithm on, as out of the box.
    """
    fixed = [find_dcmtk("storescp") or "storescp", "-v", "-aet", "STORESCP", "-od", str(_received(folder)), "+B", "+uf"]
    return _dcmtk(folder, [*fixed, *defaults, *options], "STORESCP", no_delay=no_delay, secure=secure)


def dcmrecv(
    folder: Path,
    *options: str,
    sop_classes: Iterable[str] = (),
    syntaxes: Iterable[str] = TRANSFER_SYNTAXES,
    no_delay: bool = True,
) -> FolderServer:
    """DCMTK's dcmrecv, which keeps each data set exactly as received.

    It accepts these SOP classes (at most 127, without a list those of the sample data) in these transfer syntaxes.
    """
    profile = association_profile(folder, list(sop_classes) or sample_classes(), syntaxes)
    fixed = [find_dcmtk("dcmrecv") or "dcmrecv", "-v", "-aet", "DCMRECV", "-od", str(_received(folder)), "+B", "+fu"]
    return _dcmtk(folder, [*fixed, *profile, *options], "DCMRECV", no_delay=no_delay)


def association_profile(folder: Path, sop_classes: Iterable[str], syntaxes: Iterable[str]) -> tuple[str, str, str]:
    """Options of DCMTK's servers: accept these SOP classes in these transfer syntaxes, in this order."""
    lines = ["[[TransferSyntaxes]]", "[Syntaxes]"]
    lines += [f"TransferSyntax{number} = {uid}" for number, uid in enumerate(syntaxes, 1)]
    lines += ["[[PresentationContexts]]", "[Contexts]"]
    wanted = dict.fromkeys((pdus.VERIFICATION, *sop_classes))
    lines += [f"PresentationContext{number} = {uid}\\Syntaxes" for number, uid in enumerate(wanted, 1)]
    lines += ["[[Profiles]]", "[Accepted]", "PresentationContexts = Contexts", ""]
    path = folder / "association.cfg"
    path.write_text("\n".join(lines))
    return "-xf", str(path), "Accepted"


def sample_classes() -> list[str]:
    """The SOP classes that the meta information of the sample data tells."""
    metas = [part10.split(path.read_bytes())[0] for path in DATA.glob("*/**/*") if path.is_file()]
    return sorted({part10.uid(meta[part10.SOP_CLASS]) for meta in metas if meta.get(part10.SOP_CLASS)})


def pynetdicom_scp(
    folder: Path,
    *,
    sop_classes: Iterable[str] = (),
    syntaxes: Iterable[str] = (),
    statuses: Iterable[int] = (),
    max_pdu: int = 16384,
) -> FolderServer:
    """pynetdicom's storage SCP in a process of its own.

    Without a list, every SOP class and every transfer syntax. ``statuses`` are its answers in turn, the last one
    for all that follow. What it answers for with a failure is kept none the less: the test sees what came.
    """
    options = [f"--sop-class={uid}" for uid in sop_classes] + [f"--syntax={uid}" for uid in syntaxes]
    options += [f"--status={status:#06x}" for status in statuses]
    received = _received(folder)
    program = Program(
        [sys.executable, str(RECEIVER), str(received), f"--max-pdu={max_pdu}", *options],
        folder / "log.txt",
    )
    program.start()
    if not program.wait_until(lambda: "\n" in program.log()):
        raise ServerError(f"the receiver ended at once:\n{program.log()}")
    return FolderServer(int(program.log().split()[0]), "RECEIVER", received, program)


@cache
def find_dcmtk(name: str) -> str | None:
    """A program of DCMTK. pynetdicom installs some of the same names, and our own command is called dcmsend too."""
    candidates = (shutil.which(name, path=folder) for folder in os.get_exec_path())
    return next((found for found in candidates if found and _is_dcmtk(found)), None)


def find_orthanc() -> str | None:
    """Orthanc's program, also where only root's search path has it."""
    return next((found for name in ORTHANC if (found := shutil.which(name))), None)


def orthanc(folder: Path, **settings: object) -> OrthancServer:
    """Orthanc, which accepts everything; ``settings`` are those of its configuration file."""
    for _ in range(ATTEMPTS):
        port, http_port = free_ports(2)
        configuration = {
            "Name": "test",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "index"),
            "Plugins": [],
            "HttpPort": http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomPort": port,
            "DicomAet": "ORTHANC",
            "DicomAlwaysAllowStore": True,
            "DicomCheckCalledAet": False,
            "UnknownSopClassAccepted": True,
            "AcceptedTransferSyntaxes": ["*"],
            "OverwriteInstances": True,
            "SaveJobs": False,
            **settings,
        }
        path = folder / "orthanc.json"
        path.write_text(json.dumps(configuration, indent=1))
        command = [find_orthanc() or ORTHANC[0], "--verbose", str(path)]
        program = Program(command, folder / "log.txt", politely=False)  # its own way to stop takes three seconds
        program.start()
        if program.wait_until(lambda: "Orthanc has started" in program.log()):  # noqa: B023
            return OrthancServer(port, str(configuration["DicomAet"]), http_port, program)
    raise ServerError(f"Orthanc did not start:\n{program.log()}")


def answers(port: int, secure: ssl.SSLContext | None = None) -> bool:
    """Whether a peer on this port answers an association request; an accepted association is released."""
    offer = pdus.Offer(1, pdus.VERIFICATION, (pdus.IMPLICIT_LITTLE,))
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout=START_LIMIT)
        with plain, secure.wrap_socket(plain) if secure else plain as connection:
            connection.sendall(pdus.associate_rq((offer,)))
            kind = _read_pdu(connection)
            if kind == pdus.A_ASSOCIATE_AC:
                connection.sendall(pdus.release_rq())
                _read_pdu(connection)
    except OSError:
        return False
    return kind != 0


def free_ports(count: int) -> list[int]:
    """Different ports of 127.0.0.1 on which nobody listens."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _dcmtk(
    folder: Path, arguments: list[str], aet: str, *, no_delay: bool, secure: ssl.SSLContext | None = None
) -> FolderServer:
    for _ in range(ATTEMPTS):
        port = free_ports(1)[0]
        environment = {"TCP_NODELAY": "1" if no_delay else "0"}
        program = Program([*arguments, str(port)], folder / "log.txt", environment)
        program.start()
        if program.wait_until(lambda: answers(port, secure)):  # noqa: B023
            return FolderServer(port, aet, folder / "received", program)
    raise ServerError(f"{arguments[0]} did not start:\n{program.log()}")


def _is_dcmtk(program: str) -> bool:
    result = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return result.stdout.startswith(b"$dcmtk")


def _received(folder: Path) -> Path:
    path = folder / "received"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _by_instance(files: Iterable[bytes]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for file in files:
        meta, data = part10.split(file)
        found.setdefault(part10.uid(meta[part10.SOP_INSTANCE]), []).append(data)
    return found


def _read_pdu(connection: socket.socket) -> int:
    """The type of the next PDU, which is read and thrown away; 0 if the connection closes."""
    with connection.makefile("rb", buffering=0) as stream:
        header = _read(stream, 6)
        if len(header) < 6:
            return 0
        kind, length = struct.unpack(">BxI", header)
        _read(stream, length)
        return int(kind)


def _read(stream: socket.SocketIO, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := stream.read(count - len(data))):
        data += piece
    return data
