"""How the connection to a peer is secured, and who the user is: frozen values, and what is not to be shown of them.

A part of ``model`` that most runs do without, and then do not load. Ground floor: imports nothing of ours but errors.
"""

from __future__ import annotations

from dcmsend.errors import require
from dcmsend.light import Enum, Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

MAX_IDENTITY: Final = 65400  # bytes of a user's identity: it shares an item of at most 65,535 with a few others


class IdentityKind(Enum):
    """What proves who the user is: User-Identity-Type of PS3.7 Table D.3-14."""

    USERNAME = 1
    USERNAME_AND_PASSCODE = 2
    KERBEROS = 3
    SAML = 4
    JWT = 5


class Identity(Frozen, kw_only=True):
    """Who the user is, for peers that want to know (PS3.7 D.3.3.7). What is in it is never shown.

    ``primary``: user name in UTF-8, Kerberos service ticket, SAML assertion or JSON web token. ``secondary``: passcode
    in UTF-8; it may be empty. Both together have at most ``MAX_IDENTITY`` bytes. ``positive_response``: the peer must
    confirm that it has looked at the identity, else nothing is sent.
    """

    kind: IdentityKind
    primary: bytes
    secondary: bytes = b""
    positive_response: bool = False

    def __post_init__(self) -> None:
        text = self.kind in (IdentityKind.USERNAME, IdentityKind.USERNAME_AND_PASSCODE)
        require(bool(self.primary), "a user identity must not be empty")
        require(
            not text or (_is_utf8(self.primary) and _is_utf8(self.secondary)), "a user identity that is not UTF-8 text"
        )
        require(
            not self.secondary or self.kind is IdentityKind.USERNAME_AND_PASSCODE,
            "a passcode goes with a user name, and with nothing else",
        )
        size = len(self.primary) + len(self.secondary)
        require(size <= MAX_IDENTITY, f"a user identity of {size} bytes, more than {MAX_IDENTITY}")

    @classmethod
    def of_user(cls, name: str, passcode: str | None = None, *, positive_response: bool = False) -> Identity:
        """A user's name, with a passcode (it may be empty) or without. Raises ConfigurationError."""
        kind = IdentityKind.USERNAME if passcode is None else IdentityKind.USERNAME_AND_PASSCODE
        fields = [text.encode("utf-8", "surrogatepass") for text in (name, passcode or "")]
        return cls(kind=kind, primary=fields[0], secondary=fields[1], positive_response=positive_response)

    def __repr__(self) -> str:
        return f"<Identity: {self.kind.name}, not shown>"


class PeerCheck(Enum):
    """What becomes of the certificate that the peer shows (``-rc``, ``-vc``, ``-ic``)."""

    REQUIRE = "checked, and there must be one"
    VERIFY = "checked"  # the same: no cipher suite is proposed with which there would be none
    IGNORE = "not looked at"  # encrypted, but nobody knows for whom


class CrlCheck(Enum):
    """Which certificates are looked up in revocation lists."""

    NONE = "none"
    LEAF = "the peer's own"
    CHAIN = "all up to the root"


class TlsProfile(Enum):
    """Secure transport connection profiles (PS3.15 B.9 to B.11), under the rules of BCP 195 as it is now.

    Each has TLS 1.2 and 1.3 (RFC 8996 forbids what was before) and, for TLS 1.2, its own cipher suites.
    """

    BCP195_ND = "non-downgrading BCP 195"
    BCP195 = "BCP 195"  # older suites too
    BCP195_EXTENDED = "extended BCP 195"  # AES-GCM alone


class KeyFormat(Enum):
    """How keys, certificates and revocation lists are written in their files."""

    PEM = "PEM"
    DER = "DER"


class Tls(Frozen, kw_only=True):
    """How the connection to the peer is secured (PS3.15 Annex B). All files are named by their paths.

    ``certificate`` is shown to peers that ask for one, with its chain behind it; ``key`` is its private key, by default
    in the same file. ``password`` opens the key, or is called to ask for it if it is needed; ``None``: there is none.

    The peer's certificate must lead to one of ``ca_files`` or of the files in ``ca_directories``; without any, to one
    that the system trusts. ``crl_files``: revocation lists, for ``crl_check``, which is at least ``LEAF`` then.
    ``server_name`` is what the certificate must be for and what is asked for (SNI), by default the peer's host.
    ``ciphers``: suites by their RFC names, proposed behind those of the profile.
    """

    certificate: str = ""
    key: str = ""
    password: str | Callable[[], str] | None = None
    ca_files: tuple[str, ...] = ()
    ca_directories: tuple[str, ...] = ()
    crl_files: tuple[str, ...] = ()
    crl_check: CrlCheck = CrlCheck.NONE
    peer_check: PeerCheck = PeerCheck.REQUIRE
    profile: TlsProfile = TlsProfile.BCP195_ND
    ciphers: tuple[str, ...] = ()
    server_name: str = ""
    file_format: KeyFormat = KeyFormat.PEM

    def __post_init__(self) -> None:
        for name in ("ca_files", "ca_directories", "crl_files", "ciphers"):
            require(isinstance(getattr(self, name), tuple), f"{name} must be a tuple")
        require(bool(self.certificate) or not self.key, "a private key needs a certificate")
        require(bool(self.certificate) or self.password is None, "a password needs a certificate and its private key")
        extended = self.profile is TlsProfile.BCP195_EXTENDED
        require(not (extended and self.ciphers), "the extended profile takes no further cipher suites")

    def __repr__(self) -> str:
        """All but the password."""
        names: tuple[str, ...] = self.__match_args__
        hidden = {"password": None if self.password is None else "*"}
        return f"Tls({', '.join(f'{name}={hidden.get(name, getattr(self, name))!r}' for name in names)})"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
