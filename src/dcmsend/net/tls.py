"""TLS for all connections of a run: one context, made once, before anything is sent (PS3.15 Annex B, BCP 195).

``ssl`` and what belongs to it is loaded with this module, and only where TLS is wanted.
"""

from __future__ import annotations

import ssl

from dcmsend.errors import ConfigurationError
from dcmsend.net.secured import TlsStream
from dcmsend.net.suites import SUITES, cipher_string
from dcmsend.net.tls_files import load
from dcmsend.reasons import because
from dcmsend.security import CrlCheck, PeerCheck

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Final

    from dcmsend.net.pace import Pace
    from dcmsend.security import Tls

_CRL_FLAGS: Final = {
    CrlCheck.NONE: ssl.VerifyFlags.VERIFY_DEFAULT,
    CrlCheck.LEAF: ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF,
    CrlCheck.CHAIN: ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN,
}


class Security:
    """What makes plain connections to ``host`` secure ones.

    Raises ``ConfigurationError`` where a file cannot be used or a name makes no sense.
    """

    def __init__(self, tls: Tls, host: str) -> None:
        self._name = _server_name(tls.server_name or host)
        self._certificate = bool(tls.certificate)
        self._context = _context(tls)

    def __repr__(self) -> str:
        return f"<Security: TLS with '{self._name}'>"

    def stream(self, connection: socket.socket, socket_timeout: float | None, pace: Pace | None) -> TlsStream:
        """The connection, which is the stream's from now on; the handshake is still to come."""
        try:
            connection.getpeername()  # wrapping a connection that is gone leaves things open in some Pythons
            secured = self._context.wrap_socket(
                connection, server_hostname=self._name, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
        except OSError as error:
            connection.close()
            from dcmsend.net.tls_words import handshake_error

            raise handshake_error(error, self._name, certificate=self._certificate) from error
        return TlsStream(secured, socket_timeout, pace, name=self._name, certificate=self._certificate)


def supported_ciphers() -> list[str]:
    """The suites that may be proposed, by their RFC names, as far as the TLS library has them; best first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(":".join(SUITES.values()))
    here = {entry["name"] for entry in context.get_ciphers()}
    return [name for name, theirs in SUITES.items() if theirs in here]


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The end of the connection is no end of TLS: somebody may have cut it.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    _set_ciphers(context, tls)
    _set_checks(context, tls)
    load(context, tls)
    return context


def _set_ciphers(context: ssl.SSLContext, tls: Tls) -> None:
    unknown = [name for name in tls.ciphers if name not in SUITES]
    if unknown:
        raise ConfigurationError(because("cipher_unknown", name=unknown[0]))
    context.set_ciphers(cipher_string(tls.profile, tls.ciphers))


def _set_checks(context: ssl.SSLContext, tls: Tls) -> None:
    """What is demanded of the peer's certificate. What is named as trusted is trusted, CA or not."""
    if tls.peer_check is PeerCheck.IGNORE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return
    check = CrlCheck.LEAF if tls.crl_files and tls.crl_check is CrlCheck.NONE else tls.crl_check
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | _CRL_FLAGS[check]
    if not (tls.ca_files or tls.ca_directories):
        context.load_default_certs()


def _server_name(name: str) -> str:
    """A host name or address as TLS wants it: without a dot at the end (RFC 6066 3), without an address's zone."""
    bare = name.removesuffix(".")
    if ":" in bare:
        bare = bare.partition("%")[0]
    try:
        if not bare or bare.startswith(".") or not bare.isprintable():
            raise ValueError("not a host name")
        bare.encode("idna")
    except ValueError as error:
        raise ConfigurationError(because("no_certificate_name", name=name)) from error
    return bare
