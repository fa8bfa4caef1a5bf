"""``python -m dcmsend``."""

from __future__ import annotations

from dcmsend.cli.program import program

if __name__ == "__main__":
    program()
