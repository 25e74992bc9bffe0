"""Small drawings in SVG: a value with its interval, on one line with its floor, its null and its ceiling.

Where a mark was taken of another count of pictures than the value, a ring is the figure at that count, and a bracket
spans what lies between the two: that is what a reader may compare, and not the value with the mark.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from earthloom.core.markup import Html, element
from earthloom.evaluate.result import Figure, Mark, say_mark, say_number

WIDTH = 260
_LEFT, _RIGHT, _LINE = 26, 234, 15
_FIRST, _BELOW = 34, 11
"""Where words stand under the line, and how far each line of words lies below the one before, pixels."""
_LETTER, _BETWEEN = 5.6, 6
"""Width of a letter and the room between two words, pixels: generous for fonts of 11 px."""

Domain = tuple[float, float]
_Word = tuple[float, str]
"""Where it is, and what."""


def draw_scale(figure: Figure, domain: Domain | None = None) -> Html:
    """Draw a value and its marks; nothing to compare it with, nothing drawn.

    Args:
        figure: with a value.
        domain: values at the two ends of the line, so that figures below each other share it; else their own.

    """
    if figure.value is None or (not figure.marks and figure.low is None and domain is None):
        return element("span", "")
    ends = domain or find_domain([figure])
    said = _say(figure)
    rows = _set_words(list(_iter_words(figure.marks, ends)))
    return element(
        "svg",
        element("title", said),
        element("line", x1=_LEFT, x2=_RIGHT, y1=_LINE, y2=_LINE, class_="track"),
        _draw_interval(figure, ends),
        [_draw_mark(mark, ends) for mark in figure.marks],
        [_draw_level(mark, mark.at_n, ends) for mark in figure.marks if mark.at_n is not None],
        element("circle", cx=_place(figure.value, ends), cy=_LINE, r=5.5, class_="score"),
        [
            element("text", word, x=round(x, 1), y=_FIRST + i * _BELOW)
            for i, row in enumerate(rows)
            for x, word in row
        ],
        viewBox=f"0 0 {WIDTH} {30 + (len(rows) and 5 + _BELOW * len(rows))}",
        role="img",
        aria_label=said,
        class_="scale",
    )


def find_domain(figures: Sequence[Figure]) -> Domain:
    """Ends of a line on which all values, intervals and marks of figures lie."""
    values = [
        value
        for figure in figures
        for value in (
            *(figure.value, figure.low, figure.high),
            *(each for mark in figure.marks for each in (mark.value, mark.at_n)),
        )
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


def _draw_mark(mark: Mark, ends: Domain) -> Html:
    x = _place(mark.value, ends)
    return element("line", x1=x, x2=x, y1=_LINE - 7, y2=_LINE + 7, class_=f"mark {mark.name}")


def _draw_level(mark: Mark, at_n: float, ends: Domain) -> Html:
    """A ring, and the bracket from it to its mark."""
    x, other = _place(at_n, ends), _place(mark.value, ends)
    bracket = f"M{other:g},{_LINE - 8} V{_LINE - 12} H{x:g} V{_LINE - 6}"
    return element(
        "g",
        element("path", d=bracket, class_="bracket"),
        element("circle", cx=x, cy=_LINE, r=4.5, class_="level"),
    )


def _iter_words(marks: Sequence[Mark], ends: Domain) -> Iterator[_Word]:
    for mark in marks:
        yield _place(mark.value, ends), mark.name
        if mark.at_n is not None:
            yield _place(mark.at_n, ends), f"at {mark.n:,}"


def _set_words(words: Sequence[_Word]) -> list[list[_Word]]:
    """Lines of words from left to right, each word in the first line where it runs into no other."""
    rows: list[list[_Word]] = []
    ends: list[float] = []
    for x, word in sorted(words):
        half = _LETTER * len(word) / 2
        row = next((i for i, end in enumerate(ends) if x - half >= end + _BETWEEN), len(rows))
        if row == len(rows):
            rows.append([])
            ends.append(-math.inf)
        rows[row].append((x, word))
        ends[row] = x + half
    return rows


def _place(value: float, ends: Domain) -> float:
    low, high = ends
    share = (value - low) / (high - low) if high > low else 0.5
    return round(_LEFT + min(max(share, 0.0), 1.0) * (_RIGHT - _LEFT), 1)


def _say(figure: Figure) -> str:
    assert figure.value is not None
    words = [f"{figure.name} {say_number(figure.value)}"]
    if figure.low is not None and figure.high is not None:
        words.append(f"from {say_number(figure.low)} to {say_number(figure.high)}")
    words += [say_mark(mark) for mark in figure.marks]
    return ", ".join(words)
