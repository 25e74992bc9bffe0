"""Features of a picture that need no weights: colour, tone, contrast by scale, direction and spectrum.

They stand in for a network's features where no weights are at hand, and are named so that nobody takes a distance of
them for FID or KID of Inception. They tell clear ground from fog, cloud, snow and dusk well, and land cover less well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.colour import describe_colour
from earthloom.metrics.texture import describe_texture

Features = npt.NDArray[np.float64]
"""N x D."""

CLASSICAL = "classical@1"
"""Name and version of `describe_picture`: a change of any feature raises it."""
LEAST_SIDE = 32
"""Pixels under which a picture has no spectrum to speak of."""
N_FEATURES = 76
_OUTLYING = 5.0
"""Spreads beyond which a feature counts as this far: one odd picture must not decide a cubic kernel."""


def describe_picture(picture: npt.NDArray[np.uint8]) -> Features:
    """The features `classical@1` of a picture.

    Args:
        picture: H x W x 3, sRGB, each side of at least 32 pixels.

    Returns:
        `N_FEATURES` finite values in the order of `name_features`; scales differ: see `Scaler`.

    Raises:
        UsageError: for another shape or type.

    """
    return np.array(list(_describe(picture).values()))


@lru_cache(maxsize=1)
def name_features() -> tuple[str, ...]:
    """What each feature of `describe_picture` is."""
    return tuple(_describe(np.zeros((LEAST_SIDE, LEAST_SIDE, 3), np.uint8)))


def _describe(picture: npt.NDArray[np.uint8]) -> Mapping[str, float]:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise UsageError(f"H x W x 3 of uint8 was wanted, got {picture.dtype} of shape {picture.shape}.")
    if min(picture.shape[:2]) < LEAST_SIDE:
        raise UsageError(f"A side of at least {LEAST_SIDE} pixels was wanted, got {picture.shape[:2]}.")
    whole = np.ascontiguousarray(picture)
    return {**describe_colour(whole), **describe_texture(whole)}


def describe_pictures(pictures: Sequence[npt.NDArray[np.uint8]]) -> Features:
    """The features of each picture, N x D."""
    if not pictures:
        return np.empty((0, N_FEATURES))
    return np.stack([describe_picture(picture) for picture in pictures])


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaler:
    """Brings features to the mean 0 and the spread 1 of a reference."""

    mean: Features
    """D."""
    spread: Features
    """D, standard deviations; 1 for a feature that is the same all over the reference."""

    @classmethod
    def fit(cls, reference: Features) -> Scaler:
        """Take mean and spread of N x D features, best of real pictures of every kind that will be compared."""
        if reference.ndim != 2 or len(reference) < 2:
            raise UsageError(f"At least 2 x D features were wanted, got shape {reference.shape}.")
        spread = reference.std(axis=0)
        return cls(mean=reference.mean(axis=0), spread=np.where(spread > 1e-9, spread, 1.0))

    def scale(self, features: Features) -> Features:
        """N x D features in spreads of the reference, cut at -5 and 5."""
        return np.clip((features - self.mean) / self.spread, -_OUTLYING, _OUTLYING)


def standardise(reference: Features, *others: Features) -> tuple[Features, ...]:
    """The reference and the others, all scaled by the `Scaler` of the reference."""
    scaler = Scaler.fit(reference)
    return tuple(scaler.scale(features) for features in (reference, *others))
