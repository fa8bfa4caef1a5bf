"""What was given or found and is not taken on: counted, and kept for reports in the order in which it was met.

What is *left out* is kept whatever there is of it: some in memory, more in a temporary file. Of what is *no DICOM* only
the first are kept. What the file cannot take any more, or does not give back, is only counted.
"""

from __future__ import annotations

from dcmsend.model import Refusal
from dcmsend.reasons import pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from typing import Final

IN_MEMORY: Final = 1000  # of each of the two


class LeftOut:
    """The refusals of one run. ``left_out`` and ``no_dicom`` count them."""

    def __init__(self) -> None:
        self.left_out = 0
        self.no_dicom = 0
        self._first: list[Refusal] = []
        self._no_dicom: list[Refusal] = []
        self._file: FileIO | None = None
        self._full = False  # the file takes no more

    def __repr__(self) -> str:
        return f"<LeftOut: {self.left_out} left out, {self.no_dicom} no DICOM>"

    def add(self, refusal: Refusal) -> None:
        """Count a refusal, and keep it."""
        if not refusal.left_out:
            self.no_dicom += 1
            if len(self._no_dicom) < IN_MEMORY:
                self._no_dicom.append(refusal)
            return
        self.left_out += 1
        if len(self._first) < IN_MEMORY:
            self._first.append(refusal)
        elif not self._full:
            self._full = not self._written(refusal)

    def rows(self) -> Iterator[Refusal]:
        """All that was left out, then the first of what is no DICOM."""
        yield from self._first
        if self._file is not None:
            yield from _read(self._file)
        yield from self._no_dicom

    def close(self) -> None:
        """Let go of the file. What is in memory can still be asked for."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _written(self, refusal: Refusal) -> bool:
        """Append it to the file; return True if it is there whole."""
        from json import dumps

        line = dumps((refusal.path, pack(refusal.reason))).encode() + b"\n"  # in ASCII, whatever bytes a path has
        try:
            if self._file is None:
                from tempfile import TemporaryFile

                self._file = TemporaryFile("a+b", buffering=0, prefix="dcmsend-")  # noqa: SIM115 - until ``close``
            return self._file.write(line) == len(line)
        except OSError:  # no room, no descriptor
            return False


def _read(file: FileIO) -> Iterator[Refusal]:
    """What is in the file, up to a line that is not whole."""
    from io import BufferedReader
    from json import loads

    reader = BufferedReader(file)
    try:
        reader.seek(0)
        for line in reader:
            path, reason = loads(line)
            yield Refusal(path, unpack(reason))
    except (OSError, ValueError):  # ValueError: the line is not whole, or the file is closed
        return
    finally:
        reader.detach()
