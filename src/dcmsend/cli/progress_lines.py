"""How far a run is, in words: numbers in, lines out. Pure; what is shown in which colour is decided by its kind.

Every line fits its width. What finds no room is left out, the least important first.
"""

from __future__ import annotations

from dcmsend.light import Frozen, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from dcmsend.progress import Standing

_GAP: Final = "  "
_LOOKING: Final = "looking at the input"
_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_BAR: Final = 40  # how long the bar may be
_LONG: Final = 10_000_000  # bytes of an instance of which it is worth telling how much has left
_SHORTEST_PATH: Final = 16
_LONGEST_LEFT: Final = len("1 min 35 s left")
_MANY: Final = 10_000  # instances of which one in a thousand matters
_MUCH: Final = 100_000_000_000  # bytes


class Part(NamedTuple):
    """Some words of a line. ``kind``: bar, rest, share, number, plain, bad, odd or faint."""

    kind: str
    text: str


class Glyphs(Frozen, kw_only=True):
    """What bars are made of: done, half a cell done, not done; and what stands for what was cut off."""

    done: str
    half: str
    rest: str
    cut: str


UNICODE: Final = Glyphs(done="\u2501", half="\u2578", rest="\u2500", cut="\u2026")
ASCII: Final = Glyphs(done="#", half="", rest=".", cut="...")

# The steps by which a line becomes shorter until it fits.
_STEPS: Final = (
    "known",
    "bar 30",
    "left out",
    "bar 20",
    "associations",
    "size",
    "bar 12",
    "instances",
    "bar 8",
    "postponed",
    "bar 0",
    "rate",
    "idle",
    "left",
    "share",
    "failed",
)


def count(number: int) -> str:
    return f"{number:,}"


def size(number: float) -> str:
    """Bytes with three digits: ``812 GB``, ``1.31 TB``."""
    power = _power(number)
    return f"{_scaled(number, power)} {_UNITS[power]}"


def duration(seconds: float) -> str:
    """Seconds in at most two units: ``40 s``, ``5 min``, ``2 h 13 min``, ``3 d 4 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    hours = round(seconds / 3600)
    return f"{count(hours // 24)} d {hours % 24} h"


def overview(standing: Standing, width: int, glyphs: Glyphs) -> list[Part]:
    """The line for the whole run, of at most ``width`` characters."""
    if _begins(standing):
        return _cut([Part("plain", _LOOKING), *(part for _, part in _refusals(standing))], width)
    fields = _fields(standing)
    bar = _BAR if standing.scanned else 0
    for step in _STEPS:
        if _room(fields, bar) <= width:
            break
        if step.startswith("bar"):
            bar = min(bar, int(step[4:]))
        elif step == "instances":
            fields = [(name, Part(part.kind, part.text.removesuffix(" instances"))) for name, part in fields]
        else:
            fields = [(name, part) for name, part in fields if name != step]
    parts_left = [part for _, part in fields if part.text]
    return _cut(parts_left, width) if not bar else [*_bar(standing.fraction, bar, glyphs), *_spaced(parts_left)]


def _room(fields: list[tuple[str, Part]], bar: int) -> int:
    """Cells that all of it takes, or may take in a moment: the bar shall not change its length with the time left."""
    if not bar:
        return _length(part for _, part in fields if part.text)
    parts = (Part("", part.text.ljust(_LONGEST_LEFT)) if name == "left" else part for name, part in fields)
    return bar + len(_GAP) + _length(parts)


def _begins(standing: Standing) -> bool:
    """Whether nothing is known yet of what there is to do."""
    return not standing.found and not standing.scanned


def _fields(standing: Standing) -> list[tuple[str, Part]]:
    """What the line for the whole run has behind its bar, by name."""
    more = "" if standing.scanned else "+"
    found = count(standing.found)
    fields = [
        ("share", Part("share", _share(standing))),
        ("instances", Part("number", f"{count(standing.done):>{len(found)}} of {found}{more} instances")),
        ("size", Part("plain", _of(standing.done_size, standing.size, more))),
        ("rate", Part("plain", f"{size(standing.rate):>7}/s")),
    ]
    if not standing.scanned:
        del fields[0]
    if not standing.size:
        fields = [(name, part) for name, part in fields if name != "size"]
    if standing.scanned and standing.done < standing.found:
        words = "" if standing.left is None else f"{duration(standing.left)} left"
        fields.append(("left", Part("number", words)))
    if len(standing.associations) != 1 and not (standing.scanned and standing.done >= standing.found):
        number = len(standing.associations)
        if number:
            fields.append(("associations", Part("plain", f"{number} associations")))
        else:
            fields.append(("idle", Part("odd", "no association")))
    if standing.failed:
        fields.append(("failed", Part("bad", f"{count(standing.failed)} not stored")))
    if standing.postponed:
        fields.append(("postponed", Part("odd", f"{count(standing.postponed)} to be tried again")))
    fields += _refusals(standing)
    if standing.known:
        fields.append(("known", Part("faint", f"{count(standing.known)} by earlier runs")))
    return fields


def _share(standing: Standing) -> str:
    """Per cent, of a long run with a digit more. Nothing is rounded up to 100."""
    tenths = int(standing.fraction * 1000)
    if standing.found >= _MANY or standing.size >= _MUCH:
        return f"{tenths // 10:3}.{tenths % 10} %"
    return f"{tenths // 10:3} %"


def _refusals(standing: Standing) -> list[tuple[str, Part]]:
    number = standing.left_out
    return [("left out", Part("odd", f"{count(number)} left out"))] if number else []


def details(standing: Standing, width: int, most: int, glyphs: Glyphs) -> list[list[Part]]:
    """A line for each association, at most so many lines. ``path`` of an instance is shown from its end."""
    shown = standing.associations
    if len(shown) > most:
        shown = shown[: max(0, most - 1)]
    lines = []
    for one in shown:
        answered = f"{count(one.answered):>{len(count(standing.found))}} sent"
        parts = [Part("faint", f"#{one.association:<3}"), Part("plain", answered)]
        if not one.path:
            parts.append(Part("faint", "waiting"))
        elif one.length >= _LONG:
            parts.append(Part("share", f"{100 * one.sent // one.length:3} % of {size(one.length)}"))
        else:
            parts.append(Part("plain", f"{size(one.length):>7}"))
        while len(parts) > 1 and one.path and width - _length(parts) - len(_GAP) < _SHORTEST_PATH:
            del parts[1]
        room = width - _length(parts) - len(_GAP)
        path = [Part("plain", _tail(one.path, room, glyphs.cut))] if one.path and room > len(glyphs.cut) else []
        lines.append(_cut([*parts, *path], width))
    left = len(standing.associations) - len(shown)
    return [*lines, _cut([Part("faint", f"and {left} more")], width)] if left and most > 0 else lines


def sentence(standing: Standing) -> str:
    """How far it is, where there is no bar."""
    if _begins(standing):
        return ", ".join([_LOOKING, *(part.text for _, part in _refusals(standing))])
    return ", ".join(part.text.strip() for _, part in _fields(standing) if part.text)


def result(standing: Standing) -> str:
    """How it has ended."""
    seconds = standing.elapsed
    speed = f" ({size(standing.sent / seconds)}/s)" if seconds > 0 and standing.sent else ""
    words = [
        f"{count(standing.stored)} of {count(standing.found)} instances stored",
        f"{size(standing.sent)} sent in {f'{seconds:.1f} s' if seconds < 10 else duration(seconds)}{speed}",
    ]
    untried = standing.found - standing.done
    for number, text in (
        (standing.failed, "not stored"),
        (untried, "not tried"),
        (standing.known, "by earlier runs"),
    ):
        if number > 0:
            words.append(f"{count(number)} {text}")
    return ", ".join([*words, *(part.text for _, part in _refusals(standing))])


def _bar(fraction: float, width: int, glyphs: Glyphs) -> list[Part]:
    """A bar of ``width`` cells; half a cell is shown where there is a glyph for it."""
    halves = int(fraction * width * 2)
    done = glyphs.done * (halves // 2) + (glyphs.half if halves % 2 else "")
    return [Part("bar", done), Part("rest", glyphs.rest * (width - len(done))), Part("plain", _GAP)]


def _spaced(parts: Iterable[Part]) -> list[Part]:
    gap = Part("plain", _GAP)
    return [piece for part in parts for piece in (gap, part)][1:]


def _cut(parts: Iterable[Part], width: int) -> list[Part]:
    """The parts with gaps between them, and no more than fits."""
    kept: list[Part] = []
    for part in _spaced(parts):
        room = width - sum(len(each.text) for each in kept)
        kept.append(Part(part.kind, part.text[: max(0, room)]))
    return kept


def _length(parts: Iterable[Part]) -> int:
    lengths = [len(part.text) for part in parts]
    return sum(lengths) + len(_GAP) * max(0, len(lengths) - 1)


def _tail(text: str, room: int, cut: str) -> str:
    return text if len(text) <= room else cut + text[len(cut) - room :]


def _power(number: float) -> int:
    """Which unit it is that three digits are told in."""
    power = 0
    while round(number) >= 1000 and power < len(_UNITS) - 1:
        number /= 1000
        power += 1
    return power


def _scaled(number: float, power: int) -> str:
    scaled = number / 1000**power
    digits = 0 if power == 0 or scaled >= 99.95 else 1 if scaled >= 9.995 else 2
    return f"{scaled:,.{digits}f}"


def _of(done: int, whole: int, more: str) -> str:
    """``812 GB of 1.31 TB``, ``81.2 of 131 GB``."""
    power = _power(whole)
    shown = _scaled(done, power) if power == _power(done) else size(done)
    return f"{shown} of {_scaled(whole, power)}{more} {_UNITS[power]}"
