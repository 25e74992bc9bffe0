"""What is known of one image, in the form in which checks look it up."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from earthloom.caption.checks.phrases import Phrases, index_phrases
from earthloom.caption.checks.sources import Sources, read_sources
from earthloom.caption.facts.statements import SIDES, Named, Objects, Statements, Zone
from earthloom.caption.language.lexicon import THEME_TALK, find_noun
from earthloom.core.records import Modality
from earthloom.geo.platforms import Carrier

_NAME_WORD = re.compile(r"[^\W\d_]+(?:[-'’]?[^\W_]+)*")
_WEATHER_TALK = {
    "fog": frozenset({"foggy"}),
    "snow": frozenset({"snowy", "snow-covered"}),
    "haze": frozenset({"hazy"}),
    "night": frozenset({"nighttime", "night-time"}),
    "cloud": frozenset({"clouds", "cloudy"}),
    "clouds": frozenset({"cloud", "cloudy"}),
    "rain": frozenset({"rainy"}),
    "smoke": frozenset({"smoky"}),
    "dust": frozenset({"dusty"}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Facts of one image by what they can back up."""

    said: Statements
    sees: bool
    """True where the author has the picture before them; see `compile_known`."""
    sources: Sources
    """Texts that came with the image; empty unless `sees`."""
    names: frozenset[str]
    """What may stand in a caption as the record spells it."""
    capitals: frozenset[str]
    """Words of those names."""
    words: frozenset[str]
    """Lower-case words about the ground that labels allow."""
    weather_words: frozenset[str]
    modality: Modality
    polarisation: str | None
    """Lower case."""
    carrier: Carrier | None
    is_synthetic: bool
    lengths_m: tuple[float, ...]
    pixels: tuple[float, ...]
    looks: tuple[float, ...]
    decibels: tuple[float, ...]
    levels: tuple[float, ...]
    """Of the picture's brightness, 0 to 1."""
    degrees: tuple[float, ...]
    """Angles of sun and view."""
    cloud: tuple[float, ...]
    """Share of the source image under cloud."""
    borders: tuple[float, ...]
    """Shares of the borders between covers."""
    year: int | None
    month: int | None
    day: int | None
    season: str | None
    zone: Zone | None
    position: tuple[float, float] | None
    """Longitude and latitude, degrees."""
    shares: tuple[float, ...]
    """Of the covers."""
    valid: tuple[float, ...]
    covers: Mapping[str, frozenset[float]]
    """Word to the shares of the covers that it can mean."""
    phrases: Phrases
    """What can mean labelled objects."""
    counts: Mapping[str, frozenset[int]]
    """Word to the numbers of objects that it can mean."""
    ratios: tuple[float, ...]
    """Larger over smaller, of all pairs of shares and of counts."""
    places: Mapping[str, frozenset[str]]
    """Word to the ninths in which the objects that it can mean have their centres, and the sides where most lie."""

    def find_counts(self, words: Iterable[str]) -> Collection[int]:
        """Find the numbers that belong to the first of some words that names objects; empty where none does."""
        return next((self.counts[word] for word in words if word in self.counts), frozenset())

    def find_shares(self, clause: Iterable[str]) -> Collection[float]:
        """Find the shares that a clause can speak of: of the one cover that it names, else of all."""
        meant = {self.covers[word] for word in clause if word in self.covers}
        return next(iter(meant)) if len(meant) == 1 else (*self.shares, *self.valid)

    def find_places(self, clause: Iterable[str]) -> Collection[str]:
        """Find where the objects lie that a clause can speak of: those that it names, else all."""
        meant = [self.places[word] for word in clause if word in self.places]
        return frozenset().union(*(meant or self.places.values()))


def compile_known(said: Statements, *, sees: bool = False, texts: Sequence[str] = ()) -> Known:
    """Put the statements about an image into the form that checks need.

    `sees` is True for authors who have the picture before them: what only eyes can tell is let pass, and names, dates
    and numbers that stand literally in one of `texts` (article, title, alternative text) count as backed.
    """
    acquired, position = said.acquired, said.position
    names = said.names
    return Known(
        said=said,
        sees=sees,
        sources=read_sources(texts) if sees else Sources(),
        names=frozenset(names),
        capitals=frozenset(
            word
            for name in (
                *names,
                *(find_noun(label.name).one for label in (*said.classes, *said.covers, *said.objects)),
            )
            for word in _NAME_WORD.findall(name)
        ),
        words=_allow_words(said),
        weather_words=_allow_weather(said),
        modality=said.signal.modality,
        polarisation=said.polarisation.name.lower() if said.polarisation is not None else None,
        carrier=said.platform.carrier if said.platform is not None else None,
        is_synthetic=said.synthetic is not None,
        lengths_m=_list_lengths(said),
        pixels=(said.frame.width, said.frame.height),
        looks=(said.looks.looks,) if said.looks is not None else (),
        decibels=_list_decibels(said),
        levels=_list_brightness(said, "level"),
        degrees=_list_degrees(said),
        cloud=(said.cloud_cover.share,) if said.cloud_cover is not None else (),
        borders=tuple(border.share for border in said.adjacent),
        year=acquired.year if acquired is not None else None,
        month=acquired.month if acquired is not None else None,
        day=acquired.day if acquired is not None else None,
        season=said.season.season.value if said.season is not None else None,
        zone=position.zone if position is not None else None,
        position=(position.lon, position.lat) if position is not None else None,
        shares=tuple(cover.share for cover in said.covers),
        valid=(said.validity.share,) if said.validity is not None else (),
        covers=_index_covers(said),
        phrases=index_phrases(said.objects),
        counts=_index_counts(said.objects),
        ratios=_list_ratios(said),
        places=_index_places(said.objects),
    )


def _allow_words(said: Statements) -> frozenset[str]:
    nouns = [find_noun(label.name) for label in (*said.classes, *said.covers, *said.objects)]
    talk = (THEME_TALK[noun.theme] for noun in nouns if noun.theme)
    return frozenset().union(*(noun.words for noun in nouns), *talk)


def _allow_weather(said: Statements) -> frozenset[str]:
    if said.weather is None:
        return frozenset()
    words = frozenset(_NAME_WORD.findall(f"{said.weather.effect} {said.weather.word}".lower()))
    return words.union(*(_WEATHER_TALK.get(word, frozenset()) for word in words))


def _list_lengths(said: Statements) -> tuple[float, ...]:
    lengths: list[float] = []
    if said.resolution is not None:
        lengths.append(said.resolution.gsd_m)
        if said.resolution.native_gsd_m is not None:
            lengths.append(said.resolution.native_gsd_m)
    if said.extent is not None:
        lengths += [said.extent.width_m, said.extent.height_m, said.extent.pixel_m]
    for group in said.objects:
        lengths += _summarise(group.lengths_m)
        if group.spacing_m is not None:
            lengths.append(group.spacing_m)
    return tuple(lengths)


def _summarise(values: Sequence[float]) -> tuple[float, ...]:
    """Shortest, median and longest: a caption names no other of many objects."""
    return (min(values), median(values), max(values)) if values else ()


def _list_decibels(said: Statements) -> tuple[float, ...]:
    display = (said.display.low_db, said.display.high_db) if said.display is not None else ()
    return (*display, *_list_brightness(said, "dB"))


def _list_brightness(said: Statements, unit: str) -> tuple[float, ...]:
    shown = said.brightness
    return (shown.low, shown.median, shown.high) if shown is not None and shown.unit == unit else ()


def _list_degrees(said: Statements) -> tuple[float, ...]:
    sun = (said.sun.elevation_deg,) if said.sun is not None else ()
    return (*sun, *((said.view.off_nadir_deg,) if said.view is not None else ()))


def _find_bound_words(label: Named) -> frozenset[str]:
    """The words by which a sentence can mean a label; a quoted name is read apart from its sentence."""
    noun = find_noun(label.name)
    return frozenset() if noun.quoted else noun.words


def _index_covers(said: Statements) -> dict[str, frozenset[float]]:
    """A word that several covers share stands for all of them."""
    index: dict[str, frozenset[float]] = {}
    for cover in said.covers:
        for word in _find_bound_words(cover):
            index[word] = index.get(word, frozenset()) | {cover.share}
    return index


def _index_counts(groups: tuple[Objects, ...]) -> dict[str, frozenset[int]]:
    index: dict[str, frozenset[int]] = {}
    for group in groups:
        for word in _find_bound_words(group):
            index[word] = index.get(word, frozenset()) | {group.count}
    if groups:
        total = sum(group.count for group in groups)
        every = frozenset({total, *(group.count for group in groups)})
        index |= dict.fromkeys(("object", "objects"), every)
    return index


def _index_places(groups: tuple[Objects, ...]) -> dict[str, frozenset[str]]:
    index: dict[str, frozenset[str]] = {}
    for group in groups:
        places = frozenset((*(cell.value for cell in group.cells), *_find_sides(group)))
        for word in ("object", "objects", *_find_bound_words(group)):
            index[word] = index.get(word, frozenset()) | places
    return index


def _list_ratios(said: Statements) -> tuple[float, ...]:
    shares = (cover.share for cover in said.covers)
    counts = (group.count for group in said.objects)
    return tuple(
        larger / smaller for values in (shares, counts) for larger, smaller in combinations(values, 2)
    )


def _find_sides(group: Objects) -> Iterable[str]:
    for side, cells in SIDES.items():
        if 2 * sum(cell in cells for cell in group.cells) > len(group.cells):
            yield side
