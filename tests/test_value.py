"""Frozen values: what dataclasses promise of theirs holds for ours (they stand in for them to start faster)."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import ClassVar

import pytest

from dcmsend.light import Frozen, replace


class Point(Frozen):
    KIND: ClassVar[str] = "point"
    x: int
    y: int = 2


class Limits(Frozen, kw_only=True):
    low: int = 0
    high: int = 9

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low above high")


class Named(Frozen):
    name: str

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Nothing(Frozen):
    pass


def test_made_by_position_and_by_name_with_defaults() -> None:
    assert (Point(1).x, Point(1).y, Point(1, y=3).y, Point(x=4).x, Point.KIND) == (1, 2, 3, 4, "point")
    assert (Limits(high=3).low, Limits(high=3).high) == (0, 3)
    assert Nothing() == Nothing()


@pytest.mark.parametrize("wrong", [lambda: Point(), lambda: Point(1, 2, 3), lambda: Limits(1), lambda: Point(1, z=2)])  # type: ignore[call-arg]
def test_wrong_arguments(wrong: object) -> None:
    for _ in range(2):  # the first uses of a class are another path than the later ones
        with pytest.raises(TypeError):
            wrong()  # type: ignore[operator]


def test_every_instance_is_made_alike() -> None:
    """The first few are made one way, all others by a constructor that is written out."""

    class Box(Frozen):
        a: int
        b: int = 2
        c: int = 3

        def __post_init__(self) -> None:
            made.append(self)

    made: list[object] = []
    ways: list[Callable[[], Box]] = [
        lambda: Box(1),
        lambda: Box(1, 2),
        lambda: Box(1, c=3),
        lambda: Box(a=1, b=2, c=3),
        lambda: Box(1, 2, 3),
    ]
    boxes = [way() for _ in range(3) for way in ways]
    assert boxes == made
    assert set(boxes) == {Box(1)}
    assert [type(box) for box in boxes] == [Box] * len(boxes)


def test_checked_when_made() -> None:
    with pytest.raises(ValueError, match="low above high"):
        Limits(low=10)


def test_frozen_and_without_a_dictionary() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="Point is frozen: 'x' cannot be changed"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del point.x
    with pytest.raises(AttributeError):
        point.z = 3  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")


def test_equal_and_hashed_by_fields_and_class() -> None:
    assert Point(1) == Point(1, 2) != Point(1, 3)
    assert hash(Point(1)) == hash(Point(1, 2))
    assert len({Point(1), Point(1), Point(2)}) == 2
    others: list[object] = [(1, 2), Limits(low=1, high=2)]
    assert Point(1) not in others


def test_printed_with_its_fields_or_as_the_class_says() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    assert repr(Named("a")) == "<a>"


def test_matched_by_position() -> None:
    match Point(1, 5):
        case Point(1, y):
            assert y == 5
        case _:
            pytest.fail("no match")


def test_replaced_copied_and_pickled() -> None:
    point = Point(1, 5)
    assert replace(point, y=6) == Point(1, 6)
    with pytest.raises(TypeError):
        replace(point, z=1)
    with pytest.raises(ValueError, match="low above high"):
        replace(Limits(), low=10)
    for again in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert again == point
        assert type(again) is Point


def test_inspect_is_not_imported_for_it() -> None:
    words = "import sys; before = set(sys.modules); import dcmsend.model; print(set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True).stdout
    assert "dcmsend.light" in loaded
    assert "inspect" not in loaded
    assert "dataclasses" not in loaded
