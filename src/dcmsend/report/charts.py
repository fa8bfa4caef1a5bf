"""The pictures of the page: throughput, response times and associations, as SVG and boxes that need no script.

Pure: what the recorder has seen -> text. Shapes are stretched to the width that there is, so words stand beside them,
not in them. What a colour says is also said in words, by a place of its own or by a pattern.
"""

from __future__ import annotations

from html import escape
from math import exp2, log2

from dcmsend.light import NamedTuple
from dcmsend.printable import MAX_REMARK, plain
from dcmsend.report.recorder import CLASSES_PER_DOUBLING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Final

    from dcmsend.report.recorder import AssociationRecord, Interval, Recorder, ResponseTimes

MOST_LANES: Final = 12  # associations that are shown at once; more in a part that is opened
MOST_FURTHER: Final = 200
_MOST_BARS: Final = 120
_FEWEST_COLUMNS: Final = 8
_WIDTH: Final = 1000
_HEIGHT: Final = 100
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


class _Bar(NamedTuple):
    start: float
    seconds: float
    value: float


def amount(count: float) -> str:
    """Bytes as one would say them."""
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count /= 1000
        unit += 1
    return f"{count:.3g} {_UNITS[unit]}" if unit and count < 999.5 else f"{count:.0f} {_UNITS[unit]}"


def span(seconds: float) -> str:
    """Seconds as one would say them."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def number(value: float) -> str:
    """A count or a rate, not more exact than is useful."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


# --- over time


class _Panel(NamedTuple):
    name: str
    value: Callable[[Interval], int]
    words: Callable[[float], str]
    kind: str


def _each(rate: float) -> str:
    return f"{number(rate)}/s"


_PANELS: Final = (
    _Panel("Data", lambda one: one.stored_bytes, lambda rate: f"{amount(rate)}/s", "bar"),
    _Panel("Instances stored", lambda one: one.stored, _each, "bar"),
    _Panel("Not stored", lambda one: one.not_stored, _each, "bar failed"),
)


def over_time(recorder: Recorder, seconds: float) -> Iterator[str]:
    """Panels and lanes that share one axis of ``seconds``."""
    intervals = list(recorder.throughput.intervals())
    step = recorder.throughput.seconds
    seconds = max(seconds, step)
    yield '<div class="plots">\n'
    for panel in _PANELS:
        if any(map(panel.value, intervals)):
            yield from _plot(panel, intervals, step, seconds)
    lanes = recorder.associations
    for record in lanes[:MOST_LANES]:
        yield from _lane(record, seconds)
    yield f'<div class="axis"><span>0 s</span><span>{span(seconds / 2)}</span><span>{span(seconds)}</span></div>\n'
    yield "</div>\n"
    further = lanes[MOST_LANES : MOST_LANES + MOST_FURTHER]
    if further:
        untold = recorder.association_count - MOST_LANES - len(further)
        more = f" ({untold:,} more are not shown here)" if untold else ""
        yield f'<details><summary>{len(further):,} further associations</summary>{more}\n<div class="plots">\n'
        for record in further:
            yield from _lane(record, seconds)
        yield "</div></details>\n"


def _plot(panel: _Panel, intervals: Sequence[Interval], step: float, seconds: float) -> Iterator[str]:
    bars = _bars(intervals, step, panel.value)
    peak = max(bar.value for bar in bars)
    mean = sum(map(panel.value, intervals)) / seconds
    label = f"at most {panel.words(peak)}, on average {panel.words(mean)}"
    yield f'<div class="name"><strong>{panel.name}</strong> {label}</div>\n'
    yield _svg("plot" if panel.kind == "bar" else "plot low", f"{panel.name} over {span(seconds)}: {label}")
    for bar in bars:
        if bar.value:
            left = bar.start / seconds * _WIDTH
            width = min(bar.seconds / seconds * _WIDTH, _WIDTH - left)
            yield _rectangle(panel.kind, left, max(width, 0.5), bar.value / peak)
    yield "</svg>\n"


def _svg(kind: str, label: str) -> str:
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none"'
    return f'<svg class="{kind}" {size} role="img" aria-label="{label}">'


def _rectangle(kind: str, left: float, width: float, share: float) -> str:
    """A bar that stands on the ground, ``share`` of the height there is."""
    height = max(share * (_HEIGHT - 4), 1)
    place = f'x="{left:.2f}" y="{_HEIGHT - height:.2f}" width="{width:.2f}" height="{height:.2f}"'
    return f'<rect class="{kind}" {place}/>'


def _bars(intervals: Sequence[Interval], step: float, value: Callable[[Interval], int]) -> list[_Bar]:
    """Rates per second, of several intervals at once where there are too many to be told apart."""
    together = -(-len(intervals) // _MOST_BARS) or 1
    groups = [intervals[at : at + together] for at in range(0, len(intervals), together)]
    return [_Bar(group[0].start, step * together, sum(map(value, group)) / (step * together)) for group in groups]


def _lane(record: AssociationRecord, seconds: float) -> Iterator[str]:
    end = seconds if record.ended is None else min(record.ended, seconds)
    accepted = end if record.accepted is None else record.accepted
    told = f"{record.stored:,} stored, {amount(record.stored_bytes)}"
    if record.not_stored:
        told += f", {record.not_stored:,} not stored"
    if record.accepted is None:
        told = "not accepted"
    yield f'<div class="name"><strong>Association {record.number}</strong> {told}</div>\n'
    broken = " broken" if record.reason else ""
    words = f"from {span(record.requested)} to {span(end)}: {told}"
    yield f'<div><div class="lane" role="img" aria-label="{words}">'
    yield _box("asked" if record.accepted is not None else f"asked{broken}", record.requested, accepted, seconds)
    if record.accepted is not None:
        yield _box(f"open{broken}", accepted, end, seconds)
    yield "</div>"
    if record.reason:
        yield f'<p class="ended">ended early: {escape(plain(record.reason, MAX_REMARK * 2))}</p>'
    yield "</div>\n"


def _box(name: str, start: float, end: float, seconds: float) -> str:
    left, width = min(start / seconds * 100, 99.5), (end - start) / seconds * 100
    return f'<i class="{name}" style="left:{left:.3f}%;width:{max(width, 0):.3f}%"></i>'


# --- response times


def response_times(times: ResponseTimes) -> Iterator[str]:
    """How the response times are spread, on a logarithmic axis."""
    classes = list(times.classes())
    columns = {_place(one.up_to): one.responses for one in classes}
    first = min(columns)
    count = max(max(columns) - first + 1, _FEWEST_COLUMNS)
    peak, width = max(columns.values()), _WIDTH / count
    median = times.percentile(50)
    words = f"{times.count:,} responses: half of them within {span(median)}, the longest {span(times.longest)}"
    yield f'<div class="times">\n<figure>{_svg("plot tall", words)}'
    for place, responses in columns.items():
        yield _rectangle("bar", (place - first + 0.06) * width, width * 0.88, responses / peak)
    marks = (_edge(first - 1), _edge(first - 1 + count / 2), _edge(first - 1 + count))
    axis = "".join(f"<span>{span(mark)}</span>" for mark in marks)
    yield f'</svg>\n<div class="axis under">{axis}</div>'
    yield f'<figcaption class="soft small">{words}. The axis is logarithmic.</figcaption></figure>\n<dl>'
    told = (
        ("Shortest", times.shortest),
        ("Half within", median),
        *((f"{percent} % within", times.percentile(percent)) for percent in (90, 95, 99)),
        ("Longest", times.longest),
        ("Mean", times.mean),
    )
    yield "".join(f"<dt>{label}</dt><dd>{span(seconds)}</dd>" for label, seconds in told)
    yield "</dl>\n</div>\n"


def _place(up_to: float) -> int:
    """The place of a class on the axis, by its end."""
    return round(log2(up_to) * CLASSES_PER_DOUBLING)


def _edge(place: float) -> float:
    return exp2(place / CLASSES_PER_DOUBLING)
