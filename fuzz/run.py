"""Run one fuzz target, guided by coverage, with atheris: ``python -m fuzz.run TARGET [OPTION OF LIBFUZZER ...]``.

It begins with the seeds of the target, and keeps what it finds worth keeping in ``build/fuzz/TARGET``. An input that
is a finding is written there too, and repeated by ``python -m fuzz.run TARGET FILE``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import atheris

if TYPE_CHECKING:
    from fuzz.target import Target

BUILD: Final = Path(__file__).parents[1] / "build" / "fuzz"
LIMITS: Final = ("-rss_limit_mb=1024", "-malloc_limit_mb=256", "-timeout=10", "-max_len=20000")


def arguments(target: Target, given: list[str]) -> list[str]:
    """What libFuzzer is started with: limits, folders and dictionary of ours, and behind them what the user wants."""
    corpus = BUILD / target.name / "corpus"
    seeds = BUILD / target.name / "seeds"
    for folder in (corpus, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (seeds / f"{number:03}").write_bytes(seed)
    words = BUILD / target.name / "words"
    words.write_text("".join(f'"{escaped(word)}"\n' for word in target.words))
    findings = f"-artifact_prefix={BUILD / target.name}/"
    if any(not option.startswith("-") for option in given):
        return [sys.argv[0], *LIMITS, *given]
    return [sys.argv[0], *LIMITS, f"-dict={words}", findings, *given, str(corpus), str(seeds)]


def escaped(word: bytes) -> str:
    """A word as libFuzzer's dictionaries have it."""
    return "".join(f"\\x{byte:02x}" for byte in word)


def main(given: list[str]) -> None:
    with atheris.instrument_imports(include=["dcmsend"]):
        from fuzz.targets import TARGETS
    if not given or given[0] not in TARGETS:
        sys.exit(f"usage: python -m fuzz.run TARGET [OPTION ...], where TARGET is one of {', '.join(TARGETS)}")
    target = TARGETS[given[0]]
    atheris.Setup(arguments(target, given[1:]), target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
