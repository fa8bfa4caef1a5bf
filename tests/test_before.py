"""What comes before sending: a dry run and a probe say what a run then does, and send nothing.

``DCMSEND_EXAMPLES`` is how many random inputs are tried, and makes them new ones each time.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from subprocess import CompletedProcess
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

import dcmsend
from dcmsend import Conversion, Decompression, JournalFile, Peer, Policy, ScanOptions, State, Stop
from dcmsend.cli.main import main
from dcmsend.errors import (
    AssociationAborted,
    AssociationRejected,
    ConfigurationError,
    Interrupted,
    InvalidInputError,
    JournalError,
    NoAcceptableContext,
    NoInputError,
    NoProposal,
    NoValidInputError,
)
from dcmsend.events import AssociationRequested, Context, Event, InstanceFinished
from dcmsend.forecast import MOST_TOLD, Forecast
from dcmsend.reasons import NONE, Reason, because
from tests.files import encode
from tests.support import pdus
from tests.support.builder import part10 as build
from tests.support.scripted import (
    ScriptedPeer,
    accept,
    answer,
    drain,
    expect,
    expect_message,
    reject,
    release,
    send,
    stall,
    store,
)
from tests.support.servers import FolderServer

Script = Callable[..., ScriptedPeer]
Command = Callable[..., CompletedProcess[str]]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MR: Final = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
RLE: Final = "1.2.840.10008.1.2.5"
BASELINE: Final = "1.2.840.10008.1.2.4.50"
VIDEO: Final = "1.2.840.10008.1.2.4.102"
NOBODY: Final = Peer(host="127.0.0.1", port=9)
SYNTAXES: Final = (IMPLICIT, EXPLICIT, "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.70", BASELINE, RLE, VIDEO)
EXAMPLES: Final = os.environ.get("DCMSEND_EXAMPLES")
PROFILE: Final = settings(
    max_examples=int(EXAMPLES or 40),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
FIRST: Final = Policy(halt=False, scan_first=True)


def at(server: Any) -> Peer:
    return Peer(host="127.0.0.1", port=server.port)


def write(folder: Path, kinds: Sequence[tuple[str, str]]) -> list[str]:
    """An instance of each pair of SOP class and transfer syntax. What is not explicit little endian has no content."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number, (sop_class, syntax) in enumerate(kinds, 1):
        paths.append(str(folder / f"{number:04}.dcm"))
        content = build(sop_class, f"1.2.3.{number}", transfer_syntax=syntax, value=bytes(2 * (number % 7)))
        Path(paths[-1]).write_bytes(content)
    return paths


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*")) if path.is_file()
    }


def proposed(forecast: Forecast) -> list[list[tuple[int, str, tuple[str, ...]]]]:
    return [[_offer(context) for context in association.contexts] for association in forecast.associations]


def _offer(context: Context) -> tuple[int, str, tuple[str, ...]]:
    return context.context_id, context.abstract_syntax, context.transfer_syntaxes


# --- a dry run


class Run:
    """What a real run did."""

    def __init__(self, peer: Peer, paths: Sequence[str], **wishes: Any) -> None:
        events: list[Event] = []
        with dcmsend.send(peer, paths, listener=events.append, **wishes) as report:
            self.error = report.error
            self.rows = list(report.rows())
        self.offers = [
            [_offer(context) for context in event.contexts]
            for event in events
            if isinstance(event, AssociationRequested)
        ]
        self.sent = Counter(
            (event.outcome.association, event.instance.sop_class, event.instance.transfer_syntax)
            for event in events
            if isinstance(event, InstanceFinished) and event.outcome.association
        )


def _kinds(seed: int, count: int, classes: int) -> list[tuple[str, str]]:
    """So many pairs by chance: lists that hypothesis makes itself are short."""
    chance = Random(seed)
    return [
        (f"1.2.840.10008.5.1.4.1.1.9999.{chance.randrange(classes)}", chance.choice(SYNTAXES)) for _ in range(count)
    ]


some_kinds = some.builds(_kinds, some.integers(0, 1 << 32), some.integers(1, 250), some.sampled_from([1, 5, 30, 100]))
some_policies = some.builds(
    Policy, halt=some.just(False), scan_first=some.just(True), multiple_associations=some.booleans(),
    legal_proposals_only=some.booleans(),
)  # fmt: skip


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One that takes everything, for all examples."""
    from tests.support import servers

    server = servers.pynetdicom_scp(tmp_path_factory.mktemp("receiver"))
    yield server
    server.stop()


@PROFILE
@given(kinds=some_kinds, policy=some_policies, decompression=some.sampled_from(list(Decompression)))
def test_a_dry_run_shows_what_a_run_then_asks_for(
    kinds: list[tuple[str, str]], policy: Policy, decompression: Decompression, receiver: Any, tmp_path: Path
) -> None:
    """The contexts of each association with their IDs, and how many instances of each kind go over which of them."""
    shutil.rmtree(tmp_path / "input", ignore_errors=True)
    paths = write(tmp_path / "input", kinds)
    wishes: dict[str, Any] = {"policy": policy, "conversion": Conversion(decompression=decompression)}
    forecast = dcmsend.dry_run(NOBODY, paths, **wishes)
    run = Run(at(receiver), paths, **wishes)
    assert forecast.error is None
    assert run.error is None
    assert proposed(forecast) == run.offers
    sizes = {path: Path(path).stat().st_size for path in paths}
    assert sum(portion.instances for portion in forecast.portions) == len(paths)
    assert sum(portion.size for portion in forecast.portions) == sum(sizes.values())
    for number, association in enumerate(forecast.associations, 1):
        for portion in association.portions:
            assert run.sent[number, portion.sop_class, portion.transfer_syntax] == portion.instances
    told = Counter({(each.sop_class, each.transfer_syntax): each.instances for each in forecast.hopeless})
    never = Counter((i.sop_class, i.transfer_syntax) for i, outcome in run.rows if not outcome.association)
    assert told == never
    assert forecast.complete == (not never)


def test_a_dry_run_of_real_files(samples: list[Path]) -> None:
    forecast = dcmsend.dry_run(NOBODY, map(str, samples))
    assert forecast.complete
    assert forecast.error is None
    assert sum(portion.instances for portion in forecast.portions) == len(samples)
    assert sum(portion.size for portion in forecast.portions) == sum(path.stat().st_size for path in samples)
    assert not any(portion.network_syntax or portion.context_id for portion in forecast.portions)


def test_all_refused_files_count_and_the_first_ones_are_kept(tmp_path: Path) -> None:
    for number in range(MOST_TOLD + 5):
        (tmp_path / f"{number:02}.txt").write_bytes(b"no DICOM")
    (good,) = write(tmp_path / "good", [(CT, EXPLICIT)])
    events: list[Event] = []
    paths = [str(tmp_path), good, str(tmp_path / "missing")]
    forecast = dcmsend.dry_run(
        NOBODY, paths, scan=ScanOptions(directories=True), policy=Policy(halt=False), listener=events.append
    )
    assert (forecast.error, forecast.left_out, forecast.no_dicom) == (None, 1, MOST_TOLD + 5)
    assert len(forecast.refusals) == MOST_TOLD
    assert not forecast.complete
    assert sum(isinstance(event, dcmsend.Refusal) for event in events) == MOST_TOLD + 6
    halted = dcmsend.dry_run(NOBODY, paths, scan=ScanOptions(directories=True))
    assert isinstance(halted.error, InvalidInputError)
    assert halted.error.path.endswith("00.txt")
    assert (halted.left_out, halted.no_dicom) == (1, MOST_TOLD + 5)  # all of them are looked for none the less
    assert proposed(halted) == proposed(forecast) != []


@pytest.mark.parametrize(
    ("names", "halt", "error"),
    [
        ([], False, NoInputError),
        (["."], True, NoInputError),
        (["missing"], True, InvalidInputError),
        (["missing"], False, NoValidInputError),
    ],
)
def test_errors_of_the_input_are_those_of_a_run(
    names: list[str], halt: bool, error: type[Exception], tmp_path: Path
) -> None:
    paths = [str(tmp_path / name) for name in names]
    forecast = dcmsend.dry_run(NOBODY, paths, policy=Policy(halt=halt))
    run = Run(NOBODY, paths, policy=Policy(halt=halt))
    assert type(forecast.error) is type(run.error) is error
    assert str(forecast.error) == str(run.error)
    assert forecast.associations == ()


def test_without_no_halt_what_may_not_be_proposed_ends_the_run(tmp_path: Path) -> None:
    paths = write(tmp_path / "input", [(CT, EXPLICIT), (CT, RLE)])
    policy = Policy(legal_proposals_only=True)
    conversion = Conversion(decompression=Decompression.NEVER)
    forecast = dcmsend.dry_run(NOBODY, paths, policy=policy, conversion=conversion)
    run = Run(NOBODY, paths, policy=policy, conversion=conversion)
    assert type(forecast.error) is type(run.error) is NoProposal
    assert [portion.transfer_syntax for portion in forecast.hopeless] == [RLE]
    assert run.rows[1][1].reason == forecast.hopeless[0].reason


def test_a_journal_is_read_and_not_written(receiver: Any, tmp_path: Path) -> None:
    paths = write(tmp_path / "input", [(CT, EXPLICIT)] * 3 + [(MR, EXPLICIT)])
    journal = JournalFile(path=str(tmp_path / "kept"))
    empty = dcmsend.dry_run(at(receiver), paths, journal=journal)
    assert not Path(journal.path).exists()
    assert (empty.earlier, len(empty.associations[0].portions)) == (0, 2)
    dcmsend.send(at(receiver), paths[:2], journal=journal).close()
    before = contents(tmp_path)
    forecast = dcmsend.dry_run(at(receiver), paths, journal=journal)
    assert contents(tmp_path) == before
    assert forecast.earlier == 2
    assert forecast.earlier_size == sum(Path(path).stat().st_size for path in paths[:2])
    assert [portion.instances for portion in forecast.portions] == [1, 1]
    run = Run(at(receiver), paths, journal=journal)
    assert run.offers == proposed(forecast)
    done = dcmsend.dry_run(at(receiver), paths, journal=journal)
    assert (done.associations, done.earlier, done.complete, done.error) == ((), 4, True, None)
    with pytest.raises(JournalError, match="belongs to"):
        dcmsend.dry_run(NOBODY, paths, journal=journal)


def test_sizes_of_files_that_a_dicomdir_lists(tmp_path: Path) -> None:
    (tmp_path / "CT").write_bytes(build(CT, "1.2.3", value=bytes(100)))
    (tmp_path / "DICOMDIR").write_bytes(encode.dicomdir(encode.record("CT")))
    forecast = dcmsend.dry_run(NOBODY, [str(tmp_path / "DICOMDIR")], scan=ScanOptions(dicomdir=True))
    assert [portion.size for portion in forecast.portions] == [(tmp_path / "CT").stat().st_size]


@pytest.mark.parametrize("count", [999, 1000])
def test_where_sending_begins_early_that_is_said(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcmsend.rehearsal.FIRST_LOOK_SECONDS", 1e9)
    (path,) = write(tmp_path / "input", [(CT, EXPLICIT)])
    scan = ScanOptions(send_duplicates=True)
    assert dcmsend.dry_run(NOBODY, [path] * count, scan=scan).early == (count == 1000)
    assert not dcmsend.dry_run(NOBODY, [path] * count, scan=scan, policy=FIRST).early


def test_settings_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        dcmsend.dry_run(
            NOBODY, [], scan=ScanOptions(send_duplicates=True), journal=JournalFile(path=str(tmp_path / "kept"))
        )
    with pytest.raises(ConfigurationError):
        dcmsend.dry_run(NOBODY, [], conversion=Conversion(dictionaries=(str(tmp_path / "missing"),)))


def test_a_dry_run_can_be_stopped(tmp_path: Path) -> None:
    stop = Stop()
    stop.request()
    forecast = dcmsend.dry_run(NOBODY, write(tmp_path / "input", [(CT, EXPLICIT)] * 2), stop=stop)
    assert isinstance(forecast.error, Interrupted)
    assert forecast.associations == ()


def test_memory_does_not_grow_with_the_number_of_instances(tmp_path: Path) -> None:
    """No list is kept: what is counted are kinds."""
    (path,) = write(tmp_path / "input", [(CT, EXPLICIT)])

    def most(count: int) -> int:
        tracemalloc.start()
        try:
            paths = (path for _ in range(count))
            forecast = dcmsend.dry_run(NOBODY, paths, scan=ScanOptions(send_duplicates=True))
            assert forecast.portions[0].instances == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    most(10)
    assert most(5000) - most(500) < 100_000


# --- a probe


def foretold(forecast: Forecast) -> dict[tuple[str, str], tuple[int, str, Reason]]:
    """Of each kind: how many, in which transfer syntax they go, or why they do not."""
    return {
        (portion.sop_class, portion.transfer_syntax): (portion.instances, portion.network_syntax, portion.reason)
        for portion in forecast.portions
    }


def happened(run: Run) -> dict[tuple[str, str], tuple[int, str, Reason]]:
    """The same of a real run. An instance that failed by itself is none that a probe could know of."""
    found: dict[tuple[str, str], Counter[tuple[str, Reason]]] = {}
    for instance, outcome in run.rows:
        assert outcome.state in (State.ANSWERED, State.NO_CONTEXT), outcome
        refused = outcome.state is State.NO_CONTEXT
        what = ("", outcome.reason) if refused else (outcome.network_syntax, NONE)
        found.setdefault((instance.sop_class, instance.transfer_syntax), Counter())[what] += 1
    assert all(len(each) == 1 for each in found.values())
    return {kind: (count, *what) for kind, each in found.items() for what, count in each.items()}


def agree(peer: Peer, paths: Sequence[str], **wishes: Any) -> Forecast:
    """Probe and run, and see that the one has foretold the other."""
    events: list[Event] = []
    forecast: Forecast = dcmsend.probe(peer, paths, policy=FIRST, listener=events.append, **wishes)
    assert not any(isinstance(event, InstanceFinished) for event in events)
    run = Run(peer, paths, policy=FIRST, **wishes)
    assert (forecast.error, run.error) == (None, None)
    assert proposed(forecast) == run.offers
    assert foretold(forecast) == happened(run)
    assert forecast.complete == all(outcome.stored for _, outcome in run.rows)
    return forecast


@pytest.fixture(params=list(Decompression), ids=lambda mode: mode.value)
def conversion(request: pytest.FixtureRequest) -> Conversion:
    return Conversion(decompression=request.param)


class TestServers:
    @pytest.mark.parametrize("accepted", ["+x=", "+xi", "+xe", "+xb", "+xs", "+xy", "+xr", "+xd", "+xa"])
    def test_storescp(self, accepted: str, conversion: Conversion, storescp: Any, samples: list[Path]) -> None:
        agree(at(storescp(defaults=(accepted,))), [*map(str, samples)], conversion=conversion)

    def test_dcmrecv(self, conversion: Conversion, dcmrecv: Any, samples: list[Path]) -> None:
        forecast = agree(at(dcmrecv(syntaxes=[IMPLICIT, RLE])), [*map(str, samples)], conversion=conversion)
        answer = forecast.associations[0].answer
        assert answer is not None
        assert answer.implementation.startswith("OFFIS_DCMTK_")
        assert answer.implementation_uid.startswith("1.2.276.0.7230010.3")
        assert answer.max_pdu > 4096

    def test_orthanc(self, conversion: Conversion, orthanc: Any, samples: list[Path]) -> None:
        server = orthanc(AcceptedTransferSyntaxes=[EXPLICIT, BASELINE])
        agree(at(server), [*map(str, samples)], conversion=conversion)
        assert server.instances()

    def test_pynetdicom(self, conversion: Conversion, pynetdicom_scp: Any, samples: list[Path]) -> None:
        server = pynetdicom_scp(sop_classes=[CT, MR, "1.2.840.10008.5.1.4.1.1.6.1"], syntaxes=[EXPLICIT, BASELINE])
        agree(at(server), [*map(str, samples)], conversion=conversion)

    def test_nothing_is_stored_by_a_probe(self, storescp: Any, samples: list[Path]) -> None:
        server = storescp()
        assert dcmsend.probe(at(server), map(str, samples)).error is None
        assert server.stored() == {}

    def test_several_associations(self, storescp: Any, tmp_path: Path) -> None:
        kinds = [(f"1.2.840.10008.5.1.4.1.1.9999.{number}", EXPLICIT) for number in range(150)]
        forecast = agree(at(storescp()), write(tmp_path / "input", kinds))
        assert [len(each.contexts) for each in forecast.associations] == [128, 128, 44]


@PROFILE
@given(
    kinds=some.sets(some.tuples(some.sampled_from([CT, MR]), some.sampled_from(SYNTAXES)), min_size=1),
    liked=some.sets(some.sampled_from([*SYNTAXES, "1.2.840.10008.1.2.1.99"])),
    decompression=some.sampled_from(list(Decompression)),
)
def test_a_probe_sees_what_a_scripted_peer_accepts(
    kinds: set[tuple[str, str]], liked: set[str], decompression: Decompression, tmp_path: Path
) -> None:
    """Whatever it accepts: what the probe says of each context is what ``Routes`` would do with the same answer."""
    from dcmsend.payload.opening import no_decoder
    from dcmsend.plan import Routes, Wishes

    shutil.rmtree(tmp_path / "input", ignore_errors=True)
    paths = write(tmp_path / "input", sorted(kinds))
    peer = ScriptedPeer([accept(only=liked), release()])
    try:
        forecast = dcmsend.probe(at(peer), paths, policy=FIRST, conversion=Conversion(decompression=decompression))
    finally:
        peer.stop()
    (association,) = forecast.associations
    request = peer.connections[0].request
    assert request is not None
    assert [(o.context_id, o.abstract_syntax, o.transfer_syntaxes) for o in request.offers] == proposed(forecast)[0]
    for context in association.contexts:
        assert context.accepted == next((each for each in context.transfer_syntaxes if each in liked), "")
    wishes = Wishes(FIRST, decompression, no_decoder)
    routes = Routes(association.contexts, wishes)
    for portion in association.portions:
        route = routes.find(portion.sop_class, portion.transfer_syntax)
        if route is None:
            assert portion.reason == routes.why_not(portion.sop_class, portion.transfer_syntax)
        else:
            assert (portion.context_id, portion.network_syntax, portion.reason) == (*route, NONE)
            assert portion.network_syntax in liked


class TestScripted:
    @pytest.fixture
    def paths(self, tmp_path: Path) -> list[str]:
        return write(tmp_path / "input", [(CT, EXPLICIT)])

    def test_what_the_peer_says_of_itself(self, scripted_peer: Script, paths: list[str]) -> None:
        roles = pdus.item(0x54, struct.pack(">H", len(CT)) + CT.encode() + b"\1\0")
        window = pdus.item(0x53, struct.pack(">HH", 3, 1))
        confirmed = pdus.item(0x59, struct.pack(">H", 0))
        peer = scripted_peer([accept(max_pdu=0, user=roles + window + confirmed), release()])
        forecast = dcmsend.probe(at(peer), paths, limits=dcmsend.Limits(async_window=8))
        answer = forecast.associations[0].answer
        assert answer is not None
        assert (answer.max_pdu, answer.window, answer.confirmed, answer.roles) == (0, 3, True, (CT,))
        assert (answer.implementation, answer.implementation_uid, answer.security) == ("TEST", "2.25.1", "")

    def test_a_rejection(self, scripted_peer: Script, paths: list[str]) -> None:
        forecast = dcmsend.probe(at(scripted_peer([reject(1, 1, 7)])), paths)
        assert isinstance(forecast.error, AssociationRejected)
        assert forecast.associations[0].answer is None

    def test_an_abort(self, scripted_peer: Script, paths: list[str]) -> None:
        peer = scripted_peer([expect(pdus.A_ASSOCIATE_RQ), send(pdus.abort())])
        assert isinstance(dcmsend.probe(at(peer), paths).error, AssociationAborted)

    @pytest.mark.parametrize("multiple", [True, False])
    def test_all_contexts_refused(self, multiple: bool, scripted_peer: Script, paths: list[str]) -> None:
        peer = scripted_peer(*[[accept(result=3), release()]] * 2)
        policy = Policy(halt=False, multiple_associations=multiple)
        forecast = dcmsend.probe(at(peer), paths, policy=policy)
        run = Run(at(peer), paths, policy=policy)
        assert type(forecast.error) is type(run.error) is (type(None) if multiple else NoAcceptableContext)
        assert not forecast.complete
        assert forecast.portions[0].reason == run.rows[0][1].reason

    def test_an_abort_instead_of_a_release_changes_nothing(self, scripted_peer: Script, paths: list[str]) -> None:
        peer = scripted_peer([accept(), expect(pdus.A_RELEASE_RQ), send(pdus.abort())])
        forecast = dcmsend.probe(at(peer), paths)
        assert (forecast.error, forecast.complete) == (None, True)

    def test_input_that_ends_the_run_is_told_before_anybody_is_asked(self, paths: list[str]) -> None:
        forecast = dcmsend.probe(NOBODY, [*paths, "missing"])
        assert isinstance(forecast.error, InvalidInputError)

    def test_it_can_be_stopped(self, scripted_peer: Script, paths: list[str]) -> None:
        stop = Stop()
        peer = scripted_peer([expect(pdus.A_ASSOCIATE_RQ), lambda _: stop.request(), drain()])
        assert isinstance(dcmsend.probe(at(peer), paths, stop=stop).error, Interrupted)

    def test_a_peer_that_does_not_answer(self, scripted_peer: Script, paths: list[str]) -> None:
        peer = scripted_peer([expect(pdus.A_ASSOCIATE_RQ), stall()])
        forecast = dcmsend.probe(at(peer), paths, timeouts=dcmsend.Timeouts(acse=0.1))
        assert "timeout" in str(forecast.error)


# --- the command


ECHO: Final = [accept(), expect_message(pdus.C_ECHO_RQ), answer(lambda c: pdus.echo_rsp(c.messages[-1])), release()]
FAILED_ECHO: Final = [
    accept(), expect_message(pdus.C_ECHO_RQ), answer(lambda c: pdus.echo_rsp(c.messages[-1], status=0x0122)), release(),
]  # fmt: skip


class TestEcho:
    def test_alone_it_says_so_in_one_line(self, scripted_peer: Script, capsys: pytest.CaptureFixture[str]) -> None:
        peer = scripted_peer(ECHO)
        assert main(["--echo", "-aec", "ARCHIVE", "127.0.0.1", str(peer.port)]) == 0
        out, err = capsys.readouterr()
        assert out.startswith(f"127.0.0.1:{peer.port} (ARCHIVE) answered C-ECHO after 0.")
        assert out.endswith(" s\n")
        assert (out.count("\n"), err) == (1, "")

    def test_steps_are_in_the_log(self, scripted_peer: Script, capsys: pytest.CaptureFixture[str]) -> None:
        peer = scripted_peer(ECHO)
        assert main(["-v", "--echo", "127.0.0.1", str(peer.port)]) == 0
        assert capsys.readouterr().err.splitlines() == [
            "I: asking the peer with C-ECHO ...",
            "I: initializing network ...",
            "I: negotiating network association ...",
            "I: Requesting Association",
            "I: Association Accepted (Max Send PDV: 16372)",
            "I: Releasing Association",
        ]

    def test_with_files_it_comes_first(
        self, scripted_peer: Script, capsys: pytest.CaptureFixture[str], samples: list[Path]
    ) -> None:
        peer = scripted_peer(ECHO, [accept(), store(), release()])
        assert main(["-v", "--echo", "127.0.0.1", str(peer.port), str(samples[0])]) == 0
        out, err = capsys.readouterr()
        assert out == ""
        assert err.index("answered C-ECHO after") < err.index("sending SOP instances")

    @pytest.mark.parametrize(
        ("script", "told"),
        [
            (FAILED_ECHO, "F: the peer answered the C-ECHO request with status 0x0122\n"),
            ([accept(result=3), release()], "F: the peer does not accept the Verification SOP class\n"),
            ([reject(1, 1, 7)], "F: association rejected: permanently: called AE title not recognised by the peer"),
        ],
        ids=["status", "context", "rejected"],
    )
    @pytest.mark.parametrize("files", [True, False])
    def test_where_it_fails_nothing_is_sent(
        self,
        script: list[Any],
        told: str,
        files: bool,
        scripted_peer: Script,
        capsys: pytest.CaptureFixture[str],
        samples: list[Path],
    ) -> None:
        peer = scripted_peer(script)
        assert main(["--echo", "127.0.0.1", str(peer.port), *([str(samples[0])] if files else [])]) == 61
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(told)
        assert len(peer.connections) == 1

    def test_titles_identity_and_limits_are_those_of_the_run(self, scripted_peer: Script) -> None:
        peer = scripted_peer(ECHO)
        words = ["-aet", "ME", "-usr", "jo", "-pdu", "4096", "--echo", "127.0.0.1", str(peer.port)]
        assert main(words) == 0
        request = peer.connections[0].request
        assert request is not None
        assert (request.calling_ae, request.user[0x51]) == ("ME", [struct.pack(">I", 4096)])
        assert request.user[0x58] == [b"\1\0\0\2jo\0\0"]

    def test_timeouts_count(self, scripted_peer: Script, capsys: pytest.CaptureFixture[str]) -> None:
        peer = scripted_peer([accept(), expect_message(pdus.C_ECHO_RQ), drain()])
        assert main(["-td", "1", "--echo", "127.0.0.1", str(peer.port)]) == 61
        assert capsys.readouterr().err == (
            "F: timeout: the peer's response took more than 1 seconds\n"
            "F: Look at the peer's load, or give it more time (--dimse-timeout).\n"
        )

    def test_a_password_on_standard_input_is_read_once(
        self, scripted_peer: Script, samples: list[Path], run_dcmsend: Command, tmp_path: Path
    ) -> None:
        import subprocess
        import sys

        peer = scripted_peer(ECHO, [accept(), store(), release()])
        words = ["--echo", "-usr", "jo", "--password-file", "-", "127.0.0.1", str(peer.port), str(samples[0])]
        done = subprocess.run(
            [sys.executable, "-m", "dcmsend", *words], input=b"secret\n", capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
        told = [connection.request.user[0x58] for connection in peer.connections if connection.request]
        assert told == [[b"\2\0\0\2jo\0\6secret"]] * 2

    def test_storescp_and_orthanc(self, storescp: Any, orthanc: Any, run_dcmsend: Command) -> None:
        for server in (storescp(), orthanc()):
            done = run_dcmsend("--echo", "127.0.0.1", server.port)
            assert (done.returncode, done.stderr) == (0, "")
            assert "answered C-ECHO after" in done.stdout

    def test_nobody_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--echo", "127.0.0.1", "9"]) == 61
        assert capsys.readouterr().err.startswith("F: cannot connect to 127.0.0.1:9")


class TestText:
    def test_a_dry_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        paths = write(tmp_path / "input", [(CT, EXPLICIT), (CT, EXPLICIT), (CT, BASELINE), (MR, IMPLICIT)])
        sizes = [Path(path).stat().st_size for path in paths]
        assert main(["--dry-run", "-aec", "ARCHIVE", "pacs.example.org", "104", *paths]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert out.splitlines() == [
            "Dry run; nothing was sent, and nobody was asked",
            "Peer: pacs.example.org:104, AE titles DCMSEND -> ARCHIVE",
            "",
            f"Association 1: 5 presentation contexts, 4 instances, {sum(sizes)} bytes",
            "  1  CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "     Little Endian Explicit (1.2.840.10008.1.2.1)",
            f"     - 2 instances, {sizes[0] + sizes[1]} bytes",
            "  3  CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "     JPEG Baseline (1.2.840.10008.1.2.4.50)",
            f"     - 1 instance, {sizes[2]} bytes",
            "  5  CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "     for what is converted: Little Endian Implicit",
            "  7  MRImageStorage (1.2.840.10008.5.1.4.1.1.4)",
            "     Little Endian Implicit (1.2.840.10008.1.2)",
            f"     - 1 instance, {sizes[3]} bytes",
            "  9  MRImageStorage (1.2.840.10008.5.1.4.1.1.4)",
            "     for what is converted: Little Endian Explicit",
            "",
            "Sent only if the peer takes their own transfer syntax, because it was compressed",
            "with loss, and such data is not decompressed without being asked for:",
            f"  - 1 instance, {sizes[2]} bytes",
            "    CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "    JPEG Baseline (1.2.840.10008.1.2.4.50)",
            "  Where the peer does not take this compression: allow it there, or have it",
            "  decompressed by --decompress-lossy.",
            "",
            "In all",
            f"  to be sent:     4 instances, {sum(sizes)} bytes",
            "  What is wrong within a data set shows when it is sent: structure, pixel data",
            "  and the values that a conversion needs are not looked at here.",
        ]

    def test_a_probe(self, scripted_peer: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        paths = write(tmp_path / "input", [(CT, EXPLICIT), (CT, RLE), (CT, BASELINE)])
        sizes = [Path(path).stat().st_size for path in paths]
        peer = scripted_peer([accept(only=[EXPLICIT]), release()])
        assert main(["--probe", "127.0.0.1", str(peer.port), *paths]) == 66
        out, err = capsys.readouterr()
        assert err == ""
        assert out.splitlines()[3:] == [
            f"Association 1: 4 presentation contexts, 3 instances, {sum(sizes)} bytes",
            "  Peer's implementation: TEST 2.25.1",
            "  Longest PDU it takes: 16384 bytes",
            "  Operations: one after the other",
            "  1  CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "     Little Endian Explicit (1.2.840.10008.1.2.1)",
            "     accepted: Little Endian Explicit",
            "  3  CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "     RLE Lossless (1.2.840.10008.1.2.5)",
            "     refused, transfer syntaxes not supported",
            "  5  CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "     JPEG Baseline (1.2.840.10008.1.2.4.50)",
            "     refused, transfer syntaxes not supported",
            "  7  CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "     for what is converted: Little Endian Implicit",
            "     refused, transfer syntaxes not supported",
            "  Instances",
            f"  - 1 instance, {sizes[0]} bytes",
            "    CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "    Little Endian Explicit (1.2.840.10008.1.2.1)",
            "      sent as they are (context 1)",
            f"  - 1 instance, {sizes[1]} bytes",
            "    CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "    RLE Lossless (1.2.840.10008.1.2.5)",
            "      converted (context 1): RLE Lossless -> Little Endian Explicit;",
            "      decompressed, without loss",
            f"  - 1 instance, {sizes[2]} bytes",
            "    CTImageStorage (1.2.840.10008.5.1.4.1.1.2)",
            "    JPEG Baseline (1.2.840.10008.1.2.4.50)",
            "      not sent: no acceptable presentation context for JPEG Baseline: the peer",
            "      does not support this transfer syntax for it, and it is not converted: it",
            "      was compressed with loss, and such data is not decompressed without being",
            "      asked for",
            "      Where the peer does not take this compression: allow it there, or have it",
            "      decompressed by --decompress-lossy.",
            "",
            "In all",
            f"  to be sent:     2 instances, {sizes[0] + sizes[1]} bytes",
            f"  not sent:       1 instance, {sizes[2]} bytes",
            "  What is wrong within a data set shows when it is sent: structure, pixel data",
            "  and the values that a conversion needs are not looked at here.",
        ]

    def test_decoders_that_are_missing_are_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dcmsend.api.no_decoder", lambda _: because("decoder_missing", install="pip install it"))
        (path,) = write(tmp_path / "input", [(CT, RLE)])
        assert main(["--dry-run", "peer", "104", path]) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert "only if the peer takes their own transfer syntax, because its decoder is not installed (pip" in out

    @pytest.mark.parametrize("halt", [True, False])
    def test_skipped_files_are_listed_to_a_bound_and_with_v_in_the_log(
        self, halt: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bad = [str(tmp_path / f"bad{number}") for number in range(MOST_TOLD + 2)]
        good = write(tmp_path / "input", [(CT, EXPLICIT)])
        words = ["--dry-run", *([] if halt else ["-nh"]), "peer", "104", *bad, *good]
        assert main(words) == (22 if halt else 67)
        out, err = capsys.readouterr()
        assert f"Left out: {MOST_TOLD + 2} inputs (the first {MOST_TOLD} are shown here, all with -v" in out
        assert out.count("/bad") == MOST_TOLD + halt  # and in the error
        assert err.splitlines()[:1] == ([f"F: bad DICOM file: {bad[0]}: No such file or directory"] if halt else [])
        assert ("With --no-halt it goes on, as follows." in out) == halt
        assert main(["-v", *words]) == (22 if halt else 67)
        assert capsys.readouterr().err.count("E: cannot add DICOM file to the transfer list: ") == MOST_TOLD + 2

    @pytest.mark.parametrize(
        ("words", "code"),
        [(["-dn", "-nip"], 65), (["-nh", "-dn", "-nip"], 66), (["-nh", "-dn", "-nip", "--dcmtk-exit-codes"], 0)],
    )
    def test_what_has_no_chance(
        self, words: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        paths = write(tmp_path / "input", [(CT, EXPLICIT), (CT, RLE)])
        assert main(["--dry-run", *words, "peer", "104", *paths]) == code
        out = capsys.readouterr().out
        assert "\nNo chance: 1 instance, " in out
        told = " ".join(out.split())
        assert "RLE Lossless alone is no legal proposal, and it is not converted" in told
        assert "leave out --no-illegal-proposal." in told

    def test_more_contexts_than_a_single_association_takes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kinds = [(f"1.2.840.10008.5.1.4.1.1.9999.{number}", EXPLICIT) for number in range(130)]
        assert main(["--dry-run", "-ma", "peer", "104", *write(tmp_path / "input", kinds)]) == 66
        out = capsys.readouterr().out
        assert "Association 1: 128 presentation contexts, 128 instances, " in out
        assert "\nNo chance: 2 instances, " in out
        told = " ".join(out.split())
        assert "an association takes 128, and no other association is allowed Leave out --single-association:" in told

    def test_no_report_is_written(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        paths = write(tmp_path / "input", [(CT, EXPLICIT)])
        before = contents(tmp_path)
        report, journal = str(tmp_path / "report.txt"), str(tmp_path / "kept")
        assert main(["--dry-run", "+crf", report, "--journal", journal, "peer", "104", *paths]) == 0
        assert capsys.readouterr().err == "W: nothing is sent, so no report is written\n"
        assert contents(tmp_path) == before

    def test_what_the_journal_knows_is_told(
        self, receiver: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        paths = write(tmp_path / "input", [(CT, EXPLICIT)] * 2)
        words = ["--journal", str(tmp_path / "kept"), "127.0.0.1", str(receiver.port)]
        assert main([*words, paths[0]]) == 0
        size = Path(paths[0]).stat().st_size
        assert main(["--dry-run", *words, *paths]) == 0
        assert f"  stored already: 1 instance, {size} bytes (as the journal says)\n" in capsys.readouterr().out
        assert main(["--dry-run", "--journal", str(tmp_path / "kept"), "peer", "104", *paths]) == 44

    def test_nothing_can_forge_a_line(
        self, scripted_peer: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bad = tmp_path / "a\nIn all\x1b[31m"
        bad.write_bytes(b"x")
        good = write(tmp_path / "input", [(CT, EXPLICIT)])
        implementation = pdus.item(0x55, b"x\nIn all\x1b[3")
        peer = scripted_peer([lambda c: _accept_as(c, implementation), release()])
        assert main(["--probe", "-nh", "127.0.0.1", str(peer.port), str(bad), *good]) == 0  # it is no DICOM
        out, _ = capsys.readouterr()
        assert "  Peer's implementation: x\\nIn all\\x1b[3 2.25.1\n" in out
        assert "\x1b" not in out
        assert out.count("\nIn all\n") == 1

    def test_lines_fit_a_terminal(self, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
        monkeypatch.chdir(data)
        assert main(["--dry-run", "-nh", "+sd", "+r", "peer" * 60, "104", "samples", "odd"]) == 67
        out = capsys.readouterr().out
        assert [line for line in out.splitlines() if len(line) > 80 and not line.startswith("  odd/")] == []
        assert [line for line in out.splitlines() if line != line.rstrip()] == []

    def test_without_reader_or_encoding(self, tmp_path: Path, run_dcmsend: Command) -> None:
        (path,) = write(tmp_path / "input", [(CT, EXPLICIT)])
        missing = str(tmp_path / "\u00e4\u4e00.dcm")
        done = run_dcmsend("--dry-run", "-nh", "peer", "104", path, missing, env={"PYTHONIOENCODING": "ascii"})
        assert (done.returncode, done.stderr) == (67, "")
        assert "\\xe4\\u4e00.dcm" in done.stdout

    @pytest.mark.parametrize(("words", "code"), [(["-nh"], 67), (["-nh", "--dcmtk-exit-codes"], 0), ([], 22)])
    @pytest.mark.parametrize("asked", [True, False])
    def test_what_is_left_out_and_what_is_no_dicom_have_their_sections(
        self,
        words: list[str],
        code: int,
        asked: bool,
        scripted_peer: Script,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        good = write(tmp_path / "input", [(CT, EXPLICIT)])
        (tmp_path / "notes.txt").write_text("no DICOM")
        paths = [str(tmp_path / "gone.dcm"), str(tmp_path / "notes.txt"), *good]
        port = str(scripted_peer([accept(), release()]).port) if asked and code != 22 else "104"
        assert main(["--probe" if asked else "--dry-run", *words, "127.0.0.1", port, *paths]) == code
        out = capsys.readouterr().out
        assert f"\nLeft out: 1 input\n  {paths[0]}\n      No such file or directory\n" in out
        assert f"\nNo DICOM: 1 file\n  {paths[1]}\n      File meta information header missing\n  These are no" in out
        assert "\n  left out:       1 input\n  no DICOM:       1 file\n" in out

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--probe", "--dry-run", "a", "104", "x"], "--probe not allowed with --dry-run"),
            (["--echo", "--dry-run", "a", "104", "x"], "--echo not allowed with --dry-run"),
            (["--echo", "--probe", "a", "104"], "Missing parameter dcmfile-in"),
            (["--dry-run", "a", "104"], "Missing parameter dcmfile-in"),
            (["--echo", "a"], "Missing parameter port"),
        ],
    )
    def test_what_does_not_go_together(self, words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(words) == 1
        assert capsys.readouterr().err.endswith(f"error: {told}\n")

    def test_echo_then_probe(self, scripted_peer: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        peer = scripted_peer(ECHO, [accept(), release()])
        paths = write(tmp_path / "input", [(CT, EXPLICIT)])
        assert main(["-v", "--echo", "--probe", "127.0.0.1", str(peer.port), *paths]) == 0
        out, err = capsys.readouterr()
        assert "sent as they are (context 1)" in out
        assert "answered C-ECHO after" in err

    @pytest.mark.parametrize(
        ("script", "code"),
        [([reject()], 61), ([expect(pdus.A_ASSOCIATE_RQ), send(pdus.abort())], 61)],
        ids=["reject", "abort"],
    )
    def test_a_probe_that_fails(
        self, script: list[Any], code: int, scripted_peer: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        paths = write(tmp_path / "input", [(CT, EXPLICIT)])
        assert main(["--probe", "127.0.0.1", str(scripted_peer(script).port), *paths]) == code
        out, err = capsys.readouterr()
        assert "The run ends early: " in out
        assert "The peer was not asked for all of these." in out
        assert err.startswith("F: ")


def _accept_as(connection: Any, implementation: bytes) -> None:
    """Accept everything, with another implementation version name."""
    expect(pdus.A_ASSOCIATE_RQ)(connection)
    plain = pdus.associate_ac(connection.request)
    named = plain.replace(pdus.item(0x55, b"TEST"), implementation)
    grown = len(named) - len(plain)
    at = named.rindex(pdus.item(0x51, struct.pack(">I", 16384))) - 2
    (length,) = struct.unpack_from(">H", named, at)
    body = named[6:at] + struct.pack(">H", length + grown) + named[at + 2 :]
    connection.socket.sendall(pdus.pdu(pdus.A_ASSOCIATE_AC, body))


# --- what is no plain file


def test_members_of_archives_are_foretold_and_sent(storescp: Callable[..., FolderServer], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "study.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"a/{number}.dcm", build(CT, f"1.2.{number}"))
    peer = Peer(host="127.0.0.1", port=storescp().port)
    archives = ScanOptions(archives=True)
    forecast = dcmsend.dry_run(peer, [str(tmp_path / "study.zip")], scan=archives)
    assert forecast.error is None
    assert sum(portion.instances for portion in forecast.portions) == 3
    asked = dcmsend.probe(peer, [str(tmp_path / "study.zip")], scan=archives)
    assert (asked.error, asked.complete) == (None, True)
    with dcmsend.send(peer, [str(tmp_path / "study.zip")], scan=archives) as report:
        assert report.complete
        assert report.totals.instances == 3


def test_more_bytes_than_are_kept_at_once_can_be_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcmsend.files.given.MAX_SOURCES", 2)
    peer = Peer(host="127.0.0.1", port=104)
    forecast = dcmsend.dry_run(peer, (build(CT, f"1.2.{number}") for number in range(20)))
    assert forecast.error is None
    assert sum(portion.instances for portion in forecast.portions) == 20


def test_bytes_that_are_stored_are_left_out(storescp: Callable[..., FolderServer], tmp_path: Path) -> None:
    sources = [build(CT, f"1.2.{number}") for number in range(4)]
    peer, journal = Peer(host="127.0.0.1", port=storescp().port), JournalFile(path=str(tmp_path / "journal"))
    with dcmsend.send(peer, sources[:3], journal=journal) as report:
        assert report.complete
    forecast = dcmsend.dry_run(peer, sources, journal=journal)
    assert (forecast.earlier, sum(portion.instances for portion in forecast.portions)) == (3, 1)


@pytest.mark.parametrize("option", ["--dry-run", "--probe"])
def test_names_from_standard_input_are_foretold(
    option: str, storescp: Callable[..., FolderServer], data: Path, tmp_path: Path
) -> None:
    names = sorted(str(path) for path in (data / "samples").iterdir())
    command = [sys.executable, "-m", "dcmsend", option, "+dly", "--files-from", "-", "127.0.0.1", str(storescp().port)]
    ran = subprocess.run(command, input="\n".join(names).encode(), capture_output=True, timeout=60)
    assert f"to be sent:     {len(names)} instances" in ran.stdout.decode(), ran.stderr
