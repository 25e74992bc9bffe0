"""Gates: what weather seen from above must satisfy, picture by picture and over the set.

A gate is passed, not passed, or not judged: where the record does not say what was intended, or the pictures hold
nothing to judge by, nobody knows, and the report says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from earthloom.evaluate.scenes.readings import VEILS, Case, Reading
from earthloom.evaluate.scenes.rules import RULES, Rule
from earthloom.metrics.scenes import trend_bound, veil_lean, veil_trend

MOST_FAILING = 0.1
"""Share of the pictures, and never less than one, that may fail a gate which the set still passes: thresholds leave one
in twenty of good ones out."""
LEAST_JUDGED = 5
"""Pictures: of fewer, one says nothing of the set."""
LEAST_LEANING = 8
"""Veils: fewer could all lean one way by chance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """One gate over all pictures of an effect."""

    name: str
    question: str
    """What has to be so."""
    passed: bool | None
    """None where it could not be judged."""
    measured: float | None
    """Median over the pictures that were judged."""
    unit: str
    bound: str
    n: int
    """Pictures that were judged."""
    n_failed: int
    note: str | None = None
    """Why it was not judged."""


def list_rules(effect: str) -> list[Rule]:
    """The rules for pictures of an effect."""
    return [rule for rule in RULES if rule.effects is None or effect in rule.effects]


def judge_picture(case: Case) -> dict[str, Reading]:
    """What every rule for its effect finds in a picture, by name."""
    return {rule.name: rule.read(case) for rule in list_rules(case.effect)}


def judge_set(effect: str, readings: Sequence[Mapping[str, Reading]]) -> tuple[Gate, ...]:
    """Every gate of an effect over what was read in its pictures; none where there is no picture with an original."""
    if not readings:
        return ()
    gates = [_join(rule, effect, [reading[rule.name] for reading in readings]) for rule in list_rules(effect)]
    if effect in VEILS:
        gates.append(_judge_trend(readings))
    return tuple(gates)


def _join(rule: Rule, effect: str, readings: Sequence[Reading]) -> Gate:
    judged = [reading for reading in readings if reading.passed is not None]
    n_failed = sum(reading.passed is False for reading in judged)
    values = [reading.measured for reading in judged if reading.measured is not None]
    enough = len(judged) >= LEAST_JUDGED
    lack = f"{LEAST_JUDGED} pictures wanted, {len(judged)} could be judged" if judged else rule.unjudged
    return Gate(
        name=rule.name,
        question=rule.question,
        passed=n_failed <= max(1.0, MOST_FAILING * len(judged)) if enough else None,
        measured=float(np.median(values)) if values else None,
        unit=rule.unit,
        bound=rule.say_bound(effect),
        n=len(judged),
        n_failed=n_failed,
        note=None if enough else lack,
    )


def _judge_trend(readings: Sequence[Mapping[str, Reading]]) -> Gate:
    """Veils of a set do not lean one way: fog that follows the depth of a street scene does in every picture."""
    maps = [reading.map for entry in readings if (reading := entry["transmission"]).map is not None]
    trend, bound = veil_trend(maps), trend_bound(maps)
    n = sum(veil_lean(found) is not None for found in maps)
    can_tell = n >= LEAST_LEANING and bound < 1
    return Gate(
        name="trend",
        question="Veils lean no common way",
        passed=trend <= bound if can_tell else None,
        measured=trend if math.isfinite(trend) else None,
        unit="",
        bound=f"at most {bound:.2f}" if can_tell else "",
        n=n,
        n_failed=0,
        note=None if can_tell else f"too few pictures with a veil that can be mapped: {n}",
    )
