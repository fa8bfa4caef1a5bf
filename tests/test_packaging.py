"""What is built: the same bytes each time, with man page and completions; and what it needs is listed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Final

import pytest

from scripts.writers.__main__ import SHARED
from scripts.writers.licences import licences, needs
from scripts.writers.text import rows

ROOT: Final = Path(__file__).parents[1]
FOLDERS: Final = ("src", "share", "scripts", "docs")
FILES: Final = ("README.md", "CHANGELOG.md", "LICENSE", "mkdocs.yml", "pyproject.toml", ".gitignore")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Path]]:
    """Wheel and sdist, by suffix, built twice: elsewhere, at another time, with other permissions."""
    return [_build(tmp_path_factory.mktemp(name), umask) for name, umask in (("one", 0o022), ("other", 0o077))]


def _build(folder: Path, umask: int) -> dict[str, Path]:
    tree, output = folder / "tree", folder / "dist"
    before = os.umask(umask)
    try:
        tree.mkdir()
        for name in (*FOLDERS, *FILES):
            _copy(ROOT / name, tree / name)
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "--directory", str(output)],
            cwd=tree,
            env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"},
            capture_output=True,
            timeout=120,
            check=True,
        )
    finally:
        os.umask(before)
    return {path.suffix: path for path in output.iterdir()}


def _copy(source: Path, target: Path) -> None:
    """With new times, and the permissions that the umask leaves; what was made by running something stays behind."""
    if source.is_file():
        shutil.copyfile(source, target)
        target.chmod(target.stat().st_mode | (source.stat().st_mode & 0o100))
        return
    target.mkdir()
    for path in sorted(source.iterdir(), reverse=target.parent.parent.name.startswith("other")):
        if path.name != "__pycache__":
            _copy(path, target / path.name)


@pytest.mark.parametrize("suffix", [".whl", ".gz"])
def test_two_builds_are_the_same(built: list[dict[str, Path]], suffix: str) -> None:
    one, other = (hashlib.sha256(each[suffix].read_bytes()).hexdigest() for each in built)
    assert one == other


def test_wheel_has_man_page_and_completions(built: list[dict[str, Path]]) -> None:
    with zipfile.ZipFile(built[0][".whl"]) as wheel:
        shared = {name.partition(".data/data/")[2]: name for name in wheel.namelist() if ".data/data/" in name}
        assert set(shared) == set(SHARED)
        for name, inside in shared.items():
            assert wheel.read(inside) == (ROOT / name).read_bytes()


def test_sdist_has_all_that_a_build_needs(built: list[dict[str, Path]]) -> None:
    with tarfile.open(built[0][".gz"]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {*SHARED, "pyproject.toml", "README.md", "LICENSE", "docs/tutorial.md", "scripts/generate"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]


def test_every_package_that_is_needed_is_listed() -> None:
    """If this fails, run ``./scripts/generate``. What a licence is called may change from version to version."""
    listed = {row[0].strip("`"): row for row in rows((ROOT / "docs" / "licences.md").read_text(encoding="utf-8"))}
    wanted = {need.name: need for need in needs()}
    assert {"pydicom", "numpy", "imagecodecs"} <= set(wanted)
    assert set(listed) == set(wanted)
    for name, (_, versions, needed_by, licence, home) in listed.items():
        assert needed_by == ", ".join(wanted[name].needed_by)
        direct = wanted[name].versions[0] if needed_by.startswith("dcmsend") else ""
        assert f"`{direct}`" in versions or not direct
        assert licence not in ("", "not declared")
        assert home.startswith("<https://")


def test_the_page_of_licences_is_made_of_all_rows() -> None:
    assert len(list(rows(licences()))) == len(needs())
