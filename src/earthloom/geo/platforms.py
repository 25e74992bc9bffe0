"""Platforms: one spelling, the word of MMM-RS prompts, what they carry, and the sensor where there is one.

The rows and where they come from stand in `tables/platforms.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from earthloom.geo.words import Lexicon, read_table


class Carrier(StrEnum):
    """What bears the sensor."""

    SATELLITE = "satellite"
    AIRCRAFT = "aircraft"


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """A satellite or family of them, an aircraft programme or a map service."""

    name: str
    """Canonical spelling."""
    word: str
    """What an MMM-RS prompt ends with: `Sentinel-2`, `GF2`, `TG2`, `Google Earth`, or the name itself."""
    operator: str | None = None
    """The agency or company that flies it, or flew it last; None for a kind of carrier such as a drone."""
    sensors: tuple[str, ...] = ()
    """Instruments that it carries, by their canonical names; not always all of them."""
    sensor: str | None = None
    """Set only where the platform carries one imaging sensor, so that naming it is no guess."""
    carrier: Carrier | None = Carrier.SATELLITE
    """None for a map service, which mixes satellite and aerial imagery."""
    radar: bool = False
    """True where all that it images with is radar."""
    ordinary: bool = False
    """True where the name begins with a word that a caption may use in another sense: a green spot, aqua water."""
    synonyms: tuple[str, ...] = ()
    """Other spellings, beyond what folding makes alike."""


def find_platform(name: str) -> Platform | None:
    """Look a platform up by name or synonym.

    Case, spaces, punctuation, possessives, agencies before the name and acronyms in brackets do not matter.
    """
    return _lexicon().find(name)


@cache
def list_platforms() -> tuple[Platform, ...]:
    """List the vocabulary."""
    rows = read_table("platforms").items()
    return tuple(_make_platform(name, row) for name, row in rows if isinstance(row, dict))


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
def _lexicon() -> Lexicon[Platform]:
    return Lexicon((platform, (platform.name, *platform.synonyms)) for platform in list_platforms())


def _make_platform(name: str, row: dict[str, Any]) -> Platform:
    carrier = row.get("carrier", Carrier.SATELLITE)
    return Platform(
        name=name,
        word=row.get("word", name),
        operator=row.get("operator"),
        sensors=tuple(row.get("sensors", ())),
        sensor=row.get("sensor"),
        carrier=None if carrier == "none" else Carrier(carrier),
        radar=row.get("radar", False),
        ordinary=row.get("ordinary", False),
        synonyms=tuple(row.get("synonyms", ())),
    )
