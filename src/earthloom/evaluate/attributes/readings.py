"""What was asked for, what a probe reads, and how well these agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.result import Figure
from earthloom.metrics.bootstrap import Interval, bootstrap_mean, share_interval

LEAST_PICTURES, LEAST_GROUPS = 20, 10
"""Of real pictures, so that a name or a distance is learned: our choice, two grounds in every fold of five."""

Kind = TypeVar("Kind", np.str_, np.float64)
Scores = npt.NDArray[np.float64]
"""N."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Readings(Generic[Kind]):
    """Some pictures as a probe reads them."""

    rows: npt.NDArray[np.int64]
    """N, their places in the sample that they are from."""
    wanted: npt.NDArray[Kind]
    """N, names or octaves that were asked for, or that real pictures show."""
    read: npt.NDArray[Kind]
    """N."""
    groups: tuple[str, ...]
    """N, prompts or grounds."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: npt.NDArray[np.bool_]) -> Readings[Kind]:
        """Those of the pictures that are chosen."""
        return Readings(
            rows=self.rows[chosen],
            wanted=self.wanted[chosen],
            read=self.read[chosen],
            groups=tuple(group for group, is_chosen in zip(self.groups, chosen, strict=True) if is_chosen),
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judgement(Generic[Kind]):
    """One trait: what was read in generated pictures, and in real ones that were held out."""

    trait: str
    generated: Readings[Kind]
    real: Readings[Kind]
    """Of what was asked for: of those names, or within the range of those distances."""
    n_learned: int
    """Real pictures that the probe learned from."""
    n_unlearned: int = 0
    """Pictures that were asked for what real ones did not teach."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unjudged:
    """A trait that could not be judged."""

    trait: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Resampling:
    """How intervals are taken."""

    resamples: int
    level: float
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How well readings agree with what was wanted, in one number."""

    value: float
    interval: Interval | None
    """None where there is but one prompt."""
    n_groups: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """What the figures of one judgement have in common."""

    judgement: Judgement[Any]
    encoder: str

    def tell(
        self,
        name: str,
        found: Agreement,
        ceiling: Agreement | None,
        *,
        null: float,
        details: dict[str, Any] | None = None,
        **more: Any,
    ) -> Figure:
        """A figure with what real pictures that were held out come to as its ceiling."""
        interval = found.interval
        return Figure(
            name=name,
            value=found.value,
            encoder=self.encoder,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            interval=f"{interval.how} over {found.n_groups:,} prompts" if interval else None,
            null=null,
            ceiling=ceiling.value if ceiling else None,
            n=len(self.judgement.generated),
            n_real=self.judgement.n_learned,
            details={**self._describe(ceiling), **(details or {})},
            **more,
        )

    def _describe(self, ceiling: Agreement | None) -> dict[str, Any]:
        interval = ceiling.interval if ceiling else None
        return {
            "n_held_out": len(self.judgement.real),
            "n_unlearned": self.judgement.n_unlearned,
            "ceiling_low": interval.low if interval else None,
            "ceiling_high": interval.high if interval else None,
        }


def average(
    scores: Scores | npt.NDArray[np.bool_], groups: tuple[str, ...], resampling: Resampling
) -> Agreement | None:
    """Mean of a score or a truth of each picture; None for no pictures. Of truths the interval is Wilson's."""
    if not len(scores):
        return None
    if len(set(groups)) < 2:
        return Agreement(value=float(scores.mean()), interval=None, n_groups=1)
    if scores.dtype == np.bool_:
        flags = np.asarray(scores, np.bool_)
        interval = share_interval(flags, groups=groups, level=resampling.level)
        return Agreement(value=float(flags.mean()), interval=interval, n_groups=len(set(groups)))
    found = bootstrap_mean(
        np.asarray(scores, np.float64),
        groups=groups,
        resamples=resampling.resamples,
        seed=resampling.seed,
        level=resampling.level,
    )
    return Agreement(value=found.value, interval=found.interval, n_groups=found.n_units)
