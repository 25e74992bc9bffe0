"""The two sets, read and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Modality
from earthloom.evaluate.crossmodal.config import CrossModalRecipe
from earthloom.evaluate.crossmodal.describing import (
    Described,
    Description,
    describe_band,
    describe_radar,
    stack,
)
from earthloom.evaluate.crossmodal.pairing import Pairing
from earthloom.evaluate.crossmodal.reading import (
    LEAST_SIDE,
    Levels,
    Scale,
    find_scale,
    make_scale_error,
    read_levels,
    refuse,
)
from earthloom.evaluate.sets import Entry, OpenSet
from earthloom.evaluate.work import Work

_TOLD_EVERY = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A picture that is to be read, and what its levels stand for; no scale for near infrared."""

    entry: Entry
    scale: Scale | None
    group: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Loaded:
    """A set that was read."""

    chosen: tuple[Chosen, ...]
    """Those that could be used, in the rows of `described`."""
    described: Described
    levels: Mapping[str, Levels]
    """By key; of a set without pairs the first few, to be shown."""

    @property
    def groups(self) -> list[str]:
        """What must be drawn together."""
        return [each.group for each in self.chosen]


def choose(
    recipe: CrossModalRecipe, real: OpenSet, generated: OpenSet, pairing: Pairing, work: Work
) -> tuple[list[Chosen], list[Chosen]]:
    """Find the scale and the group of every picture; no pixels are read.

    A drawn picture has the group of its partner, and its scale where neither itself nor the recipe has one; without a
    partner that of all true pictures, if they have one in common.

    Raises:
        UsageError: nothing tells the scale of a set.

    """
    if recipe.modality is not Modality.SAR:
        return (
            [Chosen(entry=entry, scale=None, group=entry.group) for entry in real.entries],
            [Chosen(entry=each, scale=None, group=_group(each, pairing)) for each in generated.entries],
        )
    true: list[Chosen] = []
    for entry in real.entries:
        if (scale := _find(entry, None, recipe, work)) is not None:
            true.append(Chosen(entry=entry, scale=scale, group=entry.group))
    if not true:
        raise make_scale_error("real")
    scales = {each.entry.key: each.scale for each in true}
    shared = next(iter(scales.values())) if len(set(scales.values())) == 1 else None
    drawn: list[Chosen] = []
    for entry in generated.entries:
        partner = pairing.partners.get(entry.key)
        fallback = shared if partner is None else scales.get(partner.key)
        if (scale := _find(entry, fallback, recipe, work)) is not None:
            drawn.append(Chosen(entry=entry, scale=scale, group=_group(entry, pairing)))
    if not drawn:
        raise make_scale_error("generated")
    return true, drawn


def load(
    name: str,
    chosen: Sequence[Chosen],
    common: Scale | None,
    recipe: CrossModalRecipe,
    work: Work,
    keep: int | None,
) -> Loaded:
    """Read and describe pictures; `keep` levels of the first so many, of all where it is None.

    Raises:
        UsageError: none can be used.

    """
    least_side = LEAST_SIDE if common is None else max(LEAST_SIDE, recipe.side + recipe.step)
    used: list[Chosen] = []
    descriptions: list[Description] = []
    levels: dict[str, Levels] = {}
    for number, each in enumerate(chosen):
        if number and number % _TOLD_EVERY == 0:
            work.tell(f"{name}: {number:,} of {len(chosen):,} pictures")
        picture = read_levels(each.entry, work, least_side)
        if picture is None:
            continue
        used.append(each)
        if common is None or each.scale is None:
            descriptions.append(describe_band(picture))
        else:
            descriptions.append(describe_radar(picture, each.scale, common, recipe.side, recipe.step))
        if keep is None or len(levels) < keep:
            levels[each.entry.key] = picture
    if not used:
        why = next(iter(work.refused.values()), {"detail": "it is empty"})["detail"]
        raise UsageError(f"{name}: none of {len(chosen):,} pictures can be used: {why}.")
    start, extent = (0.0, 1.0) if common is None else (common.low_db, common.extent_db)
    return Loaded(chosen=tuple(used), described=stack(descriptions, start, extent), levels=levels)


def span_scales(chosen: Sequence[Chosen]) -> Scale | None:
    """One scale that holds those of all pictures; None for near infrared."""
    scales = [each.scale for each in chosen if each.scale is not None]
    if not scales:
        return None
    return Scale(low_db=min(each.low_db for each in scales), high_db=max(each.high_db for each in scales))


def _find(entry: Entry, fallback: Scale | None, recipe: CrossModalRecipe, work: Work) -> Scale | None:
    """The scale of a picture; the fallback only where nothing contradicts it."""
    try:
        return find_scale(entry, recipe.clip_db) or fallback
    except RecordError as error:
        refuse(entry, error, work)
        return None


def _group(entry: Entry, pairing: Pairing) -> str:
    partner = pairing.partners.get(entry.key)
    return entry.group if partner is None else partner.group
