"""What the TLS options say -> ``Tls``, and the question for the password of a private key.

Loaded where one of the options is given.
"""

from __future__ import annotations

import signal
import sys

from dcmsend.errors import ConfigurationError
from dcmsend.security import Tls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_LONGEST: Final = 1100  # characters that are read at once: more than a password may have


def tls_of(settings: dict[str, Any]) -> Tls | None:
    """How to secure the connection, or ``None`` for not at all. Raises ``ConfigurationError``."""
    fields = {name: value for name, value in settings.items() if name != "enabled"}
    if "certificate" in fields and fields.get("password") is None:
        fields["password"] = ask
    return Tls(**fields) if settings.get("enabled", "certificate" in fields) else None


def ask() -> str:
    """The password of the private key, from the terminal, or else the next line of the standard input.

    Raises ``ConfigurationError`` where there is neither. Ctrl-C ends the program: nothing has been done yet.
    """
    before = _heed_interrupts()
    try:
        if sys.stdin is not None and sys.stdin.isatty():
            from getpass import getpass

            return getpass("password of the private key: ")
        line = sys.stdin.readline(_LONGEST) if sys.stdin is not None else ""
    except (EOFError, OSError, ValueError) as error:
        raise _nobody() from error
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    if not line:
        raise _nobody()
    return line.removesuffix("\n").removesuffix("\r")


def _heed_interrupts() -> Any:
    """Let Ctrl-C raise ``KeyboardInterrupt``, where signals arrive; what was done with it before, if it was heeded."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        return None
    try:
        return signal.signal(signal.SIGINT, signal.default_int_handler)
    except ValueError:  # not in the main thread
        return None


def _nobody() -> ConfigurationError:
    return ConfigurationError(
        "the private key needs a password, and there is nobody to ask", hint="give it with --use-passwd"
    )
