"""Covers of the ground by their colour and texture: open water, vegetation, paved ground, roads.

Pictures are H x W x 3 in the order R, G, B, linear light; what is found is H x W, 0 to 1.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.synthesize.planes import (
    TINY,
    blur_where,
    blur_widely,
    enlarge_plane,
    measure_variation,
    ramp,
    reduce_plane,
    soften,
)
from earthloom.synthesize.stack import Mask, Plane

NDWI_WATER, NIR_WATER = 0.2, 0.12
"""Open water: NDWI above the first (McFeeters 1996 sets 0, which ploughed fields exceed) and NIR under the second. In
six NAIP pictures of one place, 99 % of open water has NDWI over 0.25 and NIR under 0.075."""
_DARK_WATER, _SMOOTH_WATER = (0.16, 0.12), (0.036, 0.028)
"""Without NIR: luminance and coefficient of variation from which on it is land, and under which it is surely water.
EuroSAT: the middle 80 % of sea and lake vary by 0.015 to 0.028 (luminance .02 to .15), those of forest by 0.046 to
0.103."""
_MOSTLY, _SMALLEST = 0.6, 0.0005
"""Without NIR: share of a region that must be surely water, and share of the picture that it must fill."""
_EVEN_WATER, _NOT_BRIGHT, _VAST = 0.03, 0.3, 0.4
"""Without NIR: variation and luminance of green or grey water, and the share of the picture that it must fill."""
_NEAR, _LIKE, _SPECK = 0.05, 0.12, 0.01
"""Without NIR: how near and how like water in every colour a pixel must be to join it, and the share of the picture of
the largest speck, a boat or breaking waves, that does so anyway."""
_COOL = (0.93, 1.03)
"""Ratio of blue to green: water without NIR must be cool; fields of crops are under 1 in most EuroSAT pictures."""
_ROAD_M = (5.0, 200.0)
"""Width, metres, up to which lines are looked for, if it is to be roads that are found."""


def compute_ndwi(green: Plane, nir: Plane) -> Plane:
    """Compute the normalised difference water index, -1 to 1 (McFeeters 1996, Int. J. Remote Sensing 17:1425)."""
    return np.asarray((green - nir) / (green + nir + TINY), np.float32)


def compute_ndvi(red: Plane, nir: Plane) -> Plane:
    """Compute the normalised difference vegetation index, -1 to 1 (Rouse et al. 1974)."""
    return np.asarray((nir - red) / (nir + red + TINY), np.float32)


def compute_excess_green(rgb: Plane) -> Plane:
    """Compute 2g - r - b of the chromatic coordinates, -1 to 2 (Woebbecke et al. 1995, Trans. ASAE 38:259)."""
    total = rgb.sum(axis=2) + 3 * TINY
    return np.asarray((3 * rgb[:, :, 1] + 3 * TINY) / total - 1, np.float32)


def find_vegetation(rgb: Plane | None, nir: Plane | None) -> Plane:
    """Estimate the share of green cover from NDVI where both are there, else from excess green; 0 for NIR alone."""
    if rgb is None:
        assert nir is not None
        return np.zeros_like(nir)
    if nir is None:
        return ramp(compute_excess_green(rgb), 0.0, 0.2)
    return ramp(compute_ndvi(rgb[:, :, 0], nir), 0.15, 0.5)


def find_water(luminance: Plane, rgb: Plane | None, nir: Plane | None) -> Plane:
    """Find open water: by NDWI and dark NIR, or by dark smooth NIR alone; without NIR what is dark and smooth.

    Args:
        luminance: H x W, linear, sharp: its variation tells water from woods.
        rgb: H x W x 3, linear, slightly blurred; None where there is none.
        nir: H x W, likewise.

    Returns:
        H x W, over 0.5 on water.

    """
    if nir is None:
        assert rgb is not None
        likely = _find_dark_water(luminance, rgb)
    elif rgb is None:
        likely = ramp(nir, 2 * NIR_WATER, 0) * ramp(measure_variation(luminance, 5), 0.12, 0.06)
    else:
        likely = ((nir < NIR_WATER) & (compute_ndwi(rgb[:, :, 1], nir) > NDWI_WATER)).astype(np.float32)
    return soften(likely)  # its level 0.5, once enlarged, is a smooth shore


def _find_dark_water(luminance: Plane, rgb: Plane) -> Plane:
    """Where RGB alone shows water, 0 or 1: smooth, and either dark and cool or darker than the rest of the scene.

    Whole regions are kept or left: a field of which a part happens to be smooth enough holds no ponds. Green and grey
    water is found only where it is vast, since nothing else is so even over half a picture.
    """
    fine = measure_variation(luminance, 5)
    varied = np.maximum(
        fine, enlarge_plane(measure_variation(reduce_plane(luminance, 64), 5), luminance.shape)
    )
    red, green, blue = cv2.split(rgb)
    no_red = ramp(red / (green + TINY), 0.95, 0.8)
    level = soften(luminance)
    cool = ramp(level, *_DARK_WATER) * ramp(blue / (green + TINY), *_COOL) * no_red
    darker = ramp(level / float(np.median(level) + TINY), 0.85, 0.6) * no_red
    usual = min(max(float(np.median(fine)) * 0.5, 1e-6), _SMOOTH_WATER[0])
    sure = np.maximum(cool * ramp(varied, *_SMOOTH_WATER), darker * ramp(fine, usual, 0.6 * usual)) > 0.5
    region = np.maximum(cool, darker) * ramp(fine, 0.07, 0.05) > 0.25
    even = (varied < _EVEN_WATER) & (level < _NOT_BRIGHT) & (red < cv2.max(green, blue))
    water = np.maximum(_keep_regions(region, sure, _SMALLEST), _keep_regions(even, even, _VAST))
    return _grow_water(water, rgb) if water.any() else water


def _grow_water(water: Plane, rgb: Plane) -> Plane:
    """Add what has the colour of water near by, such as a shore that texture was measured across, and fill specks."""
    sigma = max(water.shape) / 24
    near = blur_widely(water, sigma) > _NEAR
    unlike = np.zeros_like(water)
    for channel in cv2.split(rgb):
        of_water = blur_where(channel, water, sigma)
        unlike = cv2.max(unlike, cv2.absdiff(channel, of_water) / (of_water + TINY))
    grown = (water > 0.5) | (near & (unlike < _LIKE))
    gaps = ~grown
    return 1 - _keep_regions(gaps, gaps, _SPECK, open_px=1)


def _keep_regions(region: Mask, sure: Mask, smallest: float, open_px: int | None = None) -> Plane:
    """Connected parts of a region of which most is sure, 0 or 1, without those that fill less of the picture."""
    side = open_px or 2 * (max(region.shape) // 100) + 1
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, disk)
    n, numbers = cv2.connectedComponents(opened, connectivity=4)
    sizes = np.bincount(numbers.ravel(), minlength=n)
    n_sure = np.bincount(numbers.ravel(), weights=sure.ravel(), minlength=n)
    keep = (n_sure > _MOSTLY * sizes) & (sizes > smallest * region.size)
    keep[0] = False
    return keep[numbers].astype(np.float32)


def find_paved(luminance: Plane, rgb: Plane | None) -> Plane:
    """Find what is bright beside the rest of the picture and has no colour, 0 to 1; nothing where colour is unknown."""
    if rgb is None:
        return np.zeros_like(luminance)
    bright = ramp(luminance / (float(np.median(luminance)) + TINY), 0.8, 1.2)
    return bright * ramp(_measure_saturation(rgb), 0.4, 0.2)


def find_roads(luminance: Plane, rgb: Plane | None, pixel_m: float | None = None) -> Plane:
    """Find thin, straight, bright lines without colour, 0 to 1.

    Nothing where colour is unknown, or where pixels are so small or large that no thin line is as wide as a road.

    What a white top-hat leaves is opened with short lines in all directions (after Chanussot and Lambert, ISMM 1998):
    a roof or a clearing is too short for any of them.
    """
    side = 2 * round(max(luminance.shape) / 128) + 3
    if rgb is None or (pixel_m is not None and not _ROAD_M[0] < side * pixel_m < _ROAD_M[1]):
        return np.zeros_like(luminance)
    opened = cv2.morphologyEx(luminance, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    stands_out = ramp((luminance - opened) / (opened + TINY), 0.3, 0.7)
    likely = np.asarray(stands_out * ramp(_measure_saturation(rgb), 0.6, 0.4) * 255, np.uint8)
    lines = [
        cv2.morphologyEx(likely, cv2.MORPH_OPEN, line) for line in _make_lines(max(luminance.shape) // 12)
    ]
    return ramp(soften(np.maximum.reduce(lines).astype(np.float32) / 255), 0.25, 0.75)


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


def _measure_saturation(rgb: Plane) -> Plane:
    red, green, blue = cv2.split(rgb)
    least, most = cv2.min(cv2.min(red, green), blue), cv2.max(cv2.max(red, green), blue)
    return np.asarray(1 - least / (most + TINY), np.float32)
