"""Accuracies with intervals and nulls; tables of confusion and of classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.averages import average, resample
from earthloom.evaluate.classification.config import ClassificationRecipe
from earthloom.evaluate.result import Figure, Table
from earthloom.metrics.zero_shot import mean_recall

_WORST = 3
"""Pairs of classes that are taken for each other most, in a note."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judged:
    """Pictures with one class each, and what was said of them."""

    way: str
    """`zero_shot` or `probe`."""
    encoder: str
    classes: tuple[str, ...]
    truth: npt.NDArray[np.int64]
    """N, places in `classes`."""
    predicted: npt.NDArray[np.int64]
    is_right: npt.NDArray[np.bool_]
    is_in_top: npt.NDArray[np.bool_] | None
    """N, whether the class is among the first five; None with fewer than five classes."""
    grounds: Sequence[str]
    details: dict[str, Any]


def list_figures(judged: Judged, recipe: ClassificationRecipe) -> Iterator[Figure]:
    """Accuracy, that of the first five, and balanced accuracy, of all; recall of each class."""
    counts = np.bincount(judged.truth, minlength=len(judged.classes))
    n_there, way = int((counts > 0).sum()), judged.way
    common: dict[str, Any] = {"encoder": judged.encoder, "better": "higher"}
    majority = float(counts.max() / counts.sum())
    details = {"null_is": "always the most frequent class", **judged.details}
    yield average(
        f"{way}:accuracy", judged.is_right, judged.grounds, recipe, null=majority, details=details, **common
    )
    yield resample(
        f"{way}:balanced_accuracy",
        _Balanced(judged),
        judged.grounds,
        recipe,
        null=1 / n_there,
        details={"null_is": "any constant answer", "n_classes": n_there},
        **common,
    )
    if judged.is_in_top is not None:
        yield average(
            f"{way}:accuracy@5",
            judged.is_in_top,
            judged.grounds,
            recipe,
            null=float(np.sort(counts)[::-1][:5].sum() / counts.sum()),
            details={"null_is": "always the five most frequent classes"},
            **common,
        )
    for place, name in enumerate(judged.classes):
        own = judged.truth == place
        if own.any():
            grounds = [judged.grounds[i] for i in np.flatnonzero(own).tolist()]
            yield average(f"{way}:recall", judged.is_right[own], grounds, recipe, group=name, **common)


def tabulate(judged: Judged) -> tuple[Table, Table]:
    """The confusion of classes, rows adding up to 1, and precision and recall of each."""
    n = len(judged.classes)
    counts = np.zeros((n, n), np.int64)
    np.add.at(counts, (judged.truth, judged.predicted), 1)
    totals, said = counts.sum(axis=1), counts.sum(axis=0)
    shares = np.divide(counts, totals[:, None], out=np.zeros((n, n)), where=totals[:, None] > 0)
    there = np.flatnonzero(totals > 0)
    confusion = Table(
        title=f"What was taken for what: {_name(judged)}",
        columns=("true class", *judged.classes),
        rows=tuple((judged.classes[i], *(float(share) for share in shares[i])) for i in there),
        note=_tell_worst(judged.classes, counts, totals),
        is_matrix=True,
    )
    classes = Table(
        title=f"Classes: {_name(judged)}",
        columns=("class", "pictures", "recall", "precision"),
        rows=tuple(
            (
                judged.classes[i],
                int(totals[i]),
                float(shares[i, i]) if totals[i] else None,
                float(counts[i, i] / said[i]) if said[i] else None,
            )
            for i in range(n)
        ),
    )
    return confusion, classes


def _name(judged: Judged) -> str:
    return f"{judged.way.replace('_', '-')}, {judged.encoder.partition('@')[0]}"


def _tell_worst(
    classes: Sequence[str], counts: npt.NDArray[np.int64], totals: npt.NDArray[np.int64]
) -> str | None:
    wrong = counts * (1 - np.eye(len(classes), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_WORST]
    named = [
        f"{classes[i]} for {classes[j]} ({wrong[i, j]:,} of {totals[i]:,})"
        for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[i, j]
    ]
    return f"Taken most often: {', '.join(named)}." if named else None


class _Balanced:
    """Balanced accuracy of some of the pictures."""

    def __init__(self, judged: Judged) -> None:
        self._right, self._truth = judged.is_right, judged.truth

    def __call__(self, chosen: npt.NDArray[np.int64]) -> float:
        return mean_recall(self._right[chosen], self._truth[chosen])
