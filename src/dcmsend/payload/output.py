"""What a recoder has written: bytes in memory, and between them pieces that stand elsewhere.

It knows positions and lengths, not elements. What memory holds is bounded.
"""

from __future__ import annotations

from dcmsend.errors import FileError
from dcmsend.payload.pieces import Memory
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from struct import Struct
    from typing import Final

    from dcmsend.payload.pieces import Piece

MAX_STRUCTURE: Final = 64 << 20  # bytes of headers and small values
MAX_PIECES: Final = 1 << 18  # a piece takes some 200 bytes
MAX_LENGTH: Final = 0xFFFFFFFE  # what a length of 32 bits can say, even


class Output:
    """Grows at its end. Lengths that are not known yet are patched in later."""

    __slots__ = ("_outside", "_outside_length", "data")

    def __init__(self) -> None:
        self.data = bytearray()
        self._outside: list[tuple[int, Piece]] = []  # place in ``data``, and what is to be sent there
        self._outside_length = 0

    @property
    def position(self) -> int:
        """How many bytes have been written, pieces included."""
        return len(self.data) + self._outside_length

    def add(self, piece: Piece) -> None:
        """A piece, to be sent from where it stands."""
        self._outside.append((len(self.data), piece))
        self._outside_length += piece.length

    def patch(self, at: int, begins: int, length: Struct) -> None:
        """Write into ``data`` how many bytes there are from the position ``begins``. Raises FileError."""
        count = self.position - begins
        if count > MAX_LENGTH:
            raise FileError(because("container_too_long", length=count))
        length.pack_into(self.data, at, count)

    def check(self) -> None:
        """Raises FileError where it takes too much memory."""
        if len(self.data) > MAX_STRUCTURE or len(self._outside) > MAX_PIECES:
            raise FileError(because("too_many_to_convert", megabytes=MAX_STRUCTURE >> 20, values=MAX_PIECES))

    def pieces(self) -> list[Piece]:
        """All of it, in order, to be given out once."""
        view = memoryview(self.data)
        pieces: list[Piece] = []
        position = 0
        for place, piece in self._outside:
            if place > position:
                pieces.append(Memory(view[position:place]))
            pieces.append(piece)
            position = place
        if position < len(view):
            pieces.append(Memory(view[position:]))
        return pieces
