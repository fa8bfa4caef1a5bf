"""Hostile peers by the thousand: whatever one says, and when, it is one of our errors or the truth.

``DCMSEND_HOSTILE`` is how many conversations are tried; a million take ten minutes on two cores. The number of each is
its seed: ``python -m tests.support.campaign tests.net.hostile FOLDER 77 78`` repeats number 77.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.net import hostile
from tests.support import malformed, pdus
from tests.support.campaign import survey

CONVERSATIONS: Final = int(os.environ.get("DCMSEND_HOSTILE", "3000"))


@pytest.mark.skipif(sys.platform == "win32", reason="memory is bounded by resource.setrlimit")
def test_hostile_peers(tmp_path: Path) -> None:
    found = survey("tests.net.hostile", tmp_path, CONVERSATIONS)
    print(found)
    assert not found.wrong, "\n".join(found.wrong)
    assert found.peak < hostile.MEMORY
    # Not all of them are so hostile that nothing else is tested, and each way to end is met.
    assert found.counts["NoneType"] > CONVERSATIONS // 5
    for ending in ("RemoteProtocolError", "ConnectionLost", "PeerTimeout", "AssociationAborted", "AssociationRejected",
                   "ReleaseRequested"):  # fmt: skip
        assert found.counts[ending] > CONVERSATIONS // 1000, found.counts


# The test can fail: what it goes by is right about streams that are known.


@pytest.mark.parametrize("seed", range(50))
def test_what_a_stream_says_is_read_right(seed: int) -> None:
    random = Random(seed)
    numbers = [random.randrange(1, 9) for _ in range(4)]
    stream = b"".join(malformed.answer(random, number) for number in numbers)
    assert [number for number, _ in malformed.responses(stream)] == numbers
    assert malformed.responses(pdus.associate_rq(malformed.OFFERS) + stream) == malformed.responses(stream)
    assert malformed.responses(stream[: len(stream) // 2]) != malformed.responses(stream)


@pytest.mark.parametrize("kind", [pdus.A_ASSOCIATE_AC, pdus.P_DATA_TF])
def test_every_length_is_found(kind: int) -> None:
    """Of the outermost ones one has to be right for the next to be found: the last one ends where the data does."""
    data = malformed.said(Random(1), kind, malformed.Known((1,)))
    fields = malformed.length_fields(data)
    assert fields[0] == (2, 4, ">")
    widths = {pdus.A_ASSOCIATE_AC: 2, pdus.P_DATA_TF: 4}
    inner = [(at, int.from_bytes(data[at : at + w], "big" if o == ">" else "little")) for at, w, o in fields[1:]]
    assert len(inner) > 5
    assert {width for _, width, _ in fields[1:]} == {widths[kind]}
    assert any(at + widths[kind] + length == len(data) for at, length in inner)


def test_the_same_number_makes_the_same_bytes() -> None:
    def made() -> list[bytes]:
        random = Random(5)
        return [malformed.lied(random, pdus.P_DATA_TF, malformed.Known((1, 2))) for _ in range(300)]

    assert made() == made()
