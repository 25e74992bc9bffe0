"""Sets of features: what two of them must have in common, and their distances, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError

Features = npt.NDArray[np.float64]
"""N x D."""
AnyFeatures = npt.NDArray[np.floating[Any]]
"""N x D, of any float type."""

_ENTRIES = 2**22
"""Of a block of distances: 32 MiB."""
_UNSEEN = 1e-13
"""Share of the squared lengths below which a squared distance is rounding: equal features are at 0."""


def check_sets(x: AnyFeatures, y: AnyFeatures, least: int = 1) -> None:
    """See that two sets can be compared.

    Raises:
        UsageError: they are not N x D and M x D of finite numbers with `least` features each.

    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise UsageError(f"Two sets of N x D features were wanted, got shapes {x.shape} and {y.shape}.")
    if min(len(x), len(y)) < least:
        raise UsageError(f"At least {least} features a set were wanted, got {len(x)} and {len(y)}.")
    if not (is_finite(x) and is_finite(y)):
        raise UsageError("Finite features were wanted, got some that are not: leave those pictures out.")


def take_sets(x: AnyFeatures, y: AnyFeatures, least: int = 1) -> tuple[Features, Features]:
    """Two sets that can be compared, in float64; raises as `check_sets`."""
    check_sets(np.asarray(x), np.asarray(y), least)
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def is_finite(x: AnyFeatures) -> bool:
    """Whether all numbers are finite, told from their sum: no array of truths is made."""
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.isfinite(x.sum(dtype=np.float64)))


def split_rows(n: int, rows: int) -> Iterator[slice]:
    """Slices of at most `rows` that cover 0 to n."""
    for start in range(0, n, rows):
        yield slice(start, min(start + rows, n))


def squared_distances(
    x: Features, y: Features, *, omit_own: bool = False
) -> Iterator[tuple[slice, Features]]:
    """Squared Euclidean distances of N x D features to M x D, some rows of N x M at a time.

    Both sets are moved by the mean of `y` first: |x|^2 - 2 x . y + |y|^2 loses digits where features lie far from 0.

    Args:
        x: N x D.
        y: M x D.
        omit_own: the i-th of `x` and of `y` are one thing, and infinitely far from each other.

    Yields:
        The rows and their R x M squared distances; within 32 MiB, or one row.

    """
    centre = y.mean(axis=0)
    columns = (y - centre).T
    lengths = np.square(columns).sum(axis=0)
    for rows in split_rows(len(x), max(1, _ENTRIES // len(y))):
        here = x[rows] - centre
        apart = here @ columns
        reach = np.square(here).sum(axis=1)[:, None] + lengths
        apart *= -2
        apart += reach
        reach *= _UNSEEN
        apart[apart < reach] = 0
        if omit_own:
            apart[np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)] = np.inf
        yield rows, apart
