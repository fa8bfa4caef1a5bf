"""The seven PDUs of PS3.8 section 9.3 and their items: encode and decode as mirror images.

Unknown items and sub-items are skipped, as PS3.8 9.3.1 asks; whatever does not fit its own lengths raises
``MalformedPDU``. UIDs are sent without padding (PS3.8 Annex F), padding from peers is taken off. User information
sub-items (PS3.8 Annex D, PS3.7 Annex D.3) are in ``wire.items``.
"""

from __future__ import annotations

import _struct as struct

from dcmsend.light import Frozen
from dcmsend.reasons import because
from dcmsend.uids import APPLICATION_CONTEXT
from dcmsend.wire.items import decode_user_items, encode_item, encode_user_items
from dcmsend.wire.reader import MalformedPDU, Reader, encode_uid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import ClassVar, Final, TypeAlias

    from dcmsend.wire.items import UserItem

PROTOCOL_VERSION: Final = 1
_HEADER: Final = struct.Struct(">BxI")
_FIXED_FIELDS: Final = struct.Struct(">H2x16s16s32x")  # version, called, calling (PS3.8 Table 9-11)
_PDV_HEADER: Final = struct.Struct(">IBB")
_COMMAND, _LAST = 0x01, 0x02  # message control header (PS3.8 E.2)


class ProposedContext(Frozen):
    """Presentation context item of a request (PS3.8 Table 9-13). ``context_id`` is odd, 1 to 255."""

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]

    def encode(self) -> bytes:
        syntaxes = b"".join(encode_item(0x40, encode_uid(uid)) for uid in self.transfer_syntaxes)
        abstract = encode_item(0x30, encode_uid(self.abstract_syntax))
        return encode_item(0x20, bytes((self.context_id, 0, 0, 0)) + abstract + syntaxes)

    @classmethod
    def decode(cls, reader: Reader) -> ProposedContext:
        context_id = reader.take(4)[0]
        items = list(reader.items())
        return cls(
            context_id,
            next((value.uid() for kind, value in items if kind == 0x30), ""),
            tuple(value.uid() for kind, value in items if kind == 0x40),
        )


class ContextResult(Frozen):
    """Presentation context item of an acceptance (PS3.8 Table 9-18). ``result`` 0 means accepted."""

    context_id: int
    result: int
    transfer_syntax: str = ""

    def encode(self) -> bytes:
        syntax = encode_item(0x40, encode_uid(self.transfer_syntax))
        return encode_item(0x21, bytes((self.context_id, 0, self.result, 0)) + syntax)

    @classmethod
    def decode(cls, reader: Reader) -> ContextResult:
        context_id, _, result, _ = reader.take(4)
        # Only an accepted context's syntax is significant; others may carry anything there.
        syntaxes = [value for kind, value in reader.items() if kind == 0x40] if result == 0 else []
        if result == 0 and len(syntaxes) != 1:
            raise MalformedPDU(because("wrong_syntaxes", context_id=context_id, count=len(syntaxes)))
        return cls(context_id, result, syntaxes[0].uid() if syntaxes else "")


class AssociateRequest(Frozen, kw_only=True):
    """A-ASSOCIATE-RQ (PS3.8 9.3.2)."""

    TYPE: ClassVar[int] = 0x01

    called_ae: str
    calling_ae: str
    contexts: tuple[ProposedContext, ...]
    user: tuple[UserItem, ...]
    application_context: str = APPLICATION_CONTEXT

    def encode(self) -> bytes:
        return _encode_associate(self.TYPE, self, b"".join(context.encode() for context in self.contexts))

    @classmethod
    def decode(cls, reader: Reader) -> AssociateRequest:
        called, calling, application, items = _decode_associate(reader)
        contexts = tuple(ProposedContext.decode(value) for kind, value in items if kind == 0x20)
        return cls(
            called_ae=called,
            calling_ae=calling,
            contexts=contexts,
            user=_decode_user(items),
            application_context=application,
        )


class AssociateAccept(Frozen, kw_only=True):
    """A-ASSOCIATE-AC (PS3.8 9.3.3). The AE titles are not significant here, peers send what they like."""

    TYPE: ClassVar[int] = 0x02

    contexts: tuple[ContextResult, ...]
    user: tuple[UserItem, ...]
    called_ae: str = ""
    calling_ae: str = ""
    application_context: str = APPLICATION_CONTEXT

    def encode(self) -> bytes:
        return _encode_associate(self.TYPE, self, b"".join(context.encode() for context in self.contexts))

    @classmethod
    def decode(cls, reader: Reader) -> AssociateAccept:
        called, calling, application, items = _decode_associate(reader)
        contexts = tuple(ContextResult.decode(value) for kind, value in items if kind == 0x21)
        return cls(
            called_ae=called,
            calling_ae=calling,
            contexts=contexts,
            user=_decode_user(items),
            application_context=application,
        )


class AssociateReject(Frozen):
    """A-ASSOCIATE-RJ (PS3.8 9.3.4)."""

    TYPE: ClassVar[int] = 0x03

    result: int
    source: int
    reason: int

    def encode(self) -> bytes:
        return _HEADER.pack(self.TYPE, 4) + bytes((0, self.result, self.source, self.reason))

    @classmethod
    def decode(cls, reader: Reader) -> AssociateReject:
        _, result, source, reason = reader.take(4)
        return cls(result, source, reason)


class PDV(Frozen):
    """One presentation data value (PS3.8 9.3.5.1): a piece of a command set or of a data set."""

    context_id: int
    is_command: bool
    is_last: bool
    data: bytes


class Data(Frozen):
    """P-DATA-TF (PS3.8 9.3.5)."""

    TYPE: ClassVar[int] = 0x04

    values: tuple[PDV, ...]

    def encode(self) -> bytes:
        pieces: list[bytes] = []
        for pdv in self.values:
            control = (_COMMAND if pdv.is_command else 0) | (_LAST if pdv.is_last else 0)
            pieces += (_PDV_HEADER.pack(len(pdv.data) + 2, pdv.context_id, control), pdv.data)
        body = b"".join(pieces)
        return _HEADER.pack(self.TYPE, len(body)) + body

    @classmethod
    def decode(cls, reader: Reader) -> Data:
        values = []
        while reader.left:
            length = reader.unsigned(4)
            if length < 2:
                raise MalformedPDU(because("short_pdv", length=length))
            context_id, control = reader.take(2)
            values.append(PDV(context_id, bool(control & _COMMAND), bool(control & _LAST), reader.take(length - 2)))
        return cls(tuple(values))


class ReleaseRequest(Frozen):
    """A-RELEASE-RQ (PS3.8 9.3.6)."""

    TYPE: ClassVar[int] = 0x05

    def encode(self) -> bytes:
        return _HEADER.pack(self.TYPE, 4) + bytes(4)

    @classmethod
    def decode(cls, reader: Reader) -> ReleaseRequest:
        reader.take(4)
        return cls()


class ReleaseResponse(Frozen):
    """A-RELEASE-RP (PS3.8 9.3.7)."""

    TYPE: ClassVar[int] = 0x06

    def encode(self) -> bytes:
        return _HEADER.pack(self.TYPE, 4) + bytes(4)

    @classmethod
    def decode(cls, reader: Reader) -> ReleaseResponse:
        reader.take(4)
        return cls()


class Abort(Frozen):
    """A-ABORT (PS3.8 9.3.8). ``reason`` is significant only from the service provider (source 2)."""

    TYPE: ClassVar[int] = 0x07

    source: int = 0
    reason: int = 0

    def encode(self) -> bytes:
        return _HEADER.pack(self.TYPE, 4) + bytes((0, 0, self.source, self.reason))

    @classmethod
    def decode(cls, reader: Reader) -> Abort:
        _, _, source, reason = reader.take(4)
        return cls(source, reason)


PDU: TypeAlias = AssociateRequest | AssociateAccept | AssociateReject | Data | ReleaseRequest | ReleaseResponse | Abort

_TYPES: Final = (AssociateRequest, AssociateAccept, AssociateReject, Data, ReleaseRequest, ReleaseResponse, Abort)
PDU_TYPES: Final[dict[int, type[PDU]]] = {kind.TYPE: kind for kind in _TYPES}
MAX_ASSOCIATE_LENGTH: Final = 1 << 18  # bytes; 128 accepted contexts and the longest user information take 75,409
_FIXED_LENGTH: Final = 4
_ASSOCIATE_TYPES: Final = (AssociateRequest.TYPE, AssociateAccept.TYPE)


class PDUBuffer:
    """Cuts the stream of received bytes into PDUs; a length is checked before any of its bytes is kept.

    ``max_data_length``: the limit in bytes that we announced for P-DATA-TF (PS3.8 D.1).
    """

    def __init__(self, max_data_length: int) -> None:
        self._max_data_length = max_data_length
        self._received = bytearray()

    @property
    def partial(self) -> bool:
        """Whether a PDU has begun and not ended."""
        return bool(self._received)

    @property
    def beginning(self) -> bytes:
        """The first bytes of what has not been taken for a PDU, a few."""
        return bytes(self._received[:16])

    def feed(self, data: bytes) -> Iterator[PDU]:
        """Take received bytes, yield each PDU that they complete. Raises ``MalformedPDU``."""
        self._received += data
        while len(self._received) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._received)
            self._check(kind, length)
            end = _HEADER.size + length
            if len(self._received) < end:
                return
            body = bytes(self._received[_HEADER.size : end])
            del self._received[:end]
            yield PDU_TYPES[kind].decode(Reader(body))

    def _check(self, kind: int, length: int) -> None:
        if kind not in PDU_TYPES:
            raise MalformedPDU(because("unknown_pdu", type=f"{kind:02x}"))
        limit = MAX_ASSOCIATE_LENGTH if kind in _ASSOCIATE_TYPES else _FIXED_LENGTH
        if kind == Data.TYPE:
            limit = self._max_data_length
        if length > limit:
            raise MalformedPDU(because("long_pdu", name=PDU_TYPES[kind].__name__, length=length, most=limit))


def _encode_associate(kind: int, pdu: AssociateRequest | AssociateAccept, contexts: bytes) -> bytes:
    fixed = _FIXED_FIELDS.pack(PROTOCOL_VERSION, _encode_title(pdu.called_ae), _encode_title(pdu.calling_ae))
    application = encode_item(0x10, encode_uid(pdu.application_context))
    user = encode_item(0x50, encode_user_items(pdu.user))
    body = fixed + application + contexts + user
    return _HEADER.pack(kind, len(body)) + body


def _decode_associate(reader: Reader) -> tuple[str, str, str, list[tuple[int, Reader]]]:
    version, called, calling = _FIXED_FIELDS.unpack(reader.take(_FIXED_FIELDS.size))
    if not version & PROTOCOL_VERSION:
        raise MalformedPDU(because("wrong_version", version=version))
    items = list(reader.items())
    application = next((value.uid() for kind, value in items if kind == 0x10), "")
    return _decode_title(called), _decode_title(calling), application, items


def _decode_user(items: list[tuple[int, Reader]]) -> tuple[UserItem, ...]:
    return tuple(item for kind, value in items if kind == 0x50 for item in decode_user_items(value))


def _encode_title(title: str) -> bytes:
    return title.encode("utf-8", "surrogateescape")[:16].ljust(16)


def _decode_title(title: bytes) -> str:
    return title.decode("utf-8", "surrogateescape").strip(" \0")
