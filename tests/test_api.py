"""The package as a library: events in order, a report with every instance, errors as values, and nothing printed."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Any

import pytest

import dcmsend
from dcmsend import Conversion, Decompression, Peer, Policy, ScanOptions, State, StatusClass, Stop, Timeouts
from dcmsend.errors import (
    AssociationAborted,
    AssociationRejected,
    ConfigurationError,
    ConnectError,
    Interrupted,
    InvalidInputError,
    NameResolutionError,
    NegotiationError,
    NetworkError,
    NoAcceptableContext,
    NoInputError,
    NoProposal,
    NoValidInputError,
    PeerTimeout,
    RemoteProtocolError,
    RunStopped,
)
from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    Event,
    InstanceFinished,
    InstanceStarted,
    ScanFinished,
    ScanStarted,
)
from dcmsend.reasons import because
from tests.support import part10, pdus
from tests.support.builder import part10 as build
from tests.support.scripted import (
    ScriptedPeer,
    Step,
    accept,
    answer,
    close,
    drain,
    expect,
    expect_message,
    reject,
    release,
    send,
    store,
)

Script = Callable[..., ScriptedPeer]

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"

NAMES = [
    "AddressFamily",
    "AssociationAccepted",
    "AssociationEnded",
    "AssociationRequested",
    "Context",
    "Conversion",
    "CrlCheck",
    "DcmsendError",
    "Decompression",
    "Forecast",
    "Event",
    "FailuresError",
    "Identity",
    "IdentityKind",
    "Instance",
    "InstanceFinished",
    "InstanceKnown",
    "InstancePostponed",
    "InstanceStarted",
    "JournalFile",
    "KeyFormat",
    "Limits",
    "Meter",
    "Notice",
    "Outcome",
    "Peer",
    "PeerCheck",
    "Policy",
    "ReadMode",
    "Refusal",
    "Report",
    "Retries",
    "Run",
    "ScanFinished",
    "ScanOptions",
    "ScanStarted",
    "Source",
    "State",
    "StatusClass",
    "Stop",
    "Timeouts",
    "Tls",
    "TlsProfile",
    "Totals",
    "__version__",
    "dry_run",
    "echo",
    "probe",
    "send",
    "sending",
    "status_class",
    "status_text",
]


def write(folder: Path, count: int, *, sop_class: str = CT) -> list[str]:
    paths = [folder / f"{number}.dcm" for number in range(1, count + 1)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(build(sop_class, f"1.2.3.{number}"))
    return [str(path) for path in paths]


def at(peer: ScriptedPeer) -> Peer:
    return Peer(host="127.0.0.1", port=peer.port)


class TestNames:
    def test_what_is_public_is_listed(self) -> None:
        assert sorted(dcmsend.__all__) == sorted(NAMES)
        assert dir(dcmsend) == sorted(NAMES)

    @pytest.mark.parametrize("name", NAMES)
    def test_every_name_is_there(self, name: str) -> None:
        found = getattr(dcmsend, name)
        unions = ("Event", "Source")
        assert (
            isinstance(found, str if name == "__version__" else UnionType)
            if name in (*unions, "__version__")
            else callable(found)
        )

    def test_no_other_name_is_there(self) -> None:
        with pytest.raises(AttributeError, match="module 'dcmsend' has no attribute 'receive'"):
            dcmsend.receive  # noqa: B018

    def test_importing_the_package_imports_nothing_of_it(self) -> None:
        code = "import sys, dcmsend; print(sorted(name for name in sys.modules if name.startswith('dcmsend.')))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


class TestEvents:
    def test_they_come_in_order(self, scripted_peer: Script, tmp_path: Path) -> None:
        peer = scripted_peer([accept(), store(), store(0xA700, comment="full"), release()])
        events: list[Event] = []
        dcmsend.send(at(peer), write(tmp_path, 2), listener=events.append).close()
        assert [type(event) for event in events] == [
            ScanStarted,
            ScanFinished,
            AssociationRequested,
            AssociationAccepted,
            InstanceStarted,
            InstanceFinished,
            InstanceStarted,
            InstanceFinished,
            AssociationEnded,
        ]
        assert events[1] == ScanFinished(instances=2, left_out=0, no_dicom=0)
        assert events[-1] == AssociationEnded(1)

    def test_each_start_has_its_end(self, scripted_peer: Script, tmp_path: Path) -> None:
        broken = [accept(), store(), expect_message(), close()]
        peer = scripted_peer(broken, [accept(), store(), release()])
        events: list[Event] = []
        dcmsend.send(at(peer), write(tmp_path, 3), policy=Policy(halt=False), listener=events.append).close()
        started = [event.number for event in events if isinstance(event, InstanceStarted)]
        finished = [event.outcome.number for event in events if isinstance(event, InstanceFinished)]
        assert started == finished == [1, 2, 3]
        ended = [event for event in events if isinstance(event, AssociationEnded)]
        assert ended == [AssociationEnded(1, because("closed")), AssociationEnded(2)]

    def test_they_tell_what_was_negotiated(self, scripted_peer: Script, tmp_path: Path) -> None:
        peer = scripted_peer([accept(max_pdu=5000), store(), release()])
        events: list[Event] = []
        dcmsend.send(at(peer), write(tmp_path, 1), listener=events.append).close()
        (accepted,) = [event for event in events if isinstance(event, AssociationAccepted)]
        assert (accepted.number, accepted.max_pdu, accepted.implementation) == (1, 5000, "TEST")
        first, second = accepted.contexts
        assert (first.context_id, first.abstract_syntax, first.result) == (1, CT, 0)
        assert (second.context_id, second.abstract_syntax, second.result) == (3, CT, 0)
        assert (first.transfer_syntaxes, second.transfer_syntaxes) == ((EXPLICIT,), (IMPLICIT,))
        assert (first.accepted, second.accepted) == (EXPLICIT, IMPLICIT)

    def test_refused_files_are_events_too(self, scripted_peer: Script, tmp_path: Path) -> None:
        peer = scripted_peer([accept(), store(), release()])
        (tmp_path / "bad").write_bytes(b"not DICOM")
        events: list[Event] = []
        paths = [str(tmp_path / "bad"), *write(tmp_path, 1)]
        with dcmsend.send(at(peer), paths, policy=Policy(halt=False), listener=events.append) as report:
            assert (report.totals.left_out, report.totals.no_dicom) == (0, 1)
            assert report.complete
            assert [refusal.path for refusal in report.refusals()] == [str(tmp_path / "bad")]
        refusals = [event.path for event in events if isinstance(event, dcmsend.Refusal)]
        assert refusals == [str(tmp_path / "bad")]

    def test_what_was_left_out_keeps_a_run_from_being_complete(self, scripted_peer: Script, tmp_path: Path) -> None:
        peer = scripted_peer([accept(), store(), release()])
        paths = [str(tmp_path / "missing"), *write(tmp_path, 1)]
        with dcmsend.send(at(peer), paths, policy=Policy(halt=False)) as report:
            assert (report.totals.stored, report.totals.left_out, report.totals.no_dicom) == (1, 1, 0)
            assert not report.complete
            (refusal,) = report.refusals()
            assert list(report.refusals()) == [refusal]  # once more
        assert (refusal.path, str(refusal.reason), refusal.left_out) == (paths[0], "No such file or directory", True)
        assert repr(report) == "<Report: 1 of 1 instances stored, 1 left out, error None>"

    def test_an_error_of_the_listener_leaves_the_association_aborted(
        self, scripted_peer: Script, tmp_path: Path
    ) -> None:
        peer = scripted_peer([accept(), store(), expect(pdus.A_ABORT), drain()])

        def listener(event: Event) -> None:
            if isinstance(event, InstanceFinished):
                raise LookupError("the listener's own")

        with pytest.raises(LookupError, match="the listener's own"):
            dcmsend.send(at(peer), write(tmp_path, 2), listener=listener)


class TestReport:
    def test_rows_totals_and_completeness(self, scripted_peer: Script, tmp_path: Path) -> None:
        peer = scripted_peer(
            [accept(), store(), store(0xB000), store(0xA700, comment="full"), store(0xC000), release()]
        )
        paths = write(tmp_path, 4)
        with dcmsend.send(at(peer), paths) as report:
            rows = list(report.rows())
            assert [instance.path for instance, _ in rows] == paths
            assert [instance.sop_instance for instance, _ in rows] == [f"1.2.3.{number}" for number in range(1, 5)]
            assert [outcome.status for _, outcome in rows] == [0, 0xB000, 0xA700, 0xC000]
            assert [outcome.stored for _, outcome in rows] == [True, True, False, False]
            assert str(rows[2][1].reason) == "full"
            assert list(report.rows()) == rows  # once more
            totals = report.totals
            assert report.error is None
            assert not report.complete
            assert repr(report) == "<Report: 2 of 4 instances stored, error None>"
            assert report.peer == at(peer)
        assert totals.by_class == {
            StatusClass.SUCCESS: 1,
            StatusClass.WARNING: 1,
            StatusClass.REFUSED: 1,
            StatusClass.ERROR: 1,
        }
        assert (totals.instances, totals.answered, totals.stored, totals.associations, totals.contexts) == (
            4,
            4,
            2,
            1,
            2,
        )

    def test_real_files_to_a_real_server(self, storescp: Any, samples: list[Path]) -> None:
        server = storescp()
        paths = [path for path in samples if "jpeg" not in path.name]
        with dcmsend.send(Peer(host="127.0.0.1", port=server.port), [str(path) for path in paths]) as report:
            assert report.complete
            assert report.error is None
        stored = server.stored()
        assert sorted(data for datas in stored.values() for data in datas) == sorted(map(part10.dataset, paths))

    def test_folders_when_asked_for(self, scripted_peer: Script, tmp_path: Path) -> None:
        peer = scripted_peer([accept(), *[store()] * 3, release()])
        write(tmp_path, 3)
        with dcmsend.send(at(peer), [str(tmp_path)], scan=ScanOptions(directories=True)) as report:
            assert report.totals.stored == 3

    def test_nothing_is_printed(self, scripted_peer: Script, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        peer = scripted_peer([accept(), store(0xA700), release()], [reject(), drain()])
        for _ in range(2):
            dcmsend.send(at(peer), write(tmp_path, 1)).close()
        dcmsend.send(at(peer), ["missing"]).close()
        assert capfd.readouterr() == ("", "")


class TestConversion:
    """What is converted where, and with which settings; that it is converted well is tested elsewhere."""

    def test_the_events_and_rows_say_what_was_sent(self, scripted_peer: Script, tmp_path: Path) -> None:
        peer = scripted_peer([accept(only=[IMPLICIT]), store(), release()])
        events: list[Event] = []
        (path,) = write(tmp_path, 1)
        with dcmsend.send(at(peer), [path], listener=events.append) as report:
            ((instance, outcome),) = report.rows()
        (started,) = [event for event in events if isinstance(event, InstanceStarted)]
        assert (started.instance.transfer_syntax, started.network_syntax, started.context_id) == (EXPLICIT, IMPLICIT, 3)
        assert (instance.transfer_syntax, outcome.network_syntax, outcome.context_id) == (EXPLICIT, IMPLICIT, 3)
        assert outcome.dataset_size == len(part10.dataset(Path(path)))
        assert peer.messages[0].dataset == (
            struct.pack("<HHI", 8, 0x16, 26) + CT.encode() + b"\0" + struct.pack("<HHI", 8, 0x18, 8) + b"1.2.3.1\0"
        )

    @pytest.mark.parametrize("decompression", Decompression)
    @pytest.mark.parametrize(
        ("name", "least"), [("us_rle.dcm", Decompression.LOSSLESS), ("sc_jpeg_baseline.dcm", Decompression.LOSSY)]
    )
    def test_decompression_is_as_wished(
        self, decompression: Decompression, name: str, least: Decompression, scripted_peer: Script, data: Path
    ) -> None:
        modes = list(Decompression)
        allowed = modes.index(decompression) >= modes.index(least)
        peer = scripted_peer([accept(only=[EXPLICIT]), *[store()] * allowed, release()])
        conversion = Conversion(decompression=decompression)
        with dcmsend.send(at(peer), [str(data / "samples" / name)], conversion=conversion) as report:
            assert [outcome.state for _, outcome in report.rows()] == [State.ANSWERED if allowed else State.NO_CONTEXT]
            assert report.complete is allowed

    def test_what_is_deflated_anew_is_deflated_at_the_level(
        self, scripted_peer: Script, data: Path, tmp_path: Path
    ) -> None:
        """A peer that takes nothing but deflated: the other instances of its class go so too."""
        paths = [str(data / "samples" / "ct_deflated.dcm"), *write(tmp_path, 1)]
        plain = part10.dataset(Path(paths[1]))
        for level, size in ((0, len(plain) + 5), (9, None)):
            peer = scripted_peer([accept(only=[DEFLATED]), store(), store(), release()])
            with dcmsend.send(at(peer), paths, conversion=Conversion(compression_level=level)) as report:
                assert [outcome.network_syntax for _, outcome in report.rows()] == [DEFLATED] * 2
            first, second = (message.dataset or b"" for message in peer.messages)
            assert first == part10.dataset(Path(paths[0]))
            assert zlib.decompressobj(-zlib.MAX_WBITS).decompress(second) == plain
            assert len(second) % 2 == 0
            assert len(second) == size + size % 2 if size else len(second) < len(plain) + 5

    def test_a_dictionary_that_is_not_there_is_raised_before_anything_is_done(self, tmp_path: Path) -> None:
        conversion = Conversion(dictionaries=(str(tmp_path / "missing.dic"),))
        events: list[Event] = []
        with pytest.raises(ConfigurationError, match=r"cannot read the data dictionary .*missing\.dic"):
            dcmsend.send(Peer(host="127.0.0.1", port=1), ["x"], conversion=conversion, listener=events.append)
        assert events == []

    @pytest.mark.parametrize("own", [EXPLICIT, IMPLICIT])
    def test_a_dictionary_that_is_wrong_fails_what_needs_it(
        self, own: str, scripted_peer: Script, data: Path, tmp_path: Path
    ) -> None:
        """Only implicit data sets need one; what is explicit goes."""
        dictionary = tmp_path / "wrong.dic"
        dictionary.write_text("no entry\n")
        path = {EXPLICIT: "ct_explicit.dcm", IMPLICIT: "mr_implicit.dcm"}[own]
        target = {EXPLICIT: IMPLICIT, IMPLICIT: EXPLICIT}[own]
        peer = scripted_peer([accept(only=[target]), *[store()] * (own == EXPLICIT), release()])
        conversion = Conversion(dictionaries=(str(dictionary),))
        with dcmsend.send(at(peer), [str(data / "samples" / path)], conversion=conversion) as report:
            ((_, outcome),) = report.rows()
        assert outcome.state is (State.ANSWERED if own == EXPLICIT else State.FAILED)
        assert (f"{dictionary}" in str(outcome.reason)) == (own == IMPLICIT)

    def test_a_missing_library_is_a_reason_with_a_hint(
        self, scripted_peer: Script, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
        peer = scripted_peer([accept(only=[EXPLICIT]), release()])
        with dcmsend.send(at(peer), [str(data / "samples" / "us_rle.dcm")]) as report:
            ((_, outcome),) = report.rows()
        assert outcome.state is State.NO_CONTEXT
        assert str(outcome.reason).endswith("its decoder is not installed (pip install imagecodecs)")
        request = peer.connections[0].request
        assert request is not None
        assert [offer.transfer_syntaxes for offer in request.offers] == [(RLE,)]

    @pytest.mark.parametrize("level", [-1, 10])
    def test_levels_are_checked_where_settings_are_made(self, level: int) -> None:
        with pytest.raises(ConfigurationError, match="compression level must be from 0 to 9"):
            Conversion(compression_level=level)


# What ends a run, and what the first of its two instances has become; the other one was not tried.
ERRORS: dict[str, tuple[list[Step], dict[str, Any], type[Exception], State]] = {
    "rejected": ([reject(), drain()], {}, AssociationRejected, State.PENDING),
    "aborted": ([expect(pdus.A_ASSOCIATE_RQ), send(pdus.abort()), drain()], {}, AssociationAborted, State.PENDING),
    "rubbish": ([expect(pdus.A_ASSOCIATE_RQ), send(b"HTTP/1.1 400 "), drain()], {}, RemoteProtocolError, State.PENDING),
    "no answer": (
        [expect(pdus.A_ASSOCIATE_RQ), drain()], {"timeouts": Timeouts(acse=0.1)}, PeerTimeout, State.PENDING,
    ),
    "broken": ([accept(), expect_message(), close()], {}, RunStopped, State.FAILED),
    "no response": (
        [accept(), expect_message(), drain()], {"timeouts": Timeouts(dimse=0.1)}, RunStopped, State.FAILED,
    ),
    "no context": (
        [accept(result=3), release()], {"policy": Policy(multiple_associations=False)}, NoAcceptableContext,
        State.NO_CONTEXT,
    ),
}  # fmt: skip


class TestErrors:
    @pytest.mark.parametrize(("script", "settings", "kind", "state"), ERRORS.values(), ids=ERRORS.keys())
    def test_of_the_network_are_returned(
        self,
        script: list[Step],
        settings: dict[str, Any],
        kind: type[Exception],
        state: State,
        scripted_peer: Script,
        tmp_path: Path,
    ) -> None:
        peer = scripted_peer(script)
        with dcmsend.send(at(peer), write(tmp_path, 2), **settings) as report:
            assert type(report.error) is kind
            assert not report.complete
            states = [outcome.state for _, outcome in report.rows()]
            assert states[0] is state
            assert all(outcome.reason for _, outcome in report.rows())

    @pytest.mark.parametrize(
        ("paths", "policy", "kind"),
        [
            ([], Policy(), NoInputError),
            (["missing"], Policy(), InvalidInputError),
            (["missing"], Policy(halt=False), NoValidInputError),
        ],
    )
    def test_of_the_input_are_returned(self, paths: list[str], policy: Policy, kind: type[Exception]) -> None:
        with dcmsend.send(Peer(host="127.0.0.1", port=1), paths, policy=policy) as report:
            assert type(report.error) is kind
            assert list(report.rows()) == []
            assert report.totals.associations == 0

    def test_of_a_proposal_is_returned(self, samples: list[Path]) -> None:
        (path,) = [path for path in samples if path.name == "us_rle.dcm"]
        policy, conversion = Policy(legal_proposals_only=True), Conversion(decompression=Decompression.NEVER)
        peer = Peer(host="127.0.0.1", port=1)
        with dcmsend.send(peer, [str(path)], policy=policy, conversion=conversion) as report:
            assert type(report.error) is NoProposal
            assert [outcome.state for _, outcome in report.rows()] == [State.NO_CONTEXT]

    def test_of_names_is_returned(self, tmp_path: Path) -> None:
        with dcmsend.send(Peer(host="no.such.host.invalid", port=104), write(tmp_path, 1)) as report:
            assert type(report.error) is NameResolutionError

    def test_of_the_connection_is_returned(self, scripted_peer: Script, tmp_path: Path) -> None:
        peer = scripted_peer()
        peer.stop()
        with dcmsend.send(at(peer), write(tmp_path, 1)) as report:
            assert type(report.error) is ConnectError
            assert report.error.retryable

    @pytest.mark.parametrize("port", [0, 65536, -1])
    def test_of_settings_are_raised_where_they_are_made(self, port: int) -> None:
        with pytest.raises(ConfigurationError, match=f"port {port} is not between 1 and 65535"):
            Peer(host="127.0.0.1", port=port)


class TestStop:
    @pytest.mark.parametrize("kind", [InstanceStarted, InstanceFinished])
    def test_from_the_listener_ends_the_run_gracefully(
        self, kind: type[Event], scripted_peer: Script, tmp_path: Path
    ) -> None:
        """What was begun is finished, and the association released."""
        peer = scripted_peer([accept(), store(), release()])
        stop = Stop()

        def listener(event: Event) -> None:
            if isinstance(event, kind):
                stop.request()

        with dcmsend.send(at(peer), write(tmp_path, 3), listener=listener, stop=stop) as report:
            assert type(report.error) is Interrupted
            states = [outcome.state for _, outcome in report.rows()]
        assert states == [State.ANSWERED, State.PENDING, State.PENDING]

    def test_from_another_thread(self, scripted_peer: Script, tmp_path: Path) -> None:
        """Asked while the response is awaited: the response still counts, and the association is released."""
        stop = Stop()

        def ask(connection: object) -> None:
            other = threading.Thread(target=stop.request)
            other.start()
            other.join()

        response = answer(lambda connection: pdus.store_rsp(connection.messages[-1]))
        peer = scripted_peer([accept(), expect_message(), ask, response, release()])
        with dcmsend.send(at(peer), write(tmp_path, 2), stop=stop) as report:
            assert type(report.error) is Interrupted
            assert report.totals.stored == 1

    def test_twice_from_another_thread(self, scripted_peer: Script, tmp_path: Path) -> None:
        stop = Stop()

        def ask_twice(connection: object) -> None:
            stop.request()
            stop.request()

        peer = scripted_peer([accept(), expect_message(), ask_twice, expect(pdus.A_ABORT), drain()])
        with dcmsend.send(at(peer), write(tmp_path, 2), stop=stop) as report:
            assert type(report.error) is Interrupted
            assert [outcome.state for _, outcome in report.rows()] == [State.FAILED, State.PENDING]

    def test_before_the_run(self, tmp_path: Path) -> None:
        stop = Stop()
        stop.request()
        with dcmsend.send(Peer(host="127.0.0.1", port=1), write(tmp_path, 1), stop=stop) as report:
            assert type(report.error) is Interrupted
            assert report.totals.associations == 0

    def test_says_where_it_stands(self) -> None:
        stop = Stop()
        said = [repr(stop)]
        stop.busy.add(stop)
        for _ in range(2):
            stop.request()
            said.append(repr(stop))
        assert said == ["<Stop not requested>", "<Stop requested>", "<Stop aborted>"]


class TestEcho:
    def test_storescp_answers(self, storescp: Any) -> None:
        assert 0 < dcmsend.echo(Peer(host="127.0.0.1", port=storescp().port)) < 60

    def test_one_request_is_sent_and_the_association_released(self, scripted_peer: Script) -> None:
        response = answer(lambda connection: pdus.echo_rsp(connection.messages[-1]))
        peer = scripted_peer([accept(), expect_message(pdus.C_ECHO_RQ), response, release()])
        dcmsend.echo(at(peer))
        (message,) = peer.messages
        assert (message.sop_class, message.dataset) == (pdus.VERIFICATION, None)

    @pytest.mark.parametrize(
        ("script", "kind"),
        [
            ([reject(1, 1, 7), drain()], AssociationRejected),
            ([accept(), expect_message(pdus.C_ECHO_RQ), send(pdus.abort()), drain()], AssociationAborted),
        ],
        ids=["rejects", "aborts"],
    )
    def test_failures_are_raised(self, script: list[Step], kind: type[Exception], scripted_peer: Script) -> None:
        with pytest.raises(kind):
            dcmsend.echo(at(scripted_peer(script)))

    def test_a_peer_that_refuses_verification_is_not_there(self, scripted_peer: Script) -> None:
        """Nothing may be sent over a context that was not accepted (PS3.8 7.1.1.14); the association is released."""
        peer = scripted_peer([accept(result=3), release()])
        with pytest.raises(NegotiationError, match="does not accept the Verification SOP class"):
            dcmsend.echo(at(peer))

    def test_a_failure_status_is_raised(self, scripted_peer: Script) -> None:
        response = answer(lambda connection: pdus.echo_rsp(connection.messages[-1], status=0x0122))
        peer = scripted_peer([accept(), expect_message(pdus.C_ECHO_RQ), response, release()])
        with pytest.raises(NetworkError, match="status 0x0122"):
            dcmsend.echo(at(peer))
