"""What the peer's refusals mean to the user: wire events as errors, in the words of PS3.8 Tables 9-21 and 9-26."""

from __future__ import annotations

from dcmsend.errors import (
    AssociationAborted,
    AssociationRejected,
    ConnectionLost,
    NetworkError,
    ReleaseRequested,
    RemoteProtocolError,
)
from dcmsend.wire.pdu import AssociateReject
from dcmsend.wire.requestor import Aborted, HungUp, Rejected, ReleaseWanted, Violated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.wire.requestor import WireEvent

# How a peer that expects TLS answers an association request: with the record of an alert (RFC 8446 5.1), or not at all.
TLS_ALERT: Final = "PDU type 0x15"
TLS_HINT: Final = "the peer may expect TLS: --enable-tls or --anonymous-tls"

_RESULTS: Final = {1: "permanently", 2: "for now"}

# (source, reason) -> words, hint
_REJECTIONS: Final[dict[tuple[int, int], tuple[str, str]]] = {
    (1, 1): (
        "no reason given by the peer",
        "some receivers reject so when no presentation context suits them, others when they do not know the sender",
    ),
    (1, 2): ("the peer does not support the DICOM application context", ""),
    (1, 3): ("calling AE title not recognised by the peer", "the peer must know our title: --aetitle"),
    (1, 7): ("called AE title not recognised by the peer", "the peer's own title is given with --call"),
    (2, 1): ("no reason given by the peer's ACSE service provider", ""),
    (2, 2): ("protocol version not supported by the peer", ""),
    (3, 1): ("temporary congestion at the peer", "try again later"),
    (3, 2): ("local limit of associations exceeded at the peer", "try again later"),
}

# PS3.7 D.3.3.7.3 has no reason of its own for an identity that is not accepted.
_WITHOUT_REASON: Final = ((1, 1), (2, 1))
_IDENTITY_HINT: Final = "the peer may not accept the user identity, or not know the sender"

_ABORTS: Final = {
    0: "no reason given",
    1: "it did not recognise a PDU",
    2: "it did not expect a PDU",
    4: "it did not recognise a PDU parameter",
    5: "it did not expect a PDU parameter",
    6: "it found an invalid value in a PDU parameter",
}


def error_of(event: WireEvent, *, identified: bool = False) -> NetworkError:
    """The error that an event comes to where nobody wanted it. ``identified``: the request said who the user is."""
    match event:
        case Rejected(AssociateReject(result, source, reason)):
            words, hint = reject_words(result, source, reason)
            if identified and (source, reason) in _WITHOUT_REASON:
                hint = _IDENTITY_HINT
            return AssociationRejected(result, source, reason, words, hint=hint)
        case Aborted(source, reason):
            return AssociationAborted(source, reason, abort_words(source, reason))
        case ReleaseWanted():
            return ReleaseRequested("peer asked to release the association before everything was sent")
        case HungUp(in_pdu):
            return ConnectionLost("peer closed the connection" + (" in the middle of a PDU" if in_pdu else ""))
        case Violated(complaint):
            return RemoteProtocolError(f"peer broke the protocol: {complaint}")
        case _:
            return RemoteProtocolError("peer broke the protocol: a response to nothing")


def reject_words(result: int, source: int, reason: int) -> tuple[str, str]:
    """Words and a hint (it may be empty) for an A-ASSOCIATE-RJ (PS3.8 Table 9-21)."""
    words, hint = _REJECTIONS.get((source, reason), (f"reason {reason} from source {source}", ""))
    return f"{_RESULTS.get(result, f'with result {result}')}: {words}", hint


def abort_words(source: int, reason: int) -> str:
    """Words for an A-ABORT (PS3.8 Table 9-26); a reason counts only from the service provider."""
    if source == 2:
        return f"its service provider says: {_ABORTS.get(reason, f'reason {reason}')}"
    return "by the receiving application, without a reason" if source == 0 else f"by source {source}"
