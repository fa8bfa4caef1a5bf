"""A package that is gone, upgraded or broken under a long run: what is needed to end well has been loaded by then."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import dcmsend
from tests.support import report
from tests.support.builder import part10
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    accept,
    close,
    expect_message,
    release,
    reset,
    respond,
    stall,
)

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
LIMIT: Final = 60.0  # seconds
REPORTS: Final = ("txt", "json", "csv", "html")

# The command where nothing can be imported any more once a run has become a long one. It tells so by a file.
COMMAND: Final = """
import sys
from importlib.machinery import BuiltinImporter
import dcmsend.cli.main, dcmsend.cli.provision
from dcmsend.cli.program import program

provide = dcmsend.cli.provision.provide

class Gone:
    def find_spec(self, name, path=None, target=None):
        raise ImportError(f"{name} is gone")

def provided(arguments):
    provide(arguments)
    sys.meta_path[:] = [BuiltinImporter, Gone()]
    with open("provided", "w") as told:
        told.write("x")

dcmsend.cli.provision.provide = provided
dcmsend.cli.main.LONG = 0.01
program()
"""


@pytest.mark.parametrize("end", ["refused", "lost", "reset", "interrupted"])
def test_the_end_of_a_run_whose_package_is_gone(
    end: str, scripted_peer: Callable[..., ScriptedPeer], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(Path(dcmsend.__file__).parent, source / "dcmsend")
    for number in (1, 2):
        (tmp_path / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}"))
    (tmp_path / "bad.dcm").write_bytes(b"")
    os.mkfifo(tmp_path / "provided")
    here = threading.Event()

    def arrived(connection: Connection) -> None:
        here.set()

    ends = {
        "refused": [respond(0xA700), expect_message(), respond(0xC123, comment="no"), release()],
        "lost": [close()],
        "reset": [reset()],
        "interrupted": [respond(), release()],
    }
    second = [[accept(), expect_message(), respond(0xA700), release()]] if end in ("lost", "reset") else []
    peer = scripted_peer([accept(), expect_message(), arrived, stall(), *ends[end]], *second)
    words = [
        "-nh",
        "+crf",
        "told.txt",
        *(word for kind in REPORTS[1:] for word in (f"--report-{kind}", f"told.{kind}")),
    ]
    words += ["--journal", "journal", "127.0.0.1", str(peer.port), "1.dcm", "2.dcm", "bad.dcm"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert here.wait(LIMIT)
            assert (tmp_path / "provided").read_text() == "x"
            (source / "dcmsend").rename(tmp_path / "removed")
            if end == "interrupted":
                process.terminate()
                assert process.stderr is not None
                while "interrupted" not in process.stderr.readline():
                    pass
            peer.go_on()
            stderr = process.communicate(timeout=LIMIT)[1]
        finally:
            process.kill()
    assert "gone" not in stderr and "Traceback" not in stderr and "internal error" not in stderr, stderr
    assert process.returncode == (143 if end == "interrupted" else 66), stderr
    found = json.loads((tmp_path / "told.json").read_text())
    assert found["exit_code"] == process.returncode
    assert [row["Number"] for row in report.rows(tmp_path / "told.txt")] == ["1", "2"]
    assert "bad.dcm" in (tmp_path / "told.txt").read_text()  # left out
    assert len(found["instances"]) == 2
    assert len((tmp_path / "told.csv").read_text().splitlines()) >= 3
    assert (tmp_path / "told.html").read_text().endswith("</html>\n")
