"""Drawn radar or near infrared against true pictures: sets, pairs, bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Reason
from earthloom.evaluate.crossmodal import telling
from earthloom.evaluate.crossmodal.checks import CHECKS
from earthloom.evaluate.crossmodal.config import CrossModalRecipe
from earthloom.evaluate.crossmodal.describing import Indices
from earthloom.evaluate.crossmodal.distances import (
    DISTANCES,
    Compared,
    Sets,
    measure_change,
    measure_distance,
    measure_statistic,
)
from earthloom.evaluate.crossmodal.loading import Chosen, Loaded, choose, load, span_scales
from earthloom.evaluate.crossmodal.pairing import Pairing, pair_up
from earthloom.evaluate.crossmodal.pixels import Pair, score_pairs, score_regression
from earthloom.evaluate.crossmodal.reading import refuse
from earthloom.evaluate.crossmodal.statistics import NEAR_INFRARED, RADAR
from earthloom.evaluate.result import Curve, Figure, SetInfo, Table
from earthloom.evaluate.sets import Entry, OpenSet, Picture
from earthloom.evaluate.work import Grid, Outcome, Work
from earthloom.metrics.radar.distribution import BINS

_SHOWN = 8
_DECIMATE_FROM = 0.5
"""Correlation of neighbours from which looks are better read from every second pixel, see `metrics.radar.looks`."""


def measure_crossmodal(recipe: CrossModalRecipe, work: Work) -> Outcome:
    """Measure what a recipe describes.

    Raises:
        UsageError: a set holds nothing that can be used, or nothing tells which decibels its levels stand for.

    """
    opened_real, opened_drawn = work.open("real", recipe.real), work.open("generated", recipe.generated)
    pairing = pair_up(opened_drawn, opened_real)
    chosen_real, chosen_drawn = choose(recipe, opened_real, opened_drawn, pairing, work)
    common = span_scales([*chosen_real, *chosen_drawn])
    keep = None if pairing.partners else _SHOWN
    real = load("real", chosen_real, common, recipe, work, keep)
    drawn = load("generated", chosen_drawn, common, recipe, work, keep)
    sets = Sets(
        generated=drawn.described,
        real=real.described,
        groups_generated=drawn.groups,
        groups_real=real.groups,
        seed=recipe.seed,
        resamples=recipe.resamples,
        level=recipe.level,
    )
    work.tell("comparing the sets")
    figures, tables, curves = _compare_sets(sets, is_radar=common is not None)
    pairs, unlike = _make_pairs(recipe, real, drawn, pairing, work)
    paired, grids = _compare_pairs(pairs, sets, recipe, work)
    return Outcome(
        sets=tuple(_inform(work, opened_real, opened_drawn, real, drawn)),
        figures=(*paired, *figures) if pairs else figures,
        rules=_list_rules(recipe, pairing),
        tables=tables,
        curves=curves,
        grids=grids or (telling.show_sets(real.levels, drawn.levels),),
        notes=(*_list_notes(recipe, pairing, pairs, real, drawn), *unlike),
    )


def _compare_sets(
    sets: Sets, *, is_radar: bool
) -> tuple[tuple[Figure, ...], tuple[Table, ...], tuple[Curve, ...]]:
    listed = RADAR if is_radar else NEAR_INFRARED
    statistics: dict[str, dict[str, Compared]] = {}
    for group, some, groups in (
        ("real", sets.real, sets.groups_real),
        ("generated", sets.generated, sets.groups_generated),
    ):
        statistics[group] = {
            name: measure_statistic(some, each.measure, groups, sets) for name, each in listed.items()
        }
    figures = []
    if is_radar:
        figures += [
            telling.tell_check(name, check, measure_change(sets, check.compare), sets)
            for name, check in CHECKS.items()
        ]
    for name, distance in DISTANCES.items():
        unit = "dB" if is_radar and name == "wasserstein" else None
        figures.append(telling.tell_distance(name, unit, measure_distance(sets, distance, name), sets))
    figures += [
        telling.tell_statistic(name, group, each, statistics[group][name], len(some))
        for name, each in listed.items()
        for group, some in (("real", sets.real), ("generated", sets.generated))
    ]
    tables = (telling.compare_with_theory(statistics, sets.real.bin_width),) if is_radar else ()
    unit = "dB" if is_radar else "level / 255"
    return tuple(figures), tables, (telling.draw_histograms(sets.real, sets.generated, unit),)


def _compare_pairs(
    pairs: Sequence[Pair], sets: Sets, recipe: CrossModalRecipe, work: Work
) -> tuple[tuple[Figure, ...], tuple[Grid, ...]]:
    if not pairs:
        return (), ()
    work.tell(f"comparing {len(pairs):,} pairs")
    scores = score_pairs(pairs, recipe.side)
    figures = list(telling.tell_scores(scores, pairs, sets))
    regression = score_regression(pairs)
    if regression is not None:
        figures = [*telling.tell_regression(scores, regression, pairs, sets), *figures]
    return tuple(figures), (telling.show_pairs(pairs),)


def _make_pairs(
    recipe: CrossModalRecipe, real: Loaded, drawn: Loaded, pairing: Pairing, work: Work
) -> tuple[list[Pair], list[str]]:
    """Pairs of which both pictures could be used, of one size; a note where others have two.

    A picture of another size than its true one counts in the statistics of its set, and is not set aside.
    """
    rgb = _Colours(recipe, real.chosen, work)
    true = {each.entry.key: each for each in real.chosen}
    pairs, sizes = [], []
    for each in drawn.chosen:
        partner = pairing.partners.get(each.entry.key)
        if partner is None or partner.key not in true:
            continue
        mine, other = drawn.levels[each.entry.key], real.levels[partner.key]
        if mine.shape != other.shape:
            sizes.append(_say_sizes(mine.shape, other.shape))
            continue
        pairs.append(
            Pair(
                key=each.entry.key,
                true_key=partner.key,
                group=each.group,
                drawn=mine,
                true=other,
                scale=true[partner.key].scale,
                scale_drawn=each.scale,
                rgb=rgb.read(partner, other.shape),
            )
        )
    if not sizes:
        return pairs, []
    return pairs, [
        f"{len(sizes):,} drawn pictures count in the statistics of their set but have not the size of their true one: "
        f"{sizes[0]}."
    ]


class _Colours:
    """RGB pictures of true ones."""

    def __init__(self, recipe: CrossModalRecipe, real: Sequence[Chosen], work: Work) -> None:
        self._work = work
        self._partners: Mapping[str, Entry] = {}
        if recipe.rgb is not None:
            opened = OpenSet(
                name="real",
                place="",
                entries=tuple(each.entry for each in real),
                is_generated=False,
                details={},
            )
            self._partners = pair_up(opened, work.open("rgb", recipe.rgb)).partners

    def read(self, entry: Entry, shape: tuple[int, ...]) -> Picture | None:
        """The RGB picture of a true one; None where there is none of its size."""
        partner = self._partners.get(entry.key)
        picture = None if partner is None else self._work.read(partner)
        if partner is not None and picture is not None and picture.shape[:2] != shape:
            fault = RecordError(Reason.MISALIGNED, _say_sizes(picture.shape, shape))
            refuse(partner, fault, self._work)
            return None
        return picture


def _say_sizes(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    return (
        f"the size of its partner was wanted, {wanted[1]} x {wanted[0]} pixels, got {shape[1]} x {shape[0]}: "
        "draw at that size, or cut true pictures to the size that is drawn; speckle cannot be resampled"
    )


def _inform(
    work: Work, opened_real: OpenSet, opened_drawn: OpenSet, real: Loaded, drawn: Loaded
) -> list[SetInfo]:
    return [
        work.inform(
            opened,
            [each.entry for each in loaded.chosen],
            grounds=len(set(loaded.groups)),
            scales=_list_scales(loaded),
        )
        for opened, loaded in ((opened_real, real), (opened_drawn, drawn))
    ]


def _list_scales(loaded: Loaded) -> list[list[float]]:
    found = {(each.scale.low_db, each.scale.high_db) for each in loaded.chosen if each.scale is not None}
    return [list(scale) for scale in sorted(found)]


def _list_rules(recipe: CrossModalRecipe, pairing: Pairing) -> dict[str, str]:
    rules = {
        "pairs": pairing.rule,
        "histogram": f"{BINS} bins over the scale that all pictures have in common; every picture weighs the same",
        "texture": "co-occurrence of 32 levels over the same scale, distance 1, four directions",
        "floor": "mean over random halves of the true pictures, split by ground",
        "null": "against the true picture of another ground",
    }
    if recipe.modality is Modality.SAR:
        rules["looks"] = (
            f"maximum likelihood over windows of {recipe.side} x {recipe.side}, every {_say_step(recipe.step)}pixel, "
            "the most frequent value; windows with more than 2 % of clipped pixels are left out"
        )
        rules["means"] = f"of power in windows of {recipe.side} x {recipe.side}, then in dB"
    elif recipe.rgb is not None:
        rules["regression"] = "least squares from 3 x 3 RGB pixels, five folds of grounds"
    return rules


def _say_step(step: int) -> str:
    return "second " if step == 2 else ""


def _list_notes(
    recipe: CrossModalRecipe, pairing: Pairing, pairs: Sequence[Pair], real: Loaded, drawn: Loaded
) -> list[str]:
    notes = []
    if not pairs:
        why = (
            "no two have one size"
            if pairing.partners
            else "nothing tells which drawn picture shows which true one"
        )
        notes.append(f"Nothing is compared pixel by pixel: {why}.")
    elif n_alone := len(drawn.chosen) - len(pairs):
        notes.append(
            f"{n_alone:,} of {len(drawn.chosen):,} drawn pictures have no true one of their ground and size: what is "
            "compared pixel by pixel is without them."
        )
    if recipe.rgb is not None and not any(pair.rgb is not None for pair in pairs):
        notes.append(
            "No regression was fitted: the RGB pictures show none of the true grounds in their size."
        )
    polarisations = sorted({str(p) for each in real.chosen if (p := each.entry.facts.get("polarisation"))})
    if len(polarisations) > 1:
        notes.append(
            f"The true pictures have several polarisations ({', '.join(polarisations)}), which differ in brightness by "
            "more than the bounds: measure each alone."
        )
    if recipe.modality is Modality.SAR:
        correlation = RADAR["neighbour_correlation"].measure
        shared = correlation(real.described, _all(real))
        if recipe.step == 1 and shared > _DECIMATE_FROM:
            notes.append(
                f"Neighbouring true pixels have speckle in common (correlation {shared:.2f}): looks are overestimated; "
                "`step: 2` reads every second pixel."
            )
    few = min(len(set(real.groups)), len(set(drawn.groups)))
    if few < _FEW_GROUNDS:
        notes.append(f"Only {few} grounds in a set: intervals are rough, and below four there are none.")
    return notes


def _all(loaded: Loaded) -> Indices:
    return np.arange(len(loaded.chosen))


_FEW_GROUNDS = 10
