"""What the project promises about itself: typed, quick to start, its commands there, its data described."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import dcmsend
from tests.support.scripted import ScriptedPeer, accept, release, store

ROOT: Final = Path(__file__).parents[1]
COMMANDS: Final = ("scripts/demo", "scripts/generate", "scripts/site", "scripts/test")
DATA_SIZE: Final = 10_000_000  # bytes

# Each costs more than sending a small file does, or has no place in a command line tool's start.
HEAVY: Final = (
    "argparse",
    "asyncio",
    "concurrent",
    "email",
    "html",
    "http",
    "importlib.metadata",
    "logging",
    "multiprocessing",
    "numpy",
    "pathlib",
    "pydicom",
    "pynetdicom",
    "rich",
    "ssl",
    "subprocess",
    "tempfile",
    "unittest",
    "urllib",
    "xml",
)
# Each takes a noticeable part of the time in which a small file is sent; some do under another name (``_socket``), and
# ``dcmsend.light`` stands in for others.
SLOW: Final = (
    "atexit",
    "collections",
    "contextlib",
    "copyreg",
    "dataclasses",
    "datetime",
    "encodings.idna",
    "enum",
    "functools",
    "inspect",
    "operator",
    "queue",
    "random",
    "re",
    "selectors",
    "signal",
    "socket",
    "sqlite3",
    "threading",
    "traceback",
    "types",
    "typing",
    "warnings",
    "weakref",
)
# What a plain run of the command has no use for until something is asked for or goes wrong.
SELDOM: Final = (
    "dcmsend.cli.before", "dcmsend.cli.conclusion", "dcmsend.cli.exit_codes", "dcmsend.cli.forecast_text",
    "dcmsend.cli.help", "dcmsend.cli.lists", "dcmsend.cli.logs", "dcmsend.cli.output", "dcmsend.cli.peers",
    "dcmsend.cli.progress", "dcmsend.cli.reports", "dcmsend.files.archives", "dcmsend.files.given",
    "dcmsend.files.parts", "dcmsend.forecast", "dcmsend.meter", "dcmsend.net.syslog", "dcmsend.progress",
    "dcmsend.rehearsal", "dcmsend.report", "dcmsend.running", "dcmsend.source", "dcmsend.storage_classes",
    "dcmsend.transfer.journal_file", "dcmsend.transfer.ledger_reader", "tomllib",
)  # fmt: skip
OPTIONS: Final = ("dcmsend.cli.options", "dcmsend.cli.settings")
IDENTITY: Final = ("dcmsend.cli.login", "dcmsend.net.identity", "dcmsend.wire.extensions")
ABSOLUTE: Final = re.compile(r"(?<![\w./~-])/(?:home|Users|root|work)/[\w.-]+")
TEXT: Final = (".py", ".toml", ".md", ".sh", ".cfg", ".yml", "")


def test_package_is_typed() -> None:
    assert (Path(dcmsend.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_command_can_be_run(command: str) -> None:
    assert os.access(ROOT / command, os.X_OK)
    assert (ROOT / command).read_text().startswith("#!/usr/bin/env bash\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_names_the_command(command: str) -> None:
    assert f"./{command}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("statement", "further"),
    [
        ("import dcmsend.cli.main", (*SLOW, *SELDOM, *OPTIONS, "dcmsend.api")),
        ("import dcmsend.cli.main, dcmsend.cli.listener, dcmsend.api", ("traceback", "dcmsend.cli.help")),
        ("import dcmsend", ("dataclasses", "dcmsend.model")),
    ],
    ids=["start", "transfer", "package"],
)
def test_nothing_heavy_is_imported(statement: str, further: tuple[str, ...]) -> None:
    """Compared with an interpreter that does nothing: what ``site`` brings along is not ours."""
    loaded = _modules(statement) - _modules("pass")
    assert "dcmsend" in loaded
    roots = (*HEAVY, *further)
    assert not {name for name in loaded if any(name == root or name.startswith(f"{root}.") for root in roots)}


# Sends what is named on its command line, and prints what has been imported by then. However slow the machine is, this
# is no long run, for which more is loaded.
SEND: Final = """
import sys
import dcmsend.cli.main
from dcmsend.cli.main import main
dcmsend.cli.main.LONG = 3600.0
code = main(sys.argv[1:])
if code:
    sys.exit(code)
"""
DATA: Final = ROOT / "tests" / "data" / "samples"
CONVERTERS: Final = (
    "dcmsend.payload.ambiguous",
    "dcmsend.payload.convert",
    "dcmsend.payload.decode",
    "dcmsend.payload.dictionary",
    "dcmsend.payload.recode",
    "imagecodecs",
    "zipfile",
)


@pytest.mark.parametrize("options", [(), ("-dn",), ("+dly", "-nip")], ids=["default", "never", "lossy"])
@pytest.mark.parametrize(
    "name", ["ct_explicit.dcm", "mr_implicit.dcm", "us_rle.dcm", "sc_jpeg_baseline.dcm", "ct_deflated.dcm"]
)
def test_nothing_heavy_is_imported_to_send_what_the_peer_takes(
    name: str, options: tuple[str, ...], scripted_peer: Callable[..., ScriptedPeer]
) -> None:
    """Neither decoders nor dictionary, no temporary files, no threads: most files are sent as they are."""
    peer = scripted_peer([accept(), store(), release()])
    loaded = _modules(SEND, *options, "127.0.0.1", str(peer.port), str(DATA / name)) - _modules("pass")
    assert "dcmsend.payload.opening" in loaded
    roots = (*HEAVY, *SLOW, *CONVERTERS, *SELDOM, *IDENTITY, *(() if options else OPTIONS))
    assert not {found for found in loaded if any(found == root or found.startswith(f"{root}.") for root in roots)}


def test_decoders_are_imported_only_for_what_they_decode(scripted_peer: Callable[..., ScriptedPeer]) -> None:
    """The guard above can see them; the dictionary is for data sets without VRs alone, and never all of pydicom."""
    explicit = "1.2.840.10008.1.2.1"
    tables = "dcmsend.payload.pydicom_tables"
    seen = {"imagecodecs", "concurrent.futures", "pydicom", tables, "dcmsend.payload.recode"}
    for name, only, wanted in (
        ("us_rle.dcm", explicit, {"imagecodecs", "concurrent.futures", "dcmsend.payload.recode"}),
        ("ct_explicit.dcm", "1.2.840.10008.1.2", {"dcmsend.payload.recode"}),
        ("mr_implicit.dcm", explicit, {tables, "dcmsend.payload.recode"}),
    ):
        peer = scripted_peer([accept(only=[only]), store(), release()])
        loaded = _modules(SEND, "127.0.0.1", str(peer.port), str(DATA / name))
        assert loaded & seen == wanted


def test_changelog_tells_of_this_version() -> None:
    from dcmsend.version import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_file_depends_on_a_folder_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in _text_files()
        for match in ABSOLUTE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_every_data_file_is_described() -> None:
    described = (ROOT / "tests" / "data" / "README.md").read_text()
    names = [path.name for folder in ("samples", "odd") for path in (ROOT / "tests" / "data" / folder).iterdir()]
    assert sorted(name for name in names if f"`{name}`" not in described) == []


def test_data_stays_small() -> None:
    sizes = [path.stat().st_size for path in (ROOT / "tests" / "data").rglob("*") if path.is_file()]
    assert sum(sizes) < DATA_SIZE


def test_supported_pythons_agree() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    assert project["project"]["requires-python"] == f">={project['tool']['mypy']['python_version']}"
    assert (
        project["tool"]["ruff"]["target-version"] == f"py{project['tool']['mypy']['python_version'].replace('.', '')}"
    )


def _modules(statement: str, *words: str) -> set[str]:
    """The modules that are loaded after a statement, in an interpreter of its own, without measuring coverage."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    result = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)", *words],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(result.stdout.split())


def _text_files() -> list[Path]:
    folders = ("src", "tests", "scripts", "benchmarks", "fuzz", "docs", ".ci")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    paths += [path for path in ROOT.iterdir() if path.suffix in (".md", ".toml")]
    data = ROOT / "tests" / "data"
    kept = (path for path in paths if path.suffix in TEXT and path.is_file() and "__pycache__" not in path.parts)
    return sorted(path for path in kept if data not in path.parents and path != Path(__file__))
