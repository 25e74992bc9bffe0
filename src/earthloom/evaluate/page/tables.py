"""Tables of a result; matrices are shaded."""

from __future__ import annotations

from earthloom.core.markup import Html, element
from earthloom.evaluate.page.choosing import shrink_table
from earthloom.evaluate.result import Table, say_number

Cell = str | float | int | None


def draw_table(table: Table) -> Html:
    """A table as a card, as much of it as a page has room for."""
    table, left_out = shrink_table(table)
    heads = [
        element("th", name, scope="col", class_="number" if i else None)
        for i, name in enumerate(table.columns)
    ]
    rows = [element("tr", [_draw_cell(cell, i, table) for i, cell in enumerate(row)]) for row in table.rows]
    body = element(
        "table",
        element("thead", element("tr", heads)),
        element("tbody", rows),
        class_="matrix" if table.is_matrix else None,
    )
    notes = [element("p", note, class_="soft small") for note in (table.note, left_out) if note]
    return element(
        "div", element("h3", table.title), element("div", body, class_="scroll"), notes, class_="card spaced"
    )


def _draw_cell(cell: Cell, column: int, table: Table) -> Html:
    if column == 0:
        return element("th", "–" if cell is None else str(cell), scope="row")
    if cell is None:
        return element("td", "–", class_="number")
    if isinstance(cell, str):
        return element("td", cell)
    if not table.is_matrix:
        return element("td", say_number(cell), class_="number")
    share = min(max(float(cell), 0.0), 1.0)
    # Ink stays ink over all shades: the strongest one is half transparent.
    return element("td", f"{cell:.2f}", class_="number shaded", style=f"--share: {0.55 * share:.3f}")
