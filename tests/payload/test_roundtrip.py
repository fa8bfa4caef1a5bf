"""Random data sets, written by pydicom, recoded by us, read by pydicom: the same values (PS3.5 7, Annex A).

``DCMSEND_EXAMPLES`` is how many are tried, and makes them new ones each time; without it they are always the same.
"""

from __future__ import annotations

import os
import string
import warnings
import zlib
from copy import deepcopy
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from pydicom import DataElement, Dataset, FileMetaDataset, Sequence, dcmread, dcmwrite
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

from dcmsend.model import Conversion, Instance, ScanOptions
from dcmsend.payload.opening import PayloadOpener
from tests.files import encode
from tests.files.encode import BIG_ENDIAN, CT, DEFLATED, EXPLICIT, IMPLICIT, INSTANCE
from tests.payload.written import SELECTORS, UNITS, turned
from tests.support import part10
from tests.support.compare import differences

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES: Final = os.environ.get("DCMSEND_EXAMPLES")
SYNTAXES: Final = [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED]
PROFILE: Final = settings(
    max_examples=int(EXAMPLES or 60),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of an example that fails

MAX_DEPTH: Final = 3
SEQUENCE_TAGS: Final = (0x00081140, 0x00400275, 0x00720080)
PIXEL_REPRESENTATION: Final = 0x00280103
SMALLEST_PIXEL: Final = 0x00280106

# Values of each VR (PS3.5 6.2), without spaces at the ends: they are padding there, and pydicom takes them off.
WORDS: Final = st.text(string.ascii_letters + string.digits + "_-.", min_size=1, max_size=16)
ACCENTS: Final = st.text("aäöüÉñ日本語 x", max_size=20).map(str.strip)
CODES: Final = st.text(string.ascii_uppercase + string.digits + "_", min_size=1, max_size=16)


def numbers(low: int, high: int) -> st.SearchStrategy[Any]:
    return several(st.integers(low, high))


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, min_size=1, max_size=4).map(lambda found: found if len(found) > 1 else found[0])


def raw(unit: int) -> st.SearchStrategy[bytes]:
    """Bytes in whole units, now and then more than are copied by hand."""
    small = st.binary(max_size=64)
    large = st.integers(16, 60).map(lambda times: bytes(range(times, 251 + times % 5)) * times)
    return st.one_of(small, small, small, large).map(lambda data: data[: len(data) // unit * unit])


MANY: Final = list(range(32_768))  # too many for a length field of 16 bits
VALUES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "AE": WORDS, "AS": st.sampled_from(["018M", "003W", "100Y"]), "AT": numbers(0, 2**32 - 1), "CS": several(CODES),
    "DA": st.sampled_from(["20261122", "19000101"]), "DS": several(st.sampled_from(["1.5", "-2", "1e-3", "0"])),
    "DT": st.sampled_from(["20261122120000.123456", "2026"]), "FD": several(st.floats(allow_nan=False)),
    "FL": several(st.floats(allow_nan=False, width=32)), "IS": numbers(-(2**31), 2**31 - 1), "LO": ACCENTS,
    "LT": ACCENTS, "OB": raw(2), "OD": raw(8), "OF": raw(4), "OL": raw(4), "OV": raw(8), "OW": raw(2),
    "PN": st.sampled_from(["A^B", "Müller^Jürgen", "X=山田"]), "SH": WORDS, "SL": numbers(-(2**31), 2**31 - 1),
    "SS": numbers(-(2**15), 2**15 - 1), "ST": ACCENTS, "SV": numbers(-(2**63), 2**63 - 1),
    "TM": st.sampled_from(["120000", "2359"]), "UC": several(WORDS),
    "UI": several(st.sampled_from(["1.2.3", "1.2.840.10008.1.2"])), "UL": numbers(0, 2**32 - 1), "UN": raw(2),
    "UR": st.just("http://a.example/b?c=d"), "US": st.one_of(numbers(0, 2**16 - 1), st.just(MANY)), "UT": ACCENTS,
    "UV": numbers(0, 2**64 - 1),
}  # fmt: skip
EMPTY: Final = {vr: st.just(None) for vr in VALUES}

# Private blocks: creator, element number and VR. Of the last ones no dictionary knows anything.
KNOWN_BLOCKS: Final = (
    (0x0019, "GEMS_ACQU_01", 0x02, "SL"),
    (0x0019, "SIEMENS MR HEADER", 0x0E, "FD"),
    (0x0029, "SIEMENS CSA HEADER", 0x10, "OB"),
    (0x2001, "Philips Imaging DD 001", 0x01, "FL"),
    (0x0071, "AGFA-AG_HPState", 0x18, "SQ"),
)
UNKNOWN_BLOCKS: Final = tuple((0x0099, "NOBODY KNOWS", number, vr) for number, vr in enumerate([*VALUES, "SQ"], 1))


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 0, *, unknown: bool = True, signed: int = 0) -> Dataset:
    """A data set with a few elements of any kind, sequences of both kinds, and private blocks.

    ``unknown``: there may be private attributes that no dictionary has. ``signed``: Pixel Representation around it.
    """
    dataset = Dataset()
    if not depth:
        dataset.SpecificCharacterSet, dataset.SOPClassUID, dataset.SOPInstanceUID = "ISO_IR 192", CT, INSTANCE
    for vr in draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=8)):
        dataset.add_new(SELECTORS[vr], vr, draw(st.one_of(VALUES[vr], VALUES[vr], VALUES[vr], EMPTY[vr])))
    if draw(st.booleans()):
        if draw(st.booleans()):
            signed = draw(st.integers(0, 1))
            dataset.add_new(PIXEL_REPRESENTATION, "US", signed)
        dataset.add_new(SMALLEST_PIXEL, "SS" if signed else "US", draw(st.integers(0, 100)) - 50 * signed)
    blocks = KNOWN_BLOCKS + UNKNOWN_BLOCKS if unknown else KNOWN_BLOCKS
    for group, creator, number, vr in draw(st.lists(st.sampled_from(blocks), max_size=2)):
        value = draw(items(depth, unknown=unknown, signed=signed) if vr == "SQ" else VALUES[vr])
        dataset.private_block(group, creator, create=True).add_new(number, vr, value)
    if depth < MAX_DEPTH:
        for tag in draw(st.lists(st.sampled_from(SEQUENCE_TAGS), unique=True, max_size=2 if depth else 3)):
            dataset.add_new(tag, "SQ", draw(items(depth, unknown=unknown, signed=signed)))
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = draw(st.booleans())
    return dataset


@st.composite
def items(draw: st.DrawFn, depth: int, *, unknown: bool, signed: int) -> Sequence:
    """Items of a sequence; sometimes many that are alike."""
    if depth >= MAX_DEPTH:
        return Sequence()
    found = draw(st.lists(data_sets(depth + 1, unknown=unknown, signed=signed), max_size=2))
    if found and not depth and draw(st.booleans()):
        found *= 6
    copies = [deepcopy(item) for item in found]
    for item in copies:
        item.is_undefined_length_sequence_item = draw(st.booleans())
    return Sequence(copies)


def written(dataset: Dataset, syntax: str) -> bytes:
    """A Part 10 file by pydicom."""
    ordered = in_byte_order(dataset, syntax)
    ordered.file_meta = FileMetaDataset()
    ordered.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dcmwrite(buffer, ordered, enforce_file_format=True)
    return buffer.getvalue()


def in_byte_order(dataset: Dataset, syntax: str) -> Dataset:
    """pydicom writes and shows the bytes of OW and its like as they are: turned by hand, where that is needed."""

    def turn(_: Dataset, element: DataElement) -> None:
        if element.VR.startswith("O") and element.value:
            element.value = turned(element.value, UNITS.get(element.VR, 1))

    ordered = deepcopy(dataset)
    if syntax == BIG_ENDIAN:
        ordered.walk(turn)
    return ordered


def recoded(file: bytes, syntax: str, target: str, path: Path) -> bytes:
    """The file in another transfer syntax, by us."""
    path.write_bytes(file)
    instance = Instance(str(path), CT, INSTANCE, syntax, len(file))
    with PayloadOpener(ScanOptions(), Conversion()).open(instance, target) as payload:
        data = bytearray(payload.length)
        assert payload.fill([memoryview(data)]) == payload.length
    return encode.part10(bytes(data), syntax=target)


def has_many(dataset: Dataset) -> bool:
    return any(len(MANY) == element.VM for element in dataset.iterall())


class Comparison:
    """Element by element, as pydicom shows them. Each difference that is allowed has its own branch."""

    def __init__(self, syntax: str, target: str) -> None:
        self._implicit = IMPLICIT in (syntax, target)
        self._vr_guessed = target == IMPLICIT

    def of_data_sets(self, before: Dataset, after: Dataset) -> None:
        assert sorted(before.keys()) == sorted(after.keys())
        for one, other in zip(before, after, strict=True):
            if one.VR == other.VR:
                self.of_values(one, other)
            elif one.tag == SMALLEST_PIXEL:
                # pydicom reads a sequence before it knows of a Pixel Representation that stands behind it.
                assert self._vr_guessed
                assert (one.value - other.value) % 2**16 == 0
            else:
                # Implicit VR has lost the VR of what no dictionary knows, and a VR with a length field of 16 bits
                # holds no more than that; pydicom then shows the bytes, which are those of implicit VR.
                assert other.VR == "UN"
                assert self._implicit or len(other.value) > 0xFFFE
                assert implicit_bytes(one) == implicit_bytes(other), (one, other)

    def of_values(self, one: DataElement, other: DataElement) -> None:
        if one.VR == "SQ":
            assert len(one.value) == len(other.value)
            for before, after in zip(one.value, other.value, strict=True):
                self.of_data_sets(before, after)
        elif one.is_empty or other.is_empty:
            assert one.is_empty and other.is_empty  # None, or an empty text
        else:
            assert one.value == other.value, (one, other)


def implicit_bytes(element: DataElement) -> bytes:
    """The value as implicit VR little endian has it."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    write_data_element(buffer, element, ["utf-8"])
    return bytes(buffer.getvalue()[8:])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("roundtrip") / "file.dcm"


@PROFILE
@given(data_sets(), st.sampled_from(SYNTAXES), st.sampled_from(SYNTAXES))
def test_recoded_data_sets_have_the_same_values(path: Path, dataset: Dataset, syntax: str, target: str) -> None:
    # pydicom leaves the bytes of UN big endian there; by PS3.5 6.2.2 note 2 they are little endian.
    assume(syntax != BIG_ENDIAN or not has_many(dataset))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, about values
        file = written(dataset, syntax)
        there = recoded(file, syntax, target, path)
        after = in_byte_order(dcmread(BytesIO(there)), target)
        Comparison(syntax, target).of_data_sets(dataset, after)
        assert differences(file, there) == []


@PROFILE
@given(data_sets(unknown=False), st.sampled_from(SYNTAXES), st.sampled_from(SYNTAXES))
def test_there_and_back(path: Path, dataset: Dataset, syntax: str, other: str) -> None:
    """Where every VR can be known, the second recoding gives the bytes that the first one had."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = written(dataset, syntax)
    back = recoded(recoded(file, syntax, other, path), other, syntax, path)
    assert plain(back, syntax) == plain(file, syntax)


def plain(file: bytes, syntax: str) -> bytes:
    """The data set, inflated: another deflate library packs otherwise."""
    data = part10.split(file)[1]
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data) if syntax == DEFLATED else data
