"""Measurements as figures, tables, curves and pictures of a result."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

import numpy as np

from earthloom.evaluate.crossmodal.checks import Check
from earthloom.evaluate.crossmodal.describing import Described, Floats
from earthloom.evaluate.crossmodal.distances import Compared, Sets
from earthloom.evaluate.crossmodal.pixels import LOWER_IS_BETTER, UNITS, Pair, Scores, turn_levels
from earthloom.evaluate.crossmodal.reading import Levels
from earthloom.evaluate.crossmodal.statistics import Statistic
from earthloom.evaluate.result import Curve, Figure, Line, Table
from earthloom.evaluate.sets import Picture
from earthloom.evaluate.work import Grid, Row
from earthloom.metrics.bootstrap import Estimate, bootstrap_difference, bootstrap_mean
from earthloom.metrics.radar import theory

_SHOWN = 8
_LEAST_GROUPS = 2
LITERATURE_LOOKS = "Sentinel-1 IW GRDH at 10 m: 4.3 to 4.4; single-look complex: 1"
"""ESA's table of IW products, as STAC collections quote it; 4.4 is often read."""


class _Span(TypedDict, total=False):
    """An interval as a figure has it."""

    low: float
    high: float
    interval: str


def tell_statistic(name: str, group: str, told: Statistic, found: Compared, n: int) -> Figure:
    """A number of one set."""
    return Figure(
        name=name,
        value=_finite(found.value),
        unit=told.unit,
        group=group,
        n=n,
        reason=found.reason,
        **_tell_interval(found),
    )


def tell_distance(name: str, unit: str | None, found: Compared, sets: Sets) -> Figure:
    """How far the sets lie apart."""
    return Figure(
        name=name,
        value=_finite(found.value),
        unit=unit,
        better="lower",
        floor=found.floor,
        n=len(sets.generated),
        n_real=len(sets.real),
        reason=found.reason,
        **_tell_interval(found, "half-samples over grounds"),
    )


def tell_check(name: str, check: Check, found: Compared, sets: Sets) -> Figure:
    """A bound."""
    return Figure(
        name=name,
        value=_finite(found.value),
        unit=check.unit,
        better="nearer",
        n=len(sets.generated),
        n_real=len(sets.real),
        passed=check.judge(found.value),
        bound=check.bound,
        reason=found.reason,
        details={"source": check.source},
        **_tell_interval(found),
    )


def tell_scores(scores: Scores, pairs: Sequence[Pair], sets: Sets) -> Iterator[Figure]:
    """Means over pairs, with what is reached against another ground."""
    groups = [pair.group for pair in pairs]
    for name, values in scores.of_drawn.items():
        strangers = scores.shuffled.get(name, np.empty(0))
        known = strangers[~np.isnan(strangers)]
        null = float(known.mean()) if known.size else None
        yield _tell_mean(name, None, values, groups, sets, null)


def tell_regression(
    scores: Scores, regression: Mapping[str, Floats], pairs: Sequence[Pair], sets: Sets
) -> Iterator[Figure]:
    """What a regression reaches, and whether the drawn pictures reach more."""
    groups = [pair.group for pair in pairs]
    for name in ("correlation", "rmse", "ssim"):
        yield _tell_mean(name, "regression", regression[name], groups, sets, None)
    drawn, guessed = scores.of_drawn["correlation"], regression["correlation"]
    known = ~(np.isnan(drawn) | np.isnan(guessed))
    yield _tell_gain(
        drawn[known],
        guessed[known],
        [group for group, is_known in zip(groups, known, strict=True) if is_known],
        sets,
    )


def compare_with_theory(statistics: Mapping[str, Mapping[str, Compared]], bin_db: float) -> Table:
    """Both sets beside even ground of as many looks as the true pictures have."""
    looks = statistics["real"]["looks"].value
    even: dict[str, float | str | None] = {"looks": LITERATURE_LOOKS}
    if math.isfinite(looks):
        even["std_db"] = float(theory.std_db(looks))
        even["entropy_bits"] = float(theory.entropy_bits(looks, bin_db))
        even["speckle_skewness"] = float(theory.skewness_db(looks))
        even["neighbour_correlation"] = 0.0
        even["spectrum_slope"] = 0.0
    rows = [
        (
            name,
            _finite(statistics["real"][name].value),
            _finite(statistics["generated"][name].value),
            even.get(name),
        )
        for name in statistics["real"]
    ]
    drawn = statistics["generated"]["looks"].value
    resolutions = [
        float(theory.radiometric_resolution_db(x)) if math.isfinite(x) else None for x in (looks, drawn)
    ]
    rows.insert(1, ("radiometric_resolution_db", resolutions[0], resolutions[1], None))
    return Table(
        title="Statistics of radar",
        columns=("statistic", "true", "drawn", "even ground of as many looks as true, or the literature"),
        rows=tuple(rows),
        note="Ground that is not even has a wider spread, more entropy and a steeper spectrum than its speckle alone.",
    )


def draw_histograms(real: Described, generated: Described, unit: str) -> Curve:
    """Both distributions."""
    bins = real.shares.shape[1]
    places = tuple((real.start + real.bin_width * (np.arange(bins) + 0.5)).round(6).tolist())
    lines = (
        Line(name="true", x=places, y=tuple((100 * real.shares.mean(0)).round(6).tolist())),
        Line(name="drawn", x=places, y=tuple((100 * generated.shares.mean(0)).round(6).tolist())),
    )
    return Curve(title="Distribution of values", x_label=unit, y_label="% of pixels", lines=lines)


def show_pairs(pairs: Sequence[Pair]) -> Grid:
    """Some pairs, evenly from all."""
    chosen = [pairs[i] for i in np.unique(np.linspace(0, len(pairs) - 1, _SHOWN).round().astype(int))]
    rows = []
    for pair in chosen:
        drawn = pair.drawn
        if pair.scale is not None and pair.scale_drawn is not None:
            drawn = turn_levels(drawn, pair.scale_drawn, pair.scale)
        pictures = [_to_rgb(pair.true), _to_rgb(drawn)]
        captions = ["true", "drawn"]
        if pair.rgb is not None:
            pictures.insert(0, pair.rgb)
            captions.insert(0, "RGB")
        rows.append(Row(label=pair.true_key, pictures=tuple(pictures), captions=tuple(captions)))
    return Grid(title="True and drawn", rows=tuple(rows))


def show_sets(real: Mapping[str, Levels], generated: Mapping[str, Levels]) -> Grid:
    """Some of each set."""
    rows = tuple(
        Row(label=name, pictures=tuple(_to_rgb(levels) for levels in list(some.values())[:_SHOWN]))
        for name, some in (("true", real), ("drawn", generated))
    )
    return Grid(title="True and drawn", rows=rows, note="Of different grounds.")


def _tell_mean(
    name: str, group: str | None, values: Floats, groups: Sequence[str], sets: Sets, null: float | None
) -> Figure:
    known = ~np.isnan(values)
    members = [owner for owner, is_known in zip(groups, known, strict=True) if is_known]
    if not members:
        return Figure(name=name, value=None, group=group, n=0, reason="no pair has any contrast")
    estimate = _estimate(values[known], members, sets)
    return Figure(
        name=name,
        value=float(values[known].mean()),
        unit=UNITS.get(name),
        better="lower" if name in LOWER_IS_BETTER else "higher",
        group=group,
        null=null,
        n=int(known.sum()),
        **_tell_estimate(estimate),
    )


def _tell_gain(drawn: Floats, guessed: Floats, groups: Sequence[str], sets: Sets) -> Figure:
    estimate: Estimate | None = None
    if len(set(groups)) >= _LEAST_GROUPS:
        estimate = bootstrap_difference(
            drawn, guessed, groups=list(groups), resamples=sets.resamples, seed=sets.seed, level=sets.level
        )
    return Figure(
        name="correlation_over_regression",
        value=float((drawn - guessed).mean()) if len(drawn) else None,
        better="higher",
        null=0.0,
        n=len(drawn),
        passed=None if estimate is None else estimate.interval.low > 0,
        bound="the whole interval above 0: more than a linear regression from RGB reaches on the same ground",
        **_tell_estimate(estimate),
    )


def _estimate(values: Floats, groups: Sequence[str], sets: Sets) -> Estimate | None:
    if len(set(groups)) < _LEAST_GROUPS:
        return None
    return bootstrap_mean(
        values, groups=list(groups), resamples=sets.resamples, seed=sets.seed, level=sets.level
    )


def _tell_estimate(estimate: Estimate | None) -> _Span:
    if estimate is None:
        return {}
    return {
        "low": estimate.interval.low,
        "high": estimate.interval.high,
        "interval": f"bootstrap over {estimate.n_units:,} grounds",
    }


def _tell_interval(found: Compared, how: str = "bootstrap over grounds") -> _Span:
    if found.interval is None:
        return {}
    return {"low": found.interval.low, "high": found.interval.high, "interval": how}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _to_rgb(levels: Levels) -> Picture:
    return np.repeat(levels[:, :, None], 3, axis=2)
