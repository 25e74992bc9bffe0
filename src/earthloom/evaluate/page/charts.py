"""Curves as SVG: lines with their bands over one axis, ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from earthloom.core.markup import Html, element
from earthloom.evaluate.result import Curve, Line, say_number

_WIDTH, _HEIGHT = 520, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 506, 14, 250
_TICKS = 5
_COLOURS = 6
"""Classes `line-0` to `line-5` in the style sheet, which also differ in their dashes."""

Range = tuple[float, float]


def draw_curve(curve: Curve) -> Html:
    """A plot as a card."""
    x_range = _find_range([value for line in curve.lines for value in line.x])
    y_range = _find_range(
        [v for line in curve.lines for row in (line.y, line.low or (), line.high or ()) for v in row]
    )
    drawing = element(
        "svg",
        element("title", f"{curve.title}: {curve.y_label} over {curve.x_label}"),
        list(_draw_axes(curve, x_range, y_range)),
        [
            _draw_band(line, i, x_range, y_range)
            for i, line in enumerate(curve.lines)
            if line.low and line.high
        ],
        [part for i, line in enumerate(curve.lines) for part in _draw_line(line, i, x_range, y_range)],
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=_say(curve),
        class_="curve",
    )
    note = [element("p", curve.note, class_="soft small")] if curve.note else []
    return element("div", element("h3", curve.title), drawing, _draw_legend(curve), note, class_="card")


def choose_ticks(low: float, high: float, n: int = _TICKS) -> list[float]:
    """About n round numbers (1, 2 or 5 times a power of ten apart) from low to high."""
    if not high > low:
        return [low]
    rough = (high - low) / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _find_range(values: Sequence[float]) -> Range:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    room = 0.05 * (high - low) or max(abs(high), 1.0) * 0.05
    return low - room, high + room


def _draw_axes(curve: Curve, x_range: Range, y_range: Range) -> Iterator[Html]:
    for value in choose_ticks(*y_range):
        y = _scale(value, y_range, _BOTTOM, _TOP)
        yield element("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, class_="rule")
        yield element("text", say_number(value), x=_LEFT - 8, y=y + 4, class_="end")
    for value in choose_ticks(*x_range):
        x = _scale(value, x_range, _LEFT, _RIGHT)
        yield element("line", x1=x, x2=x, y1=_BOTTOM, y2=_BOTTOM + 5, class_="mark")
        yield element("text", say_number(value), x=x, y=_BOTTOM + 20)
    yield element("line", x1=_LEFT, x2=_RIGHT, y1=_BOTTOM, y2=_BOTTOM, class_="mark")
    yield element("text", curve.x_label, x=(_LEFT + _RIGHT) / 2, y=_HEIGHT - 8)
    middle = (_TOP + _BOTTOM) / 2
    yield element("text", curve.y_label, x=14, y=middle, transform=f"rotate(-90 14 {middle:g})")


def _draw_band(line: Line, number: int, x_range: Range, y_range: Range) -> Html:
    assert line.low is not None
    assert line.high is not None
    there = [_point(x, y, x_range, y_range) for x, y in zip(line.x, line.high, strict=True)]
    back = [_point(x, y, x_range, y_range) for x, y in zip(line.x, line.low, strict=True)]
    return element(
        "polygon", points=" ".join([*there, *reversed(back)]), class_=f"band line-{number % _COLOURS}"
    )


def _draw_line(line: Line, number: int, x_range: Range, y_range: Range) -> Iterator[Html]:
    points = [_point(x, y, x_range, y_range) for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
    kind = f"line-{number % _COLOURS}"
    if len(points) > 1:
        yield element("path", d="M" + " L".join(points), class_=f"stroke {kind}")
    if len(points) <= 30:
        for point in points:
            x, _, y = point.partition(",")
            yield element("circle", cx=x, cy=y, r=2.6, class_=f"dot {kind}")


def _draw_legend(curve: Curve) -> Html:
    if len(curve.lines) < 2:
        return element("span", "")
    keys = [element("li", _draw_key(i), line.name) for i, line in enumerate(curve.lines)]
    return element("ul", keys, class_="legend")


def _draw_key(number: int) -> Html:
    """The line in its colour and its dashes."""
    line = element("line", x1=0, x2=30, y1=3, y2=3, class_=f"stroke line-{number % _COLOURS}")
    return element("svg", line, viewBox="0 0 30 6", class_="key", aria_hidden="true")


def _say(curve: Curve) -> str:
    ends = "; ".join(
        f"{line.name} from {say_number(line.y[0])} to {say_number(line.y[-1])}"
        for line in curve.lines
        if line.y
    )
    return f"{curve.title}. {curve.y_label} over {curve.x_label}: {ends}"


def _point(x: float, y: float, x_range: Range, y_range: Range) -> str:
    return f"{_scale(x, x_range, _LEFT, _RIGHT):.1f},{_scale(y, y_range, _BOTTOM, _TOP):.1f}"


def _scale(value: float, ends: Range, start: float, stop: float) -> float:
    low, high = ends
    return start + (value - low) / (high - low) * (stop - start)
