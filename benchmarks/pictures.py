"""Slices that look like computed tomography to a compressor: smooth tissue, edges, bone, air, correlated noise.

Made with the standard library alone, always the same ones. Pixels have 16 bits allocated, 12 stored, unsigned, with
-1024 as rescale intercept; around the circle of reconstruction they are 0.
"""

from __future__ import annotations

import sys
from array import array
from functools import cache
from math import cos, hypot, sin
from operator import add, sub
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDE = 512  # pixels
_SHAPES = 12  # different anatomies; the slices between them differ in their noise
_PIXELS = SIDE * SIDE
_QUIETER = 50  # leaves noise of about 15 units in tissue
_BRIGHTEST = 4095
_AIR, _LUNG, _FAT, _TISSUE, _BONE = 20, 180, 930, 1070, 1750


def picture(number: int, total: int) -> array[int]:
    """Slice ``number`` (from 0) of ``total``: its pixels, row by row."""
    shape = _shape(number * _SHAPES // total)
    begin = Random(number).randrange(_PIXELS)
    noisy = map(add, shape, _noise()[begin : begin + _PIXELS])
    return array(
        "H", [0 if not pixel else min(max(value, 0), _BRIGHTEST) for pixel, value in zip(shape, noisy, strict=True)]
    )


def words(pixels: array[int]) -> bytes:
    """16 bits for each pixel, little endian."""
    if sys.byteorder == "little":
        return pixels.tobytes()
    turned = array("H", pixels)
    turned.byteswap()
    return turned.tobytes()


def windowed(pixels: array[int]) -> bytes:
    """8 bits for each pixel: what a window of -1024 to 500 shows."""
    table = [min(value * 255 // 1524, 255) for value in range(_BRIGHTEST + 1)]
    return bytes(map(table.__getitem__, pixels))


@cache
def _noise() -> Sequence[int]:
    """Noise for two slices, blurred along the rows and across them as a reconstruction kernel does."""
    random = Random(12)
    size = 2 * _PIXELS + 2 * SIDE + 2
    first, second, third, fourth = (random.randbytes(size) for _ in range(4))
    white = list(map(sub, map(add, first, second), map(add, third, fourth)))
    rows = [left + 2 * middle + right for left, middle, right in zip(white, white[1:], white[2:], strict=False)]
    across = zip(rows, rows[SIDE:], rows[2 * SIDE :], strict=False)
    return [(above + 2 * here + below) // _QUIETER for above, here, below in across]


@cache
def _shape(number: int) -> Sequence[int]:
    """What a slice shows, without noise; 0 outside of the circle."""
    tilt = number / _SHAPES
    return [_pixel(x / 255.5 - 1, y / 255.5 - 1, tilt) for y in range(SIDE) for x in range(SIDE)]


def _pixel(x: float, y: float, tilt: float) -> int:
    if hypot(x, y) > 1:
        return 0
    body = hypot(x / (0.88 - 0.1 * tilt), y / 0.62)
    if body > 1:
        return _AIR
    if body > 0.92 - 0.05 * sin(9 * x + tilt):
        return _FAT + int(12 * cos(7 * x))
    if hypot(x / 0.07, (y - 0.38) / 0.09) < 1 or (0.80 < body < 0.85 and cos(16 * x + 5 * tilt) > 0.55):
        return _BONE - int(500 * abs(sin(40 * x) * cos(37 * y)))
    lung = hypot((abs(x) - 0.38) / (0.26 - 0.14 * tilt), y / (0.38 - 0.15 * tilt))
    if lung < 1:
        vessel = sin(31 * x + 5 * tilt) * sin(27 * y - 3 * tilt)
        return _LUNG + int(60 * y) + (int(900 * (vessel - 0.8) / 0.2) if vessel > 0.8 else 0)
    return _TISSUE + int(25 * sin(6 * x + 3 * tilt) * cos(5 * y)) + (60 if hypot(x - 0.05, y + 0.1) < 0.16 else 0)
