"""Generated pictures against real ones: from the recipe to figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from earthloom.core.errors import RunError
from earthloom.evaluate.attributes.measuring import (
    Faithfulness,
    measure_attributes,
    open_pairs,
    open_probes,
)
from earthloom.evaluate.attributes.readings import Resampling
from earthloom.evaluate.attributes.traits import find_asked
from earthloom.evaluate.encoders import open_encoders
from earthloom.evaluate.gathering import Gathered, gather
from earthloom.evaluate.generation.classes import Labels, match_labels, measure_classes, tabulate_classes
from earthloom.evaluate.generation.config import GenerationRecipe
from earthloom.evaluate.generation.copying import measure_copying
from earthloom.evaluate.generation.distances import (
    measure_frechet,
    measure_frechet_infinity,
    measure_kernel,
)
from earthloom.evaluate.generation.doubles import list_doubles
from earthloom.evaluate.generation.halves import SPLITS, Level, measure_levels
from earthloom.evaluate.generation.manifolds import measure_manifolds, measure_prdc
from earthloom.evaluate.generation.near_copies import find_near_copies
from earthloom.evaluate.generation.pixels import PIXELS
from earthloom.evaluate.generation.scores import measure_score
from earthloom.evaluate.generation.showing import show_classes, show_pairs, show_prompts
from earthloom.evaluate.generation.spaces import Draws, Space, make_space
from earthloom.evaluate.generation.transfer import measure_transfer
from earthloom.evaluate.generation.wording import list_notes, list_rules, order_figures
from earthloom.evaluate.result import Curve, Figure, SetInfo, Table
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.sizes import Shrunk, Survey, survey
from earthloom.evaluate.work import Grid, Outcome, Work
from earthloom.metrics.frechet import frechet_distance
from earthloom.models.encoders.encoder import Encoder, Features

LEAST = 20
"""Pictures of each set: halves of ten are the least that say anything."""


@dataclass(kw_only=True, slots=True)
class _Found:
    """What has been measured so far."""

    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Sets:
    """The sets of a recipe, described."""

    real: Gathered
    generated: Gathered
    train: Gathered | None
    pairs: Mapping[str, Entry]
    """Of the release that prompts came from, by key."""
    surveys: Mapping[str, Survey]
    """By the names of the sets."""

    @property
    def all(self) -> list[Gathered]:
        """Those that there are."""
        return [each for each in (self.real, self.generated, self.train) if each is not None]

    def find_labels(self) -> Labels:
        """Classes that are shown, and that were asked for."""
        asked = (find_asked(entry, self.pairs).label for entry in self.generated.entries)
        return match_labels([entry.label for entry in self.real.entries], list(asked))


def measure_generation(recipe: GenerationRecipe, work: Work) -> Outcome:
    """Measure generated pictures.

    Raises:
        UsageError: a set or an encoder cannot be used.
        RunError: a set has too few pictures that can be read.

    """
    encoders = open_encoders(recipe.encoders, work.base)
    seen = _bring_to_side(encoders, recipe.side)
    sets = _gather_sets(recipe, work, seen if recipe.train is None else (*seen, *PIXELS))
    draws = _plan_draws(recipe)
    labels, found = sets.find_labels(), _Found()
    spaces = [make_space(encoder, sets.real, sets.generated) for encoder in encoders]
    found.notes += list_notes(recipe, spaces, sets.surveys)
    found.notes += list_doubles({each.opened.name: each.features[spaces[0].encoder] for each in sets.all})
    for space in spaces:
        work.tell(f"distances, {space.encoder}")
        _measure_space(space, labels, draws, recipe, found)
    scores = (measure_score(encoder, space, draws) for encoder, space in zip(encoders, spaces, strict=True))
    found.figures += [score for score in scores if score is not None]
    _measure_copies(recipe, work, sets, spaces, draws, found)
    _show(recipe, work, sets, labels, found)
    faithful = _measure_faithfulness(recipe, work, sets, draws, found)
    return Outcome(
        sets=(*_inform(work, sets), *(faithful.sets if faithful and recipe.probes else ())),
        figures=tuple(order_figures(found.figures, len(sets.generated.entries))),
        encoders={**sets.real.resize, **(faithful.encoders if faithful else {})},
        rules={**list_rules(recipe, spaces[0]), **(faithful.rules if faithful else {})},
        tables=tuple(found.tables),
        curves=tuple(found.curves),
        grids=tuple(found.grids),
        notes=tuple(found.notes),
    )


def _bring_to_side(encoders: Sequence[Encoder], side: int | None) -> tuple[Encoder, ...]:
    if side is None:
        return tuple(encoders)
    return tuple(Shrunk(encoder=encoder, side=side) for encoder in encoders)


def _gather_sets(recipe: GenerationRecipe, work: Work, encoders: Sequence[Encoder]) -> _Sets:
    chosen = {"real": recipe.real, "generated": recipe.generated, "train": recipe.train}
    opened = {name: work.open(name, each) for name, each in chosen.items() if each is not None}
    found = {name: gather(work, each, encoders, recipe.cache) for name, each in opened.items()}
    for name, gathered in found.items():
        n, least = len(gathered.entries), 2 if name == "train" else LEAST
        if n < least:
            raise RunError(f"{name}: {least} pictures that can be read were wanted, got {n}.")
    return _Sets(
        real=found["real"],
        generated=found["generated"],
        train=found.get("train"),
        pairs=open_pairs(recipe, work),
        surveys={name: survey(each.entries) for name, each in opened.items()},
    )


def _plan_draws(recipe: GenerationRecipe) -> Draws:
    return Draws(
        resampling=Resampling(resamples=recipe.resamples, level=recipe.level, seed=recipe.seed),
        halves=recipe.halves,
        subsets=recipe.subsets,
        subset_size=recipe.subset_size,
    )


def _measure_space(
    space: Space, labels: Labels, draws: Draws, recipe: GenerationRecipe, found: _Found
) -> None:
    levels = measure_levels(space, lambda x, y: _measure_all(space, x, y), draws.seed)
    endless = measure_frechet_infinity(space, draws, levels.get(space.frechet))
    classes = measure_classes(space, labels, draws)
    found.figures += [
        measure_kernel(space, draws, levels.get(space.kernel)),
        measure_frechet(space, draws, levels.get(space.frechet)),
        endless.figure,
        *measure_manifolds(space, draws, levels),
    ]
    if any(label is not None for label in labels.generated):
        found.figures += [*measure_transfer(space, labels, draws, recipe.folds), *classes]
    if endless.curve is not None:
        found.curves.append(endless.curve)
    found.tables += [table for table in (_tabulate_levels(space, levels), tabulate_classes(classes)) if table]


def _measure_all(space: Space, x: Features, y: Features) -> dict[str, float]:
    return {
        space.frechet: frechet_distance(x, y),
        space.kernel: space.measure_kernel(x, y),
        **measure_prdc(x, y),
    }


def _tabulate_levels(space: Space, levels: Mapping[str, Level]) -> Table | None:
    if not levels:
        return None
    first = next(iter(levels.values()))
    return Table(
        title=f"At equal counts, {space.encoder}",
        columns=("figure", "generated against real", "real against real", "least", "largest"),
        rows=tuple(
            (name, level.generated, level.floor, level.floor_low, level.floor_high)
            for name, level in levels.items()
        ),
        note=f"{first.n:,} pictures of each side; means over random halves of the real set, {SPLITS[first.unit]}.",
    )


def _measure_copies(
    recipe: GenerationRecipe,
    work: Work,
    sets: _Sets,
    spaces: Sequence[Space],
    draws: Draws,
    found: _Found,
) -> None:
    if sets.train is None:
        found.notes.append("No `train` set is named, so that copies of training pictures are not looked for.")
        return
    for space in spaces:
        work.tell(f"copies, {space.encoder}")
        copying = measure_copying(space, sets.train, draws)
        found.figures += copying.figures
        found.curves.append(copying.curve)
        if space is spaces[0]:
            found.grids.append(show_pairs(work, sets.generated, sets.train, copying.pairs, recipe.rows))
    work.tell("copies, pixels")
    near = find_near_copies(sets.real, sets.generated, sets.train, spaces[0].generated_groups, draws)
    found.figures += near.figures
    found.grids += [show_pairs(work, sets.generated, sets.train, pairs, recipe.rows) for pairs in near.pairs]


def _show(recipe: GenerationRecipe, work: Work, sets: _Sets, labels: Labels, found: _Found) -> None:
    grids = (
        show_classes(work, sets.real, sets.generated, labels, recipe.rows),
        show_prompts(work, sets.generated, sets.pairs, recipe.rows),
    )
    found.grids[:0] = [grid for grid in grids if grid is not None]


def _measure_faithfulness(
    recipe: GenerationRecipe, work: Work, sets: _Sets, draws: Draws, found: _Found
) -> Faithfulness | None:
    if not recipe.attributes:
        return None
    work.tell("attributes")
    faithful = measure_attributes(
        recipe,
        work,
        real=open_probes(recipe, work) or [sets.real.opened],
        generated=sets.generated.opened,
        resampling=draws.resampling,
        cache=recipe.cache,
    )
    found.figures += faithful.figures
    found.tables += faithful.tables
    found.notes += faithful.notes
    return faithful


def _inform(work: Work, sets: _Sets) -> list[SetInfo]:
    return [
        work.inform(
            each.opened,
            list(each.entries),
            n_groups=len(set(each.groups)),
            **sets.surveys[each.opened.name].to_details(),
        )
        for each in sets.all
    ]
