"""Names in the order of people: numbers by their value, the rest by its characters. It knows nothing of files.

The names in a folder have few shapes, most often: they differ in digits alone. Within a shape characters sort them
just as well, many times as fast.
"""

from __future__ import annotations

from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TypeVar

    T = TypeVar("T")

_MOST_SHAPES: Final = 32
_DIGITS_ALIKE: Final = str.maketrans("123456789", "000000000")


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sorts names naturally; those that differ in leading zeros only by their characters."""
    return _splitter()(name), name


def in_natural_order(items: list[T], name_of: Callable[[T], str]) -> list[T]:
    """``items`` sorted by the ``natural_key`` of their names."""
    items.sort(key=name_of)
    shapes: dict[str, list[T]] = {}
    for item in items:
        shapes.setdefault(name_of(item).translate(_DIGITS_ALIKE), []).append(item)
    if len(shapes) < 2:
        return items
    in_order = _one_after_the_other(list(shapes.values()), name_of)
    if in_order is None:
        parts = _splitter()
        in_order = sorted(items, key=lambda item: parts(name_of(item)))  # what is equal stays sorted by its characters
    return in_order


def _splitter() -> Callable[[str], list[str | int]]:
    """What takes a name apart: text and numbers in turn."""
    import re  # not wanted where a single file is sent

    split = re.compile("([0-9]+)").split

    def parts(name: str) -> list[str | int]:
        found: list[str | int] = list(split(name))
        found[1::2] = map(int, found[1::2])
        return found

    return parts


def _one_after_the_other(shapes: list[list[T]], name_of: Callable[[T], str]) -> list[T] | None:
    """The items of all shapes, each of which is sorted, if those of one come before all those of the next."""
    if len(shapes) > _MOST_SHAPES:
        return None
    shapes.sort(key=lambda items: natural_key(name_of(items[0])))
    if any(natural_key(name_of(items[-1])) > natural_key(name_of(others[0])) for items, others in pairwise(shapes)):
        return None
    return [item for items in shapes for item in items]
