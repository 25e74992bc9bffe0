"""Equal counts: halves of the real pictures against each other, and generated ones against such a half.

Distances of sets depend on how many pictures there are. What real pictures come to among themselves is known at half
their count only, so generated pictures are measured at that count too, against the same halves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from earthloom.core.seeds import make_rng
from earthloom.evaluate.generation.spaces import Space
from earthloom.models.encoders.encoder import Features

LEAST = 10
"""Pictures of each half: our choice; fewer say nothing."""
DRAWS = 10
"""Random halves that a floor is the mean of."""
_COSTLY = 512
"""Features above which a distance takes a second or more, so that fewer halves are drawn."""
Rows = npt.NDArray[np.int64]
Unit = Literal["ground", "picture"]
SPLITS: Mapping[Unit, str] = {"ground": "by ground", "picture": "by picture, for there are few grounds"}
"""What was done, in words."""
Statistics = Callable[[Features, Features], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Halves:
    """Equally many rows of each."""

    one: Rows
    """Of the real set."""
    other: Rows
    """Of the real set, of other grounds; where pictures were split, of other pictures that may show the same ground."""
    drawn: Rows
    """Of the generated set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One number at equal counts: means over random halves."""

    n: int
    """Pictures of each side."""
    generated: float
    """Generated against real."""
    floor: float
    """Real against real."""
    floor_low: float
    floor_high: float
    """The least and the largest over the halves."""
    unit: Unit
    """What was dealt to the halves whole."""


def measure_levels(space: Space, measure: Statistics, seed: int) -> dict[str, Level]:
    """Numbers of generated against real and of real against real, at equal counts.

    Args:
        space: both sets.
        measure: from a reference and what is held against it to numbers by name.
        seed: of the halves.

    Returns:
        By name; nothing where halves would have fewer than `LEAST` pictures.

    """
    n_draws = DRAWS if space.width <= _COSTLY else 4
    draws = draw_halves(space.real_groups, len(space.generated), n_draws, seed)
    if not draws or len(draws[0].one) < LEAST:
        return {}
    floors, scores = [], []
    for draw in draws:
        reference = space.real[draw.one]
        floors.append(measure(reference, space.real[draw.other]))
        scores.append(measure(reference, space.generated[draw.drawn]))
    unit = find_unit(space)
    return {name: _level(name, len(draws[0].one), scores, floors, unit) for name in floors[0]}


def find_unit(space: Space) -> Unit:
    """What halves of the real set are drawn of: grounds, or single pictures where there are few grounds.

    Two pictures of one ground are nearer to each other than those of two: a floor by picture lies lower than one by
    ground would.
    """
    return "ground" if space.real_grounds in ((), space.real_groups) else "picture"


def draw_halves(real_groups: Sequence[str], n_generated: int, draws: int, seed: int) -> list[Halves]:
    """Split the real pictures by group, again and again; all parts of one draw are as large as the smallest of all.

    Args:
        real_groups: N, what goes to one half whole: grounds, or pictures where there are few grounds.
        n_generated: generated pictures that each draw takes its part of.
        draws: how often.
        seed: of the draws.

    Returns:
        One for each time; none where there are fewer than two groups.

    """
    names, owner = np.unique(np.asarray(real_groups, np.str_), return_inverse=True)
    if len(names) < 2:
        return []
    rng = make_rng(seed, "evaluate", "halves")
    splits = [_split(owner, rng) for _ in range(draws)]
    size = min(n_generated, *(min(len(one), len(other)) for one, other in splits))
    return [
        Halves(one=one[:size], other=other[:size], drawn=rng.permutation(n_generated)[:size])
        for one, other in splits
    ]


def _split(owner: Rows, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Rows of two halves in random order; whole groups go to the first until it has half of the pictures."""
    counts = np.bincount(owner)
    order = rng.permutation(len(counts))
    n_first = max(1, int((np.cumsum(counts[order]) <= len(owner) / 2).sum()))
    first = np.isin(owner, order[: min(n_first, len(order) - 1)])
    return rng.permutation(np.flatnonzero(first)), rng.permutation(np.flatnonzero(~first))


def _level(
    name: str,
    n: int,
    scores: Sequence[Mapping[str, float]],
    floors: Sequence[Mapping[str, float]],
    unit: Unit,
) -> Level:
    real = [floor[name] for floor in floors]
    return Level(
        n=n,
        generated=float(np.mean([score[name] for score in scores])),
        floor=float(np.mean(real)),
        floor_low=min(real),
        floor_high=max(real),
        unit=unit,
    )
