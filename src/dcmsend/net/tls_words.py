"""What TLS's refusals mean to the user: errors of ``ssl`` as ours, with the codes of their reasons.

Loaded when something has gone wrong.
"""

from __future__ import annotations

import ssl

from dcmsend.errors import ConnectionLost, TlsError
from dcmsend.reasons import Reason, because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.errors import NetworkError

# What OpenSSL's verification of a certificate finds (X509_V_ERR_...).
_VERIFICATION: Final = {
    2: "certificate_issuer_unknown",
    3: "crl_missing",
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    11: "crl_not_yet_valid",
    12: "crl_expired",
    18: "certificate_self_signed",
    19: "certificate_root_unknown",
    20: "certificate_issuer_unknown",
    21: "certificate_issuer_unknown",
    23: "certificate_revoked",
    24: "certificate_of_no_ca",
    26: "certificate_not_for_servers",
    66: "certificate_key_too_short",
    67: "ca_key_too_short",
    68: "certificate_weak_hash",
}
_HOST_MISMATCH, _ADDRESS_MISMATCH = 62, 64
_MOST_NAMES: Final = 5  # of a certificate's that are told
_LONGEST_NAME: Final = 64  # characters of each

# What the peer says in an alert (RFC 8446 6).
_ALERTS: Final = {
    "HANDSHAKE_FAILURE": "nothing_in_common",
    "INSUFFICIENT_SECURITY": "not_secure_enough",
    "PROTOCOL_VERSION": "versions_too_old",
    "CERTIFICATE_REQUIRED": "our_certificate_demanded",
    "UNKNOWN_CA": "our_ca_unknown",
    "BAD_CERTIFICATE": "our_certificate_refused",
    "UNSUPPORTED_CERTIFICATE": "our_certificate_unsupported",
    "CERTIFICATE_REVOKED": "our_certificate_revoked",
    "CERTIFICATE_EXPIRED": "our_certificate_expired",
    "CERTIFICATE_UNKNOWN": "our_certificate_refused",
    "ACCESS_DENIED": "access_denied",
    "DECRYPT_ERROR": "signature_wrong",
    "UNRECOGNIZED_NAME": "name_not_recognised",
    "INTERNAL_ERROR": "internal_error",
}
_ALERT_PREFIXES: Final = ("SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_", "TLSV1_")
# Without a certificate of ours, a server that demands one may say no more than this (TLS 1.2).
_DEMANDING: Final = {
    "HANDSHAKE_FAILURE": "nothing_in_common_without_certificate",
    "BAD_CERTIFICATE": "our_certificate_refused_or_missing",
}

# What we find ourselves.
_FINDINGS: Final = {
    "UNSUPPORTED_PROTOCOL": "versions_too_old",
    "WRONG_SSL_VERSION": "versions_too_old",
    "DH_KEY_TOO_SMALL": "short_diffie_hellman",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "insecure_renegotiation",
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": "damaged_record",
}
_NO_TLS: Final = (
    "WRONG_VERSION_NUMBER",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "HTTP_REQUEST",
)


def handshake_error(
    error: OSError, name: str, *, certificate: bool, secured: ssl.SSLSocket | None = None
) -> NetworkError:
    """Why there is no secure connection to ``name``.

    ``certificate``: whether we have one to show. ``secured``: the connection, which knows what the peer has shown.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(_verification(error, name, secured), reason="CERTIFICATE_VERIFY_FAILED")
    if _identifier(error) in _NO_TLS:
        return TlsError(because("tls_not_spoken"), reason=_identifier(error))
    if _is_end(error):
        code = "tls_handshake_ended" if certificate else "tls_handshake_ended_without_certificate"
        words = _words(error)
        return ConnectionLost(because(code, because("tls_words", words=words) if words else None))
    return _refusal(error, certificate=certificate)


def stream_error(error: OSError, *, sending: bool, certificate: bool) -> NetworkError:
    """What ended an established connection. A client's certificate is judged after the handshake (RFC 8446 4.6.2)."""
    if _identifier(error) == "UNEXPECTED_EOF_WHILE_READING":
        return ConnectionLost(because("tls_cut_off"))
    if _is_end(error):
        words = _words(error) or "it was reset or cut off"
        return ConnectionLost(because("lost_while_sending" if sending else "lost", words=words))
    return _refusal(error, certificate=certificate)


def _verification(error: ssl.SSLCertVerificationError, name: str, secured: ssl.SSLSocket | None) -> Reason:
    if error.verify_code in (_HOST_MISMATCH, _ADDRESS_MISMATCH):
        names = _names(secured)
        if not names:
            return because("certificate_not_for_name", name=name)
        return because("certificate_other_name", name=name, names=names)
    code = _VERIFICATION.get(error.verify_code)
    return because(code) if code else because("certificate_not_trusted", words=error.verify_message)


def _names(secured: ssl.SSLSocket | None) -> str:
    """The names in the certificate that the peer has shown, a few; nothing where the TLS library does not tell."""
    try:
        shown = secured._sslobj.get_unverified_chain()[0].get_info()  # type: ignore[union-attr]  # noqa: SLF001
        names = [str(value) for _, value in shown.get("subjectAltName", ())]
    except (AttributeError, TypeError, LookupError, ValueError, OSError):
        return ""  # there is no public way to ask before the handshake is over
    told = ", ".join(name[:_LONGEST_NAME] for name in names[:_MOST_NAMES])
    return told + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def _refusal(error: OSError, *, certificate: bool) -> TlsError:
    """An alert of the peer, or what we do not accept."""
    found = _identifier(error)
    prefix = next((prefix for prefix in _ALERT_PREFIXES if found.startswith(prefix)), "")
    if not prefix:
        code = _FINDINGS.get(found)
        words = found.replace("_", " ").lower() or str(error)
        why = because(code) if code else because("tls_words", words=words)
        return TlsError(because("tls_failed", why), reason=found)
    alert = found.removeprefix(prefix)
    code = _ALERTS.get(alert) if certificate else _DEMANDING.get(alert) or _ALERTS.get(alert)
    said = because(code) if code else because("alert", words=alert.replace("_", " ").lower())
    return TlsError(because("tls_refused", said), reason=found)


def _identifier(error: OSError) -> str:
    """What OpenSSL calls it, as ``SSLV3_ALERT_HANDSHAKE_FAILURE``; nothing where it says nothing."""
    return (error.reason or "") if isinstance(error, ssl.SSLError) else ""


def _is_end(error: OSError) -> bool:
    """Whether the connection is gone, be it with or without a word."""
    return not isinstance(error, ssl.SSLError) or isinstance(
        error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError
    )


def _words(error: OSError) -> str:
    """The system's words, where the connection broke instead of ending."""
    return "" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
