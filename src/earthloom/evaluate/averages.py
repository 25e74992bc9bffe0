"""Averages over pictures or texts as figures, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.config import EvaluationSettings
from earthloom.evaluate.result import Figure
from earthloom.metrics.bootstrap import Interval, bootstrap, bootstrap_mean, share_interval

Scores = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


def average(
    name: str,
    scores: npt.NDArray[Any],
    groups: Sequence[str],
    recipe: EvaluationSettings,
    *,
    units: str = "grounds",
    **more: Any,
) -> Figure:
    """The mean of scores, an item each, with its interval over groups: of truths Wilson's, else by bootstrap.

    Args:
        name: of the figure.
        scores: N numbers or truths; none of them gives a figure without value.
        groups: N; items of a group depend on each other and are drawn together.
        recipe: says how often and from what seed is drawn.
        units: what groups are.
        more: of the figure.

    """
    if not len(scores):
        reason = more.pop("reason", None) or "there is nothing to average"
        return Figure(name=name, value=None, n=0, reason=reason, **more)
    n_units = len(set(groups))
    interval = None
    if n_units > 1 and scores.dtype == np.bool_:
        interval = share_interval(scores, groups=list(groups), level=recipe.level)
    elif n_units > 1:
        interval = bootstrap_mean(
            scores, groups=list(groups), resamples=recipe.resamples, seed=recipe.seed, level=recipe.level
        ).interval
    return make_figure(
        name, float(scores.mean()), interval, n_units, units=units, **{"n": len(scores), **more}
    )


def resample(
    name: str,
    statistic: Callable[[Indices], float],
    groups: Sequence[str],
    recipe: EvaluationSettings,
    **more: Any,
) -> Figure:
    """A statistic of the indices of items with its bootstrap interval over groups; else as `average`."""
    n, n_units = len(groups), len(set(groups))
    interval = (
        bootstrap(
            statistic,
            n,
            groups=list(groups),
            resamples=recipe.resamples,
            seed=recipe.seed,
            level=recipe.level,
        )
        if n_units > 1
        else None
    )
    return make_figure(name, statistic(np.arange(n)), interval, n_units, **{"n": n, **more})


def make_figure(
    name: str, value: float, interval: Interval | None, n_units: int, *, units: str = "grounds", **more: Any
) -> Figure:
    """A figure with its interval, or without one where there was but one group; `units` says what groups are."""
    return Figure(
        name=name,
        value=value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=f"{interval.how} over {n_units:,} {units}" if interval else None,
        **more,
    )
