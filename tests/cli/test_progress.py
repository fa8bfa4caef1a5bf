"""What is seen of a run while it goes on: a bar on a terminal, lines elsewhere, and nothing where nobody wants it.

The terminal is a real one, of which ``pyte`` says what it shows. Peers hold their responses back until the test has
seen what it waits for, so that there is a state that can be compared.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmsend.cli.log import Level, Log
from dcmsend.cli.progress import Bar, Display, Lines
from dcmsend.cli.progress import Terminal as Frame
from dcmsend.cli.progress_bar import Painter, shows_unicode
from dcmsend.cli.progress_lines import ASCII, UNICODE, details, duration, overview, result, sentence, size
from dcmsend.events import Event, ScanStarted
from dcmsend.progress import Sending, Standing
from tests.support.builder import part10
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    Step,
    accept,
    drain,
    expect_message,
    release,
    respond,
    stall,
    store,
)
from tests.support.servers import FolderServer

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from tests.support.terminal import Terminal

Peer = Callable[..., ScriptedPeer]
Run = Callable[..., CompletedProcess[str]]
Start = Callable[..., Terminal]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
SPEED: Final = re.compile(r" *[\d.]+ [kMGT]?B/s")
LEFT: Final = re.compile(r"  [\d,]+ [a-z]+(?: \d+ [a-z]+)? left")
SENT: Final = re.compile(r"[\d.]+ k?B sent in [\d.]+ s(?: \(\S+ \S+/s\))?")
HIDE: Final = b"\x1b[?25l"
SHOW: Final = b"\x1b[?25h"
SEQUENCE: Final = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")
BAR: Final = "\u2501"


@pytest.fixture
def terminal() -> Iterator[Start]:
    """Start our command on a terminal of its own."""
    started: list[Terminal] = []

    def start(*words: object, columns: int = 80, rows: int = 24, **environment: str) -> Terminal:
        command = [sys.executable, "-m", "dcmsend", *map(str, words)]
        started.append(Terminal(command, columns, rows, environment))
        return started[-1]

    yield start
    for each in started:
        each.end()


def write(folder: Path, count: int, length: int = 0) -> Path:
    """A folder with this many instances."""
    instances = folder / "instances"
    instances.mkdir()
    for number in range(1, count + 1):
        (instances / f"{number:03}.dcm").write_bytes(part10(CT, f"1.2.3.{number}", value=bytes(length)))
    return instances


def take(count: int) -> Step:
    """Take so many bytes off the connection, whatever they are."""

    def step(connection: Connection) -> None:
        left = count
        while left > 0:
            left -= len(connection.socket.recv(min(left, 65536)))

    return step


ENDED: Final = re.compile(r" stored in .*")  # of the line on the run as a whole


def still(line: str) -> str:
    """A line without what depends on the time."""
    return LEFT.sub("", SPEED.sub("", SENT.sub("SENT", line)))


def bars(terminal: Terminal) -> list[str]:
    """The lines of the bar that are visible."""
    return [line for line in terminal.lines if line.startswith(" ")]


def frames(terminal: Terminal) -> list[list[str]]:
    """All frames that were drawn, as lines of text."""
    drawn = terminal.output.decode().split(HIDE.decode())[1:]
    return [SEQUENCE.sub("", frame.partition(SHOW.decode())[0]).strip("\r").split("\r\n") for frame in drawn]


# --- on a terminal

WIDTHS: Final = (
    (40, "  63 %   6 of 11  1 not stored"),
    (80, f" {BAR * 7}\u2578{chr(0x2500) * 4}   63 %   6 of 11  1 not stored"),
    (200, f" {BAR * 25}{chr(0x2500) * 15}   63 %   6 of 11 instances  72.1 of 113 kB  1 not stored"),
)


def failing(count: int = 11) -> list[Step]:
    """Five are stored, the sixth not, and the seventh waits for its response."""
    rest = [store() for _ in range(count - 7)]
    return [accept(), *[store()] * 5, store(0xC000), expect_message(), stall(), respond(), *rest, release()]


@pytest.mark.parametrize(("columns", "bar"), WIDTHS, ids=[f"{columns} columns" for columns, _ in WIDTHS])
def test_bar_fits_the_terminal(columns: int, bar: str, terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    """Whatever else is on the screen are lines of the log, whole and above it."""
    peer = scripted_peer(failing())
    folder = write(tmp_path, 11, 10_000)
    shown = terminal("-nh", "--progress", "+sd", "127.0.0.1", peer.port, folder, columns=columns)
    shown.wait_for(lambda seen: "63 %" in "".join(bars(seen)))
    failure = f"E: peer did not store SOP instance from file: {folder}/006.dcm: 0xc000 (Error: CannotUnderstand)"
    *log, line = [line for line in shown.lines if line]
    assert still(line) == bar
    assert log == wrapped(failure, columns)
    peer.go_on()
    assert shown.finish() == 66
    end = "10 of 11 instances stored, SENT, 1 not stored"
    assert still("".join(shown.lines[len(log) :])).startswith(f"{end}E: 1 of 11 SOP instances were not storedE:   1 x ")
    assert all(len(line) < columns for frame in frames(shown) for line in frame)
    assert cursor_is_free(shown)


def wrapped(line: str, columns: int) -> list[str]:
    """A line as a terminal shows it."""
    return [line[at : at + columns].rstrip() for at in range(0, len(line), columns)]


def cursor_is_free(shown: Terminal) -> bool:
    """It is visible, at the beginning of an empty line behind all that was written, and was never left hidden."""
    place = shown.screen.cursor
    free = place.x == 0 and not any(shown.lines[place.y :]) and (place.y == 0 or bool(shown.lines[place.y - 1]))
    return free and not place.hidden and shown.output.count(HIDE) == shown.output.count(SHOW) > 0


@pytest.mark.parametrize(
    "environment", [{"LANG": "C"}, {"LANG": "en_US.ISO-8859-1"}, {"LC_ALL": "POSIX"}, {"LANG": ""}]
)
def test_terminals_without_unicode_get_none(
    environment: dict[str, str], terminal: Start, scripted_peer: Peer, tmp_path: Path
) -> None:
    peer = scripted_peer(failing())
    shown = terminal("-nh", "--progress", "+sd", "127.0.0.1", peer.port, write(tmp_path, 11, 10_000), **environment)
    shown.wait_for("63 %")
    assert still(bars(shown)[0]) == " #######.....   63 %   6 of 11  1 not stored"
    peer.go_on()
    assert shown.finish() == 66
    assert shown.output.isascii()


def test_colours(terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer(failing())
    shown = terminal("-nh", "--progress", "+sd", "127.0.0.1", peer.port, write(tmp_path, 11, 10_000))
    shown.wait_for("63 %")
    row = shown.lines.index(bars(shown)[0])
    cells = shown.screen.buffer[row]
    failed = shown.lines[row].index("1 not stored")
    assert cells[1].fg == "cyan"
    assert (cells[failed].fg, cells[failed].bold) == ("red", True)
    peer.go_on()
    assert shown.finish() == 66


def test_no_color_means_none(terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    """Bold stays: it is no colour."""
    peer = scripted_peer(failing())
    shown = terminal("-nh", "--progress", "+sd", "127.0.0.1", peer.port, write(tmp_path, 11), NO_COLOR="1")
    shown.wait_for("1 not stored")
    peer.go_on()
    assert shown.finish() == 66
    codes = {code for group in re.findall(rb"\x1b\[([\d;]*)m", shown.output) for code in group.split(b";")}
    assert codes <= {b"", b"0", b"1", b"2"}
    assert b"1" in codes


def test_a_long_instance_moves_the_bar(terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    """The peer takes half of the data set, and the system's buffers a bit more."""
    length = 64 << 20
    peer = scripted_peer(
        [accept(), take(length // 4), stall(), take(length // 4), stall(), drain()], receive_buffer=65536
    )
    shown = terminal("--progress", "-v", "+sd", "127.0.0.1", peer.port, write(tmp_path, 1, length))
    shown.wait_for(lambda seen: 25 <= share(seen) <= 35)
    assert share(shown, 1) in range(25, 36)
    peer.go_on()
    shown.wait_for(lambda seen: 50 <= share(seen) <= 60)
    assert share(shown, 1) in range(50, 61)
    assert "0 of 1 instances" in bars(shown)[0]
    shown.type(b"\x03")
    shown.wait_for("once more to abort")
    shown.type(b"\x03")
    assert shown.finish() == 130
    peer.go_on()


def share(shown: Terminal, line: int = 0) -> int:
    """The per cent that a line of the bar tells, -1 for none."""
    found = re.search(r"(\d+) %", (bars(shown)[line:] or [""])[0])
    return int(found[1]) if found else -1


def test_log_lines_go_above_the_bar(terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    """They are those that there are without a bar; there is one bar, and a line for the association."""
    script = [accept(), *[store()] * 20, expect_message(), stall(), respond(), release()]
    peer = scripted_peer(script, [accept(), *[store()] * 21, release()])
    folder = write(tmp_path, 21)
    shown = terminal("--progress", "-v", "+sd", "127.0.0.1", peer.port, folder, columns=160, rows=12)
    shown.wait_for(lambda seen: "20 of 21" in "".join(bars(seen)) and "20 sent" in "".join(bars(seen)))
    assert all(line.startswith("I: ") for line in (shown.scrolled + shown.lines)[:-2])
    assert still(shown.lines[-1]) == f" #1    20 sent     50 B  {folder}/021.dcm"
    peer.go_on()
    assert shown.finish() == 0
    command = [sys.executable, "-m", "dcmsend", "-v", "+sd", "127.0.0.1", str(peer.port), str(folder)]
    bare = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    told = [ENDED.sub("", still(line)) for line in shown.text.split("\n")]
    told.remove("21 of 21 instances stored, SENT")
    assert told == [ENDED.sub("", still(line.rstrip())) for line in bare.stderr.split("\n")][:-1]


def test_names_are_no_markup_and_no_sequences(terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "[bold]x[red]\x1b[2J\u202e\u6f22.dcm").write_bytes(part10(CT, "1.2.3"))
    peer = scripted_peer([accept(), expect_message(), stall(), respond(), release()])
    shown = terminal("--progress", "-v", "+sd", "127.0.0.1", peer.port, folder, columns=200)
    shown.wait_for(lambda seen: "[bold]x[red]\\x1b[2J\\u202e\u6f22" in "".join(bars(seen)))
    peer.go_on()
    assert shown.finish() == 0
    assert b"\x1b[2J" not in shown.output


def test_terminal_is_resized(terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    """The bar fits again, and nothing of the one before is left."""
    peer = scripted_peer(failing())
    folder = write(tmp_path, 11, 10_000)
    shown = terminal("-nh", "--progress", "+sd", "127.0.0.1", peer.port, folder, columns=200)
    for columns, bar in (WIDTHS[2], WIDTHS[0], WIDTHS[1], WIDTHS[2]):
        shown.resize(columns)
        shown.wait_for(lambda seen, bar=bar: [still(line) for line in bars(seen)] == [bar])  # type: ignore[misc]
    peer.go_on()
    assert shown.finish() == 66
    assert bars(shown) == []


def test_by_default_it_is_shown_when_a_run_takes_longer(terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), expect_message(), stall(), respond(), release()])
    shown = terminal("+sd", "127.0.0.1", peer.port, write(tmp_path, 2))
    shown.wait_for(lambda seen: "1 of 2" in "".join(bars(seen)))
    peer.go_on()
    assert shown.finish() == 0
    assert still(shown.text) == "2 of 2 instances stored, SENT"
    assert cursor_is_free(shown)


LOADED: Final = """
import sys
before = set(sys.modules)  # what measures coverage is here already
import dcmsend.cli.main, dcmsend.cli.progress
dcmsend.cli.progress._DELAY = 1000  # the machine may be slow
code = dcmsend.cli.main.main(sys.argv[2:])
names = [name for name in ("rich", "threading", "dcmsend.cli.progress_bar") if name in sys.modules.keys() - before]
open(sys.argv[1], "w").write(f"{code} {names}")
"""


def test_a_short_run_shows_and_imports_nothing(scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), store(), release()])
    told = tmp_path / "told"
    words = ["+sd", "127.0.0.1", str(peer.port), str(write(tmp_path, 2))]
    shown = Terminal([sys.executable, "-c", LOADED, str(told), *words], 80)
    try:
        assert shown.finish() == 0
    finally:
        shown.end()
    assert shown.output == b""
    assert told.read_text() == "0 []"


@pytest.mark.parametrize(
    ("words", "environment"),
    [(("-q", "--progress"), {}), (("-ll", "fatal", "--progress"), {}), (("--progress", "--no-progress"), {})],
)
def test_nothing_is_shown_where_nobody_wants_it(
    words: tuple[str, ...], environment: dict[str, str], terminal: Start, scripted_peer: Peer, tmp_path: Path
) -> None:
    peer = scripted_peer([accept(), store(), store(), release()])
    shown = terminal(*words, "+sd", "127.0.0.1", peer.port, write(tmp_path, 2), **environment)
    assert shown.finish() == 0
    assert shown.output == b""


def test_a_job_in_the_background_draws_nothing(scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), store(), release()])
    command = [sys.executable, "-m", "dcmsend", "--progress", "+sd", "127.0.0.1", str(peer.port)]
    background = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:], process_group=0))"
    shown = Terminal([sys.executable, "-c", background, *command, str(write(tmp_path, 2))], 80)
    try:
        assert shown.finish() == 0
    finally:
        shown.end()
    assert still(shown.text) == "2 of 2 instances stored, SENT"
    assert HIDE not in shown.output


# --- the end


@pytest.mark.parametrize("option", ["-nh", "-v"])
def test_ctrl_c_leaves_a_clean_screen(option: str, terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), expect_message(), stall(), respond(), release()])
    shown = terminal("--progress", option, "+sd", "127.0.0.1", peer.port, write(tmp_path, 3))
    shown.wait_for(lambda seen: "1 of 3" in "".join(bars(seen)))
    shown.type(b"\x03")
    shown.wait_for("once more to abort")
    assert len(bars(shown)) == (2 if option == "-v" else 1)
    peer.go_on()
    assert shown.finish() == 130
    assert BAR not in shown.text
    told = [still(line) for line in shown.text.split("\n")]
    lines = [line for line in told if not line.startswith("I: ") and line != "I:"]
    assert lines[:6] == [
        "W: interrupted, finishing the instance under way; once more to abort",
        "2 of 3 instances stored, SENT, 1 not tried",
        "F: stopped by the user",
        "F: The run was stopped. The same command sends the rest; with --journal it leave",
        "s out what is stored.",
        "E: 1 of 3 SOP instances were not stored",
    ]
    hint = "E:       The run was stopped. The same command sends the rest; with --journal it leaves out what is stored."
    assert "".join(lines[6:]) == (
        f"E:   1 x not tried: the run ended before (stopped by the user): {tmp_path}/instances/003.dcm{hint}"
    )
    assert cursor_is_free(shown)


# Takes no notice of a request to stop.
DEAF: Final = """
import sys
from dcmsend.cli.program import program
from dcmsend.stop import Stop
Stop.request = lambda self: None
sys.argv[0] = "dcmsend"
program()
"""


def test_the_third_ctrl_c_leaves_a_clean_screen(scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), expect_message(), stall(), drain()])
    words = ["--progress", "+sd", "127.0.0.1", str(peer.port), str(write(tmp_path, 3))]
    shown = Terminal([sys.executable, "-c", DEAF, *words], 80)
    try:
        shown.wait_for(lambda seen: "1 of 3" in "".join(bars(seen)))
        for number in (1, 2):
            shown.type(b"\x03")
            shown.wait_for(lambda seen, number=number: seen.text.count("once more") == number)  # type: ignore[misc]
        shown.type(b"\x03")
        assert shown.finish() == 130
    finally:
        shown.end()
        peer.go_on()
    assert BAR not in shown.text
    assert [still(line) for line in shown.lines if line][2:] == ["F: interrupted"]
    assert cursor_is_free(shown)


def test_a_killed_run_leaves_the_cursor_visible(terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), expect_message(), stall(), drain()])
    shown = terminal("--progress", "+sd", "127.0.0.1", peer.port, write(tmp_path, 3))
    shown.wait_for(lambda seen: "1 of 3" in "".join(bars(seen)))
    shown.process.kill()
    shown.finish()
    peer.go_on()
    assert not shown.screen.cursor.hidden
    assert shown.output.count(HIDE) == shown.output.count(SHOW) > 0


def test_a_defect_leaves_a_clean_screen(scripted_peer: Peer, tmp_path: Path) -> None:
    broken = "import dcmsend.api, sys\ndef send(*_, **__): raise KeyError('x')\ndcmsend.api.send = send\n"
    broken += "from dcmsend.cli.program import program\nprogram()"
    shown = Terminal([sys.executable, "-c", broken, "--progress", "127.0.0.1", "104", str(tmp_path)], 80)
    try:
        assert shown.finish() == 70
    finally:
        shown.end()
    told = [still(line) for line in shown.lines if line]
    assert told == ["0 of 0 instances stored, SENT", "F: internal error: KeyError: 'x'"]
    assert cursor_is_free(shown)


# --- elsewhere


def test_lines_where_there_is_no_terminal(run_dcmsend: Run, scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), store(0xC000), release()])
    done = run_dcmsend("-nh", "--progress", "+sd", "127.0.0.1", peer.port, write(tmp_path, 2))
    assert [still(line) for line in done.stderr.split("\n") if "progress" in line] == [
        "I: progress: 1 of 2 instances stored, SENT, 1 not stored"
    ]


def test_lines_on_a_terminal_that_cannot_draw(terminal: Start, scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), store(), release()])
    shown = terminal("--progress", "+sd", "127.0.0.1", peer.port, write(tmp_path, 2), TERM="dumb")
    assert shown.finish() == 0
    assert shown.text.startswith("I: progress: 2 of 2 instances stored, ")
    assert b"\x1b" not in shown.output


@pytest.mark.parametrize("words", [(), ("-q", "--progress"), ("--no-progress",)])
def test_nothing_is_shown_elsewhere_unless_it_is_asked_for(
    words: tuple[str, ...], run_dcmsend: Run, scripted_peer: Peer, tmp_path: Path
) -> None:
    peer = scripted_peer([accept(), store(), store(), release()])
    done = run_dcmsend(*words, "+sd", "127.0.0.1", peer.port, write(tmp_path, 2))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Shown:
    """A way to show that lets the test know."""

    def __init__(self, broken: Exception | None = None) -> None:
        self.standings: list[Standing] = []
        self.enough = threading.Event()
        self._broken = broken

    def show(self, standing: Standing) -> None:
        if self._broken:
            self.enough.set()
            raise self._broken
        self.standings.append(standing)
        if len(self.standings) == 3:
            self.enough.set()

    def end(self, standing: Standing) -> None:
        self.standings.append(standing)


def test_it_is_shown_again_and_again_while_nothing_happens() -> None:
    """By a thread of its own, which is gone afterwards."""
    shown, stream, heard = Shown(), io.StringIO(), list[Event]()
    log = Log(stream)
    before = threading.active_count()
    with Display(shown, Frame(stream), log, delay=0.001, period=0.001) as display:
        display.listening(heard.append)(ScanStarted(False))
        assert shown.enough.wait(30)
    assert heard == [ScanStarted(False)]
    assert threading.active_count() <= before
    assert len(shown.standings) >= 4
    log.warn("after")
    assert stream.getvalue() == "W: after\n"


def test_lines_go_into_the_log_whatever_its_level() -> None:
    stream = io.StringIO()
    log = Log(stream, Level.ERROR)
    face = Lines(log)
    with Display(face, Frame(stream), log, delay=1000, period=1000) as display:
        face.show(display._progress.standing())
    assert [still(line) for line in stream.getvalue().split("\n")] == [
        "I: progress: looking at the input",
        "I: progress: 0 of 0 instances stored, SENT",
        "",
    ]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (KeyError("x\n"), "W: the display of progress broke: KeyError: 'x\\n'\n"),
        (OSError("terminal has gone"), ""),
        (ValueError("closed"), ""),
    ],
)
@pytest.mark.parametrize("delay", [0, 0.001], ids=["at once", "later"])
def test_a_display_that_breaks_does_not_break_the_run(broken: Exception, told: str, delay: float) -> None:
    stream = io.StringIO()
    log, shown = Log(stream), Shown(broken)
    with Display(shown, Frame(stream), log, delay=delay, period=0.001):
        assert shown.enough.wait(30)
        log.warn("goes on")
    assert stream.getvalue() == f"W: goes on\n{told}"


class Tty(io.StringIO):
    """A stream that takes itself for a terminal, and may call somebody in the middle of a write."""

    encoding = "utf-8"
    meanwhile: Callable[[], object] | None = None

    def isatty(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if self.meanwhile:
            call, self.meanwhile = self.meanwhile, None
            call()
        return super().write(text)


def test_a_signal_in_the_middle_of_a_write_is_told_so() -> None:
    stream = Tty()
    frame = Frame(stream)

    def handler() -> None:
        with pytest.raises(RuntimeError):
            frame.write("in between\n")

    frame.draw([" bar"])
    stream.meanwhile = handler
    frame.write("line\n")
    frame.close("end\n")
    frame.draw([" late"])
    text = SEQUENCE.sub("", stream.getvalue())
    assert text.replace("\r", "") == " barline\n barend\n"


def test_a_frame_that_is_the_same_is_not_drawn_again() -> None:
    stream = Tty()
    frame = Frame(stream)
    frame.draw([" one", " two"])
    written = stream.getvalue()
    frame.draw([" one", " two"])
    assert stream.getvalue() == written
    frame.draw([" one"])
    assert stream.getvalue() != written


LONG_LINE: Final = st.text(st.sampled_from("abc "), max_size=70)
STEPS: Final = st.lists(st.one_of(st.lists(LONG_LINE, max_size=4), LONG_LINE), max_size=30)


@settings(deadline=None)
@given(STEPS)
def test_any_frames_and_lines_on_a_small_screen(steps: list[list[str] | str]) -> None:
    """The last frame is below all lines, and nothing else is left, whatever has scrolled away."""
    seen = pyte.HistoryScreen(72, 7, history=10_000)
    screen, stream = pyte.Stream(seen), Tty()
    frame = Frame(stream)
    log, shown = list[str](), list[str]()
    for step in steps:
        if isinstance(step, str):
            log.append(step.rstrip())
            frame.write(f"{step}\n")
        else:
            shown = [line.rstrip() for line in step]
            frame.draw(step)
        screen.feed(re.sub(r"(?<!\r)\n", "\r\n", stream.getvalue()))
        stream.seek(0)
        stream.truncate()
        scrolled = ["".join(row[x].data for x in range(72)).rstrip() for row in seen.history.top]
        visible = [line.rstrip() for line in seen.display]
        rows = max(len(log) + len(shown), 7, len(scrolled) + 7)
        assert [*scrolled, *visible] == [*log, *shown, *[""] * (rows - len(log) - len(shown))]


# --- what the lines say


def standing(**changes: Any) -> Standing:
    """A run of some days."""
    values: dict[str, Any] = {
        "found": 2_000_000,
        "size": 1_310_000_000_000,
        "scanned": True,
        "done": 1_234_567,
        "done_size": 812_345_000_000,
        "stored": 1_234_555,
        "failed": 12,
        "known": 0,
        "postponed": 0,
        "left_out": 0,
        "sent": 812_345_000_000,
        "rate": 112_345_678.0,
        "elapsed": 7253.0,
        "left": 273_600.0,
        "fraction": 0.62,
        "associations": tuple(sending(number) for number in range(1, 9)),
    }
    return Standing(**values | changes)


def sending(number: int, length: int = 512_000_000, path: str = "") -> Sending:
    path = path or f"archive/{number:0100}.dcm"
    return Sending(association=number, path=path, length=length, sent=length // 2, answered=4321)


SPEEDY: Final = "   112 MB/s"
FAILED: Final = "12 not stored"
ODD: Final = "12 not stored  3 to be tried again  1,200 left out  7 by earlier runs"
LINES: Final[tuple[tuple[dict[str, Any], int, str], ...]] = (
    (
        {},
        200,
        f"62.0 %  1,234,567 of 2,000,000 instances  812 GB of 1.31 TB{SPEEDY}  3 d 4 h left  8 associations  {FAILED}",
    ),
    ({}, 79, "62.0 %  1,234,567 of 2,000,000   112 MB/s  3 d 4 h left  12 not stored"),
    ({}, 40, "1,234,567 of 2,000,000  12 not stored"),
    (
        {"scanned": False, "left": None, "failed": 0},
        110,
        "1,234,567 of 2,000,000+ instances  812 GB of 1.31+ TB   112 MB/s  8 associations",
    ),
    ({"found": 0, "done": 0, "scanned": False, "left_out": 1}, 80, "looking at the input  1 left out"),
    ({"associations": (), "failed": 0}, 79, "62.0 %  1,234,567 of 2,000,000   112 MB/s  3 d 4 h left  no association"),
    (
        {"associations": (sending(1),), "postponed": 3, "left_out": 1200, "known": 7, "left": None, "size": 0},
        200,
        f"62.0 %  1,234,567 of 2,000,000 instances{SPEEDY}  {ODD}",
    ),
    (
        {"found": 5, "done": 5, "size": 100, "done_size": 100, "failed": 0, "associations": (), "left": 0.0},
        79,
        "62 %  5 of 5 instances  100 of 100 B   112 MB/s",
    ),
)


@pytest.mark.parametrize(("changes", "width", "line"), LINES)
def test_overview(changes: dict[str, Any], width: int, line: str) -> None:
    parts = overview(standing(**changes), width, ASCII)
    text = "".join(part.text for part in parts if part.kind not in ("bar", "rest")).strip()
    assert text == line
    assert sum(len(part.text) for part in parts) <= width


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.4999, 0.5, 0.9999, 1.0])
@pytest.mark.parametrize("glyphs", [ASCII, UNICODE], ids=["ascii", "unicode"])
def test_every_line_fits_every_width(fraction: float, glyphs: Any) -> None:
    for changes, _, _ in LINES:
        for width in range(1, 220):
            now = standing(fraction=fraction, **changes)
            lines = [overview(now, width, glyphs), *details(now, width, 5, glyphs)]
            assert len(lines) <= 6
            assert all(sum(len(part.text) for part in line) <= width for line in lines)


def test_bar_is_full_only_at_the_end() -> None:
    for fraction in (0.0, 0.5, 0.9999, 1.0):
        parts = overview(standing(fraction=fraction), 200, UNICODE)
        kinds = {part.kind: part.text for part in parts}
        assert len(kinds["bar"]) + len(kinds["rest"]) == 40
        assert (kinds["bar"] == BAR * 40) == (fraction == 1.0)
        assert ("100" in kinds["share"]) == (fraction == 1.0)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1.00 kB"),
        (1000, "1.00 kB"),
        (9994, "9.99 kB"),
        (9996, "10.0 kB"),
        (99_960, "100 kB"),
        (999_499, "999 kB"),
        (999_600, "1.00 MB"),
        (1_310_000_000_000, "1.31 TB"),
        (10**21, "1,000 EB"),
    ],
)
def test_size(number: float, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (95, "1 min 35 s"),
        (599.6, "10 min"),
        (3569, "59 min"),
        (3571, "1 h 00 min"),
        (7980, "2 h 13 min"),
        (86_369, "23 h 59 min"),
        (86_399, "1 d 0 h"),
        (273_600, "3 d 4 h"),
        (1e9, "11,574 d 2 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sentence_and_result() -> None:
    now = standing(left_out=2)
    assert sentence(now) == (
        "62.0 %, 1,234,567 of 2,000,000 instances, 812 GB of 1.31 TB, 112 MB/s, 3 d 4 h left, 8 associations, "
        "12 not stored, 2 left out"
    )
    assert result(now) == (
        "1,234,555 of 2,000,000 instances stored, 812 GB sent in 2 h 01 min (112 MB/s), 12 not stored, "
        "765,433 not tried, 2 left out"
    )


@pytest.mark.parametrize(
    ("environment", "encoding", "expected"),
    [
        ({"LANG": "en_US.UTF-8"}, "utf-8", True),
        ({"LANG": "en_US.utf8"}, "UTF-8", True),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, "utf-8", False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, "utf-8", False),  # Python's doing
        ({"LC_CTYPE": "de_DE.UTF-8", "LANG": "C"}, "utf-8", True),
        ({"LANG": "de_DE.UTF-8"}, "iso8859-1", False),
        ({"LANG": "de_DE.UTF-8"}, None, False),
        ({}, "utf-8", False),
    ],
)
def test_which_terminals_show_unicode(environment: dict[str, str], encoding: str | None, expected: bool) -> None:
    assert shows_unicode(environment, encoding) is expected


@pytest.mark.parametrize("rows", [1, 2, 3, 10, 24, 100])
def test_lines_of_associations_leave_room_on_the_screen(rows: int) -> None:
    now = standing(associations=tuple(sending(number) for number in range(1, 65)))
    painter = Painter(Tty(), verbose=True, environment={"LANG": "C.UTF-8"})
    lines = [SEQUENCE.sub("", line) for line in painter.paint(now, 80, rows)]
    assert len(lines) < max(2, rows)
    assert len(lines) == 65 or rows <= 4 or lines[-1] == f" and {64 - (len(lines) - 2)} more" or rows == 100
    assert len(Painter(Tty(), verbose=False).paint(now, 80, rows)) == 1


def test_wide_characters_take_two_cells() -> None:
    now = standing(associations=(sending(1, path="\u6f22" * 100 + "/end.dcm"),))
    for columns in (40, 41, 80, 81):
        line = SEQUENCE.sub(
            "", Painter(Tty(), verbose=True, environment={"LANG": "C.UTF-8"}).paint(now, columns, 24)[1]
        )
        assert line.endswith("\u6f22/end.dcm")
        assert "  \u2026\u6f22" in line
        cells = sum(2 if character == "\u6f22" else 1 for character in line)
        assert columns - 2 <= cells < columns


def test_bar_asks_for_the_size_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a terminal does not tell one: the usual size is taken."""
    stream = Tty()
    frame = Frame(stream)
    bar = Bar(frame, verbose=False)
    bar.show(standing())
    assert frame.size == (80, 24)
    assert len(SEQUENCE.sub("", stream.getvalue()).strip("\r")) < 80


# --- real peers


def test_real_peer_gets_all_samples(
    terminal: Start, storescp: Callable[..., FolderServer], samples: list[Path]
) -> None:
    """Those of the sample files that DCMTK's storescp takes, several times over, on four associations."""
    server = storescp()
    words = ("--associations", 4, "--send-duplicates", "-dn", "-nh", "--progress", "-ll", "error")
    shown = terminal(*words, "127.0.0.1", server.port, *(samples * 4), columns=120)
    code = shown.finish()
    found = re.search(r"^([\d,]+) of ([\d,]+) instances stored", shown.text, re.MULTILINE)
    assert found is not None
    stored, of = (int(number.replace(",", "")) for number in found.groups())
    assert of == 4 * len(samples)
    assert (stored == of) == (code == 0)
    assert stored >= 4 * len(server.stored()) > 0
    assert BAR not in "".join(shown.scrolled + shown.lines)
    assert cursor_is_free(shown)
