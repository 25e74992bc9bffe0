"""What lies in the air between the ground and the sensor: fog, haze, dust and smoke seen from above.

    I(x) = J(x) t(x) + A (1 - t(x))

I is the light that arrives, J that of the clear ground, t the share of it that passes and A the airlight, the light
of the veil itself where nothing shines through it; all per wavelength, in linear light. From above the way through
the air is as long everywhere, so that t follows the amount of matter in the column and no depth of the scene.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import cast

import cv2
import numpy as np

from earthloom.core.errors import RecordError
from earthloom.core.light import Floats, Light
from earthloom.core.records import Reason
from earthloom.synthesize.config import Severity
from earthloom.synthesize.stack import Layer, Mask, Outcome, Plane, Stack
from earthloom.synthesize.unveil import recover_contrast

HAZE_UM = 0.443
"""Wavelength at which the RS-Haze law starts: band 1 of Landsat 8."""
ANGSTROM_UM = 0.55
"""Wavelength at which optical depths of aerosols are given."""
TRANSMISSION: dict[Severity, tuple[float, float]] = {
    "light": (0.80, 0.95),
    "moderate": (0.55, 0.80),
    "heavy": (0.25, 0.55),
}
"""Mean transmission of each severity. Our own steps: no published ones are known for veils seen from above."""
WITHIN = 0.004
"""What is asked for keeps this distance from the steps, so that the word measured is the word asked for."""
_LEAST_CHANGE = 1.5 / 255
"""Mean change of linear light under which nobody sees a veil: three to four 8-bit steps of a dark picture, less than
one of a bright one."""
_N_LEVELS = 2**16
_N_SAMPLES = 8192


def compose_veil(light: Plane, transmission: Plane, airlight: float) -> Plane:
    """Lay a veil over one band: `J t + A (1 - t)`, all H x W, float32, linear light."""
    veiled = light - np.float32(airlight)
    veiled *= transmission
    veiled += np.float32(airlight)
    return veiled


def haze_exponent(transmission: Floats) -> Floats:
    """Exponent gamma of the RS-Haze law from the transmission at 0.443 um (Song et al., IEEE TIP 2023).

    A cubic in 1 - t, clipped to 0 to 4: thin haze scatters almost as air does, thick haze as grey as fog.
    """
    u = 1 - transmission
    cubic = -21.547 * u**3 + 41.224 * u**2 - 27.465 * u + 6.537
    return np.asarray(np.clip(cubic, 0, 4))


def haze_exponent_logarithmic(transmission: Floats) -> Floats:
    """The same by RS-Haze's second fit: 0.4318 - 1.896 ln ln (1 / t), clipped to 0 to 4."""
    inside = np.clip(transmission, 1e-12, 1 - 1e-12)
    return np.asarray(np.clip(0.4318 - 1.896 * np.log(np.log(1 / inside)), 0, 4))


def haze_transmission(
    transmission: Floats, wavelength_um: float, exponent: Callable[[Floats], Floats] = haze_exponent
) -> Floats:
    """Transmission at a wavelength from that at 0.443 um, t1: `t1 ** ((0.443 / wavelength) ** gamma(t1))` (RS-Haze)."""
    power = (HAZE_UM / wavelength_um) ** exponent(transmission)
    return np.asarray(transmission**power)


def haze_plane(obscuration: Plane, wavelength_um: float) -> Plane:
    """Transmission of `haze_transmission` from 1 - t1, through a table of 65,536 levels (error under 0.0001).

    Args:
        obscuration: H x W, 0 to 1.
        wavelength_um: micrometres.

    """
    levels = obscuration * np.float32(_N_LEVELS - 1)
    levels += np.float32(0.5)
    return _haze_table(wavelength_um).take(levels.astype(np.uint16))


@lru_cache(maxsize=16)
def _haze_table(wavelength_um: float) -> Plane:
    obscuration = np.arange(_N_LEVELS) / (_N_LEVELS - 1)
    return haze_transmission(1 - obscuration, wavelength_um).astype(np.float32)


def angstrom_depth(depth_550: float, wavelength_um: float, alpha: float) -> float:
    """Optical depth at a wavelength from that at 0.55 um: `depth (0.55 / wavelength) ** alpha` (Angstrom 1929)."""
    return float(depth_550 * (ANGSTROM_UM / wavelength_um) ** alpha)


def solve_strength(
    mean_transmission: Callable[[float], float], wanted: float, most: float, n_steps: int = 30
) -> float:
    """The strength, 0 to `most`, at which a falling mean transmission is the wanted one; `most` if it stays above."""
    if mean_transmission(most) >= wanted:
        return most
    low, high = 0.0, most
    for _ in range(n_steps):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_transmission(middle) > wanted else (low, middle)
    return (low + high) / 2


def sample_field(field: Plane, valid: Mask | None) -> Plane:
    """Some thousand values of a field on an even grid, of pixels with data only: enough for its mean.

    Raises RecordError NO_EFFECT where no pixel holds data.
    """
    step = max(1, int((field.size / _N_SAMPLES) ** 0.5))
    if valid is None:
        return field[::step, ::step].ravel()
    sampled = field[::step, ::step][valid[::step, ::step]]
    if sampled.size < _N_SAMPLES // 16:
        sampled = field[valid]
    if sampled.size == 0:
        raise RecordError(Reason.NO_EFFECT, "a pixel with data to lay a veil over was wanted, got none")
    return sampled


def draw_transmission(severity: Severity, rng: np.random.Generator) -> float:
    """Mean transmission inside the range of a severity."""
    low, high = TRANSMISSION[severity]
    return float(rng.uniform(low + WITHIN, high - WITHIN))


def grade_transmission(mean: float) -> Severity | None:
    """Severity of a measured mean transmission; None where it is too high to be seen."""
    if mean > TRANSMISSION["light"][1]:
        return None
    return next((word for word in TRANSMISSION if mean >= TRANSMISSION[word][0]), "heavy")


def reference_um(stack: Stack) -> float:
    """Wavelength at which a stack's veil is measured: the middle channel of its first picture, green in RGB."""
    wavelengths = sorted(stack.layers[0].wavelengths_um)
    return wavelengths[len(wavelengths) // 2]


def lay_veil(
    stack: Stack, transmit: Callable[[float], Plane], airlight: Callable[[float], float], name: str
) -> Outcome:
    """Lay one veil over all pictures of a stack and measure it.

    Args:
        stack: what is seen without it.
        transmit: transmission, H x W, at a wavelength in micrometres.
        airlight: linear light of the veil itself at a wavelength.
        name: of the effect, for the refusal.

    Returns:
        `visible` is the transmission at `reference_um`; `measured` holds the mean, least and most of it and the share
        of the ground's contrast that is left in the picture by regression (None for ground without contrast).

    Raises:
        RecordError: NO_EFFECT where the mean transmission is over 0.95, or the ground is as bright as the veil.

    """
    reference = reference_um(stack)
    visible = transmit(reference)
    seen = _take(visible, stack.valid)
    if seen.size == 0:
        raise RecordError(Reason.NO_EFFECT, f"{name}: a pixel with data wanted, got none")
    mean = float(seen.mean())
    severity = grade_transmission(mean)
    if severity is None:
        most = TRANSMISSION["light"][1]
        raise RecordError(
            Reason.NO_EFFECT, f"{name}: a mean transmission of at most {most} wanted, got {mean:.3f}"
        )
    layers = tuple(_veil_bands(layer, {reference: visible}, transmit, airlight) for layer in stack.layers)
    band = stack.layers[0].wavelengths_um.index(reference)
    clear, veiled = stack.layers[0].light[:, :, band], layers[0][:, :, band]
    change = float(np.abs(_take(veiled - clear, stack.valid)).mean())
    if change < _LEAST_CHANGE:
        raise RecordError(
            Reason.NO_EFFECT,
            f"{name}: a mean change of light of at least {_LEAST_CHANGE:.4f} wanted, got {change:.4f}",
        )
    measured = _measure(seen, reference, clear, veiled)
    return Outcome(layers=layers, measured=measured, severity=severity, visible=visible)


def lay_depth_veil(
    stack: Stack,
    thickness: Plane,
    *,
    mean_transmission: float,
    angstrom: float,
    most_depth: float,
    airlight: Callable[[float], float],
    name: str,
) -> Outcome:
    """Lay a veil of a given pattern, scaled to a wanted mean transmission; its optical depth follows Angstrom's law.

    Args:
        stack: what is seen without it.
        thickness: relative optical depth, H x W, at least 0.
        mean_transmission: wanted at `reference_um`, over the pixels with data.
        angstrom: exponent of the law.
        most_depth: optical depth at 0.55 um, where `thickness` is 1, beyond which the scale is not raised: the veil
            then stays thinner than wanted.
        airlight: linear light of the veil itself at a wavelength.
        name: of the effect, for refusals.

    Returns:
        As `lay_veil`, and in `measured` the mean optical depth at 0.55 um.

    """
    sampled = sample_field(thickness, stack.valid)
    at_reference = -angstrom_depth(1.0, reference_um(stack), angstrom)

    def mean_at(depth: float) -> float:
        return float(np.exp(sampled * np.float32(depth * at_reference)).mean())

    depth = solve_strength(mean_at, mean_transmission, most_depth)

    def transmit(wavelength_um: float) -> Plane:
        scale = -angstrom_depth(depth, wavelength_um, angstrom)
        return np.asarray(np.exp(thickness * np.float32(scale)), np.float32)

    outcome = lay_veil(stack, transmit, airlight, name)
    mean_depth = round(depth * float(sampled.mean()), 4)
    return replace(outcome, measured={**outcome.measured, "mean_depth_550": mean_depth})


def _take(plane: Plane, valid: Mask | None) -> Plane:
    return plane if valid is None else plane[valid]


def _veil_bands(
    layer: Layer,
    known: Mapping[float, Plane],
    transmit: Callable[[float], Plane],
    airlight: Callable[[float], float],
) -> Light:
    bands = [
        compose_veil(band, known[um] if um in known else transmit(um), airlight(um))
        for band, um in zip(cv2.split(layer.light), layer.wavelengths_um, strict=True)
    ]
    return cast(Light, cv2.merge(bands).reshape(layer.light.shape))


def _measure(seen: Plane, at_um: float, clear: Plane, veiled: Plane) -> dict[str, float | None]:
    return {
        "at_um": at_um,
        "mean_transmission": round(float(seen.mean()), 4),
        "least_transmission": round(float(seen.min()), 4),
        "most_transmission": round(float(seen.max()), 4),
        "contrast_left": recover_contrast(clear, veiled),
    }
