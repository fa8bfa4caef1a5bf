"""The data set of a file, byte for byte: straight from the file into the sender's buffers (PS3.5 7, A.5).

The fast path: nothing is looked at here, the structural check has been made. It knows nothing of PDUs or the network.
"""

from __future__ import annotations

from dcmsend.payload.pieces import FileRange, Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dcmsend.files.dataset import Checked
    from dcmsend.files.sources import FileSource
    from dcmsend.payload.pieces import Piece


def as_it_is(source: FileSource, offset: int, checked: Checked) -> list[Piece]:
    """The bytes of a data set that begins at ``offset`` of its file, and its padding."""
    length = checked.end - offset
    data: Piece
    if checked.end <= len(source.head):
        data = Memory(memoryview(source.head)[offset : checked.end])
    else:
        data = FileRange(source.descriptor, source.start + offset, length)
    return [data, Memory(bytes(checked.pad))] if checked.pad else [data]
