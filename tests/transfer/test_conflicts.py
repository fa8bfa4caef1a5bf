"""Files of one SOP Instance UID: where they differ the user is told, since a receiver keeps only one."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import dcmsend
from dcmsend import Notice, Peer, ScanOptions
from tests.support.builder import part10
from tests.support.flaky import FlakyPeer

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MR: Final = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT: Final = "1.2.840.10008.1.2"
FEW: Final = 3
MANY: Final = 700  # more than the list keeps in memory


@pytest.fixture
def peer() -> Iterator[FlakyPeer]:
    started = FlakyPeer(1, ("serve",), statuses=(0,))
    yield started
    started.stop()


@pytest.mark.parametrize("others", [FEW, MANY])
def test_what_differs_is_told(others: int, peer: FlakyPeer, tmp_path: Path) -> None:
    for number in range(others):
        (tmp_path / f"{number}.dcm").write_bytes(part10(CT, f"1.2.4.{number}"))
    files = {
        "same 1": part10(CT, "1.2.3.1", value=b"abcd"),
        "same 2": part10(CT, "1.2.3.1", value=b"abcd"),
        "value 1": part10(CT, "1.2.3.2", value=b"abcd"),
        "value 2": part10(CT, "1.2.3.2", value=b"abce"),
        "value 3": part10(CT, "1.2.3.2", value=b"abcd"),
        "size 1": part10(CT, "1.2.3.3", value=b"abcd"),
        "size 2": part10(CT, "1.2.3.3", value=b"abcdef"),
        "class 1": part10(CT, "1.2.3.4"),
        "class 2": part10(MR, "1.2.3.4"),
        "preamble 1": part10(CT, "1.2.3.5"),
        "preamble 2": b"II*\0" + part10(CT, "1.2.3.5")[4:],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    told: list[str] = []
    with dcmsend.send(
        Peer(host="127.0.0.1", port=peer.port),
        [str(tmp_path)],
        scan=ScanOptions(directories=True),
        listener=lambda event: told.append(event.text) if isinstance(event, Notice) else None,
    ) as report:
        assert report.complete
        assert report.totals.stored == others + len(files)
        found = {conflict.sop_instance: conflict for conflict in report.conflicts}
    assert sorted(found) == ["1.2.3.2", "1.2.3.3", "1.2.3.4"]
    assert [Path(path).name for path in found["1.2.3.2"].paths] == ["value 1", "value 2", "value 3"]
    assert told == [str(conflict) for conflict in report.conflicts]
    assert str(found["1.2.3.3"]) == (
        f"2 files have SOP Instance UID 1.2.3.3 and different content: {tmp_path}/size 1, {tmp_path}/size 2"
    )


def test_members_of_archives_are_compared(peer: FlakyPeer, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1", part10(CT, "1.2.3.1", value=b"abcd"))
        archive.writestr("2", part10(CT, "1.2.3.2", value=b"abcd"))
    (tmp_path / "1").write_bytes(part10(CT, "1.2.3.1", value=b"abcd"))
    (tmp_path / "2").write_bytes(part10(CT, "1.2.3.2", value=b"xbcd"))
    files = [tmp_path / name for name in ("a.zip", "1", "2")]
    with dcmsend.send(Peer(host="127.0.0.1", port=peer.port), files, scan=ScanOptions(archives=True)) as report:
        assert [conflict.sop_instance for conflict in report.conflicts] == ["1.2.3.2"]


def test_log_and_reports_tell_it(peer: FlakyPeer, tmp_path: Path) -> None:
    for name, value in (("a", b"abcd"), ("b", b"abce")):
        (tmp_path / name).write_bytes(part10(CT, "1.2.3.1", value=value))
    reports = ["--report-json", str(tmp_path / "r.json"), "--report-html", str(tmp_path / "r.html")]
    done = subprocess.run(
        [sys.executable, "-m", "dcmsend", *reports, "127.0.0.1", str(peer.port), tmp_path / "a", tmp_path / "b"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    words = f"2 files have SOP Instance UID 1.2.3.1 and different content: {tmp_path}/a, {tmp_path}/b"
    assert done.stderr == f"W: {words}\n"
    assert json.loads((tmp_path / "r.json").read_text())["conflicts"] == [
        {"sop_instance_uid": "1.2.3.1", "count": 2, "paths": [f"{tmp_path}/a", f"{tmp_path}/b"]}
    ]
    assert words in (tmp_path / "r.html").read_text()
