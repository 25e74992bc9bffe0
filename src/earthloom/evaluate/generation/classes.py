"""Kernel distances class by class: which classes are drawn well, and which are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from earthloom.evaluate.attributes.traits import spell_plainly
from earthloom.evaluate.generation.distances import measure_kernel
from earthloom.evaluate.generation.halves import measure_levels
from earthloom.evaluate.generation.spaces import Draws, Space
from earthloom.evaluate.result import Figure, Table

LEAST = 20
"""Pictures of a class in each set: our choice, so that halves have ten."""
MOST = 50
"""Classes that are measured, the largest first."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Labels:
    """The classes of both sets, spelt as the real set spells them; None where one is not known."""

    real: tuple[str | None, ...]
    generated: tuple[str | None, ...]

    @property
    def common(self) -> list[str]:
        """Classes of which both sets have enough pictures, sorted; at most `MOST`."""
        counts, drawn = Counter(self.real), Counter(self.generated)
        least = {name: min(n, drawn[name]) for name, n in counts.items() if name is not None}
        enough = [name for name, n in least.items() if n >= LEAST]
        return sorted(sorted(enough, key=lambda name: (-least[name], name))[:MOST])


def match_labels(real: Sequence[str | None], asked: Sequence[str | None]) -> Labels:
    """Spell the classes that were asked for as the real pictures do, where these have them."""
    spelt = {spell_plainly(name): name for name in real if name is not None}
    return Labels(
        real=tuple(real),
        generated=tuple(None if name is None else spelt.get(spell_plainly(name), name) for name in asked),
    )


def measure_classes(space: Space, labels: Labels, draws: Draws) -> list[Figure]:
    """The kernel distance of each class that both sets have enough of: it serves small sets."""
    return [replace(_measure_class(space, labels, name, draws), group=name) for name in labels.common]


def tabulate_classes(figures: Sequence[Figure]) -> Table | None:
    """One row a class, the worst first; None where there is none."""
    if not figures:
        return None
    ordered = sorted(figures, key=lambda figure: -(figure.value or 0.0))
    first = ordered[0]
    return Table(
        title=f"{first.name} by class, {first.encoder}",
        columns=("class", "real", "generated", "distance", "low", "high", "real against real"),
        rows=tuple(
            (each.group, each.n_real, each.n, each.value, each.low, each.high, each.floor) for each in ordered
        ),
        note="The worst first.",
    )


def _measure_class(space: Space, labels: Labels, name: str, draws: Draws) -> Figure:
    rows = [row for row, label in enumerate(labels.real) if label == name]
    drawn = [row for row, label in enumerate(labels.generated) if label == name]
    part = replace(
        space,
        real=space.real[rows],
        generated=space.generated[drawn],
        real_groups=_take_groups(space.real_groups, rows),
        generated_groups=_take_groups(space.generated_groups, drawn),
        real_grounds=tuple(space.real_grounds[row] for row in rows) if space.real_grounds else (),
        generated_prompts=tuple(space.generated_prompts[row] for row in drawn)
        if space.generated_prompts
        else (),
    )
    levels = measure_levels(part, lambda x, y: {space.kernel: space.measure_kernel(x, y)}, draws.seed)
    return measure_kernel(part, draws, levels.get(space.kernel))


def _take_groups(groups: Sequence[str], rows: Sequence[int]) -> tuple[str, ...]:
    """Groups of some rows; each row its own where there are too few to draw halves of."""
    taken = tuple(groups[row] for row in rows)
    return taken if len(np.unique(taken)) >= LEAST // 2 else tuple(str(row) for row in rows)
