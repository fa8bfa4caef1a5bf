"""``--log-format json``: every line on standard error is an object that its page describes."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final, get_args

import pytest

from dcmsend.cli.log import Level
from dcmsend.cli.logs.json_lines import LONGEST_PATH, LONGEST_TEXT, JsonListener, JsonLog, stamp, valid
from dcmsend.errors import ConnectError
from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    Context,
    Event,
    InstanceFinished,
    InstanceKnown,
    InstancePostponed,
    InstanceStarted,
    ScanFinished,
    ScanStarted,
)
from dcmsend.model import Instance, Notice, Outcome, Refusal, State, Totals
from dcmsend.reasons import because
from tests.support.runs import GONE, NO_DICOM
from tests.support.scripted import ScriptedPeer, accept, release, store

Command = Callable[..., CompletedProcess[str]]

PAGE: Final = Path(__file__).parents[2] / "docs" / "logging.md"
ROW: Final = re.compile(r"^\| `(\w+)` \| ([\w, ]+) \| (.*?) \| .* \|$", re.MULTILINE)
COMMON: Final = {"time", "level", "event"}
CT: Final = Instance("ct.dcm", "1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1", 100)
PROPOSED: Final = (Context(1, CT.sop_class, (CT.transfer_syntax,)), Context(3, "1.2.3", ("1.2.4",)))
ANSWERED: Final = (
    Context(1, CT.sop_class, (CT.transfer_syntax,), CT.transfer_syntax, 0),
    Context(3, "1.2.3", ("1.2.4",), "", 3),
)


def _page() -> dict[str, tuple[set[str], set[str]]]:
    """The levels and fields of each event, as the page has them."""
    table = PAGE.read_text(encoding="utf-8").partition("### Events")[2]
    return {
        name: (set(levels.split(", ")), set(re.findall(r"`(\w+)`", fields)))
        for name, levels, fields in ROW.findall(table)
    }


def _told(level: Level, *events: Event, halt: bool = False, contexts: bool = False) -> list[dict[str, Any]]:
    stream = io.StringIO()
    listener = JsonListener(JsonLog(stream, level, lambda: 0.0), halt=halt, contexts=contexts)
    for event in events:
        listener(event)
    return _objects(stream.getvalue())


def _objects(text: str) -> list[dict[str, Any]]:
    """The objects of all lines; each must be as the page says."""
    assert text.isascii()
    assert not text or text.endswith("\n")
    found = [json.loads(line) for line in text.splitlines()]
    page = _page()
    for each in found:
        levels, fields = page[each["event"]]
        assert list(each)[:3] == ["time", "level", "event"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", each["time"])
        assert each["level"] in levels or levels == {"any"}
        assert set(each) - COMMON == fields - ({"contexts"} - set(each))
    return found


OUTCOME: Final = Outcome(number=1, state=State.ANSWERED, status=0, association=1, context_id=1, attempts=1)
ALL: Final[tuple[Event, ...]] = (
    ScanStarted(directories=True),
    ScanFinished(1, 2, 3, 4),
    Refusal("a", GONE),
    Refusal("b", NO_DICOM),
    Notice("look"),
    AssociationRequested(1, PROPOSED, multiple=True),
    AssociationAccepted(1, 16384, ANSWERED, "PEER_1", "TLS"),
    AssociationEnded(1),
    InstanceStarted(1, CT, 1, 7, 1, CT.transfer_syntax),
    InstancePostponed(CT, OUTCOME, aside=True),
    InstanceKnown(CT, OUTCOME),
    InstanceFinished(CT, OUTCOME),
)


def test_every_event_is_told_as_the_page_says() -> None:
    assert {type(event) for event in ALL} == set(get_args(Event))
    told = _told(Level.DEBUG, *ALL)
    assert len(told) == len(ALL)
    assert [each["event"] for each in told[2:4]] == ["left_out", "no_dicom"]
    assert {each["event"] for each in told} | {"cause", "message", "error", "run_finished"} == set(_page())


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (ScanStarted(directories=False), "info"),
        (Refusal("a", GONE), "error"),
        (Refusal("a", NO_DICOM), "error"),
        (Notice("a"), "warn"),
        (AssociationEnded(1), "info"),
        (AssociationEnded(1, because("said", words="gone")), "warn"),
        (InstanceKnown(CT, OUTCOME), "debug"),
        (InstanceFinished(CT, OUTCOME), "info"),
        (InstanceFinished(CT, Outcome(number=1, state=State.ANSWERED, status=0xB000)), "warn"),
        (InstanceFinished(CT, Outcome(number=1, state=State.ANSWERED, status=0xA700)), "error"),
        (InstanceFinished(CT, Outcome(number=1, state=State.FAILED, reason=GONE)), "error"),
    ],
)
def test_level_of_an_event(event: Event, level: str) -> None:
    own = Level[level.upper()]
    assert [each["level"] for each in _told(own, event)] == [level]
    assert _told(Level(own - 1), event) == []


@pytest.mark.parametrize(
    ("refusal", "halt", "ends"),
    [
        (Refusal("a", GONE), True, True),
        (Refusal("a", GONE), False, False),
        (Refusal("a", NO_DICOM), True, True),
        (Refusal("a", because("folder_not_searched")), True, False),
    ],
)
def test_what_ends_the_run_is_told(refusal: Refusal, halt: bool, ends: bool) -> None:
    (told,) = _told(Level.ERROR, refusal, halt=halt)
    assert (told["code"], told["reason"]) == (refusal.reason.code, str(refusal.reason))
    assert told["ends_run"] is ends


def test_fields_of_a_failure() -> None:
    reason = because("remark", words="disk full")
    outcome = Outcome(number=3, state=State.ANSWERED, status=0xA700, reason=reason, association=2, context_id=5)
    (told,) = _told(Level.ERROR, InstanceFinished(CT, outcome))
    assert told["status"] == 0xA700
    assert told["status_class"] == "refused"
    assert told["status_text"] == "Refused: OutOfResources"
    assert (told["reason"], told["stored"], told["state"]) == ("disk full", False, "answered")
    assert told["code"] == "refused_out_of_resources"
    assert (told["path"], told["number"], told["association"], told["context_id"]) == ("ct.dcm", 3, 2, 5)


@pytest.mark.parametrize(
    ("level", "contexts", "shown"), [("INFO", False, False), ("INFO", True, True), ("DEBUG", False, True)]
)
def test_contexts_are_shown_on_request(level: str, contexts: bool, shown: bool) -> None:
    told = _told(Level[level], *ALL[5:7], contexts=contexts)
    assert [each["presentation_contexts"] for each in told] == [2, 1]
    assert ["contexts" in each for each in told] == [shown, shown]
    if shown:
        assert told[1]["contexts"][1] == {
            "context_id": 3, "abstract_syntax": "1.2.3", "transfer_syntaxes": ["1.2.4"], "accepted": "", "result": 3,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\x00\x1b\u2028\u202e", "a\nb\x00\x1b\u2028\u202e"),
        ("\u4e2d \U0001f600", "\u4e2d \U0001f600"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud83d\ude00 \ud800", "\\ud83d\\ude00 \\ud800"),
        ('"\\', '"\\'),
    ],
)
def test_text_stays_what_it_is_where_it_is_text(text: str, shown: str) -> None:
    (told,) = _told(Level.ERROR, Refusal(text, GONE))
    assert told["path"] == shown
    (told,) = _told(Level.WARN, Notice(text))
    assert told["text"] == shown


def test_lines_are_bounded() -> None:
    huge = "\U0001f600" * (LONGEST_TEXT * 2)
    (told,) = _told(Level.ERROR, Refusal(huge, because("said", words=huge)))
    assert len(told["path"]) == LONGEST_PATH + 3
    assert len(told["reason"]) <= LONGEST_TEXT
    (told,) = _told(Level.WARN, Notice(huge))
    assert len(told["text"]) == LONGEST_TEXT + 3
    assert valid("x" * LONGEST_PATH, LONGEST_PATH) == "x" * LONGEST_PATH


@pytest.mark.parametrize(
    ("moment", "shown"), [(0.0, "1970-01-01T00:00:00.000+00:00"), (1795686660.4567, "2026-11-26T09:51:00.456+00:00")]
)
def test_moments_are_of_utc(moment: float, shown: str) -> None:
    assert stamp(moment) == shown


def test_errors_messages_and_a_stream_that_breaks() -> None:
    stream = io.StringIO()
    log = JsonLog(stream, Level.WARN)
    log.warn("one", "two")
    log.info("not shown")
    log.always(Level.INFO, "calling", "")
    log.failure(Level.FATAL, ConnectError("nobody there", hint="look"))
    log.summary(Totals(associations=0, contexts=0, instances=0, by_class={}, no_context=0))
    told = [{key: item for key, item in each.items() if key != "time"} for each in _objects(stream.getvalue())]
    assert told == [
        {"level": "warn", "event": "message", "text": "one\ntwo"},
        {"level": "info", "event": "message", "text": "calling"},
        {
            "level": "fatal",
            "event": "error",
            "kind": "ConnectError",
            "code": "said",
            "text": "nobody there",
            "hint": "look",
        },
    ]
    JsonLog(None, Level.WARN).warn("nowhere")
    assert repr(log) == "<JsonLog warn>"


# --- whole runs


def test_a_mixed_run(
    run_dcmsend: Command, scripted_peer: Callable[..., ScriptedPeer], data: Path, tmp_path: Path
) -> None:
    peer = scripted_peer([accept(), store(), store(0xA700), release()])
    files = [data / "samples" / name for name in ("ct_explicit.dcm", "mr_implicit.dcm")]
    run = run_dcmsend(
        "--arguments", "--log-format", "json", "-v", "-nh", "-aet", "A" * 20, "+crf", tmp_path / "report",
        "127.0.0.1", peer.port, *files, "missing", files[0],
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (66, "")
    told = _objects(run.stderr)
    names = [each["event"] for each in told]
    assert names[:2] == ["message", "message"]
    assert names[-1] == "run_finished"
    assert {"left_out", "notice", "instance_started", "instance_finished", "association_ended"} < set(names)
    cause, missing = (each for each in told if each["event"] == "cause")
    assert (cause["code"], cause["count"], cause["examples"]) == ("refused_out_of_resources", 1, [str(files[1])])
    assert "0xa700" in cause["reason"]
    assert cause["hint"]
    assert (missing["reason"], missing["count"], missing["examples"]) == ("No such file or directory", 1, ["missing"])
    last = told[-1]
    assert (last["level"], last["exit_code"], last["complete"]) == ("error", 66, False)
    assert (last["instances"], last["stored"], last["left_out"], last["no_dicom"]) == (2, 1, 1, 0)
    assert last["by_status"] == {"success": 1, "warning": 0, "error": 0, "refused": 1, "unknown": 0}


def test_by_default_what_is_bad_is_told(
    run_dcmsend: Command, scripted_peer: Callable[..., ScriptedPeer], data: Path
) -> None:
    peer = scripted_peer([accept(), store(), release()])
    words = ("--log-format", "json", "127.0.0.1", peer.port, data / "samples" / "ct_explicit.dcm")
    run = run_dcmsend(*words)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_run_that_fails_is_told(run_dcmsend: Command, tmp_path: Path) -> None:
    run = run_dcmsend("--log-format", "json", "127.0.0.1", "1", "caf\udce9", cwd=tmp_path)
    assert run.returncode == 22
    told = _objects(run.stderr)
    assert [(each["level"], each["event"]) for each in told] == [
        ("error", "left_out"), ("fatal", "error"), ("error", "run_finished"),
    ]  # fmt: skip
    assert (told[0]["path"], told[0]["ends_run"]) == ("caf\\xe9", True)
    assert told[1]["kind"] == "InvalidInputError"
    assert told[2]["exit_code"] == 22


def test_text_is_the_default(run_dcmsend: Command) -> None:
    assert run_dcmsend("--log-format", "text", "127.0.0.1", "1", "missing").stderr.startswith("E: cannot add")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--log-format", "xml"), "error: Invalid format for --log-format option"),
        (("--log-format", "json", "-lc", "x"), "error: --log-format not allowed with --log-config"),
        (("--log-format", "json", "-to", "x"), "error: Invalid value for option --timeout (x)"),
    ],
)
def test_errors_of_the_command_line_stay_text(words: tuple[str, ...], error: str, run_dcmsend: Command) -> None:
    run = run_dcmsend(*words, "peer", "104", "file")
    assert (run.returncode, run.stderr.splitlines()[-1]) == (1, error)
