"""Small drawings in SVG: a value with its interval, on one line with its floor, its null and its ceiling."""

from __future__ import annotations

from collections.abc import Iterator

from earthloom.core.markup import Html, element
from earthloom.evaluate.result import Figure, say_number

WIDTH, HEIGHT = 260, 46
_LEFT, _RIGHT, _LINE = 26, 234, 15
_NEAR = 34
"""Pixels between two marks under which their words would run into each other."""
MARKS = ("floor", "null", "ceiling")

Domain = tuple[float, float]


def draw_scale(figure: Figure, domain: Domain | None = None) -> Html:
    """Draw a value and its marks; nothing to compare it with, nothing drawn.

    Args:
        figure: with a value.
        domain: values at the two ends of the line, so that figures below each other share it; else their own.

    """
    marks = list(iter_marks(figure))
    if figure.value is None or (not marks and figure.low is None and domain is None):
        return element("span", "")
    ends = domain or find_domain([figure])
    said = _say(figure)
    return element(
        "svg",
        element("title", said),
        element("line", x1=_LEFT, x2=_RIGHT, y1=_LINE, y2=_LINE, class_="track"),
        _draw_interval(figure, ends),
        [_draw_mark(name, value, ends) for name, value in marks],
        element("circle", cx=_place(figure.value, ends), cy=_LINE, r=5.5, class_="score"),
        list(_draw_words(marks, ends)),
        viewBox=f"0 0 {WIDTH} {HEIGHT if marks else 30}",
        role="img",
        aria_label=said,
        class_="scale",
    )


def iter_marks(figure: Figure) -> Iterator[tuple[str, float]]:
    """Names and values of the marks that a figure has."""
    for name in MARKS:
        value = getattr(figure, name)
        if value is not None:
            yield name, value


def find_domain(figures: list[Figure]) -> Domain:
    """Ends of a line on which all values, intervals and marks of figures lie."""
    values = [
        value
        for figure in figures
        for value in (figure.value, figure.low, figure.high, *(v for _, v in iter_marks(figure)))
        if value is not None
    ]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = 0.04 * (high - low) or max(abs(high), 1.0) * 0.1
    return low - room, high + room


def _draw_interval(figure: Figure, ends: Domain) -> Html | str:
    if figure.low is None or figure.high is None:
        return ""
    return element(
        "line", x1=_place(figure.low, ends), x2=_place(figure.high, ends), y1=_LINE, y2=_LINE, class_="spread"
    )


def _draw_mark(name: str, value: float, ends: Domain) -> Html:
    x = _place(value, ends)
    return element("line", x1=x, x2=x, y1=_LINE - 7, y2=_LINE + 7, class_=f"mark {name}")


def _draw_words(marks: list[tuple[str, float]], ends: Domain) -> Iterator[Html]:
    """A word under each mark; what is too near to the one before goes a line lower or joins it."""
    last = -1e9
    lower = False
    for name, value in sorted(marks, key=lambda mark: mark[1]):
        x = _place(value, ends)
        lower = x - last < _NEAR and not lower
        last = x
        yield element("text", name, x=round(x, 1), y=_LINE + (30 if lower else 19))


def _place(value: float, ends: Domain) -> float:
    low, high = ends
    share = (value - low) / (high - low) if high > low else 0.5
    return round(_LEFT + min(max(share, 0.0), 1.0) * (_RIGHT - _LEFT), 1)


def _say(figure: Figure) -> str:
    assert figure.value is not None
    words = [f"{figure.name} {say_number(figure.value)}"]
    if figure.low is not None and figure.high is not None:
        words.append(f"from {say_number(figure.low)} to {say_number(figure.high)}")
    words += [f"{name} {say_number(value)}" for name, value in iter_marks(figure)]
    return ", ".join(words)
