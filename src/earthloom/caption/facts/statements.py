"""Statements: the typed things that a caption may say, each with the origin of the fact behind it.

A statement exists only where the fact is known. `earthloom.caption.facts.gathering` makes them from records; authors
turn them into words; `earthloom.caption.checks` holds every word against them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from earthloom.core.records import Box, Modality
from earthloom.geo.levels import GsdLevel
from earthloom.geo.platforms import Carrier


class Zone(StrEnum):
    """A belt of latitude, bounded by the tropics (23.44 degrees) and the polar circles (66.56 degrees)."""

    ARCTIC = "arctic"
    NORTH = "north"
    """From the northern tropic to the Arctic Circle."""
    TROPICS = "tropics"
    SOUTH = "south"
    ANTARCTIC = "antarctic"


class Season(StrEnum):
    """Meteorological season, three whole months, outside the tropics."""

    WINTER = "winter"
    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN = "autumn"


class Cell(StrEnum):
    """A ninth of the frame, in reading order."""

    UPPER_LEFT = "upper left"
    ABOVE_CENTRE = "above the centre"
    UPPER_RIGHT = "upper right"
    LEFT_OF_CENTRE = "left of the centre"
    CENTRE = "centre"
    RIGHT_OF_CENTRE = "right of the centre"
    LOWER_LEFT = "lower left"
    BELOW_CENTRE = "below the centre"
    LOWER_RIGHT = "lower right"


_UPPER = frozenset({Cell.UPPER_LEFT, Cell.ABOVE_CENTRE, Cell.UPPER_RIGHT})
_LOWER = frozenset({Cell.LOWER_LEFT, Cell.BELOW_CENTRE, Cell.LOWER_RIGHT})
_LEFT = frozenset({Cell.UPPER_LEFT, Cell.LEFT_OF_CENTRE, Cell.LOWER_LEFT})
_RIGHT = frozenset({Cell.UPPER_RIGHT, Cell.RIGHT_OF_CENTRE, Cell.LOWER_RIGHT})
SIDES = {"upper": _UPPER, "lower": _LOWER, "left": _LEFT, "right": _RIGHT}
"""Thirds of the frame along its sides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """Something known about an image."""

    origin: str
    """As in `core.records.Provenance.origin`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Named(Statement):
    """A statement with a name that captions repeat as the record spells it."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Signal(Statement):
    """What kind of measurement the pixels are."""

    modality: Modality


@dataclass(frozen=True, kw_only=True, slots=True)
class Polarisation(Statement):
    """Transmitted and received polarisation of a radar."""

    name: str
    """`VV`, `VH`, `HH` or `HV`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks(Statement):
    """Equivalent number of looks of a radar image."""

    looks: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Display(Statement):
    """The backscatter that black and white stand for."""

    low_db: float
    high_db: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedBy(Named):
    """The platform, by its canonical spelling."""

    word: str
    """What an MMM-RS prompt calls it."""
    carrier: Carrier | None
    """Satellite or aircraft; None where the vocabulary does not say."""
    radar: bool
    """True where the platform carries imaging radar and nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensor(Named):
    """The instrument."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection(Statement):
    """The title of the collection that the image belongs to."""

    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution(Statement):
    """How much ground a sample stands for."""

    gsd_m: float
    """Effective ground sample distance, metres."""
    native_gsd_m: float | None
    """That of the source, metres, where it is finer than `gsd_m`."""
    level: GsdLevel


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame(Statement):
    """The size of the picture."""

    width: int
    height: int
    """Pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent(Statement):
    """The ground that the frame spans."""

    width_m: float
    height_m: float
    pixel_m: float
    """Ground distance between neighbouring pixels of the picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Validity(Statement):
    """A part of the frame holds no data."""

    share: float
    """Share of the pixels that do, 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquired(Statement):
    """The date, as precise as known."""

    year: int
    month: int | None
    day: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class InSeason(Statement):
    """The season at the image's latitude on its date."""

    season: Season


@dataclass(frozen=True, kw_only=True, slots=True)
class Place(Named):
    """The name of the place, as the source gives it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Position(Statement):
    """The centre, degrees, WGS 84."""

    lon: float
    lat: float
    zone: Zone


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneClass(Named):
    """A class of the scene."""

    is_whole: bool
    """True where the tile shows all of the scene but a rim; the class of a scene need not hold for its parts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cover(Named):
    """A land cover and the share of the valid pixels that it takes."""

    share: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Objects(Named):
    """All labelled objects of one kind."""

    boxes: tuple[Box | None, ...]
    """Pixels of the frame; None for an object that is known to be there, but not where."""
    cells: tuple[Cell, ...]
    """Where the centres of the boxes lie, box by box; empty unless all are known."""
    lengths_m: tuple[float, ...] = ()
    """Longer sides of the boxes in metres, box by box (of the oriented boxes where there are any); empty unless all
    are known, and without those that the frame may cut."""
    spacing_m: float | None = None
    """Median distance from the centre of a box to the next one of its kind, metres; None under three boxes."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.boxes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Weather(Statement):
    """Weather or light: a synthetic change, or what the source says of the day."""

    effect: str
    """Name of the effect in plain words."""
    word: str
    """What an MMM-RS prompt calls it."""
    severity: str
    """`light`, `moderate` or `heavy`, as measured in the picture; empty where it was not."""
    is_simulated: bool = True
    """False for what the source says: natural, or painted in by others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Adjacent(Statement):
    """Two land covers that touch."""

    first: str
    second: str
    share: float
    """Share of all borders between covers that runs between these two, over 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Brightness(Statement):
    """How bright the picture is."""

    low: float
    median: float
    high: float
    """5th, 50th and 95th percentile of its valid pixels, in `unit`."""
    unit: str
    """As in `core.records.Appearance.unit`: `dB` or `level`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Country(Named):
    """The country, by its usual English name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sun(Statement):
    """Where the sun stood."""

    elevation_deg: float
    """Degrees above the horizon, -90 to 90."""


@dataclass(frozen=True, kw_only=True, slots=True)
class View(Statement):
    """How far from straight down the sensor looked."""

    off_nadir_deg: float
    """Degrees, 0 to 90."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudCover(Statement):
    """How much of the whole source image was under cloud, which the tile need not show."""

    share: float
    """0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Synthetic(Statement):
    """The landscape exists nowhere."""


@dataclass(frozen=True, kw_only=True)
class Statements:
    """All that is known about one image. Iterating gives every statement."""

    signal: Signal
    frame: Frame
    synthetic: Synthetic | None = None
    polarisation: Polarisation | None = None
    looks: Looks | None = None
    display: Display | None = None
    platform: CarriedBy | None = None
    sensor: Sensor | None = None
    collection: Collection | None = None
    resolution: Resolution | None = None
    extent: Extent | None = None
    validity: Validity | None = None
    acquired: Acquired | None = None
    season: InSeason | None = None
    place: Place | None = None
    position: Position | None = None
    country: Country | None = None
    sun: Sun | None = None
    view: View | None = None
    cloud_cover: CloudCover | None = None
    weather: Weather | None = None
    brightness: Brightness | None = None
    classes: tuple[SceneClass, ...] = ()
    """In the order of the record."""
    covers: tuple[Cover, ...] = ()
    """Largest share first."""
    adjacent: tuple[Adjacent, ...] = ()
    """Longest border first."""
    objects: tuple[Objects, ...] = ()
    """Most numerous first."""

    def __iter__(self) -> Iterator[Statement]:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                yield from value
            elif value is not None:
                yield value

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name that a caption may repeat as the record spells it."""
        single: tuple[Named | None, ...] = (self.platform, self.sensor, self.place, self.country)
        labels: tuple[Named, ...] = (*self.classes, *self.covers, *self.objects)
        names = [statement.name for statement in (*single, *labels) if statement is not None]
        if self.platform is not None:
            names.append(self.platform.word)
        if self.collection is not None:
            names.append(self.collection.title)
        if self.weather is not None:
            names.append(self.weather.effect)
        return tuple(names)
