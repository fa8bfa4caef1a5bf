"""The CSV report: RFC 4180, a line for each instance, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest

from dcmsend.model import Refusal
from dcmsend.reasons import NONE, because
from dcmsend.report import table
from tests.support.runs import DAMAGED, FULL, GONE, NO_CONTEXT, NO_DICOM, PENDING, REMARK, STORED, Story, mixed, row


def _written(story: Story) -> str:
    return "".join(table.pieces(story.run()))


def _rows(story: Story) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_written(story), newline=""), strict=True))


def test_header_and_line_ends() -> None:
    text = _written(Story([row(1, STORED, 'a,"b".dcm')]))
    lines = text.split("\r\n")
    assert lines[0] == ",".join(table.COLUMNS)
    assert lines[1].startswith('1,"a,""b"".dcm",1.2.840.10008.5.1.4.1.1.2,CTImageStorage,')
    assert lines[2:] == [""]
    assert "\n" not in text.replace("\r\n", "")


def test_nothing_but_the_header() -> None:
    assert _written(Story(places=0)) == ",".join(table.COLUMNS) + "\r\n"


def test_a_line_for_each_instance() -> None:
    story = mixed(500)
    found = _rows(story)[:500]
    assert [int(one["number"]) for one in found] == list(range(1, 501))
    assert [one["stored"] == "true" for one in found] == [outcome.stored for _, outcome in story.rows]
    assert [one["path"] for one in found] == [instance.path for instance, _ in story.rows]
    assert {len(one) for one in found} == {len(table.COLUMNS)}


def test_what_was_left_out_comes_last_and_what_is_no_dicom_does_not() -> None:
    refusals = [Refusal("=a", GONE), Refusal("b", NO_DICOM), Refusal("\udcff", because("folder_not_listed", GONE))]
    stored, first, second = _rows(Story([row(1, STORED)], refusals=refusals))
    assert stored["state"] == "answered"
    known = {"state": "left_out", "stored": "false"}
    assert {name: value for name, value in first.items() if value} == {
        "path": "'=a", "reason": "No such file or directory", **known,
    }  # fmt: skip
    assert {name: value for name, value in second.items() if value} == {
        "path": "\\xff", "reason": "cannot read directory: No such file or directory", **known,
    }  # fmt: skip


def test_fields() -> None:
    stored, remark, full, refused, damaged, pending = _rows(
        Story([row(n, facts) for n, facts in enumerate((STORED, REMARK, FULL, NO_CONTEXT, DAMAGED, PENDING), 1)])
    )
    assert (stored["status_hex"], stored["status_class"], stored["status_text"]) == ("0x0000", "success", "Success")
    assert 0 < float(stored["response_seconds"]) < 1
    assert (remark["status_class"], remark["stored"]) == ("warning", "true")
    assert (full["status_hex"], full["reason"], full["stored"]) == ("0xa700", "disk full", "false")
    assert (refused["state"], refused["status_hex"], refused["response_seconds"]) == ("no_context", "", "")
    assert (damaged["state"], damaged["reason"]) == ("failed", str(DAMAGED["reason"]))
    assert (pending["state"], pending["association"], pending["attempts"]) == ("not_tried", "", "0")


@pytest.mark.parametrize(
    ("path", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1.dcm", "'+1.dcm"),
        ("-1.dcm", "'-1.dcm"),
        ("@SUM(1)", "'@SUM(1)"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("'quoted", "''quoted"),
        ("\t=1", "\\t=1"),
        ("\r=1", "\\r=1"),
        ("a=1", "a=1"),
        ("a\nb\u2028c", "a\\nb\\u2028c"),
        ("\udcff\u00e4", "\\xff\u00e4"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("   ", "   "),
        ("", ""),
    ],
)
def test_cells_are_text_on_one_line(path: str, cell: str) -> None:
    assert table.field(path) == cell
    reason = because("said", words=path) if path else NONE
    story = Story([row(1, {**STORED, "reason": reason}, path or "x", sop_instance=path)])
    (found,) = _rows(story)
    assert (found["reason"], found["sop_instance_uid"]) == (cell, cell)
    assert len(_written(story).splitlines()) == 2
    _written(story).encode()  # it is UTF-8
