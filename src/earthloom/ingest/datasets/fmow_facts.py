"""What the JSON of an fMoW image says: facts, where it lies, and what its boxes hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import shapely

from earthloom.core.errors import RecordError
from earthloom.core.records import Label, Origin, Reason
from earthloom.geo.countries import find_country
from earthloom.ingest.datasets.boxes import fit_box
from earthloom.ingest.datasets.reading import to_number
from earthloom.ingest.names import parse_date
from earthloom.ingest.scenes import Facts

Meta = Mapping[str, object]

CATEGORIES = frozenset((
    "airport", "airport_hangar", "airport_terminal", "amusement_park", "aquaculture", "archaeological_site",
    "barn", "border_checkpoint", "burial_site", "car_dealership", "construction_site", "crop_field", "dam",
    "debris_or_rubble", "educational_institution", "electric_substation", "factory_or_powerplant",
    "fire_station", "flooded_road", "fountain", "gas_station", "golf_course",
    "ground_transportation_station", "helipad", "hospital", "impoverished_settlement", "interchange",
    "lake_or_pond", "lighthouse", "military_facility", "multi-unit_residential", "nuclear_powerplant",
    "office_building", "oil_or_gas_facility", "park", "parking_lot_or_garage", "place_of_worship",
    "police_station", "port", "prison", "race_track", "railway_bridge", "recreational_facility",
    "road_bridge", "runway", "shipyard", "shopping_mall", "single-unit_residential", "smokestack",
    "solar_farm", "space_facility", "stadium", "storage_tank", "surface_mine", "swimming_pool",
    "toll_booth", "tower", "tunnel_opening", "waste_disposal", "water_treatment_facility", "wind_farm",
    "zoo", "false_detection",
))  # fmt: skip
"""The publisher's 62, and `false_detection`: what a detector found, and people said is none of them."""

_UNKNOWN = {"", "nan", "none", "null", "n/a"}
_PLATFORMS = {
    "GEOEYE01": "GeoEye-1",
    "IKONOS": "IKONOS",
    "QUICKBIRD02": "QuickBird",
    "WORLDVIEW02": "WorldView-2",
    "WORLDVIEW03_VNIR": "WorldView-3",
    "WORLDVIEW04": "WorldView-4",
}
_RAW_ANNOTATION = -1
"""ID of the entry in ground-truth files that repeats one of the others as the crowd first drew it."""


def name_category(word: str) -> str:
    """Give a category in plain words: `multi-unit residential`. Raises RecordError UNKNOWN_CLASS."""
    if word not in CATEGORIES:
        raise RecordError(
            Reason.UNKNOWN_CLASS, f"{word!r} is none of fMoW's 62 categories or false_detection"
        )
    return word.replace("_", " ")


def read_facts(meta: Meta, view: Literal["to_sensor", "to_target"] | None) -> Facts:
    """Facts of the whole image. Raises RecordError BAD_FACTS for numbers that cannot be.

    `gsd` is as acquired, which already grows with the off-nadir angle: nothing is multiplied to it.
    """
    gsd_m = read_number(meta, "gsd", 0.01, 1000)
    clouds = read_number(meta, "cloud_cover", 0, 100)
    azimuth = _read_azimuth(meta, "target_azimuth_dbl")
    timestamp = _read_word(meta, "timestamp")
    platform = _read_word(meta, "sensor_platform_name")
    return Facts(
        origin=Origin.SIDECAR,
        gsd_x_m=gsd_m,
        gsd_y_m=gsd_m,
        acquired=None if timestamp is None else parse_date(timestamp),
        country=_read_country(meta),
        platform=None if platform is None else _PLATFORMS.get(platform.upper(), platform),
        cloud_share=None if clouds is None else clouds / 100,
        sun_azimuth_deg=_read_azimuth(meta, "sun_azimuth_dbl"),
        sun_elevation_deg=read_number(meta, "sun_elevation_dbl", -90, 90),
        off_nadir_deg=read_number(meta, "off_nadir_angle_dbl", 0, 90),
        view_azimuth_deg=_turn(azimuth, view),
    )


def _turn(azimuth: float | None, view: Literal["to_sensor", "to_target"] | None) -> float | None:
    if azimuth is None or view is None:
        return None
    return azimuth if view == "to_sensor" else (azimuth + 180) % 360


def read_outline(meta: Meta) -> shapely.Polygon | None:
    """Give the outline of the image, longitude and latitude in degrees; None where it is not stated.

    Raises RecordError BAD_FACTS for a text that is no polygon on Earth.
    """
    text = _read_word(meta, "raw_location")
    if text is None:
        return None
    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.ShapelyError as error:
        raise RecordError(Reason.BAD_FACTS, f"raw_location: {error}") from error
    if not isinstance(shape, shapely.Polygon) or not shape.is_valid or shape.area == 0:
        raise RecordError(Reason.BAD_FACTS, f"raw_location is {text[:80]!r}; wanted a polygon")
    west, south, east, north = shape.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise RecordError(
            Reason.BAD_FACTS, f"raw_location lies at {west:g} to {east:g}, {south:g} to {north:g}"
        )
    return shape


def read_labels(meta: Meta, size: tuple[int, int]) -> tuple[Label, ...]:
    """Read the boxes of an image of a size (width, height): a list, or one alone. Those without a category are none.

    Raises RecordError BAD_FACTS for a broken box, UNKNOWN_CLASS for an unknown category.
    """
    entries = meta.get("bounding_boxes")
    if entries is None:
        return ()
    found = entries if isinstance(entries, list) else [entries]
    final: list[Meta] = []
    for entry in found:
        if not isinstance(entry, dict):
            raise RecordError(Reason.BAD_FACTS, f"a bounding box is {entry!r}; wanted an object")
        if entry.get("ID") != _RAW_ANNOTATION or len(found) == 1:
            final.append(entry)
    labels = [_read_label(entry, size, number) for number, entry in enumerate(final, 1)]
    return tuple(label for label in labels if label is not None)


def _read_label(entry: Meta, size: tuple[int, int], number: int) -> Label | None:
    what = f"bounding box {number}"
    category = _read_word(entry, "category")
    if category is None:
        return None
    box = entry.get("box")
    if not isinstance(box, list) or len(box) != 4:
        raise RecordError(Reason.BAD_FACTS, f"{what} is {box!r}; wanted x, y, width, height")
    x, y, width, height = (_require(value, what) for value in box)
    return Label(
        name=name_category(category),
        kind="object",
        origin=Origin.SIDECAR.value,
        box=fit_box((x, y, x + width, y + height), size, what),
    )


def _require(value: object, what: str) -> float:
    number = to_number(value, what)
    if number is None:
        raise RecordError(Reason.BAD_FACTS, f"{what} lacks a number")
    return number


def read_number(meta: Meta, key: str, low: float, high: float) -> float | None:
    """Give a number within [low, high]; None for null, NaN and texts such as "NaN". Raises RecordError BAD_FACTS."""
    value = meta.get(key)
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, str) and value.strip().lower() in _UNKNOWN:
        return None
    return to_number(value, key, low, high)


def read_size(meta: Meta) -> tuple[int, int] | None:
    """Give the width and height in pixels that boxes count in; None where they are not stated."""
    width = read_number(meta, "img_width", 1, 1e6)
    height = read_number(meta, "img_height", 1, 1e6)
    return None if width is None or height is None else (int(width), int(height))


def _read_azimuth(meta: Meta, key: str) -> float | None:
    azimuth = read_number(meta, key, -360, 720)
    return None if azimuth is None else azimuth % 360


def _read_word(meta: Meta, key: str) -> str | None:
    value = meta.get(key)
    text = value.strip() if isinstance(value, str) else ""
    return None if text.lower() in _UNKNOWN else text


def _read_country(meta: Meta) -> str | None:
    """The alpha-2 code of a code of three letters. Others are the publisher's own and stay: `CA-` is no Canada."""
    word = _read_word(meta, "country_code")
    if word is None or not (word.isascii() and word.isalpha() and len(word) == 3):
        return word
    country = find_country(word)
    return word if country is None else country.alpha2
