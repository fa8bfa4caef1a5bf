"""The user's identity in an association request, and what the answer must say of it (PS3.7 D.3.3.7).

Loaded where there is an identity. What is in it goes into one sub-item, and nowhere else.
"""

from __future__ import annotations

from dcmsend.errors import NegotiationError
from dcmsend.reasons import because
from dcmsend.wire.extensions import UserIdentity, UserIdentityResponse
from dcmsend.wire.items import find_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dcmsend.security import Identity
    from dcmsend.wire.items import UserItem


def identity_item(identity: Identity) -> UserIdentity:
    """The sub-item of the request (PS3.7 D.3.3.7.1)."""
    return UserIdentity(identity.kind.value, identity.positive_response, identity.primary, identity.secondary)


def require_confirmation(identity: Identity, answer: Iterable[UserItem]) -> None:
    """Raises NegotiationError where a positive response was asked for and has not come (PS3.7 D.3.3.7.3).

    What a response holds (a Kerberos ticket, a SAML response) is for the user's software to check, if anybody's: it is
    not looked at, and not shown.
    """
    if identity.positive_response and find_item(answer, UserIdentityResponse) is None:
        raise NegotiationError(because("identity_not_confirmed"))
