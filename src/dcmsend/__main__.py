"""``python -m dcmsend``."""

from __future__ import annotations

import sys

from dcmsend.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
