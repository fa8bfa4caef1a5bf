"""The log: levels, prefixes, and lines that nobody can forge."""

from __future__ import annotations

import io
from typing import get_args

import pytest

from dcmsend.cli.listener import Listener
from dcmsend.cli.log import Level, Log
from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    Context,
    Event,
    InstanceFinished,
    InstanceStarted,
    ScanFinished,
    ScanStarted,
)
from dcmsend.light import replace
from dcmsend.model import Instance, Notice, Outcome, Peer, Refusal, State
from dcmsend.printable import MAX_LINE, MAX_PATH, printable
from dcmsend.reasons import because

CT = Instance("ct.dcm", "1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1", 100)
NAMES = "CTImageStorage / Little Endian Explicit"
PROPOSED = (
    Context(1, CT.sop_class, (CT.transfer_syntax,)),
    Context(3, "1.2.3", ("1.2.4",)),
)
ANSWERED = (
    Context(1, CT.sop_class, (CT.transfer_syntax,), CT.transfer_syntax, 0),
    Context(3, "1.2.3", ("1.2.4",), "", 3),
)


WHY = because("said", words="why")


def _told(level: Level, *events: Event, halt: bool = True, contexts: bool = False) -> list[str]:
    stream = io.StringIO()
    listener = Listener(Log(stream, level), Peer(host="host", port=104), halt=halt, contexts=contexts)
    for event in events:
        listener(event)
    return stream.getvalue().split("\n")[:-1]


def _finished(state: State, **facts: object) -> InstanceFinished:
    return InstanceFinished(CT, Outcome(number=1, state=state, **facts))  # type: ignore[arg-type]


@pytest.mark.parametrize("level", list(Level))
def test_a_level_includes_those_before_it(level: Level) -> None:
    stream = io.StringIO()
    log = Log(stream, level)
    for each in Level:
        log.write(each, each.name)
    assert stream.getvalue() == "".join(f"{each.name[0]}: {each.name}\n" for each in Level if each <= level)


def test_each_line_has_the_prefix() -> None:
    stream = io.StringIO()
    Log(stream).error("one", "", "two")
    assert stream.getvalue() == "E: one\nE: \nE: two\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, \u00e4 \u4e2d \\n", "plain text, \u00e4 \u4e2d \\n"),
        ("a\nF: forged", "a\\nF: forged"),
        ("a\r\x0b\x0cb", "a\\r\\x0b\\x0cb"),
        ("\x1b[2J\x07\x00\t", "\\x1b[2J\\x07\\x00\\t"),
        ("\x7f\x85\x9b", "\\x7f\\x85\\x9b"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("gpj.\u202eexe\u2066", "gpj.\\u202eexe\\u2066"),
        ("\u061c\u200e\u200f\u202a\u2069\u206a", "\\u061c\\u200e\\u200f\\u202a\\u2069\\u206a"),
        ("caf\udce9\udc9b", "caf\\xe9\\x9b"),
        ("\ud800\udc00\udfff", "\\ud800\\udc00\\udfff"),
        ("\u200d\u00a0\u3000", "\u200d\u00a0\u3000"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_names_from_files_forge_no_line() -> None:
    assert _told(Level.WARN, Refusal("a\nF: forged", because("said", words="no\nDICM"))) == [
        "E: cannot add DICOM file to the transfer list: a\\nF: forged: no\\nDICM"
    ]


def test_a_line_is_not_longer_than_is_useful() -> None:
    stream = io.StringIO()
    log = Log(stream)
    log.error("x" * (MAX_LINE + 1))
    assert stream.getvalue() == f"E: {'x' * MAX_LINE}...\n"
    path = "p" * (MAX_PATH + 1)
    assert _told(Level.WARN, Refusal(path, WHY))[0].endswith(f"list: {path[1:]}...: why")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_character_that_the_stream_does_not_have_does_not_end_the_log(encoding: str) -> None:
    raw = io.BytesIO()
    log = Log(io.TextIOWrapper(raw, encoding, newline="\n"))
    log.error("\u4e2d\u00e9")
    log.error("next")
    shown = "\u4e2d\u00e9" if encoding == "utf-8" else "\\u4e2d\\xe9"
    assert raw.getvalue().decode() == f"E: {shown}\nE: next\n"


class _Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_broken_stream_is_given_up() -> None:
    log = Log(_Broken())
    log.error("one")
    log.error("two")
    Log(None).error("nowhere")


def test_every_event_has_its_line() -> None:
    listener = Listener(Log(None), Peer(host="host", port=104), halt=True, contexts=False)
    assert set(listener._tell) == set(get_args(Event))


def test_run_at_info() -> None:
    told = _told(
        Level.INFO,
        ScanStarted(directories=True),
        Notice("look here"),
        ScanFinished(1, 0, 0),
        AssociationRequested(1, PROPOSED, multiple=True),
        AssociationAccepted(1, 16384, ANSWERED, "PEER_1"),
        InstanceStarted(1, CT, 1, 7, 1, CT.transfer_syntax),
        _finished(State.ANSWERED, status=0),
        AssociationEnded(1),
    )
    assert told == [
        "I: determining input files ...",
        "I: checking input files ...",
        "W: look here",
        "I: starting association #1",
        "I: initializing network ...",
        "I: negotiating network association ...",
        "I: Requesting Association",
        "I: Association Accepted (Max Send PDV: 16372)",
        "I: sending SOP instances ...",
        "I: Sending C-STORE Request (MsgID 7, CT)",
        "I: Received C-STORE Response (Success)",
        "I: Releasing Association",
    ]


def test_contexts_are_dumped_at_info_on_request() -> None:
    events = (AssociationRequested(1, PROPOSED, multiple=False), AssociationAccepted(1, 0, ANSWERED, ""))
    told = _told(Level.INFO, *events, contexts=True)
    assert told == [
        "I: initializing network ...",
        "I: negotiating network association ...",
        "I: Request Parameters:",
        "I: Calling Application Name: DCMSEND",
        "I: Called Application Name:  ANY-SCP",
        "I: Presentation Contexts:",
        "I:   Context ID:        1 (Proposed)",
        "I:     Abstract Syntax: CTImageStorage",
        "I:     Proposed Transfer Syntax(es):",
        "I:       Little Endian Explicit",
        "I:   Context ID:        3 (Proposed)",
        "I:     Abstract Syntax: 1.2.3",
        "I:     Proposed Transfer Syntax(es):",
        "I:       1.2.4",
        "I: Requesting Association",
        "I: Association Parameters Negotiated:",
        "I: Calling Application Name: DCMSEND",
        "I: Called Application Name:  ANY-SCP",
        "I: Their Implementation: unknown",
        "I: Presentation Contexts:",
        "I:   Context ID:        1 (Accepted)",
        "I:     Abstract Syntax: CTImageStorage",
        "I:     Accepted Transfer Syntax: Little Endian Explicit",
        "I:   Context ID:        3 (Abstract Syntax Not Supported)",
        "I:     Abstract Syntax: 1.2.3",
        "I: Association Accepted (Max Send PDV: 131060)",
        "I: sending SOP instances ...",
    ]
    assert {line[0] for line in _told(Level.DEBUG, *events)} == {"D", "I"}


def test_debug_tells_each_file() -> None:
    assert _told(Level.DEBUG, InstanceStarted(1, CT, 1, 7, 3, CT.transfer_syntax))[:2] == [
        "D: sending SOP instance from file: ct.dcm",
        "D: using presentation context 3, Little Endian Explicit",
    ]
    assert _told(Level.DEBUG, ScanFinished(5, 2, 3)) == [
        "D: in total, there are 5 SOP instances to be sent, 5 invalid files are ignored"
    ]


@pytest.mark.parametrize(
    ("own", "network", "told"),
    [
        ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", ["Little Endian Explicit -> Little Endian Implicit"]),
        ("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1", ["RLE Lossless -> Little Endian Explicit"]),
        ("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.5", []),
        ("1.2.3", "1.2.3", []),
    ],
)
def test_a_conversion_is_told_at_info_in_words_of_dcmtk(own: str, network: str, told: list[str]) -> None:
    event = InstanceStarted(1, replace(CT, transfer_syntax=own), 1, 7, 3, network)
    request = "I: Sending C-STORE Request (MsgID 7, CT)"
    assert _told(Level.INFO, event) == [*(f"I: Converting transfer syntax: {names}" for names in told), request]
    assert _told(Level.WARN, event) == []


@pytest.mark.parametrize(
    ("halt", "path", "lines"),
    [
        (True, "f", ["E: cannot add DICOM file to the transfer list: f: why"]),
        (True, "", ["E: cannot add DICOM file with empty filename"]),
        (
            False,
            "f",
            ["E: cannot add DICOM file to the transfer list: f: why", "W: bad DICOM file: f: why, ignoring file"],
        ),
        (
            False,
            "",
            ["E: cannot add DICOM file with empty filename", "W: bad DICOM file: <empty string>: why, ignoring file"],
        ),
    ],
)
def test_refusal(halt: bool, path: str, lines: list[str]) -> None:
    assert _told(Level.WARN, Refusal(path, WHY), halt=halt) == lines


@pytest.mark.parametrize("halt", [True, False])
def test_a_folder_that_is_not_searched_is_told_in_words_of_dcmtk(halt: bool) -> None:
    assert _told(Level.WARN, Refusal("f", because("folder_not_searched")), halt=halt) == [
        "W: ignoring directory because option --scan-directories is not set: f"
    ]


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (_finished(State.ANSWERED, status=0, reason=WHY), []),
        (_finished(State.ANSWERED, status=0xB000), []),
        (
            _finished(State.ANSWERED, status=0xA700, reason=because("remark", words="disk full")),
            ["E: peer did not store SOP instance from file: ct.dcm: 0xa700 (Refused: OutOfResources): disk full"],
        ),
        (
            _finished(State.ANSWERED, status=0x0122),
            ["E: peer did not store SOP instance from file: ct.dcm: 0x0122 (Refused: SOPClassNotSupported)"],
        ),
        (_finished(State.FAILED, reason=WHY), ["E: cannot send SOP instance from file: ct.dcm: why"]),
        (
            _finished(State.NO_CONTEXT),
            [f"E: cannot send SOP instance from file: ct.dcm: no acceptable presentation context, {NAMES}"],
        ),
    ],
)
def test_failures_are_told_without_being_asked(event: Event, lines: list[str]) -> None:
    assert _told(Level.WARN, event) == lines


@pytest.mark.parametrize(("halt", "prefix"), [(True, "I"), (False, "W")])
def test_end_of_an_association_is_a_warning_if_the_run_goes_on(halt: bool, prefix: str) -> None:
    told = _told(Level.INFO, AssociationEnded(2, because("closed")), halt=halt)
    assert told == [f"{prefix}: association #2 has ended: peer closed the connection"]


@pytest.mark.parametrize("halt", [True, False])
def test_a_release_that_is_not_confirmed_is_a_warning(halt: bool) -> None:
    """It ends no run."""
    told = _told(Level.WARN, AssociationEnded(2, because("not_released", because("closed"))), halt=halt)
    assert told == ["W: association #2 has ended: the peer did not confirm the release: peer closed the connection"]
