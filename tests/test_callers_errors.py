"""What a caller's listener or source raises is the caller's, whatever its kind: every public function raises it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import dcmsend
from dcmsend import errors
from tests.support import pdus
from tests.support.builder import part10
from tests.support.scripted import ScriptedPeer, accept, drain, expect, store

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
Peer = Callable[..., ScriptedPeer]

# Of each kind that somebody of ours catches on the way, and two that are none of ours.
KINDS: Final[tuple[Callable[[], Exception], ...]] = (
    lambda: errors.ListError("theirs"),
    lambda: errors.FileError("theirs"),
    lambda: errors.ConnectionLost("theirs"),
    lambda: errors.JournalError("theirs"),
    lambda: errors.Interrupted("theirs"),
    lambda: errors.RunStopped("theirs"),
    lambda: OSError(24, "theirs"),
    lambda: MemoryError("theirs"),
    lambda: ValueError("theirs"),
)
NAMES: Final = [type(make()).__name__ for make in KINDS]


def _sending(peer: dcmsend.Peer, sources: Any, **settings: Any) -> None:
    with dcmsend.sending(peer, sources, **settings) as run:
        for _ in run:
            pass


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "1.dcm").write_bytes(part10(CT, "1.2.3.1"))
    return str(tmp_path / "1.dcm")


@pytest.mark.parametrize("make", KINDS, ids=NAMES)
@pytest.mark.parametrize("act", [dcmsend.send, _sending, dcmsend.dry_run, dcmsend.probe])
def test_a_source(act: Callable[..., object], make: Callable[[], Exception], path: str) -> None:
    theirs = make()

    def sources() -> Iterator[str]:
        yield path
        raise theirs

    with pytest.raises(type(theirs)) as caught:
        act(dcmsend.Peer(host="127.0.0.1", port=1), sources())
    assert caught.value is theirs


@pytest.mark.parametrize("make", KINDS[:-3], ids=NAMES[:-3])
@pytest.mark.parametrize("act", [dcmsend.send, _sending, dcmsend.dry_run, dcmsend.probe])
def test_a_file_object(act: Callable[..., object], make: Callable[[], Exception]) -> None:
    theirs = make()

    class Stream(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise theirs

    with pytest.raises(type(theirs)) as caught:
        act(dcmsend.Peer(host="127.0.0.1", port=1), [Stream()])
    assert caught.value is theirs


@pytest.mark.parametrize("make", KINDS, ids=NAMES)
@pytest.mark.parametrize("act", [dcmsend.send, dcmsend.dry_run, dcmsend.probe])
def test_a_listener_at_the_first_event(act: Callable[..., object], make: Callable[[], Exception], path: str) -> None:
    theirs = make()

    def listen(event: object) -> None:
        raise theirs

    with pytest.raises(type(theirs)) as caught:
        act(dcmsend.Peer(host="127.0.0.1", port=1), [path], listener=listen)
    assert caught.value is theirs


@pytest.mark.parametrize("make", KINDS, ids=NAMES)
@pytest.mark.parametrize("associations", [1, 2])
def test_a_listener_in_the_middle(
    associations: int, make: Callable[[], Exception], path: str, scripted_peer: Peer
) -> None:
    """The association is aborted, and nothing is left behind."""
    theirs = make()
    peer = scripted_peer([accept(), store(), drain()])

    def listen(event: object) -> None:
        if isinstance(event, dcmsend.InstanceFinished):
            raise theirs

    limits = dcmsend.Limits(associations=associations)
    with pytest.raises(type(theirs)) as caught:
        dcmsend.send(dcmsend.Peer(host="127.0.0.1", port=peer.port), [path], listener=listen, limits=limits)
    assert caught.value is theirs
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("make", KINDS, ids=NAMES)
@pytest.mark.parametrize("act", [dcmsend.probe, dcmsend.echo])
def test_a_listener_of_an_association(
    act: Callable[..., object], make: Callable[[], Exception], path: str, scripted_peer: Peer
) -> None:
    theirs = make()
    peer = scripted_peer([accept(), expect(pdus.A_ABORT), drain()])

    def listen(event: object) -> None:
        if isinstance(event, dcmsend.AssociationAccepted):
            raise theirs

    given = ([path],) if act is dcmsend.probe else ()
    with pytest.raises(type(theirs)) as caught:
        act(dcmsend.Peer(host="127.0.0.1", port=peer.port), *given, listener=listen)
    assert caught.value is theirs
