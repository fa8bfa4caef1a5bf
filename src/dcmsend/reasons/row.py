"""What a row of the table of reasons is, and hints that several sections of it give."""

from __future__ import annotations

from dcmsend.light import Enum, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Kind(Enum):
    """What stood between an instance and its being stored."""

    REFUSED = "refused"  # the peer answered with a status that says so
    NO_CONTEXT = "no_context"  # the peer accepted no presentation context for it
    NOT_ANSWERED = "not_answered"  # the association broke while it was under way
    FILE = "file"  # the file, or its conversion
    READ = "read"  # the system did not give the file, or ran out of something
    NO_DICOM = "no_dicom"  # it is no DICOM file
    NOT_TRIED = "not_tried"  # the run ended before its turn
    NETWORK = "network"  # the association could not be made, or broke
    RUN = "run"  # what the run itself needs: the journal, temporary files, settings
    OTHERS = "others"  # more reasons than there are groups


class Row(NamedTuple):
    """A reason. ``by``: facts by which reasons of this code are told apart when they are counted; the others show as
    ``...`` where there is more than one. ``passes``: another attempt may go well. Without a ``hint``, that of the
    reason behind it counts, else that of its kind.
    """

    kind: Kind
    words: str
    hint: str = ""
    by: tuple[str, ...] = ()
    passes: bool = False


AGAIN_WHEN_FINISHED: Final = "Somebody was still writing these files: send them again when they are finished."
COPY_AGAIN: Final = "The file is damaged or incomplete: copy it from its source again."
NO_DICOM: Final = "These are no DICOM files. {no_halt} passes over them."
ENDED: Final = (
    "The peer, or something on the way, ended the connection: the peer's log may say why. {retries} tries again."
)
