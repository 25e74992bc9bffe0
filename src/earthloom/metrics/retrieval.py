"""How well pictures and their texts find each other: R@K both ways and mR, with ties counted against the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError

Features = npt.NDArray[np.float64]
"""N x D."""

TOPS = (1, 5, 10)
"""K of R@K, as in all tables of the field."""
_ROWS = 512
"""Rows of scores at a time."""
_SAME = 1e-9
"""Cosines that differ by less are the same: a matrix product rounds differently from place to place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recall:
    """One way of finding."""

    at_1: float
    """Share of queries, 0 to 1, of which something right is found among the first 1, 5, 10."""
    at_5: float
    at_10: float
    median_rank: float
    """Of the first right thing, from 1."""
    tied: float
    """Share of queries whose first right thing has the score of something wrong: it stands behind that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrieval:
    """Pictures and texts that look for each other."""

    n_pictures: int
    n_texts: int
    to_text: Recall
    """A picture looks for its texts: any of them is right."""
    to_picture: Recall
    """A text looks for its picture."""

    @property
    def mean_recall(self) -> float:
        """The mean of the six R@K: mR, 0 to 1."""
        ways = (self.to_text, self.to_picture)
        return float(np.mean([(way.at_1, way.at_5, way.at_10) for way in ways]))

    def to_json(self) -> dict[str, object]:
        """All numbers by name."""
        return {**asdict(self), "mean_recall": self.mean_recall}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranks:
    """Where every query finds its first right thing: what R@K are counted from, and intervals drawn from."""

    asking: npt.NDArray[np.int64]
    """P, the pictures that have a text."""
    to_text: npt.NDArray[np.int64]
    """P, of the best of its texts, from 0."""
    to_picture: npt.NDArray[np.int64]
    """M, of each text's picture, from 0."""
    is_text_tied: npt.NDArray[np.bool_]
    """P, whether something wrong has the score of the first right thing."""
    is_picture_tied: npt.NDArray[np.bool_]
    """M."""

    def sum_up(self, n_pictures: int) -> Retrieval:
        """Count both ways, among so many pictures."""
        return Retrieval(
            n_pictures=n_pictures,
            n_texts=len(self.to_picture),
            to_text=_sum_up(self.to_text, self.is_text_tied),
            to_picture=_sum_up(self.to_picture, self.is_picture_tied),
        )


def measure_retrieval(
    pictures: Features, texts: Features, owners: Sequence[int] | npt.NDArray[np.int64]
) -> Retrieval:
    """Let pictures find texts and texts find pictures by the cosines of their features.

    Right is only what was written for the picture itself; captions of others that read alike count as wrong, as in all
    published tables of RSICD and RSITMD. A right thing stands behind all wrong ones of its score, so that a model which
    says the same of everything finds nothing.

    Args:
        pictures: N x D, of any length.
        texts: M x D. Equal texts should have equal features, so that they tie.
        owners: M numbers from 0 to N - 1, the picture that each text was written for. A picture without a text does
            not look for one.

    Raises:
        UsageError: shapes do not fit, a feature has no direction, or an owner is no picture.

    """
    return rank_retrieval(pictures, texts, owners).sum_up(len(pictures))


def rank_retrieval(
    pictures: Features, texts: Features, owners: Sequence[int] | npt.NDArray[np.int64]
) -> Ranks:
    """The ranks behind `measure_retrieval`, query by query; arguments and errors are the same."""
    belongs = _check(pictures, texts, np.asarray(owners))
    seen, read = _normalise(pictures), _normalise(texts)
    rank_text, tie_text = _rank_pictures(seen, read, belongs)
    rank_picture, tie_picture = _rank_texts(seen, read, belongs)
    return Ranks(
        asking=np.unique(belongs),
        to_text=rank_text,
        to_picture=rank_picture,
        is_text_tied=tie_text,
        is_picture_tied=tie_picture,
    )


def expect_chance(n_right: int, n: int, top: int) -> float:
    """R@K of a random order: 1 - C(n - r, K) / C(n, K) for r right ones among n, K of which are looked at."""
    return 1.0 - comb(n - n_right, top) / comb(n, top) if top <= n else float(n_right > 0)


def expect_chances(owners: Sequence[int] | npt.NDArray[np.int64], n_pictures: int) -> dict[str, float]:
    """R@K both ways of a random order, as `to_text@K` and `to_picture@K`; right ones are counted picture by picture."""
    counts = np.bincount(np.asarray(owners), minlength=n_pictures)
    asked, n_texts = counts[counts > 0], int(counts.sum())
    found = {}
    for top in TOPS:
        found[f"to_text@{top}"] = float(np.mean([expect_chance(int(r), n_texts, top) for r in asked]))
        found[f"to_picture@{top}"] = expect_chance(1, n_pictures, top)
    return found


def _check(pictures: Features, texts: Features, owners: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    fits = pictures.ndim == texts.ndim == 2 and pictures.shape[1:] == texts.shape[1:]
    if not fits or len(texts) != len(owners) or not len(pictures) or not len(texts):
        raise UsageError(
            f"Features N x D, M x D and M owners were wanted, got {pictures.shape}, {texts.shape} and {owners.shape}."
        )
    if owners.min() < 0 or owners.max() >= len(pictures):
        raise UsageError(
            f"Owners from 0 to {len(pictures) - 1} were wanted, got {owners.min()} to {owners.max()}."
        )
    return owners


def _normalise(features: Features) -> Features:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise UsageError("Features with a direction were wanted, got some that are 0 or not finite.")
    return np.asarray(features / lengths, np.float64)


def _rank_pictures(
    pictures: Features, texts: Features, owners: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """For each picture with texts, wrong texts before its best one, and whether one of them scores the same."""
    ranks, ties = [], []
    asking = np.unique(owners)
    for start in range(0, len(asking), _ROWS):
        rows = asking[start : start + _ROWS]
        scores = pictures[rows] @ texts.T
        is_own = owners[None] == rows[:, None]
        best = np.where(is_own, scores, -np.inf).max(1, keepdims=True)
        ranks.append(((scores > best - _SAME) & ~is_own).sum(1))
        ties.append(((np.abs(scores - best) < _SAME) & ~is_own).any(1))
    return np.concatenate(ranks), np.concatenate(ties)


def _rank_texts(
    pictures: Features, texts: Features, owners: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """For each text, wrong pictures before its own, and whether one of them scores the same."""
    ranks, ties = [], []
    for start in range(0, len(texts), _ROWS):
        owned = owners[start : start + _ROWS, None]
        scores = texts[start : start + _ROWS] @ pictures.T
        own = np.take_along_axis(scores, owned, 1)
        ranks.append((scores > own - _SAME).sum(1) - 1)
        ties.append((np.abs(scores - own) < _SAME).sum(1) > 1)
    return np.concatenate(ranks), np.concatenate(ties)


def _sum_up(ranks: npt.NDArray[np.int64], ties: npt.NDArray[np.bool_]) -> Recall:
    at_1, at_5, at_10 = (float((ranks < top).mean()) for top in TOPS)
    return Recall(
        at_1=at_1, at_5=at_5, at_10=at_10, median_rank=float(np.median(ranks)) + 1, tied=float(ties.mean())
    )
