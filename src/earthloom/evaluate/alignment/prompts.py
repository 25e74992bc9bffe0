"""Which prompts are followed: lift by how long they are, and by what they mention.

The lift above shuffled texts, not the score: long texts score lower whatever the picture shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.alignment.config import AlignmentRecipe
from earthloom.evaluate.alignment.mentions import find_mentions, list_topics, name_mentions
from earthloom.evaluate.alignment.scoring import Scored
from earthloom.evaluate.averages import average
from earthloom.evaluate.result import Curve, Figure, Line, Table

BOUNDS = (0, 10, 20, 40, 77, 150)
"""Tokens above which a bin begins; the last one has no end. 77 is where most text towers end."""
_LEAST = 10
"""Texts of a bin or on a side, so that a mean is worth telling."""


def analyse_prompts(
    scored: Scored, ceiling: Scored | None, recipe: AlignmentRecipe
) -> tuple[list[Table], list[Curve]]:
    """Tables of lift by length and by mention, and the curve over length, with that of real pictures."""
    tables = [_tabulate_lengths(scored, recipe), _tabulate_mentions(scored, recipe)]
    lines = [
        line
        for name, each in (("measured", scored), ("real pictures", ceiling))
        if each is not None and (line := _draw_lengths(name, each, recipe)) is not None
    ]
    curve = Curve(
        title="Lift by the length of the text",
        x_label="tokens",
        y_label="score above shuffled texts",
        lines=tuple(lines),
        note=f"Bins of at least {_LEAST} texts, at their mean length.",
    )
    return [table for table in tables if table.rows], [curve] if lines else []


def _tabulate_lengths(scored: Scored, recipe: AlignmentRecipe) -> Table:
    rows = []
    for name, rows_of in _bin_lengths(scored):
        figure = _average(scored, rows_of, recipe)
        score = float(scored.score.scores[rows_of].mean())
        rows.append((name, len(rows_of), score, figure.value, figure.low, figure.high))
    return Table(
        title="By the length of the text, in tokens",
        columns=("tokens", "texts", "score", "lift", "low", "high"),
        rows=tuple(rows),
        note=f"Tokens with the prefix. Bins of fewer than {_LEAST} texts are left out.",
    )


def _tabulate_mentions(scored: Scored, recipe: AlignmentRecipe) -> Table:
    found = [find_mentions(pair.text) for pair in scored.pairs]
    rows = []
    for topic in list_topics():
        is_named = np.array([topic in mentions for mentions in found], np.bool_) & scored.score.has_null
        is_silent = ~is_named & scored.score.has_null
        if min(is_named.sum(), is_silent.sum()) < _LEAST:
            continue
        named, silent = (_average(scored, np.flatnonzero(flags), recipe) for flags in (is_named, is_silent))
        rows.append(
            (
                topic,
                named.n,
                named.value,
                named.low,
                named.high,
                silent.n,
                silent.value,
                silent.low,
                silent.high,
            )
        )
    return Table(
        title="By what the text mentions",
        columns=("topic", "texts", "lift", "low", "high", "texts without", "lift without", "low", "high"),
        rows=tuple(rows),
        note=(
            f"Told by words ({name_mentions()}). Other things differ between such texts, too; topics with fewer than "
            f"{_LEAST} texts on a side are left out."
        ),
    )


def _draw_lengths(name: str, scored: Scored, recipe: AlignmentRecipe) -> Line | None:
    x, figures = [], []
    for _, rows in _bin_lengths(scored):
        figure = _average(scored, rows, recipe)
        if figure.low is not None:
            x.append(float(scored.tokens[rows].mean()))
            figures.append(figure)
    if not figures:
        return None
    y, low, high = (
        tuple(float(getattr(figure, part)) for figure in figures) for part in ("value", "low", "high")
    )
    return Line(name=name, x=tuple(x), y=y, low=low, high=high)


def _bin_lengths(scored: Scored) -> list[tuple[str, npt.NDArray[np.int64]]]:
    """Names of bins, and the rows in each that have a null; bins with few are left out."""
    bins = []
    for start, stop in zip(BOUNDS, (*BOUNDS[1:], None), strict=True):
        is_in = (scored.tokens > start) & scored.score.has_null
        if stop is not None:
            is_in &= scored.tokens <= stop
        if is_in.sum() >= _LEAST:
            name = f"{start + 1} to {stop}" if stop is not None else f"over {start}"
            bins.append((name, np.flatnonzero(is_in)))
    return bins


def _average(scored: Scored, rows: npt.NDArray[np.int64], recipe: AlignmentRecipe) -> Figure:
    grounds: Sequence[str] = [scored.pairs[row].ground for row in rows.tolist()]
    return average("lift", scored.lifts[rows], grounds, recipe)
