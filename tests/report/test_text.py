"""The text report: DCMTK's bytes, rows that are streamed, lines that nobody can forge, and where it is written."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dcmsend.errors import ReportError
from dcmsend.model import Instance, Outcome, Peer, Refusal, State, StatusClass, Totals
from dcmsend.reasons import because
from dcmsend.report import file
from dcmsend.report.file import overwrites
from dcmsend.report.text import pieces, report_lines, summary_lines
from tests.support.runs import GONE, NO_DICOM

DATE = "2026-11-22 16:48:11"
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
PEER = Peer(host="host", port=104, called_ae="STORE")

HEADER = """\
Detailed Report on the Transfer of Instances
============================================

Communication Peer : host:104
AE Titles used     : DCMSEND -> STORE
Current Date/Time  : 2026-11-22 16:48:11


"""
SUMMARY_OF_NOTHING = """
Status Summary
--------------
Number of associations   : 0
Number of pres. contexts : 0
Number of SOP instances  : 0"""


def _totals(**counts: Any) -> Totals:
    defaults: dict[str, Any] = {
        "associations": 0, "contexts": 0, "instances": 0, "by_class": {}, "no_context": 0,
    }  # fmt: skip
    return Totals(**(defaults | counts))


@dataclass(frozen=True)
class Source:
    """Something to report on."""

    given: tuple[tuple[Instance, Outcome], ...] = ()
    totals: Totals = field(default_factory=_totals)
    peer: Peer = PEER
    refused: tuple[Refusal, ...] = ()

    def refusals(self) -> Iterator[Refusal]:
        return iter(self.refused)

    def rows(self) -> Iterator[tuple[Instance, Outcome]]:
        return iter(self.given)


def _row(path: str = "ct.dcm", **facts: Any) -> tuple[Instance, Outcome]:
    defaults: dict[str, Any] = {"number": 1, "state": State.PENDING}
    return Instance(path, CT, "1.2.3", EXPLICIT), Outcome(**(defaults | facts))


def write_report(path: str, source: Source, date: str) -> None:
    file.write(path, pieces(source, date))


def _written(source: Source, folder: Path) -> bytes:
    path = folder / "report.txt"
    write_report(str(path), source, DATE)
    assert [entry.name for entry in folder.iterdir()] == ["report.txt"]
    return path.read_bytes()


def test_row_of_a_stored_instance(tmp_path: Path) -> None:
    outcome: dict[str, Any] = {
        "state": State.ANSWERED,
        "status": 0,
        "association": 1,
        "context_id": 3,
        "dataset_size": 38870,
    }
    totals = _totals(associations=1, contexts=2, instances=1, by_class={StatusClass.SUCCESS: 1})
    assert _written(Source((_row(**outcome, network_syntax=EXPLICIT),), totals), tmp_path).decode() == (
        HEADER
        + """\
Number        : 1
Filename      : ct.dcm
SOP Instance  : 1.2.3
SOP Class     : 1.2.840.10008.5.1.4.1.1.2 = CTImageStorage
Original Xfer : 1.2.840.10008.1.2.1 = Little Endian Explicit
Dataset Size  : 38870 bytes
Association   : 1
Pres. Context : 3
Network Xfer  : 1.2.840.10008.1.2.1 = Little Endian Explicit
DIMSE Status  : 0x0000 (Success)


Status Summary
--------------
Number of associations   : 1
Number of pres. contexts : 2
Number of SOP instances  : 1
- sent to the peer       : 1
  * with status SUCCESS  : 1"""
    )


def test_report_without_rows(tmp_path: Path) -> None:
    assert _written(Source(), tmp_path).decode() == HEADER + SUMMARY_OF_NOTHING


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        ({"state": State.ANSWERED, "status": 0xB000}, ["0xb000 (Warning: CoercionOfDataElements)"]),
        ({"state": State.ANSWERED, "status": 0x0110}, ["0x0110 (Unknown Status: 0x110)"]),
        ({"state": State.NO_CONTEXT}, ["<no acceptable presentation context>"]),
        ({"state": State.PENDING}, ["<not sent>"]),
        ({"state": State.FAILED, "reason": GONE}, ["<not sent>", "Reason        : No such file or directory"]),
        (
            {"state": State.ANSWERED, "status": 0xA700, "reason": because("remark", words="full")},
            ["0xa700 (Refused: OutOfResources)", "Reason        : full"],
        ),
    ],
)
def test_end_of_a_row(facts: dict[str, Any], lines: list[str]) -> None:
    text = "\n".join(report_lines(Source((_row(**facts),)), DATE))
    assert text.partition("DIMSE Status  : ")[2].partition("\n\n")[0].split("\n") == lines


def test_what_was_left_out_has_a_section_behind_the_instances(tmp_path: Path) -> None:
    refusals = (Refusal("a/gone.dcm", GONE), Refusal("notes.txt", NO_DICOM), Refusal("", GONE))
    totals = _totals(instances=1, left_out=2, no_dicom=1, left_over=3)
    text = _written(Source((_row(),), totals, refused=refusals), tmp_path).decode()
    assert (
        text.partition("DIMSE Status  : <not sent>\n")[2]
        == """

Left out of the Input
---------------------
Filename      : a/gone.dcm
Reason        : No such file or directory

Filename      : <empty string>
Reason        : No such file or directory


Status Summary
--------------
Number of associations   : 0
Number of pres. contexts : 0
Number of SOP instances  : 1
- NOT sent to the peer   : 1
- left out of the input  : 2
- left over in journal   : 3"""
    )


def test_what_is_no_dicom_has_no_section(tmp_path: Path) -> None:
    source = Source(totals=_totals(no_dicom=1), refused=(Refusal("notes.txt", NO_DICOM),))
    assert _written(source, tmp_path).decode() == HEADER + SUMMARY_OF_NOTHING


def test_never_tried_has_no_network_syntax() -> None:
    assert "Network Xfer  : " in list(report_lines(Source((_row(),)), DATE))


def test_summary_shows_only_what_there_is() -> None:
    by_class = dict(zip(StatusClass, (1, 2, 3, 4, 5), strict=True))
    full = _totals(associations=2, contexts=9, instances=20, by_class=by_class, no_context=1)
    assert list(summary_lines(full)) == [
        "Status Summary",
        "--------------",
        "Number of associations   : 2",
        "Number of pres. contexts : 9",
        "Number of SOP instances  : 20",
        "- sent to the peer       : 15",
        "  * with status SUCCESS  : 1",
        "  * with status WARNING  : 2",
        "  * with status ERROR    : 3",
        "  * with status REFUSED  : 4",
        "  * with unknown status  : 5",
        "- NOT sent to the peer   : 5",
        "  * no acceptable pres.  : 1",
    ]
    unsent = list(summary_lines(_totals(instances=1, by_class=dict.fromkeys(StatusClass, 0))))
    assert unsent[5:] == ["- NOT sent to the peer   : 1"]


def test_nobody_forges_a_line() -> None:
    forged = "x\nDIMSE Status  : 0x0000 (Success)\r\x1b[2K\u2028"
    instance = Instance(forged, forged, forged, forged)
    said = because("said", words=forged)
    outcome = Outcome(number=1, state=State.FAILED, reason=said, network_syntax=forged)
    refused = (Refusal(forged, said),)
    source = Source(
        ((instance, outcome),),
        _totals(left_out=1),
        refused=refused,
        peer=Peer(host=forged, port=1, called_ae=forged, calling_ae=forged),
    )
    plainer = Source((_row(reason=GONE),), _totals(left_out=1), refused=(Refusal("x", GONE),))
    text = "\n".join(report_lines(source, DATE))
    assert len(text.splitlines()) == len(list(report_lines(plainer, DATE)))
    assert re.findall("^DIMSE Status.*", text, re.MULTILINE) == ["DIMSE Status  : <not sent>"]


@pytest.mark.parametrize(
    ("path", "name"),
    [("\u00e4 \u4e2d", "\u00e4 \u4e2d".encode()), ("\udcff\u00e4", b"\\xff\xc3\xa4"), ("\ud800", b"\\ud800")],
)
def test_the_report_is_utf_8_whatever_the_bytes_of_a_file_name(path: str, name: bytes, tmp_path: Path) -> None:
    assert b"\nFilename      : " + name + b"\n" in _written(Source((_row(path),)), tmp_path)


def test_rows_are_streamed(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    sizes: list[int] = []

    class Large(Source):
        def rows(self) -> Iterator[tuple[Instance, Outcome]]:
            for number in range(1, 2001):
                sizes.append(sum(path.stat().st_size for path in tmp_path.iterdir()))
                yield _row(number=number)

    write_report(str(target), Large(), DATE)
    assert sizes[-1] > target.stat().st_size * 0.5
    assert target.read_bytes().count(b"\nNumber        : ") == 2000


# --- where it is written


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_existing_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    assert not overwrites(str(path))
    path.write_text("old" * 1000)
    path.chmod(0o640)
    assert overwrites(str(path))
    assert _written(Source(), tmp_path).decode() == HEADER + SUMMARY_OF_NOTHING
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_older_report_stays_when_the_new_one_breaks(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    class Breaking(Source):
        def rows(self) -> Iterator[tuple[Instance, Outcome]]:
            yield _row()
            raise OSError(28, "No space left on device")

    with pytest.raises(ReportError, match="No space left on device"):
        write_report(str(path), Breaking(), DATE)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_link_stays_a_link(link: Callable[[Path, Path], None], tmp_path: Path) -> None:
    real, other = tmp_path / "real.txt", tmp_path / "other.txt"
    real.write_text("old")
    link(real, other)
    write_report(str(other), Source(), DATE)
    assert real.read_text() == other.read_text() == HEADER + SUMMARY_OF_NOTHING
    assert os.path.samefile(real, other)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_fifo(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write_report(str(path), Source(), DATE)
    reader.join()
    assert read == [(HEADER + SUMMARY_OF_NOTHING).encode()]
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert not overwrites(str(path))


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no such name here")
def test_standard_output_is_continued(tmp_path: Path) -> None:
    """DCMTK's dcmsend cuts off what a log held before."""
    program = (
        "from tests.report.test_text import DATE, Source, overwrites, write_report\n"
        "assert not overwrites('/dev/stdout')\n"
        "write_report('/dev/stdout', Source(), DATE)\n"
    )
    log = tmp_path / "log"
    log.write_text("before\n")
    with log.open("ab") as stream:
        subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], stdout=stream, check=True)
    assert log.read_text() == "before\n" + HEADER + SUMMARY_OF_NOTHING


def test_null_device() -> None:
    write_report(os.devnull, Source(), DATE)
    assert not overwrites(os.devnull)


@pytest.mark.parametrize("name", ["missing/report.txt", ".", "a\0b"])
def test_path_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    path = f"{tmp_path}/{name}"
    with pytest.raises(ReportError, match=r"^cannot write report file '.*': ."):
        write_report(path, Source(), DATE)
    assert list(tmp_path.iterdir()) == []


# --- beside DCMTK


@pytest.mark.dcmtk
def test_bytes_are_those_of_dcmtk(
    storescp: Callable[..., Any],
    dcmsend_oracle: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    data: Path,
) -> None:
    """DCMTK's own report of a run, and ours made from the facts of that run."""
    samples = sorted((data / "samples").iterdir())
    server = storescp()
    theirs = tmp_path / "theirs.txt"
    dcmsend_oracle("-nh", "-dn", "+crf", theirs, "127.0.0.1", str(server.port), *samples)
    text = theirs.read_text()
    date = re.findall(r"^Current Date/Time  : (.*)$", text, re.MULTILINE)[0]
    rows = [
        _row_from_text(block) for block in re.findall(r"^Number  .*?^DIMSE Status.*?$", text, re.MULTILINE | re.DOTALL)
    ]
    assert len(rows) == len(samples)
    source = Source(tuple(rows), _totals_from_text(text), Peer(host="127.0.0.1", port=server.port))
    ours = tmp_path / "ours.txt"
    write_report(str(ours), source, date)
    assert ours.read_bytes() == theirs.read_bytes()


def _row_from_text(block: str) -> tuple[Instance, Outcome]:
    fields = {line[:13].rstrip(): line[16:] for line in block.split("\n")}
    uid = {label: fields[label].split(" = ")[0] for label in ("SOP Class", "Original Xfer", "Network Xfer")}
    status = re.match(r"0x([0-9a-f]{4}) ", fields["DIMSE Status"])
    unsent = State.PENDING if fields["DIMSE Status"] == "<not sent>" else State.NO_CONTEXT
    outcome = Outcome(
        number=int(fields["Number"]),
        state=State.ANSWERED if status else unsent,
        status=int(status[1], 16) if status else None,
        association=int(fields["Association"]),
        context_id=int(fields["Pres. Context"]),
        network_syntax=uid["Network Xfer"],
        dataset_size=int(fields["Dataset Size"].split()[0]),
    )
    return Instance(fields["Filename"], uid["SOP Class"], fields["SOP Instance"], uid["Original Xfer"]), outcome


def _totals_from_text(text: str) -> Totals:
    counts = {label.strip(" -*"): int(count) for label, count in re.findall(r"^(.{24}) : (\d+)$", text, re.MULTILINE)}
    return _totals(
        associations=counts["Number of associations"],
        contexts=counts["Number of pres. contexts"],
        instances=counts["Number of SOP instances"],
        by_class={kind: counts.get(f"with status {kind.value}", 0) for kind in StatusClass},
        no_context=counts.get("no acceptable pres.", 0),
    )
