"""What the page of the library shows of our values: how a frozen one is made, and the members of an enumeration.

For griffe, which reads the source: it knows dataclasses, but not ``dcmsend.light``.
"""

from __future__ import annotations

import ast
from typing import Any

from griffe import Attribute, Class, Docstring, Extension, Function, Parameter, ParameterKind, Parameters


class Values(Extension):
    """Turns the fields of a class into the parameters of its constructor or into a line of its docstring."""

    def on_class_members(self, *, node: ast.AST | Any, cls: Class, **_: Any) -> None:
        bases = {str(base).rpartition(".")[2] for base in cls.bases}
        if "Frozen" in bases:
            keywords = {keyword.arg for keyword in getattr(node, "keywords", ())}
            _make_constructor(cls, by_name="kw_only" in keywords)
        elif bases & {"Enum", "IntEnum"}:
            _tell_members(cls)


def _make_constructor(cls: Class, *, by_name: bool) -> None:
    fields = _attributes(cls, annotated=True)
    kind = ParameterKind.keyword_only if by_name else ParameterKind.positional_or_keyword
    parameters = [
        Parameter(field.name, annotation=field.annotation, default=field.value and str(field.value), kind=kind)
        for field in fields
    ]
    own = Parameter("self", kind=ParameterKind.positional_or_keyword)
    cls.set_member("__init__", Function("__init__", parameters=Parameters(own, *parameters)))
    _leave_out(cls, fields)


def _tell_members(cls: Class) -> None:
    members = _attributes(cls, annotated=False)
    told = "Members: " + ", ".join(f"`{member.name}`" for member in members) + "."
    before = f"{cls.docstring.value}\n\n" if cls.docstring else ""
    cls.docstring = Docstring(before + told, parent=cls)
    _leave_out(cls, members)


def _attributes(cls: Class, *, annotated: bool) -> list[Attribute]:
    return [
        member
        for member in cls.members.values()
        if isinstance(member, Attribute)
        and "property" not in member.labels
        and (member.annotation is not None) == annotated
    ]


def _leave_out(cls: Class, members: list[Attribute]) -> None:
    for member in members:
        cls.del_member(member.name)
