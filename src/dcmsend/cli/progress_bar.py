"""The bar in colours, by ``rich``: what is imported only when a bar is really shown.

Widths are those of the terminal's cells, some characters taking two of them. Nothing that comes from outside is taken
for markup, and what is no plain text is shown as escapes.
"""

from __future__ import annotations

import os
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from dcmsend.cli.progress_lines import ASCII, UNICODE, Part, details, overview
from dcmsend.light import replace
from dcmsend.printable import MAX_PATH, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final, TextIO

    from dcmsend.progress import Sending, Standing

_MARGIN: Final = " "
_STYLES: Final = {
    "bar": "cyan",
    "rest": "dim",
    "share": "bold",
    "number": "bold",
    "plain": "",
    "bad": "bold red",
    "odd": "yellow",
    "faint": "dim",
}
# What Python may have put into LC_CTYPE by itself (PEP 538), though the terminal is told to have ASCII.
_COERCED: Final = ("C.UTF-8", "C.utf8", "UTF-8")


class Painter:
    """Lines for a terminal, with its sequences for colours. ``verbose``: a line for each association too."""

    def __init__(self, stream: TextIO, *, verbose: bool, environment: Mapping[str, str] = os.environ) -> None:
        terminal = Console(file=stream)
        self.able = not terminal.legacy_windows  # which knows no sequences
        self._console = Console(
            file=StringIO(),
            force_terminal=True,
            color_system=terminal.color_system,  # type: ignore[arg-type]
            no_color=terminal.no_color,
            legacy_windows=False,
            width=10_000,  # lines are made to fit, and not wrapped
        )
        self._verbose = verbose
        self._unicode = shows_unicode(environment, stream.encoding)

    def paint(self, standing: Standing, columns: int, rows: int) -> list[str]:
        """The lines, each shorter than ``columns``, and fewer than ``rows``."""
        width = max(1, columns - 1 - len(_MARGIN))
        glyphs = UNICODE if self._unicode else ASCII
        lines = [overview(standing, width, glyphs)]
        if self._verbose:
            shown = replace(standing, associations=tuple(map(self._readable, standing.associations)))
            lines += details(shown, width, min(rows - 2, max(4, rows // 2)), glyphs)
        return [self._styled(_fitting(parts, width, glyphs.cut)) for parts in lines]

    def _readable(self, sending: Sending) -> Sending:
        """With the path as it may be shown."""
        path = printable(sending.path[-MAX_PATH:])
        if not self._unicode:
            path = path.encode("ascii", "backslashreplace").decode()
        return replace(sending, path=path)

    def _styled(self, parts: Iterable[Part]) -> str:
        text = Text.assemble(_MARGIN, *((part.text, _STYLES[part.kind]) for part in parts), end="")
        with self._console.capture() as captured:
            self._console.print(text, end="", soft_wrap=True)
        return captured.get()


def shows_unicode(environment: Mapping[str, str], encoding: str | None) -> bool:
    """Whether a terminal shows more than ASCII, by the stream's encoding and the locale that the user has chosen."""
    if "utf" not in (encoding or "").lower():
        return False
    if os.name == "nt":
        return True
    kind = environment.get("LC_CTYPE", "")
    chosen = environment.get("LC_ALL") or ("" if kind in _COERCED else kind) or environment.get("LANG", "")
    return "utf" in chosen.lower()


def _fitting(parts: Iterable[Part], width: int, cut: str) -> list[Part]:
    """The parts cut at ``width`` cells. The last one is a path, if anything is wide: of that, its end stays."""
    kept = list(parts)
    room = width - sum(cell_len(part.text) for part in kept[:-1])
    if kept and cell_len(kept[-1].text) > room:
        text = kept[-1].text.removeprefix(cut)
        while text and cell_len(text) > room - len(cut):
            text = text[1:]
        kept[-1] = Part(kept[-1].kind, (cut + text)[: max(0, room)])
    return kept
