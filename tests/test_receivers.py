"""What is known of receivers in the field, line by line: each peculiarity as a test.

Played by the real program where it can be had, else by a scripted peer that does what the program was seen to do.
"""

from __future__ import annotations

import getpass
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.support import part10, pdus, report, servers
from tests.support.builder import element
from tests.support.builder import part10 as build
from tests.support.scripted import ScriptedPeer, accept, close, drain, expect, expect_message, reject, release, store

Peer = Callable[..., ScriptedPeer]
Command = Callable[..., CompletedProcess[str]]

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PRIVATE = "1.2.826.0.1.3680043.2.1143.9999.1"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"
UNCOMPRESSED = (IMPLICIT, EXPLICIT, BIG_ENDIAN)
SUCCESS = "0x0000 (Success)"
REFUSED = "<no acceptable presentation context>"


def write(path: Path, sop_class: str, number: int, syntax: str = EXPLICIT) -> Path:
    """A file of this class in explicit or implicit VR little endian, its UIDs made of the number."""
    uid = f"1.2.3.{number}"
    values = ((0x00080016, sop_class), (0x00080018, uid), (0x0020000D, "1.2.4"), (0x0020000E, "1.2.5"))
    encode = implicit if syntax == IMPLICIT else lambda tag, value: element(tag, "UI", value)
    data_set = b"".join(encode(tag, value.encode()) for tag, value in values)
    path.write_bytes(build(sop_class, uid, transfer_syntax=syntax, data_set=data_set))
    return path


def implicit(tag: int, value: bytes) -> bytes:
    """An implicit VR little endian element (PS3.5 7.1.3), its UID padded to even length."""
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def same_bytes(server: Any, files: Sequence[Path], but: Sequence[Path] = ()) -> bool:
    """Whether the server keeps exactly the data sets of these files, and other bytes for each of those in ``but``."""
    sent: dict[str, list[bytes]] = {}
    for file in files:
        sent.setdefault(instance_of(file), []).append(part10.dataset(file))
    stored = server.stored()
    others = {instance: stored.pop(instance, []) for instance in map(instance_of, but)}
    return bool(sent == stored) and all(
        len(found) == 1 and found != [part10.dataset(file)] for file, found in zip(but, others.values(), strict=True)
    )


def syntax_of(file: Path) -> str:
    meta, _ = part10.split(file.read_bytes())
    return part10.uid(meta[part10.TRANSFER_SYNTAX])


def instance_of(file: Path) -> str:
    meta, _ = part10.split(file.read_bytes())
    return part10.uid(meta[part10.SOP_INSTANCE])


def send_and_read(
    run_dcmsend: Command, folder: Path, *words: object, code: int
) -> tuple[list[report.Row], CompletedProcess[str]]:
    """Send with a report; its rows, and what the run said."""
    path = folder / "report.txt"
    done = run_dcmsend("+crf", path, *(str(word) for word in words), timeout=60)
    assert done.returncode == code, done.stderr
    return report.rows(path), done


class TestStorescp:
    """DCMTK's storescp as it comes: two writes for a response, Nagle's algorithm on."""

    def test_takes_any_class_and_all_its_syntaxes(
        self, run_dcmsend: Command, storescp: Any, samples: list[Path], tmp_path: Path
    ) -> None:
        """Process 14 without a first-order predictor, which its ``+xa`` leaves out, is decoded for it."""
        server = storescp(no_delay=False)
        files = [*samples, write(tmp_path / "private.dcm", PRIVATE, 1)]
        words = ("-v", "-nuc", "127.0.0.1", server.port, *files)
        rows, done = send_and_read(run_dcmsend, tmp_path, *words, code=0)
        assert "Max Send PDV: 16372" in done.stderr  # 16384 without its headers
        converted = [Path(row["Filename"]) for row in rows if row["Network Xfer"] != row["Original Xfer"]]
        assert [path.name for path in converted] == ["ct_enhanced_jpeg_lossless.dcm"]
        told = "Converting transfer syntax: JPEG Lossless, Non-hierarchical, Process 14 -> Little Endian Explicit"
        assert done.stderr.count(told) == done.stderr.count("Converting") == 1
        assert same_bytes(server, [path for path in files if path not in converted], but=converted)

    def test_without_options_it_takes_only_uncompressed_syntaxes(
        self, run_dcmsend: Command, storescp: Any, data: Path, tmp_path: Path
    ) -> None:
        server = storescp(defaults=(), no_delay=False)
        files = [data / "samples" / name for name in ("us_rle.dcm", "ct_explicit.dcm", "mr_implicit.dcm")]
        words = ("-nh", "-dn", "127.0.0.1", server.port, *files)
        rows, _ = send_and_read(run_dcmsend, tmp_path, *words, code=66)
        assert [row["DIMSE Status"] for row in rows] == [REFUSED, SUCCESS, SUCCESS]
        assert "RLE Lossless" in rows[0]["Reason"]
        assert "and it is not converted: decompression is not allowed" in rows[0]["Reason"]
        assert same_bytes(server, files[1:])

    def test_what_is_lossless_is_decompressed_for_it(
        self, run_dcmsend: Command, storescp: Any, data: Path, tmp_path: Path
    ) -> None:
        server = storescp(defaults=(), no_delay=False)
        files = [data / "samples" / name for name in ("us_rle.dcm", "ct_explicit.dcm", "mr_implicit.dcm")]
        rows, _ = send_and_read(run_dcmsend, tmp_path, "127.0.0.1", server.port, *files, code=0)
        assert [row["Network Xfer"].split()[0] for row in rows] == [EXPLICIT, EXPLICIT, IMPLICIT]
        assert same_bytes(server, files[1:], but=files[:1])

    def test_preferring_explicit_does_not_matter_to_an_implicit_file(
        self, run_dcmsend: Command, storescp: Any, tmp_path: Path
    ) -> None:
        """Each syntax has a context of its own, so there is nothing to prefer."""
        server = storescp("+x=", defaults=("-pm",))
        files = [write(tmp_path / "1.dcm", CT, 1), write(tmp_path / "2.dcm", CT, 2, IMPLICIT)]
        send_and_read(run_dcmsend, tmp_path, "127.0.0.1", server.port, *files, code=0)
        assert same_bytes(server, files)


class TestDcmrecv:
    def test_rejects_the_association_when_nothing_suits_it(
        self, run_dcmsend: Command, dcmrecv: Any, tmp_path: Path
    ) -> None:
        file = write(tmp_path / "private.dcm", PRIVATE, 1)
        server = dcmrecv(sop_classes=[CT])
        rows, done = send_and_read(run_dcmsend, tmp_path, "-nh", "-nuc", "127.0.0.1", server.port, file, code=61)
        assert "when no presentation context suits them" in done.stderr
        assert "association rejected" in rows[0]["Reason"]

    def test_refuses_a_class_that_it_does_not_know(self, run_dcmsend: Command, dcmrecv: Any, tmp_path: Path) -> None:
        files = [write(tmp_path / "1.dcm", PRIVATE, 1), write(tmp_path / "2.dcm", CT, 2)]
        server = dcmrecv(sop_classes=[CT], no_delay=False)
        rows, _ = send_and_read(run_dcmsend, tmp_path, "-nh", "-nuc", "127.0.0.1", server.port, *files, code=66)
        assert [row["DIMSE Status"] for row in rows] == [REFUSED, SUCCESS]
        assert "the peer does not support this SOP class" in rows[0]["Reason"]
        assert same_bytes(server, files[1:])


@pytest.fixture
def dcmqrscp(dcmtk: Callable[[str], str], tmp_path: Path) -> Iterator[servers.FolderServer]:
    """DCMTK's archive with one title, ARCHIVE, that anybody may write to."""
    program = dcmtk("dcmqrscp")
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "index").mkdir()
    configuration = folder / "dcmqrscp.cfg"
    lines = [
        "NetworkTCPPort = 104",  # the one on the command line counts
        "MaxPDUSize = 131072",
        "MaxAssociations = 4",
        f"UserName = {getpass.getuser()}",
        "HostTable BEGIN",
        "HostTable END",
        "VendorTable BEGIN",
        "VendorTable END",
        "AETable BEGIN",
        f"ARCHIVE {folder / 'index'} RW (200, 1024mb) ANY",
        "AETable END",
    ]
    configuration.write_text("\n".join((*lines, "")))
    words = [program, "-v", "-s", "-c", str(configuration)]
    server = servers._dcmtk(folder, words, "ARCHIVE", no_delay=True)
    yield server
    server.stop()


class TestDcmqrscp:
    def test_rejects_a_wrong_called_title(
        self, run_dcmsend: Command, dcmqrscp: servers.FolderServer, tmp_path: Path
    ) -> None:
        file = write(tmp_path / "1.dcm", CT, 1)
        rows, done = send_and_read(run_dcmsend, tmp_path, "-aec", "WRONG", "127.0.0.1", dcmqrscp.port, file, code=61)
        assert "called AE title not recognised" in done.stderr
        assert "called AE title not recognised" in rows[0]["Reason"]

    def test_with_the_right_title_its_long_pdus_are_used(
        self, run_dcmsend: Command, dcmqrscp: servers.FolderServer, data: Path, tmp_path: Path
    ) -> None:
        file = data / "samples" / "ct_explicit.dcm"
        words = ("-v", "-aec", "ARCHIVE", "127.0.0.1", dcmqrscp.port, file)
        _, done = send_and_read(run_dcmsend, tmp_path, *words, code=0)
        assert "Max Send PDV: 131060" in done.stderr
        (kept,) = (tmp_path / "archive" / "index").glob("*.dcm")
        assert part10.values(kept.read_bytes()) == part10.values(file.read_bytes())


class TestOrthanc:
    def test_accepts_all_classes_when_told_so(self, run_dcmsend: Command, orthanc: Any, tmp_path: Path) -> None:
        files = [write(tmp_path / "1.dcm", PRIVATE, 1), write(tmp_path / "2.dcm", CT, 2, IMPLICIT)]
        server = orthanc()
        _, done = send_and_read(run_dcmsend, tmp_path, "-v", "-nuc", "127.0.0.1", server.port, *files, code=0)
        assert "Max Send PDV: 16372" in done.stderr
        assert set(server.instances()) == {"1.2.3.1", "1.2.3.2"}

    def test_refuses_unknown_classes_otherwise(self, run_dcmsend: Command, orthanc: Any, tmp_path: Path) -> None:
        files = [write(tmp_path / "1.dcm", PRIVATE, 1), write(tmp_path / "2.dcm", CT, 2)]
        server = orthanc(UnknownSopClassAccepted=False)
        rows, _ = send_and_read(run_dcmsend, tmp_path, "-nh", "-nuc", "127.0.0.1", server.port, *files, code=66)
        assert [row["DIMSE Status"] for row in rows] == [REFUSED, SUCCESS]


class TestPynetdicom:
    def test_takes_the_first_syntax_of_a_context_so_each_has_its_own(
        self, run_dcmsend: Command, pynetdicom_scp: Any, tmp_path: Path
    ) -> None:
        files = [write(tmp_path / "1.dcm", CT, 1), write(tmp_path / "2.dcm", CT, 2, IMPLICIT)]
        server = pynetdicom_scp(syntaxes=[IMPLICIT, EXPLICIT])
        rows, _ = send_and_read(run_dcmsend, tmp_path, "127.0.0.1", server.port, *files, code=0)
        assert [row["Pres. Context"] for row in rows] == ["1", "3"]
        assert same_bytes(server, files)

    def test_refuses_unknown_classes(self, run_dcmsend: Command, pynetdicom_scp: Any, tmp_path: Path) -> None:
        files = [write(tmp_path / "1.dcm", MR, 1), write(tmp_path / "2.dcm", CT, 2)]
        server = pynetdicom_scp(sop_classes=[CT])
        rows, _ = send_and_read(run_dcmsend, tmp_path, "-nh", "127.0.0.1", server.port, *files, code=66)
        assert [row["DIMSE Status"] for row in rows] == [REFUSED, SUCCESS]

    @pytest.mark.parametrize("limit", [16382, 0x3FFD, 0xABCDE, 0])
    def test_odd_maximum_lengths_are_kept(
        self, limit: int, run_dcmsend: Command, pynetdicom_scp: Any, tmp_path: Path
    ) -> None:
        file = tmp_path / "1.dcm"
        file.write_bytes(build(CT, "1.2.3.1", value=bytes(range(256)) * 1000))
        server = pynetdicom_scp(max_pdu=limit)
        send_and_read(run_dcmsend, tmp_path, "127.0.0.1", server.port, file, code=0)
        assert same_bytes(server, [file])


class TestConquest:
    """Conquest 1.5: PDUs of 4096 bytes; neither RLE nor deflated."""

    def test_its_short_pdus_are_kept(self, run_dcmsend: Command, scripted_peer: Peer, tmp_path: Path) -> None:
        file = tmp_path / "1.dcm"
        file.write_bytes(build(CT, "1.2.3.1", value=bytes(100_000)))
        peer = scripted_peer([accept(max_pdu=4096), store(), release()])
        send_and_read(run_dcmsend, tmp_path, "127.0.0.1", peer.port, file, code=0)
        bodies = [body for kind, body in peer.connections[0].received_pdus if kind == pdus.P_DATA_TF]
        assert max(map(len, bodies)) == 4096
        assert peer.messages[0].dataset == part10.dataset(file)

    FILES = ("us_rle.dcm", "ct_deflated.dcm", "ct_explicit.dcm")

    def test_what_it_does_not_decode_is_told_and_the_rest_goes(
        self, run_dcmsend: Command, scripted_peer: Peer, data: Path, tmp_path: Path
    ) -> None:
        files = [data / "samples" / name for name in self.FILES]
        peer = scripted_peer([accept(max_pdu=4096, only=UNCOMPRESSED), store(), release()])
        rows, _ = send_and_read(run_dcmsend, tmp_path, "-nh", "-dn", "127.0.0.1", peer.port, *files, code=66)
        assert [row["DIMSE Status"] for row in rows] == [REFUSED, REFUSED, SUCCESS]
        assert "RLE Lossless" in rows[0]["Reason"]
        assert offered(peer) == [(RLE,), (DEFLATED,), (EXPLICIT,), (IMPLICIT,)]

    def test_what_it_does_not_decode_is_decoded_for_it(
        self, run_dcmsend: Command, scripted_peer: Peer, data: Path, tmp_path: Path
    ) -> None:
        files = [data / "samples" / name for name in self.FILES]
        peer = scripted_peer([accept(max_pdu=4096, only=UNCOMPRESSED), *[store()] * 3, release()])
        rows, _ = send_and_read(run_dcmsend, tmp_path, "127.0.0.1", peer.port, *files, code=0)
        assert [row["Network Xfer"].split()[0] for row in rows] == [EXPLICIT] * 3
        assert [row["Pres. Context"] for row in rows] == ["3", "7", "7"]
        assert offered(peer) == [(RLE,), (EXPLICIT, IMPLICIT), (DEFLATED,), (EXPLICIT,), (IMPLICIT,)]
        deflated, plain = (message.dataset or b"" for message in peer.messages[1:])
        stream = part10.split(files[1].read_bytes())[1]
        assert deflated == zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream)
        assert plain == part10.dataset(files[2])


def offered(peer: ScriptedPeer) -> list[tuple[str, ...]]:
    """The transfer syntaxes of each context that the peer was asked for."""
    request = peer.connections[0].request
    assert request is not None
    return [offer.transfer_syntaxes for offer in request.offers]


class TestPixelMed:
    """PixelMed accepts one context for each abstract syntax, and knows who it is."""

    def test_the_one_context_of_a_class_carries_what_it_can(
        self, run_dcmsend: Command, scripted_peer: Peer, tmp_path: Path
    ) -> None:
        files = [write(tmp_path / f"{number}.dcm", CT, number, (EXPLICIT, IMPLICIT)[number % 2]) for number in range(4)]
        peer = scripted_peer([accept(results={3: 4}), *[store()] * 4, release()])
        rows, done = send_and_read(run_dcmsend, tmp_path, "-v", "127.0.0.1", peer.port, *files, code=0)
        assert [row["Network Xfer"].split()[0] for row in rows] == [EXPLICIT] * 4
        assert {message.context_id for message in peer.messages} == {1}
        assert done.stderr.count("Converting transfer syntax: Little Endian Implicit -> Little Endian Explicit") == 2
        for number, message in enumerate(peer.messages):
            assert message.dataset == part10.dataset(write(tmp_path / "explicit.dcm", CT, number))

    def test_rejects_a_wrong_called_title(self, run_dcmsend: Command, scripted_peer: Peer, tmp_path: Path) -> None:
        peer = scripted_peer([reject(1, 1, 7), drain()])
        file = write(tmp_path / "1.dcm", CT, 1)
        _, done = send_and_read(run_dcmsend, tmp_path, "127.0.0.1", peer.port, file, code=61)
        assert "The peer goes by another AE title: tell it with --call." in done.stderr


class TestCTN:
    """CTN takes uncompressed syntaxes only, and ends when it is connected to without an association."""

    def test_compressed_instances_are_told(
        self, run_dcmsend: Command, scripted_peer: Peer, samples: list[Path], tmp_path: Path
    ) -> None:
        plain = [syntax_of(path) in UNCOMPRESSED for path in samples]
        peer = scripted_peer([accept(only=UNCOMPRESSED), *[store()] * sum(plain), release()])
        rows, _ = send_and_read(run_dcmsend, tmp_path, "-nh", "-dn", "127.0.0.1", peer.port, *samples, code=66)
        assert [row["DIMSE Status"] for row in rows] == [SUCCESS if good else REFUSED for good in plain]

    def test_lossless_compression_is_undone(
        self, run_dcmsend: Command, scripted_peer: Peer, samples: list[Path], tmp_path: Path
    ) -> None:
        lossy = [path.name in self.LOSSY for path in samples]
        assert sum(lossy) == len(self.LOSSY)
        peer = scripted_peer([accept(only=UNCOMPRESSED), *[store()] * lossy.count(False), release()])
        rows, _ = send_and_read(run_dcmsend, tmp_path, "-nh", "127.0.0.1", peer.port, *samples, code=66)
        assert [row["DIMSE Status"] for row in rows] == [REFUSED if bad else SUCCESS for bad in lossy]
        reasons = {row.get("Reason", "").rpartition(": ")[2] for row in rows if row["DIMSE Status"] == REFUSED}
        assert reasons == {"it was compressed with loss, and such data is not decompressed without being asked for"}

    LOSSY = (
        "ct_enhanced_jpeg_ls_near_lossless.dcm",
        "ct_jpeg_2000.dcm",
        "sc_jpeg_baseline.dcm",
        "sc_jpeg_extended.dcm",
    )

    def test_lossy_compression_is_undone_when_asked_for(
        self, run_dcmsend: Command, scripted_peer: Peer, samples: list[Path], tmp_path: Path
    ) -> None:
        peer = scripted_peer([accept(only=UNCOMPRESSED), *[store()] * len(samples), release()])
        rows, _ = send_and_read(run_dcmsend, tmp_path, "+dly", "127.0.0.1", peer.port, *samples, code=0)
        own = [syntax if (syntax := syntax_of(path)) in UNCOMPRESSED else EXPLICIT for path in samples]
        assert [row["Network Xfer"].split()[0] for row in rows] == own

    def test_every_connection_begins_with_an_association_request(
        self, run_dcmsend: Command, scripted_peer: Peer, tmp_path: Path
    ) -> None:
        """No bare connect to see whether somebody is there, also not after failures."""
        files = [write(tmp_path / f"{number}.dcm", CT, number) for number in range(4)]
        broken = [accept(), expect_message(), close()]
        peer = scripted_peer(broken, broken, [accept(), store(), store(), release()])
        send_and_read(run_dcmsend, tmp_path, "-nh", "127.0.0.1", peer.port, *files, code=66)
        assert [connection.received[:1] for connection in peer.connections] == [b"\x01"] * 3


def test_dcmjs_dimse_echoes_a_window_that_was_not_asked_for(
    run_dcmsend: Command, scripted_peer: Peer, tmp_path: Path
) -> None:
    """PDUs of 65536 bytes, and a window of five: still one instance at a time (a second one would fail the script)."""
    files = [write(tmp_path / f"{number}.dcm", CT, number) for number in (1, 2)]
    echoed = pdus.item(0x53, struct.pack(">HH", 5, 5))
    peer = scripted_peer([accept(max_pdu=65536, user=echoed), store(), expect_message(), expect(pdus.A_ABORT), drain()])
    rows, _ = send_and_read(run_dcmsend, tmp_path, "-nh", "-ma", "-td", "1", "127.0.0.1", peer.port, *files, code=66)
    assert [row["DIMSE Status"] for row in rows] == [SUCCESS, "<not sent>"]


def test_odil_accepts_deflated_and_never_answers(
    run_dcmsend: Command, scripted_peer: Peer, data: Path, tmp_path: Path
) -> None:
    """A limit for the response ends the wait, and with ``-nh`` the others go over a new association."""
    files = [data / "samples" / name for name in ("ct_deflated.dcm", "ct_explicit.dcm")]
    silent = [accept(max_pdu=16382), expect_message(), expect(pdus.A_ABORT), drain()]
    peer = scripted_peer(silent, [accept(max_pdu=16382), store(), release()])
    rows, _ = send_and_read(run_dcmsend, tmp_path, "-nh", "-td", "1", "127.0.0.1", peer.port, *files, code=66)
    assert [row["DIMSE Status"] for row in rows] == ["<not sent>", SUCCESS]
    assert "the peer's response took more than 1 seconds" in rows[0]["Reason"]
