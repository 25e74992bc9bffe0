"""What a release holds, in numbers: what card, report and `inspect` share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earthloom.core.records import Pair

GSD_EDGES_M = tuple(float(f"{m}e{e}") for e in range(-2, 5) for m in (1, 2, 5))
"""Bins of the ground sample distance: 1, 2, 5 in every decade from 0.01 to 50,000 m, even on a log scale."""
WORD_STEP = 5
"""Width of the bins of caption lengths, words."""
SHARE_STEP = 0.05
"""Width of the bins of valid shares."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What one source gave to the release, under one set of terms."""

    source: str
    dataset: str
    licence: str | None
    terms: str | None
    """What the licence, or the lack of one, means, in a sentence."""
    synthetic: bool
    pairs: int
    credits: tuple[str, ...]
    """Whom to name, in alphabetical order; the first ones met where every image has its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Smallest and largest of something."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Dates:
    """When the images were taken, as far as it is known."""

    years: Mapping[int, int]
    months: Mapping[int, int]
    """1 to 12, of the dates that are known to the month."""
    first: str | None
    last: str | None
    """ISO 8601, as precise as known."""
    unknown: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Captions:
    """The texts."""

    total: int
    words: Mapping[int, int]
    """Lower edge of a bin `WORD_STEP` wide to number of captions."""
    mean_words: float
    kinds: Mapping[tuple[str, str, str], int]
    """(style, role, author) to number of captions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Footprint:
    """Where one pair lies."""

    lon: float
    lat: float
    """Centre, degrees."""
    shape: bytes | None
    """WKB polygon."""
    split: str
    modality: str
    place: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pick:
    """A pair chosen to be looked at."""

    pair: Pair
    """Without pixels: `image.bytes` is empty."""
    file: Path
    row: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistics:
    """The numbers of a release. Counts are pairs unless the name says otherwise."""

    pairs: int
    splits: Mapping[tuple[str, str], int]
    """(split, modality) to pairs."""
    platforms: Mapping[str | None, int]
    sensors: Mapping[str | None, int]
    polarisations: Mapping[str | None, int]
    media: Mapping[tuple[str, str], int]
    """(modality, `jpg` or `png`) to pairs."""
    sizes: Mapping[tuple[int, int], int]
    """(width, height) in pixels to pairs."""
    sources: tuple[Source, ...]
    """Largest first."""
    gsd: Mapping[tuple[str, float], int]
    """(modality, lower edge of `GSD_EDGES_M`) to pairs; those of unknown GSD are in none."""
    gsd_span: Span | None
    """Metres."""
    dates: Dates
    captions: Captions
    labels: Mapping[tuple[str, str], int]
    """(kind, name) to pairs that carry the label."""
    effects: Mapping[tuple[str, str], int]
    """(name, severity) of a synthetic effect to pairs."""
    valid: Mapping[float, int]
    """Lower edge of a bin `SHARE_STEP` wide to pairs; 1.0 holds those without any invalid pixel."""
    cells: Mapping[tuple[int, int, bool], int]
    """(floor of longitude, floor of latitude, is synthetic) to pairs."""
    footprints: tuple[Footprint, ...]
    """All, or an even sample of them."""
    known: Mapping[str, int]
    """Column to pairs in which it is not null; for lists, not empty."""
    groups: int
    """Sets of scenes that must stay together."""
    leaking_groups: int
    """Groups that are in more than one split: 0, or the splits leak."""
    repeated_images: int
    """Pictures, equal byte for byte, that are in more than one split."""
    scenes: int
    picks: tuple[Pick, ...]
    """Candidates for the mosaics: an even sample for each modality and source."""
    files: Mapping[str, int]
    """Form to number of files."""
    bytes: Mapping[str, int]
    """Form to bytes on disk."""

    def by_split(self) -> dict[str, int]:
        """Split to pairs, in the order train, val, test."""
        return _fold(self.splits, 0)

    def by_modality(self) -> dict[str, int]:
        """Modality to pairs."""
        return _fold(self.splits, 1)

    def by_source(self) -> dict[str | None, int]:
        """Source to pairs, most frequent first."""
        return _count_by(self.sources, "source")

    def licences(self) -> dict[str | None, int]:
        """Licence to pairs, most frequent first."""
        return _count_by(self.sources, "licence")

    def synthetic(self) -> int:
        """Pairs of landscapes that exist nowhere."""
        return sum(source.pairs for source in self.sources if source.synthetic)


def _fold(counts: Mapping[tuple[str, str], int], axis: int) -> dict[str, int]:
    folded: Counter[str] = Counter()
    for key, n in counts.items():
        folded[key[axis]] += n
    return dict(folded)


def _count_by(sources: Iterable[Source], name: str) -> dict[Any, int]:
    counts: Counter[Any] = Counter()
    for source in sources:
        counts[getattr(source, name)] += source.pairs
    return dict(counts.most_common())
