"""Which works go to which servers with which senders: the suites, as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from instances import Work
from senders import (
    DCM4CHE,
    DCMSEND,
    DCMSEND_NODELAY,
    DICOM_RS,
    OURS,
    PASS,
    PYNETDICOM,
    RAW,
    RAW_FRAMED,
    STORESCU,
    STORESCU_NODELAY,
)

ASSOCIATIONS = (1, 2, 4, 8, 16)
WINDOWS = (1, 4, 16, 0)  # 0: unlimited
ROUND_TRIPS = (0, 5, 20, 100)  # milliseconds
FULL_MATRIX = 20  # the round trip at which all associations meet all windows

_QUICK = (OURS, DCMSEND_NODELAY, STORESCU_NODELAY, DCM4CHE, DICOM_RS)
_RACERS = (*_QUICK, PYNETDICOM)
_ALL = (*_RACERS, DCMSEND, STORESCU)
_BOTH = (OURS, DCMSEND_NODELAY)
_DCMSENDS = (OURS, DCMSEND, DCMSEND_NODELAY)

# Senders that wait 40 ms or more for every instance get the works and servers where that is to be shown, not all.
_SPEED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("tiny", "storescp", _ALL),
    ("tiny", "dcmrecv", _DCMSENDS),
    ("tiny", "orthanc", _DCMSENDS),
    ("tiny", "receiver-16k", _ALL),
    ("many", "storescp", (OURS,)),
    ("many", "orthanc", (OURS,)),
    ("many", "receiver-16k", _QUICK),
    ("series", "storescp", _DCMSENDS),
    ("series", "dcmrecv", _BOTH),
    ("series", "orthanc", _BOTH),
    ("series", "receiver-16k", (*_RACERS, RAW)),
    ("series", "receiver-128k", (*_QUICK, RAW)),
    ("large", "storescp", _BOTH),
    ("large", "receiver-16k", (*_RACERS, RAW, RAW_FRAMED)),
    ("large", "receiver-128k", (*_RACERS, RAW, RAW_FRAMED)),
)


@dataclass(frozen=True)
class Variant:
    """One of the senders that are compared. ``work`` and ``server``: its own, where they differ from the case's."""

    sender: str
    associations: int = 1
    window: int = 1
    work: str = ""
    server: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        return (
            *(("--associations", str(self.associations)) if self.associations != 1 else ()),
            *(("--async-window", str(self.window)) if self.window != 1 else ()),
        )


@dataclass(frozen=True)
class Case:
    """Senders that are compared with each other, run in turn. ``round_trip``: milliseconds.

    ``own_options`` are for our sender alone. Every pass of the program over a case counts ``times``, unless it is to be
    ``once``.
    """

    suite: str
    work: str
    server: str
    variants: tuple[Variant, ...]
    round_trip: float | None = None
    own_options: tuple[str, ...] = ()
    times: int = 1
    once: bool = False


def speed(_: dict[str, Work]) -> Iterator[Case]:
    for work, server, names in _SPEED:
        yield Case("speed", work, server, tuple(variant_for(name, server) for name in names))


def network(_: dict[str, Work]) -> Iterator[Case]:
    for round_trip in ROUND_TRIPS:
        counts, windows = (ASSOCIATIONS, WINDOWS) if round_trip == FULL_MATRIX else ((1, 8), (1, 16))
        ours = (Variant(OURS, count, window) for count, window in product(counts, windows))
        yield Case("network", "few", "receiver-16k", (Variant(DCMSEND_NODELAY), *ours), round_trip)


def scan(_: dict[str, Work]) -> Iterator[Case]:
    """Files are looked at, and then there is nobody to send them to."""
    variants = (Variant(OURS), Variant(DCMSEND))
    yield Case("scan", "scan", "closed port", variants, own_options=("--scan-first",))


def start(_: dict[str, Work]) -> Iterator[Case]:
    names = (PASS, OURS, DCMSEND_NODELAY)
    yield Case("start", "one", "receiver-16k", tuple(variant_for(name, "receiver-16k") for name in names), times=10)
    yield Case("start", "scan", "receiver-first", _plain(_BOTH))
    yield Case("start", "million", "receiver-first", _plain((OURS,)), own_options=("--send-duplicates",))


def scale(_: dict[str, Work]) -> Iterator[Case]:
    yield Case("scale", "million", "receiver-16k", _plain((OURS,)), own_options=("--send-duplicates",), once=True)


def convert(works: dict[str, Work]) -> Iterator[Case]:
    for work in works.values():
        if work.accepted:
            yield Case("convert", work.name, f"storescp-{work.accepted}", _plain(_BOTH))


def tls(_: dict[str, Work]) -> Iterator[Case]:
    """Through TLS, and ours without it; DCMTK's dcmsend has none."""
    for work in ("tiny", "series", "large"):
        names = (OURS, STORESCU_NODELAY, *((STORESCU,) if work == "tiny" else ()))
        yield Case("tls", work, "storescp-tls", _plain(names))
        yield Case("tls", work, "storescp", _plain((OURS,)))


SUITES: dict[str, Callable[[dict[str, Work]], Iterator[Case]]] = {
    "start": start,
    "scan": scan,
    "speed": speed,
    "network": network,
    "scale": scale,
    "convert": convert,
    "tls": tls,
}
BY_DEFAULT = ("start", "scan", "speed", "network", "scale")  # making what is to be converted takes long


def _plain(names: tuple[str, ...]) -> tuple[Variant, ...]:
    return tuple(map(Variant, names))


def variant_for(name: str, server: str) -> Variant:
    """A sender, and what a program that is none needs instead of this server."""
    if name == PASS:
        return Variant(name, server="none")
    if name == RAW:
        return Variant(name, server="discard")
    if name == RAW_FRAMED:
        return Variant(name, work=server.replace("receiver", "framed"))
    return Variant(name)
