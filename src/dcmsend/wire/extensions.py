"""User information sub-items that most associations do without (PS3.7 D.3.3.4 to D.3.3.7).

Of these we send a user's identity alone. All are checked where a peer sends them, and may be sent by simulated peers.
"""

from __future__ import annotations

from dcmsend.light import Frozen
from dcmsend.wire.reader import Reader, decode_uid, encode_uid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Final, TypeAlias


def _counted(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


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


Extension: TypeAlias = (
    RoleSelection | ExtendedNegotiation | CommonExtendedNegotiation | UserIdentity | UserIdentityResponse
)

_CLASSES: Final[tuple[type[Extension], ...]] = (
    RoleSelection,
    ExtendedNegotiation,
    CommonExtendedNegotiation,
    UserIdentity,
    UserIdentityResponse,
)
EXTENSIONS: Final = {item.KIND: item for item in _CLASSES}
