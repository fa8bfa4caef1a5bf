"""VRs by tag and private creator: pydicom's, those of DCMTK's dictionary files, and files that are wrong."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._private_dict import private_dictionaries

from dcmsend.errors import ConfigurationError
from dcmsend.files.opening import OpenFile
from dcmsend.payload import dictionary
from dcmsend.payload.dictionary import Dictionary, check_paths, dictionary_paths, load_dictionary
from dcmsend.payload.sequences import SEQUENCES

BUILT_IN: Final = load_dictionary()
STANDARD_TAGS: Final = [*DicomDictionary, *(int(name.replace("x", "2"), 16) for name in RepeatersDictionary)]
MR_HEADER: Final = "SIEMENS MR HEADER"


@pytest.fixture(scope="session")
def dcmtk_files(dcmtk: Callable[[str], str], samples: list[Path]) -> dict[str, str]:
    """The dictionary files that DCMTK comes with, by their base names: those it loads and those beside them."""
    environment = {name: value for name, value in os.environ.items() if name != "DCMDICTPATH"}
    words = [dcmtk("dcmdump"), "-d", str(samples[0])]
    run = subprocess.run(words, env=environment, capture_output=True, text=True, errors="replace", timeout=60)
    loaded = re.search(r"Loading file: (.+)", run.stdout + run.stderr)
    if not loaded:
        pytest.skip("DCMTK was built with its dictionary inside")
    return {path.stem: str(path) for path in Path(loaded[1]).parent.glob("*.dic")}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes | str], str]:
    """Write a dictionary file; its path."""

    def write(content: bytes | str) -> str:
        path = tmp_path / "my.dic"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("latin-1"))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("tag", "creator", "expected"),
    [
        (0x00100010, "", b"PN"),
        (0x00080005, "", b"CS"),
        (0x00081115, "", b"SQ"),
        (0x7FE00010, "", b"px"),
        (0x00280106, "", b"xs"),
        (0x00283006, "", b"lt"),
        (0x54001010, "", b"ox"),
        (0x00041200, "", b"UL"),  # an offset in a DICOMDIR
        (0x00100011, "", b"UN"),  # not in PS3.6
        (0x00100010, "ACME", b"PN"),  # a standard attribute has no creator
        (0x60020010, "", b"US"),  # repeating groups
        (0x60FE3000, "", b"ox"),
        (0x50063000, "", b"ox"),
        (0x10000AB1, "", b"US"),
        (0x10100001, "", b"US"),
        (0x002031FF, "", b"CS"),
        (0x00100000, "", b"UL"),  # group lengths
        (0x60020000, "", b"UL"),
        (0x00190000, "", b"UL"),
        (0x00190010, "", b"LO"),  # private creators
        (0x001900FF, "", b"LO"),
        (0x00190010, MR_HEADER, b"LO"),
        (0x00190001, "", b"UN"),  # PS3.5 7.8.1 reserves (gggg,0001-000F)
        (0x00190108, "", b"UN"),
        (0x00190108, MR_HEADER, b"UN"),
        (0x00191008, "", b"UN"),  # nobody reserved the block
        (0x00191008, "ACME", b"UN"),
        (0x00191008, MR_HEADER, b"CS"),
        (0x0019FF08, MR_HEADER, b"CS"),  # whatever the block
        (0x001910FF, MR_HEADER, b"UN"),
        (0x00211008, MR_HEADER, b"UN"),  # another group
        (0x002710A3, "FDMS 1.0", b"xs"),
        (0x70191080, "TOSHIBA_MEC_OT3", b"ox"),
        (0x60111010, "PAPYRUS 3.0", b"US"),  # a repeating private group
        (0xE4031000, "TOSHIBA_MEC_MR3^13", b"SH"),  # listed as (E403,0000)
        (0x00E11021, "ELSCINT1", b"DS"),  # listed for this block alone
    ],
)
def test_built_in(tag: int, creator: str, expected: bytes) -> None:
    assert BUILT_IN.vr(tag, creator) == expected
    assert BUILT_IN.vr(tag, creator) == expected  # from the cache


@pytest.mark.parametrize("tag", STANDARD_TAGS[::50])
def test_answer_is_a_vr_or_the_name_of_an_ambiguous_one(tag: int) -> None:
    assert re.fullmatch(rb"[A-Z]{2}|ox|px|xs|lt", BUILT_IN.vr(tag))


def test_every_private_attribute_of_pydicom_is_found() -> None:
    """By the low byte of its element number, except those that are listed for one block or for private creators."""
    names = {"US or SS": "xs", "OB_OW": "ox"}
    listed = (
        (creator, mask, vr) for creator, entries in private_dictionaries.items() for mask, (vr, *_) in entries.items()
    )
    for creator, mask, vr in listed:
        group, low = int(mask[:4].replace("xx", "11"), 16), mask[6:]
        if group % 2 and mask[4:6] in ("xx", "00") and low != "xx":
            found = BUILT_IN.vr(group << 16 | 0x1100 | int(low, 16), creator)
            assert found.decode() == names.get(vr, vr), (creator, mask)


def test_cache_does_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionary, "_MOST_KEPT", 10)
    one = load_dictionary()
    for number in range(100):
        one.vr(0x00191000 + number, MR_HEADER)
        assert len(one._known) <= 10
    assert one.vr(0x00191008, MR_HEADER) == b"CS"


def test_threads_share_a_dictionary() -> None:
    one = load_dictionary()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda tag: (tag, one.vr(tag)), STANDARD_TAGS * 4))
    assert answers == [(tag, BUILT_IN.vr(tag)) for tag in STANDARD_TAGS] * 4


class TestFilesOfDcmtk:
    # Where DCMTK's dictionary of the standard and pydicom's disagree: tag -> (pydicom, DCMTK).
    DIFFERENT: Final[dict[int, tuple[bytes, bytes]]] = {}
    # What DCMTK knows and pydicom does not.
    ADDED: Final = {0x00060001: b"SQ"}  # Current Frame Functional Groups Sequence

    @pytest.mark.parametrize("name", ["dicom", "private", "diconde", "acrnema"])
    def test_every_line_is_understood(self, name: str, dcmtk_files: dict[str, str]) -> None:
        lines = Path(dcmtk_files[name]).read_text(encoding="latin-1").splitlines()
        entries = [line for line in lines if line.strip() and not line.startswith("#")]
        assert len(list(dictionary._read(dcmtk_files[name]))) == len(entries) > 100

    def test_same_vrs_as_in_pydicom(self, dcmtk_files: dict[str, str]) -> None:
        theirs = load_dictionary([dcmtk_files["dicom"]])
        pairs = {tag: (BUILT_IN.vr(tag), theirs.vr(tag)) for tag in STANDARD_TAGS}
        assert {tag: pair for tag, pair in pairs.items() if len(set(pair)) > 1} == self.DIFFERENT
        assert {tag: theirs.vr(tag) for tag in self.ADDED} == self.ADDED
        assert {BUILT_IN.vr(tag) for tag in self.ADDED} == {b"UN"}

    @pytest.mark.parametrize(
        ("tag", "creator", "expected"),
        [
            (0x00251010, "CMR42 CIRCLECVI", b"LO"),
            (0x00251110, "CMR42 CIRCLECVI", b"UN"),  # for one block alone
            (0x7FE11060, "GEMS_Ultrasound_MovieGroup_001", b"px"),
            (0x60111110, "PAPYRUS 3.0", b"US"),  # (6001-o-60ff,"PAPYRUS 3.0",10)
            (0x7FE1FF10, "SPI-P Release 1", b"ox"),
            (0x00191010, "SIEMENS CM VA0  ACQU", b"LT"),
            (0x00190010, "", b"LO"),  # (0009-o-FFFF,0010-u-00FF)
            (0x00090000, "", b"UL"),
        ],
    )
    def test_private_attribute(self, tag: int, creator: str, expected: bytes, dcmtk_files: dict[str, str]) -> None:
        assert load_dictionary([dcmtk_files["dicom"], dcmtk_files["private"]]).vr(tag, creator) == expected


# Lines, and what they make of tags: (tag, creator) -> VR.
LINES: Final[dict[str, tuple[str, dict[tuple[int, str], bytes]]]] = {
    "wins over the built-in one": ("(0010,0010)\tLO\tName", {(0x00100010, ""): b"LO", (0x00100020, ""): b"LO"}),
    "new attribute": ("(0020,9999)\tFD\tNew\t1\tMine", {(0x00209999, ""): b"FD", (0x00209998, ""): b"UN"}),
    "private, any creator": (
        '(0017,1001)\tFD\tAny\n(0017,"ACME",01)\tFL\tOne',
        {(0x00171001, ""): b"FD", (0x00171001, "B"): b"FD", (0x00171001, "ACME"): b"FL", (0x00171101, "B"): b"UN"},
    ),
    "later line wins": ("(0010,0010)\tLO\tA\n(0010,0010)\tSH\tB\n", {(0x00100010, ""): b"SH"}),
    "short numbers, blanks": ("  ( 10, 10 )\t LO \tName \t 1-n \t x ", {(0x00100010, ""): b"LO"}),
    "VR in small letters": ("(0010,0010)\tlo\tName", {(0x00100010, ""): b"LO"}),
    "ambiguous": ("(0010,0010)\tlt\tName", {(0x00100010, ""): b"lt"}),
    "offset": ("(0010,0010)\tup\tName", {(0x00100010, ""): b"UL"}),
    "not an element": ("(0010,0010)\tna\tName", {(0x00100010, ""): b"UN"}),
    "even numbers": (
        "(6000-60FF,0077)\tFD\tName",
        {(0x60020077, ""): b"FD", (0x60FE0077, ""): b"FD", (0x60010077, ""): b"LO", (0x60020078, ""): b"UN"},
    ),
    "odd numbers": ("(0100-o-0103,1001)\tFD\tName", {(0x01011001, ""): b"FD", (0x01021001, ""): b"UN"}),
    "all numbers": (
        "(0044-u-0046,3010-u-3012)\tFD\tName",
        {(0x00443010, ""): b"FD", (0x00453011, ""): b"FD", (0x00463012, ""): b"FD", (0x00463013, ""): b"UN"},
    ),
    "narrowest range": (
        "(0100-01FF,1000-u-10FF)\tFD\tWide\n(0100-0110,1000-u-10FF)\tFL\tNarrow\n(0100-u-01FF,1000-u-10FF)\tUS\tAll",
        {(0x01021001, ""): b"FL", (0x01201001, ""): b"FD", (0x01211001, ""): b"US"},
    ),
    "one tag before a range": ("(0100,1000)\tSL\tOne\n(0100-0110,1000)\tFL\tMany", {(0x01001000, ""): b"SL"}),
    "private": (
        '(0019,"ACME 1, (new)",08)\tUT\tName',
        {(0x00191008, "ACME 1, (new)"): b"UT", (0x00192008, "ACME 1, (new)"): b"UT", (0x00191008, "ACME 1"): b"UN"},
    ),
    "private, one block": ('(0019,"A",1108)\tUT\tN', {(0x00191108, "A"): b"UT", (0x00191008, "A"): b"UN"}),
    "private, range": ('(0019-o-0021,"A",10-u-12)\tUT\tN', {(0x00213011, "A"): b"UT", (0x00213013, "A"): b"UN"}),
    "private, wins": (f'(0019,"{MR_HEADER}",08)\tUT\tName', {(0x00191008, MR_HEADER): b"UT"}),
    "creator with padding": ('(0019," A  ",08)\tUT\tName', {(0x00191008, "A"): b"UT"}),
    "creator beyond ASCII": ('(0019,"\xe4",08)\tUT\tName', {(0x00191008, "\xe4"): b"UT"}),
    "comments and ends of lines": ("\r\n# (\r\n \t# x\r\n(0010,0010)\tLO\tName\r\n\r\n", {(0x00100010, ""): b"LO"}),
    "byte order mark": ("\xef\xbb\xbf(0010,0010)\tLO\tName", {(0x00100010, ""): b"LO"}),
    "empty": ("", {(0x00100010, ""): b"PN"}),
}


@pytest.mark.parametrize(("content", "expected"), LINES.values(), ids=LINES.keys())
def test_line(content: str, expected: dict[tuple[int, str], bytes], written: Callable[[str], str]) -> None:
    found = load_dictionary([written(content)])
    assert {key: found.vr(*key) for key in expected} == expected


def test_later_file_wins(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "ab"]
    for path, vr in zip(paths, ("LO", "SH"), strict=True):
        path.write_text(f"(0010,0010)\t{vr}\tName\n(6000-60FF,0010)\t{vr}\tRows\n")
    both = load_dictionary([str(path) for path in paths])
    assert (both.vr(0x00100010), both.vr(0x60020010)) == (b"SH", b"SH")


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("(0010,0010)\tLO", 1, "2 fields, not 3 to 5 (single tabs separate tag, VR, name, VM and version)"),
        ("(0010,0010) LO Name 1", 1, "1 fields, not 3 to 5"),
        ("#\n\n(0010,0010)\tLO\tName\t1\tx\ty", 3, "6 fields, not 3 to 5"),
        ("0010,0010\tLO\tName", 1, "'0010,0010' is not a tag like (0010,0020) or (0019,\"CREATOR\",10)"),
        ("(00100,0010)\tLO\tName", 1, "'(00100,0010)' is not a tag"),
        ("(001g,0010)\tLO\tName", 1, "'(001g,0010)' is not a tag"),
        ("(0010-x-0012,0010)\tLO\tName", 1, "'(0010-x-0012,0010)' is not a tag"),
        ("(0019,ACME,10)\tLO\tName", 1, "'(0019,ACME,10)' is not a tag"),
        ('(0019,"ACME,10)\tLO\tName', 1, "'(0019,\"ACME,10)' is not a tag"),
        ("(\x1b[2J)\tLO\tName", 1, "is not a tag"),
        (f"({'0' * 1000})\tLO\tName", 1, "...' is not a tag"),
        ("(0012-0010,0010)\tLO\tName", 1, "no number is meant by 0012-e-0010"),
        ("(0019-0019,0010)\tLO\tName", 1, "no number is meant by 0019-e-0019"),
        ("(0010,0010)\tZZ\tName", 1, "'ZZ' is not a VR"),
        ("(0010,0010)\t\tName", 1, "'' is not a VR"),
        ("(0010,0010)\tLO\tName\tmany", 1, "'many' is not a value multiplicity like 1, 1-3 or 1-n"),
        ("(0010,0010)\tLO\t" + "x" * 2048, 1, "it has more than 2048 bytes"),
        ("# " + "x" * 2048, 1, "it has more than 2048 bytes"),
        (bytes(100), 1, "1 fields, not 3 to 5"),
    ],
)
def test_line_that_is_wrong(
    content: bytes | str, line: int, reason: str, written: Callable[[bytes | str], str]
) -> None:
    path = written(content)
    with pytest.raises(ConfigurationError) as caught:
        load_dictionary([path])
    assert caught.value.message.startswith(f"data dictionary {path}, line {line}: ")
    assert reason in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 500
    assert caught.value.hint == "Correct the line, put a # before it, or take the file out of DCMDICTPATH."


def test_file_that_is_too_large(written: Callable[[bytes], str]) -> None:
    path = written(b"#\n" * (2 << 20) + b"#")
    with pytest.raises(ConfigurationError, match="it has more than 4194304 bytes"):
        load_dictionary([path])


@pytest.mark.parametrize("use", [load_dictionary, check_paths])
class TestFileThatCannotBeRead:
    def test_missing(self, use: Callable[[list[str]], object], tmp_path: Path) -> None:
        path = str(tmp_path / "none\n.dic")
        with pytest.raises(ConfigurationError) as caught:
            use([path])
        shown = path.replace("\n", "\\n")
        assert caught.value.message == f"cannot read the data dictionary {shown}: No such file or directory"
        assert caught.value.hint == "Correct DCMDICTPATH, or unset it: the dictionary built in stays in use."

    def test_folder(self, use: Callable[[list[str]], object], tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="not a regular file but a directory"):
            use([str(tmp_path)])

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
    def test_fifo_does_not_block(self, use: Callable[[list[str]], object], tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        with pytest.raises(ConfigurationError, match="not a regular file but a FIFO"):
            use([str(tmp_path / "fifo")])


@pytest.mark.parametrize("use", [load_dictionary, check_paths])
@pytest.mark.parametrize("kind", ["good", "bad", "folder"])
def test_nothing_stays_open(
    kind: str, use: Callable[[list[str]], object], written: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[OpenFile] = []

    def record(path: str) -> OpenFile:
        opened.append(OpenFile(path))
        return opened[-1]

    monkeypatch.setattr(dictionary, "OpenFile", record)
    path = written("(0010,0010)\tLO\tName" if kind == "good" else "nonsense")
    with contextlib.suppress(ConfigurationError):
        use([os.path.dirname(path) if kind == "folder" else path])
    assert [file.descriptor for file in opened] == [-1]


def test_check_does_not_look_inside(written: Callable[[str], str]) -> None:
    check_paths([written("nonsense")])
    check_paths([])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ()), ("", ()), ("a", ("a",)), ("a:b", ("a", "b")), (":a::b c:", ("a", "b c")), (":", ())],
)
def test_paths_of_the_environment(value: str | None, expected: tuple[str, ...]) -> None:
    environment = {} if value is None else {"DCMDICTPATH": value.replace(":", os.pathsep)}
    assert dictionary_paths(environment) == expected


def test_sequences_of_the_standard() -> None:
    """Ours are those of pydicom; a later version of it may have more."""
    theirs = {tag for tag, (vr, *_) in DicomDictionary.items() if vr == "SQ"}
    assert theirs >= SEQUENCES
    assert len(SEQUENCES) >= 1277


@pytest.mark.parametrize("creator", ["ACME 1.0", "Acme 1.0", "acme 1.0"])
def test_a_creator_of_a_file_whatever_its_case(creator: str, written: Callable[[str], str]) -> None:
    """What is written just so goes before what is written in another case."""
    lines = ('(0029,"Acme 1.0",10)\tDS\tOne', '(0029,"ACME 1.0",10)\tIS\tOther', '(0029,"Acme 1.0",11-u-1F)\tDS\tMany')
    for content in (lines, lines[::-1]):
        found = load_dictionary([written("\n".join(content))])
        exact = {"ACME 1.0": b"IS", "Acme 1.0": b"DS"}
        assert found.vr(0x00291010, creator) == exact.get(creator, b"IS")
        assert found.vr(0x00291012, creator) == b"DS"
    assert load_dictionary().vr(0x20011003, "PHILIPS IMAGING DD 001") == b"FL"


def test_dictionaries_are_asked_once_for_a_tag() -> None:
    asked: list[int] = []

    def standard(tag: int) -> str:
        asked.append(tag)
        raise KeyError(tag)

    def private(tag: int, creator: str) -> str:
        raise KeyError(tag, creator)

    one = Dictionary(standard, private)
    assert [one.vr(0x00100010), one.vr(0x00100010), one.vr(0x00191008, "A")] == [b"UN"] * 3
    assert asked == [0x00100010]
