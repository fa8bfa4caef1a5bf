"""What goes out is what the file is when it is opened, whatever was known of it before: UIDs and transfer syntax."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import dcmsend
from dcmsend.errors import FileError
from dcmsend.events import Event
from dcmsend.files.scan import scan
from dcmsend.light import replace
from dcmsend.model import Conversion, Instance, Notice, Policy, ScanOptions
from dcmsend.payload.opening import PayloadOpener
from dcmsend.plan import Route
from tests.support.builder import element, part10
from tests.support.scripted import ScriptedPeer, accept, release, store

if TYPE_CHECKING:
    from dcmsend.payload.opening import Way

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MR: Final = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
JPEG: Final = "1.2.840.10008.1.2.4.70"
NAME: Final = element(0x00100010, "PN", b"A^B")

Peer = Callable[..., ScriptedPeer]


def data_set(sop_class: str = CT, sop_instance: str = "1.2.3") -> bytes:
    uids = element(0x00080016, "UI", sop_class.encode()) + element(0x00080018, "UI", sop_instance.encode())
    return uids + NAME


@pytest.fixture
def opener() -> PayloadOpener:
    return PayloadOpener(ScanOptions(), Conversion())


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    """As the scan finds it: explicit VR little endian."""
    path = tmp_path / "1.dcm"
    path.write_bytes(part10(CT, "1.2.3", data_set=data_set()))
    (found,) = scan([str(path)], ScanOptions())
    assert isinstance(found, Instance)
    return found


def replaced(instance: Instance, syntax: str = EXPLICIT, sop_class: str = CT, sop_instance: str = "1.2.3") -> None:
    """Another file stands at its path."""
    data = part10(sop_class, sop_instance, transfer_syntax=syntax, data_set=data_set(sop_class, sop_instance))
    Path(instance.path).write_bytes(data)


def no_way(_sop_class: str, _syntax: str) -> Way | None:
    return None


def test_what_is_as_it_was_is_told_nothing_of(opener: PayloadOpener, instance: Instance) -> None:
    for target in (EXPLICIT, IMPLICIT):
        with opener.open(instance, target, no_way) as payload:
            assert (payload.sop_class, payload.sop_instance) == (CT, "1.2.3")
            assert (payload.transfer_syntax, payload.original_syntax) == (target, EXPLICIT)
            assert payload.notices == ()


@pytest.mark.parametrize("target", [EXPLICIT, IMPLICIT])
def test_another_instance_goes_as_what_it_is(opener: PayloadOpener, instance: Instance, target: str) -> None:
    replaced(instance, sop_class=MR, sop_instance="1.9")
    with opener.open(instance, target, no_way) as payload:
        assert (payload.sop_class, payload.sop_instance) == (MR, "1.9")
        assert payload.notices == tuple(
            f"{name} {now} of the file is used, not {before} that its DICOMDIR or an earlier look at it had"
            for name, now, before in (("SOP Class UID", MR, CT), ("SOP Instance UID", "1.9", "1.2.3"))
        )


def test_the_meta_information_is_named_where_it_was_that(opener: PayloadOpener, tmp_path: Path) -> None:
    path = tmp_path / "1.dcm"
    path.write_bytes(part10(MR, "1.9", data_set=data_set()))
    with opener.open(Instance(str(path), MR, "1.9", EXPLICIT), EXPLICIT) as payload:
        assert (payload.sop_class, payload.sop_instance) == (CT, "1.2.3")
        assert payload.notices == (
            f"SOP Class UID {CT} of the data set is used, not {MR} of the file meta information",
            "SOP Instance UID 1.2.3 of the data set is used, not 1.9 of the file meta information",
        )


def test_another_transfer_syntax_takes_another_way(opener: PayloadOpener, instance: Instance) -> None:
    asked: list[tuple[str, str]] = []

    def ways(sop_class: str, syntax: str) -> Way | None:
        asked.append((sop_class, syntax))
        return Route(1, EXPLICIT)

    file = replace(instance, transfer_syntax=JPEG)  # as a DICOMDIR may have it
    with opener.open(file, JPEG, ways) as payload:
        assert (payload.transfer_syntax, payload.original_syntax) == (EXPLICIT, EXPLICIT)
        buffer = bytearray(payload.length)
        payload.fill([memoryview(buffer)])
        assert buffer == data_set()
        (notice,) = payload.notices
        assert notice.startswith(f"Transfer Syntax UID {EXPLICIT} of the file is used, not {JPEG} that its DICOMDIR")
    assert asked == [(CT, EXPLICIT)]


def test_another_sop_class_takes_another_way(opener: PayloadOpener, instance: Instance) -> None:
    """If there is one; if not, whoever sends it says what the peer takes."""
    replaced(instance, sop_class=MR)
    with opener.open(instance, EXPLICIT, lambda sop_class, _: Route(1, IMPLICIT if sop_class == MR else "")) as payload:
        assert (payload.sop_class, payload.transfer_syntax) == (MR, IMPLICIT)


@pytest.mark.parametrize("ways", [None, no_way])
def test_without_a_way_it_has_changed(
    opener: PayloadOpener, instance: Instance, ways: Callable[[str, str], Way | None] | None
) -> None:
    """That reason may pass: another look at the file finds what it is now."""
    with pytest.raises(FileError) as caught:
        opener.open(replace(instance, transfer_syntax=DEFLATED), DEFLATED, ways)
    reason = caught.value.reason
    assert (reason.code, reason.fact("found"), reason.fact("expected")) == ("changed_since_scan", EXPLICIT, DEFLATED)
    assert reason.passes
    assert "it changed since it was looked at" in str(reason)


def test_a_record_of_a_dicomdir_that_says_another_uid(opener: PayloadOpener, data: Path, tmp_path: Path) -> None:
    """The data set's goes out, and both are named."""
    media = tmp_path / "media"
    shutil.copytree(data / "dicomdir", media)
    options = ScanOptions(dicomdir=True)
    first = next(found for found in scan([str(media / "DICOMDIR")], options) if isinstance(found, Instance))
    stated = f"{first.sop_instance[:-1]}{(int(first.sop_instance[-1]) + 1) % 10}"
    content = (media / "DICOMDIR").read_bytes()
    old = first.sop_instance.encode()
    assert content.count(old) == 1
    (media / "DICOMDIR").write_bytes(content.replace(old, stated.encode()))
    listed = next(found for found in scan([str(media / "DICOMDIR")], options) if isinstance(found, Instance))
    assert listed.sop_instance == stated
    with opener.open(listed, listed.transfer_syntax) as payload:
        assert payload.sop_instance == first.sop_instance
        (notice,) = payload.notices
        words = f"SOP Instance UID {first.sop_instance} of the file is used, not {stated} that its DICOMDIR"
        assert notice.startswith(words)


# Runs in which a file is replaced once the scan has seen it.


def run(path: Path, peer: ScriptedPeer) -> tuple[list[str], list[str]]:
    """The notices of a run, and the reasons of its rows."""
    events: list[Event] = []
    target = dcmsend.Peer(host="127.0.0.1", port=peer.port)
    with dcmsend.send(target, [str(path)], policy=Policy(halt=False), listener=events.append) as report:
        reasons = [str(outcome.reason) for _, outcome in report.rows()]
    return [event.text for event in events if isinstance(event, Notice)], reasons


@pytest.fixture
def dicomdir_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is said to be JPEG, and is explicit VR little endian when it is opened."""
    path = tmp_path / "1.dcm"
    path.write_bytes(part10(CT, "1.2.3", transfer_syntax=JPEG, data_set=data_set()))
    plain = PayloadOpener.open

    def open_later(self: PayloadOpener, instance: Instance, *further: object) -> object:
        path.write_bytes(part10(CT, "1.9", data_set=data_set(sop_instance="1.9")))
        return plain(self, instance, *further)  # type: ignore[arg-type]

    monkeypatch.setattr(PayloadOpener, "open", open_later)
    return path


def test_a_replaced_file_is_looked_at_again(dicomdir_like: Path, scripted_peer: Peer) -> None:
    """The peer gets what it is now, under its own UIDs, and both transfer syntaxes are named."""
    peer = scripted_peer([accept(), store(), release()])
    notices, reasons = run(dicomdir_like, peer)
    assert reasons == [""]
    (message,) = peer.messages
    assert (message.sop_instance, message.dataset) == ("1.9", data_set(sop_instance="1.9"))
    assert any(f"Transfer Syntax UID {EXPLICIT} of the file is used, not {JPEG}" in text for text in notices)
    assert any("SOP Instance UID 1.9 of the file is used, not 1.2.3" in text for text in notices)


def test_a_replaced_file_without_a_way(dicomdir_like: Path, scripted_peer: Peer) -> None:
    peer = scripted_peer([accept(results={3: 4}), release()])
    _, reasons = run(dicomdir_like, peer)
    assert reasons == [f"it changed since it was looked at: its transfer syntax is {EXPLICIT}, not {JPEG}"]
