"""A data set from one transfer syntax to another: inflate, decode pixels, recode elements, deflate.

It puts the steps together and owns what they leave behind (spools). Elements are recoded in one pass; decoded pixels
are ready before the first byte goes out, so that what cannot be decoded costs its instance and nothing else.
"""

from __future__ import annotations

import zlib
from contextlib import nullcontext

from dcmsend.errors import FileError
from dcmsend.files.dataset import PIXEL_DATA
from dcmsend.files.elements import EXPLICIT_LE, ITEM, UNDEFINED, StructureError, encoding_of, walk
from dcmsend.files.sources import WINDOW, InflateSource
from dcmsend.light import NamedTuple
from dcmsend.payload.levels import UNITS, Value
from dcmsend.payload.pieces import Chunks, FileRange, Memory, Spool, chunks_of_file
from dcmsend.payload.recode import recode
from dcmsend.payload.work import ROOT, Pixels, Work, swapped
from dcmsend.reasons import because
from dcmsend.uids import IMPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Final

    from dcmsend.files.elements import Encoding
    from dcmsend.files.sources import FileSource, Source
    from dcmsend.payload.payload import Closable, Means
    from dcmsend.payload.pieces import Piece

_CHUNK: Final = 65536  # bytes; a multiple of all units whose byte order is turned


class Converted(NamedTuple):
    """The bytes of a converted data set, what has to be closed once they are sent, and what is to be said of them."""

    pieces: list[Piece]
    behind: tuple[Closable, ...]
    notices: tuple[str, ...] = ()


class Extent(NamedTuple):
    """Where a data set stands in its file, in bytes. ``runs``: its elements in order (inflated, where it is deflated).

    Without ``checked`` its structure is looked at on the way, and an error where it is not in order.
    """

    start: int
    end: int
    runs: tuple[tuple[int, int], ...]
    checked: bool = True


def convert(source: FileSource, transfer_syntax: str, extent: Extent, target: str, means: Means) -> Converted:
    """The data set of a file in another transfer syntax, or mended in its own.

    The caller closes what is ``behind``. Raises FileError where it cannot be converted faithfully.
    """
    own, wanted = TRANSFER_SYNTAXES.get(transfer_syntax), TRANSFER_SYNTAXES.get(target)
    encoding = encoding_of(transfer_syntax)
    deflated = own is not None and own.deflated
    spools: list[Spool] = []
    notices: tuple[str, ...] = ()
    try:
        work = Work(
            source=InflateSource(source, extent.start, extent.end) if deflated else source,
            runs=extent.runs,
            encoding=encoding,
            target=encoding_of(target),
            large=_inflating(source, extent.start, extent.end) if deflated else _reading(source),
            dictionary=means.dictionary,
            fragments=transfer_syntax == target,
            strict=not extent.checked,
        )
        if own is not None and own.encapsulated and own is not wanted:
            work, notices = _with_pixels(work, own.uid, means, spools)
        pieces = recode(work)
        if wanted is not None and wanted.deflated:
            pieces = [_deflate(pieces, means, spools)]
    except BaseException:
        for spool in spools:
            spool.close()
        raise
    return Converted(pieces, tuple(spools), notices)


# Large values, from where they stand.


def _reading(source: FileSource) -> Callable[[int, int, int], Piece]:
    """Values of an open file, or of one that is in memory."""
    descriptor, start, head = source.descriptor, source.start, source.head

    def large(value: int, length: int, unit: int) -> Piece:
        held = descriptor < 0
        if unit == 1:
            view = memoryview(head)[value : value + length]
            return Memory(view) if held else FileRange(descriptor, start + value, length)
        chunks: Iterable[bytes] = (
            (head[at : min(at + WINDOW, value + length)] for at in range(value, value + length, WINDOW))
            if held
            else chunks_of_file(descriptor, start + value, length)
        )
        return Chunks((swapped(chunk, unit) for chunk in _whole(chunks, unit)), length)

    return large


def _inflating(source: Source, start: int, end: int) -> Callable[[int, int, int], Piece]:
    """Values of a deflated data set, which is inflated once more while they are sent, in their order."""
    inflated = InflateSource(source, start, end)

    def chunks(value: int, length: int, unit: int) -> Iterator[bytes]:
        while length:
            buffer, base = inflated.window(value, unit)
            chunk = buffer[value - base : value - base + length]
            if not chunk:
                return
            value += len(chunk)
            length -= len(chunk)
            yield chunk

    def large(value: int, length: int, unit: int) -> Piece:
        return Chunks((swapped(chunk, unit) for chunk in _whole(chunks(value, length, unit), unit)), length)

    return large


def _whole(chunks: Iterable[bytes], unit: int) -> Iterator[bytes]:
    """The same bytes in chunks that hold whole units."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk if rest else chunk
        whole = len(data) // unit * unit
        rest = data[whole:]
        yield data[:whole] if rest else data


# Deflate (PS3.5 A.5).


def _deflate(pieces: list[Piece], means: Means, spools: list[Spool]) -> Piece:
    spool = _spool(spools, means)
    deflater = zlib.compressobj(means.compression_level, zlib.DEFLATED, -zlib.MAX_WBITS)
    for piece in pieces:
        for chunk in _chunks(piece):
            spool.write(deflater.compress(chunk))
    spool.write(deflater.flush())
    spool.write(bytes(spool.length & 1))
    return spool.piece()


def _chunks(piece: Piece) -> Iterator[bytes]:
    for size in range(piece.length, 0, -_CHUNK):
        chunk = bytearray(min(size, _CHUNK))
        piece.fill([memoryview(chunk)])
        yield bytes(chunk)


def _spool(spools: list[Spool], means: Means) -> Spool:
    spools.append(Spool(means.go_on))
    return spools[-1]


# Pixel data (PS3.5 A.4), on every level: icons may be compressed too.


class _Found(NamedTuple):
    """Encapsulated pixel data: whose it is, where it stands, and the attributes that go with it."""

    level: int
    start: int
    value: int
    values: dict[int, bytes]


def _with_pixels(work: Work, transfer_syntax: str, means: Means, spools: list[Spool]) -> tuple[Work, tuple[str, ...]]:
    """The work with all pixel data decoded, and the attributes that change by that; what is to be said of it."""
    from dcmsend.payload.decode import decode_pixels
    from dcmsend.payload.pixels import frame_bytes

    edits: dict[int, dict[int, Value]] = {}
    decoded_at: dict[int, tuple[bytes, int, int]] = {}
    notices: dict[str, None] = {}  # in their order, each once
    spool = _spool(spools, means)
    for found in list(_pixel_data(work)):
        begin, end = spool.length, work.runs[-1][1]
        with means.large if frame_bytes(found.values) > _LARGE_FRAME else nullcontext():
            decoded = decode_pixels(work.source, found.value, end, found.values, transfer_syntax, spool)
        notices.update(dict.fromkeys(decoded.notices))
        decoded_at[found.start] = (decoded.pixel_vr, begin, spool.length)
        edits[found.level] = {**decoded.changes, **_NO_EXTENDED_TABLE}
        if found.level == ROOT and transfer_syntax in _ALWAYS_LOSSY and found.values.get(_LOSSY) != _WAS_LOSSY.value:
            edits[ROOT][_LOSSY] = _WAS_LOSSY
    pixels = {
        start: Pixels(vr, _in_order(spool.piece(begin, end), vr, work.target))
        for start, (vr, begin, end) in decoded_at.items()
    }
    return work._replace(edits=edits, pixels=pixels), tuple(notices)[:_MOST_NOTICES]


def _in_order(piece: Piece, vr: bytes, target: Encoding) -> Piece:
    """Little endian pixel data in the byte order of the target."""
    if target.little or UNITS.get(vr, 1) == 1:
        return piece
    return Chunks((swapped(chunk, UNITS[vr]) for chunk in _chunks(piece)), piece.length)


_LARGE_FRAME: Final = 16 << 20  # bytes, decoded: of such frames one is decoded at a time, whatever threads there are
_NO_EXTENDED_TABLE: Final = dict.fromkeys((0x7FE00001, 0x7FE00002), Value(b"", b""))
# Lossy Image Compression (PS3.3 C.7.6.1.1.5) says what once happened, so it must be there when the traces go.
_LOSSY: Final = 0x00282110
_WAS_LOSSY: Final = Value(b"CS", b"01")
_ALWAYS_LOSSY: Final = frozenset(f"{IMPLICIT_VR_LITTLE_ENDIAN}.4.{end}" for end in (50, 51, 53, 55, 81, 111))


def _pixel_data(work: Work) -> Iterator[_Found]:
    """Each encapsulated pixel data element with the attributes of its data set or item that stand before it.

    In a data set that has not been checked only that of the outermost level is looked for, and must be encapsulated:
    recoding finds what there is in sequences.
    """
    from dcmsend.payload.pixels import IMAGE_TAGS

    wanted = IMAGE_TAGS | {_LOSSY}
    source = work.source
    sequences: set[int] = set()
    levels: list[tuple[int, dict[int, bytes]]] = [(ROOT, {})]
    room, images = _MAX_VALUES, 0
    for start, end in work.runs:
        for depth, tag, vr, offset, value, length in walk(source, EXPLICIT_LE, start, end, sequences):
            del levels[depth // 2 + 1 :]
            if tag == ITEM:
                levels[depth // 2 + 1 :] = [(offset, {})]
            elif tag in wanted and 0 <= length <= room:
                room -= length if length > _SHORT else 0
                buffer, base = source.window(value, length)
                levels[-1][1][tag] = buffer[value - base : value - base + length]
            elif tag == PIXEL_DATA and length == UNDEFINED:
                images += 1
                if images > _MAX_IMAGES:
                    raise FileError(because("too_many_images", most=_MAX_IMAGES))
                yield _Found(levels[-1][0], offset, value, levels[-1][1])
            elif tag == PIXEL_DATA and work.strict:
                raise StructureError(tag, offset, depth, because("not_encapsulated"))
            if not work.strict:
                (sequences.add if vr == b"SQ" else sequences.discard)(tag)


_MAX_VALUES: Final = 1 << 25  # bytes of long attributes that are kept: extended offset tables have 8 for each frame
_SHORT: Final = 64  # bytes
_MAX_IMAGES: Final = 4096  # icons among them
_MOST_NOTICES: Final = 8
