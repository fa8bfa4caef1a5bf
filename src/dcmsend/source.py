"""What can be sent, as a type. Nothing here runs but for those who look at types."""

from __future__ import annotations

import os
from typing import Any, Protocol, TypeAlias


class Readable(Protocol):
    """A file object that is open in binary mode, seekable or not. What it gives from where it stands is sent."""

    def read(self, size: int = ..., /) -> bytes: ...


class DataSet(Protocol):
    """A ``pydicom.Dataset``, with or without file meta information."""

    def save_as(self, filename: Any, /) -> None: ...


# A path, the bytes of a DICOM file, a file object, or a data set of pydicom.
Source: TypeAlias = str | os.PathLike[str] | os.PathLike[bytes] | bytes | bytearray | memoryview | Readable | DataSet
