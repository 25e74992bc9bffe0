"""Features of pictures, by one or more encoders, each picture read and described once in a run.

Other kinds hand files to `evaluate/features.py`, which reads them and keeps their features by content from run to run.
Here structure and gates want every picture decoded, whatever features are known: the picture in hand is described and
let go, without a second reading, and a cache would save no reading either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.encoders import Classical
from earthloom.evaluate.scenes.config import SceneSettings
from earthloom.evaluate.scenes.pictures import Picture, Reader, name_place
from earthloom.evaluate.scenes.realism import Described
from earthloom.metrics.features import N_FEATURES
from earthloom.models.encoders import Encoder, load_encoder
from earthloom.models.encoders.encoder import name_encoder
from earthloom.store.shown import Shown

__all__ = ["Classical", "Describer", "choose_encoders", "name_encoder"]

Features = npt.NDArray[np.float64]
_BATCH = 16
"""Pictures that a network describes at once."""


def choose_encoders(settings: SceneSettings, base: Path) -> tuple[Encoder, ...]:
    """Classical features always, then the network that was asked for. Raises `UsageError` without its weights."""
    if settings.encoder == "classical" or settings.weights is None:
        return (Classical(),)
    return Classical(), load_encoder(settings.encoder, base / settings.weights)


class Describer:
    """Keeps the features of every picture that it was given, or that it cannot be used, as long as one run lasts."""

    def __init__(self, encoders: Sequence[Encoder], reader: Reader) -> None:
        self.encoders = tuple(encoders)
        self._reader = reader
        self._known: dict[str, tuple[Features, ...] | None] = {}
        self._waiting: dict[str, Picture] = {}
        self._sides: dict[str, int] = {}

    def take(self, shown: Shown, picture: Picture | None) -> None:
        """Describe a picture that was read already; None for one that cannot be used."""
        place = name_place(shown)
        if place in self._known or place in self._waiting:
            return
        if picture is None:
            self._known[place] = None
            return
        self._waiting[place] = picture
        self._sides[place] = max(picture.shape[:2])
        if len(self._waiting) >= _BATCH:
            self._describe_waiting()

    def read(self, shown: Shown) -> None:
        """Read and describe a picture, unless that was done before."""
        place = name_place(shown)
        if place not in self._known and place not in self._waiting:
            self.take(shown, self._reader.read(shown))

    def collect(self, pictures: Iterable[tuple[Shown, str]]) -> Mapping[str, Described]:
        """Features by every encoder of those pictures that can be used; each comes with the ground that it shows."""
        self._describe_waiting()
        usable = [
            (found, group)
            for shown, group in pictures
            if (found := self._known.get(name_place(shown))) is not None
        ]
        groups = tuple(group for _, group in usable)
        return {
            name_encoder(encoder): Described(
                features=_stack([found[i] for found, _ in usable]), groups=groups
            )
            for i, encoder in enumerate(self.encoders)
        }

    def find_side(self, pictures: Iterable[Shown]) -> float | None:
        """Median of the longer sides of those that were read, pixels; None where none was."""
        sides = [side for shown in pictures if (side := self._sides.get(name_place(shown))) is not None]
        return float(np.median(sides)) if sides else None

    def _describe_waiting(self) -> None:
        if not self._waiting:
            return
        places, pictures = list(self._waiting), list(self._waiting.values())
        features = [encoder.describe(pictures) for encoder in self.encoders]
        for i, place in enumerate(places):
            self._known[place] = tuple(found[i] for found in features)
        self._waiting.clear()


def _stack(rows: Sequence[Features]) -> Features:
    return np.stack(rows) if rows else np.empty((0, N_FEATURES))
