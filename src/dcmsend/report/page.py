"""The report as one page for the browser: it asks for nothing from outside, and can be read without its script.

Owns the order of the page and its words. Everything from files and peers is shown through ``printable`` and escaped;
a content security policy allows our script alone (by its hash), and no connection at all. Rows are streamed.
"""

from __future__ import annotations

import os
import re
from html import escape
from itertools import islice

from dcmsend.printable import MAX_LINE, MAX_PATH, MAX_REMARK, plain
from dcmsend.reasons.row import Kind
from dcmsend.report import charts, page_rows
from dcmsend.report.charts import amount, number, span
from dcmsend.report.run import local_time
from dcmsend.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from dcmsend.model import Refusal, Totals
    from dcmsend.report.causes import Cause
    from dcmsend.report.run import Run

MOST_REFUSALS: Final = 200  # files that are shown; the JSON report has more

_KINDS: Final[dict[Kind, str]] = {
    Kind.REFUSED: "The peer answered that it does not store them",
    Kind.NO_CONTEXT: "The peer does not take them in this form",
    Kind.NOT_ANSWERED: "The connection ended before the answer",
    Kind.FILE: "Something is wrong with the files",
    Kind.READ: "The system did not give the files",
    Kind.NO_DICOM: "These are no DICOM files",
    Kind.NOT_TRIED: "They were not tried",
    Kind.NETWORK: "There was no connection",
    Kind.RUN: "Something that the run needs gave out",
    Kind.OTHERS: "All that is left",
}
_ICONS: Final = {
    "good": '<path d="M4 13l5 5L20 6"/>',
    "part": '<path d="M12 4v10"/><path d="M12 19.5v.01"/>',
    "bad": '<path d="M6 6l12 12M18 6L6 18"/>',
}
_VERDICTS: Final = {"good": "Complete", "part": "Incomplete", "bad": "Failed"}

_OPTION: Final = re.compile(r"--[a-z][a-z-]*")
_POLICY: Final = ("default-src 'none'", "style-src 'unsafe-inline'", "base-uri 'none'", "form-action 'none'")


def pieces(run: Run) -> Iterator[str]:
    """The text of the page, in pieces."""
    script = _read("page.js")
    yield _head(run, script)
    yield "<body>\n<header><span><strong>dcmsend</strong> transfer report</span>"
    yield f"<span>{escape(_day(run.started))}</span></header>\n<main>\n"
    yield from _outcome(run)
    yield from _causes(run)
    yield from _left_out(run)
    yield from _conflicts(run)
    yield from _time(run)
    yield from _responses(run)
    yield from _no_dicom(run)
    yield from _instances(run)
    yield from _details(run)
    yield "</main>\n<footer><p>This page has names of files and identifiers of instances in it, which may tell of"
    yield " patients. It stands by itself: it asks nothing of any network.</p></footer>\n"
    yield from page_rows.data(run)
    yield f"<script>{script}</script>\n</body>\n</html>\n"


_texts: dict[str, str] = {}  # of the files beside this one


def load() -> None:
    """Read what will be needed: the files may not be there any more when a page is written."""
    for name in ("page.js", "page.css"):
        _read(name)


def _read(name: str) -> str:
    if name not in _texts:
        with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
            _texts[name] = file.read()
    return _texts[name]


def _head(run: Run, script: str) -> str:
    from base64 import b64encode
    from hashlib import sha256

    ours = b64encode(sha256(script.encode()).digest()).decode()
    policy = "; ".join((*_POLICY, f"script-src 'sha256-{ours}'"))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f'<meta name="generator" content="dcmsend {__version__}">\n'
        f"<title>{_shown(f'{_verdict(run)[1]} - {run.source.peer.called_ae} - dcmsend')}</title>\n"
        f"<style>\n{_read('page.css')}</style>\n</head>\n"
    )


# --- at a glance


def _verdict(run: Run) -> tuple[str, str]:
    """Which of the three it is, and the words for it."""
    totals = run.source.totals
    count, left = totals.instances, totals.instances - totals.stored
    but = f", and {_left_out_of(totals)}" if totals.left_out or totals.left_over else ""
    if not count:
        return "bad", f"Nothing was sent{but}"
    if not totals.stored:
        words = f"None of {_instances_of(count)} is stored" if count > 1 else "The instance is not stored"
        return "bad", words + but
    if left:
        return "part", f"{left:,} of {_instances_of(count)} {'is' if left == 1 else 'are'} not stored{but}"
    everything = f"All {_instances_of(count)} are stored" if count > 1 else "The instance is stored"
    if but:
        return "part", f"{everything}, but {_left_out_of(totals)}"
    return ("good", everything) if run.source.error is None else ("part", f"{everything}, but the run ended early")


def _left_out_of(totals: Totals) -> str:
    """What was named and is no instance of this run, in words."""
    out, over = totals.left_out, totals.left_over
    words = [f"{out:,} {'input was' if out == 1 else 'inputs were'} left out"] if out else []
    words += [f"{over:,} of earlier runs {'is' if over == 1 else 'are'} left over"] if over else []
    return " and ".join(words)


def _instances_of(count: int) -> str:
    return f"{count:,} instance{'' if count == 1 else 's'}"


def _outcome(run: Run) -> Iterator[str]:
    tone, words = _verdict(run)
    source = run.source
    peer, error = source.peer, source.error
    yield f'<section class="outcome {tone}" id="outcome">\n<div class="verdict">'
    yield '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round"'
    yield f' stroke-linejoin="round" role="img" aria-label="{_VERDICTS[tone]}">{_ICONS[tone]}</svg>\n'
    yield f"<div><h1>{words}</h1><p>sent to <strong>{_shown(peer.called_ae)}</strong>"
    yield f" at {_shown(peer.host)}:{peer.port}"
    yield f" as {_shown(peer.calling_ae)}</p></div></div>\n"
    if error is not None:
        hint = f" {_shown(error.hint_in(run.names))}".rstrip()
        yield f'<p class="said"><strong>The run ended early:</strong> {_shown(error.message)}{hint}</p>\n'
    yield from _parts(run)
    yield '<dl class="facts">'
    for name, value, remark in _facts(run):
        yield f"<div><dt>{name}</dt><dd>{value}<small>{remark}</small></dd></div>"
    yield "</dl>\n</section>\n"


def _facts(run: Run) -> Iterator[tuple[str, str, str]]:
    """Name, value and remark of each figure."""
    totals = run.source.totals
    left = totals.instances - totals.stored
    seconds = run.seconds or 1.0
    yield "Stored", f"{totals.stored:,}", f"of {_instances_of(totals.instances)}"
    yield "Not stored", f"{left:,}", _share(left, totals.instances)
    yield "Data", amount(run.stored_bytes), "stored in this run"
    yield "Time", span(run.seconds), f"until {_day(run.started + run.seconds)[11:]}"
    rate = number((totals.stored - totals.earlier) / seconds)
    yield "Speed", f"{amount(run.stored_bytes / seconds)}/s", f"{rate} instances per second"
    yield "Associations", f"{totals.associations:,}", f"{totals.contexts:,} presentation contexts"
    if totals.earlier:
        yield "Stored earlier", f"{totals.earlier:,}", "by runs before, says the journal"
    if totals.left_out:
        yield "Left out", f"{totals.left_out:,}", "named or found, and not taken on"
    if totals.left_over:
        yield "Left over", f"{totals.left_over:,}", "of earlier runs in the journal, not stored"
    if totals.no_dicom:
        yield "No DICOM", f"{totals.no_dicom:,}", "files passed over"
    if run.recorder.postponed:
        yield "Tried again", f"{run.recorder.postponed:,}", "attempts after a failure"


def _parts(run: Run) -> Iterator[str]:
    """The instances as parts of one bar, with a legend that says the same."""
    totals = run.source.totals
    by_class = {kind.name: count for kind, count in totals.by_class.items()}
    tried = {cause.kind: 0 for cause in run.causes.groups()}
    for cause in run.causes.groups():
        tried[cause.kind] += cause.count
    refused = sum(by_class.get(name, 0) for name in ("ERROR", "REFUSED", "UNKNOWN"))
    untried = tried.get(Kind.NOT_TRIED, 0)
    parts = [
        ("is-stored", "Stored", by_class.get("SUCCESS", 0)),
        ("is-remark", "Stored, with a remark", by_class.get("WARNING", 0)),
        ("is-refused", "Refused by the peer", refused),
        ("is-unsent", "Not sent or not answered", totals.instances - totals.answered - untried),
        ("is-untried", "Not tried", untried),
    ]
    there = [(name, words, count) for name, words, count in parts if count > 0]
    if not there:
        return
    yield '<div class="parts" aria-hidden="true">'
    yield "".join(f'<span class="{name}" style="flex:{count}"></span>' for name, _, count in there)
    yield '</div>\n<ul class="legend">'
    for name, words, count in there:
        share = _share(count, totals.instances)
        yield f'<li><i class="{name}"></i>{words} <strong>{count:,}</strong> <span class="soft">{share}</span></li>'
    yield "</ul>\n"


def _share(count: int, whole: int) -> str:
    if not whole:
        return ""
    percent = 100 * count / whole
    if 0 < percent < 0.1:
        return "less than 0.1 %"
    return f"{percent:.0f} %" if percent in (0, 100) else f"{min(percent, 99.9):.1f} %"


# --- the sections


def _causes(run: Run) -> Iterator[str]:
    groups = run.causes.groups()
    if not groups:
        return
    yield '<section id="causes">\n<h2>Why, and what to do about it</h2>\n<ul class="causes">\n'
    for rank, cause in enumerate(groups):
        yield from _cause(cause, "instance")
        them = "it" if cause.count == 1 else "them"
        yield f'<button type="button" data-cause="{rank}" hidden>Show {them} in the table</button></div></li>\n'
    yield "</ul>\n</section>\n"


def _cause(cause: Cause, of: str) -> Iterator[str]:
    """A group up to the end of its examples; its elements are still open."""
    yield f'<li><div class="count">{cause.count:,}<small>{of}{"" if cause.count == 1 else "s"}</small></div>'
    yield f'<div><p class="kind">{_KINDS[cause.kind]}</p><h3>{_shown(cause.reason)}</h3>'
    yield f'<p class="hint">{_with_options(cause.hint)}</p><ul class="examples">'
    for path in cause.examples:
        yield f'<li class="path">{_shown(path, MAX_PATH)}</li>'
    rest = cause.count - len(cause.examples)
    yield f'<li class="small">and {rest:,} more</li></ul>' if rest else "</ul>"


def _time(run: Run) -> Iterator[str]:
    if not run.recorder.association_count:
        return
    yield '<section id="time">\n<h2>Over time</h2>\n'
    yield from charts.over_time(run.recorder, run.seconds)
    yield "</section>\n"


def _responses(run: Run) -> Iterator[str]:
    if not run.recorder.response_times.count:
        return
    yield '<section id="responses">\n<h2>How long the peer took</h2>\n'
    yield from charts.response_times(run.recorder.response_times)
    yield '<p class="soft small">From the beginning of a request, data included, until its response.</p>\n</section>\n'


def _left_out(run: Run) -> Iterator[str]:
    """What was named and not taken on: why, what to do about it, and the first of it."""
    count = run.source.totals.left_out
    if not count:
        return
    yield f'<section id="left-out">\n<h2>Left out of the input: {count:,}</h2>\n<ul class="causes">\n'
    for cause in run.left_out.groups():
        yield from _cause(cause, "input")
        yield "</div></li>\n"
    yield "</ul>\n<h3>One by one</h3>\n"
    yield from _refusals((refusal for refusal in run.source.refusals() if refusal.left_out), count)
    yield "</section>\n"


def _conflicts(run: Run) -> Iterator[str]:
    conflicts = run.source.conflicts
    if not conflicts:
        return
    yield '<section id="conflicts">\n<h2>Different files with one SOP Instance UID</h2>\n'
    yield '<p class="soft">A receiver keeps only one of them.</p>\n<ul class="reasons">\n'
    for conflict in conflicts:
        yield f"<li>{_shown(str(conflict), MAX_LINE)}</li>\n"
    yield "</ul>\n</section>\n"


def _no_dicom(run: Run) -> Iterator[str]:
    count = run.source.totals.no_dicom
    if not count:
        return
    yield f'<section id="no-dicom">\n<h2>No DICOM, and passed over: {count:,}</h2>\n'
    yield from _refusals((refusal for refusal in run.source.refusals() if not refusal.left_out), count)
    yield "</section>\n"


def _refusals(refusals: Iterable[Refusal], count: int) -> Iterator[str]:
    """The first of ``count``, each with its path and reason."""
    shown = 0
    yield '<ul class="reasons">\n'
    for shown, refusal in enumerate(islice(refusals, MOST_REFUSALS), 1):  # noqa: B007 - how many there were
        path = _shown(refusal.path, MAX_PATH) or "(a file without a name)"
        yield f'<li><span class="path">{path}</span><br><span class="soft">{_shown(str(refusal.reason))}</span></li>\n'
    yield f'</ul><p class="soft">and {count - shown:,} more</p>\n' if count > shown else "</ul>\n"


_HEADS: Final = (
    ("number", "No.", "number"),
    ("path", "File and SOP Instance UID", ""),
    ("outcome", "What became of it", ""),
    ("kind", "Kind, transfer syntax", ""),
    ("size", "Size", "number"),
    ("association", "Assoc.", "number"),
    ("seconds", "Response", "number"),
)
_PLAIN_HEADS: Final = ("No.", "File and SOP Instance UID", "What became of it", "Kind")
_ORDERS: Final = (("order", "what failed first"), *((key, words) for key, words, _ in _HEADS))


def _instances(run: Run) -> Iterator[str]:
    total = run.source.totals.instances
    if not total:
        return
    left_out = max(total - page_rows.MOST_ROWS, 0)
    yield '<section id="instances" hidden>\n<h2 id="table-title" tabindex="-1">Instances</h2>\n<div class="tools">'
    yield '<div><label for="search">Search: file, UID, kind, reason</label>'
    yield '<input id="search" type="search" autocomplete="off" spellcheck="false"></div>'
    yield '<div><label for="show">Show</label><select id="show"><option value="all">all</option>'
    yield '<option value="failed">not stored</option><option value="stored">stored</option>'
    yield '<option value="remark">stored, with a remark</option></select></div>'
    yield '<div class="order"><label for="order">Sort by</label><select id="order">'
    yield "".join(f'<option value="{key}">{words}</option>' for key, words in _ORDERS)
    yield '</select></div></div>\n<p class="soft small"><span id="found" role="status"></span>'
    yield ' <button type="button" id="all" hidden>Show all reasons</button></p>\n'
    if left_out:
        yield f'<p class="soft small">{left_out:,} instances are left out; the JSON and CSV reports have all.</p>\n'
    yield '<table role="table" aria-labelledby="table-title"><thead role="rowgroup"><tr role="row">'
    for key, words, kind in _HEADS:
        place = f'scope="col" role="columnheader" class="{kind}" data-sort="{key}"'
        yield f'<th {place}><button type="button">{words}</button></th>'
    yield '</tr></thead><tbody id="rows" role="rowgroup"></tbody></table>\n'
    yield '<div class="pages" role="group" aria-label="Pages">'
    yield '<button type="button" id="first">First</button><button type="button" id="back">Back</button>'
    yield '<span id="place" role="status"></span><button type="button" id="next">Next</button>'
    yield '<button type="button" id="last">Last</button></div>\n</section>\n'
    yield from _plain_instances(run)


def _plain_instances(run: Run) -> Iterator[str]:
    yield "<noscript><section><h2>Instances</h2>\n<table><caption>What did not go well comes first. Where scripts are"
    yield f" off, at most {page_rows.MOST_PLAIN:,} instances are shown; the JSON and CSV reports have all.</caption>\n"
    yield "<thead><tr>"
    yield "".join(f'<th scope="col">{words}</th>' for words in _PLAIN_HEADS)
    yield "</tr></thead>\n<tbody>\n"
    yield from page_rows.plain_rows(run)
    yield "</tbody></table></section></noscript>\n"


def _details(run: Run) -> Iterator[str]:
    peer, recorder = run.source.peer, run.recorder
    record = next((one for one in recorder.associations if one.accepted is not None), None)
    facts = [
        ("Peer", f"{peer.host}:{peer.port}"),
        ("Its AE title", peer.called_ae),
        ("Our AE title", peer.calling_ae),
        ("Connection", (record.security if record and record.security else "TLS") if peer.tls else "not encrypted"),
    ]
    if record is not None:
        facts += [
            ("Its implementation", plain(record.implementation, MAX_REMARK) or "unknown"),
            ("Longest PDU it takes", f"{record.max_pdu:,} bytes" if record.max_pdu else "unlimited"),
        ]
    facts += [
        ("Started", local_time(run.started)),
        ("Ended", local_time(run.started + run.seconds)),
        ("Exit code", str(run.exit_code)),
        ("Program", f"dcmsend {__version__}"),
    ]
    yield '<section id="details">\n<h2>Details</h2>\n<dl class="details">'
    yield "".join(f"<dt>{name}</dt><dd>{_shown(value)}</dd>" for name, value in facts)
    yield "</dl>\n</section>\n"


def _with_options(hint: str) -> str:
    """A hint whose options stay in one piece."""
    return _OPTION.sub(r"<code>\g<0></code>", _shown(hint))


def _day(seconds: float) -> str:
    """A time as one would write it: local, to the second."""
    return local_time(seconds)[:19].replace("T", " ")


def _shown(text: str, longest: int = MAX_LINE) -> str:
    return escape(plain(text, longest))
