"""The bytes of one data set as the sender sees them, whatever they were made from.

It owns the pieces, the files behind them and the position in them, and knows nothing of PDUs or the network.
"""

from __future__ import annotations

from dcmsend.errors import FileError
from dcmsend.light import NamedTuple
from dcmsend.payload.pieces import cut
from dcmsend.reasons import NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType
    from typing import Protocol, Self

    from dcmsend.payload.dictionary import Dictionary
    from dcmsend.payload.pieces import Piece

    class Closable(Protocol):
        """A file or a spool behind the pieces."""

        def close(self) -> None: ...


class Identity(NamedTuple):
    """What a data set is: the UIDs that stand in it, the transfer syntaxes in which it is given out and stands in its
    file.
    """

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    original_syntax: str


class Means(NamedTuple):
    """What a conversion needs beside its data set; shared by all threads of a run.

    ``dictionary``: is called where it is needed. ``compression_level``: 0 to 9, for deflate. ``large``: held while
    frames are decoded that are large. ``go_on``: raises FileError where nobody waits for the result any more.
    """

    dictionary: Callable[[], Dictionary]
    compression_level: int
    large: LockType
    go_on: Callable[[], None]


class Payload:
    """The bytes of one data set.

    It says what goes out, whatever was known of the file before: ``sop_class`` and ``sop_instance`` are the UIDs in
    the data set that is given out, ``transfer_syntax`` is that in which it is given out, ``original_syntax`` that of
    the file as it was when it was opened. Outcome, report, journal and events are to carry these.

    ``length`` is what will be given out, in bytes; ``dataset_size`` what the file holds behind its meta information,
    trailing padding included. ``notices`` are single lines without the file's name. ``confirm`` is called before the
    last bytes are given out, and may raise FileError: what has gone out by then is not to be taken for a data set.
    Where the file was merely touched it is given out whole, and ``doubt`` says so. ``file_size`` is in bytes.
    """

    __slots__ = (
        "_behind",
        "_confirm",
        "_left",
        "_left_of_piece",
        "_pieces",
        "dataset_size",
        "doubt",
        "file_size",
        "length",
        "notices",
        "original_syntax",
        "sop_class",
        "sop_instance",
        "transfer_syntax",
    )

    def __init__(
        self,
        identity: Identity,
        pieces: Sequence[Piece],
        *,
        dataset_size: int,
        file_size: int = 0,
        notices: tuple[str, ...] = (),
        behind: Iterable[Closable] = (),
        confirm: Callable[[], None] | None = None,
    ) -> None:
        self.sop_class, self.sop_instance, self.transfer_syntax, self.original_syntax = identity
        self.length = self._left = sum(piece.length for piece in pieces)
        self.dataset_size = dataset_size
        self.file_size = file_size
        self.doubt = NONE
        self.notices = notices
        self._pieces = list(reversed(pieces))
        self._left_of_piece = pieces[0].length if pieces else 0
        self._behind = tuple(behind)
        self._confirm = confirm

    def fill(self, views: Sequence[memoryview]) -> int:
        """Fill the writable byte ``views`` in order with the next bytes; the number of bytes, 0 at the end.

        Raises FileError where the file has become shorter, has changed, or cannot be read.
        """
        room = min(sum(map(len, views)), self._left)
        done = 0
        while done < room:
            if not self._left_of_piece:
                self._pieces.pop()
                self._left_of_piece = self._pieces[-1].length
                continue
            count = min(room - done, self._left_of_piece)
            self._pieces[-1].fill(list(cut(views, done, done + count)))
            self._left_of_piece -= count
            done += count
        self._left -= room
        if not self._left and self._confirm is not None:
            self._confirm_all()
        return room

    def _confirm_all(self) -> None:
        """Have it confirmed that what was given out is a data set. Raises FileError."""
        confirm, self._confirm = self._confirm, None
        try:
            if confirm is not None:
                confirm()
        except FileError as error:
            if error.reason.code != "touched_while_sent":
                raise
            self.doubt = error.reason

    def close(self) -> None:
        """Close the files behind, and let go of them and of the bytes; closing twice does no harm."""
        self._pieces.clear()
        self._confirm = None
        behind, self._behind = self._behind, ()
        for closable in behind:
            closable.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
