"""Linear probes: what a linear classifier reads from features, and how to score it.

Multinomial logistic regression on standardised features with an L2 penalty on the weights, not on the biases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.features import Scaler

Features = npt.NDArray[np.float64]
"""N x D."""
Labels = npt.NDArray[np.str_]
"""N."""

PENALTY = 1.0
"""Weight of half the squared weights against the summed loss: the default of scikit-learn (C = 1)."""


_GRADIENT = 1e-5
"""Where the search ends: largest slope for a sample, in round coordinates, times the root of their number."""
_SAMPLES = 4
"""For each feature, that the curvature is taken from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A fitted linear classifier."""

    classes: tuple[str, ...]
    """Sorted."""
    scaler: Scaler
    weights: Features
    """D x K, on scaled features."""
    biases: Features
    """K."""

    def probabilities(self, x: Features) -> Features:
        """N x K, each row adds up to 1."""
        return _softmax(self.scaler.scale(x) @ self.weights + self.biases)

    def predict(self, x: Features) -> Labels:
        """The likeliest class of each of N x D features."""
        return np.asarray(np.array(self.classes)[self.probabilities(x).argmax(axis=1)])


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossValidated:
    """Every sample judged by a probe that saw nothing of its group."""

    accuracy: float
    balanced_accuracy: float
    auc: float | None
    """Of the second class in order against the first; None unless there are two classes."""
    predicted: Labels
    """N."""
    probabilities: Features
    """N x K, classes sorted."""
    n_folds: int


def fit_probe(x: Features, labels: Sequence[str] | Labels, penalty: float = PENALTY) -> Probe:
    """Fit a probe to N x D features with one label each, by L-BFGS.

    Raises:
        UsageError: for fewer than two classes, counts that differ, or a penalty that is not above 0.

    """
    from scipy.linalg import solve_triangular
    from scipy.optimize import minimize

    x, names = _take_samples(x, labels)
    classes, index = np.unique(names, return_inverse=True)
    if len(classes) < 2:
        raise UsageError(f"At least two classes were wanted, got {classes.tolist()}.")
    if penalty <= 0:
        raise UsageError(f"A penalty above 0 was wanted, got {penalty:g}.")
    scaler = Scaler.fit(x)
    scaled = scaler.scale(x)
    root = _find_root(scaled, len(classes), penalty)

    def back(table: Features) -> Features:
        return np.asarray(solve_triangular(root, table, lower=True, trans="T", check_finite=False))

    def loss(flat: Features) -> tuple[float, Features]:
        value, gradient = _loss(back(flat.reshape(len(root), -1)), scaled, index, penalty)
        return value, solve_triangular(root, gradient, lower=True, check_finite=False).ravel()

    found = minimize(
        loss,
        np.zeros(len(root) * len(classes)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 1000, "ftol": 1e-13, "gtol": _GRADIENT * len(x) ** 0.5},
    )
    table = back(found.x.reshape(len(root), -1))
    return Probe(classes=tuple(classes.tolist()), scaler=scaler, weights=table[:-1], biases=table[-1])


def _find_root(x: Features, n_classes: int, penalty: float) -> Features:
    """The lower Cholesky factor of the loss's curvature in one class where all are equally likely.

    In coordinates that it makes round, the minimum is the same and lies some dozen steps away in place of hundreds:
    features hang together, so that the loss is a narrow valley in their own. A part of the samples says as much.
    """
    few = x[:: max(1, len(x) // (_SAMPLES * (x.shape[1] + 1)))]
    rows = np.column_stack([few, np.ones(len(few))])
    likely = 1 / n_classes
    curvature = likely * (1 - likely) * len(x) / len(few) * (rows.T @ rows)
    curvature[np.diag_indices(x.shape[1])] += penalty
    return np.asarray(np.linalg.cholesky(curvature))


def cross_validate(
    x: Features,
    labels: Sequence[str] | Labels,
    groups: Sequence[str] | Labels,
    folds: int = 5,
    seed: int = 0,
    penalty: float = PENALTY,
) -> CrossValidated:
    """Judge every sample by a probe fitted to the other folds; a group lies in one fold whole.

    Args:
        x: N x D features.
        labels: class of each.
        groups: group of each, such as the picture that it was made from.
        folds: at most as many are used as there are groups.
        seed: of the order in which groups are dealt out.
        penalty: see `fit_probe`.

    Raises:
        UsageError: where a class lies in fewer than two groups, so that some fold would be judged unseen.

    """
    x, names = _take_samples(x, labels)
    owners = np.asarray(groups, np.str_)
    if len(owners) != len(x):
        raise UsageError(f"A group for each of {len(x)} samples was wanted, got {len(owners)}.")
    classes = np.unique(names)
    home = deal_folds(names, owners, folds, seed)
    probabilities = np.full((len(x), len(classes)), np.nan)
    for fold in np.unique(home):
        rest = home != fold
        if len(np.unique(names[rest])) < len(classes):
            raise UsageError("Every class in at least two groups was wanted: give more groups.")
        probabilities[~rest] = fit_probe(x[rest], names[rest], penalty).probabilities(x[~rest])
    predicted = classes[probabilities.argmax(axis=1)]
    return CrossValidated(
        accuracy=accuracy(predicted, names),
        balanced_accuracy=balanced_accuracy(predicted, names),
        auc=auc(probabilities[:, 1], names == classes[1]) if len(classes) == 2 else None,
        predicted=predicted,
        probabilities=probabilities,
        n_folds=len(np.unique(home)),
    )


def deal_folds(labels: Labels, groups: Labels, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Fold of each sample: groups, the largest first, go to the fold that has least of their classes."""
    if folds < 2:
        raise UsageError(f"At least two folds were wanted, got {folds}.")
    classes, index = np.unique(labels, return_inverse=True)
    owners, owner = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(owners), len(classes)))
    np.add.at(counts, (owner, index), 1)
    counts /= counts.sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(owners))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    held, home = np.zeros((min(folds, len(owners)), len(classes))), np.zeros(len(owners), np.int64)
    for group in order:
        present = counts[group] > 0
        home[group] = np.lexsort((held.sum(axis=1), held[:, present].sum(axis=1)))[0]
        held[home[group]] += counts[group]
    return np.asarray(home[owner], np.int64)


def accuracy(predicted: Labels, labels: Sequence[str] | Labels) -> float:
    """Share of the samples that got their own label."""
    names = np.asarray(labels, np.str_)
    _check_counts(predicted, names)
    return float((predicted == names).mean())


def balanced_accuracy(predicted: Labels, labels: Sequence[str] | Labels) -> float:
    """Mean over the classes of the share that got their own label; a constant answer comes to 1 / K."""
    names = np.asarray(labels, np.str_)
    _check_counts(predicted, names)
    return float(np.mean([(predicted[names == name] == name).mean() for name in np.unique(names)]))


def auc(scores: Features, labels: Sequence[bool] | npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a true sample scores above a false one, ties counting half.

    Raises:
        UsageError: where only one of true and false is there.

    """
    from scipy.stats import rankdata

    positive = np.asarray(labels, np.bool_)
    _check_counts(scores, positive)
    n_true, n_false = int(positive.sum()), int((~positive).sum())
    if not n_true or not n_false:
        raise UsageError(f"Both true and false samples were wanted, got {n_true} and {n_false}.")
    ranks = float(rankdata(scores)[positive].sum())
    return (ranks - n_true * (n_true + 1) / 2) / (n_true * n_false)


def _loss(
    table: Features, x: Features, wanted: npt.NDArray[np.intp], penalty: float
) -> tuple[float, Features]:
    """Summed cross entropy and half the penalised squared weights, with its gradient.

    Args:
        table: D + 1 rows of K: weights, and biases below.
        x: N x D.
        wanted: the class of each, 0 to K - 1.
        penalty: of the weights.

    """
    weights, rows = table[:-1], np.arange(len(x))
    logits = x @ weights + table[-1]
    logits -= logits.max(axis=1, keepdims=True)
    own = logits[rows, wanted]
    error = np.exp(logits, out=logits)
    sums = error.sum(axis=1, keepdims=True)
    loss = float((np.log(sums[:, 0]) - own).sum()) + penalty / 2 * float(np.square(weights).sum())
    error /= sums
    error[rows, wanted] -= 1
    return loss, np.vstack([x.T @ error + penalty * weights, error.sum(axis=0)])


def _softmax(logits: Features) -> Features:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _take_samples(x: Features, labels: Sequence[str] | Labels) -> tuple[Features, Labels]:
    x, names = np.asarray(x, np.float64), np.asarray(labels, np.str_)
    if x.ndim != 2:
        raise UsageError(f"N x D features were wanted, got shape {x.shape}.")
    _check_counts(x, names)
    return x, names


def _check_counts(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
    if len(x) != len(y) or len(x) == 0:
        raise UsageError(f"As many labels as samples were wanted, got {len(y)} for {len(x)}.")
