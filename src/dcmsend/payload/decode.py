"""All frames of one encapsulated pixel data element (PS3.5 A.4) -> native pixel data in a spool, and what changes.

It brings fragments, description and decoders together, one frame at a time, and owns how frames are laid end to end
(PS3.5 8.1.1). It decodes nothing itself. SOP Instance UID and the lossy history are not its business: they stay.
"""

from __future__ import annotations

from dcmsend.errors import FileError
from dcmsend.light import NamedTuple
from dcmsend.payload.codecs import FrameDecoder, needless_attributes
from dcmsend.payload.frames import frames_of, read_fragments
from dcmsend.payload.pixels import EXTENDED_LENGTHS, EXTENDED_OFFSETS, changed_attributes, corrected_frames, read_image
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from dcmsend.files.sources import Source
    from dcmsend.payload.decoders import Frame
    from dcmsend.payload.levels import Value
    from dcmsend.payload.pieces import Spool

MAX_PIXEL_DATA: Final = 0xFFFFFFFE  # bytes: the longest defined length (PS3.5 7.1.2)


class Decoded(NamedTuple):
    """What decoding changed in the item around the pixel data.

    ``changes``: tag -> VR and little endian value of even length, of attributes to be set or inserted.
    ``pixel_vr``: the VR of the native pixel data in explicit encoding; OW, as DCMTK writes it, for all depths.
    ``notices``: what was wrong and did no harm, single lines.
    """

    changes: dict[int, Value]
    pixel_vr: bytes = b"OW"
    notices: tuple[str, ...] = ()


def decode_pixels(
    source: Source, value: int, end: int, values: Mapping[int, bytes], transfer_syntax: str, spool: Spool
) -> Decoded:
    """Decode all frames of encapsulated pixel data into ``spool``, with one NUL where their bytes are odd.

    ``value``: offset of the first item (the basic offset table) in ``source``; ``end``: where the data ends at the
    latest. ``values``: raw values of ``pixels.IMAGE_TAGS`` of the item. Raises FileError where the frames cannot be
    decoded faithfully; ``spool`` then holds some of them.
    """
    image = read_image(values, needless_attributes(transfer_syntax))
    frames = image.frames or 1
    decoder = FrameDecoder(transfer_syntax, image)
    fragments = read_fragments(source, value, end)
    offsets, lengths = values.get(EXTENDED_OFFSETS), values.get(EXTENDED_LENGTHS)
    extended = (offsets, lengths) if offsets and lengths else None
    after = image
    remarks: dict[str, int] = {}
    joined = _Joined(spool, only=frames == 1)
    for number, compressed in enumerate(frames_of(source, fragments, image.frames, transfer_syntax, extended), 1):
        try:
            frame = decoder.decode(compressed)
            if number == 1:
                after = frame.image
                _require_room(after.frame_bits * frames)
            elif frame.image != after:
                raise FileError(because("coded_otherwise"))
        except FileError as error:
            raise FileError(because("in_frame", error.reason, frame=number, frames=frames)) from None
        joined.add(frame)
        if frame.remark:
            remarks[frame.remark] = remarks.get(frame.remark, 0) + 1
    joined.finish()
    said = [f"{count} of {frames} frames: {remark}" for remark, count in remarks.items()]
    changes, notices = corrected_frames(values, image)
    return Decoded(changes | changed_attributes(image, after), notices=(*notices, *said))


def _require_room(bits: int) -> None:
    if bits > 8 * MAX_PIXEL_DATA:
        raise FileError(because("decoded_too_large", size=bits // 8))


class _Joined:
    """Frames laid end to end. With Bits Allocated 1 a frame may begin within a byte (PS3.5 8.1.1)."""

    def __init__(self, spool: Spool, *, only: bool) -> None:
        self._spool = spool
        self._only = only  # then the memory of the frame is not used again
        self._left = 0  # bits that fill no byte yet, and how many
        self._left_bits = 0

    def add(self, frame: Frame) -> None:
        bits = frame.image.frame_bits
        if not bits % 8 and not self._left_bits:
            if self._only:
                self._spool.take(memoryview(frame.data))
            else:
                self._spool.write(frame.data)
            return
        number = int.from_bytes(frame.data, "little") & ((1 << bits) - 1)
        number = number << self._left_bits | self._left
        whole, self._left_bits = divmod(bits + self._left_bits, 8)
        self._left = number >> 8 * whole
        self._spool.write((number & ((1 << 8 * whole) - 1)).to_bytes(whole, "little"))

    def finish(self) -> None:
        if self._left_bits:
            self._spool.write(bytes((self._left,)))
        if self._spool.length % 2:
            self._spool.write(b"\0")
