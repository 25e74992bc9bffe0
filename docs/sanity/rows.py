"""One metric under one change, and whether it moved the right way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Wanted = Literal["rises", "falls", "stays"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """Values of a metric as a change gets stronger."""

    change: str
    metric: str
    values: tuple[float, ...]
    """Without the change first, then mild to strong; two at least."""
    wanted: Wanted
    within: float = 0.0
    """Where it should stay: most that any value may be away from the first."""

    @property
    def is_right(self) -> bool:
        """Whether the first step goes the wanted way, and no later one back: what is at its end cannot go on."""
        if self.wanted == "stays":
            return all(abs(value - self.values[0]) <= self.within for value in self.values)
        sign = 1 if self.wanted == "rises" else -1
        steps = [sign * (after - before) for before, after in pairwise(self.values)]
        return steps[0] > 0 and min(steps) >= 0


def render_rows(rows: Iterable[Row]) -> list[str]:
    """Lines of a table in Markdown, in the order of the rows."""
    lines = [
        "| change | metric | unchanged | changed, mild to strong | wanted | |",
        "|---|---|---:|---|---|---|",
    ]
    for row in rows:
        first, *others = (f"{value:.4g}" for value in row.values)
        wanted = f"stays within {row.within:g}" if row.wanted == "stays" else row.wanted
        verdict = "right" if row.is_right else "**wrong**"
        lines.append(
            f"| {row.change} | {row.metric} | {first} | {', '.join(others)} | {wanted} | {verdict} |"
        )
    return lines
