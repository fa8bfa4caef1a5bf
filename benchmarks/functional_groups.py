"""A multi-frame object whose functional groups have many elements (PS3.3 C.7.6.16)."""

from __future__ import annotations

from random import Random

from datasets import ENHANCED_CT, ROOT, image_pixel
from encoding import Element


def enhanced(frames: int, side: int) -> list[Element]:
    """An enhanced CT object, pixel data apart: for each frame some 26 elements in functional groups.

    Their values differ in length, and some frames have more attributes than others.
    """
    random = Random(frames)
    kind = Element(0x00189301, "SQ", [[Element(0x00089007, "CS", "ORIGINAL\\PRIMARY")]])
    return [
        Element(0x00080008, "CS", "ORIGINAL\\PRIMARY\\VOLUME\\NONE"),
        Element(0x00080016, "UI", ENHANCED_CT),
        Element(0x00080018, "UI", f"{ROOT}.{frames}"),
        Element(0x00080060, "CS", "CT"),
        Element(0x00100010, "PN", "Benchmark^Synthetic"),
        Element(0x00100020, "LO", "BENCHMARK"),
        Element(0x0020000D, "UI", f"{ROOT}.0"),
        Element(0x0020000E, "UI", f"{ROOT}.0.0"),
        Element(0x00200013, "IS", "1"),
        *image_pixel(frames, side, bits=16),
        Element(0x52009229, "SQ", [[kind]]),
        Element(0x52009230, "SQ", [_frame(number, random) for number in range(1, frames + 1)]),
    ]


def _frame(number: int, random: Random) -> list[Element]:
    """The functional groups of one frame."""
    exposure = [
        Element(0x00189328, "FD", random.uniform(100, 900)),
        Element(0x00189330, "FD", random.uniform(50, 700)),
        Element(0x00189332, "FD", random.uniform(20, 300)),
    ]
    window = [Element(0x00281050, "DS", str(random.randrange(-600, 60))), Element(0x00281051, "DS", "400")]
    if number % 11 == 0:
        window.append(Element(0x00281055, "LO", random.choice(("LUNG", "MEDIASTINUM", "BONE"))))
    return [
        _group(0x00189321, exposure),
        _group(0x00209111, _frame_content(number, random)),
        _group(0x00209113, [Element(0x00200032, "DS", "\\".join(_decimals(random, 3, 300)))]),
        _group(0x00209116, [Element(0x00200037, "DS", "\\".join(_decimals(random, 6, 1)))]),
        _group(0x00289110, [Element(0x00180050, "DS", "1.25"), Element(0x00280030, "DS", "0.7246\\0.7246")]),
        _group(0x00289132, window),
        _group(
            0x00289145,
            [
                Element(0x00281052, "DS", _decimals(random, 1, 1024)[0]),
                Element(0x00281053, "DS", _decimals(random, 1, 10)[0]),
                Element(0x00281054, "LO", "HU"),
            ],
        ),
    ]


def _frame_content(number: int, random: Random) -> list[Element]:
    time = f"20200317{10 + number % 12}{number % 60:02d}{random.randrange(60):02d}"
    content = [
        Element(0x00189074, "DT", f"{time}.{random.randrange(10**6)}"),
        Element(0x00189151, "DT", time),
        Element(0x00189220, "FD", random.uniform(100, 500)),
        Element(0x00209056, "SH", str(1 + number // 300)),
        Element(0x00209057, "UL", number),
        Element(0x00209157, "UL", (1, number)),
    ]
    if number % 7 == 0:
        content.append(Element(0x00209158, "LT", f"comment {number}" * (number % 4 + 1)))
    return content


def _group(tag: int, elements: list[Element]) -> Element:
    return Element(tag, "SQ", [elements])


def _decimals(random: Random, how_many: int, limit: float) -> list[str]:
    """Decimal strings of different lengths."""
    return [f"{random.uniform(-limit, limit):.{random.randrange(1, 9)}f}" for _ in range(how_many)]
