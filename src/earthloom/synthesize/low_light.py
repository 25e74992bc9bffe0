"""Low light: little, cool light on the ground, seen by a camera that is at its limits.

    clear, linear  ->  x light left  ->  x cast  (+ lamps)  ->  shot and read noise  ->  converter  ->  x gain
                           k             by wavelength             sensor                 12-16 bit     exposure

The scenes of MMM-RS call it night. A night picture from orbit, all lamps and no ground, is another kind of picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field, model_validator

from earthloom.core.errors import RecordError
from earthloom.core.light import LUMINANCE, Light, encode_srgb
from earthloom.core.records import Reason
from earthloom.metrics.structure import structure_term
from earthloom.synthesize.config import EffectSettings, Severity
from earthloom.synthesize.lamps import lamp_colour, light_lamps
from earthloom.synthesize.sensor import Sensor, draw_sensor, make_noise, quantise
from earthloom.synthesize.spans import Span
from earthloom.synthesize.stack import (
    BLUE_UM,
    GREEN_UM,
    NIR_UM,
    RED_UM,
    Layer,
    Mask,
    Outcome,
    Plane,
    Stack,
    View,
)

LIGHT_LEFT: Mapping[Severity, tuple[float, float]] = {
    "light": (0.12, 0.50),
    "moderate": (0.05, 0.12),
    "heavy": (0.0, 0.05),
}
"""Mean light of each severity against that of the clear picture; over one half nobody would call it dark. Ours:
steps of about 1.3 f-stops over the 0.02 to 0.3 that is drawn, with MAET's mean of 0.1 (ICCV 2021) in the middle."""
_ASKED: Mapping[Severity, tuple[float, float]] = {
    "light": (0.125, 0.30),
    "moderate": (0.052, 0.115),
    "heavy": (0.02, 0.048),
}
_LAMPS_UNDER = 0.12
"""Street lamps burn where less light than this is left."""
_LEAST_LIGHT = 2e-3
"""Mean linear light, about six 8-bit steps, under which a clear picture is black already."""
_GAIN_POWER = 0.6
"""Of the f-stops that are missing, how many the camera makes up: what is darker must still look darker."""
_MOST_GAIN = 16.0
"""Four f-stops."""
_STRUCTURE_SIDE = 192
"""Structure is measured on a picture reduced to this: fast, and of what is seen."""


class LowLightSettings(EffectSettings):
    """Little, cool light: darkened, with a cast, noise and steps of a camera, and exposed until it can be read."""

    effect: Literal["low_light"] = "low_light"
    red: Span = (0.8, 1.1)
    """Red light against green. Red and blue are drawn together: the less red, the bluer, as from dusk to moonlight."""
    blue: Span = (0.9, 1.3)
    """Blue light against green."""
    shot: Span = (1e-4, 0.012)
    """Variance of the shot noise for full light, what one electron is worth; drawn evenly in the logarithm."""
    bits: tuple[Literal[12, 14, 16], ...] = Field((12, 14, 16), min_length=1)
    """Of the camera's converter; one of these is drawn."""
    least_snr: float = Field(3.0, ge=0, le=30)
    """What signal against noise a pixel of middle grey keeps at least, at whatever light is left: cameras too noisy
    for it are not drawn. At 3, an object of three pixels reaches the 5 at which it is told from noise (Rose 1948)."""
    exposed_to: Span = (0.012, 0.024)
    """Mean linear light, 1 is white, towards which the camera raises a picture that is darker still: by 0.6 of the
    f-stops that are missing, by a factor of 16 at most, and never to more than half of the clear picture. `[0, 0]`
    leaves it as dark as it is."""
    lamps: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How often street lamps burn in moderate and heavy darkness. They stand only where the scene's mask knows towns or
    buildings, and on the roads among these."""
    lamp_light: Span = (0.06, 0.18)
    """Light beneath a lamp, 1 is daylight: far more than real lamps give, as the rest of the scene is lit too."""

    @model_validator(mode="after")
    def _check_shot(self) -> LowLightSettings:
        if self.shot[0] <= 0 or self.shot[1] > 1:
            raise ValueError(
                f"shot wants [least, most] over 0 and up to 1, got {list(self.shot)}: MAET's is [1e-4, 0.012]."
            )
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class LowLight:
    """The darkness of one place and the camera it was seen by."""

    light_left: float
    """Of the clear picture's, before any cast, lamp or exposure."""
    red: float
    """Light at 0.655 um against that at 0.5625 um."""
    blue: float
    """Light at 0.4825 um against that at 0.5625 um."""
    shot: float
    """Variance of the shot noise per light, 1 where the sensor is full."""
    read: float
    """Variance of the read noise."""
    bits: int
    """Of the converter."""
    exposed_to: float
    """Mean linear light that the camera raises the picture to."""
    lamp_light: float
    """Beneath a lamp, 1 is daylight; 0 where none burns."""
    lamp_temperature_k: float
    """Of their light."""


def draw_low_light(
    settings: LowLightSettings, view: View, severity: Severity, rng: np.random.Generator
) -> LowLight:
    """Draw the light, its cast and a camera for one place."""
    low, high = _ASKED[severity]
    light_left = math.exp(rng.uniform(math.log(low), math.log(high)))
    coolness = rng.uniform(0.4, 1)  # the warm end would be a sunset
    sensor = draw_sensor(settings.shot, settings.bits, settings.least_snr, light_left, rng)
    exposed_to = float(rng.uniform(*settings.exposed_to))
    burns = rng.random() < settings.lamps and light_left < _LAMPS_UNDER
    lamp_light = float(rng.uniform(*settings.lamp_light))
    return LowLight(
        light_left=light_left,
        red=settings.red[1] - coolness * (settings.red[1] - settings.red[0]),
        blue=settings.blue[0] + coolness * (settings.blue[1] - settings.blue[0]),
        shot=sensor.shot,
        read=sensor.read,
        bits=sensor.bits,
        exposed_to=exposed_to,
        lamp_light=lamp_light if burns else 0.0,
        lamp_temperature_k=float(rng.uniform(2700, 4000)),
    )


def add_low_light(stack: Stack, low_light: LowLight, rng: np.random.Generator) -> Outcome:
    """Darken a stack, all its pictures by one factor and one exposure; each has noise of its own.

    The order is that of a camera (MAET, Cui et al., ICCV 2021; noise after Foi et al. 2008, see `sensor`). Light left
    and noise are measured before the exposure, which changes neither.

    Returns:
        `measured`: `light_ratio`, mean light against that of the clear picture; `gain` of the exposure; variance of
        the noise and mean signal against it, before the gain, of the first picture; `structure_before_noise`, the
        structure term of SSIM between the clear picture and the one that the sky alone lights, as shown, before
        noise; `lamp_share` of the ground that is lit more by lamps than by the sky (None where no lamp burns).

    Raises:
        RecordError: NO_EFFECT where the clear picture is black already, or lamps keep it brighter than half.

    """
    clear = _mean_light(stack.layers[0].light, stack.valid)
    if clear < _LEAST_LIGHT:
        raise RecordError(
            Reason.NO_EFFECT, f"low_light: a mean light of {_LEAST_LIGHT} or more wanted, got {clear:.5f}"
        )
    lamps = light_lamps(stack.classes, stack.view.pixel_m, rng) if low_light.lamp_light else None
    dark = [_darken(layer, low_light, lamps) for layer in stack.layers]
    sensor = Sensor(shot=low_light.shot, read=low_light.read, bits=low_light.bits)
    noise = [make_noise(light, sensor, rng) for light in dark]
    seen = [quantise(light + own, sensor.bits, rng) for light, own in zip(dark, noise, strict=True)]
    mean = _mean_light(seen[0], stack.valid)
    severity = grade_light(mean / clear)
    gain = choose_gain(mean, clear, low_light.exposed_to)
    variance = float(cv2.norm(noise[0], cv2.NORM_L2SQR)) / noise[0].size
    measured = {
        "light_ratio": round(mean / clear, 5),
        "gain": round(gain, 4),
        "noise_variance": float(f"{variance:.4g}"),
        "snr": round(mean / math.sqrt(variance), 3) if variance > 0 else None,
        "structure_before_noise": round(_measure_structure(stack.layers[0], low_light, gain), 4),
        "lamp_share": None if lamps is None else _measure_lit(lamps, low_light),
    }
    layers = tuple(light * np.float32(gain) for light in seen)
    return Outcome(layers=layers, measured=measured, severity=severity)


def grade_light(ratio: float) -> Severity:
    """Severity of a measured ratio of light. Raises RecordError NO_EFFECT where more than half is left."""
    for severity, (low, high) in LIGHT_LEFT.items():
        if low < ratio <= high:
            return severity
    if ratio <= 0:
        return "heavy"  # read noise outweighs what is left
    most = LIGHT_LEFT["light"][1]
    raise RecordError(Reason.NO_EFFECT, f"low_light: at most {most} of the light wanted, got {ratio:.3f}")


def choose_gain(mean: float, clear: float, exposed_to: float) -> float:
    """Exposure that brings a dark picture's mean towards `exposed_to`: 1 to 16, never to over half of the clear one."""
    mean = max(mean, 1e-9)
    wanted = math.pow(exposed_to / mean, _GAIN_POWER)
    return max(min(wanted, _MOST_GAIN, clear / 2 / mean), 1.0)


def ambient_colour(red: float, blue: float, wavelengths_um: tuple[float, ...]) -> tuple[float, ...]:
    """Light of the dim sky at each wavelength, of luminance 1; at 0.865 um and beyond it has no cast."""
    luminance = sum(w * part for w, part in zip(LUMINANCE, (red, 1.0, blue), strict=True))
    known = (BLUE_UM, GREEN_UM, RED_UM, NIR_UM)
    cast = (blue / luminance, 1 / luminance, red / luminance, 1.0)
    return tuple(float(part) for part in np.interp(wavelengths_um, known, cast))


def _darken(layer: Layer, low_light: LowLight, lamps: Plane | None) -> Light:
    sky = _sky_light(layer, low_light)
    if lamps is None:
        return layer.light * sky
    colour = np.array(lamp_colour(low_light.lamp_temperature_k, layer.wavelengths_um), np.float32)
    return layer.light * (sky + lamps[:, :, None] * (colour * np.float32(low_light.lamp_light)))


def _sky_light(layer: Layer, low_light: LowLight) -> Light:
    """Light of the dim sky on the ground in each channel, 1 is daylight."""
    colour = np.array(ambient_colour(low_light.red, low_light.blue, layer.wavelengths_um), np.float32)
    return colour * np.float32(low_light.light_left)


def _mean_light(light: Light, valid: Mask | None) -> float:
    """Mean luminance of RGB, plain mean of other channels, over the pixels with data; 0 where there is none."""
    if valid is not None:
        light = light[valid][:, None]
    if light.size == 0:
        return 0.0
    means = [float(light[:, :, channel].mean(dtype=np.float32)) for channel in range(light.shape[2])]
    return sum(weight * mean for weight, mean in zip(_weigh_channels(len(means)), means, strict=True))


def _measure_structure(first: Layer, low_light: LowLight, gain: float) -> float:
    """As shown, not in linear light, where a cast is all that could change the structure; without lamps and noise."""
    small = _reduce(first.light)
    weights = np.array(_weigh_channels(small.shape[2]), np.float32)
    dark = small * (_sky_light(first, low_light) * np.float32(gain))
    clear, shown = (np.clip(encode_srgb(light @ weights), 0, 1) for light in (small, dark))
    return structure_term(clear, shown)


def _reduce(light: Light) -> Light:
    """A picture reduced to 192 pixels, or as far as leaves its shorter side 16."""
    height, width, n_channels = light.shape
    factor = min(max(height, width) / _STRUCTURE_SIDE, min(height, width) / 16)
    if factor <= 1:
        return light
    size = (round(width / factor), round(height / factor))
    reduced = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.float32).reshape(*size[::-1], n_channels)


def _weigh_channels(n_channels: int) -> tuple[float, ...]:
    return LUMINANCE if n_channels == len(LUMINANCE) else (1 / n_channels,) * n_channels


def _measure_lit(lamps: Plane, low_light: LowLight) -> float:
    return round(float((lamps * low_light.lamp_light > low_light.light_left).mean()), 4)
