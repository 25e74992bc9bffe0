"""Inception Score: how sure a classifier is of each picture, and how many classes it finds among all.

    exp(mean KL(p(class | picture) || p(class)))

Salimans et al., Improved techniques for training GANs, NeurIPS 2016. Pictures are shuffled and split into ten as in
torch-fidelity (metric_isc.py at 5e211a9: `numpy.random.RandomState(2020)`), so that values are the same to the digit.
It lies between 1 and the number of classes, and a split of n pictures cannot score above n: small sets score low.
Only the classifier that FID uses (1008 logits) gives values that others can be compared with; it was never meant for
pictures from above.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from earthloom.core.errors import UsageError
from earthloom.metrics.feature_sets import AnyFeatures, Features, is_finite

SPLITS = 10
SEED = 2020
"""Of the order of the pictures, as in torch-fidelity."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InceptionScore:
    """The score over splits."""

    value: float
    """Mean over the splits."""
    std: float
    """Standard deviation over the splits (n): the usual plus-minus, which is no error of the mean."""
    n: int
    n_classes: int
    splits: int
    seed: int


def inception_score(logits: AnyFeatures, *, splits: int = SPLITS, seed: int = SEED) -> InceptionScore:
    """Inception Score of N x K logits.

    Args:
        logits: what a classifier says before the softmax.
        splits: parts that are scored on their own.
        seed: of the order of the pictures.

    Raises:
        UsageError: for logits that are not N x K finite numbers, or fewer pictures than splits.

    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 2 or not logits.size or not is_finite(logits):
        raise UsageError(f"N x K finite logits were wanted, got shape {logits.shape}.")
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return _score(np.exp(logs), logs, splits, seed)


def inception_score_of_probabilities(
    probabilities: AnyFeatures, *, splits: int = SPLITS, seed: int = SEED
) -> InceptionScore:
    """Inception Score of N x K probabilities, some of which may be 0; each row adds up to 1."""
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 2 or not p.size or not (p >= 0).all() or not np.allclose(p.sum(axis=1), 1, atol=1e-5):
        raise UsageError(f"N x K probabilities, each row of sum 1, were wanted, got shape {p.shape}.")
    return _score(p, _log(p), splits, seed)


def _score(p: Features, logs: Features, splits: int, seed: int) -> InceptionScore:
    n = len(p)
    if not 1 <= splits <= n:
        raise UsageError(f"At least as many pictures as splits were wanted, got {n} for {splits}.")
    order = np.random.RandomState(seed).permutation(n)
    bounds = [n * part // splits for part in range(splits + 1)]
    parts = [order[start:stop] for start, stop in pairwise(bounds)]
    scores = [_score_part(p[part], logs[part]) for part in parts]
    return InceptionScore(
        value=float(np.mean(scores)),
        std=float(np.std(scores)),
        n=n,
        n_classes=p.shape[1],
        splits=splits,
        seed=seed,
    )


def _score_part(p: Features, logs: Features) -> float:
    return float(np.exp((p * (logs - _log(p.mean(axis=0)))).sum(axis=1).mean()))


def _log(p: Features) -> Features:
    """Logarithms with 0 for those of 0, which are only ever multiplied by 0."""
    return np.log(p, out=np.zeros_like(p), where=p > 0)
