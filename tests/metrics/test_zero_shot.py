"""Classification by texts: against formulas written out, chance, and orders that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from earthloom.core.errors import UsageError
from earthloom.metrics.probe import balanced_accuracy
from earthloom.metrics.zero_shot import (
    average_precision,
    describe_classes,
    judge_classes,
    mean_average_precision,
    mean_recall,
    score_classes,
)


def test_a_class_is_the_normalised_mean_of_its_normalised_texts() -> None:
    texts = np.array([[5.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 7.0]])
    found = describe_classes(texts, 2)
    np.testing.assert_allclose(found, [[2**-0.5, 2**-0.5], [0.0, 1.0]])


def test_the_nearest_class_wins() -> None:
    classes = np.eye(3)
    scores = score_classes(np.array([[3.0, 1.0, 0.0], [0.0, 0.1, 0.3]]), classes)
    found = judge_classes(scores, [0, 1])
    assert found.predicted.tolist() == [0, 2]
    assert found.is_first.tolist() == [True, False]
    assert found.accuracy == 0.5
    assert found.confusion.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert found.accuracy_top is None, "three classes: any answer would be among the first five"


def test_the_first_five_are_counted_from_five_classes_on() -> None:
    scores = np.tile(np.arange(6, 0, -1.0), (6, 1))
    found = judge_classes(scores, np.arange(6))
    assert found.accuracy == pytest.approx(1 / 6)
    assert found.accuracy_top == pytest.approx(5 / 6)


def test_a_model_that_says_the_same_of_every_class_is_never_right() -> None:
    found = judge_classes(np.ones((10, 7)), np.arange(10) % 7)
    assert (found.accuracy, found.accuracy_top, found.tied) == (0.0, 0.0, 1.0)


def test_scores_without_meaning_come_to_chance() -> None:
    rng = np.random.default_rng(0)
    found = judge_classes(rng.normal(size=(40_000, 10)), rng.integers(10, size=40_000))
    assert found.accuracy == pytest.approx(0.1, abs=0.006)
    assert found.accuracy_top == pytest.approx(0.5, abs=0.01)


def test_balanced_accuracy_is_that_of_the_probes() -> None:
    rng = np.random.default_rng(3)
    truth, predicted = rng.choice(4, 500, p=[0.7, 0.2, 0.05, 0.05]), rng.integers(4, size=500)
    expected = balanced_accuracy(predicted.astype(str), truth.astype(str))
    assert mean_recall(predicted == truth, truth) == pytest.approx(expected, abs=1e-12)
    assert mean_recall(np.array([True, False]), np.array([2, 2])) == 0.5, (
        "classes that do not occur do not count"
    )


def test_average_precision_of_orders_counted_by_hand() -> None:
    flags = np.array([True, False, True, False])
    assert average_precision(np.array([4.0, 3.0, 2.0, 1.0]), flags) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(np.array([1.0, 2.0, 3.0, 4.0]), flags) == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert average_precision(np.ones(4), flags) == pytest.approx(2 / 4), (
        "constant scores: the share of the positive"
    )


def test_mean_average_precision_leaves_classes_out_that_no_picture_carries() -> None:
    truth = np.array([[True, False], [False, False]])
    assert mean_average_precision(np.array([[2.0, 0.0], [1.0, 5.0]]), truth) == 1.0


def test_average_precision_is_the_area_of_its_steps() -> None:
    """The same by another way: precision times the step in recall at every distinct threshold."""
    rng = np.random.default_rng(7)
    scores = rng.integers(8, size=200).astype(np.float64)
    flags = rng.random(200) < 0.3
    area, before = 0.0, 0.0
    for threshold in np.unique(scores)[::-1]:
        taken = scores >= threshold
        recall, precision = flags[taken].sum() / flags.sum(), flags[taken].mean()
        area, before = area + (recall - before) * precision, recall
    assert average_precision(scores, flags) == pytest.approx(area, abs=1e-12)


def test_what_cannot_be_judged_is_a_fault() -> None:
    with pytest.raises(UsageError, match="2 texts"):
        describe_classes(np.eye(3), 2)
    with pytest.raises(UsageError, match="two classes"):
        judge_classes(np.ones((2, 1)), [0, 0])
    with pytest.raises(UsageError, match="from 0 to 1"):
        judge_classes(np.ones((2, 2)), [0, 2])
    with pytest.raises(UsageError):
        average_precision(np.ones(2), np.zeros(2, np.bool_))
    with pytest.raises(UsageError):
        score_classes(np.eye(2), np.eye(3))
