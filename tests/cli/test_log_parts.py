"""Property files and what is made of them, in this process: mistakes, layouts, rolling files, daemons that are gone."""

from __future__ import annotations

import io
import os
import re
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from dcmsend.cli.log import Level, Log
from dcmsend.cli.logs import layouts
from dcmsend.cli.logs.config import LONGEST_FILE, configured, kind_of
from dcmsend.cli.logs.files import SCHEDULES, SMALLEST_ROLL, period
from dcmsend.cli.logs.log4cplus import ALIASES, MOST_APPENDERS, MOST_REMARKS, read
from dcmsend.cli.logs.making import Surroundings
from dcmsend.cli.logs.properties import Mistake
from dcmsend.cli.logs.tree import LOGGERS, place_of
from dcmsend.cli.words import CommandLineError
from dcmsend.net.syslog import LocalDaemon, RemoteDaemon
from tests.support.scripted import ScriptedPeer, accept, release, store

ROOT: Final = "log4cplus.rootLogger = INFO, a\n"
NULL: Final = "log4cplus.appender.a = log4cplus::NullAppender\n"
CONSOLE: Final = "log4cplus.appender.a = log4cplus::ConsoleAppender\n"
FILE: Final = "log4cplus.appender.a = log4cplus::FileAppender\n"
LAYOUT: Final = f"{ROOT}{NULL}log4cplus.appender.a.layout = log4cplus::PatternLayout\n"
PATTERN: Final = f"{LAYOUT}log4cplus.appender.a.layout.ConversionPattern = "
NOON: Final = time.mktime((2026, 11, 26, 12, 30, 30, 0, 0, -1))

Command = Callable[..., CompletedProcess[str]]


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def _log(text: str, clock: Callable[[], float] = time.time, **environment: str) -> Log:
    return read("log.cfg", text, Surroundings(environment, clock))


# --- mistakes


MISTAKES: Final = (
    ("log4cplus.rootLogger = LOUD, a\n" + NULL, 1, "'LOUD' is no level (log4cplus.rootLogger)"),
    ("log4cplus.rootLogger = INHERITED, a\n" + NULL, 1, "'INHERITED' is no level (log4cplus.rootLogger)"),
    (NULL + "log4cplus.rootLogger =\n", 2, "neither a level nor appenders (log4cplus.rootLogger)"),
    (NULL + "\n# a\nlog4cplus.rootLogger = INFO, b\n", 4, "there is no appender 'b' (log4cplus.rootLogger)"),
    (NULL + "log4cplus.rootLogger = INFO, a \\\n", 2, "there is no appender 'a\\' (log4cplus.rootLogger)"),
    (NULL + "log4cplus.rootLogger = INFO, a # x\n", 2, "there is no appender 'a#x' (log4cplus.rootLogger)"),
    (NULL + "log4cplus.rootLogger = INFO\n", 2, "no logger has an appender (log4cplus.rootLogger)"),
    (ROOT + NULL + "log4cplus.logger.x =\n", 3, "neither a level nor appenders (log4cplus.logger.x)"),
    (ROOT + NULL + "log4cplus.logger.x = LOUD\n", 3, "'LOUD' is no level (log4cplus.logger.x)"),
    (ROOT + NULL + "log4cplus.additivity.x = maybe\n", 3, "'maybe' is neither true nor false (log4cplus.additivity.x)"),
    (ROOT + NULL + "log4cplus.logger.dcmsend = INFO\nlog4cplus.logger.dcmtk = INFO\n", 4,
     "logger dcmtk is set up twice, under two names (log4cplus.logger.dcmtk)"),
    (ROOT + "log4cplus.appender.a = log4cplus::FooAppender\n", 2,
     "there is no kind of appender 'log4cplus::FooAppender' (log4cplus.appender.a)"),
    (ROOT + "log4cplus.appender.a = NullAppender\n", 2,
     "there is no kind of appender 'NullAppender' (log4cplus.appender.a)"),
    (ROOT + "log4cplus.appender.a.File = x\n", 1, "there is no appender 'a' (log4cplus.rootLogger)"),
    (ROOT + FILE, 2, "it has no File (log4cplus.appender.a)"),
    (ROOT + FILE + "log4cplus.appender.a.File = no/such/file\n", 3,
     "cannot open log file 'no/such/file': No such file or directory (log4cplus.appender.a.File)"),
    (ROOT + FILE + "log4cplus.appender.a.File = x\nlog4cplus.appender.a.Append = si\n", 4,
     "'si' is neither true nor false (log4cplus.appender.a.Append)"),
    (ROOT + NULL + "log4cplus.appender.a.Threshold = LOUD\n", 3, "'LOUD' is no level (log4cplus.appender.a.Threshold)"),
    (ROOT + NULL + "log4cplus.appender.a.layout = log4cplus::FooLayout\n", 3,
     "there is no kind of layout 'log4cplus::FooLayout' (log4cplus.appender.a.layout)"),
    (LAYOUT, 3, "it has no ConversionPattern (log4cplus.appender.a.layout)"),
    (PATTERN + "%m%y%n\n", 4,
     "'%y' is no conversion of a pattern; %% is a percent sign (log4cplus.appender.a.layout.ConversionPattern)"),
    (PATTERN + "%.m\n", 4,
     "'%.' is no conversion of a pattern; %% is a percent sign (log4cplus.appender.a.layout.ConversionPattern)"),
    (PATTERN + "%d{%Y\n", 4, "{ without } (log4cplus.appender.a.layout.ConversionPattern)"),
    (PATTERN + "%99999p\n", 4,
     "'%99999p' is wider than 1000 characters (log4cplus.appender.a.layout.ConversionPattern)"),
    (ROOT + NULL + "log4cplus.appender.a.filters.1 = log4cplus::spi::Foo\n", 3,
     "there is no kind of filter 'log4cplus::spi::Foo' (log4cplus.appender.a.filters.1)"),
    (ROOT + NULL + "log4cplus.appender.a.filters.1 = log4cplus::spi::LogLevelRangeFilter\n"
     "log4cplus.appender.a.filters.1.LogLevelMin = x\n", 4,
     "'x' is no level (log4cplus.appender.a.filters.1.LogLevelMin)"),
    (ROOT + "log4cplus.appender.a = log4cplus::SysLogAppender\nlog4cplus.appender.a.facility = moon\n", 3,
     "'moon' is no facility of syslog (log4cplus.appender.a.facility)"),
    (ROOT + "log4cplus.appender.a = log4cplus::SysLogAppender\nlog4cplus.appender.a.port = 0\n", 3,
     "'0' is no number from 1 to 65535 (log4cplus.appender.a.port)"),
    (ROOT + "log4cplus.appender.a = log4cplus::RollingFileAppender\nlog4cplus.appender.a.MaxFileSize = lots\n", 3,
     "'LOTS' is no size in bytes, KB or MB (log4cplus.appender.a.MaxFileSize)"),
    (ROOT + "log4cplus.appender.a = log4cplus::RollingFileAppender\nlog4cplus.appender.a.MaxBackupIndex = -1\n", 3,
     "'-1' is no number from 0 to 10000 (log4cplus.appender.a.MaxBackupIndex)"),
    (ROOT + "log4cplus.appender.a = log4cplus::DailyRollingFileAppender\nlog4cplus.appender.a.Schedule = often\n", 3,
     f"'often' is no schedule ({', '.join(SCHEDULES)}) (log4cplus.appender.a.Schedule)"),
    ("log4cplus.rootLogger = INFO, ${a\n", 1, "'INFO, ${a' has ${ without }"),
    ("a = ${b}\nb = ${a}\nlog4cplus.rootLogger = ${a}\n", 3,
     "the variables in it refer to one another without end"),
    ("a = x${a}\nlog4cplus.rootLogger = ${a}\n", 2, "the variables in it refer to one another without end"),
    ("a = ${b}${b}\nb = ${c}${c}\nc = ${d}${d}\nd = " + "x" * 9000 + "\nlog4cplus.rootLogger = ${a}\n", 5,
     "the variables in it refer to one another without end"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "line", "what"), MISTAKES, ids=[what[:40] for _, _, what in MISTAKES])
def test_mistake_is_told_with_its_line(
    text: str, line: int, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Mistake) as caught:
        _log(text)
    assert (caught.value.line, caught.value.message) == (line, f"log.cfg, line {line}: {what}")


def test_mistake_ends_the_run_before_anything_is_sent(
    run_dcmsend: Command, scripted_peer: Callable[..., ScriptedPeer], data: Path, tmp_path: Path
) -> None:
    peer = scripted_peer()  # to which a connection is an error
    (tmp_path / "log.cfg").write_text("log4cplus.rootLogger = LOUD\n")
    run = run_dcmsend("-lc", "log.cfg", "127.0.0.1", peer.port, data / "samples" / "ct_explicit.dcm", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "F: log.cfg, line 1: 'LOUD' is no level (log4cplus.rootLogger)\n"


def test_a_mistake_leaves_older_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").write_text("lines\n")
    text = f"{ROOT}{FILE}log4cplus.appender.a.File = old\nlog4cplus.appender.b = log4cplus::Appender\n"
    with pytest.raises(Mistake, match="there is no kind of appender"):
        _log(text)
    assert (tmp_path / "old").read_text() == "lines\n"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "Specified --log-config file does not contain any settings"),
        (b"a\nb\n", "Specified --log-config file does not contain any settings"),
        (b"a = b\n", "Specified --log-config file does not contain any valid settings"),
        (b"log4cplus.x = 1\n", "Specified --log-config file does not set up log4cplus.rootLogger"),
        (b"log4cplus.rootLogger = INFO\n\0", "Specified --log-config file is no text"),
        (b"#" * (LONGEST_FILE + 1), f"Specified --log-config file is larger than {LONGEST_FILE} bytes"),
        (None, "Specified --log-config file does not exist"),
    ],
)
def test_file_that_sets_nothing_up(content: bytes | None, what: str, tmp_path: Path) -> None:
    path = tmp_path / "log.cfg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandLineError) as caught:
        configured(str(path))
    assert caught.value.message == what


def test_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "a\0b", ""):
        with pytest.raises(CommandLineError, match=r"does not exist|cannot be read"):
            configured(str(path))


def test_there_is_a_limit_to_appenders() -> None:
    text = ROOT + "".join(f"log4cplus.appender.a{n} = log4cplus::NullAppender\n" for n in range(MOST_APPENDERS + 1))
    with pytest.raises(Mistake, match=rf"^log\.cfg: there are more than {MOST_APPENDERS} appenders"):
        _log(text)


def test_what_has_no_effect_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"""garbage
{ROOT}{CONSOLE}
log4cplus.appender.a.logtostderr = true
log4cplus.appender.a.Colour = red
log4cplus.appender.win = log4cplus::NTEventLogAppender
log4cplus.appender.win.source = dcmsend
log4cplus.appender.roll = log4cplus::RollingFileAppender
log4cplus.appender.roll.File = {os.devnull}
log4cplus.appender.roll.MaxFileSize = 1KB
"""
    _log(text).close()
    without = "is not known and has no effect"
    windows = "is for Windows' own logs, which are not written; its lines go nowhere"
    assert capsys.readouterr().out.splitlines() == [
        "WARN - log.cfg, line 1: 'garbage' is neither a setting nor a comment (#) and has no effect",
        f"WARN - log.cfg, line 5: 'log4cplus.appender.a.logtostderr' {without}; it is written logToStdErr",
        f"WARN - log.cfg, line 6: 'log4cplus.appender.a.Colour' {without}",
        f"WARN - log.cfg, line 7: NTEventLogAppender {windows}",
        f"WARN - log.cfg, line 11: MaxFileSize is less than {SMALLEST_ROLL} bytes; that is used",
    ]


def test_there_is_a_limit_to_what_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    _log(ROOT + CONSOLE + "x\n" * 1000).close()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == MOST_REMARKS + 1
    assert lines[-1] == f"WARN - {1000 - MOST_REMARKS} further lines of it have no effect"


# --- loggers


@pytest.mark.parametrize("alias", ALIASES)
def test_our_names_stand_for_those_of_dcmtk(alias: str) -> None:
    log = _log(f"log4cplus.rootLogger = OFF, a\n{NULL}log4cplus.logger.{alias} = DEBUG\n")
    shown = {name for room, name in LOGGERS.items() if log.room(room).shows(Level.DEBUG) and room}
    inside = {name for name in ("dcmtk.apps.dcmsend", "dcmtk.dcmnet") if name.startswith(ALIASES[alias])}
    assert shown == inside - {"dcmtk.apps.dcmsend"}
    assert log.level is (Level.DEBUG if "dcmtk.apps.dcmsend" in inside else Level.FATAL)


def test_the_log_shows_what_any_logger_shows() -> None:
    log = _log(f"log4cplus.rootLogger = WARN, a\n{NULL}log4cplus.logger.dcmtk.dcmnet = DEBUG\n")
    assert log.shows(Level.DEBUG)
    assert not log.shows(Level.TRACE)
    assert log.level is Level.WARN
    assert "TreeLog dcmtk.apps.dcmsend warn" in repr(log)


def test_details_that_no_appender_takes_are_not_made() -> None:
    log = _log(f"log4cplus.rootLogger = DEBUG, a\n{NULL}log4cplus.appender.a.Threshold = ERROR\n")
    assert log.shows(Level.ERROR)
    assert not log.shows(Level.WARN)


def test_records_that_reach_nobody_are_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    log = _log(f"{ROOT}{CONSOLE}log4cplus.logger.dcmtk = INFO\nlog4cplus.additivity.dcmtk = false\n")
    log.fatal("one")
    log.room("root").always(Level.INFO, "two")
    log.close()
    assert capsys.readouterr().out == "INFO - two\n"


def test_a_signal_in_the_middle_of_a_record_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            with pytest.raises(RuntimeError):
                log.warn("from a signal")
            return super().write(text)

    stream = Interrupted()
    monkeypatch.setattr(sys, "stdout", stream)
    log = _log(ROOT + CONSOLE)
    log.warn("one")
    log.warn("two")
    assert stream.getvalue() == "WARN - one\nWARN - two\n"


# --- layouts


def test_place_is_where_the_line_was_logged(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{ROOT}{CONSOLE}log4cplus.appender.a.layout = log4cplus::PatternLayout\n"
    log = _log(text + "log4cplus.appender.a.layout.ConversionPattern = %b|%M|%L|%F|%l %m%n\n")
    log.room("net").info("x")
    line = sys._getframe().f_lineno - 1
    path = __file__
    name, function, number, file, place = capsys.readouterr().out.strip().split(" ")[0].split("|")
    assert (name, function, number) == ("test_log_parts.py", "test_place_is_where_the_line_was_logged", str(line))
    assert path.endswith(file.removeprefix("/"))
    assert place == f"{file}:{line}"
    assert place_of(None) == layouts.Place("", 0, "")


def test_place_within_our_source_has_no_path_of_the_machine() -> None:
    class Code:
        co_filename = "/x/site-packages/dcmsend/cli/listener.py"
        co_name = "f"

    class Frame:
        f_code = Code
        f_lineno = 7
        f_back = None

    assert place_of(Frame()) == layouts.Place("dcmsend/cli/listener.py", 7, "f")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "text", "written"),
    [
        (0.0, "%Y-%m-%d %H:%M:%S.%q", "1970-01-01 00:00:00.000"),
        (1.0005, "%S %q %Q %s", "01 000 000.500 1"),
        (59.9999996, "%M:%S.%q", "01:00.000"),
        (0.25, "%%q%q%%Q%%", "%q250%Q%"),
    ],
)
def test_moments(moment: float, text: str, written: str) -> None:
    assert layouts.dates(text, utc=True)(moment) == written


def test_milliseconds_since_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    text = f"{ROOT}{CONSOLE}log4cplus.appender.a.layout = log4cplus::PatternLayout\n"
    log = _log(text + "log4cplus.appender.a.layout.ConversionPattern = %r %m%n\n", clock)
    log.info("a")
    clock.now += 1.5
    log.info("b")
    assert capsys.readouterr().out == "0 a\n1500 b\n"


def test_nobody_forges_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log = _log(ROOT + CONSOLE)
    log.error("caf\udce9\nFATAL - forged\x1b[2J\u202e")
    assert capsys.readouterr().out == "ERROR - caf\\xe9\\nFATAL - forged\\x1b[2J\\u202e\n"


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_console_of_another_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding, newline="\n"))
    log = _log(f"{ROOT}{CONSOLE}log4cplus.appender.a.ImmediateFlush = true\n")
    log.error("\u4e2d")
    shown = "\u4e2d" if encoding == "utf-8" else "\\u4e2d"
    assert raw.getvalue().decode(encoding) == f"ERROR - {shown}\n"


# --- files


def _file(kind: str, *lines: str) -> str:
    below = "".join(f"log4cplus.appender.a.{line}\n" for line in ("File = app.log", *lines))
    return f"{ROOT}log4cplus.appender.a = log4cplus::{kind}\n{below}"


def _left(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


STEPS: Final = {
    "monthly": (20 * 86_400, "2026-11", "2026-12"),
    "weekly": (7 * 86_400, "2026-46", "2026-47"),
    "daily": (86_400, "2026-11-26", "2026-11-27"),
    "twice_daily": (43_200, "2026-11-26-PM", "2026-11-27-AM"),
    "hourly": (3600, "2026-11-26-12", "2026-11-26-13"),
    "minutely": (60, "2026-11-26-12-30", "2026-11-26-12-31"),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_file_gets_the_name_of_its_period(schedule: str, here: Path) -> None:
    step, first, second = STEPS[schedule]
    clock = Clock()
    log = _log(_file("DailyRollingFileAppender", f"Schedule = {schedule}"), clock)
    log.info("one")
    clock.now = period(schedule, NOON)[1] - 0.001
    log.info("two")
    assert _left(here) == {"app.log": "INFO - one\nINFO - two\n"}
    clock.now = NOON + step
    log.info("three")
    assert _left(here) == {"app.log": "INFO - three\n", f"app.log.{first}": "INFO - one\nINFO - two\n"}
    log.close()
    assert _left(here) == {
        "app.log": "", f"app.log.{first}": "INFO - one\nINFO - two\n", f"app.log.{second}": "INFO - three\n",
    }  # fmt: skip


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_periods_follow_one_another(schedule: str) -> None:
    start, end = period(schedule, NOON)
    assert start <= NOON < end
    assert period(schedule, end) == (end, period(schedule, end)[1])
    assert period(schedule, end - 1) == (start, end)


def test_december_is_followed_by_january() -> None:
    new_year = time.mktime((2027, 1, 1, 0, 0, 0, 0, 0, -1))
    assert period("monthly", new_year - 1)[1] == new_year


def test_files_of_the_same_period_are_kept_up_to_a_number(here: Path) -> None:
    for number in range(5):
        log = _log(_file("DailyRollingFileAppender", "MaxBackupIndex = 2"), Clock())
        log.info(str(number))
        log.close()
    assert _left(here) == {
        "app.log": "", "app.log.2026-11-26": "INFO - 4\n", "app.log.2026-11-26.1": "INFO - 3\n",
        "app.log.2026-11-26.2": "INFO - 2\n",
    }  # fmt: skip


def test_pattern_of_dates(here: Path) -> None:
    log = _log(_file("DailyRollingFileAppender", "DatePattern = week%V"), Clock())
    log.info("x")
    log.close()
    assert sorted(_left(here)) == ["app.log", "app.log.week48"]


def test_files_roll_by_size(here: Path) -> None:
    log = _log(_file("RollingFileAppender", "MaxFileSize = 200KB", "MaxBackupIndex = 2"))
    line = "x" * 10_000
    for _ in range(21 * 4 + 1):
        log.info(line)
    log.close()
    whole = f"INFO - {line}\n"
    assert {name: text.count(whole) for name, text in _left(here).items()} == {
        "app.log": 1, "app.log.1": 21, "app.log.2": 21,
    }  # fmt: skip


def test_what_cannot_be_renamed_ends_nothing(here: Path) -> None:
    (here / "app.log.1" / "in the way").mkdir(parents=True)
    log = _log(_file("RollingFileAppender"))
    log._tree._appenders[0]._size = 10  # type: ignore[attr-defined]
    log.info("a line that is long enough")
    log.info("another line that is long enough")
    log.close()
    assert (here / "app.log.1").is_dir()


def test_variables_and_other_scripts_in_names(here: Path) -> None:
    log = _log(_file("FileAppender").replace("app.log", "${NAME}.log"), NAME="\u4e2d\u6587")
    log.info("\u4e2d \u00e9")
    log.close()
    assert _left(here) == {"\u4e2d\u6587.log": "INFO - \u4e2d \u00e9\n"}


def test_a_full_disk_is_told_once_and_tried_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    clock = Clock()
    (here / "app.log").symlink_to("/dev/full")
    log = _log(_file("FileAppender", "ReopenDelay = 5"), clock)
    for _ in range(3):
        log.info("lost")
    clock.now += 4
    log.info("lost")
    (here / "app.log").unlink()
    clock.now += 2
    log.info("there again")
    log.close()
    assert capsys.readouterr().err == ("W: log appender 'a' loses lines: file 'app.log': No space left on device\n")
    assert _left(here) == {"app.log": "INFO - there again\n"}


def test_a_full_disk_that_shows_at_the_end(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    (here / "app.log").symlink_to("/dev/full")
    log = _log(_file("FileAppender", "ImmediateFlush = false"))
    log.info("lost")
    assert capsys.readouterr().err == ""
    log.close()
    assert capsys.readouterr().err == "W: log appender 'a' loses lines: file 'app.log': No space left on device\n"


def test_a_run_goes_on_without_its_log(
    run_dcmsend: Command, scripted_peer: Callable[..., ScriptedPeer], data: Path, tmp_path: Path
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    peer = scripted_peer([accept(), store(), release()])
    (tmp_path / "log.cfg").write_text(_file("FileAppender").replace("app.log", "/dev/full"))
    run = run_dcmsend("-lc", "log.cfg", "127.0.0.1", peer.port, data / "samples" / "ct_explicit.dcm", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (0, "")
    assert run.stderr == "W: log appender 'a' loses lines: file '/dev/full': No space left on device\n"


def test_a_reader_that_has_gone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", Gone())
    log = _log(ROOT + CONSOLE)
    log.info("one")
    log.info("two")
    log.close()
    assert capsys.readouterr().err == "W: log appender 'a' loses lines: Broken pipe\n"


# --- syslog


def _syslog(*lines: str) -> str:
    below = "".join(f"log4cplus.appender.a.{line}\n" for line in lines)
    return f"{ROOT}log4cplus.appender.a = log4cplus::SysLogAppender\n{below}"


def test_a_daemon_that_is_not_there_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    around = Surroundings({}, time.time, (str(tmp_path / "log"),))
    log = read("log.cfg", _syslog(), around)
    log.info("one")
    log.info("two")
    assert capsys.readouterr().err == "W: log appender 'a' loses lines: syslog: No such file or directory\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        log.info("three")
        assert re.fullmatch(rb"<14>\w{3} [ \d]\d [\d:]{8} dcmsend: INFO - three\n", daemon.recv(1000))
    log.close()


def test_an_old_daemon_has_a_stream(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "log"))
        listener.listen()
        daemon = LocalDaemon((str(tmp_path / "not there"), str(tmp_path / "log")))
        daemon.send(b"one")
        daemon.send(b"two")
        daemon.close()
        with listener.accept()[0] as connected:
            assert connected.makefile("rb").read() == b"one\0two\0"


def test_a_host_without_an_address_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    log = _log(_syslog("host = no.such.host.invalid"))
    log.info("one")
    log.info("two")
    log.close()
    error = capsys.readouterr().err
    assert error.startswith("W: log appender 'a' loses lines: syslog: ")
    assert error.count("\n") == 1


def test_nobody_listens_there(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    log = _log(_syslog("host = 127.0.0.1", f"port = {port}"))
    for _ in range(5):
        log.info("lost")
    log.close()
    assert capsys.readouterr().err in ("W: log appender 'a' loses lines: syslog: Connection refused\n", "")


def test_what_is_empty_in_a_head_is_a_dash() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(30)
        log = _log(_syslog("host = 127.0.0.1", f"port = {daemon.getsockname()[1]}", "facility = kern"))
        log.room("net").fatal("x" * 100_000)
        log.close()
        message = daemon.recv(65536)
    assert re.match(rb"<2>1 [\d-]{10}T[\d:]{8}\.\d{3}Z \S+ - \d+ dcmtk\.dcmnet - FATAL - xxx", message)


def test_messages_have_a_largest_size() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.settimeout(30)
        daemon = RemoteDaemon("127.0.0.1", taken.getsockname()[1])
        daemon.send(b"x" * 200_000)
        daemon.close()
        assert len(taken.recv(65536)) == 60_000


# --- which kind of file it is


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("log4cplus.rootLogger = INFO", "dcmtk"),
        ("# {\n  log4cplus.x=1\n[loggers]\n", "dcmtk"),
        ('\n{"version": 1}', "json"),
        ("version = 1\n", "toml"),
        ("# a\n[handlers.a]\nclass = 'x'\n", "toml"),
        ("[loggers]\nkeys=root\n[handlers]\n", "ini"),
        ("[loggers]\n# a\n\nkeys : root,a\n", "ini"),
        ("[loggers]\nkeys = 'root'\nversion = 1\n", "toml"),
        ("", "dcmtk"),
        ("a = b", "dcmtk"),
    ],
)
def test_kind_is_told_by_the_content(text: str, kind: str) -> None:
    assert kind_of(text) == kind
