"""Headers of the codestreams that may stand in a file of boxes: JPEG 2000 (ISO/IEC 15444-1, -15), JPEG XL (18181-1).

The same rule as in ``codestreams``: it reads what decoders will allocate by, and refuses what would make them
allocate out of proportion. It knows nothing of DICOM attributes or decoder libraries.
"""

from __future__ import annotations

from struct import Struct

from dcmsend.errors import FileError
from dcmsend.payload.codestreams import Codestream, segments
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

MAX_TILES: Final = 4096  # of one JPEG 2000 frame: decoders allocate some KB for each in advance
MAX_TILE_PARTS: Final = 65536
MIN_PRECINCT: Final = 4  # binary logarithm of the sides of a JPEG 2000 precinct
MIN_BLOCK: Final = 8  # binary logarithm of the samples in a JPEG 2000 code-block

_U16: Final = Struct(">H").unpack_from
_U32: Final = Struct(">L").unpack_from

# JPEG 2000 and High-Throughput JPEG 2000

_SOC: Final = b"\xff\x4f\xff\x51"
_EOC: Final = b"\xff\xd9"
_SIZ: Final = Struct(">2x8LH").unpack_from  # image, tile and their offsets, components (15444-1 A.5.1)
_TILE_PART: Final = Struct(">HHLBB").unpack_from  # length of the segment, tile, length, part, number of parts
_COD: Final = 0x52
_COC: Final = 0x53
_SOT: Final = 0x90
_JPEG_2000: Final = "JPEG 2000"
_CUT_OFF: Final = because("tile_parts_missing", kind=_JPEG_2000)
_JP2: Final = b"\0\0\0\x0cjP  \r\n\x87\n"


def read_jpeg_2000(data: bytes) -> Codestream:
    """The header of a JPEG 2000 frame, part 1 or part 15. Raises FileError.

    The chain of tile-parts is followed to its end, because not every decoder notices that something is missing. A
    file format around the codestream, which PS3.5 A.4.4 does not allow, is taken off: its colour specification must
    not change the pixels.
    """
    if data.startswith(_JP2):
        data = _box(data, b"jp2c")
    if not data.startswith(_SOC):
        raise FileError(because("no_codestream", kind=_JPEG_2000, start="FF4FFF51"))
    headers = segments(data, 2, _JPEG_2000)
    _, start, end = next(headers)
    stream, tiles = _read_size(data, start, end)
    for marker, start, end in headers:
        if marker == _SOT:
            end = _follow_tile_parts(data, start - 4, tiles, stream.samples)
            break
        _check_coding_style(marker, data[start:end], stream.samples)
        if marker == _COD:
            stream = stream._replace(transformed=data[start + 4] == 1)
    return stream._replace(data=data if data[end : end + 2] == _EOC else data[:end] + _EOC)


def _read_size(data: bytes, start: int, end: int) -> tuple[Codestream, int]:
    """What the image and tile size segment says (15444-1 A.5.1), and the number of tiles."""
    if end - start < 39:
        raise FileError(because("codestream_header_cut_off", kind=_JPEG_2000))
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, samples = _SIZ(data, start)
    depth = data[start + 36]
    if data[start + 36 : end] != bytes((depth, 1, 1)) * samples:
        raise FileError(because("components_differ", kind=_JPEG_2000))
    if not (left < right and top < bottom and tile_left <= left and tile_top <= top and tile_width and tile_height):
        raise FileError(because("impossible_image_size", kind=_JPEG_2000))
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > MAX_TILES:
        raise FileError(because("too_many_tiles", kind=_JPEG_2000, most=MAX_TILES))
    return Codestream(bottom - top, right - left, samples, (depth & 0x7F) + 1, signed=depth > 0x7F), tiles


def _check_coding_style(marker: int, style: bytes, samples: int) -> None:
    """Refuse blocks and precincts so small that a decoder's bookkeeping would dwarf the image (15444-1 A.6)."""
    if marker not in (_COD, _COC):
        return
    # Where the coding style and the number of decomposition levels stand; sizes of code-blocks and precincts follow.
    index, levels = (0, 5) if marker == _COD else (1, 2) if samples < 257 else (2, 3)
    if len(style) < levels + 5:
        raise FileError(because("codestream_header_cut_off", kind=_JPEG_2000))
    precincts = style[levels + 5 : levels + 6 + style[levels]] if style[index] & 1 else b""
    smallest = min((min(sides & 15, sides >> 4) for sides in precincts), default=15)
    if style[levels + 1] + style[levels + 2] + 4 < MIN_BLOCK or smallest < MIN_PRECINCT:
        raise FileError(because("blocks_too_small", kind=_JPEG_2000))


def _follow_tile_parts(data: bytes, position: int, tiles: int, samples: int) -> int:
    """Where the last tile-part ends (15444-1 A.4.2). Raises FileError where one is cut off or missing."""
    missing = set(range(tiles))
    for _ in range(MAX_TILE_PARTS):
        if data[position : position + 2] != b"\xff\x90":
            break
        if position + 14 > len(data):
            raise FileError(_CUT_OFF)
        _, tile, length, part, parts = _TILE_PART(data, position + 2)
        end = position + length if length else data.rfind(_EOC)
        if end > len(data) or end < position + 14:
            raise FileError(_CUT_OFF)
        _check_tile_part_header(data, position + 12, end, samples)
        if part + 1 >= parts:  # 0 parts: not said
            missing.discard(tile)
        position = end
    if missing:
        raise FileError(_CUT_OFF)
    return position


def _check_tile_part_header(data: bytes, position: int, end: int, samples: int) -> None:
    while data[position : position + 2] != b"\xff\x93":
        if position + 4 > end or data[position] != 0xFF:
            raise FileError(_CUT_OFF)
        behind = position + 2 + _U16(data, position + 2)[0]
        _check_coding_style(data[position + 1], data[position + 4 : behind], samples)
        position = behind


def _box(data: bytes, kind: bytes) -> bytes:
    """The contents of the first box of this kind in a file of boxes (15444-1 I.4, 18181-2)."""
    return next((data[start:end] for name, start, end in _boxes(data) if name == kind), b"")


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    position = 0
    while position + 8 <= len(data):
        (length,) = _U32(data, position)
        start = position + 8
        if length == 1 and position + 16 <= len(data):
            length = int.from_bytes(data[start : start + 8], "big")
            start += 8
        end = position + length if length else len(data)
        if end < start:
            return
        yield data[position + 4 : position + 8], start, min(end, len(data))
        position = end


# JPEG XL

_JXL: Final = b"\xff\x0a"
_JXL_FILE: Final = b"\0\0\0\x0cJXL \r\n\x87\n"
_JXL_HEADER: Final = 64  # bytes; more than the fields that are looked at can take
_RATIOS: Final = {1: (1, 1), 2: (6, 5), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}  # width, height
_SIZES: Final = ((1, 9), (1, 13), (1, 18), (1, 30))
_DEPTHS: Final = ((8, 0), (10, 0), (12, 0), (1, 6))


class _Bits:
    """Bits of a JPEG XL header, the least significant one of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._bits & ((1 << count) - 1)
        self._bits >>= count
        return value

    def choose(self, choices: tuple[tuple[int, int], ...]) -> int:
        """A number in one of four ways, each an offset and how many bits are added to it."""
        offset, count = choices[self.take(2)]
        return offset + self.take(count)


def read_jpeg_xl(data: bytes) -> Codestream:
    """The header of a JPEG XL frame, in its container or without (18181-1 Annex D). Raises FileError.

    ``samples`` is 0: where the number is said depends on too much else, the decoder compares it.
    """
    head = data
    if data.startswith(_JXL_FILE):
        head = next((data[a : a + _JXL_HEADER] for name, a, _ in _boxes(data) if name == b"jxlc"), b"")
        head = head or next((data[a + 4 : a + 4 + _JXL_HEADER] for name, a, _ in _boxes(data) if name == b"jxlp"), b"")
    if not head.startswith(_JXL):
        raise FileError(because("no_codestream", kind="JPEG XL", start="FF0A"))
    bits = _Bits(head[2:_JXL_HEADER])
    rows, columns = _xl_size(bits)
    precision = 8
    if not bits.take(1):  # all default
        if bits.take(1):  # extra fields: orientation, intrinsic size, preview, animation
            orientation = bits.take(3)
            if bits.take(1):
                _xl_size(bits)
            if orientation or bits.take(2):
                raise FileError(because("jpeg_xl_with_extras"))
        if bits.take(1):
            raise FileError(because("jpeg_xl_of_floats"))
        precision = bits.choose(_DEPTHS)
    return Codestream(rows, columns, 0, precision, data=data)


def _xl_size(bits: _Bits) -> tuple[int, int]:
    """Rows and columns."""
    small = bits.take(1)
    rows = 8 * (bits.take(5) + 1) if small else bits.choose(_SIZES)
    ratio = bits.take(3)
    if ratio:
        wide, high = _RATIOS[ratio]
        return rows, rows * wide // high
    return rows, 8 * (bits.take(5) + 1) if small else bits.choose(_SIZES)
