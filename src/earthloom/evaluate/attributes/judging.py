"""Generated pictures read by probes that learned from real ones, held against what their prompts asked for.

A probe is only as good as it is on real pictures that it has not seen: that is the ceiling of what it can find in
generated ones. What one answer for all would get is the null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from earthloom.evaluate.attributes.distances import judge_distance, list_distance_figures
from earthloom.evaluate.attributes.names import judge_name, list_name_figures, tabulate
from earthloom.evaluate.attributes.readings import Judgement, Readings, Resampling, Unjudged
from earthloom.evaluate.attributes.traits import NAMES, Sample, list_names, list_octaves
from earthloom.evaluate.result import Figure, Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One generated picture's answer for one trait; distances in metres."""

    row: int
    """Place of the picture in its sample."""
    prompt: str
    """Pictures of one prompt belong together."""
    trait: str
    asked: str | float
    read: str | float


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What was found of one trait."""

    trait: str
    figures: tuple[Figure, ...]
    """One without a value and with the reason, where the trait could not be judged."""
    tables: tuple[Table, ...] = ()
    """Confusion of names, of generated pictures and of real ones that were held out."""
    readings: tuple[Reading, ...] = ()
    """Of every picture, so that sets drawn from the same prompts can be compared prompt by prompt."""


def judge_all(
    real: Sample, generated: Sample, *, encoder: str, resampling: Resampling, folds: int = 5
) -> list[Judged]:
    """Judge every trait that was asked for, as far as real pictures teach it.

    Args:
        real: real pictures, with what they show.
        generated: generated ones, with what was asked for; features of the same kinds.
        encoder: name and version of the features, for the figures.
        resampling: of the intervals, over prompts; its seed is also that of the folds.
        folds: of the cross-validation over grounds.

    """
    found = []
    for trait in NAMES:
        if any(name is not None for name in list_names(generated.traits, trait)):
            named = judge_name(trait, real, generated, folds=folds, seed=resampling.seed)
            found.append(_tell_name(named, encoder, resampling))
    if np.isfinite(list_octaves(generated.traits)).any():
        distance = judge_distance(real, generated, folds=folds, seed=resampling.seed)
        found.append(_tell_distance(distance, encoder, resampling))
    return found


def _tell_name(judged: Judgement[np.str_] | Unjudged, encoder: str, resampling: Resampling) -> Judged:
    if isinstance(judged, Unjudged):
        return _tell_unjudged(judged, encoder)
    found = judged.generated
    return Judged(
        trait=judged.trait,
        figures=tuple(list_name_figures(judged, encoder, resampling)),
        tables=tuple(tabulate(judged)),
        readings=_list_readings(judged.trait, found, found.wanted.tolist(), found.read.tolist()),
    )


def _tell_distance(judged: Judgement[np.float64] | Unjudged, encoder: str, resampling: Resampling) -> Judged:
    if isinstance(judged, Unjudged):
        return _tell_unjudged(judged, encoder)
    found = judged.generated
    return Judged(
        trait=judged.trait,
        figures=tuple(list_distance_figures(judged, encoder, resampling)),
        readings=_list_readings(
            judged.trait, found, np.exp2(found.wanted).tolist(), np.exp2(found.read).tolist()
        ),
    )


def _tell_unjudged(judged: Unjudged, encoder: str) -> Judged:
    figure = Figure(name=f"faithful:{judged.trait}", value=None, encoder=encoder, reason=judged.reason)
    return Judged(trait=judged.trait, figures=(figure,))


def _list_readings(
    trait: str, found: Readings[Any], asked: list[Any], read: list[Any]
) -> tuple[Reading, ...]:
    return tuple(
        Reading(row=row, prompt=prompt, trait=trait, asked=wanted, read=seen)
        for row, prompt, wanted, seen in zip(found.rows.tolist(), found.groups, asked, read, strict=True)
    )
