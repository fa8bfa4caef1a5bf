"""Keys, certificates, revocation lists, names and cipher suites: what cannot be used is one clear sentence."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from dcmsend.errors import ConfigurationError
from dcmsend.net import suites, tls_files
from dcmsend.net.suites import PROFILES, SUITES, rfc_name
from dcmsend.net.tls import Security, supported_ciphers
from dcmsend.printable import printable
from dcmsend.security import CrlCheck, KeyFormat, PeerCheck, Tls, TlsProfile
from tests.support.certificates import PASSWORD, Pki


def security(**settings: Any) -> Security:
    return Security(Tls(**settings), "localhost")


def context(**settings: Any) -> ssl.SSLContext:
    return security(**settings)._context


def refusal(**settings: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        security(**settings)
    return caught.value.message


@pytest.fixture(params=[True, False], ids=["in memory", "in a folder"])
def places(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what is read is put for OpenSSL: as the system has it, and as on others."""
    if not request.param:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    elif not hasattr(os, "memfd_create"):
        pytest.skip("this system has no files in memory")


@pytest.mark.usefixtures("places")
class TestIdentity:
    def test_pem(self, pki: Pki) -> None:
        context(certificate=str(pki.client.certificate), key=str(pki.client.key))

    def test_der(self, pki: Pki) -> None:
        context(
            certificate=str(pki.client.der_certificate),
            key=str(pki.client.der_key),
            ca_files=(str(pki.ca.der),),
            file_format=KeyFormat.DER,
        )

    def test_both_in_one_file(self, pki: Pki, tmp_path: Path) -> None:
        path = tmp_path / "both.pem"
        path.write_bytes(pki.client.key.read_bytes() + pki.client.certificate.read_bytes())
        context(certificate=str(path))

    @pytest.mark.parametrize("ask", [False, True])
    def test_password(self, ask: bool, pki: Pki) -> None:
        password: str | Callable[[], str] = (lambda: PASSWORD) if ask else PASSWORD
        context(certificate=str(pki.client.certificate), key=str(pki.client.encrypted), password=password)

    def test_nobody_is_asked_for_what_is_not_needed(self, pki: Pki) -> None:
        context(certificate=str(pki.client.certificate), key=str(pki.client.key), password=lambda: pytest.fail("asked"))

    @pytest.mark.parametrize("password", ["wrong", "", "x" * 1024])
    def test_wrong_password(self, password: str, pki: Pki) -> None:
        words = refusal(certificate=str(pki.client.certificate), key=str(pki.client.encrypted), password=password)
        assert words == f"wrong password for the private key in '{pki.client.encrypted}'"

    def test_long_password(self, pki: Pki) -> None:
        words = refusal(certificate=str(pki.client.certificate), key=str(pki.client.encrypted), password="x" * 1025)
        assert words == "the password of the private key has more than 1024 bytes"

    def test_missing_password(self, pki: Pki) -> None:
        words = refusal(certificate=str(pki.client.certificate), key=str(pki.client.encrypted))
        assert words.endswith("needs a password, and none was given")

    def test_key_of_another(self, pki: Pki) -> None:
        words = refusal(certificate=str(pki.client.certificate), key=str(pki.server.key))
        assert words == (
            f"the private key in '{pki.server.key}' does not belong to the certificate in '{pki.client.certificate}'"
        )


def test_der_key_in_other_forms(openssl_command: str, pki: Pki, tmp_path: Path) -> None:
    """PKCS#1 and RFC 5915 beside PKCS#8; an encrypted PKCS#8."""
    for words, password in (
        (["rsa", "-traditional"], None),
        (["pkcs8", "-topk8", "-v2", "aes256", "-passout", f"pass:{PASSWORD}"], PASSWORD),
    ):
        key = tmp_path / "key.der"
        command = [openssl_command, *words, "-in", str(pki.client.key), "-outform", "DER", "-out", str(key)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        certificate = str(pki.client.der_certificate)
        context(certificate=certificate, key=str(key), password=password, file_format=KeyFormat.DER)


def test_der_key_on_a_curve(openssl_command: str, tmp_path: Path) -> None:
    pem, key, certificate = (tmp_path / name for name in ("key.pem", "key.der", "certificate.der"))
    for words in (
        ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(pem)],
        ["ec", "-in", str(pem), "-outform", "DER", "-out", str(key)],
        ["req", "-x509", "-key", str(pem), "-subj", "/CN=x", "-outform", "DER", "-out", str(certificate)],
    ):
        subprocess.run([openssl_command, *words], check=True, capture_output=True, timeout=60)
    context(certificate=str(certificate), key=str(key), file_format=KeyFormat.DER)


# --- files that cannot be used


WHAT: Final = {
    "certificate": "certificate file",
    "key": "private key file",
    "ca_files": "CA certificate file",
    "crl_files": "revocation list",
}


def with_path(name: str, path: Path, pki: Pki, **settings: Any) -> dict[str, Any]:
    """Settings in which one file is this one, and the others are right."""
    right: dict[str, Any] = {}
    if name in ("certificate", "key"):
        right = {"certificate": str(pki.client.certificate), "key": str(pki.client.key)}
    value = (str(path),) if name.endswith("files") else str(path)
    return right | {name: value} | settings


@pytest.mark.parametrize("name", list(WHAT))
@pytest.mark.parametrize(
    ("path", "reason"), [("missing", "No such file or directory"), (".", "it is no file"), ("a\0b", "Invalid filename")]
)
def test_file_that_cannot_be_read(name: str, path: str, reason: str, pki: Pki, tmp_path: Path) -> None:
    words = refusal(**with_path(name, Path(f"{tmp_path}/{path}"), pki))
    assert words == printable(f"cannot read the {WHAT[name]} '{Path(f'{tmp_path}/{path}')}': {reason}")


@pytest.mark.parametrize("name", list(WHAT))
@pytest.mark.parametrize("form", list(KeyFormat))
@pytest.mark.parametrize("content", [b"", b"\0\1garbage", b"0\x80", b"0\x83\x01\x00\x00\x02\x01\x01\x09"])
def test_file_with_something_else_in_it(name: str, form: KeyFormat, content: bytes, pki: Pki, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    settings = with_path(name, path, pki, file_format=form)
    if form is KeyFormat.DER:
        right = {"certificate": str(pki.client.der_certificate), "key": str(pki.client.der_key)}
        settings |= {key: value for key, value in right.items() if key in settings and key != name}
    words = refusal(**settings)
    assert words.startswith("cannot use the ")
    assert str(path) in words


@pytest.mark.parametrize(("name", "label"), [("certificate", "CERTIFICATE"), ("key", "PRIVATE KEY")])
def test_broken_pem(name: str, label: str, pki: Pki, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
    assert refusal(**with_path(name, path, pki)).endswith("one of them is broken")


def test_pem_that_is_read_as_der_and_the_reverse(pki: Pki) -> None:
    for path, form, hint in (
        (pki.ca.certificate, KeyFormat.DER, "It was read as DER; Tls(file_format=KeyFormat.PEM) for files in PEM."),
        (pki.ca.der, KeyFormat.PEM, "It was read as PEM; Tls(file_format=KeyFormat.DER) for files in DER."),
    ):
        with pytest.raises(ConfigurationError) as caught:
            security(ca_files=(str(path),), file_format=form)
        assert caught.value.hint == hint


def test_file_that_is_too_long(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_files, "_LARGEST", 1 << 20)
    path = tmp_path / "file"
    path.write_bytes(bytes((1 << 20) + 1))
    assert refusal(ca_files=(str(path),)).endswith("it has more than 1 MiB")


# --- what is trusted


def trusted(made: ssl.SSLContext) -> int:
    return made.cert_store_stats()["x509_ca"]


def test_files_add_up(pki: Pki) -> None:
    assert trusted(context(ca_files=(str(pki.ca.certificate), str(pki.other_ca.certificate)))) == 2


def test_system_is_trusted_where_nothing_is_named(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda _: loaded.append("system"))
    context(ca_files=(str(pki.ca.certificate),))
    context(ca_directories=(str(pki.ca.folder),))
    context(peer_check=PeerCheck.IGNORE)
    assert loaded == []
    context()
    assert loaded == ["system"]


def test_folder_with_certificates_under_any_names(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "one.pem").write_bytes(pki.ca.certificate.read_bytes())
    (tmp_path / "two.crt").write_bytes(pki.other_ca.certificate.read_bytes())
    (tmp_path / "README").write_text("nothing")
    (tmp_path / "folder").mkdir()
    assert trusted(context(ca_directories=(str(tmp_path),))) == 2


def test_folder_in_der(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "one.cer").write_bytes(pki.ca.der.read_bytes())
    assert trusted(context(ca_directories=(str(tmp_path),), file_format=KeyFormat.DER)) == 1


def test_folder_with_hashed_names_is_left_to_openssl(pki: Pki, tmp_path: Path) -> None:
    """What has no such name there has been taken out of use."""
    (tmp_path / "one.pem").write_bytes(pki.ca.certificate.read_bytes())
    (tmp_path / "0123abcd.0").write_bytes(pki.other_ca.certificate.read_bytes())
    assert trusted(context(ca_directories=(str(tmp_path),))) == 0


def test_folder_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(ca_directories=(str(tmp_path / "missing"),)).endswith("No such file or directory")
    assert refusal(ca_directories=("a\0b",)).endswith("Invalid filename")
    assert refusal(ca_directories=(str(tmp_path),)).endswith("there is no certificate in it")
    monkeypatch.setattr(tls_files, "_MOST", 1)
    (tmp_path / "one").write_bytes(b"")
    (tmp_path / "two").write_bytes(b"")
    assert refusal(ca_directories=(str(tmp_path),)).endswith("there are more than 1 files in it")


@pytest.mark.parametrize("form", list(KeyFormat))
def test_revocation_list(form: KeyFormat, pki: Pki) -> None:
    path = pki.ca.revocations(pki.server.serial, name="revoked")
    path = path.with_suffix(".der") if form is KeyFormat.DER else path
    made = context(crl_files=(str(path),), ca_files=(), file_format=form, peer_check=PeerCheck.REQUIRE)
    assert made.cert_store_stats()["crl"] == 1
    assert made.verify_flags & ssl.VERIFY_CRL_CHECK_CHAIN == ssl.VERIFY_CRL_CHECK_LEAF


@pytest.mark.parametrize(("check", "flag"), [(CrlCheck.LEAF, 4), (CrlCheck.CHAIN, 12), (CrlCheck.NONE, 0)])
def test_what_is_looked_up_in_revocation_lists(check: CrlCheck, flag: int) -> None:
    assert context(crl_check=check).verify_flags & 12 == flag


def test_revocation_list_with_certificates_is_refused(pki: Pki, tmp_path: Path) -> None:
    """OpenSSL would trust them."""
    path = tmp_path / "crl.pem"
    path.write_bytes(pki.ca.revocations().read_bytes() + pki.other_ca.certificate.read_bytes())
    assert refusal(crl_files=(str(path),)).endswith("there are certificates in it")


# --- versions, suites, checks


@pytest.mark.parametrize("profile", list(TlsProfile))
def test_profiles(profile: TlsProfile) -> None:
    """The suites of the profile and of TLS 1.3, no others; no version before 1.2, no short keys, no ragged end."""
    made = context(profile=profile)
    names = [rfc_name(entry["name"]) for entry in made.get_ciphers()]
    assert [name for name in names if "_WITH_" in name] == list(PROFILES[profile])
    assert {name for name in names if "_WITH_" not in name} == set(suites._TLS_1_3)
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    assert made.security_level == 2
    assert not made.options & getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    assert made.check_hostname
    assert made.verify_mode == ssl.CERT_REQUIRED


def test_suites_of_the_profiles_are_what_they_are_said_to_be() -> None:
    """RFC 9325: ephemeral keys, and in the strict profiles authenticated encryption; nothing is left in the clear."""
    for profile in (TlsProfile.BCP195_ND, TlsProfile.BCP195_EXTENDED):
        for name in PROFILES[profile]:
            assert name.startswith(("TLS_ECDHE_", "TLS_DHE_"))
            assert "_GCM_" in name or "_CHACHA20_POLY1305_" in name
    demanded = {
        "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    }  # PS3.15 B.9 to B.11
    assert all(demanded <= set(PROFILES[profile]) for profile in TlsProfile)
    assert not [name for name in SUITES if any(bad in name for bad in ("NULL", "anon", "EXPORT", "RC4", "3DES", "MD5"))]


def test_names_of_suites_are_those_of_the_rfcs(openssl_command: str) -> None:
    command = [openssl_command, "ciphers", "-stdname", "ALL:@SECLEVEL=0"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    names = dict(line.split()[0:3:2] for line in text.splitlines())
    assert {name: names.get(name) for name in SUITES} == SUITES
    assert supported_ciphers() == list(SUITES)


def test_further_suites_come_behind_those_of_the_profile() -> None:
    further = ("TLS_RSA_WITH_AES_256_CBC_SHA", "TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    names = [rfc_name(entry["name"]) for entry in context(ciphers=further).get_ciphers()]
    assert [name for name in names if "_WITH_" in name] == [*PROFILES[TlsProfile.BCP195_ND], further[0]]


@pytest.mark.parametrize("name", ["TLS_RSA_WITH_NULL_SHA", "ECDHE-RSA-AES128-GCM-SHA256", "", "ALL", "X:@SECLEVEL=0"])
def test_other_suites_are_refused(name: str) -> None:
    assert refusal(ciphers=(name,)) == f"cipher suite '{name}' is not known or not safe"


def test_nothing_is_checked_where_that_is_wanted(pki: Pki) -> None:
    made = context(peer_check=PeerCheck.IGNORE, crl_check=CrlCheck.CHAIN)
    assert (made.check_hostname, made.verify_mode) == (False, ssl.CERT_NONE)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("pacs.example.org", "pacs.example.org"),
        ("pacs.example.org.", "pacs.example.org"),
        ("PACS_1", "PACS_1"),
        ("b\u00fccher.example", "b\u00fccher.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_name_that_the_certificate_must_be_for(name: str, asked: str) -> None:
    assert Security(Tls(), name)._name == asked
    assert Security(Tls(server_name=name), "localhost")._name == asked


@pytest.mark.parametrize("name", [".", ".example.org", "a..b", "x" * 64, "a\0b", "a\nb", "\u00fc" * 70])
def test_name_that_is_none(name: str) -> None:
    assert refusal(server_name=name) == printable(f"'{name}' is no name that a certificate could be for")


# --- the value


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"key": "k"}, "a private key needs a certificate"),
        ({"password": "p"}, "a password needs a certificate and its private key"),
        ({"ca_files": "ca.pem"}, "ca_files must be a tuple"),
        ({"ciphers": ["X"]}, "ciphers must be a tuple"),
        ({"profile": TlsProfile.BCP195_EXTENDED, "ciphers": ("X",)}, "the extended profile takes no further"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{words}"):
        Tls(**settings)


def test_password_does_not_show() -> None:
    shown = repr(Tls(certificate="c", key="k", password="hunter2", ca_files=("ca.pem",)))
    assert "hunter2" not in shown
    assert "password='*'" in shown
    assert "ca_files=('ca.pem',)" in shown
    assert "password=None" in repr(Tls())
