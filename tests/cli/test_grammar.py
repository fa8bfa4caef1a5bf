"""The grammar of the command line: what is accepted, what is set, and the errors of DCMTK's dcmsend, word for word."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import pytest

from dcmsend.cli import grammar
from dcmsend.cli.grammar import Arguments, LogChoice, parse
from dcmsend.cli.log import Level
from dcmsend.cli.main import main
from dcmsend.cli.options import LONGEST_WAIT, OPTIONS, SECURED, Kind, Option
from dcmsend.cli.tls import ask
from dcmsend.cli.words import CommandLineError, Number, scan_number, split_words
from dcmsend.model import (
    AddressFamily,
    Conversion,
    Decompression,
    Limits,
    Peer,
    Policy,
    ReadMode,
    Retries,
    ScanOptions,
    Timeouts,
)
from dcmsend.security import CrlCheck, KeyFormat, PeerCheck, Tls, TlsProfile

Run = Callable[..., CompletedProcess[str]]

# Options -> what is wrong with them, empty for nothing. "peer 104 missing" stands at the end unless the row has it.
ERRORS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    # words
    (("--bogus",), "Unknown option --bogus"),
    (("--",), "Unknown option --"),
    (("-x.dcm",), "Unknown option -x.dcm"),
    (("+x.dcm",), "Unknown option +x.dcm"),
    (("-NH",), "Unknown option -NH"),
    (("+nh",), "Unknown option +nh"),
    (("-sd",), "Unknown option -sd"),
    (("-cl", "3"), "Unknown option -cl"),
    (("--aet", "A"), "Unknown option --aet"),
    (("--aetitle=A",), "Unknown option --aetitle=A"),
    (("--bogus", "--help"), "Unknown option --bogus"),
    (("--help", "--bogus"), "Unknown option --bogus"),
    (("--help", "--call"), "Missing value for option --call"),
    (("-aet",), "Missing value for option --aetitle"),
    (("-pdu",), "Missing value for option --max-pdu"),
    (("a", "104", "-aec"), "Missing value for option --call"),
    (("a", "104", "x", "-ll"), "Missing value for option --log-level"),
    (("--bogus", "@nowhere"), "Cannot open command file 'nowhere'"),
    (("-h", "@nowhere"), "Cannot open command file 'nowhere'"),
    # parameters
    (("-q",), "Missing parameter peer"),
    (("--no-halt",), "Missing parameter peer"),
    (("a",), "Missing parameter port"),
    (("-q", "a"), "Missing parameter port"),
    (("-ll", "bogus", "-q", "a"), "Missing parameter port"),
    (("", ""), "Missing parameter dcmfile-in"),
    (("a", "104"), "Missing parameter dcmfile-in"),
    # the port
    (("a", "0", "x"), "Invalid parameter value 0 (underflow)"),
    (("a", "-00", "x"), "Invalid parameter value -00 (underflow)"),
    (("a", "0x50", "x"), "Invalid parameter value 0x50 (underflow)"),
    (("a", "-1", "x"), "Invalid parameter value -1 (overflow)"),
    (("a", "65536", "x"), "Invalid parameter value 65536 (overflow)"),
    (("a", "4294967400", "x"), "Invalid parameter value 4294967400 (overflow)"),
    (("a", "99999999999999999999999", "x"), "Invalid parameter value 99999999999999999999999 (overflow)"),
    (("a", "abc", "x"), "Invalid parameter value abc"),
    (("a", "", "x"), "Invalid parameter value "),
    (("a", "+", "x"), "Invalid parameter value +"),
    # numbers
    (("-to", "0"), "Invalid value for option --timeout (underflow: 0)"),
    (("-to", "0x10"), "Invalid value for option --timeout (underflow: 0x10)"),
    (("-to", "-1"), "Invalid value for option --timeout (-1)"),
    (("-to", "-0"), "Invalid value for option --timeout (-0)"),
    (("-to", " -1"), "Invalid value for option --timeout ( -1)"),
    (("-to", "x"), "Invalid value for option --timeout (x)"),
    (("-to", "-"), "Invalid value for option --timeout (-)"),
    (("-to", ""), "Invalid value for option --timeout"),
    (("-to", "\u0663"), "Invalid value for option --timeout (\u0663)"),
    (("-ta", "0"), "Invalid value for option --acse-timeout (underflow: 0)"),
    (("-td", "0.9"), "Invalid value for option --dimse-timeout (underflow: 0.9)"),
    (("-pdu", "4095"), "Invalid value for option --max-pdu (underflow: 4095)"),
    (("-pdu", "131073"), "Invalid value for option --max-pdu (overflow: 131073)"),
    (("--max-send-pdu", "4095"), "Invalid value for option --max-send-pdu (underflow: 4095)"),
    (("--max-send-pdu", "131073"), "Invalid value for option --max-send-pdu (overflow: 131073)"),
    (("+cl", "10"), "Invalid value for option --compression-level (overflow: 10)"),
    (("+cl", "-1"), "Invalid value for option --compression-level (-1)"),
    # dependencies and conflicts
    (("+sp", "*.dcm"), "--scan-pattern only allowed with --scan-directories"),
    (("+r",), "--recurse only allowed with --scan-directories"),
    (("-r", "+r"), "--recurse only allowed with --scan-directories"),
    (("+v",), "--verbose-pc only allowed with verbose mode"),
    (("+v", "-ll", "warn"), "--verbose-pc only allowed with verbose mode"),
    (("-ll", "foo"), "Invalid log level for --log-level option"),
    (("-ll", ""), "Invalid log level for --log-level option"),
    (("-ll", " info"), "Invalid log level for --log-level option"),
    (("-ll", "error", "-ll", "bogus"), "Invalid log level for --log-level option"),
    (("-ll", "info", "-v"), "--log-level not allowed with --verbose, --debug or --quiet"),
    (("-q", "-ll", "bogus"), "--log-level not allowed with --verbose, --debug or --quiet"),
    (("-lc", "f", "-ll", "bogus"), "Invalid log level for --log-level option"),
    (("-lc", "f", "-ll", "info"), "--log-config not allowed with --log-level"),
    (("-lc", "f", "-d"), "--log-config not allowed with --verbose, --debug or --quiet"),
    # the order of the checks
    (("+r", "+v", "-to", "0", "a", "0", "x"), "--verbose-pc only allowed with verbose mode"),
    (("+r", "+sp", "x", "a", "0", "x"), "--scan-pattern only allowed with --scan-directories"),
    (("+cl", "11", "+r"), "--recurse only allowed with --scan-directories"),
    (("-to", "0", "+cl", "11"), "Invalid value for option --compression-level (overflow: 11)"),
    (("-pdu", "1", "-to", "0"), "Invalid value for option --timeout (underflow: 0)"),
    (("--max-send-pdu", "1", "-pdu", "1"), "Invalid value for option --max-pdu (underflow: 1)"),
    (("-pdu", "1", "a", "0", "x"), "Invalid value for option --max-pdu (underflow: 1)"),
    # accepted: only the file is missing
    ((), ""),
    (("-", "104x", "missing"), ""),
    (("-1", " 12", "missing"), ""),
    (("+5x", "+5", "missing"), ""),
    (("a", "3.7", "missing"), ""),
    (("a", "65535", "missing"), ""),
    (("a", "1e9", "missing"), ""),
    (("a", "104", "-5missing"), ""),
    (("a", "104", "missing", "@"), ""),
    (("a", "-nh", "104", "--verbose", "missing"), ""),
    (("-aet", "-v"), ""),
    (("-aet", ""), ""),
    (("-aec", "--help"), ""),
    (("-to", "99999999999999999999999"), ""),
    (("-to", "\v5"), ""),
    (("-ta", "+5"), ""),
    (("-td", " 5x"), ""),
    (("-pdu", "010000"), ""),
    (("-pdu", "4096.9"), ""),
    (("-pdu", "1", "-pdu", "131072"), ""),
    (("+cl", "0", "+cl", "9"), ""),
    (("-ll", "INFO", "+v"), ""),
    (("-q", "-v", "+v"), ""),
    (("+r", "-r"), ""),
    (("+sd", "+r", "-r", "+sp", ""), ""),
    (("-f", "+f", "+fo", "-dn", "+dly", "+dls", "-ma", "+ma", "-nip", "-nuc"), ""),
    (("+crf", ""), ""),
)


def _complete(words: tuple[str, ...], complaint: str) -> list[str]:
    """The row's words with the parameters, unless the row has its own."""
    if complaint.startswith("Missing") or {"a", "missing"} & set(words):
        return list(words)
    return [*words, "a", "104", "missing"]


@pytest.mark.parametrize(("words", "complaint"), ERRORS, ids=[" ".join(words) or "plain" for words, _ in ERRORS])
def test_error_text(words: tuple[str, ...], complaint: str) -> None:
    arguments = _complete(words, complaint)
    if complaint:
        with pytest.raises(CommandLineError) as caught:
            parse(arguments)
        assert caught.value.message == complaint
    else:
        assert isinstance(parse(arguments), Arguments)


@pytest.mark.dcmtk
@pytest.mark.parametrize(("words", "complaint"), ERRORS, ids=[" ".join(words) or "plain" for words, _ in ERRORS])
def test_error_text_is_that_of_dcmtk(
    words: tuple[str, ...], complaint: str, dcmsend_oracle: Run, tmp_path: Path
) -> None:
    answer = dcmsend_oracle(*_complete(words, complaint), cwd=tmp_path)
    complaints = [line.removeprefix("error: ") for line in answer.stderr.split("\n") if line.startswith("error: ")]
    assert complaints == ([complaint] if complaint else [])
    assert answer.returncode in ((1,) if complaint else (22, 23))


# --- TLS, whose options DCMTK's dcmsend has not, but its storescu

_NEEDS_TLS: Final = f"only allowed with {SECURED}"
TLS_ERRORS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("+tls",), "Missing value for option --enable-tls"),
    (("+tls", "key"), "Missing value for option --enable-tls"),
    (("+pw", "x"), "--use-passwd only allowed with --enable-tls"),
    (("+ps",), "--std-passwd only allowed with --enable-tls"),
    (("-pw",), "--null-passwd only allowed with --enable-tls"),
    (("+tla", "+pw", "x"), "--use-passwd only allowed with --enable-tls"),
    (("-pem",), f"--pem-keys {_NEEDS_TLS}"),
    (("-der",), f"--der-keys {_NEEDS_TLS}"),
    (("+cf", "x"), f"--add-cert-file {_NEEDS_TLS}"),
    (("-tls", "+cf", "x"), f"--add-cert-file {_NEEDS_TLS}"),
    (("+tla", "-tls", "+cf", "x"), f"--add-cert-file {_NEEDS_TLS}"),
    (("+cd", "x"), f"--add-cert-dir {_NEEDS_TLS}"),
    (("+crl", "x"), f"--add-crl-file {_NEEDS_TLS}"),
    (("+crv",), f"--enable-crl-vfy {_NEEDS_TLS}"),
    (("+cra",), f"--enable-crl-all {_NEEDS_TLS}"),
    (("+tla", "+cra", "+crv"), "--enable-crl-all not allowed with --enable-crl-vfy"),
    (("+py",), f"--profile-bcp195-nd {_NEEDS_TLS}"),
    (("+px",), f"--profile-bcp195 {_NEEDS_TLS}"),
    (("+pz",), f"--profile-bcp195-ex {_NEEDS_TLS}"),
    (("+pn",), f"--profile-null {_NEEDS_TLS}"),
    (("+cs", "X"), f"--cipher {_NEEDS_TLS}"),
    (("+tla", "+pz", "+cs", "X"), "--cipher not allowed with --profile-bcp195-ex"),
    (("-rc",), f"--require-peer-cert {_NEEDS_TLS}"),
    (("-ic",), f"--ignore-peer-cert {_NEEDS_TLS}"),
    # accepted: only the file is missing
    (("-tls",), ""),
    (("+tla",), ""),
    (("+tla", "-tls", "+tla", "-der", "-pem", "-rc", "-ic", "+cf", "f", "+cf", "g", "+cd", "c", "+crl", "d"), ""),
    (("+cf", "f", "+tls", "k", "c", "-pw", "+pw", "x", "+cra", "+px", "+cs", "X", "+cs", "Y"), ""),
    (("+tla", "+pz", "+py", "+cs", "TLS_RSA_WITH_AES_128_CBC_SHA"), ""),
)


@pytest.mark.parametrize(("words", "complaint"), TLS_ERRORS, ids=[" ".join(words) for words, _ in TLS_ERRORS])
def test_error_text_of_tls(words: tuple[str, ...], complaint: str) -> None:
    arguments = ["a", "104", "missing", *words]
    if complaint:
        with pytest.raises(CommandLineError) as caught:
            parse(arguments)
        assert caught.value.message == complaint
    else:
        assert isinstance(parse(arguments), Arguments)


@pytest.mark.parametrize(("words", "complaint"), TLS_ERRORS, ids=[" ".join(words) for words, _ in TLS_ERRORS])
def test_error_text_of_tls_is_that_of_storescu(
    words: tuple[str, ...], complaint: str, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    command = [dcmtk("storescu"), "a", "104", "missing", *words]
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    complaints = [line.removeprefix("error: ") for line in answer.stderr.split("\n") if line.startswith("error: ")]
    assert complaints == ([complaint] if complaint else [])


@pytest.mark.parametrize("option", ["+pa", "+pn"])
def test_retired_profiles_are_refused(option: str) -> None:
    with pytest.raises(CommandLineError, match=r"^--profile-\w+ is not supported: .*retired"):
        _parsed("+tla", option)
    assert _parsed("+tla", option, "+py").peer.tls == Tls()


@pytest.mark.parametrize("option", ["-vc", "--tls-server-name"])
def test_our_own_tls_options_need_tls_too(option: str) -> None:
    with pytest.raises(CommandLineError, match=f"^--[a-z-]+ {_NEEDS_TLS}$"):
        _parsed(*([option, "x"] if option.startswith("--") else [option]))


def test_password_is_shown_nowhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """In the line of arguments there is an asterisk in its place, and it counts as a word."""
    words = ["--arguments", "-d", "+tls", "key", "cert", "+pw", "hunter2", "a", "104", str(tmp_path / "missing")]
    assert main(words) == 1
    told = capsys.readouterr().err
    assert (
        " with 10 arguments: '--arguments' '--debug' '--enable-tls' 'key' 'cert' '--use-passwd' '*' 'a' '104' " in told
    )
    assert "cannot read the private key file" in told or "cannot read the certificate file" in told
    line = grammar.read(words)
    assert "hunter2" not in f"{told} {line!r} {grammar.arguments(line, Level.DEBUG)!r}"
    assert line.in_force()["passwd"][1] == ("hunter2",)


def test_password_in_a_word_that_is_no_option_is_not_shown() -> None:
    with pytest.raises(CommandLineError, match=r"^Unknown option --use-passwd=\*$"):
        _parsed("+tls", "key", "cert", "--use-passwd=hunter2")


# --- what is set


def _parsed(*words: str) -> Arguments:
    arguments = parse([*words, "peer", "104", "a", "b"])
    assert isinstance(arguments, Arguments)
    return arguments


def test_defaults() -> None:
    assert _parsed() == Arguments(
        peer=Peer(host="peer", port=104),
        files=("a", "b"),
        scan=ScanOptions(),
        policy=Policy(),
        conversion=Conversion(),
        timeouts=Timeouts(),
        limits=Limits(),
        retries=Retries(),
        journal=None,
        log=LogChoice(),
    )


SETTINGS: Final[tuple[tuple[str, str, object], ...]] = (
    ("-q", "log.level", Level.FATAL),
    ("-v", "log.level", Level.INFO),
    ("-d", "log.level", Level.DEBUG),
    ("-q -d -v", "log.level", Level.INFO),
    ("-ll Trace", "log.level", Level.TRACE),
    ("-ll fatal", "log.level", Level.FATAL),
    ("-lc log.cfg", "log.config", "log.cfg"),
    ("--log-format JSON", "log.format", "json"),
    ("-v +v", "verbose_contexts", True),
    ("+f", "scan.read_mode", ReadMode.FILE_OR_DATASET),
    ("+f +fo", "scan.read_mode", ReadMode.FILE_ONLY),
    ("+fo +f -f", "scan.read_mode", ReadMode.DATASET_ONLY),
    ("+rd", "scan.dicomdir", True),
    ("+sd", "scan.directories", True),
    ("+sd +sp *.dcm", "scan.pattern", "*.dcm"),
    ("+sd +sp -v", "scan.pattern", "-v"),
    ("+sd +r", "scan.recurse", True),
    ("+sd +r -r", "scan.recurse", False),
    ("--scan-archives", "scan.archives", True),
    ("--files-from a --files-from -", "files_from", ("a", "-")),
    ("--files-from - -0", "null_separated", True),
    ("--allow-external-references", "scan.external_references", True),
    ("--send-duplicates", "scan.send_duplicates", True),
    ("-nuc", "scan.uid_checks", False),
    ("-nh", "policy.halt", False),
    ("-nip", "policy.legal_proposals_only", True),
    ("-ma", "policy.multiple_associations", False),
    ("-ma +ma", "policy.multiple_associations", True),
    ("-dn", "conversion.decompression", Decompression.NEVER),
    ("-dn +dly", "conversion.decompression", Decompression.LOSSY),
    ("+dly +dls", "conversion.decompression", Decompression.LOSSLESS),
    ("+cl 0", "conversion.compression_level", 0),
    ("+cl 9.9", "conversion.compression_level", 9),
    ("-i6", "peer.family", AddressFamily.IPV6),
    ("-i6 -i0", "peer.family", AddressFamily.ANY),
    ("-i6 -i4", "peer.family", AddressFamily.IPV4),
    ("-aet ME -aet -d", "peer.calling_ae", "-d"),
    ("-aec THEM", "peer.called_ae", "THEM"),
    ("-to 5", "timeouts.connect", 5.0),
    ("-to 99999999999999999999999", "timeouts.connect", None),
    (f"-td {LONGEST_WAIT}", "timeouts.dimse", float(LONGEST_WAIT)),
    (f"-td {LONGEST_WAIT + 1}", "timeouts.dimse", None),
    ("-ta 7x", "timeouts.acse", 7.0),
    ("--socket-timeout 9", "timeouts.socket", 9.0),
    ("--socket-timeout 0", "timeouts.socket", None),
    ("-pdu 4097", "limits.max_receive_pdu", 4097),
    ("--max-send-pdu 131072", "limits.max_send_pdu", 131072),
    ("--async-window 16", "limits.async_window", 16),
    ("--associations 64", "limits.associations", 64),
    ("--retries 3", "retries.count", 3),
    ("--retries 3 --retry-delay 0", "retries.delay", 0),
    ("--journal kept", "journal.path", "kept"),
    ("--journal kept --journal-any-peer", "journal.any_peer", True),
    ("--journal kept --journal-give-up", "journal.give_up", True),
    ("--rate-limit 1000", "limits.rate", 1000),
    ("--rate-limit 64k", "limits.rate", 64_000),
    ("--rate-limit 2M", "limits.rate", 2_000_000),
    ("--rate-limit 1G", "limits.rate", 1_000_000_000),
    ("--scan-first", "policy.scan_first", True),
    ("--async-window 0", "limits.async_window", 0),
    ("-usr jo", "login.user", "jo"),
    ("-usr jo -pwd x", "login.password", "x"),
    ("-usr jo -epw", "login.password", ""),
    ("-usr jo --password-file -", "login.password_file", "-"),
    ("-kt f", "login.kerberos", "f"),
    ("--saml f", "login.saml", "f"),
    ("--jwt f", "login.jwt", "f"),
    ("--jwt f -rsp", "login.positive_response", True),
    ("+tls key cert", "peer.tls.key", "key"),
    ("+tls key cert", "peer.tls.certificate", "cert"),
    ("+tls a b -tls +tls -v +tls", "peer.tls.certificate", "+tls"),
    ("+tls key cert -tls", "peer.tls", None),
    ("-tls", "peer.tls", None),
    ("+tls key cert +tla", "peer.tls", Tls()),
    ("+tla", "peer.tls", Tls()),
    ("+tls key cert", "peer.tls.password", ask),
    ("+tls key cert -pw +ps", "peer.tls.password", ask),
    ("+tls key cert +pw secret", "peer.tls.password", "secret"),
    ("+tls key cert +pw secret -pw", "peer.tls.password", ""),
    ("+tla -der", "peer.tls.file_format", KeyFormat.DER),
    ("+tla -der -pem", "peer.tls.file_format", KeyFormat.PEM),
    ("+tla +cf a +cf b +cd c +cf a", "peer.tls.ca_files", ("a", "b", "a")),
    ("+tla +cd a +cf b +cd c", "peer.tls.ca_directories", ("a", "c")),
    ("+tla +crl a +crl b", "peer.tls.crl_files", ("a", "b")),
    ("+tla +crv", "peer.tls.crl_check", CrlCheck.LEAF),
    ("+tla +cra +cra", "peer.tls.crl_check", CrlCheck.CHAIN),
    ("+tla +py", "peer.tls.profile", TlsProfile.BCP195_ND),
    ("+tla +py +px", "peer.tls.profile", TlsProfile.BCP195),
    ("+tla +px +pz", "peer.tls.profile", TlsProfile.BCP195_EXTENDED),
    ("+tla +pz +py +cs A +cs B", "peer.tls.ciphers", ("A", "B")),
    ("+tla -rc", "peer.tls.peer_check", PeerCheck.REQUIRE),
    ("+tla -rc -vc", "peer.tls.peer_check", PeerCheck.VERIFY),
    ("+tla -vc -ic", "peer.tls.peer_check", PeerCheck.IGNORE),
    ("+tla --tls-server-name pacs", "peer.tls.server_name", "pacs"),
    ("+crf report.txt", "report_file", "report.txt"),
    ("--report-json r.json", "report_json", "r.json"),
    ("--report-csv r.csv", "report_csv", "r.csv"),
    ("--report-html r.html", "report_html", "r.html"),
    ("--dcmtk-exit-codes", "dcmtk_exit_codes", True),
    ("--dry-run", "dry_run", True),
    ("--echo", "echo", True),
    ("--probe", "probe", True),
    ("--progress", "progress", True),
    ("--progress --no-progress", "progress", False),
)


@pytest.mark.parametrize(("words", "field", "value"), SETTINGS, ids=[words for words, _, _ in SETTINGS])
def test_setting(words: str, field: str, value: object) -> None:
    found: Any = _parsed(*words.split())
    for name in field.split("."):
        found = getattr(found, name)
    assert found == value
    assert type(found) is type(value)


ELSEWHERE: Final = {"named.name", "named.file"}  # test_peers_file


def test_every_option_that_sets_something_is_in_the_table() -> None:
    set_here = {field for _, field, _ in SETTINGS}
    words = {word for option in OPTIONS if not option.refused for word in option.sets.split()} - ELSEWHERE
    fields = {word.removeprefix("run.").replace("identity.", "login.") for word in words}
    fields = {f"peer.{field}" if field.startswith("tls.") else field for field in fields}
    assert fields - {"peer.tls.enabled"} == set_here - {"peer.tls"}


def test_long_and_short_name_are_the_same_option() -> None:
    for option in OPTIONS:
        values = tuple("info" if argument.kind is Kind.CHOICE else "5000" for argument in option.arguments)
        lines = [grammar.read([name, *values]) for name in (option.short, option.long) if name]
        assert all(line.given == ((option, values),) for line in lines)


@pytest.mark.parametrize(
    ("words", "answered"),
    [
        ((), "--help"),
        (("-h",), "--help"),
        (("--version", "-h"), "--help"),
        (("--list-decoders", "--version"), "--version"),
        (("a", "0", "+r", "--list-decoders"), "--list-decoders"),
        (("-ll", "bogus", "--version"), "--version"),
        (("+cs", "X", "+cc"), "--list-ciphers"),
    ],
)
def test_request_is_answered_before_anything_is_checked(words: tuple[str, ...], answered: str) -> None:
    request = parse(words)
    assert isinstance(request, Option)
    assert request.long == answered


@pytest.mark.parametrize("words", [("-q", "+r"), ("-q", "-to", "x"), ("-ll", "fatal", "+v"), ("-v", "-q", "-pdu", "1")])
def test_quiet_hides_errors_that_are_found_after_the_log_was_set_up(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandLineError) as caught:
        _parsed(*words)
    assert caught.value.hidden


@pytest.mark.dcmtk
@pytest.mark.parametrize("words", ["-q +r a 1 x", "-q -to x a 1 x", "-ll fatal +v a 1 x", "-q a 0 x", "-q a", "-q -x"])
def test_quiet_hides_what_dcmtk_hides(
    words: str, dcmsend_oracle: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = dcmsend_oracle(*words.split(), cwd=tmp_path)
    assert main(words.split()) == theirs.returncode == 1
    ours = capsys.readouterr().err
    assert [line for line in ours.split("\n") if line.startswith("error")] == [
        line for line in theirs.stderr.split("\n") if line.startswith("error")
    ]


@pytest.mark.parametrize(("title", "cut"), [("A" * 16, None), ("A" * 17, "A" * 16)])
def test_long_title_is_accepted_with_a_remark(title: str, cut: str | None) -> None:
    arguments = _parsed("-aec", title)
    assert arguments.peer.called_ae == title
    remarks = list(grammar.remarks(arguments))
    assert remarks == (
        [] if cut is None else [f"AE title '{title}' is longer than 16 characters and is cut to '{cut}'"]
    )


# --- numbers and command files


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("104", Number(False, 104)),
        ("104x", Number(False, 104)),
        ("3.7", Number(False, 3)),
        ("0x1000", Number(False, 0)),
        (" \t\n\v\f\r7", Number(False, 7)),
        ("+7", Number(False, 7)),
        ("-7", Number(True, 7)),
        ("-0", Number(True, 0)),
        ("0" * 5000 + "12", Number(False, 12)),
        ("9" * 5000, Number(False, 10**18)),
        ("", None),
        ("+", None),
        ("- 7", None),
        ("x7", None),
        ("\u0663", None),
        ("\u00a07", None),
    ],
)
def test_number(text: str, number: Number | None) -> None:
    assert scan_number(text) == number


WORDS: Final[tuple[tuple[str, list[str]], ...]] = (
    ("", []),
    (" \t\r\n", []),
    ("a  b\tc\r\nd", ["a", "b", "c", "d"]),
    ("'x y' \"p q\"", ["x y", "p q"]),
    ('a"b c"d', ["ab c", "d"]),
    ("'it\"s' \"it's\"", ['it"s', "it's"]),
    ('e""f', ["e", "f"]),
    ('a "" b', ["a", "", "b"]),
    ('a "b c\nd', ["a", "b c\nd"]),
    ('a "', ["a"]),
    ("a\\ b \\n", ["a\\", "b", "\\n"]),
    ("# no comment", ["#", "no", "comment"]),
    ("@inner @", ["@inner", "@"]),
    ("\u00a0a\u2028b", ["\u00a0a\u2028b"]),
)


@pytest.mark.parametrize(("text", "words"), WORDS)
def test_words_of_a_command_file(text: str, words: list[str]) -> None:
    assert list(split_words(text)) == words


@pytest.mark.dcmtk
@pytest.mark.parametrize(("text", "words"), WORDS)
def test_words_of_a_command_file_are_those_of_dcmtk(
    text: str, words: list[str], dcmsend_oracle: Run, tmp_path: Path
) -> None:
    (tmp_path / "commands").write_text(text, "utf-8")
    answer = dcmsend_oracle("--arguments", "a", "104", "@commands", "missing", cwd=tmp_path)
    shown = "".join(f"'{word}' " for word in ("--arguments", "a", "104", *words, "missing") if word)
    told = answer.stderr.replace("\nI: ", "\n")  # every line of it has the prefix
    assert f" with {len(words) + 4} arguments: {shown}" in told


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_command_file_may_name_files_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "commands").write_bytes(b"peer 104 \xff.dcm")
    arguments = parse([f"@{tmp_path}/commands", "last"])
    assert isinstance(arguments, Arguments)
    assert arguments.files == (os.fsdecode(b"\xff.dcm"), "last")


def test_command_file_in_the_place_of_a_value(tmp_path: Path) -> None:
    (tmp_path / "title").write_text("'MY TITLE' -nh")
    arguments = _parsed("-aet", f"@{tmp_path}/title")
    assert arguments.peer.calling_ae == "MY TITLE"
    assert not arguments.policy.halt


@pytest.mark.parametrize("content", [None, b"a\0b"])
def test_command_file_that_cannot_be_used(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "commands"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(CommandLineError, match=r"[Cc]ommand file '.*commands'"):
        parse([f"@{path}"])


@pytest.mark.parametrize("size", [99, 100, 101, 1000])
def test_command_file_has_a_largest_size(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcmsend.cli.words.MAX_COMMAND_FILE", 100)
    path = tmp_path / "commands"
    path.write_bytes(b"peer 104 ".ljust(size, b"x"))
    if size > 100:
        with pytest.raises(CommandLineError, match="has more than 100 bytes"):
            parse([f"@{path}"])
    else:
        assert isinstance(parse([f"@{path}"]), Arguments)


@pytest.mark.parametrize(
    "words", ["-aet -v -nh a 104 x", "a -q 104 x --arguments", "-pdu 5000 a 104 x y -ll info", "-r -f +crf r a 104 x"]
)
@pytest.mark.dcmtk
def test_arguments_line_is_that_of_dcmtk(
    words: str, dcmsend_oracle: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["--arguments", *words.split()]
    theirs = dcmsend_oracle(*command, cwd=tmp_path).stderr
    main(command)
    ours = capsys.readouterr().err
    assert ours.split("\n")[0].partition(" with ")[2] == theirs.split("\n")[0].partition(" with ")[2] != ""
    assert ours.split("\n")[1] == theirs.split("\n")[1] == "I: "
