"""The cipher suites that may be proposed, and which of them each profile proposes: tables, and nothing else.

Only what BCP 195 does not rule out (RFC 9325 4): nothing without encryption or authentication, no RC4, no 3DES. The
suites of TLS 1.3 are the same in all profiles: ``ssl`` has no way to choose among them before Python 3.15, and none of
them is weak.
"""

from __future__ import annotations

from dcmsend.security import TlsProfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

_TLS_1_3: Final = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")

# The names of RFC 5288, 5289 and 7905, and OpenSSL's, best first. What the peer's certificate holds decides between
# RSA and ECDSA.
_AES_GCM: Final = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
}
_DHE_AES_GCM: Final = {
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256": "DHE-RSA-AES128-GCM-SHA256",
    "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384": "DHE-RSA-AES256-GCM-SHA384",
}
_CHACHA20: Final = {
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "DHE-RSA-CHACHA20-POLY1305",
}
# Forward secret, but in CBC mode (RFC 5289, 5246, 8422, 3268).
_CBC: Final = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": "ECDHE-ECDSA-AES128-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384": "ECDHE-ECDSA-AES256-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384": "ECDHE-RSA-AES256-SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256": "DHE-RSA-AES128-SHA256",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256": "DHE-RSA-AES256-SHA256",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA": "DHE-RSA-AES128-SHA",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA": "DHE-RSA-AES256-SHA",
}
# Without forward secrecy: who gets the peer's key can read what was recorded before. The first one is what the retired
# AES profile demanded (PS3.15 B.3), and all that many old servers have.
_RSA: Final = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256": "AES128-SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA256": "AES256-SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
}

# OpenSSL's names of all that may be asked for, by RFC name. OpenSSL calls those of TLS 1.3 what the RFC does.
SUITES: Final = {name: name for name in _TLS_1_3} | _AES_GCM | _CHACHA20 | _DHE_AES_GCM | _CBC | _RSA

_AUTHENTICATED: Final = (*_AES_GCM, *_CHACHA20, *_DHE_AES_GCM)
PROFILES: Final[dict[TlsProfile, tuple[str, ...]]] = {
    TlsProfile.BCP195_ND: _AUTHENTICATED,
    TlsProfile.BCP195: (*_AUTHENTICATED, *_CBC, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    TlsProfile.BCP195_EXTENDED: (*_AES_GCM, *_DHE_AES_GCM),
}


def cipher_string(profile: TlsProfile, further: Iterable[str]) -> str:
    """What OpenSSL is to be told for TLS 1.2. Keys must be worth 112 bits: RSA and DH of 2048, EC of 224 (level 2).

    Raises KeyError for a name that is not in ``SUITES``.
    """
    wanted = dict.fromkeys((*PROFILES[profile], *further))
    names = [SUITES[name] for name in wanted]
    return ":".join((*(name for name in names if name not in _TLS_1_3), "@SECLEVEL=2"))


def rfc_name(openssl_name: str) -> str:
    """The RFC's name of a suite that OpenSSL has chosen."""
    return next((name for name, theirs in SUITES.items() if theirs == openssl_name), openssl_name)
