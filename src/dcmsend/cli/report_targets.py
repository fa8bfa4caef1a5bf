"""Where reports may go: looked at before anything is sent, because a name that was forgotten makes an input a target.

Knows which files the command line names for what; what a file is by itself is known elsewhere (``files.own_files``).
Loaded where a report is wanted.
"""

from __future__ import annotations

import os

from dcmsend.errors import ConfigurationError
from dcmsend.light import NamedTuple
from dcmsend.reasons import because
from dcmsend.report.file import objection, own_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from dcmsend.cli.grammar import Arguments
    from dcmsend.reasons import Reason

_DESCRIPTORS: Final = "/dev/fd"


class _Named(NamedTuple):
    """A file that the command line names, and the option that does."""

    path: str
    option: str


def require_good_targets(arguments: Arguments) -> None:
    """Raises ConfigurationError where a report must not, or cannot, go where it is wanted.

    It must not go where something is read from (inputs, lists, keys) or something else goes (another report, journal,
    log), nor over a DICOM file or a journal, whoever named it.
    """
    targets = tuple(_targets(arguments))
    for at, target in enumerate(targets):
        reason = _taken(target.path, arguments, targets[:at]) or objection(target.path)
        if reason is not None:
            raise ConfigurationError(because("report_refused", reason, path=target.path, option=target.option))


def _targets(arguments: Arguments) -> Iterator[_Named]:
    """The reports that are wanted, one after the other."""
    wanted = (
        _Named(arguments.report_file, "--create-report-file"),
        _Named(arguments.report_json, "--report-json"),
        _Named(arguments.report_csv, "--report-csv"),
        _Named(arguments.report_html, "--report-html"),
    )
    return (one for one in wanted if one.path)


def _taken(path: str, arguments: Arguments, others: tuple[_Named, ...]) -> Reason | None:
    """Why the file is for something else, or ``None``. What is no plain file (a terminal, a pipe) may be shared."""
    if (os.path.exists(path) and not os.path.isfile(path)) or own_output(path) is not None:
        return None
    if any(_same(path, name) for name in arguments.files):
        return because("report_over_input")
    for other in (*others, *_written(arguments)):
        if _same(path, other.path):
            return because("report_over_target", other=other.option)
    for other in _read(arguments):
        if _same(path, other.path):
            return because("report_over_source", other=other.option)
    return because("report_over_log") if _is_open(path) else None


def _written(arguments: Arguments) -> Iterator[_Named]:
    """The journal, and what is kept beside it."""
    if arguments.journal is not None:
        for suffix in ("", "-lock", "-wal", "-shm"):
            yield _Named(arguments.journal.path + suffix, "--journal")


def _read(arguments: Arguments) -> Iterator[_Named]:
    """What is read and is no input."""
    yield from (_Named(path, "--files-from") for path in arguments.files_from)
    yield _Named(arguments.log.config or "", "--log-config")
    login, tls = arguments.login, arguments.peer.tls
    if login is not None:
        yield _Named(login.password_file or "", "--password-file")
        yield _Named(login.kerberos or "", "--kerberos")
        yield _Named(login.saml or "", "--saml")
        yield _Named(login.jwt or "", "--jwt")
    if tls is not None:
        yield _Named(tls.key, "--enable-tls")
        yield _Named(tls.certificate, "--enable-tls")
        yield from (_Named(path, "--add-cert-file") for path in tls.ca_files)
        yield from (_Named(path, "--add-crl-file") for path in tls.crl_files)


def _same(path: str, other: str) -> bool:
    """Whether two names are those of one file, be it there or not."""
    if not other:
        return False
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):  # one of the two is not there
        pass
    try:
        return os.path.realpath(path) == os.path.realpath(other)
    except (OSError, ValueError):
        return False


def _is_open(path: str) -> bool:
    """Whether we have this file open already: for a log, since nothing else is open yet."""
    try:
        target = os.stat(path)
        names = os.listdir(_DESCRIPTORS)
    except (OSError, ValueError):
        return False
    return any(_is_descriptor_of(name, target) for name in names)


def _is_descriptor_of(name: str, target: os.stat_result) -> bool:
    try:
        return int(name) > 2 and os.path.samestat(os.fstat(int(name)), target)
    except (OSError, ValueError):
        return False
