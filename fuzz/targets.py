"""All fuzz targets by name. Each is a function of bytes that checks what it can; what it may raise stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import commands, files, payloads, wire
from fuzz.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGETS: Final[Mapping[str, Target]] = {
    target.name: target for target in (*wire.TARGETS, *files.TARGETS, *payloads.TARGETS, *commands.TARGETS)
}
