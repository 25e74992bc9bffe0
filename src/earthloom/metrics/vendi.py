"""Vendi score: how many different things are in a set, with no reference.

Friedman and Dieng, The Vendi Score: a diversity evaluation metric for machine learning, TMLR 2023: the exponential of
the entropy of the eigenvalues of K / N, for K the cosines of all pairs. 1 for a set of equal things, N for orthogonal
ones.
"""

from __future__ import annotations

import numpy as np

from earthloom.core.errors import UsageError
from earthloom.metrics.feature_sets import AnyFeatures, is_finite


def vendi_score(x: AnyFeatures) -> float:
    """Vendi score of N x D features, of any length: they are brought to length 1. It lies between 1 and min(N, D).

    Raises:
        UsageError: for features that are not N x D finite numbers, or of length 0.

    """
    x = np.asarray(x, np.float64)
    if x.ndim != 2 or not x.size or not is_finite(x):
        raise UsageError(f"N x D finite features were wanted, got shape {x.shape}.")
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise UsageError("Features with a direction were wanted, got some that are 0.")
    x = x / lengths
    # The smaller of the two products has the same eigenvalues but for zeros.
    product = x @ x.T if len(x) <= x.shape[1] else x.T @ x
    shares = np.linalg.eigvalsh(product / len(x))
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))
