"""The recoder (PS3.5 7, Annex A): every encoding to every other one, and what is mended, changed or refused."""

from __future__ import annotations

import itertools
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

import pytest

from dcmsend.errors import FileError
from dcmsend.files.dataset import check
from dcmsend.files.elements import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, MAX_NESTING, StructureError
from dcmsend.files.sources import BytesSource
from dcmsend.model import Conversion, Instance, ScanOptions
from dcmsend.payload import output
from dcmsend.payload.dictionary import load_dictionary
from dcmsend.payload.levels import Value
from dcmsend.payload.opening import PayloadOpener
from dcmsend.payload.payload import Identity, Payload
from dcmsend.payload.pieces import Chunks, Memory
from dcmsend.payload.recode import LARGE, recode
from dcmsend.payload.work import ROOT, Pixels, Work, swapped
from tests.files import encode
from tests.files.encode import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, JPEG
from tests.payload import written
from tests.payload.written import (
    ENCODINGS,
    SELECTORS,
    Element,
    Item,
    item,
    open_item,
    open_sequence,
    sequence,
    write,
    write_element,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dcmsend.files.elements import Encoding
    from dcmsend.payload.pieces import Piece

DICTIONARY: Final = load_dictionary()
DIRECTIONS: Final = [
    pytest.param(ENCODINGS[one], ENCODINGS[other], id=f"{one} to {other}")
    for one, other in itertools.product(ENCODINGS, ENCODINGS)
]
NATIVE: Final = {"implicit": IMPLICIT, "explicit": EXPLICIT, "big endian": BIG_ENDIAN, "deflated": DEFLATED}
ODD_CUTS: Final = (1, 3, 7, 13, 101, 4099)

NAME: Final = Element(0x00100010, "PN", b"A^B ")
MODALITY: Final = Element(0x00080060, "CS", b"MR")
ROWS: Final = Element(0x00280010, "US", b"\x01\x02")
SIGNED: Final = Element(0x00280103, "US", b"\1\0")
UNSIGNED: Final = Element(0x00280103, "US", b"\0\0")
LAST: Final = Element(0x00400006, "PN", b"C^D ")
CODES: Final = 0x00081140  # Referenced Image Sequence
REQUESTS: Final = 0x00400275  # Request Attributes Sequence


def recoded(data: bytes, encoding: Encoding, target: Encoding, **changes: Any) -> bytes:
    """``data`` in another encoding."""

    def large(value: int, length: int, unit: int) -> Piece:
        assert length >= LARGE or changes.get("fragments")
        return Chunks(iter([swapped(data[value : value + length], unit)]), length)

    defaults: dict[str, Any] = {
        "source": BytesSource(data),
        "runs": ((0, len(data)),),
        "large": large,
        "dictionary": lambda: DICTIONARY,
    }
    return given(recode(Work(encoding=encoding, target=target, **defaults | changes)))


def given(pieces: Sequence[Piece], sizes: Sequence[int] = (1 << 20,)) -> bytes:
    """All bytes of the pieces, given out into views of these sizes, two by two."""
    return drained(Payload(Identity("", "", "", ""), pieces, dataset_size=0), sizes)


def drained(payload: Payload, sizes: Sequence[int] = (1 << 20,)) -> bytes:
    taken = b""
    for size in itertools.cycle(sizes):
        views = bytearray(size), bytearray(size + 1)
        count = payload.fill([memoryview(view) for view in views])
        taken += b"".join(views)[:count]
        if not count:
            break
    assert len(taken) == payload.length
    return taken


def converted(folder: Path, data: bytes, syntax: str, target: str, *, level: int = 6, cuts: Any = (1 << 20,)) -> bytes:
    """The data set of a file, opened for another transfer syntax."""
    path = folder / "file.dcm"
    path.write_bytes(encode.part10(encode.deflate(data) if syntax == DEFLATED else data, syntax=syntax))
    instance = Instance(str(path), encode.CT, encode.INSTANCE, syntax, path.stat().st_size)
    with PayloadOpener(ScanOptions(), Conversion(compression_level=level)).open(instance, target) as payload:
        return drained(payload, cuts)


def inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    whole = inflater.decompress(data)
    assert inflater.eof
    assert inflater.unused_data in (b"", b"\0")
    return whole


def numbers(count: int) -> bytes:
    """So many bytes that no two units of eight are alike."""
    return b"".join(struct.pack("<HLH", n & 0xFFFF, n * 7 + 1, n >> 3 & 0xFFFF) for n in range(count // 8 + 1))[:count]


# Every VR, a value or two each, in the order of their tags. UN stands in tests of its own.
VALUES: Final[dict[str, bytes]] = {
    "AE": b"STORESCP", "AS": b"018M", "AT": b"\x10\x00\x20\x00\x28\x00\x04\x01", "CS": b"AB", "DA": b"20261122",
    "DS": b"1.5\\-2", "DT": b"20261122120000", "FD": struct.pack("<2d", 1.5, -2.25), "FL": struct.pack("<f", 0.1),
    "IS": b"12\\-3 ", "LO": b"text", "LT": b"a\r\nb", "OB": b"\1\2\3\4", "OD": struct.pack("<2d", 0.1, 3),
    "OF": struct.pack("<2f", 0.1, 3), "OL": b"\1\2\3\4\5\6\7\x08", "OV": struct.pack("<2Q", 1, 2**64 - 2),
    "OW": b"\1\2\3\4", "PN": b"A^B ", "SH": b"sh", "SL": struct.pack("<2l", -2, 70000), "SS": struct.pack("<h", -2),
    "ST": b"st", "SV": struct.pack("<q", -(2**62)), "TM": b"1200", "UC": b"uc", "UI": b"1.2\0",
    "UL": struct.pack("<L", 2**31 + 1), "UR": b"http://a", "US": struct.pack("<2H", 1, 65534), "UT": b"text",
    "UV": struct.pack("<2Q", 2**63 + 1, 3),
}  # fmt: skip
EVERY_VR: Final = sorted(Element(SELECTORS[vr], vr, value) for vr, value in VALUES.items())
EMPTY_VR: Final = sorted(Element(SELECTORS[vr], vr, b"") for vr in VALUES)

DATA_SETS: Final[dict[str, Sequence[Element]]] = {
    "every VR": EVERY_VR,
    "every VR, empty": EMPTY_VR,
    "every VR in an item": [sequence(CODES, item(*EVERY_VR)), LAST],
    "a sequence": [MODALITY, sequence(CODES, item(NAME), item(NAME, ROWS)), LAST],
    "a sequence of undefined length": [MODALITY, open_sequence(CODES, open_item(NAME), open_item(NAME, ROWS)), LAST],
    "items of undefined length in a sequence of defined length": [sequence(CODES, open_item(NAME), item(ROWS)), LAST],
    "items of defined length in a sequence of undefined length": [open_sequence(CODES, item(NAME), open_item(ROWS))],
    "a sequence last in an item": [sequence(CODES, item(NAME, sequence(REQUESTS, item(ROWS)))), LAST],
    "three levels, all defined": [sequence(CODES, item(sequence(REQUESTS, item(sequence(REQUESTS, item(NAME))))))],
    "three levels, all undefined": [
        open_sequence(CODES, open_item(open_sequence(REQUESTS, open_item(open_sequence(REQUESTS, open_item(NAME))))))
    ],
    "three levels, by turns": [
        open_sequence(
            CODES, item(NAME, open_sequence(REQUESTS, item(sequence(REQUESTS, open_item(NAME))), open_item()))
        )
    ],
    "an empty sequence": [MODALITY, sequence(CODES), LAST],
    "an empty sequence of undefined length": [MODALITY, open_sequence(CODES), LAST],
    "an empty sequence last of all": [MODALITY, open_sequence(CODES)],
    "empty sequences one after the other": [
        open_sequence(CODES), sequence(0x00081145), open_sequence(0x0008114A), sequence(REQUESTS), LAST
    ],
    "empty items": [sequence(CODES, item(), open_item(), item()), open_sequence(REQUESTS, open_item(), item())],
    "an empty sequence in an item": [sequence(CODES, item(sequence(CODES)), item(open_sequence(CODES), NAME)), LAST],
    "private, creator known": [
        Element(0x00190010, "LO", b"GEMS_ACQU_01"),
        Element(0x00191002, "SL", b"\1\2\3\4"),
        Element(0x00191003, "DS", b"0.5 "),
    ],
    "private, two blocks in one group": [
        Element(0x00290010, "LO", b"SOMEBODY ELSE "),
        Element(0x00290042, "LO", b"SIEMENS CSA HEADER"),
        Element(0x00291008, "UN", b"IMAG"),
        Element(0x00294208, "CS", b"IMAG"),
        Element(0x00294210, "OB", b"\1\2\3\4"),
    ],
    "private, creator unknown": [Element(0x00090010, "LO", b"NOBODY"), Element(0x00091001, "UN", b"\1\2\3\4")],
    "private, without a creator": [Element(0x00091001, "UN", b"\1\2\3\4")],
    "private in items: each has its own creators": [
        Element(0x00190010, "LO", b"GEMS_ACQU_01"),
        sequence(
            REQUESTS,
            item(Element(0x00191002, "UN", b"\1\2\3\4")),
            item(Element(0x00190010, "LO", b"GEMS_ACQU_01"), Element(0x00191002, "SL", b"\1\2\3\4")),
            item(Element(0x00191002, "UN", b"\1\2\3\4")),
        ),
    ],
    "a private sequence, creator known": [
        Element(0x00710010, "LO", b"AGFA-AG_HPState "),
        sequence(0x00711018, item(NAME, ROWS), open_item(ROWS)),
        open_sequence(0x00711019, item(NAME)),
    ],
    "unknown, defined length": [Element(SELECTORS["UN"], "UN", b"\1\2\3\4")],
    "repeating groups": [
        Element(0x60000010, "US", b"\1\2"),
        Element(0x60003000, "OW", b"\1\2"),
        Element(0x60020010, "US", b"\1\2"),
    ],
    "group lengths": [
        Element(0x00080000, "UL", struct.pack("<L", 10)),
        MODALITY,
        Element(0x00280000, "UL", struct.pack("<L", 10)),
        ROWS,
    ],
    "pixel data": [ROWS, Element(0x7FE00010, "OW", numbers(1000))],
    "pixel data in an item": [sequence(0x00880200, item(ROWS, Element(0x7FE00010, "OW", b"\1\2"))), LAST],
    "values of up to 64 KiB": [
        Element(SELECTORS["LT"], "LT", b"x" * 0xFFFE),
        Element(SELECTORS["OW"], "OW", numbers(4096)),
        Element(SELECTORS["UN"], "UN", numbers(4098)),
        Element(SELECTORS["DS"], "DS", b"1\\" * 2047 + b"1 "),
        Element(SELECTORS["US"], "US", numbers(0xFFFE)),
    ],
    "long values": [
        Element(SELECTORS["OB"], "OB", numbers(100_000)),
        Element(SELECTORS["OF"], "OF", numbers(100_000)),
        Element(SELECTORS["OW"], "OW", numbers(LARGE)),
        Element(SELECTORS["UC"], "UC", b"c" * 100_000),
        Element(SELECTORS["OD"], "OD", numbers(LARGE)),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("encoding", "target"), DIRECTIONS)
@pytest.mark.parametrize("elements", DATA_SETS.values(), ids=DATA_SETS)
def test_each_encoding_to_each(elements: Sequence[Element], encoding: Encoding, target: Encoding) -> None:
    data = write(elements, encoding)
    assert recoded(data, encoding, target) == write(elements, target)


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("target", NATIVE)
def test_files(syntax: str, target: str, tmp_path: Path) -> None:
    """The whole way: from a file of each native transfer syntax into each, in views of odd sizes."""
    elements = sorted(
        [
            Element(0x00080016, "UI", encode.uid(encode.CT)),
            Element(0x00080018, "UI", encode.uid(encode.INSTANCE)),
            open_sequence(CODES, item(NAME, sequence(REQUESTS)), open_item(ROWS)),
            *EVERY_VR,
            Element(0x7FE00008, "OF", numbers(80_004)),
            Element(0x7FE00009, "OD", numbers(200_008)),
            Element(0x7FE00010, "OW", numbers(300_002)),
        ]
    )
    data = write(elements, ENCODINGS.get(syntax, EXPLICIT_LE))
    sent = converted(tmp_path, data, NATIVE[syntax], NATIVE[target], cuts=ODD_CUTS)
    if target == "deflated":
        assert len(sent) % 2 == 0
        sent = inflated(sent)
    assert sent == write(elements, ENCODINGS.get(target, EXPLICIT_LE))


# UN (PS3.5 6.2.2, CP-246).


UNKNOWN_ITEMS: Final = {
    "defined": (item(NAME, ROWS),),
    "undefined": (open_item(NAME, ROWS), item(ROWS)),
    "empty": (item(), open_item()),
    "none": (),
    "nested": (open_item(NAME, open_sequence(0x00091010, open_item(ROWS), item()), LAST),),
    "nested, defined": (item(NAME, sequence(0x00091010, item(ROWS), item()), LAST),),
    "private": (item(Element(0x00090010, "LO", b"GEMS_ACQU_01"), Element(0x00091002, "SL", b"\1\2\3\4")),),
    "long": (item(Element(0x00091010, "OW", numbers(10_000)), Element(0x00091011, "US", numbers(66_000))),),
    "a group length": (item(Element(0x00080000, "UL", b"\x0a\0\0\0"), MODALITY),),
    "a wrong group length": (item(Element(0x00080000, "UL", b"\x0b\0\0\0"), MODALITY),),
    "padding": (item(MODALITY, Element(0xFFFCFFFC, "OB", b"ab")),),
}


@pytest.mark.parametrize("target", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("encoding", [EXPLICIT_LE, EXPLICIT_BE], ids=["explicit", "big endian"])
@pytest.mark.parametrize("items", UNKNOWN_ITEMS.values(), ids=UNKNOWN_ITEMS)
def test_content_of_unknown_is_left_alone(items: tuple[Item, ...], encoding: Encoding, target: Encoding) -> None:
    elements = [MODALITY, open_sequence(0x00091010, *items, vr="UN"), LAST]
    assert recoded(write(elements, encoding), encoding, target) == write(elements, target)


@pytest.mark.parametrize("target", ENCODINGS.values(), ids=ENCODINGS)
def test_an_odd_length_in_unknown(target: Encoding) -> None:
    """The one thing that is changed there: nothing of odd length can be sent."""
    odd, padded = Element(0x00091010, "LO", b"abc"), Element(0x00091010, "LO", b"abc\0")
    for make in (item, open_item):
        data = write([open_sequence(0x00091010, make(odd, ROWS), vr="UN"), LAST], EXPLICIT_LE)
        expected = write([open_sequence(0x00091010, make(padded, ROWS), vr="UN"), LAST], target)
        assert recoded(data, EXPLICIT_LE, target) == expected


@pytest.mark.parametrize("target", [EXPLICIT_LE, EXPLICIT_BE], ids=["explicit", "big endian"])
def test_unknown_of_undefined_length_from_implicit_is_a_sequence(target: Encoding) -> None:
    """An undefined length is a sequence's, whoever made it; its items are then as explicit as all else."""
    elements = [open_sequence(0x00091010, open_item(NAME, open_sequence(0x00091011, item(ROWS)))), LAST]
    assert recoded(write(elements, IMPLICIT_LE), IMPLICIT_LE, target) == write(elements, target)


@pytest.mark.parametrize("target", [EXPLICIT_LE, EXPLICIT_BE], ids=["explicit", "big endian"])
def test_a_sequence_that_the_dictionary_does_not_know_becomes_unknown(target: Encoding) -> None:
    content = written.write_element(sequence(0, item(NAME, ROWS)), IMPLICIT_LE)[8:]
    data = write([Element(0x00091010, "UN", content)], IMPLICIT_LE)
    assert recoded(data, IMPLICIT_LE, target) == write([Element(0x00091010, "UN", content)], target)


def test_what_the_dictionary_takes_for_a_sequence_and_is_none() -> None:
    """Another maker's block with a creator of the same name: its bytes are left alone."""
    elements = [Element(0x00710010, "LO", b"AGFA-AG_HPState "), Element(0x00711018, "UN", b"no item ")]
    assert recoded(write(elements, IMPLICIT_LE), IMPLICIT_LE, EXPLICIT_LE) == write(elements, EXPLICIT_LE)


@pytest.mark.parametrize("encoding", [EXPLICIT_LE, EXPLICIT_BE], ids=["explicit", "big endian"])
@pytest.mark.parametrize("target", ENCODINGS.values(), ids=ENCODINGS)
def test_fragments_where_none_can_be(encoding: Encoding, target: Encoding) -> None:
    """Encapsulated pixel data in UN: they are fragments without a VR, and are not to be lost."""
    pixels = encode.implicit(
        0x7FE00010, encode.item(b"") + encode.item(b"1234") + encode.SEQUENCE_END, length=-1 & 2**32 - 1
    )
    content = encode.item(pixels) + encode.SEQUENCE_END
    data = written.header(0x00091010, "UN", written.UNDEFINED, encoding) + content
    try:
        assert recoded(data, encoding, target).endswith(content)
    except StructureError as error:
        assert "7fe0,0010" in str(error.reason)


# A private creator (PS3.5 7.8.1).


@pytest.mark.parametrize(
    ("creator", "vr"),
    [
        (b"GEMS_ACQU_01", "SL"),
        (b"GEMS_ACQU_01  ", "SL"),
        (b"GEMS_ACQU_01\0\0", "SL"),
        (b"  GEMS_ACQU_01", "SL"),
        (b"gems_acqu_01", "SL"),
        (b"Gems_Acqu_01", "SL"),
        (b"GEMS ACQU 01", "UN"),
        (b"GEMS_ACQU_01" + b"x" * 66, "UN"),
        (b"\xff\xfe\x80\x81", "UN"),
        (b"", "UN"),
    ],
)
def test_private_creators(creator: bytes, vr: str) -> None:
    elements = [Element(0x00190010, "LO", creator), Element(0x00191002, vr, b"\1\2\3\4")]
    assert recoded(write(elements, IMPLICIT_LE), IMPLICIT_LE, EXPLICIT_LE) == write(elements, EXPLICIT_LE)


# Ambiguous VRs (PS3.5 Annex A; PS3.3 C.7.6.3).


SMALLEST: Final = 0x00280106
FIRST_MAPPED: Final = 0x00409216


@pytest.mark.parametrize(
    "elements",
    [
        pytest.param([UNSIGNED, Element(SMALLEST, "US", b"\1\2")], id="unsigned"),
        pytest.param([SIGNED, Element(SMALLEST, "SS", b"\1\2")], id="signed"),
        pytest.param([Element(SMALLEST, "US", b"\1\2")], id="nothing said"),
        pytest.param([Element(0x00280103, "US", b""), Element(SMALLEST, "US", b"\1\2")], id="an empty value"),
        pytest.param([sequence(CODES, item(Element(SMALLEST, "SS", b"\1\2"))), SIGNED], id="said behind and outside"),
        pytest.param([SIGNED, open_sequence(REQUESTS, open_item(Element(FIRST_MAPPED, "SS", b"\1\2")))], id="outside"),
        pytest.param(
            [SIGNED, sequence(REQUESTS, item(UNSIGNED, Element(SMALLEST, "US", b"\1\2")))], id="the nearest counts"
        ),
        pytest.param(
            [SIGNED, open_sequence(REQUESTS, open_item(UNSIGNED, Element(SMALLEST, "US", b"\1\2")))],
            id="the nearest counts, undefined length",
        ),
        pytest.param(
            [sequence(CODES, item(SIGNED), item(Element(SMALLEST, "US", b"\1\2")))], id="the item beside says nothing"
        ),
        pytest.param(
            [open_sequence(CODES, open_item(SIGNED), open_item(Element(SMALLEST, "US", b"\1\2")))],
            id="the item beside says nothing, undefined length",
        ),
        pytest.param(
            [open_sequence(CODES, open_item(open_sequence(REQUESTS, open_item(SIGNED)), ROWS)),
             Element(SMALLEST, "US", b"\1\2")],
            id="what is said inside does not count",
        ),
        pytest.param(
            [Element(0x54001004, "US", b"\x10\0"), Element(0x54001010, "OW", b"\1\2")], id="waveform of 16 bits"
        ),
        pytest.param(
            [Element(0x54001004, "US", b"\x08\0"), Element(0x54001010, "OB", b"\1\2")], id="waveform of 8 bits"
        ),
        pytest.param([Element(0x00283006, "OW", b"\1\2")], id="lookup table"),
        pytest.param([Element(0x60003000, "OW", b"\1\2")], id="overlay"),
        pytest.param([Element(0x7FE00010, "OW", b"\1\2")], id="pixel data"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("target", [EXPLICIT_LE, EXPLICIT_BE], ids=["explicit", "big endian"])
def test_ambiguous_vrs(elements: list[Element], target: Encoding) -> None:
    assert recoded(write(elements, IMPLICIT_LE), IMPLICIT_LE, target) == write(elements, target)


@pytest.mark.parametrize(
    "rest",
    [
        [SIGNED, Element(SMALLEST, "SS", b"\1\2")],
        [SIGNED, sequence(REQUESTS, item(Element(SMALLEST, "SS", b"\1\2")))],
        [sequence(REQUESTS, open_item(SIGNED, Element(SMALLEST, "SS", b"\1\2")))],
    ],
)
def test_ambiguous_vrs_in_an_unsorted_data_set(rest: list[Element], tmp_path: Path) -> None:
    uids = [Element(0x00080016, "UI", encode.uid(encode.CT)), Element(0x00080018, "UI", encode.uid(encode.INSTANCE))]
    elements = [*uids, NAME, *rest, Element(SELECTORS["SH"], "SH", b"ab")]
    for first in range(1, len(elements)):
        data = write([*elements[first:], *elements[:first]], IMPLICIT_LE)
        assert converted(tmp_path, data, IMPLICIT, EXPLICIT) == write(elements, EXPLICIT_LE)


# Lengths: of more than 64 KiB under a VR that has 16 bits for it (PS3.5 6.2.2), of 4 GiB, odd ones (PS3.5 7.1.1).


@pytest.mark.parametrize("vr", ["US", "LT", "FD", "SL", "AT", "DS"])
@pytest.mark.parametrize("target", [EXPLICIT_LE, EXPLICIT_BE], ids=["explicit", "big endian"])
def test_values_too_long_for_their_vr_become_unknown(vr: str, target: Encoding) -> None:
    """The value of UN is little endian and implicit, whatever is around it (PS3.5 6.2.2 note 2)."""
    elements = [Element(SELECTORS[vr], vr, numbers(0x10000)), sequence(SELECTORS["SQ"], item(NAME))]
    unknown = [Element(SELECTORS[vr], "UN", numbers(0x10000)), elements[1]]
    there = recoded(write(elements, IMPLICIT_LE), IMPLICIT_LE, target)
    assert there == write(unknown, target)
    assert recoded(there, target, IMPLICIT_LE) == write(elements, IMPLICIT_LE)


class Long:
    """A piece that says how long it is."""

    def __init__(self, length: int) -> None:
        self.length = length

    def fill(self, views: list[memoryview]) -> None:
        raise AssertionError("nobody reads it")


def work(data: bytes, target: Encoding, **changes: Any) -> Work:
    return Work(BytesSource(data), ((0, len(data)),), EXPLICIT_LE, target, lambda *_: Long(0), **changes)


@pytest.mark.parametrize("length", [2**32 - 2, 2**32 - 3])
def test_the_longest_value(length: int) -> None:
    data = write([Element(0x7FE00010, "OB", b"")], EXPLICIT_LE)
    pieces = recode(work(data, IMPLICIT_LE, pixels={0: Pixels(b"OW", Long(length))}))
    assert given(pieces[:1]) == written.header(0x7FE00010, "OW", length, IMPLICIT_LE)


@pytest.mark.parametrize("length", [2**32 - 1, 2**32, 2**40])
def test_a_value_of_four_gibibytes(length: int) -> None:
    data = write([Element(0x7FE00010, "OB", b"")], EXPLICIT_LE)
    with pytest.raises(FileError, match=rf"\(7fe0,0010\).*{length} bytes: too many"):
        recode(work(data, IMPLICIT_LE, pixels={0: Pixels(b"OW", Long(length))}))


def test_an_item_of_four_gibibytes() -> None:
    data = write([sequence(CODES, item(Element(0x7FE00010, "OB", b"")))], EXPLICIT_LE)
    with pytest.raises(FileError, match="too many for its length field"):
        recode(work(data, IMPLICIT_LE, pixels={20: Pixels(b"OW", Long(2**32 - 4))}))


@pytest.mark.parametrize("vr", sorted(VALUES))
@pytest.mark.parametrize("length", [1, 3, LARGE - 1, LARGE + 1])
def test_odd_lengths(vr: str, length: int) -> None:
    """Text is padded with a space, all else with NUL (PS3.5 6.2)."""
    text = vr in ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT")
    padded = Element(SELECTORS[vr], vr, b"1" * length + (b" " if text else b"\0"))
    odd = padded._replace(value=b"1" * length)
    for encoding, target in itertools.product((EXPLICIT_LE, IMPLICIT_LE), (EXPLICIT_LE, IMPLICIT_LE)):
        # Numbers of odd length are none: what had no VR gets none that it would contradict.
        unknown = not encoding.explicit and written.UNITS.get(vr, 1) > 1
        expected = padded._replace(vr="UN" if unknown else vr)
        assert recoded(write([odd, LAST], encoding), encoding, target) == write([expected, LAST], target)


def test_odd_lengths_in_items() -> None:
    """The items and sequences around grow with them."""
    odd, padded = Element(0x00100020, "LO", b"123"), Element(0x00100020, "LO", b"123 ")
    data = write([sequence(CODES, item(odd, sequence(REQUESTS, item(odd)))), LAST], EXPLICIT_LE)
    expected = write([sequence(CODES, item(padded, sequence(REQUESTS, item(padded)))), LAST], EXPLICIT_LE)
    assert recoded(data, EXPLICIT_LE, EXPLICIT_LE) == expected


@pytest.mark.parametrize(
    ("vr", "length"), [("US", 3), ("OW", 5), ("FL", 6), ("FD", 12), ("OV", 4100), ("OL", LARGE + 2)]
)
def test_a_value_of_broken_units_cannot_be_turned(vr: str, length: int) -> None:
    data = write_element(Element(SELECTORS[vr], vr, bytes(length)), EXPLICIT_LE)
    with pytest.raises(StructureError, match=f"{length} bytes is no multiple of .*byte order"):
        recoded(data, EXPLICIT_LE, EXPLICIT_BE)


def test_a_vr_of_question_marks() -> None:
    """Some devices write ?? with a short length for what they do not know: it is UN."""
    data = encode.explicit(0x00091010, b"??", b"abcd") + write([LAST], EXPLICIT_LE)
    elements = [Element(0x00091010, "UN", b"abcd"), LAST]
    for target in ENCODINGS.values():
        assert recoded(data, EXPLICIT_LE, target) == write(elements, target)


@pytest.mark.parametrize("target", ENCODINGS.values(), ids=ENCODINGS)
def test_a_vr_of_the_future(target: Encoding) -> None:
    """It has a length of 32 bits (PS3.5 6.2 note), and its bytes are not turned around."""
    data = encode.explicit(0x00091010, b"ZZ", b"abcd") + write([LAST], EXPLICIT_LE)
    expected = written.header(0x00091010, "ZZ", 4, target) + b"abcd" + write([LAST], target)
    assert recoded(data, EXPLICIT_LE, target) == expected


# VRs that are none, as devices write them for what they do not know: with a length of 16 bits.


@pytest.mark.parametrize("vr", [b"--", b"  ", b"\0\0", b"lo", b"??", b"O1", b"\xff\xfe"])
@pytest.mark.parametrize("source", [EXPLICIT_LE, EXPLICIT_BE], ids=["explicit", "big endian"])
@pytest.mark.parametrize("items", [0, 1, 10], ids=["data set", "item", "many items"])
def test_vrs_that_are_none_become_un(vr: bytes, source: Encoding, items: int) -> None:
    order = "<" if source.little else ">"
    odd = struct.pack(f"{order}HH2sH", 0x0008, 0x1030, vr, 6) + b"a text" + write([LAST], source)
    if items:
        content = (written.marker(written.ITEM, len(odd), source) + odd) * items
        data = written.header(CODES, "SQ", len(content), source) + content
    else:
        data = odd
    elements = [Element(0x00081030, "UN", b"a text"), LAST]
    expected = [sequence(CODES, *[item(*elements)] * items)] if items else elements
    for target in ENCODINGS.values():
        assert recoded(data, source, target) == write(expected, target)


@pytest.mark.parametrize("source", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("count", [1, 3, 12])
def test_needless_delimiters_are_left_out(source: Encoding, count: int) -> None:
    """Of items, of their sequence, or of both, in what has a defined length."""
    for of_items, of_sequence in ((True, False), (False, True), (True, True)):
        inner = write([NAME], source) + (written.marker(written.ITEM_END, 0, source) if of_items else b"")
        content = (written.marker(written.ITEM, len(inner), source) + inner) * count
        content += written.marker(written.SEQUENCE_END, 0, source) if of_sequence else b""
        data = written.header(CODES, "SQ", len(content), source) + content + write([LAST], source)
        expected = [sequence(CODES, *[item(NAME)] * count), LAST]
        for target in ENCODINGS.values():
            assert recoded(data, source, target) == write(expected, target)


# Whether an attribute is a sequence, which only the dictionary tells in implicit VR (PS3.5 A.1).


METHODS: Final = 0x00120064  # De-identification Method Code Sequence
OF_CODE: Final = sequence(METHODS, item(NAME))
CONTRADICTIONS: Final = {
    "text for a sequence": (Element(METHODS, "LO", b"BASIC "), "no_sequence_in_dictionary", "LO"),
    "bytes for a sequence": (Element(METHODS, "OB", b"BASIC "), "no_sequence_in_dictionary", "OB"),
    "long text for a sequence": (Element(METHODS, "UT", b"BASIC " * 2000), "no_sequence_in_dictionary", "UT"),
    "a sequence for text": (sequence(0x00100010, item(ROWS)), "sequence_not_in_dictionary", "PN"),
    "an open sequence for text": (open_sequence(0x00100010, item(ROWS)), "sequence_not_in_dictionary", "PN"),
    "an open UN for text": (open_sequence(0x00100010, item(ROWS), vr="UN"), "sequence_not_in_dictionary", "PN"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
@pytest.mark.parametrize("source", [EXPLICIT_LE, EXPLICIT_BE], ids=["explicit", "big endian"])
@pytest.mark.parametrize("around", [0, 1, 10], ids=["data set", "item", "many items"])
def test_what_contradicts_the_dictionary_about_sequences(name: str, source: Encoding, around: int) -> None:
    """It is refused where no VR says what it is, and stays as it is where one does."""
    element, code, vr = CONTRADICTIONS[name]
    data = [sequence(CODES, *[item(element)] * around)] if around else [element]
    with pytest.raises(FileError, match="in implicit VR nobody could read it") as caught:
        recoded(write(data, source), source, IMPLICIT_LE)
    assert (caught.value.reason.code, caught.value.reason.innermost.code) == ("at_element", code)
    assert caught.value.reason.innermost.fact("vr") == vr
    for target in (EXPLICIT_LE, EXPLICIT_BE):
        assert recoded(write(data, source), source, target) == write(data, target)


@pytest.mark.parametrize(
    "element",
    [
        pytest.param(Element(METHODS, "LO", b""), id="nothing in it"),
        pytest.param(Element(METHODS, "UN", write([OF_CODE], IMPLICIT_LE)[8:]), id="UN (CP-246)"),
        pytest.param(open_sequence(METHODS, item(NAME), vr="UN"), id="open UN"),
        pytest.param(sequence(0x00100010), id="no item"),
        pytest.param(sequence(0x00091010, item(NAME)), id="private"),
        pytest.param(sequence(0x00081234, item(NAME)), id="not in the dictionary"),
        pytest.param(OF_CODE, id="as the dictionary says"),
    ],
)
def test_what_does_not_contradict_the_dictionary(element: Element) -> None:
    assert recoded(write([element], EXPLICIT_LE), EXPLICIT_LE, IMPLICIT_LE) == write([element], IMPLICIT_LE)


# Large values are streamed, in chunks and views of any size.


@pytest.mark.parametrize(("vr", "unit"), [("OB", 1), ("OW", 2), ("OF", 4), ("OL", 4), ("OD", 8), ("OV", 8)])
@pytest.mark.parametrize("length", [LARGE - 8, LARGE, LARGE + 8, 200_000])
@pytest.mark.parametrize("syntax", [EXPLICIT, DEFLATED], ids=["file", "deflated"])
def test_large_values_turned(vr: str, unit: int, length: int, syntax: str, tmp_path: Path) -> None:
    before = encode.dataset()  # so that no value begins at a multiple of anything
    value = numbers(length)
    rest = [Element(SELECTORS[vr], vr, value), Element(0x7FE00010, "OB", numbers(70_001) + b"\0")]
    data = before + write(rest, EXPLICIT_LE)
    expected = write([*rest], EXPLICIT_BE)
    assert converted(tmp_path, data, syntax, BIG_ENDIAN, cuts=ODD_CUTS).endswith(expected)
    assert swapped(value, unit) == written.turned(value, unit)


def test_a_small_value_is_copied_and_a_large_one_named() -> None:
    asked = []

    def large(value: int, length: int, unit: int) -> Piece:
        asked.append((value, length, unit))
        return Memory(bytes(length))

    data = write(
        [Element(SELECTORS["OB"], "OB", bytes(LARGE - 2)), Element(SELECTORS["OW"], "OW", bytes(LARGE))], EXPLICIT_LE
    )
    pieces = recode(Work(BytesSource(data), ((0, len(data)),), EXPLICIT_LE, EXPLICIT_BE, large))
    assert asked == [(len(data) - LARGE, LARGE, 2)]
    assert [piece.length for piece in pieces] == [12 + LARGE - 2 + 12, LARGE]


# Items that are alike are written at one go; nobody may notice.


LIKE: Final = [item(ROWS._replace(value=struct.pack("<H", n)), SIGNED) for n in range(10)]
LIKE_OPEN: Final = [one._replace(open=True) for one in LIKE]
OTHER: Final = [item(NAME), item(), open_item(LAST), item(Element(0x00280010, "US", b"\1\2\3\4"))]
TEXTS: Final = [
    item(Element(0x00080100, "SH", b"a" * n), Element(0x00080104, "LO", b"b" * (14 - n))) for n in (2, 4, 6)
]
DEEP: Final = [
    item(
        NAME, open_sequence(REQUESTS, *(open_item(ROWS._replace(value=struct.pack("<H", n * k))) for k in range(n % 3)))
    )
    for n in range(30)
]
RUNS: Final[dict[str, Sequence[Item]]] = {
    "alike": LIKE,
    "alike, undefined length": LIKE_OPEN,
    "now defined, now undefined": [one for pair in zip(LIKE, LIKE_OPEN, strict=True) for one in pair],
    "others between": [*LIKE[:6], *OTHER, *LIKE, *OTHER, *LIKE_OPEN],
    "of one length, but not alike": TEXTS * 5,
    "nested": DEEP,
    "nested, undefined length": [one._replace(open=True) for one in DEEP],
    "more kinds than are remembered": [item(Element(0x00080100, "SH", b"x" * 2 * n)) for n in range(40)] * 2,
    "one element more each time": [
        item(*[Element(0x00F01000 + k, "UN", b"ab") for k in range(n)]) for n in range(30)
    ] * 2,
    "empty": [item(), item(), item(), open_item(), open_item()] * 4,
    "empty values": [item(NAME._replace(value=b""), ROWS)] * 8 + [item(NAME, ROWS)] * 8,
    "group lengths": [item(Element(0x00080000, "UL", b"\x0a\0\0\0"), MODALITY, NAME)] * 8,
    "unknown inside": [item(open_sequence(0x00091010, open_item(ROWS, NAME), vr="UN"), LAST)] * 8,
    "private": [
        item(Element(0x00190010, "LO", creator), Element(0x00191002, vr, b"\1\2\3\4"))
        for creator, vr in [(b"GEMS_ACQU_01", "SL"), (b"GEMS_ACQU_00", "UN")] * 8
    ],
    "large values": [item(NAME, Element(SELECTORS["OB"], "OB", numbers(5000 + 2 * n))) for n in range(8)],
    "large items": [item(*(Element(0x00F01000 + k, "UN", b"abcdef") for k in range(1000)))] * 8,
    "signed and not, as the item says": [
        item(number, Element(SMALLEST, vr, b"\1\2")) for number, vr in [(SIGNED, "SS"), (UNSIGNED, "US")] * 8
    ],
}  # fmt: skip


@pytest.mark.parametrize(("encoding", "target"), DIRECTIONS)
@pytest.mark.parametrize("items", RUNS.values(), ids=RUNS)
def test_many_items(items: Sequence[Item], encoding: Encoding, target: Encoding) -> None:
    for make in (sequence, open_sequence):
        elements = [MODALITY, make(CODES, *items), make(REQUESTS, *items), Element(SELECTORS["SH"], "SH", b"ab")]
        if not encoding.explicit and any(
            element.vr == "UN" and element.open for one in items for element in one.elements
        ):
            continue  # without its VR it is a sequence
        assert recoded(write(elements, encoding), encoding, target) == write(elements, target)


@pytest.mark.parametrize(("number", "vr"), [(SIGNED, "SS"), (UNSIGNED, "US")])
@pytest.mark.parametrize("make", [item, open_item])
def test_many_items_whose_vr_depends_on_what_is_around(make: Any, number: Element, vr: str) -> None:
    """As the real world value mappings of each frame do on the image's Pixel Representation (PS3.3 C.7.6.16.2.11)."""
    items = [make(Element(FIRST_MAPPED, vr, struct.pack("<H", n)), LAST) for n in range(10)]
    elements = [number, sequence(REQUESTS, *items)]
    for target in (EXPLICIT_LE, EXPLICIT_BE):
        assert recoded(write(elements, IMPLICIT_LE), IMPLICIT_LE, target) == write(elements, target)


@pytest.mark.parametrize("before", range(2000, 65536, 12000))
@pytest.mark.parametrize("make", [item, open_item])
def test_many_items_of_a_deflated_data_set(make: Any, before: int, tmp_path: Path) -> None:
    """It cannot be read backwards, wherever an item begins."""
    items = [make(*(Element(0x00091000 + k, "SH", b"%06d" % (k * n)) for k in range(1000))) for n in range(6)]
    rest = [Element(0x00281201, "OW", bytes(before)), open_sequence(REQUESTS, *items)]
    data = encode.dataset(rest=write(rest, EXPLICIT_LE))
    assert converted(tmp_path, data, DEFLATED, IMPLICIT).endswith(write(rest, IMPLICIT_LE))


def test_too_many_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded on the way, not in the end."""
    monkeypatch.setattr(output, "MAX_STRUCTURE", 10_000)
    items = [item(NAME, ROWS)] * 10_000
    data = write([open_sequence(CODES, *items)], EXPLICIT_LE) + b"broken"
    with pytest.raises(FileError, match="too many to convert"):
        recoded(data, EXPLICIT_LE, IMPLICIT_LE)


# Group lengths (PS3.5 7.2).


def group_length(group: int, length: int) -> Element:
    return Element(group << 16, "UL", struct.pack("<L", length))


@pytest.mark.parametrize("wrong", [0, 1, 0xFFFFFFFF])
@pytest.mark.parametrize(("encoding", "target"), DIRECTIONS)
def test_group_lengths_are_counted_anew(wrong: int, encoding: Encoding, target: Encoding) -> None:
    def elements(*lengths: int) -> list[Element]:
        inner = [group_length(0x0028, lengths[0]), ROWS, SIGNED]
        middle = [group_length(0x0010, lengths[1]), NAME, open_sequence(REQUESTS, item(*inner))]
        outer = [group_length(0x0008, lengths[2]), MODALITY, sequence(CODES, open_item(*middle))]
        return [*outer, group_length(0x0040, lengths[3]), LAST]

    header = 8  # of all that has a short VR, in every encoding
    long_header = 12 if target.explicit else 8
    in_items = 8 + (header + 4 + header + 2 + header + 2) + 8  # an item of defined length, and the sequence's end
    in_middle = header + 4 + header + 4 + (long_header + in_items)
    in_outer = header + 2 + long_header + 8 + in_middle + 8
    right = (2 * (header + 2), header + 4, in_outer, header + 4)
    assert recoded(write(elements(*[wrong] * 4), encoding), encoding, target) == write(elements(*right), target)


def test_a_group_length_counts_what_is_inserted_padded_and_streamed() -> None:
    elements = [group_length(0x0072, 0), Element(0x00720002, "SH", b"a"), Element(SELECTORS["OB"], "OB", bytes(5001))]
    edits = {ROOT: {0x00720001: Value(b"CS", b"AB"), 0x00720099: Value(b"CS", b"CD")}}
    expected = [
        group_length(0x0072, (8 + 2) + (8 + 2) + (12 + 5002) + (8 + 2)),
        Element(0x00720001, "CS", b"AB"),
        Element(0x00720002, "SH", b"a "),
        Element(SELECTORS["OB"], "OB", bytes(5002)),
        Element(0x00720099, "CS", b"CD"),
    ]
    sent = recoded(write([*elements, sequence(0x00741000)], EXPLICIT_LE), EXPLICIT_LE, EXPLICIT_LE, edits=edits)
    assert sent == write([*expected, sequence(0x00741000)], EXPLICIT_LE)


def test_a_group_length_alone() -> None:
    elements = [group_length(0x0008, 5), group_length(0x0010, 6), NAME, group_length(0x0040, 7)]
    right = [group_length(0x0008, 0), group_length(0x0010, 12), NAME, group_length(0x0040, 0)]
    assert recoded(write(elements, EXPLICIT_LE), EXPLICIT_LE, EXPLICIT_LE) == write(right, EXPLICIT_LE)


def test_group_lengths_in_an_item_that_is_not_sorted() -> None:
    """Only the outermost level can be sorted. What no longer makes sense is at least no other value than before."""
    elements = [group_length(0x0010, 12), NAME, group_length(0x0008, 10), MODALITY]
    data = write([sequence(REQUESTS, item(*elements))], EXPLICIT_LE)
    assert recoded(data, EXPLICIT_LE, EXPLICIT_LE) == data


# Order (PS3.5 7.1), duplicates, trailing padding (PS3.10 7.2).


def test_elements_out_of_order_are_sorted(tmp_path: Path) -> None:
    uids = [Element(0x00080016, "UI", encode.uid(encode.CT)), Element(0x00080018, "UI", encode.uid(encode.INSTANCE))]
    long = Element(SELECTORS["OW"], "OW", numbers(100_000))
    nested = open_sequence(CODES, open_item(NAME, open_sequence(REQUESTS, item(ROWS))))
    elements = [*uids, nested, NAME, ROWS, LAST, long]
    for target, encoding in ((EXPLICIT, EXPLICIT_LE), (IMPLICIT, IMPLICIT_LE), (BIG_ENDIAN, EXPLICIT_BE)):
        for order in ([6, 0, 5, 1, 4, 2, 3], [2, 0, 1, 6, 5, 4, 3], [0, 1, 3, 2, 4, 6, 5]):
            data = write([elements[place] for place in order], EXPLICIT_LE)
            assert converted(tmp_path, data, EXPLICIT, target, cuts=ODD_CUTS) == write(elements, encoding)


def test_a_duplicate_of_the_same_value_is_left_out(tmp_path: Path) -> None:
    data = encode.dataset(rest=write([LAST, MODALITY, NAME, MODALITY], EXPLICIT_LE))
    uids = encode.dataset()[: -len(write([NAME], EXPLICIT_LE))]
    assert converted(tmp_path, data, EXPLICIT, EXPLICIT) == uids + write([MODALITY, NAME, LAST], EXPLICIT_LE)


def test_a_duplicate_of_another_value_is_refused(tmp_path: Path) -> None:
    data = encode.dataset(rest=write([NAME._replace(value=b"C^D ")], EXPLICIT_LE))
    with pytest.raises(FileError, match=r"\(0010,0010\) stands in the data set twice"):
        converted(tmp_path, data, EXPLICIT, EXPLICIT)


@pytest.mark.parametrize(("encoding", "target"), DIRECTIONS)
@pytest.mark.parametrize("size", [0, 4, 5000])
def test_trailing_padding_stays_behind(size: int, encoding: Encoding, target: Encoding) -> None:
    """On the outermost level, and in items, where it has no business."""
    padding = Element(0xFFFCFFFC, "OB", bytes(size))
    data = write([MODALITY, sequence(CODES, item(NAME, padding), open_item(padding)), padding], encoding)
    expected = write([MODALITY, sequence(CODES, item(NAME), open_item())], target)
    assert recoded(data, encoding, target) == expected


# Changes.


TAKE_OUT: Final = Value(b"", b"")


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        pytest.param({0x00080060: Value(b"CS", b"CT")}, [MODALITY._replace(value=b"CT"), NAME, ROWS], id="replace"),
        pytest.param(
            {0x00280010: Value(b"US", b"\3\4")},
            [MODALITY, NAME, ROWS._replace(value=b"\3\4")],
            id="the last",
        ),
        pytest.param(
            {0x00080005: Value(b"CS", b"AB")},
            [Element(0x00080005, "CS", b"AB"), MODALITY, NAME, ROWS],
            id="first",
        ),
        pytest.param(
            {0x00100020: Value(b"LO", b"12")},
            [MODALITY, NAME, Element(0x00100020, "LO", b"12"), ROWS],
            id="between",
        ),
        pytest.param({0x00400006: Value(b"PN", b"C^D ")}, [MODALITY, NAME, ROWS, LAST], id="at the end"),
        pytest.param(
            {0x00280011: Value(b"FD", bytes(range(8))), 0x00280012: Value(b"SL", b"1234")},
            [MODALITY, NAME, ROWS, Element(0x00280011, "FD", bytes(range(8))), Element(0x00280012, "SL", b"1234")],
            id="several at the end, numbers",
        ),
        pytest.param({0x00100010: TAKE_OUT}, [MODALITY, ROWS], id="take out"),
        pytest.param({0x00100020: TAKE_OUT}, [MODALITY, NAME, ROWS], id="take out what is not there"),
        pytest.param(
            {0x00080060: TAKE_OUT, 0x00100010: TAKE_OUT, 0x00280010: TAKE_OUT, 0x00400006: Value(b"PN", b"C^D ")},
            [LAST],
            id="all of them",
        ),
        pytest.param(
            {0x00080060: Value(b"UT", bytes(5000))},
            [Element(0x00080060, "UT", bytes(5000)), NAME, ROWS],
            id="long",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("encoding", "target"), DIRECTIONS)
class TestEdits:
    def test_of_the_data_set(
        self, edits: dict[int, Value], expected: list[Element], encoding: Encoding, target: Encoding
    ) -> None:
        data = write([MODALITY, NAME, ROWS], encoding)
        assert recoded(data, encoding, target, edits={ROOT: edits}) == write(expected, target)

    @pytest.mark.parametrize("is_open", [False, True], ids=["defined", "undefined"])
    def test_of_an_item(
        self, edits: dict[int, Value], expected: list[Element], encoding: Encoding, target: Encoding, is_open: bool
    ) -> None:
        def elements(*inner: Element) -> list[Element]:
            others = Item((MODALITY, NAME, ROWS), is_open)
            return [MODALITY, Element(CODES, "SQ", (others, Item(inner, is_open), others), is_open), NAME, ROWS]

        data = write(elements(MODALITY, NAME, ROWS), encoding)
        first = len(write_element(MODALITY, encoding)) + len(written.header(CODES, "SQ", 0, encoding))
        behind = first + len(write_element(Element(0, "SQ", (Item((MODALITY, NAME, ROWS), is_open),)), IMPLICIT_LE)) - 8
        assert recoded(data, encoding, target, edits={behind: edits}) == write(elements(*expected), target)


@pytest.mark.parametrize("is_open", [False, True], ids=["defined", "undefined"])
def test_a_sequence_is_taken_out_and_replaced(is_open: bool) -> None:
    nested = Element(CODES, "SQ", (Item((NAME, open_sequence(REQUESTS, item(ROWS))), is_open),), is_open)
    data = write([MODALITY, nested, LAST], EXPLICIT_LE)
    for edit, rest in ((TAKE_OUT, []), (Value(b"LO", b"ab"), [Element(CODES, "LO", b"ab")])):
        sent = recoded(data, EXPLICIT_LE, IMPLICIT_LE, edits={ROOT: {CODES: edit}})
        assert sent == write([MODALITY, *rest, LAST], IMPLICIT_LE)


def test_edits_of_an_empty_item() -> None:
    for one in (item(), open_item()):
        data = write([sequence(CODES, one, one), LAST], EXPLICIT_LE)
        sent = recoded(data, EXPLICIT_LE, EXPLICIT_LE, edits={12: {0x00100010: Value(b"PN", b"A^B ")}})
        assert sent == write([sequence(CODES, one._replace(elements=(NAME,)), one), LAST], EXPLICIT_LE)


def test_edits_of_an_item_that_is_not_sorted() -> None:
    """Where an attribute is changed, no second one of another value may be left."""
    colours = Element(0x00280004, "CS", b"YBR_FULL")
    data = write([sequence(0x00880200, item(ROWS, colours))], EXPLICIT_LE)
    edits = {12: {0x00280004: Value(b"CS", b"RGB ")}}
    try:
        assert b"YBR_FULL" not in recoded(data, EXPLICIT_LE, EXPLICIT_LE, edits=edits)
    except FileError as error:
        assert "order" in str(error.reason)


@pytest.mark.parametrize("target", [EXPLICIT_LE, IMPLICIT_LE], ids=["explicit", "implicit"])
def test_pixels_are_replaced(target: Encoding) -> None:
    fragments = encode.explicit(
        0x7FE00010, b"OB", encode.item(b"") + encode.item(b"compressed") + encode.SEQUENCE_END, length=encode.UNDEFINED
    )
    icon = sequence(0x00880200, item(ROWS))
    head = write([MODALITY, icon], EXPLICIT_LE)
    inner = write([ROWS], EXPLICIT_LE) + fragments
    nested = written.header(0x00880200, "SQ", 8 + len(inner), EXPLICIT_LE) + encode.item(inner)
    data = write([MODALITY], EXPLICIT_LE) + nested + write([Element(0x00880904, "LO", b"ab")], EXPLICIT_LE) + fragments
    pixels = {
        len(head): Pixels(b"OW", Memory(b"icon")),
        len(data) - len(fragments): Pixels(b"OB", Chunks(iter([b"pix", b"els"]), 6)),
    }
    expected = [
        MODALITY,
        sequence(0x00880200, item(ROWS, Element(0x7FE00010, "OW", b"icon"))),
        Element(0x00880904, "LO", b"ab"),
        Element(0x7FE00010, "OB", b"pixels"),
    ]
    assert recoded(data, EXPLICIT_LE, target, pixels=pixels) == write(expected, target)


# Encapsulated data that stays (PS3.5 A.4).


def encapsulated(*fragments: bytes) -> bytes:
    content = b"".join(map(encode.item, fragments)) + encode.SEQUENCE_END
    return encode.explicit(0x7FE00010, b"OB", content, length=encode.UNDEFINED)


def test_fragments_stay_as_they_are() -> None:
    data = write([MODALITY], EXPLICIT_LE) + encapsulated(struct.pack("<2L", 0, 12), b"1234", numbers(5000), b"")
    assert recoded(data, EXPLICIT_LE, EXPLICIT_LE, fragments=True) == data


def test_fragments_where_the_target_has_none() -> None:
    data = encapsulated(b"", b"1234")
    for target in ENCODINGS.values():
        with pytest.raises(StructureError, match="encapsulated data where the transfer syntax has none"):
            recoded(data, EXPLICIT_LE, target)


def test_a_fragment_of_odd_length(tmp_path: Path) -> None:
    data = encode.dataset(rest=encapsulated(b"", b"abc", b"defg"))
    expected = encode.dataset(rest=encapsulated(b"", b"abc\0", b"defg"))
    assert converted(tmp_path, data, JPEG, JPEG) == expected


def test_the_last_fragment_of_odd_length(tmp_path: Path) -> None:
    """Behind it nothing moves: offsets stay right."""
    table = struct.pack("<2L", 0, 12)
    data = encode.dataset(rest=encapsulated(table, b"abcd", b"efg"))
    assert converted(tmp_path, data, JPEG, JPEG) == encode.dataset(rest=encapsulated(table, b"abcd", b"efg\0"))


def test_a_fragment_of_odd_length_before_others_and_an_offset_table(tmp_path: Path) -> None:
    """To pad it would move those behind it, and the table would lie."""
    data = encode.dataset(rest=encapsulated(struct.pack("<2L", 0, 11), b"abc", b"defg"))
    with pytest.raises(StructureError, match="odd length"):
        converted(tmp_path, data, JPEG, JPEG)


def test_encapsulated_pixel_data_without_vr() -> None:
    data = encode.implicit(0x7FE00010, encode.item(b"") + encode.SEQUENCE_END, length=encode.UNDEFINED)
    with pytest.raises(StructureError, match="encapsulated pixel data without VR"):
        recoded(data, IMPLICIT_LE, EXPLICIT_LE)


# Limits.


def nested(levels: int, *, is_open: bool) -> Element:
    element = NAME
    for _ in range(levels):
        element = Element(REQUESTS, "SQ", (Item((element,), is_open),), is_open)
    return element


@pytest.mark.parametrize("is_open", [False, True], ids=["defined", "undefined"])
@pytest.mark.parametrize(("encoding", "target"), DIRECTIONS)
def test_the_deepest_nesting(is_open: bool, encoding: Encoding, target: Encoding) -> None:
    deepest = nested(MAX_NESTING, is_open=is_open)
    assert recoded(write([deepest], encoding), encoding, target) == write([deepest], target)
    too_deep = nested(MAX_NESTING + 1, is_open=is_open)
    with pytest.raises(StructureError, match=f"nested more than {MAX_NESTING} deep"):
        recoded(write([too_deep], encoding), encoding, target)


def many() -> Iterator[Element]:
    """About 20,000 bytes, but for the last one all in small values."""
    for number in range(500):
        yield Element(0x00080000 + (number << 16) * 2 + 0xFFF1, "OB", bytes(20))


@pytest.mark.parametrize(
    "elements",
    [
        pytest.param(list(many()), id="values"),
        pytest.param([sequence(CODES, *[item(MODALITY)] * 1000)], id="items"),
        pytest.param([open_sequence(CODES, *[open_item()] * 1000)], id="empty items"),
        pytest.param([open_sequence(CODES, open_item(*[open_sequence(CODES)] * 1000))], id="empty sequences"),
        pytest.param([Element(LAST.tag, "OB", bytes(LARGE))] * 2000, id="large values"),
    ],
)
def test_too_much_structure(elements: list[Element], monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(elements, EXPLICIT_LE)
    monkeypatch.setattr(output, "MAX_STRUCTURE", 10_000)
    with pytest.raises(FileError, match="too many to convert"):
        recoded(data, EXPLICIT_LE, IMPLICIT_LE)
    monkeypatch.setattr(output, "MAX_STRUCTURE", 40_000)
    assert len(recoded(data, EXPLICIT_LE, IMPLICIT_LE)) > 10_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(
            written.header(0x00100010, "LO", 0, EXPLICIT_LE)[:4] + b"UT\0\0\xff\xff\xff\xff" + encode.SEQUENCE_END,
            "undefined length with VR UT",
            id="text of undefined length",
        ),
        pytest.param(encode.explicit(CODES, b"SQ", b"no item "), "wrong place", id="a sequence without items"),
        pytest.param(encode.explicit(CODES, b"SQ", encode.item(b"abcd")), "ends in the header", id="an item of text"),
    ],
)
def test_refused(data: bytes, words: str) -> None:
    for target in ENCODINGS.values():
        with pytest.raises(StructureError, match=words):
            recoded(data + write([LAST], EXPLICIT_LE), EXPLICIT_LE, target)


# Deflate and inflate (PS3.5 A.5).


@pytest.mark.parametrize("level", range(10))
def test_each_compression_level(level: int, tmp_path: Path) -> None:
    data = encode.dataset(rest=write([Element(0x7FE00010, "OW", b"0123456789" * 20_000)], EXPLICIT_LE))
    sent = converted(tmp_path, data, EXPLICIT, DEFLATED, level=level, cuts=ODD_CUTS)
    assert len(sent) % 2 == 0
    assert inflated(sent) == data
    assert (len(sent) < len(data) // 10) == (level > 0)


@pytest.mark.parametrize("length", range(0, 40, 2))
def test_a_stream_of_odd_length_is_padded(length: int, tmp_path: Path) -> None:
    data = encode.dataset(rest=write([Element(0x7FE00010, "OW", numbers(length))], EXPLICIT_LE))
    sent = converted(tmp_path, data, EXPLICIT, DEFLATED)
    assert len(sent) % 2 == 0
    assert inflated(sent) == data


def test_inflated_values_come_in_their_order(tmp_path: Path) -> None:
    """Several large values with small ones between: the stream is read forwards only."""
    rest = [
        open_sequence(
            REQUESTS, *(item(NAME, Element(SELECTORS["OW"], "OW", numbers(size))) for size in (4096, 70_000, 8))
        ),
        Element(SELECTORS["OD"], "OD", numbers(150_000)),
        Element(SELECTORS["UV"], "UV", numbers(16)),
        Element(0x7FE00010, "OW", bytes(1_000_000)),
    ]
    data = encode.dataset(rest=write(rest, EXPLICIT_LE))
    for target, encoding in ((EXPLICIT, EXPLICIT_LE), (IMPLICIT, IMPLICIT_LE), (BIG_ENDIAN, EXPLICIT_BE)):
        sent = converted(tmp_path, data, DEFLATED, target, cuts=ODD_CUTS)
        assert sent.endswith(write(rest, encoding))


def test_a_file_that_shrinks_on_the_way(tmp_path: Path) -> None:
    data = encode.dataset(rest=write([Element(0x7FE00010, "OW", numbers(300_000))], EXPLICIT_LE))
    path = tmp_path / "file.dcm"
    path.write_bytes(encode.part10(data))
    instance = Instance(str(path), encode.CT, encode.INSTANCE, EXPLICIT, path.stat().st_size)
    for target in (IMPLICIT, BIG_ENDIAN):
        with PayloadOpener(ScanOptions(), Conversion()).open(instance, target) as payload:
            path.write_bytes(encode.part10(data)[:200_000])
            with pytest.raises(FileError, match="became shorter"):
                drained(payload)
        path.write_bytes(encode.part10(data))


def test_the_check_says_what_is_to_be_written_anew() -> None:
    data = encode.dataset(rest=write([MODALITY], EXPLICIT_LE))
    checked = check(BytesSource(data), 0, len(data), EXPLICIT)
    assert checked.faulty
    assert b"".join(data[start:end] for start, end in checked.runs).startswith(data[: 8 + 26])
