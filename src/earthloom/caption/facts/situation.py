"""From records to statements: where and when an image was made, and under which sun."""

from __future__ import annotations

import re
from datetime import date

from earthloom.caption.facts.cleaning import clean_name
from earthloom.caption.facts.statements import (
    Acquired,
    Country,
    InSeason,
    Place,
    Position,
    Season,
    Sun,
    View,
    Zone,
)
from earthloom.core.records import Origin, Scene, Tile
from earthloom.geo.countries import find_country

TROPIC_DEG = 23.44


POLAR_CIRCLE_DEG = 66.56
"""Latitudes of the tropics and polar circles, rounded: the obliquity of the ecliptic is 23.436 degrees."""


_ISO_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ].*)?)?)?", re.ASCII)


_SEASONS = (Season.WINTER, Season.SPRING, Season.SUMMER, Season.AUTUMN)


_SEASON_WORDS = {season.value: season for season in Season} | {"fall": Season.AUTUMN}


def find_zone(lat: float) -> Zone:
    """Find the belt of a latitude in degrees."""
    if abs(lat) <= TROPIC_DEG:
        return Zone.TROPICS
    if abs(lat) < POLAR_CIRCLE_DEG:
        return Zone.NORTH if lat > 0 else Zone.SOUTH
    return Zone.ARCTIC if lat > 0 else Zone.ANTARCTIC


def find_season(month: int, zone: Zone) -> Season | None:
    """Find the meteorological season of a month; None in the tropics, whose seasons are others."""
    if zone is Zone.TROPICS:
        return None
    half_year = 0 if zone in {Zone.NORTH, Zone.ARCTIC} else 6
    return _SEASONS[(month + half_year) % 12 // 3]


def find_place(place: str | None, origin: str) -> Place | None:
    """Take the name of the place, where a caption can hold it."""
    name = clean_name(place)
    return None if name is None else Place(origin=origin, name=name)


def read_date(text: str | None, origin: str) -> Acquired | None:
    """Read an ISO 8601 date, as precise as it is; None for what is no date."""
    found = _ISO_DATE.fullmatch(text) if text is not None else None
    if found is None:
        return None
    year, month, day = (None if part is None else int(part) for part in found.groups())
    try:
        date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    return Acquired(origin=origin, year=year or 0, month=month, day=day)


def locate(tile: Tile, scene: Scene, origin: str) -> Position | None:
    """Take the centre of the tile; an invented landscape has none."""
    lon, lat = tile.lon, tile.lat
    if scene.synthetic or lon is None or lat is None or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return None
    return Position(origin=origin, lon=lon, lat=lat, zone=find_zone(lat))


def compute_season(acquired: Acquired | None, position: Position | None) -> InSeason | None:
    """Find the season of a date at a position."""
    if acquired is None or acquired.month is None or position is None:
        return None
    season = find_season(acquired.month, position.zone)
    return None if season is None else InSeason(origin=Origin.COMPUTED, season=season)


def read_season(word: str | None, acquired: Acquired | None, origin: str) -> InSeason | None:
    """The season that the source states; one that is dated needs none."""
    is_dated = acquired is not None and acquired.month is not None
    if word is None or is_dated or word.lower() not in _SEASON_WORDS:
        return None
    return InSeason(origin=origin, season=_SEASON_WORDS[word.lower()])


def find_country_of(scene: Scene, origin: str) -> Country | None:
    """The usual English name of a code; a word that is no code as it stands. What `place` says is not said again."""
    word = scene.country
    if word is None:
        return None
    known = find_country(word)
    name = clean_name(word if known is None else known.name.removeprefix("The "))
    is_said = name is not None and scene.place is not None and name.lower() in scene.place.lower()
    return None if name is None or is_said else Country(origin=origin, name=name)


def find_sun(elevation_deg: float | None, origin: str) -> Sun | None:
    """Take the elevation of the sun, degrees, where it can be one."""
    is_known = elevation_deg is not None and -90 <= elevation_deg <= 90
    return Sun(origin=origin, elevation_deg=elevation_deg) if is_known and elevation_deg is not None else None


def find_view(off_nadir_deg: float | None, origin: str) -> View | None:
    """Take the angle off nadir, degrees, where it can be one."""
    is_known = off_nadir_deg is not None and 0 <= off_nadir_deg < 90
    return (
        View(origin=origin, off_nadir_deg=off_nadir_deg) if is_known and off_nadir_deg is not None else None
    )
