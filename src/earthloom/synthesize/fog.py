"""Fog and low stratus from above: thick, nearly grey, brighter than most ground."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from earthloom.synthesize.cirrus import CirrusCut, draw_cut, make_pattern
from earthloom.synthesize.config import EffectSettings, Severity
from earthloom.synthesize.spans import ShareSpan, Span
from earthloom.synthesize.stack import Outcome, Stack, View
from earthloom.synthesize.veil import draw_transmission, lay_depth_veil

_MOST_DEPTH = 60.0
"""Optical depth at 0.55 um of the thickest spot: fog reaches this, and nothing shines through a tenth of it."""


class FogSettings(EffectSettings):
    """Fog: a thick, nearly grey veil whose thickness varies."""

    effect: Literal["fog"] = "fog"
    airlight: ShareSpan = (0.75, 1.0)
    """Light of the fog itself, of the display's white in linear light."""
    angstrom: Span = (0.0, 0.15)
    """How much more blue than red is held back (Angstrom exponent). Droplets are far larger than the wavelength: 0."""
    beta: Span = (2.7, 3.6)
    """Slope of the power spectrum of its thickness, larger is smoother; nine real cirrus bands have 2.65 to 3.55."""
    uniform: ShareSpan = (0.05, 0.5)
    """Share of the thickness that lies evenly over the picture."""
    fields: str | None = None
    """Folder of single-band rasters, such as Landsat 8 cirrus bands, or a pattern of their names (`cirrus/*_B9.tiff`):
    their patterns are used instead of noise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fog:
    """What was drawn for one place."""

    mean_transmission: float
    """Wanted, at the middle band of the first picture (green of RGB)."""
    airlight: float
    """Of the display's white, linear; the same in all bands."""
    angstrom: float
    uniform: float
    """Share of the optical depth that lies evenly."""
    beta: float | None
    """None where the pattern is a real one."""
    fields: str | None = None
    """Folder of real patterns, or a pattern of their names."""
    cut: CirrusCut | None = None


def draw_fog(settings: FogSettings, view: View, severity: Severity, rng: np.random.Generator) -> Fog:
    """Draw the fog of one place."""
    real = settings.fields
    return Fog(
        mean_transmission=draw_transmission(severity, rng),
        airlight=float(rng.uniform(*settings.airlight)),
        angstrom=float(rng.uniform(*settings.angstrom)),
        uniform=float(rng.uniform(*settings.uniform)),
        beta=float(rng.uniform(*settings.beta)) if real is None else None,
        fields=real,
        cut=None if real is None else draw_cut(Path(real), view, rng),
    )


def add_fog(stack: Stack, fog: Fog, rng: np.random.Generator) -> Outcome:
    """Lay fog over a stack: `I = J t + A (1 - t)`, `t = exp(-tau)` (Koschmieder 1924, as for any veil in `veil`).

    The optical depth tau is an even part and a pattern (power-law noise or a real cirrus field), scaled so that the
    mean transmission at the middle band of the first picture is the drawn one; other bands follow Angstrom's law.
    What was measured and its severity are of that band too. Raises RecordError NO_EFFECT as `lay_veil` does.
    """
    pattern = make_pattern(stack.view, fog.beta, fog.fields, fog.cut, rng)
    thickness = np.float32(fog.uniform) + np.float32(1 - fog.uniform) * pattern
    return lay_depth_veil(
        stack,
        thickness,
        mean_transmission=fog.mean_transmission,
        angstrom=fog.angstrom,
        most_depth=_MOST_DEPTH,
        airlight=lambda _: fog.airlight,
        name="fog",
    )
