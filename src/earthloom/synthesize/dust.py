"""Airborne dust from above: an ochre veil in streaks along the wind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from earthloom.synthesize.config import EffectSettings, Severity
from earthloom.synthesize.fields import make_power_law_field
from earthloom.synthesize.spans import PositiveSpan, ShareSpan, Span
from earthloom.synthesize.stack import BLUE_UM, GREEN_UM, NIR_UM, RED_UM, Outcome, Stack, View
from earthloom.synthesize.veil import draw_transmission, lay_depth_veil

AIRLIGHT_UM = (BLUE_UM, GREEN_UM, RED_UM, NIR_UM)
AIRLIGHT = (0.50, 0.70, 0.85, 0.95)
"""Light of thick dust where it is brightest. Mineral dust absorbs blue (iron oxides) and hardly anything beyond red:
near infrared continues the flattening rise of the colours, and longer waves stay there."""
_MOST_DEPTH = 12.0
"""Optical depth at 0.55 um of the thickest spot; dust storms reach about 10."""


class DustSettings(EffectSettings):
    """Dust: an ochre veil in streaks along the wind."""

    effect: Literal["dust"] = "dust"
    brightness: ShareSpan = (0.8, 1.0)
    """Light of the dust itself, of red 0.85, green 0.70, blue 0.50 and near infrared 0.95 of the display's white."""
    angstrom: Span = (0.0, 0.4)
    """How much more blue than red is held back (Angstrom exponent): near 0 for coarse dust."""
    beta: Span = (3.0, 3.8)
    """Slope of the power spectrum of its thickness; larger is smoother."""
    stretch: PositiveSpan = (1.5, 4.0)
    """How many times longer than wide its streaks are."""
    uniform: ShareSpan = (0.1, 0.6)
    """Share of the thickness that lies evenly over the picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dust:
    """What was drawn for one place."""

    mean_transmission: float
    """Wanted, at the middle band of the first picture (green of RGB)."""
    brightness: float
    angstrom: float
    beta: float
    stretch: float
    wind_deg: float
    """Direction of the streaks, degrees clockwise from the top of the picture, 0 to 180."""
    uniform: float
    """Share of the optical depth that lies evenly."""


def draw_dust(settings: DustSettings, view: View, severity: Severity, rng: np.random.Generator) -> Dust:
    """Draw the dust of one place."""
    return Dust(
        mean_transmission=draw_transmission(severity, rng),
        brightness=float(rng.uniform(*settings.brightness)),
        angstrom=float(rng.uniform(*settings.angstrom)),
        beta=float(rng.uniform(*settings.beta)),
        stretch=float(rng.uniform(*settings.stretch)),
        wind_deg=float(rng.uniform(0, 180)),
        uniform=float(rng.uniform(*settings.uniform)),
    )


def add_dust(stack: Stack, dust: Dust, rng: np.random.Generator) -> Outcome:
    """Lay dust over a stack: `I = J t + A (1 - t)`, `t = exp(-tau)`, `tau` by Angstrom's law with an exponent near 0.

    The exponents of coarse dust are those of Eck et al. (JGR 1999); the colour and the streaks are our own choice.
    The mean transmission at the middle band of the first picture is the drawn one. Raises RecordError NO_EFFECT as
    `lay_veil` does.
    """
    view = stack.view
    pattern = make_power_law_field(
        view.height, view.width, dust.beta, rng, stretch=dust.stretch, along_deg=dust.wind_deg
    )
    return lay_depth_veil(
        stack,
        np.float32(dust.uniform) + np.float32(1 - dust.uniform) * pattern,
        mean_transmission=dust.mean_transmission,
        angstrom=dust.angstrom,
        most_depth=_MOST_DEPTH,
        airlight=lambda um: dust.brightness * float(np.interp(um, AIRLIGHT_UM, AIRLIGHT)),
        name="dust",
    )
