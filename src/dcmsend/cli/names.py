"""What settings are called on the command line, by the keys that hints use. The library has its own names."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

OPTIONS: Final[dict[str, str]] = {
    "aetitle": "--aetitle",
    "any_peer": "--journal-any-peer",
    "associations": "--associations",
    "call": "--call",
    "decompress_lossy": "--decompress-lossy",
    "decompress_never": "--decompress-never",
    "dimse_timeout": "--dimse-timeout",
    "external_references": "--allow-external-references",
    "journal": "--journal",
    "no_halt": "--no-halt",
    "no_illegal_proposal": "--no-illegal-proposal",
    "no_uid_checks": "--no-uid-checks",
    "null_separated": "--null",
    "read_dataset": "--read-file",
    "read_dicomdir": "--read-from-dicomdir",
    "recurse": "--recurse",
    "retries": "--retries",
    "scan_archives": "--scan-archives",
    "scan_directories": "--scan-directories",
    "single_association": "--single-association",
    "tls": "--enable-tls or --anonymous-tls",
    "tls_ca": "--add-cert-file",
    "tls_server_name": "--tls-server-name",
}
