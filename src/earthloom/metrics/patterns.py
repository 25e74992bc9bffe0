"""Copies of pictures by what they show and not by how light they are: thumbnails without brightness and contrast.

The distance of thumbnails (Carlini et al., USENIX Security 2023) grows with every change of light, and that of pale
grounds is small whatever they show. Here a grey thumbnail has its mean taken away and is brought to length 1, so that
the squared distance of two is 2 - 2 x their correlation: 0 for one picture, about 2 for unrelated ones, at most 4. All
eight turns are looked at, as `metrics.thumbnails` does. Flat pictures have no pattern and are compared with nothing.

On EuroSAT (12,000 pictures of 64 px), of copies in JPEG of quality 90, 5 % brighter, or blurred by a pixel over 99 %
lie within `COPY_DISTANCE` of their original, of those in JPEG of quality 50 over 90 %; of 2,646 pictures of other
ground one lies as near to any of the 12,000 in any turn. Copies that were moved by a pixel of the thumbnail are missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.feature_sets import split_rows
from earthloom.metrics.neighbours import Nearest
from earthloom.metrics.thumbnails import TURNS, Picture, turn

Greys = npt.NDArray[np.floating]
"""N x `WIDTH`: thumbnails, row by row, grey levels from 0 to 255."""
Owners = npt.NDArray[np.int64]
"""N, numbers of what each picture belongs to."""

SIDE = 16
"""Pixels of a thumbnail."""
WIDTH = SIDE * SIDE
COPY_DISTANCE = 0.25
"""Patterns that lie no further apart are of one picture: a correlation of 0.969."""
FLAT_LEVELS = 2.0
"""Standard deviation of a thumbnail, grey levels, under which noise and compression are most of its pattern."""
_ENTRIES = 2**22
"""Of a block of correlations: 16 MiB."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Patterns:
    """Those pictures of a set that have a pattern."""

    rows: npt.NDArray[np.int64]
    """M places in the set, in order."""
    units: npt.NDArray[np.float32]
    """M x `WIDTH`: mean 0, length 1."""
    n: int
    """Pictures of the set."""

    @property
    def n_flat(self) -> int:
        """Pictures without a pattern."""
        return self.n - len(self.rows)

    def take(self, chosen: npt.NDArray[np.int64]) -> Patterns:
        """Some of them, by their places among the M."""
        return Patterns(rows=self.rows[chosen], units=self.units[chosen], n=len(chosen))


def shrink_grey(picture: Picture) -> npt.NDArray[np.float32]:
    """The grey thumbnail of an H x W x 3 sRGB picture by the mean of areas, `WIDTH` levels; made square.

    Raises:
        UsageError: it is no such picture.

    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise UsageError(f"H x W x 3 of uint8 was wanted, got {picture.dtype} of shape {picture.shape}.")
    grey = cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32).ravel()


def make_patterns(greys: Greys) -> Patterns:
    """Patterns of thumbnails; those of flat ones are left out.

    Raises:
        UsageError: greys are not N x `WIDTH`.

    """
    if greys.ndim != 2 or greys.shape[1] != WIDTH:
        raise UsageError(f"N x {WIDTH} grey levels were wanted, got {greys.shape}.")
    rest = greys - greys.mean(axis=1, keepdims=True)
    rows = np.flatnonzero(rest.std(axis=1) >= FLAT_LEVELS)
    kept = rest[rows]
    units = kept / np.linalg.norm(kept, axis=1, keepdims=True)
    return Patterns(rows=rows, units=units.astype(np.float32), n=len(greys))


def find_nearest_patterns(
    queries: Patterns, references: Patterns, apart: tuple[Owners, Owners] | None = None
) -> Nearest:
    """The nearest reference to each query, however the query is turned, searched exactly.

    Takes 16 MiB beside the patterns, and 2,048 multiplications a pair: 10,000 against 50,000 pictures took 41 seconds
    of one core.

    Args:
        queries: M.
        references: N, at least one.
        apart: owners of the queries and of the references: those of one owner, such as a ground, are no neighbours.
            Every query has some that are not its own.

    Returns:
        Places among the N, and distances from 0 to 2.

    Raises:
        UsageError: there is no reference, or none of another owner for a query.

    """
    n = len(queries.units)
    if not len(references.units):
        raise UsageError("At least one reference with a pattern was wanted, got none.")
    columns = references.units.T
    index, best = np.zeros(n, np.int64), np.full(n, -np.inf, np.float32)
    turned = np.zeros_like(queries.units)
    for rows in split_rows(n, max(1, _ENTRIES // columns.shape[1])):
        is_own = None if apart is None else apart[0][rows, None] == apart[1]
        planes = queries.units[rows].reshape(-1, SIDE, SIDE, 1)
        for by in TURNS:
            here = turn(planes, by).reshape(-1, WIDTH)
            alike = here @ columns
            if is_own is not None:
                alike[is_own] = -np.inf
            found = alike.argmax(axis=1)
            reached = alike[np.arange(len(here)), found]
            is_better = reached > best[rows]
            index[rows] = np.where(is_better, found, index[rows])
            best[rows] = np.where(is_better, reached, best[rows])
            turned[rows] = np.where(is_better[:, None], here, turned[rows])
    if not np.isfinite(best).all():
        raise UsageError("References of another owner were wanted for each query.")
    # By differences: correlations lose digits where patterns nearly agree.
    distance = np.linalg.norm(turned.astype(np.float64) - references.units[index], axis=1)
    return Nearest(index=index, distance=distance)
