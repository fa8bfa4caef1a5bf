"""What settings are called by those who use the library. The command line has its own names for the same keys."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LIBRARY: Final[dict[str, str]] = {
    "aetitle": "Peer.calling_ae",
    "any_peer": "JournalFile.any_peer",
    "associations": "Limits.associations",
    "call": "Peer.called_ae",
    "decompress_lossy": "Conversion(decompression=Decompression.LOSSY)",
    "decompress_never": "Decompression.NEVER",
    "dimse_timeout": "Timeouts.dimse",
    "external_references": "ScanOptions(external_references=True)",
    "journal": "journal=JournalFile(...)",
    "no_halt": "Policy(halt=False)",
    "no_illegal_proposal": "Policy.legal_proposals_only",
    "no_uid_checks": "ScanOptions(uid_checks=False)",
    "null_separated": "a list whose names are separated by NUL",
    "read_dataset": "ScanOptions(read_mode=ReadMode.FILE_OR_DATASET)",
    "read_dicomdir": "ScanOptions(dicomdir=True)",
    "recurse": "ScanOptions(recurse=True)",
    "retries": "Retries",
    "scan_archives": "ScanOptions(archives=True)",
    "scan_directories": "ScanOptions(directories=True)",
    "single_association": "Policy(multiple_associations=False)",
    "tls": "Peer.tls",
    "tls_ca": "Tls.ca_files",
    "tls_server_name": "Tls.server_name",
}
