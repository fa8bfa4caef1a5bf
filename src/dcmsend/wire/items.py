"""User information sub-items of A-ASSOCIATE-RQ and -AC (PS3.8 Annex D, PS3.7 D.3.3), encode beside decode.

Each class is one sub-item; ``KIND`` is its item type. Both directions are here because tests read back what we send.
Those that most associations do without are in ``wire.extensions``.
"""

from __future__ import annotations

import _struct as struct

from dcmsend.light import Frozen
from dcmsend.wire.reader import Reader, encode_uid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import ClassVar, Final, TypeAlias, TypeVar

    from dcmsend.wire.extensions import Extension

    _Item = TypeVar("_Item", bound="UserItem")

UserItem: TypeAlias = (
    "MaximumLength | ImplementationClass | AsynchronousOperationsWindow | ImplementationVersion | Extension"
)
_ITEM: Final = struct.Struct(">BxH")


def encode_item(kind: int, value: bytes) -> bytes:
    """An item: type, reserved byte, 16-bit length, value."""
    return _ITEM.pack(kind, len(value)) + value


class MaximumLength(Frozen):
    """Most bytes that the sender of this item takes in one P-DATA-TF; 0 is no limit (PS3.8 D.1)."""

    KIND: ClassVar[int] = 0x51

    length: int

    def encode(self) -> bytes:
        return self.length.to_bytes(4, "big")

    @classmethod
    def decode(cls, reader: Reader) -> MaximumLength:
        return cls(reader.unsigned(4))


class ImplementationClass(Frozen):
    """Which implementation speaks (PS3.7 D.3.3.2.1)."""

    KIND: ClassVar[int] = 0x52

    uid: str

    def encode(self) -> bytes:
        return encode_uid(self.uid)

    @classmethod
    def decode(cls, reader: Reader) -> ImplementationClass:
        return cls(reader.uid())


class AsynchronousOperationsWindow(Frozen):
    """How many operations may be outstanding in each direction; 0 is unlimited (PS3.7 D.3.3.3)."""

    KIND: ClassVar[int] = 0x53

    invoked: int
    performed: int

    def encode(self) -> bytes:
        return struct.pack(">HH", self.invoked, self.performed)

    @classmethod
    def decode(cls, reader: Reader) -> AsynchronousOperationsWindow:
        return cls(reader.unsigned(2), reader.unsigned(2))


class ImplementationVersion(Frozen):
    """Version name of the implementation, at most 16 characters (PS3.7 D.3.3.2.3)."""

    KIND: ClassVar[int] = 0x55

    name: str

    def encode(self) -> bytes:
        return self.name.encode("latin-1")

    @classmethod
    def decode(cls, reader: Reader) -> ImplementationVersion:
        return cls(reader.rest().decode("latin-1"))


_OURS: Final = {
    item.KIND: item
    for item in (MaximumLength, ImplementationClass, AsynchronousOperationsWindow, ImplementationVersion)
}


def encode_user_items(items: Iterable[UserItem]) -> bytes:
    """The value of a user information item (PS3.8 Table 9-16)."""
    return b"".join(encode_item(item.KIND, item.encode()) for item in items)


def decode_user_items(reader: Reader) -> list[UserItem]:
    """The sub-items of a user information item; unknown kinds are skipped. Raises ``MalformedPDU``."""
    found = ((_class(kind), value) for kind, value in reader.items())
    return [item.decode(value) for item, value in found if item is not None]


def find_item(items: Iterable[UserItem], kind: type[_Item]) -> _Item | None:
    """The first sub-item of a kind, if there is one."""
    return next((item for item in items if isinstance(item, kind)), None)


def _class(kind: int) -> type[UserItem] | None:
    if kind in _OURS:
        return _OURS[kind]
    from dcmsend.wire.extensions import EXTENSIONS

    return EXTENSIONS.get(kind)
