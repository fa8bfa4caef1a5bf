"""What the tutorial and the how-to pages tell to type is typed here, against real servers.

Blocks of ``sh`` in these pages are run by the shell, in order; blocks of ``console`` need root and are not.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.servers import FolderServer, OrthancServer, find_orthanc, free_ports

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIMIT: Final = 300.0  # seconds; pip installs in there
# Stands in for xdg-open: a browser without a window that prints the page as it is after its scripts.
BROWSER: Final = """#!/bin/sh
exec "$CHROMIUM" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \\
    --disable-component-update --disable-sync --user-data-dir="$HOME/browser" --dump-dom "file://$PWD/$1" \\
    >"$HOME/page.html" 2>"$HOME/browser.log"
"""


def _blocks(page: str, language: str) -> list[str]:
    return [body for name, body in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")) if name == language]


def _environment(home: Path, *folders: Path) -> dict[str, str]:
    """A search path that begins with these folders and ours, a home of one's own, and nobody between us and us."""
    path = os.pathsep.join([*(str(folder) for folder in folders), str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return kept | {"PATH": path, "HOME": str(home), "no_proxy": "127.0.0.1"}


def _run(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script by bash, and end whatever it may leave behind."""
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=LIMIT)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    return subprocess.CompletedProcess(script, process.returncode, output, errors)


# --- the tutorial


def test_the_tutorial_works(program: Callable[[str], str], orthanc_program: str, tmp_path: Path) -> None:
    """All its commands in one shell, as they stand there; only the ports are free ones."""
    dicom, http = free_ports(2)
    script = "\n".join(_blocks("tutorial.md", "sh")).replace("4242", str(dicom)).replace("8042", str(http))
    assert script.count(str(dicom)) == 3
    assert "rm -r ~/dcmsend-tutorial" in script
    script = script.replace("rm -r ~/dcmsend-tutorial", "ls ~/dcmsend-tutorial")
    home, bin_folder = tmp_path / "home", tmp_path / "bin"
    for folder in (home, bin_folder):
        folder.mkdir()
    (bin_folder / "xdg-open").write_text(BROWSER)
    (bin_folder / "xdg-open").chmod(0o755)
    environment = _environment(home, bin_folder) | {"CHROMIUM": program("chromium")}
    program("curl")
    result = _run(f"{script}\ncommand -v dcmsend", ROOT, environment)
    assert result.stdout.endswith("/dcmsend-tutorial/venv/bin/dcmsend\n"), result
    assert re.findall(r"exit code: (\d+)", result.stdout) == ["0", "61"], result
    assert result.stdout.startswith("dcmsend "), result
    samples = list((ROOT / "tests" / "data" / "samples").iterdir())
    assert re.search(rf'"CountInstances" : {len(samples)},', result.stdout), result
    assert "F: " in result.stderr
    assert {"report.html", "failed.html"} <= set(result.stdout.split())
    page = (home / "page.html").read_text(encoding="utf-8")
    assert all(path.name in page for path in samples)


@pytest.fixture
def orthanc_program(orthanc: Callable[..., OrthancServer]) -> str:
    """Orthanc's path; the fixture that it needs skips or fails where there is none."""
    return find_orthanc() or ""


def test_the_tutorial_needs_no_root_but_where_it_says_so() -> None:
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    assert all("sudo" not in block for block in _blocks("tutorial.md", "sh"))
    assert "sudo" in "".join(_blocks("tutorial.md", "console"))
    assert text.count("```") == 2 * len(BLOCK.findall(text))


# --- Orthanc


def test_the_commands_of_the_page_about_orthanc_work(
    orthanc: Callable[..., OrthancServer], program: Callable[[str], str], samples: list[Path], tmp_path: Path
) -> None:
    """With the configuration of the page itself, which demands the right AE title; so the first command is refused."""
    (text,) = _blocks("how-to/orthanc.md", "json")
    settings = {key: value for key, value in json.loads(text).items() if "Port" not in key and "Directory" not in key}
    assert settings["DicomCheckCalledAet"]
    program("curl")
    strict, plain = orthanc(**settings), orthanc(**settings | {"DicomCheckCalledAet": False})
    (tmp_path / "study").symlink_to(samples[0].parent)
    blocks = _blocks("how-to/orthanc.md", "sh")
    assert len(blocks) == 3
    for server, block in ((plain, blocks[0]), (strict, blocks[1]), (plain, blocks[2])):
        script = block.replace("4242", str(server.port)).replace("8042", str(server.http_port))
        result = _run(f"set -e\n{script}", tmp_path, _environment(tmp_path))
        assert (result.returncode, result.stderr) == (0, ""), result
        assert len(server.instances()) == len(samples)
        assert ("curl" in block) == (f'"CountInstances" : {len(samples)},' in result.stdout)
    right = f"dcmsend -aec ORTHANC +sd 127.0.0.1 {strict.port} study"
    for wrong in (right.replace("-aec ORTHANC ", ""), right.replace("-aec", "-aet STRANGER -aec")):
        assert _run(wrong, tmp_path, _environment(tmp_path)).returncode in (61, 62, 66), wrong
    assert _run(right, tmp_path, _environment(tmp_path)).returncode == 0


# --- cron


@pytest.fixture
def outgoing(samples: list[Path], tmp_path: Path) -> Path:
    """A home with two files to be sent."""
    folder = tmp_path / "outgoing" / "studies"
    folder.mkdir(parents=True)
    for path in samples[:2]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def _job(home: Path, port: int) -> subprocess.CompletedProcess[str]:
    (script,) = _blocks("how-to/cron.md", "bash")
    assert script.count("pacs.example.org 104") == script.count("--retries 3") == 1
    script = script.replace("pacs.example.org 104", f"127.0.0.1 {port}").replace("--retries 3", "--retries 0")
    return _run(script, home, _environment(home))


def test_the_job_for_cron_is_silent_when_all_is_stored(
    outgoing: Path, pynetdicom_scp: Callable[..., FolderServer], samples: list[Path], tmp_path: Path
) -> None:
    server = pynetdicom_scp()
    for _ in range(2):  # the second time there is nothing new
        result = _job(tmp_path, server.port)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        assert len(server.files()) == 2
    (outgoing / "third.dcm").write_bytes(samples[3].read_bytes())
    assert _job(tmp_path, server.port).returncode == 0
    assert len(server.files()) == 3
    assert "by earlier runs      : 2" in (tmp_path / "outgoing" / ".log").read_text()
    for path in outgoing.iterdir():
        path.unlink()
    result = _job(tmp_path, server.port)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_job_for_cron_tells_what_went_wrong(
    outgoing: Path, pynetdicom_scp: Callable[..., FolderServer], tmp_path: Path
) -> None:
    server = pynetdicom_scp(statuses=[0xA900])
    result = _job(tmp_path, server.port)
    assert result.returncode == 66
    assert result.stdout.startswith("dcmsend ended with exit code 66. The end of its log:\n")
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) > 5
    server.stop()
    result = _job(tmp_path, server.port)
    assert result.returncode == 61
    assert "F: " in result.stdout


def test_the_job_for_cron_leaves_another_one_alone(outgoing: Path, tmp_path: Path) -> None:
    with (outgoing.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = _job(tmp_path, free_ports(1)[0])
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert not (outgoing.parent / ".log").exists()


# --- the others


def test_pieces_of_an_archive_have_journals_of_their_own(
    pynetdicom_scp: Callable[..., FolderServer], samples: list[Path], tmp_path: Path
) -> None:
    """The loop over folders in the page about millions of files."""
    server = pynetdicom_scp()
    for year, path in zip(("2024", "2025"), samples, strict=False):
        (tmp_path / "archive" / year).mkdir(parents=True)
        (tmp_path / "archive" / year / path.name).write_bytes(path.read_bytes())
    (loop,) = (block for block in _blocks("how-to/millions-of-files.md", "sh") if block.startswith("for "))
    loop = loop.replace("pacs.example.org 104", f"127.0.0.1 {server.port}")
    result = _run(loop, tmp_path, _environment(tmp_path))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert {path.name for path in tmp_path.glob("*.journal")} == {"2024.journal", "2025.journal"}
    assert len(server.files()) == 2


@pytest.mark.parametrize("page", sorted((DOCS / "how-to").glob("*.md")), ids=lambda page: page.stem)
def test_shell_of_the_pages_is_valid(page: Path) -> None:
    for block in (*_blocks(f"how-to/{page.name}", "sh"), *_blocks(f"how-to/{page.name}", "bash")):
        result = subprocess.run(["bash", "-n", "-c", block], capture_output=True, text=True, timeout=60, check=False)
        assert (result.returncode, result.stderr) == (0, "")
