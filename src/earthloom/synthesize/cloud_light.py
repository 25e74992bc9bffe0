"""How clouds look from above: from the water in a column to what it hides and how bright it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from earthloom.synthesize.cloud_field import CloudField, interpolate
from earthloom.synthesize.stack import Mask, Plane

_N_SAMPLES = 65536
_LEAST_SAMPLES = 256
_EDGE_POWER = 0.75
"""Between edges as wide in metres in every picture, 0, and as wide in pixels, 1. By eye at 0.3 to 5 m."""
_RELIEF = 0.3
"""Contrast of the sunlit and the turned side of a cloud: light spreads within it. By eye beside Sentinel-2."""
_RELIEF_M = 50.0
"""Bumps smaller than this do not show: photons travel sideways about so far before they leave a cloud, which smooths
its light (Marshak et al. 1995, J. Geophys. Res. 100:26247, "radiative smoothing")."""
_RELIEF_STEPS = 6
"""A small picture still has so many nodes of relief on its shorter side."""
_LOWEST_RELIEF_DEG = 30.0
"""A lower sun models clouds no more than this: skylight fills what it leaves dark."""
_BORDER = 5
"""Nodes around the picture, so that slopes and splines at its edge know what lies beyond."""
_TALLNESS = 0.4
"""Height of a thick cloud by its width."""
_THIN_BRIGHTNESS = 0.6
"""Of thin cloud by that of thick cloud."""
_THICK = 0.75
"""Thickness from which on a cloud becomes no brighter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudLaw:
    """From water, in units of its field, to opacity and thickness."""

    start: float
    """Cloud begins here."""
    width: float
    """So much higher, half of the ground's light is hidden."""

    def find_opacity(self, water: Plane) -> Plane:
        """`x^2 / (1 + x^2)` with x in widths; exactly 0 where there is no cloud.

        Two-stream scattering without absorption lets 1 / (1 + t) through, t being optical depth times a constant
        (Bohren 1987, Am. J. Phys. 55:524). A parcel that rises without mixing gains water in proportion to its rise, so
        that the water of a column, and with it t, grows as the square of the cloud's thickness (Albrecht et al. 1990,
        Geophys. Res. Lett. 17:89).
        """
        above = self._find_excess(water)
        above *= np.float32(1 / self.width)
        above *= above
        above /= above + 1
        return above

    def find_thickness(self, water: Plane) -> Plane:
        """0 at the edge, towards 1 far inside; a half where the water is one standard deviation over the edge."""
        above = self._find_excess(water)
        return above / (above + 1)

    def _find_excess(self, water: Plane) -> Plane:
        above: Plane = water - np.float32(self.start)
        np.maximum(above, 0, out=above)
        return above


def fit_law(water: Plane, valid: Mask | None, cover: float, edge: float) -> CloudLaw:
    """Find the law with which a share of the picture is under cloud, hiding half of the ground or more.

    Args:
        water: H x W.
        valid: where the share counts, at least one pixel; None for everywhere.
        cover: the share, met up to what a sample of 65,536 pixels says.
        edge: width of the edge in standard deviations of the field, less where a small picture sees little of its
            range: between an edge that is as wide in metres and one that is as wide in pixels.

    """
    step = max(1, math.isqrt(water.size // _N_SAMPLES))
    samples = water[::step, ::step]
    if valid is not None:
        inside = samples[valid[::step, ::step]]
        samples = inside if inside.size >= _LEAST_SAMPLES else water[valid]
    level = float(np.quantile(samples, 1 - cover))
    width = max(edge * float(samples.std()) ** _EDGE_POWER, 1e-6)
    return CloudLaw(start=level - width, width=width)


def light_up(
    field: CloudField,
    law: CloudLaw,
    shape: tuple[int, int],
    pixel_m: float,
    *,
    cell_m: float,
    brightness: float,
    sun_azimuth_deg: float,
    sun_elevation_deg: float,
) -> Plane:
    """Brightness of clouds: thick and sunlit is bright, thin and turned away is grey.

    A tilted top gets `1 - slope / tan(elevation)` of the light of a level one (Lambert), slope being its rise towards
    the sun. Both are damped, and made on a coarse grid, since light leaves a cloud far from where it entered.

    Args:
        field: water.
        law: from water to thickness.
        shape: height and width of the picture, pixels.
        pixel_m: of the picture.
        cell_m: width of a cloud, from which its height follows.
        brightness: of a thick, level cloud, linear light.
        sun_azimuth_deg: clockwise from the top of the picture.
        sun_elevation_deg: over the horizon.

    Returns:
        H x W, linear light.

    """
    factor = max(1, min(round(_RELIEF_M / pixel_m), min(shape) // _RELIEF_STEPS))
    thickness = law.find_thickness(_average(field, shape, pixel_m, factor))
    thickness = np.asarray(cv2.GaussianBlur(thickness, (5, 5), 1), np.float32)
    elevation = math.radians(max(sun_elevation_deg, _LOWEST_RELIEF_DEG))
    steepness = _TALLNESS * cell_m / (factor * pixel_m * math.tan(elevation))
    tilt = _find_slope(thickness, math.radians(sun_azimuth_deg)) * np.float32(steepness)
    light = 1 - np.float32(_RELIEF) * tilt / np.sqrt(1 + tilt * tilt)
    thick = np.minimum(thickness * np.float32(1 / _THICK), 1)
    light *= np.float32(brightness) * (_THIN_BRIGHTNESS + np.float32(1 - _THIN_BRIGHTNESS) * thick)
    if factor == 1:
        return np.ascontiguousarray(light[_BORDER:-_BORDER, _BORDER:-_BORDER])
    return interpolate(light, factor, (_BORDER * factor, _BORDER * factor), shape, 1)


def _average(field: CloudField, shape: tuple[int, int], pixel_m: float, factor: int) -> Plane:
    """Water on a grid of one node for every `factor` pixels, from the first pixel on, and a border around it."""
    rows, columns = (-(-side // factor) + 2 * _BORDER for side in shape)
    node_m = factor * pixel_m
    if factor == 1:
        return field.sample((-_BORDER * node_m, -_BORDER * node_m), (rows, columns), node_m)
    start = -(_BORDER + 0.25) * node_m
    halves = field.sample((start, start), (2 * rows, 2 * columns), node_m / 2)
    return np.asarray(cv2.resize(halves, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def _find_slope(thickness: Plane, azimuth: float) -> Plane:
    """Rise from node to node towards the sun."""
    right = cv2.Sobel(thickness, cv2.CV_32F, 1, 0, scale=math.sin(azimuth) / 8)
    up = cv2.Sobel(thickness, cv2.CV_32F, 0, 1, scale=-math.cos(azimuth) / 8)
    return np.asarray(right + up, np.float32)
