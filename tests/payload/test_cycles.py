"""What a payload was made of is freed when it is done with: nothing waits for the collector.

Each way from one encoding to another, each family of decoders, and failures in the middle of these.
"""

from __future__ import annotations

import gc
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from dcmsend.errors import FileError
from dcmsend.files.elements import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, Encoding
from dcmsend.files.scan import scan
from dcmsend.model import Conversion, Instance, ScanOptions
from dcmsend.payload.opening import PayloadOpener
from dcmsend.stop import Stop
from tests.payload import campaign
from tests.payload.written import Element, item, open_sequence, sequence, write
from tests.support import mutate
from tests.support.builder import part10
from tests.support.cycles import assert_no_cycles, left_behind

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
ENCODINGS: Final = {IMPLICIT: IMPLICIT_LE, EXPLICIT: EXPLICIT_LE, DEFLATED: EXPLICIT_LE, BIG_ENDIAN: EXPLICIT_BE}
CT: Final = "1.2.840.10008.5.1.4.1.1.2"


def test_a_cycle_is_found() -> None:
    """The helper itself: one payload that holds itself, and one that does not."""

    class Holder:
        __module__ = "dcmsend.made"
        held: object = None

    def hold() -> None:
        holder = Holder()
        holder.held = holder

    assert set(left_behind(hold).values()) == {1}
    assert left_behind(Holder) == {}
    with pytest.raises(AssertionError, match="left to the collector"):
        assert_no_cycles(hold)


# --- ways through this room

TARGETS: Final = tuple(ENCODINGS)
ITEMS: Final = 12  # of a sequence: more than are written before their likes are looked for


@pytest.fixture
def opener() -> PayloadOpener:
    return PayloadOpener(ScanOptions(), Conversion())


def instance_of(path: Path) -> Instance:
    return next(found for found in scan([str(path)], ScanOptions()) if isinstance(found, Instance))


def give_out(opener: PayloadOpener, instance: Instance, target: str, most: int = 1 << 62) -> None:
    """Open a payload, take as many bytes as that, and close it; what fails is as good."""
    room = memoryview(bytearray(4096))
    try:
        with opener.open(instance, target) as payload:
            while most > 0 and (count := payload.fill([room])):
                most -= count
    except FileError:
        pass


def data_set(encoding: Encoding) -> bytes:
    """All that recoding makes a difference for: many items, nesting, private attributes, large values to be turned."""
    inner = [item(Element(0x00080100, "SH", b"%04d" % n), Element(0x00280106, "US", b"\1\0")) for n in range(ITEMS)]
    elements = [
        Element(0x00080016, "UI", CT.encode() + b"\0"),
        Element(0x00080018, "UI", b"1.2.3.4\0"),
        sequence(0x00081140, *[item(sequence(0x00081115, *inner))] * ITEMS),
        open_sequence(0x00082112, *inner),
        Element(0x00091010, "UN", bytes(6000)),
        Element(0x00280103, "US", b"\0\0"),
        Element(0x7FE00010, "OW", bytes(300_000)),
    ]
    return write(elements, encoding)


@pytest.fixture
def native(tmp_path: Path) -> Callable[[str], Instance]:
    """A file of uncompressed pixels in a transfer syntax."""

    def make(syntax: str, damage: Callable[[bytes], bytes] = lambda data: data) -> Instance:
        data = damage(data_set(ENCODINGS[syntax]))
        if syntax == DEFLATED:
            deflater = zlib.compressobj(wbits=-15)
            data = deflater.compress(data) + deflater.flush()
        path = tmp_path / syntax
        path.write_bytes(part10(CT, "1.2.3.4", transfer_syntax=syntax, data_set=data + bytes(len(data) % 2)))
        return instance_of(path)

    return make


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("syntax", TARGETS)
def test_from_one_encoding_to_another(
    syntax: str, target: str, opener: PayloadOpener, native: Callable[[str], Instance]
) -> None:
    """Given out whole, in part, and closed at once."""
    instance = native(syntax)
    for most in (1 << 62, 5000, 0):
        assert_no_cycles(lambda most=most: give_out(opener, instance, target, most))  # type: ignore[misc]


def cut_off(data: bytes) -> bytes:
    return data[:-1000]


def odd_item(data: bytes) -> bytes:
    """One item of a sequence has an element where there should be none."""
    return data.replace(b"0007", b"0007" + data[:8], 1)


def contradiction(data: bytes) -> bytes:
    return data.replace(b"\x08\0\x18\0UI", b"\x08\0\x40\x11UI", 1)


@pytest.mark.parametrize("damage", [cut_off, odd_item, contradiction])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("syntax", TARGETS)
def test_failures_of_recoding(
    damage: Callable[[bytes], bytes],
    syntax: str,
    target: str,
    opener: PayloadOpener,
    native: Callable[..., Instance],
) -> None:
    instance = native(syntax, damage)
    assert_no_cycles(lambda: give_out(opener, instance, target))


@pytest.mark.parametrize("name", (*campaign.FILES, *campaign.LARGE_FILES))
def test_each_decoder(name: str, opener: PayloadOpener, tmp_path: Path) -> None:
    """All of it, a part, and damaged in many ways: whatever that leads to."""
    path = tmp_path / "case.dcm"

    def convert() -> None:
        for most in (1 << 62, 5000):
            give_out(opener, instance_of(path), EXPLICIT, most)

    def spoil() -> None:
        for number in range(DAMAGES):
            path.write_bytes(mutate.mutated(good, number))
            campaign.outcome(opener, path, campaign.NATIVE[number % len(campaign.NATIVE)])

    good = campaign.good(name)
    path.write_bytes(good)
    assert_no_cycles(convert)
    assert_no_cycles(spoil)


DAMAGES: Final = 12


def test_a_file_that_changes_while_it_is_given_out(opener: PayloadOpener, native: Callable[[str], Instance]) -> None:
    """What is read and turned around on the way fails half-way."""
    instance = native(EXPLICIT)
    whole = Path(instance.path).read_bytes()

    def cut() -> None:
        Path(instance.path).write_bytes(whole)
        with pytest.raises(FileError, match="shorter"), opener.open(instance, BIG_ENDIAN) as payload:
            os.truncate(instance.path, 20_000)
            room = memoryview(bytearray(4096))
            while payload.fill([room]):
                pass

    assert_no_cycles(cut)


def test_what_opens_payloads(native: Callable[[str], Instance]) -> None:
    instance = native(EXPLICIT)
    assert_no_cycles(lambda: give_out(PayloadOpener(ScanOptions(), Conversion(), Stop()), instance, IMPLICIT))


def test_a_payload_lets_go_when_it_is_closed(opener: PayloadOpener, native: Callable[[str], Instance]) -> None:
    """Also where somebody keeps it: of what it was made of nothing is held any more."""
    payload = opener.open(native(EXPLICIT), IMPLICIT)
    assert gc.get_referents(payload._pieces)
    payload.close()
    payload.close()
    assert not payload._pieces
    assert not payload._behind
    assert payload._confirm is None
