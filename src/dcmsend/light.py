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
    member.name = name
    member.value = value
    return member


if not TYPE_CHECKING:

    class Enum(metaclass=_Members):
        """A class of named values, each of which is the only one of its kind."""

        def __repr__(self):
            return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

        def __str__(self):
            return f"{type(self).__name__}.{self.name}"

        def __format__(self, specification):
            return format(str(self), specification)

        def __reduce_ex__(self, protocol):
            return type(self), (self.value,)

    class IntEnum(int, Enum):
        """An enumeration whose members are integers, and show as such in text."""

        __repr__ = Enum.__repr__
        __str__ = int.__repr__


# --- what is made of fields
#
# Nothing is prepared when a class is defined: most are used once in a run, or never. The first few instances are made
# by the constructor of the base, which looks at the class each time; then the class gets its own, written out.

_FEW = 8
_made: dict[type, int] = {}  # how many instances the base has made of a class


def _bound(cls: Any, names: tuple[str, ...], values: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any] | None:
    """The fields of the next instance; None where the class's own constructor is wanted: to be fast, or to complain."""
    _made[cls] = made = _made.get(cls, 0) + 1
    if made > _FEW or len(values) > len(names) or (cls._by_name and values):
        return None
    given = dict(zip(names, values, strict=False))
    fields = {**cls._field_defaults, **given, **named}
    complete = len(fields) == len(names) and all(name in fields for name in names)
    return fields if complete and named.keys().isdisjoint(given) else None


def _parameters(cls: Any, names: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """The fields as parameters of a function, and what the names in there mean."""
    defaults = cls._field_defaults
    words = [f"{name}=default_{name}" if name in defaults else name for name in names]
    return ", ".join(["*", *words] if cls._by_name and names else words), {
        f"default_{name}": default for name, default in defaults.items()
    }


# --- tuples


class _Tuple(tuple):  # type: ignore[type-arg]
    """What all tuples with named fields can do."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()
    _field_defaults: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    _by_name = False

    def __new__(cls, /, *values: Any, **named: Any) -> Self:
        bound = _bound(cls, cls._fields, values, named)
        if bound is not None:
            return tuple.__new__(cls, [bound[name] for name in cls._fields])
        cls.__new__ = _tuple_constructor(cls)  # type: ignore[method-assign]
        return cls.__new__(cls, *values, **named)

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
        defaults = {field: namespace[field] for field in names if field in namespace}
        while len(names) > len(_GETTERS):
            _GETTERS.append(_field(len(_GETTERS), f"Alias for field number {len(_GETTERS)}"))
        namespace.update(zip(names, _GETTERS, strict=False))
        namespace.update(__slots__=(), _fields=names, _field_defaults=defaults, __match_args__=names)
        return type(name, (_Tuple,), namespace)


_GETTERS: list[Any] = []  # what a field of a tuple is in its class, by the number of the field


def _tuple_constructor(cls: Any) -> Any:
    """``__new__``, written out: nothing else is as fast."""
    parameters, known = _parameters(cls, cls._fields)
    source = f"lambda _class, {parameters}: _new(_class, ({', '.join(cls._fields)},))"
    return eval(source, {**known, "_new": tuple.__new__})  # noqa: S307 - of names that stand in our own source


if not TYPE_CHECKING:

    class NamedTuple(metaclass=_Tuples):
        """A tuple whose fields have names: what to derive from."""


# --- values


class _Value:
    """What all values can do."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()
    _field_defaults: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    _by_name = False

    def __init__(self, /, *values: Any, **named: Any) -> None:
        cls = type(self)
        bound = _bound(cls, cls.__match_args__, values, named)
        if bound is None:
            cls.__init__ = _initializer(cls)  # type: ignore[method-assign]
            self.__init__(*values, **named)  # type: ignore[misc]
            return
        for name, item in bound.items():
            getattr(cls, name).__set__(self, item)
        if hasattr(cls, "__post_init__"):
            cls.__post_init__(self)

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
        names = tuple([field for field, kind in annotations.items() if kind[:8] != "ClassVar"])
        defaults = {field: namespace.pop(field) for field in names if field in namespace}
        namespace.update(__slots__=names, __match_args__=names, _field_defaults=defaults, _by_name=kw_only)
        return type(name, (_Value,), namespace)


def _initializer(cls: Any) -> Any:
    """``__init__``, written out: nothing else is as fast."""
    names = cls.__match_args__
    parameters, known = _parameters(cls, names)
    known.update((f"set_{name}", getattr(cls, name).__set__) for name in names)
    lines = [f"def __init__(self, {parameters}):"]
    lines += [f" set_{name}(self, {name})" for name in names]
    lines += [" self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    exec("\n".join((*lines, " return None")), known)  # noqa: S102 - of names that stand in our own source
    return known["__init__"]


if not TYPE_CHECKING:

    class Frozen(metaclass=_Values):
        """A frozen value: what to derive from."""
