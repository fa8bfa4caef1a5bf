"""Damaged files and DICOMDIRs: each comes out as instances, refusals and notices in one line, and is checked in time.

``DCMSEND_MUTATIONS`` is how many are tried; 100,000 take three minutes on two cores.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.files import campaign
from tests.support import directories, mutate
from tests.support.campaign import survey

MUTATIONS: Final = int(os.environ.get("DCMSEND_MUTATIONS", "400"))


@pytest.mark.skipif(sys.platform == "win32", reason="memory is bounded by resource.setrlimit")
def test_damaged_files_and_directories(tmp_path: Path) -> None:
    found = survey("tests.files.campaign", tmp_path, MUTATIONS)
    print(found)
    assert not found.wrong, "\n".join(found.wrong)
    assert found.peak < campaign.MEMORY
    for word in ("file: instance", "file: refusal", "DICOMDIR: instance", "DICOMDIR: refusal", "check: passed",
                 "check: refused"):  # fmt: skip
        assert found.counts[word] > MUTATIONS // 20, found.counts


@pytest.mark.parametrize("path", sorted(campaign.DIRECTORIES), ids=lambda path: path.name)
def test_directories_are_damaged_where_they_refer_to_something(path: Path) -> None:
    file = mutate.take_apart(campaign.DIRECTORIES[path])
    for mutation in (directories.change_file_id, directories.change_reference, directories.many_records):
        changed = {mutation(file, Random(seed)).data for seed in range(40)}
        assert len(changed - {file.data}) > 5


def test_damage_is_the_same_for_the_same_seed() -> None:
    file = next(iter(campaign.FILES.values()))
    damaged = [mutate.scratched(file, seed) for seed in range(100)]
    assert damaged == [mutate.scratched(file, seed) for seed in range(100)]
    assert sum(one != file for one in damaged) > 90
