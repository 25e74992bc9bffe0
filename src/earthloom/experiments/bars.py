"""The figures of one answer on one axis: points, intervals, and the marks that they are read beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from earthloom.core.markup import Html, element
from earthloom.evaluate.page.charts import choose_ticks
from earthloom.evaluate.result import Figure
from earthloom.experiments.answering import Measured
from earthloom.experiments.wording import write_number

_WIDTH, _ROW, _LEFT, _RIGHT = 900, 30, 240, 90
"""Of the drawing, pixels: labels stand left of the axis, values right of it."""
_MARKS = (("floor", "real against real"), ("null", "nothing in it"), ("ceiling", "the most to hope for"))
_TICKS = 5


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def draw_bars(measured: Sequence[Measured]) -> Html | None:
    """The drawing with its key; None where nothing could be measured."""
    known = [each for each in measured if each.figure.value is not None]
    values = [value for each in known for value in _list_values(each.figure)]
    if not values:
        return None
    axis = _make_axis(values)
    height = _ROW * len(known) + 24
    drawn = [part for row, each in enumerate(known) for part in _draw_row(row, each, axis)]
    said = "; ".join(
        f"{each.label} {write_number(each.figure.value, each.figure.unit)}"
        for each in known
        if each.figure.value is not None
    )
    drawing = element(
        "svg",
        *_draw_ticks(axis, height),
        *drawn,
        class_="bars",
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        aria_label=said,
    )
    return element("div", drawing, _draw_key(known))


def _list_values(figure: Figure) -> Iterator[float]:
    for value in (figure.value, figure.low, figure.high, *(getattr(figure, mark) for mark, _ in _MARKS)):
        if value is not None:
            yield value


def _make_axis(values: Sequence[float]) -> _Axis:
    low, high = min(values), max(values)
    room = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    return _Axis(low - room, high + room)


def _draw_ticks(axis: _Axis, height: int) -> Iterator[Html]:
    for value in choose_ticks(axis.low, axis.high, _TICKS):
        x = axis.place(value)
        yield element("line", x1=x, x2=x, y1=0, y2=height - 20, class_="axis")
        yield element("text", write_number(value), x=x, y=height - 6, class_="tick")


def _draw_row(row: int, measured: Measured, axis: _Axis) -> Iterator[Html]:
    figure, y = measured.figure, row * _ROW + _ROW / 2
    yield element("text", measured.label, x=0, y=y + 4)
    for mark, _ in _MARKS:
        if (value := getattr(figure, mark)) is not None:
            x = axis.place(value)
            yield element("line", x1=x, x2=x, y1=y - 9, y2=y + 9, class_=mark)
    if figure.low is not None and figure.high is not None:
        yield element(
            "line", x1=axis.place(figure.low), x2=axis.place(figure.high), y1=y, y2=y, class_="span"
        )
    if figure.value is not None:
        yield element("circle", cx=axis.place(figure.value), cy=y, r=5, class_="point")
        text = write_number(figure.value, figure.unit)
        yield element("text", text, x=_WIDTH, y=y + 4, class_="value")


def _draw_key(measured: Sequence[Measured]) -> Html:
    spans = any(each.figure.low is not None for each in measured)
    rows = [("span", "interval")] if spans else []
    rows += [
        (mark, words)
        for mark, words in _MARKS
        if any(getattr(each.figure, mark) is not None for each in measured)
    ]
    return element("ul", [element("li", _draw_sign(mark), words) for mark, words in rows], class_="key")


def _draw_sign(mark: str) -> Html:
    if mark == "span":
        line = element("line", x1=3, x2=15, y1=6, y2=6, class_=mark)
    else:
        line = element("line", x1=9, x2=9, y1=0, y2=12, class_=mark)
    return element("svg", line, viewBox="0 0 18 12", aria_hidden="true")
