"""The slots of sentence frames: what each needs to be known, and how it is said."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from earthloom.caption import content, meaning, sensing
from earthloom.caption.content import DOMINANT, MIN_SHARE, name_cover
from earthloom.caption.english import say_count
from earthloom.caption.grammar import Draw
from earthloom.caption.naming import ImageNames, name_images
from earthloom.caption.statements import Cover, Extent, Objects, Resolution, SceneClass, Statements
from earthloom.core.records import Modality

S = TypeVar("S")


class Wording:
    """The phrases of one image; what frames mean by the keys of `SLOTS`."""

    def __init__(self, said: Statements) -> None:
        self.said = said
        self.covers = tuple(cover for cover in said.covers if cover.share >= MIN_SHARE)

    @cached_property
    def images(self) -> ImageNames:
        """What the image may be called."""
        said = self.said
        polarisation = said.polarisation.name if said.polarisation is not None else None
        return name_images(said.signal.modality, said.platform, polarisation, said.synthetic is not None)

    @cached_property
    def known(self) -> int:
        """Bits of the slots that can be filled."""
        return sum(bit for bit, is_known in _TESTS if is_known(self))

    @cached_property
    def themes(self) -> list[str]:
        """Themes of the labels."""
        return meaning.list_themes(self.said)

    @property
    def real_themes(self) -> list[str]:
        """Themes of a place that exists."""
        return [] if self.said.synthetic is not None else self.themes

    def say(self, slot: int, draw: Draw) -> str:
        """Word the slot with this bit."""
        return _SAYERS[slot](self, draw)

    def cover_at(self, rank: int) -> Cover | None:
        """The cover with this rank by share, from 0."""
        return self.covers[rank] if rank < len(self.covers) else None


Slot = tuple[Callable[[Wording], bool], Callable[[Wording, Draw], str]]
"""Whether it can be said, and the saying of it."""


def _always(say: Callable[[Wording, Draw], str]) -> Slot:
    return (lambda _w: True), say


def _when(find: Callable[[Wording], S | None], say: Callable[[S, Draw], str]) -> Slot:
    """A slot that words one thing, where it is known."""

    def say_found(w: Wording, draw: Draw) -> str:
        found = find(w)
        assert found is not None, "frames are used only where their slots are known"
        return say(found, draw)

    return (lambda w: find(w) is not None), say_found


def _if(is_known: Callable[[Wording], bool], say: Callable[[Wording, Draw], str]) -> Slot:
    return is_known, say


def _modality(modality: Modality, words: str) -> Slot:
    return _if(lambda w: w.said.signal.modality is modality, lambda _w, _draw: words)


# --- the image ---------------------------------------------------------------------------------------------------


def _say_earth(w: Wording, draw: Draw) -> str:
    if w.said.synthetic is not None:
        return draw.pick(("an invented landscape", "a landscape made by computer", "a computed landscape"))
    return draw.pick(("the Earth's surface", "the surface of the Earth", "a part of the Earth's surface"))


def _say_made(w: Wording, draw: Draw) -> str:
    if w.said.synthetic is not None:
        return draw.pick(("generated", "computed", "rendered"))
    return draw.pick(("acquired", "recorded", "captured", "taken"))


def _find_regular(w: Wording) -> Extent | None:
    """The extent, where pixels are as far apart as samples."""
    extent, resolution = w.said.extent, w.said.resolution
    if extent is None or resolution is None or abs(extent.pixel_m / resolution.gsd_m - 1) >= 0.01:
        return None
    return extent


def _find_enlarged(w: Wording) -> Extent | None:
    """The extent, where more pixels were drawn than samples were measured."""
    extent, resolution = w.said.extent, w.said.resolution
    if extent is None or resolution is None or extent.pixel_m >= 0.95 * resolution.gsd_m:
        return None
    return extent


def _find_resampled(w: Wording) -> Resolution | None:
    resolution = w.said.resolution
    return resolution if resolution is not None and resolution.native_gsd_m is not None else None


def _find_sampling(w: Wording) -> tuple[Resolution, Modality] | None:
    resolution = w.said.resolution
    return None if resolution is None else (resolution, w.said.signal.modality)


def _has_conditions(w: Wording) -> bool:
    said = w.said
    others = (said.resolution, said.polarisation, said.looks, said.acquired, said.weather)
    return any(other is not None for other in others) or sensing.say_source(said) != ""


_IMAGE: dict[str, Slot] = {
    "an_image": _always(lambda w, draw: draw.pick(w.images.first)),
    "the_image": _always(lambda w, draw: draw.pick(w.images.again)),
    "this_image": _always(lambda w, draw: draw.pick(w.images.this)),
    "full_image": _always(lambda w, draw: draw.pick(w.images.full)),
    "imagery": _always(lambda w, draw: draw.pick(w.images.imagery)),
    "made": _always(_say_made),
    "earth": _always(_say_earth),
    "size": _always(lambda w, draw: sensing.say_size(w.said.frame, draw)),
    "shape": _always(lambda w, draw: sensing.say_shape(w.said.frame, draw)),
    "grid": _always(lambda w, draw: sensing.say_grid(w.said.frame, draw)),
    "truth": _always(lambda w, draw: meaning.say_truth(w.said, w.themes, draw)),
    "rgb": _modality(Modality.RGB, "red, green and blue"),
    "nir": _modality(Modality.NIR, "near-infrared"),
    "sar": _modality(Modality.SAR, "radar"),
    "no_place": _if(lambda w: w.said.synthetic is not None, lambda _w, _draw: "no real place"),
}
_SENSING: dict[str, Slot] = {
    "gsd": _when(lambda w: w.said.resolution, sensing.say_gsd),
    "gsd_m": _when(lambda w: w.said.resolution, lambda found, _draw: sensing.say_metres(found.gsd_m)),
    "at_gsd": _when(lambda w: w.said.resolution, sensing.say_at_gsd),
    "native": _when(
        _find_resampled, lambda found, _draw: sensing.say_metres(found.native_gsd_m or found.gsd_m)
    ),
    "detail": _when(_find_sampling, lambda found, draw: meaning.say_detail(*found, draw)),
    "pixel": _when(_find_regular, sensing.say_pixel),
    "drawn": _when(_find_enlarged, sensing.say_pixel),
    "extent": _when(lambda w: w.said.extent, sensing.say_extent),
    "date": _when(lambda w: w.said.acquired, sensing.say_when),
    "on_date": _when(lambda w: w.said.acquired, sensing.say_on_date),
    "season": _when(lambda w: w.said.season, sensing.say_season),
    "place": _when(lambda w: w.said.place, lambda found, _draw: found.name),
    "position": _when(lambda w: w.said.position, sensing.say_position),
    "zone": _when(lambda w: w.said.position, sensing.say_zone),
    "platform": _when(lambda w: w.said.platform, lambda found, _draw: found.name),
    "sensor": _when(lambda w: w.said.sensor, lambda found, _draw: found.name),
    "collection": _when(lambda w: w.said.collection, lambda found, _draw: found.title),
    "low_db": _when(lambda w: w.said.display, lambda found, _draw: sensing.say_decibels(found.low_db)),
    "high_db": _when(lambda w: w.said.display, lambda found, _draw: sensing.say_decibels(found.high_db)),
    "weather": _when(lambda w: w.said.weather, sensing.say_weather),
    "valid": _when(lambda w: w.said.validity, lambda found, _draw: content.say_share(found.share)),
    "conditions": _if(_has_conditions, lambda w, draw: sensing.say_conditions(w.said, draw)),
    "acquisition": _if(
        lambda w: w.said.acquired is not None or sensing.say_source(w.said) != "",
        lambda w, draw: sensing.say_acquisition(w.said, _say_made(w, draw), draw),
    ),
    "location": _if(
        lambda w: w.said.place is not None or w.said.position is not None,
        lambda w, draw: sensing.say_location(w.said, draw),
    ),
}


# --- what is there -----------------------------------------------------------------------------------------------


def _has_labels(w: Wording) -> bool:
    return bool(w.said.classes or w.said.objects or w.covers)


def _find_whole(w: Wording) -> SceneClass | None:
    """The first class, where it was given for what the tile shows."""
    return next((scene_class for scene_class in w.said.classes if scene_class.is_whole), None)


def _find_part(w: Wording) -> SceneClass | None:
    """The first class, where it was given for more than the tile shows."""
    return next((scene_class for scene_class in w.said.classes if not scene_class.is_whole), None)


def _find_arranged(w: Wording) -> tuple[Objects, tuple[str, ...]] | None:
    """The most numerous objects whose places are known, and what to call the image."""
    group = next((group for group in w.said.objects if group.cells), None)
    return None if group is None else (group, w.images.again)


def _find_all(w: Wording) -> tuple[Cover, ...] | None:
    """Three covers or more, none of them too small to be said."""
    return w.covers if len(w.said.covers) == len(w.covers) > 2 else None


def _find_mix(w: Wording) -> tuple[Cover, ...] | None:
    return w.covers if len(w.covers) > 1 else None


def _find_mixed(w: Wording) -> Cover | None:
    """The largest of three covers or more, where it is far from half of the frame."""
    return w.covers[0] if len(w.covers) > 2 and w.covers[0].share < 0.45 else None


_LABELS: dict[str, Slot] = {
    "content": _if(_has_labels, lambda w, draw: content.say_content(w.said, w.covers, draw)),
    "labels": _if(_has_labels, lambda w, draw: content.say_labels(w.said, w.covers, draw)),
    "in_class": _when(_find_whole, lambda found, _draw: content.list_classes((found,))),
    "class_label": _when(_find_whole, lambda found, _draw: f'"{found.name}"'),
    "part_label": _when(_find_part, lambda found, _draw: f'"{found.name}"'),
    "cover_list": _when(lambda w: w.covers or None, lambda found, _draw: content.list_covers(found)),
    "share_list": _when(lambda w: w.covers or None, lambda found, _draw: content.list_shares(found)),
    "mix_list": _when(_find_mix, lambda found, _draw: content.list_covers(found)),
    "mix_shares": _when(_find_mix, lambda found, _draw: content.list_shares(found)),
    "rest_list": _when(
        lambda w: w.covers[1:] or None, lambda found, _draw: content.list_covers(found, most=3)
    ),
    "top": _when(lambda w: w.cover_at(0), lambda found, _draw: name_cover(found)),
    "top_takes": _when(lambda w: w.cover_at(0), content.say_cover_takes),
    "top_portion": _when(lambda w: w.cover_at(0), lambda found, draw: content.say_portion(found.share, draw)),
    "top_dominates": _when(
        lambda w: w.covers[0] if w.covers and w.covers[0].share >= DOMINANT else None,
        content.say_cover_dominates,
    ),
    "top_share": _when(_find_mixed, lambda found, _draw: content.say_share(found.share)),
    "sole": _when(
        lambda w: w.covers[0] if len(w.said.covers) == len(w.covers) == 1 else None,
        lambda found, _draw: name_cover(found),
    ),
    "second": _when(lambda w: w.cover_at(1), lambda found, _draw: name_cover(found)),
    "second_takes": _when(lambda w: w.cover_at(1), content.say_cover_takes),
    "second_portion": _when(
        lambda w: w.cover_at(1), lambda found, draw: content.say_portion(found.share, draw)
    ),
    "third": _when(lambda w: w.cover_at(2), lambda found, _draw: name_cover(found)),
    "last": _when(_find_all, lambda found, _draw: name_cover(found[-1])),
    "last_share": _when(_find_all, lambda found, _draw: content.say_share(found[-1].share)),
    "ratio": _if(lambda w: content.can_say_ratio(w.covers), lambda w, _draw: content.say_ratio(w.covers)),
    "objects": _when(lambda w: w.said.objects or None, lambda found, _draw: content.list_objects(found)),
    "objects_are": _when(
        lambda w: w.said.objects or None, lambda found, _draw: content.say_objects_are(found)
    ),
    "total": _if(
        lambda w: len(w.said.objects) > 1,
        lambda w, _draw: say_count(sum(group.count for group in w.said.objects)),
    ),
    "arranged": _when(
        _find_arranged, lambda found, draw: content.say_arrangement(found[0], draw.pick(found[1]), draw)
    ),
    "use": _if(lambda w: bool(w.themes), lambda w, draw: meaning.say_use(w.said, w.themes, draw)),
    "uses": _if(lambda w: len(w.themes) > 1, lambda w, draw: meaning.say_uses(w.said, w.themes, draw)),
    "field": _when(lambda w: w.real_themes or None, meaning.say_field),
    "fields": _when(lambda w: w.real_themes if len(w.real_themes) > 1 else None, meaning.say_fields),
}

_TABLE = _IMAGE | _SENSING | _LABELS
SLOTS: dict[str, int] = {name: 1 << i for i, name in enumerate(_TABLE)}
"""Bit of each slot."""
_TESTS = tuple((SLOTS[name], is_known) for name, (is_known, _) in _TABLE.items())
_SAYERS = {SLOTS[name]: say for name, (_, say) in _TABLE.items()}
