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
from dcmsend.reasons import because, of_system
from dcmsend.security import KeyFormat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from dcmsend.reasons import Reason
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
_UNUSABLE: Final = {KeyFormat.PEM: "unusable_as_pem", KeyFormat.DER: "unusable_as_der"}


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
    what, empty = "CA certificate file", because("no_certificate_in_it")
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
        raise _unreadable(what, path, _reason(error)) from error
    if form is KeyFormat.PEM and any(map(_HASHED.fullmatch, names)):
        context.load_verify_locations(capath=path)
        return
    if len(names) > _MOST:
        raise _unusable(what, path, because("many_files_in_it", most=_MOST), form)
    if not sum(_loaded(context, os.path.join(path, name), form) for name in names):
        raise _unusable(what, path, because("no_certificate_in_it"), form)


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
    what, empty = "revocation list", because("no_crl_in_it")
    content = _read(path, what)
    if form is KeyFormat.DER:
        content = _pem(content, "X509 CRL")
    elif _CRL not in content:
        raise _unusable(what, path, empty, form)
    if _CERTIFICATE in content:  # they would be trusted from then on
        raise _unusable(what, path, because("certificates_in_it"), form)
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
        raise _unusable("certificate file", tls.certificate, because("no_certificate_in_it"), tls.file_format)
    if _KEY not in key:
        raise _unusable("private key file", key_path, because("no_key_in_it"), tls.file_format)
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
            raise ConfigurationError(because("key_needs_password", path=self._path))
        password = os.fsencode(self._password if isinstance(self._password, str) else self._password())
        if len(password) > _LONGEST_PASSWORD:
            raise ConfigurationError(because("long_password", most=_LONGEST_PASSWORD))
        return password


def _why_not(error: ssl.SSLError, password: _Password, certificate: str, key: str) -> Reason:
    if error.reason == "KEY_VALUES_MISMATCH":
        return because("key_of_another_certificate", certificate=certificate, key=key)
    if error.reason in ("EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"):
        return because("our_certificate_weak", certificate=certificate)
    if password.used:
        return because("wrong_password", path=key)
    return because("our_certificate_broken", certificate=certificate, key=key)


# --- files


def _read(path: str, what: str) -> bytes:
    """All of a file. Raises ``ConfigurationError``."""
    content = None
    try:
        if stat.S_ISREG(os.stat(path).st_mode):  # to open another thing might take for ever
            with open(path, "rb") as stream:
                content = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(what, path, _reason(error)) from error
    if content is None:
        raise _unreadable(what, path, because("not_a_file"))
    if len(content) > _LARGEST:
        raise ConfigurationError(because("file_too_large", what=what, path=path, most=_LARGEST >> 20))
    return content


def _reason(error: OSError | ValueError) -> Reason:
    """The system's words; the other errors are those of a name that no file can have."""
    return of_system(error) if isinstance(error, OSError) else because("invalid_filename")


def _unreadable(what: str, path: str, reason: Reason) -> ConfigurationError:
    return ConfigurationError(because("file_unreadable", reason, what=what, path=path))


def _unusable(what: str, path: str, reason: Reason, form: KeyFormat) -> ConfigurationError:
    return ConfigurationError(because(_UNUSABLE[form], reason, what=what, path=path))


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
    raise _unusable("private key file", path, because("no_key_in_it"), KeyFormat.DER)


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
