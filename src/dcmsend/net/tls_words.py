"""What TLS's refusals mean to the user: errors of ``ssl`` as ours, in plain words, with what to do about them.

Loaded when something has gone wrong.
"""

from __future__ import annotations

import ssl

from dcmsend.errors import ConnectionLost, TlsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.errors import NetworkError

_TRUST: Final = "name the CA, or the peer's own certificate, with --add-cert-file"
_NAME: Final = "where it is another one of the peer's names, tell it with --tls-server-name"
_OURS: Final = "our key and certificate are given with --enable-tls"
_SUITES: Final = "--profile-bcp195 proposes older cipher suites too, --cipher single ones"

# What OpenSSL's verification of a certificate finds (X509_V_ERR_...): words, hint.
_VERIFICATION: Final[dict[int, tuple[str, str]]] = {
    2: ("the peer's certificate is not trusted: its issuer is not known", _TRUST),
    3: ("there is no revocation list of the peer's issuer", "name one with --add-crl-file"),
    9: ("the peer's certificate is not valid yet", "is the clock right, on both sides?"),
    10: ("the peer's certificate has expired", "the peer needs a new one"),
    11: ("a revocation list is not valid yet", "is the clock right?"),
    12: ("a revocation list has expired", "get a new one from the CA"),
    18: ("the peer's certificate is not trusted: it is signed by itself", _TRUST),
    19: ("the peer's certificate is not trusted: its root CA is not known", _TRUST),
    20: ("the peer's certificate is not trusted: its issuer is not known", _TRUST),
    21: ("the peer's certificate is not trusted: its issuer is not known", _TRUST),
    23: ("the peer's certificate has been revoked, or one that signed it", ""),
    24: ("the peer's certificate is not trusted: one that signed it is not that of a CA", ""),
    26: ("the peer's certificate is not meant for servers", ""),
    66: ("the key of the peer's certificate is too short", ""),
    67: ("the key of the peer's CA is too short", ""),
    68: ("the peer's certificate is signed with a weak hash", ""),
}
_HOST_MISMATCH, _ADDRESS_MISMATCH = 62, 64

# What the peer says in an alert (RFC 8446 6): words, hint.
_ALERTS: Final[dict[str, tuple[str, str]]] = {
    "HANDSHAKE_FAILURE": ("it finds nothing in common with us, be it a cipher suite or a certificate", _SUITES),
    "INSUFFICIENT_SECURITY": ("what we propose is not secure enough for it", ""),
    "PROTOCOL_VERSION": ("it has neither TLS 1.2 nor 1.3, the only versions that are safe", ""),
    "CERTIFICATE_REQUIRED": ("it demands a certificate of ours", _OURS),
    "UNKNOWN_CA": ("it does not know the CA of our certificate", "the peer must trust that CA"),
    "BAD_CERTIFICATE": ("it does not accept our certificate", ""),
    "UNSUPPORTED_CERTIFICATE": ("our certificate is of a kind that it does not take", ""),
    "CERTIFICATE_REVOKED": ("our certificate has been revoked", ""),
    "CERTIFICATE_EXPIRED": ("our certificate has expired", "is the clock right, on both sides?"),
    "CERTIFICATE_UNKNOWN": ("it does not accept our certificate", ""),
    "ACCESS_DENIED": ("it does not let us in", ""),
    "DECRYPT_ERROR": ("it finds a signature of ours wrong", ""),
    "UNRECOGNIZED_NAME": ("it does not go by the name that we asked for", _NAME),
    "INTERNAL_ERROR": ("it has an internal error", ""),
}
_ALERT_PREFIXES: Final = ("SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_", "TLSV1_")
# Without a certificate of ours, a server that demands one may say no more than this (TLS 1.2).
_DEMANDING: Final = ("HANDSHAKE_FAILURE", "BAD_CERTIFICATE")

# What we find ourselves.
_FINDINGS: Final[dict[str, tuple[str, str]]] = {
    "UNSUPPORTED_PROTOCOL": _ALERTS["PROTOCOL_VERSION"],
    "WRONG_SSL_VERSION": _ALERTS["PROTOCOL_VERSION"],
    "DH_KEY_TOO_SMALL": ("its Diffie-Hellman key is too short", ""),
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": ("it cannot negotiate securely (RFC 5746)", ""),
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": ("what it sent was damaged or forged on its way", ""),
}
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")


def handshake_error(error: OSError, name: str, *, certificate: bool) -> NetworkError:
    """Why there is no secure connection to ``name``. ``certificate``: whether we have one to show."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _verification(error, name)
    if _reason(error) in _NO_TLS:
        hint = "is the port right? without TLS options the connection is a plain one"
        return TlsError("the peer does not speak TLS", reason=_reason(error), hint=hint)
    if _is_end(error):
        hint = "it may not speak TLS on this port, or only versions before 1.2"
        hint += "" if certificate else f", or demand a certificate: {_OURS}"
        return ConnectionLost(f"peer ended the connection in the TLS handshake{_words(error)}", hint=hint)
    return _refusal(error, certificate=certificate)


def stream_error(error: OSError, doing: str, *, certificate: bool) -> NetworkError:
    """What ended an established connection. A client's certificate is judged after the handshake (RFC 8446 4.6.2)."""
    if _reason(error) == "UNEXPECTED_EOF_WHILE_READING":
        return ConnectionLost("peer closed the connection without ending TLS: the rest may have been cut off")
    if _is_end(error):
        return ConnectionLost(f"connection lost{doing}{_words(error) or ': it was reset or cut off'}")
    return _refusal(error, certificate=certificate)


def _verification(error: ssl.SSLCertVerificationError, name: str) -> TlsError:
    if error.verify_code in (_HOST_MISMATCH, _ADDRESS_MISMATCH):
        words, hint = f"the peer's certificate is not for '{name}'", _NAME
    else:
        words, hint = _VERIFICATION.get(
            error.verify_code, (f"the peer's certificate is not trusted: {error.verify_message}", "")
        )
    return TlsError(words, reason="CERTIFICATE_VERIFY_FAILED", hint=hint)


def _refusal(error: OSError, *, certificate: bool) -> TlsError:
    """An alert of the peer, or what we do not accept."""
    reason = _reason(error)
    prefix = next((prefix for prefix in _ALERT_PREFIXES if reason.startswith(prefix)), "")
    if not prefix:
        words, hint = _FINDINGS.get(reason, (reason.replace("_", " ").lower() or str(error), ""))
        return TlsError(f"the handshake or a record failed: {words}", reason=reason, hint=hint)
    alert = reason.removeprefix(prefix)
    words, hint = _ALERTS.get(alert, (f"alert {alert.replace('_', ' ').lower()}", ""))
    if alert in _DEMANDING and not certificate:
        hint = f"it may demand a certificate: {_OURS}; {_SUITES}"
    return TlsError(f"the peer refuses: {words}", reason=reason, hint=hint)


def _reason(error: OSError) -> str:
    return (error.reason or "") if isinstance(error, ssl.SSLError) else ""


def _is_end(error: OSError) -> bool:
    """Whether the connection is gone, be it with or without a word."""
    return not isinstance(error, ssl.SSLError) or isinstance(
        error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError
    )


def _words(error: OSError) -> str:
    """The system's words, where the connection broke instead of ending."""
    return "" if isinstance(error, ssl.SSLError) else f": {error.strerror or error}"
