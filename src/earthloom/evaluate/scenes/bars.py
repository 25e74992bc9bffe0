"""Small drawings in SVG: where a score lies between the mark of clear pictures and that of real ones."""

from __future__ import annotations

from earthloom.core.markup import Html, element
from earthloom.evaluate.scenes.realism import Distance

_WIDTH, _HEIGHT = 240, 44
_LEFT, _RIGHT = 34, 206
"""Where skill is 0 (clear pictures) and 1 (real pictures)."""
_LINE = 16
_REACH = (-0.13, 1.13)
"""Skills that still fit."""


def draw_skill(found: Distance) -> Html:
    """A line from clear to real with the score on it, and its spread; nothing where there is no skill."""
    if found.skill is None or found.skill_low is None or found.skill_high is None:
        return element("span", found.reason or "not measured", class_="soft small")
    assert found.floor is not None
    assert found.ceiling is not None
    assert found.score is not None
    said = (
        f"{found.name}: {found.score.value:.3g}, between clear against real {found.ceiling.value:.3g} and real "
        f"against real {found.floor.value:.3g}: skill {found.skill:.2f}"
    )
    return element(
        "svg",
        element("title", said),
        element("line", x1=_LEFT, x2=_RIGHT, y1=_LINE, y2=_LINE, class_="track"),
        element("line", x1=_LEFT, x2=_LEFT, y1=_LINE - 6, y2=_LINE + 6, class_="mark"),
        element("line", x1=_RIGHT, x2=_RIGHT, y1=_LINE - 6, y2=_LINE + 6, class_="mark"),
        element(
            "line",
            x1=_place(found.skill_low),
            x2=_place(found.skill_high),
            y1=_LINE,
            y2=_LINE,
            class_="spread",
        ),
        _draw_point(found.skill),
        _text(_LEFT, f"clear {found.ceiling.value:.3g}"),
        _text(_RIGHT, f"real {found.floor.value:.3g}"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=said,
        class_="skill",
    )


def _draw_point(skill: float) -> Html:
    """A dot, or an arrow head where the skill lies beyond the drawing."""
    x = _place(skill)
    low, high = _REACH
    if low <= skill <= high:
        return element("circle", cx=x, cy=_LINE, r=6, class_="score")
    tip = -9 if skill < low else 9
    return element(
        "polygon", points=f"{x:.1f},{_LINE - 7} {x + tip:.1f},{_LINE} {x:.1f},{_LINE + 7}", class_="score"
    )


def _place(skill: float) -> float:
    low, high = _REACH
    return _LEFT + min(max(skill, low), high) * (_RIGHT - _LEFT)


def _text(x: float, text: str) -> Html:
    return element("text", text, x=x, y=_LINE + 24)
