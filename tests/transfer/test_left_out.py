"""The list of what was not taken on: all of what is left out, in order, whatever gives out; bounded in memory."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from dcmsend.model import Refusal
from dcmsend.reasons import because
from dcmsend.transfer.left_out import IN_MEMORY, LeftOut

GONE = because("not_found", words="No such file or directory")
NO_DICOM = because("empty_no_dicom")
HOSTILE = "\udcff\n\u2028\ud800\x1b'\"\\"


def _filled(count: int) -> LeftOut:
    kept = LeftOut()
    for number in range(count):
        kept.add(Refusal(f"{number}{HOSTILE}", because("folder_not_listed", because("not_found", words=HOSTILE))))
    return kept


@pytest.mark.parametrize("count", [0, 1, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY])
def test_all_that_is_left_out_is_there_in_order_each_time(count: int) -> None:
    kept = _filled(count)
    for _ in range(2):
        found = list(kept.rows())
        assert [refusal.path for refusal in found] == [f"{number}{HOSTILE}" for number in range(count)]
        assert {refusal.reason for refusal in found} <= {
            because("folder_not_listed", because("not_found", words=HOSTILE))
        }
    assert (kept.left_out, kept.no_dicom) == (count, 0)
    kept.close()


def test_more_may_come_after_a_look() -> None:
    kept = _filled(IN_MEMORY + 2)
    assert len(list(kept.rows())) == IN_MEMORY + 2
    kept.add(Refusal("last", GONE))
    assert list(kept.rows())[-1].path == "last"
    kept.close()


def test_of_what_is_no_dicom_the_first_are_kept_behind_the_others() -> None:
    kept = LeftOut()
    for number in range(IN_MEMORY + 5):
        kept.add(Refusal(str(number), NO_DICOM))
    kept.add(Refusal("gone", GONE))
    found = list(kept.rows())
    assert [refusal.path for refusal in found] == ["gone", *map(str, range(IN_MEMORY))]
    assert (kept.left_out, kept.no_dicom) == (1, IN_MEMORY + 5)


class _Full:
    """A file of which a few bytes fit, then none; or that cannot be read."""

    def __init__(self, file: Any, room: int) -> None:
        self._file = file
        self._room = room

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        if not self._room:
            raise OSError(28, "No space left on device")
        taken, self._room = data[: self._room], self._room - len(data[: self._room])
        return int(self._file.write(taken))


@pytest.mark.parametrize(("room", "more"), [(0, 0), (10, 0), (100, 1)])
def test_what_the_file_does_not_take_is_counted(room: int, more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of which only a part is there is none."""
    real: Callable[..., Any] = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda *args, **options: _Full(real(*args, **options), room))
    kept = LeftOut()
    for number in range(IN_MEMORY + 9):
        kept.add(Refusal(str(number), GONE))
    assert len(list(kept.rows())) == IN_MEMORY + more
    assert kept.left_out == IN_MEMORY + 9
    kept.close()


def test_without_a_folder_for_temporary_files_all_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", none)
    kept = _filled(IN_MEMORY + 3)
    assert len(list(kept.rows())) == IN_MEMORY
    assert kept.left_out == IN_MEMORY + 3


def test_memory_does_not_grow_with_their_number() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            kept = _filled(count)
            assert sum(1 for _ in kept.rows()) == count
            kept.close()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(IN_MEMORY + 10)  # what is loaded then
    assert peak(8 * IN_MEMORY) < 1.2 * peak(2 * IN_MEMORY)
