"""All vocabularies behind one door: canonical words by kind, and what no vocabulary has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from earthloom.geo.bands import find_band
from earthloom.geo.levels import find_level_word, find_resolution_word
from earthloom.geo.modalities import find_modality
from earthloom.geo.platforms import find_platform
from earthloom.geo.sensors import find_sensor_entry


class WordKind(StrEnum):
    """What a word names."""

    PLATFORM = "platform"
    SENSOR = "sensor"
    MODALITY = "modality"
    BAND = "band"
    LEVEL = "level"
    """MMM-RS's words for ground sample distance."""
    RESOLUTION = "resolution"
    """GAIA's words for it."""


def name_word(kind: WordKind, word: str) -> str:
    """Give the canonical spelling; the word verbatim when the vocabulary lacks it."""
    found = _NAMES[kind](word)
    return word if found is None else found


def unknown_words(kind: WordKind, words: Iterable[str]) -> tuple[str, ...]:
    """List the words that a vocabulary lacks, verbatim, each once, in the order given."""
    return tuple(dict.fromkeys(word for word in words if _NAMES[kind](word) is None))


def _name_platform(word: str) -> str | None:
    found = find_platform(word)
    return None if found is None else found.name


def _name_sensor(word: str) -> str | None:
    found = find_sensor_entry(word)
    return None if found is None else found.name


def _name_modality(word: str) -> str | None:
    found = find_modality(word)
    return None if found is None else found.name


def _name_band(word: str) -> str | None:
    found = find_band(word)
    return None if found is None else found.name


_NAMES: dict[WordKind, Callable[[str], str | None]] = {
    WordKind.PLATFORM: _name_platform,
    WordKind.SENSOR: _name_sensor,
    WordKind.MODALITY: _name_modality,
    WordKind.BAND: _name_band,
    WordKind.LEVEL: find_level_word,
    WordKind.RESOLUTION: find_resolution_word,
}
