"""Clouds over clear ground, each with the shadow that it casts.

                      +-- here ------------> opacity c, brightness B ---+
one field of water ---|                                                 +--> (1 - c) J (1 - s (1 - f)) + c B
                      +-- towards the sun -> shadow s ------------------+
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self, cast

import cv2
import numpy as np
from pydantic import model_validator

from earthloom.core.errors import RecordError
from earthloom.core.light import Light
from earthloom.core.records import Reason
from earthloom.synthesize.cloud_field import CloudField, make_cloud_field
from earthloom.synthesize.cloud_light import CloudLaw, fit_law, light_up
from earthloom.synthesize.config import EffectSettings, Severity
from earthloom.synthesize.shadow import Shadow, cast_shadow, diffuse_share, find_shadow
from earthloom.synthesize.spans import ShareSpan, Span
from earthloom.synthesize.stack import Layer, Mask, Outcome, Plane, Stack, View

COVER: dict[Severity, tuple[float, float]] = {
    "light": (0.05, 0.25),
    "moderate": (0.25, 0.55),
    "heavy": (0.55, 0.90),
}
"""Share of the picture under cloud. The steps are those of aviation weather reports, few (1 to 2 oktas), scattered
(3 to 4) and broken (5 to 7) (WMO-No. 306, FM 15); from 0.9 on there is no picture left."""
_WITHIN = 0.01
"""What is asked for keeps this distance from the steps, so that the word measured is the word asked for."""
_LEAST_CHANGE = 0.02
"""Linear light of the first band; a pixel that changes less was as bright as the cloud before it."""
_OPAQUE = 0.5
"""A pixel is under cloud, or in shadow, from this opacity on."""
_TINT_PER_UM = 0.1
"""Most that brightness changes with wavelength: clouds are white."""
_NEUTRAL_UM = 0.55


class CloudSettings(EffectSettings):
    """Clouds, each with its own shadow."""

    effect: Literal["cloud"] = "cloud"
    cell_m: Span = (400, 4000)
    """Size of a cloud, metres: a tile at 0.3 m lies at the edge of one, a tile at 30 m holds hundreds."""
    height_m: Span = (500, 3000)
    """Of clouds over the ground, metres: with the sun it says how far away the shadow falls."""
    beta: Span = (2.7, 3.2)
    """Slope of the power spectrum of their water; smaller frays their edges more."""
    edge: Span = (0.3, 0.9)
    """How wide the half-transparent edge is; 0.1 is crisp, 1 a veil."""
    brightness: ShareSpan = (0.82, 1.0)
    """Of thick cloud, of the display's white in linear light."""
    diffuse: ShareSpan = (0.15, 0.35)
    """Share of green light that still reaches the ground in full shadow; more in blue, less in near infrared."""
    sun_elevation_deg: Span = (25, 70)
    """Drawn where a scene does not say where the sun stood."""
    pixel_m: Span = (3, 30)
    """Drawn where a scene does not say how large its pixels are."""

    @model_validator(mode="after")
    def _check_positive(self) -> Self:
        for name in ("cell_m", "height_m", "edge", "pixel_m"):
            if getattr(self, name)[0] <= 0:
                raise ValueError(f"{name} wants numbers over 0, got {list(getattr(self, name))}.")
        if self.beta[0] < 1 or self.beta[1] > 6:
            raise ValueError(f"beta wants numbers from 1 to 6, got {list(self.beta)}: clouds are near 3.")
        if self.sun_elevation_deg[0] < 5 or self.sun_elevation_deg[1] > 90:
            wanted = f"sun_elevation_deg wants degrees from 5 to 90, got {list(self.sun_elevation_deg)}"
            raise ValueError(f"{wanted}: a lower sun casts no shadows.")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Cloud:
    """What was drawn for one place."""

    cover: float
    """Wanted share of the picture under cloud."""
    cell_m: float
    height_m: float
    beta: float
    edge: float
    brightness: float
    tint_per_um: float
    """Change of brightness with wavelength from 0.55 um on."""
    diffuse: float
    """At 0.55 um."""
    sun_azimuth_deg: float
    """Clockwise from the top of the picture."""
    sun_elevation_deg: float
    pixel_m: float
    is_sun_drawn: bool
    """True where an angle of the sun was unknown."""
    is_pixel_drawn: bool
    """True where the size of pixels was unknown."""


def draw_cloud(settings: CloudSettings, view: View, severity: Severity, rng: np.random.Generator) -> Cloud:
    """Draw the clouds of one place; sun and size of pixels only where they are not known."""
    low, high = COVER[severity]
    azimuth = float(rng.uniform(0, 360))
    elevation = float(rng.uniform(*settings.sun_elevation_deg))
    pixel_m = _draw_evenly_in_logarithm(settings.pixel_m, rng)
    known = view.sun_azimuth_deg is not None and view.sun_elevation_deg is not None
    return Cloud(
        cover=float(rng.uniform(low + _WITHIN, high - _WITHIN)),
        cell_m=_draw_evenly_in_logarithm(settings.cell_m, rng),
        height_m=float(rng.uniform(*settings.height_m)),
        beta=float(rng.uniform(*settings.beta)),
        edge=float(rng.uniform(*settings.edge)),
        brightness=float(rng.uniform(*settings.brightness)),
        tint_per_um=float(rng.uniform(-_TINT_PER_UM, _TINT_PER_UM)),
        diffuse=float(rng.uniform(*settings.diffuse)),
        sun_azimuth_deg=azimuth if view.sun_azimuth_deg is None else view.sun_azimuth_deg,
        sun_elevation_deg=elevation if view.sun_elevation_deg is None else view.sun_elevation_deg,
        pixel_m=pixel_m if view.pixel_m is None else view.pixel_m,
        is_sun_drawn=not known,
        is_pixel_drawn=view.pixel_m is None,
    )


def add_cloud(stack: Stack, cloud: Cloud, rng: np.random.Generator) -> Outcome:
    """Lay clouds and their shadows over a stack: `(1 - c) J (1 - s (1 - f)) + c B` in linear light.

    Opacity `c = x^2 / (1 + x^2)` of a power-law field of water (`cloud_field`), x = 1 where the wanted share of the
    picture lies above it, so that thin edges are half transparent. The shadow s is the same field seen from the sun
    (`shadow`), of which a share f of skylight is left. B is brighter where the cloud is thick and on its sunlit side.
    All layers share c, s and the shape of B. The method of SatelliteCloudGenerator (Remote Sensing 15:4138) with sizes
    in metres and a shadow that belongs to its cloud.

    Raises:
        RecordError: NO_EFFECT where less than 5 % of the picture changes.

    """
    view, valid = stack.view, stack.valid
    shape = view.height, view.width
    if valid is not None and not valid.any():
        raise RecordError(Reason.NO_EFFECT, "cloud wants pixels that hold data, got none")
    shadow = find_shadow(cloud.height_m, cloud.sun_azimuth_deg, cloud.sun_elevation_deg, cloud.pixel_m)
    field = _make_field(shape, cloud, shadow, rng)
    water = field.sample((0, 0), shape, cloud.pixel_m)
    law = fit_law(water, valid, cloud.cover, cloud.edge)
    seen = law.find_opacity(water)
    shaded = None if shadow is None else cast_shadow(field, law, shadow, shape, cloud.pixel_m)
    white = seen * _light_up(field, law, shape, cloud)
    layers = tuple(_compose(layer, cloud, seen, shaded, white) for layer in stack.layers)
    cover = _measure_share(seen, valid)
    dark = 0.0 if shaded is None else _measure_share(np.where(seen > _OPAQUE, 0, shaded), valid)
    _check_visible(stack.layers[0].light, layers[0], valid, cover, dark)
    return Outcome(
        layers=layers,
        measured={"cover": cover, "shadow": dark, **_describe(shadow, cloud)},
        severity=_name_severity(cover),
        visible=1 - seen,
    )


def _make_field(
    shape: tuple[int, int], cloud: Cloud, shadow: Shadow | None, rng: np.random.Generator
) -> CloudField:
    picture = shape[0] * cloud.pixel_m, shape[1] * cloud.pixel_m
    shift = (0.0, 0.0) if shadow is None else (shadow.down_m, shadow.right_m)
    return make_cloud_field(picture, shift, cloud.pixel_m, cloud.cell_m, cloud.beta, cloud.cover, rng)


def _light_up(field: CloudField, law: CloudLaw, shape: tuple[int, int], cloud: Cloud) -> Plane:
    return light_up(
        field,
        law,
        shape,
        cloud.pixel_m,
        cell_m=cloud.cell_m,
        brightness=cloud.brightness,
        sun_azimuth_deg=cloud.sun_azimuth_deg,
        sun_elevation_deg=cloud.sun_elevation_deg,
    )


def _compose(layer: Layer, cloud: Cloud, seen: Plane, shaded: Plane | None, white: Plane) -> Light:
    """One picture under the clouds; where there is neither cloud nor shadow, what was there, bit for bit."""
    clear = 1 - seen
    shaded_clear = None if shaded is None else clear * shaded
    bands = []
    for index, wavelength_um in enumerate(layer.wavelengths_um):
        lit = clear
        if shaded_clear is not None:
            direct = 1 - diffuse_share(cloud.diffuse, wavelength_um)
            lit = clear - shaded_clear * np.float32(direct)
        band = lit * layer.light[:, :, index]
        band += white * np.float32(1 + cloud.tint_per_um * (wavelength_um - _NEUTRAL_UM))
        bands.append(band)
    return cast(Light, cv2.merge(bands).reshape(layer.light.shape))


def _measure_share(opacity: Plane, valid: Mask | None) -> float:
    covered = opacity > _OPAQUE
    return float((covered if valid is None else covered[valid]).mean())


def _check_visible(before: Light, after: Light, valid: Mask | None, cover: float, dark: float) -> None:
    least = COVER["light"][0]
    if max(cover, dark) < least:
        got = f"{cover:.1%} cloud and {dark:.1%} shadow"
        raise RecordError(Reason.NO_EFFECT, f"cloud wants {least:.0%} of the picture, got {got}")
    step = 2 if valid is None else 1
    changed = np.abs(after[::step, ::step, 0] - before[::step, ::step, 0]) > _LEAST_CHANGE
    share = float((changed if valid is None else changed[valid]).mean())
    if share < least:
        got = f"{share:.1%}: the ground is as bright as the cloud"
        raise RecordError(Reason.NO_EFFECT, f"cloud wants to change {least:.0%} of the picture, got {got}")


def _describe(shadow: Shadow | None, cloud: Cloud) -> dict[str, float | None]:
    """Geometry for the record; None where the sun is too low to cast shadows."""
    down_m, right_m = (None, None) if shadow is None else (shadow.down_m, shadow.right_m)
    return {
        "sun_azimuth_deg": cloud.sun_azimuth_deg,
        "sun_elevation_deg": cloud.sun_elevation_deg,
        "height_m": cloud.height_m,
        "shadow_down_m": down_m,
        "shadow_right_m": right_m,
        "shadow_down_px": None if down_m is None else down_m / cloud.pixel_m,
        "shadow_right_px": None if right_m is None else right_m / cloud.pixel_m,
        "shadow_blur_px": None if shadow is None else shadow.sigma_px,
    }


def _name_severity(cover: float) -> Severity:
    if cover < COVER["light"][1]:
        return "light"
    return "moderate" if cover < COVER["moderate"][1] else "heavy"


def _draw_evenly_in_logarithm(span: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(math.log(span[0]), math.log(span[1]))))
