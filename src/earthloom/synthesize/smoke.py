"""Smoke from above: a plume that widens and thins with the wind, bluish-grey, nearly clear in the near infrared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from earthloom.synthesize.config import EffectSettings, Severity
from earthloom.synthesize.fields import make_power_law_field
from earthloom.synthesize.spans import PositiveSpan, ShareSpan, Span
from earthloom.synthesize.stack import BLUE_UM, GREEN_UM, NIR_UM, RED_UM, Outcome, Plane, Stack, View
from earthloom.synthesize.veil import draw_transmission, lay_depth_veil

AIRLIGHT_UM = (BLUE_UM, GREEN_UM, RED_UM, NIR_UM)
AIRLIGHT = (0.82, 0.77, 0.75, 0.71)
"""Light of thick smoke of the display's white; near infrared continues the fall from green to red."""
_MOST_DEPTH = 8.0
"""Optical depth at 0.55 um where the plume is thickest on average; dense smoke near large fires reaches 5 to 10."""
_WIDTHS: dict[Severity, tuple[float, float]] = {
    "light": (0.05, 0.14),
    "moderate": (0.16, 0.4),
    "heavy": (0.5, 1.2),
}
"""Half width of the plume in the middle of the picture, of the picture's shorter side."""
_MEANDER = 0.45
"""How far turbulence moves the plume's edge, standard deviation, of its half width."""


class SmokeSettings(EffectSettings):
    """Smoke: a plume along the wind that hides the visible and hardly the near infrared."""

    effect: Literal["smoke"] = "smoke"
    brightness: ShareSpan = (0.6, 0.95)
    """Light of the smoke itself, of red 0.75, green 0.77, blue 0.82 and near infrared 0.71 of the display's white."""
    angstrom: Span = (1.3, 2.2)
    """How much more blue than red is held back (Angstrom exponent): high for the fine particles of smoke."""
    half_width_m: PositiveSpan = (60.0, 8000.0)
    """Half width of a plume in the middle of the picture (standard deviation across the wind), where the ground
    distance of pixels is known: a picture finer than this lies inside of its plume."""
    spread: PositiveSpan = (0.06, 0.16)
    """Growth of the half width per distance from the fire; 0.06 in still, 0.16 in turbulent air (Briggs 1973)."""
    turbulence: Span = (0.35, 0.65)
    """Standard deviation of the logarithm of the smoke's thickness."""
    beta: Span = (3.0, 3.7)
    """Slope of the power spectrum of its billows, between 8/3 of a thin slice of developed turbulence (Kolmogorov) and
    11/3 of a deep column; under 3 the plume looks like fur."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Smoke:
    """What was drawn for one place; pixels are those of the picture, x right, y down."""

    mean_transmission: float
    """Wanted, at the middle band of the first picture (green of RGB)."""
    brightness: float
    angstrom: float
    wind_deg: float
    """Where the smoke drifts to, degrees clockwise from the top of the picture."""
    half_width_px: float
    """Across the wind, where the plume passes the middle of the picture."""
    half_width_m: float | None
    """The same on the ground; None where the ground distance of pixels is unknown."""
    spread: float
    """Growth of the half width per distance."""
    fire_px: float
    """Half width at the fire."""
    x_px: float
    y_px: float
    """Where the fire is; it may lie outside."""
    turbulence: float
    beta: float
    stretch: float
    """How many times longer than wide its billows are."""


def draw_smoke(settings: SmokeSettings, view: View, severity: Severity, rng: np.random.Generator) -> Smoke:
    """Draw the plume of one place: wider for heavier smoke, within what plumes are where the scale is known."""
    side = min(view.height, view.width)
    half_width = side * float(rng.uniform(*_WIDTHS[severity]))
    if view.pixel_m is not None:
        least, most = settings.half_width_m
        half_width = min(max(half_width, least / view.pixel_m), most / view.pixel_m)
    spread = float(rng.uniform(*settings.spread))
    fire = half_width * float(rng.uniform(0.1, 0.35))
    wind = float(rng.uniform(0, 360))
    distance = (half_width - fire) / spread
    across = min(half_width, side * 0.4) * float(rng.uniform(-0.8, 0.8))
    right, down = math.sin(math.radians(wind)), -math.cos(math.radians(wind))
    return Smoke(
        mean_transmission=draw_transmission(severity, rng),
        brightness=float(rng.uniform(*settings.brightness)),
        angstrom=float(rng.uniform(*settings.angstrom)),
        wind_deg=wind,
        half_width_px=half_width,
        half_width_m=None if view.pixel_m is None else half_width * view.pixel_m,
        spread=spread,
        fire_px=fire,
        x_px=view.width / 2 - distance * right - across * down,
        y_px=view.height / 2 - distance * down + across * right,
        turbulence=float(rng.uniform(*settings.turbulence)),
        beta=float(rng.uniform(*settings.beta)),
        stretch=float(rng.uniform(1.1, 2.0)),
    )


def add_smoke(stack: Stack, smoke: Smoke, rng: np.random.Generator) -> Outcome:
    """Lay a plume of smoke over a stack: `I = J t + A (1 - t)`, `t = exp(-tau)`, `tau` by Angstrom's law.

    The column of a Gaussian plume, whose half width grows with the distance from the fire and which thins as it
    widens (Briggs 1973; integrated over height), times log-normal turbulence that also frays its edges. It is scaled
    to the drawn mean transmission at the middle band of the first picture, as far as smoke gets so dense. Exponents
    "over 2 for fine smoke": Eck et al. (JGR 1999). Raises RecordError NO_EFFECT as `lay_veil` does.
    """
    return lay_depth_veil(
        stack,
        make_plume(smoke, stack.view.height, stack.view.width, rng),
        mean_transmission=smoke.mean_transmission,
        angstrom=smoke.angstrom,
        most_depth=_MOST_DEPTH,
        airlight=lambda um: smoke.brightness * float(np.interp(um, AIRLIGHT_UM, AIRLIGHT)),
        name="smoke",
    )


def make_plume(smoke: Smoke, height: int, width: int, rng: np.random.Generator) -> Plane:
    """Relative optical depth of a plume, H x W, float32: 1 in the middle of the plume near the picture's middle."""
    billows = _make_turbulence(smoke, height, width, rng)
    fraying = _make_turbulence(smoke, height, width, rng)
    downwind, crosswind = _measure_from_fire(smoke, height, width)
    half_width = smoke.fire_px + smoke.spread * np.maximum(downwind, 0)
    crosswind += _MEANDER * fraying * half_width
    upwind = np.minimum(downwind, 0) / smoke.fire_px  # behind the fire the smoke ends as roundly as the fire
    shape = np.exp(-0.5 * (np.square(crosswind / half_width) + np.square(upwind)))
    thinned = smoke.half_width_px / half_width
    uneven = np.exp(smoke.turbulence * billows - smoke.turbulence**2 / 2)
    return np.asarray(shape * thinned * uneven, np.float32)


def _make_turbulence(smoke: Smoke, height: int, width: int, rng: np.random.Generator) -> Plane:
    """Of mean 0 and standard deviation 1."""
    field = make_power_law_field(
        height, width, smoke.beta, rng, stretch=smoke.stretch, along_deg=smoke.wind_deg
    )
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-6), np.float32)


def _measure_from_fire(smoke: Smoke, height: int, width: int) -> tuple[Plane, Plane]:
    right, down = math.sin(math.radians(smoke.wind_deg)), -math.cos(math.radians(smoke.wind_deg))
    x = np.arange(width, dtype=np.float32) + np.float32(0.5 - smoke.x_px)
    y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5 - smoke.y_px)
    downwind = x * np.float32(right) + y * np.float32(down)
    crosswind = y * np.float32(right) - x * np.float32(down)
    return downwind, crosswind
