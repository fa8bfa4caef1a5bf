"""The walker over data elements (PS3.5 7): vectors, then what must not pass."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.errors import FileError
from dcmsend.files.elements import (
    END,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    ITEM,
    UNBOUNDED,
    UNDEFINED,
    Encoding,
    StructureError,
    encoding_of,
    walk,
)
from dcmsend.files.sources import BytesSource, FileSource, InflateSource
from tests.files import encode
from tests.files.encode import SEQUENCE_END, explicit, implicit, item, open_item

if TYPE_CHECKING:
    from pathlib import Path

    from dcmsend.files.elements import Element

NAME = explicit(0x00100010, b"PN", b"A^B ")
LAST = explicit(0x00200011, b"IS", b"1 ")
OPEN = encode.UNDEFINED


def elements(data: bytes, encoding: Encoding = EXPLICIT_LE, descend: frozenset[int] = frozenset()) -> list[Element]:
    return list(walk(BytesSource(data), encoding, 0, len(data), descend))


def tags(data: bytes, encoding: Encoding = EXPLICIT_LE) -> list[int]:
    return [element[1] for element in elements(data, encoding)]


@pytest.mark.parametrize(
    ("data", "encoding", "element"),
    [
        pytest.param(NAME, EXPLICIT_LE, (0, 0x00100010, b"PN", 0, 8, 4), id="explicit, 16 bit length"),
        pytest.param(explicit(0x7FE00010, b"OW", b"12"), EXPLICIT_LE, (0, 0x7FE00010, b"OW", 0, 12, 2), id="32 bit"),
        pytest.param(explicit(0x00100010, b"ZZ", b"12"), EXPLICIT_LE, (0, 0x00100010, b"ZZ", 0, 12, 2), id="future VR"),
        pytest.param(explicit(0x00100010, b"??", b"12"), EXPLICIT_LE, (0, 0x00100010, b"??", 0, 8, 2), id="VR of ??"),
        pytest.param(implicit(0x00100010, b"AB"), IMPLICIT_LE, (0, 0x00100010, b"", 0, 8, 2), id="implicit"),
        pytest.param(
            explicit(0x00100010, b"PN", b"AB", order=">"), EXPLICIT_BE, (0, 0x00100010, b"PN", 0, 8, 2), id="big endian"
        ),
    ],
)
def test_one_element(data: bytes, encoding: Encoding, element: Element) -> None:
    assert elements(data, encoding) == [element, (0, END, b"", len(data), len(data), 0)]


SEQUENCES = {
    "defined length": explicit(0x00081115, b"SQ", item(NAME)),
    "undefined length": explicit(0x00081115, b"SQ", item(NAME) + SEQUENCE_END, length=OPEN),
    "undefined items": explicit(0x00081115, b"SQ", open_item(NAME) + open_item(b"") + SEQUENCE_END, length=OPEN),
    "nested": explicit(
        0x00081115, b"SQ",
        open_item(explicit(0x00081115, b"SQ", open_item(NAME) + SEQUENCE_END, length=OPEN)) + SEQUENCE_END, length=OPEN,
    ),
    "UN of undefined length is implicit inside (CP-246)": explicit(
        0x00081115, b"UN", open_item(implicit(0x00100010, b"AB")) + SEQUENCE_END, length=OPEN
    ),
    "fragments": explicit(0x7FE00010, b"OB", item(b"") + item(b"\xfe\xff\xdd\xe0\0\0\0\0") + SEQUENCE_END, length=OPEN),
}  # fmt: skip


@pytest.mark.parametrize("data", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_the_end_of_what_is_nested_is_found(data: bytes) -> None:
    following = explicit(0x7FE00020, b"IS", b"1 ")
    assert [(depth, tag) for depth, tag, *_ in elements(data + following)][1:] == [(0, 0x7FE00020), (0, END)]


def test_sequences_are_shown_inside_when_asked_for() -> None:
    for name in ("defined length", "undefined length"):
        shown = elements(SEQUENCES[name] + LAST, descend=frozenset((0x00081115,)))
        assert [(depth, tag) for depth, tag, *_ in shown] == [
            (0, 0x00081115), (1, ITEM), (2, 0x00100010), (0, 0x00200011), (0, END)
        ]  # fmt: skip


def test_undefined_length_is_told() -> None:
    assert elements(SEQUENCES["undefined length"])[0][5] == UNDEFINED


def test_the_walk_stops_before_a_tag() -> None:
    stopped = list(walk(BytesSource(NAME + LAST), EXPLICIT_LE, 0, 100, stop=0x00200000))
    assert stopped[-1] == (0, END, b"", len(NAME), len(NAME), 0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (NAME[:5], "(0000,0000) at byte 0: the data ends in the header of the element behind it"),
        (explicit(0x7FE00010, b"OW", b"")[:10], "(7fe0,0010) at byte 0: the data ends in the header"),
        (NAME[:-1], "(0010,0010) at byte 0: its 4 bytes run past the end of the file"),
        (
            LAST + explicit(0x00100010, b"UT", b"", length=5000),
            "(0010,0010) at byte 10: its 5000 bytes run past the end",
        ),
        (SEQUENCES["undefined length"][:-8], "(0008,1115) at byte 0: its end is missing"),
        (SEQUENCES["undefined items"][:-8], "(0008,1115) at byte 0: its end is missing"),
        (explicit(0x00081115, b"SQ", NAME, length=OPEN), "(0010,0010) at byte 12: an item, a delimiter or an element"),
        (SEQUENCE_END, "(fffe,e0dd) at byte 0: an item, a delimiter or an element in the wrong place"),
        (explicit(0x7FE00010, b"OB", open_item(b""), length=OPEN), "(fffe,e000) at byte 12: a fragment of undefined"),
    ],
)
def test_broken_structure(data: bytes, reason: str) -> None:
    with pytest.raises(StructureError) as caught:
        elements(data)
    assert str(caught.value.reason).startswith(reason)


def test_nesting_is_bounded() -> None:
    with pytest.raises(StructureError, match="nested more than 64 deep"):
        elements((explicit(0x00081115, b"SQ", b"", length=OPEN) + implicit(ITEM, b"", length=OPEN)) * 100)


def test_sixty_levels_are_walked() -> None:
    data = NAME
    for _ in range(60):
        data = explicit(0x00081115, b"SQ", open_item(data) + SEQUENCE_END, length=OPEN)
    assert tags(data + LAST) == [0x00081115, 0x00200011, END]


@pytest.mark.parametrize(
    ("syntax", "encoding"),
    [
        (encode.IMPLICIT, IMPLICIT_LE),
        (encode.BIG_ENDIAN, EXPLICIT_BE),
        (encode.JPEG, EXPLICIT_LE),
        ("1.2.9", EXPLICIT_LE),
    ],
)
def test_encoding_of_a_transfer_syntax(syntax: str, encoding: Encoding) -> None:
    assert encoding_of(syntax) == encoding


LONG_DATA = b"".join(explicit(0x00091000 + n, b"OB", bytes([n % 251]) * 5000) for n in range(200))


def test_a_file_is_walked_through_windows(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(LONG_DATA)
    with path.open("rb") as file:
        source = FileSource(file.fileno(), len(LONG_DATA), 100)
        assert list(walk(source, EXPLICIT_LE, 0, len(LONG_DATA))) == elements(LONG_DATA)


def test_a_deflated_data_set_is_walked_in_windows() -> None:
    stream = encode.deflate(LONG_DATA)
    source = InflateSource(BytesSource(b"xx" + stream + b"\0"), 2, len(stream) + 3)
    assert list(walk(source, EXPLICIT_LE, 0, UNBOUNDED)) == elements(LONG_DATA)
    assert (source.complete, source.position) == (True, len(stream) + 2)


def test_inflating_keeps_little_of_a_huge_value() -> None:
    stream = encode.deflate(explicit(0x00091000, b"OB", bytes(20_000_000)) + LAST)
    source = InflateSource(BytesSource(stream), 0, len(stream))
    assert [tag for _, tag, *_ in walk(source, EXPLICIT_LE, 0, UNBOUNDED)] == [0x00091000, 0x00200011, END]
    assert len(source.window(20_000_020, 1)[0]) < 200_000


def test_inflating_stops_at_its_limit() -> None:
    stream = encode.deflate(bytes(10_000_000))
    buffer, base = InflateSource(BytesSource(stream), 0, len(stream), limit=1000).window(9_000_000, 1)
    assert base + len(buffer) <= 1000 + 65536


def test_a_source_that_cannot_be_read(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "x", os.O_WRONLY | os.O_CREAT)
    try:
        with pytest.raises(FileError, match="Bad file descriptor"):
            FileSource(descriptor, 10)
    finally:
        os.close(descriptor)


@given(st.binary(max_size=300), st.sampled_from([EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE]))
def test_any_bytes_end_or_raise(data: bytes, encoding: Encoding) -> None:
    try:
        found = elements(data, encoding, descend=frozenset((0x00000000, 0x7FE00010)))
    except StructureError as error:
        assert 0 <= error.offset <= len(data)
    else:
        assert found[-1][3] == len(data)
