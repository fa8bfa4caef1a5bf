"""Input that is not there yet: what a source of names or data sets gives instead of waiting itself.

It owns the word for that and nothing else. Whoever gets it decides what to do meanwhile.
"""

from __future__ import annotations

from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Later(NamedTuple):
    """Nothing is there now; ask again.

    ``notify`` takes a function that is called once when something has come, at once where that has happened already;
    the last one counts. It may be called from another thread. ``None``: there will be more when instances that are
    taken on have been finished.
    """

    notify: Callable[[Callable[[], None]], None] | None = None
