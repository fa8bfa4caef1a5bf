"""Which fragments make which frame (PS3.5 A.4, PS3.3 C.7.6.3.1.8): vectors, lies, and what must not pass."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.errors import FileError
from dcmsend.files.sources import BytesSource, FileSource
from dcmsend.payload import frames
from dcmsend.payload.frames import frames_of, read_fragments
from tests.files.encode import SEQUENCE_END, UNDEFINED, implicit, is_one_line, item

if TYPE_CHECKING:
    from pathlib import Path

JPEG = "1.2.840.10008.1.2.4.50"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
HTJ2K = "1.2.840.10008.1.2.4.201"
JPEG_XL = "1.2.840.10008.1.2.4.110"
RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
NO_TABLE = item(b"")

A = b"\xff\xd8\xff\xe0 first\xff\xd9"
B = b"\xff\xd8\xff\xdb second\xff\xd9\0"
A1, A2 = A[:6], A[6:]
B1, B2 = B[:4], B[4:]
NEITHER = "neither an offset table nor the fragments show where each frame begins"


def offsets(*numbers: int, kind: str = "L") -> bytes:
    return struct.pack(f"<{len(numbers)}{kind}", *numbers)


def table(*numbers: int) -> bytes:
    """The first item: a basic offset table."""
    return item(offsets(*numbers))


def extended(starts: tuple[int, ...], lengths: tuple[int, ...]) -> tuple[bytes, bytes]:
    return offsets(*starts, kind="Q"), offsets(*lengths, kind="Q")


def pixel_data(first: bytes, fragments: tuple[bytes, ...]) -> bytes:
    return first + b"".join(map(item, fragments)) + SEQUENCE_END


def split(
    fragments: tuple[bytes, ...],
    count: int,
    *,
    first: bytes = NO_TABLE,
    syntax: str = JPEG,
    long_table: tuple[bytes, bytes] | None = None,
) -> list[bytes]:
    """The frames of pixel data that stands somewhere in a file, with something behind it."""
    data = b"in front" + pixel_data(first, fragments) + b"\xfc\xff\xfc\xff behind"
    source = BytesSource(data)
    return list(frames_of(source, read_fragments(source, 8, len(data)), count, syntax, long_table))


def refused(
    fragments: tuple[bytes, ...],
    count: int,
    *,
    first: bytes = NO_TABLE,
    syntax: str = JPEG,
    long_table: tuple[bytes, bytes] | None = None,
) -> str:
    with pytest.raises(FileError) as caught:
        split(fragments, count, first=first, syntax=syntax, long_table=long_table)
    assert is_one_line(str(caught.value.reason))
    return str(caught.value.reason)


@pytest.mark.parametrize(
    ("fragments", "first", "expected"),
    [
        pytest.param((A,), NO_TABLE, [A], id="one frame, one fragment"),
        pytest.param((A1, A2), NO_TABLE, [A], id="one frame, two fragments"),
        pytest.param((A1, A2), table(0, 14), [A], id="one frame, a table of fragments"),
        pytest.param((A, B), NO_TABLE, [A, B], id="two frames"),
        pytest.param((A, B), table(0, 8 + len(A)), [A, B], id="two frames and their table"),
        pytest.param((A, B), table(0, 3), [A, B], id="as many fragments as frames: the table is not needed"),
        pytest.param((A, b"", B), NO_TABLE, [A, B], id="an empty fragment between"),
        pytest.param((b"", A, B, b""), NO_TABLE, [A, B], id="empty fragments around"),
        pytest.param((b"", A1, b"", A2, b"", B), NO_TABLE, [A, B], id="empty fragments everywhere"),
        pytest.param((A1, A2, B1, B2), NO_TABLE, [A, B], id="by the codestreams' first bytes"),
        pytest.param((A, B, b"\0\0"), NO_TABLE, [A, B + b"\0\0"], id="padding in a fragment of its own"),
        pytest.param((A1, A[6:-2], B1, B2), NO_TABLE, [A[:-2], B], id="no end of image"),
        pytest.param((A[:5], A[5:], B), NO_TABLE, [A, B], id="fragments of odd length"),
        pytest.param((A1, b"\xff\xd9", B), NO_TABLE, [A1 + b"\xff\xd9", B], id="a fragment of an end alone"),
    ],
)
def test_frames(fragments: tuple[bytes, ...], first: bytes, expected: list[bytes]) -> None:
    assert split(fragments, len(expected), first=first) == expected


# Four fragments in two frames, of a codec whose frames cannot be told from their bytes.
W, X, Y, Z = b"wwww", b"xx", b"yyyyyy", b"z"  # items at 0, 12, 22, 36; the end at 45
PLAIN = (W, X, Y, Z)


@pytest.mark.parametrize(
    ("first", "long_table", "expected"),
    [
        pytest.param(table(0, 22), None, [W + X, Y + Z], id="basic"),
        pytest.param(table(0, 12), None, [W, X + Y + Z], id="basic, uneven"),
        pytest.param(NO_TABLE, extended((0, 22), (6, 7)), [W + X, Y + Z], id="extended"),
        pytest.param(NO_TABLE, extended((0, 36), (12, 1)), [W + X + Y, Z], id="extended, padding not counted"),
        pytest.param(table(0, 12), extended((0, 36), (12, 1)), [W + X + Y, Z], id="extended before basic"),
        pytest.param(table(0, 12), extended((0, 37), (12, 1)), [W, X + Y + Z], id="extended lies, basic serves"),
        pytest.param(table(0, 12), extended((0, 36), (12, 99)), [W, X + Y + Z], id="extended lengths lie"),
        pytest.param(table(0, 12), extended((0, 36), (12,)), [W, X + Y + Z], id="extended lengths are too few"),
        pytest.param(table(0, 12), (offsets(0, 36, kind="Q"), b"123"), [W, X + Y + Z], id="extended lengths are cut"),
        pytest.param(table(0, 12), (b"123", b"123"), [W, X + Y + Z], id="extended tables are cut"),
        pytest.param(table(0, 12), (b"", b""), [W, X + Y + Z], id="extended is empty"),
    ],
)
def test_offset_tables(first: bytes, long_table: tuple[bytes, bytes] | None, expected: list[bytes]) -> None:
    assert split(PLAIN, 2, first=first, syntax=DEFLATED_FRAMES, long_table=long_table) == expected


LIES = [
    pytest.param((), id="empty"),
    pytest.param((0,), id="too few"),
    pytest.param((0, 12, 22), id="too many"),
    pytest.param((0, 12, 22, 36, 45), id="more than fragments"),
    pytest.param((0, 23), id="not on a fragment"),
    pytest.param((0, 30), id="on a fragment's value"),
    pytest.param((0, 45), id="on the end"),
    pytest.param((0, 0xFFFFFFFF), id="beyond the end"),
    pytest.param((0, 0), id="not rising"),
    pytest.param((22, 0), id="falling"),
    pytest.param((12, 22), id="does not begin with 0"),
]


@pytest.mark.parametrize("numbers", LIES)
def test_a_table_that_lies_is_not_followed(numbers: tuple[int, ...]) -> None:
    assert NEITHER in refused(PLAIN, 2, first=table(*numbers), syntax=DEFLATED_FRAMES)
    lengths = (1,) * len(numbers)
    assert NEITHER in refused(PLAIN, 2, syntax=DEFLATED_FRAMES, long_table=extended(numbers, lengths))


@pytest.mark.parametrize("numbers", LIES)
def test_where_a_table_lies_the_codestreams_tell(numbers: tuple[int, ...]) -> None:
    assert split((A1, A2, B1, B2), 2, first=table(*numbers)) == [A, B]


def test_a_table_that_points_into_a_codestream_is_not_followed() -> None:
    """Its offsets are those of fragments, but no image begins at the second one."""
    assert split((A1, A2, B1, B2), 2, first=table(0, 14)) == [A, B]


def test_a_basic_table_that_is_no_table_is_not_followed() -> None:
    assert split((A1, A2, B), 2, first=item(b"12345")) == [A, B]


def test_a_table_that_leaves_a_frame_empty_is_not_followed() -> None:
    assert split((W, b"", Y, Z), 2, first=table(0, 12), syntax=DEFLATED_FRAMES) == [W, Y + Z]
    assert NEITHER in refused((b"", W, Y, Z), 2, first=table(0, 8), syntax=DEFLATED_FRAMES)


@pytest.mark.parametrize(
    ("syntax", "one", "two"),
    [
        pytest.param(JPEG, A, B, id="JPEG"),
        pytest.param("1.2.840.10008.1.2.4.70", A, B, id="JPEG lossless"),
        pytest.param(JPEG_LS, b"\xff\xd8\xff\xf7 1", b"\xff\xd8\xff\xe8 2", id="JPEG-LS"),
        pytest.param(JPEG_2000, b"\xff\x4f\xff\x51 one", b"\xff\x4f\xff\x51 two", id="JPEG 2000"),
        pytest.param(JPEG_2000, b"\0\0\0\x0cjP  \r\n\x87\n 1", b"\0\0\0\x0cjP  \r\n\x87\n 2", id="JPEG 2000 file"),
        pytest.param(HTJ2K, b"\xff\x4f\xff\x51 one", b"\xff\x4f\xff\x51 two", id="HTJ2K"),
        pytest.param(JPEG_XL, b"\xff\x0a\x12\x34 one", b"\xff\x0a\x12\x34 two", id="JPEG XL"),
        pytest.param(JPEG_XL, b"\0\0\0\x0cJXL \r\n\x87\n 1", b"\0\0\0\x0cJXL \r\n\x87\n 2", id="JPEG XL file"),
        pytest.param(RLE, offsets(1, 64) + bytes(56), offsets(3, 64, 99, 120) + bytes(48), id="RLE"),
    ],
)
class TestCodestreams:
    def test_frames_begin_with_a_signature(self, syntax: str, one: bytes, two: bytes) -> None:
        assert split((one, b"more", two, b"and", b"more"), 2, syntax=syntax) == [one + b"more", two + b"andmore"]

    def test_no_image_is_dropped(self, syntax: str, one: bytes, two: bytes) -> None:
        assert refused((one, two), 1, syntax=syntax) == "the pixel data holds 2 images, but Number of Frames says 1"
        numbers = table(0, 8 + len(one))
        words = "the pixel data holds 3 images, but Number of Frames says 2"
        assert refused((one, two, two, b"more"), 2, first=numbers, syntax=syntax) == words

    def test_an_image_less_is_not_made_up(self, syntax: str, one: bytes, two: bytes) -> None:
        assert NEITHER in refused((one, b"some", b"more", two), 3, syntax=syntax)

    def test_a_signature_of_another_codec_says_nothing(self, syntax: str, one: bytes, two: bytes) -> None:
        assert NEITHER in refused((one, b"more", two), 2, syntax=DEFLATED_FRAMES)


def test_two_bytes_that_look_like_jpeg_xl_are_not_another_image() -> None:
    """A coded byte pair may be FF 0A by chance; an image of the same file also has the same size in its header."""
    one, rest = b"\xff\x0a\x12\x34 one", b"\xff\x0a by chance"
    assert split((one, rest), 1, syntax=JPEG_XL) == [one + rest]


def test_data_in_front_of_the_first_image_is_not_dropped() -> None:
    assert NEITHER in refused((b"??", A, B), 2)


@pytest.mark.parametrize(
    ("fragments", "count", "words"),
    [
        pytest.param((), 1, "holds 0 fragments, but Number of Frames says 1", id="none"),
        pytest.param((b"", b""), 1, "holds 0 fragments, but Number of Frames says 1", id="empty ones only"),
        pytest.param((A, B), 3, "holds 2 fragments, but Number of Frames says 3", id="too few"),
        pytest.param((A, b""), 2, "holds 1 fragments, but Number of Frames says 2", id="too few, one is empty"),
        pytest.param((A,), 2**31 - 1, "holds 1 fragments, but Number of Frames says 2147483647", id="bomb"),
        pytest.param((A, B), 0, "2 images or fragments, and Number of Frames is no number", id="nobody knows"),
        pytest.param((A,), -1, "holds 1 fragments, but Number of Frames says -1", id="less than no frame"),
    ],
)
def test_wrong_counts(fragments: tuple[bytes, ...], count: int, words: str) -> None:
    assert words in refused(fragments, count)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "cut off at byte 0: its end is missing", id="nothing"),
        pytest.param(NO_TABLE, "cut off at byte 8: its end is missing", id="no end"),
        pytest.param(NO_TABLE + SEQUENCE_END[:7], "cut off at byte 8: its end is missing", id="half an end"),
        pytest.param(NO_TABLE + item(A)[:-1], "fragment at byte 8 runs past the end of the data (12 bytes)", id="cut"),
        pytest.param(
            NO_TABLE + implicit(0xFFFEE000, b"", length=UNDEFINED), "(4294967295 bytes)", id="undefined length"
        ),
        pytest.param(NO_TABLE + implicit(0xFFFEE00D, b""), "(fffe,e00d) stands at byte 8", id="end of an item"),
        pytest.param(NO_TABLE + implicit(0x00100010, b""), "(0010,0010) stands at byte 8", id="an element"),
    ],
)
def test_items_that_are_wrong(data: bytes, words: str) -> None:
    with pytest.raises(FileError) as caught:
        read_fragments(BytesSource(data), 0, len(data))
    assert words in str(caught.value.reason)
    assert is_one_line(str(caught.value.reason))


def test_what_stands_behind_the_end_of_the_data_is_no_fragment() -> None:
    data = pixel_data(NO_TABLE, (A,))
    with pytest.raises(FileError, match="runs past the end"):
        read_fragments(BytesSource(data), 0, 20)
    with pytest.raises(FileError, match="its end is missing"):
        read_fragments(BytesSource(data), 0, len(data) - 1)


def test_no_item_at_all() -> None:
    fragments = read_fragments(BytesSource(SEQUENCE_END), 0, len(SEQUENCE_END))
    assert (len(fragments.offset_table), len(fragments.starts), len(fragments.lengths)) == (0, 0, 0)


def test_what_was_found() -> None:
    data = b"??" + pixel_data(table(0, 22), (A, b"", B))
    fragments = read_fragments(BytesSource(data), 2, len(data))
    assert list(fragments.offset_table) == [0, 22]
    assert list(fragments.lengths) == [len(A), 0, len(B)]
    assert [data[start : start + 4] for start in fragments.starts] == [A[:4], item(B)[:4], B[:4]]


def test_more_fragments_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAGMENTS", 3)
    assert len(split((A, A, A), 3)) == 3
    assert refused((A, A, A, A), 4) == "the pixel data has more than 3 fragments"


def test_a_larger_frame_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before the first frame is given out."""
    monkeypatch.setattr(frames, "MAX_FRAME", len(A))
    assert split((A1, A2), 1) == [A]
    data = pixel_data(NO_TABLE, (A, B))
    source = BytesSource(data)
    with pytest.raises(FileError, match=r"^frame 2 has 14 bytes of compressed data, more than 12$"):
        frames_of(source, read_fragments(source, 0, len(data)), 2, JPEG, None)


def test_a_file_that_became_shorter(tmp_path: Path) -> None:
    data = pixel_data(NO_TABLE, (A1, b"." * 100_000, B))
    path = tmp_path / "pixels"
    path.write_bytes(data)
    with path.open("r+b", buffering=0) as file:
        source = FileSource(file.fileno(), len(data), head_size=16)
        fragments = read_fragments(source, 0, len(data))
        given = frames_of(source, fragments, 2, JPEG, None)
        file.truncate(60_000)
        with pytest.raises(FileError, match=r"^the pixel data is cut off at byte 60000$"):
            next(given)


def test_large_frames_come_from_a_file_as_they_are(tmp_path: Path) -> None:
    """Fragments larger and smaller than one read, in one frame and alone."""
    big = bytes(range(256)) * 9000
    expected = [A1 + big + A2, B1 + big, B]
    path = tmp_path / "pixels"
    path.write_bytes(pixel_data(NO_TABLE, (A1, big, A2, B1, big, B)))
    with path.open("rb", buffering=0) as file:
        source = FileSource(file.fileno(), path.stat().st_size)
        fragments = read_fragments(source, 0, source.size)
        assert list(frames_of(source, fragments, 3, JPEG, None)) == expected


codestreams = st.lists(
    st.lists(st.binary(max_size=9).filter(lambda data: not data.startswith(b"\xff\xd8\xff")), max_size=4),
    min_size=1,
    max_size=6,
)


@given(codestreams)
def test_any_frames_are_found_again(bodies: list[list[bytes]]) -> None:
    """Frames with a start of image, in fragments of any number and size: no table, and none is needed."""
    pieces = [(b"\xff\xd8\xff\xe0", *body) for body in bodies]
    fragments = tuple(fragment for frame in pieces for fragment in frame)
    assert split(fragments, len(pieces)) == [b"".join(frame) for frame in pieces]


@given(st.lists(st.lists(st.binary(max_size=9), max_size=3), min_size=1, max_size=6))
def test_a_true_table_finds_any_frames_again(bodies: list[list[bytes]]) -> None:
    pieces = [(b"data", *body) for body in bodies]
    lengths = [sum(8 + len(fragment) for fragment in frame) for frame in pieces]
    numbers = tuple(sum(lengths[:index]) for index in range(len(lengths)))
    fragments = tuple(fragment for frame in pieces for fragment in frame)
    assert split(fragments, len(pieces), first=table(*numbers), syntax=DEFLATED_FRAMES) == list(map(b"".join, pieces))


@given(st.binary(max_size=200), st.integers(-1, 5))
def test_any_bytes_are_frames_or_a_reason(data: bytes, count: int) -> None:
    source = BytesSource(data)
    try:
        found = list(frames_of(source, read_fragments(source, 0, len(data)), count, JPEG, (data, data)))
    except FileError as error:
        assert is_one_line(str(error.reason))
    else:
        assert len(found) == count
