"""What is not as the standard has it and is sent all the same, beside DCMTK's dcmsend: each kind converted by both.

The peer accepts implicit, or explicit, VR little endian only. Where the tools differ, a table here says so, and both
sides are checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support import deviant, part10, servers
from tests.support.compare import differences
from tests.test_conversion import EXPLICIT, TARGETS, Both, Command, deliver_all, read

DATA: Final = Path(__file__).parent / "data"
DICTIONARY: Final = "in implicit VR nobody could read it"
# Name of a file -> the targets to which ours does not send it, and why; DCMTK sends what no peer can read.
ONLY_BY_DCMTK: Final = {
    deviant.TEXT_FOR_SEQUENCE: DICTIONARY,
    deviant.SEQUENCE_FOR_TEXT: DICTIONARY,
    "36b-LO-where-SQ-ordered": DICTIONARY,
}
NOT_AT_ALL: Final = {deviant.RAW_AS_JPEG: "not encapsulated, but the transfer syntax is"}
NUMBER_OF_FRAMES: Final = "(0028,0008)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of ``deviant`` and of ``data/cases``, by their names."""
    made = tmp_path_factory.mktemp("deviant")
    deviant.write(made)
    for case in (DATA / "cases").glob("*/a.dcm"):
        (made / f"{case.parent.name}.dcm").write_bytes(case.read_bytes())
    return made


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def both(
    target: str,
    folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    run_dcmsend: Command,
    dcmsend_oracle: Command,
) -> Both:
    place = tmp_path_factory.mktemp(target)
    if target == "implicit":
        server = servers.storescp(place, defaults=("+xi", "-pm"))
    else:
        classes = sorted({read(path).file_meta.MediaStorageSOPClassUID for path in folder.iterdir()})
        server = servers.dcmrecv(place, sop_classes=classes, syntaxes=[EXPLICIT])
    try:
        ours = deliver_all(run_dcmsend, server, folder, place / "ours", {}, "--scan-first")
        theirs = deliver_all(dcmsend_oracle, server, folder, place / "theirs", {})
    finally:
        server.stop()
    return Both(ours, theirs)


def test_the_same_arrive(target: str, both: Both) -> None:
    ours, theirs = both
    for path, row in ours.rows.items():
        name, reason = path.stem, row.get("Reason", "")
        if name in NOT_AT_ALL:
            assert path not in ours.stored.keys() | theirs.stored.keys()
            assert NOT_AT_ALL[name] in reason
        elif name in ONLY_BY_DCMTK and target == "implicit":
            assert path not in ours.stored
            assert path in theirs.stored
            assert ONLY_BY_DCMTK[name] in reason
        else:
            assert path in ours.stored, (name, reason)
            assert path in theirs.stored, name
    assert len(ours.stored) > 35


def test_with_the_same_values(both: Both) -> None:
    """But for colours that DCMTK gets wrong, and other ways to write the same number of frames."""
    ours, theirs = both
    for path in ours.stored.keys() & theirs.stored.keys():
        found = differences(ours.stored[path], theirs.stored[path])
        found = [line for line in found if not (line.startswith(NUMBER_OF_FRAMES) and same_number(line))]
        if path.stem == deviant.JFIF_AS_RGB:
            assert [line[:11] for line in found] == ["(7fe0,0010)"]
        elif as_it_is(path, ours.stored[path]):
            assert all(re.search(r"theirs UN|only theirs", line) for line in found), (path.name, found)
        else:
            assert found == [], path.name


def same_number(line: str) -> bool:
    """Whether two ways to write Number of Frames mean the same; ours keeps a sign, blanks and further values."""
    return len(set(re.findall(r"b'[ +]?([0-9]+)", line))) == 1


def as_it_is(path: Path, kept: Path) -> bool:
    """Whether the bytes of a data set arrived as they are in the file."""
    return part10.split(kept.read_bytes())[1] == part10.split(path.read_bytes())[1]


def test_vrs_that_are_none_become_un(target: str, both: Both) -> None:
    """Where they are written anew; where the peer takes the file's own transfer syntax they stay."""
    for name, vr in deviant.NO_VRS.items():
        for kind in ("explicit", "big endian"):
            (path,) = (path for path in both.ours.stored if path.stem == f"VR of {name}, {kind}")
            data = part10.split(both.ours.stored[path].read_bytes())[1]
            unchanged = target == kind
            assert as_it_is(path, both.ours.stored[path]) == unchanged
            if target == "explicit":
                written = vr + b"\6\0" if unchanged else b"UN\0\0\6\0\0\0"
                assert b"\x08\0\x30\x10" + written + b"a text" in data
            else:
                assert b"\x08\0\x30\x10\6\0\0\0a text" in data


def test_needless_delimiters_are_left_out(both: Both) -> None:
    """Where the data set is written anew, and the lengths do not count them any more."""
    converted = 0
    for path in both.ours.stored:
        kept = both.ours.stored[path]
        if path.stem.startswith("needless") and not as_it_is(path, kept):
            data = part10.split(kept.read_bytes())[1]
            assert b"\xfe\xff\x0d\xe0" not in data
            assert b"\xfe\xff\xdd\xe0" not in data
            assert len(read(kept).ReferencedImageSequence) == 2
            converted += 1
    assert converted == 2


def test_pixels_are_those_that_were_compressed(both: Both) -> None:
    expected = {name: pixels for name, _, pixels in deviant.images()}
    found = {path.stem: read(kept) for path, kept in both.ours.stored.items()}
    for name, pixels in expected.items():
        assert found[name].PixelData == pixels, name
    jpeg = found[deviant.JFIF_AS_RGB]
    assert jpeg.PhotometricInterpretation == "RGB"
    for sample, value in enumerate(deviant.COLOUR):
        assert {abs(one - value) <= 2 for one in jpeg.PixelData[sample::3]} == {True}


WARNED: Final = {
    "Number of Frames b'0 '": "Number of Frames (0028,0008) is '0', which is taken for 1",
    "Number of Frames b'1.0 '": "Number of Frames (0028,0008) is '1.0', which is taken for 1",
    "Number of Frames b''": "Number of Frames (0028,0008) is '', which is taken for 1",
    "RLE with a byte too many": "an RLE segment holds a byte too many, which was cut off",
    "11b-rle-decoded-too-long": "an RLE segment holds a byte too many, which was cut off",
    "14f-number-of-frames-zero-ljpeg": "which is taken for 1",
    deviant.JFIF_AS_RGB: "the codestream says YCbCr, and was converted to RGB",
}


@pytest.mark.parametrize("name", WARNED)
def test_what_was_mended_is_told(
    name: str, folder: Path, dcmrecv: Callable[..., servers.FolderServer], run_dcmsend: Command
) -> None:
    server = dcmrecv(sop_classes=[deviant.SECONDARY, SECONDARY_CAPTURE], syntaxes=[EXPLICIT])
    path = folder / f"{name}.dcm"
    done = run_dcmsend("+dly", "-aec", server.aet, "127.0.0.1", server.port, path)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("W: "))
    assert str(path) in line
    assert line.endswith(WARNED[name])


SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"


def test_the_file_is_wrong_and_not_the_peer(
    folder: Path, tmp_path: Path, storescp: Callable[..., servers.FolderServer], run_dcmsend: Command
) -> None:
    """Raw pixels that are called JPEG are nothing that a peer could do something about, and the advice says so."""
    server = storescp(defaults=("+xa", "-pm"))
    written = tmp_path / "report.json"
    path = folder / f"{deviant.RAW_AS_JPEG}.dcm"
    words = ("-nh", "+dly", "--report-json", written, "-aec", server.aet, "127.0.0.1", server.port, path)
    assert run_dcmsend(*words).returncode == 66
    (cause,) = json.loads(written.read_text())["failures"]
    assert "the file is wrong, not the peer" in cause["hint"]
