"""Memorisation: whether generated pictures are copies of those that the generator was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.attributes.readings import average
from earthloom.evaluate.gathering import Gathered
from earthloom.evaluate.generation.spaces import Draws, Space
from earthloom.evaluate.result import Curve, Figure, Line
from earthloom.metrics.neighbours import Nearest, find_nearest, judge_memorisation

_POINTS = 101
"""Of a curve of shares."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Copying:
    """How near generated pictures come to the training set."""

    figures: tuple[Figure, ...]
    curve: Curve
    nearest: Nearest
    """Of each generated picture, in the training set."""


def measure_copying(space: Space, train: Gathered, draws: Draws) -> Copying:
    """Distances from generated pictures to the training set, beside those within it and those from real pictures.

    Args:
        space: both sets; real pictures that the generator has not seen say what fresh pictures come to.
        train: described by the same encoder.
        draws: of the intervals.

    Raises:
        UsageError: there are fewer than two training pictures.

    """
    learned = space.scale(train)
    # Variants of one ground lie so near to each other that beside them no copy would stand out.
    grounds = train.groups if len(set(train.groups)) > 1 else None
    within = find_nearest(learned, learned, omit_own=True, groups=grounds)
    drawn, fresh = (find_nearest(features, learned) for features in (space.generated, space.real))
    found, floor = (judge_memorisation(within, nearest) for nearest in (drawn, fresh))
    first = float(np.percentile(within.distance, 1))
    scores = {
        "copied": (drawn.distance <= first, floor.under_1, "lower"),
        "authentic": (drawn.distance > within.distance[drawn.index], floor.authentic, "higher"),
    }
    figures = []
    for name, (score, level, better) in scores.items():
        mean = average(score.astype(np.float64), space.generated_groups, draws.resampling)
        assert mean is not None  # there are pictures
        figures.append(
            Figure(
                name=name,
                value=mean.value,
                better="lower" if better == "lower" else "higher",
                encoder=space.encoder,
                low=mean.interval.low if mean.interval else None,
                high=mean.interval.high if mean.interval else None,
                interval=f"bootstrap over {mean.n_groups:,} prompts" if mean.interval else None,
                floor=level,
                n=found.n_generated,
                n_real=found.n_train,
                details={
                    "under_5_percent": found.under_5,
                    "generated_percentiles": list(found.generated),
                    "train_percentiles": list(found.train),
                    "real_percentiles": list(floor.generated),
                },
            )
        )
    return Copying(figures=tuple(figures), curve=_draw_shares(space, drawn, fresh, within), nearest=drawn)


def list_nearest(copying: Copying, n: int) -> list[int]:
    """Rows of the generated pictures that come nearest to a training picture, the nearest first."""
    return [int(row) for row in np.argsort(copying.nearest.distance, kind="stable")[:n]]


def _draw_shares(space: Space, drawn: Nearest, fresh: Nearest, within: Nearest) -> Curve:
    shares = np.linspace(0, 1, _POINTS)
    named = (("generated", drawn), ("real", fresh), ("training pictures, to one of another ground", within))
    return Curve(
        title=f"Nearest training picture, {space.encoder}",
        x_label="distance of features",
        y_label="share of the pictures that are nearer",
        lines=tuple(_draw_share(name, nearest.distance, shares) for name, nearest in named),
        note="A line of generated pictures left of that of real ones says that they lie nearer to what was trained on.",
    )


def _draw_share(name: str, distances: npt.NDArray[np.float64], shares: npt.NDArray[np.float64]) -> Line:
    x: Sequence[float] = np.quantile(distances, shares).tolist()
    return Line(name=name, x=tuple(x), y=tuple(shares.tolist()))
