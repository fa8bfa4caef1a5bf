"""pydicom's data dictionaries without pydicom: its two files of tables are read, its package is not imported.

The import of the package takes 0.3 s and brings numpy along, the tables 0.02 s (PS3.6; private ones from GDCM). Where
the files are not what we know, pydicom's own functions are taken instead.
"""

from __future__ import annotations

import os
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Tables(NamedTuple):
    """The VR of a standard attribute, and of a private one of a creator, in pydicom's words. Both raise KeyError."""

    standard: Callable[[int], str]
    private: Callable[[int, str], str]


def load_tables() -> Tables:
    """pydicom's dictionaries. Raises ImportError where there is no pydicom."""
    try:
        standard, private = _read("_dicom_dict"), _read("_private_dict")
        return _tables(standard.DicomDictionary, standard.RepeatersDictionary, private.private_dictionaries)
    except (ImportError, OSError, AttributeError, KeyError, TypeError, ValueError):
        from pydicom.datadict import dictionary_VR, private_dictionary_VR

        return Tables(dictionary_VR, private_dictionary_VR)


def _read(name: str) -> Any:
    """A module of pydicom by itself."""
    package = find_spec("pydicom")
    if package is None or not package.submodule_search_locations:
        raise ImportError("pydicom is not installed")
    path = os.path.join(package.submodule_search_locations[0], f"{name}.py")
    spec = spec_from_file_location(f"dcmsend.payload.{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"pydicom has no {name}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tables(
    standard: dict[int, tuple[str, ...]],
    repeating: dict[str, tuple[str, ...]],
    private: dict[str, dict[str, tuple[str, ...]]],
) -> Tables:
    masks = [(int(key.replace("x", "0"), 16), _mask(key), entry[0]) for key, entry in repeating.items()]
    if not all(isinstance(entry[0], str) for entry in (standard[0x00080005], private["SIEMENS MR HEADER"]["0019xx08"])):
        raise ValueError("an entry does not begin with its VR")

    def standard_vr(tag: int) -> str:
        entry = standard.get(tag)
        if entry is not None:
            return entry[0]
        for value, mask, vr in masks:
            if tag & mask == value:
                return vr
        raise KeyError(tag)

    def private_vr(tag: int, creator: str) -> str:
        entries = private[creator]
        digits = f"{tag:08X}"
        for key in (digits, f"{digits[:4]}xx{digits[6:]}", f"{digits[:2]}xxxx{digits[6:]}"):
            if key in entries:
                return entries[key][0]
        raise KeyError(tag)

    return Tables(standard_vr, private_vr)


def _mask(key: str) -> int:
    """The digits of a repeating group's tag that count."""
    return int("".join("0" if digit == "x" else "f" for digit in key), 16)
