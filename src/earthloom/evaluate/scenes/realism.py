"""How near synthetic weather is to real weather, always between two marks.

    floor     real against real: two halves of the real pictures
    score     synthetic against real
    ceiling   clear against real: what doing nothing would score

    skill = (ceiling - score) / (ceiling - floor)         1: as real as real pictures, 0: no better than clear ones

Where the two marks cannot be told apart, or there are too few pictures, there is no skill, and a reason is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from earthloom.core.seeds import make_rng
from earthloom.metrics.features import Scaler
from earthloom.metrics.frechet import frechet_distance
from earthloom.metrics.kid import kid_unbiased

Features = npt.NDArray[np.float64]
"""N x D."""
Rows = npt.NDArray[np.int64]

LEAST_PICTURES = 20
"""Of each set: halves of ten are the least whose spread still says something."""
MOST_IN_HALF = 1000
"""Pictures of each set in a subset (KID's own, Binkowski et al. 2018)."""
_FRECHET_SUBSETS = 10
"""Enough for a mean; a Frechet distance of many features is slow."""
_SPREAD = (5, 95)
"""Percentiles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """Features of a set of pictures, and which of them show one ground."""

    features: Features
    groups: tuple[str, ...]
    """Of each row."""

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def n_groups(self) -> int:
        """Grounds that are shown."""
        return len(set(self.groups))


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """One distance over many subsets."""

    value: float
    """Mean."""
    low: float
    high: float
    """5th and 95th percentile over the subsets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Distance:
    """How far synthetic pictures are from real ones."""

    name: str
    """`kid` or `frechet`."""
    encoder: str
    """Name and version of the features."""
    score: Mark | None = None
    floor: Mark | None = None
    ceiling: Mark | None = None
    """None where the pictures for it are not there, or are too few."""
    skill: float | None = None
    skill_low: float | None = None
    skill_high: float | None = None
    """5th and 95th percentile: halves drawn without replacement spread as whole sets drawn with it do (half-sampling,
    Shao and Tu, The Jackknife and Bootstrap, 1995)."""
    subset_size: int | None = None
    n_subsets: int | None = None
    reason: str | None = None
    """Why there is no skill."""


def measure_distance(
    name: str,
    encoder: str,
    synthetic: Described,
    real: Described,
    clear: Described,
    *,
    subsets: int,
    seed: int,
) -> Distance:
    """Measure KID or Frechet distance between its floor and its ceiling.

    In every subset each ground comes once, whatever the number of its variants. Features are brought to the mean and
    spread of the real pictures and the clear ones together.

    Args:
        name: `kid` (unbiased, Binkowski et al., ICLR 2018) or `frechet` (Heusel et al., NeurIPS 2017).
        encoder: name and version of the features, for the record.
        synthetic: with the effect.
        real: with such weather.
        clear: without it; may be empty.
        subsets: how many are drawn; the Frechet distance takes ten at most.
        seed: of the draws.

    """
    told = Distance(name=name, encoder=encoder)
    size = min(synthetic.n_groups, real.n_groups, *([clear.n_groups] if len(clear) else [])) // 2
    size = min(size, MOST_IN_HALF)
    lacking = _explain_lack(name, synthetic, real, clear, size)
    if lacking is not None:
        return replace(told, reason=lacking)
    measure = {"kid": kid_unbiased, "frechet": frechet_distance}[name]
    n_subsets = subsets if name == "kid" else min(subsets, _FRECHET_SUBSETS)
    scaler = Scaler.fit(np.concatenate([real.features, clear.features]))
    sets = [scaler.scale(described.features) for described in (synthetic, real, clear)]
    rng = make_rng(seed, "halves")
    values = np.array(
        [_measure_once(measure, sets, (synthetic, real, clear), size, rng) for _ in range(n_subsets)]
    )
    score, floor = _mark(values[:, 0]), _mark(values[:, 1])
    found = replace(told, score=score, floor=floor, subset_size=size, n_subsets=n_subsets)
    if not len(clear):
        return replace(found, reason="no clear pictures, and so no ceiling")
    return _judge(replace(found, ceiling=_mark(values[:, 2])), values)


def _explain_lack(
    name: str, synthetic: Described, real: Described, clear: Described, size: int
) -> str | None:
    counts = {"synthetic": synthetic.n_groups, "real": real.n_groups}
    if len(clear):
        counts["clear"] = clear.n_groups
    for kind, n in counts.items():
        if n < LEAST_PICTURES:
            return f"wants {LEAST_PICTURES} {kind} pictures of different ground, got {n}"
    n_features = real.features.shape[1]
    if name == "frechet" and size <= n_features:
        kind, n = min(counts.items(), key=lambda count: count[1])
        return f"wants more than {2 * n_features} {kind} pictures for {n_features} features, got {n}"
    return None


def _measure_once(
    measure: Callable[[Features, Features], float],
    sets: Sequence[Features],
    described: Sequence[Described],
    size: int,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Score, floor and ceiling of one draw of halves; the same half of the real pictures serves all three."""
    synthetic, real, clear = described
    picked = draw_rows(synthetic.groups, size, rng)
    both = draw_rows(real.groups, 2 * size, rng)
    one, other = sets[1][both[:size]], sets[1][both[size:]]
    score = measure(sets[0][picked], one)
    ceiling = measure(sets[2][draw_rows(clear.groups, size, rng)], one) if len(clear) else np.nan
    return score, measure(other, one), ceiling


def draw_rows(groups: Sequence[str], size: int, rng: np.random.Generator) -> Rows:
    """Rows of `size` different groups in random order, one row of each."""
    names, index = np.unique(np.asarray(groups, np.str_), return_inverse=True)
    order = rng.permutation(len(groups))
    first = np.full(len(names), -1, np.int64)
    first[index[order[::-1]]] = order[::-1]  # the last assignment, the first row in random order, stays
    return np.asarray(rng.permutation(first)[:size], np.int64)


def _mark(values: Features) -> Mark:
    low, high = np.percentile(values, _SPREAD)
    return Mark(value=float(values.mean()), low=float(low), high=float(high))


def _judge(found: Distance, values: Features) -> Distance:
    assert found.score is not None
    assert found.floor is not None
    assert found.ceiling is not None
    room = found.ceiling.value - found.floor.value
    if found.floor.high >= found.ceiling.value:
        return replace(found, reason="clear pictures are as near to the real ones as these are to each other")
    each = (values[:, 2] - values[:, 0]) / room
    low, high = np.percentile(each, _SPREAD)
    skill = (found.ceiling.value - found.score.value) / room
    return replace(found, skill=float(skill), skill_low=float(low), skill_high=float(high))
