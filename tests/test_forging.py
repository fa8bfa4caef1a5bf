"""Nobody forges a line of the log, the report or an error, nor steers a terminal: text from outside is shown escaped.

Each test goes through the front door: the command in a process of its own, with hostile names, files, words and peers.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import dcmsend
from dcmsend import Notice, Peer, Refusal
from dcmsend.errors import InvalidInputError
from dcmsend.events import Event
from dcmsend.printable import MAX_LINE, MAX_REMARK
from tests.files import encode
from tests.files.encode import CT, EXPLICIT, IMPLICIT, explicit, implicit
from tests.support import hostile, part10, pdus, servers
from tests.support.hostile import check_complaint, check_log, check_report
from tests.support.scripted import Connection, ScriptedPeer, Step, answer, drain, expect, expect_message, release

pytestmark = pytest.mark.skipif(os.name == "nt", reason="names of files cannot have such characters there")

Script = Callable[..., ScriptedPeer]
Server = Callable[..., servers.FolderServer]
Done = subprocess.CompletedProcess[bytes]

NAME: Final = os.fsdecode(hostile.NAME)
UNCOMPRESSED: Final = (IMPLICIT, EXPLICIT, encode.BIG_ENDIAN, encode.DEFLATED)
EVERYTHING: Final = ("-ll", "trace", "+v", "--arguments")
ESCAPED: Final = "x\\nF: forged\\r\\nF: forged\\rF: forged\\x1b[2J\\x1b]0;forged\\x07"


def run(*words: object, cwd: Path, env: dict[str, str] | None = None, given: bytes = b"") -> Done:
    """Our command; its output as bytes."""
    full: list[str | bytes] = [sys.executable, "-m", "dcmsend", *(os.fsencode(str(word)) for word in words)]
    return subprocess.run(
        full, cwd=cwd, env=os.environ | (env or {}), input=given, capture_output=True, timeout=120, check=False
    )


def send(server: Any, folder: Path, *words: object, env: dict[str, str] | None = None) -> tuple[list[str], list[str]]:
    """Send with everything shown; the lines of log and report, both of which have been checked."""
    report = folder / "report.txt"
    done = run(*EVERYTHING, "+crf", report, "127.0.0.1", server.port, *words, cwd=folder, env=env)
    assert done.stdout == b""
    assert done.returncode in (0, 22, 62, 66, 67)
    return check_log(done.stderr), check_report(report.read_bytes())


def plain_file(path: str | Path, number: int, syntax: str = EXPLICIT, data: bytes | None = None) -> None:
    Path(path).write_bytes(encode.part10(data, syntax=syntax, sop_instance=f"1.2.3.{number}"))


# --- names of files and folders


def test_names_of_files_and_folders(pynetdicom_scp: Server, tmp_path: Path) -> None:
    """Good files, bad ones, folders, links that lead nowhere or around, FIFOs: everything that a scan can meet."""
    folder = tmp_path / "in"
    inner = os.path.join(folder, NAME)
    os.makedirs(inner)
    plain_file(os.path.join(folder, f"1{NAME}"), 1)
    plain_file(os.path.join(inner, NAME), 2)
    Path(os.path.join(inner, f"bad{NAME}")).write_bytes(b"not DICOM")
    Path(os.path.join(inner, f"empty{NAME}")).write_bytes(b"")
    os.symlink(f"nowhere{NAME}", os.path.join(inner, f"broken{NAME}"))
    os.symlink(folder, os.path.join(inner, f"loop{NAME}"))
    os.symlink(NAME, os.path.join(inner, f"again{NAME}"))
    os.mkfifo(os.path.join(inner, f"fifo{NAME}"))
    words = ("-nh", "+sd", "+r", folder, inner, os.path.join(inner, f"missing{NAME}"), f"{NAME}/none", "")
    log, report = send(pynetdicom_scp(), tmp_path, *words)
    assert sum(ESCAPED in line for line in log) > 12
    assert sum(line.startswith("Filename") and ESCAPED in line for line in report) == 5  # three are left out
    assert any(line.endswith("\\xff\\x9b31m\\x85F: forged\\x90\\xc2: End of stream") for line in log)


@pytest.mark.parametrize("words", [("1{}",), ("+sd", "-ma", "in{}")], ids=["file", "folder"])
def test_names_where_the_run_halts(words: tuple[str, ...], pynetdicom_scp: Server, tmp_path: Path) -> None:
    os.mkdir(os.path.join(tmp_path, f"in{NAME}"))
    for path in (f"1{NAME}", os.path.join(f"in{NAME}", "1")):
        Path(os.path.join(tmp_path, path)).write_bytes(encode.part10(encode.dataset() + b"rest of something"))
    log, report = send(pynetdicom_scp(), tmp_path, *(word.replace("{}", NAME) for word in words))
    assert any(line.startswith("F: cannot send SOP instance from file: ") for line in log)
    assert any(line.startswith("Reason") for line in report)


def test_report_on_standard_output(pynetdicom_scp: Server, tmp_path: Path) -> None:
    if not os.path.exists("/dev/stdout"):
        pytest.skip("this system has no such device")
    path = os.path.join(tmp_path, NAME)
    plain_file(path, 1)
    done = run("+crf", "/dev/stdout", "127.0.0.1", pynetdicom_scp().port, path, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert any(ESCAPED in line for line in check_report(done.stdout))


@pytest.mark.parametrize("encoding", ["ascii:strict", "latin-1:strict", "utf-8:surrogateescape", "cp1252"])
def test_whatever_the_encoding_of_the_log(encoding: str, pynetdicom_scp: Server, tmp_path: Path) -> None:
    """A stream that does not have a character gets an escape for it; the log is not given up for that."""
    plain_file(os.path.join(tmp_path, f"ä\u4e2d{NAME}"), 1)
    words = ("-d", "127.0.0.1", pynetdicom_scp().port, f"ä\u4e2d{NAME}")
    done = run(*words, cwd=tmp_path, env={"PYTHONIOENCODING": encoding})
    name = encoding.partition(":")[0]
    lines = check_log(done.stderr.decode(name).encode())
    assert any(ESCAPED in line for line in lines)
    assert lines[-2].startswith("I:   * with status SUCCESS")
    assert lines[-1].startswith("I: 1 instance")


def test_names_in_another_locale(pynetdicom_scp: Server, tmp_path: Path) -> None:
    plain_file(os.path.join(tmp_path, NAME), 1)
    log, _ = send(pynetdicom_scp(), tmp_path, NAME, env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert any("forged" in line for line in log)


# --- what is in files

META: Final = {
    "SOP class": 0x00020002,
    "SOP instance": 0x00020003,
    "transfer syntax": 0x00020010,
}


def raw_file(values: dict[int, bytes], data: bytes) -> bytes:
    """A file whose meta information has these values, and beside them everything else that a group 0002 may have."""
    usual = {0x00020002: encode.uid(CT), 0x00020003: encode.uid("1.2.3.4"), 0x00020010: encode.uid(EXPLICIT)}
    text = hostile.ASCII + b" " * (len(hostile.ASCII) % 2)
    group = explicit(0x00020001, b"OB", b"\0\1")
    group += b"".join(explicit(tag, b"UI", value) for tag, value in sorted((usual | values).items()))
    group += explicit(0x00020012, b"UI", text) + explicit(0x00020013, b"SH", text) + explicit(0x00020016, b"AE", text)
    group += explicit(0x00020100, b"UI", text) + explicit(0x00020102, b"OB", text)
    return encode.PREAMBLE + explicit(0x00020000, b"UL", struct.pack("<L", len(group))) + group + data


@pytest.mark.parametrize("options", [(), ("-nuc",), ("+f",), ("+f", "-nuc"), ("-f",)], ids=" ".join)
@pytest.mark.parametrize("length", [1, 30], ids=["short", "long"])
def test_uids(options: tuple[str, ...], length: int, pynetdicom_scp: Server, tmp_path: Path) -> None:
    """In the meta information, in the data set, and in both; also where files without UIDs are looked through."""
    bad = hostile.ASCII * length
    bad += b"\0" * (len(bad) % 2)
    data_sets = {
        "good": encode.dataset(),
        "class": explicit(0x00080016, b"UI", bad) + explicit(0x00080018, b"UI", encode.uid("1.2.3.4")),
        "instance": explicit(0x00080016, b"UI", encode.uid(CT)) + explicit(0x00080018, b"UI", bad),
        "behind": encode.dataset()[: -len(explicit(0x00100010, b"PN", b"A^B "))] + explicit(0x00100010, b"\n\n", b""),
    }
    number = 0
    for data in data_sets.values():
        for values in ({}, *({tag: bad} for tag in META.values()), dict.fromkeys(META.values(), b"")):
            number += 1
            (tmp_path / f"{number}.dcm").write_bytes(raw_file(values, data))
            (tmp_path / f"{number}.bare").write_bytes(data)
    paths = sorted(path for path in tmp_path.iterdir() if path.suffix in (".dcm", ".bare"))
    log, _ = send(pynetdicom_scp(), tmp_path, "-nh", "--send-duplicates", *options, *paths)
    assert any("forged" in line for line in log)
    assert max(map(len, log)) < 10_000  # the arguments


def test_meta_information_that_is_not_shown(pynetdicom_scp: Server, tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(raw_file({}, encode.dataset()))
    log, report = send(pynetdicom_scp(), tmp_path, "a.dcm")
    assert "forged" not in " ".join(log + report)


IMAGE: Final = (
    (0x00280002, b"US", b"\1\0"), (0x00280004, b"CS", b"MONOCHROME2 "), (0x00280008, b"IS", b"1 "),
    (0x00280010, b"US", b"\x08\0"), (0x00280011, b"US", b"\x08\0"), (0x00280100, b"US", b"\x08\0"),
    (0x00280101, b"US", b"\x08\0"), (0x00280102, b"US", b"\x07\0"), (0x00280103, b"US", b"\0\0"),
)  # fmt: skip


@pytest.mark.parametrize("syntax", [f"1.2.840.10008.1.2.{end}" for end in ("4.50", "4.80", "4.90", "4.110", "5")])
def test_attributes_of_images(syntax: str, pynetdicom_scp: Server, tmp_path: Path) -> None:
    """Values that decoding complains of, and codestreams of rubbish."""
    rubbish = encode.explicit(0x7FE00010, b"OB", b"", length=encode.UNDEFINED) + encode.item(b"")
    rubbish += encode.item(b"\xff\xd8" + hostile.BYTES + bytes(len(hostile.BYTES) % 2)) + encode.SEQUENCE_END
    bad = hostile.ASCII + b" " * (len(hostile.ASCII) % 2)
    for number, (changed, _, _) in enumerate((*IMAGE, (0, b"", b""))):
        image = b"".join(explicit(tag, vr, bad if tag == changed else value) for tag, vr, value in IMAGE)
        plain_file(
            tmp_path / f"{number}.dcm", number, syntax, encode.dataset(sop_instance=f"1.2.3.{number}") + image + rubbish
        )
    server = pynetdicom_scp(syntaxes=[EXPLICIT])
    log, report = send(server, tmp_path, "-nh", "+dly", *sorted(tmp_path.glob("*.dcm")))
    assert sum(line.startswith("Reason") for line in report) == len(IMAGE) + 1
    assert any("E: " in line for line in log)


# --- DICOMDIRs


@pytest.mark.parametrize("options", [(), ("-nuc",), ("--allow-external-references",)], ids=" ".join)
def test_entries_of_a_dicomdir(options: tuple[str, ...], pynetdicom_scp: Server, tmp_path: Path) -> None:
    def record(file_id: bytes, *uids: bytes) -> bytes:
        values = (file_id, *uids, *(encode.uid(uid) for uid in (CT, "1.2.3.4", EXPLICIT)[len(uids) :]))
        tags = (0x00041500, 0x00041510, 0x00041511, 0x00041512)
        elements = (
            explicit(tag, b"CS" if tag == 0x00041500 else b"UI", value + b" " * (len(value) % 2))
            for tag, value in zip(tags, values, strict=True)
        )
        return encode.item(b"".join(elements))

    bad, there = hostile.ASCII, os.path.join(tmp_path, NAME)
    plain_file(there, 1)
    os.mkdir(os.path.join(tmp_path, f"d{NAME}"))
    os.symlink("/", os.path.join(tmp_path, f"out{NAME}"))
    records = [
        record(hostile.NAME), record(b"D" + hostile.NAME), record(b"out" + hostile.NAME + b"\\x"),
        record(b"MISSING" + hostile.BYTES), record(b"..\\" + hostile.BYTES), record(b"/" + hostile.BYTES),
        record(b"\\".join([hostile.BYTES] * 20)), record(hostile.BYTES * 20), record(b"a\\b\\\xc2\\\x9b\\c"),
        record(b"A", bad), record(b"A", encode.uid(CT), bad), record(b"A", encode.uid(CT), b"1.2.3", bad),
    ]  # fmt: skip
    path = os.path.join(tmp_path, f"dir{NAME}")
    Path(path).write_bytes(encode.dicomdir(*records) + b"\n")
    log, _ = send(pynetdicom_scp(), tmp_path, "-nh", "+rd", *options, path)
    assert sum(line.startswith("W: bad DICOM file: ") for line in log) >= 10
    assert max(map(len, log)) < 6 * 4096


# --- words of the command line and of command files

WRONG: Final[tuple[tuple[str, ...], ...]] = (
    (f"--{NAME}",),
    (f"--{NAME}=x", "peer", "104", "x"),
    ("-to", NAME, "peer", "104", "x"),
    ("-to", f"0{NAME}", "peer", "104", "x"),
    ("-pdu", f"1{NAME}", "peer", "104", "x"),
    ("--rate-limit", NAME, "peer", "104", "x"),
    ("-ll", NAME, "peer", "104", "x"),
    ("peer", NAME, "x"),
    ("peer", f"0{NAME}", "x"),
    ("peer", f"70000{NAME}", "x"),
    (f"@{NAME}",),
    ("@commands",),
)


@pytest.mark.parametrize("words", WRONG, ids=[word[0][:5].strip() or "empty" for word in WRONG])
def test_a_wrong_command_line(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "commands").write_bytes(b"'--" + hostile.BYTES.replace(b"\0", b"") + b"'")
    done = run(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    check_complaint(done.stderr)


REFUSED: Final[tuple[tuple[tuple[str, ...], int], ...]] = (
    ((NAME, "104", "x.dcm"), 61),
    ((f"{NAME}.invalid", "104", "x.dcm"), 61),
    (("-i0", f"ä{NAME}", "104", "x.dcm"), 61),
    (("-i6", "x" * 100_000, "104", "x.dcm"), 61),
    (("-aet", NAME, "127.0.0.1", "104", "x.dcm"), 61),
    (("-aec", NAME, "127.0.0.1", "104", "x.dcm"), 61),
    (("-aec", f"x\\{NAME}", "127.0.0.1", "104", "x.dcm"), 61),
    (("127.0.0.1", "104", NAME), 22),
    (("127.0.0.1", "104", "x" * 100_000), 22),
    (("-nh", "127.0.0.1", "104", NAME), 23),
    (("+sd", "+sp", NAME, "127.0.0.1", "104", "."), 21),
    (("+sd", "+sp", "[" + NAME, "127.0.0.1", "104", "."), 21),
    (("-kt", NAME, "127.0.0.1", "104", "x.dcm"), 1),
    (("-usr", "u", "--password-file", NAME, "127.0.0.1", "104", "x.dcm"), 1),
)


@pytest.mark.parametrize(("words", "code"), REFUSED, ids=[f"{words[0][:5].strip()} {code}" for words, code in REFUSED])
@pytest.mark.parametrize("by_file", [False, True], ids=["words", "command file"])
def test_words_that_come_to_nothing(words: tuple[str, ...], code: int, by_file: bool, tmp_path: Path) -> None:
    plain_file(tmp_path / "x.dcm", 1)
    if by_file:
        (tmp_path / "commands").write_bytes(b" ".join(b"'%s'" % os.fsencode(word) for word in words))
        words = ("@commands",)
    done = run(*EVERYTHING, "+crf", "report.txt", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, b"")
    log = check_log(done.stderr)
    assert all(len(line) < MAX_LINE + 10 for line in log[1:])  # the first one has the arguments
    if code not in (1, 21):
        check_report((tmp_path / "report.txt").read_bytes())


def test_halves_of_a_character_do_not_meet(pynetdicom_scp: Server, tmp_path: Path) -> None:
    """Of two words that are no text one is made that would be a control character if it were written as bytes."""
    name = os.fsdecode(b"\xc2") + os.fsdecode(b"\x9b") + "31m"
    plain_file(os.path.join(tmp_path, name), 1)
    (tmp_path / "commands").write_bytes(b'\xc2"\x9b31m"')
    log, report = send(pynetdicom_scp(), tmp_path, "@commands")
    assert any("31m" in line for line in log)
    assert [line for line in report if line.startswith("Filename")] == ["Filename      : \\xc2\\x9b31m"]


@pytest.mark.parametrize("where", [os.path.join("{}", "report"), "{}", "report{}"], ids=["no folder", "folder", "file"])
def test_name_of_the_report(where: str, pynetdicom_scp: Server, tmp_path: Path) -> None:
    plain_file(tmp_path / "x.dcm", 1)
    path = where.replace("{}", NAME)
    if where == "{}":
        os.mkdir(os.path.join(tmp_path, NAME))
    elif where != "{}/report":
        Path(os.path.join(tmp_path, path)).write_bytes(b"old")
    done = run(*EVERYTHING, "+crf", path, "127.0.0.1", pynetdicom_scp().port, "x.dcm", cwd=tmp_path)
    assert done.returncode == (0 if where.startswith("report") else 1)
    assert any(ESCAPED in line and "report" in line for line in check_log(done.stderr)[1:])


def test_name_of_the_program(tmp_path: Path) -> None:
    code = "import sys, dcmsend.cli.main as m; sys.argv[0] = sys.argv.pop(1); sys.exit(m.main())"
    words = [NAME, "--arguments", "nowhere.invalid", "104", "missing"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(os.fsencode, words)],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ESCAPED in check_log(done.stderr)[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a" * 100 + b"\0", "is not a text file"),
        (b"\0" * (3 << 20), "is not a text file"),
    ],
    ids=["short", "long"],
)
def test_a_command_file_that_is_no_text(content: bytes, words: str, tmp_path: Path) -> None:
    Path(os.path.join(tmp_path, NAME)).write_bytes(content)
    done = run(f"@{NAME}", cwd=tmp_path)
    assert done.returncode == 1
    assert check_complaint(done.stderr).endswith(words)


def test_a_command_file_without_end(tmp_path: Path) -> None:
    """It is given up where it is seen to be none, or too long; what was read of it is bounded."""
    if not os.path.exists("/dev/zero"):
        pytest.skip("this system has no such device")
    done = run("@/dev/zero", cwd=tmp_path)
    assert check_complaint(done.stderr) == "error: Command file '/dev/zero' is not a text file"


# --- dictionary files and the environment

DICTIONARIES: Final = {
    "tag": b"%s\tLO\tName\n",
    "VR": b"(0019,0010)\t%s\tName\n",
    "multiplicity": b"(0019,0010)\tLO\tName\t%s\n",
    "number of fields": b"%s\t%s\t%s\t%s\t%s\t%s\n",
    "creator": b'(0019,"%s",10)\tLO\n',
}


@pytest.mark.parametrize("name", DICTIONARIES)
def test_lines_of_a_dictionary(name: str, pynetdicom_scp: Server, tmp_path: Path) -> None:
    """Read where an implicit data set is to get VRs."""
    text = hostile.BYTES.replace(b"\n", b"\r").replace(b"\t", b"")
    line = DICTIONARIES[name]
    path = os.path.join(tmp_path, NAME.replace(os.pathsep, "."))
    Path(path).write_bytes(line % ((text,) * line.count(b"%s")))
    data = (
        implicit(0x00080016, encode.uid(CT)) + implicit(0x00080018, encode.uid("1.2.3.1")) + implicit(0x00190010, b"A ")
    )
    plain_file(tmp_path / "x.dcm", 1, IMPLICIT, data)
    server = pynetdicom_scp(syntaxes=[EXPLICIT])
    log, report = send(server, tmp_path, "-nh", "x.dcm", env={"DCMDICTPATH": path})
    (reason,) = (line for line in report if line.startswith("Reason"))
    assert ESCAPED.replace(":", ".") in reason
    assert ", line 1: " in reason
    assert any(line.startswith("E: ") and reason[16:] in line for line in log)


@pytest.mark.parametrize("path", ["nowhere{}", "{}", "x.dcm/{}"], ids=["missing", "folder", "below a file"])
def test_names_of_dictionaries(path: str, tmp_path: Path) -> None:
    name = NAME.replace(os.pathsep, ".")
    os.mkdir(os.path.join(tmp_path, name))
    plain_file(tmp_path / "x.dcm", 1)
    environment = {"DCMDICTPATH": path.replace("{}", name)}
    done = run(*EVERYTHING, "127.0.0.1", 104, "x.dcm", cwd=tmp_path, env=environment)
    assert done.returncode == 1
    assert any(line.startswith("F: cannot read the data dictionary ") for line in check_log(done.stderr))


@pytest.mark.parametrize("option", ["--help", "--version", "--list-decoders"])
def test_what_is_shown_instead_of_a_run(option: str, tmp_path: Path) -> None:
    """It is made of our own tables; nothing of the environment gets into it."""
    names = ("DCMDICTPATH", "COLUMNS", "LANG", "TERM", "TMPDIR", "HOME", "USER", "PAGER", "LC_MESSAGES", "NO_COLOR")
    done = run(option, cwd=tmp_path, env=dict.fromkeys(names, NAME))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == run(option, cwd=tmp_path).stdout
    assert "forged" not in " ".join(hostile.lines_of(done.stdout))


# --- peers

MUCH: Final = hostile.BYTES * (60_000 // len(hostile.BYTES))
MOST: Final = (hostile.BYTES * 100)[:16_000]  # of a command set, which may have 16,384 bytes


def accepted(
    *,
    version: bytes = b"TEST",
    implementation: bytes = b"2.25.1",
    title: bytes = b"TITLE",
    application: bytes = b"1.2.840.10008.3.1.1.1",
    syntax: bytes = EXPLICIT.encode(),
    result: int = 0,
    more: bytes = b"",
) -> Step:
    """Read the A-ASSOCIATE-RQ and answer with an A-ASSOCIATE-AC (PS3.8 Table 9-17) that says these things."""
    user = pdus.item(0x51, struct.pack(">I", 16384)) + pdus.item(0x52, implementation) + pdus.item(0x55, version)
    context = pdus.item(0x21, bytes((1, 0, result, 0)) + pdus.item(0x40, syntax))
    body = struct.pack(">Hxx16s16s32s", 1, title, title, title * 2) + pdus.item(0x10, application) + context
    answered = pdus.pdu(pdus.A_ASSOCIATE_AC, body + pdus.item(0x50, user + more))

    def step(connection: Connection) -> None:
        expect(pdus.A_ASSOCIATE_RQ)(connection)
        connection.socket.sendall(answered)

    return step


def responded(status: int, *more: tuple[int, bytes]) -> Step:
    """Send the response to the last request, with these elements beside the usual ones, or in their place."""

    def build(connection: Connection) -> bytes:
        request = connection.messages[-1]
        elements = {
            0x0002: request.command[0x0002],
            0x0100: struct.pack("<H", pdus.C_STORE_RSP),
            0x0120: struct.pack("<H", request.message_id),
            0x0800: struct.pack("<H", pdus.NO_DATA_SET),
            0x0900: struct.pack("<H", status),
            0x1000: request.command[0x1000],
        }
        return pdus.p_data(request.context_id, pdus.command_set(*sorted((elements | dict(more)).items())))

    return answer(build)


def says(*words: bytes) -> Step:
    """Read the A-ASSOCIATE-RQ and send these bytes."""
    return answer(lambda connection: b"".join(words))


OPENING: Final = expect(pdus.A_ASSOCIATE_RQ)
GOOD: Final[list[Step]] = [expect_message(), responded(0), release()]
COMMENT, OFFENDING, INSTANCE = 0x0902, 0x0901, 0x1000
ROLE: Final = pdus.item(0x54, struct.pack(">H", len(hostile.ASCII[:20])) + hostile.ASCII[:20] + b"\1\1")

# What a peer does, the exit code, and what is to be seen of its text, if anything.
PEERS: Final[dict[str, tuple[list[Step], int, str]]] = {
    "version": ([accepted(version=hostile.BYTES), *GOOD], 0, f"I: Their Implementation: {ESCAPED}"),
    "long version": ([accepted(version=MUCH), *GOOD], 0, f"I: Their Implementation: {ESCAPED}"),
    "no version": ([accepted(version=b""), *GOOD], 0, "I: Their Implementation: unknown"),
    "implementation": ([accepted(implementation=b"1.2\n\x1b[2J"), *GOOD], 0, ""),
    "implementation of bytes": ([accepted(implementation=hostile.BYTES), drain()], 61, "not a UID: b'x\\nF: forged"),
    "titles": ([accepted(title=hostile.BYTES), *GOOD], 0, ""),
    "application context": ([accepted(application=hostile.BYTES), drain()], 61, "not a UID: b'x\\nF: forged"),
    "transfer syntax": ([accepted(syntax=b"1.2\nF: forged\x1b[2J"), release()], 66, "syntax that was not proposed"),
    "transfer syntax of bytes": ([accepted(syntax=hostile.BYTES), drain()], 61, "not a UID: b'x\\nF: forged"),
    "result": ([accepted(result=200), release()], 66, "the peer refused it with result 200"),
    "role": ([accepted(more=ROLE.replace(b"\x85", b"x")), *GOOD], 0, ""),
    "role of bytes": ([accepted(more=ROLE.replace(b"F", b"\x9b")), drain()], 61, "peer broke the protocol: not a UID"),
    "unknown items": ([accepted(more=pdus.item(0x60, hostile.BYTES)), *GOOD], 0, ""),
    "rejection": ([OPENING, says(pdus.associate_rj(0x0A, 0x1B, 0x9B))], 61, "result 10: reason 155 from source 27"),
    "abort": ([OPENING, says(pdus.abort(0x1B, 0x0A))], 61, "peer aborted the association: by source 27"),
    "abort by its provider": ([OPENING, says(pdus.abort(2, 0x9B))], 61, "its service provider says: reason 155"),
    "text": ([OPENING, says(b"\x1b[2J\nF: forged\n" * 10), drain()], 61, "unrecognised PDU type 0x1b"),
    "comment": ([accepted(), expect_message(), responded(0xA700, (COMMENT, hostile.BYTES)), release()], 66, ESCAPED),
    "comment of a warning": (
        [accepted(), expect_message(), responded(0xB000, (COMMENT, hostile.BYTES)), release()], 0, ESCAPED),
    "comment of a success": (
        [accepted(), expect_message(), responded(0, (COMMENT, hostile.BYTES)), release()], 0, ESCAPED),
    "long comment": ([accepted(), expect_message(), responded(0xC000, (COMMENT, MOST)), release()], 66, ESCAPED),
    "endless comment": (
        [accepted(), expect_message(), responded(0xC000, (COMMENT, MOST * 2)), drain()], 66,
        "bytes, more than the 16384 allowed"),
    "command set without end": (
        [accepted(), expect_message(), says(*[pdus.p_data(1, MOST[:9000], last=False)] * 2), drain()], 66,
        "a command set of more than 16384 bytes"),
    "offending elements": (
        [accepted(), expect_message(), responded(0xC000, (OFFENDING, MOST)), release()], 66,
        "offending elements (0a78,3a46)"),
    "instance": ([accepted(), expect_message(), responded(0, (INSTANCE, hostile.BYTES)), release()], 66, ESCAPED),
}  # fmt: skip


@pytest.mark.parametrize("name", PEERS)
def test_what_peers_say(name: str, scripted_peer: Script, tmp_path: Path) -> None:
    script, code, shown = PEERS[name]
    peer = scripted_peer(script)
    plain_file(tmp_path / "x.dcm", 1)
    done = run(*EVERYTHING, "-nh", "-dn", "+crf", "report.txt", "127.0.0.1", peer.port, "x.dcm", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, b"")
    log = check_log(done.stderr)
    assert any(shown in line for line in log), done.stderr
    assert max(map(len, log)) < 6 * MAX_REMARK + 500
    report = check_report((tmp_path / "report.txt").read_bytes())
    assert max(map(len, report)) < 6 * MAX_REMARK + 500
    if not shown:
        assert "forged" not in " ".join(log + report)
    if "comment" in name and code != 66:
        assert any(line.startswith("Reason") and ESCAPED in line for line in report)


def test_what_a_library_user_gets_is_one_line(scripted_peer: Script, tmp_path: Path) -> None:
    """Reasons and errors, which programs print, are escaped as well; paths are as they are."""
    path = os.path.join(tmp_path, NAME)
    plain_file(path, 1)
    said = responded(0xA700, (COMMENT, hostile.BYTES))
    peer = Peer(host="127.0.0.1", port=scripted_peer([accepted(), expect_message(), said, release()]).port)
    told: list[Event] = []
    policy = dcmsend.Policy(halt=False)
    with dcmsend.send(peer, [path, path, f"{path}2"], policy=policy, listener=told.append) as report:
        ((instance, outcome),) = report.rows()
    with dcmsend.send(peer, [f"{path}2"]) as broken:
        error = broken.error
    assert isinstance(error, InvalidInputError)
    assert (instance.path, error.path) == (path, f"{path}2")
    notices = [event.text for event in told if isinstance(event, Notice)]
    reasons = [event.reason for event in told if isinstance(event, Refusal)]
    assert (len(notices), len(reasons)) == (1, 1)
    for text in (*notices, *map(str, (*reasons, outcome.reason, error, error.reason))):
        assert encode.is_one_line(text)
    assert ESCAPED in str(outcome.reason)
    assert ESCAPED in str(error)


# --- what decoders say


def test_decoders_say_nothing_of_their_own(pynetdicom_scp: Server, samples: list[Path], tmp_path: Path) -> None:
    """Libraries that decode may write to standard error by themselves: not where we let them."""
    compressed = [path for path in samples if syntax_of(path) not in UNCOMPRESSED]
    assert len(compressed) > 7
    rng = random.Random(5)
    for path in compressed:
        whole = path.read_bytes()
        start = whole.rindex(b"\xe0\x7f\x10\x00")
        for number in range(12):
            damaged = bytearray(whole)
            for _ in range(1 + number * 3):
                damaged[rng.randrange(start + 40, len(whole) - 8)] = rng.randrange(256)
            (tmp_path / f"{path.stem}-{number}.dcm").write_bytes(bytes(damaged))
    server = pynetdicom_scp(syntaxes=[EXPLICIT])
    log, report = send(server, tmp_path, "-nh", "+dly", *sorted(tmp_path.glob("*.dcm")))
    assert sum(line.startswith("Reason") for line in report) > len(compressed)
    assert sum(line.startswith("DIMSE Status  : 0x0000") for line in report) > len(compressed)
    assert log


def syntax_of(path: Path) -> str:
    meta, _ = part10.split(path.read_bytes())
    return part10.uid(meta[part10.TRANSFER_SYNTAX])
