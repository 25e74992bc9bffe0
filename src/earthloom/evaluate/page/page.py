"""The page of a result."""

from __future__ import annotations

from collections.abc import Sequence

from earthloom.core.markup import Html, element, join
from earthloom.evaluate.result import Figure, Result
from earthloom.evaluate.work import Grid


def render_page(result: Result, grids: Sequence[Grid] = ()) -> str:
    """The page as text."""
    rows = [element("tr", [element("td", cell) for cell in _list_cells(figure)]) for figure in result.figures]
    body = join(element("h1", result.name), element("table", rows), _draw_protocol(result))
    return f"<!doctype html>\n{element('html', element('body', body))}"


def _list_cells(figure: Figure) -> list[str]:
    value = "–" if figure.value is None else f"{figure.value:.4g}"
    return [figure.name, figure.group or "", figure.encoder or "", value]


def _draw_protocol(result: Result) -> Html:
    return element("ul", [element("li", f"{name}: {rule}") for name, rule in result.protocol.rules.items()])
