"""What a peer gets that accepts one uncompressed transfer syntax only: ours beside DCMTK's dcmsend, file by file.

Every DICOM file of the sample data, and small images in every transfer syntax that is converted, are sent by both
tools to servers that keep data sets as they come. What DCMTK cannot decode is compared with FFmpeg's decoders or with
the pixels that were compressed. ``DCMSEND_MORE_DATA`` names a further folder of DICOM files to be sent the same way.

What is not the same has a name and a reason in one of the tables here, and is checked on both sides.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final, NamedTuple

import av
import numpy
import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_VR

from dcmsend.payload.codecs import working_decoders
from dcmsend.payload.codestreams import read_jpeg
from tests.support import part10, pictures, report, servers
from tests.support.builder import element
from tests.support.builder import part10 as build
from tests.support.compare import differences

Command = Callable[..., CompletedProcess[str]]
Deliver = Callable[[str, str], "Both"]

DATA: Final = Path(__file__).parent / "data"
MORE: Final = os.environ.get("DCMSEND_MORE_DATA")
FOLDERS: Final = ["data", "made", *filter(None, [MORE and "more"])]
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
TARGETS: Final = {"implicit": IMPLICIT, "explicit": EXPLICIT}
RT_ION_PLAN: Final = "1.2.840.10008.5.1.4.1.1.481.8"  # of the bare data sets, which have no meta information

# Of what is compressed with loss: how much a sample may be off. Repeated in docs/transfer-syntaxes.md.
MOST_OFF_DCMTK: Final = 0
MOST_OFF_FFMPEG: Final = 1

JPEG_2000: Final = tuple(IMPLICIT + suffix for suffix in (".4.90", ".4.91", ".4.201", ".4.202", ".4.203"))
JPEG_LS: Final = IMPLICIT + ".4.80"
DEFLATED_FRAMES: Final = IMPLICIT + ".8.1"


class Unlike(NamedTuple):
    """Instances that not both tools deliver: whose transfer syntax and whose reason (ours) match, and who delivers."""

    why: str
    ours: bool
    theirs: bool
    syntax: str = ".*"
    reason: str = ""
    target: str = ".*"


NO_DECODER: Final = r"1\.2\.840\.10008\.1\.2\.(4\.(90|91|201|202|203|110|111|112)|8\.1|1\.98)"

NOT_BY_BOTH: Final = (
    Unlike("DCMTK 3.6.7 has no decoder", ours=True, theirs=False, syntax=NO_DECODER),
    Unlike("its RLE decoder takes whole bytes, not Bits Allocated 1", True, False, re.escape(IMPLICIT + ".5")),
    Unlike("its CharLS does not take 7 bits", True, False, re.escape(JPEG_LS)),
    Unlike("nothing says how to convert it", False, False, r"2\.25\..*", "there is no way to do that"),
    Unlike("no SOP Class UID", False, False, reason="missing SOP Class UID in data set"),
    Unlike("damaged", False, False, reason="is not a VR|its end is missing|run past the end of the file"),
    Unlike("the image size was overwritten on purpose", False, False, JPEG_2000[1], "more than 4096 tiles"),
    Unlike("not known to storescp", False, False, reason="does not support this SOP class", target="implicit"),
)


class Sent(NamedTuple):
    """What one tool made of a folder: source file -> what the server keeps, and source file -> row of the report."""

    stored: dict[Path, Path]
    rows: dict[Path, report.Row]


class Both(NamedTuple):
    ours: Sent
    theirs: Sent


# Fixtures: each folder goes once over the network for each target and each tool.


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, dcmtk: Callable[[str], str]) -> dict[str, Path]:
    made = tmp_path_factory.mktemp("made")
    samples = tmp_path_factory.mktemp("samples") / "data"
    shutil.copytree(DATA, samples, ignore=shutil.ignore_patterns("cases"))  # which test_deviant is about
    pictures.by_dcmtk(made, dcmtk)
    pictures.by_others(made)
    write_unlike(made)
    return {"data": samples, "made": made} | ({"more": Path(MORE)} if MORE else {})


@pytest.fixture(scope="module")
def dictionaries(dcmtk: Callable[[str], str]) -> str:
    """DCMTK's data dictionaries, as ``DCMDICTPATH`` has them: private attributes are the same for both tools then."""
    share = Path(dcmtk("dcmsend")).resolve().parents[1] / "share"
    found = [path for path in share.glob("*dcmtk*/*.dic") if path.name in ("dicom.dic", "private.dic")]
    if not found:
        pytest.skip(f"no data dictionaries of DCMTK in {share}")
    return os.pathsep.join(map(str, found))


@pytest.fixture(scope="module")
def deliver(
    tmp_path_factory: pytest.TempPathFactory,
    folders: dict[str, Path],
    dictionaries: str,
    run_dcmsend: Command,
    dcmsend_oracle: Command,
) -> Iterator[Deliver]:
    """Send a folder with both tools to a server that accepts one transfer syntax; done once for each pair."""
    home = tmp_path_factory.mktemp("servers")
    running: list[servers.FolderServer] = []

    @cache
    def send(folder: str, target: str) -> Both:
        place = home / f"{folder} {target}"
        place.mkdir()
        if target == "implicit":
            server = servers.storescp(place, defaults=("+xi", "-pm"))
        else:
            server = servers.dcmrecv(place, sop_classes=sop_classes(folders[folder]), syntaxes=[EXPLICIT])
        running.append(server)
        ours = deliver_all(
            run_dcmsend, server, folders[folder], place / "ours", {"DCMDICTPATH": dictionaries}, "--scan-first"
        )
        theirs = deliver_all(dcmsend_oracle, server, folders[folder], place / "theirs", {})
        server.stop()
        return Both(ours, theirs)

    yield send
    for server in running:
        server.stop()


def sop_classes(folder: Path) -> list[str]:
    metas = [part10.split(path.read_bytes())[0] for path in folder.rglob("*") if path.is_file()]
    return sorted({RT_ION_PLAN, *(part10.uid(meta[part10.SOP_CLASS]) for meta in metas if meta.get(part10.SOP_CLASS))})


def deliver_all(
    run: Command, server: servers.FolderServer, folder: Path, place: Path, env: dict[str, str], *further: str
) -> Sent:
    """Send all files of a folder that can be sent. The server numbers what it keeps, the report has the same order."""
    text = place.with_suffix(".txt")
    words = ("-nh", "-nuc", "+f", "+dly", "+sd", "+r", "+crf", text, "-aec", server.aet, "127.0.0.1", server.port)
    done = run(*words, *further, folder, timeout=600, env=env)
    assert text.exists(), done.stderr
    rows = [row for row in report.rows(text) if "DIMSE Status" in row]  # without what was left out of the input
    sent = [row for row in rows if row["DIMSE Status"].startswith("0x0000")]
    assert report.summary(text)["Number of associations"] == 1, "the order of the report is not that of sending"
    server.folder.rename(place)
    server.folder.mkdir()
    kept = sorted(place.iterdir(), key=lambda path: [int(part) for part in path.name.split(".")[-2:]])
    assert len(kept) == len(sent)
    stored = {Path(row["Filename"]): path for row, path in zip(sent, kept, strict=True)}
    return Sent(stored, {Path(row["Filename"]): row for row in rows})


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_same_instances_arrive(folder: str, target: str, deliver: Deliver) -> None:
    """Or those of them that a row of ``NOT_BY_BOTH`` explains, by exactly one row."""
    ours, theirs = deliver(folder, target)
    assert ours.rows.keys() == theirs.rows.keys()
    for path, row in ours.rows.items():
        here, there = path in ours.stored, path in theirs.stored
        if not here or not there:
            reasons = [entry.why for entry in NOT_BY_BOTH if explains(entry, row, here, there, target)]
            assert len(reasons) == 1, (path.name, here, there, row.get("Reason"), reasons)
    assert len(ours.stored.keys() & theirs.stored.keys()) > 40


def explains(entry: Unlike, row: report.Row, here: bool, there: bool, target: str) -> bool:
    return (
        (entry.ours, entry.theirs) == (here, there)
        and re.fullmatch(entry.syntax, row["Original Xfer"].split(" = ")[0]) is not None
        and re.search(entry.reason, row.get("Reason", "")) is not None
        and re.fullmatch(entry.target, target) is not None
    )


def test_what_arrives_has_the_transfer_syntax(folder: str, target: str, deliver: Deliver) -> None:
    for sent in deliver(folder, target):
        for path in sent.stored.values():
            meta, _ = part10.split(path.read_bytes())
            assert part10.uid(meta[part10.TRANSFER_SYNTAX]) == TARGETS[target]


# Element by element.

YBR_LOSSLESS: Final = "4.57 YBR_FULL.dcm"  # DCMTK makes RGB of it, which loses; ours leaves it as it is
CALLED_RGB: Final = "4.50 called RGB.dcm"  # JPEG that says itself that it is YCbCr: DCMTK sends its samples as they are
LOSSY_JPEG: Final = tuple(IMPLICIT + suffix for suffix in (".4.50", ".4.51", ".4.53", ".4.55"))


def test_element_by_element(folder: str, target: str, deliver: Deliver) -> None:
    """As DCMTK delivers it, and where the bytes are not the same, for one of the reasons of ``Deviation``."""
    ours, theirs = deliver(folder, target)
    found: dict[str, set[str]] = {}
    unlike = {path for path in ours.stored if path.name == YBR_LOSSLESS or is_called_rgb(path)}
    for path in ours.stored.keys() & theirs.stored.keys() - unlike:
        our, their = ours.stored[path], theirs.stored[path]
        assert differences(our, their, pixels=MOST_OFF_DCMTK) == [], path
        one, other = (part10.split(kept.read_bytes())[1] for kept in (our, their))
        if one != other:
            for reason in deviations(our, their) or lengths(one, other):
                found.setdefault(reason, set()).add(path.name)
    expected = DEVIATIONS[target].get(folder)
    assert expected is None or {reason: found.get(reason, set()) for reason in expected} == expected
    assert found.keys() <= {PRIVATE_VR, PADDING, ODD_LENGTH, UNKNOWN, LENGTHS, GROUP_LENGTHS}


def is_called_rgb(path: Path) -> bool:
    """Whether the attributes call a JPEG frame RGB that says itself that it is YCbCr."""
    dataset = read(path)
    if dataset.file_meta.get("TransferSyntaxUID") not in LOSSY_JPEG or dataset.PhotometricInterpretation != "RGB":
        return False
    return read_jpeg(pictures.frames(path)[0]).colour == "YBR"


PRIVATE_VR: Final = "pydicom's dictionary knows a private attribute, DCMTK's does not"
PADDING: Final = "padding beyond an even length stays in ours; DCMTK takes it off some values"
ODD_LENGTH: Final = "DCMTK leaves the odd length in the header, although it sends the byte of padding"
UNKNOWN: Final = "a sequence whose VR is UN stays so in ours; DCMTK makes SQ of it"
LENGTHS: Final = "sequences of undefined length stay so in ours; DCMTK counts them"
GROUP_LENGTHS: Final = "wrong group lengths stay in ours where the peer takes the file's bytes; DCMTK counts anew"
SEQUENCE_END: Final = b"\xfe\xff\xdd\xe0\0\0\0\0"

DEVIATIONS: Final[dict[str, dict[str, dict[str, set[str]]]]] = {
    "implicit": {
        "data": {PADDING: {"verification_class.dcm"}, ODD_LENGTH: {"odd_length.dcm"}, PRIVATE_VR: set()},
        "made": {PADDING: {"4.70 deviations.dcm"}, ODD_LENGTH: set(), PRIVATE_VR: set(), UNKNOWN: set()},
    },
    "explicit": {
        "data": {PADDING: {"verification_class.dcm"}, ODD_LENGTH: set(), PRIVATE_VR: set()},
        "made": {
            PADDING: {"4.70 deviations.dcm"},
            UNKNOWN: {"4.70 deviations.dcm"},
            PRIVATE_VR: {"private.dcm"},
            ODD_LENGTH: set(),
        },
    },
}


def deviations(our: Path, their: Path) -> set[str]:
    """The reasons for which elements are not the same, with what each reason says of both sides."""
    data_sets = [read(path) for path in (our, their)]
    one, other = (dict(elements(each, "", not each.is_implicit_VR)) for each in data_sets)
    assert one.keys() == other.keys()
    return {deviation(*one[name], *other[name]) for name in one if one[name] != other[name]}


def deviation(our_vr: str, our: bytes, their_vr: str, their: bytes) -> str:
    if our == their:
        if their_vr == "UN":
            return PRIVATE_VR
        assert our_vr in ("UN", ""), (our_vr, their_vr)  # none: within such a sequence
        return UNKNOWN
    if len(their) % 2:
        assert our == their + b"\0"
        return ODD_LENGTH
    bare = our.rstrip(b" \0")
    assert len(their) < len(our) and their.rstrip(b" \0") == bare and len(their) - len(bare) < 2
    return PADDING


def lengths(ours: bytes, theirs: bytes) -> set[str]:
    """The reason where all elements are the same."""
    if SEQUENCE_END in ours:
        assert SEQUENCE_END not in theirs
        return {LENGTHS}
    assert len(ours) == len(theirs)
    return {GROUP_LENGTHS}


def elements(dataset: Dataset, around: str, explicit: bool) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """Each element that is no group length: where it stands, its VR if it has one, and its bytes, but for sequences."""
    for tag in dataset.keys():  # noqa: SIM118
        raw: Any = dataset.get_item(tag)
        where = f"{around}{tag}"
        vr = raw.VR or "" if explicit else ""
        if is_sequence(raw):
            yield where, (vr, b"")
            if raw.is_raw:
                dataset[tag] = raw._replace(VR="SQ")
            for number, item in enumerate(dataset[tag].value or ()):
                yield from elements(item, f"{where}[{number}].", explicit)
        elif tag.element:
            yield where, (vr, raw.value or b"" if raw.is_raw else written(raw.value))


def written(value: Any) -> bytes:
    """The value of an element that pydicom looks at while it reads others: US, or text."""
    return struct.pack("<H", value) if isinstance(value, int) else str(value or "").encode()


def is_sequence(raw: Any) -> bool:
    if isinstance(raw.value, bytes) and raw.value:
        return raw.value.startswith(b"\xfe\xff\x00\xe0")
    return raw.VR == "SQ" or (raw.VR is None and not raw.tag.is_private and dictionary_VR(raw.tag) == "SQ")


# What one of the two refuses or damages, and what the sample data does not have.


def write_unlike(folder: Path) -> None:
    """Files in which the two tools differ on purpose."""
    colour = pictures.PICTURES["colour"]
    for name, of, photometric in (
        (CALLED_RGB, "4.50 YBR 422.dcm", "RGB"),
        (YBR_LOSSLESS, "4.57 colour.dcm", "YBR_FULL"),
    ):
        frames = pictures.encapsulated(pictures.frames(folder / of))
        pictures.write(folder / name, colour, pictures.syntax_of(name), frames, photometric=photometric)
    item = struct.pack("<HHI", 0x0008, 0x0100, 4) + b"CODE"
    more = b"".join((
        element(0x00080005, "CS", b"ISO_IR 100"),
        element(0x00081030, "LO", b"padded    "),
        sequence(0x00081032, "SQ", element(0x00080100, "SH", b"CODE")),
        sequence(0x00082218, "UN", item),
    ))  # fmt: skip
    frames = pictures.encapsulated(pictures.frames(folder / "4.70 grey 12.dcm"))
    name = "4.70 deviations.dcm"
    pictures.write(folder / name, pictures.PICTURES["grey 12"], pictures.syntax_of(name), frames, more=more)
    values = ((0x00080016, RT_ION_PLAN), (0x00080018, "1.2.3.4"), (0x00310010, MITRA), (0x00311020, "PATIENT1"))
    data_set = b"".join(implicit(tag, value.encode()) for tag, value in values)
    file = build(RT_ION_PLAN, "1.2.3.4", transfer_syntax=IMPLICIT, data_set=data_set)
    (folder / "private.dcm").write_bytes(file)


MITRA: Final = "MITRA LINKED ATTRIBUTES 1.0 "


def implicit(tag: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def sequence(tag: int, vr: str, item: bytes) -> bytes:
    """A sequence of undefined length with one item of undefined length."""
    head = struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, 0xFFFFFFFF)
    ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    return head + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + item + ends


def test_lossless_ybr_stays_what_it_is(target: str, deliver: Deliver, folders: dict[str, Path]) -> None:
    """DCMTK converts it to RGB: 8 bits of each sample, so some of the colours are lost."""
    path = folders["made"] / YBR_LOSSLESS
    ours, theirs = (sent.stored[path] for sent in deliver("made", target))
    found = differences(ours, theirs)
    assert [line[:11] for line in found] == ["(0028,0004)", "(7fe0,0010)"]
    assert (read(ours).PhotometricInterpretation, read(theirs).PhotometricInterpretation) == ("YBR_FULL", "RGB")
    assert (samples(ours) == pictures.PICTURES["colour"].pixels.reshape(pictures.FRAMES, -1)).all()


def test_jpeg_that_says_itself_that_it_is_ycbcr(target: str, deliver: Deliver, folders: dict[str, Path]) -> None:
    """Ours is what both tools make of the same frames where the attributes say so too."""
    path, rightly = (folders["made"] / name for name in (CALLED_RGB, "4.50 YBR 422.dcm"))
    ours, theirs = (sent.stored[path] for sent in deliver("made", target))
    assert read(ours).PhotometricInterpretation == read(theirs).PhotometricInterpretation == "RGB"
    for sent in deliver("made", target):
        assert (samples(ours) == samples(sent.stored[rightly])).all()
    assert (samples(ours) != samples(theirs)).any()


# What DCMTK cannot decode.


def test_everything_but_the_image_is_as_in_the_file(folder: str, target: str, deliver: Deliver) -> None:
    """Of what only ours delivers: nothing differs but what describes pixels (PS3.3 C.7.6.3) and that they are lossy."""
    ours, theirs = deliver(folder, target)
    for path in ours.stored.keys() - theirs.stored.keys():
        changed = {line[:11] for line in differences(ours.stored[path], path)}
        assert changed <= {"(7fe0,0010)", "(0028,0004)", "(0028,0006)", "(0028,2110)"}, path
    assert len(ours.stored.keys() - theirs.stored.keys()) >= 6


def test_pixels_as_ffmpeg_decodes_them(folder: str, deliver: Deliver) -> None:
    """JPEG 2000 and HTJ2K, for which FFmpeg has a decoder of its own, and the JPEG-LS that DCMTK refuses.

    Bit for bit where the wavelet transform is reversible.
    """
    ours, theirs = deliver(folder, "explicit")
    implicit, _ = deliver(folder, "implicit")
    compared = 0
    for path in ours.stored.keys() - theirs.stored.keys():
        syntax = read(path).file_meta.TransferSyntaxUID
        if syntax in (*JPEG_2000, JPEG_LS):
            frames = pictures.frames(path)
            for frame, decoded in zip(frames, samples(ours.stored[path]), strict=True):
                image = read_header(frame)
                expected = by_ffmpeg(frame, image)
                assert expected.shape == decoded.shape
                apart = (decoded - expected) % (1 << image.precision)  # Pixel Representation may deny the sign
                most = int(numpy.minimum(apart, (1 << image.precision) - apart).max())
                assert most <= (0 if image.reversible else MOST_OFF_FFMPEG), path
            assert (samples(ours.stored[path]) == samples(implicit.stored[path])).all()
            compared += 1
    assert compared >= 5


class Header(NamedTuple):
    """What a codestream says of its samples."""

    decoder: str
    precision: int
    signed: bool
    reversible: bool


def read_header(codestream: bytes) -> Header:
    """JPEG 2000 (ISO/IEC 15444-1 A.5.1, A.6.1), which may stand in a file of boxes, or JPEG-LS (14495-1 C.2.2)."""
    size = codestream.find(b"\xff\x4f\xff\x51") + 2
    if size < 2:
        return Header("jpegls", codestream[codestream.index(b"\xff\xf7") + 4], False, True)
    depth, style = codestream[size + 40], codestream.index(b"\xff\x52", size)
    return Header("jpeg2000", (depth & 0x7F) + 1, depth > 0x7F, codestream[style + 13] == 1)


def by_ffmpeg(codestream: bytes, image: Header) -> Any:
    """The samples one after the other. FFmpeg counts from the lowest and fills the 8 or 16 bits of its format up."""
    context: Any = av.CodecContext.create(image.decoder, "r")
    decoded = [*context.decode(av.Packet(codestream)), *context.decode(None)]
    assert len(decoded) == 1
    array = decoded[0].to_ndarray()
    filled = array.itemsize * 8 - image.precision
    lowest = 1 << (image.precision - 1) if image.signed else 0
    return (array.astype("i8") >> filled).reshape(-1) - lowest


def read(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about values, which are as they are
        return dcmread(path, force=True)


def samples(path: Path) -> Any:
    """Native pixel data: an array of samples for each frame."""
    dataset = read(path)
    frames = int(dataset.get("NumberOfFrames") or 1)
    count = frames * dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
    if dataset.BitsAllocated == 1:
        bits = numpy.frombuffer(dataset.PixelData, "u1")
        return numpy.unpackbits(bits, bitorder="little")[:count].reshape(frames, -1).astype("i8")
    kind = ("<i" if dataset.PixelRepresentation else "<u") + str(dataset.BitsAllocated // 8)
    return numpy.frombuffer(dataset.PixelData, kind, count).reshape(frames, -1).astype("i8")


@pytest.mark.parametrize("name", pictures.LOSSLESS)
def test_what_was_compressed_without_loss_comes_back(
    name: str, target: str, deliver: Deliver, folders: dict[str, Path]
) -> None:
    ours, _ = deliver("made", target)
    picture = pictures.picture_of(name)
    kept = ours.stored[folders["made"] / f"{name}.dcm"]
    assert (samples(kept) == picture.pixels.reshape(pictures.FRAMES, -1)).all()
    assert read(kept).PhotometricInterpretation == picture.photometric


@pytest.mark.parametrize(("name", "most"), pictures.LOSSY.items())
def test_what_was_compressed_with_loss_comes_near(
    name: str, most: int, deliver: Deliver, folders: dict[str, Path]
) -> None:
    """To the pixels that were compressed: colours, sign and range are right. How exact it is, others tell."""
    ours, _ = deliver("made", "explicit")
    picture = pictures.picture_of(name)
    kept = ours.stored[folders["made"] / f"{name}.dcm"]
    apart = samples(kept) - picture.pixels.reshape(pictures.FRAMES, -1)
    assert abs(apart).max() <= most
    assert read(kept).PhotometricInterpretation == picture.photometric


@pytest.mark.parametrize(("name", "original"), [(name, of) for name, (of, _) in pictures.RECOMPRESSED.items()])
def test_recompressed_jpeg_is_as_the_jpeg(
    name: str, original: str, target: str, deliver: Deliver, folders: dict[str, Path]
) -> None:
    """JPEG XL made of a JPEG file is, to the last bit, what DCMTK makes of that file (PS3.5 A.4.12)."""
    ours, theirs = deliver("made", target)
    kept = ours.stored[folders["made"] / f"{name}.dcm"]
    assert (samples(kept) == samples(theirs.stored[folders["made"] / f"{original}.dcm"])).all()


def test_deflated_frames_hold_what_zlib_finds(folder: str, target: str, deliver: Deliver) -> None:
    ours, _ = deliver(folder, target)
    found = [path for path in ours.stored if read(path).file_meta.get("TransferSyntaxUID") == DEFLATED_FRAMES]
    for path in found:
        dataset = read(ours.stored[path])
        inflated = [numpy.frombuffer(zlib.decompress(frame, -15), "u1") for frame in pictures.frames(path)]
        if dataset.BitsAllocated == 1:
            each = dataset.Rows * dataset.Columns
            bits = numpy.concatenate([numpy.unpackbits(frame, bitorder="little")[:each] for frame in inflated])
            inflated = [numpy.packbits(bits, bitorder="little")]
        native = numpy.concatenate(inflated).tobytes()
        assert dataset.PixelData == native + bytes(len(native) % 2)
    assert found


def test_the_documentation_has_the_same_figures() -> None:
    """A row for each transfer syntax that can be decoded, with the largest difference that is allowed here."""
    text = (Path(__file__).parents[1] / "docs" / "transfer-syntaxes.md").read_text()
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ") and "| `." in line]
    off = {IMPLICIT + row[1].strip("`"): int(row[-1].strip("| ")) for row in rows}
    by_dcmtk = {IMPLICIT + row[1].strip("`") for row in rows if row[3].startswith("DCMTK")}
    lossy_by_ffmpeg = {IMPLICIT + suffix for suffix in (".4.91", ".4.203")}
    assert set(off) == set(working_decoders())
    assert {off[syntax] for syntax in by_dcmtk} == {MOST_OFF_DCMTK}
    assert {off[syntax] for syntax in lossy_by_ffmpeg} == {MOST_OFF_FFMPEG}
    assert {off[syntax] for syntax in off.keys() - by_dcmtk - lossy_by_ffmpeg} == {0}
