"""What the figures belong to: the machine and the programs."""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from pathlib import Path

from senders import Sender, prints


def machine() -> dict[str, str]:
    return {
        "processor": _processor(),
        "processors": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
    }


def versions(senders: dict[str, Sender], servers: dict[str, str]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    found |= {name: sender.version for name, sender in senders.items() if sender.version}
    return found | servers


@cache
def revision(version: str) -> str:
    """Our version, with the commit if there is one to be found."""
    commit = prints("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty").strip()
    return f"{version} ({commit})" if commit else version


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    name = found[1] if found else prints("sysctl", "-n", "machdep.cpu.brand_string").strip()
    return name or platform.processor() or platform.machine()
