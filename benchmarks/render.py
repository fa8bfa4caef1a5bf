"""Results -> the page: tables, pictures, and what was promised. The text around them stays as it is.

    python benchmarks/render.py --results benchmarks/results.json --page docs/benchmarks.md

What stands between the two marks of the page is written anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import plots
import results
from promises import PROMISES
from results import Measurement, Results
from senders import OURS

_HERE = Path(__file__).parent
PAGE = _HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"

Column: TypeAlias = "tuple[str, Callable[[Measurement, Measurement | None], str]]"

_SUITES = {
    "start": "Start",
    "scan": "Scanning",
    "speed": "Speed",
    "network": "Round-trip times, associations and windows",
    "scale": "A million instances",
    "convert": "Conversion",
    "tls": "TLS",
}


def render(found: Results, page: Path) -> None:
    """Write the results into the page, and the pictures into the folder ``images`` beside it."""
    pictures = plots.draw(found, page.parent / "images")
    text = page.read_text() if page.exists() else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{page} has no place for results: {BEGIN} ... {END}")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    lines = "\n".join(_lines(found, pictures))
    page.write_text(f"{before}{BEGIN}\n\n{lines}\n{END}{after}")


def _lines(found: Results, pictures: dict[str, list[str]]) -> Iterator[str]:
    if not found.measurements:
        yield "Nothing has been measured yet."
        yield ""
        return
    if found.quick:
        yield "**A quick pass with a hundredth of the instances: these figures say nothing.**"
        yield ""
    yield from _what(found)
    for suite, title in _SUITES.items():
        measurements = [each for each in found.measurements if each.suite == suite]
        if measurements:
            yield from (f"### {title}", "", _when(measurements), "")
            for name in pictures.get(suite, []):
                yield from (f"![{name.replace('-', ' ')}](images/{name}.svg)", "")
            for case in dict.fromkeys(each.case for each in measurements):
                yield from _table(found, [each for each in measurements if each.case == case])
            yield from _commands(measurements)
    yield from _promised(found)


def _what(found: Results) -> Iterator[str]:
    """Machine, programs and works."""
    machine = found.machine
    yield "### Machine and programs"
    yield ""
    yield (
        f"{machine.get('processor')}, {machine.get('processors')} processors, {machine.get('memory')},"
        f" {machine.get('system')}; all over 127.0.0.1."
    )
    yield ""
    yield "| program | version |"
    yield "|---|---|"
    yield from (f"| {name} | {version} |" for name, version in found.versions.items())
    yield ""
    yield "| work | what is sent |"
    yield "|---|---|"
    yield from (f"| {name} | {what} |" for name, what in found.works.items())
    yield ""
    yield "| server | how it runs |"
    yield "|---|---|"
    served = {each.server for each in found.measurements}
    yield from (f"| {name} | {how} |" for name, how in found.servers.items() if name in served or name == "discard")
    yield ""
    yield "Run with:"
    yield ""
    yield "```sh"
    yield from dict.fromkeys(found.commands)
    yield "```"
    yield ""


def _when(measurements: list[Measurement]) -> str:
    dates = sorted(each.date for each in measurements)
    versions = dict.fromkeys(each.version for each in measurements if each.sender == OURS)
    span = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    return f"{span} UTC" + (f"; ours: {', '.join(versions)}." if versions else ".")


def _table(found: Results, measurements: list[Measurement]) -> Iterator[str]:
    """One case: every sender, in the order in which they ran."""
    first = measurements[0]
    title = f"`{first.work}`" if first.server == "none" else f"`{first.work}` to {first.server}"
    if first.suite == "network":
        title += f", round trip of {first.round_trip:g} ms"
    reference = next((each for each in measurements if _is_reference(each)), None)
    columns = _columns(first)
    yield f"{title}: {found.works.get(first.work, '')}."
    yield ""
    yield "| " + " | ".join(heading for heading, _ in columns) + " |"
    yield "|---" * len(columns) + "|"
    for each in measurements:
        if each.failure:
            yield f"| {_name(each)} | failed: {each.failure.replace('|', '/')} |" + " |" * (len(columns) - 2)
        else:
            yield "| " + " | ".join(cell(each, reference) for _, cell in columns) + " |"
    yield ""


def _is_reference(measurement: Measurement) -> bool:
    counts = bool(measurement.runs) and not measurement.failure
    return counts and (measurement.sender, measurement.associations, measurement.window) == (OURS, 1, 1)


def _columns(measurement: Measurement) -> list[Column]:
    columns: list[Column] = [("sender", lambda each, _: _name(each)), ("runs", lambda each, _: str(len(each.runs)))]
    if measurement.server == "receiver-first":
        columns.append(("seconds to the first data (min-max)", lambda each, _: _spread(each, "first")))
        columns.append(("time, ours = 1", lambda each, reference: _ratio(each, reference, "first")))
    else:
        columns.append(("seconds (min-max)", lambda each, _: _spread(each, "wall")))
        columns.append(("time, ours = 1", lambda each, reference: _ratio(each, reference, "wall")))
        if measurement.instances > 1:
            columns.append(("instances/s", lambda each, _: _number(each.rate)))
        if measurement.megabytes > 1 and measurement.suite != "scan":
            columns.append(("MB/s", lambda each, _: _number(each.throughput)))
    columns.append(("processor s (min-max)", lambda each, _: _spread(each, "processor")))
    columns.append(("processor, ours = 1", lambda each, reference: _ratio(each, reference, "processor")))
    columns.append(("MiB", lambda each, _: f"{max(each.values('memory')):.0f}"))
    return columns


def _name(measurement: Measurement) -> str:
    if measurement.suite != "network":
        return measurement.sender
    many, window = measurement.associations, measurement.window or "unlimited"
    return f"{measurement.sender}, {many} association{'s' * (many > 1)}, window {window}"


def _spread(measurement: Measurement, what: str) -> str:
    values = measurement.values(what)
    if len(values) == 1:
        return _number(values[0])
    return f"{_number(measurement.median(what))} ({_number(min(values))}-{_number(max(values))})"


def _ratio(measurement: Measurement, reference: Measurement | None, what: str) -> str:
    return f"{measurement.median(what) / reference.median(what):.2f}" if reference else ""


def _number(value: float) -> str:
    """Three digits that count."""
    if value == 0:
        return "0"
    for limit, places in ((0.1, 4), (1, 3), (10, 2), (100, 1)):
        if value < limit:
            return f"{value:.{places}f}"
    return f"{value:,.0f}"


def _commands(measurements: list[Measurement]) -> Iterator[str]:
    yield "<details><summary>Commands</summary>"
    yield ""
    yield "```text"
    for sender in dict.fromkeys(each.sender for each in measurements):
        yield f"# {sender}"
        yield from dict.fromkeys(each.command for each in measurements if each.sender == sender)
    yield "```"
    yield ""
    yield "</details>"
    yield ""


def _promised(found: Results) -> Iterator[str]:
    yield "### What was promised"
    yield ""
    yield "Medians; of memory the most. What has not been measured has no value."
    yield ""
    yield "| | figure | promised | measured | holds |"
    yield "|---|---|---|---|---|"
    for promise in PROMISES:
        value = promise.value(found)
        limit = f"{'at most' if promise.at_most else 'at least'} {promise.limit:g}{promise.unit}"
        measured = "" if value is None else f"{_number(value)}{promise.unit}"
        holds = "" if value is None else ("yes" if promise.holds(value) else "**no**")
        yield f"| {promise.number} | {promise.text} | {limit} | {measured} | {holds} |"
    yield ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--results", type=Path, default=_HERE / "results.json")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    render(results.load(options.results), options.page)


if __name__ == "__main__":
    main()
