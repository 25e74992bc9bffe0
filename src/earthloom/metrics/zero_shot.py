"""Classification by texts: classes are described in words, and a picture is of the class whose words are nearest.

Radford et al., ICML 2021, section 3.1; counted as in LAION's CLIP_benchmark: accuracy of the first and, where there are
at least five classes, of the first five; balanced accuracy (mean recall of the classes); mean average precision where a
picture may carry several labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError

Features = npt.NDArray[np.float64]
"""N x D."""
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

TOP = 5
"""Classes among which the right one has to be for the second accuracy."""
_SAME = 1e-9
"""Cosines that differ by less are the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Classified:
    """Pictures with one class each, judged by scores for every class."""

    is_first: Flags
    """N, whether the right class scores above all others."""
    is_in_top: Flags | None
    """N, whether fewer than `TOP` others score as high; None with fewer than `TOP` classes."""
    predicted: Indices
    """N, the class that scores highest, the first of them where several do."""
    confusion: Indices
    """C x C counts, a row for each true class, a column for each predicted one."""
    tied: float
    """Share of pictures whose right class scores as another: it counts as missed."""

    @property
    def accuracy(self) -> float:
        """Share of pictures whose class comes first, 0 to 1."""
        return float(self.is_first.mean())

    @property
    def accuracy_top(self) -> float | None:
        """Share of pictures whose class is among the first `TOP`."""
        return None if self.is_in_top is None else float(self.is_in_top.mean())


def describe_classes(texts: Features, n_templates: int) -> Features:
    """Features of classes, C x D of length 1: norm(mean over templates of norm(text)).

    Args:
        texts: C T x D, all T texts of the first class first.
        n_templates: T.

    Raises:
        UsageError: the count of texts is no multiple of T, or a class's texts cancel out.

    """
    if texts.ndim != 2 or n_templates < 1 or not len(texts) or len(texts) % n_templates:
        raise UsageError(f"{n_templates} texts of each class were wanted, got features {texts.shape}.")
    width = texts.shape[1]
    return _normalise(_normalise(texts).reshape(-1, n_templates, width).mean(axis=1))


def score_classes(pictures: Features, classes: Features) -> Features:
    """Cosines of N pictures with C classes, N x C. Raises `UsageError` for features that do not fit."""
    if pictures.ndim != 2 or classes.ndim != 2 or pictures.shape[1] != classes.shape[1]:
        raise UsageError(f"Features N x D and C x D were wanted, got {pictures.shape} and {classes.shape}.")
    return np.asarray(_normalise(pictures) @ _normalise(classes).T)


def judge_classes(scores: Features, truth: Sequence[int] | Indices) -> Classified:
    """Judge scores for classes. A right class that scores as a wrong one stands behind it.

    Args:
        scores: N x C, more is likelier.
        truth: N numbers from 0 to C - 1.

    Raises:
        UsageError: shapes do not fit, there is one class only, or a number is no class.

    """
    wanted = np.asarray(truth, np.int64)
    if scores.ndim != 2 or len(scores) != len(wanted) or not len(scores) or scores.shape[1] < 2:
        raise UsageError(
            f"Scores N x C for N pictures and at least two classes were wanted, got {scores.shape}."
        )
    n_classes = scores.shape[1]
    if wanted.min() < 0 or wanted.max() >= n_classes:
        raise UsageError(
            f"Classes from 0 to {n_classes - 1} were wanted, got {wanted.min()} to {wanted.max()}."
        )
    own = np.take_along_axis(scores, wanted[:, None], 1)
    before = (scores > own - _SAME).sum(axis=1) - 1
    predicted = scores.argmax(axis=1)
    confusion = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(confusion, (wanted, predicted), 1)
    return Classified(
        is_first=before == 0,
        is_in_top=before < TOP if n_classes >= TOP else None,
        predicted=predicted,
        confusion=confusion,
        tied=float(((np.abs(scores - own) < _SAME).sum(axis=1) > 1).mean()),
    )


def mean_recall(is_right: Flags, truth: Indices) -> float:
    """Balanced accuracy: the mean over the classes that occur of the share of their pictures that were judged right."""
    counts = np.bincount(truth)
    right = np.bincount(truth, is_right, minlength=len(counts))
    return float((right[counts > 0] / counts[counts > 0]).mean())


def average_precision(scores: npt.NDArray[np.float64], is_positive: Flags) -> float:
    """Mean over the positive of the precision at their rank; what ties counts from the last place of the tie.

    Raises:
        UsageError: there is no positive one, or counts differ.

    """
    if scores.ndim != 1 or scores.shape != is_positive.shape or not is_positive.any():
        raise UsageError("N scores and N flags were wanted, at least one of them true.")
    order = np.argsort(-scores, kind="stable")
    ranked, found = scores[order], np.cumsum(is_positive[order])
    # The last place of each run of equal scores: all of a run are found there at once.
    last = np.searchsorted(-ranked, -ranked, side="right") - 1
    precision = found[last] / (last + 1)
    return float(precision[is_positive[order]].mean())


def mean_average_precision(scores: Features, truth: Flags) -> float:
    """Mean over the classes that some picture carries of their average precision; N x C scores and N x C flags."""
    if scores.shape != truth.shape or scores.ndim != 2 or not truth.any():
        raise UsageError(f"N x C scores and flags were wanted, got {scores.shape} and {truth.shape}.")
    carried = np.flatnonzero(truth.any(axis=0))
    return float(np.mean([average_precision(scores[:, c], truth[:, c]) for c in carried]))


def _normalise(features: Features) -> Features:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise UsageError("Features with a direction were wanted, got some that are 0 or not finite.")
    return np.asarray(features / lengths, np.float64)
