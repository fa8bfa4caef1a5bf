"""The stand-ins behave like what type checkers take them for; each rule is tried on both."""

from __future__ import annotations

import copy
import enum
import pickle
import sys
import typing
from collections.abc import Callable

import pytest

from dcmsend import light


class Colour(light.Enum):
    """Ours; the one below is Python's."""

    RED = "red"
    GREEN = "green"
    ROUGE = "red"

    @property
    def warm(self) -> bool:
        return self is Colour.RED

    @classmethod
    def first(cls) -> Colour:
        return cls.RED


class Hue(enum.Enum):
    RED = "red"
    GREEN = "green"
    ROUGE = "red"  # noqa: PIE796 - another name of the same

    @property
    def warm(self) -> bool:
        return self is Hue.RED

    @classmethod
    def first(cls) -> Hue:
        return cls.RED


class Size(light.IntEnum):
    SMALL = 1
    LARGE = 10


class Extent(enum.IntEnum):
    SMALL = 1
    LARGE = 10


class Point(light.NamedTuple):
    """Ours."""

    x: int
    y: int = 2
    label: str = ""

    def sum(self) -> int:
        return self.x + self.y


class Spot(typing.NamedTuple):
    """Python's."""

    x: int
    y: int = 2
    label: str = ""

    def sum(self) -> int:
        return self.x + self.y


ENUMS: typing.Final[list[typing.Any]] = [Colour, Hue]
NUMBERS: typing.Final[list[typing.Any]] = [Size, Extent]
TUPLES: typing.Final[list[typing.Any]] = [Point, Spot]


def test_stand_ins_are_what_is_tested() -> None:
    assert enum.Enum not in Colour.__mro__
    assert enum.Enum in Hue.__mro__
    assert light.NamedTuple.__module__ == "dcmsend.light"


@pytest.mark.parametrize("kind", ENUMS)
def test_members_are_found_by_value_and_by_name(kind: typing.Any) -> None:
    assert list(kind) == [kind.RED, kind.GREEN]
    assert list(reversed(kind)) == [kind.GREEN, kind.RED]
    assert len(kind) == 2
    assert kind
    assert kind("red") is kind["RED"] is kind.RED
    assert kind(kind.GREEN) is kind.GREEN
    assert kind.RED in kind
    assert dict(kind.__members__) == {"RED": kind.RED, "GREEN": kind.GREEN, "ROUGE": kind.RED}
    assert (kind.RED.name, kind.RED.value) == ("RED", "red")
    assert type(kind.RED) is kind


@pytest.mark.parametrize("kind", ENUMS)
@pytest.mark.parametrize("unknown", ["blue", 3, None, ["red"]], ids=repr)
def test_a_value_that_no_member_has_is_refused(kind: typing.Any, unknown: object) -> None:
    with pytest.raises(ValueError, match=f"is not a valid {kind.__name__}"):
        kind(unknown)


@pytest.mark.parametrize("kind", ENUMS)
def test_a_name_that_no_member_has_is_refused(kind: typing.Any) -> None:
    with pytest.raises(KeyError):
        kind["BLUE"]
    with pytest.raises(AttributeError):
        _ = kind.BLUE
    with pytest.raises(AttributeError):
        kind.RED = "blue"


@pytest.mark.parametrize("kind", ENUMS)
def test_aliases_methods_and_properties(kind: typing.Any) -> None:
    assert kind.ROUGE is kind.RED
    assert kind.ROUGE.name == "RED"
    assert kind.RED.warm
    assert not kind.GREEN.warm
    assert kind.first() is kind.RED


@pytest.mark.parametrize("kind", ENUMS)
def test_members_are_equal_to_themselves_alone(kind: typing.Any) -> None:
    assert kind.RED == kind.RED
    assert kind.RED != kind.GREEN
    assert kind.RED != "red"
    assert {kind.RED: 1}[kind("red")] == 1
    assert len({kind.RED, kind.GREEN, kind.ROUGE}) == 2
    assert bool(kind.RED)
    match kind.GREEN:
        case kind.RED:
            pytest.fail("another member")
        case kind.GREEN:
            pass


@pytest.mark.parametrize("kind", ENUMS)
def test_how_members_look(kind: typing.Any) -> None:
    name = kind.__name__
    assert repr(kind.RED) == f"<{name}.RED: 'red'>"
    assert str(kind.RED) == f"{kind.RED}" == f"{name}.RED"
    assert f"{kind.RED:>12}" == f"{name}.RED".rjust(12)
    assert repr(kind) == f"<enum '{name}'>"


@pytest.mark.parametrize("kind", [*ENUMS, *NUMBERS])
def test_members_stay_single_through_copies(kind: typing.Any) -> None:
    for member in kind:
        assert copy.copy(member) is member
        assert copy.deepcopy([member])[0] is member
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(member, protocol)) is member


@pytest.mark.parametrize("kind", NUMBERS)
def test_members_that_are_integers(kind: typing.Any) -> None:
    name = kind.__name__
    assert isinstance(kind.LARGE, int)
    assert kind.SMALL < kind.LARGE
    assert kind.LARGE == 10
    assert kind(10) is kind.LARGE
    assert hash(kind.LARGE) == hash(10)
    assert kind.SMALL + 1 == 2
    assert str(kind.LARGE) == f"{kind.LARGE}" == "10"
    assert f"{kind.LARGE:04d}" == "0010"
    assert "%d" % kind.LARGE == "10"  # noqa: UP031 - what is tested
    assert repr(kind.LARGE) == f"<{name}.LARGE: 10>"
    assert kind.LARGE.name.lower() == "large"
    assert [item for item in (5, 10, 1) if item in {int(member) for member in kind}] == [10, 1]


@pytest.mark.parametrize("kind", TUPLES)
def test_fields_by_name_and_by_place(kind: typing.Any) -> None:
    assert kind.x.__doc__ == "Alias for field number 0"
    point = kind(1, label="a")
    assert point == (1, 2, "a")
    assert (point.x, point.y, point.label) == (1, 2, "a")
    assert point[0] == 1
    x, y, label = point
    assert (x, y, label) == point
    assert point.sum() == 3
    assert kind(x=1, y=2, label="a") == point
    assert hash(point) == hash((1, 2, "a"))
    assert isinstance(point, tuple)
    assert type(point) is kind
    assert repr(point) == f"{kind.__name__}(x=1, y=2, label='a')"


@pytest.mark.parametrize("kind", TUPLES)
def test_what_is_known_of_the_fields(kind: typing.Any) -> None:
    assert kind._fields == kind.__match_args__ == ("x", "y", "label")
    assert kind._field_defaults == {"y": 2, "label": ""}
    assert kind.__doc__ in ("Ours.", "Python's.")
    assert kind(1)._asdict() == {"x": 1, "y": 2, "label": ""}


def test_fields_in_patterns() -> None:
    match Point(1, 5):
        case Point(x, y, label=label):
            assert (x, y, label) == (1, 5, "")


@pytest.mark.parametrize("kind", TUPLES)
def test_tuples_that_differ_in_a_field(kind: typing.Any) -> None:
    point = kind(1)
    assert point._replace(y=9) == (1, 9, "")
    assert type(point._replace(y=9)) is kind
    assert kind._make([1, 2, "b"]) == kind(1, 2, "b")
    if sys.version_info >= (3, 13):
        assert copy.replace(point, x=3) == kind(3)
    with pytest.raises((TypeError, ValueError)):
        point._replace(z=1)
    with pytest.raises(TypeError):
        kind._make([1, 2])


@pytest.mark.parametrize("kind", TUPLES)
@pytest.mark.parametrize(("values", "named"), [((), {}), ((1, 2, "", 4), {}), ((1,), {"z": 1}), ((1,), {"x": 1})])
def test_arguments_that_do_not_fit_are_refused(kind: typing.Any, values: typing.Any, named: typing.Any) -> None:
    with pytest.raises(TypeError):
        kind(*values, **named)


def test_every_tuple_is_made_alike() -> None:
    """The first few are made one way, all others by a constructor that is written out."""

    class Box(light.NamedTuple):
        a: int
        b: int = 2
        c: int = 3

    ways: list[Callable[[], Box]] = [
        lambda: Box(1),
        lambda: Box(1, 2),
        lambda: Box(1, c=3),
        lambda: Box(a=1, b=2, c=3),
        lambda: Box(1, 2, 3),
    ]
    boxes = [way() for _ in range(3) for way in ways]
    assert boxes == [(1, 2, 3)] * len(boxes)
    assert [type(box) for box in boxes] == [Box] * len(boxes)


@pytest.mark.parametrize("kind", TUPLES)
def test_tuples_cannot_be_changed(kind: typing.Any) -> None:
    point = kind(1)
    for name in ("x", "other"):
        with pytest.raises(AttributeError):
            setattr(point, name, 5)
    assert not hasattr(point, "__dict__")


@pytest.mark.parametrize("kind", TUPLES)
def test_tuples_can_be_copied(kind: typing.Any) -> None:
    point = kind(1, 2, "c")
    assert copy.copy(point) == point
    assert copy.deepcopy(point) == point
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        loaded = pickle.loads(pickle.dumps(point, protocol))
        assert loaded == point
        assert type(loaded) is kind


def test_the_first_use_may_be_any_way_of_making_one() -> None:
    class Single(light.NamedTuple):
        only: int

    class Derived(Point):
        pass

    assert Single(only=1) == (1,)
    assert Single(2).only == 2
    assert type(Derived(1)) is Derived
    assert Derived(1).sum() == 3
