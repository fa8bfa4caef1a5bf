"""The tables of pydicom read by themselves say what its functions say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydicom.datadict import (
    DicomDictionary,
    RepeatersDictionary,
    dictionary_VR,
    private_dictionaries,
    private_dictionary_VR,
)

from dcmsend.payload import pydicom_tables
from dcmsend.payload.pydicom_tables import load_tables


def asked(function: Callable[..., str], *arguments: Any) -> str:
    try:
        return function(*arguments)
    except KeyError:
        return "unknown"


def test_every_standard_attribute() -> None:
    standard = load_tables().standard
    repeating = [int(key.replace("x", digit), 16) for key in RepeatersDictionary for digit in "0248e"]
    unknown = [0x00081, 0x00280FFF, 0x60001FFF, 0x70000010]
    for tag in (*DicomDictionary, *repeating, *unknown):
        assert asked(standard, tag) == asked(dictionary_VR, tag), hex(tag)


def test_every_private_attribute() -> None:
    private = load_tables().private
    count = 0
    for creator, entries in private_dictionaries.items():
        for key in (*entries, "0011xxfe"):
            for block in ("10", "a0"):
                tag = int(key.replace("xxxx", "11" + block).replace("xx", block), 16)
                assert asked(private, tag, creator) == asked(private_dictionary_VR, tag, creator), (creator, key)
                count += 1
    assert count > 10_000
    assert asked(private, 0x00191008, "nobody") == "unknown"


def test_pydicom_is_not_imported() -> None:
    words = "from dcmsend.payload.dictionary import load_dictionary as l; import sys; d = l(); print(d.vr(0x00280010))"
    words += "; print({'pydicom', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["b'US'", "set()"]


@pytest.mark.parametrize("table", [{}, {"DicomDictionary": {}, "RepeatersDictionary": {}, "private_dictionaries": {}}])
def test_other_files_than_expected(table: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Then pydicom itself is asked."""

    class Other:
        def __init__(self) -> None:
            self.__dict__.update(table)

    monkeypatch.setattr(pydicom_tables, "_read", lambda name: Other())
    tables = load_tables()
    assert tables.standard is dictionary_VR
    assert tables.private(0x00191008, "SIEMENS MR HEADER") == "CS"
    assert asked(tables.private, 0x00191008, "nobody") == "unknown"


def test_private_attributes_are_read_when_they_are_needed() -> None:
    words = "from dcmsend.payload.pydicom_tables import _read, load_tables; import dcmsend.payload.pydicom_tables as t"
    words += "; names = []; t._read = lambda name: names.append(name) or _read(name); tables = load_tables()"
    words += (
        "; tables.standard(0x00080005); print(*names); tables.private(0x00191008, 'SIEMENS MR HEADER'); print(*names)"
    )
    run = subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True)
    assert run.stdout.splitlines() == ["_dicom_dict", "_dicom_dict _private_dict"]
