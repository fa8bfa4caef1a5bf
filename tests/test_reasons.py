"""Reasons are values: what the source says of them, the one table of their words, and their form in a database."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dcmsend.cli.names import OPTIONS
from dcmsend.cli.options import BY_NAME
from dcmsend.reasons import LONGEST_FACT, NONE, Reason, because, of_system, pack, unpack
from dcmsend.reasons.names import LIBRARY
from dcmsend.reasons.row import Kind, Row
from dcmsend.reasons.table import TABLE, group, words
from scripts.writers.reasons import CODES_OF_OTHERS, listing, reasons_page
from scripts.writers.text import ROOT
from tests.files.encode import is_one_line

SOURCE: Final = ROOT / "src" / "dcmsend"
OPTION: Final = re.compile(r"--[a-z][a-z0-9-]+")
FIELDS: Final = string.Formatter()
SECTIONS: Final = "reasons/rows_"  # of the table, a module each
BEHIND: Final = frozenset(("inner", "behind"))


@cache
def trees() -> dict[str, ast.Module]:
    """Each module of the package by its path."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    }


def fields(template: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in FIELDS.parse(template) if name}


def constants(node: ast.AST) -> set[str]:
    """The texts that an expression may come to, as far as it has them in it."""
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call of ``because``, and where it is."""
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "because":
                yield f"{name}:{node.lineno}", node


def codes_of(call: ast.Call) -> set[str]:
    """The codes that stand in a call; none where a table or a variable has them."""
    code = call.args[0]
    if isinstance(code, ast.Constant):
        return {code.value} if isinstance(code.value, str) else set()
    if isinstance(code, ast.IfExp):
        return constants(code.body) | constants(code.orelse)
    return set()


# --- the table and the source


def test_no_code_stands_in_two_sections_of_the_table() -> None:
    sections = [name[:-3].replace("/", ".") for name in trees() if name.startswith(SECTIONS)]
    codes = [code for name in sections for code in import_module(f"dcmsend.{name}").ROWS]
    assert sorted(codes) == sorted(TABLE)


def test_every_code_of_the_source_is_in_the_table() -> None:
    unknown = {where: codes_of(call) - TABLE.keys() for where, call in calls() if codes_of(call) - TABLE.keys()}
    assert unknown == {}


def test_every_row_of_the_table_is_used() -> None:
    """By a call, or as a word in the table of some module."""
    told = set[str]()
    for name, tree in trees().items():
        if not name.startswith(SECTIONS):
            told |= constants(tree)
    assert TABLE.keys() - told == set()


def test_each_call_gives_the_facts_of_its_row() -> None:
    """No more, no less: a template names all of them, or they tell groups apart or stand in the hint."""
    wrong = []
    for where, call in calls():
        given = {keyword.arg for keyword in call.keywords}
        if None in given:  # ** of a table
            continue
        for code in codes_of(call) & TABLE.keys():
            row = TABLE[code]
            needed = fields(row.words) - BEHIND
            known = needed | set(row.by) | (fields(row.hint) - LIBRARY.keys())
            if not needed <= given or not given <= known:
                wrong.append((where, code, sorted(map(str, given)), sorted(needed)))
    assert wrong == []


@pytest.mark.parametrize("code", TABLE)
def test_a_row_is_as_it_should_be(code: str) -> None:
    row = TABLE[code]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", code)
    assert fields(row.hint) <= LIBRARY.keys() | fields(row.words) | set(row.by)
    assert set(row.by) <= fields(row.words) - BEHIND
    assert OPTION.findall(row.words + row.hint) == []
    assert row.words
    assert row.words == row.words.strip()
    assert not row.hint or row.hint.endswith((".", "?", ")", "}")), row.hint


def test_settings_have_a_name_on_both_sides() -> None:
    assert OPTIONS.keys() == LIBRARY.keys()
    assert list(OPTIONS) == sorted(OPTIONS)
    assert {option for name in OPTIONS.values() for option in OPTION.findall(name)} <= set(BY_NAME)
    assert all(OPTION.search(name) for name in OPTIONS.values())
    assert not any(OPTION.search(name) for name in LIBRARY.values())


def test_settings_that_nobody_names_have_no_name() -> None:
    named = set[str]().union(*(fields(row.hint) for row in TABLE.values()))
    named |= {name for text in constants(trees()["reasons/table.py"]) for name in fields(text)}  # hints of kinds
    assert LIBRARY.keys() - named == set()


def test_no_module_below_the_command_line_names_an_option() -> None:
    found = set()
    for name, tree in trees().items():
        if name.startswith("cli/") or name == "__main__.py":
            continue
        documentation = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                found |= {name for option in OPTION.findall(node.value) if option in BY_NAME}
    assert found == set()


def test_nobody_looks_into_the_words_of_a_reason() -> None:
    """What is to be known of a reason is its code."""
    looks = ("startswith", "endswith", "find", "index", "split", "partition", "removeprefix", "match", "search")

    def is_reason(node: ast.AST) -> bool:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
            return is_reason(node.args[0])
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        return name in ("reason", "why") or name.endswith("_reason")

    found = set()
    for name, tree in trees().items():
        for node in ast.walk(tree):
            by_method = isinstance(node, ast.Attribute) and node.attr in looks and is_reason(node.value)
            by_in = isinstance(node, ast.Compare) and any(
                isinstance(how, ast.In | ast.NotIn) and is_reason(what)
                for how, what in zip(node.ops, node.comparators, strict=True)
            )
            by_pattern = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in looks
                and any(map(is_reason, node.args))
            )
            if by_method or by_in or by_pattern:
                found.add(name)
    assert found == set()


# --- what is shown


def test_there_are_a_hundred_reasons_and_each_says_what_to_do() -> None:
    print(listing())  # pytest shows it with -s, and where the test fails
    assert len(TABLE) >= 100
    mute = [
        code
        for code, row in TABLE.items()
        if not Reason(code).hint() and code not in CODES_OF_OTHERS and row.kind not in (Kind.NETWORK, Kind.RUN)
    ]
    assert mute == []


def test_the_page_of_reasons_is_up_to_date() -> None:
    page = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    assert page == reasons_page(), f"run ./scripts/generate; this is the table:\n{listing()}"


def test_words_with_facts_and_what_is_behind() -> None:
    reason = because("run_ended", because("too_short", size=17))
    assert str(reason).startswith("not tried: the run ended before (it has only 17 bytes: too short")
    assert group(reason).startswith("not tried: the run ended before (it has only ... bytes: too short")
    assert (reason.innermost.code, reason.kind, bool(reason), bool(NONE), str(NONE)) == (
        "too_short", Kind.NOT_TRIED, True, False, "",
    )  # fmt: skip


def test_a_hint_is_that_of_the_reason_behind_where_it_has_none_itself() -> None:
    inner = because("not_found", words="gone")
    assert because("bad_file", inner, path="x").hint() == inner.hint() != because("bad_file", path="x").hint()


def test_a_code_that_is_not_in_the_table_is_shown_as_it_is() -> None:
    assert (words(Reason("no_such_code")), Reason("no_such_code").kind) == ("no_such_code", Kind.OTHERS)
    assert words(Reason("a\nb")) == "a\\nb"


HOSTILE: Final = "x\nF: forged\r\x1b[2J\u2028\u202e\udcff\ud800{path}%s'\"\\"


@pytest.mark.parametrize("code", TABLE)
def test_facts_are_shown_on_one_line_whatever_they_are(code: str) -> None:
    row: Row = TABLE[code]
    names = (fields(row.words) | fields(row.hint)) - BEHIND - LIBRARY.keys()
    reason = because(code, because("said", words=HOSTILE), **dict.fromkeys(names, HOSTILE))
    for text in (str(reason), group(reason), reason.hint(), reason.hint(OPTIONS)):
        assert is_one_line(text)


@pytest.mark.parametrize(
    ("number", "code", "passes"),
    [
        (2, "not_found", False), (13, "no_permission", False), (5, "read_error", True),
        (24, "too_many_open_files", True), (28, "no_room", False), (36, "name_too_long", False),
        (40, "link_loop", False), (12, "no_memory", False), (77, "system", False),
    ],
)  # fmt: skip
def test_what_the_system_says(number: int, code: str, passes: bool) -> None:
    reason = of_system(OSError(number, "words of the system"))
    assert (reason.code, str(reason), reason.passes) == (code, "words of the system", passes)


# --- in a database

FACTS: Final = some.dictionaries(
    some.text(min_size=1, max_size=20), some.one_of(some.text(max_size=200), some.integers(-(2**63), 2**63 - 1)),
    max_size=4,
)  # fmt: skip


def _made(parts: list[tuple[str, dict[str, str | int]]]) -> Reason:
    reason: Reason | None = None
    for code, facts in parts:
        reason = because(code, reason, **facts)
    return reason or NONE


@given(some.lists(some.tuples(some.sampled_from(sorted(TABLE)), FACTS), max_size=4))
def test_packed_and_unpacked_it_is_the_same(parts: list[tuple[str, dict[str, str | int]]]) -> None:
    reason = _made(parts)
    packed = pack(reason)
    assert packed.isascii()
    assert unpack(packed) == reason


def test_bytes_of_names_come_back() -> None:
    reason = because("bad_file", because("said", words=HOSTILE), path="\udcff\ud800")
    assert unpack(pack(reason)) == reason


@given(some.one_of(some.text(max_size=300), some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=5) | some.sampled_from(sorted(TABLE)),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=4), inner, max_size=3),
    max_leaves=12,
).map(json.dumps)))  # fmt: skip
def test_text_of_anybody_is_a_reason(text: str) -> None:
    reason = unpack(text)
    assert is_one_line(str(reason))
    assert bool(reason) is bool(text)


def test_depth_and_facts_are_bounded() -> None:
    packed = '["said"]'
    for _ in range(2000):
        packed = f'["said",{{}},{packed}]'
    assert unpack(packed).code == "said"
    assert unpack("[" * 100_000).code == "said"
    assert len(str(because("said", words="x" * 10**6).fact("words"))) == LONGEST_FACT


@pytest.mark.parametrize(
    "text",
    [
        '["no_such_code"]',
        "[]",
        "{}",
        "17",
        '["said",{"words":[]}]',
        '["said",{},{}]',
        '["said",{},["said"],1]',
        "plain",
    ],
)
def test_what_is_no_reason_is_taken_for_words(text: str) -> None:
    assert unpack(text) == because("said", words=text)


def test_where_the_table_is_there_is_no_other(tmp_path: Path) -> None:
    assert not (SOURCE / "report" / "hints.py").exists()
    assert pack(NONE) == ""
    assert unpack("") == NONE
