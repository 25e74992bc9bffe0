"""What the pictures of a stack show of the ground: covers, crowns, dark slopes, relief.

An effect that acts on the ground asks once per stack, so that all its pictures agree. No elevation model is at hand:
what lies steep is guessed from how dark and rough it is beside its surroundings.

    stack  ->  R, G, B, NIR on a small grid  ->  covers: water, vegetation, paved ground, roads
                        |                              |
                        +----> darkness, roughness ----+--->  crowns, steep
                        +----> luminance / its blur over land  ------>  relief
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from earthloom.core.light import LUMINANCE
from earthloom.core.records import Modality
from earthloom.synthesize.covers import find_paved, find_roads, find_vegetation, find_water
from earthloom.synthesize.planes import (
    TINY,
    blur_where,
    enlarge_plane,
    measure_variation,
    ramp,
    reduce_plane,
    soften,
)
from earthloom.synthesize.stack import BLUE_UM, DISPLAY_UM, GREEN_UM, NIR_UM, RED_UM, Mask, Plane, Stack

WATER_WORDS = frozenset({"water", "river", "lake", "sea", "ocean", "pond", "canal", "reservoir", "stream"})
ROAD_WORDS = frozenset({"road", "highway", "street", "motorway", "runway", "railway", "pavement", "bridge"})
CROWN_WORDS = frozenset({"forest", "tree", "wood", "woodland"})
_GREEN_WORDS = frozenset(
    {"grass", "grassland", "meadow", "pasture", "rangeland", "crop", "cropland", "farmland"}
)
_OTHER_WORDS = frozenset(
    {"field", "agriculture", "bare", "barren", "soil", "building", "house", "roof", "urban"}
)
LAND_WORDS = ROAD_WORDS | CROWN_WORDS | _GREEN_WORDS | _OTHER_WORDS
"""Words of class names, in the singular. A class of the last group is land, whatever the picture looks like."""

_DARK = (0.072, 0.056)
"""Luminance of crowns: EuroSAT's forests .034 to .064, its pastures .067 to .119 (middle 80 %)."""
_SHADED, _ROUGH = (0.8, 0.45), (0.08, 0.2)
"""Luminance against the surroundings, and coefficient of variation, of shaded slopes and of woods among fields."""
_LEAFY = (0.2, 0.6)
"""Coefficient of variation of sunlit crowns beside their own shadows, from the air at 0.1 m."""
_GAPS = (1.3, 0.9)
"""Luminance against the surroundings of the gaps in what the scene's mask calls a forest, and of its crowns."""
_GRID = 256
"""Longest side, pixels, of the grid on which covers are told apart; larger pictures are reduced to it."""
_NEAR_UM = 0.06
"""A channel shows a colour if its wavelength is no farther from that colour's."""


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
    """How surely a pixel is a crown: vegetation that is dark, or very rough."""
    steep: Plane
    """How surely a pixel lies on a shaded slope or in a deep shadow: dark, or dark and rough, and not green."""
    paved: Plane
    """How surely a pixel is bright and without colour: concrete, gravel, roofs; 0 where colour is unknown."""
    roads: Plane
    """How surely a pixel is a road: a thin bright line without colour, or what the scene's mask calls so."""


def see_ground(stack: Stack) -> Ground:
    """Work out what the pictures of a stack show of the ground; their classes, where known, go before the guess."""
    rgb, nir = _split(stack)
    luminance = _weigh(rgb, nir)
    shape = luminance.shape
    small = _look_closely(
        None if rgb is None else _reduce(rgb, stack.valid),
        None if nir is None else _reduce(nir, stack.valid),
        {
            name: reduce_plane(where.astype(np.float32), _GRID)
            for name, where in (stack.classes or {}).items()
        },
        None if stack.view.pixel_m is None else stack.view.pixel_m * max(max(shape) / _GRID, 1),
    )
    return Ground(
        luminance=luminance,
        relief=(luminance + TINY) / (enlarge_plane(small.around, shape) + TINY),
        water=enlarge_plane(small.water, shape) > 0.5,
        vegetation=enlarge_plane(small.vegetation, shape),
        crowns=enlarge_plane(small.crowns, shape),
        steep=enlarge_plane(small.steep, shape),
        paved=enlarge_plane(small.paved, shape),
        roads=enlarge_plane(small.roads, shape),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
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
    luminance = _weigh(rgb, nir)
    longest = max(luminance.shape)
    soft, soft_nir = None if rgb is None else soften(rgb), None if nir is None else soften(nir)
    vegetation = find_vegetation(soft, soft_nir)
    water = _apply_classes(find_water(luminance, soft, soft_nir), classes)
    land, level = 1 - water, soften(luminance)
    beside = level / (blur_where(luminance, land, longest / 8) + TINY)
    roughness = _measure_roughness(luminance)
    dark = np.maximum(ramp(level, *_DARK), ramp(beside, *_SHADED) * ramp(roughness, *_ROUGH))
    woods = _find_class(luminance.shape, classes, CROWN_WORDS) * ramp(beside, *_GAPS)
    crowns = np.maximum(np.maximum(dark, ramp(roughness, *_LEAFY)) * vegetation, woods)
    roads = find_roads(luminance, soft, pixel_m)
    return _Sight(
        around=blur_where(luminance, land, longest / 32),
        water=water,
        vegetation=vegetation,
        crowns=crowns,
        steep=np.maximum(dark - crowns, 0),
        paved=find_paved(luminance, soft),
        roads=np.maximum(roads, _find_class(luminance.shape, classes, ROAD_WORDS)),
    )


def _measure_roughness(luminance: Plane) -> Plane:
    """Coefficient of variation around a pixel, or beside it where that is less: the edge of a parcel is not rough."""
    reduced = reduce_plane(luminance, _GRID // 2)
    varied = cv2.erode(measure_variation(reduced, 7), np.ones((7, 7), np.uint8))
    return enlarge_plane(np.asarray(varied, np.float32), luminance.shape)


def _weigh(rgb: Plane | None, nir: Plane | None) -> Plane:
    if rgb is not None:
        return np.asarray(rgb @ np.array(LUMINANCE, np.float32), np.float32)
    assert nir is not None  # `_split` gives one of both
    return nir


def _split(stack: Stack) -> tuple[Plane | None, Plane | None]:
    """R, G, B, H x W x 3, and NIR, H x W, where there are channels of such wavelengths; never neither.

    A stack of other channels alone, such as short-wave infrared, is seen as one grey picture.
    """
    display = stack.find(Modality.RGB)
    if display is not None and display.wavelengths_um == DISPLAY_UM[Modality.RGB]:
        return display.light, _find_channel(stack, NIR_UM)
    colours = [_find_channel(stack, wavelength_um) for wavelength_um in (RED_UM, GREEN_UM, BLUE_UM)]
    found = [colour for colour in colours if colour is not None]
    nir = _find_channel(stack, NIR_UM)
    if len(found) < len(colours):
        found = [] if nir is not None else [np.ascontiguousarray(stack.layers[0].light[:, :, 0])] * 3
    return np.dstack(found) if found else None, nir


def _find_channel(stack: Stack, wavelength_um: float) -> Plane | None:
    channels = [
        (abs(found_um - wavelength_um), number, layer.light)
        for layer in stack.layers
        for number, found_um in enumerate(layer.wavelengths_um)
    ]
    off, number, light = min(channels, key=lambda channel: channel[0])
    return np.ascontiguousarray(light[:, :, number]) if off <= _NEAR_UM else None


def _reduce(light: Plane, valid: Mask | None) -> Plane:
    """A picture on the small grid, where pixels without data have the usual colour of those with."""
    if valid is not None and valid.any() and not valid.all():
        light = light.copy()
        light[~valid] = np.median(light[valid], axis=0)
    return reduce_plane(light, _GRID)


def _apply_classes(water: Plane, classes: Mapping[str, Plane]) -> Plane:
    shape = water.shape
    land = _find_class(shape, classes, LAND_WORDS)
    return np.maximum(np.minimum(water, 1 - land), _find_class(shape, classes, WATER_WORDS))


def _find_class(shape: tuple[int, ...], classes: Mapping[str, Plane], words: frozenset[str]) -> Plane:
    """Share of each pixel in classes whose names have one of the words."""
    found = np.zeros(shape, np.float32)
    for name, where in classes.items():
        if words & {word.removesuffix("s") for word in re.findall("[a-z]+", name.lower())}:
            found = np.maximum(found, where)
    return found
