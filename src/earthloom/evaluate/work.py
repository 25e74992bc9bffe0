"""What a kind of evaluation works with, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from earthloom.core.errors import RecordError
from earthloom.core.ids import fingerprint_file, hash_json
from earthloom.core.records import Reason
from earthloom.core.seeds import make_rng
from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.result import Curve, Figure, SetInfo, Table
from earthloom.evaluate.sets import Entry, OpenSet, Picture, open_set
from earthloom.store.shown import Shown

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """Pictures beside each other, such as those drawn from one prompt."""

    label: str
    pictures: tuple[Picture, ...]
    captions: tuple[str, ...] = ()
    """One under each picture, or none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """Pictures for the page."""

    title: str
    rows: tuple[Row, ...]
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a kind found; the rest of a result is the same for all kinds."""

    sets: tuple[SetInfo, ...]
    figures: tuple[Figure, ...]
    encoders: Mapping[str, str] = field(default_factory=dict)
    """`name@version` to its resize rule."""
    rules: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    curves: tuple[Curve, ...] = ()
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class Work:
    """One evaluation under way."""

    base: Path
    """Folder that the recipe's paths are relative to."""
    folder: Path
    """Where the result goes."""
    seed: int
    tell: Tell
    """Is told in a few words how far the work is."""
    refused: dict[str, dict[str, str]] = field(default_factory=dict)
    """Place of a picture to reason and detail: its key, or its path where a picture of another set has that key."""
    _refused_files: set[tuple[Path, str]] = field(default_factory=set, init=False)
    """Path and key of the same: a picture of one name in two sets is two pictures."""

    def open(self, name: str, chosen: PictureSet) -> OpenSet:
        """List a set by its place in the recipe. Raises `UsageError`."""
        return open_set(name, chosen, self.base)

    def read(self, entry: Entry) -> Picture | None:
        """The picture; None, and on record as refused, where it cannot be used."""
        try:
            return entry.read()
        except RecordError as error:
            self.refuse(entry.shown, error.reason, error.detail)
            return None

    def refuse(self, shown: Shown, reason: Reason, detail: str) -> None:
        """Put a picture that cannot be used on record."""
        if self.has_refused(shown):
            return
        place = shown.key
        if place in self.refused:
            place = f"{self._say_place(str(shown.path))}: {place}"
        self.refused[place] = {"reason": reason.value, "detail": detail}
        self._refused_files.add((shown.path, shown.key))

    def has_refused(self, shown: Shown) -> bool:
        """Whether a picture is on record as one that cannot be used."""
        if (shown.path, shown.key) in self._refused_files:
            return True
        return shown.key in self.refused and not any(key == shown.key for _, key in self._refused_files)

    def rng(self, purpose: str) -> np.random.Generator:
        """Draws for one purpose, which do not depend on those for others."""
        return make_rng(self.seed, "evaluate", purpose)

    def inform(self, opened: OpenSet, measured: list[Entry], **details: Any) -> SetInfo:
        """What a result says of a set."""
        return SetInfo(
            name=opened.name,
            place=self._say_place(opened.place),
            n=len(measured),
            n_refused=sum(self.has_refused(entry.shown) for entry in opened.entries),
            is_generated=opened.is_generated,
            identity=_identify(measured),
            details={**opened.details, **details},
        )

    def _say_place(self, place: str) -> str:
        """What was drawn for this evaluation lies below its folder, wherever that is."""
        inside = Path(place).is_relative_to(self.folder)
        return Path(place).relative_to(self.folder).as_posix() if inside else place


def _identify(measured: Iterable[Entry]) -> str:
    """Hash of keys and contents, in whatever order: pictures that are drawn anew under old names are others."""
    return hash_json(sorted(f"{entry.key}\n{_fingerprint(entry.shown)}" for entry in measured))


def _fingerprint(shown: Shown) -> str:
    """Of a picture file; ids of a release's pairs are hashes of content themselves."""
    if shown.row is not None or shown.within is not None:
        return ""
    try:
        return fingerprint_file(shown.path)
    except OSError:  # it went away since it was measured
        return ""
