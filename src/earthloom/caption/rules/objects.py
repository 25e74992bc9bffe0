"""Words for objects: how many, how large, where, how far apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median_low

from earthloom.caption.facts.statements import SIDES, Cell, Objects
from earthloom.caption.language.english import fit_words, join_list, say_about, say_count
from earthloom.caption.language.lexicon import find_noun
from earthloom.caption.rules.grammar import Draw

_LIES = (("lies", "lie"), ("sits", "sit"), ("is found", "are found"), ("is placed", "are placed"))
_ALIKE = 1.35
"""Lengths that differ by no more than this factor are `about` one length."""
_MIN_LENGTH_M, _MAX_LENGTH_M = 0.5, 1e5
"""Lengths beyond these are no objects that a box is drawn around."""


def say_objects(group: Objects) -> str:
    """Count the objects of one kind: `two storage tanks`."""
    noun = find_noun(group.name)
    return f"{say_count(group.count)} {noun.one if group.count == 1 else noun.many}"


def list_objects(groups: Sequence[Objects]) -> str:
    """`three airplanes and one storage tank`."""
    return join_list(fit_words(map(say_objects, groups), 3))


def say_objects_are(groups: Sequence[Objects]) -> str:
    """The objects with their verb: `three airplanes are`, `one ship is`."""
    is_single = len(groups) == 1 and groups[0].count == 1
    return f"{list_objects(groups)} {'is' if is_single else 'are'}"


# --- sizes -------------------------------------------------------------------------------------------------------


def find_sized(groups: Iterable[Objects]) -> Objects | None:
    """The most numerous objects of which each has a measured box."""
    return next((group for group in groups if can_say_length(group)), None)


def can_say_length(group: Objects) -> bool:
    """Tell whether every box of a kind was measured and none has an absurd length."""
    lengths = group.lengths_m
    return len(lengths) == group.count and all(_MIN_LENGTH_M <= m <= _MAX_LENGTH_M for m in lengths)


def say_length(group: Objects) -> str:
    """How long boxes are on their longer side: `about 40 m`, `about 20 m to 60 m`."""
    shortest, longest = min(group.lengths_m), max(group.lengths_m)
    if longest <= _ALIKE * shortest:
        return f"about {say_about(median_low(group.lengths_m))}"
    return f"about {say_about(shortest)} to {say_about(longest)}"


def say_sized(group: Objects, draw: Draw) -> str:
    """Count with sizes: `two ships, in boxes about 40 m long`."""
    boxes = "a box" if group.count == 1 else "boxes"
    forms = (
        f"in {boxes} {say_length(group)} long",
        f"with {boxes} {say_length(group)} long",
        f"{say_length(group)} long by the {'box' if group.count == 1 else 'boxes'}",
    )
    return f"{say_objects(group)}, {draw.pick(forms)}"


def say_box_length(group: Objects) -> str:
    """`the boxes of the two ships measure about 40 m`."""
    noun = find_noun(group.name)
    if group.count == 1:
        return f"the box of the {noun.one} measures {say_length(group)}"
    return f"the boxes of the {noun.many} measure {say_length(group)}"


# --- places ------------------------------------------------------------------------------------------------------


def say_arrangement(group: Objects, image: str, draw: Draw) -> str:
    """Say where the objects of one kind lie in an image: `the two ships lie in the upper left of the image`."""
    verb = draw.pick(_LIES)[group.count > 1]
    return f"{_name_known(group)} {verb} {say_cells(group.cells)} of {image}"


def _name_known(group: Objects) -> str:
    noun = find_noun(group.name)
    return f"the {noun.one}" if group.count == 1 else f"the {say_count(group.count)} {noun.many}"


def find_spaced(groups: Iterable[Objects]) -> Objects | None:
    """The most numerous objects with a spacing that can be said."""
    return next((group for group in groups if _is_spaced(group)), None)


def _is_spaced(group: Objects) -> bool:
    return group.spacing_m is not None and 0.5 <= group.spacing_m <= _MAX_LENGTH_M


def say_spacing(group: Objects, draw: Draw) -> str:
    """`the median distance to the next ship is about 60 m`."""
    noun, metres = find_noun(group.name), f"about {say_about(group.spacing_m or 0.0)}"
    forms = (
        f"the median distance to the next {noun.one} is {metres}",
        f"neighbouring {noun.many} are {metres} apart in the median",
        f"the {noun.many} have a median spacing of {metres}",
    )
    return draw.pick(forms)


def say_cells(cells: Sequence[Cell]) -> str:
    """Name up to three ninths of the frame, or the side along which most lie."""
    counts = {cell: cells.count(cell) for cell in Cell if cell in cells}
    if len(counts) <= 3:
        return join_list(_say_each(list(counts)))
    for side, part in SIDES.items():
        if sum(n for cell, n in counts.items() if cell in part) > 0.6 * len(cells):
            return f"mostly along the {side} side"
    return "in several parts"


def _say_each(cells: list[Cell]) -> list[str]:
    """Corners alone share their words: `in the upper left and lower right`."""
    corners = [cell.value for cell in cells if cell.value.startswith(("upper", "lower"))]
    if len(corners) == len(cells):
        return [f"in the {join_list(corners)}"]
    others = [cell.value for cell in cells if cell.value not in corners and cell is not Cell.CENTRE]
    middle = ["in the centre"] if Cell.CENTRE in cells else []
    return [*(f"in the {corner}" for corner in corners), *others, *middle]
