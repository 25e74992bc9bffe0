"""Colours: reflectance in red, green, blue and near infrared (0 to 1) of what covers the ground, by climate.

Values follow the shapes of published spectra (USGS and ECOSTRESS spectral libraries): chlorophyll absorbs red and
blue and leaves reflect near infrared, dry matter and soil rise from blue to infrared, water absorbs infrared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earthloom.ingest.atlas.frame import Raster
from earthloom.ingest.atlas.site import Climate, Site

Colour = tuple[float, float, float, float]

ASPHALT: Colour = (0.130, 0.124, 0.116, 0.150)
CONCRETE: Colour = (0.27, 0.262, 0.245, 0.30)
FOAM: Colour = (0.62, 0.64, 0.65, 0.45)
SNOW: Colour = (0.80, 0.82, 0.85, 0.72)
WET_SAND: Colour = (0.17, 0.145, 0.11, 0.21)
FOREST_FLOOR: Colour = (0.05, 0.055, 0.035, 0.22)

_GREEN: Colour = (0.062, 0.098, 0.045, 0.40)


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    """One landscape's colours."""

    soil: Colour
    soil_pale: Colour
    grass: Colour
    grass_dry: Colour
    shrub: Colour
    leaf: Colour
    needle: Colour
    rock: Colour
    sand: Colour
    marsh: Colour
    track: Colour
    roofs: tuple[Colour, ...]
    deep: Colour
    """Of water too deep to see the ground."""
    clarity: float
    """1 clear, 0 muddy."""
    dryness: float
    """0 all grass is green, 1 all is dry."""


_SOIL = {
    Climate.TEMPERATE: ((0.125, 0.098, 0.072, 0.19), (0.225, 0.185, 0.140, 0.31)),
    Climate.BOREAL: ((0.095, 0.080, 0.064, 0.15), (0.19, 0.165, 0.135, 0.26)),
    Climate.MEDITERRANEAN: ((0.205, 0.140, 0.093, 0.28), (0.33, 0.268, 0.198, 0.41)),
    Climate.STEPPE: ((0.175, 0.140, 0.105, 0.25), (0.30, 0.25, 0.190, 0.38)),
    Climate.ARID: ((0.245, 0.172, 0.113, 0.33), (0.35, 0.268, 0.185, 0.44)),
    Climate.SAVANNA: ((0.195, 0.112, 0.070, 0.27), (0.29, 0.195, 0.130, 0.36)),
    Climate.TROPICAL: ((0.165, 0.105, 0.068, 0.24), (0.25, 0.182, 0.125, 0.33)),
}
_DRY_GRASS = {
    Climate.TEMPERATE: (0.175, 0.158, 0.092, 0.31),
    Climate.BOREAL: (0.150, 0.140, 0.085, 0.28),
    Climate.MEDITERRANEAN: (0.245, 0.205, 0.125, 0.35),
    Climate.STEPPE: (0.215, 0.188, 0.122, 0.33),
    Climate.ARID: (0.26, 0.215, 0.145, 0.36),
    Climate.SAVANNA: (0.200, 0.160, 0.092, 0.31),
    Climate.TROPICAL: (0.150, 0.148, 0.080, 0.33),
}
_LEAF = {
    Climate.TEMPERATE: ((0.045, 0.064, 0.022, 0.42), (0.029, 0.041, 0.021, 0.27)),
    Climate.BOREAL: ((0.047, 0.066, 0.024, 0.38), (0.028, 0.039, 0.021, 0.24)),
    Climate.MEDITERRANEAN: ((0.052, 0.061, 0.031, 0.31), (0.037, 0.048, 0.026, 0.27)),
    Climate.STEPPE: ((0.050, 0.064, 0.032, 0.33), (0.036, 0.049, 0.028, 0.26)),
    Climate.ARID: ((0.062, 0.076, 0.049, 0.30), (0.048, 0.063, 0.042, 0.27)),
    Climate.SAVANNA: ((0.047, 0.064, 0.028, 0.34), (0.039, 0.055, 0.027, 0.31)),
    Climate.TROPICAL: ((0.036, 0.061, 0.021, 0.43), (0.028, 0.049, 0.020, 0.37)),
}
_ROCK = {
    Climate.TEMPERATE: (0.160, 0.152, 0.138, 0.20),
    Climate.BOREAL: (0.175, 0.168, 0.160, 0.21),
    Climate.MEDITERRANEAN: (0.245, 0.222, 0.190, 0.31),
    Climate.STEPPE: (0.235, 0.200, 0.165, 0.29),
    Climate.ARID: (0.235, 0.178, 0.132, 0.30),
    Climate.SAVANNA: (0.200, 0.155, 0.120, 0.26),
    Climate.TROPICAL: (0.150, 0.135, 0.115, 0.21),
}
_CLEAR = dict.fromkeys(Climate, (0.011, 0.024, 0.034, 0.005)) | {Climate.BOREAL: (0.010, 0.016, 0.017, 0.005)}
_MURKY = dict.fromkeys(Climate, (0.062, 0.070, 0.042, 0.022)) | {
    Climate.BOREAL: (0.022, 0.024, 0.016, 0.010),
    Climate.SAVANNA: (0.105, 0.088, 0.055, 0.035),
    Climate.TROPICAL: (0.098, 0.085, 0.054, 0.033),
    Climate.ARID: (0.070, 0.082, 0.056, 0.022),
}
"""Deep water, clear or laden with silt."""
_TILE, _TILE_OLD = (0.265, 0.135, 0.092, 0.36), (0.205, 0.122, 0.094, 0.29)
_SLATE, _BROWN = (0.120, 0.122, 0.128, 0.155), (0.155, 0.128, 0.108, 0.22)
_METAL, _WHITE = (0.33, 0.335, 0.335, 0.36), (0.56, 0.55, 0.53, 0.58)
_FLAT, _MUD = (0.215, 0.208, 0.198, 0.25), (0.31, 0.245, 0.180, 0.40)
_RUST, _THATCH = (0.185, 0.125, 0.100, 0.26), (0.195, 0.165, 0.120, 0.30)
_ROOFS = {
    Climate.TEMPERATE: (
        (_TILE, _TILE_OLD, _BROWN, _TILE_OLD, _SLATE),
        (_SLATE, _BROWN, _FLAT, _SLATE, _BROWN),
    ),
    Climate.BOREAL: ((_SLATE, _BROWN, _RUST, _METAL, _SLATE),),
    Climate.MEDITERRANEAN: (
        (_TILE, _TILE, _TILE_OLD, _WHITE, _TILE_OLD),
        (_WHITE, _WHITE, _FLAT, _TILE, _MUD),
    ),
    Climate.STEPPE: ((_BROWN, _METAL, _SLATE, _FLAT, _RUST),),
    Climate.ARID: ((_MUD, _MUD, _WHITE, _FLAT, _MUD),),
    Climate.SAVANNA: ((_METAL, _RUST, _THATCH, _METAL, _MUD),),
    Climate.TROPICAL: ((_RUST, _METAL, _TILE_OLD, _RUST, _FLAT), (_TILE, _TILE_OLD, _TILE, _METAL, _RUST)),
}


def draw_palette(rng: np.random.Generator, site: Site) -> Palette:
    """The climate's colours, turned by season and varied between landscapes."""
    climate = site.climate
    soil, pale = _SOIL[climate]
    leaf, needle = _LEAF[climate]
    dryness = _dryness(site, float(rng.uniform(-0.12, 0.12)))
    warm = float(rng.normal(0.06 if climate is Climate.ARID else 0.0, 0.07))
    clarity = float(np.clip(rng.beta(2, 2) - 0.12 * (climate is Climate.TROPICAL), 0.03, 0.97))
    faded = max(0.0, site.autumn - 0.45) if climate in (Climate.TEMPERATE, Climate.BOREAL) else 0.0
    roofs = _ROOFS[climate]
    return Palette(
        soil=_warm(soil, warm, float(rng.uniform(0.85, 1.15))),
        soil_pale=_warm(pale, warm, float(rng.uniform(0.9, 1.1))),
        grass=_warm(_GREEN, warm / 2, float(rng.uniform(0.92, 1.1))),
        grass_dry=_warm(_DRY_GRASS[climate], warm, float(rng.uniform(0.9, 1.08))),
        shrub=blend_colours((0.072, 0.086, 0.052, 0.30), _DRY_GRASS[climate], 0.45 * dryness),
        leaf=blend_colours(_warm(leaf, warm / 2, 1.0), (0.115, 0.088, 0.038, 0.37), faded),
        needle=needle,
        rock=_warm(_ROCK[climate], 1.4 * warm, float(rng.uniform(0.85, 1.15))),
        sand=_draw_sand(rng, climate, warm),
        marsh=blend_colours((0.058, 0.078, 0.040, 0.30), _DRY_GRASS[climate], 0.5 * dryness),
        track=_warm(blend_colours(pale, (0.33, 0.28, 0.22, 0.41), 0.5), warm, 1.0),
        roofs=roofs[int(rng.integers(len(roofs)))],
        deep=blend_colours(_MURKY[climate], _CLEAR[climate], clarity),
        clarity=clarity,
        dryness=dryness,
    )


def _dryness(site: Site, jitter: float) -> float:
    """How much of the grass is dry: by season where rain is seasonal, always where it is rare."""
    cold = 1 - site.season
    by_climate = {
        Climate.TEMPERATE: 0.12 + 0.4 * cold + 0.1 * site.autumn,
        Climate.BOREAL: 0.2 + 0.5 * cold,
        Climate.MEDITERRANEAN: 0.25 + 0.6 * site.season,
        Climate.STEPPE: 0.62 + 0.2 * site.autumn,
        Climate.ARID: 0.9,
        Climate.SAVANNA: 0.25 + 0.55 * cold,
        Climate.TROPICAL: 0.08 + 0.2 * cold,
    }
    return min(1.0, max(0.0, by_climate[site.climate] + jitter))


def _draw_sand(rng: np.random.Generator, climate: Climate, warm: float) -> Colour:
    red: Colour = (0.40, 0.235, 0.135, 0.47)
    pale: Colour = (0.40, 0.35, 0.265, 0.49)
    share = (
        float(rng.uniform(0, 1)) if climate in (Climate.ARID, Climate.STEPPE) else float(rng.uniform(0, 0.25))
    )
    return _warm(blend_colours(pale, red, share), warm, 1.0)


def blend_colours(a: Colour, b: Colour, share: float) -> Colour:
    """`a` where share is 0, `b` where it is 1."""
    t = min(1.0, max(0.0, share))
    return tuple(x + (y - x) * t for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def _warm(colour: Colour, warm: float, gain: float) -> Colour:
    r, g, b, n = colour
    return (r * gain * (1 + warm), g * gain, b * gain * (1 - 1.3 * warm), n * gain)


def as_array(colour: Colour) -> Raster:
    """(4,) float32."""
    return np.array(colour, np.float32)
