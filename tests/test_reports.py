"""All four reports at once, by the command, with real peers and with one that misbehaves: they agree."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import pytest

from tests.report.test_document import check
from tests.support import report
from tests.support.browser import Browser
from tests.support.builder import part10
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    accept,
    close,
    expect_message,
    reject,
    release,
    respond,
    store,
)
from tests.support.servers import FolderServer

Command = Callable[..., CompletedProcess[str]]
Peer = Callable[..., ScriptedPeer]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
KINDS: Final = ("json", "csv", "html")
LIMIT: Final = 60.0  # seconds


def _words(folder: Path) -> list[str]:
    further = [word for kind in KINDS for word in (f"--report-{kind}", str(folder / f"report.{kind}"))]
    return ["+crf", str(folder / "report.txt"), *further]


def _instances(folder: Path, count: int) -> list[str]:
    """Small files to be sent."""
    for number in range(1, count + 1):
        (folder / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}"))
    return [str(folder / f"{number}.dcm") for number in range(1, count + 1)]


def _json(folder: Path) -> dict[str, Any]:
    """The JSON report, which is what its schema says, after a look whether the others say the same."""
    found = check((folder / "report.json").read_text(encoding="ascii"))
    texts = report.rows(folder / "report.txt")
    with (folder / "report.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file, strict=True))
    rows = found["instances"]
    left_out = [line for line in lines if line["state"] == "left_out"]
    lines = lines[: len(lines) - len(left_out)]
    assert (
        [str(row["number"]) for row in rows] == [line["number"] for line in lines] == [one["Number"] for one in texts]
    )
    assert (
        [(one["path"], one["reason"]) for one in found["left_out"]]
        == [(line["path"], line["reason"]) for line in left_out]
        == report.left_out(folder / "report.txt")
    )
    assert sum(group["count"] for group in found["left_out_causes"]) == found["totals"]["left_out"]
    assert [row["path"] for row in rows] == [line["path"] for line in lines] == [one["Filename"] for one in texts]
    assert (
        [row["reason"] for row in rows]
        == [line["reason"] for line in lines]
        == [one.get("Reason", "") for one in texts]
    )
    assert [row["status_hex"] or "" for row in rows] == [line["status_hex"] for line in lines]
    assert [row["response_seconds"] is None for row in rows] == [not line["response_seconds"] for line in lines]
    totals = found["totals"]
    assert totals["instances"] == len(rows)
    assert totals["stored"] == sum(row["stored"] for row in rows)
    assert sum(group["count"] for group in found["failures"]) == totals["not_stored"]
    assert totals["stored_bytes"] == sum(row["dataset_bytes"] for row in rows if row["stored"])
    assert sum(one["stored_bytes"] for one in found["throughput"]["intervals"]) == totals["stored_bytes"]
    assert found["response_times"]["count"] == sum(row["response_seconds"] is not None for row in rows)
    assert "<!DOCTYPE html>" in (folder / "report.html").read_text(encoding="utf-8")
    return found


@pytest.mark.dcmtk
@pytest.mark.parametrize("associations", ["1", "3"])
def test_everything_stored(
    associations: str,
    storescp: Callable[..., FolderServer],
    run_dcmsend: Command,
    data: Path,
    browser: Browser,
    tmp_path: Path,
) -> None:
    server = storescp("--fork") if associations != "1" else storescp()
    words = _words(tmp_path)
    samples = [data / "samples" / name for name in ("ct_explicit.dcm", "mr_implicit.dcm", "ecg_waveform.dcm")]
    done = run_dcmsend("-v", *words, "--associations", associations, "127.0.0.1", server.port, *samples)
    assert done.returncode == 0, done.stderr
    found = _json(tmp_path)
    assert (found["complete"], found["exit_code"], found["failures"], found["error"]) == (True, 0, [], None)
    assert [row["dataset_bytes"] > 0 and row["response_seconds"] > 0 for row in found["instances"]] == [True] * 3
    assert found["associations"]["count"] == found["totals"]["associations"] >= 1
    for record in found["associations"]["items"]:
        assert record["implementation"].startswith("OFFIS_DCMTK")
        assert record["requested_seconds"] <= record["accepted_seconds"] <= record["ended_seconds"] <= found["seconds"]
        assert record["end_reason"] == ""
    assert sum(record["stored"] for record in found["associations"]["items"]) == 3
    size = found["totals"]["stored_bytes"]
    assert done.stderr.splitlines()[-1].startswith(f"I: 3 instances with {size} bytes stored in ")
    browser.scripts(on=True)
    browser.open(tmp_path / "report.html")
    assert browser.texts("h1") == ["All 3 instances are stored"]
    assert browser.texts("#rows .path:not(.uid)") == [str(sample) for sample in samples]


def test_failures_of_every_kind(scripted_peer: Peer, run_dcmsend: Command, browser: Browser, tmp_path: Path) -> None:
    files = _instances(tmp_path, 6)
    damaged = tmp_path / "2.dcm"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    (tmp_path / "none.txt").write_text("no DICOM")
    peer = scripted_peer(
        [accept(), store(), store(0xA700, comment="disk full"), store(0xB000), expect_message(), close()],
        [accept(), store(0xA700, comment="disk full"), release()],
    )
    done = run_dcmsend(
        "-nh", *_words(tmp_path), "127.0.0.1", peer.port, *files, tmp_path / "none.txt", tmp_path / "gone.dcm"
    )
    assert done.returncode == 66, done.stderr
    found = _json(tmp_path)
    assert [(row["state"], row["status_hex"]) for row in found["instances"]] == [
        ("answered", "0x0000"),
        ("failed", None),
        ("answered", "0xa700"),
        ("answered", "0xb000"),
        ("failed", None),
        ("answered", "0xa700"),
    ]
    assert [(group["kind"], group["count"], group["examples"]) for group in found["failures"]] == [
        ("refused", 2, [files[2], files[5]]),
        ("file", 1, [files[1]]),
        ("not_answered", 1, [files[4]]),
    ]
    assert [one["path"] for one in found["no_dicom"]] == [str(tmp_path / "none.txt")]
    assert [one["path"] for one in found["left_out"]] == [str(tmp_path / "gone.dcm")]
    assert [(group["code"], group["count"]) for group in found["left_out_causes"]] == [("not_found", 1)]
    first, second = found["associations"]["items"]
    assert (first["stored"], first["not_stored"], second["stored"], second["not_stored"]) == (2, 3, 0, 1)
    assert first["end_reason"]
    assert not second["end_reason"]
    told = done.stderr.splitlines()
    at = told.index("E: 4 of 6 SOP instances were not stored")
    assert told[at + 1] == f"E:   2 x 0xa700 (Refused: OutOfResources): disk full: {files[2]}, {files[5]}"
    assert told[at + 2].startswith("E:       The peer is out of resources")
    assert told[at + 7] == "E: 1 input was left out"
    assert told[at + 8] == f"E:   1 x No such file or directory: {tmp_path / 'gone.dcm'}"
    assert len(told) == at + 10
    browser.scripts(on=True)
    browser.open(tmp_path / "report.html")
    assert browser.texts("h1") == ["4 of 6 instances are not stored, and 1 input was left out"]
    assert browser.texts("#rows .path:not(.uid)")[:4] == [files[1], files[2], files[4], files[5]]


def test_quiet_says_in_a_line_that_not_all_is_stored(scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(0xA700), release()])
    done = run_dcmsend("-q", *_words(tmp_path), "127.0.0.1", peer.port, *_instances(tmp_path, 1))
    assert (done.returncode, done.stderr) == (66, "F: 1 of 1 SOP instances were not stored\n")
    assert _json(tmp_path)["totals"]["not_stored"] == 1


def test_a_peer_that_rejects(scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path) -> None:
    peer = scripted_peer([reject(result=1, source=1, reason=3)])
    done = run_dcmsend(*_words(tmp_path), "127.0.0.1", peer.port, *_instances(tmp_path, 2))
    assert done.returncode == 61
    found = _json(tmp_path)
    assert (found["exit_code"], found["error"]["type"]) == (61, "AssociationRejected")
    assert found["associations"]["items"][0]["accepted_seconds"] is None
    assert [(group["kind"], group["count"]) for group in found["failures"]] == [("not_tried", 2)]
    assert found["response_times"]["percentiles"]["p50"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="a signal cannot be sent to one process on Windows")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run(number: int, code: int, scripted_peer: Peer, tmp_path: Path) -> None:
    processes: list[subprocess.Popen[str]] = []

    def interrupt(connection: Connection) -> None:
        connection.read_message()
        processes[0].send_signal(number)
        assert processes[0].stderr is not None
        assert "interrupted" in processes[0].stderr.readline()  # it has been heard
        respond()(connection)

    peer = scripted_peer([accept(), interrupt, release()])
    command = [
        sys.executable,
        "-m",
        "dcmsend",
        *_words(tmp_path),
        "127.0.0.1",
        str(peer.port),
        *_instances(tmp_path, 3),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        processes.append(process)
        assert process.wait(LIMIT) == code
    found = _json(tmp_path)
    assert (found["exit_code"], found["totals"]["stored"], found["error"]["type"]) == (code, 1, "Interrupted")
    assert [row["state"] for row in found["instances"]] == ["answered", "not_tried", "not_tried"]


def test_attempts_and_earlier_runs(scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path) -> None:
    files = _instances(tmp_path, 2)
    peer = scripted_peer(
        [accept(), store(), store(0xA700), release()], [accept(), store(), release()], [accept(), store(), release()]
    )
    journal = ("--journal", tmp_path / "run.journal")
    first = ("--retries", "1", "--retry-delay", "0", *journal, *_words(tmp_path), "127.0.0.1", peer.port, *files)
    assert run_dcmsend(*first).returncode == 0
    found = _json(tmp_path)
    assert [row["attempts"] for row in found["instances"]] == [1, 2]
    assert found["totals"]["postponed_attempts"] == 1
    assert [one["stored"] for one in found["associations"]["items"]] == [1, 1]
    (tmp_path / "3.dcm").write_bytes(part10(CT, "1.2.3.3"))
    done = run_dcmsend("-v", *journal, *_words(tmp_path), "127.0.0.1", peer.port, *files, tmp_path / "3.dcm")
    assert done.returncode == 0
    found = _json(tmp_path)
    assert (found["totals"]["stored"], found["totals"]["stored_by_earlier_runs"]) == (3, 2)
    assert [row["attempts"] for row in found["instances"]] == [0, 0, 1]
    assert done.stderr.splitlines()[-1].startswith("I: 1 instance with ")


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no such name here")
def test_standard_output(scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), release()])
    done = run_dcmsend("--report-json", "/dev/stdout", "127.0.0.1", peer.port, *_instances(tmp_path, 1))
    assert (done.returncode, done.stderr) == (0, "")
    assert check(done.stdout)["complete"] is True


def test_bytes_are_summed_over_a_list_that_was_written(
    scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """More instances than are gathered before the list goes to its database, of which some are not stored."""
    count = 300
    files = _instances(tmp_path, count)
    peer = scripted_peer([accept(), *(store(0xA700 if n % 3 == 0 else 0) for n in range(count)), release()])
    done = run_dcmsend("-nh", "-v", *_words(tmp_path), "127.0.0.1", peer.port, *files)
    found = _json(tmp_path)
    assert (found["totals"]["stored"], found["totals"]["not_stored"]) == (200, 100)
    size = found["totals"]["stored_bytes"]
    assert size > 200 * 40
    assert f"I: 200 instances with {size} bytes stored in " in done.stderr


def test_names_that_are_no_text(scripted_peer: Peer, run_dcmsend: Command, browser: Browser, tmp_path: Path) -> None:
    import base64
    import os

    folder = tmp_path / "files"
    folder.mkdir()
    name = os.fsencode(folder) + b"/=\xff</script>\n.dcm".replace(b"/s", b"\\s")
    with open(name, "wb") as file:
        file.write(part10(CT, "1.2.3.1"))
    peer = scripted_peer([accept(), store(), release()])
    done = run_dcmsend(*_words(tmp_path), "127.0.0.1", peer.port, "+sd", folder)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "report.json").read_text(encoding="ascii"))["instances"]
    assert base64.b64decode(row["path_base64"]) == name
    browser.scripts(on=True)
    browser.open(tmp_path / "report.html")
    assert browser.texts("#rows .path:not(.uid)") == [row["path"]] == [f"{folder}/=\\xff<\\script>\\n.dcm"]
