"""The page of licences: what the package needs at run time, from the metadata of what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from typing import Final, NamedTuple

from packaging.requirements import Requirement

_HEAD: Final = """\
# Licences

dcmsend is under the MIT licence (`LICENSE`). This is what it needs at run time, directly or not, with the
licence that each package declares; made from the metadata of the installed packages by `scripts/generate`.

| package | versions | needed by | licence | home page |
|---|---|---|---|---|
"""

_TAIL: Final = """
The wheels of numpy and imagecodecs have libraries of others inside. Their licences are installed with them: in the
folder `licenses` of `numpy-*.dist-info`, and in `imagecodecs/licenses`.

What is used to develop, test and document the project is not installed with it; it is listed in
[design](design.md#dependencies).
"""


class Need(NamedTuple):
    """A package that is needed: which versions, as each of those who need it says."""

    name: str
    versions: tuple[str, ...]
    needed_by: tuple[str, ...]


def needs(root: str = "dcmsend") -> tuple[Need, ...]:
    """Everything that ``root`` needs at run time on this machine, without extras, sorted by name."""
    found: dict[str, dict[str, str]] = {}
    waiting = [root]
    seen = {root}
    while waiting:
        name = waiting.pop()
        for requirement in _requirements(distribution(name)):
            needed = re.sub(r"[-_.]+", "-", requirement.name).lower()
            found.setdefault(needed, {})[name] = str(requirement.specifier)
            if needed not in seen:
                seen.add(needed)
                waiting.append(needed)
    return tuple(Need(name, tuple(by.values()), tuple(by)) for name, by in sorted(found.items()))


def licences() -> str:
    """The page."""
    return _HEAD + "".join(f"{_row(need)}\n" for need in needs()) + _TAIL


def _requirements(package: Distribution) -> Iterator[Requirement]:
    for text in package.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def _row(need: Need) -> str:
    metadata = distribution(need.name).metadata
    versions = " and ".join(f"`{version}`" for version in need.versions if version) or "any"
    cells = (f"`{need.name}`", versions, ", ".join(need.needed_by), _licence(metadata.json), _home(metadata.json))
    return f"| {' | '.join(cells)} |"


def _licence(metadata: dict[str, str | list[str]]) -> str:
    """The SPDX expression, else what the older fields say."""
    classifiers = [text.rpartition(" :: ")[2] for text in metadata.get("classifier", ()) if text.startswith("License")]
    short = str(metadata.get("license", "")).partition("\n")[0]
    return str(metadata.get("license_expression", "")) or short or ", ".join(classifiers) or "not declared"


def _home(metadata: dict[str, str | list[str]]) -> str:
    pages = dict(entry.split(", ", 1) for entry in metadata.get("project_url", ()))
    named = {label.lower().replace(" ", ""): page for label, page in pages.items()}
    page = next((named[label] for label in ("homepage", "sourcecode", "source", "repository") if label in named), "")
    return f"<{page or metadata.get('home_page', '')}>"
