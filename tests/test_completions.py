"""Completions in the shells themselves: what is offered where, and that nothing is missing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from dcmsend.cli.options import OPTIONS
from scripts.writers.values import Source, names, values
from tests.support.typing_shell import COLUMNS, Terminal

ROOT: Final = Path(__file__).parents[1]
BASH: Final = ROOT / "share" / "bash-completion" / "completions" / "dcmsend"
ZSH: Final = ROOT / "share" / "zsh" / "site-functions"
FISH: Final = ROOT / "share" / "fish" / "vendor_completions.d" / "dcmsend.fish"
ALL: Final = {name for option in OPTIONS for name in names(option)}
PROMPT: Final = "READY>"
REPORTS: Final = {"--report-json", "--report-csv", "--report-html"}
FILES: Final = {"image one.dcm", "image.dcm", "images"}

# Calls the function as readline does, with the words of the command line.
ASK_BASH: Final = """
source "$1"
shift
COMP_TYPE=${TYPE:-9} COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
_dcmsend
printf '%s\\n' "${COMPREPLY[@]}"
"""
# The command line, and what is offered for its last word, by name. Of files, without a slash at the end.
CASES: Final = [
    ("dcmsend --rep", REPORTS),
    ("dcmsend -q --rep", REPORTS),
    ("dcmsend +cr", {"+cra", "+crf", "+crl", "+crv"}),
    ("dcmsend host 104 image +s", {"+sd", "+sp"}),
    ("dcmsend --log-level ", {"fatal", "error", "warn", "info", "debug", "trace"}),
    ("dcmsend -ll tr", {"trace"}),
    ("dcmsend --log-format j", {"json"}),
    ("dcmsend +cl 9", {"9"}),
    ("dcmsend --cipher TLS_AES_256", {"TLS_AES_256_GCM_SHA384"}),
    ("dcmsend +crf im", FILES),
    ("dcmsend +tls im", FILES),
    ("dcmsend +tls key im", FILES),
    ("dcmsend +cd im", {"images"}),
    ("dcmsend --aetitle im", set()),
    ("dcmsend im", set()),
    ("dcmsend host im", set()),
    ("dcmsend -v -aec im host im", set()),
    ("dcmsend host 104 im", FILES),
    ("dcmsend +sd host +crf report 104 im", FILES),
    ("dcmsend +tls key certificate host 104 image.dcm im", FILES),
    ("dcmsend --peer ", {"archive", "two-b", "quoted"}),
    ("dcmsend --peers other.toml --peer ", {"third"}),
    ("dcmsend --peer archive im", FILES),
    ("dcmsend --aetitle +sd --rep", REPORTS),
    ("dcmsend --aetitle --re", set()),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A home with files, a folder and named peers."""
    for name in ("image.dcm", "image one.dcm", "other.txt"):
        (tmp_path / name).touch()
    (tmp_path / "images").mkdir()
    (tmp_path / ".config" / "dcmsend").mkdir(parents=True)
    (tmp_path / ".config" / "dcmsend" / "peers.toml").write_text(
        '# peers\n[archive]\nhost = "a"\n\n[two-b]\nhost = "[no]"\n["quoted"]\n["$(touch taken)"]\n[archive.tls]\n'
    )
    (tmp_path / "other.toml").write_text("[third]\n")
    return tmp_path


@pytest.fixture
def environment(place: Path) -> dict[str, str]:
    kept = {"PATH": os.environ["PATH"], "HOME": str(place), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    return kept | {"COLUMNS": str(COLUMNS), "PS1": f"{PROMPT} "}


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_bash_offers(
    line: str, offered: set[str], place: Path, environment: dict[str, str], program: Callable[[str], str]
) -> None:
    command = [program("bash"), "--norc", "-c", ASK_BASH, "bash", str(BASH), *line.split(" ")]
    assert set(_output(command, place, environment)) == offered
    assert not (place / "taken").exists()


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_fish_offers(
    line: str, offered: set[str], place: Path, environment: dict[str, str], program: Callable[[str], str]
) -> None:
    found = _ask_fish(line, place, environment, program)
    assert {name.rstrip("/").replace("\\", "") for name in found} == offered


@pytest.mark.parametrize("sign", ["-", "+"])
def test_bash_and_fish_offer_every_option(
    sign: str, place: Path, environment: dict[str, str], program: Callable[[str], str]
) -> None:
    wanted = {name for name in ALL if name.startswith(sign)}
    command = [program("bash"), "--norc", "-c", ASK_BASH, "bash", str(BASH), "dcmsend", sign]
    assert set(_output(command, place, environment)) == wanted
    assert set(_ask_fish(f"dcmsend {sign}", place, environment, program)) == wanted


def test_descriptions_are_those_of_the_help(
    place: Path, environment: dict[str, str], program: Callable[[str], str]
) -> None:
    wanted = {name: option.help for option in OPTIONS for name in names(option) if name.startswith("-")}
    assert _ask_fish("dcmsend -", place, environment, program) == wanted
    command = [program("bash"), "--norc", "-c", ASK_BASH, "bash", str(BASH), "dcmsend", "-"]
    listed = _output(command, place, environment | {"TYPE": "63"})
    assert sorted(listed) == sorted(f"{name:24} {text}"[: COLUMNS - 2] for name, text in wanted.items())


# What is typed, and what stands on the command line then.
TYPED: Final = [
    ("dcmsend --rep\t", "dcmsend --report-"),
    ("dcmsend +s\t", "dcmsend +s"),
    ("dcmsend --log-lev\ttra\t", "dcmsend --log-level trace "),
    ("dcmsend +cl 9\t", "dcmsend +cl 9 "),
    ("dcmsend --cipher TLS_AES_256\t", "dcmsend --cipher TLS_AES_256_GCM_SHA384 "),
    ("dcmsend host 104 image.\t", "dcmsend host 104 image.dcm "),
    ("dcmsend +sd host 104 image\\ o\t", "dcmsend +sd host 104 image\\ one.dcm "),
    ('dcmsend host 104 "image o\t', 'dcmsend host 104 "image one.dcm" '),
    ("dcmsend +tls key image.\t", "dcmsend +tls key image.dcm "),
    ("dcmsend +cd im\t", "dcmsend +cd images/"),
    ("dcmsend image.\t", "dcmsend image."),
    ("dcmsend host image.\t", "dcmsend host image."),
    ("dcmsend ::1 image.\t", "dcmsend ::1 image."),
    ("dcmsend ::1 104 image.\t", "dcmsend ::1 104 image.dcm "),
    ("dcmsend --aetitle image.\t", "dcmsend --aetitle image."),
    ("dcmsend --peer two\t", "dcmsend --peer two-b "),
    ("dcmsend --peers other.toml --peer th\t", "dcmsend --peers other.toml --peer third "),
    ("dcmsend --peer archive image.\t", "dcmsend --peer archive image.dcm "),
    ("dcmsend --user me --ver\t", "dcmsend --user me --ver"),
]
# A key that shows the command line as it is, and one that empties it.
SHOW, CLEAR = "\x14", "\x15"
KEY_BASH: Final = (
    r"""bind 'set enable-bracketed-paste off'; bind -x '"\C-t": printf "\n%s%s|\n" "=" "> $READLINE_LINE"'"""
)
KEY_ZSH: Final = r"""show() { printf '\n%s%s|\n' '=' "> $BUFFER" }; zle -N show; bindkey '^T' show"""


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shell_completes_what_is_typed(
    shell: str, place: Path, environment: dict[str, str], program: Callable[[str], str]
) -> None:
    with (_bash if shell == "bash" else _zsh)(place, environment, program) as terminal:
        for keys, wanted in TYPED:
            terminal.type(f"{keys}{SHOW}")
            assert terminal.read_until(r"=> .*\|\n").rpartition("=> ")[2] == f"{wanted}|\n"
            terminal.type(CLEAR)
    assert not (place / "taken").exists()


def test_bash_describes_what_it_lists(place: Path, environment: dict[str, str], program: Callable[[str], str]) -> None:
    with _bash(place, environment, program) as terminal:
        terminal.type("dcmsend --report-\t\t")
        shown = terminal.read_until(r"(?s)--report-json .*?\n")
    for option in OPTIONS:
        if option.long.startswith("--report-"):
            assert f"{option.long:24} {option.help}" in shown


@pytest.mark.parametrize("sign", ["-", "+"])
def test_zsh_offers_every_option(
    sign: str, place: Path, environment: dict[str, str], program: Callable[[str], str]
) -> None:
    """Options with the same description stand in one line; each name is a word of its own."""
    wanted = {name for name in ALL if name.startswith(sign)}
    last = max(wanted)
    with _zsh(place, environment, program) as terminal:
        terminal.type(f"dcmsend {sign}\t")
        shown = terminal.read_until(rf"(?s){last.replace('+', '[+]')} .*dcmsend [{sign}]")
    assert wanted <= set(shown.split())
    assert " ".join(next(option.help for option in OPTIONS if option.long == "--recurse").split()) in shown


def test_all_names_of_files_and_folders_are_completed() -> None:
    """A value that is new in the table, and is a file, must not be overlooked."""
    known = {value.name: value.source for option in OPTIONS for value in values(option)}
    assert {name for name in known if "file" in name} == {n for n, source in known.items() if source is Source.FILES}
    assert [name for name, source in known.items() if source is Source.FOLDERS] == ["directory"]


def _bash(place: Path, environment: dict[str, str], program: Callable[[str], str]) -> Terminal:
    return _shell([program("bash"), "--norc", "--noprofile", "-i"], f"source {BASH}; {KEY_BASH}", place, environment)


def _zsh(place: Path, environment: dict[str, str], program: Callable[[str], str]) -> Terminal:
    setup = f"LISTMAX=0; fpath=({ZSH} $fpath); autoload -Uz compinit; compinit -u -D; {KEY_ZSH}"
    return _shell([program("zsh"), "-f", "-i"], setup, place, environment)


def _shell(command: list[str], setup: str, place: Path, environment: dict[str, str]) -> Terminal:
    terminal = Terminal(command, environment, place)
    terminal.type(f"{setup}; echo set' 'up\n")
    terminal.read_until("set up\n")
    return terminal


def _ask_fish(line: str, place: Path, environment: dict[str, str], program: Callable[[str], str]) -> dict[str, str]:
    command = [program("fish"), "--no-config", "-c", f"source {FISH}; complete -C $argv[1]", line]
    pairs = (each.partition("\t") for each in _output(command, place, environment))
    return {name: description for name, _, description in pairs if name}


def _output(command: list[str], folder: Path, environment: dict[str, str]) -> list[str]:
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stderr == ""
    return [line for line in result.stdout.splitlines() if line]
