"""What is asked for and what is agreed when an association begins (PS3.7 D.3.3, PS3.8 9.3.2). No socket, no state."""

from __future__ import annotations

from dcmsend.errors import NegotiationError, RemoteProtocolError
from dcmsend.light import NamedTuple
from dcmsend.model import MAX_PDU, MOST_OUTSTANDING
from dcmsend.plan import answered
from dcmsend.printable import MAX_REMARK, plain
from dcmsend.reasons import because
from dcmsend.uids import IMPLEMENTATION_CLASS_UID
from dcmsend.version import __version__
from dcmsend.wire.fragment import SMALLEST_PDU
from dcmsend.wire.items import (
    AsynchronousOperationsWindow,
    ImplementationClass,
    ImplementationVersion,
    MaximumLength,
    UserItem,
    find_item,
)
from dcmsend.wire.pdu import AssociateAccept, AssociateRequest, ProposedContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.events import Context
    from dcmsend.model import Limits, Peer

IMPLEMENTATION_VERSION: Final = f"DCMSEND_{__version__}"[:16]
_ASSUMED_PDU: Final = 16384  # for a peer that leaves out its maximum length, which PS3.8 D.1 does not allow


class Known:
    """What has been learnt of a peer: it has ``accepted`` an association, and ``answered`` a request.

    All associations of a run share one. It makes for better words when something goes wrong.
    """

    __slots__ = ("accepted", "answered")

    def __init__(self) -> None:
        self.accepted = False
        self.answered = False

    def __repr__(self) -> str:
        return (
            f"<Known: {'accepted' if self.accepted else 'not accepted'}, {'answered' if self.answered else 'silent'}>"
        )


def require_titles(peer: Peer) -> None:
    """Raises ``NegotiationError`` where PS3.5 6.2 (VR AE) does not allow a title."""
    _require_title(peer.called_ae, "called_title_empty", "called_title_invalid")
    _require_title(peer.calling_ae, "calling_title_empty", "calling_title_invalid")


def _require_title(title: str, empty: str, invalid: str) -> None:
    if not title.strip():
        raise NegotiationError(because(empty))
    if not (title.isascii() and title.isprintable()) or "\\" in title:
        raise NegotiationError(because(invalid, title=title))


def request_for(peer: Peer, contexts: tuple[Context, ...], limits: Limits) -> AssociateRequest:
    """The request for an association with these contexts."""
    proposed = tuple(ProposedContext(c.context_id, c.abstract_syntax, c.transfer_syntaxes) for c in contexts)
    wanted = limits.async_window
    user: list[UserItem] = [
        MaximumLength(limits.max_receive_pdu),
        ImplementationClass(IMPLEMENTATION_CLASS_UID),
        *([AsynchronousOperationsWindow(wanted, 1)] if wanted != 1 else []),
        ImplementationVersion(IMPLEMENTATION_VERSION),
    ]
    if peer.identity is not None:
        from dcmsend.net.identity import identity_item

        user.append(identity_item(peer.identity))
    return AssociateRequest(called_ae=peer.called_ae, calling_ae=peer.calling_ae, contexts=proposed, user=tuple(user))


class Agreed(NamedTuple):
    """What holds on an association.

    ``contexts``: the proposed ones with the peer's answers. ``max_pdu``: the peer's limit in bytes, 0 for none;
    ``send_pdu``: what is kept to. ``window``: how many operations may be outstanding.
    """

    contexts: tuple[Context, ...]
    max_pdu: int
    send_pdu: int
    window: int
    implementation: str

    @classmethod
    def of(cls, answer: AssociateAccept, contexts: tuple[Context, ...], limits: Limits) -> Agreed:
        """What follows from an answer. Raises ``RemoteProtocolError`` where nothing could be sent."""
        maximum = find_item(answer.user, MaximumLength)
        version = find_item(answer.user, ImplementationVersion)
        max_pdu = maximum.length if maximum else _ASSUMED_PDU
        send_pdu = min(max_pdu or MAX_PDU, MAX_PDU, limits.max_send_pdu or MAX_PDU)
        if send_pdu < SMALLEST_PDU:
            raise RemoteProtocolError(because("pdu_limit_too_small", most=max_pdu))
        return cls(
            answered(contexts, ((c.context_id, c.result, c.transfer_syntax) for c in answer.contexts)),
            max_pdu,
            send_pdu,
            _window(limits.async_window, find_item(answer.user, AsynchronousOperationsWindow)),
            plain(version.name, MAX_REMARK) if version else "",
        )


def _window(wanted: int, answer: AsynchronousOperationsWindow | None) -> int:
    """How many operations may be outstanding: 1 unless both sides said more (PS3.7 D.3.3.3); 0 is no limit."""
    if wanted == 1 or answer is None:
        return 1
    return min(wanted or MOST_OUTSTANDING, answer.invoked or MOST_OUTSTANDING, MOST_OUTSTANDING)
