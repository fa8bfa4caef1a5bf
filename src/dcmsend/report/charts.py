"""The pictures of the page: throughput, response times and associations, as SVG and boxes that need no script.

Pure: what the recorder has seen -> text. Shapes are stretched to the width that there is, so words stand beside them,
not in them. What a colour says is also said in words, by a place of its own or by a pattern.
"""

from __future__ import annotations

from html import escape

from dcmsend.light import NamedTuple
from dcmsend.printable import MAX_REMARK, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Final

    from dcmsend.report.recorder import AssociationRecord, Interval, Recorder, ResponseTimes

MOST_LANES: Final = 12  # associations that are shown at once; more in a part that is opened
MOST_FURTHER: Final = 200
_MOST_BARS: Final = 120
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


def over_time(recorder: Recorder, seconds: float) -> Iterator[str]:
    """Panels and lanes that share one axis of ``seconds``."""
    intervals = list(recorder.throughput.intervals())
    step = recorder.throughput.seconds
    seconds = max(seconds, step)
    yield '<div class="plots">\n'
    yield from _panel("Data", intervals, step, seconds, lambda one: one.stored_bytes, lambda rate: f"{amount(rate)}/s")
    yield from _panel(
        "Instances stored", intervals, step, seconds, lambda one: one.stored, lambda rate: f"{number(rate)}/s"
    )
    if any(interval.not_stored for interval in intervals):
        yield from _panel(
            "Not stored",
            intervals,
            step,
            seconds,
            lambda one: one.not_stored,
            lambda rate: f"{number(rate)}/s",
            failed=True,
        )
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


def _panel(
    name: str,
    intervals: Sequence[Interval],
    step: float,
    seconds: float,
    value: Callable[[Interval], int],
    words: Callable[[float], str],
    *,
    failed: bool = False,
) -> Iterator[str]:
    bars = _bars(intervals, step, value)
    peak = max((bar.value for bar in bars), default=0.0)
    mean = sum(value(interval) for interval in intervals) / seconds
    label = f"at most {words(peak)}, on average {words(mean)}"
    yield f'<div class="name"><strong>{name}</strong> {label}</div>\n'
    low = " low" if failed else ""
    yield (
        f'<svg class="plot{low}" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-label="{name} over {span(seconds)}: {label}">'
    )
    kind = "bar failed" if failed else "bar"
    for bar in bars:
        if bar.value:
            left = bar.start / seconds * _WIDTH
            width = min(bar.seconds / seconds * _WIDTH, _WIDTH - left)
            height = max(bar.value / peak * (_HEIGHT - 4), 1)
            yield f'<rect class="{kind}" x="{left:.2f}" y="{_HEIGHT - height:.2f}" width="{max(width, 0.5):.2f}" height="{height:.2f}"/>'
    yield "</svg>\n"


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
    first, last = classes[0].above, classes[-1].up_to
    per_class: dict[int, int] = {}
    lowest = _place(classes[0].up_to)
    for one in classes:
        per_class[_place(one.up_to) - lowest] = one.responses
    columns = max(max(per_class) + 1, 8)
    peak = max(per_class.values())
    median = times.percentile(50)
    words = f"{times.count:,} responses: half of them within {span(median)}, the longest {span(times.longest)}"
    yield '<div class="times">\n<figure>'
    yield (
        f'<svg class="plot tall" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-label="{words}">'
    )
    width = _WIDTH / columns
    for place, count in per_class.items():
        height = max(count / peak * (_HEIGHT - 4), 1)
        yield f'<rect class="bar" x="{place * width + width * 0.06:.2f}" y="{_HEIGHT - height:.2f}" width="{width * 0.88:.2f}" height="{height:.2f}"/>'
    yield "</svg>\n"
    end = last * 2 ** ((columns - max(per_class) - 1) / 8)
    middle = (max(first, end / 2 ** (columns / 8)) * end) ** 0.5
    yield f'<div class="axis" style="margin-top:.25rem"><span>{span(end / 2 ** (columns / 8))}</span><span>{span(middle)}</span><span>{span(end)}</span></div>'
    yield f'<figcaption class="soft small">{words}. The axis is logarithmic.</figcaption></figure>\n<dl>'
    for label, value in (
        ("Shortest", times.shortest),
        ("Half within", median),
        ("90 % within", times.percentile(90)),
        ("95 % within", times.percentile(95)),
        ("99 % within", times.percentile(99)),
        ("Longest", times.longest),
        ("Mean", times.mean),
    ):
        yield f"<dt>{label}</dt><dd>{span(value)}</dd>"
    yield "</dl>\n</div>\n"


def _place(up_to: float) -> int:
    """The place of a class on the axis, whose steps are an eighth of a doubling."""
    from math import log2

    return round(log2(up_to) * 8)
