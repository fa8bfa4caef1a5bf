"""What leaves while a run goes on, and what there is to do: counted where it happens, read by whoever wants to know.

Without a meter nothing is counted and nothing is asked. With one there are no locks: each number has one writer, and
readers in other threads see the last value or the one before.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from dcmsend.model import Instance

    Sending: TypeAlias = tuple[Instance, int, int]


class Gauge:
    """The bytes of one association, which alone writes here.

    ``sent``: bytes given to the system, PDU headers, commands and negotiation included, those of TLS not. ``sending``:
    the last instance whose C-STORE request was begun, the bytes of its data set, and how many had been sent before.
    """

    __slots__ = ("sending", "sent")

    def __init__(self) -> None:
        self.sent = 0
        self.sending: Sending | None = None

    def __repr__(self) -> str:
        return f"<Gauge: {self.sent} bytes sent>"

    def begin(self, instance: Instance, length: int) -> None:
        """The request of an instance is about to go out, with a data set of so many bytes."""
        self.sending = (instance, length, self.sent)


class Meter:
    """The numbers of one run: give a new one to each call of ``send``.

    ``gauges``: one for each association that was asked for, by its number; readers take out those that have ended.
    """

    def __init__(self) -> None:
        self.gauges: dict[int, Gauge] = {}
        self._found: Callable[[], tuple[int, int]] = _nothing

    def __repr__(self) -> str:
        instances, size = self.found()
        return f"<Meter: {instances} instances of {size} bytes, {len(self.gauges)} associations>"

    def found(self) -> tuple[int, int]:
        """How many instances have been found so far, and the bytes of their files (0 of those not opened yet)."""
        return self._found()

    def watch(self, found: Callable[[], tuple[int, int]]) -> None:
        """Who knows what has been found; the run says so."""
        self._found = found

    def gauge(self, association: int) -> Gauge:
        """A new gauge for an association."""
        gauge = self.gauges[association] = Gauge()
        return gauge


def _nothing() -> tuple[int, int]:
    return 0, 0
