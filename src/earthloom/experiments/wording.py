"""Answers in words."""

from __future__ import annotations

from collections.abc import Iterator

from earthloom.evaluate.result import Figure
from earthloom.experiments.answering import Answer, Difference, Measured

_CLOSE = {
    "better": "{label} is better than {against}",
    "worse": "{label} is worse than {against}",
    "higher": "{label} is higher than {against}",
    "lower": "{label} is lower than {against}",
    "not told apart": "{label} and {against} are not told apart",
}


def write_answer(answer: Answer) -> Iterator[str]:
    """Sentences: what was measured, then what follows."""
    for measured in answer.measured:
        yield write_measured(measured)
    for difference in answer.differences:
        yield write_difference(difference, answer.measured[0].figure.unit)


def write_measured(measured: Measured) -> str:
    """One figure with all that it is to be read beside."""
    figure = measured.figure
    if figure.value is None:
        return f"{measured.label}: not measured, for {figure.reason or 'a reason that is not told'}."
    beside = [f"{name} {write_number(value, figure.unit)}" for name, value in _list_marks(figure)]
    count = [] if figure.n is None else [f"{figure.n:,} measured"]
    told = "; ".join([*beside, *count])
    check = "" if figure.passed is None else f" The check {'holds' if figure.passed else 'fails'}"
    bound = f": {figure.bound}." if figure.bound and check else "." if check else ""
    return f"{measured.label}: {write_value(figure)}{f' ({told})' if told else ''}.{check}{bound}"


def write_value(figure: Figure) -> str:
    """A value with its interval."""
    if figure.value is None:
        return "–"
    text = write_number(figure.value, figure.unit)
    if figure.low is None or figure.high is None:
        return text
    return f"{text}, {_write_plain(figure.low)} to {_write_plain(figure.high)}"


def write_difference(difference: Difference, unit: str | None = None) -> str:
    """Which of two is better, by how much, and how that was told."""
    close = _CLOSE[difference.outcome].format(label=difference.label, against=difference.against)
    value = f"{'+' if difference.value > 0 else ''}{write_number(difference.value, unit)}"
    if difference.low is None or difference.high is None:
        return f"{close}: {value}; {difference.how}."
    interval = f"{_write_plain(difference.low)} to {_write_plain(difference.high)}"
    return f"{close}: {value}, {interval}, over {difference.n:,} prompts, {difference.how}."


def write_number(value: float, unit: str | None = None) -> str:
    """A number as people read it, with its unit."""
    return _write_plain(value) + (f" {unit}" if unit else "")


def _write_plain(value: float) -> str:
    """Three digits that count, with a true minus."""
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if "e" in text:
        text = f"{value:.2e}"
    return text.replace("-", "−")


def _list_marks(figure: Figure) -> Iterator[tuple[str, float]]:
    marks = {
        "real against real": figure.floor,
        "nothing in it": figure.null,
        "the most to hope for": figure.ceiling,
    }
    for name, value in marks.items():
        if value is not None:
            yield name, value
