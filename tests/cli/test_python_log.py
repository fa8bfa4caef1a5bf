"""``--log-config`` with a configuration of Python's logging, in its three formats, each in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from tests.support.scripted import ScriptedPeer, accept, release, store

Command = Callable[..., CompletedProcess[str]]

STREAM: Final = """
version = 1
[formatters.short]
format = "%(levelname)s %(name)s %(module)s %(message)s"
[handlers.out]
class = "logging.StreamHandler"
stream = "ext://sys.stdout"
formatter = "short"
[loggers."dcmsend.net"]
level = "INFO"
[root]
level = "WARNING"
handlers = ["out"]
"""

ROTATING: Final = {
    "version": 1,
    "formatters": {"long": {"format": "%(asctime)s %(levelno)d %(name)s %(filename)s %(funcName)s %(message)s"}},
    "handlers": {
        "file": {
            "class": "logging.handlers.RotatingFileHandler",
            "filename": "run.log",
            "maxBytes": 600,
            "backupCount": 2,
            "formatter": "long",
        }
    },
    "root": {"level": "DEBUG", "handlers": ["file"]},
}

INI: Final = """
; a comment
[loggers]
keys = root, app

[handlers]
keys = err

[formatters]
keys = form

[logger_root]
level = CRITICAL
handlers = err

[logger_app]
level = INFO
qualname = dcmsend.app
handlers =

[handler_err]
class = StreamHandler
args = (sys.stderr,)
formatter = form

[formatter_form]
format = %(levelname)s|%(name)s|%(message)s
"""


class Sender:
    """Sends one instance with a configuration."""

    def __init__(self, folder: Path, data: Path, command: Command, peers: Callable[..., ScriptedPeer]) -> None:
        self.folder = folder
        self._file = data / "samples" / "ct_explicit.dcm"
        self._command = command
        self._peers = peers

    def run(self, config: str, *words: str, reached: bool = True, further: str = "missing") -> CompletedProcess[str]:
        peer = self._peers(*([[accept(), store(), release()]] if reached else []))
        (self.folder / "log.conf").write_text(config, encoding="utf-8")
        arguments = ("-lc", "log.conf", "-nh", *words, "127.0.0.1", peer.port, self._file, further)
        return self._command(*arguments, cwd=self.folder)


@pytest.fixture
def sender(tmp_path: Path, data: Path, run_dcmsend: Command, scripted_peer: Callable[..., ScriptedPeer]) -> Sender:
    return Sender(tmp_path, data, run_dcmsend, scripted_peer)


def test_toml_with_a_stream(sender: Sender) -> None:
    run = sender.run(STREAM)
    assert (run.returncode, run.stderr) == (67, "")
    lines = run.stdout.splitlines()
    assert lines[:2] == [
        "ERROR dcmsend.net listener cannot add DICOM file to the transfer list: missing: No such file or directory",
        "WARNING dcmsend.app listener bad DICOM file: missing: No such file or directory, ignoring file",
    ]
    assert {line.rsplit(" ", 1)[0] for line in lines[2:3]} == {"INFO dcmsend.net listener Requesting"}
    assert not any(line.startswith("INFO dcmsend.app") for line in lines)
    assert lines[-4:-2] == [
        "INFO dcmsend.net listener Releasing Association",
        "ERROR dcmsend.app conclusion 1 input was left out",
    ]


def test_json_with_files_that_rotate(sender: Sender) -> None:
    run = sender.run(json.dumps(ROTATING))
    assert (run.returncode, run.stdout, run.stderr) == (67, "", "")
    files = sorted(path for path in sender.folder.iterdir() if path.name.startswith("run.log"))
    assert [path.name for path in files] == ["run.log", "run.log.1", "run.log.2"]
    assert all(0 < path.stat().st_size <= 600 for path in files)
    told = "".join(path.read_text() for path in reversed(files))
    assert "20 dcmsend.app conclusion.py conclude   * with status SUCCESS  : 1\n" in told
    assert "40 dcmsend.app conclusion.py _explain_all 1 input was left out\n" in told


def test_ini(sender: Sender) -> None:
    run = sender.run(INI)
    assert (run.returncode, run.stdout) == (67, "")
    lines = run.stderr.splitlines()
    assert (
        lines[:2]
        == [
            "WARNING|dcmsend.app|bad DICOM file: missing: No such file or directory, ignoring file",
            "INFO|dcmsend.app|starting association #1",
        ]
        or lines[0] == "INFO|dcmsend.app|checking input files ..."
    )
    assert {line.split("|")[1] for line in lines} == {"dcmsend.app"}
    assert "INFO|dcmsend.app|Status Summary" in lines


MISTAKES: Final = (
    ('{"version": 1,\n"root": }', "log.conf, line 2: no JSON: Expecting value"),
    ('{"version": 1, "root": {"handlers": ["x"]}}',
     "log.conf: Unable to configure root logger: Unable to add handler 'x'"),
    ('{"root": {}}', "log.conf: dictionary doesn't specify a version"),
    ('{"version": 1, "handlers": {"h": {"class": "no.such.Handler"}}}', "log.conf: Unable to configure handler 'h': "),
    ("version = 1\n[root]\nlevel = INFO\n", "log.conf, line 3: no TOML: Invalid value"),
    ("version = 1\n[root]\nlevel = 'LOUD'\n", "log.conf: Unable to configure root logger: Unknown level: 'LOUD'"),
    ("[loggers]\nkeys = root\n[handlers]\nkeys =\n[formatters]\nkeys =\n", "log.conf: there is no 'logger_root'"),
    ("[loggers]\nkeys = root\n[loggers]\n", "log.conf, line 3: no INI: "),
    ("[loggers]\nkeys = root\nwhat\n", "log.conf, line 3: no INI: not understood"),
    ("[loggers]\nkeys = root\n", "log.conf: "),
)  # fmt: skip


@pytest.mark.parametrize(("config", "what"), MISTAKES, ids=[what[10:50] for _, what in MISTAKES])
def test_mistake_is_one_line(config: str, what: str, sender: Sender) -> None:
    run = sender.run(config, reached=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"F: {what}")
    assert run.stderr.count("\n") == 1


def test_verbose_mode_is_that_of_the_program(sender: Sender) -> None:
    run = sender.run(STREAM, "+v", reached=False)
    assert run.returncode == 1
    assert "error: --verbose-pc only allowed with verbose mode" in run.stderr
    run = sender.run(STREAM.replace('"WARNING"', '"INFO"'), "+v")
    assert run.returncode == 67
    assert "INFO dcmsend.net listener Presentation Contexts:" in run.stdout


def test_a_handler_that_fails_is_told_once(sender: Sender) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    config = ROTATING | {"handlers": {"file": {"class": "logging.FileHandler", "filename": "/dev/full"}}}
    run = sender.run(json.dumps(config))
    assert (run.returncode, run.stdout) == (67, "")
    assert run.stderr == "W: a handler of the log loses lines: No space left on device\n"


def test_a_filter_that_fails_is_told_once(sender: Sender) -> None:
    (sender.folder / "own_filter.py").write_text("class Filter:\n    def filter(self, record):\n        1 / 0\n")
    config = ROTATING | {"filters": {"f": {"()": "own_filter.Filter"}}}
    config["root"] = {"level": "INFO", "handlers": ["file"], "filters": ["f"]}
    config["loggers"] = {"dcmsend.net": {"filters": ["f"]}}
    run = sender.run(json.dumps(config))
    assert run.returncode == 67
    assert run.stderr == "W: a handler of the log loses lines: division by zero\n"


def test_names_that_are_no_text(sender: Sender) -> None:
    run = sender.run(STREAM, further="not \udce9\n there")
    assert run.returncode == 67
    assert "transfer list: not \\xe9\\n there: " in run.stdout


def test_arguments_are_told_whatever_the_level(sender: Sender) -> None:
    run = sender.run(STREAM, "--arguments")
    assert run.stdout.startswith("INFO dcmsend.app main calling '")
