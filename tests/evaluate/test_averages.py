"""Figures of averages say how far off they may be, also where all items agree."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from earthloom.evaluate.averages import average
from earthloom.evaluate.captioning.config import CaptioningRecipe

RECIPE = CaptioningRecipe.model_validate(
    {
        "evaluate": "captioning",
        "name": "made",
        "pictures": {"folder": "pictures"},
        "candidates": "captions.jsonl",
        "resamples": 200,
    }
)


def test_twenty_right_answers_of_twenty_are_not_certain() -> None:
    figure = average("accuracy", np.ones(20, np.bool_), [f"ground {i}" for i in range(20)], RECIPE)
    wanted = scipy.stats.binomtest(20, 20).proportion_ci(0.95, method="wilson")
    assert (figure.value, figure.high) == (1, 1)
    assert figure.low == pytest.approx(wanted.low, abs=1e-12)
    assert figure.interval == "Wilson's score interval over 20 grounds"


def test_numbers_are_resampled_even_where_they_are_whole() -> None:
    figure = average("score", np.array([0.0, 1.0] * 10), [str(i) for i in range(20)], RECIPE, units="prompts")
    assert figure.interval == "bootstrap over 20 prompts"
    assert figure.value == 0.5


def test_one_ground_has_no_interval_and_nothing_no_value() -> None:
    one = average("accuracy", np.array([True, False]), ["a", "a"], RECIPE)
    assert (one.value, one.low, one.high, one.interval) == (0.5, None, None, None)
    none = average("accuracy", np.zeros(0, np.bool_), [], RECIPE)
    assert (none.value, none.n, none.reason) == (None, 0, "there is nothing to average")
