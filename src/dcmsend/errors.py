"""Every way in which a run can break, as one tree. Ground floor.

The failure of one instance is a value (``model.Outcome``), not one of these; an exception means that the
association or the whole run cannot go on. Each error carries facts as attributes, a ``hint`` where the user can act,
and knows whether trying again later may help (``retryable``).

::

    DcmsendError
    ├── ConfigurationError          a value that the caller gave is out of range
    ├── InputError                  files and arguments
    │   ├── NoInputError            nothing to send was given
    │   ├── ListError               a list of files to send cannot be read on
    │   ├── InvalidInputError       a file failed its checks, and the run halts on that
    │   └── NoValidInputError       files were given, none can be sent
    ├── FileError                   one file: becomes a Refusal or an Outcome, never leaves the library
    ├── NetworkError
    │   ├── NameResolutionError     the host name is unknown
    │   ├── ConnectError            no address of the peer took the connection
    │   ├── NegotiationError        AE titles that cannot be sent, or an answer that makes no sense
    │   ├── AssociationRejected     A-ASSOCIATE-RJ, with result, source and reason (PS3.8 9.3.4)
    │   ├── AssociationAborted      A-ABORT from the peer, with source and reason (PS3.8 9.3.8)
    │   ├── ReleaseRequested        A-RELEASE-RQ from the peer while we had work to do
    │   ├── ConnectionLost          TCP closed or reset without an A-ABORT
    │   ├── TlsError                no secure connection: certificates, versions, cipher suites, broken records
    │   ├── PeerTimeout             the peer was silent for too long, in a named phase
    │   └── RemoteProtocolError     the peer broke PS3.7 or PS3.8
    ├── LocalProtocolError          we broke it: a defect of ours
    ├── RunStopped                  an instance could not be sent and the run halts on that
    ├── NoAcceptableContext         the one association that is allowed accepted nothing
    ├── NoProposal                  an instance for which nothing may be proposed, and the run halts on that
    ├── Interrupted                 the user stopped the run
    ├── JournalError                the list of instances cannot be kept
    ├── ReportError                 the report cannot be written
    └── FailuresError               not everything was stored, for those who want that raised
"""

from __future__ import annotations

from dcmsend.printable import MAX_LINE, MAX_PATH, plain
from dcmsend.reasons import Reason, because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeVar

    T = TypeVar("T")
    E = TypeVar("E", bound=BaseException)


class DcmsendError(Exception):
    """Base of all errors of this package. ``str()`` is one line for the user, whatever the message is made of.

    ``why`` is the same as a value: a code and facts. Errors that are made of words alone have the code ``said``.
    """

    retryable: bool = False

    def __init__(self, message: str | Reason, *, hint: str = "") -> None:
        self.why = message if isinstance(message, Reason) else because("said", words=plain(message, MAX_LINE))
        self._hint = plain(hint, MAX_LINE)
        super().__init__(message)

    def __str__(self) -> str:
        message = self.args[0] if self.args else ""
        return plain(str(message), MAX_LINE)

    @property
    def message(self) -> str:
        return str(self)

    @property
    def hint(self) -> str:
        """What the user can do, with the names of the library's parameters; it may be empty."""
        return self.hint_in(None)

    def hint_in(self, names: Mapping[str, str] | None) -> str:
        """What the user can do; ``names`` says what the settings are called where it is shown."""
        return self._hint or (self.why.hint(names) if isinstance(self.args[0], Reason) else "")


class CallersError(Exception):
    """What a caller's own listener or source has raised, on its way out through us: no error of ours.

    ``error`` is that, and what the caller gets to see.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def of_caller(listener: Callable[[T], object]) -> Callable[[T], None]:
    """The same listener. What it raises is a ``CallersError``."""

    def hear(event: T) -> None:
        try:
            listener(event)
        except Exception as error:  # noqa: BLE001 - raised again where the caller is
            raise CallersError(error) from None

    return hear


def from_caller(sources: Iterable[T]) -> Iterator[T]:
    """The same sources. What they raise is a ``CallersError``."""
    try:
        for source in sources:  # noqa: UP028 - it would close a generator that the caller may go on with
            yield source
    except Exception as error:  # noqa: BLE001 - the same
        raise CallersError(error) from None


def settled(error: E) -> E:
    """An error that is kept as a value, without the frames that it came through.

    They would keep all that they knew, often the one who keeps the error: a cycle.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error


class ConfigurationError(DcmsendError, ValueError):
    """A value given by the caller is out of its range."""


def require(condition: bool, complaint: str) -> None:
    """Raises ConfigurationError where a value is not as it has to be."""
    if not condition:
        raise ConfigurationError(complaint)


class InputError(DcmsendError):
    """Nothing was sent because of the input."""


class NoInputError(InputError):
    """After expanding the arguments there is nothing to send."""


class ListError(InputError):
    """A list of files broke off: nobody knows what else it names. What it had named before may have been sent."""


class InvalidInputError(InputError):
    """A file failed its checks and the run halts on invalid input."""

    def __init__(self, path: str, reason: Reason) -> None:
        super().__init__(because("bad_file", reason, path=plain(path, MAX_PATH) or "<empty string>"))
        self.path = path
        self.reason = reason


class NoValidInputError(InputError):
    """Files were given, but none of them can be sent."""


class FileError(DcmsendError):
    """One file cannot be used; ``reason`` says why, without the file's name."""

    @property
    def reason(self) -> Reason:
        return self.why


class NetworkError(DcmsendError):
    """The association could not be made or did not last."""


class NameResolutionError(NetworkError):
    """The peer's host name has no address, or (``retryable``) nobody could be asked for it at that moment."""

    def __init__(self, message: str | Reason, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class ConnectError(NetworkError):
    """None of the peer's addresses took the TCP connection."""

    retryable = True


class NegotiationError(NetworkError):
    """The association cannot be asked for, or the answer makes no sense."""


class AssociationRejected(NetworkError):
    """The peer answered with A-ASSOCIATE-RJ (PS3.8 9.3.4); the three numbers are its own."""

    def __init__(self, result: int, source: int, reason: int, why: str | Reason) -> None:
        super().__init__(why)
        self.result = result
        self.source = source
        self.reason = reason
        self.retryable = self.transient

    @property
    def transient(self) -> bool:
        """Whether the peer says that it may accept later (result 2)."""
        return self.result == 2


class AssociationAborted(NetworkError):
    """The peer sent A-ABORT (PS3.8 9.3.8)."""

    retryable = True

    def __init__(self, source: int, reason: int, why: str | Reason) -> None:
        super().__init__(why)
        self.source = source
        self.reason = reason


class ReleaseRequested(NetworkError):
    """The peer asked to release the association before we were done."""

    retryable = True


class ConnectionLost(NetworkError):
    """The TCP connection ended without an A-ABORT or A-RELEASE."""

    retryable = True


class TlsError(NetworkError):
    """There is no secure connection, or it broke. ``reason``: the TLS library's own word for it; it may be empty.

    Trying again does not help: it takes another certificate, or another setting on one of the two sides.
    """

    def __init__(self, why: Reason, *, reason: str = "") -> None:
        super().__init__(because("tls", why))
        self.reason = reason


class PeerTimeout(NetworkError):
    """Nothing came from (or went to) the peer for ``seconds``; ``phase`` is the code of the reason, which says when."""

    retryable = True

    def __init__(self, phase: str, seconds: float) -> None:
        super().__init__(because(phase, seconds=f"{seconds:g}"))
        self.phase = phase
        self.seconds = seconds


class RemoteProtocolError(NetworkError):
    """The peer sent something that PS3.7 or PS3.8 does not allow."""


class LocalProtocolError(DcmsendError):
    """We were about to break the protocol: a defect in this package."""


class RunStopped(DcmsendError):
    """An instance could not be sent, and the run halts on that."""


def gave_out(error: OSError | MemoryError) -> RunStopped | None:
    """The end of a run whose system gave out, ``None`` where the error is none of that kind but a defect of ours."""
    reason = of_system(error)
    return None if reason.code == "system" else RunStopped(because("gave_out", reason))


class NoAcceptableContext(DcmsendError):
    """The single association that is allowed had all presentation contexts refused."""


class NoProposal(DcmsendError):
    """For an instance no presentation context may be proposed, and the run halts on that."""


class Interrupted(DcmsendError):
    """The user stopped the run."""


class JournalError(DcmsendError):
    """The list of instances cannot be kept: what was stored so far is stored, the rest is not tried."""


class ReportError(DcmsendError):
    """The report cannot be written."""


def left_out_words(count: int) -> str:
    """How many inputs were left out, in words."""
    return f"{count} {'input was' if count == 1 else 'inputs were'} left out"


class FailuresError(DcmsendError):
    """Of ``instances`` that were taken on ``failed`` were not stored, ``left_out`` inputs were not taken on,
    ``left_over`` instances of earlier runs are not stored, or ``error``, if any, ended the run early.

    ``reasons``: of the first few that failed or were left out, path and why, a line each.
    """

    def __init__(
        self,
        instances: int,
        failed: int,
        reasons: tuple[str, ...],
        error: DcmsendError | None,
        *,
        left_out: int = 0,
        left_over: int = 0,
    ) -> None:
        words = [f"{failed} of {instances} SOP instances were not stored"] if failed else []
        words += [left_out_words(left_out)] if left_out else []
        words += [f"{left_over} SOP instances of earlier runs are not stored"] if left_over else []
        words += [f"the run ended early: {error}"] if error is not None else []
        words += reasons
        more = failed + left_out - len(reasons)
        if reasons and more > 0:
            words.append(f"and {more} more")
        super().__init__("; ".join(words), hint=error.hint if error is not None else "")
        self.instances = instances
        self.failed = failed
        self.left_out = left_out
        self.left_over = left_over
        self.reasons = reasons
        self.error = error
