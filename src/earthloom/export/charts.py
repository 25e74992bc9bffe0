"""Charts as inline SVG and HTML: no script, no fonts, colours from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from earthloom.core.markup import Html, element

_WIDTH = 360
_HEIGHT = 180
_TOP, _BOTTOM, _LEFT = 12, 34, 34
_MAX_LABELS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar: its label and its parts, each a colour class of the style sheet and a number."""

    label: str
    parts: tuple[tuple[str, int], ...]
    note: str = ""
    """Said beside the number in a row, and in the tooltip of a column."""

    @property
    def total(self) -> int:
        """Sum of the parts."""
        return sum(n for _, n in self.parts)


def draw_columns(bars: Sequence[Bar], caption: str) -> Html:
    """A histogram of upright bars, in the order given; `caption` names what is along the axis, with its unit."""
    top = _nice_ceiling(max((bar.total for bar in bars), default=0))
    step = (_WIDTH - _LEFT) / max(len(bars), 1)
    stride = -(-len(bars) // _MAX_LABELS)
    drawn = [_draw_column(bar, i, step, top, has_label=i % stride == 0) for i, bar in enumerate(bars)]
    return element(
        "svg",
        [
            _draw_grid(value, top)
            for value in (0, top // 2, top)
            if top > 1 or value != top // 2 or value == 0
        ],
        drawn,
        _text(_LEFT + (_WIDTH - _LEFT) / 2, _HEIGHT - 2, caption, "axis"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=f"Histogram: {caption}",
        class_="chart",
    )


def _draw_column(bar: Bar, i: int, step: float, top: int, *, has_label: bool) -> Html:
    width = min(step * 0.78, 48)
    x = _LEFT + i * step + (step - width) / 2
    scale = (_HEIGHT - _TOP - _BOTTOM) / top
    y = float(_HEIGHT - _BOTTOM)
    parts = [element("title", f"{bar.label}: {bar.total:,} {bar.note}".rstrip())]
    for colour, n in bar.parts:
        if n:
            y -= n * scale
            parts.append(element("rect", x=x, y=y, width=width, height=n * scale, class_=colour))
    if has_label:
        parts.append(_text(x + width / 2, _HEIGHT - _BOTTOM + 14, bar.label, "tick"))
    return element("g", parts)


def _draw_grid(value: int, top: int) -> Html:
    y = _HEIGHT - _BOTTOM - value * (_HEIGHT - _TOP - _BOTTOM) / top
    line = element("line", x1=_LEFT, x2=_WIDTH, y1=y, y2=y, class_="grid")
    return element("g", line, _text(_LEFT - 6, y + 3.5, short_number(value), "scale"))


def _text(x: float, y: float, text: str, kind: str) -> Html:
    return element("text", text, x=x, y=y, class_=kind)


def _nice_ceiling(value: int) -> int:
    """A round number that is not below the value, and whose half is whole."""
    if value <= 10:
        return max(value + value % 2, 2)
    decade: int = 10 ** int(math.log10(value))
    return next(n for m in (10, 12, 16, 20, 30, 40, 50, 60, 80, 100) if (n := decade * m // 10) >= value)


def short_number(value: int) -> str:
    """A number in at most five signs: 950, 12k, 1.5M."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return str(value)


def draw_rows(bars: Sequence[Bar], whole: int | None = None) -> Html:
    """Bars lying under each other, with label, number and note, as a list that reads well without its bars.

    `whole` is what a full bar stands for; the largest bar when it is None.
    """
    full = whole or max((bar.total for bar in bars), default=1) or 1
    return element("ul", [_draw_row(bar, full) for bar in bars], class_="rows")


def _draw_row(bar: Bar, full: int) -> Html:
    parts = [
        element("span", class_=f"part {colour}", style=f"width:{100 * n / full:.3f}%")
        for colour, n in bar.parts
        if n
    ]
    number = element("span", bar.note or f"{bar.total:,}", class_="number")
    return element(
        "li",
        element("span", bar.label, class_="label", title=bar.label),
        number,
        element("span", parts, class_="track"),
    )


def draw_legend(entries: Sequence[tuple[str, str]]) -> Html:
    """What the colours mean: (colour class, name)."""
    items = [element("span", element("i", class_=colour), name) for colour, name in entries]
    return element("p", items, class_="legend")
