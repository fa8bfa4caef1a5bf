"""Open files: what became of one while it was open, and what cannot be opened at all."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dcmsend.errors import FileError
from dcmsend.files import given
from dcmsend.files.opening import OpenFile, read_beginning
from dcmsend.reasons import Reason, because


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "a"
    made.write_bytes(b"abcd")
    os.utime(made, ns=(0, 1_000_000_000))
    return made


def rewrite(path: Path) -> None:
    """In place, with the time put back."""
    with path.open("r+b") as stream:
        stream.write(b"else")
    os.utime(path, ns=(0, 1_000_000_000))


def link(path: Path) -> None:
    (path.parent / "b").hardlink_to(path)


@pytest.mark.parametrize(
    ("change", "code", "passes"),
    [
        (lambda path: path.write_bytes(b"abcde"), "changed_while_sent", False),
        (lambda path: os.utime(path), "changed_while_sent", False),
        (rewrite, "touched_while_sent", True),
        (link, "touched_while_sent", True),
        (lambda path: path.chmod(0o600), "touched_while_sent", True),
    ],
)
@pytest.mark.parametrize("kind", ["path", "file object"])
def test_a_file_that_changes_while_it_is_open(
    kind: str, change: Callable[[Path], object], code: str, passes: bool, path: Path
) -> None:
    """A mere mode or a link says nothing of its content; but nor does a time that can be put back."""
    with path.open("rb") as stream:
        kept = given._keep(stream, 1)
    with OpenFile(str(path)) if kind == "path" else kept.opened() as file:
        file.require_unchanged()
        change(path)
        with pytest.raises(FileError) as caught:
            file.require_unchanged()
    assert caught.value.reason == because(code)
    assert caught.value.reason.passes is passes
    if passes:  # opened anew, it is another attempt
        with OpenFile(str(path)) if kind == "path" else kept.opened() as file:
            file.require_unchanged()
    kept.close()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", because("invalid_file_name")),
        ("a\0b", because("invalid_file_name")),
        ("\ud800", because("invalid_file_name")),
        ("gone", because("not_found", words="No such file or directory")),
        ("x" * 300, because("name_too_long", words="File name too long")),
    ],
)
def test_what_cannot_be_opened(name: str, reason: Reason) -> None:
    with pytest.raises(FileError) as caught:
        OpenFile(name)
    assert caught.value.reason == reason
    assert caught.value.hint


def test_a_share_that_is_gone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(_: int) -> None:
        raise OSError(116, "Stale file handle")

    with OpenFile(str(path)) as file:
        with monkeypatch.context() as patched, pytest.raises(FileError) as caught:
            patched.setattr(os, "fstat", stale)
            file.require_unchanged()
        assert caught.value.reason == because("read_error", words="Stale file handle")


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        read_beginning(str(tmp_path), 10)
    assert caught.value.reason == because("not_a_regular_file", kind="directory")
    with pytest.raises(FileError) as caught:
        given._keep(io.BufferedWriter(io.BytesIO()), 1)
    assert caught.value.reason.code in ("system", "source_not_read")
