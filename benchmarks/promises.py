"""What was promised, and what the results say of it: every figure is computed, none is written by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean

from results import Measurement, Results
from senders import DCMSEND, DCMSEND_NODELAY, OURS, RAW

Value = float | None  # None: not measured
_SPEED = "speed"
_NETWORK_SERVER, _NETWORK_WORK, _NETWORK_MS = "receiver-16k", "few", 20
_PART = 10  # of the seconds of a run: the first and the last tenth are compared


@dataclass(frozen=True)
class Promise:
    """``value`` shall be at least, or at most, ``limit``."""

    number: str
    text: str
    limit: float
    value: Callable[[Results], Value]
    unit: str = ""
    at_most: bool = False

    def holds(self, value: float) -> bool:
        return value <= self.limit if self.at_most else value >= self.limit


def _faster(work: str, server: str, peer: str, suite: str = _SPEED) -> Callable[[Results], Value]:
    """How many times the peer's time is ours."""
    return lambda results: _over(
        _median(results.one(suite, work, server, peer)), _median(results.one(suite, work, server, OURS))
    )


def _never_slower(work: str, *peers: str) -> Callable[[Results], Value]:
    """The worst ratio over all servers that the work was sent to."""

    def value(results: Results) -> Value:
        servers = {each.server for each in results.find(lambda each: (each.suite, each.work) == (_SPEED, work))}
        ratios = [_faster(work, server, peer)(results) for server in servers for peer in peers]
        return min((ratio for ratio in ratios if ratio is not None), default=None)

    return value


def _rate(work: str, server: str) -> Callable[[Results], Value]:
    def value(results: Results) -> Value:
        found = results.one(_SPEED, work, server, OURS)
        return found.rate if found else None

    return value


def _most(work: str, what: str, suite: str) -> Callable[[Results], Value]:
    """The largest value of all our runs."""

    def value(results: Results) -> Value:
        found = results.find(lambda each: (each.suite, each.work, each.sender) == (suite, work, OURS))
        return max((max(each.values(what)) for each in found), default=None)

    return value


def _network(associations: int, window: int, sender: str = OURS) -> Callable[[Results], Value]:
    """How many times faster than one association without a window, of this sender."""

    def value(results: Results) -> Value:
        one = _over_network(results, sender, 1, 1)
        return _over(_median(one), _median(_over_network(results, OURS, associations, window)))

    return value


def _over_network(results: Results, sender: str, associations: int, window: int) -> Measurement | None:
    return results.one(
        "network",
        _NETWORK_WORK,
        _NETWORK_SERVER,
        sender,
        round_trip=_NETWORK_MS,
        many=associations,
        window=window,
    )


def _start(results: Results) -> Value:
    ours, plain = (results.one("start", "one", "receiver-16k", sender) for sender in (OURS, "python-pass"))
    return _over(_median(ours), _median(plain))


def _first(work: str) -> Callable[[Results], Value]:
    def value(results: Results) -> Value:
        found = results.one("start", work, "receiver-first", OURS)
        return found.median("first") if found else None

    return value


def _end_to_start(results: Results) -> Value:
    """The rate in the last tenth of the full seconds as a part of that in the first."""
    found = results.one("scale", "million", "receiver-16k", OURS)
    seconds = found.runs[0].per_second[:-1] if found else []
    part = len(seconds) // _PART
    return mean(seconds[-part:]) / mean(seconds[:part]) if part else None


def _median(measurement: Measurement | None) -> Value:
    return measurement.median("wall") if measurement else None


def _over(dividend: Value, divisor: Value) -> Value:
    return dividend / divisor if dividend is not None and divisor else None


PROMISES = (
    Promise("1", "500 tiny instances to `storescp` as it is, per second", 2000, _rate("tiny", "storescp")),
    Promise("1", "5,000 of them", 2000, _rate("many", "storescp")),
    Promise("1", "500 tiny instances to `storescp`: times dcmsend", 80, _faster("tiny", "storescp", DCMSEND)),
    Promise("1", "times dcmsend with `TCP_NODELAY=1`", 40, _faster("tiny", "storescp", DCMSEND_NODELAY)),
    Promise("1", "into Orthanc: times dcmsend", 15, _faster("tiny", "orthanc", DCMSEND)),
    Promise(
        "2",
        "CT series to the counting receiver, 16 KiB PDU: times dcmsend with `TCP_NODELAY=1`",
        4,
        _faster("series", "receiver-16k", DCMSEND_NODELAY),
    ),
    Promise("2", "the same, 128 KiB PDU", 1.2, _faster("series", "receiver-128k", DCMSEND_NODELAY)),
    Promise("3", "1 GB instance, 128 KiB PDU: part of the raw limit", 0.85, _faster("large", "receiver-128k", RAW)),
    Promise("3", "the same, 16 KiB PDU", 0.60, _faster("large", "receiver-16k", RAW)),
    Promise("3", "most memory of any of these runs", 50, _most("large", "memory", _SPEED), " MiB", at_most=True),
    Promise("3", "never slower than dcmsend: the worst ratio", 1, _never_slower("large", DCMSEND, DCMSEND_NODELAY)),
    Promise("4", "20 ms, 300 small instances: 8 associations, times one", 6, _network(8, 1)),
    Promise("4", "a window of 16, times a window of 1", 10, _network(1, 16)),
    Promise("4", "both, times dcmsend with `TCP_NODELAY=1`", 25, _network(8, 16, DCMSEND_NODELAY)),
    Promise("5", "one small file: times `python -c pass`", 1.6, _start, at_most=True),
    Promise(
        "6", "files per second that are only scanned: times dcmsend", 1, _faster("scan", "closed port", DCMSEND, "scan")
    ),
    Promise("6", "first of 100,000 instances on the wire", 0.5, _first("scan"), " s", at_most=True),
    Promise("6", "first of 1,000,000 instances on the wire", 0.5, _first("million"), " s", at_most=True),
    Promise("6", "1,000,000 instances: most memory", 200, _most("million", "memory", "scale"), " MiB", at_most=True),
    Promise("6", "1,000,000 instances: rate at the end, as a part of that at the start", 0.8, _end_to_start),
)
