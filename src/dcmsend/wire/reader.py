"""A cursor over received bytes that never reads past their end. Knows lengths, not meanings."""

from __future__ import annotations

from dcmsend.reasons import Reason, because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class MalformedPDU(ValueError):
    """Received bytes do not fit the structure that PS3.7 or PS3.8 gives them; ``why`` says how, ``str()`` in words."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why)
        self.why = why


class Reader:
    """Takes big endian fields (PS3.8 9.3.1) off the front of ``data``; ``MalformedPDU`` where it is too short."""

    __slots__ = ("_data", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    @property
    def left(self) -> int:
        """Bytes not yet taken."""
        return len(self._data) - self._offset

    def take(self, count: int) -> bytes:
        start, end = self._offset, self._offset + count
        if end > len(self._data):
            raise MalformedPDU(because("truncated_item", wanted=count, left=self.left))
        self._offset = end
        return self._data[start:end]

    def rest(self) -> bytes:
        return self.take(self.left)

    def unsigned(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def counted(self) -> bytes:
        """Bytes behind a 16-bit length."""
        return self.take(self.unsigned(2))

    def uid(self) -> str:
        """The rest, as a UID without the padding that some peers send."""
        return decode_uid(self.rest())

    def items(self) -> Iterator[tuple[int, Reader]]:
        """The rest, as items: type, reserved byte, 16-bit length, value (PS3.8 9.3.2.1)."""
        while self.left:
            kind = self.take(2)[0]
            yield kind, Reader(self.counted())


def decode_uid(data: bytes) -> str:
    """A UID from the wire. Raises ``MalformedPDU`` for bytes that no UID has."""
    try:
        return data.decode("ascii").strip(" \0")
    except UnicodeDecodeError:
        raise MalformedPDU(because("invalid_uid_bytes", words=repr(data[:64]))) from None


def encode_uid(uid: str) -> bytes:
    """A UID for the wire, as it is: what was not checked on request (``-nuc``) must not break the encoder."""
    return uid.encode("utf-8", "surrogateescape")
