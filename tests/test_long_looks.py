"""Files that take minutes to be looked at: a request to stop ends the look, wherever it is, and there is a report."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import dcmsend
from dcmsend.errors import Interrupted, InvalidInputError
from dcmsend.events import AssociationAccepted, Event
from tests.support.builder import part10
from tests.support.scripted import ScriptedPeer, accept, drain

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
LIMIT: Final = 60.0  # seconds
ZEROS: Final = 5 << 30  # bytes; none of them on a disk


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A file of zeros: elements without end, for those who take it for a bare data set."""
    path = tmp_path / "zeros"
    with path.open("wb") as file:
        file.truncate(ZEROS)
    return path


@pytest.fixture
def hollow(tmp_path: Path) -> Path:
    """A file that begins as it should, and whose data set has a sequence of empty items without end."""
    path = tmp_path / "hollow.dcm"
    path.write_bytes(part10(CT, "1.2.3.1") + b"\xe0\x7f\x10\x00SQ\0\0\xff\xff\xff\xff")
    with path.open("ab") as file:
        for _ in range(64):
            file.write(b"\xfe\xff\x00\xe0\0\0\0\0" * (1 << 16))
        file.truncate(ZEROS)
    return path


def _stopped(path: Path, port: int, kind: type[Event], requests: int, **settings: object) -> dcmsend.Report:
    """Send a file, and ask to stop from another thread once an event has come and the file is being looked at."""
    stop = dcmsend.Stop()

    def ask() -> None:
        for _ in range(requests):
            stop.request()

    def listen(event: Event) -> None:
        if isinstance(event, kind):
            threading.Timer(0.2, ask).start()

    peer = dcmsend.Peer(host="127.0.0.1", port=port)
    return dcmsend.send(peer, [str(path)], listener=listen, stop=stop, **settings)  # type: ignore[arg-type]


def test_zeros_are_soon_known_to_be_none(bare: Path) -> None:
    """Nobody has to end that look: it is over after some thousand elements."""
    scan = dcmsend.ScanOptions(read_mode=dcmsend.ReadMode.FILE_OR_DATASET)
    with dcmsend.send(dcmsend.Peer(host="127.0.0.1", port=104), [str(bare)], scan=scan) as done:
        assert isinstance(done.error, InvalidInputError)
        assert [refusal.reason.code for refusal in done.refusals()] == ["no_identity"]


@pytest.mark.parametrize("associations", [1, 2])
def test_in_the_check(associations: int, hollow: Path, scripted_peer: Callable[..., ScriptedPeer]) -> None:
    peer = scripted_peer([accept(), drain()])
    limits = dcmsend.Limits(associations=associations)
    with _stopped(hollow, peer.port, AssociationAccepted, 2, limits=limits) as done:
        assert isinstance(done.error, Interrupted)
        ((_, outcome),) = done.rows()
        assert outcome.reason.innermost.code == "stopped"


@pytest.mark.skipif(sys.platform == "win32", reason="a signal cannot be sent to one process on Windows")
def test_by_ctrl_c(bare: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    command = [sys.executable, "-m", "dcmsend", "-v", "--read-file", "--report-json", str(told), "127.0.0.1", "104"]
    with subprocess.Popen([*command, str(bare)], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            while "checking input files" not in process.stderr.readline():
                pass
            process.terminate()
            process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    assert process.returncode == 143
    assert json.loads(told.read_text())["exit_code"] == 143
