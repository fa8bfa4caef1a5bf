"""Files with one SOP Instance UID and different content: a receiver can keep only one of them, so the user is told.

Owns what counts as different: the bytes of the data sets. Loaded where a run has taken on a SOP Instance UID twice.
"""

from __future__ import annotations

from itertools import pairwise

from dcmsend.errors import FileError
from dcmsend.files.head import read_head
from dcmsend.files.sources import WINDOW
from dcmsend.model import Conflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Final

    from dcmsend.files.opening import OpenFile
    from dcmsend.files.sources import FileSource
    from dcmsend.model import Instance, ReadMode

    Group = tuple[list[Instance], int]  # the first of it, and how many there are

_BUDGET: Final = (
    1 << 30
)  # bytes that are read for all that; where they do not suffice, files of one size count as equal


def conflicts(groups: Iterable[Group], open_file: Callable[[str], OpenFile], mode: ReadMode) -> Iterator[Conflict]:
    """Those of the groups, each of one SOP Instance UID, whose files differ. What has gone is not compared."""
    comparison = _Comparison(open_file, mode)
    for first, count in groups:
        if any(comparison.differ(one, other) for one, other in pairwise(first)):
            yield Conflict(first[0].sop_instance, tuple(instance.path for instance in first), count)


class _Comparison:
    """Compares the data sets of files, as long as the budget lasts."""

    def __init__(self, open_file: Callable[[str], OpenFile], mode: ReadMode) -> None:
        self._open_file = open_file
        self._mode = mode
        self._left = _BUDGET

    def differ(self, one: Instance, other: Instance) -> bool:
        """Return True if the data sets of two files are known to be different."""
        if (one.sop_class, one.transfer_syntax) != (other.sop_class, other.transfer_syntax):
            return True
        try:
            with self._open_file(one.path) as first, self._open_file(other.path) as second:
                return self._unequal(first.source(WINDOW), second.source(WINDOW))
        except (FileError, OSError):
            return False

    def _unequal(self, first: FileSource, second: FileSource) -> bool:
        start, other_start = (read_head(source, self._mode).dataset_offset for source in (first, second))
        size = first.size - start
        if second.size - other_start != size:
            return True
        self._left -= size
        return self._left >= 0 and any(
            _part(first, start + at) != _part(second, other_start + at) for at in range(0, size, WINDOW)
        )


def _part(source: FileSource, offset: int) -> bytes:
    data, base = source.window(offset, WINDOW)
    return data[offset - base : offset - base + WINDOW]
