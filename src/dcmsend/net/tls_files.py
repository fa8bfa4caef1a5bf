"""Keys, certificates and revocation lists: files -> an SSL context. Whatever is wrong with one is one clear sentence.

``ssl`` reads PEM from files and little else: what is in DER becomes PEM, in memory where the system has files there.
Passwords and keys are part of no error.
"""

from __future__ import annotations

import os
import re
import ssl
import stat
from binascii import b2a_base64
from contextlib import contextmanager

from dcmsend.errors import ConfigurationError
from dcmsend.security import KeyFormat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from dcmsend.security import Tls

_LARGEST: Final = 64 << 20  # bytes of one file: a revocation list may be long
_LONGEST_PASSWORD: Final = 1024  # bytes that OpenSSL takes
_MOST: Final = 10_000  # files in a folder of certificates
_LINE: Final = 64  # characters in PEM (RFC 7468 2)
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.r?\d+")  # names that `openssl rehash` gives
_CERTIFICATE: Final = b"CERTIFICATE-----"
_CRL: Final = b"X509 CRL-----"
_KEY: Final = b"PRIVATE KEY-----"
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04
# What follows the version number in a private key: PKCS#8, PKCS#1 (RFC 8017 A.1.2), RFC 5915.
_KEYS: Final = {_SEQUENCE: "PRIVATE KEY", _INTEGER: "RSA PRIVATE KEY", _OCTETS: "EC PRIVATE KEY"}
_OTHER: Final = {KeyFormat.PEM: "--der-keys for files in DER", KeyFormat.DER: "--pem-keys for files in PEM"}


def load(context: ssl.SSLContext, tls: Tls) -> None:
    """Put all that ``tls`` names into the context. Raises ``ConfigurationError``."""
    for path in tls.ca_files:
        _load_ca(context, path, tls.file_format)
    for path in tls.ca_directories:
        _load_ca_directory(context, path, tls.file_format)
    for path in tls.crl_files:
        _load_crl(context, path, tls.file_format)
    if tls.certificate:
        _load_identity(context, tls)


# --- what is trusted


def _load_ca(context: ssl.SSLContext, path: str, form: KeyFormat) -> None:
    what, empty = "CA certificate file", "there is no certificate in it"
    content = _read(path, what)
    if not content or (form is KeyFormat.PEM and _CERTIFICATE not in content):
        raise _unusable(what, path, empty, form)
    try:
        if form is KeyFormat.DER:
            context.load_verify_locations(cadata=content)
        else:
            with _file(content) as name:
                context.load_verify_locations(cafile=name)
    except ssl.SSLError as error:
        raise _unusable(what, path, empty, form) from error


def _load_ca_directory(context: ssl.SSLContext, path: str, form: KeyFormat) -> None:
    """Certificates under names that OpenSSL looks for; where there are no such names, those in all files."""
    what = "CA certificate folder"
    try:
        names = sorted(os.listdir(path))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read the {what} '{path}': {_reason(error)}") from error
    if form is KeyFormat.PEM and any(map(_HASHED.fullmatch, names)):
        context.load_verify_locations(capath=path)
        return
    if len(names) > _MOST:
        raise _unusable(what, path, f"there are more than {_MOST} files in it", form)
    if not sum(_loaded(context, os.path.join(path, name), form) for name in names):
        raise _unusable(what, path, "there is no certificate in it", form)


def _loaded(context: ssl.SSLContext, path: str, form: KeyFormat) -> bool:
    """Whether there were certificates in a file of a folder, in which there may be other things too."""
    if not os.path.isfile(path):
        return False
    try:
        _load_ca(context, path, form)
    except ConfigurationError:
        return False
    return True


def _load_crl(context: ssl.SSLContext, path: str, form: KeyFormat) -> None:
    what, empty = "revocation list", "there is no revocation list in it"
    content = _read(path, what)
    if form is KeyFormat.DER:
        content = _pem(content, "X509 CRL")
    elif _CRL not in content:
        raise _unusable(what, path, empty, form)
    if _CERTIFICATE in content:  # they would be trusted from then on
        raise _unusable(what, path, "there are certificates in it", form)
    try:
        with _file(content) as name:
            context.load_verify_locations(cafile=name)
    except ssl.SSLError as error:
        raise _unusable(what, path, empty, form) from error


# --- what is ours


def _load_identity(context: ssl.SSLContext, tls: Tls) -> None:
    certificate = _read(tls.certificate, "certificate file")
    key_path = tls.key or tls.certificate
    key = _read(key_path, "private key file")
    if tls.file_format is KeyFormat.DER:
        certificate, key = _pem(certificate, "CERTIFICATE"), _pem(key, _label(key, key_path))
    if _CERTIFICATE not in certificate:
        raise _unusable("certificate file", tls.certificate, "there is no certificate in it", tls.file_format)
    if _KEY not in key:
        raise _unusable("private key file", key_path, "there is no private key in it", tls.file_format)
    password = _Password(tls, key_path)
    try:
        with _file(certificate) as certificate_file, _file(key) as key_file:
            context.load_cert_chain(certificate_file, key_file, password)
    except ssl.SSLError as error:
        raise ConfigurationError(_why_not(error, password, tls.certificate, key_path)) from error


class _Password:
    """What OpenSSL calls when a key is encrypted."""

    def __init__(self, tls: Tls, path: str) -> None:
        self.used = False
        self._password = tls.password
        self._path = path

    def __call__(self) -> bytes:
        self.used = True
        if self._password is None:
            raise ConfigurationError(f"the private key in '{self._path}' needs a password, and none was given")
        password = os.fsencode(self._password if isinstance(self._password, str) else self._password())
        if len(password) > _LONGEST_PASSWORD:
            raise ConfigurationError(f"the password of the private key has more than {_LONGEST_PASSWORD} bytes")
        return password


def _why_not(error: ssl.SSLError, password: _Password, certificate: str, key: str) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the private key in '{key}' does not belong to the certificate in '{certificate}'"
    if error.reason in ("EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"):
        return f"the key or the signature of the certificate in '{certificate}' is too weak"
    if password.used:
        return f"wrong password for the private key in '{key}'"
    return f"cannot use the certificate in '{certificate}' with the private key in '{key}': one of them is broken"


# --- files


def _read(path: str, what: str) -> bytes:
    """All of a file. Raises ``ConfigurationError``."""
    content = None
    try:
        if stat.S_ISREG(os.stat(path).st_mode):  # to open another thing might take for ever
            with open(path, "rb") as stream:
                content = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read the {what} '{path}': {_reason(error)}") from error
    if content is None:
        raise ConfigurationError(f"cannot read the {what} '{path}': it is no file")
    if len(content) > _LARGEST:
        raise ConfigurationError(f"cannot use the {what} '{path}': it has more than {_LARGEST >> 20} MiB")
    return content


def _reason(error: OSError | ValueError) -> str:
    """The system's words; the other errors are those of a name that no file can have."""
    return (error.strerror if isinstance(error, OSError) else None) or "Invalid filename"


def _unusable(what: str, path: str, reason: str, form: KeyFormat) -> ConfigurationError:
    return ConfigurationError(
        f"cannot use the {what} '{path}': {reason}", hint=f"it was read as {form.value}; {_OTHER[form]}"
    )


def _pem(der: bytes, label: str) -> bytes:
    text = b2a_base64(der, newline=False)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return b"\n".join((f"-----BEGIN {label}-----".encode(), *lines, f"-----END {label}-----\n".encode()))


def _label(der: bytes, path: str) -> str:
    """Which of the forms of a private key this is: the structure says so, in its first few bytes (X.690 8)."""
    skip = 2 + (der[1] & 0x7F if len(der) > 1 and der[1] & 0x80 else 0)
    inner = der[skip : skip + 4]
    if der[:1] == bytes((_SEQUENCE,)) and len(inner) == 4:
        if inner[0] == _SEQUENCE:
            return "ENCRYPTED PRIVATE KEY"
        if inner[:2] == bytes((_INTEGER, 1)) and inner[3] in _KEYS:
            return _KEYS[inner[3]]
    raise _unusable("private key file", path, "there is no private key in it", KeyFormat.DER)


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A file of our own with this content: in memory where the system has that, else in a folder of our own."""
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        descriptor = os.memfd_create("dcmsend")
        with open(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            yield f"/proc/self/fd/{descriptor}"
    else:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as folder:
            path = os.path.join(folder, "pem")
            with open(path, "wb") as stream:
                stream.write(content)
            yield path
