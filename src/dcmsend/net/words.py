"""What the peer's refusals mean to the user: wire events as errors, after PS3.8 Tables 9-21 and 9-26.

Loaded when something has gone wrong.
"""

from __future__ import annotations

from dcmsend.errors import (
    AssociationAborted,
    AssociationRejected,
    ConnectError,
    ConnectionLost,
    NetworkError,
    ReleaseRequested,
    RemoteProtocolError,
)
from dcmsend.light import NamedTuple
from dcmsend.reasons import Reason, because
from dcmsend.wire.pdu import AssociateReject
from dcmsend.wire.requestor import Aborted, HungUp, Rejected, ReleaseWanted, Violated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.wire.requestor import WireEvent


class Standing(NamedTuple):
    """What there is to know when something goes wrong.

    ``identified``: the request said who the user is. ``answered``: the peer has answered a request in this run.
    """

    identified: bool = False
    answered: bool = False


_RESULTS: Final = {1: "rejected_permanently", 2: "rejected_for_now"}
# (source, reason) -> code
_REJECTIONS: Final = {
    (1, 1): "reject_without_reason",
    (1, 2): "reject_application_context",
    (1, 3): "reject_calling_title",
    (1, 7): "reject_called_title",
    (2, 1): "reject_by_provider",
    (2, 2): "reject_version",
    (3, 1): "reject_congestion",
    (3, 2): "reject_limit",
}
# PS3.7 D.3.3.7.3 has no reason of its own for an identity that is not accepted.
_OF_IDENTITY: Final = {(1, 1): "reject_identity", (2, 1): "reject_identity_by_provider"}

_ABORTS: Final = {
    0: "aborted_without_reason",
    1: "aborted_unrecognised_pdu",
    2: "aborted_unexpected_pdu",
    4: "aborted_unrecognised_parameter",
    5: "aborted_unexpected_parameter",
    6: "aborted_invalid_value",
}

# How servers of other protocols begin, whether or not they were asked. A server that expects TLS answers with an alert
# (RFC 8446 5.1): a record of type 21 and of a version 3.x.
_TLS_ALERT: Final = b"\x15\x03"
_OTHERS: Final = (
    (b"HTTP/", "HTTP"),
    (b"<html", "HTTP"),
    (b"<HTML", "HTTP"),
    (b"<!DOC", "HTTP"),
    (b"SSH-", "SSH"),
    (b"220 ", "FTP or SMTP"),
    (b"220-", "FTP or SMTP"),
    (b"* OK", "IMAP"),
    (b"+OK", "POP3"),
    (b"RFB ", "VNC"),
    (b"MSH|", "HL7"),
    (b"\x0bMSH", "HL7"),
)


def error_of(event: WireEvent, standing: Standing) -> NetworkError:
    """The error that an event comes to where nobody wanted it."""
    match event:
        case Rejected(AssociateReject(result, source, reason)):
            return AssociationRejected(result, source, reason, _rejection(result, source, reason, standing))
        case Aborted(source, reason):
            code = "association_aborted" if standing.answered else "aborted_at_once"
            return AssociationAborted(source, reason, because(code, _abort(source, reason)))
        case ReleaseWanted():
            return ReleaseRequested(because("release_wanted"))
        case HungUp(in_pdu):
            return ConnectionLost(because("closed_in_pdu" if in_pdu else "closed"))
        case Violated(complaint, received):
            return RemoteProtocolError(_violation(complaint, received))
        case _:
            return RemoteProtocolError(because("protocol_broken", because("response_to_nothing")))


def not_made(error: NetworkError, *, reached: bool, secured: bool) -> NetworkError:
    """The error where an association could not be made. ``reached``: there has been one with this peer."""
    if isinstance(error, ConnectError) and reached:
        return ConnectError(because("server_gone", error.why))
    if isinstance(error, ConnectionLost) and (reached or not secured):
        return ConnectionLost(because("lost_again" if reached else "lost_before_answer", error.why))
    return error


def _rejection(result: int, source: int, reason: int, standing: Standing) -> Reason:
    code = _REJECTIONS.get((source, reason))
    if standing.identified:
        code = _OF_IDENTITY.get((source, reason), code)
    inner = because(code) if code else because("reject_reason", number=reason, source=source)
    outer = _RESULTS.get(result)
    return because(outer, inner) if outer else because("rejected_with_result", inner, result=result)


def _abort(source: int, reason: int) -> Reason:
    """A reason counts only from the service provider."""
    if source == 2:
        code = _ABORTS.get(reason)
        return because(code) if code else because("aborted_for_reason", number=reason)
    return because("aborted_by_user") if source == 0 else because("aborted_by_source", source=source)


def _violation(complaint: Reason, received: bytes) -> Reason:
    """What the peer did wrong; where it is no DICOM server at all, that is what there is to say."""
    if received.startswith(_TLS_ALERT):
        return because("answered_by_tls")
    other = next((name for beginning, name in _OTHERS if received.startswith(beginning)), None)
    return because("other_protocol", name=other) if other else because("protocol_broken", complaint)
