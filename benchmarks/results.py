"""Results of runs: kept as JSON, a new measurement in the place of the older one of the same thing."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from measuring import Run

Key: TypeAlias = "tuple[str, str, str, float, str, int, int]"


@dataclass
class Measurement:
    """All runs of one sender with one work and one server. ``window`` 0 is an unlimited one.

    ``failure``: why a run did not count; there are no further ones then.
    """

    suite: str
    work: str
    server: str
    sender: str
    instances: int
    megabytes: float
    command: str
    date: str
    version: str
    round_trip: float = 0
    associations: int = 1
    window: int = 1
    runs: list[Run] = field(default_factory=list)
    failure: str = ""

    @property
    def key(self) -> Key:
        return (*self.case, self.sender, self.associations, self.window)

    @property
    def case(self) -> tuple[str, str, str, float]:
        """What is compared with each other has this in common."""
        return (self.suite, self.work, self.server, self.round_trip)

    def values(self, what: str) -> list[float]:
        """An attribute of all runs, or one of their details."""
        return [run.details[what] if what in run.details else getattr(run, what) for run in self.runs]

    def median(self, what: str) -> float:
        return statistics.median(self.values(what))

    @property
    def rate(self) -> float:
        """Instances per second."""
        return self.instances / self.median("wall")

    @property
    def throughput(self) -> float:
        """Megabytes per second."""
        return self.megabytes / self.median("wall")


@dataclass
class Results:
    """All measurements, and the machine and the programs that they are of. ``quick``: with few instances."""

    quick: bool = False
    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    works: dict[str, str] = field(default_factory=dict)  # what each consists of
    servers: dict[str, str] = field(default_factory=dict)  # how each runs
    commands: list[str] = field(default_factory=list)  # of this program
    measurements: list[Measurement] = field(default_factory=list)

    def add(self, measurements: Iterable[Measurement]) -> None:
        known = {measurement.key: measurement for measurement in self.measurements}
        known |= {measurement.key: measurement for measurement in measurements}
        self.measurements = list(known.values())

    def find(self, wanted: Callable[[Measurement], bool]) -> list[Measurement]:
        """Those of which every run counts, in the order in which they were measured."""
        return [each for each in self.measurements if each.runs and not each.failure and wanted(each)]

    def one(
        self, suite: str, work: str, server: str, sender: str, *, round_trip: float = 0, many: int = 1, window: int = 1
    ) -> Measurement | None:
        key = (suite, work, server, round_trip, sender, many, window)
        return next(iter(self.find(lambda measurement: measurement.key == key)), None)


def load(path: Path) -> Results:
    """The results in a file; none if it is not there."""
    if not path.exists():
        return Results()
    told: dict[str, Any] = json.loads(path.read_text())
    measurements = [
        Measurement(**{**each, "runs": [Run(**run) for run in each["runs"]]}) for each in told.pop("measurements")
    ]
    return Results(**told, measurements=measurements)


def save(results: Results, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(_compact(asdict(results)) + "\n")
    unfinished.replace(path)


def _compact(told: dict[str, Any]) -> str:
    """JSON with one measurement on a line."""
    measurements = ",\n".join(json.dumps(_rounded(each)) for each in told.pop("measurements"))
    return f'{json.dumps(told, indent=1)[:-2]},\n "measurements": [\n{measurements}\n]\n}}'


def _rounded(value: Any) -> Any:
    """Without digits that say nothing: six places behind the point."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value
