"""Write all that is made from other sources into the source tree: ``scripts/generate`` runs this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from scripts.writers.completions import bash, fish, zsh
from scripts.writers.licences import licences
from scripts.writers.manual import manual
from scripts.writers.reasons import reasons_page
from scripts.writers.text import ROOT

# Where a shell or man looks for them below the prefix of an installation.
SHARED: Final[dict[str, Callable[[], str]]] = {
    "share/man/man1/dcmsend.1": manual,
    "share/bash-completion/completions/dcmsend": bash,
    "share/zsh/site-functions/_dcmsend": zsh,
    "share/fish/vendor_completions.d/dcmsend.fish": fish,
}
LICENCES: Final = "docs/licences.md"
REASONS: Final = "docs/reasons.md"


def main() -> None:
    for name, write in (SHARED | {LICENCES: licences, REASONS: reasons_page}).items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write(), encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
