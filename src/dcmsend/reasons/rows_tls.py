"""Rows of the table of reasons. TLS and its files."""

from __future__ import annotations

from dcmsend.reasons.row import ENDED, Kind, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_TRUST: Final = "Name the CA, or the peer's own certificate, with {tls_ca}."
_SUITES: Final = "{bcp195} proposes older cipher suites too, {cipher} single ones."
_OURS: Final = "Our key and certificate are given with {tls_certificate}."

ROWS: Final[dict[str, Row]] = {
    # --- TLS
    "tls": Row(Kind.NETWORK, "TLS: {inner}"),
    "tls_refused": Row(Kind.NETWORK, "the peer refuses: {inner}"),
    "tls_failed": Row(Kind.NETWORK, "the handshake or a record failed: {inner}"),
    "tls_not_spoken": Row(
        Kind.NETWORK,
        "the peer does not speak TLS",
        "Is the port right? Without the TLS options the connection is a plain one.",
    ),
    "tls_handshake_ended": Row(
        Kind.NETWORK,
        "peer ended the connection in the TLS handshake{behind}",
        "It may not speak TLS on this port, or only versions before 1.2.",
        passes=True,
    ),
    "tls_handshake_ended_without_certificate": Row(
        Kind.NETWORK,
        "peer ended the connection in the TLS handshake{behind}",
        "It may not speak TLS on this port, or only versions before 1.2, or demand a certificate: our key and"
        " certificate are given with {tls_certificate}.",
        passes=True,
    ),
    "tls_cut_off": Row(
        Kind.NETWORK,
        "peer closed the connection without ending TLS: the rest may have been cut off",
        ENDED,
        passes=True,
    ),
    "handshake_timeout": Row(
        Kind.NETWORK,
        "timeout: the TLS handshake took more than {seconds} seconds",
        "Something is there, but no server that answers in TLS: is it the right port? {connect_timeout} gives it more"
        " time.",
        ("seconds",),
        passes=True,
    ),
    "renegotiation_timeout": Row(
        Kind.NETWORK,
        "timeout: negotiating TLS anew took more than {seconds} seconds",
        "The peer wanted to negotiate anew, and then stopped: look at it, and at the network ({socket_timeout}).",
        ("seconds",),
        passes=True,
    ),
    "certificate_issuer_unknown": Row(
        Kind.NETWORK, "the peer's certificate is not trusted: its issuer is not known", _TRUST
    ),
    "certificate_self_signed": Row(
        Kind.NETWORK, "the peer's certificate is not trusted: it is signed by itself", _TRUST
    ),
    "certificate_root_unknown": Row(
        Kind.NETWORK, "the peer's certificate is not trusted: its root CA is not known", _TRUST
    ),
    "certificate_of_no_ca": Row(
        Kind.NETWORK,
        "the peer's certificate is not trusted: one that signed it is not that of a CA",
        "The peer shows a wrong chain of certificates: its administrator has to mend that.",
    ),
    "certificate_not_trusted": Row(Kind.NETWORK, "the peer's certificate is not trusted: {words}", _TRUST, ("words",)),
    "certificate_not_yet_valid": Row(
        Kind.NETWORK, "the peer's certificate is not valid yet", "Is the clock right, on both sides?"
    ),
    "certificate_expired": Row(Kind.NETWORK, "the peer's certificate has expired", "The peer needs a new one."),
    "certificate_revoked": Row(
        Kind.NETWORK,
        "the peer's certificate has been revoked, or one that signed it",
        "Nobody should trust it any more: the peer needs a new one.",
    ),
    "certificate_not_for_servers": Row(
        Kind.NETWORK,
        "the peer's certificate is not meant for servers",
        "The peer needs a certificate for servers: its administrator has to get one.",
    ),
    "certificate_key_too_short": Row(
        Kind.NETWORK, "the key of the peer's certificate is too short", "The peer needs a new certificate."
    ),
    "ca_key_too_short": Row(
        Kind.NETWORK, "the key of the peer's CA is too short", "The peer needs a certificate of another CA."
    ),
    "certificate_weak_hash": Row(
        Kind.NETWORK, "the peer's certificate is signed with a weak hash", "The peer needs a new certificate."
    ),
    "certificate_other_name": Row(
        Kind.NETWORK,
        "the peer's certificate is not for '{name}', but for {names}",
        "Where one of these is the peer's, tell it with {tls_server_name}.",
        ("name", "names"),
    ),
    "certificate_not_for_name": Row(
        Kind.NETWORK,
        "the peer's certificate is not for '{name}'",
        "Where it is another one of the peer's names, tell it with {tls_server_name}.",
        ("name",),
    ),
    "crl_missing": Row(
        Kind.NETWORK,
        "there is no revocation list of the peer's issuer",
        "Name one with {tls_crl}.",
    ),
    "crl_not_yet_valid": Row(Kind.NETWORK, "a revocation list is not valid yet", "Is the clock right?"),
    "crl_expired": Row(Kind.NETWORK, "a revocation list has expired", "Get a new one from the CA."),
    "nothing_in_common": Row(
        Kind.NETWORK, "it finds nothing in common with us, be it a cipher suite or a certificate", _SUITES
    ),
    "nothing_in_common_without_certificate": Row(
        Kind.NETWORK,
        "it finds nothing in common with us, be it a cipher suite or a certificate",
        "It may demand a certificate: our key and certificate are given with {tls_certificate}. {bcp195} proposes older"
        " cipher suites too, {cipher} single ones.",
    ),
    "not_secure_enough": Row(
        Kind.NETWORK,
        "what we propose is not secure enough for it",
        "Leave out older cipher suites: {bcp195}, {cipher}.",
    ),
    "versions_too_old": Row(
        Kind.NETWORK,
        "it has neither TLS 1.2 nor 1.3, the only versions that are safe",
        "The peer needs a newer TLS: its administrator has to see to that.",
    ),
    "our_certificate_demanded": Row(Kind.NETWORK, "it demands a certificate of ours", _OURS),
    "our_ca_unknown": Row(Kind.NETWORK, "it does not know the CA of our certificate", "The peer must trust that CA."),
    "our_certificate_refused": Row(
        Kind.NETWORK, "it does not accept our certificate", "The peer must trust it: its log says what it lacks."
    ),
    "our_certificate_refused_or_missing": Row(
        Kind.NETWORK,
        "it does not accept our certificate",
        "It may demand one: our key and certificate are given with {tls_certificate}.",
    ),
    "our_certificate_unsupported": Row(
        Kind.NETWORK, "our certificate is of a kind that it does not take", "Have one made with another kind of key."
    ),
    "our_certificate_revoked": Row(Kind.NETWORK, "our certificate has been revoked", "Get a new one from its CA."),
    "our_certificate_expired": Row(
        Kind.NETWORK, "our certificate has expired", "Get a new one; and is the clock right, on both sides?"
    ),
    "access_denied": Row(
        Kind.NETWORK, "it does not let us in", "The peer has to allow our certificate or our address."
    ),
    "signature_wrong": Row(
        Kind.NETWORK, "it finds a signature of ours wrong", "Do our key and certificate belong together?"
    ),
    "name_not_recognised": Row(
        Kind.NETWORK,
        "it does not go by the name that we asked for",
        "Where it is another one of the peer's names, tell it with {tls_server_name}.",
    ),
    "internal_error": Row(Kind.NETWORK, "it has an internal error", "The peer's log says more."),
    "alert": Row(Kind.NETWORK, "alert {words}", "The peer's log says why.", ("words",)),
    "short_diffie_hellman": Row(
        Kind.NETWORK,
        "its Diffie-Hellman key is too short",
        "The peer has to use a longer one, or elliptic curves.",
    ),
    "insecure_renegotiation": Row(
        Kind.NETWORK, "it cannot negotiate securely (RFC 5746)", "The peer needs a newer TLS."
    ),
    "damaged_record": Row(
        Kind.NETWORK,
        "what it sent was damaged or forged on its way",
        "Something on the way changes what is sent, or the peer's TLS has a fault.",
    ),
    "tls_words": Row(
        Kind.NETWORK, "{words}", "These are the words of the TLS library; the peer's log may have more.", ("words",)
    ),
    "file_unreadable": Row(
        Kind.RUN, "cannot read the {what} '{path}': {inner}", "See that this file is there and may be read.", ("what",)
    ),
    "not_a_file": Row(Kind.RUN, "it is no file"),
    "invalid_filename": Row(Kind.RUN, "Invalid filename"),
    "unusable_as_pem": Row(
        Kind.RUN,
        "cannot use the {what} '{path}': {inner}",
        "It was read as PEM; {der_keys} for files in DER.",
        ("what",),
    ),
    "unusable_as_der": Row(
        Kind.RUN,
        "cannot use the {what} '{path}': {inner}",
        "It was read as DER; {pem_keys} for files in PEM.",
        ("what",),
    ),
    "file_too_large": Row(
        Kind.RUN,
        "cannot use the {what} '{path}': it has more than {most} MiB",
        "That is no file of keys, certificates or revocation lists: name the right one.",
        ("what",),
    ),
    "no_certificate_in_it": Row(Kind.RUN, "there is no certificate in it"),
    "certificates_in_it": Row(Kind.RUN, "there are certificates in it"),
    "no_crl_in_it": Row(Kind.RUN, "there is no revocation list in it"),
    "no_key_in_it": Row(Kind.RUN, "there is no private key in it"),
    "many_files_in_it": Row(Kind.RUN, "there are more than {most} files in it"),
    "key_needs_password": Row(
        Kind.RUN,
        "the private key in '{path}' needs a password, and none was given",
        "Give it with {tls_password}.",
    ),
    "long_password": Row(
        Kind.RUN,
        "the password of the private key has more than {most} bytes",
        "Encrypt the key with a shorter one: no TLS library takes that.",
    ),
    "wrong_password": Row(
        Kind.RUN, "wrong password for the private key in '{path}'", "Give the right one with {tls_password}."
    ),
    "key_of_another_certificate": Row(
        Kind.RUN,
        "the private key in '{key}' does not belong to the certificate in '{certificate}'",
        "Name the two that belong together with {tls_certificate}.",
    ),
    "our_certificate_weak": Row(
        Kind.RUN,
        "the key or the signature of the certificate in '{certificate}' is too weak",
        "Have a certificate made with a longer key and a newer signature.",
    ),
    "our_certificate_broken": Row(
        Kind.RUN,
        "cannot use the certificate in '{certificate}' with the private key in '{key}': one of them is broken",
        "Copy both from their source again.",
    ),
    "cipher_unknown": Row(
        Kind.RUN,
        "cipher suite '{name}' is not known or not safe",
        "Those that may be used are listed by {list_ciphers}.",
        ("name",),
    ),
    "no_certificate_name": Row(
        Kind.RUN,
        "'{name}' is no name that a certificate could be for",
        "Tell the name in the peer's certificate with {tls_server_name}.",
        ("name",),
    ),
}
