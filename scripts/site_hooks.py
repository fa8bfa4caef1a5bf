"""Hooks of mkdocs: the pages of the site that are made from other sources."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # mkdocs' own command does not look for modules here
    sys.path.insert(0, str(ROOT))

from scripts.writers.options_page import options_page  # noqa: E402
from scripts.writers.text import read  # noqa: E402

# Where links of the pages at the root of the project lead on the site; to the rest there is no link.
_MOVED: Final = {"CHANGELOG.md": "changelog.md", "README.md": "index.md"}
_LINK: Final = re.compile(r"\[([^\]]*)\]\((?![a-z]+:)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    pages = {
        "index.md": rooted(read("README.md")),
        "changelog.md": rooted(read("CHANGELOG.md")),
        "options.md": options_page(),
    }
    for file in list(files):
        if file.src_uri.endswith(".ipynb"):
            pages[file.src_uri.removesuffix("ipynb") + "md"] = notebook(Path(file.abs_src_path or ""))
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def rooted(text: str) -> str:
    """A page of the root of the project as one of the site."""

    def moved(match: re.Match[str]) -> str:
        words, target, fragment = match.groups()
        inside = target.startswith("docs/")
        place = target.removeprefix("docs/") if inside else _MOVED.get(target)
        return f"[{words}]({place}{fragment or ''})" if place else words

    return _LINK.sub(moved, text)


def notebook(path: Path) -> str:
    """A notebook as a page: its words, its code, and the notebook itself to be taken away."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    parts = [_cell(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    title, rest = parts[0].partition("\n")[::2]
    return "\n\n".join([title, f"[Download this notebook]({path.name})", rest.strip(), *parts[1:]])


def _cell(kind: str, source: str) -> str:
    return f"```python\n{source}\n```" if kind == "code" else source
