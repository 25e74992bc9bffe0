"""The slots about the image: its name, how it was made, where and when, and how it looks."""

from __future__ import annotations

from earthloom.caption.facts.statements import Extent, Resolution
from earthloom.caption.rules import content, meaning, sensing, tones, whereabouts
from earthloom.caption.rules.grammar import Draw
from earthloom.caption.rules.material import Material
from earthloom.caption.rules.slotting import Slot, always, of_modality, only_if, when
from earthloom.core.records import Modality
from earthloom.geo.levels import find_resolution_class

_EARTH = (
    "the Earth's surface",
    "the surface of the Earth",
    "a part of the Earth's surface",
    "a section of the Earth's surface",
    "a stretch of the Earth's surface",
    "a patch of the Earth's surface",
)
_NO_EARTH = (
    "an invented landscape",
    "a landscape made by computer",
    "a computed landscape",
    "a landscape that exists nowhere",
)
_MADE = ("acquired", "recorded", "captured", "taken", "collected", "obtained")
_MADE_UP = ("generated", "computed", "rendered", "calculated")


def _say_earth(w: Material, draw: Draw) -> str:
    if w.said.synthetic is not None:
        return draw.pick(_NO_EARTH)
    return draw.pick(_EARTH)


def _say_made(w: Material, draw: Draw) -> str:
    if w.said.synthetic is not None:
        return draw.pick(_MADE_UP)
    return draw.pick(_MADE)


def _say_outline(w: Material, draw: Draw) -> str:
    width, height = w.said.frame.width, w.said.frame.height
    if width == height:
        return draw.pick(("square", "square, as wide as it is high", "square, with sides of equal length"))
    longer, shorter = ("wider", "high") if width > height else ("higher", "wide")
    return draw.pick(
        (f"rectangular and {longer} than {shorter}", f"a rectangle that is {longer} than {shorter}")
    )


def _find_regular(w: Material) -> Extent | None:
    """The extent, where pixels are as far apart as samples."""
    extent, resolution = w.said.extent, w.said.resolution
    if extent is None or resolution is None or abs(extent.pixel_m / resolution.gsd_m - 1) >= 0.01:
        return None
    return extent


def _find_enlarged(w: Material) -> Extent | None:
    """The extent, where more pixels were drawn than samples were measured."""
    extent, resolution = w.said.extent, w.said.resolution
    if extent is None or resolution is None or extent.pixel_m >= 0.95 * resolution.gsd_m:
        return None
    return extent


def _find_resampled(w: Material) -> Resolution | None:
    resolution = w.said.resolution
    return resolution if resolution is not None and resolution.native_gsd_m is not None else None


def _find_sampling(w: Material) -> tuple[Resolution, Modality] | None:
    resolution = w.said.resolution
    return None if resolution is None else (resolution, w.said.signal.modality)


def _is_simulated(w: Material) -> bool:
    """Whether the picture shows what was not there when it was taken."""
    return w.said.weather is not None and w.said.weather.is_simulated


def _has_conditions(w: Material) -> bool:
    said = w.said
    others = (
        said.resolution,
        said.polarisation,
        said.looks,
        said.acquired,
        None if _is_simulated(w) else said.weather,
        said.sun,
        said.view,
    )
    return any(other is not None for other in others) or sensing.has_source(said)


IMAGE_SLOTS: dict[str, Slot] = {
    "an_image": always(lambda w, draw: draw.pick(w.images.first)),
    "the_image": always(lambda w, draw: draw.pick(w.images.again)),
    "this_image": always(lambda w, draw: draw.pick(w.images.this)),
    "full_image": always(lambda w, draw: draw.pick(w.images.full)),
    "kind": always(lambda w, draw: draw.pick(w.images.kind)),
    "imagery": always(lambda w, draw: draw.pick(w.images.imagery)),
    "expanded": always(lambda w, draw: draw.pick(w.images.expanded)),
    "made": always(_say_made),
    "earth": always(_say_earth),
    "size": always(lambda w, draw: sensing.say_size(w.said.frame, draw)),
    "shape": always(lambda w, draw: sensing.say_shape(w.said.frame, draw)),
    "grid": always(lambda w, draw: sensing.say_grid(w.said.frame, draw)),
    "outline": always(_say_outline),
    "truth": always(lambda w, draw: meaning.say_truth(w.said, w.themes, draw)),
    "rgb": of_modality(Modality.RGB, "red, green and blue"),
    "nir": of_modality(Modality.NIR, "near-infrared"),
    "sar": of_modality(Modality.SAR, "radar"),
    "no_place": only_if(lambda w: w.said.synthetic is not None, lambda _w, _draw: "no real place"),
}
SENSING_SLOTS: dict[str, Slot] = {
    "gsd": when(lambda w: w.said.resolution, sensing.say_gsd),
    "gsd_m": when(lambda w: w.said.resolution, lambda found, _draw: sensing.say_metres(found.gsd_m)),
    "at_gsd": when(lambda w: w.said.resolution, sensing.say_at_gsd),
    "native": when(
        _find_resampled, lambda found, _draw: sensing.say_metres(found.native_gsd_m or found.gsd_m)
    ),
    "detail": when(_find_sampling, lambda found, draw: meaning.say_detail(*found, draw)),
    "detail_too": when(
        lambda w: _find_sampling(w) if w.themes else None,
        lambda found, draw: meaning.say_detail(*found, draw),
    ),
    "pixel": when(_find_regular, sensing.say_pixel),
    "drawn": when(_find_enlarged, sensing.say_pixel),
    "ground": when(lambda w: w.said.extent, sensing.say_ground),
    "extent": when(lambda w: w.said.extent, sensing.say_extent),
    "date": when(lambda w: w.said.acquired, whereabouts.say_when),
    "on_date": when(lambda w: w.said.acquired, whereabouts.say_on_date),
    "season": when(lambda w: w.said.season, whereabouts.say_season),
    "month": only_if(
        lambda w: (
            w.said.season is not None or (w.said.acquired is not None and w.said.acquired.month is not None)
        ),
        lambda w, draw: whereabouts.say_time_of_year(w.said, draw),
    ),
    "undated": when(
        lambda w: w.said.season if w.said.acquired is None or w.said.acquired.month is None else None,
        lambda found, _draw: f"in {found.season.value}",
    ),
    "geometry": only_if(
        lambda w: w.said.sun is not None or w.said.view is not None,
        lambda w, draw: whereabouts.say_geometry(w.said, draw),
    ),
    "country": when(lambda w: w.said.country, lambda found, _draw: whereabouts.say_country(found)),
    "sun": when(lambda w: w.said.sun, whereabouts.say_sun),
    "view": when(lambda w: w.said.view, whereabouts.say_view_angle),
    "clouds": when(lambda w: w.said.cloud_cover, whereabouts.say_cloud_cover),
    "whereabouts": only_if(
        lambda w: w.said.place is not None or w.said.country is not None,
        lambda w, _draw: whereabouts.say_whereabouts(w.said),
    ),
    "spatial": when(
        lambda w: w.said.resolution,
        lambda found, _draw: f"{find_resolution_class(found.gsd_m).value.lower()} spatial resolution",
    ),
    "tone": only_if(lambda w: tones.find_scale(w.said) is not None, lambda w, _draw: tones.say_tone(w.said)),
    "contrast": only_if(
        lambda w: tones.find_scale(w.said) is not None, lambda w, _draw: tones.say_contrast(w.said)
    ),
    "median": only_if(lambda w: tones.can_say_median(w.said), lambda w, draw: tones.say_median(w.said, draw)),
    "db_range": when(lambda w: w.said.brightness if tones.can_say_range(w.said) else None, tones.say_range),
    "place": when(lambda w: w.said.place, lambda found, _draw: found.name),
    "position": when(lambda w: w.said.position, whereabouts.say_position),
    "zone": when(lambda w: w.said.position, whereabouts.say_zone),
    "platform": when(lambda w: w.said.platform, lambda found, _draw: found.name),
    "sensor": when(lambda w: w.said.sensor, lambda found, _draw: found.name),
    "collection": when(lambda w: w.said.collection, lambda found, _draw: found.title),
    "low_db": when(lambda w: w.said.display, lambda found, _draw: tones.say_decibels(found.low_db)),
    "high_db": when(lambda w: w.said.display, lambda found, _draw: tones.say_decibels(found.high_db)),
    "weather": when(lambda w: w.said.weather, sensing.say_weather),
    "valid": when(lambda w: w.said.validity, lambda found, _draw: content.say_share(found.share)),
    "conditions": only_if(_has_conditions, lambda w, draw: sensing.say_conditions(w.said, draw)),
    "acquisition": only_if(
        lambda w: w.said.acquired is not None or sensing.has_source(w.said),
        lambda w, draw: sensing.say_acquisition(w.said, _say_made(w, draw), draw),
    ),
    "source": only_if(lambda w: sensing.has_source(w.said), lambda w, draw: sensing.say_source(w.said, draw)),
    "observation": only_if(
        lambda w: sensing.can_say_observation(w.said), lambda w, draw: sensing.say_observation(w.said, draw)
    ),
    "added": only_if(
        _is_simulated,
        lambda w, draw: "" if w.said.weather is None else sensing.say_weather(w.said.weather, draw),
    ),
    "as_sensed": only_if(
        lambda w: sensing.can_say_observation(w.said) and not _is_simulated(w),
        lambda w, draw: sensing.say_observation(w.said, draw),
    ),
    "location": only_if(
        lambda w: any(fact is not None for fact in (w.said.place, w.said.position, w.said.country)),
        lambda w, draw: whereabouts.say_location(w.said, draw),
    ),
}
