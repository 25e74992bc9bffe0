"""A number read from features: ridge regression, its penalty chosen by groups that were held out.

Hoerl and Kennard, Technometrics 1970. Features are standardised first; the bias is not penalised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.features import Scaler
from earthloom.metrics.probe import deal_folds

Features = npt.NDArray[np.float64]
"""N x D."""
Numbers = npt.NDArray[np.float64]
"""N."""

PENALTIES = tuple(10.0**power for power in range(-1, 6))
"""Weights of the squared weights against the summed squared error that are tried."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ridge:
    """A fitted linear reading."""

    scaler: Scaler
    weights: Numbers
    """D, on scaled features."""
    bias: float
    penalty: float

    def predict(self, x: Features) -> Numbers:
        """The number of each of N x D features."""
        return np.asarray(self.scaler.scale(x) @ self.weights + self.bias)


def fit_ridge(x: Features, y: Numbers, groups: Sequence[str], *, folds: int = 5, seed: int = 0) -> Ridge:
    """Fit a ridge regression; the penalty is that with the least squared error on groups that were held out.

    Args:
        x: N x D features.
        y: N finite numbers.
        groups: group of each; a group lies in one fold whole.
        folds: of the choice of the penalty.
        seed: of the folds.

    Raises:
        UsageError: for fewer than two groups, or counts that differ.

    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if not len(x) == len(y) == len(groups) or len(set(groups)) < 2:
        raise UsageError(
            f"A number and a group for each of {len(x)} samples, and two groups, were wanted; got {len(y)} numbers "
            f"and {len(set(groups))} groups."
        )
    home = deal_numbers(y, groups, folds, seed)
    errors = np.zeros(len(PENALTIES))
    for fold in np.unique(home):
        rest = home != fold
        for place, ridge in enumerate(_fit_all(x[rest], y[rest], PENALTIES)):
            errors[place] += np.square(ridge.predict(x[~rest]) - y[~rest]).sum()
    return _fit_all(x, y, (PENALTIES[int(errors.argmin())],))[0]


def predict_held_out(
    x: Features, y: Numbers, groups: Sequence[str], *, folds: int = 5, seed: int = 0
) -> Numbers:
    """The number of each sample as a ridge reads it that saw nothing of its group, N; the rest as `fit_ridge`."""
    home = deal_numbers(y, groups, folds, seed)
    owners = np.asarray(groups, np.str_)
    found = np.full(len(y), np.nan)
    for fold in np.unique(home):
        rest = home != fold
        ridge = fit_ridge(x[rest], y[rest], owners[rest].tolist(), folds=folds, seed=seed)
        found[~rest] = ridge.predict(x[~rest])
    return found


def deal_numbers(y: Numbers, groups: Sequence[str], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Fold of each sample; numbers that round to one count as a class that every fold is to have of."""
    labels = np.round(y).astype(int).astype(np.str_)
    return deal_folds(labels, np.asarray(groups, np.str_), folds, seed)


def _fit_all(x: Features, y: Numbers, penalties: Sequence[float]) -> list[Ridge]:
    """One for each penalty, by one decomposition of the features' products."""
    scaler = Scaler.fit(x)
    scaled = scaler.scale(x)
    centre, bias = scaled.mean(axis=0), float(y.mean())
    scaled -= centre
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    turned = vectors.T @ (scaled.T @ (y - bias))
    found = []
    for penalty in penalties:
        weights = vectors @ (turned / (np.maximum(values, 0) + penalty))
        found.append(
            Ridge(scaler=scaler, weights=weights, bias=bias - float(centre @ weights), penalty=penalty)
        )
    return found
