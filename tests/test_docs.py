"""The pages for users say what the program does: options, exit codes, examples, links."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from dcmsend.cli.exit_codes import ExitCode
from dcmsend.cli.grammar import Arguments, parse
from dcmsend.cli.options import BY_NAME, OPTIONS, Argument, Option
from dcmsend.model import MAX_CONTEXTS
from dcmsend.net.negotiation import IMPLEMENTATION_VERSION
from dcmsend.net.suites import SUITES
from dcmsend.transfer.ledger_file import APPLICATION_ID, TABLES, VERSION
from dcmsend.uids import APPLICATION_CONTEXT, IMPLEMENTATION_CLASS_UID, is_storage_class
from dcmsend.version import __version__
from tests.support.servers import FolderServer

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
OUR_PAGES: Final = [page for page in PAGES if page.name != "benchmarks.md"]
REFERENCE: Final = ROOT / "docs" / "reference.md"
DIFFERENCES: Final = ROOT / "docs" / "differences.md"
RELIABILITY: Final = ROOT / "docs" / "reliability.md"
EXIT_CODES: Final = ROOT / "docs" / "exit-codes.md"
CONFORMANCE: Final = ROOT / "docs" / "conformance.md"
THREATS: Final = ROOT / "docs" / "threat-model.md"
README: Final = ROOT / "README.md"
TLS: Final = ROOT / "docs" / "tls.md"
LIBRARY: Final = ROOT / "docs" / "library.md"

CODE: Final = re.compile(r"`([^`]+)`")
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
OPTION: Final = re.compile(r"(?<!\S)(?:[-+][A-Za-z-][\w-]*|-0(?!\S))")
EXIT_ROW: Final = re.compile(r"^\| (\d+) \| `(\w+)` \| (\S.*?) \| (.*?) \|$", re.MULTILINE)
CONSTANT: Final = re.compile(r"`([a-z_.0-9]+\.[A-Z_]+)` \(([0-9,]+)\)")
PROOF: Final = re.compile(r"`((?:[a-z_]+/)?test_[a-z_0-9]+)\.(test_\w+)`")
# A path from the root of some machine; devices are everywhere.
ABSOLUTE: Final = re.compile(r"(?<![\w./~-])/(?!dev/)[A-Za-z][\w.-]*(?:/[\w.-]+)+")


def _ids(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def _prose(path: Path) -> str:
    """A page without its blocks of code."""
    return BLOCK.sub("", path.read_text(encoding="utf-8"))


def _blocks(path: Path, language: str) -> list[str]:
    return [body for name, body in BLOCK.findall(path.read_text(encoding="utf-8")) if name == language]


def _rows(path: Path) -> list[list[str]]:
    """The cells of all rows of all tables."""
    lines = _prose(path).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def _option_words(text: str) -> list[str]:
    """The words in code marks that look like options."""
    return [word for code in CODE.findall(text) for word in OPTION.findall(code)]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


# --- options


def _reference_rows() -> dict[str, list[str]]:
    """The row of each option in the reference, by its long name."""
    found: dict[str, list[str]] = {}
    for row in _rows(REFERENCE):
        names = _option_words(row[0])
        if names and row[0].startswith("`"):
            assert names[-1] not in found, "two rows for one option"
            found[names[-1]] = row
    return found


@pytest.mark.parametrize("option", OPTIONS, ids=[option.long for option in OPTIONS])
def test_reference_has_every_option(option: Option) -> None:
    row = _reference_rows()[option.long]
    assert _option_words(row[0]) == [name for name in (option.short, option.long) if name]


@pytest.mark.parametrize("option", OPTIONS, ids=[option.long for option in OPTIONS])
def test_reference_has_ranges_and_defaults(option: Option) -> None:
    _, value, meaning, default = _reference_rows()[option.long]
    argument = option.argument
    assert bool(value) == (argument is not None)
    assert (default == "this one") == option.default
    assert meaning.startswith("*one of:*") == bool(option.block)
    if argument is not None:
        _check_value(argument, value, default)


def _check_value(argument: Argument, value: str, default: str) -> None:
    assert set(argument.choices) == (set(value.split(", ")) if argument.choices else set())
    if argument.maximum is not None:
        assert value == f"{argument.minimum} to {argument.maximum}"
    elif argument.convert is not None and not argument.choices:
        assert value == f"seconds, {argument.minimum} or more"
    if argument.default:
        assert default == argument.default


@pytest.mark.parametrize("path", OUR_PAGES, ids=_ids(OUR_PAGES))
def test_options_in_tables_are_known(path: Path) -> None:
    """Of other programs' options the pages speak outside of tables; the benchmarks list whole commands of theirs."""
    words = {word for row in _rows(path) for cell in row for word in _option_words(cell)}
    if path in (REFERENCE, DIFFERENCES):
        assert words
    assert words <= set(BY_NAME)


def test_options_without_effect_are_told() -> None:
    rows = [row for row in _rows(DIFFERENCES) if len(row) == 2 and "no effect" in row[1]]
    without_effect = {option for option in OPTIONS if "no effect yet" in option.help}
    assert {BY_NAME[word] for row in rows for word in _option_words(row[0])} == without_effect


# --- exit codes


def test_exit_codes_are_those_of_the_program() -> None:
    rows = EXIT_ROW.findall(EXIT_CODES.read_text(encoding="utf-8"))
    assert [(int(code), name) for code, name, _, _ in rows] == [(code.value, code.name) for code in ExitCode]
    assert all(action for _, _, _, action in rows)


@pytest.mark.parametrize("path", PAGES, ids=_ids(PAGES))
def test_exit_codes_in_other_pages_exist(path: Path) -> None:
    told = re.findall(r"\bexits?(?: codes?)?(?: with)? (\d+)", _prose(path))
    assert {int(code) for code in told} <= set(ExitCode)


# --- TLS


def test_messages_of_tls_are_those_of_the_program() -> None:
    """Each message in the table of messages stands in the source, apart from what ``...`` stands for."""
    rows = (ROOT / "src" / "dcmsend" / "reasons").glob("rows_*.py")
    source = "".join(path.read_text(encoding="utf-8") for path in rows)
    table = TLS.read_text(encoding="utf-8").partition("## Messages")[2]
    cells = [line.strip("|").split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    messages = [code for cell in cells for code in CODE.findall(cell)]
    assert len(messages) > 20
    pieces = [piece.strip() for message in messages for piece in message.removeprefix("timeout: ").split("...")]
    assert [piece for piece in pieces if piece not in source] == []


@pytest.mark.parametrize("path", [TLS, DIFFERENCES, REFERENCE], ids=lambda path: path.name)
def test_cipher_suites_in_the_pages_are_known(path: Path) -> None:
    assert set(re.findall(r"TLS_\w+_WITH_\w+|TLS_(?:AES|CHACHA20)_\w+", path.read_text(encoding="utf-8"))) <= set(
        SUITES
    )


# --- conformance statement


@pytest.mark.parametrize(
    "fact",
    [
        APPLICATION_CONTEXT,
        IMPLEMENTATION_CLASS_UID,
        IMPLEMENTATION_VERSION,
        f"dcmsend {__version__}.",
        str(MAX_CONTEXTS),
    ],
)
def test_conformance_statement_has_the_facts(fact: str) -> None:
    assert fact in CONFORMANCE.read_text(encoding="utf-8")


def test_conformance_statement_names_storage_classes() -> None:
    named = list(_classes())
    assert len(named) > 10
    assert [uid for uid in named if not is_storage_class(uid)] == ["1.2.840.10008.1.1"]  # verification


def _classes() -> Iterator[str]:
    """The UIDs of the table of SOP classes; ``.29`` stands for the one before with another end."""
    table = CONFORMANCE.read_text(encoding="utf-8").partition("4.2.1.1 SOP classes")[2].partition("#####")[0]
    whole = ""
    for cell in re.findall(r"\| ([^|]*\d[^|]*) \| yes \| no \|", table):
        if not re.match(r"1\.", cell):
            continue  # a range in words
        for uid in cell.split(", "):
            short = uid.startswith(".")
            whole = ".".join([*whole.split(".")[: -uid.count(".")], uid[1:]]) if short else uid
            yield whole


# --- threat model


def _stated() -> list[tuple[str, str]]:
    """The constants of the page with their numbers."""
    return CONSTANT.findall(_prose(THREATS))


def _proofs() -> list[tuple[str, str]]:
    """The tests of the page: file and name."""
    return PROOF.findall(_prose(THREATS))


def test_threat_model_has_something_to_check() -> None:
    assert len(_stated()) > 35
    assert len(_proofs()) > 50
    rows = [row for row in _rows(THREATS) if len(row) == 3 and not row[0].startswith(("what ", "---"))]
    assert len(rows) > 35
    assert [row[0] for row in rows if not PROOF.search(row[2])] == []


@pytest.mark.parametrize(("name", "number"), _stated(), ids=[name for name, _ in _stated()])
def test_constants_of_the_threat_model_are_those_of_the_source(name: str, number: str) -> None:
    module, _, constant = name.rpartition(".")
    assert getattr(import_module(f"dcmsend.{module}"), constant) == int(number.replace(",", ""))


@pytest.mark.parametrize(("file", "name"), _proofs(), ids=[f"{file}.{name}" for file, name in _proofs()])
def test_proofs_of_the_threat_model_exist(file: str, name: str) -> None:
    source = (ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8")
    assert re.search(rf"^ *def {name}\(", source, re.MULTILINE)


# --- examples


def _commands() -> list[str]:
    blocks = [block for name in ("sh", "console") for path in PAGES for block in _blocks(path, name)]
    lines = (line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines())
    return [line for line in lines if line.startswith("dcmsend ")]


def test_there_are_commands_to_check() -> None:
    assert len(_commands()) > 3


@pytest.fixture
def sample_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The named peers of the reference are the user's."""
    (sample,) = _blocks(REFERENCE, "toml")
    for variable in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "dcmsend").mkdir()
    (tmp_path / "dcmsend" / "peers.toml").write_text(sample, encoding="utf-8")


@pytest.mark.usefixtures("sample_peers")
@pytest.mark.parametrize("command", [*_commands(), "dcmsend --peer cloud image1.dcm"])
def test_commands_are_understood(command: str) -> None:
    words = shlex.split(command, comments=True)[1:]
    assert isinstance(parse(words), Arguments) or words == ["--version"]


def test_library_example_runs(pynetdicom_scp: Callable[..., FolderServer], data: Path, tmp_path: Path) -> None:
    server = pynetdicom_scp()
    (example,) = _blocks(README, "python")
    assert example.count("11112") == 1
    assert example.count('"study"') == 1
    example = example.replace("11112", str(server.port)).replace('"study"', repr(str(data / "samples")))
    sent = list((data / "samples").iterdir())
    result = _python(example, tmp_path)
    assert (result.stdout, result.stderr) == (f"{len(sent)} of {len(sent)} stored\n", "")
    assert len(server.stored()) == len(sent)


def test_library_example_tells_what_failed(
    pynetdicom_scp: Callable[..., FolderServer], data: Path, tmp_path: Path
) -> None:
    server = pynetdicom_scp(statuses=[0xA700])
    (example,) = _blocks(README, "python")
    path = data / "samples" / "ct_explicit.dcm"
    result = _python(example.replace("11112", str(server.port)).replace('"study"', repr(str(path))), tmp_path)
    assert result.stdout.splitlines() == [f"{path} ANSWERED {0xA700} ", "0 of 1 stored"]


@pytest.mark.parametrize("number", range(len(_blocks(LIBRARY, "python"))))
def test_examples_of_the_library_page_run(
    number: int, pynetdicom_scp: Callable[..., FolderServer], data: Path, tmp_path: Path
) -> None:
    server = pynetdicom_scp()
    example = _blocks(LIBRARY, "python")[number]
    assert example.count("11112") == 1
    program = example.replace("11112", str(server.port)).replace('"study"', repr(str(data / "samples")))
    result = _python(program, tmp_path)
    assert result.stderr == ""
    assert server.stored() or "FailuresError" in example


def _python(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)


def test_sample_report_has_the_layout_of_a_real_one(
    pynetdicom_scp: Callable[..., FolderServer],
    run_dcmsend: Callable[..., subprocess.CompletedProcess[str]],
    data: Path,
    tmp_path: Path,
) -> None:
    """The sample was made with these two files; what differs from run to run is left out."""
    server = pynetdicom_scp()
    files = [data / "samples" / "ct_explicit.dcm", data / "odd" / "truncated_pixel_data.dcm"]
    report = tmp_path / "report.txt"
    run_dcmsend("-nh", "+crf", report, "127.0.0.1", server.port, *files)
    (sample,) = (block for block in _blocks(REFERENCE, "") if block.startswith("Detailed Report"))
    assert _steady(report.read_text()) == _steady(sample.rstrip("\n"))


def _steady(report: str) -> list[str]:
    varying = ("Communication Peer", "Current Date/Time", "Filename")
    return [line for line in report.split("\n") if not line.startswith(varying)]


# --- links and paths


@pytest.mark.parametrize("path", PAGES, ids=_ids(PAGES))
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(_prose(path)):
        if re.match(r"[a-z]+:", link):
            continue  # another site
        target, _, fragment = link.partition("#")
        aim = path.parent / target if target else path
        assert aim.exists(), link
        assert aim.resolve().is_relative_to(ROOT), link
        if fragment:
            assert fragment in {_anchor(heading) for heading in HEADING.findall(_prose(aim))}, link


@pytest.mark.parametrize("path", PAGES, ids=_ids(PAGES))
def test_no_page_names_a_path_of_one_machine(path: Path) -> None:
    assert not ABSOLUTE.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("run `/srv/dicom/in` now", ["/srv/dicom/in"]),
        ("(/opt/dicom)", ["/opt/dicom"]),
        ("see docs/design.md", []),
        ("./scripts/demo", []),
        ("~/study/one", []),
        ("/dev/stdout", []),
        ("https://example.org/a/b", []),
        ("and/or", []),
    ],
)
def test_absolute_paths_are_recognised(text: str, found: list[str]) -> None:
    assert ABSOLUTE.findall(text) == found


def test_readme_links_every_page() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in LINK.findall(_prose(README))}
    assert set(PAGES) - {README} <= linked


# --- the journal


def test_the_schema_of_the_journal_is_on_its_page() -> None:
    page = RELIABILITY.read_text()
    assert "\n\n".join(TABLES) in page
    assert f"version {VERSION} (`PRAGMA user_version`; `PRAGMA application_id` is 0x{APPLICATION_ID:08X})" in page
    columns = {word for table in TABLES for word in re.findall(r"^    (\w+) ", table, re.MULTILINE)}
    told = {word.rpartition(".")[2] for row in _rows(RELIABILITY) for cell in row for word in CODE.findall(cell)}
    plain = {"id", "host", "port", "called_ae", "calling_ae", "started"}  # as their names say
    assert columns - told == plain


def test_the_tests_of_reliability_exist() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", RELIABILITY.read_text()))
    assert named
    assert all((ROOT / path).is_file() for path in named)
