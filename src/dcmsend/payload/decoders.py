"""Decoding one frame: a codestream -> native little endian pixel data, by the functions of the decoder library.

It owns what is asked of the library and what is made of its answer: colours, sign, container size, planes, byte order
(PS3.5 8.1.1, 8.2). Which transfer syntax needs which function, and whether the library is there, is for ``codecs``.
The last two decoders here need no library.
"""

from __future__ import annotations

import zlib
from itertools import pairwise
from struct import Struct

from dcmsend.errors import FileError
from dcmsend.light import NamedTuple
from dcmsend.payload.boxed import read_jpeg_2000, read_jpeg_xl
from dcmsend.payload.codestreams import read_jpeg, read_jpeg_ls
from dcmsend.payload.pixels import (
    after_jpeg,
    after_jpeg_2000,
    after_jpeg_ls,
    after_jpeg_xl,
    after_run_length,
    check_codestream,
    converts,
    mislabelled,
)
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    from dcmsend.payload.codestreams import Codestream
    from dcmsend.payload.pixels import Image


class Frame(NamedTuple):
    """A decoded frame: native little endian bytes, and what the attributes have to say of them.

    ``remark``: what was wrong with it and did no harm.
    """

    data: bytes | memoryview
    image: Image
    remark: str = ""


class Decoder:
    """What all frames of one pixel data element have in common: the library, their description, memory."""

    __slots__ = ("_buffer", "_plane", "image", "library")

    def __init__(self, library: Any, image: Image) -> None:
        self.library = library
        self.image = image
        self._buffer: Any = None
        self._plane: Any = None

    def buffer(self, shape: tuple[int, ...], item_size: int) -> Any:
        """An array of unsigned samples to decode into, the same one as for the frame before where that fits."""
        import numpy

        dtype = numpy.dtype(f"u{item_size}")
        if self._buffer is None or self._buffer.shape != shape or self._buffer.dtype != dtype:
            self._buffer = None  # the old one goes before the new one comes
            self._buffer = numpy.empty(shape, dtype)
        return self._buffer

    def plane(self, size: int) -> Any:
        """An array of ``size`` bytes, the same one as before where that fits."""
        import numpy

        if self._plane is None or len(self._plane) != size:
            self._plane = numpy.empty(size, "u1")
        return self._plane

    def samples(self, stream: Codestream) -> Any:
        """The buffer for the samples of a codestream."""
        image = self.image
        shape: tuple[int, ...] = (image.rows, image.columns)
        if image.samples > 1:
            shape = (image.samples, *shape) if stream.planar else (*shape, image.samples)
        return self.buffer(shape, 1 if stream.precision <= 8 else 2)


def jpeg(decoder: Decoder, frame: bytes) -> Frame:
    """JPEG, lossy or lossless (PS3.5 8.2.1). A missing end marker is forgiven where no coded data is missing."""
    stream = read_jpeg(frame)
    check_codestream(decoder.image, stream)
    after = after_jpeg(decoder.image, stream)
    colours: dict[str, str] = {}
    if after.samples == 3:
        colours = {"colorspace": "YCBCR" if converts(decoder.image, stream) else "RGB", "outcolorspace": "RGB"}
    decode = decoder.library.jpeg8_decode
    out = decoder.samples(stream)
    if not stream.ended:
        # libjpeg fills up what is missing. Nothing is if the image does not depend on what follows.
        data = stream.data.rstrip(b"\0")
        wanted = decode(data + b"\x55\xaa\x33" * 64 + b"\xff\xd9", out=None, **colours)
        if (decode(data + b"\xff\xd9", out=out, **colours) != wanted).any():
            raise FileError(because("codestream_cut_off", kind="JPEG"))
    else:
        decode(stream.data, out=out, **colours)
    return Frame(_native(out, stream, after), after, _MISLABELLED if mislabelled(decoder.image, stream) else "")


_MISLABELLED: Final = "Photometric Interpretation is RGB, but the codestream says YCbCr, and was converted to RGB"


def _plain_decoder(
    name: str,
    read: Callable[[bytes], Codestream],
    after_decoding: Callable[[Image, Codestream], Image],
    options: Mapping[str, object],
) -> Callable[[Decoder, bytes], Frame]:
    """A decoder for codestreams that carry no choice of colours."""

    def decode(decoder: Decoder, frame: bytes) -> Frame:
        stream = read(frame)
        check_codestream(decoder.image, stream)
        after = after_decoding(decoder.image, stream)
        out = decoder.samples(stream)
        getattr(decoder.library, name)(stream.data, out=out, **options)
        return Frame(_native(out, stream, after), after)

    return decode


_JPEG_ROOM: Final = 1 << 20  # bytes, beside twice those of JPEG XL, which makes a JPEG codestream a fifth smaller


def recompressed_jpeg(decoder: Decoder, frame: bytes) -> Frame:
    """JPEG XL that holds a JPEG codestream: that one is made again, bit for bit, and decoded (PS3.5 A.4.12)."""
    stream = read_jpeg_xl(frame)
    check_codestream(decoder.image, stream)
    if len(frame) > decoder.image.frame_bytes + _JPEG_ROOM:
        raise FileError(because("compressed_is_larger", size=len(frame)))
    room = bytearray(_JPEG_ROOM + 2 * len(frame))
    return jpeg(decoder, bytes(decoder.library.jpegxl_decode_jpeg(stream.data, numthreads=1, out=room)))


_RLE_HEADER: Final = Struct("<16L").unpack_from


def run_length(decoder: Decoder, frame: bytes) -> Frame:
    """RLE (PS3.5 Annex G): a segment for each byte of a sample, the most significant one first."""
    image = decoder.image
    after = after_run_length(image)
    size = max(image.bits_allocated // 8, 1)
    count = image.samples * size
    if len(frame) < 64:
        raise FileError(because("rle_header_cut_off"))
    found, *offsets = _RLE_HEADER(frame)
    if found != count or count > 15:
        raise FileError(because("rle_segments", found=found, expected=count))
    bounds = [*offsets[:count], len(frame)]
    if bounds[0] != 64 or any(start >= end for start, end in pairwise(bounds)):
        raise FileError(because("rle_offsets"))
    plane_size = image.pixels if image.bits_allocated > 1 else image.frame_bytes
    if size not in (1, 2, 4, 8):
        raise FileError(because("bits_allocated_not_decodable", bits=image.bits_allocated))
    out = decoder.buffer((image.samples, plane_size) if image.planar else (plane_size, image.samples), size)
    segments = memoryview(frame)
    surplus = False
    for index in range(count):
        sample, byte = divmod(index, size)
        target = out[sample] if image.planar else out[:, sample]
        segment = segments[bounds[index] : bounds[index + 1]]
        plane = target if size == 1 and target.flags.c_contiguous else decoder.plane(plane_size)
        surplus |= _unpack(decoder.library, segment, plane)
        if not byte and plane is not target:
            target[:] = plane
        elif byte:
            target <<= 8
            target |= plane
    remark = "an RLE segment holds a byte too many, which was cut off" if surplus else ""
    return Frame(out.astype(f"<u{size}", copy=False).reshape(-1).view("u1").data, after, remark)


def _unpack(library: Any, segment: memoryview, out: Any) -> bool:
    """One RLE segment into ``out``, which it must fill; whether it holds a byte more.

    Behind it there may be padding, but nothing else.
    """
    size = len(out)
    try:
        made = len(library.packbits_decode(segment, out=out))
    except RuntimeError:
        end = _end_of_runs(segment, size)
        if not end and (end := _end_of_runs(segment, size + 1)):
            import numpy

            out[:] = library.packbits_decode(segment[:end], out=numpy.empty(size + 1, "u1"))[:size]
            return True
        if not end:
            raise FileError(because("rle_segment_too_long", expected=size)) from None
        made = len(library.packbits_decode(segment[:end], out=out))
    if made != size:
        raise FileError(because("rle_segment_too_short", found=made, expected=size))
    return False


def _end_of_runs(segment: memoryview, size: int) -> int:
    """Behind the run that makes the last of ``size`` bytes (PS3.5 G.3.2); 0 where more than padding follows."""
    position = made = 0
    while made < size and position < len(segment):
        control = segment[position]
        if control < 128:
            position += control + 2
            made += control + 1
        elif control > 128:
            position += 2
            made += 257 - control
        else:
            position += 1
    padded = not bytes(segment[position + 1 :]).strip(b"\0\x80")  # zeros and no operations
    return position if padded and made <= size else 0


def deflated(decoder: Decoder, frame: bytes) -> Frame:
    """A deflate stream without header for each frame (PS3.5 8.2.16, A.4.13)."""
    size = decoder.image.frame_bytes
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(frame, size + 1)
    except zlib.error as error:
        raise FileError(because("frame_stream_damaged", words=str(error))) from None
    if len(data) != size or not inflater.eof:
        raise FileError(because("frame_stream_size", expected=size))
    return Frame(data, decoder.image)


def uncompressed(decoder: Decoder, frame: bytes) -> Frame:
    """Native pixel data in fragments, filled up to an even length (PS3.5 8.2.11, A.4.11)."""
    size = decoder.image.frame_bytes
    if not size <= len(frame) <= size + 1:
        raise FileError(because("frame_size", found=len(frame), expected=size))
    return Frame(memoryview(frame)[:size], decoder.image)


def _native(array: Any, stream: Codestream, image: Image) -> memoryview:
    """Samples as they stand in native pixel data (PS3.5 8.1.1): container size, sign, planes, byte order."""
    import numpy

    if image.bits_allocated == 1:
        return numpy.packbits(array.reshape(-1), bitorder="little").data
    size = image.bits_allocated // 8
    if size not in (1, 2, 4, 8):
        raise FileError(because("bits_allocated_not_decodable", bits=image.bits_allocated))
    if stream.signed:
        array = array.view(f"i{array.itemsize}")
        if not image.representation and stream.precision < image.bits_allocated:
            array = array & ((1 << stream.precision) - 1)
    array = array.astype(f"<{array.dtype.kind}{size}", copy=False)
    if image.samples > 1 and stream.planar != bool(image.planar):
        array = numpy.moveaxis(array, 0, -1) if stream.planar else numpy.moveaxis(array, -1, 0)
    flat: memoryview = numpy.ascontiguousarray(array).reshape(-1).view("u1").data
    return flat


jpeg_ls: Final = _plain_decoder("jpegls_decode", read_jpeg_ls, after_jpeg_ls, {})
jpeg_2000: Final = _plain_decoder("jpeg2k_decode", read_jpeg_2000, after_jpeg_2000, {"planar": False, "numthreads": 1})
jpeg_xl: Final = _plain_decoder(
    "jpegxl_decode", read_jpeg_xl, after_jpeg_xl, {"keeporientation": True, "numthreads": 1}
)
