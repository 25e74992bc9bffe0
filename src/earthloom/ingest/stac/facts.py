"""What an item says of when, by what and how its ground was seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import shapely

from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Origin, Reason
from earthloom.geo.platforms import find_platform
from earthloom.geo.sensors import find_sensor_entry, name_sensor
from earthloom.ingest.names import parse_date
from earthloom.ingest.scenes import Facts
from earthloom.ingest.stac.bands import to_number
from earthloom.ingest.stac.document import Json
from earthloom.ingest.stac.filters import read_geometry, read_shape
from earthloom.ingest.stac.hrefs import links_of
from earthloom.ingest.stac.intervals import parse_time

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_VAGUE_LICENCES = frozenset(("proprietary", "various", "other"))
"""Words of the STAC specification for `see the link`."""
_NAMED_ROLES = frozenset(("licensor", "producer"))
"""Providers who want to be named; processors and hosts do not own the picture."""
_DECIMALS = 3
"""Of degrees: 0.001 is about 100 m, less than footprints of one place differ from each other by chance."""


def facts_of_item(item: Json, collection: Json | None, modality: Modality) -> Facts:
    """Read the facts of an item that is up to date. Raises RecordError BAD_FACTS for what cannot be true."""
    said = item["properties"]
    return Facts(
        origin=Origin.STAC,
        acquired=read_time(said),
        platform=_read_platform(said),
        sensor=read_sensor(said, modality),
        sun_azimuth_deg=_angle(said, "view:sun_azimuth", 0, 360),
        sun_elevation_deg=_angle(said, "view:sun_elevation", -90, 90),
        view_azimuth_deg=_angle(said, "view:azimuth", 0, 360),
        off_nadir_deg=_angle(said, "view:off_nadir", 0, 90),
        cloud_share=_read_clouds(said),
        orbit=_read_orbit(said),
        looks=_read_looks(said) if modality is Modality.SAR else None,
        licence=read_licence(item, collection),
        credit=_read_credit(said, collection),
        dataset=_text(collection or {}, "title"),
    )


def facts_of_ground(item: Json, gsd_m: float | None) -> Facts:
    """Where an item lies, for a file that does not say it; `gsd_m` of its band, else of the item."""
    ground = read_geometry(item)
    gsd_m = gsd_m if gsd_m is not None else _number(item["properties"], "gsd")
    if not isinstance(ground, shapely.Polygon) or ground.bounds[2] - ground.bounds[0] > 180:
        return Facts(
            origin=Origin.STAC, gsd_x_m=gsd_m, gsd_y_m=gsd_m
        )  # several places, or around the antimeridian
    return Facts(
        origin=Origin.STAC,
        gsd_x_m=gsd_m,
        gsd_y_m=gsd_m,
        lon=ground.centroid.x,
        lat=ground.centroid.y,
        footprint=shapely.to_wkb(shapely.force_2d(ground)),
    )


def find_ground(item: Json) -> str | None:
    """Name the ground that an item shows, so that all dates of it stay in one group; None where it shows none.

    The first that is there: `grid:code`; the tile of the Military Grid Reference System (`MGRS-31UFS`); path and row
    of the Worldwide Reference System (`WRS2-047027`); the corners of the footprint's box, rounded to 0.001 degrees.
    Swaths that never repeat thus stand alone, however much they overlap: `group` in the recipe can join them.
    """
    said = item["properties"]
    if code := _text(said, "grid:code"):
        return code
    if tile := _find_mgrs(said):
        return f"MGRS-{tile}"
    path, row = (said.get(f"landsat:wrs_{name}", said.get(f"landsat:{name}")) for name in ("path", "row"))
    if path is not None and row is not None:
        return f"WRS{said.get('landsat:wrs_type', 2)}-{str(path).zfill(3)}{str(row).zfill(3)}"
    ground = read_shape(item)
    return None if ground is None else "box " + " ".join(f"{x:.{_DECIMALS}f}" for x in ground.bounds)


def _find_mgrs(said: Json) -> str | None:
    if tile := _text(said, "s2:mgrs_tile") or _text(said, "sentinel:mgrs"):
        return tile
    for space, zone_name in (("mgrs", "utm_zone"), ("sentinel", "utm_zone")):
        parts = [said.get(f"{space}:{name}") for name in (zone_name, "latitude_band", "grid_square")]
        if all(part is not None for part in parts):
            zone, band, square = map(str, parts)
            return f"{zone.zfill(2)}{band}{square}"
    return None


def read_time(said: Json) -> str | None:
    """Read when the ground was seen, ISO 8601: to the second, or as exactly as both ends of an interval agree.

    A day without a time is taken as it is, as items before STAC 1.0 have it. Raises RecordError BAD_FACTS.
    """
    if isinstance(said.get("datetime"), str) and _DAY.fullmatch(said["datetime"]):
        return parse_date(said["datetime"])
    texts = [said.get(name) for name in ("datetime", "start_datetime", "end_datetime")]
    try:
        moment, start, end = (None if text is None else parse_time(text) for text in texts)
    except (ValueError, TypeError, AttributeError) as error:
        raise RecordError(Reason.BAD_FACTS, f"datetime: wanted RFC 3339, got {texts} ({error})") from error
    if moment is not None:
        return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
    return None if start is None or end is None else _common_part(start, end)


def _common_part(start: datetime, end: datetime) -> str | None:
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%Y-%m", "%Y"):
        if start.strftime(form) == end.strftime(form):
            return start.strftime(form)
    return None


def read_sensor(said: Json, modality: Modality) -> str | None:
    """Name the instrument; of several the only one that measures what the scene shows."""
    names = said.get("instruments")
    names = [str(name) for name in names] if isinstance(names, list) else []
    if len(names) == 1 and names[0].lower() != "sar":  # which is no instrument
        return name_sensor(names[0])
    known = [sensor for name in names if (sensor := find_sensor_entry(name)) is not None]
    wanted = {"SAR"} if modality is Modality.SAR else {"multispectral", "hyperspectral", "panchromatic"}
    fitting = {sensor.name for sensor in known if sensor.modality in wanted}
    return fitting.pop() if len(fitting) == 1 else None


def read_licence(item: Json, collection: Json | None) -> str | None:
    """Give the licence of the item, else of its collection: the SPDX identifier, or where to read it."""
    for owner, said in ((item, item["properties"]), (collection or {}, collection or {})):
        licence = _text(said, "license")
        links = [*links_of(item, "license"), *links_of(owner, "license")]
        if licence is not None and licence.lower() not in _VAGUE_LICENCES:
            return licence
        if licence is not None and links:
            return f"{links[0].get('title') or licence} ({links[0]['href']})"
        if licence is not None and licence.lower() == "proprietary":
            return "proprietary"
    return None


def _read_credit(said: Json, collection: Json | None) -> str | None:
    """Name who made or licenses the pictures."""
    for providers in (said.get("providers"), (collection or {}).get("providers")):
        if isinstance(providers, list):
            known = [provider for provider in providers if isinstance(provider, dict)]
            names = [
                _text(provider, "name") for provider in known if _NAMED_ROLES & _words(provider, "roles")
            ]
            if named := [name for name in dict.fromkeys(names) if name]:
                return ", ".join(named)
    return None


def _read_platform(said: Json) -> str | None:
    """Name the platform; by its constellation where only that has a name (`SS02` is a SkySat)."""
    platform, constellation = _text(said, "platform"), _text(said, "constellation")
    if platform is None or (
        find_platform(platform) is None and find_platform(constellation or "") is not None
    ):
        return constellation or platform
    return platform


def _read_clouds(said: Json) -> float | None:
    """Share of clouds; None also for -1, by which USGS and others write that it is not known."""
    cover = _number(said, "eo:cloud_cover")
    if cover is not None and cover > 100:
        raise RecordError(Reason.BAD_FACTS, f"eo:cloud_cover: wanted 0 to 100 percent, got {cover:g}")
    return None if cover is None or cover < 0 else round(cover / 100, 8)


def _read_orbit(said: Json) -> str | None:
    state = _text(said, "sat:orbit_state")
    return state if state in {"ascending", "descending"} else None


def _read_looks(said: Json) -> float | None:
    looks = _number(said, "sar:looks_equivalent_number")
    return looks if looks is not None and looks > 0 else None


def find_polarisation(item: Json, bands: Sequence[str | None]) -> str | None:
    """Give the polarisation that the assets of a scene, else the item, agree on."""
    for names in (set(bands), _words(item["properties"], "sar:polarizations")):
        if len(names) == 1 and (name := next(iter(names))) is not None:
            return name.upper()
    return None


def _words(said: Json, name: str) -> set[str]:
    """A list of words; empty where it is none."""
    values = said.get(name)
    return set(map(str, values)) if isinstance(values, list) else set()


def _angle(said: Json, name: str, low: float, high: float) -> float | None:
    value = _number(said, name)
    if value is not None and not low <= value <= high:
        raise RecordError(Reason.BAD_FACTS, f"{name}: wanted {low} to {high} degrees, got {value:g}")
    return value


def _number(said: Json, name: str) -> float | None:
    value: Any = said.get(name)
    return None if value is None else to_number(name, value)


def _text(said: Json, name: str) -> str | None:
    value = said.get(name)
    return value.strip() or None if isinstance(value, str) else None
