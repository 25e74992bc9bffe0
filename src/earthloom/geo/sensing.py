"""Platforms and sensors out of what people write: `Terra/MODIS`, `Landsat 8 OLI`, `MODIS on Terra`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from earthloom.geo.modalities import ModalityWord, find_modality
from earthloom.geo.platforms import Platform, find_platform
from earthloom.geo.sensors import Sensor, find_sensor_entry
from earthloom.geo.words import is_agency

_Found = Platform | Sensor | ModalityWord | str
"""An entry of a vocabulary, or what none has."""

_SEPARATOR = re.compile(
    r"[/,;|&]|(?<=\s)\+(?=\s)|(?<=\d)[-–](?=\d\b)"
    r"|\s(?:and|on\s+board|on|onboard|aboard|of|with|from|using|by)(?=\s)|['’]s(?=\s)",
    re.IGNORECASE,
)
_MAX_WORDS = 24
"""Our choice: no name is as long as that, and what is longer is prose."""
_SHORT = re.compile(r"(?:\d{1,2}[A-D]?|[A-D])(?!\w)", re.IGNORECASE)
"""What is left of a name in an enumeration: `Landsat 8/9`, `Sentinel-2A/B`."""
_LAST_PART = re.compile(r"(?:\d{1,2}[A-D]?|(?<=\d)[A-D])$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensing:
    """What imaged, in canonical words, each once and in the order of the text."""

    platforms: tuple[str, ...] = ()
    """Canonical names of platforms."""
    sensors: tuple[str, ...] = ()
    """Canonical names of sensors."""
    modalities: tuple[str, ...] = ()
    """Canonical words for kinds of measurement, which are often written where a sensor belongs: `Sentinel-1 SAR`."""
    unknown: tuple[str, ...] = ()
    """What no vocabulary has, verbatim."""


def read_sensing(texts: str | Iterable[str]) -> Sensing:
    """Take texts apart into platforms, sensors, modalities and the rest, which is kept verbatim.

    A part counts as known only if every word of it is: `Landsat 8 OLI` is a platform and a sensor, and
    `Aqua park` is unknown as a whole. Short parts of an enumeration take the name before them: `Landsat 8/9`.
    """
    found: list[_Found] = []
    for text in [texts] if isinstance(texts, str) else texts:
        found += _read_text(text)
    return Sensing(
        platforms=_list_once(entry.name for entry in found if isinstance(entry, Platform)),
        sensors=_list_once(entry.name for entry in found if isinstance(entry, Sensor)),
        modalities=_list_once(entry.name for entry in found if isinstance(entry, ModalityWord)),
        unknown=_list_once(entry for entry in found if isinstance(entry, str)),
    )


def _read_text(text: str) -> list[_Found]:
    """The whole where it names one thing, as `NASA/USGS Landsat 8` does, else its parts."""
    whole = _read_part(text)
    if whole is not None:
        return whole
    found: list[_Found] = []
    before = ""
    parts = [part.strip().strip("-–").strip() for part in _SEPARATOR.split(text)]
    for i, part in enumerate(parts):
        full = _complete(part, before)
        if not part or (is_agency(part) and i < len(parts) - 1):
            continue
        found += _read_part(full) or [part]
        before = full
    return found


def _complete(part: str, before: str) -> str:
    """`9` after `Landsat 8` is `Landsat 9`, and `B MSI` after `Sentinel-2A` is `Sentinel-2B MSI`."""
    short, last = _SHORT.match(part), _LAST_PART.search(before)
    if short is None or last is None or find_platform(before) is None:
        return part
    start = last.start() if part[0].isdigit() else last.end() - before[-1].isalpha()
    return before[:start] + part


def _read_part(part: str) -> list[_Found] | None:
    """All words of a part as names, the longest first; None where a word is left."""
    words = part.replace("_", " ").split()
    if not words:
        return []
    if len(words) > _MAX_WORDS:
        return None
    for n in range(len(words), 0, -1):
        known = _find(part if n == len(words) else " ".join(words[:n]))
        rest = _read_part(" ".join(words[n:])) if known is not None else None
        if known is not None and rest is not None:
            return [known, *rest]
    return None


def _find(name: str) -> Platform | Sensor | ModalityWord | None:
    return find_platform(name) or find_sensor_entry(name) or find_modality(name)


def _list_once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
