"""What every outcome is brought to before it is written: no number that is none, and pictures told that stand twice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from earthloom.evaluate.result import Curve, Figure, Line, SetInfo, Table
from earthloom.evaluate.work import Outcome

_NUMBERS = ("value", "low", "high", "floor", "null", "ceiling")
_APART = ("real", "generated", "train")
"""Sets that have to be of different pictures for distances between them to say anything."""


def settle(outcome: Outcome) -> Outcome:
    """Without numbers that are not finite, which JSON does not have: unknown is None. A figure says that it had one."""
    return replace(
        outcome,
        figures=tuple(_settle_figure(figure) for figure in outcome.figures),
        tables=tuple(_settle_table(table) for table in outcome.tables),
        curves=tuple(_settle_curve(curve) for curve in outcome.curves),
        notes=(*outcome.notes, *_list_equal_sets(outcome.sets)),
    )


def _settle_figure(figure: Figure) -> Figure:
    numbers = {name: _make_plain(getattr(figure, name)) for name in _NUMBERS}
    lost = [name for name, number in numbers.items() if number is None and getattr(figure, name) is not None]
    told = ", ".join(f"{name} came out as {getattr(figure, name)}" for name in lost)
    reason = "; ".join(part for part in (figure.reason, told) if part) or None
    return replace(figure, **numbers, reason=reason, details=_make_plain(figure.details))


def _settle_table(table: Table) -> Table:
    return replace(table, rows=tuple(tuple(_make_plain(cell) for cell in row) for row in table.rows))


def _settle_curve(curve: Curve) -> Curve:
    return replace(curve, lines=tuple(_settle_line(line) for line in curve.lines))


def _settle_line(line: Line) -> Line:
    """Points with a number that is not finite are left out."""
    rows = {name: row for name in ("x", "y", "low", "high") if (row := getattr(line, name)) is not None}
    points = [point for point in zip(*rows.values(), strict=True) if np.isfinite(point).all()]
    kept: dict[str, Any] = {name: tuple(float(point[i]) for point in points) for i, name in enumerate(rows)}
    return replace(line, **kept)


def _make_plain(value: Any) -> Any:
    """Numbers of arrays as Python's own; None for those that are not finite, wherever they stand."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _make_plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_make_plain(each) for each in value]
    return value


def _list_equal_sets(sets: Sequence[SetInfo]) -> Iterator[str]:
    told = [each for each in sets if each.name in _APART and each.identity is not None]
    for one, other in combinations(told, 2):
        if one.identity == other.identity:
            yield (
                f"The sets {one.name} and {other.name} are the same pictures: whatever is measured between them says "
                "nothing."
            )
