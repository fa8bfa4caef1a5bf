"""A key and a certificate that signs itself, for a server and a sender that trust nobody else. Made by ``openssl``."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

from measuring import Failed

_SUBJECT = ("-subj", "/CN=benchmark", "-addext", "subjectAltName=IP:127.0.0.1")


def available() -> bool:
    return shutil.which("openssl") is not None


def options(folder: Path) -> tuple[str, ...]:
    """What a server or a sender is to be called with: DCMTK's options are ours. The files are made at the first use."""
    key, certificate = _files(folder)
    return ("+tls", str(key), str(certificate), "+cf", str(certificate))


def context(folder: Path) -> ssl.SSLContext:
    """For the look whether such a server is there."""
    key, certificate = _files(folder)
    made = ssl.create_default_context(cafile=str(certificate))
    made.load_cert_chain(certificate, key)
    return made


def _files(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    if not certificate.exists():
        files = ("-keyout", str(key), "-out", str(certificate))
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", *_SUBJECT, *files]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"openssl made no certificate: {done.stderr.strip()[-200:]}")
    return key, certificate
