"""The HTML report as a file: it stands by itself, its words fit the run, it is bounded."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tracemalloc
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from dcmsend.errors import InvalidInputError
from dcmsend.model import Conflict, Peer, Refusal
from dcmsend.report import charts, page, page_rows
from dcmsend.report.run import Run
from tests.support.runs import (
    DAMAGED,
    FULL,
    GONE,
    NO_DICOM,
    PENDING,
    REMARK,
    STORED,
    Row,
    Source,
    Story,
    everything_stored,
    mixed,
    nothing_stored,
    row,
)


def _written(story: Story) -> str:
    return "".join(page.pieces(story.run()))


def _rows(text: str) -> list[list[Any]]:
    parts = re.findall(r'<script type="application/json" class="rows">(.*?)</script>', text)
    return [each for part in parts for each in json.loads(part)]


class _Elements(HTMLParser):
    """Which elements stand open, and all attributes."""

    VOID = frozenset(("meta", "input", "br"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += [(name, value or "") for name, value in attributes]
        self.ids += [value or "" for name, value in attributes if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


_GONE = Refusal("gone.dcm", GONE)
_NONE = Refusal("notes.txt", NO_DICOM)

STORIES = {
    "stored": everything_stored(40),
    "mixed": mixed(200),
    "nothing": nothing_stored(20),
    "empty": Story(places=0),
    "left out": Story(refusals=[Refusal("a", GONE)], places=0),
    "conflicts": Story([row(1, STORED)], conflicts=(Conflict("1.2", ("<a>", "b"), 2),)),
    "not tried": Story([row(1, PENDING)], places=0),
    "many": Story(
        [row(1, STORED)], places=300, refusals=[Refusal(str(n), GONE if n % 2 else NO_DICOM) for n in range(900)]
    ),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_elements_are_closed_and_ids_are_the_only_ones(story: Story) -> None:
    found = _Elements()
    found.feed(_written(story))
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_nothing_comes_from_outside(story: Story) -> None:
    text = _written(story)
    found = _Elements()
    found.feed(text)
    names = {name for name, _ in found.attributes}
    assert names.isdisjoint(("src", "href", "srcset", "action", "data", "poster", "background"))
    assert not [name for name in names if name.startswith("on")]
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_the_policy_allows_the_one_script_and_nothing_else() -> None:
    text = _written(mixed(50))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    ours = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        f"script-src 'sha256-{ours}'",
    ]


def _heading(story: Story) -> tuple[str, str]:
    text = _written(story)
    (kind,) = re.findall(r'<section class="outcome (\w+)"', text)
    (words,) = re.findall(r"<h1>(.*?)</h1>", text)
    return kind, words


@pytest.mark.parametrize(
    ("facts", "kind", "words"),
    [
        ([], "bad", "Nothing was sent"),
        ([STORED], "good", "The instance is stored"),
        ([FULL], "bad", "The instance is not stored"),
        ([STORED, REMARK], "good", "All 2 instances are stored"),
        ([STORED, FULL], "part", "1 of 2 instances is not stored"),
        ([STORED, FULL, DAMAGED], "part", "2 of 3 instances are not stored"),
        ([FULL, PENDING], "bad", "None of 2 instances is stored"),
        ([STORED] * 1000, "good", "All 1,000 instances are stored"),
    ],
)
def test_the_outcome_in_words(facts: list[Any], kind: str, words: str) -> None:
    assert _heading(Story([row(number, each) for number, each in enumerate(facts, 1)])) == (kind, words)


@pytest.mark.parametrize(
    ("story", "kind", "words"),
    [
        (Story([row(1, STORED)], refusals=[_NONE]), "good", "The instance is stored"),
        (Story([row(1, STORED)], refusals=[_GONE]), "part", "The instance is stored, but 1 input was left out"),
        (
            Story([row(1, STORED), row(2, STORED)], refusals=[_GONE] * 1200),
            "part",
            "All 2 instances are stored, but 1,200 inputs were left out",
        ),
        (
            Story([row(1, STORED)], left_over=1),
            "part",
            "The instance is stored, but 1 of earlier runs is left over",
        ),
        (
            Story([row(1, STORED)], refusals=[_GONE], left_over=7),
            "part",
            "The instance is stored, but 1 input was left out and 7 of earlier runs are left over",
        ),
        (
            Story([row(1, STORED), row(2, FULL)], refusals=[_GONE] * 2),
            "part",
            "1 of 2 instances is not stored, and 2 inputs were left out",
        ),
        (Story([row(1, FULL)], refusals=[_GONE]), "bad", "The instance is not stored, and 1 input was left out"),
        (Story(refusals=[_GONE], places=0), "bad", "Nothing was sent, and 1 input was left out"),
        (Story(refusals=[_NONE], places=0), "bad", "Nothing was sent"),
    ],
)
def test_what_was_left_out_is_in_the_headline(story: Story, kind: str, words: str) -> None:
    assert _heading(story) == (kind, words)


def test_a_run_that_ended_early_is_not_good() -> None:
    kind, words = _heading(Story([row(1, STORED)], error=InvalidInputError("f", GONE)))
    assert (kind, words) == ("part", "The instance is stored, but the run ended early")


def test_lists_of_what_was_not_taken_on_are_bounded() -> None:
    text = _written(STORIES["many"])
    sections = dict(re.findall(r'<section id="(left-out|no-dicom)">(.*?)</section>', text, re.DOTALL))
    assert list(sections) == ["left-out", "no-dicom"]
    for section in sections.values():
        (listed,) = re.findall(r'<ul class="reasons">(.*?)</ul>', section, re.DOTALL)
        assert listed.count("<li>") == page.MOST_REFUSALS
        assert "450" in section
        assert "and 250 more" in section
    assert ">450<small>inputs</small>" in sections["left-out"]
    assert "No such file or directory" in sections["left-out"]
    assert "data-cause" not in sections["left-out"]


@pytest.mark.parametrize(("count", "whole", "words"), [
    (0, 0, ""), (0, 5, "0 %"), (5, 5, "100 %"), (1, 3, "33.3 %"), (1, 100_000, "less than 0.1 %"),
    (99_999, 100_000, "99.9 %"),
])  # fmt: skip
def test_shares(count: int, whole: int, words: str) -> None:
    assert page._share(count, whole) == words


@pytest.mark.parametrize(("count", "words"), [
    (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (123_456, "123 kB"), (999_600, "1000 kB"), (1_234_567_890, "1.23 GB"),
    (5e15, "5000 TB"),
])  # fmt: skip
def test_amounts(count: float, words: str) -> None:
    assert charts.amount(count) == words


@pytest.mark.parametrize(("seconds", "words"), [
    (0.0, "0 ms"), (0.0123, "12.3 ms"), (1.5, "1.5 s"), (59.9, "59.9 s"), (61, "1 min 01 s"), (3661, "1 h 01 min"),
    (200_000, "55 h 33 min"),
])  # fmt: skip
def test_spans(seconds: float, words: str) -> None:
    assert charts.span(seconds) == words


def test_rows_say_what_the_run_says() -> None:
    story = mixed(400)
    found = _rows(_written(story))
    numbers = [each[0] for each in found]
    failed = [outcome.number for _, outcome in story.rows if not outcome.stored]
    stored = [outcome.number for _, outcome in story.rows if outcome.stored]
    assert numbers == failed + stored
    groups = story.run().causes.groups()
    ranks = [each[15] for each in found]
    assert [ranks.count(rank) for rank in range(len(groups))] == [group.count for group in groups]
    assert ranks.count(-1) == len(stored)


def test_there_is_an_end_to_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_rows, "MOST_ROWS", 30)
    text = _written(mixed(400))
    failed = sum(1 for _, outcome in mixed(400).rows if not outcome.stored)
    assert failed < 30
    assert len(_rows(text)) == 30
    assert "370 instances are left out" in text


def test_there_is_an_end_to_the_plain_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_rows, "MOST_PLAIN", 12)
    monkeypatch.setattr(page_rows, "MOST_PLAIN_FAILURES", 5)
    (table,) = re.findall(r"<noscript>(.*?)</noscript>", _written(mixed(400)), re.DOTALL)
    marks = re.findall(r'<span class="mark (\w+)">', table)
    assert len(marks) == 12
    assert sum(mark not in ("stored", "remark") for mark in marks) == 5


def test_words_are_bounded() -> None:
    words = page_rows.Words()
    places = [words.place(f"word {number}") for number in range(30_000)]
    assert [words.place("word 7"), words.place("word 29999")] == [7, "word 29999"]
    assert sum(isinstance(place, str) for place in places) == 10_000
    long = page_rows.Words()
    kept = [long.place("x" * 100_000 + str(number)) for number in range(100)]
    assert sum(isinstance(place, int) for place in kept) < 40


def test_memory_does_not_grow_with_the_number_of_instances() -> None:
    run = everything_stored(3).run()

    class Long(Source):
        count = 0

        def rows(self) -> Iterator[Row]:
            for number in range(1, self.count + 1):
                yield row(number, STORED, f"folder {number}/{number}.dcm")

    def peak(count: int) -> int:
        source = Long((), run.source.totals)
        object.__setattr__(source, "count", count)
        long = Run(
            source=source, recorder=run.recorder, causes=run.causes, left_out=run.left_out, started=0.0, seconds=1.0,
            stored_bytes=0, exit_code=0,
        )  # fmt: skip
        tracemalloc.start()
        try:
            assert sum(len(piece) for piece in page.pieces(long)) > 60 * count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(40_000), peak(120_000)  # more folders than there is room for words
    assert many < few * 1.2


def test_the_peer_cannot_be_anything_but_text() -> None:
    peer = Peer(host="<b>", port=1, called_ae='"><script>', calling_ae="&amp;")
    text = _written(Story([row(1, STORED)], peer=peer, reason="<i>"))
    assert "<b>" not in text
    assert '"><script>' not in text
    assert "<i>" not in text
    assert "&amp;amp;" in text
