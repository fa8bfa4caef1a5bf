"""The JSON report: what its schema says, row by row as they come, and nothing that steers a reader."""

from __future__ import annotations

import base64
import json
import re
import tracemalloc
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from dcmsend.errors import ConnectError
from dcmsend.model import Conflict, Instance, Outcome, Peer, Refusal, State
from dcmsend.reasons import because
from dcmsend.report import document
from dcmsend.report.run import Run
from dcmsend.security import Identity, Tls
from tests.support.runs import (
    DAMAGED,
    EXPLICIT,
    FULL,
    GONE,
    LOST,
    NO_DICOM,
    PENDING,
    REMARK,
    STARTED,
    STORED,
    Facts,
    Source,
    Story,
    everything_stored,
    mixed,
    nothing_stored,
    row,
)

SCHEMA: Final[dict[str, Any]] = json.loads((files("dcmsend.report") / "schema.json").read_text(encoding="utf-8"))
PAGE: Final = Path(__file__).parents[2] / "docs" / "report-schema.md"


def parsed(story: Story) -> dict[str, Any]:
    """The report, which is what the schema says."""
    return check("".join(document.pieces(story.run())))


def check(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    validator = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(found)] == []
    return found


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema_version"]["const"] == document.SCHEMA_VERSION


def test_the_schema_knows_no_other_fields() -> None:
    """Else a report that says less or more would do."""

    def objects(schema: Any) -> Iterator[dict[str, Any]]:
        if isinstance(schema, dict):
            if "properties" in schema and "type" in schema:
                yield schema
            for each in schema.values():
                yield from objects(each)
        elif isinstance(schema, list):
            for each in schema:
                yield from objects(each)

    found = list(objects(SCHEMA))
    assert len(found) > 12
    for each in found:
        assert each["additionalProperties"] is False
        assert set(each["properties"]) - set(each["required"]) <= {"path_base64"}


@pytest.mark.parametrize(
    "story",
    [everything_stored(5), mixed(400), nothing_stored(9), Story(places=0), Story([row(1, PENDING)], places=0)],
    ids=["stored", "mixed", "nothing", "empty", "not tried"],
)
def test_reports_are_what_the_schema_says(story: Story) -> None:
    assert len(parsed(story)["instances"]) == len(story.rows)


def test_an_instance() -> None:
    found = parsed(Story([row(1, FULL, "study/one.dcm", association=1, context_id=3)]))["instances"]
    assert found == [
        {
            "number": 1,
            "path": "study/one.dcm",
            "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
            "sop_class_name": "CTImageStorage",
            "sop_instance_uid": "1.2.826.0.1.3680043.8.498.0.4711.1",
            "transfer_syntax_uid": "1.2.840.10008.1.2.1",
            "transfer_syntax_name": "Little Endian Explicit",
            "sent_transfer_syntax_uid": "1.2.840.10008.1.2.1",
            "dataset_bytes": 524288,
            "association": 1,
            "context_id": 3,
            "state": "answered",
            "stored": False,
            "status": 0xA700,
            "status_hex": "0xa700",
            "status_class": "refused",
            "code": "refused_out_of_resources",
            "reason": "disk full",
            "attempts": 1,
            "response_seconds": found[0]["response_seconds"],
        }
    ]
    assert 0 < found[0]["response_seconds"] < 1


def test_an_instance_that_was_not_tried() -> None:
    (found,) = parsed(Story([row(1, PENDING)], places=0))["instances"]
    nothing = ("association", "context_id", "sent_transfer_syntax_uid", "status", "status_hex", "status_class")
    assert [found[name] for name in (*nothing, "response_seconds")] == [None] * 7
    assert (found["state"], found["attempts"], found["stored"]) == ("not_tried", 0, False)


def test_the_run_as_a_whole() -> None:
    error = ConnectError("nobody there", hint="is it on?")
    refusals = [Refusal("a", GONE), Refusal("b", NO_DICOM), Refusal("c", NO_DICOM)]
    rows = [row(1, STORED), row(2, DAMAGED), row(3, PENDING)]
    found = parsed(Story(rows, refusals=refusals, left_over=4, error=error, exit_code=61))
    assert found["error"] == {"type": "ConnectError", "code": "said", "message": "nobody there", "hint": "is it on?"}
    assert (found["exit_code"], found["complete"]) == (61, False)
    assert found["totals"] == {
        "instances": 3, "stored": 1, "not_stored": 2, "stored_by_earlier_runs": 0, "answered": 1,
        "by_status_class": {"success": 1, "warning": 0, "error": 0, "refused": 0, "unknown": 0},
        "no_context": 0, "left_out": 1, "no_dicom": 2, "left_over": 4,
        "associations": 3, "presentation_contexts": 6, "stored_bytes": 524288,
        "postponed_attempts": 0,
    }  # fmt: skip
    assert [(one["kind"], one["code"], one["count"]) for one in found["failures"]] == [
        ("file", "too_short", 1),
        ("not_tried", "run_ended", 1),
    ]
    assert found["left_out_causes"] == [
        {
            "kind": "read", "code": "not_found", "reason": "No such file or directory", "count": 1, "examples": ["a"],
            "hint": GONE.hint(),
        }
    ]  # fmt: skip
    gone = {"code": "not_found", "reason": "No such file or directory"}
    assert found["left_out"] == [{"path": "a", **gone}]
    assert found["no_dicom"] == [{"path": path, "code": NO_DICOM.code, "reason": str(NO_DICOM)} for path in "bc"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", found["started"])
    assert found["started"] < found["ended"]
    from datetime import datetime

    assert datetime.fromisoformat(found["started"]).timestamp() == STARTED


@pytest.mark.parametrize(
    ("story", "complete"),
    [
        (Story([row(1, STORED)]), True),
        (Story([row(1, STORED)], refusals=[Refusal("a", NO_DICOM)]), True),
        (Story([row(1, STORED)], refusals=[Refusal("a", GONE)]), False),
        (Story([row(1, STORED)], left_over=1), False),
        (Story([row(1, DAMAGED)]), False),
        (Story([row(1, STORED)], error=ConnectError("nobody there")), False),
    ],
    ids=["stored", "no dicom", "left out", "left over", "failed", "error"],
)
def test_complete_is_all_that_was_named(story: Story, complete: bool) -> None:
    assert parsed(story)["complete"] is complete


def test_different_files_with_one_uid() -> None:
    story = Story([row(1, STORED), row(2, STORED)], conflicts=(Conflict("1.2.3", ("a", "b\udcff"), 2),))
    assert parsed(story)["conflicts"] == [{"sop_instance_uid": "1.2.3", "count": 2, "paths": ["a", "b\\xff"]}]


@pytest.mark.parametrize(
    ("facts", "code"),
    [(STORED, ""), (REMARK, "remark"), (FULL, "refused_out_of_resources"), (LOST, "not_answered")],
    ids=["stored", "remark", "refused", "lost"],
)
def test_an_instance_has_the_code_of_its_group(facts: Facts, code: str) -> None:
    found = parsed(Story([row(1, facts)]))
    assert found["instances"][0]["code"] == code
    assert [group["code"] for group in found["failures"]] == ([code] if facts in (FULL, LOST) else [])


def test_no_secret_of_the_peer_is_told() -> None:
    identity = Identity.of_user("jane", "secret-word")
    peer = Peer(host="host", port=104, identity=identity, tls=Tls(server_name="secret-name"))
    text = "".join(document.pieces(Story([row(1, STORED)], peer=peer).run()))
    assert check(text)["peer"] == {
        "host": "host", "port": 104, "called_ae": "ANY-SCP", "calling_ae": "DCMSEND", "tls": True,
    }  # fmt: skip
    assert "secret" not in text
    assert "jane" not in text


@pytest.mark.parametrize(
    ("path", "text", "raw"),
    [
        ("\u00e4/\u4e2d.dcm", "\u00e4/\u4e2d.dcm", None),
        ('a\nb"\\\u202e', 'a\nb"\\\u202e', None),
        ("\udcff\u00e4\n", "\\xff\u00e4\\n", b"\xff\xc3\xa4\n"),
        ("\ud800", "\\ud800", None),
    ],
)
def test_paths(path: str, text: str, raw: bytes | None) -> None:
    """Exact where they are text; else their bytes stand beside them. The file is ASCII in any case."""
    written = "".join(
        document.pieces(Story([row(1, DAMAGED, path)], refusals=[Refusal(path, GONE), Refusal(path, NO_DICOM)]).run())
    )
    assert written.isascii()
    assert all(line.isprintable() for line in written.split("\n"))
    found = check(written)
    for one in (found["instances"][0], found["left_out"][0], found["no_dicom"][0]):
        assert one["path"] == text
        assert ("path_base64" in one) == (raw is not None)
        assert raw is None or base64.b64decode(one["path_base64"]) == raw


def test_hostile_words_stay_words() -> None:
    forged = '", "stored": true, "x": "\n\u2028\x1b[2J\udc80'
    instance = Instance(forged, forged, forged, forged)
    outcome = Outcome(
        number=1,
        state=State.FAILED,
        reason=because("said", words=forged),
        association=1,
        network_syntax=forged,
        attempts=1,
    )
    refusals = [Refusal(forged, because("said", words=forged))]
    story = Story(
        [(instance, outcome)], refusals=refusals, reason=forged, peer=Peer(host=forged, port=1, called_ae=forged)
    )
    found = parsed(story)
    assert found["instances"][0]["stored"] is False
    assert "\n" not in found["instances"][0]["reason"] + found["left_out"][0]["reason"]


def test_what_is_bounded_says_what_is_left_out() -> None:
    found = parsed(Story(places=500))
    assert (found["associations"]["count"], found["associations"]["not_listed"]) == (500, 100)
    assert len(found["associations"]["items"]) == 400


def test_a_line_for_each_instance() -> None:
    lines = "".join(document.pieces(mixed(100).run())).splitlines()
    rows = [line for line in lines if line.startswith('    {"number": ')]
    assert [json.loads(line.rstrip(","))["number"] for line in rows] == list(range(1, 101))


def test_rows_are_streamed() -> None:
    made = refused = 0

    class Long(Source):
        def refusals(self) -> Iterator[Refusal]:
            nonlocal refused
            for number in range(1, 30_001):
                refused = number
                yield Refusal(str(number), GONE)

        def rows(self) -> Iterator[tuple[Instance, Outcome]]:
            nonlocal made
            for number in range(1, 30_001):
                made = number
                yield row(number, STORED)

    run = everything_stored(3).run()
    long = Run(
        source=Long((), run.source.totals), recorder=run.recorder, causes=run.causes, left_out=run.left_out,
        started=0.0, seconds=1.0, stored_bytes=0, exit_code=0,
    )  # fmt: skip
    pieces = document.pieces(long)
    next(pieces)
    assert made == 0
    tracemalloc.start()
    try:
        assert sum(1 for _ in pieces) > 30_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (made, refused) == (30_000, 30_000)
    assert peak < 200_000


def test_the_page_tells_of_every_field() -> None:
    def fields(schema: Any) -> Iterator[str]:
        if isinstance(schema, dict):
            yield from schema.get("properties", {})
            for each in schema.values():
                yield from fields(each)
        elif isinstance(schema, list):
            for each in schema:
                yield from fields(each)

    page = PAGE.read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z_0-9]+)`", page))
    assert set(fields(SCHEMA)) - told == set()
    (sample,) = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert check(sample)["schema_version"] == document.SCHEMA_VERSION
    assert EXPLICIT in sample
