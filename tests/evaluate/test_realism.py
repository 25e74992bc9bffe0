"""Distances between their marks: Gaussian features whose distances are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earthloom.evaluate.scenes.realism import LEAST_PICTURES, Described, Distance, draw_rows, measure_distance


def make_set(rng: np.random.Generator, n: int, shift: float, d: int = 4, name: str = "") -> Described:
    return Described(
        features=rng.normal(shift, 1, (n, d)), groups=tuple(f"{name}{number}" for number in range(n))
    )


def measure(
    synthetic: float,
    *,
    n: int = 200,
    name: str = "kid",
    d: int = 4,
    clear: float = 2.0,
    n_clear: int | None = None,
) -> Distance:
    rng = np.random.default_rng(5)
    sets = (
        make_set(rng, n, synthetic, d),
        make_set(rng, n, 0.0, d),
        make_set(rng, n if n_clear is None else n_clear, clear, d),
    )
    return measure_distance(name, "test@1", *sets, subsets=40, seed=3)


@pytest.mark.parametrize("name", ["kid", "frechet"])
def test_skill_is_one_for_real_and_zero_for_clear(name: str) -> None:
    alike, between, no_better = (measure(shift, name=name) for shift in (0.0, 1.0, 2.0))
    assert alike.skill == pytest.approx(1, abs=0.05)
    assert no_better.skill == pytest.approx(0, abs=0.05)
    assert between.skill is not None
    assert 0.2 < between.skill < 0.95
    for found in (alike, between, no_better):
        assert found.skill_low is not None
        assert found.skill_high is not None
        assert found.skill_low < found.skill < found.skill_high  # type: ignore[operator]
        assert found.reason is None
        assert found.subset_size == 100


def test_the_score_of_frechet_is_that_of_the_gaussians() -> None:
    """Features are divided by the spread of real and clear together: 1 + (2 / 2)^2 = 2 in variance each."""
    found = measure(1.0, n=4000, name="frechet", d=3)
    assert found.score is not None
    assert found.ceiling is not None
    assert found.floor is not None
    assert found.score.value == pytest.approx(3 * 1.0 / 2, rel=0.06)
    assert found.ceiling.value == pytest.approx(3 * 4.0 / 2, rel=0.06)
    assert found.floor.value < 0.03


def test_kid_is_the_mean_discrepancy_over_halves() -> None:
    """Against a plain double loop over the kernel, where every draw of halves is all there is."""
    rng = np.random.default_rng(1)
    real, synthetic = make_set(rng, 40, 0.0, 2), make_set(rng, 20, 0.5, 2)
    found = measure_distance("kid", "test@1", synthetic, real, make_set(rng, 0, 0.0, 2), subsets=400, seed=0)
    mean, spread = real.features.mean(axis=0), real.features.std(axis=0)
    x, y = ((part.features - mean) / spread for part in (synthetic, real))

    def average(a: np.ndarray, b: np.ndarray, *, apart: bool) -> float:
        values = [
            (float(p @ q) / 2 + 1) ** 3
            for i, p in enumerate(a)
            for j, q in enumerate(b)
            if not apart or i != j
        ]
        return float(np.mean(values))

    wanted = average(x, x, apart=True) + average(y, y, apart=True) - 2 * average(x, y, apart=False)
    assert found.score is not None
    assert found.score.value == pytest.approx(wanted, rel=0.12)
    assert found.skill is None
    assert found.reason == "no clear pictures, and so no ceiling"


def test_too_few_pictures_are_no_skill_but_a_reason_with_the_number() -> None:
    found = measure(1.0, n=LEAST_PICTURES - 1)
    assert (found.skill, found.score, found.floor) == (None, None, None)
    assert found.reason == "wants 20 synthetic pictures of different ground, got 19"
    found = measure(1.0, n=LEAST_PICTURES, n_clear=7)
    assert found.reason == "wants 20 clear pictures of different ground, got 7"
    found = measure(1.0, n=100, name="frechet", d=64)
    assert found.reason == "wants more than 128 synthetic pictures for 64 features, got 100"


def test_many_variants_of_one_ground_are_few_pictures() -> None:
    rng = np.random.default_rng(0)
    many = Described(features=rng.normal(size=(60, 3)), groups=tuple(f"{i % 10}" for i in range(60)))
    other = make_set(rng, 60, 1.0, 3)
    found = measure_distance("kid", "test@1", many, other, other, subsets=10, seed=0)
    assert found.reason == "wants 20 synthetic pictures of different ground, got 10"


def test_marks_that_cannot_be_told_apart_give_no_skill() -> None:
    found = measure(1.0, clear=0.0)
    assert found.skill is None
    assert found.reason is not None
    assert found.reason.startswith("clear pictures are as near")
    assert found.score is not None
    assert found.ceiling is not None


def test_equal_seeds_give_equal_numbers() -> None:
    assert measure(0.7) == measure(0.7)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(0, 2**32), st.data())
def test_rows_are_of_different_grounds(groups: list[int], seed: int, data: st.DataObject) -> None:
    names = [f"g{group}" for group in groups]
    size = data.draw(st.integers(1, len(set(names))))
    rows = draw_rows(names, size, np.random.default_rng(seed))
    assert len(rows) == size == len({names[row] for row in rows})


def test_every_variant_of_a_ground_is_drawn_sometimes() -> None:
    rng = np.random.default_rng(2)
    drawn = np.array([draw_rows(["a", "a", "b"], 2, rng) for _ in range(400)])
    share = (drawn == 0).any(axis=1).mean()
    assert 0.4 < share < 0.6
