"""CMMD: the squared maximum mean discrepancy of normalised features under a Gaussian kernel, times 1000.

Jayasumana et al., Rethinking FID: towards a better evaluation metric for image generation, CVPR 2024; the constants are
those of its released code (sigma 10, scale 1000), which computes the biased estimate. It is comparable to published
values only for the features of CLIP ViT-L/14 at 336 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earthloom.core.errors import UsageError
from earthloom.metrics.feature_sets import AnyFeatures, Features, split_rows, take_sets

SIGMA = 10.0
SCALE = 1000.0
_ROWS = 1024
"""Rows of a kernel matrix held at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cmmd:
    """The discrepancy and what it rests on."""

    value: float
    n_x: int
    n_y: int
    is_unbiased: bool


def cmmd(x: AnyFeatures, y: AnyFeatures, *, unbiased: bool = False) -> Cmmd:
    """CMMD of N x D and M x D features, of any length: they are brought to length 1.

    Args:
        x: N x D.
        y: M x D.
        unbiased: leave the kernel of each feature with itself out: near 0 for sets of one law, whatever their counts,
            and sometimes below. Published values are biased; by about 1000 (1 - mean kernel) (1 / N + 1 / M).

    Raises:
        UsageError: for sets that cannot be compared, or features of length 0.

    """
    x, y = take_sets(x, y, least=2 if unbiased else 1)
    x, y = _normalise(x), _normalise(y)
    within = _mean_kernel(x, x, is_same=unbiased) + _mean_kernel(y, y, is_same=unbiased)
    value = SCALE * (within - 2 * _mean_kernel(x, y, is_same=False))
    return Cmmd(value=value, n_x=len(x), n_y=len(y), is_unbiased=unbiased)


def _mean_kernel(x: Features, y: Features, *, is_same: bool) -> float:
    """Mean of the kernel less 1 over all pairs, but for those of a feature with itself where the sets are the same.

    The 1 cancels between the three means; without it no digits are lost, for the kernel hardly differs from 1. For
    the same reason a feature with itself adds 0 to the sum.
    """
    total = 0.0
    for rows in split_rows(len(x), _ROWS):
        total += float(np.expm1((x[rows] @ y.T - 1) / SIGMA**2).sum())
    return total / (len(x) * (len(x) - 1) if is_same else len(x) * len(y))


def _normalise(x: Features) -> Features:
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise UsageError("Features with a direction were wanted, got some that are 0.")
    return np.asarray(x / lengths)
