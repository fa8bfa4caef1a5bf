"""The fuzz targets, without the fuzzer: each with its seeds, and with seeds that are damaged.

``DCMSEND_FUZZ`` is how many damaged ones are tried for each target.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from random import Random
from typing import Final

import pytest
from fuzz.target import Target
from fuzz.targets import TARGETS

from tests.support import malformed

INPUTS: Final = int(os.environ.get("DCMSEND_FUZZ", "200"))
ROOT: Final = Path(__file__).parents[1]
ROW: Final = re.compile(r"^\| `([\w-]+)` \|.*\| (?:`(\w+)`|nothing) \|$", re.MULTILINE)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="targets use a file descriptor as Unix has it")


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_seeds(target: Target) -> None:
    """They are what others write, so that nothing is wrong with most of them."""
    seeds = list(target.seeds())
    refused = 0
    for seed in seeds:
        target.check(seed)
        try:
            target.run(seed)
        except target.allowed:
            refused += 1
    assert len(seeds) >= 10
    assert refused < len(seeds) / 2
    assert sum(map(len, seeds)) < 1_000_000


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_damaged_seeds(target: Target) -> None:
    seeds = list(target.seeds())
    for number in range(INPUTS):
        random = Random(number)
        data = malformed.damaged(random, random.choice(seeds))
        try:
            target.check(data)
        except Exception as error:
            error.add_note(f"number {number}: {data[:200].hex(' ')}")
            raise


def test_what_is_not_allowed_is_a_finding() -> None:
    def run(data: bytes) -> None:
        raise {b"a": ValueError("why"), b"b": KeyError("why"), b"c": ValueError("two\nlines"), b"d": ValueError()}[data]

    target = Target("one", run, (ValueError,), lambda: ())
    target.check(b"a")
    for data, finding in ((b"b", KeyError), (b"c", AssertionError), (b"d", AssertionError)):
        with pytest.raises(finding):
            target.check(data)


def test_the_page_has_every_target() -> None:
    rows = ROW.findall((ROOT / "fuzz" / "README.md").read_text())
    assert rows == [(target.name, "".join(kind.__name__ for kind in target.allowed)) for target in TARGETS.values()]
