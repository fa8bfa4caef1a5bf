"""Real files to storage servers that nobody here wrote: all are accounted for, all that is stored is what the file has.

``DCMSEND_MORE_DATA`` names a further folder of DICOM files to send the same way.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.support import part10, report
from tests.support.builder import part10 as build

Command = Callable[..., CompletedProcess[str]]

DATA = Path(__file__).parent / "data"
# What is odd on purpose is held against DCMTK's dcmsend elsewhere (``test_as_it_is``, ``test_deviant``).
OURS = tuple(DATA / name for name in ("dicomdir", "odd", "samples"))
MORE = os.environ.get("DCMSEND_MORE_DATA")
FOLDERS = {"data": OURS, **({Path(MORE).name: (Path(MORE),)} if MORE else {})}


def send_all(run_dcmsend: Command, folders: Sequence[Path], server: Any, path: Path, *options: str) -> list[report.Row]:
    """Send folders with ``-nh`` and check what must hold whatever the server does; the report's rows."""
    words = (*options, "-v", "-nh", "+sd", "+r", "+crf", path, "-aec", server.aet, "127.0.0.1", server.port, *folders)
    done = run_dcmsend(*words, timeout=600)
    rows = report.rows(path)
    counts = report.summary(path)
    assert "Traceback" not in done.stderr
    failed = counts.get("NOT sent to the peer", 0) or refused(rows)
    assert done.returncode == (66 if failed else 67 if counts.get("left out of the input") else 0)
    assert counts["Number of SOP instances"] == len(rows)
    assert counts.get("sent to the peer", 0) == sum(row["DIMSE Status"].startswith("0x") for row in rows)
    for row in rows:
        assert row["DIMSE Status"].startswith("0x") or row["Reason"], row
    told = {line.split(": ")[2] for line in done.stderr.splitlines() if line.startswith("W: bad DICOM file: ")}
    skipped = {line.split(" twice")[0] for line in done.stderr.splitlines() if "already" in line}
    files = {str(file) for folder in folders for file in folder.rglob("*") if file.is_file()}
    missing = files - {row["Filename"] for row in rows} - told
    assert all(any(name in line for line in skipped) for name in missing), missing
    return rows


def refused(rows: list[report.Row]) -> list[report.Row]:
    return [row for row in rows if row["DIMSE Status"] != "0x0000 (Success)" and "Warning" not in row["DIMSE Status"]]


def successes(rows: list[report.Row]) -> list[report.Row]:
    return [row for row in rows if row["DIMSE Status"].startswith(("0x0000", "0xb"))]


# What decoding changes in the data set that has the pixels (PS3.3 C.7.6.3, PS3.5 8.2).
IMAGE = ("PhotometricInterpretation", "PlanarConfiguration", "PixelData", "ExtendedOffsetTable",
         "ExtendedOffsetTableLengths", "LossyImageCompression")  # fmt: skip


def check_files(rows: list[report.Row], files: Iterable[bytes]) -> tuple[int, int]:
    """Everything stored is what a file that the report calls stored has; how many are so as it is, how many converted.

    Bit for bit, unless the report says that the file was converted, or the data set had to be mended.
    """
    sources: dict[str, list[report.Row]] = {}
    for row in successes(rows):
        sources.setdefault(row["SOP Instance"], []).append(row)
    counts: Counter[str] = Counter()
    found = set()
    for file in files:
        meta, data = part10.split(file)
        instance, syntax = part10.uid(meta[part10.SOP_INSTANCE]), part10.uid(meta[part10.TRANSFER_SYNTAX])
        found.add(instance)
        candidates = [row for row in sources[instance] if row["Network Xfer"].startswith(f"{syntax} ")]
        kinds = {kind for row in candidates if (kind := _likeness(data, file, row))}
        assert kinds, f"{instance} differs from its file"
        counts[min(kinds)] += 1
    assert found == set(sources)
    assert counts["mended"] <= len([row for row in rows if Path(row["Filename"]).name in MENDED])
    return counts["as it is"], counts["converted"]


MENDED = ("odd_length.dcm", "dx_image.dcm", "winter.dcm")  # the same odd file under two names; an element twice


def _likeness(data: bytes, file: bytes, row: report.Row) -> str:
    path = Path(row["Filename"])
    if data == part10.dataset(path):
        return "as it is"
    stored, source = part10.values(file), part10.values(path.read_bytes())
    pixels = [bytes(dataset.get("PixelData", b"")) for dataset in (stored, source)]
    if row["Network Xfer"] == row["Original Xfer"]:
        for dataset in (stored, source):
            dataset.pop("PixelData", None)  # a file of the same instance may have none
        return "mended" if stored == source and pixels[0].rstrip(b"\0") == pixels[1].rstrip(b"\0") else ""
    if not row["Original Xfer"].startswith(NATIVE):
        frame = stored.Rows * stored.Columns * stored.SamplesPerPixel * stored.BitsAllocated
        size = (frame * int(stored.get("NumberOfFrames", 1)) + 7) // 8
        if len(pixels[0]) != size + size % 2:
            return ""
        for dataset in (stored, source):
            for keyword in IMAGE:
                if keyword in dataset:
                    delattr(dataset, keyword)
    return "converted" if stored == source else ""


NATIVE = tuple(f"1.2.840.10008.1.2{end} " for end in ("", ".1", ".2"))


def check_folder(rows: list[report.Row], server: Any) -> tuple[int, int]:
    """``check_files`` for a server that writes Part 10 files."""
    return check_files(rows, (path.read_bytes() for path in server.files()))


@pytest.mark.parametrize("folders", FOLDERS.values(), ids=FOLDERS.keys())
class TestEveryFile:
    """``converted``: what the server does not take as it is, and what is converted for it."""

    def test_storescp(self, folders: Sequence[Path], run_dcmsend: Command, storescp: Any, tmp_path: Path) -> None:
        server = storescp(no_delay=False)
        rows = send_all(run_dcmsend, folders, server, tmp_path / "report.txt")
        same, converted = check_folder(rows, server)
        assert same > 20
        assert converted >= 3  # JPEG process 14, HTJ2K, deflated image frame

    def test_dcmrecv(self, folders: Sequence[Path], run_dcmsend: Command, dcmrecv: Any, tmp_path: Path) -> None:
        server = dcmrecv(no_delay=False)
        rows = send_all(run_dcmsend, folders, server, tmp_path / "report.txt")
        same, _ = check_folder(rows, server)
        assert same > 20

    def test_pynetdicom(
        self, folders: Sequence[Path], run_dcmsend: Command, pynetdicom_scp: Any, tmp_path: Path
    ) -> None:
        server = pynetdicom_scp()
        rows = send_all(run_dcmsend, folders, server, tmp_path / "report.txt")
        same, converted = check_folder(rows, server)
        assert same > 20
        assert converted == 0

    def test_orthanc(self, folders: Sequence[Path], run_dcmsend: Command, orthanc: Any, tmp_path: Path) -> None:
        """Orthanc writes data sets anew: they have the same values, not always the same bytes."""
        server = orthanc()
        rows = send_all(run_dcmsend, folders, server, tmp_path / "report.txt")
        stored = server.instances()
        sources: dict[str, list[report.Row]] = {}
        for row in successes(rows):
            sources.setdefault(row["SOP Instance"], []).append(row)
        assert set(stored) == set(sources)
        single = [(instance, found[0]) for instance, found in sources.items() if len(found) == 1]
        assert len(single) > 20
        for instance, row in single:
            received = server.get(f"/instances/{stored[instance]}/file")
            same = part10.values(received) == part10.values(Path(row["Filename"]).read_bytes())
            assert same or _likeness(part10.split(received)[1], received, row), row["Filename"]


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
    # Two contexts for each class, so 64 classes to an association.
    assert Counter(row["Association"] for row in rows) == {"1": 128, "2": 100, "3": 64, "4": 8}
    assert len({(row["Association"], row["Pres. Context"]) for row in rows}) == 200
    assert report.summary(path)["Number of pres. contexts"] == 400
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
    told, _, why = done.stderr.partition("E: 2 of 4 SOP instances were not stored\n")
    assert told.count("the peer does not support this SOP class") == 2
    assert why.startswith("E:   2 x CTImageStorage: ")
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
