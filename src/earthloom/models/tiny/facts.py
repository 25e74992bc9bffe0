"""What is known of a picture besides its words, as numbers that a network can be told. Unknown is not zero."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.seeds import stable_hash

NAMES = ("modality", "scene", "label")
"""Facts that are names."""
MEASURES = ("gsd", "place", "month", "cloud_share")
"""Facts that are numbers."""
FACTS = (*NAMES, *MEASURES)
"""All facts, in the order of `Encoded.known`."""
NAME_ROWS = 2048
"""Rows of the table of names; each name is the sum of two of them, as words are."""
_WAVES = 4
"""Frequencies by which the logarithm of a ground sample distance is told."""
MEASURE_SIZES = (2 * _WAVES + 1, 6, 4, 1)
"""Numbers that each of `MEASURES` is told by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a picture is to show, or shows; None where it is not known."""

    modality: str | None = None
    """`rgb`, `nir` or `sar`."""
    scene: str | None = None
    """A synthetic effect, such as `fog`; `clear` for none."""
    label: str | None = None
    """The class of the whole picture, such as `sea lake`."""
    gsd_m: float | None = None
    """Ground sample distance, metres, more than 0."""
    lon: float | None = None
    lat: float | None = None
    """Degrees, WGS 84."""
    date: str | None = None
    """ISO 8601, as precise as known; the month is used where it is in it."""
    cloud_share: float | None = None
    """0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Facts as numbers; where one is not known its numbers are 0 and `known` says so."""

    names: npt.NDArray[np.int32]
    """3 x 2 rows of the table of names."""
    measures: npt.NDArray[np.float32]
    """The numbers of all `MEASURES`, one after the other."""
    known: npt.NDArray[np.bool_]
    """7, in the order of `FACTS`."""


def encode_facts(facts: Facts) -> Encoded:
    """Turn facts into numbers: names by hashes of them, so that any name can be told; numbers by smooth functions."""
    names = [_hash_name(field, getattr(facts, field)) for field in NAMES]
    measures = [
        _encode_gsd(facts.gsd_m),
        _encode_place(facts.lon, facts.lat),
        _encode_month(facts.date),
        None if facts.cloud_share is None else [2.0 * facts.cloud_share - 1.0],
    ]
    return Encoded(
        names=np.array([name or (0, 0) for name in names], np.int32),
        measures=np.concatenate(
            [
                np.array(given if given is not None else [0.0] * size, np.float32)
                for given, size in zip(measures, MEASURE_SIZES, strict=True)
            ]
        ),
        known=np.array([given is not None for given in (*names, *measures)], np.bool_),
    )


def find_month(date: str | None) -> int | None:
    """The month of an ISO date, 1 to 12; None where the date has none."""
    found = re.match(r"\d{4}-(\d{2})", date or "")
    month = int(found[1]) if found else 0
    return month if 1 <= month <= 12 else None


def plain_name(name: str) -> str:
    """A name as it is told, whether it was written `Sea_Lake` or `sea lake`."""
    return " ".join(re.split(r"[\s_-]+", name.strip().casefold()))


def _hash_name(field: str, name: str | None) -> tuple[int, int] | None:
    """Two rows of a table; the field is part of the name, for `clear` may be a scene and a class."""
    if name is None:
        return None
    plain = plain_name(name)
    return (
        stable_hash(0, "first", field, plain) % NAME_ROWS,
        stable_hash(0, "second", field, plain) % NAME_ROWS,
    )


def _encode_gsd(gsd_m: float | None) -> list[float] | None:
    """The logarithm by waves with periods of 2 to 16 octaves, and as it is: 1 cm to 10 km are 20 octaves."""
    if gsd_m is None:
        return None
    octaves = math.log2(gsd_m)
    angles = [2.0 * math.pi * octaves / 2.0 ** (wave + 1) for wave in range(_WAVES)]
    return [wave(angle) for angle in angles for wave in (math.sin, math.cos)] + [octaves / 10.0]


def _encode_place(lon: float | None, lat: float | None) -> list[float] | None:
    """Sines and cosines of longitude, latitude and twice the latitude; no jump at 180 degrees."""
    if lon is None or lat is None:
        return None
    angles = (math.radians(lon), math.radians(lat), math.radians(2.0 * lat))
    return [wave(angle) for angle in angles for wave in (math.sin, math.cos)]


def _encode_month(date: str | None) -> list[float] | None:
    """Sines and cosines of the year and the half-year; December lies beside January."""
    month = find_month(date)
    if month is None:
        return None
    angles = [2.0 * math.pi * (month - 0.5) / 12.0 * harmonic for harmonic in (1, 2)]
    return [wave(angle) for angle in angles for wave in (math.sin, math.cos)]
