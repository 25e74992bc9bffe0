"""What a page shows where there is more than it has room for: what tells most, and how much is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from earthloom.evaluate.result import Figure, Table

EACH = 10
"""Groups of one figure that are shown as its worst, as its best and as its largest, where not all are."""
MOST = 3 * EACH
"""Groups of one figure up to which all are shown."""
MOST_CHECKS = 60
MOST_ROWS = 100
"""Of a table."""
MOST_CLASSES = 64
"""Rows and columns of a matrix."""
_COUNT = re.compile(r" \([\d,]+\)$")
"""Of pictures, behind the name of a row: `river (60)`."""
_LAST = 20
"""Rows from the end of a table that is too long: authors put what tells most at one of its ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some groups of a figure."""

    title: str | None
    """Why they are shown; None where all are."""
    figures: tuple[Figure, ...]


def choose_groups(figures: Sequence[Figure]) -> list[Part]:
    """The groups of one figure by one encoder: all in their order, or the worst, the best and those of most pictures.

    No group is in two parts. What was not measured is in none unless all are shown.
    """
    if len(figures) <= MOST:
        return [Part(title=None, figures=tuple(figures))]
    left = [figure for figure in figures if figure.value is not None]
    parts: list[Part] = []
    for title, key in _list_orders(left):
        chosen = sorted(left, key=key)[:EACH]
        taken = set(map(id, chosen))
        left = [figure for figure in left if id(figure) not in taken]
        parts += [Part(title=title, figures=tuple(chosen))] if chosen else []
    return parts


def _list_orders(figures: Sequence[Figure]) -> list[tuple[str, Callable[[Figure], float]]]:
    """Titles of the parts, and what their groups are sorted by."""
    directions = {figure.better for figure in figures}
    order, worst, best = _rate_value, "lowest", "highest"
    if directions == {"higher"}:
        order, worst, best = _rate_value, "worst", "best"
    elif directions == {"lower"}:
        order, worst, best = _rate_cost, "worst", "best"
    elif directions == {"nearer"} and all(figure.floor is not None for figure in figures):
        order, worst, best = _rate_nearness, "furthest from the floor", "nearest to the floor"
    orders: list[tuple[str, Callable[[Figure], float]]] = [
        (worst, order),
        (best, lambda figure: -order(figure)),
    ]
    if any(figure.n is not None for figure in figures):
        orders.append(("of most pictures", lambda figure: -(figure.n or 0)))
    return orders


def _rate_value(figure: Figure) -> float:
    assert figure.value is not None
    return figure.value


def _rate_cost(figure: Figure) -> float:
    return -_rate_value(figure)


def _rate_nearness(figure: Figure) -> float:
    assert figure.floor is not None
    return -abs(_rate_value(figure) - figure.floor)


def choose_checks(checks: Sequence[Figure]) -> list[Figure]:
    """All checks in their order, or those that failed before those that passed, as many as there is room for."""
    if len(checks) <= MOST_CHECKS:
        return list(checks)
    return sorted(checks, key=lambda check: bool(check.passed))[:MOST_CHECKS]


def shrink_table(table: Table) -> tuple[Table, str | None]:
    """A table that a page has room for, and in words what was left out of it."""
    if table.is_matrix:
        return _shrink_matrix(table)
    if len(table.rows) <= MOST_ROWS:
        return table, None
    rows = (*table.rows[: MOST_ROWS - _LAST], *table.rows[-_LAST:])
    told = f"The first {MOST_ROWS - _LAST} and the last {_LAST} of {len(table.rows):,} rows; result.json has all."
    return replace(table, rows=rows), told


def _shrink_matrix(table: Table) -> tuple[Table, str | None]:
    """Rows whose own column is smallest, such as the classes that are told worst, with the columns of these."""
    n_rows, n_columns = len(table.rows), len(table.columns) - 1
    if max(n_rows, n_columns) <= MOST_CLASSES:
        return table, None
    places = {name: i for i, name in reversed(list(enumerate(table.columns)))}
    own = [places.get(_COUNT.sub("", str(row[0])), 0) for row in table.rows]

    def rate(i: int) -> float:
        cell = table.rows[i][own[i]] if own[i] else None
        return float(cell) if isinstance(cell, int | float) else 0.0

    worst = sorted(sorted(range(n_rows), key=rate)[:MOST_CLASSES])
    rows = [table.rows[i] for i in worst]
    kept = sorted({own[i] for i in worst if own[i]})
    columns = [0, *(kept or range(1, min(n_columns, MOST_CLASSES) + 1))]
    told = (
        f"{len(rows)} of {n_rows:,} rows, those whose own column is smallest, with {len(columns) - 1} of {n_columns:,} "
        "columns, so that rows do not add up; result.json has all."
    )
    return replace(
        table,
        columns=tuple(table.columns[i] for i in columns),
        rows=tuple(tuple(row[i] for i in columns) for row in rows),
    ), told
