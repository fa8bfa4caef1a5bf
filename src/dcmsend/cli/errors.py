"""What can be wrong with a command line."""

from __future__ import annotations

from dcmsend.cli.log import Level
from dcmsend.errors import DcmsendError


class CommandLineError(DcmsendError):
    """The command line makes no sense. ``log_level`` is None until the log was set up."""

    def __init__(self, message: str, *, log_level: Level | None = None) -> None:
        super().__init__(message)
        self.log_level = log_level

    @property
    def hidden(self) -> bool:
        """Whether the user asked not to be told (only once the log was set up, as in DCMTK)."""
        return self.log_level is Level.FATAL
