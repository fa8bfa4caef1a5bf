"""What settings are called by those who use the library. The command line has its own names for the same keys."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LIBRARY: Final[dict[str, str]] = {
    "acse_timeout": "Timeouts.acse",
    "aetitle": "Peer.calling_ae",
    "any_peer": "JournalFile.any_peer",
    "associations": "Limits.associations",
    "bcp195": "Tls(profile=TlsProfile.BCP195)",
    "call": "Peer.called_ae",
    "cipher": "Tls.ciphers",
    "connect_timeout": "Timeouts.connect",
    "decompress_lossy": "Conversion(decompression=Decompression.LOSSY)",
    "decompress_never": "Decompression.NEVER",
    "der_keys": "Tls(file_format=KeyFormat.DER)",
    "dimse_timeout": "Timeouts.dimse",
    "external_references": "ScanOptions(external_references=True)",
    "ip_auto": "Peer(family=AddressFamily.ANY)",
    "ipv4": "Peer(family=AddressFamily.IPV4)",
    "ipv6": "Peer(family=AddressFamily.IPV6)",
    "journal": "journal=JournalFile(...)",
    "list_ciphers": "the command, which has an option for that",
    "no_halt": "Policy(halt=False)",
    "no_illegal_proposal": "Policy.legal_proposals_only",
    "no_uid_checks": "ScanOptions(uid_checks=False)",
    "null_separated": "a list whose names are separated by NUL",
    "pem_keys": "Tls(file_format=KeyFormat.PEM)",
    "positive_response": "Identity.positive_response",
    "read_dataset": "ScanOptions(read_mode=ReadMode.FILE_OR_DATASET)",
    "read_dicomdir": "ScanOptions(dicomdir=True)",
    "recurse": "ScanOptions(recurse=True)",
    "retries": "Retries",
    "scan_archives": "ScanOptions(archives=True)",
    "scan_directories": "ScanOptions(directories=True)",
    "single_association": "Policy(multiple_associations=False)",
    "socket_timeout": "Timeouts.socket",
    "tls": "Peer.tls",
    "tls_ca": "Tls.ca_files",
    "tls_certificate": "Tls.certificate and Tls.key",
    "tls_crl": "Tls.crl_files",
    "tls_password": "Tls.password",
    "tls_server_name": "Tls.server_name",
}
