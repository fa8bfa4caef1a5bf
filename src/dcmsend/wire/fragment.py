"""Messages to P-DATA-TF and back (PS3.8 Annex E, PS3.7 6.3).

Outgoing, command sets are small and encoded at once; data sets go through ``DataFrames``: a buffer whose PDV headers
stand ready, so that file bytes are read straight into the gaps and one write sends many PDUs. Incoming,
``MessageAssembler`` joins the pieces of command sets and drops data sets, which no response that we wait for should
have. Both are bounded, and so is the number of pieces: no stream of them goes on for ever without an answer.
"""

from __future__ import annotations

from _struct import Struct

from dcmsend.reasons import because
from dcmsend.wire.command import MAX_COMMAND_LENGTH, decode_response
from dcmsend.wire.pdu import Data
from dcmsend.wire.reader import MalformedPDU

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from dcmsend.wire.command import Response
    from dcmsend.wire.pdu import PDV

_PDU_PDV: Final = Struct(">BxIIBB")  # P-DATA-TF header with its only PDV's header
PDV_OVERHEAD: Final = 6  # length, context ID, message control header: they count against the maximum length
SMALLEST_PDU: Final = PDV_OVERHEAD + 2
MOST_GAPS: Final = 1024  # in a buffer: each takes some 200 bytes, and a peer may take as little as 8 bytes at a time
_COMMAND_PIECE, _LAST_COMMAND, _DATA_PIECE, _LAST_DATA = 1, 3, 0, 2
_DATA_TF: Final = Data.TYPE
MAX_PIECES: Final = 16384  # of a command set or a data set that comes with a response: as many as it may have bytes
MAX_DROPPED: Final = 1 << 20  # bytes of such a data set


def fragment_length(max_pdu: int) -> int:
    """Most bytes of a message in one PDV, for a maximum length in bytes (PS3.8 D.1); even, as PS3.8 E.2 asks."""
    return (max_pdu - PDV_OVERHEAD) & ~1


def encode_command(context_id: int, command_set: bytes, max_pdu: int) -> bytes:
    """A command set as P-DATA-TF PDUs with one PDV each."""
    room = fragment_length(max_pdu)
    pieces = [command_set[start : start + room] for start in range(0, len(command_set), room)]
    encoded = []
    for index, piece in enumerate(pieces, 1):
        control = _LAST_COMMAND if index == len(pieces) else _COMMAND_PIECE
        encoded.append(_PDU_PDV.pack(_DATA_TF, len(piece) + PDV_OVERHEAD, len(piece) + 2, context_id, control) + piece)
    return b"".join(encoded)


class DataFrames:
    """A reusable buffer of P-DATA-TF PDUs for data sets on one association.

    ``gaps`` are the places for the bytes of the data set, in order; fill them from the front and ``seal`` the buffer.
    In front of the first PDU there is room for a command, so that both leave in one write.

    ``max_pdu``: the limit in bytes in force, at least ``SMALLEST_PDU``. ``capacity``: bytes of data set that the
    buffer should hold, about; less where PDUs are tiny.
    """

    def __init__(self, max_pdu: int, capacity: int) -> None:
        self._room = fragment_length(max_pdu)
        self._stride = _PDU_PDV.size + self._room
        self._count = min(max(1, capacity // self._room), MOST_GAPS)
        self._buffer = bytearray(MAX_COMMAND_LENGTH + self._stride * self._count)
        self._view = memoryview(self._buffer)
        starts = [MAX_COMMAND_LENGTH + self._stride * i + _PDU_PDV.size for i in range(self._count)]
        self.gaps = [self._view[start : start + self._room] for start in starts]
        self._context_id = 0
        self._patched: int | None = None

    @property
    def capacity(self) -> int:
        """Bytes of data set that fit."""
        return self._room * self._count

    def seal(self, context_id: int, count: int, *, is_last: bool, command: bytes = b"") -> memoryview:
        """The PDUs for the first ``count`` bytes in the gaps, behind ``command``, ready to be sent.

        ``command`` is what ``encode_command`` gave, at most ``MAX_COMMAND_LENGTH`` bytes.
        """
        self._prepare(context_id)
        last = max(0, (count - 1) // self._room)
        filled = count - last * self._room
        if is_last or filled < self._room:
            self._write_header(last, filled, _LAST_DATA if is_last else _DATA_PIECE)
            self._patched = last
        start = MAX_COMMAND_LENGTH - len(command)
        self._view[start:MAX_COMMAND_LENGTH] = command
        return self._view[start : MAX_COMMAND_LENGTH + last * self._stride + _PDU_PDV.size + filled]

    def _prepare(self, context_id: int) -> None:
        """Bring the headers to their resting state: full PDVs of this context, none of them the last."""
        if context_id != self._context_id:
            for index in range(self._count):
                self._write_header(index, self._room, _DATA_PIECE, context_id)
            self._context_id = context_id
        elif self._patched is not None:
            self._write_header(self._patched, self._room, _DATA_PIECE)
        self._patched = None

    def _write_header(self, index: int, length: int, control: int, context_id: int | None = None) -> None:
        context_id = self._context_id if context_id is None else context_id
        at = MAX_COMMAND_LENGTH + index * self._stride
        _PDU_PDV.pack_into(self._buffer, at, _DATA_TF, length + PDV_OVERHEAD, length + 2, context_id, control)


class MessageAssembler:
    """Joins PDVs to responses; data sets that a peer sends along are dropped unread. Raises ``MalformedPDU``.

    A response is there when its command set is whole: a data set that it announces changes nothing about it. One of
    which nothing has come when the next command begins is taken for one that was announced by mistake.
    """

    def __init__(self) -> None:
        self._command = bytearray()
        self._context_id = 0
        self._pieces = 0  # of the command set or data set that is under way
        self._dropped = 0  # bytes of the data set
        self._announced = False  # a data set is to come

    @property
    def partial(self) -> bool:
        """Whether a command set or a data set has begun and not ended."""
        return self._pieces > 0

    def feed(self, values: Sequence[PDV]) -> Iterator[Response]:
        """Take the PDVs of one P-DATA-TF, yield each response that they complete."""
        if not values:
            raise MalformedPDU(because("empty_data"))
        for pdv in values:
            self._pieces += 1
            if self._pieces > MAX_PIECES:
                raise MalformedPDU(because("many_pieces", most=MAX_PIECES))
            if not pdv.is_command:
                self._drop(pdv)
            elif response := self._take_command(pdv):
                yield response

    def _take_command(self, pdv: PDV) -> Response | None:
        if self._announced and self._pieces > 1:
            raise MalformedPDU(because("command_in_data_set"))
        self._announced = False
        if self._pieces > 1 and pdv.context_id != self._context_id:
            raise MalformedPDU(because("context_changed"))
        if len(self._command) + len(pdv.data) > MAX_COMMAND_LENGTH:
            raise MalformedPDU(because("long_command", most=MAX_COMMAND_LENGTH))
        self._context_id = pdv.context_id
        self._command += pdv.data
        if not pdv.is_last:
            return None
        response = decode_response(bytes(self._command), pdv.context_id)
        self._command.clear()
        self._pieces = self._dropped = 0
        self._announced = response.has_data_set
        return response

    def _drop(self, pdv: PDV) -> None:
        if not self._announced:
            raise MalformedPDU(because("unexpected_data_set"))
        self._dropped += len(pdv.data)
        if self._dropped > MAX_DROPPED:
            raise MalformedPDU(because("long_data_set", most=MAX_DROPPED))
        if pdv.is_last:
            self._announced = False
            self._pieces = 0
