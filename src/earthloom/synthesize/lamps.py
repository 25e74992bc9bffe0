"""Street lamps in the dark, where the mask of a scene knows buildings or towns, and the size of a pixel is known.

A lamp on a pole lights the ground around it; what is seen from above is that ground, not the lamp. Roofs stay dark:
the lamps of a building stand beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np

from earthloom.core.light import LUMINANCE
from earthloom.synthesize.stack import BLUE_UM, GREEN_UM, NIR_UM, RED_UM, Mask, Plane
from earthloom.synthesize.surface import ROAD_WORDS

_BUILDING_WORDS = frozenset({"building", "house", "roof"})
_TOWN_WORDS = frozenset({"built", "urban", "residential", "settlement", "town", "city", "village", "parking"})
_UNLIT_WORDS = frozenset({"railway", "runway", "non", "not", "no"})
SPACING_M = 35.0
"""Between lamps: three to four times the height of a pole, as streets are lit."""
_NEIGHBOURHOOD_M = 150.0
"""How far the lamps of a road reach beyond the houses of a village."""
_INHABITED = 0.03
"""Least share of roofs in a neighbourhood with street lamps. Ours."""
HEIGHT_M = 9.0
"""Of a pole; the pool of light is about as wide as twice that."""
_REACH = 5
"""In heights: from there on a lamp gives under 1 % of the light beneath it."""
_SUB_M = 2.0
"""Step at which the light within a large pixel is averaged."""
_PLANCK_C2 = 14388.0
"""Second radiation constant, um K."""
_DAYLIGHT_K = 6504.0
_NIR_SHARE = 0.5
"""Near infrared of lamps against their green: sodium has lines at 0.82 um, white LEDs have next to none. Ours."""


def light_lamps(
    classes: Mapping[str, Mask] | None, pixel_m: float | None, rng: np.random.Generator
) -> Plane | None:
    """Light of lamps on the ground, 1 beneath one lamp, H x W; None where none stand or too little is known."""
    if classes is None or pixel_m is None:
        return None
    lit = find_lit(classes, pixel_m)
    if lit is None or not lit.any():
        return None
    lamps = place_lamps(lit, pixel_m, rng)
    return np.asarray(
        cv2.filter2D(lamps, cv2.CV_32F, pool_kernel(pixel_m), borderType=cv2.BORDER_CONSTANT), np.float32
    )


def find_lit(classes: Mapping[str, Mask], pixel_m: float) -> Mask | None:
    """Where lamps may stand: in towns, along the walls of buildings, and on the roads among them.

    Country roads are dark, and so is every road where the mask knows no buildings: it does not say where a town is.
    """
    buildings = _join_classes(classes, _BUILDING_WORDS)
    towns = _join_classes(classes, _TOWN_WORDS)
    roads = _join_classes(classes, ROAD_WORDS)
    lit: Mask | None = None
    if buildings is not None:
        lit = _find_surroundings(buildings, pixel_m)
    if towns is not None:
        lit = towns if lit is None else lit | towns
    if lit is not None and roads is not None:
        inhabited = towns if buildings is None else buildings if towns is None else buildings | towns
        assert inhabited is not None  # or nothing would be lit
        lit = lit | (roads & _find_neighbourhood(inhabited, pixel_m))
    return lit if lit is None or buildings is None else lit & ~buildings


def place_lamps(lit: Mask, pixel_m: float, rng: np.random.Generator) -> Plane:
    """How many lamps stand in each pixel, weighed by how bright they are: one in each lit cell of 35 m."""
    cell = max(SPACING_M / pixel_m, 1.0)
    spots = rng.permutation(np.flatnonzero(lit))
    rows, columns = np.divmod(spots, lit.shape[1])
    n_across = int(lit.shape[1] / cell) + 1
    cells = (rows / cell).astype(np.int64) * n_across + (columns / cell).astype(np.int64)
    _, first = np.unique(cells, return_index=True)
    lamps = np.zeros(lit.size, np.float32)
    n_each = max((pixel_m / SPACING_M) ** 2, 1.0)
    lamps[spots[first]] = n_each * rng.uniform(0.5, 1.5, len(first))
    return lamps.reshape(lit.shape)


@lru_cache(maxsize=8)
def pool_kernel(pixel_m: float) -> Plane:
    """Light of one lamp on even ground, 1 beneath it: (1 + (r / h)^2)^-3/2, the cosine cubed, averaged over pixels."""
    if pixel_m > 2 * _REACH * HEIGHT_M:  # all of it falls into one pixel
        flux = 2 * np.pi * HEIGHT_M**2 * (1 - (1 + _REACH**2) ** -0.5)
        return np.full((1, 1), flux / pixel_m**2, np.float32)
    n_sub = max(round(pixel_m / _SUB_M), 1)
    radius = int(np.ceil(_REACH * HEIGHT_M / pixel_m))
    side = 2 * radius + 1
    offsets = ((np.arange(side * n_sub) + 0.5) / n_sub - side / 2) * (pixel_m / HEIGHT_M)
    square = offsets[:, None] ** 2 + offsets[None, :] ** 2
    light = np.where(square <= _REACH**2, (1 + square) ** -1.5, 0)
    return np.asarray(light.reshape(side, n_sub, side, n_sub).mean(axis=(1, 3)), np.float32)


def lamp_colour(temperature_k: float, wavelengths_um: tuple[float, ...]) -> tuple[float, ...]:
    """Light of a lamp at each wavelength, against daylight, luminance 1: Planck's law, cut short in the infrared."""

    def radiate(um: float) -> float:
        return float(np.expm1(_PLANCK_C2 / um / _DAYLIGHT_K) / np.expm1(_PLANCK_C2 / um / temperature_k))

    luminance = sum(w * radiate(um) for w, um in zip(LUMINANCE, (RED_UM, GREEN_UM, BLUE_UM), strict=True))
    infrared = _NIR_SHARE * radiate(GREEN_UM)
    return tuple(
        (radiate(um) if um < (RED_UM + NIR_UM) / 2 else infrared) / luminance for um in wavelengths_um
    )


def _join_classes(classes: Mapping[str, Mask], words: frozenset[str]) -> Mask | None:
    """Where any class lies whose name has one of the words; None without such a class."""
    found: Mask | None = None
    for name, where in classes.items():
        said = {word.removesuffix("s") for word in re.findall("[a-z]+", name.lower())}
        if said & words and not said & _UNLIT_WORDS:
            found = where if found is None else found | where
    return found


def _find_neighbourhood(inhabited: Mask, pixel_m: float) -> Mask:
    """Where at least 3 % of the ground within 150 m, or within half of the picture, is inhabited."""
    widest = (min(inhabited.shape) - 1) // 2
    radius = min(max(round(_NEIGHBOURHOOD_M / pixel_m), 1), widest)
    share = cv2.blur(
        inhabited.astype(np.float32), (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT
    )
    return np.asarray(share >= _INHABITED, np.bool_)


def _find_surroundings(built: Mask, pixel_m: float) -> Mask:
    """A strip of some metres around buildings, at least one pixel wide."""
    width = max(round(5 / pixel_m), 1)
    strip = cv2.dilate(built.astype(np.uint8), np.ones((2 * width + 1, 2 * width + 1), np.uint8))
    return np.asarray((strip > 0) & ~built, np.bool_)
