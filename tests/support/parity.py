"""Run one command line with two tools and write down what can be seen of it, to be compared.

Also the folder of input that the command lines name: real samples, and small made files for what samples do not have.
"""

from __future__ import annotations

import shlex
import shutil
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

from tests.support import part10, report, servers
from tests.support.builder import element
from tests.support.builder import part10 as build

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MR: Final = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
BASELINE: Final = "1.2.840.10008.1.2.4.50"
DIRECTORY: Final = "1.2.840.10008.1.3.10"
DATA: Final = Path(__file__).parents[1] / "data"

Command = Callable[..., CompletedProcess[str]]
Seen = dict[str, object]  # aspect -> what was seen of it
Apart = Mapping[str, tuple[object, object]]  # aspect -> what is seen of DCMTK's tool, and of ours

UNLIKE: Final = (None, None)  # in place of a pair in ``Apart``: the two differ, however they do

ROW_FIELDS: Final = (
    "Number", "Filename", "SOP Instance", "SOP Class", "Original Xfer", "Dataset Size",
    "Association", "Pres. Context", "Network Xfer", "DIMSE Status",
)  # fmt: skip
BY_POSITION: Final = ("Number", "Pres. Context")  # what of a row depends on its place in the list
# What follows from how many contexts each of the two proposes, and what only ours counts (the exit code shows it too);
# compared only where a case asks for it.
ON_REQUEST: Final = ("context IDs", "contexts", "left out")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what was seen, and the files that the server has stored, by SOP instance and transfer syntax."""

    seen: Seen
    files: dict[tuple[str, str], list[bytes]]
    stderr: str


@dataclass(slots=True)
class Peers:
    """The servers of a whole module, started when they are wanted, emptied after each run."""

    folder: Path
    running: dict[str, servers.FolderServer] = field(default_factory=dict)

    def get(self, kind: str) -> servers.FolderServer:
        if kind not in self.running:
            home = self.folder / kind
            home.mkdir()
            self.running[kind] = SERVERS[kind](home)
        return self.running[kind]

    def stop(self) -> None:
        for server in self.running.values():
            server.stop()


SERVERS: Final[dict[str, Callable[[Path], servers.FolderServer]]] = {
    "storescp": servers.storescp,
    "rejecting": lambda home: servers.storescp(home, "--refuse"),
    "CT only": lambda home: servers.pynetdicom_scp(home, sop_classes=[CT], syntaxes=[EXPLICIT]),
    "anything": servers.pynetdicom_scp,
    "explicit only": lambda home: servers.pynetdicom_scp(home, syntaxes=[EXPLICIT]),
    "implicit only": lambda home: servers.pynetdicom_scp(home, syntaxes=[IMPLICIT]),
    "baseline only": lambda home: servers.pynetdicom_scp(home, syntaxes=[BASELINE]),
}


def run(
    command: Command,
    words: Iterable[str],
    cwd: Path,
    *,
    report_path: Path,
    port: int,
    server: servers.FolderServer | None = None,
) -> Run:
    """Run a command line in ``cwd`` and take down what it did; the server's folder is empty afterwards."""
    report_path.unlink(missing_ok=True)
    done = command(*words, cwd=cwd)
    files: dict[tuple[str, str], list[bytes]] = {}
    for path in server.files() if server else ():
        content = path.read_bytes()
        meta, _ = part10.split(content)
        key = part10.uid(meta[part10.SOP_INSTANCE]), part10.uid(meta[part10.TRANSFER_SYNTAX])
        files.setdefault(key, []).append(content)
        path.unlink()
    stored = Counter({instance: 0 for instance, _ in files})
    for (instance, _), contents in files.items():
        stored[instance] += len(contents)
    seen: Seen = {
        "exit code": done.returncode,
        "error": next((line for line in done.stderr.splitlines() if line.startswith("error: ")), ""),
        "standard output": bool(done.stdout),
        "standard error": bool(done.stderr),
        "arguments": next(
            (line.partition(" with ")[2] for line in done.stderr.splitlines() if "I: calling" in line), ""
        ),
        "stored": dict(stored),
        "report": report_path.exists(),
    }
    return Run(seen | _report(report_path, port), files, done.stderr)


def _report(path: Path, port: int) -> Seen:
    """The fields of a report, each as the list of its values by row, and the head and the counts.

    The port is not among them: it may be another one in each run. Presentation contexts are numbered as they appear in
    the rows of an association, so that it shows which rows share one; ``ON_REQUEST`` has the report's own numbers.
    """
    if not path.exists():
        return {}
    rows = report.rows(path)
    head = [line for line in path.read_text().splitlines() if line.startswith(("Communication Peer", "AE Titles used"))]
    head[0] = head[0].removesuffix(f":{port}")
    columns: Seen = {name: [row[name] for row in rows] for name in ROW_FIELDS}
    columns["context IDs"] = columns["Pres. Context"]
    columns["Pres. Context"] = _as_they_appear([(row["Association"], row["Pres. Context"]) for row in rows])
    summary = report.summary(path)
    columns["contexts"] = summary.pop("Number of pres. contexts")
    columns["left out"] = summary.pop("left out of the input", 0)
    return columns | {"head": head, "summary": summary}


def _as_they_appear(contexts: Iterable[tuple[str, str]]) -> list[int]:
    """Numbers from 1 for the IDs of each association; 0 stays 0."""
    seen: dict[str, list[str]] = {}
    numbers = []
    for association, context_id in contexts:
        known = seen.setdefault(association, ["0"])
        if context_id not in known:
            known.append(context_id)
        numbers.append(known.index(context_id))
    return numbers


def differences(theirs: Run, ours: Run, apart: Apart, *, unordered: bool = False) -> list[str]:
    """All in which two runs are not as they should be: ``apart`` holds for its aspects, the others must be equal.

    Where one of the two wrote no report there is nothing to compare; ``apart`` may still ask for the other's fields.
    Where the two list different files, the rows of those that both list must be equal.
    """
    left, right = dict(theirs.seen), dict(ours.seen)
    found = [
        f"{name}: {pair} instead of {apart[name]}"
        for name, pair in _pairs(left, right, apart)
        if wrong(pair, apart[name])
    ]
    if unordered or "Filename" in apart:
        left, right = _by_name(left, right, apart), _by_name(right, left, apart)
    if not apart.keys().isdisjoint(("Filename", "DIMSE Status")):
        left.pop("summary", None)  # it follows from the rows
    found += [
        f"{name}: DCMTK {left[name]}, ours {right[name]}"
        for name in left
        if name in right and name not in apart and name not in ON_REQUEST and left[name] != right[name]
    ]
    found += [f"{key[0]} has other values" for key in theirs.files.keys() & ours.files if not _same(theirs, ours, key)]
    return found


def _pairs(left: Seen, right: Seen, aspects: Iterable[str]) -> list[tuple[str, tuple[object, object]]]:
    return [(name, (left.get(name), right.get(name))) for name in aspects]


def wrong(pair: tuple[object, object], expected: tuple[object, object]) -> bool:
    """Whether what was seen of both is not what should be; ``UNLIKE`` asks for no more than two different things."""
    return pair[0] == pair[1] if expected == UNLIKE else pair != expected


def _by_name(seen: Seen, other: Seen, apart: Apart) -> Seen:
    """The rows of the files that both list, sorted, without what depends on their order and what may differ."""
    others = {aspect: value for aspect, value in seen.items() if aspect not in ROW_FIELDS}
    if "Filename" not in seen or "Filename" not in other:
        return others
    names = [name for name in ROW_FIELDS if name not in BY_POSITION and (name not in apart or name == "Filename")]
    rows = {row[0]: row for row in zip(*(_column(seen, name) for name in names), strict=True)}
    return others | {"rows": [rows[name] for name in sorted(rows.keys() & set(_column(other, "Filename")))]}


def _column(seen: Seen, name: str) -> list[str]:
    values = seen[name]
    assert isinstance(values, list)
    return values


def inconsistencies(seen: Seen, cwd: Path) -> list[str]:
    """What of our own report does not fit together, or does not fit the files."""
    if not isinstance(summary := seen.get("summary"), dict):
        return []
    answered = [status.startswith("0x") for status in _column(seen, "DIMSE Status")]
    sizes = zip(answered, _column(seen, "Filename"), _column(seen, "Dataset Size"), strict=True)
    found = [f"{name} has not {size}" for sent, name, size in sizes if sent and size != f"{_size(cwd / name)} bytes"]
    counted = {
        "Number of SOP instances": len(answered),
        "sent to the peer": sum(answered),
        "NOT sent to the peer": len(answered) - sum(answered),
    }
    found += [f"{name}: {summary.get(name, 0)}" for name, count in counted.items() if summary.get(name, 0) != count]
    return found + _wrong_contexts(seen)


def _wrong_contexts(seen: Seen) -> list[str]:
    """IDs that the standard does not have (PS3.8 9.3.2.2), and contexts that are not those of one class and syntax."""
    names = ("DIMSE Status", "Association", "context IDs", "SOP Class", "Network Xfer")
    rows = [row[1:] for row in zip(*(_column(seen, name) for name in names), strict=True) if row[0].startswith("0x")]
    contexts = {(association, number) for association, number, *_ in rows}
    pairs = {(association, *rest) for association, _, *rest in rows}
    found = [f"context {number}" for _, number in contexts if int(number) not in range(1, 256, 2)]
    if not len(contexts) == len(pairs) == len(set(rows)):
        found.append(f"{len(contexts)} contexts for {len(pairs)} pairs of class and syntax")
    return found + ([f"{seen['contexts']} contexts"] if len(contexts) > int(str(seen["contexts"])) else [])


def _size(path: Path) -> int:
    return len(part10.split(path.read_bytes())[1])


def _same(theirs: Run, ours: Run, key: tuple[str, str]) -> bool:
    """Whether the two stored the same: bit for bit, or the same values where DCMTK writes lengths its own way."""
    pairs = zip(sorted(theirs.files[key]), sorted(ours.files[key]), strict=False)
    return all(
        part10.split(left)[1] == part10.split(right)[1] or part10.values(left) == part10.values(right)
        for left, right in pairs
    )


def words_of(line: str, port: int) -> list[str]:
    """The words of a command line as a case has it; ``PEER`` stands for host and port."""
    given = {"PEER": ["127.0.0.1", str(port)]}
    return [word for each in shlex.split(line) for word in given.get(each, [each])]


# --- input


def make_input(root: Path) -> None:
    """Fill the folder in which all command lines run."""
    for name in ("samples", "odd", "dicomdir"):
        shutil.copytree(DATA / name, root / name)
    _write(root, INSTANCES)
    _write(root, BAD_UIDS)
    _write(root, COMMAND_FILES)
    _write(root, {f"classes/{n:03}.dcm": build(f"{CT}.9999.{n}", f"1.2.4.{n + 1}") for n in range(130)})
    _write(root, {f"discs/{name}/DICOMDIR": dicomdir(*records) for name, records in DISCS.items()})
    _write(root, {f"discs/{name}/IMAGES/IM1": INSTANCES["a.dcm"] for name in DISCS if name != "lower case"})
    _write(root, {"discs/lower case/images/im1": INSTANCES["a.dcm"]})
    (root / "empty").mkdir()
    for link, target in LINKS.items():
        (root / link).parent.mkdir(exist_ok=True)
        (root / link).symlink_to(target)


def dicomdir(*records: tuple[str, str, str, str]) -> bytes:
    """A DICOMDIR (PS3.3 F.3) with one image record for each (file ID, SOP class, SOP instance, transfer syntax)."""
    items = b""
    for file_id, *uids in records:
        body = element(0x00041430, "CS", b"IMAGE") + element(0x00041500, "CS", file_id.encode())
        body += b"".join(element(tag, "UI", uid.encode()) for tag, uid in zip(REFERENCED, uids, strict=True))
        items += struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body
    return build(DIRECTORY, "1.2.9", data_set=element(0x00041220, "SQ", items))


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


PIXELS: Final = bytes(range(256)) * 8
LARGE: Final = bytes(range(256)) * 400

INSTANCES: Final[dict[str, bytes]] = {
    "a.dcm": build(CT, "1.2.3.1", value=PIXELS),
    "b.dcm": build(CT, "1.2.3.2", value=PIXELS),
    "c.dcm": build(CT, "1.2.3.3", value=PIXELS),
    "d.dcm": build(CT, "1.2.3.4", value=PIXELS),
    "mr.dcm": build(MR, "1.2.3.5", value=PIXELS),
    "large.dcm": build(CT, "1.2.3.6", value=LARGE),
    "a name with blanks.dcm": build(CT, "1.2.3.7", value=PIXELS),
    "-1.dcm": build(CT, "1.2.3.8", value=PIXELS),
    "+x.dcm": build(CT, "1.2.3.9", value=PIXELS),
    "no preamble.dcm": build(CT, "1.2.3.10", value=PIXELS)[128:],
    "unsorted.dcm": build(CT, "1.2.3.11", data_set=element(0x00080018, "UI", b"1.2.3.11")
                          + element(0x00080016, "UI", CT.encode()) + element(0x7FE00010, "OW", PIXELS)),
    "twice.dcm": build(CT, "1.2.3.12", data_set=element(0x00080016, "UI", CT.encode())
                       + element(0x00080018, "UI", b"1.2.3.12") + element(0x00200011, "IS", b"1")
                       + element(0x00200011, "IS", b"2") + element(0x7FE00010, "OW", PIXELS)),
    "tree/1.dcm": build(CT, "1.2.5.1", value=PIXELS),
    "tree/2.dcm": build(CT, "1.2.5.2", value=PIXELS),
    "tree/10.dcm": build(CT, "1.2.5.10", value=PIXELS),
    "tree/.hidden.dcm": build(CT, "1.2.5.11", value=PIXELS),
    "tree/image.ima": build(CT, "1.2.5.12", value=PIXELS),
    "tree/inner/3.dcm": build(CT, "1.2.5.3", value=PIXELS),
    "tree/.inner/4.dcm": build(CT, "1.2.5.4", value=PIXELS),
    "mixed/good.dcm": build(CT, "1.2.6.1", value=PIXELS),
    "mixed/notes.txt": b"These are notes, and no DICOM file.\n" * 10,
    "loop/good.dcm": build(CT, "1.2.6.2", value=PIXELS),
    "linked/good.dcm": build(CT, "1.2.6.3", value=PIXELS),
    "elsewhere/target.dcm": build(CT, "1.2.6.4", value=PIXELS),
    "elsewhere/inner/target.dcm": build(CT, "1.2.6.5", value=PIXELS),
    "private syntax.dcm": build(CT, "1.2.6.6", value=PIXELS, transfer_syntax="1.2.3.4.5"),
    "old report": b"something else\n",
    "log.cfg": b"log4cplus.rootLogger = WARN, console\nlog4cplus.appender.console = log4cplus::ConsoleAppender\n"
               b"log4cplus.appender.console.logToStdErr = true\n",
}  # fmt: skip

LINKS: Final = {
    "loop/again": ".",
    "linked/file.dcm": "../elsewhere/target.dcm",
    "linked/folder": "../elsewhere/inner",
    "broken/nowhere.dcm": "../not there",
}

BAD_UIDS: Final[dict[str, bytes]] = {
    f"uids/{kind} {name}.dcm": build(**({"sop_class": CT, "sop_instance": "1.2.7.1"} | {kind: uid}), value=PIXELS)  # type: ignore[arg-type]
    for kind, uids in {
        "sop_class": {
            "empty": "",
            "leading zero": "1.2.03",
            "letters": "1.2.x",
            "long": "1." + "2" * 63,
            "trailing dot": "1.2.",
            "double dot": "1..2",
            "verification": "1.2.840.10008.1.1",
            "unknown": "1.2.840.10008.99.1",
            "future": "1.2.840.10008.5.1.4.1.1.9999",
            "private": "1.3.6.1.4.1.5962.301.9",
        },
        "sop_instance": {
            "empty": "",
            "leading zero": "1.2.03",
            "letters": "1.2.x",
            "long": "1." + "2" * 63,
            "trailing dot": "1.2.",
            "double dot": "1..2",
            "one component": "1",
        },
        "transfer_syntax": {
            "empty": "",
            "leading zero": "1.2.03",
            "letters": "1.2.x",
            "unknown": "1.2.840.10008.1.2.999",
        },
    }.items()
    for name, uid in uids.items()
}

COMMAND_FILES: Final[dict[str, bytes]] = {
    "files.txt": b"a.dcm b.dcm\n\tc.dcm\r\n",
    "quoted.txt": b"\"a name with blanks.dcm\" 'b.dcm'\n",
    "joined.txt": b'"a.dcm"b.dcm',
    "open quote.txt": b'"a name with blanks.dcm',
    "options.txt": b"-aet FROM_FILE -nh\n",
    "nested.txt": b"@files.txt",
    "nothing.txt": b"",
    "comment.txt": b"# a.dcm",
    "backslash.txt": b"a\\ name.dcm",
    "128.txt": " ".join(f"classes/{n:03}.dcm" for n in range(128)).encode(),
    "130.txt": " ".join(f"classes/{n:03}.dcm" for n in range(130)).encode(),
}

# Referenced SOP class, SOP instance and transfer syntax of a directory record
REFERENCED: Final = (0x00041510, 0x00041511, 0x00041512)
_IM1: Final = ("IMAGES\\IM1", CT, "1.2.3.1", EXPLICIT)
DISCS: Final[dict[str, tuple[tuple[str, str, str, str], ...]]] = {
    "good": (_IM1,),
    "missing": (_IM1, ("IMAGES\\IM2", CT, "1.2.3.2", EXPLICIT)),
    "outside": (_IM1, ("..\\..\\b.dcm", CT, "1.2.3.2", EXPLICIT)),
    "lower case": (_IM1,),
    "bad uid": (("IMAGES\\IM1", CT, "1.2.03", EXPLICIT), _IM1),
    "no records": (),
}
