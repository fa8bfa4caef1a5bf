"""Names of members of archives: bytes of anybody's -> what is shown, and is the name of no other member."""

from __future__ import annotations


class Names:
    """The names of an archive in their order; the same ones come out for the same archive.

    What is kept of each is a number of 8 bytes and its place, some 70 bytes, so that there may be millions.
    """

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def __contains__(self, shown: str) -> bool:
        return hash(shown) in self._seen

    def unused(self, name: bytes) -> str:
        """A name as it is shown: of those that are the same, all but the first one with a number behind."""
        text = name.replace(b"\0", b"\\0").decode("utf-8", "surrogateescape")
        shown, further = text, 1
        while hash(shown) in self._seen:
            further += 1
            shown = f"{text} ({further})"
        self._seen.add(hash(shown))
        return shown
