"""The slots about what labels say is there."""

from __future__ import annotations

from earthloom.caption.facts.statements import Cover, Objects, SceneClass
from earthloom.caption.language.english import say_count
from earthloom.caption.rules import content, meaning, objects
from earthloom.caption.rules.content import DOMINANT, FILLING, MOST, name_cover
from earthloom.caption.rules.material import Material
from earthloom.caption.rules.slotting import Slot, only_if, when


def _has_labels(w: Material) -> bool:
    return bool(w.said.classes or w.said.objects or w.covers)


def _find_whole(w: Material) -> SceneClass | None:
    """The first class, where it was given for what the tile shows."""
    return next((scene_class for scene_class in w.said.classes if scene_class.is_whole), None)


def _find_only(w: Material) -> SceneClass | None:
    """The class of all that the tile shows, where it is the only label."""
    is_only = len(w.said.classes) == 1 and not w.said.objects and not w.said.covers
    return _find_whole(w) if is_only else None


def _find_part(w: Material) -> SceneClass | None:
    """The first class, where it was given for more than the tile shows."""
    return next((scene_class for scene_class in w.said.classes if not scene_class.is_whole), None)


def _find_arranged(w: Material) -> tuple[Objects, tuple[str, ...]] | None:
    """The most numerous objects whose places are known, and what to call the image."""
    group = next((group for group in w.said.objects if group.cells), None)
    return None if group is None else (group, w.images.again)


def _find_all(w: Material) -> tuple[Cover, ...] | None:
    """Three covers or more, none of them too small to be said."""
    return w.covers if len(w.said.covers) == len(w.covers) > 2 else None


def _find_mix(w: Material) -> tuple[Cover, ...] | None:
    return w.covers if len(w.covers) > 1 else None


def _add_up(covers: tuple[Cover, ...]) -> float:
    return sum(cover.share for cover in covers)


def _find_main(w: Material) -> tuple[Cover, ...] | None:
    """The covers, where those that are listed make up most of the frame."""
    return w.covers if _add_up(w.covers[:4]) >= MOST else None


def _find_mixed(w: Material) -> Cover | None:
    """The largest of three covers or more, where it is far from half of the frame."""
    return w.covers[0] if len(w.covers) > 2 and w.covers[0].share < 0.45 else None


LABEL_SLOTS: dict[str, Slot] = {
    "content": only_if(_has_labels, lambda w, draw: content.say_content(w.said, w.covers, draw)),
    "labels": only_if(_has_labels, lambda w, draw: content.say_labels(w.said, w.covers, draw)),
    "in_class": when(_find_whole, lambda found, _draw: content.list_classes((found,))),
    "class_label": when(_find_whole, lambda found, _draw: f'"{found.name}"'),
    "sole_label": when(_find_only, lambda found, _draw: f'"{found.name}"'),
    "part_label": when(_find_part, lambda found, _draw: f'"{found.name}"'),
    "cover_list": when(lambda w: w.covers or None, lambda found, _draw: content.list_covers(found)),
    "share_list": when(lambda w: w.covers or None, lambda found, _draw: content.list_shares(found)),
    "mix_list": when(_find_mix, lambda found, _draw: content.list_covers(found)),
    "mix_shares": when(_find_mix, lambda found, _draw: content.list_shares(found)),
    "main_list": when(_find_main, lambda found, _draw: content.list_covers(found)),
    "main_mix": when(
        lambda w: _find_main(w) if len(w.covers) > 1 else None,
        lambda found, _draw: content.list_covers(found),
    ),
    "main_two": when(
        lambda w: w.covers[:2] if len(w.covers) > 1 and _add_up(w.covers[:2]) >= MOST else None,
        lambda found, _draw: " and ".join(name_cover(cover) for cover in found),
    ),
    "rest_list": when(
        lambda w: w.covers[1:] or None, lambda found, _draw: content.list_covers(found, most=3)
    ),
    "top": when(lambda w: w.cover_at(0), lambda found, _draw: name_cover(found)),
    "top_takes": when(lambda w: w.cover_at(0), content.say_cover_takes),
    "top_covers": when(lambda w: w.cover_at(0), content.say_cover_covers),
    "top_portion": when(lambda w: w.cover_at(0), lambda found, draw: content.say_portion(found.share, draw)),
    "top_dominates": when(
        lambda w: w.covers[0] if w.covers and w.covers[0].share >= DOMINANT else None,
        content.say_cover_dominates,
    ),
    "top_fills": when(
        lambda w: w.covers[0] if w.covers and w.covers[0].share >= FILLING else None,
        content.say_cover_dominates,
    ),
    "top_share": when(_find_mixed, lambda found, _draw: content.say_share(found.share)),
    "sole": when(
        lambda w: w.covers[0] if len(w.said.covers) == len(w.covers) == 1 else None,
        lambda found, _draw: name_cover(found),
    ),
    "second": when(lambda w: w.cover_at(1), lambda found, _draw: name_cover(found)),
    "second_takes": when(lambda w: w.cover_at(1), content.say_cover_takes),
    "second_portion": when(
        lambda w: w.cover_at(1), lambda found, draw: content.say_portion(found.share, draw)
    ),
    "third": when(lambda w: w.cover_at(2), lambda found, _draw: name_cover(found)),
    "last": when(_find_all, lambda found, _draw: name_cover(found[-1])),
    "last_share": when(_find_all, lambda found, _draw: content.say_share(found[-1].share)),
    "ratio": only_if(lambda w: content.can_say_ratio(w.covers), lambda w, _draw: content.say_ratio(w.covers)),
    "objects": when(lambda w: w.said.objects or None, lambda found, _draw: objects.list_objects(found)),
    "objects_are": when(
        lambda w: w.said.objects or None, lambda found, _draw: objects.say_objects_are(found)
    ),
    "total": only_if(
        lambda w: len(w.said.objects) > 1,
        lambda w, _draw: say_count(sum(group.count for group in w.said.objects)),
    ),
    "arranged": when(
        _find_arranged, lambda found, draw: objects.say_arrangement(found[0], draw.pick(found[1]), draw)
    ),
    "sized": when(lambda w: objects.find_sized(w.said.objects), objects.say_sized),
    "box_length": when(
        lambda w: objects.find_sized(w.said.objects), lambda found, _draw: objects.say_box_length(found)
    ),
    "spacing": when(lambda w: objects.find_spaced(w.said.objects), objects.say_spacing),
    "touching": when(lambda w: w.borders[0] if w.borders else None, content.say_touching),
    "touching_too": when(lambda w: w.borders[1] if len(w.borders) > 1 else None, content.say_touching),
    "between": when(lambda w: w.borders[0] if w.borders else None, content.say_between),
    "hub": when(lambda w: content.find_hub(w.borders), content.say_hub),
    "use": only_if(lambda w: bool(w.themes), lambda w, draw: meaning.say_use(w.said, w.themes, draw)),
    "uses": only_if(lambda w: len(w.themes) > 1, lambda w, draw: meaning.say_uses(w.said, w.themes, draw)),
    "field": when(lambda w: w.real_themes or None, meaning.say_field),
    "fields": when(lambda w: w.real_themes if len(w.real_themes) > 1 else None, meaning.say_fields),
}
