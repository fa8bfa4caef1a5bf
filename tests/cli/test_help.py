"""``--help``, ``--version`` and ``--list-decoders``."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from dcmsend.cli.help import ANSWERS, ciphers, decoders, usage, version
from dcmsend.cli.options import OPTIONS
from dcmsend.version import __version__

OURS_ALONE = {
    "--ipv4", "--ipv6", "--ip-auto", "--allow-external-references", "--send-duplicates", "--socket-timeout",
    "--async-window", "--associations", "--rate-limit", "--scan-first",
    "--retries", "--retry-delay", "--journal", "--journal-any-peer", "--journal-give-up",
    "--dcmtk-exit-codes", "--user", "--password", "--empty-password", "--password-file", "--kerberos", "--saml",
    "--jwt", "--pos-response",
    "--log-format", "--scan-archives", "--files-from", "--null", "--dry-run", "--echo", "--probe", "--peer", "--peers",
    "--report-json", "--report-csv", "--report-html", "--progress", "--no-progress",
}  # fmt: skip
# Those of DCMTK's storescu are in a group of their own; these two of it are ours alone.
TLS_GROUP = "transport layer security (TLS) options"
TLS_OURS_ALONE = {"--verify-peer-cert", "--tls-server-name"}
TLS_THEIRS_ALONE = {"--seed", "--write-seed", "--write-seed-file"}

HEADINGS_OF_OURS = (
    "  IP protocol version:", "  trying again:", "  user identity negotiation:", "  before sending:", "  named peers:",
    "  further reports:", "  progress:",
)  # fmt: skip


def _names(text: str) -> list[tuple[str, str]]:
    """The short and long names that a help text shows, in order."""
    return re.findall(r"^ {2,10}(?:([+-]\w+) +)?(--[\w-]+)", text, re.MULTILINE)


def test_help_has_every_option_once_and_in_order() -> None:
    assert _names(usage()) == [(option.short, option.long) for option in OPTIONS]


def test_names_are_unique() -> None:
    names = [name for option in OPTIONS for name in (option.short, option.long) if name]
    assert len(names) == len(set(names))


def test_help_fits_a_terminal() -> None:
    assert [line for line in usage().split("\n") if len(line) > 80 or line != line.rstrip()] == []


def test_help_tells_defaults_ranges_and_dependencies() -> None:
    text = " ".join(usage().split())
    for words in (
        "(fatal, error, warn, info, debug, trace)",
        "[s]econds: integer (default: 30)",
        "[n]umber of bytes: integer (4096..131072)",
        "(default: 16384)",
        "(default: DCMSEND)",
        "DICOM files only (default)",
        "(only with --scan-directories)",
        "(only with verbose mode)",
        "[p]rivate key file, [c]ertificate file: string",
        "(only with --enable-tls)",
        "they are in DER (only with TLS)",
    ):
        assert words in text


@pytest.mark.parametrize("long", list(ANSWERS))
def test_heading(long: str) -> None:
    assert ANSWERS[long]().startswith(f"dcmsend {__version__}\n\ndcmsend: ")


def test_each_request_has_an_answer() -> None:
    assert list(ANSWERS) == ["--help", "--version", "--list-decoders", "--list-ciphers"]
    assert {option.long for option in OPTIONS if option.request} == set(ANSWERS)


def test_version_names_the_python() -> None:
    assert re.search(r"^Python version: 3\.\d+\.\d+$", version(), re.MULTILINE)


NATIVE = ["Little Endian Implicit", "Little Endian Explicit", "Big Endian Explicit"]
WITHOUT_LIBRARY = [
    "Deflated Explicit VR Little Endian",
    "Encapsulated Uncompressed Explicit VR Little Endian",
    "Deflated Image Frame Compression",
]
WITH_LIBRARY = [
    "JPEG Baseline",
    "JPEG Extended, Process 2+4",
    "JPEG Spectral Selection, Non-hierarchical, Process 6+8",
    "JPEG Full Progression, Non-hierarchical, Process 10+12",
    "JPEG Lossless, Non-hierarchical, Process 14",
    "JPEG Lossless, Non-hierarchical, 1st Order Prediction",
    "JPEG-LS Lossless",
    "JPEG-LS Lossy (Near-lossless)",
    "JPEG 2000 (Lossless only)",
    "JPEG 2000 (Lossless or Lossy)",
    "High-Throughput JPEG 2000 Image Compression (Lossless Only)",
    "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)",
    "High-Throughput JPEG 2000 Image Compression",
    "JPEG XL Lossless",
    "JPEG XL",
    "JPEG XL JPEG Recompression",
    "RLE Lossless",
]


def _groups(text: str) -> dict[str, list[str]]:
    """The lists of transfer syntaxes by their headings."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("Transfer syntaxes")]
    return {title: [line.removeprefix("- ") for line in lines] for title, *lines in blocks}


def test_decoders_are_listed_in_two_groups() -> None:
    (native, names), (decoded, others) = _groups(decoders()).items()
    assert (native, names) == ("Transfer syntaxes supported natively:", NATIVE)
    assert decoded == "Transfer syntaxes supported by decoders:"
    assert sorted(others) == sorted(WITHOUT_LIBRARY + WITH_LIBRARY)


@pytest.mark.parametrize("name", ["imagecodecs", "numpy"])
def test_decoders_that_are_not_installed_are_not_listed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    assert list(_groups(decoders()).values()) == [NATIVE, WITHOUT_LIBRARY]


@pytest.mark.parametrize("error", [ImportError, OSError])
def test_decoders_that_are_broken_are_not_listed(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imagecodecs.py").write_text(f"raise {error.__name__}('libsomething.so: cannot be opened')")
    monkeypatch.delitem(sys.modules, "imagecodecs", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert list(_groups(decoders()).values()) == [NATIVE, WITHOUT_LIBRARY]


@pytest.mark.dcmtk
def test_decoders_of_dcmtk_are_all_there_and_in_its_order(
    dcmsend_oracle: Callable[..., CompletedProcess[str]],
) -> None:
    theirs, ours = _groups(dcmsend_oracle("--list-decoders").stdout), _groups(decoders())
    assert list(ours) == list(theirs)
    for title, names in theirs.items():
        assert [name for name in ours[title] if name in names] == names


@pytest.mark.dcmtk
def test_help_is_laid_out_as_that_of_dcmtk(dcmsend_oracle: Callable[..., CompletedProcess[str]]) -> None:
    theirs, (ours, _) = dcmsend_oracle("--help").stdout, _without_tls(usage())
    assert [names for names in _names(ours) if names[1] not in OURS_ALONE] == _names(theirs)
    headings = re.compile(r"^(?:usage|parameters|\w+ options| {2}\w[\w ]*):.*$", re.MULTILINE)
    shown = [line for line in headings.findall(ours) if line not in HEADINGS_OF_OURS]
    assert shown == headings.findall(theirs)
    columns = {line.index("--") for line in theirs.split("\n") if re.match(r"^ {2,10}[+-]", line)}
    assert {line.index("--") for line in usage().split("\n") if re.match(r"^ {2,10}[+-]", line)} == columns == {10}


def _without_tls(text: str) -> tuple[str, str]:
    """A help text without the group of TLS, and that group."""
    before, heading, rest = text.partition(f"{TLS_GROUP}:\n")
    group = re.match(r"(?: .*\n)*", rest)
    assert heading
    assert group
    return before + rest[group.end() :], group.group()


def test_help_on_tls_is_laid_out_as_that_of_storescu(dcmtk: Callable[[str], str]) -> None:
    command = [dcmtk("storescu"), "--help"]
    text = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    ours, theirs = (_without_tls(each)[1] for each in (usage(), text.stdout))
    assert [names for names in _names(ours) if names[1] not in TLS_OURS_ALONE] == [
        names for names in _names(theirs) if names[1] not in TLS_THEIRS_ALONE
    ]
    headings = re.compile(r"^  (\w[\w ]+)[:(]", re.MULTILINE)
    assert [heading.strip() for heading in headings.findall(ours)] == [
        heading.strip() for heading in headings.findall(theirs) if heading != "pseudo random generator"
    ]


def test_ciphers_that_are_listed_are_known_to_dcmtk_or_new(dcmtk: Callable[[str], str]) -> None:
    """Names are those of the RFCs, as there; of TLS 1.3 it lists none."""
    command = [dcmtk("storescu"), "--list-ciphers"]
    text = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    theirs, ours = (set(re.findall(r"^  (TLS_\w+)$", each, re.MULTILINE)) for each in (text.stdout, ciphers()))
    new = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"}
    assert ours - theirs == new
    left_out = theirs - ours
    assert {name for name in left_out if not re.search("NULL|CAMELLIA|_DSS_", name)} == set()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", [("--help",), ("--dry-run", "127.0.0.1", "104", "samples/ct_explicit.dcm")])
def test_a_disk_that_is_full_is_told(words: tuple[str, ...], data: Path) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "dcmsend", *words]
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=data, timeout=60)
    assert (run.returncode, run.stderr.splitlines()) == (
        43,
        [
            "E: cannot write to standard output: No space left on device",
            "E: Look at where the output goes: is the disk full?",
        ],
    )
