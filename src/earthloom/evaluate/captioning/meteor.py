"""METEOR 1.5, which is a Java program: started once, spoken to through its pipes, ended with us.

Denkowski and Lavie, Meteor Universal: Language Specific Translation Evaluation for Any Target Language, WMT 2014; with
the settings of pycocoevalcap (`-l en -norm`). Its tables of synonyms and paraphrases make it what it is: other
implementations give other numbers, so there is none of ours. The jar comes with pycocoevalcap.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from earthloom.core.errors import RunError, UsageError

VERSION = "METEOR 1.5, -l en -norm"
_JAR = "meteor-1.5.jar"
_REMEDY = (
    "install a Java runtime (`apt-get install default-jre-headless`) and `pip install 'earthloom[meteor]'`"
)
_OPTIONS = ("-Xmx2G", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8")
"""Memory as in pycocoevalcap: the table of paraphrases wants most of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeteorScore:
    """N captions, each against the references of its picture."""

    value: float
    """Of the corpus, 0 to 1; computed from sums over all captions and no mean of theirs."""
    each: list[float]
    """N, of each caption by itself."""


def find_meteor() -> Path:
    """The jar of an installed pycocoevalcap. Raises UsageError where it, its tables or Java are missing."""
    found = find_spec("pycocoevalcap")
    homes = [] if found is None else [Path(place) for place in found.submodule_search_locations or ()]
    jar = next((path for home in homes if (path := home / "meteor" / _JAR).is_file()), None)
    if jar is None:
        raise UsageError(f"METEOR wants the jar that comes with pycocoevalcap: {_REMEDY}.")
    if shutil.which("java") is None:
        raise UsageError(f"METEOR wants `java`, which is not on the path: {_REMEDY}.")
    return jar


@contextmanager
def open_meteor(jar: Path | None = None) -> Iterator[Meteor]:
    """Start METEOR and end it afterwards.

    Args:
        jar: `meteor-1.5.jar` with `data/paraphrase-en.gz` beside it; that of pycocoevalcap where it is not given.

    Raises:
        UsageError: Java or the jar is missing.

    """
    path = find_meteor() if jar is None else jar
    java = shutil.which("java")
    if java is None or not path.is_file():
        raise UsageError(f"METEOR wants `java` and {path}: {_REMEDY}.")
    command = [java, *_OPTIONS, "-jar", path.name, "-", "-", "-stdio", "-l", "en", "-norm"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 (a program of our choice, with texts through its pipe alone)
            command,
            cwd=path.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
        )
        try:
            yield Meteor(process, log)
        finally:
            process.kill()
            process.communicate()


class Meteor:
    """METEOR that runs. Should we end without a word, its pipe closes, and it ends as well."""

    def __init__(self, process: subprocess.Popen[str], log: IO[bytes]) -> None:
        self._process = process
        self._log = log

    def score(self, candidates: Sequence[str], references: Sequence[Sequence[str]]) -> MeteorScore:
        """Score tokenized captions, N of them, each against at least one tokenized reference.

        Raises:
            RunError: Java broke off.

        """
        counts = [
            self._ask(" ||| ".join(["SCORE", *map(_clean, group), _clean(candidate)]))
            for candidate, group in zip(candidates, references, strict=True)
        ]
        first = self._ask(" ||| ".join(["EVAL", *counts]))
        each = [float(first), *(float(self._hear()) for _ in counts[1:])]
        return MeteorScore(value=float(self._hear()), each=each)

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None, "it was opened with a pipe"
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._explain() from error
        return self._hear()

    def _hear(self) -> str:
        assert self._process.stdout is not None, "it was opened with a pipe"
        answer = self._process.stdout.readline().strip()
        if not answer or answer.startswith("Error"):
            raise self._explain(answer)
        return answer

    def _explain(self, answer: str = "") -> RunError:
        self._log.seek(0)
        told = answer or self._log.read().decode(errors="replace").strip()[-500:]
        return RunError(f"METEOR broke off: {told or 'it said nothing'}.")


def _clean(text: str) -> str:
    """A sentence that cannot be taken for two, in one line."""
    return " ".join(text.replace("|||", "").split())
