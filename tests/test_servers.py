"""The servers and the scripted peer of ``tests/support``, checked with DCMTK's programs and with plain sockets."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final, TypeAlias

import pytest

from tests.support import part10, pdus, scripted, servers

Runner: TypeAlias = Callable[..., CompletedProcess[str]]
Start: TypeAlias = Callable[..., servers.FolderServer]

PLAIN: Final = ("ct_explicit.dcm", "mr_implicit.dcm", "us_big_endian.dcm")


def test_samples_are_enough_and_unique(samples: list[Path]) -> None:
    metas = [part10.split(path.read_bytes())[0] for path in samples]
    instances = {part10.uid(meta[part10.SOP_INSTANCE]) for meta in metas}
    assert len(instances) == len(samples) >= 12
    assert len({part10.uid(meta[part10.TRANSFER_SYNTAX]) for meta in metas}) >= 12
    assert len({part10.uid(meta[part10.SOP_CLASS]) for meta in metas}) >= 8


@pytest.mark.parametrize("name", ["storescp", "dcmrecv", "pynetdicom_scp"])
def test_server_keeps_the_bytes_that_came(name: str, request: pytest.FixtureRequest, samples: list[Path]) -> None:
    server: servers.FolderServer = request.getfixturevalue(name)()
    sent = [path for path in samples if name != "storescp" or "57" not in _syntax(path).split(".")]
    statuses = {path.name: _store(server.port, path) for path in sent}
    assert set(statuses.values()) == {0}, statuses
    stored = server.stored()
    assert set(stored) == {_instance(path) for path in sent}
    for path in sent:
        assert stored[_instance(path)] == [part10.dataset(path)], path.name


def test_orthanc_keeps_the_values_that_came(orthanc: Callable[..., servers.OrthancServer], samples: list[Path]) -> None:
    server = orthanc()
    statuses = {path.name: _store(server.port, path) for path in samples}
    assert set(statuses.values()) == {0}, statuses
    assert set(server.stored()) == {_instance(path) for path in samples}
    for path in samples:
        assert part10.values(server.file(_instance(path))) == part10.values(path.read_bytes()), path.name


def test_pynetdicom_answers_the_statuses_in_turn(
    pynetdicom_scp: Start, dcmsend_oracle: Runner, samples: list[Path], tmp_path: Path
) -> None:
    server = pynetdicom_scp(statuses=[0xB000, 0xA700])
    sent = [path for path in samples if path.name in PLAIN]
    report = tmp_path / "report.txt"
    dcmsend_oracle("-nh", "+crf", report, "127.0.0.1", server.port, *sent)
    assert report.read_text().count("0xa700") == 2
    assert report.read_text().count("0xb000") == 1


def test_pynetdicom_accepts_only_what_it_is_told(pynetdicom_scp: Start, dcmsend_oracle: Runner, data: Path) -> None:
    server = pynetdicom_scp(sop_classes=["1.2.840.10008.5.1.4.1.1.2"], syntaxes=[pdus.IMPLICIT_LITTLE])
    names = ["ct_explicit.dcm", "mr_implicit.dcm"]
    dcmsend_oracle("-nh", "127.0.0.1", server.port, *(data / "samples" / name for name in names))
    assert list(server.stored()) == [_instance(data / "samples" / "ct_explicit.dcm")]


def test_a_server_says_what_is_wrong_with_its_options(storescp: Start) -> None:
    with pytest.raises(servers.ServerError, match="Unknown option --such-thing"):
        storescp("--such-thing")


def test_scripted_peer_stores(
    scripted_peer: Callable[..., scripted.ScriptedPeer], dcmtk: Callable[[str], str], samples: list[Path]
) -> None:
    storescu = dcmtk("storescu")
    peer = scripted_peer([scripted.accept(), scripted.store(), scripted.release()])
    path = next(path for path in samples if path.name == "ct_explicit.dcm")
    arguments = [storescu, "-R", "127.0.0.1", str(peer.port), str(path)]
    subprocess.run(arguments, check=True, timeout=60)
    assert [message.sop_instance for message in peer.messages] == [_instance(path)]


def test_scripted_peer_plays_one_script_for_each_connection() -> None:
    peer = scripted.ScriptedPeer([scripted.reject(2, 3, 1)], [scripted.expect_bytes(1), scripted.reset()])
    with _connection(peer) as first:
        first.sendall(pdus.associate_rq((pdus.Offer(1, pdus.VERIFICATION, (pdus.IMPLICIT_LITTLE,)),)))
        assert first.recv(100, socket.MSG_WAITALL) == bytes.fromhex("03 00 00000004 00 02 03 01")
    with _connection(peer) as second:
        second.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            second.recv(1)
    peer.stop()


def test_scripted_peer_stalls_until_told() -> None:
    peer = scripted.ScriptedPeer([scripted.stall(), scripted.send(b"late"), scripted.drain()])
    with _connection(peer) as connection:
        connection.sendall(b"never mind")
        peer.go_on()
        assert connection.recv(4, socket.MSG_WAITALL) == b"late"
    peer.stop()
    assert bytes(peer.connections[0].received) == b"never mind"


@pytest.mark.parametrize(
    ("script", "sent", "complaint"),
    [
        ([scripted.expect(pdus.A_RELEASE_RQ)], pdus.abort(), r"step 1 \(expect\).*expected PDU type 0x05, got 0x07"),
        ([scripted.expect(pdus.A_RELEASE_RQ)], b"\x05\x00", r"closed after 2 of 6 bytes"),
        ([scripted.expect_close()], b"\x05", r"expected the connection to close, got 05"),
    ],
)
def test_scripted_peer_tells_what_went_otherwise(script: list[scripted.Step], sent: bytes, complaint: str) -> None:
    peer = scripted.ScriptedPeer(script)
    with _connection(peer) as connection:
        connection.sendall(sent)
    with pytest.raises(scripted.ScriptError, match=complaint):
        peer.stop()


def test_scripted_peer_misses_a_connection_that_did_not_come() -> None:
    with pytest.raises(scripted.ScriptError, match="1 scripts, but only 0 connections"):
        scripted.ScriptedPeer([scripted.drain()]).stop()


@pytest.mark.parametrize(
    ("padding", "kept"),
    [
        (b"\xfc\xff\xfc\xffOB\0\0\x02\0\0\0\0\0", b""),
        (b"\xfc\xff\xfc\xff\x02\0\0\0\0\0", b""),
        (b"\xff\xfc\xff\xfcOB\0\0\0\0\0\x02\0\0", b""),
        (b"\xfc\xff\xfc\xff\x03\0\0\0\0\0", b"\xfc\xff\xfc\xff\x03\0\0\0\0\0"),
    ],
    ids=["explicit", "implicit", "big endian", "not at the end"],
)
def test_trailing_padding_is_cut(padding: bytes, kept: bytes) -> None:
    assert part10.without_padding(b"data" + padding) == b"data" + kept


def _connection(peer: scripted.ScriptedPeer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", peer.port), timeout=scripted.LIMIT)


def _instance(path: Path) -> str:
    return part10.uid(part10.split(path.read_bytes())[0][part10.SOP_INSTANCE])


def _syntax(path: Path) -> str:
    return part10.uid(part10.split(path.read_bytes())[0][part10.TRANSFER_SYNTAX])


def _store(port: int, path: Path) -> int:
    """Send a file's data set as it is; the status of the response."""
    meta, _ = part10.split(path.read_bytes())
    sop_class = part10.uid(meta[part10.SOP_CLASS])
    with socket.create_connection(("127.0.0.1", port), timeout=scripted.LIMIT) as plain:
        connection = scripted.Connection(plain, threading.Semaphore())
        plain.sendall(pdus.associate_rq((pdus.Offer(1, sop_class, (_syntax(path),)),)))
        kind, body = connection.read_pdu()
        assert kind == pdus.A_ASSOCIATE_AC
        assert pdus.parse_results(body) == {1: 0}, path.name
        plain.sendall(pdus.store_rq(1, sop_class, _instance(path), part10.dataset(path)))
        status = connection.read_message().number(0x0900)
        plain.sendall(pdus.release_rq())
        assert connection.read_pdu()[0] == pdus.A_RELEASE_RP
    return status
