"""The comparison that other tests rely on: what it must tell, and what it must not (``tests.support.compare``)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import pytest

from tests.files import encode
from tests.files.encode import BIG_ENDIAN, EXPLICIT, IMPLICIT, JPEG
from tests.payload.written import ENCODINGS, Element, item, open_item, open_sequence, sequence, write
from tests.support.compare import differences, pixel_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME: Final = Element(0x00100010, "PN", b"A^B ")
ROWS: Final = Element(0x00280010, "US", b"\1\2")
BITS: Final = [Element(0x00280100, "US", b"\x10\0"), Element(0x00280103, "US", b"\1\0")]
PIXELS: Final = Element(0x7FE00010, "OW", struct.pack("<4h", -1, 0, 1, 300))
NESTED: Final = open_sequence(0x00400275, open_item(NAME, sequence(0x00081140, item(ROWS))), item())
SYNTAXES: Final = {"implicit": IMPLICIT, "explicit": EXPLICIT, "big endian": BIG_ENDIAN}


def file(elements: Sequence[Element], name: str = "explicit") -> bytes:
    return encode.part10(write(elements, ENCODINGS[name]), syntax=SYNTAXES[name])


@pytest.mark.parametrize("one", SYNTAXES)
@pytest.mark.parametrize("other", SYNTAXES)
def test_the_same_in_each_transfer_syntax(one: str, other: str) -> None:
    elements = [NAME, *BITS, Element(0x00290010, "LO", b"NOBODY"), Element(0x00291001, "UN", b"ab"), NESTED, PIXELS]
    assert differences(file(elements, one), file(elements, other)) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param([NESTED], [NESTED._replace(open=False)], id="defined and undefined length"),
        pytest.param([NAME], [NAME._replace(value=b"A^B   ")], id="padding"),
        pytest.param([NAME], [NAME, Element(0xFFFCFFFC, "OB", bytes(4))], id="trailing padding"),
        pytest.param([ROWS], [ROWS._replace(vr="UN")], id="UN"),
        pytest.param(
            [sequence(0x00091010, item(NAME))],
            [Element(0x00091010, "UN", encode.item(write([NAME], ENCODINGS["implicit"])))],
            id="a sequence and its bytes",
        ),
        pytest.param([sequence(0x00091010)], [Element(0x00091010, "UN", b"")], id="an empty sequence and no bytes"),
        pytest.param(
            [Element(0x00100000, "UL", b"\x0c\0\0\0"), NAME],
            [Element(0x00100000, "UL", b"\x0d\0\0\0"), NAME],
            id="the number in a group length",
        ),
        pytest.param([PIXELS], [PIXELS._replace(vr="OB")], id="the VR of pixel data"),
    ],
)
def test_no_difference(ours: Sequence[Element], theirs: Sequence[Element]) -> None:
    assert differences(file(ours), file(theirs)) == []
    assert differences(file(theirs), file(ours)) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "line"),
    [
        ([NAME], [ROWS], "(0010,0010): only ours has it: PN, 4 bytes, b'A^B '"),
        ([NAME], [NAME, ROWS], "(0028,0010): only theirs has it: US, 2 bytes, b'\\x01\\x02'"),
        ([NAME], [NAME._replace(value=b"A^C ")], "(0010,0010): PN, 4 bytes, b'A^B ', theirs PN, 4 bytes, b'A^C '"),
        ([ROWS], [ROWS._replace(vr="SS")], "(0028,0010): US, 2 bytes, b'\\x01\\x02', theirs SS, 2 bytes"),
        ([ROWS], [ROWS._replace(value=b"\1\2\0\0")], "(0028,0010): US, 2 bytes"),
        ([ROWS], [ROWS._replace(vr="UN", value=b"\2\1")], "(0028,0010): US, 2 bytes"),
        ([Element(0x00280103, "US", b"\0\0")], [Element(0x00280103, "US", b"")], "(0028,0103): US, 2 bytes"),
        ([Element(0x00080005, "CS", b"ISO_IR 100")], [Element(0x00080005, "CS", b"ISO_IR 101")], "(0008,0005): CS"),
        ([sequence(0x00081140, item())], [sequence(0x00081140)], "(0008,1140): SQ with 1 items, theirs SQ with 0"),
        (
            [sequence(0x00081140, item(), item(sequence(0x00400275, item(ROWS))))],
            [sequence(0x00081140, item(), item(sequence(0x00400275, item(ROWS._replace(value=b"\2\2")))))],
            "(0008,1140)[1].(0040,0275)[0].(0028,0010): US",
        ),
        ([Element(0x00100000, "UL", bytes(4)), NAME], [NAME], "(0010,0000): only ours has it"),
        ([PIXELS], [PIXELS._replace(value=b"1234")], "(7fe0,0010): 8 bytes, theirs 4"),
        (
            [*BITS, PIXELS],
            [*BITS, PIXELS._replace(value=struct.pack("<4h", 1, 0, 1, 299))],
            "(7fe0,0010): 2 samples differ, by up to 2",
        ),
    ],
)
def test_a_difference(ours: Sequence[Element], theirs: Sequence[Element], line: str) -> None:
    assert differences(file(ours), file(theirs))[0].startswith(line)


def test_allowances() -> None:
    other = PIXELS._replace(value=struct.pack("<4h", 1, 0, 1, 299))
    for name in SYNTAXES:
        assert differences(file([*BITS, PIXELS], name), file([*BITS, other], "explicit"), pixels=2) == []
        assert differences(file([*BITS, PIXELS], name), file([*BITS, other], "explicit"), pixels=1)
    with_length = file([Element(0x00100000, "UL", bytes(4)), NAME])
    assert differences(with_length, file([NAME]), group_lengths=False) == []


def test_encapsulated_pixel_data() -> None:
    def compressed(fragment: bytes) -> bytes:
        content = encode.item(b"") + encode.item(fragment) + encode.SEQUENCE_END
        return encode.part10(encode.explicit(0x7FE00010, b"OB", content, length=encode.UNDEFINED), syntax=JPEG)

    assert differences(compressed(b"abcd"), compressed(b"abcd")) == []
    assert differences(compressed(b"abcd"), compressed(b"abce")) == ["(7fe0,0010): other fragments"]
    assert differences(compressed(b"abcd"), file([PIXELS])) == ["(7fe0,0010): ours alone is encapsulated"]


@pytest.mark.parametrize(
    ("kind", "ours", "theirs", "expected"),
    [
        ("<u1", b"\0\xff\5", b"\xff\xff\4", (2, 255)),
        ("<i2", struct.pack("<h", -32768), struct.pack("<h", 32767), (1, 65535)),
        ("<u2", b"", b"", (0, 0)),
    ],
)
def test_pixel_difference(kind: str, ours: bytes, theirs: bytes, expected: tuple[int, int]) -> None:
    assert pixel_difference(ours, theirs, kind) == expected
