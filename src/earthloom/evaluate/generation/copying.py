"""Memorisation: whether generated pictures are copies of those that the generator was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.attributes.readings import average
from earthloom.evaluate.gathering import Gathered
from earthloom.evaluate.generation.spaces import Draws, Space
from earthloom.evaluate.result import Better, Curve, Figure, Line
from earthloom.metrics.neighbours import Nearest, find_nearest, judge_memorisation

_POINTS = 101
"""Of a curve of shares."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Share:
    """Which of the generated pictures something holds of."""

    name: str
    flags: npt.NDArray[np.bool_]
    """M, one a picture."""
    better: Better
    floor: float
    """The share of real pictures that it holds of."""
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pairs:
    """Generated pictures, each beside the training picture that comes nearest to it."""

    title: str
    note: str
    rows: npt.NDArray[np.int64]
    """P, places in the generated set, the nearest first."""
    partners: npt.NDArray[np.int64]
    """P, places in the training set."""
    labels: tuple[str, ...]
    """P, how near."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Copying:
    """How near generated pictures come to the training set."""

    figures: tuple[Figure, ...]
    curve: Curve
    pairs: Pairs
    """To be shown."""


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
    details = {
        "under_5_percent": found.under_5,
        "generated_percentiles": list(found.generated),
        "train_percentiles": list(found.train),
        "real_percentiles": list(floor.generated),
    }
    copied = Share(
        name="copied", flags=drawn.distance <= first, better="lower", floor=floor.under_1, details=details
    )
    is_authentic = drawn.distance > within.distance[drawn.index]
    authentic = Share(
        name="authentic", flags=is_authentic, better="higher", floor=floor.authentic, details=details
    )
    figures = tuple(
        tell_share(share, space.generated_groups, space.encoder, found.n_train, draws)
        for share in (copied, authentic)
    )
    order = np.argsort(drawn.distance, kind="stable")
    pairs = Pairs(
        title="Nearest training pictures",
        note="The generated pictures that come nearest to one that was trained on, the nearest first.",
        rows=order,
        partners=drawn.index[order],
        labels=tuple(f"distance {distance:.3g}" for distance in drawn.distance[order]),
    )
    return Copying(figures=figures, curve=_draw_shares(space, drawn, fresh, within), pairs=pairs)


def tell_share(share: Share, groups: Sequence[str], encoder: str, n_real: int, draws: Draws) -> Figure:
    """A share of generated pictures as a figure, its interval by their groups."""
    mean = average(share.flags, tuple(groups), draws.resampling)
    assert mean is not None, "there are pictures"
    return Figure(
        name=share.name,
        value=mean.value,
        better=share.better,
        encoder=encoder,
        low=mean.interval.low if mean.interval else None,
        high=mean.interval.high if mean.interval else None,
        interval=f"{mean.interval.how} over {mean.n_groups:,} prompts" if mean.interval else None,
        floor=share.floor,
        n=len(share.flags),
        n_real=n_real,
        details=share.details,
    )


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
