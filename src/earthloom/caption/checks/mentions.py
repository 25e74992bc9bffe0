"""Platforms and sensors that a text names, found by the vocabulary of `earthloom.geo` and held against the facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from earthloom.caption.checks.known import Known
from earthloom.caption.checks.reading import TOKEN, Reading
from earthloom.caption.language.english import list_words
from earthloom.geo.platforms import Platform, find_platform, list_platforms
from earthloom.geo.sensors import Sensor, find_sensor_entry, list_sensors

_NO_MENTION = frozenset({"Aircraft", "UAV"})
"""Kinds of carrier, which are checked as such."""
_AMBIGUOUS = list_words("GIS IRS OPS LI ATLAS EPIC TM EMIT CHRIS VEGETATION PRISM AIRS GRACE PACE") | {
    "Optical Sensor",
    "Infrared System",
    "X-band SAR",
    "X-band Synthetic Aperture Radar",
    "Remote Sensing Instrument",
    "Shuttle",
    "Plankton, Aerosol, Cloud, ocean Ecosystem",
}
"""Names that captions use in another sense."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A platform or sensor that a text names."""

    start: int
    stop: int
    """Indices of its tokens."""
    entry: Platform | Sensor


@dataclass(frozen=True, slots=True)
class _Spelling:
    tokens: tuple[str, ...]
    lower: tuple[str, ...]
    entry: Platform | Sensor
    is_exact: bool
    """True where another case would be another word."""


def find_mentions(reading: Reading) -> Iterator[Mention]:
    """Give the platforms and sensors that a text names, longest spelling first, from left to right."""
    spellings, i = _list_spellings(), 0
    if spellings.keys().isdisjoint(reading.lower):
        return
    while i < len(reading.lower):
        found = next((s for s in spellings.get(reading.lower[i], ()) if _stands(s, reading, i)), None)
        if found is None:
            i += 1
        else:
            yield Mention(i, i + len(found.tokens), found.entry)
            i += len(found.tokens)


def is_backed(mention: Mention, reading: Reading) -> bool:
    """Tell whether the facts allow a mention; where they name none of its kind, a text may."""
    known = reading.known
    words = " ".join(reading.tokens[mention.start : mention.stop])
    if isinstance(mention.entry, Sensor):
        return _is_sensor(mention.entry, known, words)
    return _is_platform(mention.entry, known, words)


def _is_platform(named: Platform, known: Known, words: str) -> bool:
    said = known.said.platform
    if said is None:
        return known.sources.has(words) and not known.is_synthetic
    if said.name == named.name or said.name.startswith(f"{named.name} "):
        return True
    if named.carrier is not None and said.carrier is None:
        return known.sources.has(words)
    return named.name.startswith(f"{said.name} ") and known.sources.has(words)


def _is_sensor(named: Sensor, known: Known, words: str) -> bool:
    said = known.said.sensor
    entry = find_sensor_entry(said.name) if said is not None else None
    if entry is not None:
        return entry.name == named.name
    platform = find_platform(known.said.platform.name) if known.said.platform is not None else None
    if platform is not None and platform.sensors:
        return named.name in platform.sensors
    return known.sources.has(words) and not known.is_synthetic


def _stands(spelling: _Spelling, reading: Reading, i: int) -> bool:
    stop = i + len(spelling.tokens)
    if spelling.is_exact:
        return tuple(reading.tokens[i:stop]) == spelling.tokens and not (
            len(spelling.tokens) == 1 and reading.is_first(i) and not spelling.tokens[0].isupper()
        )
    return tuple(reading.lower[i:stop]) == spelling.lower


@cache
def _list_spellings() -> dict[str, tuple[_Spelling, ...]]:
    """By their first token, longest first."""
    index: dict[str, list[_Spelling]] = {}
    for spelling in (*_spell_platforms(), *_spell_sensors()):
        index.setdefault(spelling.lower[0], []).append(spelling)
    return {first: tuple(sorted(found, key=lambda s: -len(s.tokens))) for first, found in index.items()}


def _spell_platforms() -> Iterator[_Spelling]:
    for platform in list_platforms():
        if platform.name not in _NO_MENTION:
            names = (platform.name, platform.word, *platform.synonyms)
            yield from _spell(names, platform, is_ordinary=platform.ordinary)


def _spell_sensors() -> Iterator[_Spelling]:
    for sensor in list_sensors():
        names = (sensor.name, sensor.full_name or sensor.name, *sensor.synonyms)
        yield from _spell(names, sensor, is_ordinary=True)


def _spell(names: Iterable[str], entry: Platform | Sensor, *, is_ordinary: bool) -> Iterator[_Spelling]:
    for name in dict.fromkeys((*names, *(_vary(names)))):
        tokens = tuple(TOKEN.findall(name))
        if tokens and name not in _AMBIGUOUS:
            yield _Spelling(tokens, tuple(t.lower() for t in tokens), entry, is_ordinary or len(name) < 4)


def _vary(names: Iterable[str]) -> Iterator[str]:
    """Spell `Landsat 8` as `Landsat-8` and `Sentinel-2` as `Sentinel 2`, as writers do."""
    for name in names:
        first, _, number = name.partition(" ")
        if number[:1].isdecimal():
            yield f"{first}-{number}"
            yield f"{first}{number}"
        first, _, number = name.partition("-")
        if number[:1].isdecimal() and len(first) > 2:
            yield f"{first} {number}"
