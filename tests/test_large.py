"""Memory depends neither on the size of an instance nor, to speak of, on the number of instances.

What is measured is the largest resident set of the command, by a small program that starts it: a child that is
started by the tests themselves would inherit their figure.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import imagecodecs
import numpy
import pytest

from tests.support import pdus, report
from tests.support.builder import element, part10
from tests.support.scripted import Connection, ScriptedPeer, ScriptError, accept, expect, release, send, store

Peer = Callable[..., ScriptedPeer]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MULTI_FRAME: Final = "1.2.840.10008.5.1.4.1.1.7.4"
MEGABYTE: Final = 1 << 20
LONGEST_VALUE: Final = 0xFFFFFFFE  # bytes: the longest value with a defined length (PS3.5 7.1.1)
LIMIT: Final = 300.0  # seconds

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs wait4")

# Modules that are loaded after a second, whatever is sent, would count for the slower of two runs alone.
MEASURE: Final = """
import os, sys
code = "import dcmsend.cli.main; dcmsend.cli.main.LONG = 3600; import dcmsend.__main__ as m; m.program()"
child = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", code, *sys.argv[1:]])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Measured(NamedTuple):
    """How a run of the command ended, what it said, and its largest resident set in bytes."""

    code: int
    log: str
    resident: int


def measure(*words: object) -> Measured:
    command = [sys.executable, "-S", "-c", MEASURE, *(str(word) for word in words)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)
    return Measured(done.returncode, done.stderr, int(done.stdout))


class Sink:
    """A step that takes a C-STORE-RQ with its data set, counts its bytes, keeps none of them, and answers.

    It expects one PDV in each P-DATA-TF.
    """

    def __init__(self) -> None:
        self.count = 0
        self._buffer = memoryview(bytearray(1 << 18))

    def __call__(self, connection: Connection) -> None:
        command = bytearray()
        last = False
        while not last:
            kind, length, _, context_id, control = struct.unpack(">BxIIBB", self._read(connection, 12))
            if kind != pdus.P_DATA_TF:
                raise ScriptError(f"expected P-DATA-TF, got PDU type {kind:#04x}")
            fragment = self._read(connection, length - 6)
            if control & 1:
                command += fragment
            else:
                self.count += len(fragment)
                last = bool(control & 2)
        message = pdus.Message(context_id, pdus.parse_command(bytes(command)), None)
        connection.socket.sendall(pdus.store_rsp(message))

    def _read(self, connection: Connection, count: int) -> memoryview:
        done = 0
        while done < count:
            received = connection.socket.recv_into(self._buffer[done:count])
            if not received:
                raise ScriptError(f"connection closed after {done} of {count} bytes")
            done += received
        return self._buffer[:count]


def long_header(tag: int, vr: str, length: int) -> bytes:
    """An explicit VR little endian element without its value."""
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)


@pytest.fixture
def more_than_4_gb(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A multi-frame instance whose data set has more than 2**32 bytes, in a sparse file, and that number of bytes."""
    frames, rest = divmod(LONGEST_VALUE, 4096 * 4096)
    private = 16 * MEGABYTE
    assert rest  # the value has a length of its own, as padded pixel data has
    front = b"".join((
        element(0x00080016, "UI", MULTI_FRAME.encode()),
        element(0x00080018, "UI", b"1.2.3.4"),
        element(0x00090010, "LO", b"LARGE"),
        long_header(0x00091000, "OB", private),
    ))  # fmt: skip
    image = b"".join((
        element(0x00280008, "IS", str(frames).encode()),
        element(0x00280010, "US", struct.pack("<H", 4096)),
        element(0x00280011, "US", struct.pack("<H", 4096)),
        long_header(0x7FE00010, "OB", LONGEST_VALUE),
    ))  # fmt: skip
    size = len(front) + private + len(image) + LONGEST_VALUE
    path = tmp_path / "large.dcm"
    with path.open("wb") as file:
        file.write(part10(MULTI_FRAME, "1.2.3.4", data_set=front))
        file.seek(private, 1)
        file.write(image)
        file.truncate(file.tell() + LONGEST_VALUE)
    if path.stat().st_blocks * 512 > 64 * MEGABYTE:
        path.unlink()
        pytest.skip("this file system keeps no sparse files")
    assert size > 1 << 32
    yield path, size
    path.unlink()


def test_4_gb_are_sent_with_less_than_50_mb_of_memory(
    more_than_4_gb: tuple[Path, int], scripted_peer: Peer, tmp_path: Path
) -> None:
    file, size = more_than_4_gb
    sink = Sink()
    peer = scripted_peer([accept(max_pdu=131072), sink, release()])
    path = tmp_path / "report.txt"
    done = measure("-v", "+crf", path, "127.0.0.1", peer.port, file)
    assert (done.code, sink.count) == (0, size), done.log
    assert done.resident < 50 * MEGABYTE
    (row,) = report.rows(path)
    assert row["DIMSE Status"] == "0x0000 (Success)"
    assert row["Dataset Size"] == f"{size} bytes"


def test_memory_does_not_grow_with_the_number_of_instances(scripted_peer: Peer, tmp_path: Path) -> None:
    resident = []
    for count in (300, 3000):
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            (folder / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number + 1}"))
        peer = scripted_peer([accept(), *[store()] * count, release()])
        done = measure("+sd", "127.0.0.1", peer.port, folder)
        assert (done.code, done.log) == (0, "")
        assert len(peer.messages) == count
        resident.append(done.resident)
        shutil.rmtree(folder)
    assert resident[1] - resident[0] < 10 * MEGABYTE, resident


def test_a_longer_file_takes_no_more_memory(scripted_peer: Peer, tmp_path: Path) -> None:
    resident = []
    for size in (MEGABYTE, 256 * MEGABYTE):
        path = tmp_path / f"{size}.dcm"
        header = part10(CT, "1.2.3", value=b"")
        with path.open("wb") as file:
            file.write(header + long_header(0x7FE00010, "OB", size))
            file.truncate(file.tell() + size)
        peer = scripted_peer([accept(), Sink(), release()])
        done = measure("127.0.0.1", peer.port, path)
        assert (done.code, done.log) == (0, "")
        resident.append(done.resident)
    assert resident[1] - resident[0] < 4 * MEGABYTE, resident


# Conversion: the peer refuses the first context, which has the file's own transfer syntax, and accepts the second.

NOT_THIS_SYNTAX: Final = 4  # result of a presentation context (PS3.8 Table 9-18)
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.70"
RLE: Final = "1.2.840.10008.1.2.5"
FRAME: Final = 512 * 512 * 2  # bytes
MOST: Final = 150 * MEGABYTE


def another_syntax(sink: Sink, syntax: str) -> list[Callable[[Connection], None]]:
    return [accept(results={1: NOT_THIS_SYNTAX}, syntaxes={3: syntax}, max_pdu=131072), sink, release()]


def sequence(tag: int, items: list[bytes]) -> bytes:
    """Explicit VR little endian, with defined lengths."""
    return element(tag, "SQ", b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items))


def image(frames: int) -> bytes:
    """The Image Pixel attributes of 512 x 512 pixels of 16 bits, without pixel data."""
    return b"".join((
        element(0x00280002, "US", b"\1\0"),
        element(0x00280004, "CS", b"MONOCHROME2"),
        element(0x00280008, "IS", str(frames).encode()),
        element(0x00280010, "US", struct.pack("<H", 512)),
        element(0x00280011, "US", struct.pack("<H", 512)),
        element(0x00280100, "US", b"\x10\0"),
        element(0x00280101, "US", b"\x10\0"),
        element(0x00280102, "US", b"\x0f\0"),
        element(0x00280103, "US", b"\0\0"),
    ))  # fmt: skip


def uids(sop_class: str) -> bytes:
    return element(0x00080016, "UI", sop_class.encode()) + element(0x00080018, "UI", b"1.2.3.4")


@pytest.fixture
def enhanced_2_gb(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """4096 frames, 2**31 bytes of pixels, with a functional group for each; and its size in implicit VR."""
    frames = 4096
    groups = []
    for number in range(frames):
        position = element(0x00200032, "DS", f"-125\\-125\\{number * 0.625:.3f}".encode())
        content = element(0x00209056, "SH", b"1") + element(0x00209057, "UL", struct.pack("<I", number + 1))
        groups.append(sequence(0x00209111, [content]) + sequence(0x00209113, [position]))
    functional = sequence(0x52009230, groups)
    data_set = uids(CT) + image(frames) + functional + long_header(0x7FE00010, "OW", frames * FRAME)
    path = tmp_path / "enhanced.dcm"
    with path.open("wb") as file:
        file.write(part10(CT, "1.2.3.4", data_set=data_set))
        file.truncate(file.tell() + frames * FRAME)
    if path.stat().st_blocks * 512 > 64 * MEGABYTE:
        path.unlink()
        pytest.skip("this file system keeps no sparse files")
    long_form = 2 + 2 * frames  # elements whose header has 12 bytes, and 8 in implicit VR
    yield path, len(data_set) - 4 * long_form + frames * FRAME
    path.unlink()


def test_2_gb_are_recoded_with_less_than_150_mb_of_memory(enhanced_2_gb: tuple[Path, int], scripted_peer: Peer) -> None:
    file, size = enhanced_2_gb
    sink = Sink()
    peer = scripted_peer(another_syntax(sink, IMPLICIT))
    done = measure("127.0.0.1", peer.port, file)
    assert (done.code, done.log, sink.count) == (0, "", size)
    assert done.resident < MOST


def big_endian(frames: int) -> Iterator[bytes]:
    for tag, vr, value in ((0x00080016, b"UI", CT.encode() + b"\0"), (0x00080018, b"UI", b"1.2.3.4\0")):
        yield struct.pack(">HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value
    yield struct.pack(">HH2sHI", 0x7FE0, 0x0010, b"OW", 0, frames * FRAME)
    yield from (bytes(FRAME) for _ in range(frames))


def deflated(frames: int) -> Iterator[bytes]:
    deflater = zlib.compressobj(1, wbits=-15)
    yield deflater.compress(uids(CT) + long_header(0x7FE00010, "OW", frames * FRAME))
    yield from (deflater.compress(bytes(FRAME)) for _ in range(frames))
    yield deflater.flush()


@pytest.mark.parametrize(
    ("syntax", "encode"), [(BIG_ENDIAN, big_endian), (DEFLATED, deflated)], ids=["big endian", "deflated"]
)
def test_256_mb_are_swapped_or_inflated_with_less_than_150_mb_of_memory(
    syntax: str, encode: Callable[[int], Iterator[bytes]], scripted_peer: Peer, tmp_path: Path
) -> None:
    frames = 512
    file = tmp_path / "image.dcm"
    with file.open("wb") as written:
        written.write(part10(CT, "1.2.3.4", transfer_syntax=syntax, data_set=b""))
        written.writelines(encode(frames))
    sink = Sink()
    peer = scripted_peer(another_syntax(sink, IMPLICIT))
    done = measure("127.0.0.1", peer.port, file)
    assert (done.code, done.log) == (0, "")
    assert sink.count == len(uids(CT)) + 8 + frames * FRAME
    assert done.resident < MOST


def picture(number: int) -> Any:
    """Something like an image: 12 bits, smooth, with a little noise in a part of it."""
    rows, columns = numpy.mgrid[:512, :512]
    pixels = 1000 + rows + columns // 8 * 3 + number
    pixels[:32] += numpy.random.default_rng(number).integers(0, 8, (32, 512))
    return pixels.astype("<u2")


def jpeg_lossless(pixels: Any) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=16))


def run_length(pixels: Any) -> bytes:
    """PS3.5 Annex G: the high bytes, then the low ones."""
    segments = [imagecodecs.packbits_encode(pixels.view("u1")[:, start::2].copy()) for start in (1, 0)]
    padded = [segment + bytes(len(segment) % 2) for segment in segments]
    return struct.pack("<16L", 2, 64, 64 + len(padded[0]), *[0] * 13) + b"".join(padded)


@pytest.mark.parametrize(
    ("syntax", "encode"), [(JPEG_LOSSLESS, jpeg_lossless), (RLE, run_length)], ids=["JPEG lossless", "RLE"]
)
def test_500_frames_are_decoded_with_less_than_150_mb_of_memory(
    syntax: str, encode: Callable[[Any], bytes], scripted_peer: Peer, tmp_path: Path
) -> None:
    frames = 500
    compressed = [encode(picture(number)) for number in range(5)]
    fragments = [compressed[number % 5] + bytes(len(compressed[number % 5]) % 2) for number in range(frames)]
    front = uids(CT) + image(frames)
    file = tmp_path / "compressed.dcm"
    with file.open("wb") as written:
        encapsulated = long_header(0x7FE00010, "OB", 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
        written.write(part10(CT, "1.2.3.4", transfer_syntax=syntax, data_set=front + encapsulated))
        for fragment in fragments:
            written.write(struct.pack("<HHI", 0xFFFE, 0xE000, len(fragment)) + fragment)
        written.write(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    sink = Sink()
    peer = scripted_peer(another_syntax(sink, IMPLICIT))
    done = measure("127.0.0.1", peer.port, file)
    assert (done.code, done.log) == (0, "")
    assert sink.count == len(front) + 8 + frames * FRAME
    assert done.resident < MOST


# Many images, of which each takes 7.5 MB when it is decoded: ``DCMSEND_DECODED`` says how many.

DECODED: Final = int(os.environ.get("DCMSEND_DECODED", "60"))
BROKEN: Final = 60  # associations
ROWS, COLUMNS = 2560, 1536


@pytest.fixture
def large_rle(tmp_path: Path) -> Path:
    """A small file of one large frame: 16 bits, and much of it the same."""
    pixels = numpy.zeros((ROWS, COLUMNS), "<u2")
    pixels[:100] = numpy.random.default_rng(12).integers(0, 4096, (100, COLUMNS), "u2")
    frame = run_length(pixels)
    size = {0x00280010: ROWS, 0x00280011: COLUMNS}
    data_set = uids(CT) + image(1)
    for tag, number in size.items():
        old = element(tag, "US", struct.pack("<H", 512))
        data_set = data_set.replace(old, element(tag, "US", struct.pack("<H", number)))
    data_set += long_header(0x7FE00010, "OB", 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    data_set += struct.pack("<HHI", 0xFFFE, 0xE000, len(frame)) + frame + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    path = tmp_path / "large.dcm"
    path.write_bytes(part10(CT, "1.2.3.4", transfer_syntax=RLE, data_set=data_set))
    return path


def test_many_decoded_images_take_less_than_150_mb_of_memory(large_rle: Path, scripted_peer: Peer) -> None:
    sink = Sink()
    first, *_ = another_syntax(sink, EXPLICIT)
    peer = scripted_peer([first, *[sink] * DECODED, release()])
    done = measure("--send-duplicates", "127.0.0.1", peer.port, *[large_rle] * DECODED)
    assert (done.code, done.log) == (0, "")
    assert sink.count > DECODED * ROWS * COLUMNS * 2
    assert done.resident < MOST


def test_decoded_images_and_a_peer_that_aborts_take_less_than_150_mb_of_memory(
    large_rle: Path, scripted_peer: Peer
) -> None:
    """What was decoded ahead is let go with each association."""
    first, *_ = another_syntax(Sink(), EXPLICIT)
    peer = scripted_peer(*[[first, expect(pdus.P_DATA_TF), send(pdus.abort())]] * BROKEN)
    done = measure("-nh", "--send-duplicates", "127.0.0.1", peer.port, *[large_rle] * BROKEN)
    assert done.code == 66, done.log
    assert done.resident < MOST


def test_memory_does_not_grow_with_the_length_of_the_list(tmp_path: Path) -> None:
    """All input is looked at, and nobody listens. The list has more than fits into SQLite's cache of 16 MiB."""
    resident = []
    for name, count in (("few", 1000), ("many", 80_000)):
        folder = tmp_path / name
        folder.mkdir()
        file = folder / "0.dcm"
        file.write_bytes(part10(CT, "1.2.3.4"))
        for number in range(1, count):
            (folder / f"{number}-{'long-name' * 20}.dcm").symlink_to(file)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        done = measure("--scan-first", "--send-duplicates", "+sd", "127.0.0.1", port, folder)
        assert done.code == 61
        assert "cannot connect" in done.log
        resident.append(done.resident)
    assert resident[1] < resident[0] + 40 * MEGABYTE
    assert resident[1] < 80 * MEGABYTE
