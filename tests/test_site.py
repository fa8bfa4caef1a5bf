"""The documentation as a site: it is built without a warning, complete, and loads nothing from elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest

import dcmsend
from dcmsend.cli.options import OPTIONS
from scripts.writers.values import names

ROOT: Final = Path(__file__).parents[1]
NOTEBOOKS: Final = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
# What a browser fetches by itself, and the attribute that says from where.
LOADED: Final = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
FOLLOWED: Final = {"canonical", "next", "prev"}  # links that are for readers, not for browsers
STYLE_URL: Final = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^)]*)|@import\s+['\"]?((?:https?:)?//\S*)")


class Page(HTMLParser):
    """What a page loads, its links, and its words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        target = attributes.get(LOADED.get(tag, ""))
        if target and attributes.get("rel") not in FOLLOWED:
            self.loaded.append(target)

    def handle_data(self, data: str) -> None:
        self.words += data.split()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in a folder of its own; ``--strict`` makes every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return folder


def test_every_page_is_there(site: Path) -> None:
    docs = ROOT / "docs"
    sources = [path.relative_to(docs).with_suffix("") for path in [*docs.rglob("*.md"), *NOTEBOOKS]]
    made = [Path("options"), Path("changelog")]
    assert len(sources) > 20
    missing = [
        name
        for name in (*sources, *made)
        if not (site / (name.parent if name.name == "index" else name) / "index.html").is_file()
    ]
    assert missing == []


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = [Page(path) for path in site.rglob("*.html")]
    loaded = [target for page in pages for target in page.loaded]
    assert len(loaded) > 100
    assert [target for target in loaded if re.match(r"[a-z]+:|//", target) and not target.startswith("data:")] == []
    styles = [path.read_text(encoding="utf-8") for path in [*site.rglob("*.css"), *site.rglob("*.html")]]
    assert [found for text in styles for found in STYLE_URL.findall(text)] == []


def test_all_options_are_on_their_page(site: Path) -> None:
    words = set(Page(site / "options" / "index.html").words)
    assert {name for option in OPTIONS for name in names(option)} <= words


def test_all_public_names_are_on_the_page_of_the_library(site: Path) -> None:
    text = (site / "api" / "index.html").read_text(encoding="utf-8")
    headings = {name.rpartition(".")[2] for name in re.findall(r'<h3 id="(dcmsend\.[\w.]+)"', text)}
    assert set(dcmsend.__all__) - headings == {"__version__"}


def test_values_show_how_they_are_made(site: Path) -> None:
    """What ``scripts/griffe_values.py`` adds: constructors of frozen values, members of enumerations."""
    text = "".join(Page(site / "api" / "index.html").words).replace('"', "'")
    assert "Peer(*,host:str,port:int,called_ae:str='ANY-SCP',calling_ae:str='DCMSEND'," in text
    assert "Instance(path:str,sop_class:str,sop_instance:str,transfer_syntax:str,size:int=0,)" in text
    assert "Members:NEVER,LOSSLESS,LOSSY." in text


# --- notebooks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.name for path in NOTEBOOKS])
def test_notebook_is_valid_and_has_no_output(path: Path) -> None:
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.name for path in NOTEBOOKS])
def test_notebook_runs(path: Path, tmp_path: Path) -> None:
    """Its cells in order, in one namespace, where the notebook lies; pictures go nowhere."""
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    program = "\n".join("".join(cell["source"]) for cell in cells)
    environment = os.environ | {"MPLBACKEND": "agg", "MPLCONFIGDIR": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::UserWarning:__main__", "-c", program],
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    first, *failed = result.stdout.splitlines()
    assert first == "15 of 17 stored"
    assert sorted(failed) == [
        "us_big_endian.dcm ANSWERED Refused: OutOfResources",
        "us_rle.dcm ANSWERED Refused: OutOfResources",
    ]
