"""Snow on the ground, seen from above: a masked blend towards the albedo of snow that keeps the relief.

    a = m sigmoid((ground + noise - q) / width)        I = J (1 - a) + a rho S

The ground decides where snow lies: bright open land first, green cover later, roads and crowns last, water and dark
slopes never (m = 0). The noise, a power-law field, only lets one parcel thaw before the next. S, the luminance against
that of the land around, keeps furrows, hedges and slopes visible through the blanket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from earthloom.core.errors import RecordError
from earthloom.core.light import Floats, Light
from earthloom.core.records import Reason
from earthloom.synthesize.config import SEVERITIES, EffectSettings, Severity
from earthloom.synthesize.fields import make_power_law_field
from earthloom.synthesize.spans import ShareSpan
from earthloom.synthesize.stack import BLUE_UM, GREEN_UM, NIR_UM, RED_UM, Mask, Outcome, Plane, Stack, View
from earthloom.synthesize.surface import Ground, see_ground

COVER: Mapping[Severity, tuple[float, float]] = {
    "light": (0.10, 0.35),
    "moderate": (0.35, 0.70),
    "heavy": (0.70, 1.00),
}
"""Share of the land under snow: patches, about half, a blanket. Under a tenth there is none to speak of: from there on
Let-it-snow looks for a snow line (Gascoin et al. 2019, Earth Syst. Sci. Data 11:493)."""
_ASKED: Mapping[Severity, tuple[float, float]] = {
    "light": (0.17, 0.32),
    "moderate": (0.40, 0.66),
    "heavy": (0.76, 0.97),
}
"""What is drawn: a little inside, so that the measured cover mostly has the severity that was drawn."""
_LEAST_SEEN = 0.05
"""Share of the whole picture under which snow on what little land it shows is overlooked."""
COVERED = 0.5
"""A pixel counts as snow where more than this share of it is under snow."""

_ALBEDO_UM = (0.40, BLUE_UM, GREEN_UM, RED_UM, NIR_UM, 1.03, 1.24, 1.61, 2.20)
_ALBEDO = (0.92, 0.92, 0.91, 0.90, 0.80, 0.70, 0.45, 0.10, 0.07)
"""Of clean, settled snow: white to the eye, less in the near infrared, dark beyond 1.4 um (the shape of Wiscombe and
Warren 1980, J. Atmos. Sci. 37:2712, for grains of 0.2 mm)."""
_SKY_UM = (0.45, 0.55, 0.65, 0.85, 1.6)
_SKY = (0.42, 0.35, 0.30, 0.22, 0.10)
"""Light of the blue sky as a share of all light: what reaches snow that lies in shadow."""
_IN_SHADE = (0.6, 0.25)
"""Relief at which shade begins and at which only the sky gives light."""

_FIELD_BETA = 2.5
_FIELD_GRID = 256
"""Longest side on which the field is made: it holds little that is finer."""
_NOISE, _TEXTURE, _TONE = 0.5, 0.5, 0.35
_GREEN, _PAVED, _ROADS, _DARK = 0.4, 0.35, 0.7, 0.9
"""Weights in the score of a pixel, set by eye on pictures of 0.1 to 30 m. The ground's are the larger: snow follows
parcels, noise alone looks like cloud."""
_WIDTH = 0.05
"""Of the edge of the snow in units of the score. With 0.2 a grey film lies over everything that is not deep in snow."""
_BLUR_PX = 0.6
"""A sensor's pixel sees a little of its neighbours: without it the edge of the snow is a staircase."""
_FULLEST = 0.97
"""Share of the pixels that can carry snow at which it ends, so that the worst of them do not set the blanket's edge."""
_ON_CROWNS, _ON_ROADS = 0.25, 0.45
"""The most that a crown holds and that traffic leaves: needle trees stay dark, cleared roads are grey."""


class SnowSettings(EffectSettings):
    """Snow on open ground, thinner on vegetation and roads, none on water or dark slopes."""

    effect: Literal["snow"] = "snow"
    min_latitude_deg: float = Field(25.0, ge=0, le=90)
    """Places nearer to the equator are left out; those whose latitude is not known are not."""
    brightness: ShareSpan = (0.92, 1.0)
    """Range of the albedo against that of clean snow: 1 is fresh, 0.92 some days old."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snow:
    """What was drawn for one place."""

    cover_share: float
    """Wanted share of the land under snow, 0 to 1."""
    brightness: float
    """Albedo against that of clean snow."""
    field_beta: float
    """Slope of the field's power spectrum."""


def draw_snow(settings: SnowSettings, view: View, severity: Severity, rng: np.random.Generator) -> Snow:
    """Draw the cover of one place. Raises RecordError NO_EFFECT where snow would be laughed at."""
    if view.lat is not None and abs(view.lat) < settings.min_latitude_deg:
        raise RecordError(
            Reason.NO_EFFECT,
            f"snow wants a latitude of {settings.min_latitude_deg:g} degrees or more, got {view.lat:.2f}",
        )
    return Snow(
        cover_share=float(rng.uniform(*_ASKED[severity])),
        brightness=float(rng.uniform(*settings.brightness)),
        field_beta=_FIELD_BETA,
    )


def add_snow(stack: Stack, snow: Snow, rng: np.random.Generator) -> Outcome:
    """Lay snow over the pictures of a stack, one blanket for all.

    Pixels of water keep their values to the bit. A blend with the albedo of snow over a mask is the linear mixture that
    snow fraction products invert (Painter et al. 2009, Remote Sens. Environ. 113:868). The share of the land under
    snow is measured afterwards; it is less than was asked for where water, crowns and slopes leave no room.

    `visible` is twice 1 - a, at most 1: under thin snow the marks of the ground are still read, under a closed blanket
    only its relief.

    Raises:
        RecordError: NO_EFFECT without land, or where snow can lie on less than a tenth of it or 5 % of the picture.

    """
    ground = see_ground(stack)
    land = ~ground.water if stack.valid is None else ~ground.water & stack.valid
    n_land = int(np.count_nonzero(land))
    if n_land == 0:
        raise RecordError(Reason.NO_EFFECT, "snow wants land, and the picture shows open water alone")
    cover = cover_ground(ground, land, snow, rng)
    n_covered = int(np.count_nonzero((cover > COVERED) & land))
    severity = grade_cover(n_covered / n_land)
    if severity is None or n_covered < _LEAST_SEEN * land.size:
        raise RecordError(
            Reason.NO_EFFECT,
            f"snow wants to cover {COVER['light'][0]:.0%} of the land and {_LEAST_SEEN:.0%} of the picture or more, "
            f"it can {n_covered / n_land:.1%} and {n_covered / land.size:.1%}",
        )
    layers = tuple(
        lay_snow(layer.light, layer.wavelengths_um, cover, ground.relief, snow.brightness)
        for layer in stack.layers
    )
    measured = {
        "cover_share": n_covered / n_land,
        "land_share": n_land / land.size,
        "mean_snow_share": float(cover[land].mean()),
    }
    visible = np.minimum(2 - 2 * cover, np.float32(1))
    return Outcome(layers=layers, measured=measured, severity=severity, visible=visible)


def grade_cover(share: float) -> Severity | None:
    """Give the word for a share of the land under snow; None where there is too little to see."""
    return next((word for word in reversed(SEVERITIES) if share >= COVER[word][0]), None)


def cover_ground(ground: Ground, land: Mask, snow: Snow, rng: np.random.Generator) -> Plane:
    """Share of every pixel under snow, H x W, 0 to 1, such that the wanted share of the land is more than half covered.

    A pixel of capacity m is more than half covered where score + width ln(2 m - 1) exceeds q, which is therefore a
    quantile of that sum; pixels of half or less never are.
    """
    score = _score_ground(ground, land, snow, rng)
    capacity = _measure_capacity(ground)
    thin = (
        (slice(None, None, 2), slice(None, None, 2)) if land.size > 2**16 else ...
    )  # a quarter tells as much
    room = capacity[thin][land[thin]]
    holds = room > COVERED + 0.01
    reach = score[thin][land[thin]][holds] + np.float32(_WIDTH) * np.log(2 * room[holds] - 1)
    n_wanted = min(round(snow.cover_share * room.size), round(_FULLEST * reach.size))
    if n_wanted == 0:
        return np.zeros_like(score)
    q = float(np.partition(reach, reach.size - n_wanted)[reach.size - n_wanted])
    score -= np.float32(q)
    score *= np.float32(-1 / _WIDTH)
    cv2.exp(np.minimum(score, 80, out=score), score)
    score += 1
    cover = np.asarray(cv2.GaussianBlur(capacity / score, (3, 3), _BLUR_PX), np.float32)
    cover[ground.water] = 0
    return cover


def lay_snow(
    light: Light, wavelengths_um: tuple[float, ...], cover: Plane, relief: Plane, brightness: float = 1.0
) -> Light:
    """Blend a picture, H x W x C, with snow: J (1 - a) + a rho S, where in shade only skylight falls on the snow."""
    shape = np.clip(relief * np.float32(0.25) + np.float32(0.75), 0, np.float32(1.15))
    begin, end = _IN_SHADE
    shade = np.clip((np.float32(begin) - relief) * np.float32(1 / (begin - end)), 0, 1)
    channels = []
    for channel, wavelength_um in zip(cv2.split(light), wavelengths_um, strict=True):
        sky = np.float32(np.interp(wavelength_um, _SKY_UM, _SKY) - 1)
        white = shape * (shade * sky + 1)
        white *= np.float32(brightness * estimate_albedo(wavelength_um))
        white -= channel
        white *= cover
        white += channel
        channels.append(white)
    return np.asarray(cv2.merge(channels), np.float32).reshape(light.shape)


def estimate_albedo(wavelength_um: float) -> float:
    """Reflectance of clean snow at a wavelength, micrometres."""
    return float(np.interp(wavelength_um, _ALBEDO_UM, _ALBEDO))


def compute_ndsi(green: Floats, swir: Floats) -> Floats:
    """Compute the normalised difference snow index, -1 to 1, of linear light or reflectance (Hall et al. 1995)."""
    return np.asarray((green - swir) / np.maximum(green + swir, 1e-6))


def estimate_snow_fraction(ndsi: Floats) -> Floats:
    """Estimate the share of a pixel under snow, 0 to 1, from NDSI (Gascoin et al. 2020, Remote Sensing 12:2904)."""
    return np.asarray(0.5 * np.tanh(2.65 * ndsi - 1.42) + 0.5)


def _score_ground(ground: Ground, land: Mask, snow: Snow, rng: np.random.Generator) -> Plane:
    """How early snow stays on a pixel, about -1 to 1."""
    usual = float(np.median(ground.luminance[::4, ::4][land[::4, ::4]])) if land[::4, ::4].any() else 0.1
    tone = cv2.blur(ground.luminance, (3, 3)) + np.float32(0.02)
    cv2.log(tone, tone)
    tone -= np.float32(np.log(usual + 0.02))
    tone *= np.float32(0.5 / np.log(2))  # two stops brighter than usual are 1
    score = np.clip(tone, -1, 0.5, out=tone)  # what is bright already is no better ground for snow
    score *= np.float32(_TONE)
    score -= ground.vegetation * np.float32(_GREEN)
    score -= ground.paved * np.float32(_PAVED)
    score -= ground.roads * np.float32(_ROADS)
    score -= (ground.crowns + ground.steep) * np.float32(_DARK)
    score += cv2.log(np.maximum(ground.relief, 0.1)) * np.float32(_TEXTURE)
    score += _make_field(score.shape, snow.field_beta, rng) * np.float32(_NOISE)
    return np.asarray(score, np.float32)


def _measure_capacity(ground: Ground) -> Plane:
    """The most of a pixel that snow can hide."""
    capacity = np.clip(np.float32(1.5) - 2 * ground.steep, 0, 1)
    capacity *= 1 - np.float32(1 - _ON_CROWNS) * ground.crowns
    capacity *= 1 - np.float32(1 - _ON_ROADS) * ground.roads
    capacity[ground.water] = 0
    return np.asarray(capacity, np.float32)


def _make_field(shape: tuple[int, ...], beta: float, rng: np.random.Generator) -> Plane:
    height, width = shape
    factor = max(max(shape) / _FIELD_GRID, 1)
    field = make_power_law_field(round(height / factor), round(width / factor), beta, rng)
    return np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
