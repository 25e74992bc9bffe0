"""Spectral bands: common names with their wavelengths, and what a sensor's numbered bands are.

The rows and where they come from stand in `tables/bands.toml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from earthloom.geo.platforms import find_platform, name_platform
from earthloom.geo.sensors import name_sensor
from earthloom.geo.words import Lexicon, read_table

_NUMBER = re.compile(r"(?:.*[\s_-])?(?:b(?:and)?[\s_-]?)?0*(\d{1,2}a?)", re.IGNORECASE)
"""`B04`, `B8A`, `Band 4`, `SR_B4`, `OLI_B4`, `4`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """A part of the spectrum that many sensors share."""

    name: str
    """Common name of STAC's Electro-Optical extension."""
    min_um: float
    """Shortest wavelength, micrometres."""
    max_um: float
    """Longest wavelength, micrometres."""
    synonyms: tuple[str, ...] = ()
    """Other spellings, beyond what folding makes alike."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbering:
    """What the bands of some sensors are, by number."""

    sensors: tuple[str, ...]
    """Canonical names; empty where the data names its platform only."""
    platforms: tuple[str, ...]
    """Where the sensor counts so; empty for all platforms that carry it."""
    bands: dict[str, str]
    """From the number without leading zeros, `4` or `8A`, to the common name."""


def find_band(word: str) -> Band | None:
    """Look a band up by common name or synonym, whatever the sensor: `swir16`, `SWIR 1`."""
    return _lexicon().find(word)


def name_band(word: str) -> str:
    """Give the common name; the word as it is when the vocabulary lacks it."""
    band = find_band(word)
    return word if band is None else band.name


def find_numbered_band(word: str, *, platform: str | None = None, sensor: str | None = None) -> Band | None:
    """Find what a numbered band of a sensor is: `B04` of MSI is red, `B4` of TM near infrared.

    Platform and sensor are taken by any spelling; either will do. None where the number is not in the table, and
    where what is said leaves two answers: `B3` of Landsat 5 is red for TM and near infrared for MSS.
    """
    number = _NUMBER.fullmatch(word.strip())
    if number is None:
        return None
    answers = {
        numbering.bands[number[1].upper()]
        for numbering in list_numberings()
        if number[1].upper() in numbering.bands and _fits(numbering, platform, sensor)
    }
    return find_band(answers.pop()) if len(answers) == 1 else None


@cache
def list_bands() -> tuple[Band, ...]:
    """List the common names, by wavelength as in STAC's table."""
    return tuple(_make_band(name, row) for name, row in read_table("bands")["bands"].items())


@cache
def list_numberings() -> tuple[Numbering, ...]:
    """List what numbers mean, sensor by sensor."""
    return tuple(
        Numbering(
            sensors=tuple(row.get("sensors", ())),
            platforms=tuple(row.get("platforms", ())),
            bands=row["bands"],
        )
        for row in read_table("bands")["numbered"]
    )


def _fits(numbering: Numbering, platform: str | None, sensor: str | None) -> bool:
    """Whether nothing that is said speaks against a numbering, and something speaks for it."""
    if sensor is not None and name_sensor(sensor) not in numbering.sensors:
        return False
    if platform is None:
        return sensor is not None
    if numbering.platforms:
        return name_platform(platform) in numbering.platforms
    known = find_platform(platform)
    return known is not None and bool(set(known.sensors) & set(numbering.sensors))


@cache
def _lexicon() -> Lexicon[Band]:
    return Lexicon((band, (band.name, *band.synonyms)) for band in list_bands())


def _make_band(name: str, row: dict[str, Any]) -> Band:
    min_um, max_um = row["range_um"]
    return Band(name=name, min_um=min_um, max_um=max_um, synonyms=tuple(row.get("synonyms", ())))
