"""Inception Score against closed forms and the definition written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from earthloom.core.errors import UsageError
from earthloom.metrics.inception import inception_score, inception_score_of_probabilities


def test_ten_sure_classes_score_ten() -> None:
    found = inception_score_of_probabilities(np.eye(10), splits=1)
    assert found.value == pytest.approx(10, abs=1e-12)
    assert found.std == 0
    assert inception_score(1e4 * np.eye(10), splits=1).value == pytest.approx(10, abs=1e-12)


def test_one_answer_to_everything_scores_one() -> None:
    assert inception_score_of_probabilities(np.full((50, 8), 1 / 8)).value == pytest.approx(1, abs=1e-12)
    same = np.tile(np.random.default_rng(0).normal(size=8), (50, 1))
    assert inception_score(same).value == pytest.approx(1, abs=1e-12)


def test_splits_are_those_of_torch_fidelity() -> None:
    """Its rule in words: permute by RandomState(2020), cut at i N // splits, KL of each row to the mean of its part."""
    logits = np.random.default_rng(1).normal(scale=2, size=(103, 12))
    p = softmax(logits[np.random.RandomState(2020).permutation(103)], axis=1)
    parts = [p[i * 103 // 10 : (i + 1) * 103 // 10] for i in range(10)]
    scores = [np.exp(np.mean([entropy(row, part.mean(axis=0)) for row in part])) for part in parts]
    found = inception_score(logits)
    assert found.value == pytest.approx(np.mean(scores), rel=1e-12)
    assert found.std == pytest.approx(np.std(scores), rel=1e-9)
    assert (found.n, found.n_classes, found.splits, found.seed) == (103, 12, 10, 2020)


def test_logits_and_their_probabilities_agree() -> None:
    logits = np.random.default_rng(2).normal(size=(40, 5)).astype(np.float32) + 1000
    by_probabilities = inception_score_of_probabilities(softmax(logits.astype(np.float64), axis=1))
    assert inception_score(logits).value == pytest.approx(by_probabilities.value, rel=1e-12)
    assert inception_score(logits, seed=1) != inception_score(logits)


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(UsageError, match="as splits"):
        inception_score(np.ones((9, 3)))
    with pytest.raises(UsageError, match="finite logits"):
        inception_score(np.full((20, 3), np.nan))
    with pytest.raises(UsageError, match="finite logits"):
        inception_score(np.ones(20))
    with pytest.raises(UsageError, match="sum 1"):
        inception_score_of_probabilities(np.ones((20, 3)))
