"""How much of the ground's structure is left in a picture with an effect."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.light import Light
from earthloom.metrics.structure import gmsd, gradient_correlation, ssim, structure_term

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""
Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

THIN: Mapping[str, float] = {"cloud": 0.1, "snow": 0.3}
"""Effects that hide the ground: its structure is looked at only where less than this share of it is hidden.
A cloud's own texture outweighs that of dark ground from a tenth on, and within a window of its edge."""
_WHITE: Mapping[str, float] = {"cloud": 0.92, "snow": 0.88}
"""Linear light of what hides it."""
_MARGIN_PX: Mapping[str, int] = {"cloud": 11, "snow": 1}
"""Side of the square that must be thin."""
_BLUR_PX = 5
LEAST_SHARE = 0.02
"""Of the picture that must be left to look at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One picture against its clear original."""

    structure: float | None
    """Structure term of SSIM of linear light where the ground is seen; None where less than 2 % of it is."""
    gradient_correlation: float | None
    """Of Prewitt magnitudes, at the same places."""
    seen_share: float
    """Of the picture, that these two are of."""
    structure_whole: float
    """The structure term of the whole picture."""
    gmsd: float
    """0 for equal pictures."""
    ssim: float
    """For comparison only: it falls with contrast, as it should under weather."""


def measure_kept(effect: str, before: Picture, after: Picture, light: tuple[Light, Light]) -> Kept:
    """Compare a picture with its clear original.

    Args:
        effect: clouds and snow are looked at only where they are thin (`THIN`).
        before: at least 32 x 32.
        after: of the same size.
        light: both as linear light.

    """
    seen = find_seen(effect, *light)
    share = 1.0 if seen is None else float(seen.mean())
    whole = structure_term(*light)
    if seen is None:
        structure, gradient = whole, gradient_correlation(*light)
    elif share < LEAST_SHARE:
        structure = gradient = math.nan
    else:
        structure, gradient = structure_term(*light, seen), gradient_correlation(*light, seen)
    return Kept(
        structure=_know(structure),
        gradient_correlation=_know(gradient),
        seen_share=share,
        structure_whole=whole,
        gmsd=gmsd(before, after),
        ssim=ssim(before, after),
    )


def find_seen(effect: str, before: Light, after: Light) -> Mask | None:
    """Where cloud or snow is thin, H x W: what moved least of the way to white. None for effects that hide nothing."""
    if effect not in THIN:
        return None
    thin = estimate_cover(before, after, _WHITE[effect]) < THIN[effect]
    side = _MARGIN_PX[effect]
    return np.asarray(cv2.erode(thin.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def estimate_cover(before: Light, after: Light, white: float) -> Plane:
    """Share of each pixel that something white hides: how far it moved towards white, over 5 x 5 pixels.

    A least-squares fit of `after = before (1 - a) + white a` in the three channels of the window.
    """
    way = white - before
    moved = cv2.blur((after - before) * way, (_BLUR_PX, _BLUR_PX)).sum(axis=2)
    length = cv2.blur(way * way, (_BLUR_PX, _BLUR_PX)).sum(axis=2)
    return np.asarray(np.clip(moved / np.maximum(length, 1e-4), 0, 1), np.float32)


def _know(value: float) -> float | None:
    return value if math.isfinite(value) else None
