"""Writing to standard output: what the user has asked to be shown, as it is."""

from __future__ import annotations

import os
import sys

from dcmsend.errors import ReportError
from dcmsend.reasons import because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def show(pieces: Iterable[str]) -> None:
    """Write the pieces, with escapes for what the encoding does not have. A reader that goes away has seen enough.

    Raises ReportError where it cannot be written.
    """
    if sys.stdout is None:
        return
    try:
        for piece in pieces:
            try:
                sys.stdout.write(piece)
            except UnicodeEncodeError:
                sys.stdout.write(piece.encode("ascii", "backslashreplace").decode())
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter will flush once more
    except OSError as error:
        raise ReportError(because("output_not_written", of_system(error))) from error
