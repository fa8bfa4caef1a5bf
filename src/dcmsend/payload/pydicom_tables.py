"""pydicom's data dictionaries without pydicom: its two files of tables are read, its package is not imported.

The import of the package takes 0.3 s and brings numpy along, that of the tables 0.02 s (PS3.6; private ones from
GDCM), and the private ones are read when they are first needed. Where a file is not what we know, pydicom's own
function is taken instead.
"""

from __future__ import annotations

import os
from importlib.util import find_spec, module_from_spec, spec_from_file_location

from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

# What a file raises that is not there, or is not what we know.
_STRANGE: Final = (ImportError, OSError, AttributeError, KeyError, TypeError, ValueError)


class Tables(NamedTuple):
    """The VR of a standard attribute, and of a private one of a creator, in pydicom's words. Both raise KeyError.

    A creator is found whatever its case, where none is written just so.
    """

    standard: Callable[[int], str]
    private: Callable[[int, str], str]


def load_tables() -> Tables:
    """pydicom's dictionaries. Raises ImportError where there is no pydicom."""
    try:
        module = _read("_dicom_dict")
        standard = _standard(module.DicomDictionary, module.RepeatersDictionary)
    except _STRANGE:
        from pydicom.datadict import dictionary_VR

        standard = dictionary_VR
    return Tables(standard, _Private())


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


def _standard(entries: dict[int, tuple[str, ...]], repeating: dict[str, tuple[str, ...]]) -> Callable[[int], str]:
    masks = [(int(key.replace("x", "0"), 16), _mask(key), entry[0]) for key, entry in repeating.items()]
    if entries[0x00080005][0] != "CS":
        raise ValueError("an entry does not begin with its VR")

    def standard_vr(tag: int) -> str:
        entry = entries.get(tag)
        if entry is not None:
            return entry[0]
        for value, mask, vr in masks:
            if tag & mask == value:
                return vr
        raise KeyError(tag)

    return standard_vr


def _mask(key: str) -> int:
    """The digits of a repeating group's tag that count."""
    return int("".join("0" if digit == "x" else "f" for digit in key), 16)


class _Private:
    """Looks private attributes up; reads their table the first time. May be called from several threads."""

    def __init__(self) -> None:
        self._look_up: Callable[[int, str], str] | None = None

    def __call__(self, tag: int, creator: str) -> str:
        look_up = self._look_up
        if look_up is None:
            look_up = self._look_up = _private()
        return look_up(tag, creator)


def _private() -> Callable[[int, str], str]:
    try:
        entries: dict[str, dict[str, tuple[str, ...]]] = _read("_private_dict").private_dictionaries
        if entries["SIEMENS MR HEADER"]["0019xx08"][0] != "CS":
            raise ValueError("an entry does not begin with its VR")
    except _STRANGE:
        from pydicom.datadict import private_dictionary_VR

        return lambda tag, creator: str(private_dictionary_VR(tag, creator))

    whatever_case: dict[str, list[str]] = {}
    for name in entries:
        whatever_case.setdefault(name.upper(), []).append(name)

    def private_vr(tag: int, creator: str) -> str:
        digits = f"{tag:08X}"
        keys = (digits, f"{digits[:4]}xx{digits[6:]}", f"{digits[:2]}xxxx{digits[6:]}")
        for name in (creator, *whatever_case.get(creator.upper(), ())):
            of_creator = entries.get(name, {})
            for key in keys:
                if key in of_creator:
                    return of_creator[key][0]
        raise KeyError(tag)

    return private_vr
