"""Ground sample distance: is the ground as far away as was asked for? Read in octaves: twice as far is one more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.attributes.readings import (
    LEAST_GROUPS,
    LEAST_PICTURES,
    Judgement,
    Readings,
    Resampling,
    Telling,
    Unjudged,
    average,
)
from earthloom.evaluate.attributes.ridge import fit_ridge, predict_held_out
from earthloom.evaluate.attributes.traits import Sample, list_octaves
from earthloom.evaluate.result import Figure

GSD = "gsd"
NEAR_OCTAVES = 0.5
"""A distance that is read within half an octave is taken as the one that was asked for."""
_LEAST_SPREAD = 0.25
"""Octaves by which distances of real pictures must spread (standard deviation), so that they teach anything."""

Octaves = npt.NDArray[np.float64]
"""N, logarithms to the base 2 of metres."""


def judge_distance(
    real: Sample, generated: Sample, *, folds: int, seed: int
) -> Judgement[np.float64] | Unjudged:
    """Read the distance in generated pictures, and in real ones by probes that saw nothing of their ground.

    Args:
        real: real pictures, with what they show.
        generated: generated ones, with what was asked for.
        folds: of the cross-validation over grounds.
        seed: of the folds.

    """
    known = real.take(np.flatnonzero(np.isfinite(list_octaves(real.traits))))
    shown = list_octaves(known.traits)
    lacking = _explain_lack(shown, known.groups)
    if lacking is not None:
        return Unjudged(trait=GSD, reason=lacking)
    asked = list_octaves(generated.traits)
    is_taught = (asked >= shown.min() - NEAR_OCTAVES) & (asked <= shown.max() + NEAR_OCTAVES)
    rows = np.flatnonzero(is_taught)
    if not len(rows):
        told = f"from {2 ** shown.min():.3g} to {2 ** shown.max():.3g} m"
        return Unjudged(trait=GSD, reason=f"no picture was asked for what real ones teach: {told}")
    seen = Readings(
        rows=np.arange(len(shown)),
        wanted=shown,
        read=predict_held_out(known.features, shown, known.groups, folds=folds, seed=seed),
        groups=known.groups,
    )
    ridge = fit_ridge(known.features, shown, known.groups, folds=folds, seed=seed)
    return Judgement(
        trait=GSD,
        generated=Readings(
            rows=rows,
            wanted=asked[rows],
            read=ridge.predict(generated.features[rows]),
            groups=tuple(generated.groups[row] for row in rows),
        ),
        real=seen.take(_find_within(shown, asked[rows])),
        n_learned=len(shown),
        n_unlearned=int(np.isfinite(asked).sum()) - len(rows),
    )


def list_distance_figures(
    judged: Judgement[np.float64], encoder: str, resampling: Resampling
) -> list[Figure]:
    """Mean error in octaves, and the share that is read within half an octave of what was asked for."""
    telling = Telling(judgement=judged, encoder=encoder)
    wanted = judged.generated.wanted
    constant = np.abs(wanted - np.median(wanted))
    reason = None if np.ptp(wanted) > 0 else "one distance alone was asked for: one answer for all is right"
    error, near = (
        [
            average(score(readings), readings.groups, resampling)
            for readings in (judged.generated, judged.real)
        ]
        for score in (_errors, _hits)
    )
    assert error[0] is not None  # there are pictures
    assert near[0] is not None
    details = {
        "bias_octaves": float((judged.generated.read - wanted).mean()),
        "from_m": float(2 ** wanted.min()),
        "to_m": float(2 ** wanted.max()),
    }
    return [
        telling.tell(
            f"faithful:{GSD}",
            error[0],
            error[1],
            null=float(constant.mean()),
            unit="octaves",
            better="lower",
            reason=reason,
            details=details,
        ),
        telling.tell(
            f"faithful:{GSD}_near",
            near[0],
            near[1],
            null=float((constant <= NEAR_OCTAVES).mean()),
            better="higher",
            reason=reason,
        ),
    ]


def _errors(readings: Readings[np.float64]) -> Octaves:
    return np.asarray(np.abs(readings.read - readings.wanted))


def _hits(readings: Readings[np.float64]) -> Octaves:
    return np.asarray(_errors(readings) <= NEAR_OCTAVES, np.float64)


def _find_within(shown: Octaves, asked: Octaves) -> npt.NDArray[np.bool_]:
    """Which real pictures lie where pictures were asked for; all of them where that would be too few."""
    near = (shown >= asked.min() - NEAR_OCTAVES) & (shown <= asked.max() + NEAR_OCTAVES)
    return near if near.sum() >= LEAST_PICTURES else np.ones_like(near)


def _explain_lack(octaves: Octaves, groups: Sequence[str]) -> str | None:
    n_groups = len(set(groups))
    if len(octaves) < LEAST_PICTURES or n_groups < LEAST_GROUPS:
        return (
            f"wants {LEAST_PICTURES} real pictures and {LEAST_GROUPS} grounds of known distance, "
            f"got {len(octaves)} and {n_groups}"
        )
    if octaves.std() < _LEAST_SPREAD:
        return f"real pictures are all at about one distance, {2 ** float(octaves.mean()):.3g} m"
    return None
