"""Frechet distance of two sets of features, each taken as a Gaussian: FID where the features are Inception's.

    |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2))

Dowson and Landau, 1982; Heusel et al., NeurIPS 2017. Covariances are unbiased (n - 1), as in the released code of FID.
The estimate is biased upwards by about 0.5 d^2 / n for white features: compare only sets of equal counts, and read it
beside the floor of real against real. No shrinkage is applied, since it would make the values comparable to no one's.

No square root of a matrix is taken. With S1 = A A' and S2 = B B', the eigenvalues of S1 S2 are the squared singular
values of A' B, so that the trace of the root is their sum; any factors do. Of few features the centred features
themselves are a factor, thinner and more exact than their covariance; of many it is a pivoted Cholesky factor, which
knows the rank of a singular covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earthloom.metrics.bootstrap import Groups, Interval, draw_halves, half_sample_interval
from earthloom.metrics.feature_sets import AnyFeatures, Features, check_sets
from earthloom.metrics.moments import Moments, measure_moments

_EXACT_RANK = 512
"""Up to which singular values are computed as such; above, three times faster, as roots of eigenvalues."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Gaussian:
    """A Gaussian by its mean and a factor of its covariance."""

    mean: Features
    """D."""
    factor: Features
    """D x R with factor @ factor.T the covariance; R is its rank or more."""

    @classmethod
    def of(cls, x: AnyFeatures) -> Gaussian:
        """The Gaussian of N x D features, N of at least 2."""
        if len(x) > x.shape[1]:
            return cls.of_moments(measure_moments(x))
        centred = np.array(x, np.float64)
        mean = centred.mean(axis=0)
        centred -= mean
        return cls(mean=mean, factor=centred.T / np.sqrt(len(x) - 1))

    @classmethod
    def of_moments(cls, moments: Moments) -> Gaussian:
        """The Gaussian of a mean and a covariance, singular or not."""
        return cls(mean=moments.mean, factor=_factor(moments.covariance))


def frechet(x: AnyFeatures, y: AnyFeatures) -> Frechet:
    """Frechet distance of N x D and M x D features with their counts; in float64, whatever the features are in.

    Raises:
        UsageError: for fewer than two features in a set, or sets that cannot be compared.

    """
    x, y = np.asarray(x), np.asarray(y)
    check_sets(x, y, least=2)
    value = frechet_of_gaussians(Gaussian.of(x), Gaussian.of(y))
    return Frechet(value=value, n_x=len(x), n_y=len(y), n_features=x.shape[1])


def frechet_distance(x: AnyFeatures, y: AnyFeatures) -> float:
    """The value of `frechet` alone."""
    return frechet(x, y).value


def frechet_of_moments(
    mean_x: Features, covariance_x: Features, mean_y: Features, covariance_y: Features
) -> float:
    """Frechet distance of two Gaussians: means of D, covariances of D x D; singular ones are fine."""
    return frechet_of_gaussians(
        Gaussian(mean=mean_x, factor=_factor(covariance_x)),
        Gaussian(mean=mean_y, factor=_factor(covariance_y)),
    )


def frechet_of_gaussians(x: Gaussian, y: Gaussian) -> float:
    """Frechet distance of two Gaussians of one dimension."""
    apart = float(np.square(x.mean - y.mean).sum())
    spread = float(np.square(x.factor).sum() + np.square(y.factor).sum())
    return max(apart + spread - 2 * _sum_singular_values(x.factor.T @ y.factor), 0.0)


def frechet_interval(
    x: AnyFeatures,
    y: AnyFeatures,
    *,
    groups_x: Groups | None = None,
    groups_y: Groups | None = None,
    resamples: int = 100,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """How far `frechet` of sets of these counts strays from its own mean, by half-samples, of groups where given.

    See `metrics.bootstrap`. It is about the expected value at these counts, upward bias included, and not about the
    distance of endless sets.
    """
    value = frechet(x, y).value
    halves_x = draw_halves(len(x), resamples, seed, "x", groups_x)
    halves_y = draw_halves(len(y), resamples, seed, "y", groups_y)
    values = [frechet_distance(x[own], y[other]) for own, other in zip(halves_x, halves_y, strict=True)]
    return half_sample_interval(value, np.array(values), level)


def _factor(covariance: Features) -> Features:
    """D x R with its product by its transpose the covariance; pivots within rounding of 0 are left out."""
    from scipy.linalg.lapack import dpstrf

    lower, pivots, rank, _ = dpstrf(np.atleast_2d(covariance), lower=1)
    factor = np.zeros((len(lower), rank))
    factor[pivots - 1] = np.tril(lower)[:, :rank]
    return factor


def _sum_singular_values(matrix: Features) -> float:
    if min(matrix.shape) <= _EXACT_RANK:
        return float(np.linalg.svd(matrix, compute_uv=False).sum())
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    return float(np.sqrt(np.maximum(np.linalg.eigvalsh(wide @ wide.T), 0)).sum())
