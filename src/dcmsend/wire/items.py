"""User information sub-items of A-ASSOCIATE-RQ and -AC (PS3.8 Annex D, PS3.7 D.3.3), encode beside decode.

Each class is one sub-item; ``KIND`` is its item type. Both directions are here because tests read back what we send.
"""

from __future__ import annotations

import struct

from dcmsend.light import Frozen
from dcmsend.wire.reader import Reader, decode_uid, encode_uid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import ClassVar, Final, TypeAlias, TypeVar

    _Item = TypeVar("_Item", bound="UserItem")

_ITEM: Final = struct.Struct(">BxH")


def encode_item(kind: int, value: bytes) -> bytes:
    """An item: type, reserved byte, 16-bit length, value."""
    return _ITEM.pack(kind, len(value)) + value


def _counted(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


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


class RoleSelection(Frozen):
    """Which roles are proposed or taken for a SOP class (PS3.7 D.3.3.4)."""

    KIND: ClassVar[int] = 0x54

    sop_class: str
    scu: bool
    scp: bool

    def encode(self) -> bytes:
        return _counted(encode_uid(self.sop_class)) + bytes((self.scu, self.scp))

    @classmethod
    def decode(cls, reader: Reader) -> RoleSelection:
        return cls(decode_uid(reader.counted()), bool(reader.unsigned(1)), bool(reader.unsigned(1)))


class ImplementationVersion(Frozen):
    """Version name of the implementation, at most 16 characters (PS3.7 D.3.3.2.3)."""

    KIND: ClassVar[int] = 0x55

    name: str

    def encode(self) -> bytes:
        return self.name.encode("latin-1")

    @classmethod
    def decode(cls, reader: Reader) -> ImplementationVersion:
        return cls(reader.rest().decode("latin-1"))


class ExtendedNegotiation(Frozen):
    """Service class application information for one SOP class (PS3.7 D.3.3.5); opaque here."""

    KIND: ClassVar[int] = 0x56

    sop_class: str
    information: bytes

    def encode(self) -> bytes:
        return _counted(encode_uid(self.sop_class)) + self.information

    @classmethod
    def decode(cls, reader: Reader) -> ExtendedNegotiation:
        return cls(decode_uid(reader.counted()), reader.rest())


class CommonExtendedNegotiation(Frozen):
    """Service class and related general SOP classes of a SOP class (PS3.7 D.3.3.6)."""

    KIND: ClassVar[int] = 0x57

    sop_class: str
    service_class: str
    related: tuple[str, ...]

    def encode(self) -> bytes:
        related = b"".join(_counted(encode_uid(uid)) for uid in self.related)
        return _counted(encode_uid(self.sop_class)) + _counted(encode_uid(self.service_class)) + _counted(related)

    @classmethod
    def decode(cls, reader: Reader) -> CommonExtendedNegotiation:
        sop_class, service_class = decode_uid(reader.counted()), decode_uid(reader.counted())
        related = Reader(reader.counted())
        uids = []
        while related.left:
            uids.append(decode_uid(related.counted()))
        return cls(sop_class, service_class, tuple(uids))


class UserIdentity(Frozen):
    """Identity of the user, in a request (PS3.7 D.3.3.7.1). Never shown: it may hold a password."""

    KIND: ClassVar[int] = 0x58

    identity_type: int
    response_requested: bool
    primary: bytes
    secondary: bytes = b""

    def __repr__(self) -> str:
        return f"UserIdentity(type {self.identity_type}, not shown)"

    def encode(self) -> bytes:
        return bytes((self.identity_type, self.response_requested)) + _counted(self.primary) + _counted(self.secondary)

    @classmethod
    def decode(cls, reader: Reader) -> UserIdentity:
        return cls(reader.unsigned(1), bool(reader.unsigned(1)), reader.counted(), reader.counted())


class UserIdentityResponse(Frozen):
    """The acceptor's answer to a user identity (PS3.7 D.3.3.7.2)."""

    KIND: ClassVar[int] = 0x59

    response: bytes

    def __repr__(self) -> str:
        return f"UserIdentityResponse({len(self.response)} bytes, not shown)"

    def encode(self) -> bytes:
        return _counted(self.response)

    @classmethod
    def decode(cls, reader: Reader) -> UserIdentityResponse:
        return cls(reader.counted())


UserItem: TypeAlias = (
    MaximumLength
    | ImplementationClass
    | AsynchronousOperationsWindow
    | RoleSelection
    | ImplementationVersion
    | ExtendedNegotiation
    | CommonExtendedNegotiation
    | UserIdentity
    | UserIdentityResponse
)

_CLASSES: Final[tuple[type[UserItem], ...]] = (
    MaximumLength,
    ImplementationClass,
    AsynchronousOperationsWindow,
    RoleSelection,
    ImplementationVersion,
    ExtendedNegotiation,
    CommonExtendedNegotiation,
    UserIdentity,
    UserIdentityResponse,
)
_BY_KIND: Final = {item.KIND: item for item in _CLASSES}


def encode_user_items(items: Iterable[UserItem]) -> bytes:
    """The value of a user information item (PS3.8 Table 9-16)."""
    return b"".join(encode_item(item.KIND, item.encode()) for item in items)


def decode_user_items(reader: Reader) -> list[UserItem]:
    """The sub-items of a user information item; unknown kinds are skipped. Raises ``MalformedPDU``."""
    return [_BY_KIND[kind].decode(value) for kind, value in reader.items() if kind in _BY_KIND]


def find_item(items: Iterable[UserItem], kind: type[_Item]) -> _Item | None:
    """The first sub-item of a kind, if there is one."""
    return next((item for item in items if isinstance(item, kind)), None)
