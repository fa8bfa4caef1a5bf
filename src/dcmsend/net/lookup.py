"""The addresses of a host that is named, within a time: the system itself may take minutes to say that it has none.

Loaded where the host is no address. The question is asked in a thread of its own, which is left behind where nobody
waits for the answer any more.
"""

from __future__ import annotations

from _thread import TIMEOUT_MAX, allocate_lock, start_new_thread
from time import monotonic

from dcmsend.errors import NameResolutionError
from dcmsend.light import NamedTuple
from dcmsend.model import AddressFamily
from dcmsend.printable import MAX_HOST
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from _thread import LockType
    from typing import Final, TypeAlias

    from dcmsend.stop import Stop

    Addresses: TypeAlias = list[tuple[int, tuple[str, int]]]
else:
    import _socket as socket

FAMILIES: Final = {
    AddressFamily.IPV4: socket.AF_INET,
    AddressFamily.IPV6: socket.AF_INET6,
    AddressFamily.ANY: socket.AF_UNSPEC,
}
# For a host that has no addresses of one kind: which other kind may be asked for, and what is said if it has those.
_OTHERS: Final = {
    AddressFamily.IPV4: (AddressFamily.IPV6, "only_ipv6"),
    AddressFamily.IPV6: (AddressFamily.IPV4, "only_ipv4"),
}
_NO_NAME: Final = "not a host name"


class _Failure(NamedTuple):
    """The system's number and words for what went wrong."""

    number: int
    words: str


def look_up(host: str, port: int, family: AddressFamily, timeout: float | None, stop: Stop) -> Addresses:
    """The addresses that ``host`` has; ``timeout`` in seconds. An abort ends the waiting.

    Raises ``NameResolutionError``, which says so where there are addresses that must not be used.
    """
    deadline = None if timeout is None else monotonic() + timeout
    name = host[:MAX_HOST]
    answer = _asked(host, port, family, deadline, stop)
    if isinstance(answer, list):
        return answer
    if stop.aborted:
        raise NameResolutionError(because("stopped"))
    if answer is None:
        raise NameResolutionError(because("lookup_timeout", host=name, seconds=f"{timeout or 0:g}"), retryable=True)
    if answer.number == socket.EAI_AGAIN:
        why = because("host_unknown_now", host=name, wanted=_wanted(family), words=answer.words)
        raise NameResolutionError(why, retryable=True)
    if answer.words != _NO_NAME and family in _OTHERS:
        other, code = _OTHERS[family]
        if isinstance(_asked(host, port, other, deadline, stop), list):
            raise NameResolutionError(because(code, host=name))
    raise NameResolutionError(because("host_unknown", host=name, wanted=_wanted(family), words=answer.words))


def _wanted(family: AddressFamily) -> str:
    return "address" if family is AddressFamily.ANY else f"{family.value} address"


def _asked(
    host: str, port: int, family: AddressFamily, deadline: float | None, stop: Stop
) -> Addresses | _Failure | None:
    """What the system says; ``None`` where it has said nothing by the ``deadline``, or nobody wants to know it now."""
    answers: list[Addresses | _Failure] = []
    gate = allocate_lock()
    gate.acquire()

    def ask() -> None:
        try:
            answers.append(_answer(host, port, family))
        finally:
            _open(gate)

    try:
        start_new_thread(ask, ())
    except RuntimeError:  # the system has no room for another one: it takes as long as it takes
        return _answer(host, port, family)
    stop.wakers[gate] = lambda: _open(gate)
    try:
        if not stop.aborted:
            limit = -1 if deadline is None else min(max(deadline - monotonic(), 0), TIMEOUT_MAX)
            gate.acquire(timeout=limit)
    finally:
        del stop.wakers[gate]
    return answers[0] if answers else None


def _answer(host: str, port: int, family: AddressFamily) -> Addresses | _Failure:
    try:
        if "\0" in host:  # which would end the name for some systems
            return _Failure(0, _NO_NAME)
        # Of text Python would make bytes by the rules for international names, which it would load for that.
        name = host.encode("ascii") if host.isascii() else host
        found = socket.getaddrinfo(name, port, FAMILIES[family], socket.SOCK_STREAM)
    except OSError as error:
        return _Failure(error.errno or 0, error.strerror or str(error))
    except ValueError:
        return _Failure(0, _NO_NAME)
    except MemoryError:
        return _Failure(socket.EAI_MEMORY, "out of memory")
    return [(entry[0], entry[4]) for entry in found]  # type: ignore[misc]


def _open(gate: LockType) -> None:
    try:
        gate.release()
    except RuntimeError:  # somebody else has done so
        pass
