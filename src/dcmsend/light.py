"""``Enum``, ``IntEnum``, ``NamedTuple`` and frozen values without the modules of the standard library. Ground floor.

Importing ``enum``, ``typing`` and ``dataclasses`` takes longer than sending a small file; so does what they do for
each class. Type checkers see the real ones. At run time these behave like them as far as a program goes that type
checkers accept: members that are the only ones of their kind, found by value and by name; tuples and values whose
constructor is written out when they are made often enough. All may be copied and pickled. A member is no instance of
``enum.Enum``, which nobody should need to ask.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from enum import Enum, IntEnum
    from typing import Any, NamedTuple, Self, TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True)
    class Frozen:
        """A frozen value with slots; its fields are the annotations of the class itself. Defaults must be immutable.

        ``class Point(Frozen)`` is made of arguments by position or by name, with ``kw_only=True`` by name only.
        ``__post_init__`` may check what was made.
        """

        def __init_subclass__(cls, *, kw_only: bool = False) -> None: ...


__all__ = ["Enum", "Frozen", "IntEnum", "NamedTuple", "replace"]

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
        members: dict[str, Any] = {}
        by_value: dict[Any, Any] = {}
        own = {key: item for key, item in namespace.items() if key not in values}
        enumeration = type.__new__(cls, name, bases, own | {"__members__": members, "_by_value": by_value})
        for key, item in values.items():
            member = by_value.get(item)
            if member is None:
                member = by_value[item] = _new_member(enumeration, key, item)
            type.__setattr__(enumeration, key, member)
            members[key] = member
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


# --- what is made of fields

_FEW = 4  # instances of a class for which it does not pay to write its constructor out


class _Fields:
    """The fields of a class, in order, with their defaults; ``options`` are those of its constructor."""

    __slots__ = ("by_name", "defaults", "made", "names")

    def __init__(self, names: tuple[str, ...], namespace: dict[str, Any], *, by_name: bool = False) -> None:
        self.names = names
        self.defaults = {name: namespace[name] for name in names if name in namespace}
        self.by_name = by_name
        self.made = 0

    def bind(self, values: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any] | None:
        """The fields of the next instance; None where its constructor must be called: to be fast, or to complain."""
        self.made += 1
        if self.made > _FEW or len(values) > len(self.names) or (self.by_name and values):
            return None
        given = dict(zip(self.names, values, strict=False))
        fields = {**self.defaults, **given, **named}
        complete = len(fields) == len(self.names) and all(name in fields for name in self.names)
        return fields if complete and named.keys().isdisjoint(given) else None

    def parameters(self) -> str:
        """The fields as parameters of a function."""
        words = (f"{name}=default_{name}" if name in self.defaults else name for name in self.names)
        return ", ".join(("*", *words) if self.by_name and self.names else words)

    def known(self) -> dict[str, Any]:
        """The names that stand in ``parameters``."""
        return {f"default_{name}": default for name, default in self.defaults.items()}


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


class _Tuples(type):
    """Makes a tuple with named fields of the annotations in a class body; defaults are what is assigned there."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
        if not bases:
            return type.__new__(cls, name, bases, namespace)
        names = tuple(namespace.get("__annotations__", ()))
        fields = _Fields(names, namespace)

        def first(cls: type, /, *values: Any, **named: Any) -> Any:
            bound = fields.bind(values, named)
            if bound is not None:
                return tuple.__new__(cls, [bound[name] for name in names])
            made.__new__ = _tuple_constructor(fields)
            return made.__new__(cls, *values, **named)

        namespace.update((field, _field(index, f"Alias for field number {index}")) for index, field in enumerate(names))
        namespace.update(__slots__=(), __new__=first, _fields=names, _field_defaults=fields.defaults)
        namespace["__match_args__"] = names
        made: Any = type(name, (_Tuple,), namespace)
        return made  # type: ignore[no-any-return]


def _tuple_constructor(fields: _Fields) -> Any:
    """``__new__``, written out: nothing else is as fast."""
    source = f"lambda _class, {fields.parameters()}: _new(_class, ({', '.join(fields.names)},))"
    return eval(source, {**fields.known(), "_new": tuple.__new__})  # noqa: S307 - of names that stand in our own source


if not TYPE_CHECKING:

    class NamedTuple(metaclass=_Tuples):
        """A tuple whose fields have names: what to derive from."""


# --- values


class _Value:
    """What all values can do."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={item!r}' for name, item in _fields(self).items())})"

    def __eq__(self, other: object) -> Any:
        return _fields(self) == _fields(other) if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(_fields(self).values()))

    def __setattr__(self, name: str, _: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be changed")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), _fields(self))

    def __replace__(self, /, **changes: Any) -> Self:
        return type(self)(**{**_fields(self), **changes})


def replace(instance: T, /, **changes: Any) -> T:
    """A value like this one but for some fields. Raises TypeError where there is no such field."""
    return instance.__replace__(**changes)  # type: ignore[no-any-return, attr-defined]


def _rebuilt(cls: Any, fields: dict[str, Any]) -> Any:
    return cls(**fields)


def _fields(instance: Any) -> dict[str, Any]:
    return {name: getattr(instance, name) for name in instance.__match_args__}


class _Values(type):
    """Makes a frozen value of the annotations in a class body; defaults are what is assigned there."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, kw_only: bool = False) -> type:
        if not bases:
            return type.__new__(cls, name, bases, namespace)
        annotations = namespace.get("__annotations__", {})
        names = tuple(field for field, kind in annotations.items() if not kind.startswith("ClassVar"))
        fields = _Fields(names, namespace, by_name=kw_only)
        for field in fields.defaults:
            del namespace[field]

        def first(self: Any, /, *values: Any, **named: Any) -> None:
            bound = fields.bind(values, named)
            if bound is None:
                made.__init__ = _initializer(made, fields)
                self.__init__(*values, **named)
                return
            for name in names:
                getattr(made, name).__set__(self, bound[name])
            if checked:
                self.__post_init__()

        checked = "__post_init__" in namespace
        namespace.update(__slots__=names, __match_args__=names, __init__=first)
        made: Any = type(name, (_Value,), namespace)
        return made  # type: ignore[no-any-return]


def _initializer(made: Any, fields: _Fields) -> Any:
    """``__init__``, written out: nothing else is as fast."""
    known = {**fields.known(), **{f"set_{name}": getattr(made, name).__set__ for name in fields.names}}
    lines = [f"def __init__(self, {fields.parameters()}):"]
    lines += [f" set_{name}(self, {name})" for name in fields.names]
    lines += [" self.__post_init__()"] if hasattr(made, "__post_init__") else []
    exec("\n".join((*lines, " return None")), known)  # noqa: S102 - of names that stand in our own source
    return known["__init__"]


if not TYPE_CHECKING:

    class Frozen(metaclass=_Values):
        """A frozen value: what to derive from."""
