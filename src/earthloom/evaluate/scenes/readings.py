"""What a rule reads in one picture with an effect, beside its clear original."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.light import Light
from earthloom.evaluate.scenes.keeping import Kept
from earthloom.metrics.scenes import (
    SHADOW_STRENGTH,
    SHADOW_WITHIN,
    STREAK_LIMIT,
    WATER_WITHIN,
    leave_ground,
    mean_transmission,
    recover_transmission,
    shadow_offset,
    streak_score,
    water_change,
)
from earthloom.metrics.structure import light_luminance

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""
Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

VEILS = frozenset({"fog", "haze", "dust", "smoke"})
"""Effects that are a veil and nothing else."""
STRUCTURE: Mapping[str, tuple[float, float, float]] = {
    "veil": (0.90, 0.80, 0.70),
    "snow": (0.75, 0.75, 0.75),
    "cloud": (0.75, 0.65, 0.60),
    "other": (0.70, 0.70, 0.70),
}
"""Least structure term at light, moderate and heavy strength. An even veil leaves 1; rounding to
8 bits and JPEG take more of the faint contrast under thick veils."""
GRADIENTS: Mapping[str, tuple[float, float, float]] = {
    "veil": (0.70, 0.50, 0.30),
    "snow": (0.40, 0.40, 0.40),
    "cloud": (0.50, 0.25, 0.15),
    "other": (0.30, 0.30, 0.30),
}
"""Least correlation of gradients: that of other ground lies under 0.2."""
TRANSMISSION_WITHIN = 0.1
"""Of one picture: ground with contrast may lie where the veil is thinner or thicker than its mean."""
_LEAST_CLOUDS = 2.0
"""Side by side: the straight edge of a single cloud fits a shadow at many shifts."""
_LEAST_KNOWN = 0.5
"""Share of the windows whose transmission must be known."""
LIGHT_WITHIN = 0.1
"""Of the light left on record, as a share of it."""
LEAST_BEFORE_NOISE = 0.95
"""Noise lowers the structure of a dark picture whatever it does to the ground."""
_DARK_PATCH = 15
"""Pixels (He, Sun and Tang, CVPR 2009)."""
_DARK_FALL = 0.005
"""Linear light: about a step of 8 bits that the dark channel may fall by rounding."""
_LEAST_WATER = 0.005
"""Share of the picture."""
_WATER_LIGHT, _WATER_VARIATION = 0.06, 0.12


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One picture with an effect, its original, and what is on record of it."""

    effect: str
    severity: str | None
    record: Mapping[str, Any]
    """As drawn; what was measured when it was made is under `measured`. Empty where there is no record."""
    before: Light
    after: Light
    """H x W x 3, linear light."""
    kept: Kept
    is_exposed_anew: bool
    """True where stored values are linear: dark pictures among these were brightened by an unknown amount."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a rule found in one picture."""

    measured: float | None
    """None where it could not be judged."""
    passed: bool | None
    map: Values | None = None
    """Transmission by windows, for what is judged over the set."""


UNKNOWN = Reading(measured=None, passed=None)


def find_family(effect: str) -> str:
    """`veil`, `snow`, `cloud` or `other`: effects whose thresholds are the same."""
    if effect in VEILS or effect == "rain":
        return "veil"
    return effect if effect in STRUCTURE else "other"


def find_least(bounds: Mapping[str, tuple[float, float, float]], case: Case) -> float:
    """The threshold for an effect and its strength; that of heavy weather where the strength is not known."""
    place = {"light": 0, "moderate": 1}.get(case.severity or "", 2)
    return bounds[find_family(case.effect)][place]


def find_water(light: Light) -> Mask:
    """Water beyond doubt, H x W: dark, not red, smooth and of some extent, a little inside its shore."""
    grey = np.asarray(light_luminance(light), np.float32)
    mean = cv2.blur(grey, (7, 7))
    spread = np.sqrt(np.maximum(cv2.blur(grey * grey, (7, 7)) - mean * mean, 0))
    red, _, blue = (cv2.blur(channel, (7, 7)) for channel in cv2.split(light))
    likely = (mean < _WATER_LIGHT) & (spread < _WATER_VARIATION * mean + 5e-4) & (blue > 1.1 * red)
    side = 2 * (max(grey.shape) // 40) + 3
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened = cv2.morphologyEx(likely.astype(np.uint8), cv2.MORPH_OPEN, disc)
    return np.asarray(cv2.erode(opened, np.ones((9, 9), np.uint8)) > 0)


_LEAST_STEP = 0.004
"""Mean step of luminance between neighbours under which a ground is too smooth to tell water by its smoothness, or
edges from the texture of fog and snow. Enlarged chips of EuroSAT have 0.0003 to 0.003, NAIP and Landsat 0.013 to
0.07."""


def _is_smooth(light: Light) -> bool:
    return float(np.abs(np.diff(light_luminance(light), axis=1)).mean()) < _LEAST_STEP


def read_structure(case: Case) -> Reading:
    """Structure term of the ground that is seen."""
    found = case.kept.structure
    return UNKNOWN if found is None else Reading(measured=found, passed=found >= find_least(STRUCTURE, case))


def read_gradients(case: Case) -> Reading:
    """Correlation of gradients of the ground that is seen; unknown where the ground is too smooth to have edges."""
    found = case.kept.gradient_correlation
    if found is None or _is_smooth(case.before):
        return UNKNOWN
    return Reading(measured=found, passed=found >= find_least(GRADIENTS, case))


def read_transmission(case: Case) -> Reading:
    """How far the transmission that is found lies from the one on record."""
    found = recover_transmission(case.before, case.after)
    wanted, mean = _take_number(case.record, "measured", "mean_transmission"), mean_transmission(found)
    if wanted is None or mean is None or float(np.isfinite(found).mean()) < _LEAST_KNOWN:
        return Reading(measured=None, passed=None, map=found)
    apart = abs(mean - wanted)
    return Reading(measured=apart, passed=apart <= TRANSMISSION_WITHIN, map=found)


def read_dark_channel(case: Case) -> Reading:
    """Rise of the mean dark channel (He, Sun and Tang, CVPR 2009)."""
    rise = _mean_dark_channel(case.after) - _mean_dark_channel(case.before)
    return Reading(measured=rise, passed=rise >= -_DARK_FALL)


def _mean_dark_channel(light: Light) -> float:
    least = np.ascontiguousarray(light.min(axis=2))
    return float(cv2.erode(least, np.ones((_DARK_PATCH, _DARK_PATCH), np.uint8)).mean())


def read_water(case: Case) -> Reading:
    """Mean change of light over water."""
    water = find_water(case.before)
    if float(water.mean()) < _LEAST_WATER or _is_smooth(case.before):
        return UNKNOWN
    change = water_change(case.before, case.after, water)
    assert change is not None
    return Reading(measured=change, passed=change <= WATER_WITHIN)


def read_streaks(case: Case) -> Reading:
    """How far what the ground does not explain runs in one direction."""
    score = streak_score(leave_ground(case.before, case.after), light_luminance(case.before))
    return UNKNOWN if math.isnan(score) else Reading(measured=score, passed=score <= STREAK_LIMIT)


def read_shadow(case: Case) -> Reading:
    """How far shadows lie from where the record puts them, percent of the longer side."""
    right = _take_number(case.record, "measured", "shadow_right_px")
    down = _take_number(case.record, "measured", "shadow_down_px")
    longest = max(case.before.shape[:2])
    if right is None or down is None or _count_clouds(case.record, longest) < _LEAST_CLOUDS:
        return UNKNOWN
    found = shadow_offset(case.before, case.after)
    if found.strength < SHADOW_STRENGTH or math.hypot(right, down) > longest / 2:
        return UNKNOWN
    apart = math.hypot(found.dx - right, found.dy - down) / longest
    return Reading(measured=100 * apart, passed=apart <= SHADOW_WITHIN)


def _count_clouds(record: Mapping[str, Any], side_px: int) -> float:
    """Clouds side by side in a picture, by their size on record; where that is unknown there may be any number."""
    cell_m, pixel_m = _take_number(record, "cell_m"), _take_number(record, "pixel_m")
    return math.inf if not cell_m or not pixel_m else side_px * pixel_m / cell_m


def read_light(case: Case) -> Reading:
    """How far the light that is left lies from the one on record, as a share of it."""
    ratio = _take_number(case.record, "measured", "light_ratio")
    gain = _take_number(case.record, "measured", "gain")
    if not ratio or gain is None or case.is_exposed_anew:
        return UNKNOWN
    found = float(light_luminance(case.after).mean()) / max(float(light_luminance(case.before).mean()), 1e-6)
    apart = abs(found / (ratio * gain) - 1)
    return Reading(measured=apart, passed=apart <= LIGHT_WITHIN)


def read_before_noise(case: Case) -> Reading:
    """Structure before noise, as it is on record: it cannot be found again."""
    found = _take_number(case.record, "measured", "structure_before_noise")
    return UNKNOWN if found is None else Reading(measured=found, passed=found >= LEAST_BEFORE_NOISE)


def read_nothing(case: Case) -> Reading:
    """Never judged: the pictures lack what it takes."""
    return UNKNOWN


def _take_number(record: Mapping[str, Any], *names: str) -> float | None:
    value: Any = record
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None
