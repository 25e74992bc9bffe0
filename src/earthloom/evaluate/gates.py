"""Gates: what weather seen from above must satisfy, judged picture by picture and over the set.

A gate is passed, not passed, or not judged: where the record does not say what was intended, or the picture holds
nothing to judge by, nobody knows, and the page says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from earthloom.evaluate.rules import RULES, Case, Reading, Rule
from earthloom.metrics.scenes import MOST_VEIL_TREND, veil_trend

MOST_FAILING = 0.05
"""Share of the pictures that may fail a gate which the set still passes: thresholds are those of single pictures."""
LEAST_FOR_TREND = 8
"""Pictures: fewer could all lean one way by chance."""


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
    """Why it was not judged, or what to know of it."""


def judge_picture(case: Case) -> dict[str, Reading]:
    """Every rule for an effect, by name."""
    return {rule.name: rule.read(case) for rule in list_rules(case.effect)}


def list_rules(effect: str) -> list[Rule]:
    """Rules of single pictures for an effect."""
    return [rule for rule in RULES if rule.effects is None or effect in rule.effects]


def judge_set(effect: str, readings: Sequence[Mapping[str, Reading]], cases: Sequence[Case]) -> tuple[Gate, ...]:
    ...
