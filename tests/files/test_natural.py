"""Names in natural order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.files import natural
from dcmsend.files.natural import in_natural_order, natural_key


def in_order(names: list[str]) -> list[str]:
    return in_natural_order(list(names), str)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["b", "a10", "a9", "a"], ["a", "a9", "a10", "b"]),
        (["1", "01", "10", "2"], ["01", "1", "2", "10"]),
        (["x2y10", "x2y9", "x10"], ["x2y9", "x2y10", "x10"]),
        (["s2i1", "s1i10", "s1i2", "s10i1"], ["s1i2", "s1i10", "s2i1", "s10i1"]),
        (["10", "9", "09", "٣", "a"], ["09", "9", "10", "a", "٣"]),
        ([], []),
    ],
)
def test_natural_order(names: list[str], expected: list[str]) -> None:
    assert sorted(names, key=natural_key) == expected
    assert in_order(names) == expected


NAMES = st.one_of(st.text(max_size=8), st.from_regex(r"\A[ab]?[0-9]{1,3}([.b][0-9]{0,2})?\Z"))


@given(st.lists(NAMES))
def test_any_names_are_sorted_by_their_keys(names: list[str]) -> None:
    assert in_order(names) == sorted(names, key=natural_key)


@given(st.lists(st.integers(0, 2000), unique=True), st.sampled_from(["IM{}", "IM{:03}.dcm", "1.2.{}.{}", "{0}_{0}"]))
def test_numbered_files_come_by_their_numbers(numbers: list[int], form: str) -> None:
    names = [form.format(number, 1) for number in numbers]
    assert in_order(names) == [form.format(number, 1) for number in sorted(numbers)]


def test_names_of_one_shape_need_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(natural, "_splitter", None)
    assert in_order(["b12.dcm", "b02.dcm", "b10.dcm"]) == ["b02.dcm", "b10.dcm", "b12.dcm"]
