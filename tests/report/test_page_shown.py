"""The HTML report in a browser: what a reader sees and can do, with and without scripts, narrow, dark, in print."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from dcmsend.model import Conflict, Instance, Outcome, Refusal, State
from dcmsend.reasons import because
from dcmsend.report import page
from tests.support.browser import Browser, pages_of
from tests.support.runs import EXPLICIT, GONE, NO_DICOM, STORED, Story, everything_stored, mixed, nothing_stored, row

WIDE: Final = (1200, 900)
NARROW: Final = (360, 740)
MANY: Final = 100_000
BLACK_OVER: Final = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _write(folder: Path, story: Story) -> Path:
    path = folder / "report.html"
    path.write_text("".join(page.pieces(story.run())), encoding="utf-8")
    return path


@pytest.fixture
def shown(browser: Browser) -> Browser:
    """The browser as it is for most readers."""
    browser.scripts(on=True)
    browser.resize(*WIDE)
    browser.prefer()
    browser.complaints()
    browser.requests()
    return browser


@pytest.mark.parametrize(
    ("story", "title", "words"),
    [
        (everything_stored(120), "All 120 instances are stored - ARCHIVE - dcmsend", "Complete"),
        (
            mixed(1000),
            "69 of 1,000 instances are not stored, and 1 input was left out - ARCHIVE - dcmsend",
            "Incomplete",
        ),
        (nothing_stored(48), "None of 48 instances is stored - ARCHIVE - dcmsend", "Failed"),
    ],
    ids=["stored", "mixed", "nothing"],
)
def test_the_outcome_is_seen_at_once(story: Story, title: str, words: str, shown: Browser, tmp_path: Path) -> None:
    path = _write(tmp_path, story)
    shown.open(path)
    shown.wait("document.documentElement.dataset.ready")
    assert shown.run("return document.title") == title
    assert shown.texts("h1") == [title.partition(" - ")[0]]
    assert shown.run("return document.querySelector('.verdict svg').getAttribute('aria-label')") == words
    assert shown.run("return document.querySelector('.verdict').getBoundingClientRect().bottom") < WIDE[1] / 2
    assert shown.complaints() == []
    assert shown.requests() == [path.as_uri()]


def test_counts_are_those_of_the_run(shown: Browser, tmp_path: Path) -> None:
    story = mixed(1000)
    run = story.run()
    shown.open(_write(tmp_path, mixed(1000)))
    facts = dict(zip(shown.texts(".facts dt"), shown.texts(".facts dd"), strict=True))
    assert facts["Stored"].split("\n") == [f"{run.source.totals.stored:,}", "of 1,000 instances"]
    assert facts["Left out"].split("\n") == ["1", "named or found, and not taken on"]
    assert facts["No DICOM"].split("\n") == ["1", "files passed over"]
    for section, causes in (("#causes", run.causes), ("#left-out", run.left_out)):
        groups = causes.groups()
        counts = [text.split("\n")[0] for text in shown.texts(f"{section} .count")]
        assert counts == [str(group.count) for group in groups]
        assert shown.texts(f"{section} .causes h3") == [group.reason for group in groups]
        assert shown.texts(f"{section} .hint") == [group.hint for group in groups]
    assert len(shown.texts(".lane")) == 3
    assert shown.texts("#found") == ["1,000 instances"]
    assert len(shown.texts("#rows tr")) == 50


def test_what_was_left_out_is_seen_at_once(shown: Browser, tmp_path: Path) -> None:
    """All that was taken on is stored, and yet the page is not green. There is no table of what was not taken on."""
    refusals = [*(Refusal(f"gone/{number}.dcm", GONE) for number in range(250)), Refusal("a.txt", NO_DICOM)]
    story = Story([row(n, STORED) for n in range(1, 41)], refusals=refusals, left_over=3)
    shown.open(_write(tmp_path, story))
    assert shown.texts("h1") == [
        "All 40 instances are stored, but 250 inputs were left out and 3 of earlier runs are left over"
    ]
    assert shown.run("return document.querySelector('.verdict svg').getAttribute('aria-label')") == "Incomplete"
    facts = dict(zip(shown.texts(".facts dt"), shown.texts(".facts dd"), strict=True))
    assert [facts[name].split("\n")[0] for name in ("Left out", "Left over", "No DICOM")] == ["250", "3", "1"]
    assert shown.texts("#left-out h2") == ["Left out of the input: 250"]
    assert shown.texts("#left-out .reasons .path") == [f"gone/{number}.dcm" for number in range(200)]
    assert shown.texts("#left-out > .soft") == ["and 50 more"]
    assert shown.texts("#no-dicom h2") == ["No DICOM, and passed over: 1"]
    assert shown.run("return document.querySelectorAll('button[data-cause]').length") == 0
    assert shown.complaints() == []


def test_buttons_to_the_table_are_those_of_instances(shown: Browser, tmp_path: Path) -> None:
    story = mixed(200)
    shown.open(_write(tmp_path, story))
    groups = story.run().causes.groups()
    assert shown.run("return document.querySelectorAll('#causes button[data-cause]').length") == len(groups)
    assert shown.run("return document.querySelectorAll('button[data-cause]').length") == len(groups)


def test_different_files_with_one_uid_are_told(shown: Browser, tmp_path: Path) -> None:
    conflict = Conflict("1.2.3", ("a.dcm", "b.dcm"), 2)
    shown.open(_write(tmp_path, Story([row(1, STORED), row(2, STORED)], conflicts=(conflict,))))
    assert shown.texts("#conflicts li") == [str(conflict)]


def test_what_failed_comes_first(shown: Browser, tmp_path: Path) -> None:
    shown.open(_write(tmp_path, mixed(200)))
    marks = shown.texts("#rows .mark")
    left = [index for index, mark in enumerate(marks) if not mark.startswith("Stored")]
    assert left == list(range(len(left)))
    assert len(left) == 200 - mixed(200).run().source.totals.stored


def test_sorting(shown: Browser, tmp_path: Path) -> None:
    story = Story([row(n, STORED, f"{n % 7}/{n}.dcm", dataset_size=(n * 37) % 101) for n in range(1, 41)])
    shown.open(_write(tmp_path, story))
    numbers = [int(text) for text in shown.texts("#rows td:first-child")]
    assert numbers == list(range(1, 41))
    by_size = sorted(range(1, 41), key=lambda n: (n * 37) % 101)
    shown.click("th[data-sort=size] button")
    assert [int(text) for text in shown.texts("#rows td:first-child")] == by_size
    assert shown.run("return document.querySelector('th[data-sort=size]').getAttribute('aria-sort')") == "ascending"
    shown.click("th[data-sort=size] button")
    assert [int(text) for text in shown.texts("#rows td:first-child")] == by_size[::-1]
    assert shown.run("return document.querySelector('th[data-sort=size]').getAttribute('aria-sort')") == "descending"
    assert shown.run("return document.querySelectorAll('th[aria-sort]').length") == 1


def test_searching_and_filters(shown: Browser, tmp_path: Path) -> None:
    shown.open(_write(tmp_path, mixed(1000)))
    shown.type("#search", "IM0000123.DCM")
    shown.wait("document.getElementById('rows').children.length === 1")
    assert shown.texts("#rows .path")[0].endswith("/IM0000123.dcm")
    assert shown.texts("#found") == ["1 of 1,000 instances"]
    shown.type("#search", "disk full 0xa700")
    shown.wait("document.getElementById('rows').children.length !== 1")
    assert {text.partition("\n")[0] for text in shown.texts("#rows .mark")} == {"Refused by the peer"}
    shown.type("#search", "no such thing")
    shown.wait("document.getElementById('rows').children.length === 0")
    assert shown.texts("#found") == ["0 of 1,000 instances"]
    groups = mixed(1000).run().causes.groups()
    shown.click("button[data-cause='1']")
    assert shown.texts("#found")[0].startswith(f"{groups[1].count} of 1,000")
    shown.click("#all")
    assert shown.texts("#found") == ["1,000 instances"]


def test_pages(shown: Browser, tmp_path: Path) -> None:
    shown.open(_write(tmp_path, everything_stored(120)))
    assert shown.texts("#place") == ["Page 1 of 3"]
    shown.click("#next")
    assert shown.texts("#rows td:first-child")[0] == "51"
    shown.click("#last")
    assert [shown.texts("#place"), shown.texts("#rows td:first-child")[-1]] == [["Page 3 of 3"], "120"]
    assert shown.run("return document.getElementById('next').disabled")


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_is_wider_than_a_phone(scripts: bool, shown: Browser, tmp_path: Path) -> None:
    story = mixed(200)
    story.rows.append(row(201, STORED, "a" * 300 + "/" + "b" * 200))
    shown.scripts(on=scripts)
    shown.resize(*NARROW)
    shown.open(_write(tmp_path, story))
    assert shown.run(BLACK_OVER) == 0
    widest = (
        "return Math.max(...[...document.querySelectorAll('body *')].map((one) => one.getBoundingClientRect().right))"
    )
    assert shown.run(widest) <= NARROW[0]


def test_dark_mode(shown: Browser, tmp_path: Path) -> None:
    shown.open(_write(tmp_path, mixed(200)))
    light = _contrast(shown)
    shown.prefer(scheme="dark")
    dark = _contrast(shown)
    assert light["ground"] != dark["ground"]
    assert light["least"] >= 4.5, light["where"]  # WCAG 2.2, 1.4.3
    assert dark["least"] >= 4.5, dark["where"]


CONTRAST: Final = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const light = (colour) => {
  const [r, g, b] = colour.slice(0, 3).map((c) => c / 255).map(linear);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (one) => {
  for (; one; one = one.parentElement) {
    const colour = parse(getComputedStyle(one).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
let least = 99, where = "";
for (const one of document.querySelectorAll("body *")) {
  const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || one.closest("script, noscript, style, button:disabled") || !one.getClientRects().length) continue;
  const [a, b] = [light(parse(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < least) [least, where] = [ratio, one.outerHTML.slice(0, 120)];
}
return { least, where, ground: getComputedStyle(document.body).backgroundColor };
"""


def _contrast(shown: Browser) -> dict[str, Any]:
    """The colour behind the page, and the least contrast of any text."""
    found: dict[str, Any] = shown.run(CONTRAST)
    return found


def test_without_scripts_all_that_matters_is_there(shown: Browser, tmp_path: Path) -> None:
    shown.scripts(on=False)
    shown.open(_write(tmp_path, mixed(1000)))
    assert shown.texts("h1") == ["69 of 1,000 instances are not stored, and 1 input was left out"]
    run = mixed(1000).run()
    assert shown.texts("#causes h3") == [group.reason for group in run.causes.groups()]
    assert shown.texts("#left-out .causes h3") == ["No such file or directory"]
    assert shown.texts("#no-dicom .path") == ["archive/2026/README.txt"]
    assert len(shown.texts("noscript tbody tr")) == 1000
    assert "the JSON and CSV reports have all" in shown.texts("caption")[0]
    assert shown.run("return document.getElementById('instances').getClientRects().length") == 0
    assert shown.run("return document.querySelectorAll('button[data-cause]:not([hidden])').length") == 0


def test_in_print(shown: Browser, tmp_path: Path) -> None:
    shown.open(_write(tmp_path, mixed(1000)))
    document = shown.pdf()
    assert document.startswith(b"%PDF-")
    assert 3 <= pages_of(document) <= 30
    assert len(shown.texts("#rows tr")) == 50  # as before


def test_marks_of_structure(shown: Browser, tmp_path: Path) -> None:
    shown.open(_write(tmp_path, mixed(200)))
    assert shown.run("return document.documentElement.lang") == "en"
    assert shown.run("return [...document.querySelectorAll('h1, h2, h3')].map((one) => one.tagName)[0]") == "H1"
    assert shown.run("return [...document.querySelectorAll('th')].every((one) => one.scope === 'col')")
    fields = "[...document.querySelectorAll('input, select')]"
    assert shown.run(f"return {fields}.length") == 3
    assert shown.run(f"return {fields}.every((one) => one.labels.length === 1)")
    assert shown.run("return [...document.querySelectorAll('svg')].every((one) => one.getAttribute('aria-label'))")
    moving = "[...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionDuration !== '0s')"
    assert shown.run(f"return {moving}.length") == 0
    shown.prefer(motion="no-preference")
    assert shown.run(f"return {moving}.length") > 0


HOSTILE: Final = (
    "</script><script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "\"' onmouseover=alert(1) & &lt; &amp;",
    "]]><!--<script>",
    "\u202edcm.\u2066exe",
    "\udcff\udc80.dcm",
    "\ud800",
    "line\nend\u2028\x1b[2J\0",
    "{{7*7}} ${7*7} `x`",
)


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_from_outside_becomes_a_part_of_the_page(scripts: bool, shown: Browser, tmp_path: Path) -> None:
    from dcmsend.errors import ConnectError
    from dcmsend.model import Peer
    from dcmsend.printable import printable

    rows = []
    for number, text in enumerate(HOSTILE, 1):
        failed = Outcome(
            number=number, state=State.FAILED, reason=because("said", words=text), association=1,
            network_syntax=text, attempts=1,
        )  # fmt: skip
        rows.append((Instance(text, text, text, text), failed))
    story = Story(
        rows,
        refusals=[Refusal(text, because("said", words=text)) for text in HOSTILE],
        error=ConnectError(HOSTILE[0], hint=HOSTILE[1]),
        reason=HOSTILE[0],
        peer=Peer(host=HOSTILE[1], port=1, called_ae=HOSTILE[0], calling_ae=HOSTILE[2]),
    )
    shown.scripts(on=scripts)
    path = _write(tmp_path, story)
    shown.open(path)
    title = shown.run("return document.title")
    assert title == f"None of 9 instances is stored, and 9 inputs were left out - {HOSTILE[0]} - dcmsend"
    assert shown.run("return document.querySelectorAll('img, iframe, object, link, a, form').length") == 0
    assert shown.run("return document.querySelectorAll('script:not([type])').length") == 1
    paths = shown.texts("#rows .path:not(.uid)" if scripts else "noscript .path:not(.uid)")
    # innerText makes one blank of several; there are none in a row
    assert paths == [printable(text).strip() for text in HOSTILE]
    assert shown.texts("#left-out .reasons .path:not(.examples .path)") == [printable(text).strip() for text in HOSTILE]
    assert shown.requests() == [path.as_uri()]
    assert shown.complaints() == []


def test_a_hundred_thousand_instances(shown: Browser, tmp_path: Path) -> None:
    """The bound is that of the browser's commands: who hangs fails, who is slow does not."""
    story = mixed(MANY)
    path = _write(tmp_path, story)
    shown.open(path)
    shown.wait("document.documentElement.dataset.ready")
    assert shown.texts("#found") == [f"{MANY:,} instances"]
    assert shown.run("return document.querySelectorAll('*').length") < 3000
    shown.type("#search", "IM0077777")
    shown.wait("document.getElementById('rows').children.length === 1")
    assert shown.texts("#rows td:first-child") == ["77777"]
    shown.type("#search", "")
    shown.run("document.getElementById('search').dispatchEvent(new Event('input'))")
    shown.wait("document.getElementById('rows').children.length === 50")
    shown.click("th[data-sort=path] button")
    assert shown.texts("#rows td:first-child")[0] == "1"
    assert shown.complaints() == []


def test_syntax_of_the_file_is_shown_where_it_was_sent_in_another(shown: Browser, tmp_path: Path) -> None:
    story = Story([row(1, STORED, transfer_syntax="1.2.840.10008.1.2.4.50", network_syntax=EXPLICIT)])
    shown.open(_write(tmp_path, story))
    assert "JPEG Baseline \u2192 Little Endian Explicit" in shown.texts("#rows td")[3]
