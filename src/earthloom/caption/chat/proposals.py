"""What a model says about an image for a catalogue: kept in canonical words, and only where no fact speaks against it.

GAIA's records showed what free text leads to: one satellite under four names (Terra, NASA Terra, NASA's Terra,
EOS-Terra). The vocabularies of `earthloom.geo` make them one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from earthloom.caption.chat.schema import UNKNOWN, Metadata
from earthloom.caption.checks import Known, judge
from earthloom.caption.facts.statements import Statements
from earthloom.core.records import Modality, Proposal
from earthloom.geo.countries import find_country
from earthloom.geo.levels import find_resolution_class, find_resolution_word
from earthloom.geo.modalities import find_modality
from earthloom.geo.platforms import find_platform
from earthloom.geo.platforms import find_sensor as find_only_sensor
from earthloom.geo.sensors import find_sensor_entry, name_sensor
from earthloom.geo.words import fold

_MAX_TAGS = 3
_MAX_TAG_WORDS = 4
_MAX_WORDS = 10
_MAX_LETTERS = 80
_NOTHING = frozenset(
    {"", UNKNOWN, "none", "na", "null", "notavailable", "notapplicable", "unspecified", "notgiven"}
)
"""Folded, as `earthloom.geo.words.fold` does."""
_MARKS = frozenset(" ,.'’()/&-–+")
_WORDS_OF: dict[Modality, frozenset[str]] = {
    Modality.RGB: frozenset(
        {"RGB", "optical", "visible", "multispectral", "aerial photograph", "photograph"}
    ),
    Modality.NIR: frozenset({"NIR", "infrared", "optical", "multispectral"}),
    Modality.SAR: frozenset({"SAR", "radar"}),
}
"""Kinds of measurement, by their canonical words, that pixels of a modality can come from."""


def list_proposals(metadata: Metadata, known: Known, author: str) -> tuple[Proposal, ...]:
    """Take from a model's metadata what is not unknown, short, and in contradiction to no fact; tags each once.

    A platform or a sensor must be one of the vocabulary, or stand in a text that came with the image.
    """
    said = known.said
    found = {
        "location": _find_location(metadata.location, said),
        "modality": _find_modality(metadata.modality, said),
        "platform": _find_platform(metadata.platform, known),
        "sensor": _find_sensor(metadata.sensor, known),
        "resolution": _find_resolution(metadata.resolution, said),
    }
    pairs = [("tag", tag) for tag in _find_tags(metadata.tags, known)]
    pairs += [(fact, value) for fact, value in found.items() if value is not None]
    return tuple(Proposal(fact=fact, value=value, author=author) for fact, value in pairs)


def _clean(value: str, max_words: int = _MAX_WORDS) -> str | None:
    """A value as a catalogue can hold it; None for `unknown`, other scripts, several lines, whole sentences."""
    if len(value) > _MAX_LETTERS or not value.isprintable():
        return None
    value = " ".join(value.split()).rstrip(".")
    is_short = value.count(" ") < max_words
    is_plain = all(letter.isdecimal() or letter in _MARKS or _is_latin(letter) for letter in value)
    says = is_short and is_plain and fold(value) not in _NOTHING and not fold(value).startswith(UNKNOWN)
    return value if says else None


def _is_latin(letter: str) -> bool:
    return letter.isalpha() and (letter.isascii() or unicodedata.name(letter, "").startswith("LATIN"))


def _find_tags(tags: Iterable[str], known: Known) -> list[str]:
    """The first three that nothing known speaks against, lower case."""
    cleaned = (tag.lower() for text in tags if (tag := _clean(text, _MAX_TAG_WORDS)) is not None)
    kept: Iterator[str] = (tag for tag in dict.fromkeys(cleaned) if _stands(tag, known))
    return [tag for tag, _ in zip(kept, range(_MAX_TAGS), strict=False)]


def _stands(tag: str, known: Known) -> bool:
    return not judge(tag, known, min_words=1, max_words=_MAX_TAG_WORDS).faults


def _find_location(value: str, said: Statements) -> str | None:
    location = _clean(value)
    if location is None or said.synthetic is not None:
        return None
    parts = [part.strip() for part in location.split(",")]
    countries = [country.name for part in parts if (country := find_country(part)) is not None]
    if said.country is not None and countries and countries[-1] != said.country.name:
        return None
    return location if said.place is None or _shares_word(location, said.place.name) else None


def _shares_word(text: str, other: str) -> bool:
    words, others = ({fold(word) for word in name.split() if len(fold(word)) > 2} for name in (text, other))
    return bool(words & others)


def _find_modality(value: str, said: Statements) -> str | None:
    word = _clean(value)
    entry = find_modality(word) if word is not None else None
    return entry.name if entry is not None and entry.name in _WORDS_OF[said.signal.modality] else None


def _find_platform(value: str, known: Known) -> str | None:
    fact = known.said.platform
    name = _clean(value)
    named = find_platform(name) if name is not None else None
    canonical = named.name if named is not None else _find_in_texts(name, known)
    return _agree(canonical, fact.name if fact is not None else None, known)


def _find_sensor(value: str, known: Known) -> str | None:
    said = known.said
    fact = said.sensor.name if said.sensor is not None else None
    if fact is None and said.platform is not None:
        fact = find_only_sensor(said.platform.name)
    name = _clean(value)
    named = find_sensor_entry(name) if name is not None else None
    canonical = named.name if named is not None else _find_in_texts(name, known)
    return _agree(canonical, name_sensor(fact) if fact is not None else None, known)


def _find_in_texts(name: str | None, known: Known) -> str | None:
    return name if name is not None and known.sources.has(name) else None


def _agree(value: str | None, fact: str | None, known: Known) -> str | None:
    """A name, unless another is known; a synthetic landscape was taken by nothing."""
    if value is None or known.is_synthetic:
        return None
    return value if fact is None or fold(value) == fold(fact) else None


def _find_resolution(value: str, said: Statements) -> str | None:
    word = find_resolution_word(value) if _clean(value) is not None else None
    if word is None or (said.resolution is not None and word != find_resolution_class(said.resolution.gsd_m)):
        return None
    return word.value
