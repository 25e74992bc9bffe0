"""From records to statements: the one place where facts about an image become what captions may say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from earthloom.caption.facts.cleaning import clean_name
from earthloom.caption.facts.labels import find_adjacent, find_classes, find_covers, find_objects, shows_scene
from earthloom.caption.facts.situation import (
    compute_season,
    find_country_of,
    find_place,
    find_sun,
    find_view,
    locate,
    read_date,
    read_season,
)
from earthloom.caption.facts.statements import (
    Brightness,
    CarriedBy,
    CloudCover,
    Collection,
    Display,
    Extent,
    Frame,
    Looks,
    Polarisation,
    Resolution,
    Sensor,
    Signal,
    Statements,
    Synthetic,
    Validity,
    Weather,
)
from earthloom.core.records import Effect, Modality, Origin, Scene, Stretch, Tile
from earthloom.geo.levels import find_level
from earthloom.geo.platforms import find_platform

_MIN_GSD_M, _MAX_GSD_M = 1e-4, 1e5
_WHOLE_FRAME = 0.995
"""Shares of valid pixels from here on read as all of them."""
_MMM_RS_WEATHER = {
    "snow": "snow",
    "snowy": "snow",
    "night": "night",
    "low light": "night",
    "fog": "fog",
    "foggy": "fog",
}
_NO_WEATHER = frozenset({"clear", "clear sky", "sunny", "none", "normal"})
_POLARISATIONS = frozenset({"VV", "VH", "HH", "HV"})


def gather(scene: Scene, tile: Tile) -> Statements:
    """Collect what is known about a tile; a fact that is unknown or cannot be said gives no statement.

    A synthetic landscape has no place, date or platform, whatever the record says of those that it imitates.
    """
    if scene.synthetic:
        scene = _forget_world(scene)
    origin = _origins(scene)
    acquired = read_date(scene.acquired, origin("acquired"))
    position = locate(tile, scene, origin("lon"))
    covers = find_covers(tile)
    resolution = _measure_resolution(tile, origin("gsd_x_m"))
    is_radar = scene.modality is Modality.SAR
    return Statements(
        signal=Signal(origin=origin("modality"), modality=scene.modality),
        frame=Frame(origin=Origin.COMPUTED, width=tile.width, height=tile.height),
        synthetic=Synthetic(origin=Origin.SYNTHETIC) if scene.synthetic else None,
        polarisation=_find_polarisation(scene, origin("polarisation")) if is_radar else None,
        looks=_count_looks(scene.looks, resolution, origin("looks")) if is_radar else None,
        display=_find_display(tile.stretch) if is_radar else None,
        platform=_find_carrier(scene.platform, origin("platform")),
        sensor=_find_sensor(scene.sensor, origin("sensor")),
        collection=_find_collection(scene, origin("dataset")),
        resolution=resolution,
        extent=_measure_extent(tile),
        validity=_measure_validity(tile.valid_share),
        acquired=acquired,
        season=compute_season(acquired, position) or read_season(scene.season, acquired, origin("season")),
        place=find_place(scene.place, origin("place")),
        position=position,
        country=find_country_of(scene, origin("country")),
        sun=find_sun(scene.sun_elevation_deg, origin("sun_elevation_deg")),
        view=find_view(scene.off_nadir_deg, origin("off_nadir_deg")),
        cloud_cover=_find_cloud_cover(scene, tile, origin("cloud_share")),
        weather=_find_weather(tile.effect) or (None if is_radar else _read_weather(tile)),
        brightness=_find_brightness(tile, is_radar),
        classes=find_classes(scene, tile),
        covers=covers,
        adjacent=find_adjacent(tile, covers),
        objects=find_objects(tile),
    )


def _forget_world(scene: Scene) -> Scene:
    """Take what ties an image to a real place, time or instrument from the record of an invented landscape."""
    return replace(
        scene,
        acquired=None,
        season=None,
        place=None,
        country=None,
        platform=None,
        sensor=None,
        sun_elevation_deg=None,
        off_nadir_deg=None,
        cloud_share=None,
    )


def _origins(scene: Scene) -> Callable[[str], str]:
    known = {entry.fact: entry.origin for entry in scene.provenance}
    default = Origin.SYNTHETIC.value if scene.synthetic else Origin.DOCUMENTATION.value
    return lambda fact: known.get(fact, default)


def _find_sensor(sensor: str | None, origin: str) -> Sensor | None:
    name = clean_name(sensor)
    return None if name is None else Sensor(origin=origin, name=name)


def _find_cloud_cover(scene: Scene, tile: Tile, origin: str) -> CloudCover | None:
    """That of the source image, where the tile shows all of it."""
    share = scene.cloud_share
    if share is None or not 0 <= share <= 1 or not shows_scene(scene, tile):
        return None
    return CloudCover(origin=origin, share=share)


def _find_brightness(tile: Tile, is_radar: bool) -> Brightness | None:
    seen = tile.appearance
    is_scaled = seen is not None and (seen.unit != "dB" or is_radar)
    if seen is None or not is_scaled or not seen.low <= seen.median <= seen.high:
        return None
    return Brightness(
        origin=Origin.COMPUTED, low=seen.low, median=seen.median, high=seen.high, unit=seen.unit
    )


def _find_polarisation(scene: Scene, origin: str) -> Polarisation | None:
    name = scene.polarisation
    return Polarisation(origin=origin, name=name) if name in _POLARISATIONS and name else None


def _count_looks(looks: float | None, resolution: Resolution | None, origin: str) -> Looks | None:
    """Looks hold for the pixels as they came: averaging to a coarser sampling adds to them."""
    if resolution is not None and resolution.native_gsd_m is not None:
        return None
    return Looks(origin=origin, looks=looks) if looks is not None and 1 <= looks <= 10_000 else None


def _find_display(stretch: Stretch) -> Display | None:
    if stretch.method != "db" or not stretch.low or not stretch.high:
        return None
    low, high = stretch.low[0], stretch.high[0]
    return Display(origin=Origin.COMPUTED, low_db=low, high_db=high) if -100 <= low < high <= 100 else None


def _find_carrier(platform: str | None, origin: str) -> CarriedBy | None:
    name = clean_name(platform)
    if name is None:
        return None
    known = find_platform(name)
    if known is None:
        return CarriedBy(origin=origin, name=name, word=name, carrier=None, radar=False)
    return CarriedBy(
        origin=origin, name=known.name, word=known.word, carrier=known.carrier, radar=known.radar
    )


def _find_collection(scene: Scene, origin: str) -> Collection | None:
    """Only a title that the recipe gives: the name of a source may be any folder's."""
    title = clean_name(scene.dataset) if scene.dataset != scene.source else None
    return None if title is None else Collection(origin=origin, title=title)


def _measure_resolution(tile: Tile, origin: str) -> Resolution | None:
    gsd_m, native_m = tile.gsd_m, tile.native_gsd_m
    if gsd_m is None or not _MIN_GSD_M <= gsd_m <= _MAX_GSD_M:
        return None
    is_coarser = native_m is not None and _MIN_GSD_M <= native_m < 0.95 * gsd_m
    return Resolution(
        origin=origin, gsd_m=gsd_m, native_gsd_m=native_m if is_coarser else None, level=find_level(gsd_m)
    )


def _measure_extent(tile: Tile) -> Extent | None:
    pixel_m = tile.pixel_m
    if pixel_m is None or not _MIN_GSD_M <= pixel_m <= _MAX_GSD_M:
        return None
    return Extent(
        origin=Origin.COMPUTED, width_m=tile.width * pixel_m, height_m=tile.height * pixel_m, pixel_m=pixel_m
    )


def _measure_validity(share: float) -> Validity | None:
    return Validity(origin=Origin.COMPUTED, share=share) if 0 < share < _WHOLE_FRAME else None


def _find_weather(effect: Effect | None) -> Weather | None:
    """What an effect shows; nothing where the sensor looks through it."""
    if effect is None or not effect.is_visible:
        return None
    name = clean_name(_LEARNED.get(effect.name, lambda _: effect.name)(effect.params))
    if name is None or name in _NO_WEATHER:
        return None
    word = _MMM_RS_WEATHER.get(name, name)
    return Weather(origin=Origin.COMPUTED, effect=name, word=word, severity=effect.severity)


def _read_weather(tile: Tile) -> Weather | None:
    """What the source says; an effect of an earlier release of ours comes back as such."""
    for label in tile.labels:
        name = clean_name(label.name) if label.kind == "weather" else None
        if name is not None and name.lower() not in _NO_WEATHER:
            word = _MMM_RS_WEATHER.get(name, name)
            is_simulated = label.origin == Origin.SYNTHETIC
            return Weather(
                origin=label.origin, effect=name, word=word, severity="", is_simulated=is_simulated
            )
    return None


def _read_word(params: str) -> str:
    """What the user calls the look that a network was trained on."""
    return str(json.loads(params)["word"])


_LEARNED = {"translation": _read_word}
