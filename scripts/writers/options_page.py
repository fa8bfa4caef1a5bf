"""The page of all options, in Markdown, for the site."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from dcmsend.cli.options import OPTIONS, SECURED, Argument, Kind, Option
from scripts.writers.text import anchor
from scripts.writers.values import is_unfinished, names

_HEAD: Final = """\
# All options

Made from the table that the command itself is made from, in the order of `dcmsend --help`. What there is more to say
about an option stands in the [reference](reference.md).
"""


def options_page() -> str:
    """The page."""
    return "\n".join([_HEAD, *_lines()])


def _lines() -> Iterator[str]:
    for group, in_group in groupby(OPTIONS, key=lambda option: option.section.group):
        heading = group[:1].upper() + group[1:]
        yield from (f"## {heading}", "", f"[Details](reference.md#{anchor(heading)})", "")
        for subgroup, options in groupby(in_group, key=lambda option: option.section.subgroup):
            yield from ([f"### {subgroup[:1].upper()}{subgroup[1:]}", ""] if subgroup else [])
            yield from ("| option | value | meaning |", "|---|---|---|")
            for option in options:
                spelled = ", ".join(f"`{name}`" for name in names(option))
                value = ", ".join(_value(argument) for argument in option.arguments)
                yield f"| {spelled} | {value} | {_cell(_meaning(option))} |"
            yield ""


def _value(argument: Argument) -> str:
    if argument.choices:
        return ", ".join(argument.choices)
    if argument.maximum is not None:
        return f"{argument.minimum} to {argument.maximum}"
    return f"{argument.name}, {argument.minimum} or more" if argument.kind is not Kind.STRING else argument.name


def _meaning(option: Option) -> str:
    notes = [f"default: {argument.default}" for argument in option.arguments if argument.default]
    notes += ["the default"] if option.default else []
    notes += [f"only with {'TLS' if option.needs == SECURED else option.needs}"] if option.needs else []
    notes += ["may be repeated"] if option.collects else []
    notes += ["not supported yet"] if is_unfinished(option) else []
    return option.help + (f" ({'; '.join(notes)})" if notes else "")


def _cell(text: str) -> str:
    """Text in which no character means anything to Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in text)
