"""Ranks as figures: R@K both ways, their mean, median ranks; each beside chance."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.averages import average, resample
from earthloom.evaluate.config import EvaluationSettings
from earthloom.evaluate.result import Curve, Figure, Line
from earthloom.metrics.retrieval import TOPS, Ranks, expect_chance, expect_chances

_CURVE = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Search:
    """Pictures and texts that looked for each other."""

    ranks: Ranks
    owners: npt.NDArray[np.int64]
    """M, the picture of each text."""
    grounds: Sequence[str]
    """N, of each picture."""
    group: str | None
    """Which captions: None for all of them."""

    @property
    def n(self) -> int:
        """Pictures."""
        return len(self.grounds)


def list_figures(search: Search, encoder: str, recipe: EvaluationSettings) -> Iterator[Figure]:
    """R@K of both ways, mR, and median ranks, with intervals over grounds."""
    ranks, chances = search.ranks, expect_chances(search.owners, search.n)
    more: dict[str, Any] = {"encoder": encoder, "group": search.group}
    asking = [search.grounds[i] for i in ranks.asking]
    texts = [search.grounds[i] for i in search.owners]
    yield resample(
        "mean_recall",
        _Means(search),
        asking,
        recipe,
        better="higher",
        null=float(np.mean(list(chances.values()))),
        details={"n_texts": len(search.owners), "gallery": search.n},
        **more,
    )
    for way, found, tied, groups in (
        ("to_text", ranks.to_text, ranks.is_text_tied, asking),
        ("to_picture", ranks.to_picture, ranks.is_picture_tied, texts),
    ):
        for top in TOPS:
            yield average(
                f"{way}@{top}",
                found < top,
                groups,
                recipe,
                better="higher",
                null=chances[f"{way}@{top}"],
                details={"tied": float(tied.mean())},
                **more,
            )
        yield resample(
            f"{way}:median_rank",
            _Median(found + 1),
            groups,
            recipe,
            better="lower",
            unit="rank",
            null=_find_median(search, way),
            **more,
        )


def plot_recall(search: Search) -> Curve:
    """R@K over K, both ways and by chance."""
    n_texts = len(search.owners)
    counts = np.bincount(search.owners, minlength=search.n)
    lines: list[Line] = []
    for name, ranks, n in (
        ("picture to text", search.ranks.to_text, n_texts),
        ("text to picture", search.ranks.to_picture, search.n),
    ):
        tops = [top for top in _CURVE if top <= n]
        by_chance = (
            [_average_chance(counts[counts > 0], n_texts, top) for top in tops]
            if name == "picture to text"
            else [expect_chance(1, search.n, top) for top in tops]
        )
        x = tuple(map(float, tops))
        lines.append(Line(name=name, x=x, y=tuple(float((ranks < top).mean()) for top in tops)))
        lines.append(Line(name=f"{name}, by chance", x=x, y=tuple(by_chance)))
    return Curve(
        title="How often something right is among the first K", x_label="K", y_label="R@K", lines=tuple(lines)
    )


def _find_median(search: Search, way: str) -> float:
    """The rank among which a random order finds something right for half of the queries."""
    if way == "to_picture":
        return float((search.n + 1) // 2)
    counts, n_texts = np.bincount(search.owners, minlength=search.n), len(search.owners)
    counts = counts[counts > 0]
    return float(
        bisect_left(range(1, n_texts + 1), 0.5, key=lambda top: _average_chance(counts, n_texts, top)) + 1
    )


def _average_chance(counts: npt.NDArray[np.int64], n: int, top: int) -> float:
    kinds, times = np.unique(counts, return_counts=True)
    return float(np.average([expect_chance(int(kind), n, top) for kind in kinds], weights=times))


class _Median:
    """The median of some ranks."""

    def __init__(self, ranks: npt.NDArray[np.int64]) -> None:
        self._ranks = ranks

    def __call__(self, chosen: npt.NDArray[np.int64]) -> float:
        return float(np.median(self._ranks[chosen]))


class _Means:
    """mR of some of the pictures that look for texts, and of their texts."""

    def __init__(self, search: Search) -> None:
        ranks = search.ranks
        place = np.zeros(search.n, np.int64)
        place[ranks.asking] = np.arange(len(ranks.asking))
        own, n = place[search.owners], len(ranks.asking)
        self._n_texts = np.bincount(own, minlength=n).astype(np.float64)
        self._to_text = np.stack([ranks.to_text < top for top in TOPS], axis=1).astype(np.float64)
        hits = [np.bincount(own, ranks.to_picture < top, minlength=n) for top in TOPS]
        self._to_picture = np.stack(hits, axis=1)

    def __call__(self, chosen: npt.NDArray[np.int64]) -> float:
        to_text = self._to_text[chosen].mean(axis=0)
        to_picture = self._to_picture[chosen].sum(axis=0) / self._n_texts[chosen].sum()
        return float((to_text.mean() + to_picture.mean()) / 2)
