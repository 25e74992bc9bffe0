"""Where and when a landscape is: a plausible place on land, a date with a high enough sun, and its climate."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Climate(StrEnum):
    """What grows, how the soil looks, what roofs are made of."""

    TEMPERATE = "temperate"
    BOREAL = "boreal"
    MEDITERRANEAN = "mediterranean"
    STEPPE = "steppe"
    ARID = "arid"
    SAVANNA = "savanna"
    TROPICAL = "tropical"


class Archetype(StrEnum):
    """The kind of landscape that a scene is drawn around."""

    COAST = "coast"
    RIVER = "river valley"
    PLAIN = "farmland plain"
    MOUNTAIN = "mountain forest"
    TOWN = "town and suburbs"
    DESERT = "desert"
    LAKES = "lake district"
    DELTA = "delta"


_SHARES = {
    Archetype.PLAIN: 0.19,
    Archetype.TOWN: 0.17,
    Archetype.RIVER: 0.15,
    Archetype.COAST: 0.15,
    Archetype.MOUNTAIN: 0.13,
    Archetype.LAKES: 0.08,
    Archetype.DESERT: 0.08,
    Archetype.DELTA: 0.05,
}
"""How often each archetype is drawn; our own choice, for variety in small samples."""

_LETTERS = {
    "c": Archetype.COAST,
    "r": Archetype.RIVER,
    "p": Archetype.PLAIN,
    "m": Archetype.MOUNTAIN,
    "t": Archetype.TOWN,
    "d": Archetype.DESERT,
    "l": Archetype.LAKES,
    "e": Archetype.DELTA,
}

_PLACES = """
temperate      4.8  47.1 rpt      temperate     -0.9  52.3 rpt      temperate      9.6  52.2 pt
temperate     19.4  52.0 rp       temperate    -89.2  41.6 pt       temperate    -93.6  42.0 pr
temperate    -76.4  40.1 rpt      temperate     31.5  49.4 rp       temperate    171.9 -43.6 rpc
temperate    -59.6 -35.2 p        temperate    146.4 -38.1 rpc      temperate    140.7  38.6 rtm
temperate    127.1  36.3 rtm      temperate     17.0  46.9 rp       temperate    -72.4 -39.9 rlmc
temperate     -3.9  50.5 ct       temperate     -1.4  43.6 ct       temperate    -70.6  41.8 ct
temperate      8.6  47.4 lrt      temperate     10.9  46.7 m        temperate   -121.7  47.4 m
temperate     44.5  42.6 m        savanna       46.3 -20.1 rm      temperate     28.6  45.1 e
temperate     12.2  44.9 e        temperate     -8.2  42.6 cm       temperate   -123.8  44.6 cm
boreal        26.4  62.2 lr       boreal        15.2  63.1 lrm      boreal       -79.8  48.4 lr
boreal      -106.1  54.4 lr       boreal        60.5  57.1 rlt      boreal        92.4  56.2 rm
boreal         8.2  61.3 ml       boreal       -93.8  50.1 l        boreal       -66.1  50.3 cl
mediterranean -4.9  37.6 rpt      mediterranean 16.6  40.9 pct      mediterranean -120.4 36.9 pt
mediterranean 22.2  39.4 rpm      mediterranean 18.8 -33.4 prc      mediterranean 117.6 -32.4 p
mediterranean -71.1 -34.6 rpm     mediterranean  3.2  36.5 rpc      mediterranean  0.6  40.7 ce
mediterranean 14.9  37.4 ctm      mediterranean 24.4  35.2 cm       mediterranean -117.2 33.1 ct
mediterranean 35.2  32.6 tr       mediterranean 30.6  36.9 cme      steppe      -101.2  38.1 p
steppe      -102.4  35.2 pd       steppe        69.2  51.0 pl       steppe        32.6  38.2 pd
steppe       -65.9 -33.6 p        steppe       143.6 -35.2 pr       steppe        25.6 -29.1 pr
steppe      -106.9  39.3 m        steppe        76.2  42.6 m        steppe        102.6 38.9 dp
steppe      -111.9  40.4 tm       steppe        -2.9  35.1 c        steppe         47.4  46.1 e
arid          13.9  27.1 d        arid          47.3  24.1 dp       arid           30.7  29.2 pd
arid          54.6  23.6 d        arid        -112.3  33.2 td       arid           15.6 -24.6 d
arid         133.4 -24.3 d        arid          59.4  31.6 dm       arid          -69.4 -22.9 dm
arid          57.9  22.9 dm       arid         -114.6 32.6 pd       arid           51.3  25.4 ct
arid          34.4  27.9 cm       arid          31.9  31.2 e        arid           68.2  25.2 rp
savanna      -47.8 -16.4 pr       savanna       36.4  -1.2 prd      savanna        28.4 -13.6 rp
savanna       -0.9   9.6 rt       savanna       76.9  21.3 pt       savanna        38.8   8.7 rpm
savanna      131.8 -14.6 r        savanna      -54.4 -12.6 p        savanna        33.4  -8.6 ml
savanna      -16.4  13.4 ce       savanna       44.4 -16.1 er       savanna        78.2  17.6 tp
tropical     -60.4  -3.4 r        tropical     110.6  -7.3 rtm      tropical      101.4   3.6 rt
tropical     105.9  10.3 er       tropical      23.6   0.8 r        tropical      -84.1  10.3 rmc
tropical     120.8  15.5 pt       tropical      90.4  23.6 ert      tropical       98.9   7.9 cm
tropical     -39.1 -14.8 c        tropical     145.7 -17.1 cm       tropical        6.6   4.8 e
tropical     -77.9   0.6 mr       tropical     -75.8  20.6 cpt      tropical       96.4  17.0 pe
"""
"""Climate, longitude and latitude in degrees, and letters of the archetypes that suit the place."""


@dataclass(frozen=True, slots=True)
class Place:
    """A region that a landscape may be set in."""

    climate: Climate
    lon: float
    lat: float
    archetypes: tuple[Archetype, ...]


def _read_places() -> tuple[Place, ...]:
    words = _PLACES.split()
    rows = (words[i : i + 4] for i in range(0, len(words), 4))
    return tuple(
        Place(Climate(name), float(lon), float(lat), tuple(_LETTERS[letter] for letter in letters))
        for name, lon, lat, letters in rows
    )


PLACES = _read_places()


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stands: degrees; azimuth clockwise from north."""

    elevation_deg: float
    azimuth_deg: float

    def direction(self) -> tuple[float, float, float]:
        """Unit vector to the sun: x east, y south, z up."""
        azimuth, elevation = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        flat = math.cos(elevation)
        return flat * math.sin(azimuth), -flat * math.cos(azimuth), math.sin(elevation)


@dataclass(frozen=True, slots=True)
class Site:
    """One landscape's place and time."""

    archetype: Archetype
    climate: Climate
    lon: float
    lat: float
    date: datetime.date
    sun: Sun
    season: float
    """0 in the middle of the cold or dry half of the year, 1 in the middle of the growing half."""
    autumn: float
    """0 until the growing half is at its height, 1 when it ends."""


def draw_site(rng: np.random.Generator, turn: float) -> Site:
    """Draw place, date and sun for the archetype that `turn` (0 to 1) falls on."""
    ends = np.cumsum(list(_SHARES.values()))
    archetype = list(_SHARES)[min(int(np.searchsorted(ends, turn, side="right")), len(_SHARES) - 1)]
    fitting = [place for place in PLACES if archetype in place.archetypes]
    place = fitting[int(rng.integers(len(fitting)))]
    reach = 0.08 if archetype in (Archetype.COAST, Archetype.DELTA) else 0.35
    lon, lat = (place.lon + rng.uniform(-reach, reach), place.lat + rng.uniform(-reach, reach))
    date, sun = _draw_time(rng, lat)
    phase = _phase(date, lat)
    return Site(
        archetype,
        place.climate,
        _inside_zone(lon),
        lat,
        date,
        sun,
        season=0.5 - 0.5 * math.cos(2 * math.pi * phase),
        autumn=min(1.0, max(0.0, (phase - 0.5) / 0.3)),
    )


def _draw_time(rng: np.random.Generator, lat: float) -> tuple[datetime.date, Sun]:
    """A day of 2015-2024 and a local hour with the sun at 28 to 49 degrees: relief shows, shadows end."""
    first = datetime.date(2015, 1, 1)
    days = (datetime.date(2024, 12, 31) - first).days + 1
    while True:
        date = first + datetime.timedelta(days=int(rng.integers(days)))
        sun = sun_position(lat, date, float(rng.uniform(8.2, 15.0)))
        if 28 <= sun.elevation_deg <= 49:
            return date, sun


def sun_position(lat: float, date: datetime.date, solar_hour: float) -> Sun:
    """The sun by latitude, date and true solar time; declination after Cooper (1969), good to a degree."""
    day = date.timetuple().tm_yday
    declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + day) / 365)
    phi, hour = math.radians(lat), math.radians(15 * (solar_hour - 12))
    east = -math.cos(declination) * math.sin(hour)
    north = math.sin(declination) * math.cos(phi) - math.cos(declination) * math.cos(hour) * math.sin(phi)
    up = math.sin(declination) * math.sin(phi) + math.cos(declination) * math.cos(hour) * math.cos(phi)
    return Sun(math.degrees(math.asin(up)), math.degrees(math.atan2(east, north)) % 360)


def _phase(date: datetime.date, lat: float) -> float:
    """Share of the year since the middle of its cold half (20 January north, 22 July south)."""
    start = 20 if lat >= 0 else 203
    return ((date.timetuple().tm_yday - start) / 365.25) % 1.0


def utm_epsg(lon: float, lat: float) -> int:
    """EPSG code of the WGS 84 UTM zone."""
    zone = min(60, int((lon + 180) // 6) + 1)
    return (32600 if lat >= 0 else 32700) + zone


def _inside_zone(lon: float) -> float:
    """Keep half a degree from the edge of the UTM zone, where its scale is furthest from one."""
    west = (lon // 6) * 6
    return min(max(lon, west + 0.5), west + 5.5)
