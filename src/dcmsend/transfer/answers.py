"""What is said of an instance by its payload, by the peer's response, or by none. Pure."""

from __future__ import annotations

from dcmsend.errors import NetworkError, PeerTimeout
from dcmsend.model import Instance
from dcmsend.printable import MAX_REMARK, plain
from dcmsend.reasons import NONE, Reason, because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.payload.payload import Payload
    from dcmsend.wire.command import Response

_MOST_TAGS: Final = 16  # of the elements that a peer complains of


def as_sent(instance: Instance, payload: Payload) -> Instance:
    """The instance by what its file says now, which may be something else than when the input was looked at."""
    if (
        payload.sop_instance == instance.sop_instance
        and payload.sop_class == instance.sop_class
        and payload.original_syntax == instance.transfer_syntax
        and payload.file_size == instance.size
    ):
        return instance
    return Instance(instance.path, payload.sop_class, payload.sop_instance, payload.original_syntax, payload.file_size)


def mismatch(response: Response, payload: Payload, context_id: int) -> Reason:
    """What a response is about, where that is something else than what was sent. It need not say it (PS3.7 9.3.1.2)."""
    if response.sop_instance and response.sop_instance != payload.sop_instance.strip(" \0"):
        return because("answered_for_other_instance", answered=response.sop_instance, sent=payload.sop_instance)
    if response.sop_class and response.sop_class != payload.sop_class.strip(" \0"):
        return because("answered_for_other_class", answered=response.sop_class, sent=payload.sop_class)
    if response.context_id != context_id:
        return because("answered_in_other_context", answered=response.context_id, sent=context_id)
    return NONE


def unanswered(error: NetworkError) -> Reason:
    """Why there is no response, where the association ended with this error."""
    return because("not_answered_in_time" if isinstance(error, PeerTimeout) else "not_answered", error.why)


def remark_of(response: Response) -> Reason:
    """What the peer says beside its status: comment and offending elements (PS3.7 C.5), as far as that is shown."""
    if not response.comment and not response.offending:
        return NONE
    tags = ", ".join(f"({tag >> 16:04x},{tag & 0xFFFF:04x})" for tag in response.offending[:_MOST_TAGS])
    if len(response.offending) > _MOST_TAGS:
        tags += f" and {len(response.offending) - _MOST_TAGS} more"
    comment = plain(response.comment, MAX_REMARK)
    words = ", ".join(filter(None, (comment, f"offending elements {tags}" if tags else "")))
    return because("remark", words=words) if words else NONE
