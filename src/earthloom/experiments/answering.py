"""Figures of results as answers: each with its interval, and held against the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from earthloom.core.errors import UsageError
from earthloom.evaluate.result import Better, Figure, Result
from earthloom.experiments.config import Question
from earthloom.experiments.pairing import compare_verdicts, read_verdicts
from earthloom.store.layout import ExperimentFolder

Outcome = Literal["better", "worse", "higher", "lower", "not told apart"]
"""Of a figure against another one; `higher` and `lower` where it is not said which is good."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One figure of one evaluation."""

    label: str
    """What was measured, in words."""
    step: str
    figure: Figure


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One figure less the first one."""

    label: str
    against: str
    value: float
    low: float | None
    """Of the interval of the difference, where it was taken prompt by prompt; None where intervals were compared."""
    high: float | None
    n: int | None
    """Prompts that both have."""
    how: str
    """How the outcome was told, in words."""
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What was found of one question."""

    question: Question
    measured: tuple[Measured, ...]
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "ask": self.question.ask,
            "figure": self.question.figure,
            "group": self.question.group,
            "measured": [asdict(each) for each in self.measured],
            "differences": [asdict(each) for each in self.differences],
        }


def answer(question: Question, results: Mapping[str, Result], folder: ExperimentFolder) -> Answer:
    """Find the figures of a question, and hold each against the first.

    Raises:
        UsageError: a result has no such figure.

    """
    measured = tuple(
        Measured(label=label, step=step, figure=_find(question, results[step], step))
        for label, step in question.of.items()
    )
    first = measured[0]
    differences = (_compare(first, other, question, results[first.step], folder) for other in measured[1:])
    return Answer(question=question, measured=measured, differences=tuple(d for d in differences if d))


def _find(question: Question, result: Result, step: str) -> Figure:
    try:
        return result.find(question.figure, encoder=question.encoder, group=question.group)
    except KeyError as error:
        names = ", ".join(sorted({figure.name for figure in result.figures}))
        of = f" of {question.group}" if question.group else ""
        raise UsageError(f"{step} has no figure {question.figure!r}{of}; it has {names}.") from error


def _compare(
    first: Measured, other: Measured, question: Question, result: Result, folder: ExperimentFolder
) -> Difference | None:
    a, b = first.figure, other.figure
    if a.value is None or b.value is None:
        return None
    paired = _pair(first, other, question, result, folder)
    if paired is not None:
        return paired
    are_apart = a.encoder == b.encoder and _are_apart(a, b)
    return Difference(
        label=other.label,
        against=first.label,
        value=b.value - a.value,
        low=None,
        high=None,
        n=None,
        how=_tell_how(a, b, are_apart=are_apart),
        outcome=_judge(a, b) if are_apart else "not told apart",
    )


def _pair(
    first: Measured, other: Measured, question: Question, result: Result, folder: ExperimentFolder
) -> Difference | None:
    """The difference prompt by prompt, where both keep verdicts of the same prompts by probes of the same features."""
    if question.pair_by is None or first.figure.encoder != other.figure.encoder:
        return None
    protocol = result.protocol
    found = compare_verdicts(
        *(read_verdicts(folder.step(each.step), question.pair_by) for each in (first, other)),
        resamples=protocol.resamples,
        seed=protocol.seed,
        level=protocol.level,
    )
    if found is None:
        return None
    low, high = found.interval.low, found.interval.high
    is_apart = not low <= 0 <= high
    return Difference(
        label=other.label,
        against=first.label,
        value=found.value,
        low=low,
        high=high,
        n=found.n,
        how="prompt by prompt, every answer that is asked for weighing alike",
        outcome=_name(found.value > 0, first.figure.better) if is_apart else "not told apart",
    )


def _tell_how(a: Figure, b: Figure, *, are_apart: bool) -> str:
    if a.encoder != b.encoder:
        return f"they were described by {a.encoder} and {b.encoder}, which do not compare"
    return "their intervals are apart" if are_apart else "their intervals overlap, or one has none"


def _are_apart(a: Figure, b: Figure) -> bool:
    """Whether two intervals have nothing in common; not known without intervals, so no."""
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return False
    (_, left), (right, _) = sorted([(a.low, a.high), (b.low, b.high)])
    return left < right


def _judge(a: Figure, b: Figure) -> Outcome:
    assert a.value is not None
    assert b.value is not None
    if a.better != "nearer":
        return _name(b.value > a.value, a.better)
    aim = a.floor if a.floor is not None else a.ceiling
    if aim is None:
        return _name(b.value > a.value, None)
    return "better" if abs(b.value - aim) < abs(a.value - aim) else "worse"


def _name(is_higher: bool, better: Better | None) -> Outcome:
    if better in {"higher", "lower"}:
        return "better" if is_higher == (better == "higher") else "worse"
    return "higher" if is_higher else "lower"
