"""Probes against closed forms, scipy's statistics, and what a probe must not see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, check_grad
from scipy.stats import mannwhitneyu

from earthloom.core.errors import UsageError
from earthloom.metrics.probe import (
    _loss,
    accuracy,
    auc,
    balanced_accuracy,
    cross_validate,
    deal_folds,
    fit_probe,
)


def make_blobs(n: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(["clear", "fog", "snow"], n)
    centres = np.repeat(apart * np.eye(3, 6), n, axis=0)
    return centres + rng.normal(size=(3 * n, 6)), labels


def test_separable_classes_are_told_apart() -> None:
    x, labels = make_blobs(40, 8)
    probe = fit_probe(x, labels)
    assert probe.classes == ("clear", "fog", "snow")
    assert accuracy(probe.predict(x), labels) == 1
    np.testing.assert_allclose(probe.probabilities(x).sum(axis=1), 1)


def test_two_points_have_the_closed_form() -> None:
    """x = -1 and 1: by symmetry the weights are -w and w, and 2 (1 - p) = penalty w with p = 1 / (1 + exp(-2 w))."""
    probe = fit_probe(np.array([[-1.0], [1.0]]), ["a", "b"], penalty=0.7)
    wanted = brentq(lambda w: 2 / (1 + np.exp(2 * w)) - 0.7 * w, 0, 10)
    np.testing.assert_allclose(probe.weights, [[-wanted, wanted]], atol=1e-5)
    np.testing.assert_allclose(probe.biases, 0, atol=1e-5)


def test_biases_are_free_so_mean_probabilities_are_the_shares() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 4))
    labels = np.array(["a"] * 60 + ["b"] * 30)
    shares = fit_probe(x, labels).probabilities(x).mean(axis=0)
    np.testing.assert_allclose(shares, [2 / 3, 1 / 3], atol=1e-4)


def test_the_gradient_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(1)
    x, wanted = rng.normal(size=(20, 3)), rng.integers(0, 3, 20)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = _loss(flat.reshape(4, 3), x, wanted, 0.5)
        return value, gradient.ravel()

    assert check_grad(lambda t: loss(t)[0], lambda t: loss(t)[1], rng.normal(size=12)) < 1e-4


def test_features_that_hang_together_have_the_minimum_of_plain_descent() -> None:
    """In round coordinates the way is another, the minimum the same: here by Newton's method, whole."""
    rng = np.random.default_rng(4)
    hidden = rng.normal(size=(300, 5))
    x = hidden @ rng.normal(size=(5, 12)) + 0.01 * rng.normal(size=(300, 12))
    labels = np.array(["a", "b", "c"])[hidden[:, :3].argmax(axis=1)]
    probe = fit_probe(x, labels, penalty=0.3)
    index, scaled = np.unique(labels, return_inverse=True)[1], probe.scaler.scale(x)
    rows = np.column_stack([scaled, np.ones(300)])
    ridge = np.kron(np.diag([0.3] * 12 + [1e-9]), np.eye(3))
    table = np.zeros((13, 3))
    for _ in range(30):
        p = probe_softmax(rows @ table)
        gradient = (rows.T @ (p - np.eye(3)[index])).ravel() + ridge @ table.ravel()
        spread = p[:, :, None] * np.eye(3) - p[:, :, None] * p[:, None]
        curvature = np.einsum("nd,nkl,ne->dkel", rows, spread, rows).reshape(39, 39) + ridge
        table -= np.linalg.lstsq(curvature, gradient, rcond=1e-13)[0].reshape(13, 3)
    np.testing.assert_allclose(probe.probabilities(x), probe_softmax(rows @ table), atol=2e-3)
    assert _loss(np.vstack([probe.weights, probe.biases]), scaled, index, 0.3)[0] == pytest.approx(
        _loss(table, scaled, index, 0.3)[0], rel=1e-6
    )


def probe_softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def test_the_unit_of_a_feature_does_not_matter() -> None:
    x, labels = make_blobs(30, 2)
    first = fit_probe(x, labels).probabilities(x)
    second = fit_probe(x * [1e-3, 1, 1e3, 1, 1, 1] + 7, labels).probabilities(x * [1e-3, 1, 1e3, 1, 1, 1] + 7)
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_cross_validation_finds_nothing_in_noise() -> None:
    rng = np.random.default_rng(2)
    labels = np.repeat(["a", "b"], 150)
    found = cross_validate(rng.normal(size=(300, 5)), labels, np.arange(300).astype(str))
    assert found.auc == pytest.approx(0.5, abs=0.1)
    assert found.balanced_accuracy == pytest.approx(0.5, abs=0.1)


def test_groups_keep_a_probe_from_remembering() -> None:
    """Ten copies of each picture with labels by chance: only a probe that saw its copies would be right."""
    rng = np.random.default_rng(3)
    pictures, labels = rng.normal(size=(40, 30)), np.tile(["a", "b"], 20)
    x = np.repeat(pictures, 10, axis=0) + 0.01 * rng.normal(size=(400, 30))
    owners = np.repeat(np.arange(40), 10).astype(str)
    honest = cross_validate(x, np.repeat(labels, 10), owners)
    leaking = cross_validate(x, np.repeat(labels, 10), np.arange(400).astype(str))
    assert leaking.accuracy > 0.85
    assert honest.accuracy < 0.7


def test_every_group_lies_in_one_fold_and_folds_are_balanced() -> None:
    labels = np.array(["a", "b"] * 60)
    groups = np.repeat(np.arange(40), 3).astype(str)
    home = deal_folds(labels, groups, 5, 0)
    assert all(len(set(home[groups == group])) == 1 for group in groups)
    counts = [[(labels[home == fold] == name).sum() for name in "ab"] for fold in range(5)]
    assert np.ptp(counts, axis=0).max() <= 4  # groups are of 3, one class twice in each
    np.testing.assert_array_equal(home, deal_folds(labels, groups, 5, 0))
    assert (home != deal_folds(labels, groups, 5, 1)).any()


def test_three_classes_have_no_auc() -> None:
    x, labels = make_blobs(20, 6)
    found = cross_validate(x, labels, np.arange(60).astype(str), folds=4)
    assert found.auc is None
    assert found.accuracy > 0.95
    assert found.n_folds == 4


@given(st.integers(0, 1000), st.integers(1, 30), st.integers(1, 30), st.integers(2, 12))
def test_auc_is_the_mann_whitney_statistic(seed: int, n: int, m: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, n + m).astype(float)  # ties
    labels = np.arange(n + m) < n
    wanted = mannwhitneyu(scores[labels], scores[~labels]).statistic / (n * m) if levels > 1 else 0.5
    assert auc(scores, labels) == pytest.approx(wanted, abs=1e-12)


def test_balanced_accuracy_of_a_constant_answer() -> None:
    labels = np.array(["a"] * 90 + ["b"] * 10)
    constant = np.full(100, "a")
    assert accuracy(constant, labels) == pytest.approx(0.9)
    assert balanced_accuracy(constant, labels) == pytest.approx(0.5)


def test_what_cannot_be_fitted_is_refused() -> None:
    x = np.random.default_rng(0).normal(size=(6, 2))
    with pytest.raises(UsageError, match="two classes"):
        fit_probe(x, ["a"] * 6)
    with pytest.raises(UsageError, match="labels"):
        fit_probe(x, ["a", "b"])
    with pytest.raises(UsageError, match="N x D"):
        fit_probe(x[:, 0], ["a"] * 6)
    with pytest.raises(UsageError, match="Both"):
        auc(x[:, 0], [True] * 6)
    with pytest.raises(UsageError, match="group"):
        cross_validate(x, ["a", "b"] * 3, ["1", "2"])
    with pytest.raises(UsageError, match="two groups"):
        cross_validate(x, ["a", "b", "b", "b", "b", "b"], list("123456"))
    with pytest.raises(UsageError, match="two folds"):
        cross_validate(x, ["a", "b"] * 3, list("123456"), folds=1)
