"""Certificate authorities and what they issue, made anew for each run of the tests: no private key is ever kept.

Keys are RSA of 2048 bits, because DCMTK's profiles of TLS 1.2 take no others.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

LONG_AGO: Final = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_NOW: Final = datetime.datetime.now(datetime.UTC)
_VALID: Final = (_NOW - datetime.timedelta(days=1), _NOW + datetime.timedelta(days=30))
PASSWORD: Final = "correct horse"


@dataclass(frozen=True)
class Identity:
    """A private key and its certificate, as files in PEM and DER; ``encrypted``: the key behind ``PASSWORD``."""

    certificate: Path
    key: Path
    encrypted: Path
    der_certificate: Path
    der_key: Path
    serial: int


@dataclass
class Authority:
    """A certificate authority whose files lie in ``folder``. With a ``parent`` it is an intermediate one."""

    folder: Path
    name: str
    parent: Authority | None = None
    certificate: Path = field(init=False)
    der: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._subject = _subject(self.name)
        signer = self.parent or self
        builder = _builder(self._subject, signer._subject, self._key.public_key(), _VALID)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(sign=True), critical=True)
        self._certificate = builder.sign(signer._key, hashes.SHA256())
        self.serial = self._certificate.serial_number
        self.certificate = _write(self.folder / "ca.pem", _pem(self._certificate))
        self.der = _write(self.folder / "ca.der", _der(self._certificate))

    def issue(
        self,
        name: str,
        *,
        hosts: Sequence[str] = ("localhost",),
        addresses: Sequence[str] = ("127.0.0.1", "::1"),
        expired: bool = False,
        future: bool = False,
        key: int = 0,
    ) -> Identity:
        """A certificate for these names; identities with the same number of a ``key`` share it."""
        private = _key(key)
        valid = _VALID
        if expired:
            valid = (LONG_AGO, LONG_AGO + datetime.timedelta(days=1))
        if future:
            valid = (_NOW + datetime.timedelta(days=10), _NOW + datetime.timedelta(days=20))
        builder = _builder(_subject(name), self._subject, private.public_key(), valid)
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        certificate = builder.sign(self._key, hashes.SHA256())
        chain = _pem(certificate) + (_pem(self._certificate) if self.parent else b"")
        at = self.folder / name
        at.mkdir()
        return Identity(
            certificate=_write(at / "certificate.pem", chain),
            key=_write(at / "key.pem", _private(private)),
            encrypted=_write(at / "encrypted.pem", _private(private, PASSWORD)),
            der_certificate=_write(at / "certificate.der", _der(certificate)),
            der_key=_write(at / "key.der", _private(private, form=serialization.Encoding.DER)),
            serial=certificate.serial_number,
        )

    def revocations(self, *revoked: int, name: str = "crl", stale: bool = False) -> Path:
        """A revocation list of these serial numbers in PEM, with the same in DER beside it; ``stale``: out of date."""
        begins = LONG_AGO if stale else _VALID[0]
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._subject)
        builder = builder.last_update(begins).next_update(begins + datetime.timedelta(days=20))
        for serial in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begins).build()
            builder = builder.add_revoked_certificate(entry)
        signed = builder.sign(self._key, hashes.SHA256())
        _write(self.folder / f"{name}.der", signed.public_bytes(serialization.Encoding.DER))
        return _write(self.folder / f"{name}.pem", signed.public_bytes(serialization.Encoding.PEM))


class Pki:
    """An authority with a server and a client, and what is not as it should be. ``other`` nobody trusts."""

    def __init__(self, folder: Path) -> None:
        self.ca = Authority(folder / "ca", "Test CA")
        self.other_ca = Authority(folder / "other", "Other CA")
        self.server = self.ca.issue("server")
        self.client = self.ca.issue("client", hosts=(), addresses=(), key=1)
        self.other = self.other_ca.issue("other")

    def context(self, identity: Identity | None = None, *, demand: bool = False) -> ssl.SSLContext:
        """That of a server, by default the good one; ``demand``: it wants a certificate of clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        identity = identity or self.server
        context.load_cert_chain(identity.certificate, identity.key)
        if demand:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca.certificate)
        return context

    def client_context(self) -> ssl.SSLContext:
        """That of a client which shows its certificate, checks nothing and takes every suite."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL")
        context.load_cert_chain(self.client.certificate, self.client.key)
        return context

    def words(self) -> list[str]:
        """Our options for mutual authentication."""
        return ["+tls", str(self.client.key), str(self.client.certificate), "+cf", str(self.ca.certificate)]


@cache
def _key(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPublicKey,
    valid: tuple[datetime.datetime, datetime.datetime],
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(valid[0]).not_valid_after(valid[1])


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _private(
    key: rsa.RSAPrivateKey, password: str = "", form: serialization.Encoding = serialization.Encoding.PEM
) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(form, serialization.PrivateFormat.PKCS8, encryption)


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
