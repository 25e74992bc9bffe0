"""Rain as it is seen from above: a grey veil over ground that is dark with water. Its drops are too small to see.

    clear  ->  wet ground, by albedo; water stays  ->  slight blur  ->  grey veil
                          wetness                       scattering      transmission

Streaks belong to pictures of a street: from above drops fall along the line of sight, and each is a thousandth of a
pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import AfterValidator

from earthloom.core.errors import RecordError
from earthloom.core.light import Light
from earthloom.core.records import Reason
from earthloom.synthesize.config import EffectSettings, Severity
from earthloom.synthesize.fields import make_power_law_field
from earthloom.synthesize.spans import ShareSpan, Span
from earthloom.synthesize.stack import Mask, Outcome, Plane, Stack, View
from earthloom.synthesize.surface import Ground, see_ground
from earthloom.synthesize.veil import lay_depth_veil

GROUND_LEFT: Mapping[Severity, tuple[float, float]] = {
    "light": (0.66, 0.90),
    "moderate": (0.52, 0.66),
    "heavy": (0.0, 0.52),
}
"""Share of the dry ground's light that still arrives: mean transmission x mean factor of the wet land. Ours: the steps
lie between what transmissions of 0.6 to 0.9 and factors of 0.6 to 0.85 come to when both are weak, middling or strong.
Over 0.9 nobody would call it rain."""
_TRANSMISSION: Mapping[Severity, tuple[float, float]] = {
    "light": (0.82, 0.90),
    "moderate": (0.71, 0.78),
    "heavy": (0.60, 0.66),
}
_WETNESS: Mapping[Severity, tuple[float, float]] = {
    "light": (0.30, 0.45),
    "moderate": (0.55, 0.75),
    "heavy": (0.80, 1.00),
}
WATER_INDEX = 1.333
"""Refractive index of water."""
_GREEN_WETNESS = 0.8
"""Leaves shed water that soil soaks up: their share of the darkening. Ours."""
_SHORE_PX = 1.5
"""Width over which wet ground begins at a shore, so that no line is drawn around a lake."""
_MOST_DEPTH = 10.0
"""Optical depth of the thickest spot, far more than any of the transmissions above needs."""


def _check_blur(blur_px: tuple[float, float]) -> tuple[float, float]:
    if blur_px[1] > 1:
        raise ValueError(
            f"wants at most 1 pixel, got {list(blur_px)}: rain does not put a picture out of focus."
        )
    return blur_px


class RainSettings(EffectSettings):
    """Rain: a soft grey veil over wet, darkened ground; no streaks, which nobody sees from above."""

    effect: Literal["rain"] = "rain"
    airlight: ShareSpan = (0.18, 0.34)
    """Light of the veil itself, of the display's white in linear light: the grey of rain clouds."""
    beta: Span = (3.0, 3.6)
    """Slope of the power spectrum of the veil's thickness: soft and large."""
    uniform: ShareSpan = (0.3, 0.7)
    """Share of the thickness that lies evenly over the picture."""
    blur_px: Annotated[Span, AfterValidator(_check_blur)] = (0.2, 0.5)
    """Standard deviation of the blur by scattering, pixels; at most 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rain:
    """The rain over one place."""

    mean_transmission: float
    """Of the veil, at all wavelengths."""
    airlight: float
    """Linear light, 1 is the display's white."""
    beta: float
    uniform: float
    """Share of the optical depth that lies evenly."""
    wetness: float
    """0 dry ground, 1 soaked."""
    blur_px: float
    """Standard deviation."""


def draw_rain(settings: RainSettings, view: View, severity: Severity, rng: np.random.Generator) -> Rain:
    """Draw the rain over one place."""
    return Rain(
        mean_transmission=float(rng.uniform(*_TRANSMISSION[severity])),
        airlight=float(rng.uniform(*settings.airlight)),
        beta=float(rng.uniform(*settings.beta)),
        uniform=float(rng.uniform(*settings.uniform)),
        wetness=float(rng.uniform(*_WETNESS[severity])),
        blur_px=float(rng.uniform(*settings.blur_px)),
    )


def add_rain(stack: Stack, rain: Rain, rng: np.random.Generator) -> Outcome:
    """Wet the ground of a stack and draw a grey veil over it: `I = J w t + A (1 - t)`; open water is only veiled.

    Wet ground is dark because light is caught under the film of water, which `darken_wet` computes from the albedo
    of each band: dark ground loses 40 %, bright ground little, and colours deepen. The light of the picture is taken
    for the albedo. t is grey, as drops are far larger than any wavelength.

    Returns:
        `measured` is that of the veil (`lay_veil`) and `wet_factor`, the mean light of the wet land against the dry
        one in the first picture (None without land), and `water_share`. `visible` is the transmission.

    Raises:
        RecordError: NO_EFFECT where more than nine tenths of the ground's light are left, or as `lay_veil` does.

    """
    ground = see_ground(stack)
    wetness = _spread_wetness(ground, rain.wetness)
    layers = tuple(
        replace(layer, light=_soak(layer.light, wetness, ground, rain.blur_px)) for layer in stack.layers
    )
    field = make_power_law_field(stack.view.height, stack.view.width, rain.beta, rng)
    outcome = lay_depth_veil(
        replace(stack, layers=layers),
        np.float32(rain.uniform) + np.float32(1 - rain.uniform) * field,
        mean_transmission=rain.mean_transmission,
        angstrom=0.0,
        most_depth=_MOST_DEPTH,
        airlight=lambda _: rain.airlight,
        name="rain",
    )
    wet_factor = _measure_wet(stack, layers[0].light, ground)
    transmission = outcome.measured["mean_transmission"]
    assert isinstance(transmission, float)
    measured = {
        **outcome.measured,
        "wet_factor": None if wet_factor is None else round(wet_factor, 4),
        "water_share": round(float(_take(ground.water, stack.valid).mean()), 4),
    }
    severity = grade_rain(transmission, wet_factor)
    return replace(outcome, measured=measured, severity=severity)


def grade_rain(transmission: float, wet_factor: float | None) -> Severity:
    """Severity by the share of the dry ground's light that is left; without land both count as equally strong.

    Raises RecordError NO_EFFECT where more than nine tenths are left.
    """
    left = transmission * (transmission if wet_factor is None else wet_factor)
    for severity, (low, _) in GROUND_LEFT.items():
        if low <= left <= GROUND_LEFT["light"][1]:
            return severity
    most = GROUND_LEFT["light"][1]
    raise RecordError(Reason.NO_EFFECT, f"rain: at most {most} of the ground's light wanted, got {left:.3f}")


def darken_wet(albedo: Light, wetness: Plane) -> Light:
    """Albedo of wet ground: `a / (n^2 (1 - a) + a)` where it is soaked, less in proportion where it is not.

    Light that the ground scatters is partly thrown back at the surface of the film of water and has another chance to
    be absorbed (Angstrom 1925; Lekner and Dorf, Applied Optics 27:1278, 1988). At n = 1.333 an albedo of .05, .2, .5
    becomes .58, .62, .72 of what it was.

    Args:
        albedo: H x W x C, 0 to 1.
        wetness: H x W, 0 dry to 1 soaked.

    """
    square = np.float32(WATER_INDEX**2)
    soaked = albedo * (1 - square)
    soaked += square
    np.divide(1, soaked, out=soaked)  # factor of soaked ground
    soaked -= 1
    soaked *= wetness[:, :, None]
    soaked += 1
    soaked *= albedo
    return soaked


def _spread_wetness(ground: Ground, wetness: float) -> Plane:
    """How wet each pixel is: nothing on water, less on leaves, rising over a pixel or two from the shore."""
    land = (~ground.water).astype(np.float32)
    inland = np.clip(2 * cv2.GaussianBlur(land, (0, 0), _SHORE_PX) - 1, 0, 1) * land
    absorbed = 1 - np.float32(1 - _GREEN_WETNESS) * ground.vegetation
    return np.asarray(inland * absorbed * np.float32(wetness), np.float32)


def _soak(light: Light, wetness: Plane, ground: Ground, blur_px: float) -> Light:
    """Wet and slightly blurred; water keeps its own light, whatever lies at its shore."""
    wet = darken_wet(light, wetness)
    if blur_px > 0:
        wet = cv2.GaussianBlur(wet, (0, 0), blur_px).reshape(light.shape)
    return np.where(ground.water[:, :, None], light, wet)


def _take(plane: Mask, valid: Mask | None) -> Mask:
    return plane if valid is None else plane[valid]


def _measure_wet(stack: Stack, wet: Light, ground: Ground) -> float | None:
    """Mean light of the wet land against the dry one; None without land, or where that is black."""
    land = ~ground.water if stack.valid is None else ~ground.water & stack.valid
    dry = stack.layers[0].light[land]
    if dry.size == 0 or float(dry.mean()) <= 0:
        return None
    return float(wet[land].mean()) / float(dry.mean())
