"""Run the same work through all DICOM senders that are installed, in turn, several times; keep what it took.

    python benchmarks/run.py --suite speed --only tiny,series --repeat 5 --folder /var/tmp/instances

Results go to a file, and from there to the page ``docs/benchmarks.md`` with its tables and pictures (``render.py``).
"""

from __future__ import annotations

import argparse
import datetime
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import machine
import measuring
import render
import results
import servers
from instances import Work, make, read, works
from measuring import Failed, Run
from plan import BY_DEFAULT, SUITES, Case, Variant
from results import Measurement, Results
from senders import OURS, Sender, find

QUICK = 0.01  # part of the instances
_HERE = Path(__file__).parent
RESULTS = _HERE / "results.json"
_ABSOLUTE = re.compile(r"(?<![\w.~-])/[\w.-]+(?:/[\w.-]+)*/")  # folders of this machine, which are nobody's business


@dataclass(frozen=True)
class Plan:
    """What is common to all runs. ``budget``: seconds after which a sender is not run once more."""

    works: dict[str, Work]
    senders: dict[str, Sender]
    folder: Path
    scratch: Path
    repeat: int
    budget: float
    kept: str  # ending of the names of the folders with instances
    in_memory: set[str] = field(default_factory=set)  # works whose files the system has at hand

    def instances(self, work: Work) -> Path:
        """The folder of a work's instances, which are made unless they are there, and else read once."""
        folder = self.folder / f"{work.name}{self.kept}"
        if not folder.exists():
            _say(f"making {work.count} instances: {work.name}")
            make(work, folder)
        elif work.name not in self.in_memory:
            read(folder)
        self.in_memory.add(work.name)
        return folder


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    all_works, installed = works(QUICK if options.quick else 1), find()
    names = options.sender.split(",") if options.sender else list(installed)
    senders = {name: installed[name] for name in names if name in installed}
    if len(senders) < len(names):
        print(f"of these senders only {', '.join(installed)} are here", file=sys.stderr)
        return 2
    wanted = list(_wanted(options, all_works))
    if not wanted:
        print("nothing of that name is in these suites", file=sys.stderr)
        return 2
    kept, page = _outputs(options)
    found = _results(kept, senders, quick=options.quick)
    found.works |= {case.work: _describe(all_works[case.work]) for case in wanted}
    found.servers = servers.DESCRIPTIONS
    found.commands.append(_command(arguments if arguments is not None else sys.argv[1:]))
    with tempfile.TemporaryDirectory(dir=_existing(options.folder)) as scratch:
        plan = Plan(
            works=all_works,
            senders=senders,
            folder=options.folder or Path(scratch),
            scratch=Path(scratch),
            repeat=options.repeat or (1 if options.quick else 3),
            budget=options.budget,
            kept="-quick" if options.quick else "",
        )
        _warm_up(plan)
        for case in wanted:
            found.add(run_case(case, plan))
            results.save(found, kept)
    render.render(found, page)
    _say(f"the results are in {kept}, the page is {page}")
    return 0


def _wanted(options: argparse.Namespace, all_works: dict[str, Work]) -> Iterator[Case]:
    """The cases of the suites that are asked for and whose server is here."""
    round_trips = {float(each) for each in options.round_trip.split(",") if each}
    for case in (case for suite in options.suite.split(",") for case in SUITES[suite](all_works)):
        if not (_named(case.work, options.only) and _named(case.server, options.server)):
            continue
        if round_trips and case.round_trip is not None and case.round_trip not in round_trips:
            continue
        if servers.available(case.server):
            yield case
        else:
            _say(f"{case.server} is not installed: {case.work} is not sent to it")


def _outputs(options: argparse.Namespace) -> tuple[Path, Path]:
    """Where results and page go."""
    kept, page = options.results or RESULTS, options.page or render.PAGE
    if options.quick and not (options.results and options.page):
        folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
        kept, page = options.results or folder / kept.name, options.page or folder / page.name
    return kept, page


def _warm_up(plan: Plan) -> None:
    """One instance through every DICOM program: what it compiles or keeps at its first use is there then."""
    for name in [name for name, sender in plan.senders.items() if sender.version]:
        case, variant = Case("start", "one", "receiver-16k", ()), Variant(name)
        try:
            _run(case, variant, plan, _measurement(case, variant, plan))
        except Failed as failed:
            _say(f"{name} does not work: {failed}")


def run_case(case: Case, plan: Plan) -> list[Measurement]:
    """All senders of a case that are here, in turn, as often as the budget allows."""
    running = [
        (variant, _measurement(case, variant, plan)) for variant in case.variants if variant.sender in plan.senders
    ]
    for _ in range(1 if case.once else plan.repeat * case.times):
        for variant, measurement in running:
            if measurement.failure or sum(run.wall for run in measurement.runs) > plan.budget:
                continue
            try:
                measurement.runs.append(_run(case, variant, plan, measurement))
            except (Failed, OSError) as failed:
                measurement.failure = _ABSOLUTE.sub("", str(failed))
    for _, measurement in running:
        _say(_line(measurement))
    return [measurement for _, measurement in running]


def _run(case: Case, variant: Variant, plan: Plan, measurement: Measurement) -> Run:
    """One run against a fresh server. Raises ``Failed``."""
    work = plan.works[variant.work or case.work]
    sender, folder = plan.senders[variant.sender], plan.instances(work)
    with ExitStack() as stack:
        server = stack.enter_context(servers.SERVERS[variant.server or case.server](plan.scratch))
        port = server.port
        if case.round_trip is not None:
            port = stack.enter_context(servers.delayed(port, case.round_trip))
        options = (*server.options, *_options(case, variant, plan))
        measurement.command = sender.line(options)
        words = sender.words(port, folder, options)
        return server.judge(measuring.run(words, dict(sender.environment)), work.count)


def _options(case: Case, variant: Variant, plan: Plan) -> tuple[str, ...]:
    own = case.own_options if variant.sender == OURS else ()
    return (*plan.works[case.work].options, *variant.options, *own)


def _measurement(case: Case, variant: Variant, plan: Plan) -> Measurement:
    sender, work = plan.senders[variant.sender], plan.works[case.work]
    return Measurement(
        suite=case.suite,
        work=case.work,
        server=case.server,
        sender=variant.sender,
        instances=work.count,
        megabytes=work.megabytes,
        command=sender.line(_options(case, variant, plan)),  # without what the server asks for, until it runs
        date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M"),
        version=machine.revision(sender.version) if variant.sender == OURS else sender.version,
        round_trip=case.round_trip or 0,
        associations=variant.associations,
        window=variant.window,
    )


def _line(measurement: Measurement) -> str:
    """What has been measured, for whoever waits for it."""
    what = f"{measurement.suite} {measurement.work} -> {measurement.server}"
    if measurement.suite == "network":
        what += f" {measurement.round_trip:g} ms, {measurement.associations} x {measurement.window}"
    if measurement.failure:
        return f"{what}: {measurement.sender} failed: {measurement.failure}"
    return (
        f"{what}: {measurement.sender} {measurement.median('wall'):.3f} s, {measurement.median('processor'):.3f} s of"
        f" processor, {measurement.median('memory'):.0f} MiB, {len(measurement.runs)} runs"
    )


def _results(path: Path, senders: dict[str, Sender], *, quick: bool) -> Results:
    """The earlier results of this machine and these versions; those of others are given up."""
    found = results.load(path)
    here, versions = machine.machine(), machine.versions(senders, servers.versions())
    changed = any(found.versions.get(name, version) != version for name, version in versions.items())
    if changed or (found.machine, found.quick) != (here, quick):
        found = Results(quick, here)
    found.versions |= versions
    return found


def _command(arguments: list[str]) -> str:
    """How this program was called, apart from where files are on this machine."""
    words = iter(arguments)
    kept = []
    for word in words:
        if word in ("--folder", "--results", "--page"):
            next(words, None)
        elif not word.startswith(("--folder=", "--results=", "--page=")):
            kept.append(word)
    return shlex.join(["python", "benchmarks/run.py", *kept])


def _describe(work: Work) -> str:
    return f"{work.what}; {work.count} instances, {work.megabytes:.1f} MB"


def _named(name: str, wanted: str) -> bool:
    """Whether a name is in a list, or begins with one that is."""
    return not wanted or any(name == each or name.startswith(f"{each}-") for each in wanted.split(","))


def _existing(folder: Path | None) -> Path | None:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--suite",
        type=_suites,
        default=",".join(BY_DEFAULT),
        help=f"comma separated: {', '.join(SUITES)} (default: all but convert and tls)",
    )
    parser.add_argument(
        "--only", default="", help="only these works, comma separated; decode stands for decode-rle ..."
    )
    parser.add_argument(
        "--server", default="", help="only these servers, comma separated; receiver for receiver-16k ..."
    )
    parser.add_argument(
        "--round-trip", default="", help="only these in the suite network, milliseconds, comma separated"
    )
    parser.add_argument("--sender", default="", help=f"only these senders, comma separated: {OURS}, dcmtk-dcmsend ...")
    parser.add_argument("--repeat", type=int, help="runs of each sender (default 3)")
    parser.add_argument(
        "--budget", type=float, default=20, help="a sender that took as many seconds is not repeated (default 20)"
    )
    parser.add_argument("--quick", action="store_true", help="a hundredth of the instances, one run: does it all work?")
    parser.add_argument("--folder", type=Path, help="keep instances here for the next time (default: temporary)")
    parser.add_argument("--results", type=Path, help=f"default: {RESULTS.name} beside the program; --quick: temporary")
    parser.add_argument("--page", type=Path, help="default: docs/benchmarks.md; --quick: temporary")
    return parser


def _suites(names: str) -> str:
    unknown = set(names.split(",")) - set(SUITES)
    if unknown:
        message = f"no such suite: {', '.join(sorted(unknown))}"
        raise argparse.ArgumentTypeError(message)
    return names


if __name__ == "__main__":
    sys.exit(main())
