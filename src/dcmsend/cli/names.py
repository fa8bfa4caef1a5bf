"""What settings are called on the command line, by the keys that hints use. The library has its own names."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

OPTIONS: Final[dict[str, str]] = {
    "acse_timeout": "--acse-timeout",
    "aetitle": "--aetitle",
    "any_peer": "--journal-any-peer",
    "associations": "--associations",
    "bcp195": "--profile-bcp195",
    "call": "--call",
    "cipher": "--cipher",
    "connect_timeout": "--timeout",
    "decompress_lossy": "--decompress-lossy",
    "decompress_never": "--decompress-never",
    "der_keys": "--der-keys",
    "dimse_timeout": "--dimse-timeout",
    "external_references": "--allow-external-references",
    "ip_auto": "--ip-auto",
    "ipv4": "--ipv4",
    "ipv6": "--ipv6",
    "journal": "--journal",
    "list_ciphers": "--list-ciphers",
    "no_halt": "--no-halt",
    "no_illegal_proposal": "--no-illegal-proposal",
    "no_uid_checks": "--no-uid-checks",
    "null_separated": "--null",
    "pem_keys": "--pem-keys",
    "positive_response": "--pos-response",
    "read_dataset": "--read-file",
    "read_dicomdir": "--read-from-dicomdir",
    "recurse": "--recurse",
    "retries": "--retries",
    "scan_archives": "--scan-archives",
    "scan_directories": "--scan-directories",
    "single_association": "--single-association",
    "socket_timeout": "--socket-timeout",
    "tls": "--enable-tls or --anonymous-tls",
    "tls_ca": "--add-cert-file",
    "tls_certificate": "--enable-tls",
    "tls_crl": "--add-crl-file",
    "tls_password": "--use-passwd",
    "tls_server_name": "--tls-server-name",
}
