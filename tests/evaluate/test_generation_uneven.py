"""Sets of very different counts, and grounds of very different sizes: nothing fails, and like stands beside like."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from earthloom.evaluate.attributes.readings import Resampling
from earthloom.evaluate.generation.manifolds import measure_manifolds
from earthloom.evaluate.generation.scores import HEAD, measure_score
from earthloom.evaluate.generation.spaces import Draws, Space
from earthloom.metrics.inception import inception_score_of_probabilities
from earthloom.models.encoders import load_encoder

DRAWS = Draws(
    resampling=Resampling(resamples=100, level=0.95, seed=0), halves=20, subsets=10, subset_size=100
)


def make_space(n: int, m: int, width: int, real_groups: tuple[str, ...] | None = None) -> Space:
    rng = np.random.default_rng(5)
    return Space(
        encoder="made@1",
        frechet="fd:made",
        kernel="kd:made",
        scaler=None,
        real=np.abs(rng.normal(size=(n, width))),
        generated=np.abs(rng.normal(size=(m, width))),
        real_groups=real_groups or tuple(f"g{row}" for row in range(n)),
        generated_groups=tuple(f"p{row}" for row in range(m)),
    )


@pytest.mark.parametrize("n_singles", [19, 30, 60])
def test_one_ground_of_most_pictures_leaves_neighbours_in_every_half(n_singles: int) -> None:
    """Half of the grounds may be two pictures, of which none has a fifth neighbour."""
    groups = tuple("large" if row >= n_singles else str(row) for row in range(300))
    space = make_space(300, 20, 8, groups)
    assert Counter(groups)["large"] > 200
    found = measure_manifolds(space, DRAWS, {})
    assert all(figure.value is not None and figure.low is not None for figure in found)


def test_the_ceiling_of_a_score_is_taken_at_the_count_of_the_generated() -> None:
    encoder = load_encoder("ours")
    space = make_space(400, 40, encoder.width)
    figure = measure_score(encoder, space, DRAWS)
    assert figure is not None
    assert figure.ceiling is not None
    whole = inception_score_of_probabilities(encoder.ask(HEAD, space.real)).value  # type: ignore[attr-defined]
    assert figure.details["ceiling_n"] == 40
    assert figure.details["at_ceiling_n"] == pytest.approx(figure.value)  # all of them, in another order
    assert figure.ceiling < whole  # four a split score lower than forty
