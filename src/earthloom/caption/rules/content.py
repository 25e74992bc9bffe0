"""Words for what labels say is in an image: classes, covers, and which covers touch."""

from __future__ import annotations

from collections.abc import Sequence

from earthloom.caption.facts.statements import Adjacent, Cover, SceneClass, Statements
from earthloom.caption.language.english import fit_words, join_list, say_count
from earthloom.caption.language.lexicon import find_noun
from earthloom.caption.rules.grammar import Draw
from earthloom.caption.rules.objects import list_objects, say_objects

Covers = Sequence[Cover]
"""Largest share first."""

MIN_SHARE = 0.005
"""Smaller shares are known but not said."""
DOMINANT = 0.5
FILLING = 0.85
"""A cover of this share or more leaves little room for others."""
MOST = 0.6
"""Covers of this share or more together are most of an image."""
_MAX_CONTENT_WORDS = 18
_MAX_LABEL_WORDS = 32
_FRACTIONS = (
    (0.25, "about a quarter"),
    (1 / 3, "about a third"),
    (0.5, "about half"),
    (2 / 3, "about two thirds"),
    (0.75, "about three quarters"),
)
_TAKES = (("covers", "cover"), ("takes up", "take up"), ("occupies", "occupy"), ("makes up", "make up"))
_DOMINATES = (("dominates", "dominate"), ("prevails in", "prevail in"))
_TOUCHES = (("borders on", "border on"), ("adjoins", "adjoin"), ("meets", "meet"), ("touches", "touch"))
_NEIGHBOUR_SHARE = 0.08
"""Borders of a smaller share of all are known but not said beside the longest (our choice)."""


def say_content(said: Statements, covers: Covers, draw: Draw) -> str:
    """List what is there: classes or, without one, objects and covers; empty where nothing is labelled."""
    if said.classes:
        return list_classes(said.classes)
    things = [say_objects(group) for group in said.objects[:2]]
    nouns = [find_noun(cover.name) for cover in covers[:3]]
    if things:
        nouns = [noun for noun in nouns if not noun.quoted]
    elif len(nouns) == 3 and draw.below(3) == 0:
        nouns = nouns[:2]
    things += [noun.cover for noun in nouns]
    return join_list(fit_words(things, 3, _MAX_CONTENT_WORDS)) if things else ""


def say_labels(said: Statements, covers: Covers, draw: Draw) -> str:
    """Say all that labels do, in short: `showing a river; land cover: water (40 %)`; empty where there is none."""
    parts = []
    if said.classes:
        parts.append(f"showing {list_classes(said.classes)}")
    if said.objects:
        parts.append(f"{draw.pick(('containing', 'with'))} {list_objects(said.objects)}")
    if covers:
        parts.append(f"{draw.pick(_introduce(covers))} {list_covers(covers)}")
    return "; ".join(fit_words(parts, 3, _MAX_LABEL_WORDS))


def _introduce(covers: Covers) -> tuple[str, ...]:
    """What may stand before covers: an image is made up of them only where they make up most of it."""
    is_most = sum(cover.share for cover in covers[:4]) >= MOST
    return ("land cover:", "made up of", "covered by") if is_most else ("land cover:",)


def list_classes(classes: Sequence[SceneClass]) -> str:
    """`a river and a residential area`."""
    return join_list(fit_words(name_classes(classes), 3, _MAX_CONTENT_WORDS))


def name_classes(classes: Sequence[SceneClass]) -> list[str]:
    """What classes say is there; only `part of a scene labelled "X"` where the rest may be what X means."""
    if classes and not classes[0].is_whole:
        return [f'part of a scene labelled "{classes[0].name}"']
    return [find_noun(scene_class.name).whole for scene_class in classes]


# --- covers ------------------------------------------------------------------------------------------------------


def say_share(share: float) -> str:
    """Say a share in whole percent, hedged: `about 63 %`, `under 1 %`."""
    percent = _say_percent(share)
    return f"about {percent}" if percent[0].isdigit() else percent


def _say_percent(share: float) -> str:
    if share < 0.01:
        return "under 1 %"
    return "over 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def say_portion(share: float, draw: Draw) -> str:
    """Say a share in percent or, where one is near, as a fraction."""
    for fraction, words in _FRACTIONS:
        if abs(share - fraction) < 0.02 and draw.below(2):
            return words
    if share > 0.505 and draw.below(4) == 0:
        return "nearly all" if share > 0.95 else "more than half"
    return say_share(share)


def list_covers(covers: Covers, most: int = 4) -> str:
    """Covers with shares: `cropland (63 %), forest (21 %) and water (9 %)`."""
    return join_list(
        fit_words((f"{find_noun(c.name).cover} ({_say_percent(c.share)})" for c in covers), most)
    )


def list_shares(covers: Covers) -> str:
    """Shares with covers: `about 63 % cropland, 21 % forest and 9 % water`."""
    shares = fit_words((f"{_say_percent(c.share)} {find_noun(c.name).cover}" for c in covers), 4)
    return join_list([f"about {shares[0]}" if shares[0][0].isdigit() else shares[0], *shares[1:]])


def name_cover(cover: Cover) -> str:
    """`residential areas`."""
    return find_noun(cover.name).cover


def say_cover_takes(cover: Cover, draw: Draw) -> str:
    """`cropland covers`, `roads take up`: what a share of the ground follows."""
    noun = find_noun(cover.name)
    return f"{noun.cover} {draw.pick(_TAKES)[noun.cover_is_plural]}"


def say_cover_covers(cover: Cover, draw: Draw) -> str:
    """`cropland covers`, `roads occupy`: what an area or its multiple follows."""
    noun = find_noun(cover.name)
    return f"{noun.cover} {draw.pick(_TAKES[:3])[noun.cover_is_plural]}"


def say_cover_dominates(cover: Cover, draw: Draw) -> str:
    """`cropland dominates`, `roads prevail in`."""
    noun = find_noun(cover.name)
    return f"{noun.cover} {draw.pick(_DOMINATES)[noun.cover_is_plural]}"


def can_say_ratio(covers: Covers) -> bool:
    """Tell whether the first cover is twice to ten times as large as the second."""
    return len(covers) > 1 and 1.85 < covers[0].share / covers[1].share < 10


def say_ratio(covers: Covers) -> str:
    """How many times the area of the second cover the first one has: `about twice`, `more than three times`."""
    times = covers[0].share / covers[1].share
    whole = round(times)
    if abs(times - whole) < 0.08 * whole:
        return f"about {_say_times(whole)}"
    return f"more than {_say_times(int(times))}"


def _say_times(times: int) -> str:
    return "twice" if times == 2 else f"{say_count(times)} times"


# --- borders -----------------------------------------------------------------------------------------------------


def find_borders(said: Statements, covers: Covers) -> tuple[Adjacent, ...]:
    """The borders that can be said: no short ones, and between covers that can be said; longest first."""
    names = {cover.name for cover in covers}
    borders = [border for border in said.adjacent if border.first in names and border.second in names]
    return tuple(border for border in borders if border.share >= _NEIGHBOUR_SHARE)


def say_touching(border: Adjacent, draw: Draw) -> str:
    """`cropland borders on forest`."""
    names = (border.first, border.second) if draw.below(2) else (border.second, border.first)
    first, second = (find_noun(name) for name in names)
    return f"{first.cover} {draw.pick(_TOUCHES)[first.cover_is_plural]} {second.cover}"


def say_between(border: Adjacent, draw: Draw) -> str:
    """`between cropland and forest`."""
    names = [find_noun(border.first).cover, find_noun(border.second).cover]
    if draw.below(2):
        names.reverse()
    return f"between {names[0]} and {names[1]}"


def find_hub(borders: Sequence[Adjacent]) -> tuple[str, tuple[str, ...]] | None:
    """The cover of the longest border that has other neighbours too, and all its neighbours; None without one."""
    for hub in (borders[0].first, borders[0].second) if borders else ():
        neighbours = tuple(
            border.second if border.first == hub else border.first
            for border in borders
            if hub in {border.first, border.second}
        )
        if len(neighbours) > 1:
            return hub, neighbours
    return None


def say_hub(hub: tuple[str, tuple[str, ...]], draw: Draw) -> str:
    """`forest borders on cropland and water`."""
    noun = find_noun(hub[0])
    neighbours = fit_words((find_noun(name).cover for name in hub[1]), 3, _MAX_CONTENT_WORDS)
    return f"{noun.cover} {draw.pick(_TOUCHES)[noun.cover_is_plural]} {join_list(neighbours)}"
