"""Precision, recall, density and coverage: whether generated samples lie among real ones, and real among generated.

Around each sample lies a ball that reaches its k-th neighbour of its own set.

- precision: share of the generated inside a ball of the real; recall: share of the real inside a ball of the
  generated (Kynkaanniemi et al., NeurIPS 2019, k = 3).
- density: balls of the real that a generated sample lies in, over k, so that 1 is expected for one law and more is
  possible; coverage: share of the balls of the real with something generated in them, 1 - 2^-k for one law and many
  samples (Naeem et al., ICML 2020, k = 5).

All four depend on the counts: compare only sets of equal counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earthloom.core.errors import UsageError
from earthloom.metrics.feature_sets import AnyFeatures, Features, squared_distances, take_sets

_SAME = 1e-9
"""Share by which squared distances differ through rounding: at the border of a ball it must not decide."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prdc:
    """The four, and what they rest on."""

    precision: float
    """0 to 1."""
    recall: float
    """0 to 1."""
    density: float
    """0 and more."""
    coverage: float
    """0 to 1."""
    n_real: int
    n_generated: int
    k_precision: int
    """Neighbours of precision and recall."""
    k_density: int
    """Neighbours of density and coverage."""


def prdc(real: AnyFeatures, generated: AnyFeatures, *, k_precision: int = 3, k_density: int = 5) -> Prdc:
    """Precision, recall, density and coverage of M generated features against N real ones, by Euclidean distances.

    Time goes with (N + M)^2 D; of the distances no more than 32 MiB are held at a time.

    Raises:
        UsageError: for sets that cannot be compared, or that have no k-th neighbour.

    """
    largest = max(k_precision, k_density)
    if min(k_precision, k_density) < 1:
        raise UsageError(f"At least one neighbour was wanted, got k of {k_precision} and {k_density}.")
    real, generated = take_sets(real, generated, least=largest + 1)
    radii = _measure_radii(real, (k_precision, k_density))
    recall_radii = _measure_radii(generated, (k_precision,))[0]
    precise = np.zeros(len(generated), np.bool_)
    n_recalled = n_inside = n_covered = 0
    for rows, apart in squared_distances(real, generated):
        precise |= (apart <= radii[0][rows, None] * (1 + _SAME)).any(axis=0)
        n_recalled += int((apart <= recall_radii * (1 + _SAME)).any(axis=1).sum())
        inside = apart < radii[1][rows, None] * (1 - _SAME)
        n_inside += int(inside.sum())
        n_covered += int(inside.any(axis=1).sum())
    return Prdc(
        precision=float(precise.mean()),
        recall=n_recalled / len(real),
        density=n_inside / (k_density * len(generated)),
        coverage=n_covered / len(real),
        n_real=len(real),
        n_generated=len(generated),
        k_precision=k_precision,
        k_density=k_density,
    )


def _measure_radii(x: Features, ks: tuple[int, ...]) -> list[Features]:
    """Squared distance of each of N features to its k-th neighbour, for each k."""
    radii = [np.empty(len(x)) for _ in ks]
    ranks = sorted({k - 1 for k in ks})
    for rows, apart in squared_distances(x, x, omit_own=True):
        apart.partition(ranks, axis=1)
        for k, radius in zip(ks, radii, strict=True):
            radius[rows] = apart[:, k - 1]
    return radii
