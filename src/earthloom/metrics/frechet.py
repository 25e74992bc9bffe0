"""Frechet distance of two sets of features, each taken as a Gaussian: FID where the features are Inception's.

    |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2))

Dowson and Landau, 1982; Heusel et al., NeurIPS 2017. Covariances are unbiased (n - 1), as in the released code of FID.
The estimate is biased upwards by about 0.5 d^2 / n for white features: compare only sets of equal counts, and read it
beside the floor of real against real. No shrinkage is applied, since it would make the values comparable to no one's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError

Features = npt.NDArray[np.float64]
"""N x D."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frechet:
    """The distance and what it rests on."""

    value: float
    n_x: int
    n_y: int
    n_features: int

    @property
    def is_singular(self) -> bool:
        """Whether a covariance has less than full rank for want of features: then the value says little."""
        return min(self.n_x, self.n_y) <= self.n_features


def frechet(x: Features, y: Features) -> Frechet:
    """Frechet distance of N x D and M x D features with their counts.

    Raises:
        UsageError: for fewer than two features in a set, or sets that cannot be compared.

    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise UsageError(f"Two sets of N x D features were wanted, got shapes {x.shape} and {y.shape}.")
    if min(len(x), len(y)) < 2:
        raise UsageError(f"At least 2 features a set were wanted, got {len(x)} and {len(y)}.")
    value = frechet_of_moments(x.mean(axis=0), _covariance(x), y.mean(axis=0), _covariance(y))
    return Frechet(value=value, n_x=len(x), n_y=len(y), n_features=x.shape[1])


def frechet_distance(x: Features, y: Features) -> float:
    """The value of `frechet` alone."""
    return frechet(x, y).value


def frechet_of_moments(
    mean_x: Features, covariance_x: Features, mean_y: Features, covariance_y: Features
) -> float:
    """Frechet distance of two Gaussians: means of D, covariances of D x D; singular ones are fine."""
    root = _root(covariance_x)
    # S1^(1/2) S2 S1^(1/2) has the eigenvalues of S1 S2 and is symmetric: no complex square root is met.
    inner = root @ covariance_y @ root
    eigenvalues = np.linalg.eigvalsh((inner + inner.T) / 2)
    cross = float(np.sqrt(np.maximum(eigenvalues, 0)).sum())
    apart = float(np.square(mean_x - mean_y).sum())
    spread = float(np.trace(covariance_x) + np.trace(covariance_y))
    return max(apart + spread - 2 * cross, 0.0)


def _covariance(x: Features) -> Features:
    return np.atleast_2d(np.cov(x, rowvar=False))


def _root(covariance: Features) -> Features:
    values, vectors = np.linalg.eigh(covariance)
    return cast(Features, (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
