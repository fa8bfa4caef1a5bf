"""Take Part 10 files (PS3.10 7.1) apart, independently of the package."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import Final

from pydicom import DataElement, Dataset, dcmread

DEFLATED: Final = "1.2.840.10008.1.2.1.99"
LONG_VRS: Final = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
SOP_CLASS: Final = 0x00020002
SOP_INSTANCE: Final = 0x00020003
TRANSFER_SYNTAX: Final = 0x00020010
PIXEL_DATA: Final = 0x7FE00010
TRAILING_PADDING: Final = 0xFFFCFFFC


def split(file: bytes) -> tuple[dict[int, bytes], bytes]:
    """The file meta information as tag to value, and the data set's bytes. A file without meta is all data set."""
    if file[128:132] != b"DICM":
        return {}, file
    meta: dict[int, bytes] = {}
    at = 132
    while file[at : at + 2] == b"\x02\x00":
        group, element, vr = struct.unpack_from("<HH2s", file, at)
        start = at + (12 if vr in LONG_VRS else 8)
        length = struct.unpack_from("<I" if vr in LONG_VRS else "<H", file, at + (8 if vr in LONG_VRS else 6))[0]
        meta[group << 16 | element] = file[start : start + length]
        at = start + length
    return meta, file[at:]


def uid(value: bytes) -> str:
    """A UI value without its padding."""
    return value.rstrip(b"\0 ").decode("ascii")


def dataset(path: Path) -> bytes:
    """The data set's bytes of a file, as a sender should send them: no trailing padding, of even length (PS3.5 A.5).

    Of a deflated one, what is behind the end of the stream (a gzip library's checksum) is not part of it.
    """
    meta, data = split(path.read_bytes())
    if uid(meta.get(TRANSFER_SYNTAX, b"")) == DEFLATED:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        stream.decompress(data)
        data = data[: len(data) - len(stream.unused_data)]
        return data + b"\0" * (len(data) % 2)
    return without_padding(data)


def values(file: bytes) -> Dataset:
    """What a Part 10 file says, to be compared where a server writes data sets anew.

    Without meta information, group lengths, trailing padding and the VR of pixel data, which it may write as it likes.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about values, which are as they are
        dataset = dcmread(BytesIO(file), force=True)
        dataset.walk(_settle)
    plain = Dataset()
    plain.update({tag: dataset[tag] for tag in dataset.keys()})  # noqa: SIM118
    return plain


def _settle(dataset: Dataset, element: DataElement) -> None:
    if element.tag.element == 0 or element.tag == TRAILING_PADDING:
        del dataset[element.tag]
    elif element.tag == PIXEL_DATA:
        element.VR = "OW"
    elif element.VR == "UI" and isinstance(element.value, str):
        element.value = element.value.strip(" ")  # wrong padding, which a server may mend
    elif element.value == "":
        element.value = None


def without_padding(data: bytes) -> bytes:
    """Cut Data Set Trailing Padding (FFFC,FFFC), in any of the three plain encodings, off the end."""
    for tag, order in ((b"\xfc\xff\xfc\xff", "<I"), (b"\xff\xfc\xff\xfc", ">I")):
        at = data.find(tag)
        while at >= 0:
            for header in (8, 12):
                if at + header <= len(data):
                    length = struct.unpack_from(order, data, at + header - 4)[0]
                    explicit = data[at + 4 : at + 6] == b"OB"
                    if explicit == (header == 12) and at + header + length == len(data):
                        return data[:at]
            at = data.find(tag, at + 1)
    return data
