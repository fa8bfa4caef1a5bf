"""What a run would do, as frozen values: how many instances of which kind go over which association, and why not.

They are made by ``rehearsal``. What becomes of an instance depends on its SOP class and transfer syntax alone, as long
as its data set is in order, so there is no list of instances in here.
"""

from __future__ import annotations

from dcmsend.light import Frozen
from dcmsend.reasons import NONE, Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.errors import DcmsendError
    from dcmsend.events import Context
    from dcmsend.model import Refusal

MOST_TOLD: Final = 20  # refused files, and notices, that a forecast keeps; a listener hears of all


class Portion(Frozen, kw_only=True):
    """The instances of one SOP class in one transfer syntax: how many, and how many bytes their files have.

    ``against``: why they are not converted where the peer does not take them as they are; empty where they are.
    ``reason``: why they cannot be sent, empty where that is not known. Once the peer has answered and they can be,
    ``network_syntax`` is the transfer syntax in which they go, over the context ``context_id``.
    """

    sop_class: str
    transfer_syntax: str
    instances: int
    size: int
    against: Reason = NONE
    reason: Reason = NONE
    network_syntax: str = ""
    context_id: int = 0


class Answer(Frozen, kw_only=True):
    """What the peer says of itself when it accepts an association.

    ``max_pdu``: in bytes, 0 for no limit. ``window``: how many operations may be outstanding. ``implementation`` and
    ``implementation_uid``: its version name and class UID (PS3.7 D.3.3.2), as they may be shown. ``confirmed``: it has
    answered to the user's identity (D.3.3.7.2). ``roles``: SOP classes for which it has answered to a selection of
    roles (D.3.3.4), which is never proposed.
    """

    max_pdu: int
    window: int
    implementation: str
    implementation_uid: str
    security: str
    confirmed: bool
    roles: tuple[str, ...]


class PlannedAssociation(Frozen, kw_only=True):
    """One association: its contexts, with the peer's results where it was asked, and what is sent over them."""

    contexts: tuple[Context, ...]
    portions: tuple[Portion, ...]
    answer: Answer | None = None


class Forecast(Frozen, kw_only=True):
    """What a run would do. Sizes are those of files, in bytes.

    ``associations``: in the order in which they are asked for. ``hopeless``: instances that are sent in no case.
    ``earlier``: how many instances the journal file says are stored, ``left_over``: how many of earlier runs in there
    are neither stored nor met. ``left_out`` counts inputs that could not be taken on, ``no_dicom`` what is none; the
    first ``MOST_TOLD`` of both, and of the notices, are in ``refusals`` and ``notices``.

    ``error``: what ends the run before it has sent all that it can. Where that is an invalid file, or an instance for
    which nothing may be proposed, ``associations`` are those of a run that does not halt on it. ``early``: sending
    begins before all input has been looked at, so that there may be more associations, with fewer contexts.
    """

    associations: tuple[PlannedAssociation, ...] = ()
    hopeless: tuple[Portion, ...] = ()
    earlier: int = 0
    earlier_size: int = 0
    left_out: int = 0
    no_dicom: int = 0
    left_over: int = 0
    refusals: tuple[Refusal, ...] = ()
    notice_count: int = 0
    notices: tuple[str, ...] = ()
    error: DcmsendError | None = None
    early: bool = False

    @property
    def portions(self) -> tuple[Portion, ...]:
        """All that is not stored already, the hopeless ones last."""
        return (*(portion for each in self.associations for portion in each.portions), *self.hopeless)

    @property
    def complete(self) -> bool:
        """Return True if nothing is known that keeps anything that was named from being sent.

        A probe knows more of that.
        """
        return not (self.left_out or self.left_over or self.unsendable)

    @property
    def unsendable(self) -> bool:
        """Return True if instances are known that cannot be sent."""
        return any(portion.reason for portion in self.portions)
