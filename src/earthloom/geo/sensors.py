"""Sensors: the acronym as canonical spelling, the full name, and what they measure.

The rows and where they come from stand in `tables/sensors.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from earthloom.geo.words import Lexicon, read_table


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensor:
    """An instrument, or several of the same make."""

    name: str
    """Canonical spelling: the acronym that its data carries."""
    full_name: str | None = None
    """The name written out; None where the short one is all there is, or we do not know it."""
    modality: str | None = None
    """A canonical word of `geo/modalities.py`; None where one word would not be true."""
    synonyms: tuple[str, ...] = ()
    """Other spellings, beyond what folding makes alike."""


def find_sensor_entry(name: str) -> Sensor | None:
    """Look a sensor up by acronym, full name or synonym; brackets, case and punctuation do not matter."""
    return _lexicon().find(name)


@cache
def list_sensors() -> tuple[Sensor, ...]:
    """List the vocabulary."""
    return tuple(
        Sensor(
            name=name,
            full_name=row.get("full"),
            modality=row.get("modality"),
            synonyms=tuple(row.get("synonyms", ())),
        )
        for name, row in read_table("sensors").items()
        if isinstance(row, dict)
    )


def name_sensor(name: str) -> str:
    """Give a sensor's canonical spelling; the name as it is when the vocabulary lacks it."""
    sensor = find_sensor_entry(name)
    return name if sensor is None else sensor.name


@cache
def _lexicon() -> Lexicon[Sensor]:
    return Lexicon(
        (sensor, (sensor.name, *([sensor.full_name] if sensor.full_name else []), *sensor.synonyms))
        for sensor in list_sensors()
    )
