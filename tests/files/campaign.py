"""Damaged files and DICOMDIRs through scan and structural check: the cases of ``tests.support.campaign``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from dcmsend.errors import FileError
from dcmsend.files.scan import scan
from dcmsend.model import Conversion, Instance, Notice, ReadMode, Refusal, ScanOptions
from dcmsend.payload.opening import PayloadOpener
from tests.payload.campaign import give_out, one_line
from tests.support import mutate
from tests.support.directories import DIRECTORY_MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY: Final = 200 << 20  # bytes, of which the interpreter and all modules take 50 MB
DATA: Final = Path(__file__).parents[1] / "data"
FILES: Final = {path: path.read_bytes() for folder in ("samples", "odd") for path in sorted((DATA / folder).iterdir())}
DIRECTORIES: Final = {path: path.read_bytes() for path in sorted((DATA / "dicomdir").glob("DICOMDIR*"))}
LARGE: Final = 100_000  # bytes; of files above it only every eighth turn is taken
CASE: Final = "case.dcm"


def prepare(folder: Path) -> Callable[[int], list[str]]:
    """A file-set with snares in it, and a place for single files."""
    path, file_set = folder / CASE, folder / "set"
    shutil.copytree(DATA / "dicomdir", file_set)
    outside = folder / "outside"
    outside.mkdir()
    (outside / "OTHER").write_bytes(next(iter(FILES.values())))
    (file_set / "OUT").symlink_to(outside)
    (file_set / "LOOP").symlink_to(file_set)
    (file_set / "GONE").symlink_to(file_set / "nowhere")
    (file_set / "FOLDER").mkdir()
    (file_set / "EMPTY").touch()
    os.mkfifo(file_set / "FIFO")
    files = list(FILES)
    small = [file for file in files if len(FILES[file]) < LARGE]

    def work(number: int) -> list[str]:
        random = Random(number)
        if number % 4 == 3:
            name = random.choice(list(DIRECTORIES))
            return outcomes(_damaged(DIRECTORIES[name], random, DIRECTORY_MUTATIONS), file_set / name.name, random)
        name = random.choice(files if number % 8 == 0 else small)
        return outcomes(_damaged(FILES[name], random, mutate.MUTATIONS), path, random)

    return work


def _damaged(file: bytes, random: Random, mutations: tuple[mutate.Mutation, ...]) -> bytes:
    seed = random.getrandbits(32)
    try:
        return mutate.scratched(file, seed) if random.random() < 0.3 else mutate.mutated(file, seed, mutations)
    except (KeyError, UnicodeDecodeError):  # it cannot be taken apart
        return mutate.scratched(file, seed)


def outcomes(file: bytes, path: Path, random: Random) -> list[str]:
    """What becomes of a file, in words to be counted. Raises AssertionError where something is wrong with that."""
    path.write_bytes(file)
    options = ScanOptions(
        read_mode=random.choice(list(ReadMode)),
        dicomdir=random.random() < 0.8,
        external_references=random.random() < 0.5,
        uid_checks=random.random() < 0.8,
        send_duplicates=random.random() < 0.3,
    )
    opener = PayloadOpener(options, Conversion())
    kind = "file" if path.name == CASE else "DICOMDIR"
    words: list[str] = []
    for found in scan([str(path)], options):
        match found:
            case Instance():
                words += (f"{kind}: instance", _checked(opener, found))
            case Refusal(_, reason):
                one_line(str(reason))
                words.append(f"{kind}: refusal")
            case Notice(text):
                one_line(text)
                words.append(f"{kind}: notice")
    assert words, "nothing is said about it"
    return words


def _checked(opener: PayloadOpener, instance: Instance) -> str:
    """The payload of an instance in its own transfer syntax, or why there is none."""
    try:
        give_out(opener, instance, instance.transfer_syntax)
    except FileError as error:
        one_line(str(error.reason))
        return "check: refused"
    return "check: passed"
