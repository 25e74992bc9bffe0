"""Haze by the law of RS-Haze: thinner than fog, and blue light is held back far more than red and near infrared."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from earthloom.synthesize.cirrus import CirrusCut, draw_cut, make_pattern
from earthloom.synthesize.config import EffectSettings, Severity
from earthloom.synthesize.spans import ShareSpan, Span
from earthloom.synthesize.stack import GREEN_UM, Outcome, Plane, Stack, View
from earthloom.synthesize.veil import (
    TRANSMISSION,
    WITHIN,
    haze_plane,
    lay_veil,
    reference_um,
    sample_field,
    solve_strength,
)

AIRLIGHT_UM = (0.443, 0.4825, 0.5625, 0.655, 0.865, 1.61, 2.2)
AIRLIGHT_RATIOS = (0.8360, 0.8146, 0.8750, 0.9203, 1.0875, 1.0282, 0.9718)
"""Mean airlight of 77 real Landsat 8 scenes against that of the two short-wave infrared bands (RS-Haze)."""
_MOST_OBSCURATION = 0.98
"""Of 0.443 um at the thickest spot: the law is a fit of veils through which something is still seen."""
_THICKEST = 0.45
"""Least mean transmission of heavy haze. What lets less pass is grey by the law, and called fog."""


class HazeSettings(EffectSettings):
    """Haze: a thin bluish veil that spares red and near infrared."""

    effect: Literal["haze"] = "haze"
    airlight: ShareSpan = (0.6, 0.9)
    """Light of the haze itself in green, of the display's white in linear light; other bands follow RS-Haze's means."""
    beta: Span = (2.7, 3.6)
    """Slope of the power spectrum of its thickness, larger is smoother; nine real cirrus bands have 2.65 to 3.55."""
    uniform: ShareSpan = (0.1, 0.6)
    """Share of the thickness that lies evenly over the picture; more where haze as heavy as asked needs it."""
    fields: str | None = None
    """Folder of single-band rasters, such as Landsat 8 cirrus bands, or a pattern of their names (`cirrus/*_B9.tiff`):
    their patterns are used instead of noise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Haze:
    """What was drawn for one place."""

    mean_transmission: float
    """Wanted, at the middle band of the first picture (green of RGB)."""
    airlight: float
    """In green, of the display's white, linear."""
    uniform: float
    """Share of the thickness that lies evenly."""
    beta: float | None
    """None where the pattern is a real one."""
    fields: str | None = None
    """Folder of real patterns, or a pattern of their names."""
    cut: CirrusCut | None = None


def draw_haze(settings: HazeSettings, view: View, severity: Severity, rng: np.random.Generator) -> Haze:
    """Draw the haze of one place: what is held back is log-uniform inside the severity, as RS-Haze draws its w."""
    real = settings.fields
    return Haze(
        mean_transmission=_draw_transmission(severity, rng),
        airlight=float(rng.uniform(*settings.airlight)),
        uniform=float(rng.uniform(*settings.uniform)),
        beta=float(rng.uniform(*settings.beta)) if real is None else None,
        fields=real,
        cut=None if real is None else draw_cut(Path(real), view, rng),
    )


def add_haze(stack: Stack, haze: Haze, rng: np.random.Generator) -> Outcome:
    """Lay haze over a stack by RS-Haze's law (Song et al., IEEE TIP 2023; zhuqinghe/RS-Haze, synthesis.py).

    `t1 = 1 - w C` at 0.443 um, with C an even part and a pattern (power-law noise or a real cirrus field) and w such
    that the mean transmission at the middle band of the first picture is the drawn one; `t_j = t1 ** ((0.443 /
    wavelength) ** gamma(t1))`; `I = J t + A (1 - t)` with A in RS-Haze's mean proportions of the bands. `measured`
    holds w. Raises RecordError NO_EFFECT as `lay_veil` does.
    """
    pattern = make_pattern(stack.view, haze.beta, haze.fields, haze.cut, rng)
    thickness = np.float32(haze.uniform) + np.float32(1 - haze.uniform) * pattern
    return lay_haze(stack, thickness, haze.mean_transmission, haze.airlight)


def lay_haze(stack: Stack, thickness: Plane, mean_transmission: float, airlight: float) -> Outcome:
    """Lay haze of a given pattern, H x W, 0 to 1, over a stack: see `add_haze`.

    Where the largest w leaves too much light, as over a pattern of a few bright spots, the pattern is lifted evenly:
    `lifted` of `measured` is how far, 0 to 1.
    """
    sampled = sample_field(thickness, stack.valid)
    reference = reference_um(stack)

    def mean_at(w: float, lifted: float = 0.0) -> float:
        obscuration = (lifted + (1 - lifted) * sampled) * np.float32(w)
        return float(haze_plane(obscuration, reference).mean())

    w = solve_strength(mean_at, mean_transmission, _MOST_OBSCURATION)
    lifted = 0.0
    if w == _MOST_OBSCURATION:
        lifted = solve_strength(lambda share: mean_at(w, share), mean_transmission, 1.0)
    obscuration = (np.float32(lifted) + np.float32(1 - lifted) * thickness) * np.float32(w)

    def transmit(wavelength_um: float) -> Plane:
        return haze_plane(obscuration, wavelength_um)

    outcome = lay_veil(stack, transmit, lambda um: haze_airlight(airlight, um), "haze")
    return replace(outcome, measured={**outcome.measured, "w": round(w, 4), "lifted": round(lifted, 4)})


def haze_airlight(green: float, wavelength_um: float) -> float:
    """Airlight at a wavelength from that in green, at most 1: RS-Haze's mean ratios, linear in between."""
    ratios = np.interp([wavelength_um, GREEN_UM], AIRLIGHT_UM, AIRLIGHT_RATIOS)
    return min(1.0, green * float(ratios[0] / ratios[1]))


def _draw_transmission(severity: Severity, rng: np.random.Generator) -> float:
    low, high = TRANSMISSION[severity]
    low = max(low, _THICKEST)
    return 1 - math.exp(rng.uniform(math.log(1 - high + WITHIN), math.log(1 - low - WITHIN)))
