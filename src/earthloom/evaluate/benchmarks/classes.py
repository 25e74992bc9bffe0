"""Test sets whose pictures lie in folders of classes, as EuroSAT, RESISC45, AID and UC Merced do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from earthloom.core.errors import UsageError
from earthloom.evaluate.benchmarks.files import PictureFile, list_pictures
from earthloom.evaluate.benchmarks.names import Benchmark
from earthloom.evaluate.benchmarks.words import list_folders
from earthloom.evaluate.sets import Entry

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}
"""Folders that say of which split what lies below them is."""
_NAMED = 6
"""Folders that a message names."""


def list_classified(benchmark: Benchmark, place: Path) -> list[Entry]:
    """List the pictures of a test set, each with the folder of its class as its label.

    The classes' folders may lie at any depth. Their spelling counts without case, spaces, hyphens and underscores.

    Raises:
        UsageError: there are no pictures, or one lies in a folder that is no class.

    """
    pictures = list_pictures(place, benchmark.endings)
    folders = {fold(name): name for name in list_folders(benchmark.name)}
    unknown = Counter(picture.folder for picture in pictures if fold(picture.folder) not in folders)
    if not pictures or unknown:
        raise UsageError(_explain(benchmark, place, unknown, len(pictures)))
    return [_describe(picture, folders[fold(picture.folder)], benchmark) for picture in pictures]


def fold(name: str) -> str:
    """A name as it is compared: its letters and digits, in one case."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _describe(picture: PictureFile, label: str, benchmark: Benchmark) -> Entry:
    split = next(
        (_SPLITS[part.lower()] for part in PurePosixPath(picture.key).parts if part.lower() in _SPLITS), None
    )
    return Entry(
        shown=picture.show(split=split, source=benchmark.name),
        label=label,
        facts={"labels": [{"name": label}]},
    )


def _explain(benchmark: Benchmark, place: Path, unknown: Counter[str], n: int) -> str:
    wanted = f"{benchmark.title} was wanted as {benchmark.layout}"
    if not n:
        return f"{wanted}; {place} holds no picture ({', '.join(benchmark.endings)})."
    named = _name(f"{name!r} ({count:,} pictures)" for name, count in unknown.most_common())
    return f"{wanted}; {place} has pictures in folders that are none of its classes: {named}."


def _name(names: Iterable[str]) -> str:
    listed = list(names)
    rest = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
