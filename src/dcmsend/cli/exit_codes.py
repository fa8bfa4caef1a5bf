"""The exit codes: one table, and what a run as a whole amounts to. Nothing here exits."""

from __future__ import annotations

from dcmsend import errors
from dcmsend.cli.words import CommandLineError
from dcmsend.light import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class ExitCode(IntEnum):
    """DCMTK's numbers, and six of ours: 44, 66, 67, 70, 130 and 143."""

    DONE = 0  # the peer has all that was named
    COMMAND_LINE = 1
    NO_INPUT = 21
    INVALID_INPUT = 22
    NO_VALID_INPUT = 23
    REPORT = 43  # all that was taken on is stored, but the report could not be written
    JOURNAL = 44  # the list of instances could not be kept
    NETWORK = 60
    NEGOTIATION = 61
    TRANSFER = 62
    PROPOSAL = 65
    NOT_ALL_STORED = 66
    INPUT_LEFT_OUT = 67  # all that was taken on is stored, but something that was named was not taken on
    DEFECT = 70
    INTERRUPTED = 130
    TERMINATED = 143


# The nearest base class that stands here counts. Network errors end a run only while an association is negotiated:
# later ones are the outcome of an instance, or RunStopped.
EXIT_CODES: Final[dict[type[errors.DcmsendError], ExitCode]] = {
    CommandLineError: ExitCode.COMMAND_LINE,
    errors.ConfigurationError: ExitCode.COMMAND_LINE,
    errors.NoInputError: ExitCode.NO_INPUT,
    errors.InputError: ExitCode.INVALID_INPUT,
    errors.ListError: ExitCode.INVALID_INPUT,
    errors.InvalidInputError: ExitCode.INVALID_INPUT,
    errors.FileError: ExitCode.INVALID_INPUT,
    errors.NoValidInputError: ExitCode.NO_VALID_INPUT,
    errors.ReportError: ExitCode.REPORT,
    errors.JournalError: ExitCode.JOURNAL,
    errors.LocalProtocolError: ExitCode.NETWORK,
    errors.NetworkError: ExitCode.NEGOTIATION,
    errors.RunStopped: ExitCode.TRANSFER,
    errors.NoAcceptableContext: ExitCode.PROPOSAL,
    errors.NoProposal: ExitCode.PROPOSAL,
    errors.Interrupted: ExitCode.INTERRUPTED,
    errors.FailuresError: ExitCode.NOT_ALL_STORED,
    errors.DcmsendError: ExitCode.DEFECT,
}

# What DCMTK logs as an error; whatever else ends a run is fatal.
NOT_FATAL: Final = frozenset((ExitCode.REPORT, ExitCode.PROPOSAL))


def of_error(error: errors.DcmsendError) -> ExitCode:
    """The exit code of a run that ends with ``error``."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def of_run(
    error: errors.DcmsendError | None,
    *,
    all_stored: bool,
    all_taken: bool,
    report_error: errors.ReportError | None = None,
    dcmtk: bool = False,
) -> ExitCode:
    """The exit code of a run.

    What ended it early counts first, then whether all that was taken on is stored, then whether all that was named was
    taken on, then whether the reports were written. ``dcmtk``: the second and the third do not count.
    """
    if error is not None:
        return of_error(error)
    if not all_stored and not dcmtk:
        return ExitCode.NOT_ALL_STORED
    if not all_taken and not dcmtk:
        return ExitCode.INPUT_LEFT_OUT
    return ExitCode.DONE if report_error is None else of_error(report_error)
