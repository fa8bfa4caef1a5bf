"""A run leaves nothing to the garbage collector: not what it sent, nor what it knew, however it went.

What hangs on a reference cycle stays for nobody knows how long, and a run may be one of many in a long process. Each
case is a run of its own kind, twice; with the collector off, nothing of the second is left.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

import dcmsend
from dcmsend import (
    Conversion,
    Decompression,
    JournalFile,
    Limits,
    Peer,
    Policy,
    Retries,
    ScanOptions,
    Stop,
    Timeouts,
)
from dcmsend.errors import NetworkError
from tests.support import pdus
from tests.support.builder import part10
from tests.support.cycles import assert_no_cycles
from tests.support.scripted import (
    ScriptedPeer,
    Step,
    accept,
    close,
    drain,
    expect_message,
    reject,
    release,
    reset,
    respond,
    send,
    store,
)

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
RLE: Final = "1.2.840.10008.1.2.5"
GO_ON: Final = Policy(halt=False)
TIMES: Final = Timeouts(connect=10, acse=10, dimse=10, socket=10)
SCANNED: Final = ScanOptions(directories=True, recurse=True)
