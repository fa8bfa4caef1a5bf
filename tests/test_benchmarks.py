"""The benchmark program still works: its receiver and its proxy, one quick pass, and the page that comes of results."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import pytest

from tests.support import pdus

BENCHMARKS: Final = Path(__file__).parents[1] / "benchmarks"
LIMIT: Final = 120.0  # seconds
MR: Final = "1.2.840.10008.5.1.4.1.1.4"

Command = Callable[..., CompletedProcess[str]]


class Program:
    """One of the benchmarks' programs that print the port on which they listen."""

    def __init__(self, name: str, *options: str) -> None:
        command = [sys.executable, str(BENCHMARKS / name), *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def end(self) -> str:
        """End its standard input; what it says then."""
        told, _ = self._process.communicate(timeout=LIMIT)
        return told

    def terminate(self) -> str:
        self._process.terminate()
        assert self._process.stdout is not None
        told = self._process.stdout.read()
        self._process.wait(LIMIT)
        return told

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Start a program; it is stopped with the test."""
    with contextlib.ExitStack() as stack:

        def make(name: str, *options: str) -> Program:
            program = Program(name, *options)
            stack.callback(program.stop)
            return program

        yield make


@pytest.fixture(scope="module")
def receiver() -> Any:
    """The receiver's module: benchmarks are no package."""
    specification = importlib.util.spec_from_file_location("benchmarks_receiver", BENCHMARKS / "receiver.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def run(program: str, *options: str) -> CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / program), *options]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)


# --- receiver


def test_receiver_counts_what_our_sender_sends(start: Callable[..., Program], run_dcmsend: Command, data: Path) -> None:
    files = sorted((data / "samples").iterdir())
    program = start("receiver.py", "--max-pdu=4096", "--window=4")
    done = run_dcmsend("+sd", "--async-window", "9", "127.0.0.1", str(program.port), data / "samples")
    assert done.returncode == 0, done.stderr
    seen = json.loads(program.end())
    assert seen["instances"] == len(files)
    assert 0 < seen["bytes"] < sum(file.stat().st_size for file in files)
    assert seen["windows"] == {"4": 1}
    assert (seen["associations"], seen["unreleased"], seen["aborts"]) == (1, 0, 0)
    assert sum(seen["per_second"].values()) == len(files)


def test_receiver_answers_a_sender_of_others(start: Callable[..., Program], data: Path) -> None:
    program = start("receiver.py")
    command = [sys.executable, "-m", "pynetdicom", "storescu", "-v", "-cx", "127.0.0.1", str(program.port)]
    done = subprocess.run(
        [*command, str(data / "samples" / "ct_explicit.dcm")], capture_output=True, text=True, timeout=LIMIT, check=True
    )
    assert "Success)" in done.stdout + done.stderr
    seen = json.loads(program.terminate())
    assert (seen["instances"], seen["windows"], seen["unreleased"]) == (1, {"1": 1}, 0)


@pytest.mark.parametrize("size", [1, 5, 11, 12, 13, 997, 1 << 16])
def test_receiver_gives_the_same_answers_whatever_the_pieces(receiver: Any, size: int) -> None:
    """Two instances, the second with PDUs of several PDVs; a look whether anybody is there; the release."""
    answers, seen = _converse(receiver, _conversation(), size)
    kinds = [kind for kind, _ in _split(answers)]
    assert kinds == [pdus.A_ASSOCIATE_AC, *[pdus.P_DATA_TF] * 3, pdus.A_RELEASE_RP]
    responses = [pdus.parse_command(pdus.parse_pdvs(body)[0][3]) for kind, body in _split(answers) if kind == 4]
    assert [response[0x0100] for response in responses] == [b"\x01\x80", b"\x01\x80", b"\x30\x80"]
    assert [response[0x0120] for response in responses] == [b"\x01\x00", b"\x01\x00", b"\x07\x00"]
    assert [response.get(0x1000) for response in responses] == [b"2.25.1", b"2.25.22\0", None]
    assert (seen.instances, seen.bytes, seen.echoes) == (2, 3000 + 500, 1)


def test_receiver_answers_no_earlier_than_the_last_byte(receiver: Any) -> None:
    stream = pdus.associate_rq((pdus.Offer(1, MR, (pdus.IMPLICIT_LITTLE,)),))
    stream += pdus.store_rq(1, MR, "2.25.1", bytes(3000))
    without, seen = _converse(receiver, stream[:-1], 1 << 16)
    assert (len(_split(without)), seen.instances) == (1, 0)
    whole, seen = _converse(receiver, stream, 1 << 16)
    assert (len(_split(whole)), seen.instances) == (2, 1)


def _conversation() -> bytes:
    offers = (pdus.Offer(1, MR, (pdus.IMPLICIT_LITTLE,)), pdus.Offer(3, pdus.VERIFICATION, (pdus.IMPLICIT_LITTLE,)))
    several = b"".join(pdus.p_data(1, bytes(100), command=False, last=number == 4)[6:] for number in range(5))
    whole = pdus.store_rq(1, MR, "2.25.22", b"\0\0")
    command = whole[: 6 + int.from_bytes(whole[2:6], "big")]  # without the data set that it announces
    echo = pdus.command_set((0x0002, pdus.VERIFICATION.encode() + b"\0"), (0x0100, b"\x30\0"), (0x0110, b"\x07\0"))
    return b"".join(
        (
            pdus.associate_rq(offers),
            pdus.store_rq(1, MR, "2.25.1", bytes(3000), max_pdu=1000),
            command,
            pdus.pdu(pdus.P_DATA_TF, several),
            pdus.p_data(3, echo),
            pdus.release_rq(),
        )
    )


def _converse(receiver: Any, stream: bytes, size: int) -> tuple[bytes, Any]:
    """Show the receiver a stream in pieces: its answers, and what it has counted."""
    statistics = receiver.Statistics()
    buffer = bytearray(receiver.BUFFER)
    ours, its = socket.socketpair()
    with ours, its:
        its.settimeout(0)
        connection = receiver.Connection(its, receiver.Association(statistics, 16384, 0))
        for begin in range(0, len(stream), size):
            ours.sendall(stream[begin : begin + size])
            connection.read(buffer, memoryview(buffer))
        its.shutdown(socket.SHUT_WR)
        with ours.makefile("rb") as file:
            return file.read(), statistics


def _split(stream: bytes) -> list[tuple[int, bytes]]:
    """Types and bodies of the PDUs."""
    found = []
    while stream:
        length = 6 + int.from_bytes(stream[2:6], "big")
        found.append((stream[0], stream[6:length]))
        stream = stream[length:]
    return found


# --- proxy


def test_proxy_delays_and_changes_nothing(start: Callable[..., Program]) -> None:
    """No round trip is shorter than it shall be, however slow the machine; the first has to pay for the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = start("proxy.py", f"--to={listener.getsockname()[1]}", "--round-trip=30")
        sent = bytes(range(256)) * 4096
        began = time.monotonic()  # before the handshake, which is what the proxy counts from
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=LIMIT) as client:
            client.sendall(sent[:1])
            server, _ = listener.accept()
            with server:
                server.settimeout(LIMIT)
                assert server.recv(10) == sent[:1]
                server.sendall(b"answer")
                assert client.recv(10) == b"answer"
                assert time.monotonic() - began >= 0.060
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
                with server.makefile("rb") as file:
                    assert file.read() == sent
                server.sendall(b"more")
            with client.makefile("rb") as file:
                assert file.read() == b"more"
    assert proxy.end() == ""


def test_proxy_closes_when_nobody_is_there(start: Callable[..., Program]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        proxy = start("proxy.py", f"--to={closed.getsockname()[1]}")
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=LIMIT) as client:
            assert client.recv(1) == b""
    proxy.terminate()


# --- the whole


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """One quick pass with our sender alone: the results, and the page."""
    folder = tmp_path_factory.mktemp("benchmarks")
    (folder / "page.md").write_text("before\n<!-- results: begin -->what was here<!-- results: end -->\nafter\n")
    places = [f"--results={folder / 'results.json'}", f"--page={folder / 'page.md'}", f"--folder={folder / 'kept'}"]
    which = ["--suite=start,speed,network", "--only=one,tiny,large,few", "--server=receiver-16k", "--round-trip=5"]
    done = run("run.py", "--quick", *which, "--sender=dcmsend-ours,python-pass,raw-sendfile", *places)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "results.json").read_text()), (folder / "page.md").read_text()


def test_quick_pass_measures(quick: tuple[dict[str, Any], str]) -> None:
    results, _ = quick
    found = {
        (each["work"], each["sender"]): each
        for each in results["measurements"]
        if (each["associations"], each["window"]) == (1, 1)
    }
    assert {failure for each in found.values() if (failure := each["failure"])} == set()
    assert set(found) == {
        ("one", "python-pass"),
        ("one", "dcmsend-ours"),
        ("tiny", "dcmsend-ours"),
        ("large", "dcmsend-ours"),
        ("large", "raw-sendfile"),
        ("few", "dcmsend-ours"),
    }
    assert found["few", "dcmsend-ours"]["round_trip"] == 5
    for each in found.values():
        for one in each["runs"]:
            assert one["wall"] > 0
            assert one["processor"] > 0
            assert one["memory"] > 1
    assert found["tiny", "dcmsend-ours"]["runs"][0]["per_second"] == [5]


def test_quick_pass_gives_a_page(quick: tuple[dict[str, Any], str]) -> None:
    _, page = quick
    assert page.startswith("before\n<!-- results: begin -->\n")
    assert page.endswith("<!-- results: end -->\nafter\n")
    assert "what was here" not in page
    assert "| dcmsend-ours | 1 | " in page
    assert "| 1 | into Orthanc: times dcmsend | at least 15 |  |  |" in page, "what was not measured has no value"


def test_quick_pass_through_tls(dcmtk: Callable[[str], str], openssl_command: str, tmp_path: Path) -> None:
    """Ours and DCMTK's, with the same options, and ours without."""
    dcmtk("storescp")
    places = [f"--results={tmp_path / 'results.json'}", f"--page={tmp_path / 'page.md'}"]
    done = run("run.py", "--quick", "--suite=tls", "--only=tiny", "--sender=dcmsend-ours,dcmtk-storescu", *places)
    assert done.returncode == 0, done.stderr
    measurements = json.loads((tmp_path / "results.json").read_text())["measurements"]
    assert [(each["server"], each["sender"], each["failure"]) for each in measurements] == [
        ("storescp-tls", "dcmsend-ours", ""),
        ("storescp-tls", "dcmtk-storescu", ""),
        ("storescp", "dcmsend-ours", ""),
    ]
    assert ["+tls key.pem certificate.pem" in each["command"] for each in measurements] == [True, True, False]
    assert "### TLS" in (tmp_path / "page.md").read_text()


def test_what_does_not_run_is_told(tmp_path: Path) -> None:
    """A failed run stands in the table with its reason, and nothing is computed of it."""
    results, page = tmp_path / "results.json", tmp_path / "page.md"
    failed = _measurement("tiny", "storescp", "dcmsend-ours", 0.1) | {"failure": "3 of 5 instances arrived"}
    _write(results, [failed, _measurement("tiny", "storescp", "dcmtk-dcmsend", 1.0)])
    done = run("render.py", f"--results={results}", f"--page={page}")
    assert done.returncode == 0, done.stderr
    assert "| dcmsend-ours | failed: 3 of 5 instances arrived |" in page.read_text()
    assert "times dcmsend | at least 80 |  |  |" in page.read_text()


def test_promises_are_computed(tmp_path: Path) -> None:
    """Medians decide: 500 instances in 0.2, 0.1 and 9 s are 2,500 per second."""
    results, page = tmp_path / "results.json", tmp_path / "page.md"
    _write(
        results,
        [
            _measurement("tiny", "storescp", "dcmsend-ours", 0.2, 0.1, 9),
            _measurement("tiny", "storescp", "dcmtk-dcmsend", 16.0),
            _measurement("tiny", "storescp", "dcmtk-dcmsend-nodelay", 7.0),
        ],
    )
    assert run("render.py", f"--results={results}", f"--page={page}").returncode == 0
    rows = [line for line in page.read_text().splitlines() if line.startswith("| 1 | ")]
    assert rows[0].endswith("| at least 2000 | 2,500 | yes |")
    assert rows[2].endswith("| at least 80 | 80.0 | yes |")
    assert rows[3].endswith("| at least 40 | 35.0 | **no** |")


def _measurement(work: str, server: str, sender: str, *seconds: float) -> dict[str, Any]:
    return {
        "suite": "speed",
        "work": work,
        "server": server,
        "sender": sender,
        "instances": 500,
        "megabytes": 16.4,
        "command": "send",
        "date": "2026-11-25 12:00",
        "version": "1",
        "runs": [{"wall": wall, "processor": wall, "memory": 10} for wall in seconds],
    }


def _write(path: Path, measurements: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({"measurements": measurements}))
