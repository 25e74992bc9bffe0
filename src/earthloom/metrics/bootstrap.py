"""Intervals: how far a number could be from what more samples would give.

For numbers that are means of items or functions of such: the bootstrap (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993), over items, or over groups of items that depend on each other, such as all pictures of one ground
(cluster bootstrap: Davison and Hinkley, Bootstrap Methods and their Application, 1997, 3.8).

For distances of sets the bootstrap is wrong: drawn with replacement, a set holds items twice, which lowers the rank of
a covariance and adds pairs at distance 0 to a kernel's mean, so that every resample is further away than the sets
themselves; of degenerate statistics such as KID of equal laws it is not even consistent (Arcones and Gine, Annals of
Statistics 1992). For these we take half-samples without replacement. Their spread about their mean is that of the
statistic at the full count: a subset of b out of n has the variance s^2 / b (1 - b / n), which is s^2 / n for b = n / 2
(the delete-d jackknife with d = n / 2: Shao and Wu, Annals of Statistics 1989; Politis, Romano and Wolf, Subsampling,
1999). Where a distance has a bias that falls with the count, the interval is about the mean at the full count.

For shares of items that something holds of, such as an accuracy, the bootstrap fails near 0 and 1: of 20 right answers
of 20 every resample is 1, and the interval is a point. Of these we take Wilson's (`share_interval`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.core.seeds import make_rng

Scores = npt.NDArray[np.float64]
"""N, one for each item."""
Indices = npt.NDArray[np.int64]
Groups = Sequence[str] | Sequence[int] | npt.NDArray[np.str_] | npt.NDArray[np.int64]
"""N, the group of each item."""
Method = Literal["percentile", "basic"]
"""`percentile`: quantiles of the resampled values; `basic`: their distances from the value, turned round."""

_ENTRIES = 2**22
"""Of a block of draws."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """Where a number lies with a confidence."""

    low: float
    high: float
    level: float
    """Confidence, such as 0.95."""
    resamples: int
    """How many it was taken from; 0 where it is by a formula."""

    @property
    def how(self) -> str:
        """How it was taken, in words."""
        return "bootstrap" if self.resamples else "Wilson's score interval"

    def holds(self, value: float) -> bool:
        """Whether a value lies inside."""
        return self.low <= value <= self.high


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A mean with its interval."""

    value: float
    interval: Interval
    n: int
    """Items."""
    n_units: int
    """What was drawn: groups, or items where there are no groups."""


def bootstrap(
    statistic: Callable[[Indices], float],
    n: int,
    *,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "percentile",
) -> Interval:
    """Interval of a statistic of items, drawn with replacement; not for distances of sets (see above).

    Args:
        statistic: of the indices of items, some of them several times; finite.
        n: items.
        groups: the group of each item; groups are drawn whole.
        resamples: how often items are drawn.
        seed: of the draws.
        level: confidence, between 0 and 1.
        method: how values of resamples make an interval.

    Raises:
        UsageError: for fewer than two items or groups, or a statistic that is not finite.

    """
    members = _list_members(n, groups)
    drawn = _draw(len(members), resamples, seed)
    values = [statistic(np.concatenate([members[unit] for unit in row])) for rows in drawn for row in rows]
    value = statistic(np.arange(n)) if method == "basic" else 0.0
    return _make_interval(value, np.array(values, np.float64), level, method)


def bootstrap_mean(
    scores: Scores,
    *,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "percentile",
) -> Estimate:
    """Mean of N scores with its interval: that of `bootstrap` with the same seed, some hundred times faster."""
    scores = np.asarray(scores, np.float64)
    if scores.ndim != 1:
        raise UsageError(f"A score for each item was wanted, got shape {scores.shape}.")
    members = _list_members(len(scores), groups)
    sums = np.array([scores[items].sum() for items in members])
    sizes = np.array([len(items) for items in members], np.float64)
    drawn = _draw(len(members), resamples, seed)
    values = np.concatenate([sums[rows].sum(axis=1) / sizes[rows].sum(axis=1) for rows in drawn])
    value = float(scores.mean())
    interval = _make_interval(value, values, level, method)
    return Estimate(value=value, interval=interval, n=len(scores), n_units=len(members))


def share_interval(
    flags: npt.NDArray[np.bool_], *, groups: Groups | None = None, level: float = 0.95
) -> Interval:
    """Interval of the share of N items that something holds of, by Wilson's score (JASA 22, 1927); within 0 to 1.

    Items of a group depend on each other: as many independent items are counted as have the variance that is found
    between groups, corrected for few groups (Korn and Graubard, Survey Methodology 24, 1998, who put this number into
    another exact interval). Where an answer is the same for all items nothing tells how far groups agree within
    themselves, and each counts as one item.

    Raises:
        UsageError: for fewer than two items or groups, or items that are not truths.

    """
    from scipy.special import ndtri, stdtrit

    flags = np.asarray(flags)
    if flags.ndim != 1 or flags.dtype != np.bool_:
        raise UsageError(f"A truth for each item was wanted, got {flags.dtype} of shape {flags.shape}.")
    if not 0 < level < 1:
        raise UsageError(f"A level between 0 and 1 was wanted, got {level}.")
    members = _list_members(len(flags), groups)
    tail = (1 + level) / 2
    share, n = float(flags.mean()), _count_independent(flags, members)
    n *= float(stdtrit(len(flags) - 1, tail) / stdtrit(len(members) - 1, tail)) ** 2
    z2 = float(ndtri(tail)) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends one limit is the share itself, which rounding must not pass.
    low, high = min(max(middle - reach, 0.0), share), max(min(middle + reach, 1.0), share)
    return Interval(low=float(low), high=float(high), level=level, resamples=0)


def _count_independent(flags: npt.NDArray[np.bool_], members: Sequence[Indices]) -> float:
    """Independent items whose share varies as that of these groups does."""
    share, n, n_groups = float(flags.mean()), len(flags), len(members)
    if share in {0.0, 1.0}:
        return n_groups
    off = sum(float(flags[items].sum() - share * len(items)) ** 2 for items in members)
    between = n_groups / (n_groups - 1) * off / n**2
    alone = share * (1 - share) / (n - 1)
    return n * min(alone / between, 1.0) if between else n


def bootstrap_difference(
    a: Scores,
    b: Scores,
    *,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "percentile",
) -> Estimate:
    """Mean of `a` - `b`, scores of the same N items by two ways: drawn in pairs, so that hard items weigh on both."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        raise UsageError(f"Scores of the same items were wanted, got shapes {a.shape} and {b.shape}.")
    return bootstrap_mean(a - b, groups=groups, resamples=resamples, seed=seed, level=level, method=method)


def draw_halves(
    n: int, resamples: int, seed: int, purpose: str = "", groups: Groups | None = None
) -> Iterator[Indices]:
    """Indices of half of n items, or of the items of half of the groups, without replacement, again and again.

    Raises:
        UsageError: for fewer than four items or groups.

    """
    members = _list_members(n, groups)
    if len(members) < 4:
        raise UsageError(f"At least 4 items or groups were wanted to draw halves, got {len(members)}.")
    rng = make_rng(seed, "half-samples", purpose)
    for _ in range(resamples):
        chosen = rng.permutation(len(members))[: len(members) // 2]
        yield np.sort(np.concatenate([members[unit] for unit in chosen]))


def half_sample_interval(value: float, values: Scores, level: float = 0.95) -> Interval:
    """Interval about the value of whole sets from values of half-samples (`draw_halves`), turned round it.

    Of a distance that is 0 in truth the spread falls faster than by a root, and the interval is too wide, not too
    narrow.
    """
    return _make_interval(value, value + (values - values.mean()), level, "basic")


def _list_members(n: int, groups: Groups | None) -> list[Indices]:
    """The items of each group; every item is its own group where there are none."""
    if groups is None:
        members = [np.array([item]) for item in range(n)]
    else:
        names, owner = np.unique(np.asarray(groups), return_inverse=True)
        if len(owner) != n:
            raise UsageError(f"A group for each of {n} items was wanted, got {len(owner)}.")
        members = np.split(np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner))[: len(names) - 1])
    if len(members) < 2:
        raise UsageError(f"At least 2 items or groups were wanted, got {len(members)}.")
    return members


def _draw(n: int, resamples: int, seed: int) -> Iterator[Indices]:
    """R x n units, drawn with replacement, some rows at a time."""
    if resamples < 2:
        raise UsageError(f"At least 2 resamples were wanted, got {resamples}.")
    rng = make_rng(seed, "bootstrap")
    rows = max(1, _ENTRIES // n)
    for start in range(0, resamples, rows):
        yield rng.integers(n, size=(min(rows, resamples - start), n))


def _make_interval(value: float, values: Scores, level: float, method: Method) -> Interval:
    if not 0 < level < 1:
        raise UsageError(f"A level between 0 and 1 was wanted, got {level}.")
    if len(values) < 2 or not np.isfinite(values).all() or not np.isfinite(value):
        raise UsageError("A finite value of each of at least 2 resamples was wanted.")
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail]).tolist()
    if method == "basic":
        low, high = 2 * value - high, 2 * value - low
    return Interval(low=low, high=high, level=level, resamples=len(values))
