"""A small vocabulary of platforms: one spelling, the word of MMM-RS prompts, and the sensor where unique."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Carrier(StrEnum):
    """What bears the sensor."""

    SATELLITE = "satellite"
    AIRCRAFT = "aircraft"


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """A satellite, aircraft programme or map service."""

    name: str
    """Canonical spelling."""
    word: str
    """What an MMM-RS prompt ends with: `Sentinel-2`, `GF2`, `TG2`, `Google Earth`, or the name itself."""
    sensor: str | None = None
    """Set only where the platform carries one imaging sensor, so that naming it is no guess."""
    carrier: Carrier | None = Carrier.SATELLITE
    """None for a map service, which mixes satellite and aerial imagery."""
    radar: bool = False
    """True where all that it images with is radar."""


_ROWS: tuple[tuple[Platform, tuple[str, ...]], ...] = (
    (
        Platform(name="Sentinel-1", word="Sentinel-1", sensor="C-SAR", radar=True),
        ("S1", "Sentinel-1A", "Sentinel-1B", "Sentinel-1C", "S1A", "S1B", "S1C"),
    ),
    (
        Platform(name="Sentinel-2", word="Sentinel-2", sensor="MSI"),
        ("S2", "Sentinel-2A", "Sentinel-2B", "Sentinel-2C", "S2A", "S2B", "S2C"),
    ),
    (Platform(name="Gaofen-1", word="GF1"), ("GF1", "Gaofen1")),
    (Platform(name="Gaofen-2", word="GF2", sensor="PMS"), ("GF2", "Gaofen2")),
    (Platform(name="Gaofen-3", word="GF3", sensor="C-SAR", radar=True), ("GF3", "Gaofen3")),
    (Platform(name="Tiangong-2", word="TG2"), ("TG2", "Tiangong2")),
    (
        Platform(name="Google Earth", word="Google Earth", carrier=None),
        ("GoogleEarth", "Google Maps Satellite"),
    ),
    (Platform(name="Landsat 5", word="Landsat 5"), ("L5", "Landsat-5", "LT05")),
    (Platform(name="Landsat 7", word="Landsat 7", sensor="ETM+"), ("L7", "Landsat-7", "LE07")),
    (Platform(name="Landsat 8", word="Landsat 8"), ("L8", "Landsat-8", "LC08")),
    (Platform(name="Landsat 9", word="Landsat 9"), ("L9", "Landsat-9", "LC09")),
    (Platform(name="QuickBird", word="QuickBird"), ("QuickBird-2", "QB02")),
    (Platform(name="IKONOS", word="IKONOS"), ("IKONOS-2",)),
    (Platform(name="GeoEye-1", word="GeoEye-1", sensor="GIS"), ("GE01",)),
    (Platform(name="WorldView-2", word="WorldView-2", sensor="WV110"), ("WV2", "WV02")),
    (Platform(name="WorldView-3", word="WorldView-3"), ("WV3", "WV03")),
    (Platform(name="WorldView-4", word="WorldView-4"), ("WV4", "WV04")),
    (Platform(name="Umbra", word="Umbra", radar=True), ()),
    (Platform(name="NAIP", word="NAIP", carrier=Carrier.AIRCRAFT), ()),
    (
        Platform(name="NEON AOP", word="NEON AOP", carrier=Carrier.AIRCRAFT),
        ("NEON", "NEON Airborne Observation Platform"),
    ),
)


def find_platform(name: str) -> Platform | None:
    """Look a platform up by name or alias; case, spaces, hyphens and underscores do not matter."""
    return _index().get(_fold(name))


def list_platforms() -> tuple[Platform, ...]:
    """List the vocabulary."""
    return tuple(platform for platform, _ in _ROWS)


def name_platform(name: str) -> str:
    """Give a platform's canonical spelling; the name as it is when the vocabulary lacks it."""
    platform = find_platform(name)
    return name if platform is None else platform.name


def find_satellite_word(name: str) -> str:
    """Give the word that ends an MMM-RS prompt; the name as it is when the vocabulary lacks it."""
    platform = find_platform(name)
    return name if platform is None else platform.word


def find_sensor(name: str) -> str | None:
    """Name the sensor of a platform that carries only one; None where it carries several or is unknown."""
    platform = find_platform(name)
    return None if platform is None else platform.sensor


@cache
def _index() -> dict[str, Platform]:
    return {_fold(alias): platform for platform, aliases in _ROWS for alias in (platform.name, *aliases)}


def _fold(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
