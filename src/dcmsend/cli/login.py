"""What the options of user identity negotiation say -> the identity that is told to the peer.

Owns the files that passwords, tickets and tokens are read from, and how much of them is read. What is in them is never
part of an error, only their names are. Loaded where one of the options is given.
"""

from __future__ import annotations

import sys

from dcmsend.errors import ConfigurationError
from dcmsend.light import Frozen
from dcmsend.printable import plain
from dcmsend.security import MAX_IDENTITY, Identity, IdentityKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Final

_STANDARD_INPUT: Final = "-"
_LONGEST_LINE: Final = MAX_IDENTITY + 8  # a byte order mark and a line end may come with it
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Login(Frozen, kw_only=True):
    """The options as they were given: one of ``user``, ``kerberos``, ``saml`` and ``jwt``, and what goes with it."""

    user: str | None = None
    password: str | None = None
    password_file: str | None = None
    kerberos: str | None = None
    saml: str | None = None
    jwt: str | None = None
    positive_response: bool = False

    def __repr__(self) -> str:
        return "<Login, not shown>"


def identity_of(login: Login) -> Identity:
    """The identity; reads the file that an option names. Raises ConfigurationError, which names option and file."""
    if login.user is not None:
        return _of_user(login, login.user)
    files = (
        (IdentityKind.KERBEROS, "--kerberos", login.kerberos),
        (IdentityKind.SAML, "--saml", login.saml),
        (IdentityKind.JWT, "--jwt", login.jwt),
    )
    kind, option, path = next(row for row in files if row[2] is not None)
    content = _read(option, path or "")
    return Identity(kind=kind, primary=content, positive_response=login.positive_response)


def _of_user(login: Login, user: str) -> Identity:
    password = login.password
    option = "--user" if password is None else "--user, --password"
    if login.password_file is not None:
        option = "--user, --password-file"
        password = _read_password(login.password_file)
    try:
        return Identity.of_user(user, password, positive_response=login.positive_response)
    except ConfigurationError as error:
        complaint = error.message
    raise ConfigurationError(f"{option}: {complaint}")


def _read_password(path: str) -> str:
    """The first line of the file, without its end."""
    option = "--password-file"
    try:
        if path == _STANDARD_INPUT:
            line = _first_line(sys.stdin.buffer) if sys.stdin is not None else b""
        else:
            with open(path, "rb") as stream:
                line = _first_line(stream)
    except (OSError, ValueError) as error:
        raise _unusable(option, path, _reason(error)) from None
    password = line.removesuffix(b"\n").removesuffix(b"\r").removeprefix(_BYTE_ORDER_MARK)
    if not password:
        raise _unusable(option, path, "its first line is empty", hint="an empty password is sent with --empty-password")
    if len(line) >= _LONGEST_LINE:
        raise _unusable(option, path, f"its first line has more than {MAX_IDENTITY} bytes")
    return password.decode("utf-8", "surrogateescape")  # what is no text is found where the identity is made


def _first_line(stream: BinaryIO) -> bytes:
    return stream.readline(_LONGEST_LINE)


def _read(option: str, path: str) -> bytes:
    """All of a file, byte by byte as it is there."""
    try:
        with open(path, "rb") as stream:
            content = stream.read(MAX_IDENTITY + 1)
    except (OSError, ValueError) as error:
        raise _unusable(option, path, _reason(error)) from None
    if not content:
        raise _unusable(option, path, "it is empty")
    if len(content) > MAX_IDENTITY:
        raise _unusable(option, path, f"it has more than {MAX_IDENTITY} bytes")
    return content


def _reason(error: OSError | ValueError) -> str:
    """The system's words; the other errors are those of a name that no file can have."""
    return (error.strerror if isinstance(error, OSError) else None) or "Invalid filename"


def _unusable(option: str, path: str, reason: str, *, hint: str = "") -> ConfigurationError:
    where = "standard input" if option == "--password-file" and path == _STANDARD_INPUT else f"file '{plain(path)}'"
    return ConfigurationError(f"cannot use the {where} of {option}: {reason}", hint=hint)
