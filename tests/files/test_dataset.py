"""The structural check before a data set is sent, and the payload that follows it (PS3.5 7, A.4, A.5)."""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.errors import FileError
from dcmsend.files import dataset as dataset_module
from dcmsend.files import sources
from dcmsend.files.dataset import check, guess_transfer_syntax
from dcmsend.files.sources import WINDOW, BytesSource
from dcmsend.model import Conversion, Instance, ReadMode, ScanOptions
from dcmsend.payload.opening import PayloadOpener
from tests.files import encode
from tests.files.encode import (
    BIG_ENDIAN,
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    INSTANCE,
    JPEG,
    SEQUENCE_END,
    dataset,
    explicit,
    implicit,
    item,
    uid,
)

if TYPE_CHECKING:
    from pathlib import Path

    from dcmsend.files.dataset import Checked
    from dcmsend.payload.payload import Payload

OPEN = encode.UNDEFINED
NATIVE_PIXELS = explicit(0x7FE00010, b"OW", bytes(range(100)))
FRAGMENTS = explicit(0x7FE00010, b"OB", item(b"") + item(b"1234") + SEQUENCE_END, length=OPEN)
BLANKS = explicit(0x00283006, b"OW", bytes(WINDOW))
PADDING = explicit(0xFFFCFFFC, b"OB", bytes(30))
DEFLATE = encode.deflate(dataset())
TRAILER = struct.pack("<LL", zlib.crc32(dataset()), len(dataset()))
IMPLICIT_DATA = implicit(0x00080016, uid(CT)) + implicit(0x00080018, uid(INSTANCE))
BIG_DATA = b"".join(explicit(t, b"UI", uid(u), order=">") for t, u in ((0x00080016, CT), (0x00080018, INSTANCE)))


def checked(data: bytes, syntax: str = EXPLICIT) -> Checked:
    return check(BytesSource(data), 0, len(data), syntax)


@pytest.mark.parametrize(
    ("data", "behind", "syntax"),
    [
        pytest.param(dataset(), b"", EXPLICIT, id="explicit"),
        pytest.param(IMPLICIT_DATA, b"", IMPLICIT, id="implicit"),
        pytest.param(BIG_DATA, b"", BIG_ENDIAN, id="big endian"),
        pytest.param(dataset(rest=NATIVE_PIXELS), b"", EXPLICIT, id="pixels"),
        pytest.param(dataset(rest=FRAGMENTS), b"", JPEG, id="fragments"),
        pytest.param(dataset(), b"", JPEG, id="no pixels in a compressed syntax"),
        pytest.param(dataset(rest=NATIVE_PIXELS), b"", "1.2.9", id="pixels in an unknown syntax"),
        pytest.param(dataset(rest=FRAGMENTS), b"", "1.2.9", id="fragments in an unknown syntax"),
        pytest.param(dataset(rest=NATIVE_PIXELS), PADDING, EXPLICIT, id="trailing padding"),
        pytest.param(dataset(rest=FRAGMENTS), PADDING, JPEG, id="trailing padding behind fragments"),
        pytest.param(IMPLICIT_DATA, implicit(0xFFFCFFFC, bytes(9)), IMPLICIT, id="trailing padding, implicit"),
    ],
)
def test_what_is_sent(data: bytes, behind: bytes, syntax: str) -> None:
    assert checked(data + behind, syntax) == (len(data), 0, CT, INSTANCE, (), ((0, len(data)),), False)


@pytest.mark.parametrize("count", [1, 7, 8, 11, 12, 100, 100_000])
@pytest.mark.parametrize(
    ("data", "behind", "syntax"),
    [
        (dataset(), b"", EXPLICIT),
        (dataset(), PADDING, EXPLICIT),
        (IMPLICIT_DATA, b"", IMPLICIT),
        (BIG_DATA, b"", BIG_ENDIAN),
        (dataset(rest=FRAGMENTS), b"", JPEG),
    ],
    ids=["explicit", "padding", "implicit", "big endian", "fragments"],
)
def test_trailing_zero_bytes_stay_behind(data: bytes, behind: bytes, syntax: str, count: int) -> None:
    found = checked(data + behind + bytes(count), syntax)
    assert found.end == len(data)
    assert found.notices == (
        f"{count} zero bytes at the end of the file do not belong to the data set and are not sent",
    )


@pytest.mark.parametrize(
    ("data", "syntax", "reason"),
    [
        pytest.param(dataset()[:-1], EXPLICIT, "(0010,0010) at byte 50: its 4 bytes run past", id="cut in a value"),
        pytest.param(dataset()[:-9], EXPLICIT, "(0008,0018) at byte 50: the data ends in", id="cut in a header"),
        pytest.param(dataset() + b"junk!", EXPLICIT, "(0010,0010) at byte 62: the data ends in", id="bytes behind"),
        pytest.param(
            dataset(rest=explicit(0x00100010, b"PN", b"")),
            EXPLICIT,
            "(0010,0010) stands in the data set twice, with different values",
            id="twice",
        ),
        pytest.param(
            dataset(rest=explicit(0x00100010, b"PN", b"A^C ")),
            EXPLICIT,
            "(0010,0010) stands in the data set twice, with different values",
            id="twice, of the same length",
        ),
        pytest.param(
            dataset(rest=explicit(0x00100010, b"LO", b"A^B ")),
            EXPLICIT,
            "(0010,0010) stands in the data set twice, with different values",
            id="twice, with another VR",
        ),
        pytest.param(
            BLANKS + BLANKS[:-1] + b"x" + dataset(),
            EXPLICIT,
            "(0028,3006) stands in the data set twice",
            id="twice, long, different at the end",
        ),
        pytest.param(
            encode.deflate(dataset(rest=explicit(0x00080060, b"CS", b"CT"))),
            DEFLATED,
            "the elements of a deflated data set are not in order",
            id="out of order, deflated",
        ),
        pytest.param(
            dataset(rest=PADDING + PADDING), EXPLICIT, "(fffc,fffc) at byte 104: it stands", id="padding twice"
        ),
        pytest.param(dataset(rest=NATIVE_PIXELS), JPEG, "(7fe0,0010) at byte 62: the pixel data is not", id="native"),
        pytest.param(
            dataset(rest=FRAGMENTS), EXPLICIT, "(7fe0,0010) at byte 62: the pixel data is enc", id="fragments"
        ),
        pytest.param(
            dataset(rest=FRAGMENTS[:-8]), JPEG, "(7fe0,0010) at byte 62: its end is missing", id="no delimiter"
        ),
        pytest.param(
            dataset(rest=FRAGMENTS[:-8] + bytes(8)),
            JPEG,
            "(0000,0000) at byte 94: an item, a delimiter",
            id="zeros where fragments should be",
        ),
        pytest.param(DEFLATE[:-3], DEFLATED, "the deflated data set is cut off: its end is missing", id="cut deflate"),
        pytest.param(b"", DEFLATED, "the deflated data set is cut off", id="empty deflate"),
        pytest.param(b"\xff" * 50, DEFLATED, "the deflated data set is damaged", id="no deflate"),
        pytest.param(
            DEFLATE + b"junk", DEFLATED, "4 bytes that do not belong to it follow the def", id="behind deflate"
        ),
        pytest.param(DEFLATE + TRAILER[:-1] + b"\1", DEFLATED, "8 bytes that do not belong", id="a wrong checksum"),
        pytest.param(
            encode.deflate(dataset()[:-1]), DEFLATED, "(0010,0010) at byte 61: its value is cut off", id="cut, deflated"
        ),
    ],
)
def test_what_must_not_be_sent(data: bytes, syntax: str, reason: str) -> None:
    with pytest.raises(FileError) as caught:
        checked(data, syntax)
    assert str(caught.value.reason).startswith(reason)


@pytest.mark.parametrize(
    ("data", "notice"),
    [
        (
            dataset(rest=explicit(0x00200010, b"SH", b"1") + explicit(0x00200011, b"IS", b"1")),
            "2 values have an odd length, the first one in (0020,0010)",
        ),
        (explicit(0x00000000, b"UL", bytes(4)) + dataset(), "(0000,0000) does not belong in a data set"),
        (encode.meta()[12:] + dataset(), "(0002,0002) does not belong in a data set"),
    ],
)
def test_what_is_worth_a_notice(data: bytes, notice: str) -> None:
    found = checked(data)
    assert (found.end, found.notices[0]) == (len(data), notice)


UIDS = explicit(0x00080016, b"UI", uid(CT)) + explicit(0x00080018, b"UI", uid(INSTANCE))
ODD = explicit(0x00200011, b"IS", b"1")
MODALITY = explicit(0x00080060, b"CS", b"CT")
NAME = explicit(0x00100010, b"PN", b"A^B ")
SORTED = "its elements are not in order, they are sorted before sending"


@pytest.mark.parametrize(
    ("data", "runs"),
    [
        pytest.param(NAME + UIDS, [UIDS, NAME], id="out of order"),
        pytest.param(UIDS + NAME + MODALITY, [UIDS, MODALITY, NAME], id="one too late"),
        pytest.param(UIDS + NAME + NAME, [UIDS, NAME], id="twice, the same"),
        pytest.param(NAME + UIDS + NAME + UIDS, [UIDS, NAME], id="all twice"),
        pytest.param(FRAGMENTS + UIDS, [UIDS, FRAGMENTS], id="fragments first"),
        pytest.param(NATIVE_PIXELS + NAME + UIDS, [UIDS, NAME, NATIVE_PIXELS], id="backwards"),
    ],
)
def test_elements_out_of_order_are_to_be_sorted(data: bytes, runs: list[bytes]) -> None:
    """Runs of elements, each in order, that make up the data set when they are laid end to end."""
    syntax = JPEG if FRAGMENTS in data else EXPLICIT
    found = checked(data, syntax)
    assert found.faulty
    assert found.notices == (SORTED,)
    assert (found.end, found.sop_class, found.sop_instance) == (len(data), CT, INSTANCE)
    assert b"".join(data[start:end] for start, end in found.runs) == b"".join(runs)


@pytest.mark.parametrize("padding", [b"", PADDING, bytes(7)], ids=["nothing", "padding", "zeros"])
def test_an_odd_length_is_to_be_mended(padding: bytes) -> None:
    """PS3.8 E.2: what is sent has an even length."""
    data = dataset(rest=ODD)
    found = checked(data + padding)
    assert (found.end, found.runs, found.faulty) == (len(data), ((0, len(data)),), True)
    assert found.notices[-1] == "1 values have an odd length, the first one in (0020,0011)"


def test_values_of_odd_length_go_as_they_are_where_the_whole_is_even() -> None:
    found = checked(dataset(rest=ODD + explicit(0x00200012, b"IS", b"1")))
    assert not found.faulty
    assert found.notices == ("2 values have an odd length, the first one in (0020,0011)",)


def test_too_many_elements_are_not_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_module, "_MAX_SORTED", 3)
    assert checked(NAME + UIDS).faulty
    with pytest.raises(FileError, match="more than 3 elements that are not in order: too many to sort"):
        checked(NAME + MODALITY + UIDS)


@pytest.mark.parametrize("behind", [b"", b"\0", bytes(100), TRAILER], ids=["nothing", "pad", "zeros", "gzip's trailer"])
@pytest.mark.parametrize("rest", [b"", explicit(0x00200011, b"IS", b"11")])
def test_deflated(rest: bytes, behind: bytes) -> None:
    data = dataset(rest=rest)
    stream = encode.deflate(data)
    if behind == TRAILER:
        behind = struct.pack("<LL", zlib.crc32(data), len(data))
    found = checked(stream + behind, DEFLATED)
    assert found[:4] == (len(stream), len(stream) % 2, CT, INSTANCE)
    assert len(found.notices) == (len(behind) > 1)


@pytest.mark.parametrize(
    ("head", "syntax"),
    [
        (dataset(), EXPLICIT),
        (IMPLICIT_DATA, IMPLICIT),
        (BIG_DATA, BIG_ENDIAN),
        (explicit(0x00020002, b"UI", b""), EXPLICIT),
        (b"", IMPLICIT),
    ],
)
def test_the_encoding_of_a_bare_data_set(head: bytes, syntax: str) -> None:
    assert guess_transfer_syntax(BytesSource(head), 0) == syntax


@given(st.binary(max_size=200), st.sampled_from([EXPLICIT, IMPLICIT, BIG_ENDIAN, JPEG, DEFLATED, "1.2.9"]))
def test_any_bytes_are_checked_or_refused(data: bytes, syntax: str) -> None:
    try:
        found = checked(data, syntax)
    except FileError as error:
        assert "\n" not in str(error.reason)
    else:
        assert 0 <= found.end <= len(data)


# The payload.

OPTIONS = ScanOptions()


def open_as_it_is(instance: Instance, options: ScanOptions = OPTIONS) -> Payload:
    """The payload for a peer that takes the file's own transfer syntax."""
    return PayloadOpener(options, Conversion()).open(instance, instance.transfer_syntax)


def write(path: Path, content: bytes, syntax: str = EXPLICIT, sop_class: str = CT) -> Instance:
    path.write_bytes(content)
    return Instance(str(path), sop_class, INSTANCE, syntax, len(content))


def sent(instance: Instance, sizes: list[int], options: ScanOptions = OPTIONS) -> bytes:
    """What a payload gives out into views of these sizes, again and again."""
    parts = []
    with open_as_it_is(instance, options) as payload:
        while True:
            buffer = bytearray(b"\xee" * sum(sizes))
            views: list[memoryview] = []
            for size in sizes:
                start = sum(map(len, views))
                views.append(memoryview(buffer)[start : start + size])
            count = payload.fill(views)
            if not count:
                break
            assert buffer[count:] == b"\xee" * (len(buffer) - count)
            parts.append(bytes(buffer[:count]))
        assert sum(map(len, parts)) == payload.length
    return b"".join(parts)


LARGE = dataset(rest=explicit(0x7FE00010, b"OW", bytes(range(256)) * 1000))


@pytest.mark.parametrize("sizes", [[1_000_000], [16372] * 32, [500, 0, 1, 7], [256] * 1300])
@pytest.mark.parametrize(
    ("data", "behind", "syntax"),
    [
        (dataset(rest=NATIVE_PIXELS), b"", EXPLICIT),
        (dataset(rest=NATIVE_PIXELS), PADDING, EXPLICIT),
        (LARGE, PADDING, EXPLICIT),
        (dataset(rest=FRAGMENTS), b"", JPEG),
    ],
    ids=["small", "padding", "large", "fragments"],
)
def test_the_bytes_of_the_file_are_given_out(
    tmp_path: Path, data: bytes, behind: bytes, syntax: str, sizes: list[int]
) -> None:
    instance = write(tmp_path / "x", encode.part10(data + behind, syntax=syntax), syntax)
    assert sent(instance, sizes) == data
    with open_as_it_is(instance) as payload:
        assert (payload.length, payload.dataset_size) == (len(data), len(data + behind))


@pytest.mark.parametrize("sizes", [[1_000_000], [10, 1], [1]])
def test_a_deflated_data_set_is_padded_to_even_length(tmp_path: Path, sizes: list[int]) -> None:
    streams = [encode.deflate(dataset(rest=explicit(0x00104000, b"LT", os.urandom(n)))) for n in range(0, 40, 2)]
    odd = next(stream for stream in streams if len(stream) % 2)
    instance = write(tmp_path / "x", encode.part10(odd, syntax=DEFLATED), DEFLATED)
    assert sent(instance, sizes) == odd + b"\0"


@pytest.mark.parametrize(
    ("data", "mended"),
    [
        pytest.param(NAME + UIDS, UIDS + NAME, id="sorted"),
        pytest.param(UIDS + NAME + NAME, UIDS + NAME, id="once"),
        pytest.param(UIDS + NAME + ODD, UIDS + NAME + explicit(0x00200011, b"IS", b"1 "), id="even"),
        pytest.param(ODD + UIDS + PADDING, UIDS + explicit(0x00200011, b"IS", b"1 "), id="sorted and even"),
        pytest.param(LARGE[-256012:] + UIDS, UIDS + LARGE[-256012:], id="large value first"),
    ],
)
@pytest.mark.parametrize("sizes", [[1_000_000], [10, 1], [4096] * 3])
def test_a_faulty_data_set_is_mended(tmp_path: Path, data: bytes, mended: bytes, sizes: list[int]) -> None:
    instance = write(tmp_path / "x", encode.part10(data))
    assert sent(instance, sizes) == mended
    with open_as_it_is(instance) as payload:
        assert payload.notices
        assert (payload.length, payload.dataset_size) == (len(mended), len(data))
        assert (payload.sop_class, payload.sop_instance, payload.transfer_syntax) == (CT, INSTANCE, EXPLICIT)


def test_fragments_are_kept_when_a_data_set_is_mended(tmp_path: Path) -> None:
    instance = write(tmp_path / "x", encode.part10(FRAGMENTS + UIDS, syntax=JPEG), JPEG)
    assert sent(instance, [100]) == UIDS + FRAGMENTS


def test_a_bare_data_set_is_given_out_whole(tmp_path: Path) -> None:
    assert sent(write(tmp_path / "x", dataset()), [100], ScanOptions(read_mode=ReadMode.DATASET_ONLY)) == dataset()


def test_the_payload_names_the_instance_of_the_data_set(tmp_path: Path) -> None:
    data = dataset(encode.MR, "1.9")
    with open_as_it_is(write(tmp_path / "x", encode.part10(data))) as payload:
        assert (payload.sop_class, payload.sop_instance, payload.transfer_syntax) == (encode.MR, "1.9", EXPLICIT)
        assert len(payload.notices) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            encode.part10(syntax=IMPLICIT),
            f"it changed since it was looked at: its transfer syntax is {IMPLICIT}, not {EXPLICIT}",
        ),
        (encode.part10(explicit(0x00100010, b"PN", b"")), "missing SOP Class UID in data set"),
        (encode.part10(explicit(0x00080016, b"UI", uid(CT))), "missing SOP Instance UID in data set"),
        (encode.part10(dataset(sop_instance="1" * 66)), "Invalid SOP Instance UID in data set: 111"),
        (encode.part10(dataset(sop_instance="1.\n2")), r"Invalid SOP Instance UID in data set: 1.\n2"),
        (encode.part10()[:-1], "(0010,0010) at byte"),
        (b"", "End of stream"),
    ],
)
def test_what_is_not_opened(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(FileError) as caught:
        open_as_it_is(write(tmp_path / "x", content))
    assert str(caught.value.reason).startswith(reason)


@pytest.mark.parametrize("name", ["_HAS_PREADV", "_HAS_PREAD"])
def test_systems_without_positioned_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sources, "_HAS_PREADV", False)
    monkeypatch.setattr(sources, name, False)
    assert sent(write(tmp_path / "x", encode.part10(LARGE)), [16372] * 8) == LARGE


@given(st.integers(0, 399), st.binary(min_size=1, max_size=3), st.integers(0, 60))
def test_a_damaged_file_is_sent_whole_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, cut: int
) -> None:
    content = bytearray(encode.part10(dataset(rest=FRAGMENTS), syntax=JPEG))
    content[at : at + len(new)] = new
    instance = write(tmp_path_factory.getbasetemp() / "damaged", bytes(content[: len(content) - cut]), JPEG)
    try:
        data = sent(instance, [50])
    except FileError as error:
        assert encode.is_one_line(str(error.reason))
    else:
        assert len(data) % 2 == 0
        if data not in content:  # it was mended, and says so
            with open_as_it_is(instance) as payload:
                assert payload.notices
            assert not checked(data, JPEG).faulty


def test_a_file_that_has_gone(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file or directory"):
        open_as_it_is(Instance(str(tmp_path / "gone"), CT, INSTANCE, EXPLICIT))


def test_a_file_that_shrinks_while_it_is_sent(tmp_path: Path) -> None:
    instance = write(tmp_path / "x", encode.part10(LARGE))
    with open_as_it_is(instance) as payload:
        os.truncate(instance.path, 100_000)
        with pytest.raises(FileError, match="became shorter while it was being sent"):
            payload.fill([memoryview(bytearray(1_000_000))])


def test_a_file_of_more_than_4_gigabytes_needs_no_memory_for_it(tmp_path: Path) -> None:
    value = 0xFFFFFFFE
    start = encode.part10(dataset(rest=explicit(0x7FE00008, b"OW", b"", length=value)))
    end = explicit(0x7FE00009, b"OW", b"", length=value)
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.write(start)
        file.seek(len(start) + value)
        file.write(end)
        file.truncate(len(start) + len(end) + 2 * value)
    with open_as_it_is(Instance(str(path), CT, INSTANCE, EXPLICIT)) as payload:
        assert payload.length == len(dataset()) + 2 * (12 + value)
        assert payload.fill([memoryview(bytearray(1000))]) == 1000


def test_closing_twice_does_no_harm(tmp_path: Path) -> None:
    payload = open_as_it_is(write(tmp_path / "x", encode.part10()))
    payload.close()
    payload.close()
    assert payload.length == len(dataset())
