"""Frozen values with slots, as ``dataclasses`` makes them, but made when a class is first used. Ground floor.

A program that starts at once cannot afford ``dataclasses``: its import brings ``inspect`` along, and each class costs
some 0.4 ms when it is defined, whether it is used or not; together a third of the time to send a small file. Type
checkers see dataclasses. Fields are the annotations of the class itself; defaults must be immutable.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_):
        """What tells type checkers that a decorator makes dataclasses; the program does not need to know."""
        return lambda decorator: decorator


_NO_FIELDS = ("ClassVar",)  # what annotations of class attributes begin with


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """A class whose instances are frozen values, made of arguments by position or by name."""
    return _frozen(cls, by_name=False)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def value_by_name(cls: type[T]) -> type[T]:
    """A class whose instances are frozen values, made of arguments by name only."""
    return _frozen(cls, by_name=True)


def replace(instance: T, **changes: Any) -> T:
    """A value like this one but for some fields. Raises TypeError where there is no such field."""
    return type(instance)(**{**_fields(instance), **changes})


def _frozen(cls: type[T], *, by_name: bool) -> type[T]:
    annotations = cls.__annotations__
    names = tuple(name for name, kind in annotations.items() if not kind.startswith(_NO_FIELDS))
    namespace = {name: item for name, item in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    defaults = {name: namespace.pop(name) for name in names if name in namespace}
    for name, method in _METHODS.items():
        namespace.setdefault(name, method)
    namespace["__slots__"] = namespace["__match_args__"] = names

    def first(self: Any, *arguments: Any, **named: Any) -> None:
        frozen.__init__ = _initializer(frozen, names, defaults, by_name=by_name)
        self.__init__(*arguments, **named)

    namespace["__init__"] = first
    frozen: Any = type(cls.__name__, cls.__bases__, namespace)
    frozen.__qualname__ = cls.__qualname__
    return frozen  # type: ignore[no-any-return]


def _initializer(frozen: Any, names: tuple[str, ...], defaults: dict[str, Any], *, by_name: bool) -> Any:
    """``__init__``, written out: nothing else is as fast."""
    known: dict[str, Any] = {f"set_{name}": getattr(frozen, name).__set__ for name in names}
    known.update((f"default_{name}", default) for name, default in defaults.items())
    parameters = ", ".join(f"{name}=default_{name}" if name in defaults else name for name in names)
    lines = [f"def __init__(self, {'*, ' if by_name and names else ''}{parameters}):"]
    lines += [f" set_{name}(self, {name})" for name in names]
    lines += [" self.__post_init__()"] if hasattr(frozen, "__post_init__") else []
    exec("\n".join((*lines, " return None")), known)  # noqa: S102 - of names that stand in our own source
    return known["__init__"]


def _fields(instance: object) -> dict[str, Any]:
    return {name: getattr(instance, name) for name in type(instance).__match_args__}  # type: ignore[attr-defined]


def _repr(self: object) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={item!r}' for name, item in _fields(self).items())})"


def _equal(self: object, other: object) -> Any:
    return _fields(self) == _fields(other) if type(self) is type(other) else NotImplemented


def _hash(self: object) -> int:
    return hash(tuple(_fields(self).values()))


def _refuse(self: object, name: str, *_: object) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be changed")


def _reduce(self: object) -> tuple[Any, ...]:
    return _rebuilt, (type(self), _fields(self))


def _rebuilt(cls: Any, fields: dict[str, Any]) -> Any:
    return cls(**fields)


_METHODS = {
    "__repr__": _repr,
    "__eq__": _equal,
    "__hash__": _hash,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__reduce__": _reduce,
    "__replace__": replace,
}
