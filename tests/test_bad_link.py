"""Over a bad link to a server that goes down: no hang, no traceback, and the report is what the server has stored.

``DCMSEND_SEEDS`` sets how many runs there are.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

import dcmsend
from dcmsend import JournalFile, Limits, Peer, Policy, Retries, ScanOptions, State, Timeouts
from tests.support import part10
from tests.support.builder import part10 as build
from tests.support.faulty import FATES, FaultyLink
from tests.support.servers import FolderServer

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
COUNT: Final = 24
SEEDS: Final = int(os.environ.get("DCMSEND_SEEDS", "12"))
SOON: Final = Timeouts(connect=20, acse=1, dimse=1, socket=1)


class Restarted:
    """A storescp that can be taken down and brought back."""

    def __init__(self, start: Callable[..., FolderServer]) -> None:
        self._start = start
        self._servers = [start("--fork")]

    @property
    def port(self) -> int:
        return self._servers[-1].port

    def restart(self) -> None:
        self._servers[-1].program.politely = False
        self._servers[-1].stop()
        self._servers.append(self._start("--fork"))

    def take(self) -> dict[str, set[bytes]]:
        """What has been stored since the last time; what was cut off is no Part 10 file that could be read."""
        found: dict[str, set[bytes]] = {}
        for server in self._servers:
            for path in server.files():
                meta, data = part10.split(path.read_bytes())
                path.unlink()
                if part10.SOP_INSTANCE in meta:
                    found.setdefault(part10.uid(meta[part10.SOP_INSTANCE]), set()).add(data)
        return found


@pytest.fixture
def server(storescp: Callable[..., FolderServer]) -> Iterator[Restarted]:
    yield Restarted(storescp)


def write(folder: Path, fortune: random.Random) -> dict[str, bytes]:
    """Instances of some sizes, and their data sets."""
    made = {}
    for number in range(1, COUNT + 1):
        content = build(CT, f"1.2.3.{number}", value=fortune.randbytes(2 * fortune.choice((8, 200, 4000, 20_000))))
        (folder / f"{number}.dcm").write_bytes(content)
        made[f"1.2.3.{number}"] = part10.split(content)[1]
    return made


@pytest.mark.parametrize("journal", [False, True], ids=["retries", "journal"])
def test_the_report_is_what_the_server_has_stored(journal: bool, server: Restarted, tmp_path: Path) -> None:
    """What is called stored is stored, bit for bit; what is not called so is stored only if its answer got lost."""
    met: set[str] = set()
    complete = unknown = 0
    for seed in range(SEEDS):
        fortune = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        made = write(folder, fortune)
        link = FaultyLink(seed, lambda: server.port, server.restart, most=fortune.choice((2_000, 60_000, 200_000)))
        try:
            with dcmsend.send(
                Peer(host="127.0.0.1", port=link.port),
                [str(folder)],
                scan=ScanOptions(directories=True),
                policy=Policy(halt=False),
                limits=Limits(associations=fortune.choice((1, 1, 2, 4)), max_send_pdu=fortune.choice((None, 4096))),
                timeouts=SOON,
                retries=Retries(count=5, delay=0),
                journal=JournalFile(path=f"{folder}.journal") if journal else None,
            ) as report:
                rows = list(report.rows())
                complete += report.complete
        finally:
            link.stop()
        met.update(link.fates_met)
        stored = server.take()
        assert len(rows) == COUNT, f"seed {seed}"
        for instance, outcome in rows:
            uid = instance.sop_instance
            copies = stored.get(uid, set())
            if outcome.stored:
                assert made[uid] in copies, f"seed {seed}: {uid} is not there"
            else:
                assert outcome.reason, f"seed {seed}"
                unknown += made[uid] in copies
                assert made[uid] not in copies or outcome.state is State.FAILED, f"seed {seed}: {outcome}"
    print(f"{SEEDS} runs, {complete} complete, {unknown} instances stored whose answer got lost each time")
    assert SEEDS < 20 or met == set(FATES)
    assert complete > SEEDS // 2
