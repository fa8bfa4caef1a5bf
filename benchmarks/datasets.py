"""Data sets with one frame as devices write them: CT slices of several scanner models, and plain grey images."""

from __future__ import annotations

from random import Random

from encoding import Element

ROOT = "2.25.329800735698586629295641978511506172918"
CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_STUDY_COMPONENT = "1.2.840.10008.3.1.2.3.1"

MODELS = 8  # scanner models; each writes a header of its own
_MOST_PRIVATE = 120  # elements by which the last model's headers are longer than those of the first

# tag, VR, value; the words in braces change from slice to slice
_SLICE = """
00080005 CS ISO_IR 100
00080008 CS ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI
00080012 DA 20200317
00080013 TM {time}
00080020 DA 20200317
00080021 DA 20200317
00080022 DA 20200317
00080023 DA 20200317
00080030 TM 101500.828000
00080031 TM 102011.406000
00080032 TM {time}
00080033 TM {time}
00080050 SH A{model}00471100815
00080060 CS CT
00080070 LO Benchmark Medical Systems
00080080 LO University Hospital of Nowhere
00080081 ST 1 Main Street, 12345 Nowhere
00080090 PN Referrer^Robin^^Dr.
00081010 SH CT{model}0815
00081030 LO Thorax^01_ThoraxRoutine (Adult)
0008103E LO Thorax  1.0  I70f  3  lung window
00081040 LO Department of Radiology
00081050 PN Reader^Rowan
00081070 PN Operator
00081090 LO Synthetic Definition {model}
00100010 PN Benchmark^Synthetic^^^
00100020 LO BENCHMARK{model}
00100030 DA 19480317
00100040 CS O
00101010 AS 072Y
00101030 DS 72.5
001021B0 LT Synthetic data without any patient
00180015 CS CHEST
00180022 CS HELICAL MODE
00180050 DS 1
00180060 DS 120
00180090 DS 500
00181000 LO 5507{model}
00181020 LO syngo CT 2012B
00181030 LO 01_ThoraxRoutine
00181100 DS 371
00181110 DS 1085.6
00181111 DS 595
00181120 DS 0
00181130 DS {table}
00181140 CS CW
00181150 IS 500
00181151 IS {current}
00181152 IS {exposure}
00181160 SH FLAT
00181170 IS {power}
00181190 DS 1.2
00181200 DA 20200312\\20200316
00181201 TM 113000.000000\\071012.000000
00181210 SH I70f\\3
00185100 CS HFS
00189305 FD 0.5
00189306 FD 0.6
00189307 FD 38.4
00189311 FD 1.2
00189345 FD 7.41
00189352 FD 0.1
0020000D UI {root}.{model}
0020000E UI {root}.{model}.1
00200010 SH 47110815
00200011 IS 5
00200012 IS 3
00200013 IS {number}
00200032 DS -185.137\\-{side}\\{z}
00200037 DS 1\\0\\0\\0\\1\\0
00200052 UI {root}.{model}.2
00201040 LO
00201041 DS {z}
00204000 LT slice {number} of a synthetic series
00280002 US 1
00280004 CS MONOCHROME2
00280010 US 512
00280011 US 512
00280030 DS 0.724609375\\0.724609375
00280100 US 16
00280101 US 12
00280102 US 11
00280103 US 0
00281050 DS -600\\40
00281051 DS 1600\\{window}
00281052 DS -1024
00281053 DS 1
00281054 LO HU
00281055 LO WINDOW1\\WINDOW2
00321032 PN Physician^Requesting
00321060 LO CT Thorax
00400244 DA 20200317
00400245 TM 101500.828000
00400253 SH 47110815
"""


def ct_slice(number: int, total: int) -> list[Element]:
    """The attributes of a CT slice, pixel data apart: 129 to 249 elements, some private, some in sequences."""
    random = Random(number)
    model = number * MODELS // total
    elements = [_element(line, _changing(number, model, random)) for line in _SLICE.split("\n") if line]
    elements += [
        Element(0x00080016, "UI", CT),
        Element(0x00080018, "UI", f"{ROOT}.{model}.3.{number}"),
        *_slice_sequences(number, model),
    ]
    return elements + _private(_MOST_PRIVATE * model // (MODELS - 1), random)


def secondary_capture(number: int, side: int) -> list[Element]:
    """A grey image of 8 bits, pixel data apart."""
    return [
        Element(0x00080016, "UI", SECONDARY_CAPTURE),
        Element(0x00080018, "UI", f"{ROOT}.8.{number}"),
        Element(0x00080060, "CS", "OT"),
        Element(0x00080064, "CS", "WSD"),
        Element(0x00100010, "PN", "Benchmark^Synthetic"),
        Element(0x00100020, "LO", "BENCHMARK"),
        Element(0x0020000D, "UI", f"{ROOT}.0"),
        Element(0x0020000E, "UI", f"{ROOT}.0.8"),
        Element(0x00200013, "IS", str(number)),
        *image_pixel(1, side, bits=8),
    ]


def image_pixel(frames: int, side: int, bits: int) -> list[Element]:
    """The attributes of square grey frames."""
    return [
        Element(0x00280002, "US", 1),
        Element(0x00280004, "CS", "MONOCHROME2"),
        *([Element(0x00280008, "IS", str(frames))] if frames > 1 else []),
        Element(0x00280010, "US", side),
        Element(0x00280011, "US", side),
        Element(0x00280100, "US", bits),
        Element(0x00280101, "US", bits),
        Element(0x00280102, "US", bits - 1),
        Element(0x00280103, "US", 0),
    ]


def _element(line: str, changing: dict[str, object]) -> Element:
    tag, vr, value = f"{line} ".split(" ", 2)
    text = value.strip().format_map(changing)
    return Element(int(tag, 16), vr, {"US": int, "FD": float}.get(vr, str)(text))


def _changing(number: int, model: int, random: Random) -> dict[str, object]:
    return {
        "root": ROOT,
        "model": model,
        "number": number,
        "time": f"10{20 + number % 40}{number % 60:02d}.{random.randrange(10**6):06d}",
        "z": f"{-1204.5 + 0.7 * number:.{random.randrange(4)}f}",
        "side": round(random.uniform(150, 350), random.randrange(1, 5)),
        "table": round(random.uniform(90, 210), random.randrange(3)),
        "current": random.randrange(80, 1200),
        "exposure": random.randrange(8, 400),
        "power": random.randrange(9, 60),
        "window": random.choice((80, 400, 1500)),
    }


def _slice_sequences(number: int, model: int) -> list[Element]:
    previous = [
        [Element(0x00081150, "UI", CT), Element(0x00081155, "UI", f"{ROOT}.{model}.4.{number + nearby}")]
        for nearby in range(3)
    ]
    study = [Element(0x00081150, "UI", _STUDY_COMPONENT), Element(0x00081155, "UI", f"{ROOT}.{model}.5")]
    request = [
        Element(0x00321060, "LO", "CT Thorax"),
        Element(0x00400007, "LO", "CT Thorax native"),
        Element(0x00400008, "SQ", [_code("CTTHO", "99LOCAL", "CT of the thorax")]),
        Element(0x00400009, "SH", "SPS0815"),
        Element(0x00401001, "SH", "RP0815"),
    ]
    return [
        Element(0x00081032, "SQ", [_code("CTTHO", "99LOCAL", "CT of the thorax")]),
        Element(0x00081110, "SQ", [study]),
        Element(0x00081140, "SQ", previous),
        Element(0x00189346, "SQ", [_code("113691", "DCM", "IEC Body Dosimetry Phantom")]),
        Element(0x00400275, "SQ", [request]),
    ]


def _code(value: str, scheme: str, meaning: str) -> list[Element]:
    return [Element(0x00080100, "SH", value), Element(0x00080102, "SH", scheme), Element(0x00080104, "LO", meaning)]


def _private(further: int, random: Random) -> list[Element]:
    """Six private elements and as many more as are asked for, in blocks of three groups."""
    values = [
        Element(0, "DS", f"{random.uniform(-1000, 1000):.{random.randrange(7)}f}"),
        Element(0, "IS", str(random.randrange(100000))),
        Element(0, "SL", random.randrange(1 << 31)),
        Element(0, "SS", random.randrange(-32768, 32768)),
        Element(0, "FL", random.uniform(-100, 100)),
        Element(0, "SH", "head body neck chest"[: random.randrange(16)].strip()),
        Element(0, "LO", f"protocol {random.randrange(10**6)}"),
        Element(0, "UN", random.randbytes(random.randrange(0, 40, 2))),
    ]
    elements = [
        Element(0x00290010, "LO", "BENCHMARK HEADER"),
        Element(0x00291008, "CS", "IMAGE NUM 4"),
        Element(0x00291009, "LO", "20200317"),
        Element(0x00291010, "OB", random.randbytes(9000 + 2 * random.randrange(800))),
    ]
    elements += [Element(0x00090010, "LO", "BENCHMARK STUDY"), Element(0x00091001, "LO", "CT_LIGHTSPEED")]
    for place in range(further):
        group, number = (0x0019, 0x0021, 0x0043)[place % 3], place // 3
        if number == 0:
            elements.append(Element(group << 16 | 0x10, "LO", f"BENCHMARK {group:04X}"))
        else:
            elements.append(values[(number + group) % len(values)]._replace(tag=group << 16 | 0x1000 | number))
    return elements
