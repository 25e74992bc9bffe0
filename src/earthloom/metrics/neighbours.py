"""Memorisation: whether generated samples lie nearer to training samples than these lie to each other.

No single number tells copying from a narrow law (Stein et al., NeurIPS 2023, arXiv 2306.04675), so several are given,
all from exact nearest neighbours: shares below low percentiles of the distances within the training set, and the share
of authentic samples (AuthPct: Alaa et al., ICML 2022, as in dgm-eval).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.feature_sets import AnyFeatures, Features, split_rows, squared_distances, take_sets

PERCENTILES = (0, 1, 5, 25, 50, 75, 95)
_ROWS = 4096


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Nearest:
    """The nearest neighbour of each of N samples."""

    index: npt.NDArray[np.int64]
    """N, in the set that was searched; the first of several that are equally near."""
    distance: Features
    """N, Euclidean."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Memorisation:
    """How near generated samples come to the training set."""

    n_train: int
    n_generated: int
    under_1: float
    """Share of the generated as near to a training sample as 1 % of the training samples are to another one, or nearer;
    fresh samples of the law of the training set come to 0.01. A copy counts even where training samples are doubled."""
    under_5: float
    """The same with 5 %."""
    authentic: float
    """Share of the generated whose nearest training sample has a nearer training sample: 0 for copies, about 0.5 for
    fresh ones of few features, more of many, where some training samples are neighbours of very many. dgm-eval's
    AuthPct is 100 times this."""
    generated: tuple[float, ...]
    """Distances from the generated to the training set, at `PERCENTILES`."""
    train: tuple[float, ...]
    """Distances from a training sample to the nearest other one, at `PERCENTILES`."""


def measure_memorisation(train: AnyFeatures, generated: AnyFeatures) -> Memorisation:
    """Compare the distances of M generated features to N training features with those among the latter.

    Raises:
        UsageError: for sets that cannot be compared, or fewer than two training samples.

    """
    train, generated = take_sets(train, generated)
    return judge_memorisation(find_nearest(train, train, omit_own=True), find_nearest(generated, train))


def judge_memorisation(train: Nearest, generated: Nearest) -> Memorisation:
    """`Memorisation` from the nearest other of each training sample and the nearest training sample of each generated.

    For neighbours that were found in another way, such as over all turns of a picture.
    """
    first, fifth = np.percentile(train.distance, [1, 5])
    return Memorisation(
        n_train=len(train.distance),
        n_generated=len(generated.distance),
        under_1=float((generated.distance <= first).mean()),
        under_5=float((generated.distance <= fifth).mean()),
        authentic=float((generated.distance > train.distance[generated.index]).mean()),
        generated=tuple(np.percentile(generated.distance, PERCENTILES).tolist()),
        train=tuple(np.percentile(train.distance, PERCENTILES).tolist()),
    )


def find_nearest(
    queries: AnyFeatures,
    references: AnyFeatures,
    *,
    omit_own: bool = False,
    groups: Sequence[str] | None = None,
) -> Nearest:
    """The nearest of N x D references to each of M x D queries, searched exactly.

    Args:
        queries: M x D.
        references: N x D.
        omit_own: the i-th query and the i-th reference are one thing, and no neighbours; N is M, and at least 2.
        groups: N, with `omit_own`: what belongs together, such as pictures of one ground, and is no neighbour either;
            at least two of them.

    Raises:
        UsageError: for sets that cannot be compared.

    """
    queries, references = take_sets(queries, references, least=2 if omit_own else 1)
    if omit_own and len(queries) != len(references):
        raise UsageError(
            f"As many queries as references were wanted, got {len(queries)} and {len(references)}."
        )
    owners = None if groups is None else _number_groups(groups, len(references))
    index = np.empty(len(queries), np.int64)
    for rows, apart in squared_distances(queries, references, omit_own=omit_own):
        if omit_own and owners is not None:
            apart[owners[rows, None] == owners] = np.inf
        index[rows] = apart.argmin(axis=1)
    # Distances again, by differences: those of products lose digits where samples nearly agree.
    distance = np.empty(len(queries))
    for rows in split_rows(len(queries), _ROWS):
        distance[rows] = np.linalg.norm(queries[rows] - references[index[rows]], axis=1)
    return Nearest(index=index, distance=distance)


def _number_groups(groups: Sequence[str], n: int) -> npt.NDArray[np.int64]:
    names, owners = np.unique(np.asarray(groups, np.str_), return_inverse=True)
    if len(owners) != n or len(names) < 2:
        raise UsageError(f"Two groups of {n} references were wanted, got {len(names)} of {len(owners)}.")
    return np.asarray(owners, np.int64)
