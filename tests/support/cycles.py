"""Finds reference cycles: what is only freed when the collector comes by has been kept for nobody knows how long.

A run must leave none behind, because what hangs on a cycle may be large: pixels, files, sockets. So the collector is
turned off, something is done, and all that it then finds and that is ours is told.
"""

from __future__ import annotations

import gc
import os
import types
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import dcmsend

_OURS: Final = os.path.dirname(dcmsend.__file__) + os.sep
_CODE: Final[dict[type, str]] = {
    types.FunctionType: "__code__",
    types.GeneratorType: "gi_code",
    types.FrameType: "f_code",
}


def left_behind(action: Callable[[], object]) -> dict[str, int]:
    """What ``action`` leaves to the collector of this package's objects: kind -> how many.

    It is done once before, so that what is made once and kept, or left by imports, does not count.
    """
    action()
    with watched() as found:
        action()
    return found


def assert_no_cycles(action: Callable[[], object]) -> None:
    """Fails where ``action`` leaves anything of ours behind that reference counts do not free."""
    found = left_behind(action)
    assert not found, f"left to the collector: {found}"


@contextmanager
def watched() -> Iterator[dict[str, int]]:
    """Fills a dictionary, at its end, with what was left to the collector meanwhile: kind -> how many, of ours."""
    gc.collect()
    gc.freeze()  # what was there before need not be looked at
    enabled, flags = gc.isenabled(), gc.get_debug()
    gc.disable()
    found: dict[str, int] = {}
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found.update(Counter(filter(None, map(_kind, gc.garbage))))
    finally:
        gc.set_debug(flags)
        gc.garbage.clear()
        gc.collect()
        gc.unfreeze()
        if enabled:
            gc.enable()


def _kind(thing: Any) -> str:
    """What an object is, where it is one of ours; nothing for all others."""
    if isinstance(thing, types.TracebackType):
        thing = thing.tb_frame
    elif isinstance(thing, types.MethodType):
        thing = thing.__self__
    for kind, attribute in _CODE.items():
        if isinstance(thing, kind):
            code = getattr(thing, attribute)
            return f"{kind.__name__} {code.co_qualname}" if code.co_filename.startswith(_OURS) else ""
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}" if (kind.__module__ or "").partition(".")[0] == "dcmsend" else ""
