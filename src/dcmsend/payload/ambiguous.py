"""Which VR an attribute has that may have several, by what stands around it (PS3.5 8, Annex A; PS3.3). Pure.

Asked when an element that was written without its VR is to be written with it, so the source is little endian and,
but for pixel data of undefined length, not encapsulated. Where the standard leaves a choice, DCMTK's is taken.
"""

from __future__ import annotations

from dcmsend.files.elements import UNDEFINED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

PIXEL_REPRESENTATION: Final = 0x00280103
WAVEFORM_BITS_ALLOCATED: Final = 0x54001004

_SIGNED: Final = 1  # of Pixel Representation (PS3.3 C.7.6.3.1)
_OVERLAY_DATA: Final = 0x60003000
_OVERLAY_GROUPS: Final = 0xFF00FFFF  # a mask: whatever 60xx it is
_WAVEFORM: Final = frozenset((0x54000110, 0x54000112, 0x5400100A, 0x54001010))


def resolve(kind: bytes, tag: int, length: int, find: Callable[[int], int | None]) -> bytes:
    """The VR to write for an element: ``US``, ``SS``, ``OB`` or ``OW``.

    ``kind`` is what ``Dictionary.vr`` says of it; one that is no ambiguous VR comes back as it is. ``length`` is that
    of its value in bytes, or UNDEFINED. ``find`` gives the first number of an attribute in the nearest data set,
    among the element's own and those around it, that has the attribute; it may stand behind the element.
    """
    rule = _RULES.get(kind)
    return rule(tag, length, find) if rule else kind


def _pixel_data(_tag: int, length: int, _find: Callable[[int], int | None]) -> bytes:
    """OB if encapsulated, else OW: that is what it was in implicit VR, also with 8 bits allocated (PS3.5 A.1, A.4)."""
    return b"OB" if length == UNDEFINED else b"OW"


def _bytes_or_words(tag: int, _length: int, find: Callable[[int], int | None]) -> bytes:
    """OW for overlays (PS3.5 8.1.2) and for waveforms of more than 8 bits (PS3.5 8.3), else OB."""
    if tag & _OVERLAY_GROUPS == _OVERLAY_DATA:
        return b"OW"
    return b"OW" if tag in _WAVEFORM and (find(WAVEFORM_BITS_ALLOCATED) or 0) > 8 else b"OB"


def _signed_or_not(_tag: int, _length: int, find: Callable[[int], int | None]) -> bytes:
    """A stored pixel value, or a descriptor with one in it, is what Pixel Representation says (PS3.3 C.7.6.3, C.11)."""
    return b"SS" if find(PIXEL_REPRESENTATION) == _SIGNED else b"US"


def _table(_tag: int, _length: int, _find: Callable[[int], int | None]) -> bytes:
    """A lookup table is OW: US is as good, but an explicit US cannot hold 64 KiB (PS3.3 C.11.1.1)."""
    return b"OW"


_RULES: Final = {b"px": _pixel_data, b"ox": _bytes_or_words, b"xs": _signed_or_not, b"lt": _table}
