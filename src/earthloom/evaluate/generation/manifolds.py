"""Precision, recall, density and coverage of one space, at equal counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from earthloom.core.seeds import make_rng
from earthloom.evaluate.generation.distances import FEW_HALVES, tell_interval, tell_level
from earthloom.evaluate.generation.halves import Level
from earthloom.evaluate.generation.spaces import Draws, Space, draw_rows
from earthloom.evaluate.result import Figure
from earthloom.metrics.bootstrap import Interval, draw_halves, half_sample_interval
from earthloom.metrics.prdc import prdc
from earthloom.models.encoders.encoder import Features

NAMES = ("precision", "recall", "density", "coverage")
MOST = 10_000
"""Pictures of each set: the count of the papers; time grows with the square."""
K_DENSITY = 5
"""Neighbours of density and coverage, the most of the four: every set has to have more."""
LEAST_GROUPS = 4
"""Of which halves can be drawn."""
_COSTLY = 2e9
"""Products of counts and features above which few half-samples are taken: each takes a second or more."""


def measure_manifolds(space: Space, draws: Draws, levels: Mapping[str, Level]) -> list[Figure]:
    """The four, with equally many pictures of both sets."""
    rng = make_rng(draws.seed, "evaluate", "manifolds")
    size = min(len(space.real), len(space.generated), MOST)
    rows, drawn = (draw_rows(len(each), size, rng) for each in (space.real, space.generated))
    x, y = space.real[rows], space.generated[drawn]
    values = measure_prdc(x, y)
    halves = draws.halves if size * size * space.width <= _COSTLY else min(FEW_HALVES, draws.halves)
    halves_x = draw_halves(size, halves, draws.seed, "x", _take_groups(space.real_groups, rows))
    halves_y = draw_halves(size, halves, draws.seed, "y", _take_groups(space.generated_groups, drawn))
    sampled = [measure_prdc(x[one], y[other]) for one, other in zip(halves_x, halves_y, strict=True)]
    return [
        Figure(
            name=name,
            value=values[name],
            better="higher",
            encoder=space.encoder,
            n=size,
            n_real=size,
            **tell_interval(_bound(name, values[name], [each[name] for each in sampled], draws.level)),
            **tell_level(levels.get(name)),
        )
        for name in NAMES
    ]


def _take_groups(groups: Sequence[str], rows: npt.NDArray[np.int64]) -> list[str] | None:
    """Groups of some rows; None, so that pictures are drawn, where half of the groups may hold too few neighbours."""
    taken = [groups[row] for row in rows]
    sizes = sorted(Counter(taken).values())
    least = sum(sizes[: len(sizes) // 2])
    return taken if len(sizes) >= LEAST_GROUPS and least > K_DENSITY else None


def measure_prdc(x: Features, y: Features) -> dict[str, float]:
    """The four of generated features `y` against real ones `x`, by name."""
    found = prdc(x, y, k_density=K_DENSITY)
    return {name: float(getattr(found, name)) for name in NAMES}


def _bound(name: str, value: float, sampled: list[float], level: float) -> Interval:
    """Interval by half-samples; shares stay within 0 and 1."""
    found = half_sample_interval(value, np.array(sampled), level)
    most = np.inf if name == "density" else 1.0
    return Interval(
        low=max(found.low, 0.0), high=min(found.high, most), level=level, resamples=found.resamples
    )
