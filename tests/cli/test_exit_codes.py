"""The exit codes: DCMTK's numbers, and 44, 66, 67, 70, 130 and 143."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import dcmsend.cli.words
from dcmsend import errors
from dcmsend.cli.exit_codes import EXIT_CODES, ExitCode, of_error, of_run

EXPECTED: dict[type[errors.DcmsendError], int] = {
    dcmsend.cli.words.CommandLineError: 1,
    errors.ConfigurationError: 1,
    errors.InputError: 22,
    errors.NoInputError: 21,
    errors.ListError: 22,
    errors.InvalidInputError: 22,
    errors.NoValidInputError: 23,
    errors.FileError: 22,
    errors.NetworkError: 61,
    errors.NameResolutionError: 61,
    errors.ConnectError: 61,
    errors.NegotiationError: 61,
    errors.AssociationRejected: 61,
    errors.AssociationAborted: 61,
    errors.ReleaseRequested: 61,
    errors.ConnectionLost: 61,
    errors.TlsError: 61,
    errors.PeerTimeout: 61,
    errors.RemoteProtocolError: 61,
    errors.LocalProtocolError: 60,
    errors.RunStopped: 62,
    errors.NoAcceptableContext: 65,
    errors.NoProposal: 65,
    errors.Interrupted: 130,
    errors.JournalError: 44,
    errors.ReportError: 43,
    errors.FailuresError: 66,
}


def _tree(kind: type[errors.DcmsendError]) -> Iterator[type[errors.DcmsendError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _tree(below)


def _made(kind: type[errors.DcmsendError]) -> errors.DcmsendError:
    error = kind.__new__(kind)
    errors.DcmsendError.__init__(error, "broken")
    return error


def test_the_whole_tree_is_expected() -> None:
    ours = {kind for kind in _tree(errors.DcmsendError) if kind.__module__ in ("dcmsend.errors", "dcmsend.cli.words")}
    assert ours == set(EXPECTED)
    assert set(EXIT_CODES) <= ours | {errors.DcmsendError}


@pytest.mark.parametrize(("kind", "code"), EXPECTED.items(), ids=[kind.__name__ for kind in EXPECTED])
def test_error(kind: type[errors.DcmsendError], code: int) -> None:
    assert of_error(_made(kind)) == code


def test_error_of_no_known_kind_is_a_defect() -> None:
    assert of_error(errors.DcmsendError("?")) is ExitCode.DEFECT


STOPPED = errors.RunStopped("stopped")
UNWRITTEN = errors.ReportError("full")


@pytest.mark.parametrize(
    ("error", "all_stored", "all_taken", "report_error", "code", "dcmtk"),
    [
        (None, True, True, None, 0, 0),
        (None, True, True, UNWRITTEN, 43, 43),
        (None, True, False, None, 67, 0),
        (None, True, False, UNWRITTEN, 67, 43),
        (None, False, True, None, 66, 0),
        (None, False, False, None, 66, 0),
        (None, False, False, UNWRITTEN, 66, 43),
        (STOPPED, False, False, UNWRITTEN, 62, 62),
        (STOPPED, False, True, None, 62, 62),
        (STOPPED, True, True, None, 62, 62),
    ],
)
def test_run(
    error: errors.DcmsendError | None,
    all_stored: bool,
    all_taken: bool,
    report_error: errors.ReportError | None,
    code: int,
    dcmtk: int,
) -> None:
    """``dcmtk``: the code that it is with DCMTK's exit codes."""
    found = [
        of_run(error, all_stored=all_stored, all_taken=all_taken, report_error=report_error, dcmtk=as_dcmtk)
        for as_dcmtk in (False, True)
    ]
    assert found == [code, dcmtk]
