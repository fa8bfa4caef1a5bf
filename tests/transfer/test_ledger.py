"""The journal file: what one run has written there the next one believes, and nothing that is not ours."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.cli.names import OPTIONS
from dcmsend.errors import JournalError
from dcmsend.events import InstanceFinished, InstancePostponed
from dcmsend.light import replace
from dcmsend.model import Instance, JournalFile, Outcome, Peer, Refusal, State
from dcmsend.reasons import because
from dcmsend.stop import Stop
from dcmsend.transfer.ledger import Ledger
from dcmsend.transfer.ledger_file import APPLICATION_ID, TABLES, VERSION
from dcmsend.transfer.ledger_keys import Keys
from dcmsend.transfer.ledger_reader import LedgerReader
from dcmsend.transfer.ledger_rows import fitting, packed

if TYPE_CHECKING:
    from dcmsend.events import Event
    from dcmsend.transfer.worker import Ending

PEER: Final = Peer(host="pacs.example.org", port=104)
Open = Callable[..., Ledger]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept.journal"


@pytest.fixture
def opened(path: Path) -> Iterator[Open]:
    made: list[Ledger] = []

    def make(peer: Peer = PEER, *, any_peer: bool = False, give_up: bool = False, stop: Stop | None = None) -> Ledger:
        file = JournalFile(path=str(path), any_peer=any_peer, give_up=give_up)
        made.append(Ledger(file, peer, stop or Stop(), clock=lambda: 1.25))
        return made[-1]

    yield make
    for ledger in made:
        if not ledger._held.released:
            ledger.close()


@pytest.fixture
def instance(tmp_path: Path) -> Callable[..., Instance]:
    def make(name: str = "a.dcm", content: bytes = b"abc") -> Instance:
        file = tmp_path / name
        file.write_bytes(content)
        os.utime(file, ns=(0, 1_000_000_000))
        return Instance(str(file), "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4", "1.2.840.10008.1.2.1", len(content))

    return make


def finished(instance: Instance, status: int | None = 0, state: State = State.ANSWERED) -> InstanceFinished:
    outcome = Outcome(number=1, state=state, status=status, association=3, network_syntax="1.2", attempts=1)
    return InstanceFinished(instance, outcome)


def rows(path: Path, what: str = "*", table: str = "instance") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return database.execute(f"SELECT {what} FROM {table}").fetchall()


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(statement)


def test_what_is_stored_is_not_sent_again(opened: Open, instance: Callable[..., Instance]) -> None:
    first, one, two = opened(), instance("1"), instance("2")
    assert first.meet(one, 1) is None
    assert first.meet(two, 2) is None
    first.record(finished(one, 0xB000))
    first.close()
    second = opened()
    outcome = second.meet(one, 7)
    assert outcome == Outcome(
        number=7,
        state=State.ANSWERED,
        status=0xB000,
        reason=because("stored_by_run", run=1, finished="1970-01-01 00:00:01.250"),
        association=3,
        network_syntax="1.2",
    )
    assert second.meet(two, 8) is None
    assert second.earlier == 1


@pytest.mark.parametrize(
    ("status", "state"),
    [(0xA700, State.ANSWERED), (0xC000, State.ANSWERED), (None, State.FAILED), (None, State.NO_CONTEXT)],
)
def test_what_is_not_stored_is_sent_again(
    status: int | None, state: State, opened: Open, instance: Callable[..., Instance]
) -> None:
    first, one = opened(), instance()
    first.meet(one, 1)
    first.record(finished(one, status, state))
    first.close()
    assert opened().meet(one, 1) is None


def test_a_postponed_instance_is_pending(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    first, one = opened(), instance()
    first.meet(one, 1)
    outcome = Outcome(number=1, state=State.ANSWERED, status=0xA700, reason=because("remark", words="full"), attempts=2)
    first.record(InstancePostponed(one, outcome, True))
    first.close()
    assert rows(path, "state, status, reason, attempts, finished") == [
        ("pending", 0xA700, '["remark",{"words":"full"}]', 2, None)
    ]
    assert opened().meet(one, 1) is None


@pytest.mark.parametrize("how", ["size", "time", "gone"])
def test_a_file_that_changed_is_sent_again(how: str, opened: Open, instance: Callable[..., Instance]) -> None:
    first, one = opened(), instance()
    first.meet(one, 1)
    first.record(finished(one))
    first.close()
    if how == "size":
        instance(content=b"abcd")
    elif how == "time":
        os.utime(one.path, ns=(0, 1_000_000_001))
    else:
        os.unlink(one.path)
    second = opened()
    assert second.meet(one, 1) is None
    second.close()
    if how != "gone":
        assert opened().meet(one, 1) is None, "it was pending, and still is"


def test_what_each_instance_has_come_to(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    ledger = opened()
    made = [instance(name) for name in "abcde"]
    for number, one in enumerate(made, 1):
        ledger.meet(one, number)
    ledger.record(finished(made[0]))
    ledger.record(finished(made[1], 0xC001))
    ledger.record(finished(made[2], None, State.FAILED))
    ledger.record(finished(made[3], None, State.NO_CONTEXT))
    ledger.close()
    assert rows(path, "state, status") == [
        ("stored", 0),
        ("refused", 0xC001),
        ("failed", None),
        ("no context", None),
        ("pending", None),
    ]
    found = rows(path, "path, given, size, modified, sop_class, sop_instance, transfer_syntax, run, found, finished")[0]
    uids = (made[0].sop_class, made[0].sop_instance, made[0].transfer_syntax)
    time = "1970-01-01 00:00:01.250"
    assert found == (made[0].path, 0, 3, 1_000_000_000, *uids, 1, time, time)
    assert rows(path, "id, host, port, called_ae, calling_ae, started, ended", "run") == [
        (1, "pacs.example.org", 104, "ANY-SCP", "DCMSEND", "1970-01-01 00:00:01.250", "1970-01-01 00:00:01.250")
    ]


def test_names_that_are_no_text_and_names_within_the_folder(
    opened: Open, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative name is kept with its folder, so that another folder's file of that name is another file."""
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"caf\xe9\n.dcm")
    Path(name).write_bytes(b"abc")
    one = Instance(name, "1.2", "1.2.3", "1.2.4", 3)
    first = opened()
    first.meet(one, 1)
    first.record(finished(one))
    first.close()
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = bytes
        stored, given = database.execute("SELECT path, given FROM instance").fetchone()
    assert stored == os.fsencode(tmp_path / name)
    assert stored[given:] == b"caf\xe9\n.dcm"
    again = opened()
    assert again.meet(one, 1) is not None
    assert again.meet(Instance(str(tmp_path / name), "1.2", "1.2.3", "1.2.4", 3), 2) is not None
    again.close()
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    Path(name).write_bytes(b"abc")
    os.utime(name, ns=(0, os.stat(tmp_path / name).st_mtime_ns))
    assert opened().meet(one, 1) is None


def test_what_was_not_met_again_is_counted(opened: Open, instance: Callable[..., Instance]) -> None:
    first = opened()
    made = [instance(str(number)) for number in range(4)]
    for number, one in enumerate(made, 1):
        first.meet(one, number)
    first.record(finished(made[0]))
    assert first.left_over() == 0
    first.close()
    second = opened()
    second.meet(made[1], 1)
    assert second.left_over() == 2


def test_batches_lose_nothing(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    ledger = opened()
    one = instance()
    for number in range(1, 1001):
        ledger.meet(Instance(f"{one.path}{number}", "1.2", "1.2.3", "1.2.4"), number)
    assert len(rows(path)) == 3 * 256
    ledger.close()
    assert len(rows(path)) == 1000


@pytest.mark.parametrize("field", ["sop_class", "sop_instance", "transfer_syntax"])
def test_another_instance_in_a_file_of_that_name_size_and_time_is_sent(
    field: str, opened: Open, instance: Callable[..., Instance]
) -> None:
    first, one = opened(), instance()
    first.meet(one, 1)
    first.record(finished(one))
    first.close()
    second = opened()
    assert second.meet(replace(one, **{field: "1.2.3.99"}), 1) is None
    second.close()
    assert opened().meet(one, 1) is None, "the other one is pending"


def test_it_has_the_uids_that_went_out(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    ledger, one = opened(), instance()
    ledger.meet(one, 1)
    sent = replace(one, sop_class="1.2.9", sop_instance="1.2.3.9", transfer_syntax="1.2.8")
    ledger.record(finished(sent))
    ledger.close()
    assert rows(path, "state, sop_class, sop_instance, transfer_syntax") == [("stored", "1.2.9", "1.2.3.9", "1.2.8")]
    again = opened()
    assert again.meet(sent, 1) is not None
    assert again.meet(one, 1) is None


def test_what_was_replaced_before_it_was_sent_is_not_taken_for_what_was_met(
    opened: Open, instance: Callable[..., Instance]
) -> None:
    """Nobody knows which of the two went out."""
    first, one = opened(), instance()
    first.meet(one, 1)
    instance(content=b"another one")
    first.record(finished(one))
    first.close()
    instance()
    assert opened().meet(one, 1) is None


def test_what_is_taken_away_once_it_is_told_is_still_stored(
    opened: Open, path: Path, instance: Callable[..., Instance]
) -> None:
    ledger, one = opened(), instance()
    ledger.meet(one, 1)

    def events() -> Generator[Event, None, Ending]:
        yield finished(one)
        raise AssertionError("nobody asks for more")

    kept = ledger.kept(events())
    next(kept)
    os.unlink(one.path)
    with pytest.raises(AssertionError):
        next(kept)
    ledger.close()
    instance()
    assert opened().meet(one, 1) is not None


# --- names


def test_a_file_has_one_name(opened: Open, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "s").write_bytes(b"abc")
    (folder / "link").symlink_to("s")
    (tmp_path / "y").symlink_to("x")
    monkeypatch.chdir(folder)
    first = opened()
    first.meet(Instance("s", "1.2", "1.2.3", "1.2.4"), 1)
    first.record(finished(Instance("s", "1.2", "1.2.3", "1.2.4")))
    first.close()
    again = opened()
    names = ("s", "./s", "../x/s", "link", "../y/s", str(tmp_path / "y" / "link"), "..//x/./s")
    assert [again.meet(Instance(name, "1.2", "1.2.3", "1.2.4"), 1) is not None for name in names] == [True] * len(names)
    again.close()
    assert rows(path, "path, given") == [(str(folder / "s"), len(f"{folder}/"))]


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("link.zip/a/b", "{}/real.zip/a/b"),
        ("real.zip/../b", "{}/real.zip/../b"),
        ("real.zip/a/../../../b", "{}/real.zip/a/../../../b"),
        ("<bytes 1>", "{}/<bytes 1>"),
        ("<file /tmp/../x>", "{}/<file /tmp/../x>"),
        ("gone/./a", "{}/gone/./a"),
        ("/b", "/b"),
        ("a\0/b", "{}/a\0/b"),
    ],
)
def test_members_of_archives_are_nobodys_path(
    given: str, known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hostile archive cannot name what is beside it."""
    (tmp_path / "real.zip").touch()
    (tmp_path / "b").touch()
    (tmp_path / "link.zip").symlink_to("real.zip")
    monkeypatch.chdir(tmp_path)
    assert Keys().of(given) == known.format(tmp_path)


def test_names_of_folders_are_bounded(tmp_path: Path) -> None:
    keys = Keys()
    for number in range(5000):
        keys.of(f"{number}/a")
    assert len(keys._folders) <= 4096


def test_a_name_of_many_folders_takes_no_time() -> None:
    assert Keys().of("a.zip/" + "b/" * 30_000 + "c").endswith("/b/c")


def test_a_journal_of_version_1_gets_these_names(
    opened: Open, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is the same file becomes one row, the latest; nothing of it is left over for its old name."""
    monkeypatch.chdir(tmp_path)
    for name in ("s", "t", "u", "v"):
        Path(name).write_bytes(b"abc")
    made = [Instance(name, "1.2", "1.2.3", "1.2.4") for name in ("s", "t", "u", "v")]
    first = opened()
    for number, one in enumerate(made, 1):
        first.meet(one, number)
    first.record(finished(made[0]))
    first.record(finished(made[1]))
    first.close()
    here = str(tmp_path)
    change(path, f"UPDATE instance SET path = '{here}/./s' WHERE path = '{here}/s'")
    change(path, f"UPDATE instance SET path = '{here}/../{tmp_path.name}/u' WHERE path = '{here}/u'")
    change(
        path,
        f"INSERT INTO instance SELECT '{here}/./t', given, size, modified, sop_class, sop_instance,"
        " transfer_syntax, 'pending', NULL, reason, attempts, association, network_syntax, 1, found, NULL"
        f" FROM instance WHERE path = '{here}/t'",
    )
    change(
        path,
        f"INSERT INTO instance SELECT '{here}/.//v', given, size, modified, sop_class, sop_instance,"
        " transfer_syntax, 'failed', NULL, reason, attempts, association, network_syntax, 2, found, NULL"
        f" FROM instance WHERE path = '{here}/v'",
    )
    change(path, "PRAGMA user_version = 1")
    before = path.read_bytes()
    reader = LedgerReader(JournalFile(path=str(path)), PEER)
    assert [reader.meet(one, 1) is not None for one in made] == [True, True, False, False]
    assert reader.left_over() == 0
    reader.close()
    assert path.read_bytes() == before
    second = opened()
    assert [second.meet(one, 1) is not None for one in made] == [True, True, False, False]
    assert second.left_over() == 0
    second.close()
    assert rows(path, "path") == [(f"{here}/{name}",) for name in "stuv"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)


# --- numbers


@pytest.mark.parametrize("time", [(1 << 63) + 5, -(1 << 63) - 5, 1 << 70, -1, 0])
def test_a_time_of_any_size(time: int, opened: Open, instance: Callable[..., Instance]) -> None:
    """After 2262 and before 1678 a time has more than 64 bits."""
    one = instance()
    for expected in (False, True):
        ledger = opened()
        ledger.look = lambda _: (3, time)
        assert (ledger.meet(one, 1) is not None) is expected
        ledger.record(finished(one))
        assert ledger.error is None
        ledger.close()


@given(st.integers(-(1 << 80), 1 << 80))
def test_numbers_fit(number: int) -> None:
    (fitted,) = fitting((number,))
    assert -(1 << 63) <= fitted < 1 << 63
    assert fitted == number or abs(number) >= 1 << 63
    assert (number - fitted) % (1 << 64) == 0


def test_a_reason_of_any_length(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    long = "\U0001f600" * 4096
    reason = because("remark", **{f"fact{number}": long for number in range(30)}, words=long)
    assert len(packed(reason)) <= 1 << 16
    ledger, one = opened(), instance()
    ledger.meet(one, 1)
    ledger.record(InstanceFinished(one, Outcome(number=1, state=State.FAILED, reason=reason)))
    assert ledger.error is None


# --- what is given up


def test_what_is_left_over_can_be_given_up(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    made = [instance(str(number)) for number in range(4)]
    first = opened()
    for number, one in enumerate(made, 1):
        first.meet(one, number)
    first.record(finished(made[0]))
    first.record(finished(made[1], None, State.FAILED))
    first.close()
    second = opened()
    second.meet(made[1], 1)
    assert second.give_up() == 0, "nobody wishes that"
    assert second.left_over() == 2
    second.close()
    reader = LedgerReader(JournalFile(path=str(path), give_up=True), PEER)
    assert (reader.give_up(), reader.left_over()) == (3, 0)
    reader.close()
    third = opened(give_up=True)
    third.meet(made[1], 1)
    assert third.give_up() == 2
    assert third.left_over() == 0
    third.close()
    time = "1970-01-01 00:00:01.250"
    assert rows(path, "state, run, finished")[2:] == [("given up", 3, time)] * 2
    fourth = opened()
    assert fourth.left_over() == 1, "what was met by the third"
    assert fourth.meet(made[2], 1) is None, "it is sent as any other"
    fourth.record(finished(made[2]))
    fourth.close()
    assert rows(path, "state")[1:] == [("pending",), ("stored",), ("given up",)]


def test_what_is_left_out_is_written_down(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    """It is no instance: it is not left over, and touches none that is known by that name."""
    stored, pending = instance("stored"), instance("pending")
    reason = because("read_error", words="Input/output error")
    for _ in range(2):
        ledger = opened()
        for number, one in enumerate((stored, pending), 1):
            ledger.meet(one, number)
        if not ledger.earlier:
            ledger.record(finished(stored))
        for name in (stored.path, pending.path, f"{path.parent}/gone"):
            ledger.leave_out(Refusal(name, reason))
        assert ledger.left_over() == 0
        ledger.close()
    states = set(rows(path, "path, state"))
    assert states == {
        (stored.path, "stored"),
        (f"left out: {stored.path}", "left out"),
        (pending.path, "pending"),
        (f"left out: {pending.path}", "left out"),
        (f"{path.parent}/gone", "left out"),
    }
    third = opened()
    assert third.left_over() == 1
    found = instance("gone")
    assert third.meet(found, 1) is None
    third.record(finished(found))
    third.close()
    assert rows(path, "state")[0] == ("stored",)


# --- who may use it


@pytest.mark.parametrize(
    "other",
    [
        Peer(host="pacs2.example.org", port=104),
        Peer(host="pacs.example.org", port=105),
        Peer(host="pacs.example.org", port=104, called_ae="OTHER"),
    ],
)
def test_it_belongs_to_its_peer(other: Peer, opened: Open, instance: Callable[..., Instance]) -> None:
    first, one = opened(), instance()
    first.meet(one, 1)
    first.record(finished(one))
    first.close()
    with pytest.raises(JournalError, match=r"belongs to ANY-SCP at pacs\.example\.org:104, not ") as caught:
        opened(other)
    assert "--journal-any-peer" in caught.value.hint_in(OPTIONS)
    third = opened(other, any_peer=True)
    assert third.meet(one, 1) is not None
    third.close()
    opened(Peer(host="PACS.example.org", port=104, calling_ae="ANOTHER")).close()
    with pytest.raises(JournalError, match="belongs to"):
        opened(other)


def test_two_runs_at_once_are_refused(opened: Open, path: Path) -> None:
    first = opened()
    with pytest.raises(JournalError, match="is in use by another run"):
        opened()
    first.close()
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name]
    opened().close()


def test_another_process_is_refused_and_the_system_lets_go_of_a_killed_one(opened: Open, path: Path) -> None:
    """A killed run leaves its lock file behind, and nobody minds."""
    program = (
        "import sys; from dcmsend.model import JournalFile, Peer; from dcmsend.stop import Stop\n"
        "from dcmsend.transfer.ledger import Ledger\n"
        "held = Ledger(JournalFile(path=sys.argv[1]), Peer(host='pacs.example.org', port=104), Stop())\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            with pytest.raises(JournalError, match="is in use by another run"):
                opened()
        finally:
            process.kill()
            process.wait()
    assert os.path.exists(f"{path}-lock")
    opened().close()
    assert not os.path.exists(f"{path}-lock")


# --- what is not ours


def test_schema_is_marked_as_ours(opened: Open, path: Path) -> None:
    opened().close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert [row[0] for row in database.execute("SELECT sql FROM sqlite_master")] == list(TABLES)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 3", "has schema 3, not 2"),
        ("PRAGMA user_version = 0", "has schema 0, not 2"),
        ("PRAGMA application_id = 7", "is no journal of dcmsend"),
        ("CREATE TRIGGER t AFTER UPDATE ON instance BEGIN DELETE FROM instance; END", "has tables that are not"),
        ("CREATE VIEW v AS SELECT 1", "has tables that are not"),
        ("ALTER TABLE instance ADD COLUMN more", "has tables that are not"),
        ("DROP TABLE run", "has tables that are not"),
    ],
)
def test_another_schema_is_refused(statement: str, words: str, opened: Open, path: Path) -> None:
    opened().close()
    change(path, statement)
    with pytest.raises(JournalError, match=words):
        opened()
    opened_by_others = sqlite3.connect(path)
    opened_by_others.close()


@pytest.mark.parametrize("content", [b"DICM" * 400, b"x", b"SQLite format 3\0" + bytes(4080)])
def test_another_file_is_refused_and_left_alone(content: bytes, opened: Open, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(JournalError, match="cannot be used: file is not a database"):
        opened()
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_left_alone(opened: Open, path: Path) -> None:
    change(path, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="is no journal of dcmsend"):
        opened()
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_journal(opened: Open, path: Path) -> None:
    path.touch()
    opened().close()
    assert rows(path, "id", "run") == [(1,)]


def test_a_damaged_journal_is_refused(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    ledger, one = opened(), instance()
    for number in range(1, 601):
        ledger.meet(Instance(f"{one.path}{number}", "1.2", "1.2.3", "1.2.4"), number)
    ledger.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xa5" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"is damaged|malformed") as caught:
        opened()
    assert "begin another one" in caught.value.hint


@pytest.mark.parametrize(
    "values",
    [
        "status = 'zero'",
        "status = 70000",
        "status = -1",
        "status = NULL",
        "status = 49152",
        "finished = 7",
        "network_syntax = 5",
        "state = x'73746f726564'",
        "size = '3'",
    ],
)
def test_values_of_another_kind_count_as_not_there(
    values: str, opened: Open, path: Path, instance: Callable[..., Instance]
) -> None:
    first, one = opened(), instance()
    first.meet(one, 1)
    first.record(finished(one))
    first.close()
    change(path, f"UPDATE instance SET {values}")
    ledger = opened()
    expected = values in (
        "finished = 7",
        "size = '3'",
        "network_syntax = 5",
        "state = x'73746f726564'",
    )  # SQLite makes these alike
    assert (ledger.meet(one, 1) is not None) is expected
    assert ledger.error is None


def test_what_it_says_cannot_forge_a_line(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    first, one = opened(), instance()
    first.meet(one, 1)
    first.record(finished(one))
    first.close()
    change(path, "UPDATE instance SET finished = 'then' || char(10) || 'E: forged' || char(27) || hex(zeroblob(9999))")
    change(path, "UPDATE instance SET network_syntax = finished")
    outcome = opened().meet(one, 1)
    assert outcome is not None
    assert str(outcome.reason).startswith("stored by run 1 of the journal, then\\nE: forged\\x1b0000")
    assert len(str(outcome.reason)) < 200 and str(outcome.reason).isprintable()
    assert len(outcome.network_syntax) < 100 and outcome.network_syntax.isprintable()


def test_a_huge_value_is_not_read(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    first, one = opened(), instance()
    first.meet(one, 1)
    first.record(finished(one))
    first.close()
    change(path, "UPDATE instance SET finished = zeroblob(200000000)")
    stop = Stop()
    ledger = opened(stop=stop)
    assert ledger.meet(one, 1) is None
    assert isinstance(ledger.error, JournalError)
    assert "too big" in str(ledger.error)
    assert stop.requested


# --- when it cannot be written


@pytest.mark.parametrize("place", ["missing/kept", ".", "kept\0"])
def test_a_place_where_no_file_can_be(place: str, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be used: "):
        Ledger(JournalFile(path=str(tmp_path / place)), PEER, Stop())


def test_a_full_disk_stops_the_run(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    stop = Stop()
    ledger, one = opened(stop=stop), instance()
    ledger.meet(one, 1)
    ledger.record(finished(one))
    ledger._database.execute("PRAGMA max_page_count = 8")
    for number in range(2, 2000):
        ledger.meet(Instance(f"{one.path}{number}", "1.2", "1.2.3", "1.2.4"), number)
    assert stop.requested
    assert str(ledger.error) == f"journal '{path}' cannot be used: database or disk is full"
    ledger.record(finished(one, 0xC000))
    ledger.close()
    assert ("stored",) in rows(path, "state")
    assert rows(path, "ended", "run") == [(None,)]


def test_outcomes_are_on_the_disk_before_the_association_goes_on(
    opened: Open, path: Path, instance: Callable[..., Instance]
) -> None:
    ledger = opened()
    made = [instance(str(number)) for number in range(3)]
    for number, one in enumerate(made, 1):
        ledger.meet(one, number)
    states: list[list[tuple[object, ...]]] = []

    def events() -> Generator[Event, None, Ending]:
        for one in made:
            yield finished(one)
            states.append(rows(path, "state"))
        raise StopIteration  # pragma: no cover

    kept = ledger.kept(events())
    assert [next(kept) for _ in made] == [finished(one) for one in made]
    kept.close()
    assert [[row[0] for row in found].count("stored") for found in states] == [1, 2]
    ledger.close()


# --- when it is interrupted


def test_it_may_be_closed_again(opened: Open, path: Path, instance: Callable[..., Instance]) -> None:
    ledger, one = opened(), instance()
    ledger.meet(one, 1)
    ledger.close()
    ledger.close()
    ledger.record(finished(one))
    assert ledger.meet(one, 2) is None
    assert ledger.left_over() == 0
    assert rows(path, "state") == [("pending",)]
    opened()


class Waiting:
    """A connection that waits within each commit, as a slow disk does."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.within, self.go_on = Flag(), Flag()
        self.closed_within = False

    def execute(self, statement: str, *values: object) -> object:
        if statement == "COMMIT":
            self.within.set()
            assert self.go_on.wait(30)
        return self.database.execute(statement, *values)  # type: ignore[arg-type]

    def close(self) -> None:
        self.closed_within |= self.within.is_set() and not self.go_on.is_set()
        self.database.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self.database, name)


@pytest.mark.parametrize("interrupted", [False, True])
def test_it_is_not_closed_while_another_thread_is_within(
    interrupted: bool, opened: Open, path: Path, instance: Callable[..., Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would break down with all of us. Whoever is within closes it, where nobody waits for that any more."""
    ledger, one = opened(), instance()
    ledger.meet(one, 1)
    waiting = Waiting(ledger._database)
    monkeypatch.setattr(ledger, "_database", waiting)
    thread = Thread(target=lambda: ledger.record(finished(one)))
    thread.start()
    assert waiting.within.wait(30)
    closing = Thread(target=ledger.close)
    if interrupted:
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(ledger, "_lock", Interrupted())
            ledger.close()
    else:
        closing.start()
    waiting.go_on.set()
    thread.join(30)
    if not interrupted:
        closing.join(30)
    assert not waiting.closed_within
    assert ledger._held.released
    assert rows(path, "state") == [("stored",)]


class Interrupted:
    """A lock for which nobody waits long: Ctrl-C comes each time."""

    def __enter__(self) -> None:
        raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        pass

    def acquire(self, timeout: float) -> bool:
        raise KeyboardInterrupt


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "INSERT", "UPDATE instance", "COMMIT"])
def test_ctrl_c_in_the_middle_of_writing(
    statement: str, opened: Open, path: Path, instance: Callable[..., Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is written when it is written the next time, and nothing is taken back."""
    ledger = opened()
    made = [instance(name) for name in "ab"]
    for number, one in enumerate(made, 1):
        ledger.meet(one, number)
    breaking = Breaking(ledger._database, statement)
    monkeypatch.setattr(ledger, "_database", breaking)
    with pytest.raises(KeyboardInterrupt):
        ledger.record(finished(made[0]))
    assert not ledger._database.in_transaction
    ledger.record(finished(made[1], 0xC000))
    ledger.close()
    assert ledger.error is None
    assert rows(path, "state") == [("stored",), ("refused",)]


class Breaking:
    """A connection in which Ctrl-C comes once, right behind a statement."""

    def __init__(self, database: sqlite3.Connection, statement: str) -> None:
        self.database = database
        self.statement = statement

    def execute(self, statement: str, *values: object) -> object:
        result = self.database.execute(statement, *values)  # type: ignore[arg-type]
        self._interrupt(statement)
        return result

    def executemany(self, statement: str, rows: Iterable[tuple[object, ...]]) -> object:
        result = self.database.executemany(statement, rows)
        self._interrupt(statement)
        return result

    def _interrupt(self, statement: str) -> None:
        if self.statement and statement.startswith(self.statement):
            self.statement = ""
            raise KeyboardInterrupt

    def __getattr__(self, name: str) -> object:
        return getattr(self.database, name)


def test_everything_prints_well(opened: Open, path: Path) -> None:
    assert repr(opened()) == f"<Ledger {path}, run 1>"
