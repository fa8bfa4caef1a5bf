"""Every option of the command line, as one table: parser, help and all documentation are made from it.

The rows stand in the order of the help, which is also the order in which DCMTK's dcmsend checks them. What an option
does is said by ``sets``: ``part.field`` of the values in ``grammar.Arguments``.
"""

from __future__ import annotations

from dcmsend.cli.log import Level
from dcmsend.light import Enum, NamedTuple
from dcmsend.model import (
    DEFAULT_PDU,
    MAX_ASSOCIATIONS,
    MAX_PDU,
    MAX_RETRIES,
    MAX_RETRY_DELAY,
    MAX_WINDOW,
    MIN_PDU,
    MIN_RATE,
    AddressFamily,
    Decompression,
    ReadMode,
)
from dcmsend.security import CrlCheck, KeyFormat, PeerCheck, TlsProfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

VERBOSE_MODE: Final = "verbose mode"
ANY_IDENTITY: Final = "--user, --kerberos, --saml or --jwt"
IDENTITY_BLOCK: Final = "identity"
LONGEST_WAIT: Final = 2_000_000  # seconds; more does not fit into poll(2), and nobody waits 23 days


class Kind(Enum):
    """What an option's value is, in the words of the help."""

    STRING = "string"
    INTEGER = "integer"
    SIZE = "integer, k, M or G"
    CHOICE = "string constant"


class Section(NamedTuple):
    """Where the help shows an option."""

    group: str
    subgroup: str = ""


class Argument(NamedTuple):
    """An option's value. ``convert`` turns the number or the choice into what is set. A ``secret`` is never shown."""

    name: str
    kind: Kind = Kind.STRING
    minimum: int = 0
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    default: str = ""
    convert: Callable[[int], object] | None = None
    secret: bool = False


class Option(NamedTuple):
    """One row. Of the options of a ``block``, and of a repeated option, the rightmost counts.

    An option with several values has those after the first in ``further``, and a word for each in ``sets``. Of one that
    ``collects``, every use counts: it sets a tuple. ``needs`` is the long name of another option, or several with
    commas or " or " between them, or ``VERBOSE_MODE``. Each of ``conflicts`` is a group of long names that may not be
    given too. ``request`` marks an option that is answered at once and makes the rest unimportant. ``refused`` says why
    an option that the grammar knows cannot be used.
    """

    section: Section
    long: str
    help: str
    short: str = ""
    argument: Argument | None = None
    further: tuple[Argument, ...] = ()
    collects: bool = False
    block: str = ""
    default: bool = False
    sets: str = ""
    value: object = True
    needs: str = ""
    conflicts: tuple[tuple[str, ...], ...] = ()
    request: bool = False
    refused: str = ""

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return (self.argument, *self.further) if self.argument else ()


def _seconds(number: int) -> float | None:
    """A timeout; None is unlimited."""
    return float(number) if 0 < number <= LONGEST_WAIT else None


def _timeout(default: str, minimum: int = 1) -> Argument:
    return Argument(name="seconds", kind=Kind.INTEGER, minimum=minimum, default=default, convert=_seconds)


def _pdu_size(default: str = "") -> Argument:
    return Argument(name="number of bytes", kind=Kind.INTEGER, minimum=MIN_PDU, maximum=MAX_PDU, default=default)


_GENERAL: Final = Section("general options")
_FORMAT: Final = Section("input options", "input file format")
_FILES: Final = Section("input options", "input files")
_CONVERSION: Final = Section("processing options", "transfer syntax conversion")
_DEFLATE: Final = Section("processing options", "deflate compression level")
_PROCESSING: Final = Section("processing options", "other processing options")
_BEFORE: Final = Section("processing options", "before sending")
_NAMED: Final = Section("network options", "named peers")
_INTERNET: Final = Section("network options", "IP protocol version")
_TITLES: Final = Section("network options", "application entity titles")
_ASSOCIATION: Final = Section("network options", "association handling")
_AGAIN: Final = Section("network options", "trying again")
_IDENTITY: Final = Section("network options", "user identity negotiation")
_NETWORK: Final = Section("network options", "other network options")
_TLS: Final = "transport layer security (TLS) options"
_TRANSPORT: Final = Section(_TLS, "transport protocol stack")
_PASSWORD: Final = Section(_TLS, "private key password")
_KEYS: Final = Section(_TLS, "key and certificate file format")
_AUTHORITY: Final = Section(_TLS, "certification authority")
_PROFILE: Final = Section(_TLS, "security profile")
_SUITE: Final = Section(_TLS, "ciphersuite")
_PEER: Final = Section(_TLS, "peer authentication")
_OUTPUT: Final = Section("output options", "general")
_REPORTS: Final = Section("output options", "further reports")
_PROGRESS: Final = Section("output options", "progress")

_LEVELS: Final = tuple(level.name.lower() for level in Level)
_LOG_FORMATS: Final = ("text", "json")
_LEVEL_OPTIONS: Final = ("--verbose", "--debug", "--quiet")
_LEVEL: Final = "log.level"
_WITH_KEY: Final = "--enable-tls"
SECURED: Final = f"{_WITH_KEY} or --anonymous-tls"
_RETIRED: Final = (
    "is not supported: that profile is retired, because it is not safe; use --profile-bcp195 for old peers"
)
_TITLE: Final = "title of at most 16 characters"

# fmt: off
OPTIONS: Final[tuple[Option, ...]] = (
    # general options
    Option(section=_GENERAL, short="-h", long="--help", request=True, help="show this text and exit"),
    Option(section=_GENERAL, long="--version", request=True, help="show the version and exit"),
    Option(
        section=_GENERAL,
        long="--list-decoders",
        request=True,
        help="show which transfer syntaxes can be sent or decoded, and exit",
    ),
    Option(section=_GENERAL, long="--arguments", help="log the arguments as they are after expansion"),
    Option(
        section=_GENERAL, short="-q", long="--quiet", block="level", sets=_LEVEL, value=Level.FATAL,
        help="log nothing but what ends the run",
    ),
    Option(
        section=_GENERAL, short="-v", long="--verbose", block="level", sets=_LEVEL, value=Level.INFO,
        help="log each step, and a summary at the end",
    ),
    Option(
        section=_GENERAL, short="-d", long="--debug", block="level", sets=_LEVEL, value=Level.DEBUG,
        help="log details for finding faults",
    ),
    Option(
        section=_GENERAL, short="-ll", long="--log-level", sets=_LEVEL, conflicts=(_LEVEL_OPTIONS,),
        argument=Argument(name="level", kind=Kind.CHOICE, choices=_LEVELS, convert=Level),
        help="log up to this level (default: warn)",
    ),
    Option(
        section=_GENERAL, short="-lc", long="--log-config", sets="log.config",
        argument=Argument(name="filename"), conflicts=(("--log-level",), _LEVEL_OPTIONS),
        help="set up the log from a file: DCMTK's or Python's kind",
    ),
    Option(
        section=_GENERAL, long="--log-format", sets="log.format", conflicts=(("--log-config",),),
        argument=Argument(
            name="format", kind=Kind.CHOICE, choices=_LOG_FORMATS, default="text", convert=_LOG_FORMATS.__getitem__
        ),
        help="how the log is written: lines for people, or events as JSON lines",
    ),
    Option(
        section=_GENERAL, short="+v", long="--verbose-pc", needs=VERBOSE_MODE, sets="run.verbose_contexts",
        help="log the presentation contexts too",
    ),
    # input options
    Option(
        section=_FORMAT, short="+f", long="--read-file", block="format", sets="scan.read_mode",
        value=ReadMode.FILE_OR_DATASET, help="DICOM files and bare data sets",
    ),
    Option(
        section=_FORMAT, short="+fo", long="--read-file-only", block="format", sets="scan.read_mode",
        value=ReadMode.FILE_ONLY, default=True, help="DICOM files only",
    ),
    Option(
        section=_FORMAT, short="-f", long="--read-dataset", block="format", sets="scan.read_mode",
        value=ReadMode.DATASET_ONLY, help="bare data sets only, without file meta information",
    ),
    Option(
        section=_FILES, short="+rd", long="--read-from-dicomdir", sets="scan.dicomdir",
        help="a DICOMDIR stands for the files that it lists",
    ),
    Option(
        section=_FILES, short="+sd", long="--scan-directories", sets="scan.directories",
        help="a folder stands for the files in it",
    ),
    Option(
        section=_FILES, short="+sp", long="--scan-pattern", needs="--scan-directories", sets="scan.pattern",
        argument=Argument(name="pattern"), help="take only files of this name from folders, * ? [] being wildcards",
    ),
    Option(
        section=_FILES, short="-r", long="--no-recurse", block="recurse", sets="scan.recurse", value=False,
        default=True, help="leave folders within folders alone",
    ),
    Option(
        section=_FILES, short="+r", long="--recurse", block="recurse", needs="--scan-directories",
        sets="scan.recurse", help="take folders within folders too",
    ),
    Option(
        section=_FILES, long="--scan-archives", sets="scan.archives",
        help="a zip or tar archive stands for the files in it",
    ),
    Option(
        section=_FILES, long="--files-from", sets="run.files_from", collects=True, argument=Argument(name="filename"),
        help="take names of files and folders from this file too, one in a line; - is standard input",
    ),
    Option(
        section=_FILES, short="-0", long="--null", needs="--files-from", sets="run.null_separated",
        help="NUL characters stand between those names, not line ends",
    ),
    Option(
        section=_FILES, long="--allow-external-references", sets="scan.external_references",
        help="follow entries of a DICOMDIR that lead out of its folder",
    ),
    Option(
        section=_FILES, long="--send-duplicates", sets="scan.send_duplicates",
        help="send a file as often as it is given",
    ),
    # processing options
    Option(
        section=_CONVERSION, short="-dn", long="--decompress-never", block="decompress",
        sets="conversion.decompression", value=Decompression.NEVER, help="never decompress compressed data sets",
    ),
    Option(
        section=_CONVERSION, short="+dls", long="--decompress-lossless", block="decompress",
        sets="conversion.decompression", value=Decompression.LOSSLESS, default=True,
        help="only decompress lossless compression, where the peer does not take it",
    ),
    Option(
        section=_CONVERSION, short="+dly", long="--decompress-lossy", block="decompress",
        sets="conversion.decompression", value=Decompression.LOSSY,
        help="decompress both lossy and lossless compression",
    ),
    Option(
        section=_DEFLATE, short="+cl", long="--compression-level", sets="conversion.compression_level",
        argument=Argument(name="level", kind=Kind.INTEGER, minimum=0, maximum=9, default="6"),
        help="from 0 (stored) over 1 (fast) to 9 (small), for what is deflated anew",
    ),
    Option(
        section=_PROCESSING, short="-nh", long="--no-halt", sets="policy.halt", value=False,
        help="go on after an invalid file, or an instance that could not be sent",
    ),
    Option(
        section=_PROCESSING, long="--scan-first", sets="policy.scan_first",
        help="look at all input before anything is sent",
    ),
    Option(
        section=_PROCESSING, short="-nip", long="--no-illegal-proposal", sets="policy.legal_proposals_only",
        help="propose nothing that leaves out the default transfer syntax where it is needed",
    ),
    Option(
        section=_PROCESSING, short="-nuc", long="--no-uid-checks", sets="scan.uid_checks", value=False,
        help="take the UIDs of files as they are",
    ),
    Option(
        section=_BEFORE, long="--dry-run", sets="run.dry_run",
        help="connect to nobody; show what would be proposed and sent, and what would not and why",
    ),
    Option(
        section=_BEFORE, long="--echo", sets="run.echo", conflicts=(("--dry-run",),),
        help="ask the peer with C-ECHO whether it is there; without files, do nothing else",
    ),
    Option(
        section=_BEFORE, long="--probe", sets="run.probe", conflicts=(("--dry-run",),),
        help="ask the peer which presentation contexts it accepts; show what would be converted or refused",
    ),
    # network options
    Option(
        section=_NAMED, long="--peer", sets="named.name", argument=Argument(name="name"),
        help="send to the peer of this name; the parameters peer and port are left out then",
    ),
    Option(
        section=_NAMED, long="--peers", needs="--peer", sets="named.file", argument=Argument(name="filename"),
        help="look its name up in this file, not in the user's peers.toml",
    ),
    Option(
        section=_INTERNET, short="-i4", long="--ipv4", block="address", sets="peer.family",
        value=AddressFamily.IPV4, default=True, help="use IPv4 addresses only",
    ),
    Option(
        section=_INTERNET, short="-i6", long="--ipv6", block="address", sets="peer.family",
        value=AddressFamily.IPV6, help="use IPv6 addresses only",
    ),
    Option(
        section=_INTERNET, short="-i0", long="--ip-auto", block="address", sets="peer.family",
        value=AddressFamily.ANY, help="use all addresses that the name has",
    ),
    Option(
        section=_TITLES, short="-aet", long="--aetitle", sets="peer.calling_ae",
        argument=Argument(name="aetitle", default="DCMSEND"), help=f"our own {_TITLE}",
    ),
    Option(
        section=_TITLES, short="-aec", long="--call", sets="peer.called_ae",
        argument=Argument(name="aetitle", default="ANY-SCP"), help=f"the peer's {_TITLE}",
    ),
    Option(
        section=_ASSOCIATION, short="+ma", long="--multi-associations", block="associations",
        sets="policy.multiple_associations", default=True, help="open as many associations as are needed, in turn",
    ),
    Option(
        section=_ASSOCIATION, short="-ma", long="--single-association", block="associations",
        sets="policy.multiple_associations", value=False, help="open one association and no more",
    ),
    Option(
        section=_ASSOCIATION, long="--associations", sets="limits.associations",
        argument=Argument(name="number", kind=Kind.INTEGER, minimum=1, maximum=MAX_ASSOCIATIONS, default="1"),
        conflicts=(("--single-association",),), help="how many associations may be open at once",
    ),
    Option(
        section=_AGAIN, long="--retries", sets="retries.count",
        argument=Argument(name="number", kind=Kind.INTEGER, minimum=0, maximum=MAX_RETRIES, default="0"),
        conflicts=(("--single-association",),),
        help="how often to try an instance or an association again after a failure that may pass",
    ),
    Option(
        section=_AGAIN, long="--retry-delay", sets="retries.delay", needs="--retries",
        argument=Argument(name="seconds", kind=Kind.INTEGER, minimum=0, maximum=MAX_RETRY_DELAY, default="1"),
        help="how long to wait before; twice as long after each further failure in a row, up to a minute",
    ),
    Option(
        section=_AGAIN, long="--journal", sets="journal.path", argument=Argument(name="filename"),
        conflicts=(("--send-duplicates",),),
        help="keep in this file what has become of each instance, and leave out what is stored already",
    ),
    Option(
        section=_AGAIN, long="--journal-any-peer", sets="journal.any_peer", needs="--journal",
        help="use the journal of another peer, which stands for the same archive",
    ),
    Option(
        section=_AGAIN, long="--journal-give-up", sets="journal.give_up", needs="--journal",
        help="give up what the journal has from earlier runs that is neither stored nor among the input",
    ),
    Option(
        section=_IDENTITY, short="-usr", long="--user", block=IDENTITY_BLOCK, sets="identity.user",
        argument=Argument(name="user name", secret=True), help="name of the user, which the peer is told",
    ),
    Option(
        section=_IDENTITY, short="-pwd", long="--password", block="password", needs="--user", sets="identity.password",
        argument=Argument(name="password", secret=True),
        help="password of the user; who may list processes sees it",
    ),
    Option(
        section=_IDENTITY, short="-epw", long="--empty-password", block="password", needs="--user",
        sets="identity.password", value="", conflicts=(("--password",),), help="an empty password",
    ),
    Option(
        section=_IDENTITY, long="--password-file", block="password", needs="--user", sets="identity.password_file",
        argument=Argument(name="filename"),
        help="take the password from the first line of a file, - being standard input",
    ),
    Option(
        section=_IDENTITY, short="-kt", long="--kerberos", block=IDENTITY_BLOCK, sets="identity.kerberos",
        argument=Argument(name="filename"), help="tell the peer the Kerberos ticket in a file",
    ),
    Option(
        section=_IDENTITY, long="--saml", block=IDENTITY_BLOCK, sets="identity.saml",
        argument=Argument(name="filename"), help="tell the peer the SAML assertion in a file",
    ),
    Option(
        section=_IDENTITY, long="--jwt", block=IDENTITY_BLOCK, sets="identity.jwt",
        argument=Argument(name="filename"), help="tell the peer the JSON web token in a file",
    ),
    Option(
        section=_IDENTITY, short="-rsp", long="--pos-response", needs=ANY_IDENTITY, sets="identity.positive_response",
        help="send nothing unless the peer confirms the identity",
    ),
    Option(
        section=_NETWORK, short="-to", long="--timeout", sets="timeouts.connect", argument=_timeout("unlimited"),
        help="limit for opening a connection",
    ),
    Option(
        section=_NETWORK, short="-ta", long="--acse-timeout", sets="timeouts.acse", argument=_timeout("30"),
        help="limit for the answer to opening or releasing an association",
    ),
    Option(
        section=_NETWORK, short="-td", long="--dimse-timeout", sets="timeouts.dimse", argument=_timeout("unlimited"),
        help="limit for the response to an instance",
    ),
    Option(
        section=_NETWORK, long="--socket-timeout", sets="timeouts.socket", argument=_timeout("60", minimum=0),
        help="limit for a connection that stalls in the middle of something; 0 is unlimited",
    ),
    Option(
        section=_NETWORK, short="-pdu", long="--max-pdu", sets="limits.max_receive_pdu",
        argument=_pdu_size(str(DEFAULT_PDU)), help="longest PDU that we take",
    ),
    Option(
        section=_NETWORK, long="--max-send-pdu", sets="limits.max_send_pdu", argument=_pdu_size(),
        help="longest PDU that we send, whatever the peer takes",
    ),
    Option(
        section=_NETWORK, long="--async-window", sets="limits.async_window",
        argument=Argument(name="number", kind=Kind.INTEGER, minimum=0, maximum=MAX_WINDOW, default="1"),
        help="how many instances may be sent before the response to the first; 0 is as many as the peer takes",
    ),
    Option(
        section=_NETWORK, long="--rate-limit", sets="limits.rate",
        argument=Argument(name="rate", kind=Kind.SIZE, minimum=MIN_RATE),
        help="most bytes per second, over all associations; k, M and G stand for zeros",
    ),
    # transport layer security (TLS) options
    Option(
        section=_TRANSPORT, short="-tls", long="--disable-tls", block="tls", sets="tls.enabled", value=False,
        default=True, help="send over a plain TCP connection",
    ),
    Option(
        section=_TRANSPORT, short="+tls", long="--enable-tls", block="tls", sets="tls.key tls.certificate",
        argument=Argument(name="private key file"), further=(Argument(name="certificate file"),),
        help="secure the connection, and show a certificate",
    ),
    Option(
        section=_TRANSPORT, short="+tla", long="--anonymous-tls", block="tls", sets="tls.enabled",
        help="secure the connection, and show no certificate",
    ),
    Option(
        section=_PASSWORD, short="+ps", long="--std-passwd", block="passwd", needs=_WITH_KEY, sets="tls.password",
        value=None, default=True, help="ask for the password of the private key, if it needs one",
    ),
    Option(
        section=_PASSWORD, short="+pw", long="--use-passwd", block="passwd", needs=_WITH_KEY, sets="tls.password",
        argument=Argument(name="password", secret=True), help="the private key's password",
    ),
    Option(
        section=_PASSWORD, short="-pw", long="--null-passwd", block="passwd", needs=_WITH_KEY, sets="tls.password",
        value="", help="the private key's password is empty",
    ),
    Option(
        section=_KEYS, short="-pem", long="--pem-keys", block="keys", needs=SECURED, sets="tls.file_format",
        value=KeyFormat.PEM, default=True, help="keys, certificates and revocation lists are in PEM",
    ),
    Option(
        section=_KEYS, short="-der", long="--der-keys", block="keys", needs=SECURED, sets="tls.file_format",
        value=KeyFormat.DER, help="they are in DER",
    ),
    Option(
        section=_AUTHORITY, short="+cf", long="--add-cert-file", needs=SECURED, sets="tls.ca_files", collects=True,
        argument=Argument(name="filename"), help="trust the certificates in this file, not those of the system",
    ),
    Option(
        section=_AUTHORITY, short="+cd", long="--add-cert-dir", needs=SECURED, sets="tls.ca_directories",
        collects=True, argument=Argument(name="directory"),
        help="trust the certificates in this folder, not those of the system",
    ),
    Option(
        section=_AUTHORITY, short="+crl", long="--add-crl-file", needs=SECURED, sets="tls.crl_files", collects=True,
        argument=Argument(name="filename"), help="a certificate revocation list; implies --enable-crl-vfy",
    ),
    Option(
        section=_AUTHORITY, short="+crv", long="--enable-crl-vfy", needs=SECURED, sets="tls.crl_check",
        value=CrlCheck.LEAF, help="look up the peer's certificate in revocation lists",
    ),
    Option(
        section=_AUTHORITY, short="+cra", long="--enable-crl-all", needs=SECURED, conflicts=(("--enable-crl-vfy",),),
        sets="tls.crl_check", value=CrlCheck.CHAIN, help="look up all certificates of its chain",
    ),
    Option(
        section=_PROFILE, short="+py", long="--profile-bcp195-nd", block="profile", needs=SECURED, sets="tls.profile",
        value=TlsProfile.BCP195_ND, default=True, help="Non-Downgrading BCP 195 TLS Profile",
    ),
    Option(
        section=_PROFILE, short="+px", long="--profile-bcp195", block="profile", needs=SECURED, sets="tls.profile",
        value=TlsProfile.BCP195, help="BCP 195 TLS Profile: older cipher suites too",
    ),
    Option(
        section=_PROFILE, short="+pz", long="--profile-bcp195-ex", block="profile", needs=SECURED, sets="tls.profile",
        value=TlsProfile.BCP195_EXTENDED, help="Extended BCP 195 TLS Profile: AES-GCM alone",
    ),
    Option(
        section=_PROFILE, short="+pa", long="--profile-aes", block="profile", needs=SECURED,
        refused=f"--profile-aes {_RETIRED}", help="refused: retired, and not safe",
    ),
    Option(
        section=_PROFILE, short="+pn", long="--profile-null", block="profile", needs=SECURED,
        refused="--profile-null is not supported: it does not encrypt, and is retired",
        help="refused: does not encrypt",
    ),
    Option(
        section=_SUITE, short="+cc", long="--list-ciphers", request=True,
        help="show which cipher suites may be proposed, and exit",
    ),
    Option(
        section=_SUITE, short="+cs", long="--cipher", needs=SECURED, conflicts=(("--profile-bcp195-ex",),),
        sets="tls.ciphers", collects=True, argument=Argument(name="ciphersuite name"),
        help="propose this cipher suite too",
    ),
    Option(
        section=_PEER, short="-rc", long="--require-peer-cert", block="peer", needs=SECURED, sets="tls.peer_check",
        value=PeerCheck.REQUIRE, default=True, help="the peer's certificate must be trusted, and for its name",
    ),
    Option(
        section=_PEER, short="-vc", long="--verify-peer-cert", block="peer", needs=SECURED, sets="tls.peer_check",
        value=PeerCheck.VERIFY, help="the same: every peer has to show one",
    ),
    Option(
        section=_PEER, short="-ic", long="--ignore-peer-cert", block="peer", needs=SECURED, sets="tls.peer_check",
        value=PeerCheck.IGNORE, help="anybody may be the peer",
    ),
    Option(
        section=_PEER, long="--tls-server-name", needs=SECURED, sets="tls.server_name",
        argument=Argument(name="name"), help="whom the peer's certificate must be for, if not for the host given",
    ),
    # output options
    Option(
        section=_OUTPUT, short="+crf", long="--create-report-file", sets="run.report_file",
        argument=Argument(name="filename"), help="write what became of each instance to a text file",
    ),
    Option(
        section=_OUTPUT, long="--dcmtk-exit-codes", sets="run.dcmtk_exit_codes",
        help="exit with 0, not 66 or 67, when not everything was stored",
    ),
    Option(
        section=_REPORTS, long="--report-json", sets="run.report_json", argument=Argument(name="filename"),
        help="write a report as one JSON object",
    ),
    Option(
        section=_REPORTS, long="--report-csv", sets="run.report_csv", argument=Argument(name="filename"),
        help="write a report as a table, a line for each instance",
    ),
    Option(
        section=_REPORTS, long="--report-html", sets="run.report_html", argument=Argument(name="filename"),
        help="write a report as a page for the browser",
    ),
    Option(
        section=_PROGRESS, long="--progress", block="progress", sets="run.progress",
        help="show how far the run is from its start on; where there is no terminal, now and then a line",
    ),
    Option(
        section=_PROGRESS, long="--no-progress", block="progress", sets="run.progress", value=False,
        help="never show it (without either: on a terminal, once a run takes longer than a second)",
    ),
)

# fmt: on

BY_NAME: Final[dict[str, Option]] = {name: option for option in OPTIONS for name in (option.short, option.long) if name}
