"""What was given or found and is not taken on: counted, and kept for reports in the order in which it was met.

What is *left out* is kept whatever there is of it: some in memory, more in a temporary file. Of what is *no DICOM* only
the first are kept. When the file cannot be written any more, what comes then is only counted.
"""

from __future__ import annotations

from dcmsend.model import Refusal
from dcmsend.reasons import pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Final

IN_MEMORY: Final = 1000  # of each of the two


class LeftOut:
    """The refusals of one run. ``left_out`` and ``no_dicom`` count them; ``unlisted``: how many could not be kept."""

    def __init__(self) -> None:
        self.left_out = 0
        self.no_dicom = 0
        self.unlisted = 0
        self._first: list[Refusal] = []
        self._no_dicom: list[Refusal] = []
        self._file: IO[bytes] | None = None

    def __repr__(self) -> str:
        return f"<LeftOut: {self.left_out} left out, {self.no_dicom} no DICOM>"

    def __len__(self) -> int:
        return self.left_out + self.no_dicom

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
        elif not self._written(refusal):
            self.unlisted += 1

    def rows(self) -> Iterator[Refusal]:
        """All that was left out, then the first of what is no DICOM."""
        yield from self._first
        if self._file is not None:
            from json import loads

            self._file.seek(0)
            for line in self._file:
                path, reason = loads(line)
                yield Refusal(path, unpack(reason))
        yield from self._no_dicom

    def close(self) -> None:
        """Let go of the file. What is in memory can still be asked for."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _written(self, refusal: Refusal) -> bool:
        """Append it to the file; return True if it is there whole."""
        if self.unlisted:
            return False
        from json import dumps

        line = dumps((refusal.path, pack(refusal.reason))) + "\n"  # in ASCII, whatever bytes a path has
        try:
            if self._file is None:
                from tempfile import TemporaryFile

                self._file = TemporaryFile("a+b", prefix="dcmsend-")  # noqa: SIM115 - until ``close``
            self._file.write(line.encode())
            self._file.flush()
        except OSError:  # no room, no descriptor: it is counted
            return False
        return True
