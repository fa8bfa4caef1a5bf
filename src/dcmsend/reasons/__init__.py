"""Why something was not done, as a value: a code and facts. Ground floor.

Whoever finds a reason names its code and what it knows; the words, what the user can do, and what counts as the same
reason stand in one table (``reasons.table``), which is loaded when somebody wants to show a reason. Nobody looks into
the words: decisions ask for the code.

>>> str(because("too_short_for_dicm", size=17))
'it has only 17 bytes: too short for a DICOM file'
"""

from __future__ import annotations

import errno

from dcmsend.light import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, TypeAlias

    from dcmsend.reasons.row import Kind

    Fact: TypeAlias = str | int

LONGEST_FACT: Final = 4096  # characters of a fact that are kept
_DEEPEST: Final = 4  # reasons within reasons


class Reason(Frozen):
    """Why something was not done. ``bool()`` says whether there is one; ``str()`` is one line for the user.

    ``facts`` are sorted by name. ``inner``: the reason behind this one, as of a frame behind that of its image.
    """

    code: str = ""
    facts: tuple[tuple[str, Fact], ...] = ()
    inner: Reason | None = None

    def __bool__(self) -> bool:
        return bool(self.code)

    def __str__(self) -> str:
        from dcmsend.reasons.table import words

        return words(self)

    def fact(self, name: str, default: Fact = "") -> Fact:
        """A fact by its name."""
        return next((value for key, value in self.facts if key == name), default)

    @property
    def innermost(self) -> Reason:
        """The reason behind all others."""
        reason = self
        while reason.inner is not None:
            reason = reason.inner
        return reason

    @property
    def kind(self) -> Kind:
        """What stood between an instance and its being stored."""
        from dcmsend.reasons.table import kind_of

        return kind_of(self)

    @property
    def no_dicom(self) -> bool:
        """Return True if this is why something is no DICOM file, rather than one that cannot be sent."""
        from dcmsend.reasons.row import Kind
        from dcmsend.reasons.table import kind_of

        return kind_of(self) is Kind.NO_DICOM

    @property
    def passes(self) -> bool:
        """Return True if another attempt may go well."""
        from dcmsend.reasons.table import may_pass

        return may_pass(self)

    def hint(self, names: Mapping[str, str] | None = None) -> str:
        """What the user can do, in a sentence or two.

        ``names`` says what the settings are called where it is shown; without, as in the library.
        """
        from dcmsend.reasons.table import hint

        return hint(self, names)


NONE: Final = Reason()


def because(code: str, inner: Reason | None = None, /, **facts: Fact) -> Reason:
    """The reason with this code and these facts, ``inner`` behind it. Text may be anybody's: it is cut, and escaped
    when it is shown.
    """
    return Reason(code, tuple(sorted((name, _bounded(fact)) for name, fact in facts.items())), inner)


def _bounded(fact: Fact) -> Fact:
    return fact[:LONGEST_FACT] if isinstance(fact, str) else fact


# --- what the system says

# Anything else is "system".
_CODES: Final = {
    errno.ENOENT: "not_found",
    errno.ENOTDIR: "not_found",
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
    errno.EIO: "read_error",
    errno.ESTALE: "read_error",
    errno.EMFILE: "too_many_open_files",
    errno.ENFILE: "too_many_open_files",
    errno.ENOSPC: "no_room",
    errno.EDQUOT: "no_room",
    errno.ENAMETOOLONG: "name_too_long",
    errno.ELOOP: "link_loop",
    errno.ENOMEM: "no_memory",
}


def of_system(error: OSError | MemoryError) -> Reason:
    """What an error of the system means, in its own words."""
    if isinstance(error, MemoryError):  # it has none
        return because("no_memory", words="Cannot allocate memory")
    return because(_CODES.get(error.errno or 0, "system"), words=error.strerror or str(error))


# --- as text, for a database

PACKED_NONE: Final = ""


def pack(reason: Reason) -> str:
    """A reason as JSON: ``[code, {fact: value}, inner]``; nothing where there is none."""
    if not reason:
        return PACKED_NONE
    from json import dumps

    return dumps(_listed(reason), ensure_ascii=True, separators=(",", ":"))


def unpack(text: str) -> Reason:
    """The reason that ``pack`` has written. Text that it has not written is a reason of the code ``said``."""
    if not text:
        return NONE
    from json import loads

    try:
        return _read(loads(text), _DEEPEST)
    except (ValueError, TypeError, RecursionError):
        return because("said", words=text)


def _listed(reason: Reason) -> list[object]:
    listed: list[object] = [reason.code]
    if reason.facts or reason.inner:
        listed.append(dict(reason.facts))
    if reason.inner:
        listed.append(_listed(reason.inner))
    return listed


def _read(listed: object, depth: int) -> Reason:
    if not isinstance(listed, list) or not depth or not 1 <= len(listed) <= 3:
        raise ValueError("not a reason")
    code, facts, inner = (*listed, {}, None)[:3] if len(listed) == 1 else (*listed, None)[:3]
    if not isinstance(code, str) or not isinstance(facts, dict):
        raise ValueError("not a reason")
    if not all(isinstance(fact, str | int) for fact in facts.values()):
        raise ValueError("not a reason")
    from dcmsend.reasons.table import TABLE

    if code not in TABLE:
        raise ValueError("a reason of another version")
    return because(code, None if inner is None else _read(inner, depth - 1), **facts)
