"""Memory depends neither on the size of an instance nor, to speak of, on the number of instances.

What is measured is the largest resident set of the command, by a small program that starts it: a child that is
started by the tests themselves would inherit their figure.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.support import pdus, report
from tests.support.builder import element, part10
from tests.support.scripted import Connection, ScriptedPeer, ScriptError, accept, release, store

Peer = Callable[..., ScriptedPeer]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MULTI_FRAME: Final = "1.2.840.10008.5.1.4.1.1.7.4"
MEGABYTE: Final = 1 << 20
LONGEST_VALUE: Final = 0xFFFFFFFE  # bytes: the longest value with a defined length (PS3.5 7.1.1)
LIMIT: Final = 300.0  # seconds

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs wait4")

MEASURE: Final = """
import os, sys
child = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-m", "dcmsend", *sys.argv[1:]])
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
