"""Fixtures for all tests: real servers, a scripted peer, DCMTK's dcmsend and ours.

A test whose program is missing is skipped with the reason; in CI (``CI=true``) it fails instead.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final, NoReturn

import pytest

from tests.support import browser as browsers
from tests.support import servers
from tests.support.certificates import Pki
from tests.support.scripted import ScriptedPeer, Step

DATA: Final = Path(__file__).parent / "data"
COMMAND_LIMIT: Final = 120.0  # seconds


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the programs that their fixtures start, for ``-m "not orthanc"`` and the like."""
    for item in items:
        for name in ("dcmtk", "orthanc", "browser"):
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(name)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of sample data."""
    return DATA


@pytest.fixture(scope="session")
def samples() -> list[Path]:
    """Well-formed Part 10 files, one for each common transfer syntax."""
    return sorted((DATA / "samples").iterdir())


@pytest.fixture
def server_folder(tmp_path: Path) -> Callable[[], Path]:
    """Make a new folder for each server of a test."""

    def make() -> Path:
        number = sum(1 for path in tmp_path.glob("server-*"))
        folder = tmp_path / f"server-{number + 1}"
        folder.mkdir()
        return folder

    return make


@pytest.fixture(scope="session")
def dcmtk() -> Callable[[str], str]:
    """The path of one of DCMTK's programs."""

    def find(name: str) -> str:
        return servers.find_dcmtk(name) or _missing(f"DCMTK's {name}")

    return find


@pytest.fixture
def storescp(
    dcmtk: Callable[[str], str], server_folder: Callable[[], Path]
) -> Iterator[Callable[..., servers.FolderServer]]:
    """Start DCMTK's storescp; see ``servers.storescp``."""
    dcmtk("storescp")
    yield from _factory(servers.storescp, server_folder)


@pytest.fixture
def dcmrecv(
    dcmtk: Callable[[str], str], server_folder: Callable[[], Path]
) -> Iterator[Callable[..., servers.FolderServer]]:
    """Start DCMTK's dcmrecv; see ``servers.dcmrecv``."""
    dcmtk("dcmrecv")
    yield from _factory(servers.dcmrecv, server_folder)


@pytest.fixture
def orthanc(server_folder: Callable[[], Path]) -> Iterator[Callable[..., servers.OrthancServer]]:
    """Start Orthanc; see ``servers.orthanc``."""
    if servers.find_orthanc() is None:
        _missing("Orthanc")
    yield from _factory(servers.orthanc, server_folder)


@pytest.fixture
def pynetdicom_scp(server_folder: Callable[[], Path]) -> Iterator[Callable[..., servers.FolderServer]]:
    """Start pynetdicom's storage SCP; see ``servers.pynetdicom_scp``."""
    yield from _factory(servers.pynetdicom_scp, server_folder)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browsers.Browser]:
    """Chromium without a window; see ``browser.Browser``."""
    if browsers.find() is None:
        _missing("Chromium with chromedriver")
    started = browsers.Browser(tmp_path_factory.mktemp("browser"))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def openssl_command() -> str:
    """The path of OpenSSL's program."""
    return shutil.which("openssl") or _missing("the program openssl")


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of a program of the system: a shell, ``man``, a browser."""

    def find(name: str) -> str:
        return shutil.which(name) or _missing(f"the program {name}")

    return find


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Certificates for tests of TLS, made once; see ``certificates.Pki``."""
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def scripted_peer() -> Iterator[Callable[..., ScriptedPeer]]:
    """Start a peer that plays one script for each connection; its errors fail the test."""
    started: list[ScriptedPeer] = []

    def start(*scripts: Sequence[Step], receive_buffer: int | None = None) -> ScriptedPeer:
        started.append(ScriptedPeer(*scripts, receive_buffer=receive_buffer))
        return started[-1]

    yield start
    for peer in started:
        peer.stop()


@pytest.fixture(scope="session")
def dcmsend_oracle(dcmtk: Callable[[str], str]) -> Callable[..., CompletedProcess[str]]:
    """Run DCMTK's dcmsend, which ours stands in for."""
    return _runner([dcmtk("dcmsend")], {"TCP_NODELAY": "1"})


@pytest.fixture(scope="session")
def run_dcmsend() -> Callable[..., CompletedProcess[str]]:
    """Run our command in a process of its own."""
    return _runner([sys.executable, "-m", "dcmsend"], {})


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heeded() -> Iterator[None]:
    """Where the tests run in the background SIGINT may be ignored, and children would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def no_child_left() -> Iterator[None]:
    """When all tests are over, none of the programs that they started is still there."""
    yield
    left = _children()
    assert not left, f"processes that tests left behind: {left}"


def _factory(start: Callable[..., Any], folder: Callable[[], Path]) -> Iterator[Callable[..., Any]]:
    started: list[servers.Server] = []

    def make(*options: Any, **settings: Any) -> Any:
        started.append(start(folder(), *options, **settings))
        return started[-1]

    try:
        yield make
    finally:
        for server in started:
            server.stop()


def _runner(command: list[str], environment: dict[str, str]) -> Callable[..., CompletedProcess[str]]:
    def run(
        *arguments: str | Path,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        timeout: float = COMMAND_LIMIT,
    ) -> CompletedProcess[str]:
        full = [*command, *(str(argument) for argument in arguments)]
        return _run(full, cwd=cwd, env=environment | (env or {}), timeout=timeout)

    return run


def _run(
    arguments: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None, timeout: float = COMMAND_LIMIT
) -> CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=cwd,
        env=os.environ | (env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


def _missing(name: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not installed, and CI must run every test", pytrace=False)
    pytest.skip(f"{name} is not installed")


def _children() -> list[str]:
    """The command lines of this process's children, where the system tells (Linux)."""
    pids = [pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]
    return [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in pids]
