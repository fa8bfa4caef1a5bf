"""What is not as the standard has it and needs no conversion is sent as it is: beside DCMTK's dcmsend.

DCMTK parses and writes anew what it sends, so its UN of an odd VR and its lengths are other ones; the values are the
same, and of ours every byte.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from tests.files import encode
from tests.files.encode import CT, EXPLICIT, PREAMBLE, SEQUENCE_END, explicit, implicit, open_item, uid
from tests.support import deviant, part10, servers
from tests.support.compare import differences

Command = Callable[..., CompletedProcess[str]]
Storescp = Callable[..., servers.FolderServer]

CASES: Final = Path(__file__).parent / "data" / "cases"
NAME: Final = explicit(0x00100010, b"PN", b"A^B ")
CLASS: Final = explicit(0x00080016, b"UI", uid(CT))
INSTANCE: Final = explicit(0x00080018, b"UI", uid(encode.INSTANCE))
IMPLICIT_UIDS: Final = implicit(0x00080016, uid(CT)) + implicit(0x00080018, uid(encode.INSTANCE))


def big_endian_meta(*, with_vrs: bool) -> bytes:
    """File meta information in the other byte order."""
    group = b""
    for tag, text in ((0x00020002, CT), (0x00020003, encode.INSTANCE), (0x00020010, EXPLICIT)):
        value = uid(text)
        length = struct.pack(">2sH", b"UI", len(value)) if with_vrs else struct.pack(">L", len(value))
        group += struct.pack(">HH", tag >> 16, tag & 0xFFFF) + length + value
    length = struct.pack(">2sH", b"UL", 4) if with_vrs else struct.pack(">L", 4)
    return struct.pack(">HH", 2, 0) + length + struct.pack(">L", len(group)) + group


def nested() -> bytes:
    """A data set with a VR that is none within an item of undefined length."""
    inside = explicit(0x00080100, b"--", b"abcd")
    return encode.dataset(rest=explicit(0x00400555, b"SQ", open_item(inside), length=encode.UNDEFINED) + SEQUENCE_END)


def without_class(data: bytes) -> bytes:
    """A file whose meta information has no SOP class."""
    return encode.part10(data, sop_class="")


ODD_WITHIN: Final = "odd VR in an item"
RISING: Final = implicit(0x00020016, b"AETITLE ") + IMPLICIT_UIDS
# Of files that are not taken apart as usual, what there is to be sent.
DATA_SETS: Final = {"group 2, rising": RISING, "meta in big endian": encode.dataset()}
# Name -> file, read mode, and what is told about it.
FILES: Final[dict[str, tuple[bytes, str, str]]] = {
    **{f"VR {name}": (data, "+fo", "of (0008,1030) is no VR") for name, data in deviant.natives() if name[:2] == "VR"},
    ODD_WITHIN: (encode.part10(nested()), "+fo", ""),
    "odd VRs twice": (
        encode.part10(encode.dataset(rest=explicit(0x00100020, b"lo", b"ab") + explicit(0x00100030, b"\1\2", b"cd"))),
        "+fo",
        "2 elements have VRs that are none, the first one is 'lo' of (0010,0020)",
    ),
    "group 2, rising": (
        encode.part10(RISING, syntax=encode.IMPLICIT),
        "+fo",
        "(0002,0016) does not belong in a data set",
    ),
    "meta in big endian": (PREAMBLE + big_endian_meta(with_vrs=True) + encode.dataset(), "+fo", ""),
    "needless delimiters": (
        encode.part10(
            encode.dataset(
                rest=explicit(
                    0x00400555,
                    b"SQ",
                    encode.item(explicit(0x00080100, b"SH", b"ab") + implicit(0xFFFEE00D, b"")) + SEQUENCE_END,
                )
            )
        ),
        "+fo",
        "",
    ),
    "unsorted": (without_class(NAME + INSTANCE + CLASS), "+f", "its elements are not in order"),
    "bare and unsorted": (NAME + CLASS + INSTANCE, "+f", "its elements are not in order"),
    "no class in the meta information": (without_class(encode.dataset()), "+f", ""),
}


def data_set(kept: bytes) -> bytes:
    """What stands behind the file meta information that a server wrote, whose length is right."""
    start = len(PREAMBLE) + 12
    return kept[start + int.from_bytes(kept[start - 4 : start], "little") :]


def _instance(kept: bytes) -> str:
    meta, _ = part10.split(kept[: len(kept) - len(data_set(kept))])
    return part10.uid(meta[part10.SOP_INSTANCE])


AS_DCMTK: Final = re.compile("theirs UN|only theirs")  # what pydicom makes of a VR that is none


def _arrived(run: Command, server: servers.FolderServer, *words: object) -> tuple[dict[str, bytes], str]:
    """What arrived, by its SOP Instance UID, and what was told."""
    done = run("-aec", server.aet, "127.0.0.1", server.port, *words)
    assert done.returncode == 0, done.stderr
    stored = {_instance(kept): kept for kept in (path.read_bytes() for path in server.files())}
    for path in server.files():
        path.unlink()
    return stored, done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, dcmtk: Callable[[str], str]) -> Iterator[servers.FolderServer]:
    dcmtk("storescp")
    started = servers.storescp(tmp_path_factory.mktemp("storescp"))
    yield started
    started.stop()


@pytest.mark.parametrize("name", FILES)
def test_what_both_send(
    name: str, tmp_path: Path, server: servers.FolderServer, run_dcmsend: Command, dcmsend_oracle: Command
) -> None:
    content, mode, told = FILES[name]
    path = tmp_path / "x"
    path.write_bytes(content)
    ours, said = _arrived(run_dcmsend, server, mode, path)
    theirs, _ = _arrived(dcmsend_oracle, server, mode, path)
    assert ours.keys() == theirs.keys()
    warnings = [line for line in said.splitlines() if line.startswith("W: ")]
    assert [told in line and str(path) in line for line in warnings] == [True] * bool(told), said
    (instance,) = ours
    data = data_set(ours[instance])
    if "unsorted" in name:
        assert data == CLASS + INSTANCE + NAME
    else:
        assert data == DATA_SETS.get(name, part10.split(content)[1])
    if name == ODD_WITHIN:  # which pydicom cannot read
        assert b"UN\0\0\4\0\0\0abcd" in theirs[instance]
        return
    found = differences(ours[instance], theirs[instance])
    assert [line for line in found if not AS_DCMTK.search(line)] == []


@pytest.mark.parametrize(
    ("case", "warnings"),
    [
        ("02-sq-defined-plus-delimiter", 0),
        ("08-group2-in-implicit-dataset", 1),
        ("24-invalid-vr-dashes", 2),
        ("24-invalid-vr-spaces", 2),
    ],
)
def test_cases(
    case: str, warnings: int, server: servers.FolderServer, run_dcmsend: Command, dcmsend_oracle: Command
) -> None:
    path = CASES / case / "a.dcm"
    ours, said = _arrived(run_dcmsend, server, path)
    theirs, _ = _arrived(dcmsend_oracle, server, path)
    (instance,) = ours
    assert ours.keys() == theirs.keys()
    assert said.count("W: ") == warnings, said
    assert path.read_bytes().endswith(data_set(ours[instance])) == (warnings < 2)  # those two are sorted as well
    assert not [line for line in differences(ours[instance], theirs[instance]) if not AS_DCMTK.search(line)]


FILE_IDS: Final = ("A/IM1", ".\\A\\IM1", "A\\\\IM1", "./A//IM1", "A\\IM1")


@pytest.mark.parametrize("file_id", FILE_IDS)
def test_file_ids(
    file_id: str, tmp_path: Path, server: servers.FolderServer, run_dcmsend: Command, dcmsend_oracle: Command
) -> None:
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "IM1").write_bytes(encode.part10())
    (tmp_path / "DICOMDIR").write_bytes(encode.dicomdir(encode.record(file_id)))
    ours, _ = _arrived(run_dcmsend, server, "+rd", tmp_path / "DICOMDIR")
    assert ours.keys() == {encode.INSTANCE}
    theirs, _ = _arrived(dcmsend_oracle, server, "+rd", tmp_path / "DICOMDIR")
    assert ours.keys() == theirs.keys()


def test_the_dicomdir_with_slashes(server: servers.FolderServer, run_dcmsend: Command, dcmsend_oracle: Command) -> None:
    path = CASES / "105-fileid-fwd" / "DICOMDIR"
    ours, _ = _arrived(run_dcmsend, server, "+rd", path)
    theirs, _ = _arrived(dcmsend_oracle, server, "+rd", path)
    assert ours.keys() == theirs.keys()
    assert len(ours) == 1
