"""Damaged DICOMDIRs (PS3.3 F.3): the damage of ``mutate``, and what is wrong with what records refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support import mutate
from tests.support.mutate import ITEM, pick

if TYPE_CHECKING:
    from random import Random

    from tests.support.mutate import File, Mutation

FILE_ID: Final = 0x00041500
REFERENCES: Final = (0x00041510, 0x00041511, 0x00041512)
UIDS: Final = (b"", b"1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.3.10", b"1" * 64, b"1." * 50, b"no UID", b"1\n23",
               b"\xff\xfe", b"1.2.840.10008.5.1.4.1.1.2\0")  # fmt: skip
# The last ones are what the folder of a test may have.
FILE_IDS: Final = (
    b"", b" ", b"\\", b"\\\\", b".", b"..", b"..\\..\\..\\..\\etc\\passwd", b"/etc/passwd", b"//host/share", b"C:\\DOS",
    b"~", b"A\\" * 20 + b"B", b"A" * 300, b"A" * 3000, b"\0", b"A\0B", b"\xff\xfe\x80", b"\n\x1b[31m", b"\xe2\x80\xae",
    b"CON", b"DICOMDIR", b"OUT\\OTHER", b"OUT", b"LOOP", b"LOOP\\LOOP", b"FIFO", b"FOLDER", b"GONE", b"EMPTY",
)  # fmt: skip


def change_file_id(file: File, random: Random) -> File:
    """Refer to something else, or to nothing that could be."""
    place = pick(file, random, lambda place: place.tag == FILE_ID)
    if place is None:
        return file
    true = file.data[place.value : place.end]
    near = (true.lower(), true.rstrip() + b";1", true + b"\\" + true, true[:-1] + b"\0", b"..\\" + true, b"\\" + true)
    value = random.choice((*FILE_IDS, *near))
    return file.with_value(place, value + b" " * (len(value) % 2))


def change_reference(file: File, random: Random) -> File:
    """Another UID in what a record says of its file."""
    place = pick(file, random, lambda place: place.tag in REFERENCES)
    return file if place is None else file.with_value(place, random.choice(UIDS))


def many_records(file: File, random: Random) -> File:
    """A record again and again."""
    place = pick(file, random, lambda place: place.tag == ITEM)
    if place is None:
        return file
    behind = next((other.start for other in file.places() if other.start > place.start and other.tag == ITEM), None)
    record = file.data[place.start : behind or len(file.data)][:1000]
    return file.with_data(file.data[: place.start], record * random.choice((2, 100)), file.data[place.start :])


DIRECTORY_MUTATIONS: Final[tuple[Mutation, ...]] = (
    mutate.flip_bits, mutate.truncate, mutate.change_length, mutate.change_tag, mutate.change_vr, mutate.change_value,
    mutate.splice, mutate.drop, mutate.drop_end, mutate.nest, change_file_id, change_file_id, change_file_id,
    change_reference, many_records,
)  # fmt: skip
