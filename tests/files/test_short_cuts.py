"""Short cuts give what the long way gives, or step aside: for good files, damaged ones, and data sets made at random.

``DCMSEND_MUTATIONS`` is how many damaged files are tried; ``DCMSEND_MORE_DATA`` names a further folder of DICOM files.
"""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.errors import FileError
from dcmsend.files import dataset as dataset_module
from dcmsend.files import head as head_module
from dcmsend.files import layouts as layouts_module
from dcmsend.files.dataset import check
from dcmsend.files.elements import EXPLICIT_LE
from dcmsend.files.flat import follow
from dcmsend.files.head import ordinary_head, read_head
from dcmsend.files.layouts import Layouts
from dcmsend.files.opening import OpenFile
from dcmsend.files.scan import HEAD_SIZE, Found, scan
from dcmsend.files.sources import BytesSource, FileSource
from dcmsend.light import replace
from dcmsend.model import Instance, ReadMode, ScanOptions
from tests.files import encode
from tests.files.encode import BIG_ENDIAN, CT, EXPLICIT, IMPLICIT, JPEG, SEQUENCE_END, item, open_item, part10, uid
from tests.support import mutate

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA: Final = Path(__file__).parent.parent / "data"
MUTATIONS: Final = int(os.environ.get("DCMSEND_MUTATIONS", "400"))
MORE: Final = os.environ.get("DCMSEND_MORE_DATA")
SAMPLES: Final = sorted((DATA / "samples").iterdir())
FILES: Final = [path for path in sorted(DATA.rglob("*")) if path.is_file()]
OPEN: Final = encode.UNDEFINED


@contextmanager
def the_long_way() -> Iterator[None]:
    with (
        mock.patch.object(dataset_module, "_check_ordinary", return_value=None),
        mock.patch.object(head_module, "ordinary_head", return_value=None),
        mock.patch.object(layouts_module, "ordinary_head", return_value=None),
    ):
        yield


def outcome(path: Path, mode: ReadMode, head_size: int) -> object:
    """The head of a file and what the check says of its data set, or the reasons why there is none."""
    with OpenFile(str(path)) as file:
        source = FileSource(file.descriptor, file.status.st_size, head_size)
        try:
            head = read_head(source, mode)
        except FileError as error:
            return error.reason
        try:
            return head, check(source, head.dataset_offset, source.size, head.transfer_syntax)
        except FileError as error:
            return head, error.reason


def both_ways(path: Path, head_size: int = HEAD_SIZE, modes: tuple[ReadMode, ...] = tuple(ReadMode)) -> None:
    for mode in modes:
        with the_long_way():
            expected = outcome(path, mode, head_size)
        assert outcome(path, mode, head_size) == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("head_size", [100, 400, HEAD_SIZE, 1 << 20])
def test_files_of_the_repository(path: Path, head_size: int) -> None:
    both_ways(path, head_size)


@pytest.mark.skipif(not MORE, reason="DCMSEND_MORE_DATA names no folder")
def test_more_files() -> None:
    for path in sorted(Path(MORE or "").rglob("*")):
        if path.is_file():
            both_ways(path, modes=(ReadMode.FILE_ONLY,))


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    for seed in range(MUTATIONS):
        good = SAMPLES[seed % len(SAMPLES)]
        path.write_bytes(mutate.mutated(good.read_bytes(), seed))
        both_ways(path, (400, HEAD_SIZE, 16384)[seed % 3], (ReadMode.FILE_ONLY, ReadMode.FILE_OR_DATASET))


# Data sets made at random, with all that the short cut looks at in them: rising tags, the UIDs, sequences, odd lengths.

TAGS: Final = st.sampled_from(
    (0x00080005, 0x00080016, 0x00080018, 0x00081140, 0x00100010, 0x00280010, 0x7FE00010, 0xFFFCFFFC, 0x00020010, 0)
)
VALUES: Final = st.sampled_from((b"", b"12", b"123", uid(CT), b"1.2.3.4 ", item(b"12"), open_item(b"") + SEQUENCE_END))
VRS: Final = st.sampled_from((b"UI", b"CS", b"SQ", b"OB", b"UN", b"UT", b"??", b"ZZ", b"ab"))
LENGTHS: Final = st.sampled_from((None,) * 8 + (OPEN, 0, 2, 1 << 16, OPEN - 1))


@st.composite
def content(draw: st.DrawFn, syntax: str, levels: int = 3) -> bytes:
    """Elements, of which some are sequences of items; most are in order, and most lengths are right."""
    tags = draw(st.lists(TAGS, max_size=6))
    if draw(st.booleans()):
        tags = sorted(set(tags))
    return b"".join(draw(element(tag, syntax, levels)) for tag in tags)


@st.composite
def element(draw: st.DrawFn, tag: int, syntax: str, levels: int) -> bytes:
    vr, value, length = draw(VRS), draw(VALUES), draw(LENGTHS)
    if tag in (0x00080016, 0x00080018):
        vr = b"UI"
    elif tag == 0x00081140 and levels:
        vr = b"SQ"
        inside = draw(st.lists(content(syntax, levels - 1), max_size=2))
        closed = draw(st.booleans())
        value = b"".join(item(part) if closed else open_item(part) for part in inside)
        if draw(st.booleans()):
            value, length = value + SEQUENCE_END, OPEN
    if syntax == IMPLICIT:
        return encode.implicit(tag, value, length=length)
    if length is not None and vr not in (b"OB", b"SQ", b"UN", b"UT", b"ZZ"):
        length &= 0xFFFF
    return encode.explicit(tag, vr, value, length=length, order=">" if syntax == BIG_ENDIAN else "<")


SYNTAXES: Final = (EXPLICIT, IMPLICIT, BIG_ENDIAN, JPEG, "1.2.840.10008.1.2.4.94", "1.2.3")
DATA_SETS: Final = st.sampled_from(SYNTAXES).flatmap(lambda syntax: st.tuples(st.just(syntax), content(syntax)))


@given(DATA_SETS, st.sampled_from([b"", bytes(2), bytes(9), b"\xff" * 4]))
def test_any_data_set(made: tuple[str, bytes], behind: bytes) -> None:
    syntax, data = made
    data += behind

    def checked() -> object:
        try:
            return check(BytesSource(data), 0, len(data), syntax)
        except FileError as error:
            return error.reason

    with the_long_way():
        expected = checked()
    assert checked() == expected


# Layouts.


def uids(layouts: Layouts, data: bytes) -> tuple[str, str, str] | None:
    return layouts.uids(data[:HEAD_SIZE])


def expected_uids(data: bytes, path: Path) -> tuple[str, str, str] | None:
    """What the long way finds where it finds an instance and nothing else."""
    path.write_bytes(data)
    with the_long_way():
        found = list(scan([str(path)], ScanOptions(directories=True)))
    if len(found) != 1 or not isinstance(found[0], Instance):
        return None
    return found[0].sop_class, found[0].sop_instance, found[0].transfer_syntax


SOME: Final = (
    part10(sop_instance="1.2.10"),
    part10(encode.explicit(0x00080006, b"SQ", open_item(b"") + SEQUENCE_END, length=OPEN) + encode.dataset()),
    part10(encode.dataset(encode.MR), sop_class=encode.MR),
    part10(
        b"".join(
            encode.implicit(t, v) for t, v in ((0x00080016, uid(CT)), (0x00080018, b"1.2.3.4\0"), (0x00100010, b"A^B "))
        ),
        syntax=IMPLICIT,
    ),
)


@given(
    st.sampled_from(SOME),
    st.lists(
        st.tuples(
            st.integers(0, 360), st.binary(min_size=1, max_size=3), st.sampled_from([0, 0, 0, 1, 5, 8, 9, 12, 60])
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_a_head_that_is_nearly_like_another_one(
    tmp_path_factory: pytest.TempPathFactory, first: bytes, changes: list[tuple[int, bytes, int]]
) -> None:
    layouts = Layouts(checks=True)
    assert uids(layouts, first) is not None
    path = tmp_path_factory.getbasetemp() / "nearly"
    for at, new, cut in changes:
        data = (first[:at] + new + first[at + len(new) :])[: len(first) - cut]
        found = uids(layouts, data)
        assert found is None or found == expected_uids(data, path)
        assert uids(layouts, first) is not None


def test_damaged_files_one_after_the_other(tmp_path: Path) -> None:
    layouts = Layouts(checks=True)
    path = tmp_path / "damaged"
    recognised = 0
    for seed in range(MUTATIONS):
        good = SAMPLES[seed // 7 % len(SAMPLES)].read_bytes()
        uids(layouts, good)
        data = mutate.mutated(good, seed)
        found = uids(layouts, data)
        recognised += found is not None
        assert found is None or found == expected_uids(data, path)
    assert recognised > MUTATIONS // 4


def test_a_head_that_looks_like_the_last_one_is_not_read() -> None:
    layouts = Layouts(checks=True)
    first, second, longer = (part10(sop_instance=instance) for instance in ("1.2.276.10", "1.2.276.11", "1.2.276.1000"))
    assert uids(layouts, first) == (CT, "1.2.276.10", EXPLICIT)
    with mock.patch.object(layouts_module, "ordinary_head", side_effect=AssertionError):
        assert uids(layouts, second) == (CT, "1.2.276.11", EXPLICIT)
        with pytest.raises(AssertionError):
            uids(layouts, longer)


def test_a_layout_that_fits_no_more_makes_room() -> None:
    layouts = Layouts(checks=True)
    uids(layouts, part10())
    other = part10(encode.explicit(0x00080005, b"CS", b"ISO_IR 100") + encode.dataset())
    with mock.patch.object(layouts_module, "ordinary_head", side_effect=ordinary_head) as read:
        assert [uids(layouts, other) is not None for _ in range(10)] == [True] * 10
    assert read.call_count == 3


def test_layouts_are_not_kept_without_end() -> None:
    layouts = Layouts(checks=True)
    for number in range(1000):
        data = part10(sop_class=f"1.2.{number}", data=encode.dataset(f"1.2.{number}"))
        assert uids(layouts, data) == (f"1.2.{number}", encode.INSTANCE, EXPLICIT)
    assert len(layouts._known) <= 256


@pytest.mark.parametrize(("instance", "checked", "unchecked"), [("1.02", False, True), ("1.x", False, True)])
def test_the_uid_of_each_instance_is_checked(instance: str, checked: bool, unchecked: bool) -> None:
    for checks, good in ((True, checked), (False, unchecked)):
        layouts = Layouts(checks=checks)
        uids(layouts, part10(sop_instance="1.22"[: len(instance)]))
        assert (uids(layouts, part10(sop_instance=instance)) is not None) == good


# That the short cuts are taken at all.


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_good_files_go_by_the_short_cut(path: Path) -> None:
    data = path.read_bytes()
    head = ordinary_head(data[:HEAD_SIZE])
    if path.name in ("us_big_endian.dcm", "sr_enhanced_deflated.dcm", "ct_deflated.dcm"):
        assert head is None
        return
    assert head is not None
    with mock.patch.object(dataset_module, "_Chain", side_effect=AssertionError("the long way")):
        check(BytesSource(data), head.dataset_offset, len(data), head.transfer_syntax)


def test_only_the_first_bytes_of_large_values_are_needed(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(part10(encode.dataset(rest=encode.explicit(0x7FE00010, b"OW", bytes(300_000)))))
    with OpenFile(str(path)) as file, mock.patch.object(FileSource, "window", lambda source, *_: (source.head, 0)):
        source = FileSource(file.descriptor, file.status.st_size, HEAD_SIZE)
        head = read_head(source, ReadMode.FILE_ONLY)
        assert check(source, head.dataset_offset, source.size, head.transfer_syntax).end == source.size


def test_a_source_that_shows_a_bit_at_a_time_is_followed_to_the_end() -> None:
    data = b"".join(encode.explicit(0x00090010 + number, b"LO", b"value ") for number in range(100))

    class Bits:
        def window(self, offset: int, need: int) -> tuple[bytes, int]:
            return data[offset : offset + max(need, 50)], offset

    assert follow(Bits(), EXPLICIT_LE, 0, len(data), (0x00080000, 0xFFFC0000), ()) == (len(data), {})


def test_a_scan_gives_the_same_either_way(tmp_path: Path) -> None:
    for seed in range(300):
        good = SAMPLES[seed // 20 % len(SAMPLES)].read_bytes()
        data = good if seed % 3 else mutate.mutated(good, seed)
        (tmp_path / f"{seed:03d}").write_bytes(data)
    options = ScanOptions(directories=True, recurse=True)

    def found(options: ScanOptions) -> list[Found]:
        return list(scan([str(tmp_path), str(tmp_path)], options))

    for checks in (True, False):
        for duplicates in (True, False):
            for mode in ReadMode:
                given = replace(options, uid_checks=checks, send_duplicates=duplicates, read_mode=mode)
                with the_long_way():
                    expected = found(given)
                assert found(given) == expected


def test_uids_longer_than_usual_are_left_to_others() -> None:
    assert ordinary_head(part10(sop_instance="1." + "2" * 400)) is None
    assert struct.unpack_from("<H", part10(sop_instance="1." + "2" * 400), 132 + 12 + 34 + 6)[0] == 402
