"""Crossed classifiers and telling synthetic from real: sets whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from earthloom.evaluate.scenes.classify import Crossed, cross_classify, tell_apart
from earthloom.evaluate.scenes.realism import Described


def name_groups(n: int, prefix: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in range(n))


def make(rng: np.random.Generator, n: int, mean: tuple[float, float], prefix: str) -> Described:
    return Described(features=rng.normal(mean, 1, (n, 2)), groups=name_groups(n, prefix))


def cross(weather: tuple[float, float], made: tuple[float, float], n: int = 80) -> Crossed:
    rng = np.random.default_rng(4)
    return cross_classify(
        "test@1",
        make(rng, n, made, "place "),
        make(rng, n, (0, 0), "place "),
        make(rng, n, weather, "real "),
        make(rng, n, (0, 0), "clear "),
        folds=5,
        seed=0,
    )


def test_good_weather_is_taken_for_what_it_is_meant_to_be() -> None:
    found = cross((4, 0), (4, 0))
    for answers in (
        found.real_to_real,
        found.real_to_synthetic,
        found.synthetic_to_real,
        found.synthetic_to_synthetic,
    ):
        assert answers is not None
        assert answers.balanced_accuracy > 0.95
        assert answers.auc > 0.98
        assert answers.n == 160


def test_the_best_probe_is_as_good_as_the_gaussians_let_it_be() -> None:
    """Two unit Gaussians 2 apart: Phi(1) = 0.8413 of them lie on their own side of the line between."""
    found = cross((2, 0), (2, 0), n=600).real_to_real
    assert found is not None
    assert found.balanced_accuracy == pytest.approx(0.8413, abs=0.02)
    assert found.auc == pytest.approx(0.9214, abs=0.02)


def test_weather_of_another_kind_teaches_nothing() -> None:
    found = cross((4, 0), (0, 4))
    assert found.real_to_real is not None
    assert found.real_to_synthetic is not None
    assert found.real_to_real.balanced_accuracy > 0.95
    assert found.real_to_synthetic.balanced_accuracy < 0.6


def test_no_ground_lies_on_both_sides() -> None:
    """Features that only name the ground: a probe that had seen it would know clear from weather; none may."""
    n, rng = 40, np.random.default_rng(0)
    labels = rng.permutation(np.arange(n) % 2)
    features = np.eye(n)
    originals = Described(
        features=features[labels == 0], groups=tuple(f"p{i}" for i in np.flatnonzero(labels == 0))
    )
    synthetic = Described(
        features=features[labels == 1], groups=tuple(f"p{i}" for i in np.flatnonzero(labels == 1))
    )
    twice = Described(features=np.concatenate([synthetic.features] * 3), groups=(*synthetic.groups,) * 3)
    found = cross_classify("test@1", twice, originals, synthetic, originals, folds=5, seed=1)
    for answers in (found.real_to_synthetic, found.synthetic_to_real, found.synthetic_to_synthetic):
        assert answers is not None
        assert answers.auc <= 0.65


def test_telling_apart_lies_between_halves_and_clear_pictures() -> None:
    rng = np.random.default_rng(7)
    sets = make(rng, 100, (0, 0), "s"), make(rng, 100, (0, 0), "r"), make(rng, 100, (6, 0), "c")
    found = tell_apart("test@1", *sets, folds=5, seed=0)
    assert found.score == pytest.approx(0.5, abs=0.12)
    assert found.floor == pytest.approx(0.5, abs=0.08)
    assert found.ceiling is not None
    assert found.ceiling > 0.99


def test_too_few_are_said() -> None:
    rng = np.random.default_rng(7)
    few, enough = make(rng, 12, (0, 0), "s"), make(rng, 30, (0, 0), "r")
    assert tell_apart("test@1", few, enough, enough, folds=5, seed=0).reason == (
        "wants 20 synthetic pictures of different ground, got 12"
    )
    told = tell_apart("test@1", enough, enough, few, folds=5, seed=0)
    assert told.reason is None
    assert told.ceiling is None
    crossed = cross_classify("test@1", enough, few, enough, enough, folds=5, seed=0)
    assert crossed.reason == "wants 20 clear original pictures of different ground, got 12"
    assert crossed.real_to_real is None
