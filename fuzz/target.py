"""What a fuzz target is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.files.encode import is_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DATA: Final = Path(__file__).parents[1] / "tests" / "data"
LONGEST_REASON: Final = 1000  # characters
LARGEST_SEED: Final = 20_000  # bytes; what is larger is fuzzed slowly and says no more


class Target(NamedTuple):
    """A function to be fuzzed.

    ``allowed``: what it may raise, each of which must say why in one line. Everything else that it raises is a finding,
    and so is an AssertionError of its own. ``seeds``: where to begin. ``words``: for the fuzzer's dictionary.
    """

    name: str
    run: Callable[[bytes], None]
    allowed: tuple[type[Exception], ...]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[bytes, ...] = ()

    def check(self, data: bytes) -> None:
        """One execution. Raises whatever is a finding."""
        try:
            self.run(data)
        except self.allowed as error:
            require_one_line(str(error))


def require_one_line(text: str) -> None:
    """Raises AssertionError where a text cannot stand in a log."""
    assert text, "a reason without words"
    assert is_one_line(text), f"not one line: {text!r}"
    assert len(text) <= LONGEST_REASON, f"{len(text)} characters: {text[:200]!r}"


def data_files(*patterns: str) -> list[bytes]:
    """The files of the tests' data that match, as far as they are small."""
    found = (path for pattern in patterns for path in sorted(DATA.glob(pattern)) if path.is_file())
    return [path.read_bytes() for path in found if path.stat().st_size <= LARGEST_SEED]
