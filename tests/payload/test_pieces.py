"""Where outgoing bytes stand: every kind of piece gives out its bytes once, in order, into buffers of any cut."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dcmsend.errors import FileError
from dcmsend.payload.pieces import SHRUNK, Chunks, FileRange, Memory, Spool, chunks_of_file, cut

if TYPE_CHECKING:
    from dcmsend.payload.pieces import Piece

DATA = bytes(range(256)) * 40


def given(piece: Piece, sizes: tuple[int, ...] = (1, 4095, 3, 4096)) -> bytes:
    """All bytes of a piece, in views of these sizes over and over."""
    out = b""
    while len(out) < piece.length:
        left = piece.length - len(out)
        views = []
        for size in sizes:
            if left:
                views.append(memoryview(bytearray(min(size, left))))
                left -= len(views[-1])
        piece.fill(list(views))
        out += b"".join(views)
    return out


@pytest.fixture
def descriptor(tmp_path: Path) -> Any:
    (tmp_path / "file").write_bytes(b"before" + DATA + b"behind")
    number = os.open(tmp_path / "file", os.O_RDONLY)
    yield number
    os.close(number)


def test_memory_file_and_chunks_give_the_same(descriptor: int) -> None:
    chunks = (DATA[:1], DATA[1:5000], DATA[5000:])
    for piece in (
        Memory(DATA),
        Memory(memoryview(DATA)),
        FileRange(descriptor, 6, len(DATA)),
        Chunks(chunks, len(DATA)),
    ):
        assert piece.length == len(DATA)
        assert given(piece) == DATA
    assert b"".join(chunks_of_file(descriptor, 6, len(DATA))) == DATA


@pytest.mark.parametrize(
    "make", [lambda fd: FileRange(fd, 6, 20_000), lambda fd: Chunks(chunks_of_file(fd, 6, 20_000), 20_000)]
)
def test_a_file_that_became_shorter(make: Callable[[int], Piece], descriptor: int) -> None:
    with pytest.raises(FileError, match=re.escape(str(SHRUNK))):
        given(make(descriptor))


def test_a_spool_in_memory_and_beyond() -> None:
    for limit in (len(DATA), len(DATA) - 1, 0):
        spool = Spool(limit=limit)
        for start in range(0, len(DATA), 1000):
            spool.write(DATA[start : start + 1000])
        assert spool.length == len(DATA)
        assert given(spool.piece()) == DATA
        assert given(spool.piece(7, 5001)) == DATA[7:5001]
        spool.close()
        spool.close()


@pytest.mark.parametrize("limit", [4 * len(DATA), len(DATA) - 1, 1])
def test_memory_that_is_taken(limit: int) -> None:
    """It is not copied, unless more follows or it is too much."""
    taken = bytearray(DATA)
    spool = Spool(limit=limit)
    spool.take(memoryview(taken))
    assert given(spool.piece()) == DATA
    spool.write(b"more")
    spool.take(memoryview(b"and more"))
    assert given(spool.piece()) == DATA + b"moreand more"
    spool.close()
    assert taken == DATA


def test_a_spool_asks_whether_to_go_on() -> None:
    def no() -> None:
        raise FileError("stopped")

    with pytest.raises(FileError, match="stopped"):
        Spool(no).write(b"a")
    spool = Spool(no)
    with pytest.raises(FileError, match="stopped"):
        spool.take(memoryview(b"a"))
    assert spool.length == 0


def test_no_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(FileError, match=r"folder for temporary files \(TMPDIR\): No such file or directory"):
        Spool(limit=1).write(b"ab")


def test_a_full_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, data: memoryview) -> int:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    spool = Spool(limit=1)
    with pytest.raises(FileError, match=r"does not fit .* No space left on device"):
        spool.write(b"ab")
    spool.close()


@pytest.mark.parametrize(("start", "end"), [(0, 12), (0, 1), (3, 4), (2, 7), (4, 8), (11, 12), (0, 4), (5, 12)])
def test_cut(start: int, end: int) -> None:
    views = [memoryview(b"abcd"), memoryview(b""), memoryview(b"efg"), memoryview(b"hijkl")]
    pieces = [bytes(piece) for piece in cut(views, start, end)]
    assert b"".join(pieces) == b"abcdefghijkl"[start:end]
    assert all(pieces)
