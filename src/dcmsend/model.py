"""Frozen values that everything else passes around. Ground floor: imports nothing of ours but errors and uids.

Settings are checked when they are made (``ConfigurationError``); what was read from files or peers is not: those
values say what was found.
"""

from __future__ import annotations

from dcmsend.errors import require
from dcmsend.light import Enum, Frozen
from dcmsend.printable import MAX_PATH, plain
from dcmsend.reasons import NONE, Reason, because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from dcmsend.security import Identity, Tls

MIN_PDU: Final = 4096
MAX_PDU: Final = 131072
DEFAULT_PDU: Final = 16384
MAX_WINDOW: Final = 65535  # what 16 bits can propose (PS3.7 D.3.3.3)
MOST_OUTSTANDING: Final = 256  # operations, whatever the peer takes
MAX_ASSOCIATIONS: Final = 64  # open at once
MIN_RATE: Final = 1000  # bytes per second
MAX_CONTEXTS: Final = 128  # odd IDs 1..255 (PS3.8 9.3.2.2)
MAX_RETRIES: Final = 1000
MAX_RETRY_DELAY: Final = 60  # seconds


class AddressFamily(Enum):
    """Which addresses of the peer may be used."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"
    ANY = "any"


class ReadMode(Enum):
    """How input files are read (``+f``, ``+fo``, ``-f``)."""

    FILE_OR_DATASET = "file format or data set"
    FILE_ONLY = "file format only"
    DATASET_ONLY = "data set only"


class Peer(Frozen, kw_only=True):
    """The storage SCP, and by which names the two sides know each other.

    Titles longer than 16 characters are cut when they are sent (PS3.8 Table 9-11); reports show them as given.
    ``identity``: who the user is, for peers that want to know. ``tls``: how the connection is secured; ``None``: not at
    all.
    """

    host: str
    port: int
    called_ae: str = "ANY-SCP"
    calling_ae: str = "DCMSEND"
    family: AddressFamily = AddressFamily.IPV4
    identity: Identity | None = None
    tls: Tls | None = None

    def __post_init__(self) -> None:
        require(1 <= self.port <= 65535, f"port {self.port} is not between 1 and 65535")


class Timeouts(Frozen, kw_only=True):
    """Seconds for each thing that is waited for; ``None`` means as long as it takes.

    ``connect``: the TCP connection, for each address. ``acse``: the answer to A-ASSOCIATE-RQ and A-RELEASE-RQ.
    ``dimse``: the response to a request. ``socket``: no byte moves although one side is in mid-sentence.
    """

    connect: float | None = None
    acse: float | None = 30
    dimse: float | None = None
    socket: float | None = 60

    def __post_init__(self) -> None:
        for name in ("connect", "acse", "dimse", "socket"):
            value = getattr(self, name)
            require(value is None or value > 0, f"{name} timeout must be more than 0 seconds")


class Limits(Frozen, kw_only=True):
    """Sizes in bytes. ``max_receive_pdu`` is announced to the peer; ``max_send_pdu`` caps what the peer announced.

    ``async_window``: how many operations may be outstanding if the peer agrees; 1 is not negotiated, 0 is as many as
    the peer takes, but no more than ``MOST_OUTSTANDING``. ``associations``: how many may be open at once.
    ``rate``: bytes a second over all associations, ``None`` for no limit.
    """

    max_receive_pdu: int = DEFAULT_PDU
    max_send_pdu: int | None = None
    async_window: int = 1
    associations: int = 1
    rate: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_receive_pdu", "max_send_pdu"):
            value = getattr(self, name)
            require(value is None or MIN_PDU <= value <= MAX_PDU, f"{name} must be from {MIN_PDU} to {MAX_PDU} bytes")
        require(0 <= self.async_window <= MAX_WINDOW, f"async_window must be from 0 to {MAX_WINDOW}")
        require(1 <= self.associations <= MAX_ASSOCIATIONS, f"associations must be from 1 to {MAX_ASSOCIATIONS}")
        require(self.rate is None or self.rate >= MIN_RATE, f"rate must be at least {MIN_RATE} bytes per second")


class ScanOptions(Frozen, kw_only=True):
    """How arguments become instances."""

    read_mode: ReadMode = ReadMode.FILE_ONLY
    directories: bool = False
    recurse: bool = False
    pattern: str = ""
    dicomdir: bool = False
    external_references: bool = False
    archives: bool = False
    uid_checks: bool = True
    send_duplicates: bool = False


class Policy(Frozen, kw_only=True):
    """What may be proposed and what ends the run."""

    halt: bool = True  # on the first invalid file and the first instance that could not be sent
    multiple_associations: bool = True
    scan_first: bool = False  # send nothing before all input has been looked at
    legal_proposals_only: bool = False  # -nip


class Retries(Frozen, kw_only=True):
    """What becomes of an instance or an association after a failure that may pass: lost connections, a busy peer.

    ``count``: how often each is tried again, 0 for never. ``delay``: seconds before the first time; twice as long for
    each further failure in a row, up to a minute.
    """

    count: int = 0
    delay: float = 1

    def __post_init__(self) -> None:
        require(0 <= self.count <= MAX_RETRIES, f"retries must be from 0 to {MAX_RETRIES}")
        require(self.delay >= 0, "retry delay must not be negative")


class JournalFile(Frozen, kw_only=True):
    """Where a run keeps what has become of each instance, for the next run to go on from there.

    It belongs to the peer of its first run; ``any_peer``: use it with another one all the same. ``give_up``: what it
    has from earlier runs that is neither stored nor met in this one is given up, and counts as left over no more.
    """

    path: str
    any_peer: bool = False
    give_up: bool = False

    def __post_init__(self) -> None:
        require(bool(self.path), "the journal file has no name")


class Decompression(Enum):
    """What may be decompressed when the peer does not take the file's own transfer syntax."""

    NEVER = "never"
    LOSSLESS = "lossless"
    LOSSY = "lossy"  # and lossless


class Conversion(Frozen, kw_only=True):
    """How data sets are converted where the peer does not accept them as they are.

    ``compression_level``: 0 (none) to 9, for what is deflated anew. ``dictionaries``: paths of files in the format of
    DCMTK's data dictionary, for private attributes whose VR is nowhere else to be found.
    """

    decompression: Decompression = Decompression.LOSSLESS
    compression_level: int = 6
    dictionaries: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(0 <= self.compression_level <= 9, "compression level must be from 0 to 9")


class Instance(Frozen):
    """A file that passed the checks of the scan.

    The UIDs are those of the data set where the head of the file showed them, else those of the file meta
    information or of the DICOMDIR record. ``size`` is the file's size in bytes, 0 where it was not opened yet.
    """

    path: str
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    size: int = 0


class Refusal(Frozen):
    """What was given or found and is not taken on, and why.

    Either it is *no DICOM* (``reason.kind`` is ``Kind.NO_DICOM``), or it is *left out*: something that the user named
    and that nobody can answer for.
    """

    path: str
    reason: Reason

    @property
    def left_out(self) -> bool:
        """Return False if it is no DICOM."""
        return not self.reason.no_dicom

    @property
    def tolerated(self) -> bool:
        """Return True if it ends no run that halts on invalid files, since DCMTK's goes on there, too."""
        return self.reason.code == "folder_not_searched"


class Conflict(Frozen):
    """Files of one SOP Instance UID with different data sets, of which a peer keeps only one.

    ``paths``: those of the first few of ``count``. ``str()`` is one line for the user.
    """

    sop_instance: str
    paths: tuple[str, ...]
    count: int

    def __str__(self) -> str:
        paths = ", ".join(plain(path, MAX_PATH) for path in self.paths)
        more = ", ..." if self.count > len(self.paths) else ""
        uid = plain(self.sop_instance)
        return f"{self.count} files have SOP Instance UID {uid} and different content: {paths}{more}"


class Notice(Frozen):
    """Something that the user should know and that stops nothing. ``empty``: a list of files that lists none."""

    text: str
    empty: bool = False


class Later:
    """Input that is not there yet: what a source of names or data sets gives instead of waiting. Ask again.

    ``notify`` takes a function that is called once when something has come, at once where that has happened already;
    the last one counts. It may be called from another thread. ``None``: there will be more when instances that are
    taken on have been finished.
    """

    __slots__ = ("notify",)

    def __init__(self, notify: Callable[[Callable[[], None]], None] | None = None) -> None:
        self.notify = notify


class State(Enum):
    """What has become of an instance."""

    PENDING = 0  # never tried
    ANSWERED = 1  # the peer's response has come: Outcome.status
    NO_CONTEXT = 2  # the peer accepted no presentation context that can carry it
    FAILED = 3  # tried, but the file or the association broke


class Outcome(Frozen, kw_only=True):
    """The one truthful result for an instance.

    ``status`` is the DIMSE status (PS3.7 Annex C), only with ``State.ANSWERED``. ``reason``: why it was not sent, or
    the peer's remark; ``str()`` makes one line of it. ``association`` counts from 1; 0 and ``context_id`` 0 mean that
    it was never tried. ``dataset_size`` is in bytes, as in the file. ``attempts`` counts how often it was begun to be
    sent in this run.
    """

    number: int
    state: State
    status: int | None = None
    reason: Reason = NONE
    association: int = 0
    context_id: int = 0
    network_syntax: str = ""
    dataset_size: int = 0
    attempts: int = 0

    @property
    def stored(self) -> bool:
        return self.state is State.ANSWERED and self.status is not None and status_class(self.status).stored

    @property
    def why(self) -> Reason:
        """Why it is not stored, the peer's status included."""
        if self.state is State.ANSWERED and self.status is not None:
            status, meaning = f"0x{self.status:04x}", status_text(self.status)
            return because(refusal_code(self.status), self.reason or None, status=status, meaning=meaning)
        return self.reason or because(_UNTOLD[self.state])

    @property
    def code(self) -> str:
        """The code of why it is not stored; where it is, that of the peer's remark, which may be empty."""
        return (self.reason if self.stored else self.why).code


_UNTOLD: Final = {
    State.PENDING: "never_tried",
    State.ANSWERED: "never_tried",  # it has a status
    State.NO_CONTEXT: "no_acceptable_context",
    State.FAILED: "failed",
}


class StatusClass(Enum):
    """Classes of C-STORE status (PS3.4 B.2.3, PS3.7 C), each with the label of DCMTK's summary."""

    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    ERROR = "ERROR"
    REFUSED = "REFUSED"
    UNKNOWN = "unknown status"

    @property
    def stored(self) -> bool:
        """Whether the peer says that it keeps the instance (a warning is a success with a remark)."""
        return self in (StatusClass.SUCCESS, StatusClass.WARNING)


# First match wins: (mask, value, class, text). PS3.4 Table B.2-1 and PS3.7 Annex C, in DCMTK's words.
_STATUSES: Final[tuple[tuple[int, int, StatusClass, str], ...]] = (
    (0xFFFF, 0x0000, StatusClass.SUCCESS, "Success"),
    (0xFFFF, 0x0122, StatusClass.REFUSED, "Refused: SOPClassNotSupported"),
    (0xFF00, 0xA700, StatusClass.REFUSED, "Refused: OutOfResources"),
    (0xFF00, 0xA900, StatusClass.ERROR, "Error: DataSetDoesNotMatchSOPClass"),
    (0xF000, 0xC000, StatusClass.ERROR, "Error: CannotUnderstand"),
    (0xFFFF, 0xB000, StatusClass.WARNING, "Warning: CoercionOfDataElements"),
    (0xFFFF, 0xB006, StatusClass.WARNING, "Warning: ElementsDiscarded"),
    (0xFFFF, 0xB007, StatusClass.WARNING, "Warning: DataSetDoesNotMatchSOPClass"),
    (0xF000, 0xB000, StatusClass.WARNING, ""),
    (0xFFFF, 0x0001, StatusClass.WARNING, ""),
    (0xFFFF, 0x0107, StatusClass.WARNING, ""),
    (0xFFFF, 0x0116, StatusClass.WARNING, ""),
    (0x0000, 0x0000, StatusClass.UNKNOWN, ""),
)


def status_class(status: int) -> StatusClass:
    """The class of a C-STORE status."""
    if status == 0:  # the usual one
        return StatusClass.SUCCESS
    return next(row[2] for row in _STATUSES if status & row[0] == row[1])


# Why a peer refuses, by its status; first match wins. PS3.4 Table B.2-1 and PS3.7 Annex C.
_REFUSALS: Final[tuple[tuple[int, int, str], ...]] = (
    (0xFF00, 0xA700, "refused_out_of_resources"),
    (0xFF00, 0xA900, "refused_for_sop_class"),
    (0xF000, 0xC000, "refused_not_understood"),
    (0xFFFF, 0x0122, "refused_sop_class"),
    (0xFFFF, 0x0124, "refused_not_authorized"),
    (0xFFFF, 0x0110, "refused_processing_failure"),
    (0xFFFF, 0x0111, "refused_duplicate"),
    (0x0000, 0x0000, "refused"),
)


def refusal_code(status: int) -> str:
    """The code of the reason why a peer has not stored an instance."""
    return next(row[2] for row in _REFUSALS if status & row[0] == row[1])


def status_text(status: int) -> str:
    """A C-STORE status in DCMTK's words."""
    words = next(row[3] for row in _STATUSES if status & row[0] == row[1])
    return words or f"Unknown Status: 0x{status:x}"


class Totals(Frozen, kw_only=True):
    """Counts over a whole run. ``by_class`` counts the instances that the peer answered for.

    ``earlier``: how many of these were stored by earlier runs, as the journal file says, and not sent again.
    ``left_out``: what was given or found and could not be taken on, ``no_dicom``: what turned out to be none.
    ``left_over``: instances that the journal file has from earlier runs, that are not stored and were not met in this
    one.
    """

    associations: int  # asked for, refused ones included
    contexts: int  # proposed, summed over the associations
    instances: int
    by_class: dict[StatusClass, int]
    no_context: int
    left_out: int = 0
    no_dicom: int = 0
    left_over: int = 0
    earlier: int = 0

    @property
    def answered(self) -> int:
        return sum(self.by_class.values())

    @property
    def complete(self) -> bool:
        """Return True if every instance is stored, and nothing was left out or is left over."""
        return self.stored == self.instances and not self.left_out and not self.left_over

    @property
    def stored(self) -> int:
        return sum(count for kind, count in self.by_class.items() if kind.stored)
