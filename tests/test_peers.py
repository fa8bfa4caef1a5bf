"""Real files to storage servers that nobody here wrote: all are accounted for, all that is stored is what the file has.

``DCMSEND_MORE_DATA`` names a further folder of DICOM files to send the same way.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.support import part10, report
from tests.support.builder import part10 as build

Command = Callable[..., CompletedProcess[str]]

DATA = Path(__file__).parent / "data"
FOLDERS = [DATA, *filter(None, [os.environ.get("DCMSEND_MORE_DATA") and Path(os.environ["DCMSEND_MORE_DATA"])])]


def send_all(run_dcmsend: Command, folder: Path, server: Any, path: Path, *options: str) -> list[report.Row]:
    """Send a folder with ``-nh`` and check what must hold whatever the server does; the report's rows."""
    words = (*options, "-v", "-nh", "+sd", "+r", "+crf", path, "-aec", server.aet, "127.0.0.1", server.port, folder)
    done = run_dcmsend(*words, timeout=600)
    rows = report.rows(path)
    counts = report.summary(path)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if counts.get("NOT sent to the peer", 0) == 0 and not refused(rows) else 66)
    assert counts["Number of SOP instances"] == len(rows)
    assert counts.get("sent to the peer", 0) == sum(row["DIMSE Status"].startswith("0x") for row in rows)
    for row in rows:
        assert row["DIMSE Status"].startswith("0x") or row["Reason"], row
    told = {line.split(": ")[2] for line in done.stderr.splitlines() if line.startswith("W: bad DICOM file: ")}
    skipped = {line.split(" twice")[0] for line in done.stderr.splitlines() if "already" in line}
    files = {str(file) for file in folder.rglob("*") if file.is_file()}
    missing = files - {row["Filename"] for row in rows} - told
    assert all(any(name in line for line in skipped) for name in missing), missing
    return rows


def refused(rows: list[report.Row]) -> list[report.Row]:
    return [row for row in rows if row["DIMSE Status"] != "0x0000 (Success)" and "Warning" not in row["DIMSE Status"]]


def successes(rows: list[report.Row]) -> Iterator[tuple[str, Path]]:
    for row in rows:
        if row["DIMSE Status"].startswith(("0x0000", "0xb")):
            yield row["SOP Instance"], Path(row["Filename"])


def check_bytes(rows: list[report.Row], server: Any) -> int:
    """Every stored data set is, bit for bit, that of a file which the report calls stored; how many were checked."""
    stored = server.stored()
    sources: dict[str, list[bytes]] = {}
    for instance, path in successes(rows):
        sources.setdefault(instance, []).append(part10.dataset(path))
    assert set(stored) == set(sources)
    for instance, data_sets in stored.items():
        assert data_sets, instance
        assert all(data in sources[instance] for data in data_sets), f"{instance} differs from its file"
    return len(stored)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
class TestEveryFile:
    def test_storescp(self, folder: Path, run_dcmsend: Command, storescp: Any, tmp_path: Path) -> None:
        server = storescp(no_delay=False)
        rows = send_all(run_dcmsend, folder, server, tmp_path / "report.txt")
        assert check_bytes(rows, server) > 20

    def test_dcmrecv(self, folder: Path, run_dcmsend: Command, dcmrecv: Any, tmp_path: Path) -> None:
        server = dcmrecv(no_delay=False)
        rows = send_all(run_dcmsend, folder, server, tmp_path / "report.txt")
        assert check_bytes(rows, server) > 20

    def test_pynetdicom(self, folder: Path, run_dcmsend: Command, pynetdicom_scp: Any, tmp_path: Path) -> None:
        server = pynetdicom_scp()
        rows = send_all(run_dcmsend, folder, server, tmp_path / "report.txt")
        assert check_bytes(rows, server) > 20

    def test_orthanc(self, folder: Path, run_dcmsend: Command, orthanc: Any, tmp_path: Path) -> None:
        """Orthanc writes data sets anew: they have the same values, not always the same bytes."""
        server = orthanc()
        rows = send_all(run_dcmsend, folder, server, tmp_path / "report.txt")
        stored = server.instances()
        sources: dict[str, list[Path]] = {}
        for instance, path in successes(rows):
            sources.setdefault(instance, []).append(path)
        assert set(stored) == set(sources)
        single = [(instance, paths[0]) for instance, paths in sources.items() if len(paths) == 1]
        assert len(single) > 20
        for instance, path in single:
            received = server.get(f"/instances/{stored[instance]}/file")
            same = part10.split(received)[1] == part10.dataset(path)
            assert same or part10.values(received) == part10.values(path.read_bytes()), path


def test_private_syntaxes_and_classes_go_as_they_are(run_dcmsend: Command, pynetdicom_scp: Any, tmp_path: Path) -> None:
    syntax, sop_class = "1.3.6.1.4.1.5962.300.1", "1.3.6.1.4.1.5962.301.9"
    path = tmp_path / "private.dcm"
    path.write_bytes(build(sop_class, "1.2.3.4", transfer_syntax=syntax, value=b"private!"))
    server = pynetdicom_scp()
    assert run_dcmsend("127.0.0.1", server.port, path).returncode == 22
    assert run_dcmsend("-nuc", "127.0.0.1", server.port, path).returncode == 0
    assert server.stored() == {"1.2.3.4": [part10.split(path.read_bytes())[1]]}


@pytest.fixture
def many_classes(tmp_path: Path) -> Path:
    """300 instances of 200 SOP classes, in an order in which the 101st to 200th class come before the first again."""
    folder = tmp_path / "classes"
    folder.mkdir()
    for number in range(300):
        sop_class = f"1.2.840.10008.5.1.4.1.1.9999.{number % 200}"
        (folder / f"{number:03}.dcm").write_bytes(build(sop_class, f"1.2.3.{number + 1}"))
    return folder


def test_200_sop_classes_go_over_several_associations(
    run_dcmsend: Command, storescp: Any, many_classes: Path, tmp_path: Path
) -> None:
    server = storescp()
    path = tmp_path / "report.txt"
    done = run_dcmsend("+sd", "+crf", path, "127.0.0.1", server.port, many_classes)
    assert (done.returncode, done.stderr) == (0, "")
    rows = report.rows(path)
    assert [row["SOP Instance"] for row in rows] == [f"1.2.3.{number + 1}" for number in range(300)]
    assert Counter(row["Association"] for row in rows) == {"1": 228, "2": 72}
    assert len({(row["Association"], row["Pres. Context"]) for row in rows}) == 200
    assert report.summary(path)["Number of pres. contexts"] == 200
    assert len(server.stored()) == 300


def test_with_a_single_association_the_rest_is_told(
    run_dcmsend: Command, storescp: Any, many_classes: Path, tmp_path: Path
) -> None:
    server = storescp()
    path = tmp_path / "report.txt"
    done = run_dcmsend("-ma", "+sd", "+crf", path, "127.0.0.1", server.port, many_classes)
    assert done.returncode == 66
    assert "72 SOP instances not tried: of 200 presentation contexts an association takes 128" in done.stderr
    rows = report.rows(path)
    told = [row for row in rows if "an association takes 128" in row.get("Reason", "")]
    assert len(told) == 72
    assert {row["DIMSE Status"] for row in told} == {"<not sent>"}
    assert len(server.stored()) == 228


def test_refused_classes_are_told_and_the_others_go(run_dcmsend: Command, pynetdicom_scp: Any, tmp_path: Path) -> None:
    ct, mr = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
    for number, sop_class in enumerate((ct, mr, ct, mr), 1):
        (tmp_path / f"{number}.dcm").write_bytes(build(sop_class, f"1.2.3.{number}"))
    server = pynetdicom_scp(sop_classes=[mr])
    path = tmp_path / "report.txt"
    done = run_dcmsend("-nh", "+crf", path, "127.0.0.1", server.port, *sorted(tmp_path.glob("*.dcm")))
    assert done.returncode == 66
    assert done.stderr.count("the peer does not support this SOP class") == 2
    statuses = [row["DIMSE Status"] for row in report.rows(path)]
    assert statuses == ["<no acceptable presentation context>", "0x0000 (Success)"] * 2


def test_dcmrecv_rejects_the_association_when_nothing_suits_it(
    run_dcmsend: Command, dcmrecv: Any, tmp_path: Path
) -> None:
    path = tmp_path / "private.dcm"
    path.write_bytes(build("1.2.3.4.5", "1.2.3.4"))
    done = run_dcmsend("127.0.0.1", dcmrecv().port, path)
    assert done.returncode == 61
    assert "association rejected" in done.stderr
    assert "when no presentation context suits them" in done.stderr
