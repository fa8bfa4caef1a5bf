"""``--log-config`` with property files: beside DCMTK's dcmsend, with the same file and the same receiver."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from dcmsend.cli.names import OPTIONS
from dcmsend.files.scan import scan
from dcmsend.model import Refusal, ScanOptions
from tests.support import servers
from tests.support.builder import part10

Command = Callable[..., CompletedProcess[str]]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
CONSOLE: Final = """\
log4cplus.appender.con = log4cplus::ConsoleAppender
log4cplus.appender.con.logToStdErr = true
log4cplus.appender.con.layout = log4cplus::PatternLayout
log4cplus.appender.con.layout.ConversionPattern = %-5p %c: %m%n
"""
SIMPLE: Final = "log4cplus.appender.con = log4cplus::ConsoleAppender\n"
LIMIT: Final = 30.0  # seconds


@pytest.fixture(scope="module")
def port(dcmtk: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where DCMTK's storescp listens; one for all tests here."""
    dcmtk("storescp")
    server = servers.storescp(tmp_path_factory.mktemp("receiver"))
    yield server.port
    server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one instance."""
    (tmp_path / "a.dcm").write_bytes(part10(CT, "1.2.3.1", value=bytes(64)))
    return tmp_path


class Both:
    """Runs both tools with the same words, each in a copy of the folder."""

    def __init__(self, folder: Path, theirs: Command, ours: Command) -> None:
        self.folders = (folder / "theirs", folder / "ours")
        files = [path for path in folder.iterdir() if path.is_file()]
        for each in self.folders:
            each.mkdir()
            for path in files:
                shutil.copy(path, each)
        self._commands = (theirs, ours)

    def run(self, config: str, *words: str, **settings: str) -> tuple[CompletedProcess[str], CompletedProcess[str]]:
        found = []
        for each, command in zip(self.folders, self._commands, strict=True):
            (each / "log.cfg").write_text(config)
            found.append(command("-lc", "log.cfg", *words, cwd=each, env={"TZ": "Europe/Berlin", **settings}))
        return found[0], found[1]

    def logs(self) -> list[dict[str, str]]:
        """The log files that each has left."""
        return [
            {path.name: path.read_text() for path in each.iterdir() if path.name.startswith("app")}
            for each in self.folders
        ]


@pytest.fixture
def both(folder: Path, dcmsend_oracle: Command, run_dcmsend: Command) -> Both:
    return Both(folder, dcmsend_oracle, run_dcmsend)


HINTS: Final = [
    found.reason.hint(OPTIONS) for found in scan(["not/there", "/"], ScanOptions()) if isinstance(found, Refusal)
]
# What ours says of the input that it could not take on: in the summary, and at the end.
OURS: Final = re.compile(
    r"^.*(?:- left out of the input  : 1|1 input was left out|  1 x (?:No such file|it is a directory).*"
    rf"|{'|'.join(re.escape(hint) for hint in HINTS)})$\n?",
    re.MULTILINE,
)


def _alike(text: str) -> str:
    """Without what differs on purpose: each file's transfer syntax has a context of its own, and what is left out is
    told.
    """
    return OURS.sub("", re.sub(r"(pres\. contexts : )\d", r"\1N", text))


# --- three configurations with which both do the same


def test_console_with_a_pattern(both: Both, port: int) -> None:
    config = f"log4cplus.rootLogger = INFO, con\n{CONSOLE}".replace("%-5p", "%D{%Y-%m} %-5p %P %.4p")
    words = ("-nh", "127.0.0.1", str(port), "a.dcm", "missing.dcm", "+crf", "report")
    theirs, ours = both.run(config, *words)
    assert (theirs.returncode, ours.returncode) == (0, 67)
    assert (theirs.stdout, ours.stdout) == ("", "")
    assert _alike(ours.stderr) == _alike(theirs.stderr)
    lines = _alike(ours.stderr).splitlines()
    assert len(lines) == 21
    assert {line.split()[4] for line in lines} == {"dcmtk.apps.dcmsend:", "dcmtk.dcmnet:"}


def test_lines_of_a_conversion_and_of_what_is_ignored(
    both: Both, storescp: Callable[..., servers.FolderServer], data: Path
) -> None:
    """DCMTK's tells of folders a little earlier, so the order does not count."""
    for each in both.folders:
        (each / "folder").mkdir()
    server = storescp("+xi")
    config = f"log4cplus.rootLogger = INFO, con\n{CONSOLE}"
    words = (
        "-nh",
        "127.0.0.1",
        str(server.port),
        "a.dcm",
        str(data / "samples" / "sc_jpeg_lossless_sv1.dcm"),
        "folder",
    )
    theirs, ours = both.run(config, *words)
    assert sorted(_alike(ours.stderr).splitlines()) == sorted(_alike(theirs.stderr).splitlines())
    assert "WARN  dcmtk.apps.dcmsend: ignoring directory" in ours.stderr
    assert ours.stderr.count("INFO  dcmtk.dcmnet: Converting transfer syntax: ") == 2


def test_rolling_file_with_levels_of_modules(both: Both, port: int) -> None:
    for each in both.folders:
        (each / "many").mkdir()
        for number in range(250):
            (each / "many" / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}", value=bytes(8)))
    config = """
# everything that the network does, and otherwise only what is bad
log4cplus.rootLogger = WARN, roll
log4cplus.logger.dcmtk.dcmnet = INFO
log4cplus.logger.dcmtk.dcmdata = OFF
log4cplus.appender.roll = log4cplus::RollingFileAppender
log4cplus.appender.roll.File = ${LOGS}/${appname}.log
log4cplus.appender.roll.MaxFileSize = 201KB
log4cplus.appender.roll.MaxBackupIndex = 3
log4cplus.appender.roll.layout = log4cplus::PatternLayout
log4cplus.appender.roll.layout.ConversionPattern = %p %1000c %m%n
""".replace("${appname}", "app-${appname}")
    theirs, ours = both.run(config, "+sd", "127.0.0.1", str(port), "many", LOGS=".")
    assert (theirs.returncode, ours.returncode) == (0, 0)
    assert (theirs.stdout, theirs.stderr, ours.stdout, ours.stderr) == ("", "", "", "")
    left, right = both.logs()
    assert sorted(right) == ["app-dcmsend.log", "app-dcmsend.log.1", "app-dcmsend.log.2"]
    assert {name: len(text) for name, text in right.items()} == {name: len(text) for name, text in left.items()}
    assert right == left


SYSLOG: Final = """
log4cplus.rootLogger = INFO, sys
log4cplus.appender.sys = log4cplus::SysLogAppender
log4cplus.appender.sys.ident = sender
log4cplus.appender.sys.facility = LOCAL3
log4cplus.appender.sys.layout = log4cplus::PatternLayout
log4cplus.appender.sys.layout.ConversionPattern = %c %m
"""


class _Receiver:
    """Keeps the datagrams that come to a socket, until ``stop`` sends the last one itself."""

    def __init__(self, made: socket.socket) -> None:
        self._socket = made
        self._got: list[bytes] = []
        made.settimeout(LIMIT)
        self._thread = threading.Thread(target=self._receive)
        self._thread.start()

    def _receive(self) -> None:
        while (message := self._socket.recv(65536)) != b"end":
            self._got.append(message)

    def stop(self) -> list[str]:
        with socket.socket(self._socket.family, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"end", self._socket.getsockname())
        self._thread.join(LIMIT)
        self._socket.close()
        return [message.decode() for message in self._got]


def _split(messages: list[str]) -> tuple[list[str], list[str]]:
    """Those of the first run and those of the second, without moments and process numbers."""
    messages = [_alike(text.replace("dcmtk.apps.dcmsend - left out of the input  : 1", "")) for text in messages]
    alike = [re.sub(r"^(<\d+>1 )\S+( .* )\d+( dcmtk\S* - )", r"\1MOMENT\2PID\3", text) for text in messages]
    alike = [re.sub(r"^(<\d+>)[A-Z][a-z]{2} [ \d]\d [\d:]{8} ", r"\1MOMENT ", text) for text in alike]
    alike = list(filter(None, alike))
    half = len(alike) // 2
    return alike[:half], alike[half:]


def test_syslog_of_another_host(both: Both, port: int) -> None:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    number = made.getsockname()[1]
    receiver = _Receiver(made)
    config = f"{SYSLOG}log4cplus.appender.sys.host = 127.0.0.1\nlog4cplus.appender.sys.port = {number}\n"
    theirs, ours = both.run(config, "-nh", "127.0.0.1", str(port), "a.dcm", "missing.dcm")
    left, right = _split(receiver.stop())
    assert (theirs.stderr, ours.stderr) == ("", "")
    assert right == left
    assert len(right) == 13
    assert right[0].startswith("<158>1 MOMENT ")
    assert right[0].endswith(" sender PID dcmtk.apps.dcmsend - dcmtk.apps.dcmsend checking input files ...")


def test_syslog_of_this_host(
    both: Both, port: int, tmp_path: Path, dcmtk: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tool sees a folder of the test in the place of that of the devices, where the daemon's socket is."""
    monkeypatch.chdir(tmp_path)
    devices = tmp_path / "devices"
    devices.mkdir()
    enter = ["unshare", "-rm", "sh", "-c", f"mount --bind '{devices}' /dev && exec \"$@\"", "sh"]
    try:
        subprocess.run([*enter, "true"], check=True, capture_output=True, timeout=LIMIT)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no namespaces of mounts here")
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind("devices/log")
    receiver = _Receiver(made)
    commands = (([dcmtk("dcmsend")], 0), ([sys.executable, "-m", "dcmsend"], 67))
    for each, (command, code) in zip(both.folders, commands, strict=True):
        (each / "log.cfg").write_text(SYSLOG.replace("log4cplus.appender.sys.ident = sender\n", ""))
        words = [*command, "-nh", "-lc", "log.cfg", "127.0.0.1", str(port), "a.dcm", "missing.dcm"]
        run = subprocess.run(
            [*enter, *words], cwd=each, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=LIMIT
        )
        assert (run.returncode, run.stdout, run.stderr) == (code, b"", b"")
    left, right = _split(receiver.stop())
    assert right == left
    assert len(right) == 13
    assert right[0] == "<158>MOMENT dcmsend: dcmtk.apps.dcmsend checking input files ..."


# --- one by one


PATTERNS: Final = (
    "%p", "%-7p|", "%7p|", "%.2p|", "%-7.2p|", "%7.6p|", "%.0p|", "%05p|", "%--7p|", "%-5.10p|",
    "%P", "%3P|", "%-3P|", "%c", "%c{1}", "%c{2}", "%c{3}", "%c{9}", "%c{0}", "%c{x}", "%c{-1}", "%20.10c|", "%-30c|",
    "%m", "%.30m|", "%-40m|", "%40m|", "%n", "%m%n%m%n", "%x|", "%X|", "%X{key}|", "%%", "%%p", "%%%%", "%p%%", "a%%b",
    "%h", "%H", "\\n", "\\t%p", "plain", "{%p}", "p", "%p%c%m", "%m%", "100%%", "%p{1}",
)  # fmt: skip
MOMENTS: Final = (
    "%d", "%D", "%d{}", "%d{%Y}", "%D{%H:%M:%S}", "%d{%q}", "%D{%q}|", "%D{%Q}|", "%D{%Z %z}", "%d{%a %b %j}",
    "%D{%%q}",
    "%D{%Y-%m-%d %H:%M:%S.%q}|", "%25d|", "%-25D|", "%.5d|", "%D{%s}", "%i", "%8i|", "%t", "%T", "%r", "%L", "%D{no}",
)  # fmt: skip


def _with_patterns(patterns: tuple[str, ...]) -> str:
    """A configuration with a file for each pattern."""
    names = [f"f{number}" for number in range(len(patterns))]
    lines = [f"log4cplus.rootLogger = INFO, {', '.join(names)}"]
    for name, pattern in zip(names, patterns, strict=True):
        key = f"log4cplus.appender.{name}"
        lines += [f"{key} = log4cplus::FileAppender", f"{key}.File = app.{name}"]
        lines += [f"{key}.layout = log4cplus::PatternLayout", f"{key}.layout.ConversionPattern = {pattern}"]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def formatted(
    port: int, dcmsend_oracle: Command, run_dcmsend: Command, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, str]]:
    """What both tools write with each of the patterns."""
    found: dict[str, tuple[str, str]] = {}
    for patterns in (PATTERNS, MOMENTS):
        place = tmp_path_factory.mktemp("patterns")
        (place / "a.dcm").write_bytes(part10(CT, "1.2.3.1", value=bytes(64)))
        both = Both(place, dcmsend_oracle, run_dcmsend)
        runs = both.run(_with_patterns(patterns), "127.0.0.1", str(port), "a.dcm")
        assert [(run.returncode, run.stderr) for run in runs] == [(0, ""), (0, "")]
        left, right = both.logs()
        for number, pattern in enumerate(patterns):
            found[pattern] = (left[f"app.f{number}"], right[f"app.f{number}"])
    return found


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern_gives_what_dcmtk_gives(pattern: str, formatted: dict[str, tuple[str, str]]) -> None:
    theirs, ours = formatted[pattern]
    assert _alike(ours) == _alike(theirs)


@pytest.mark.parametrize("pattern", MOMENTS)
def test_pattern_gives_a_moment_or_number_of_the_same_form(pattern: str, formatted: dict[str, tuple[str, str]]) -> None:
    """Digits count where their number is always the same; DCMTK has no thread for lines that belong together."""
    short = pattern in ("%i", "%t", "%T", "%r", "%L", "%8i|")
    found = [re.sub(r"\d+" if short else r"\d", "0", text) for text in formatted[pattern]]
    if short and "|" not in pattern:
        found = ["0" if set(text) == {"0"} else text for text in found]
    if pattern == "%8i|":
        found = ["".join(text.split()) for text in found]
    assert found[1] == found[0]
    assert found[1]


INFO_CON: Final = f"log4cplus.rootLogger = INFO, con\n{CONSOLE}"
ROUTES: Final[dict[str, str]] = {
    "level": f"log4cplus.rootLogger = WARN, con\n{CONSOLE}",
    "level in small letters": f"log4cplus.rootLogger = info, con\n{CONSOLE}",
    "blanks everywhere": f"  log4cplus.rootLogger  =  I NFO ,  c o n \n{CONSOLE}",
    "comments": f"# a\n   # b\n\n#log4cplus.rootLogger = OFF\nlog4cplus.rootLogger = INFO, con\n{CONSOLE}",
    "last one counts": f"log4cplus.rootLogger = OFF\nlog4cplus.rootLogger = INFO, con\n{CONSOLE}",
    "too many commas": f"log4cplus.rootLogger = INFO, con,,\n{CONSOLE}",
    "line ends of Windows": f"log4cplus.rootLogger = INFO, con\n{CONSOLE}".replace("\n", "\r\n"),
    "nothing": f"log4cplus.rootLogger = OFF, con\n{CONSOLE}",
    "fatal": f"log4cplus.rootLogger = FATAL, con\n{CONSOLE}",
    "module": f"log4cplus.rootLogger = WARN, con\nlog4cplus.logger.dcmtk.dcmnet = INFO\n{CONSOLE}",
    "application": f"log4cplus.rootLogger = WARN, con\nlog4cplus.logger.dcmtk.apps = INFO\n{CONSOLE}",
    "both": f"log4cplus.rootLogger = OFF, con\nlog4cplus.logger.dcmtk = INFO\n{CONSOLE}",
    "less of a module": f"log4cplus.rootLogger = INFO, con\nlog4cplus.logger.dcmtk.dcmnet = OFF\n{CONSOLE}",
    "another program's": f"log4cplus.rootLogger = WARN, con\nlog4cplus.logger.dcmtk.apps.storescu = INFO\n{CONSOLE}",
    "inherited": f"log4cplus.rootLogger = INFO, con\nlog4cplus.logger.dcmtk.dcmnet = INHERITED\n{CONSOLE}",
    "INHERIT": f"log4cplus.rootLogger = INFO, con\nlog4cplus.logger.dcmtk.dcmnet = INHERIT, con\n{CONSOLE}",
    "twice": f"log4cplus.rootLogger = WARN, con\nlog4cplus.logger.dcmtk.dcmnet = INFO, con\n{CONSOLE}",
    "not twice in one": f"log4cplus.rootLogger = INFO, con, con\n{CONSOLE}",
    "not additive": "log4cplus.rootLogger = WARN, con\nlog4cplus.logger.dcmtk.dcmnet = INFO, con\n"
                    f"log4cplus.additivity.dcmtk.dcmnet = False\n{CONSOLE}",
    "additive": "log4cplus.rootLogger = WARN, con\nlog4cplus.logger.dcmtk.dcmnet = INFO, con\n"
                f"log4cplus.additivity.dcmtk.dcmnet = true\n{CONSOLE}",
    "only a module": f"log4cplus.rootLogger = OFF\nlog4cplus.logger.dcmtk.dcmnet = INFO, con\n{CONSOLE}",
    "threshold": f"{INFO_CON}log4cplus.appender.con.Threshold = error\n",
    "threshold that lets all through":
        f"log4cplus.rootLogger = WARN, con\n{CONSOLE}log4cplus.appender.con.Threshold = ALL\n",
    "threshold that lets nothing through":
        f"{INFO_CON}log4cplus.appender.con.Threshold = OFF\n",
    "range": f"{INFO_CON}"
             "log4cplus.appender.con.filters.1 = log4cplus::spi::LogLevelRangeFilter\n"
             "log4cplus.appender.con.filters.1.LogLevelMin = WARN\n"
             "log4cplus.appender.con.filters.1.LogLevelMax = WARN\n",
    "range, then nothing": f"{INFO_CON}"
             "log4cplus.appender.con.filters.1 = log4cplus::spi::LogLevelRangeFilter\n"
             "log4cplus.appender.con.filters.1.LogLevelMin = WARN\n"
             "log4cplus.appender.con.filters.1.LogLevelMax = ERROR\n"
             "log4cplus.appender.con.filters.1.AcceptOnMatch = true\n"
             "log4cplus.appender.con.filters.2 = log4cplus::spi::DenyAllFilter\n",
    "match": f"{INFO_CON}"
             "log4cplus.appender.con.filters.1 = log4cplus::spi::LogLevelMatchFilter\n"
             "log4cplus.appender.con.filters.1.LogLevelToMatch = INFO\n"
             "log4cplus.appender.con.filters.1.AcceptOnMatch = false\n",
    "text": f"{INFO_CON}"
            "log4cplus.appender.con.filters.1 = log4cplus::spi::StringMatchFilter\n"
            "log4cplus.appender.con.filters.1.StringToMatch = Association\n"
            "log4cplus.appender.con.filters.1.AcceptOnMatch = 1\n"
            "log4cplus.appender.con.filters.2 = log4cplus::spi::DenyAllFilter\n",
    "standard output": f"log4cplus.rootLogger = INFO, con\n{CONSOLE.replace('true', '0')}",
    "no layout": f"log4cplus.rootLogger = INFO, con\n{SIMPLE}",
    "simple layout": "log4cplus.rootLogger = INFO, con\n"
                     f"log4cplus.appender.con.layout=log4cplus::SimpleLayout\n{SIMPLE}",
    "record as a whole": f"{INFO_CON}log4cplus.appender.con.layout.FormatEachLine=false\n",
    "null": "log4cplus.rootLogger = INFO, con\nlog4cplus.appender.con = log4cplus::NullAppender\n",
    "variables": "name = con\nlog4cplus.rootLogger = ${LEVEL}, ${name}\n"
                 + CONSOLE.replace("%c", "${appname} ${x${name}"),
    "variables of variables": "a = ${b}\nb = INFO, con\nlog4cplus.rootLogger = ${a}\n"
                              + CONSOLE.replace("%c", "${log4cplus.rootLogger} ${nothing} ${}"),
    "variables first": "LEVEL = WARN\nlog4cplus.rootLogger = ${LEVEL}, con\n" + CONSOLE,
    "variable in a key": "x = rootLogger\nlog4cplus.rootLogger = OFF\nlog4cplus.${x} = INFO, con\n" + CONSOLE,
    "date of today": "log4cplus.rootLogger = INFO, con\n" + CONSOLE.replace("%c", "${date} ${hostname}"),
}  # fmt: skip


@pytest.mark.parametrize("config", ROUTES.values(), ids=ROUTES)
def test_lines_go_where_dcmtk_lets_them_go(config: str, both: Both, port: int) -> None:
    words = ("-nh", "127.0.0.1", str(port), "a.dcm", "missing.dcm")
    theirs, ours = both.run(config, *words, LEVEL="INFO")
    assert (theirs.returncode, ours.returncode) == (0, 67)
    assert (_alike(ours.stdout), _alike(ours.stderr)) == (_alike(theirs.stdout), _alike(theirs.stderr))


@pytest.mark.parametrize("layout", ["", "DateFormat = %H", "DateFormat = %d.%m.%y\nUse_gmtime = true"])
def test_ttcc_layout(layout: str, both: Both, port: int) -> None:
    key = "log4cplus.appender.con.layout"
    lines = "".join(f"{key}.{line}\n" for line in layout.splitlines())
    config = f"log4cplus.rootLogger = INFO, con\n{SIMPLE}{key} = log4cplus::TTCCLayout\n{lines}"
    found = [re.sub(r"\[\d+\]", "[N]", run.stdout) for run in both.run(config, "127.0.0.1", str(port), "a.dcm")]
    if not layout:  # milliseconds since the start
        found = [re.sub(r"^\d+ ", "N ", text, flags=re.MULTILINE) for text in found]
    assert _alike(found[1]) == _alike(found[0])
    assert "INFO dcmtk.dcmnet <> - Requesting Association\n" in found[1]


@pytest.mark.parametrize("schedule", ["MONTHLY", "weekly", "Daily", "twice_daily"])
def test_daily_rolling_leaves_the_same_files(schedule: str, both: Both, port: int) -> None:
    """Schedules of hours and minutes have names of their own in between two runs; see the tests with a clock."""
    key = "log4cplus.appender.f"
    config = f"log4cplus.rootLogger=INFO,f\n{key}=log4cplus::DailyRollingFileAppender\n{key}.File=app.log\n"
    config += f"{key}.Schedule={schedule}\n{key}.MaxBackupIndex=2\n"
    for count in (2, 3, 4, 4):
        both.run(config, "127.0.0.1", str(port), "a.dcm")
        left, right = both.logs()
        assert {name: len(text) for name, text in right.items()} == {name: len(text) for name, text in left.items()}
        assert len(right) == count


@pytest.mark.parametrize(("append", "times"), [("", 1), ("Append = true", 2), ("Append=FALSE", 1)])
def test_file_is_begun_anew_unless_it_is_appended_to(append: str, times: int, both: Both, port: int) -> None:
    key = "log4cplus.appender.f"
    config = f"log4cplus.rootLogger=INFO,f\n{key}=log4cplus::FileAppender\n{key}.File=app.log\n"
    config += f"{key}.{append}\n" if append else ""
    for _ in range(2):
        both.run(config, "127.0.0.1", str(port), "a.dcm")
    left, right = both.logs()
    assert {name: _alike(text) for name, text in right.items()} == {name: _alike(text) for name, text in left.items()}
    assert right["app.log"].count("Requesting Association") == times


def test_arguments_go_to_the_root_logger(both: Both, port: int) -> None:
    config = f"log4cplus.rootLogger = ERROR, con\n{CONSOLE}"
    theirs, ours = both.run(config, "--arguments", "127.0.0.1", str(port), "a.dcm")
    assert "INFO  root: calling" in ours.stderr
    assert re.sub("'.*?'", "'program'", ours.stderr, count=1) == re.sub("'.*?'", "'program'", theirs.stderr, count=1)


@pytest.mark.parametrize(
    ("levels", "code"),
    [("INFO", 0), ("WARN", 1), ("WARN\nlog4cplus.logger.dcmtk.apps.dcmsend = INFO", 0),
     ("WARN\nlog4cplus.logger.dcmtk.dcmnet = INFO", 1), ("INFO\nlog4cplus.logger.dcmtk.apps = WARN", 1)],
)  # fmt: skip
def test_verbose_mode_is_that_of_the_program(levels: str, code: int, both: Both, port: int) -> None:
    """``+v`` looks at one logger, as in DCMTK."""
    theirs, ours = both.run(
        f"log4cplus.rootLogger = {levels}\n{CONSOLE}log4cplus.logger.dcmtk = INHERITED, con\n",
        "+v", "127.0.0.1", str(port), "a.dcm",
    )  # fmt: skip
    assert (theirs.returncode, ours.returncode) == (code, code)
    errors = [run.stderr.splitlines()[-1:] for run in (theirs, ours)]
    if code:
        assert errors[0] == errors[1] == ["error: --verbose-pc only allowed with verbose mode"]
    assert ("Presentation Contexts:" in ours.stderr) == ("Presentation Contexts:" in theirs.stderr)


def test_sample_of_dcmtk_is_understood(run_dcmsend: Command, port: int, folder: Path) -> None:
    """Its author wrote ``logToStderr``, so that it goes to standard output; we say so."""
    sample = Path("/etc/dcmtk/logger.cfg")
    if not sample.exists():
        pytest.skip("no sample configuration of DCMTK's")
    run = run_dcmsend("-lc", sample, "127.0.0.1", port, folder / "a.dcm", cwd=folder)
    assert (run.returncode, run.stderr) == (0, "")
    assert (
        "'log4cplus.appender.console.logToStderr' is not known and has no effect; it is written logToStdErr"
        in run.stdout
    )
    assert (folder / "dcmsend.log").read_text().count("DEBUG: ") > 10
