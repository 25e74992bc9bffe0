"""What one picture shows of the ground: open water, vegetation, dark crowns and slopes, roads, relief.

An effect that acts on the ground asks once per stack, so that all its pictures agree. No elevation model is at hand:
what lies steep is guessed from how dark and rough it is beside its surroundings, and that guess is cautious.

    stack  ->  luminance, blurred colours, NIR  ->  water, vegetation
                        |                            |
                        +---> darkness, roughness ---+--->  crowns, steep
                        +---> luminance / its wide blur  -->  relief, roads
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.light import Floats
from earthloom.core.records import Modality
from earthloom.synthesize.stack import Mask, Plane, Stack

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Of linear R, G, B (ITU-R BT.709)."""

WATER_WORDS = frozenset(
    {"water", "river", "lake", "sea", "ocean", "pond", "canal", "reservoir", "stream", "bay"}
)
ROAD_WORDS = frozenset(
    {"road", "roads", "highway", "street", "motorway", "runway", "railway", "pavement", "bridge"}
)
CROWN_WORDS = frozenset({"forest", "tree", "trees", "wood", "woodland"})
OPEN_WORDS = frozenset(
    {
        "building",
        "buildings",
        "house",
        "roof",
        "grass",
        "grassland",
        "agriculture",
        "crop",
        "cropland",
        "field",
    }
    | {"farmland", "meadow", "pasture", "bare", "barren", "soil", "rangeland", "cultivated", "built", "urban"}
)
"""Words of class names. A class of the last three groups is land, whatever the picture looks like."""

NDWI_WATER, NIR_WATER = 0.2, 0.12
"""Open water: NDWI above the first (McFeeters 1996 sets 0; ploughed fields and roofs reach 0.16 in NAIP pictures of
North Dakota) and NIR light under the second: clear and green lakes are under 0.07 there, land over 0.16."""
_DARK_WATER, _SMOOTH_WATER = (0.16, 0.12), (0.045, 0.03)
"""Without NIR: luminance and coefficient of variation from which on it is land, and under which it is surely water.
EuroSAT: the middle 80 % of sea and lake vary by 0.015 to 0.028 (luminance .02 to .15), those of forest by 0.046 to
0.103."""
_COOL = (0.93, 1.03)
"""Ratio of blue to green: water without NIR must be cool; fields of crops are under 1 in most EuroSAT pictures."""
_DARK = (0.075, 0.04)
"""Luminance of crowns: EuroSAT's forests .034 to .064, its pastures .067 to .119 (middle 80 %)."""
_SHADED, _ROUGH = (0.8, 0.45), (0.08, 0.2)
"""Luminance against the surroundings, and coefficient of variation, of shaded slopes and of woods among fields."""
_ROAD_M = (5.0, 200.0)
"""Width, metres, up to which lines are looked for, if it is to be roads that are found."""
_GRID = 256
"""Longest side, pixels, of the grid on which covers are told apart; larger pictures are reduced to it."""
_TINY = 0.02
"""Added to luminance in ratios: 8-bit steps of dark pixels are no relief."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """What a stack shows of the ground; shares are 0 to 1, float32, H x W."""

    luminance: Plane
    """Linear, of RGB; of NIR where there is no RGB."""
    relief: Plane
    """Luminance against that of the land around it: 1 on even ground, over 1 on sunny slopes, under 1 in shade."""
    water: Mask
    """True on open water."""
    vegetation: Plane
    """Share of green cover."""
    crowns: Plane
    """How surely a pixel is a crown: vegetation that is dark, or dark and rough beside its surroundings."""
    steep: Plane
    """How surely a pixel lies on a shaded slope or in a deep shadow: dark and rough, and not green."""
    paved: Plane
    """How surely a pixel is bright and without colour: concrete, gravel, roofs; 0 where colour is unknown."""
    roads: Plane
    """How surely a pixel is a road: a thin bright line without colour, or what the scene's mask calls so."""


def see_ground(stack: Stack) -> Ground:
    """Work out what the pictures of a stack show of the ground; their classes, where known, go before the guess."""
    rgb, nir = _split(stack)
    luminance = rgb @ np.array(LUMINANCE, np.float32) if rgb is not None else nir
    assert luminance is not None  # a stack holds at least one picture
    shape = luminance.shape
    small = _look_closely(
        None if rgb is None else _reduce(rgb, _GRID),
        None if nir is None else _reduce(nir, _GRID),
        {name: _reduce(where.astype(np.float32), _GRID) for name, where in (stack.classes or {}).items()},
        None if stack.view.pixel_m is None else stack.view.pixel_m * max(max(shape) / _GRID, 1),
    )
    around = _enlarge(small.around, shape)
    return Ground(
        luminance=luminance,
        relief=(luminance + _TINY) / (around + _TINY),
        water=_enlarge(small.water, shape) > 0.5,
        vegetation=_enlarge(small.vegetation, shape),
        crowns=_enlarge(small.crowns, shape),
        steep=_enlarge(small.steep, shape),
        paved=_enlarge(small.paved, shape),
        roads=_enlarge(small.roads, shape),
    )


@dataclass(frozen=True, slots=True)
class _Sight:
    """The planes of `Ground` on the small grid."""

    around: Plane
    water: Plane
    vegetation: Plane
    crowns: Plane
    steep: Plane
    paved: Plane
    roads: Plane


def _look_closely(
    rgb: Plane | None, nir: Plane | None, classes: Mapping[str, Plane], pixel_m: float | None
) -> _Sight:
    luminance = rgb @ np.array(LUMINANCE, np.float32) if rgb is not None else nir
    assert luminance is not None
    longest = max(luminance.shape)
    soft = None if rgb is None else _soften(rgb)
    soft_nir = None if nir is None else _soften(nir)
    vegetation = find_vegetation(soft, soft_nir)
    water = _apply_classes(find_water(luminance, soft, soft_nir), classes)
    land = 1 - water
    shaded = _ramp(_soften(luminance) / (_blur_land(luminance, land, longest / 8) + _TINY), *_SHADED)
    rough = _ramp(_measure_roughness(luminance), *_ROUGH)
    dark = np.maximum(_ramp(_soften(luminance), *_DARK), shaded * rough)
    crowns = dark * vegetation
    return _Sight(
        around=_blur_land(luminance, land, longest / 32),
        water=water,
        vegetation=vegetation,
        crowns=_mark(crowns, classes, CROWN_WORDS),
        steep=dark - crowns,
        paved=find_paved(luminance, soft),
        roads=_mark(find_roads(luminance, soft, pixel_m), classes, ROAD_WORDS),
    )


def compute_ndwi(green: Plane, nir: Plane) -> Plane:
    """Compute the normalised difference water index, -1 to 1 (McFeeters 1996, Int. J. Remote Sensing 17:1425)."""
    return np.asarray((green - nir) / (green + nir + _TINY), np.float32)


def compute_ndvi(red: Plane, nir: Plane) -> Plane:
    """Compute the normalised difference vegetation index, -1 to 1 (Rouse et al. 1974)."""
    return np.asarray((nir - red) / (nir + red + _TINY), np.float32)


def compute_excess_green(rgb: Plane) -> Plane:
    """Compute 2g - r - b of the chromatic coordinates, -1 to 2 (Woebbecke et al. 1995, Trans. ASAE 38:259)."""
    total = rgb.sum(axis=2) + 3 * _TINY
    return np.asarray((3 * rgb[:, :, 1] + 3 * _TINY) / total - 1, np.float32)


def compute_ndsi(green: Floats, swir: Floats) -> Floats:
    """Compute the normalised difference snow index, -1 to 1, of linear light or reflectance (Hall et al. 1995)."""
    return np.asarray((green - swir) / np.maximum(green + swir, 1e-6))


def estimate_snow_fraction(ndsi: Floats) -> Floats:
    """Estimate the share of a pixel under snow, 0 to 1 (Gascoin et al. 2020, Remote Sensing 12:2904)."""
    return np.asarray(0.5 * np.tanh(2.65 * ndsi - 1.42) + 0.5)


def find_vegetation(rgb: Plane | None, nir: Plane | None) -> Plane:
    """Estimate the share of green cover from NDVI where both are there, else from excess green; 0 for NIR alone."""
    if rgb is None:
        assert nir is not None
        return np.zeros_like(nir)
    if nir is None:
        return _ramp(compute_excess_green(rgb), 0.0, 0.2)
    return _ramp(compute_ndvi(rgb[:, :, 0], nir), 0.15, 0.5)


def find_water(luminance: Plane, rgb: Plane | None, nir: Plane | None) -> Plane:
    """Find open water, 0 or 1: by NDWI and dark NIR, or by dark smooth NIR alone; without NIR what is dark and smooth.

    Args:
        luminance: H x W, linear, sharp: its variation tells water from woods.
        rgb: H x W x 3, linear, slightly blurred; None where there is none.
        nir: H x W, likewise.

    """
    if nir is None:
        assert rgb is not None
        likely = _find_dark_water(luminance, rgb)
    elif rgb is None:
        likely = _ramp(nir, 2 * NIR_WATER, 0) * _ramp(_measure_variation(luminance, 5), 0.12, 0.06)
    else:
        likely = ((nir < NIR_WATER) & (compute_ndwi(rgb[:, :, 1], nir) > NDWI_WATER)).astype(np.float32)
    return (_soften(likely) > 0.5).astype(np.float32)


def find_paved(luminance: Plane, rgb: Plane | None) -> Plane:
    """Find what is bright beside the rest of the picture and has no colour, 0 to 1; nothing where colour is unknown."""
    if rgb is None:
        return np.zeros_like(luminance)
    bright = _ramp(luminance / (float(np.median(luminance)) + _TINY), 0.8, 1.2)
    return bright * _ramp(_measure_saturation(rgb), 0.35, 0.15)


def find_roads(luminance: Plane, rgb: Plane | None, pixel_m: float | None = None) -> Plane:
    """Find thin, straight, bright lines without colour, 0 to 1.

    Nothing where colour is unknown, or where pixels are so small or large that no thin line is as wide as a road.

    What a white top-hat leaves is opened with short lines in all directions (path detection after Chanussot and Lambert
    1998): a roof or a clearing is too short for any of them.
    """
    side = 2 * round(max(luminance.shape) / 128) + 3
    if rgb is None or (pixel_m is not None and not _ROAD_M[0] < side * pixel_m < _ROAD_M[1]):
        return np.zeros_like(luminance)
    opened = cv2.morphologyEx(luminance, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    stands_out = _ramp((luminance - opened) / (opened + _TINY), 0.3, 0.7)
    likely = np.asarray(stands_out * _ramp(_measure_saturation(rgb), 0.6, 0.4) * 255, np.uint8)
    lines = [
        cv2.morphologyEx(likely, cv2.MORPH_OPEN, line) for line in _make_lines(max(luminance.shape) // 12)
    ]
    return _ramp(_soften(np.maximum.reduce(lines).astype(np.float32) / 255), 0.25, 0.75)


@lru_cache(maxsize=4)
def _make_lines(length: int) -> tuple[npt.NDArray[np.uint8], ...]:
    """Lines of one pixel's width in eight directions, half a circle, through the middle of odd squares."""
    reach = max(length // 2, 1)
    lines = []
    for angle in np.arange(8) * np.pi / 8:
        line = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
        dx, dy = round(reach * float(np.cos(angle))), round(reach * float(np.sin(angle)))
        cv2.line(line, (reach - dx, reach - dy), (reach + dx, reach + dy), 1)
        lines.append(line)
    return tuple(lines)


def _blur_land(values: Plane, land: Plane, sigma: float) -> Plane:
    """Blur widely over land alone, so that a dark lake does not brighten its shore; far from land, over all."""
    weight = land + np.float32(1e-3)
    return np.asarray(_blur_widely(values * weight, sigma) / _blur_widely(weight, sigma), np.float32)


def _find_dark_water(luminance: Plane, rgb: Plane) -> Plane:
    """How likely a pixel is water, from RGB alone: smooth, and either dark and cool or darker than the scene."""
    fine = _measure_variation(luminance, 5)
    varied = np.maximum(fine, _enlarge(_measure_variation(_reduce(luminance, 64), 5), luminance.shape))
    red, green, blue = cv2.split(rgb)
    cool = _ramp(blue / (green + _TINY), *_COOL) * _ramp(red / (green + _TINY), 0.95, 0.8)
    level = _soften(luminance)
    dark_cool = _ramp(level, *_DARK_WATER) * cool * _ramp(varied, *_SMOOTH_WATER)
    relative = _ramp(level / float(np.median(level) + _TINY), 0.85, 0.6)
    usual = min(float(np.median(fine)) * 0.5, _SMOOTH_WATER[0])
    darker = relative * _ramp(red / (green + _TINY), 0.95, 0.8) * _ramp(fine, usual, 0.6 * usual)
    side = 2 * (max(level.shape) // 64) + 1
    compact = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (side, side)
    )  # a smooth speck in a field is no pond
    return np.asarray(cv2.morphologyEx(np.maximum(dark_cool, darker), cv2.MORPH_OPEN, compact), np.float32)


def _measure_roughness(luminance: Plane) -> Plane:
    """Coefficient of variation around a pixel, or beside it where that is less: the edge of a parcel is not rough."""
    reduced = _reduce(luminance, 128)
    varied = _measure_variation(reduced, 7)
    return _enlarge(cv2.erode(varied, np.ones((7, 7), np.uint8)), luminance.shape)


def _measure_variation(values: Plane, side: int) -> Plane:
    """Local standard deviation by local mean."""
    mean = cv2.blur(values, (side, side))
    square = cv2.blur(values * values, (side, side))
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)) / (mean + _TINY / 2), np.float32)


def _measure_saturation(rgb: Plane) -> Plane:
    red, green, blue = cv2.split(rgb)
    least, most = cv2.min(cv2.min(red, green), blue), cv2.max(cv2.max(red, green), blue)
    return np.asarray(1 - least / (most + _TINY), np.float32)


def _split(stack: Stack) -> tuple[Plane | None, Plane | None]:
    """RGB, H x W x 3, and NIR, H x W, where they are there. A picture of other channels is seen by its wavelengths."""
    rgb = stack.find(Modality.RGB)
    nir = stack.find(Modality.NIR)
    return None if rgb is None else rgb.light, None if nir is None else nir.light[:, :, 0]


def _apply_classes(water: Plane, classes: Mapping[str, Plane]) -> Plane:
    for name, where in classes.items():
        words = _list_words(name)
        if words & WATER_WORDS:
            water = np.maximum(water, where)
        elif words & (ROAD_WORDS | CROWN_WORDS | OPEN_WORDS):
            water = np.minimum(water, 1 - where)
    return water


def _mark(guess: Plane, classes: Mapping[str, Plane], words: frozenset[str]) -> Plane:
    for name, where in classes.items():
        if _list_words(name) & words:
            guess = np.maximum(guess, where)
    return guess


def _list_words(name: str) -> set[str]:
    return set("".join(c if c.isalpha() else " " for c in name.lower()).split())


def _ramp(values: Plane, start: float, end: float) -> Plane:
    """0 at `start` and before, 1 at `end` and beyond, linear between them; `start` may be the larger."""
    scale = np.float32(1 / (end - start))
    return np.asarray(np.clip(values * scale - np.float32(start) * scale, 0, 1), np.float32)


def _soften(values: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(values, (3, 3), 0), np.float32)


def _blur_widely(values: Plane, sigma: float) -> Plane:
    """Gaussian blur on a grid on which sigma is about two pixels."""
    longest = max(values.shape)
    reduced = _reduce(values, max(round(2 * longest / sigma), 16))
    return _enlarge(cv2.GaussianBlur(reduced, (0, 0), sigma * max(reduced.shape) / longest), values.shape)


def _reduce(values: Plane, longest: int) -> Plane:
    height, width = values.shape[:2]
    factor = max(height, width) / longest
    if factor <= 1:
        return values
    size = (max(round(width / factor), 1), max(round(height / factor), 1))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _enlarge(values: Plane, shape: tuple[int, ...]) -> Plane:
    if values.shape == shape:
        return values
    return np.asarray(cv2.resize(values, shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
