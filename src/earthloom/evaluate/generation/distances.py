"""Frechet and kernel distances of one space, with intervals and floors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from earthloom.core.errors import UsageError
from earthloom.core.seeds import make_rng
from earthloom.evaluate.generation.halves import Level
from earthloom.evaluate.generation.spaces import CMMD, Draws, Space, draw_rows
from earthloom.evaluate.result import Curve, Figure, Line
from earthloom.metrics.bootstrap import Interval, draw_halves, half_sample_interval
from earthloom.metrics.cmmd import cmmd
from earthloom.metrics.frechet import frechet, frechet_interval
from earthloom.metrics.frechet_infinity import FrechetInfinity, frechet_infinity
from earthloom.metrics.kid import kid, kid_interval, kid_unbiased

MOST = 10_000
"""Pictures of each set in a kernel distance of whole sets: its time grows with the square."""
FEW_HALVES = 20
"""Half-samples behind an interval where each distance takes a second or more."""
LEAST = 10
"""Pictures of each set, for a distance."""
_COSTLY_RANK = 512
_COSTLY_KERNEL = 3000


@dataclass(frozen=True, kw_only=True, slots=True)
class Extrapolated:
    """The Frechet distance of endless sets, and the line that it is read from."""

    figure: Figure
    curve: Curve | None


def measure_frechet(space: Space, draws: Draws, level: Level | None) -> Figure:
    """Frechet distance of all pictures; its interval is about its own mean at these counts."""
    n, n_real = len(space.generated), len(space.real)
    found = frechet(space.real, space.generated)
    halves = draws.halves if min(n, n_real, 2 * space.width) // 2 <= _COSTLY_RANK else FEW_HALVES
    interval = frechet_interval(
        space.real,
        space.generated,
        groups_x=space.real_groups,
        groups_y=space.generated_groups,
        resamples=min(halves, draws.halves),
        seed=draws.seed,
        level=draws.level,
    )
    interval = replace(interval, low=max(interval.low, 0.0))  # no distance is negative
    doubt = None
    if found.is_singular:
        doubt = (
            f"{min(n, n_real):,} pictures for {space.width:,} features: covariances lack rank, bias is large"
        )
    return Figure(
        name=space.frechet,
        value=found.value,
        better="lower",
        encoder=space.encoder,
        n=n,
        n_real=n_real,
        **tell_interval(interval),
        **tell_level(level),
        reason=doubt,
    )


def measure_frechet_infinity(space: Space, draws: Draws, level: Level | None) -> Extrapolated:
    """The same of endless generated sets, from a line over 1 / N; the real set's own bias stays."""
    name = f"{space.frechet}_infinity"
    common: dict[str, Any] = {"name": name, "better": "lower", "encoder": space.encoder}
    try:
        found = frechet_infinity(space.real, space.generated, seed=draws.seed)
    except UsageError as error:
        return Extrapolated(figure=Figure(**common, value=None, reason=str(error)), curve=None)
    reach = NormalDist().inv_cdf(0.5 + draws.level / 2) * found.error
    doubt = None
    if found.sizes[0] <= space.width:
        doubt = f"the line begins at {found.sizes[0]:,} pictures, fewer than features: it may be none"
    figure = Figure(
        **common,
        value=found.value,
        low=found.value - reach,
        high=found.value + reach,
        interval=f"least squares of {len(found.sizes)} points; rather too narrow",
        n=found.n_y,
        n_real=found.n_x,
        reason=doubt,
        details={"slope": found.slope, "error": found.error, "sizes": list(found.sizes)},
    )
    return Extrapolated(figure=figure, curve=_draw_line(space, found, level))


def measure_kernel(space: Space, draws: Draws, level: Level | None) -> Figure:
    """CMMD, or the unbiased kernel distance, with its published form over subsets in the details."""
    x, y, groups_x, groups_y = _limit(space, draws.seed)
    if space.kernel == CMMD:
        value = cmmd(x, y).value
        details: Mapping[str, float] = {"unbiased": cmmd(x, y, unbiased=True).value}
        interval = _halve_cmmd(x, y, groups_x, groups_y, draws)
    else:
        value, details = kid_unbiased(x, y), _tell_subsets(space, draws)
        interval = kid_interval(
            x,
            y,
            groups_x=groups_x,
            groups_y=groups_y,
            resamples=draws.halves,
            seed=draws.seed,
            level=draws.level,
        )
    told = tell_level(level)
    return Figure(
        name=space.kernel,
        value=value,
        better="lower",
        encoder=space.encoder,
        n=len(y),
        n_real=len(x),
        **tell_interval(interval),
        **{**told, "details": {**told["details"], **details}},
    )


def tell_interval(interval: Interval) -> dict[str, Any]:
    """Fields of a figure for an interval by half-samples."""
    return {
        "low": interval.low,
        "high": interval.high,
        "interval": f"{interval.resamples} half-samples",
    }


def tell_level(level: Level | None) -> dict[str, Any]:
    """Fields of a figure for what there is at equal counts, which are smaller than those of the figure itself."""
    if level is None:
        return {"floor": None, "details": {}}
    return {
        "floor": level.floor,
        "details": {
            "floor_n": level.n,
            "floor_by": level.unit,
            "floor_low": level.floor_low,
            "floor_high": level.floor_high,
            "at_floor_n": level.generated,
        },
    }


def _tell_subsets(space: Space, draws: Draws) -> Mapping[str, float]:
    found = kid(space.real, space.generated, subsets=draws.subsets, size=draws.subset_size, seed=draws.seed)
    return {
        "subset_mean": found.value,
        "subset_std": found.std,
        "subset_size": found.subset_size,
        "n_subsets": found.n_subsets,
    }


def _limit(space: Space, seed: int) -> tuple[Any, Any, list[str], list[str]]:
    """At most `MOST` pictures of each set, with their groups."""
    rng = make_rng(seed, "evaluate", "kernel")
    rows, drawn = (draw_rows(len(each), MOST, rng) for each in (space.real, space.generated))
    return (
        space.real[rows],
        space.generated[drawn],
        [space.real_groups[row] for row in rows],
        [space.generated_groups[row] for row in drawn],
    )


def _halve_cmmd(x: Any, y: Any, groups_x: list[str], groups_y: list[str], draws: Draws) -> Interval:
    resamples = draws.halves if max(len(x), len(y)) <= _COSTLY_KERNEL else min(FEW_HALVES, draws.halves)
    halves_x = draw_halves(len(x), resamples, draws.seed, "x", groups_x)
    halves_y = draw_halves(len(y), resamples, draws.seed, "y", groups_y)
    values = [cmmd(x[own], y[other]).value for own, other in zip(halves_x, halves_y, strict=True)]
    return half_sample_interval(cmmd(x, y).value, np.array(values), draws.level)


def _draw_line(space: Space, found: FrechetInfinity, level: Level | None) -> Curve:
    t = [1 / size for size in found.sizes]
    ends = (0.0, max(t))
    lines = [
        Line(name="measured", x=tuple(t), y=found.values),
        Line(name="fit", x=ends, y=tuple(found.value + found.slope * end for end in ends)),
    ]
    if level is not None:
        lines.append(Line(name=f"real against real, {level.n:,} each", x=ends, y=(level.floor,) * 2))
    return Curve(
        title=f"{space.frechet} over 1 / N",
        x_label="1 / generated pictures",
        y_label=space.frechet,
        lines=tuple(lines),
        note="Where the fit meets 0 is the distance of endless generated sets.",
    )
