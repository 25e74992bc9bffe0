"""CLIPScore and RefCLIPScore (Hessel et al., EMNLP 2021) from the features of any dual encoder, beside shuffled texts.

A raw score means little by itself: cosines of unrelated pictures and texts differ from encoder to encoder, and within
one domain even wrong texts score high (a published score of 0.278 on RSICD stood beside 0.232 with shuffled captions).
So a score always comes with its null, the same texts dealt to other pictures, and with its lift above that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.dealing import deal_within

Features = npt.NDArray[np.float64]
"""N x D."""
Scores = npt.NDArray[np.float64]
"""N."""
Indices = npt.NDArray[np.int64]

WEIGHT = 2.5
"""What a cosine is multiplied with (Hessel et al., section 3); CLIPScores of other authors have 1 or 100."""
PREFIX = "A photo depicts "
"""What is said before every text (Hessel et al., section 3)."""
_SAME = 1e-12
"""Features are equally long, and scores equal, that differ by less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipScore:
    """How well texts fit their pictures, and how well the same texts fit others."""

    value: float
    """Mean score, 0 to the weight."""
    null: float | None
    """Mean score of texts dealt to other pictures, over those pairs that could be dealt; None where none could."""
    null_spread: float | None
    """Standard deviation of that mean from draw to draw."""
    lift: float | None
    """Mean of score less null of the pairs that have one."""
    wins: float | None
    """How often a picture scores above its own text's null, ties counting half: 0.5 tells nothing apart."""
    n: int
    """Pairs."""
    n_null: int
    """Of them, those with a null."""
    n_draws: int
    weight: float
    seed: int
    scores: Scores
    """Of each pair."""
    null_scores: Scores
    """Of each pair, the mean over the draws; not a number where it has none."""
    win_shares: Scores
    """Of each pair, the share of draws that it scores above, ties counting half; not a number where it has none."""

    @property
    def has_null(self) -> npt.NDArray[np.bool_]:
        """N, which pairs have a null."""
        return np.isfinite(self.null_scores)


def clip_scores(pictures: Features, texts: Features, *, weight: float = WEIGHT) -> Scores:
    """Score pairs: weight x max(cosine, 0).

    Args:
        pictures: N x D, of any length.
        texts: N x D, of length 1; or the mean of such features of a long text's windows (`pool_windows`), which is
            shorter: the cosine is then the mean of those of the windows. Of an empty text 0 throughout, which scores 0.
        weight: of the cosine.

    Raises:
        UsageError: shapes do not fit, a picture has no direction, or a text is longer than 1.

    """
    return weight * np.maximum(_find_cosines(pictures, texts), 0.0)


def ref_clip_scores(
    scores: Scores, candidates: Features, references: Features, owners: Sequence[int] | Indices
) -> Scores:
    """Score candidates also by their references: harmonic mean of the CLIPScore and the best reference's cosine.

    As published, the CLIPScore goes in with its weight and the cosine of the texts, max(0, .), without one.

    Args:
        scores: N CLIPScores of the candidates.
        candidates: N x D, of any length: those of long texts (`pool_windows`) are compared by their direction, so that
            a text that is its own reference has a cosine of 1. An empty one, of length 0, has a cosine of 0.
        references: M x D, likewise.
        owners: M numbers from 0 to N - 1, the candidate that each reference belongs to; every one has some.

    Raises:
        UsageError: shapes do not fit, or a candidate has no reference.

    """
    belongs = np.asarray(owners, np.int64)
    if len(belongs) != len(references) or len(scores) != len(candidates):
        raise UsageError(
            f"A score a candidate and an owner a reference were wanted, got {len(scores)} for {len(candidates)} and "
            f"{len(belongs)} for {len(references)}."
        )
    if set(belongs.tolist()) != set(range(len(candidates))):
        raise UsageError(f"References of each of {len(candidates)} candidates were wanted, and no others.")
    best = np.zeros(len(candidates))
    np.maximum.at(best, belongs, _compare_texts(references, candidates[belongs]))
    total = scores + best
    return np.divide(2 * scores * best, total, out=np.zeros_like(total), where=total > 0)


def pool_windows(
    features: Features,
    owners: Sequence[int] | Indices,
    weights: Sequence[float] | npt.NDArray[np.float64] | npt.NDArray[np.int64],
    n: int,
) -> Features:
    """Features of texts from those of their windows: the weighted mean of unit vectors, not made longer again.

    No rule for long texts is published with CLIPScore, whose encoder reads 77 tokens. Left as the mean is, a text's
    cosine with a picture is the mean of its windows' cosines: a long text scores what its parts score. Brought to
    length 1 it would score more, the less its parts agree.

    Args:
        features: W x D, of any length.
        owners: W numbers from 0 to n - 1, the text that each window is of.
        weights: of each window, such as its tokens; more than 0.
        n: texts.

    Returns:
        n x D, of length 1 where a text has one window, of at most 1 where it has more.

    Raises:
        UsageError: a text has no window, or a weight is not more than 0.

    """
    belongs, shares = np.asarray(owners, np.int64), np.asarray(weights, np.float64)
    if not len(features) == len(belongs) == len(shares) or (shares <= 0).any():
        raise UsageError("An owner and a weight of more than 0 were wanted for each window.")
    totals = np.bincount(belongs, shares, minlength=n)
    if len(totals) != n or not (totals > 0).all():
        raise UsageError(f"At least one window of each of {n} texts was wanted, and none of others.")
    pooled = np.zeros((n, features.shape[1]))
    np.add.at(pooled, belongs, _normalise(features) * (shares / totals[belongs])[:, None])
    return pooled


def measure_clip_score(
    pictures: Features,
    texts: Features,
    keys: Sequence[str],
    *,
    strata: Sequence[str] | None = None,
    weight: float = WEIGHT,
    draws: int = 20,
    seed: int = 0,
) -> ClipScore:
    """Score pairs, and the same texts dealt to other pictures.

    Args:
        pictures: N x D, of any length.
        texts: N x D, see `clip_scores`.
        keys: what must not be exchanged for another of its kind: as a rule the text itself, so that a picture never
            gets its own words by way of another picture.
        strata: texts are dealt within a stratum, such as one style of captions; all together where there are none.
        weight: of the cosine.
        draws: how often texts are dealt anew; a text comes to another picture each time.
        seed: of the draws.

    Raises:
        UsageError: as `clip_scores`; or counts differ.

    """
    scores = clip_scores(pictures, texts, weight=weight)
    dealt = deal_within(keys, strata, len(pictures), draws, seed)
    nulls = _score_dealt(dealt, lambda others: clip_scores(pictures, texts[others], weight=weight))
    return _sum_up(scores, nulls, weight, seed)


def measure_ref_clip_score(
    pictures: Features,
    candidates: Features,
    references: Features,
    owners: Sequence[int] | Indices,
    keys: Sequence[str],
    *,
    strata: Sequence[str] | None = None,
    weight: float = WEIGHT,
    draws: int = 20,
    seed: int = 0,
) -> ClipScore:
    """RefCLIPScore of candidates, and of the same candidates dealt to other pictures and their references.

    By the shuffles of `measure_clip_score` where keys, strata, draws and seed are the same.

    Args:
        pictures: N x D, of any length.
        candidates: N x D, see `clip_scores`.
        references: M x D, see `ref_clip_scores`.
        owners: M numbers from 0 to N - 1, the picture that each reference belongs to; every one has some.
        keys: as in `measure_clip_score`.
        strata: likewise.
        weight: of the cosine of picture and candidate.
        draws: as in `measure_clip_score`.
        seed: likewise.

    Raises:
        UsageError: as `clip_scores` and `ref_clip_scores`; or counts differ.

    """

    def score(texts: Features) -> Scores:
        return ref_clip_scores(clip_scores(pictures, texts, weight=weight), texts, references, owners)

    dealt = deal_within(keys, strata, len(pictures), draws, seed)
    nulls = _score_dealt(dealt, lambda others: score(candidates[others]))
    return _sum_up(score(candidates), nulls, weight, seed)


def _score_dealt(dealt: npt.NDArray[np.int64], score: Callable[[Indices], Scores]) -> Scores:
    """Draws x N scores of the texts that were dealt; not a number where none was."""
    return np.stack([np.where(others < 0, np.nan, score(np.maximum(others, 0))) for others in dealt])


def _sum_up(scores: Scores, nulls: npt.NDArray[np.float64], weight: float, seed: int) -> ClipScore:
    has_null = np.isfinite(nulls).all(axis=0)
    own, dealt = scores[has_null], nulls[:, has_null]
    n_null = int(has_null.sum())
    above = (scores > nulls + _SAME) + 0.5 * (np.abs(scores - nulls) <= _SAME)
    win_shares = np.where(has_null, above.mean(axis=0), np.nan)
    return ClipScore(
        value=float(scores.mean()),
        null=float(dealt.mean()) if n_null else None,
        null_spread=float(dealt.mean(axis=1).std()) if n_null else None,
        lift=float(own.mean() - dealt.mean()) if n_null else None,
        wins=float(win_shares[has_null].mean()) if n_null else None,
        n=len(scores),
        n_null=n_null,
        n_draws=len(nulls),
        weight=weight,
        seed=seed,
        scores=scores,
        null_scores=nulls.mean(axis=0),
        win_shares=win_shares,
    )


def _find_cosines(pictures: Features, texts: Features) -> Scores:
    if pictures.ndim != 2 or pictures.shape != texts.shape:
        raise UsageError(f"Two sets of N x D features were wanted, got {pictures.shape} and {texts.shape}.")
    if (np.linalg.norm(texts, axis=1) > 1 + 1e-6).any():
        raise UsageError("Features of texts of length 1 were wanted, or the mean of such; got longer ones.")
    return np.asarray((_normalise(pictures) * texts).sum(axis=1), np.float64)


def _compare_texts(one: Features, other: Features) -> Scores:
    """Cosines of N x D features; 0 where one of the two is 0."""
    if one.ndim != 2 or one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise UsageError(f"Two sets of finite N x D features were wanted, got {one.shape} and {other.shape}.")
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products = (one * other).sum(axis=1)
    return np.asarray(np.divide(products, lengths, out=np.zeros(len(one)), where=lengths > 0), np.float64)


def _normalise(features: Features) -> Features:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise UsageError("Features with a direction were wanted, got some that are 0 or not finite.")
    return np.asarray(features / lengths, np.float64)
