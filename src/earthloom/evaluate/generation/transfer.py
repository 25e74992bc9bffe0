"""What a classifier that learned from generated pictures knows of real ones, and the reverse.

Ravuri and Vinyals, Classification accuracy score for conditional generative models, NeurIPS 2019, with a linear probe
on features in the place of a network of its own. What a probe of the same kind that learned from pictures of the set
that is tried reaches, of other grounds or prompts, is the ceiling.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.attributes.names import balance
from earthloom.evaluate.attributes.readings import Agreement, Readings
from earthloom.evaluate.generation.classes import LEAST, Labels
from earthloom.evaluate.generation.spaces import Draws, Space
from earthloom.evaluate.result import Figure
from earthloom.metrics.probe import cross_validate, fit_probe

NAMES = ("cas", "cas_reverse")
"""Learned from generated pictures and tried on real ones; learned from real ones and tried on generated ones."""


def measure_transfer(space: Space, labels: Labels, draws: Draws, folds: int) -> list[Figure]:
    """Balanced accuracies both ways; without a value, and with the reason, where there are fewer than two classes."""
    names = labels.common
    if len(names) < 2:
        why = f"wants two classes with {LEAST} pictures in both sets, got {len(names)}"
        return [Figure(name=name, value=None, encoder=space.encoder, reason=why) for name in NAMES]
    grounds, prompts = (
        space.real_grounds or space.real_groups,
        space.generated_prompts or space.generated_groups,
    )
    real = _take(space.real, labels.real, grounds, names)
    generated = _take(space.generated, labels.generated, prompts, names)
    return [
        _measure(name, learned, tried, space.encoder, draws, folds)
        for name, learned, tried in zip(NAMES, (generated, real), (real, generated), strict=True)
    ]


class _Part:
    """Pictures with their classes."""

    def __init__(self, features: npt.NDArray[np.float64], labels: list[str], groups: list[str]) -> None:
        self.features, self.labels, self.groups = features, np.array(labels, np.str_), tuple(groups)

    def read(self, answers: npt.NDArray[np.str_]) -> Readings[np.str_]:
        """Hold answers against the classes."""
        return Readings(rows=np.arange(len(answers)), wanted=self.labels, read=answers, groups=self.groups)


def _take(
    features: npt.NDArray[np.float64],
    labels: tuple[str | None, ...],
    groups: tuple[str, ...],
    names: list[str],
) -> _Part:
    rows = [row for row, label in enumerate(labels) if label in names]
    return _Part(features[rows], [str(labels[row]) for row in rows], [groups[row] for row in rows])


def _measure(name: str, learned: _Part, tried: _Part, encoder: str, draws: Draws, folds: int) -> Figure:
    answers = fit_probe(learned.features, learned.labels).predict(tried.features)
    found, ceiling = balance(tried.read(answers), draws.resampling), _find_ceiling(tried, draws, folds)
    interval, own = found.interval, ceiling.interval if ceiling else None
    return Figure(
        name=name,
        value=found.value,
        better="higher",
        encoder=encoder,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=f"bootstrap over {found.n_groups:,} groups of what was tried" if interval else None,
        null=1 / len(np.unique(tried.labels)),
        ceiling=ceiling.value if ceiling else None,
        n=len((learned if name == NAMES[0] else tried).labels),
        n_real=len((tried if name == NAMES[0] else learned).labels),
        details={"ceiling_low": own.low if own else None, "ceiling_high": own.high if own else None},
    )


def _find_ceiling(tried: _Part, draws: Draws, folds: int) -> Agreement | None:
    """What a probe reaches that learned from the same set; None where a class has but one ground or prompt."""
    grounds = (np.unique(np.array(tried.groups)[tried.labels == name]) for name in np.unique(tried.labels))
    if min(map(len, grounds)) < 2:
        return None
    own = cross_validate(tried.features, tried.labels, tried.groups, folds, draws.seed).predicted
    return balance(tried.read(own), draws.resampling)
