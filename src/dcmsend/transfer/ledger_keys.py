"""One name for each file, whatever it is called: what a journal file knows files by.

``./s``, ``s``, ``../x/s`` and a link to it are the same file, and have the same name here: the path from the root of
the file system without links. Members of archives have that of the archive before their own name, which is nobody's
path and stays as it is. What the system says of folders is kept, so that a file costs one question.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_MOST_FOLDERS: Final = 4096  # that are kept


class Keys:
    """The names of files, as seen from the present folder. Raises ``OSError`` where that is gone."""

    def __init__(self) -> None:
        self._here = os.getcwd()
        self._folders: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Keys in {self._here}>"

    def of(self, path: str) -> str:
        """The name of a file, whether or not it is there."""
        folder, name = os.path.split(path)
        real = self._folders.get(folder)
        if real is None:
            if len(self._folders) >= _MOST_FOLDERS:
                self._folders.clear()
            real = self._folders[folder] = _without_links(os.path.join(self._here, folder))
        key = os.path.join(real, name)
        try:
            linked = stat.S_ISLNK(os.lstat(key).st_mode)
        except (OSError, ValueError):
            return key
        return os.path.realpath(key) if linked and os.path.exists(key) else key


def _without_links(folder: str) -> str:
    """A folder's path without links, as far as there is something at it: within an archive there is nothing."""
    if os.path.exists(folder):
        return os.path.realpath(folder)
    end, at = 0, folder.find("/", 1)
    while at > 0 and os.path.exists(folder[:at]):
        end, at = at, folder.find("/", at + 1)
    return os.path.join(os.path.realpath(folder[:end] or os.sep), folder[end:].lstrip("/"))
