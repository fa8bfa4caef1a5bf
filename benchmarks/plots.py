"""Results -> pictures, each as SVG and PNG. Without matplotlib the pictures of an earlier time stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from plan import ASSOCIATIONS, FULL_MATRIX, WINDOWS
from results import Measurement, Results
from senders import DCMSEND_NODELAY, OURS, RAW, RAW_FRAMED

Axes: TypeAlias = "Any"  # of matplotlib, which may be missing
_OURS, _OTHERS, _LIMIT = "#1b6ca8", "#b8bec4", "#c0392b"
_WINDOWS = ("#a9c9de", "#6aa6cc", _OURS, "#0b3250")  # lines, by window
_SIZE = (8, 4.5)  # inches


def draw(found: Results, folder: Path) -> dict[str, list[str]]:
    """Draw all that there are results for. The names of the pictures that are there then, by suite."""
    pyplot = _pyplot()
    names: dict[str, list[str]] = {}
    for (suite, name), picture in _PICTURES.items():
        if pyplot is not None and any(each.runs for each in found.measurements if each.suite == suite):
            figure, axes = pyplot.subplots(figsize=_SIZE, layout="constrained")
            if picture(found, axes):
                folder.mkdir(parents=True, exist_ok=True)
                figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
                figure.savefig(folder / f"{name}.png", dpi=120)
            pyplot.close(figure)
        if (folder / f"{name}.svg").exists():
            names.setdefault(suite, []).append(name)
    return names


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams |= {"svg.hashsalt": "dcmsend", "axes.spines.top": False, "axes.spines.right": False}
    return pyplot


def _tiny(found: Results, axes: Axes) -> bool:
    """500 tiny instances: all senders and servers, on a logarithmic scale."""
    measurements = found.find(lambda each: (each.suite, each.work) == ("speed", "tiny"))
    axes.set_xscale("log")
    _bars(axes, [(each, each.instances) for each in measurements])
    axes.set_xlabel("instances per second (logarithmic)")
    axes.set_title("500 tiny instances, one association")
    return bool(measurements)


def _bytes(work: str, title: str) -> Callable[[Results, Axes], bool]:
    def picture(found: Results, axes: Axes) -> bool:
        measurements = found.find(lambda each: (each.suite, each.work) == ("speed", work) and "receiver" in each.server)
        senders = [each for each in measurements if each.sender not in (RAW, RAW_FRAMED)]
        _bars(axes, [(each, each.megabytes) for each in senders])
        limits = [each.throughput for each in measurements if each.sender == RAW]
        if limits:
            axes.axvline(max(limits), color=_LIMIT, linestyle="--", label="raw limit")
            axes.legend(loc="lower left")
        axes.set_xlabel("MB per second")
        axes.set_title(title)
        return bool(senders)

    return picture


def _bars(axes: Axes, rows: list[tuple[Measurement, float]]) -> None:
    """What was sent by each second, by the median of the times; thin lines from the slowest to the fastest run."""
    names = [f"{each.server}: {each.sender}" for each, _ in rows]
    values = [amount / each.median("wall") for each, amount in rows]
    walls = [each.values("wall") for each, _ in rows]
    below = [value - amount / max(wall) for value, wall, (_, amount) in zip(values, walls, rows, strict=True)]
    above = [amount / min(wall) - value for value, wall, (_, amount) in zip(values, walls, rows, strict=True)]
    colors = [_OURS if each.sender == OURS else _OTHERS for each, _ in rows]
    axes.barh(names, values, color=colors, xerr=(below, above), error_kw={"elinewidth": 1})
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=7)


def _matrix(found: Results, axes: Axes) -> bool:
    """Associations and windows at one round trip."""
    ours = found.find(lambda each: (each.suite, each.sender, each.round_trip) == ("network", OURS, FULL_MATRIX))
    for window, color in zip(WINDOWS, _WINDOWS, strict=True):
        line = sorted((each.associations, each.rate) for each in ours if each.window == window)
        points = zip(*line, strict=True) if line else ((), ())
        axes.plot(*points, marker="o", color=color, label=f"window {window or 'unlimited'}")
    peers = found.find(lambda each: (each.suite, each.round_trip) == ("network", FULL_MATRIX) and each.sender != OURS)
    for peer in peers:
        axes.axhline(peer.rate, color=_LIMIT, linestyle="--", label=peer.sender)
    axes.set_xscale("log", base=2)
    axes.set_xticks(ASSOCIATIONS, [str(number) for number in ASSOCIATIONS])
    axes.set_yscale("log")
    axes.set_xlabel("associations")
    axes.set_ylabel("instances per second (logarithmic)")
    axes.set_title(f"300 small instances, round trip of {FULL_MATRIX} ms")
    axes.legend()
    return bool(ours)


def _round_trips(found: Results, axes: Axes) -> bool:
    """The same at other round trips, for a few combinations."""
    measurements = found.find(lambda each: each.suite == "network")
    lines: dict[str, list[Measurement]] = {}
    for each in measurements:
        if each.sender == DCMSEND_NODELAY:
            lines.setdefault(each.sender, []).append(each)
        elif (each.associations, each.window) in ((1, 1), (8, 1), (1, 16), (8, 16)):
            lines.setdefault(f"ours, {each.associations} x window {each.window}", []).append(each)
    for name, line in lines.items():
        points = sorted((each.round_trip, each.rate) for each in line)
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set_yscale("log")
    axes.set_xlabel("round trip, ms")
    axes.set_ylabel("instances per second (logarithmic)")
    axes.set_title("300 small instances")
    axes.legend()
    return bool(measurements)


def _over_time(found: Results, axes: Axes) -> bool:
    """Full seconds only: the last one is not."""
    measurements = found.find(lambda each: each.suite == "scale")
    for each in measurements:
        axes.plot(each.runs[0].per_second[:-1], color=_OURS if each.sender == OURS else _OTHERS, label=each.sender)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds since the first instance")
    axes.set_ylabel("instances per second")
    axes.set_title("A million instances")
    axes.legend()
    return bool(measurements)


_PICTURES: dict[tuple[str, str], Callable[[Results, Axes], bool]] = {
    ("speed", "tiny-instances"): _tiny,
    ("speed", "ct-series"): _bytes("series", "1,000 CT slices to the counting receiver"),
    ("speed", "one-gigabyte"): _bytes("large", "One instance of 1 GB to the counting receiver"),
    ("network", "associations-and-windows"): _matrix,
    ("network", "round-trips"): _round_trips,
    ("scale", "million"): _over_time,
}
