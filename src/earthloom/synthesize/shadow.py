"""Where the shadow of a cloud falls, how soft it is and how much light is left in it.

sun
  .
    cloud ------------------ seen from straight above it hides the ground below it
      |  .
------x-----shadow---------- which lies h / tan(elevation) away, on the side that is turned from the sun
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from earthloom.synthesize.cloud_field import CloudField, interpolate
from earthloom.synthesize.cloud_light import CloudLaw
from earthloom.synthesize.stack import Plane

_SUN_RADIUS_RAD = 0.00465
"""Half of the angle under which the sun is seen."""
_LEAST_SIGMA_PX = 1.0
LOWEST_SUN_DEG = 3.0
"""With the sun lower than this its direct light is all but gone, and with it the shadows."""
_REACH = 3
"""A Gaussian is cut off at so many sigmas."""
_NEUTRAL_UM = 0.55
_MOST_DIFFUSE = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class Shadow:
    """Geometry of one picture's shadows."""

    down_m: float
    """From a cloud to its shadow, towards the bottom of the picture."""
    right_m: float
    sigma_px: float
    """Blur of its edge, pixels."""

    def reduction(self) -> int:
        """A soft shadow is made on a coarser grid, of so many pixels a node."""
        return max(1, int(self.sigma_px / 3))


def find_shadow(height_m: float, azimuth_deg: float, elevation_deg: float, pixel_m: float) -> Shadow | None:
    """Geometry of the shadow of a cloud on flat ground, seen from straight above.

    Args:
        height_m: of the cloud over the ground.
        azimuth_deg: direction to the sun, clockwise from the top of the picture.
        elevation_deg: of the sun over the horizon.
        pixel_m: ground distance between pixels.

    Returns:
        A shift of `h / tan(elevation)` towards azimuth + 180 degrees, and a blur of the sun's half-angle times the
        way from cloud to ground, 1 pixel at least; None where the sun is too low to cast shadows.

    """
    if elevation_deg < LOWEST_SUN_DEG:
        return None
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    shift_m = height_m / math.tan(elevation)
    slant_m = height_m / math.sin(elevation)
    return Shadow(
        down_m=shift_m * math.cos(azimuth),
        right_m=-shift_m * math.sin(azimuth),
        sigma_px=max(_LEAST_SIGMA_PX, _SUN_RADIUS_RAD * slant_m / pixel_m),
    )


def cast_shadow(
    field: CloudField,
    law: CloudLaw,
    shadow: Shadow,
    shape: tuple[int, int],
    pixel_m: float,
) -> Plane:
    """Share of direct light that clouds keep from the ground, 0 to 1, H x W: their own field, shifted and blurred.

    A wide blur is done on a coarser grid; the spline that enlarges it blurs by a third of a node (squared) itself.
    """
    factor = shadow.reduction()
    border = math.ceil(_REACH * shadow.sigma_px / factor) + 3
    rows, columns = (-(-side // factor) + 2 * border for side in shape)
    node_m = factor * pixel_m
    top_left = (-shadow.down_m - border * node_m, -shadow.right_m - border * node_m)
    opaque = law.find_opacity(field.sample(top_left, (rows, columns), node_m))
    if factor == 1:
        blurred = _blur(opaque, shadow.sigma_px)
        return np.ascontiguousarray(blurred[border : border + shape[0], border : border + shape[1]])
    blurred = _blur(opaque, math.sqrt((shadow.sigma_px / factor) ** 2 - 1 / 3))
    return interpolate(blurred, node_m, (border * node_m, border * node_m), shape, pixel_m)


def diffuse_share(at_green: float, wavelength_um: float) -> float:
    """Share of the light that comes from the sky and not from the sun, and still lights what lies in shadow.

    Falls with wavelength as 1 / lambda from `at_green` at 0.55 um: shadows are bluish and darkest in near infrared.
    Between a clear sky (Rayleigh, lambda^-4) and one that bright clouds light up (lambda^0); our choice.
    """
    return min(at_green * _NEUTRAL_UM / wavelength_um, _MOST_DIFFUSE)


def _blur(values: Plane, sigma: float) -> Plane:
    side = 2 * math.ceil(_REACH * sigma) + 1
    return np.asarray(cv2.GaussianBlur(values, (side, side), sigma, borderType=cv2.BORDER_REPLICATE))
