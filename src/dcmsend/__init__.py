"""Send DICOM instances to a storage SCP with C-STORE: fast, and truthful about every one of them.

``send``, ``sending``, ``echo``, ``dry_run`` and ``probe`` are the whole tool as functions; the rest are the values that
go in and come out. Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dcmsend.api import Report, echo, send
    from dcmsend.errors import DcmsendError, FailuresError
    from dcmsend.events import (
        AssociationAccepted,
        AssociationEnded,
        AssociationRequested,
        Context,
        Event,
        InstanceFinished,
        InstanceKnown,
        InstancePostponed,
        InstanceStarted,
        ScanFinished,
        ScanStarted,
    )
    from dcmsend.forecast import Forecast
    from dcmsend.meter import Meter
    from dcmsend.model import (
        AddressFamily,
        Conversion,
        Decompression,
        Instance,
        JournalFile,
        Limits,
        Notice,
        Outcome,
        Peer,
        Policy,
        ReadMode,
        Refusal,
        Retries,
        ScanOptions,
        State,
        StatusClass,
        Timeouts,
        Totals,
        status_class,
        status_text,
    )
    from dcmsend.rehearsal import dry_run, probe
    from dcmsend.running import Run, sending
    from dcmsend.security import CrlCheck, Identity, IdentityKind, KeyFormat, PeerCheck, Tls, TlsProfile
    from dcmsend.source import Source
    from dcmsend.stop import Stop
    from dcmsend.version import __version__

__all__ = [
    "AddressFamily",
    "AssociationAccepted",
    "AssociationEnded",
    "AssociationRequested",
    "Context",
    "Conversion",
    "CrlCheck",
    "DcmsendError",
    "Decompression",
    "Event",
    "FailuresError",
    "Forecast",
    "Identity",
    "IdentityKind",
    "Instance",
    "InstanceFinished",
    "InstanceKnown",
    "InstancePostponed",
    "InstanceStarted",
    "JournalFile",
    "KeyFormat",
    "Limits",
    "Meter",
    "Notice",
    "Outcome",
    "Peer",
    "PeerCheck",
    "Policy",
    "ReadMode",
    "Refusal",
    "Report",
    "Retries",
    "Run",
    "ScanFinished",
    "ScanOptions",
    "ScanStarted",
    "Source",
    "State",
    "StatusClass",
    "Stop",
    "Timeouts",
    "Tls",
    "TlsProfile",
    "Totals",
    "__version__",
    "dry_run",
    "echo",
    "probe",
    "send",
    "sending",
    "status_class",
    "status_text",
]

_HOMES = {
    "Report": "api",
    "echo": "api",
    "send": "api",
    "DcmsendError": "errors",
    "Forecast": "forecast",
    "dry_run": "rehearsal",
    "probe": "rehearsal",
    "FailuresError": "errors",
    "AssociationAccepted": "events",
    "AssociationEnded": "events",
    "AssociationRequested": "events",
    "Context": "events",
    "Event": "events",
    "InstanceFinished": "events",
    "InstanceKnown": "events",
    "InstancePostponed": "events",
    "InstanceStarted": "events",
    "ScanFinished": "events",
    "ScanStarted": "events",
    "Run": "running",
    "sending": "running",
    "Source": "source",
    "CrlCheck": "security",
    "Identity": "security",
    "IdentityKind": "security",
    "KeyFormat": "security",
    "Meter": "meter",
    "PeerCheck": "security",
    "Stop": "stop",
    "Tls": "security",
    "TlsProfile": "security",
    "__version__": "version",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'dcmsend' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"dcmsend.{_HOMES.get(name, 'model')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
