"""``Enum``, ``IntEnum`` and ``NamedTuple`` without the modules of the standard library. Ground floor: imports nothing.

Importing ``enum`` and ``typing`` takes longer than sending a small file. Type checkers see the real ones; at run time
these behave like them as far as a program goes that type checkers accept: members that are the only ones of their kind,
found by value and by name; tuples with named fields whose constructor is made when it is first needed. Both may be
copied and pickled. A member is no instance of ``enum.Enum``, which nobody should need to ask.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from enum import Enum, IntEnum
    from typing import Any, NamedTuple, Self

__all__ = ["Enum", "IntEnum", "NamedTuple"]

try:
    from _collections import _tuplegetter as _field  # type: ignore[import-not-found, unused-ignore]
except ImportError:  # an interpreter of another make
    from _operator import itemgetter

    def _field(index: int, doc: str) -> Any:
        return property(itemgetter(index), doc=doc)


# --- enumerations


class _Members(type):
    """The class of enumerations: whatever is assigned in the body and is no method or property becomes a member."""

    __members__: dict[str, Any]
    _by_value: dict[Any, Any]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _Members:
        values = {key: item for key, item in namespace.items() if key[:1] != "_" and not hasattr(item, "__get__")}
        enumeration = type.__new__(cls, name, bases, {key: namespace[key] for key in namespace if key not in values})
        members: dict[str, Any] = {}
        by_value: dict[Any, Any] = {}
        for key, item in values.items():
            member = by_value.get(item)
            if member is None:
                member = by_value[item] = _new_member(enumeration, key, item)
            members[key] = member
            type.__setattr__(enumeration, key, member)
        type.__setattr__(enumeration, "__members__", members)
        type.__setattr__(enumeration, "_by_value", by_value)
        return enumeration

    def __call__(cls, value: Any) -> Any:
        """The member with a value. Raises ValueError where there is none."""
        if type(value) is cls:
            return value
        try:
            return cls._by_value[value]
        except (KeyError, TypeError):  # TypeError: a value that has no hash
            raise ValueError(f"{value!r} is not a valid {cls.__qualname__}") from None

    def __getitem__(cls, name: str) -> Any:
        return cls.__members__[name]

    def __iter__(cls) -> Iterator[Any]:
        return iter(cls._by_value.values())

    def __reversed__(cls) -> Iterator[Any]:
        return reversed(cls._by_value.values())

    def __len__(cls) -> int:
        return len(cls._by_value)

    def __bool__(cls) -> bool:
        return True

    def __contains__(cls, item: object) -> bool:
        return type(item) is cls or item in cls._by_value

    def __setattr__(cls, name: str, item: object) -> None:
        if name in cls.__members__:
            raise AttributeError(f"cannot reassign member {name!r}")
        type.__setattr__(cls, name, item)

    def __repr__(cls) -> str:
        return f"<enum {cls.__name__!r}>"


def _new_member(enumeration: type, name: str, value: Any) -> Any:
    member: Any = int.__new__(enumeration, value) if issubclass(enumeration, int) else object.__new__(enumeration)
    member.name = member._name_ = name
    member.value = member._value_ = value
    return member


# --- tuples


class _Tuple(tuple):  # type: ignore[type-arg]
    """What all tuples with named fields can do."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    @classmethod
    def _make(cls, values: Iterable[Any]) -> Self:
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self, /, **changes: Any) -> Self:
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        pairs = (f"{name}={item!r}" for name, item in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({', '.join(pairs)})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    __replace__ = _replace


class _Fields(type):
    """Makes a tuple with named fields of the annotations in a class body; its defaults are what stands behind them."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
        if not bases:
            return type.__new__(cls, name, bases, namespace)
        names = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace[field] for field in names if field in namespace}
        namespace.update((field, _field(index, f"Alias for field number {index}")) for index, field in enumerate(names))

        def first(cls: type, *values: Any, **named: Any) -> Any:
            made.__new__ = _constructor(names, defaults)
            return made.__new__(cls, *values, **named)

        namespace.update(__slots__=(), __new__=first, _fields=names, _field_defaults=defaults, __match_args__=names)
        made: Any = type(name, (_Tuple,), namespace)
        return made  # type: ignore[no-any-return]


def _constructor(names: tuple[str, ...], defaults: dict[str, Any]) -> Any:
    """``__new__``, written out: nothing else is as fast."""
    known: dict[str, Any] = {f"default_{name}": default for name, default in defaults.items()}
    known["new"] = tuple.__new__
    parameters = ", ".join(f"{name}=default_{name}" if name in defaults else name for name in names)
    values = ", ".join(names)
    return eval(f"lambda cls, {parameters}: new(cls, ({values},))", known)  # noqa: S307 - of names in our own source


if not TYPE_CHECKING:

    class Enum(metaclass=_Members):
        """A class of named values, each of which is the only one of its kind."""

        def __repr__(self):
            return f"<{type(self).__name__}.{self._name_}: {self._value_!r}>"

        def __str__(self):
            return f"{type(self).__name__}.{self._name_}"

        def __format__(self, specification):
            return format(str(self), specification)

        def __reduce_ex__(self, protocol):
            return type(self), (self._value_,)

    class IntEnum(int, Enum):
        """An enumeration whose members are integers, and show as such in text."""

        __repr__ = Enum.__repr__
        __str__ = int.__repr__

    class NamedTuple(metaclass=_Fields):
        """A tuple whose fields have names: what to derive from."""
