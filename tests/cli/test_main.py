"""The command as a whole, with a run that is made up: log, report, exit code, interrupts, defects."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Self

import pytest

from dcmsend import errors
from dcmsend.cli.help import version
from dcmsend.cli.log import Log
from dcmsend.cli.main import main
from dcmsend.events import ScanStarted
from dcmsend.model import (
    Conflict,
    Conversion,
    Decompression,
    Instance,
    Outcome,
    Peer,
    Refusal,
    State,
    StatusClass,
    Totals,
)
from dcmsend.reasons import because
from dcmsend.stop import Stop
from dcmsend.version import __version__

ROW = (
    Instance("ct.dcm", "1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1"),
    Outcome(number=1, state=State.PENDING),
)
WORDS = ("peer", "104", "ct.dcm")
SUMMARY = "I: \nI: Status Summary\nI: --------------\n"


class FakeReport:
    """The shape of ``api.Report``."""

    conflicts: tuple[Conflict, ...] = ()

    def __init__(
        self, peer: Peer, error: errors.DcmsendError | None, stored: int, refused: tuple[Refusal, ...]
    ) -> None:
        self.peer = peer
        self.error = error
        self.refused = refused
        self.closed = False
        self.totals = Totals(
            associations=1, contexts=1, instances=1, by_class={StatusClass.SUCCESS: stored}, no_context=0,
            left_out=len(refused),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def rows(self) -> Iterator[tuple[Instance, Outcome]]:
        return iter([ROW])

    @property
    def complete(self) -> bool:
        return self.error is None and self.totals.complete

    def refusals(self) -> Iterator[Refusal]:
        return iter(self.refused)

    def stored_bytes(self) -> int:
        return 2_000_000


class Api:
    """What takes the place of ``dcmsend.api``: it keeps what it was called with, and answers as it is told."""

    def __init__(self) -> None:
        self.error: errors.DcmsendError | None = None
        self.stored = 1
        self.refused: tuple[Refusal, ...] = ()
        self.during: Callable[[Stop], object] = lambda stop: None
        self.calls: list[dict[str, Any]] = []
        self.reports: list[FakeReport] = []

    def send(self, peer: Peer, paths: Iterable[str], *, stop: Stop, **settings: Any) -> FakeReport:
        self.calls.append({"peer": peer, "paths": tuple(paths)} | settings)
        settings["listener"](ScanStarted(directories=False))
        self.during(stop)
        self.reports.append(FakeReport(peer, self.error, self.stored, self.refused))
        return self.reports[-1]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    fake = Api()
    module = types.ModuleType("dcmsend.api")
    module.send = fake.send  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dcmsend.api", module)
    return fake


def test_all_stored(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-aec", "STORE", "-nh", *WORDS]) == 0
    assert capsys.readouterr() == ("", "")
    assert api.calls[0]["peer"] == Peer(host="peer", port=104, called_ae="STORE")
    assert api.calls[0]["paths"] == ("ct.dcm",)
    assert not api.calls[0]["policy"].halt
    assert api.reports[0].closed


@pytest.mark.parametrize(("option", "code"), [("-nh", 66), ("--dcmtk-exit-codes", 0)])
def test_not_all_stored(api: Api, option: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    api.stored = 0
    assert main([option, *WORDS]) == code
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["E: 1 of 1 SOP instances were not stored", "E:   1 x never tried: ct.dcm"]
    assert told[2].startswith("E:       Their turn never came. ")
    assert len(told) == 3


@pytest.mark.parametrize(("option", "code"), [("-nh", 67), ("--dcmtk-exit-codes", 0)])
def test_something_left_out(api: Api, option: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    api.refused = (Refusal("gone.dcm", because("not_found", words="No such file or directory")),)
    assert main([option, *WORDS]) == code
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["E: 1 input was left out", "E:   1 x No such file or directory: gone.dcm"]
    assert told[2].startswith("E:       Nothing of this name is there, ")
    assert len(told) == 3


def test_what_is_not_stored_goes_before_what_was_left_out(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.stored = 0
    api.refused = (Refusal("gone.dcm", because("not_found", words="No such file or directory")),) * 2
    assert main(["-nh", *WORDS]) == 66
    told = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("E:  ")]
    assert told == ["E: 1 of 1 SOP instances were not stored", "E: 2 inputs were left out"]


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (errors.NoInputError("no input files to be processed"), 21, "F: no input files to be processed\n"),
        (errors.InvalidInputError("f", because("said", words="why")), 22, "F: bad DICOM file: f: why\n"),
        (errors.ConnectError("nobody there", hint="is it on?"), 61, "F: nobody there\nF: is it on?\n"),
        (errors.RunStopped("a\nF: b"), 62, "F: a\\nF: b\n"),
        (errors.NoProposal("nothing to propose"), 65, "E: nothing to propose\n"),
        (errors.Interrupted("stopped by the user"), 130, "F: stopped by the user\n"),
    ],
)
def test_broken_run(
    api: Api, error: errors.DcmsendError, code: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.error, api.stored = error, 0
    report = tmp_path / "report.txt"
    assert main(["-v", "+crf", str(report), *WORDS]) == code
    err = capsys.readouterr().err
    assert told in err
    input_was_read = code != 21
    assert report.exists() == input_was_read
    assert (SUMMARY in err) == input_was_read


def test_quiet_tells_what_is_fatal_and_no_more(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.stored = 0
    assert main(["-q", *WORDS]) == 66
    assert capsys.readouterr().err == "F: 1 of 1 SOP instances were not stored\n"
    api.error = errors.RunStopped("over")
    assert main(["-q", *WORDS]) == 62
    assert capsys.readouterr().err == "F: over\n"


def test_report_and_summary(api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.txt"
    report.write_text("old")
    assert main(["-v", "+crf", str(report), *WORDS]) == 0
    err, _, last = capsys.readouterr().err.rstrip("\n").rpartition("\n")
    assert re.fullmatch(r"I: 1 instance with 2000000 bytes stored in \d+\.\d\d s(: .* MB/s, .* instances/s)?", last)
    assert err + "\n" == (
        "I: checking input files ...\n"
        "I: creating detailed report on the transfer ...\n"
        f"W: file '{report}' already exists, overwriting\n"
        f"{SUMMARY}"
        "I: Number of associations   : 1\n"
        "I: Number of pres. contexts : 1\n"
        "I: Number of SOP instances  : 1\n"
        "I: - sent to the peer       : 1\n"
        "I:   * with status SUCCESS  : 1\n"
    )
    assert "\nCommunication Peer : peer:104\n" in report.read_text()


@pytest.mark.parametrize(("stored", "code"), [(1, 43), (0, 66)])
def test_report_that_cannot_be_written(
    api: Api, stored: int, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.stored = stored
    path = tmp_path / "folder" / "report.txt"
    path.parent.mkdir()
    api.during = lambda stop: path.parent.rmdir()
    assert main(["+crf", str(path), *WORDS]) == code
    assert f"E: cannot write report file '{path}': No such file or directory\n" in capsys.readouterr().err


FURTHER: Final = ("json", "csv", "html")


def _all_reports(folder: Path) -> list[str]:
    """The words that ask for all four."""
    further = [word for kind in FURTHER for word in (f"--report-{kind}", str(folder / f"report.{kind}"))]
    return ["+crf", str(folder / "report.txt"), *further]


@pytest.mark.parametrize(
    ("error", "stored", "code"),
    [
        (None, 1, 0),
        (None, 0, 66),
        (errors.ConnectError("nobody there"), 0, 61),
        (errors.RunStopped("over"), 0, 62),
        (errors.NoProposal("nothing to propose"), 0, 65),
        (errors.NoValidInputError("no valid input files to be processed"), 0, 23),
        (errors.JournalError("no room"), 0, 44),
        (errors.Interrupted("stopped by the user"), 0, 130),
    ],
)
def test_all_reports_are_written_on_every_way_out(
    api: Api, error: errors.DcmsendError | None, stored: int, code: int, tmp_path: Path
) -> None:
    api.error, api.stored = error, stored
    assert main([*_all_reports(tmp_path), *WORDS]) == code
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"report.{kind}" for kind in ("csv", "html", "json", "txt")
    ]
    found = json.loads((tmp_path / "report.json").read_text())
    assert (found["exit_code"], found["complete"]) == (code, code == 0)
    assert (found["error"] and found["error"]["message"]) == (error and error.message)


def test_no_report_without_input(api: Api, tmp_path: Path) -> None:
    api.error, api.stored = errors.NoInputError("no input files to be processed"), 0
    assert main([*_all_reports(tmp_path), *WORDS]) == 21
    assert list(tmp_path.iterdir()) == []


def test_the_log_tells_of_each_report(api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report.csv").write_text("old")
    assert main(["-v", *_all_reports(tmp_path), *WORDS]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[1:6] == [
        "I: creating detailed report on the transfer ...",
        "I: creating JSON report ...",
        "I: creating CSV report ...",
        f"W: file '{tmp_path}/report.csv' already exists, overwriting",
        "I: creating HTML report ...",
    ]


@pytest.mark.parametrize(("stored", "code"), [(1, 43), (0, 66)])
@pytest.mark.parametrize("kind", FURTHER)
def test_a_report_that_fails_keeps_none_from_the_others(
    api: Api, kind: str, stored: int, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.stored = stored
    folder = tmp_path / "folder"
    folder.mkdir()
    api.during = lambda stop: folder.rmdir()
    words = [word.replace(f"report.{kind}", f"folder/report.{kind}") for word in _all_reports(tmp_path)]
    assert main([*words, *WORDS]) == code
    told = [line for line in capsys.readouterr().err.splitlines() if "cannot write" in line]
    assert told == [f"E: cannot write report file '{tmp_path}/folder/report.{kind}': No such file or directory"]
    assert {path.suffix[1:] for path in tmp_path.iterdir()} == {"txt", *FURTHER} - {kind}


def test_reports_say_what_the_exit_code_would_be(api: Api, tmp_path: Path) -> None:
    """It is 43 in the end, but nobody can know that while one is being written."""
    folder = tmp_path / "folder"
    folder.mkdir()
    api.during = lambda stop: folder.rmdir()
    words = ["--report-json", str(tmp_path / "report.json"), "--report-html", str(folder / "page.html")]
    assert main([*words, *WORDS]) == 43
    assert json.loads((tmp_path / "report.json").read_text())["exit_code"] == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_reports_tell_the_signals_apart(number: int, code: int, api: Api, tmp_path: Path) -> None:
    def during(stop: Stop) -> None:
        stop.busy.add(stop)
        signal.raise_signal(number)

    api.during = during
    api.error, api.stored = errors.Interrupted("stopped by the user"), 0
    assert main([*_all_reports(tmp_path), *WORDS]) == code
    assert json.loads((tmp_path / "report.json").read_text())["exit_code"] == code


@pytest.mark.parametrize("option", ["+crf", "--report-json", "--report-csv", "--report-html"])
def test_only_those_who_need_it_listen(option: str, api: Api, tmp_path: Path) -> None:
    assert main([option, str(tmp_path / "report"), *WORDS]) == 0
    listens = type(api.calls[0]["listener"]).__name__
    assert listens == ("Listener" if option == "+crf" else "Recorder")


def test_long_title_is_warned_of(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    main(["-aet", "A" * 20, *WORDS])
    assert capsys.readouterr().err.startswith(f"W: AE title '{'A' * 20}' is longer than 16 characters")


def test_syntax_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--bo\ngus"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"dcmsend {__version__}\n\ndcmsend: ")
    assert err.endswith("\nerror: Unknown option --bo\\ngus\n")


def test_arguments_are_told_even_in_quiet_mode(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--arguments", "-q", "-aec", "", *WORDS]) == 0
    assert capsys.readouterr().err == (
        "I: calling 'dcmsend' with 7 arguments: '--arguments' '--quiet' '--call' 'peer' '104' 'ct.dcm' \nI: \n"
    )


@pytest.mark.parametrize(
    ("words", "path", "conversion"),
    [
        ([], None, Conversion()),
        (["+dly", "+cl", "9"], "", Conversion(decompression=Decompression.LOSSY, compression_level=9)),
        (["-dn"], "one.dic", Conversion(decompression=Decompression.NEVER, dictionaries=("one.dic",))),
        ([], os.pathsep.join(("", "one.dic", "", "two.dic", "")), Conversion(dictionaries=("one.dic", "two.dic"))),
        ([], os.pathsep * 3, Conversion()),
    ],
)
def test_conversion_is_as_options_and_environment_say(
    words: list[str], path: str | None, conversion: Conversion, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path is None:
        monkeypatch.delenv("DCMDICTPATH", raising=False)
    else:
        monkeypatch.setenv("DCMDICTPATH", path)
    assert main([*words, *WORDS]) == 0
    assert api.calls[0]["conversion"] == conversion


def test_dictionary_that_is_not_there_ends_the_run_before_it_begins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DCMDICTPATH", str(tmp_path / "missing.dic"))
    report = tmp_path / "report.txt"
    assert main(["-v", "+crf", str(report), *WORDS]) == 1
    assert not report.exists()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"F: cannot read the data dictionary {tmp_path}/missing.dic: No such file or directory",
        "F: Correct DCMDICTPATH, or unset it: the dictionary built in stays in use.",
    ]


@pytest.mark.parametrize("words", [[], ["-h"], ["--version"], ["--list-decoders"]])
def test_requests_go_to_standard_output(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"dcmsend {__version__}\n")
    assert err == ""


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_reader_that_goes_away_early() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "dcmsend", "-h"], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


# --- the process

ANSWERED: Final = "from dcmsend.cli.program import program\nsys.argv[1:] = ['--version']\n"


def _end(script: str) -> tuple[int, str, str]:
    """How a script ends that runs the command as a process: exit code, standard output and standard error.

    Coverage is not measured there: that is something to be done in the end.
    """
    command = [sys.executable, "-c", f"import sys\n{script}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_all_output_is_written_before_the_process_ends() -> None:
    assert _end(f"{ANSWERED}print('before')\nprogram()\nprint('behind')") == (0, f"before\n{version()}", "")


def test_the_process_ends_with_the_exit_code() -> None:
    code, out, err = _end("from dcmsend.cli.program import program\nsys.argv[1:] = ['--nonsense']\nprogram()")
    assert (code, out) == (1, "")
    assert err.endswith("error: Unknown option --nonsense\n")


AT_EXIT: Final = f"{ANSWERED}import atexit\natexit.register(print, 'in the end')\nprogram()"
IN_A_THREAD: Final = f"""{ANSWERED}
import threading
threading.Thread(target=lambda: (threading.main_thread().join(), print('in the end'))).start()
program()
"""
BY_THE_CALLER: Final = f"""{ANSWERED}
def call():
    program()
try:
    call()
finally:
    print('in the end')
"""


@pytest.mark.parametrize("script", [AT_EXIT, IN_A_THREAD, BY_THE_CALLER], ids=["atexit", "thread", "caller"])
def test_what_others_do_in_the_end_is_done(script: str) -> None:
    assert _end(script) == (0, f"{version()}in the end\n", "")


def test_the_interpreter_is_not_taken_apart_for_nothing() -> None:
    """What an object does when it goes away shows whether the interpreter was taken apart."""
    leaves = "class Leaves:\n def __del__(self): print('gone', flush=True)\nleaves = Leaves()\n"
    assert _end(f"{ANSWERED}{leaves}program()") == (0, version(), "")
    assert _end(f"{ANSWERED}{leaves}import atexit\nprogram()") == (0, f"{version()}gone\n", "")


# --- interrupts and defects


def _raise_interrupts(count: int) -> Callable[[Stop], object]:
    def during(stop: Stop) -> None:
        stop.busy.add(stop)
        for _ in range(count):
            signal.raise_signal(signal.SIGINT)

    return during


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, ["W: interrupted, finishing the instance under way; once more to abort"]),
        (2, ["W: interrupted, finishing the instance under way; once more to abort", "W: interrupted, ending the run"]),
    ],
)
def test_interrupt_asks_the_run_to_stop(
    api: Api, count: int, told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    stops: list[Stop] = []

    def during(stop: Stop) -> None:
        stops.append(stop)
        _raise_interrupts(count)(stop)

    api.during = during
    api.error = errors.Interrupted("stopped by the user")
    before = signal.getsignal(signal.SIGINT)
    assert main(WORDS) == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert stops[0].requested
    assert stops[0].aborted == (count == 2)
    assert capsys.readouterr().err.split("\n") == [*told, "F: stopped by the user", ""]


def test_interrupt_in_the_middle_of_a_line_is_told_at_the_end(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python does not let a handler write into the stream that it has interrupted."""
    warn = Log.warn
    refused: list[str] = []

    def warns(log: Log, *lines: str) -> None:
        if not refused:
            refused.extend(lines)
            raise RuntimeError("reentrant call")
        warn(log, *lines)

    monkeypatch.setattr(Log, "warn", warns)
    api.during = _raise_interrupts(1)
    api.error = errors.Interrupted("stopped by the user")
    assert main(WORDS) == 130
    assert capsys.readouterr().err.split("\n") == ["F: stopped by the user", f"W: {refused[0]}", ""]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_exit_code_tells_the_signals_apart(number: int, code: int, api: Api) -> None:
    def during(stop: Stop) -> None:
        stop.busy.add(stop)
        signal.raise_signal(number)

    api.during = during
    api.error = errors.Interrupted("stopped by the user")
    assert main(WORDS) == code


def test_third_interrupt_takes_the_program_down(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.during = _raise_interrupts(3)
    assert main(WORDS) == 130
    assert capsys.readouterr().err.endswith("F: interrupted\n")


def test_ignored_interrupt_stays_ignored(api: Api) -> None:
    handlers: list[object] = []
    api.during = lambda stop: handlers.append(signal.getsignal(signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert main(WORDS) == 0
        assert handlers == [signal.SIG_IGN]
    finally:
        signal.signal(signal.SIGINT, before)


def test_command_in_another_thread(api: Api) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(WORDS)))
    thread.start()
    thread.join()
    assert codes == [0]


@pytest.mark.parametrize(("option", "traceback"), [("-nh", False), ("-d", True)])
def test_defect(api: Api, option: str, traceback: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def during(stop: Stop) -> None:
        raise ValueError("two\nlines")

    api.during = during
    assert main([option, *WORDS]) == 70
    err = capsys.readouterr().err
    assert "F: internal error: ValueError: two\\nlines\n" in err
    assert ("D: Traceback (most recent call last):\n" in err) == traceback
    assert all(line[:3] in ("F: ", "I: ", "D: ", "") for line in err.split("\n"))


def test_what_to_do_with_archives_is_told_once_of_each_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else tells it where the run goes on: they are no DICOM."""
    begin = {"a.zip": b"PK\3\4", "b.zip": b"PK\3\4", "c.7z": b"7z\xbc\xaf\x27\x1c", "d.txt": b"text"}
    for name, content in begin.items():
        (tmp_path / name).write_bytes(content + bytes(100))
    assert main(["-nh", "127.0.0.1", "1", *(str(tmp_path / name) for name in begin)]) == 23
    told = [line for line in capsys.readouterr().err.splitlines() if "bad DICOM file" not in line and line[0] == "W"]
    assert told == [
        "W: --scan-archives sends what is in such an archive.",
        "W: A 7z archive is not opened here: unpack it first, and send what was in it.",
    ]
