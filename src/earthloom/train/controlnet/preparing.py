"""From records of one ground to arrays: what is drawn, what it is drawn after, and its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Reason
from earthloom.store.stream.sample import Sample
from earthloom.train.controlnet.config import CHANNELS, ControlNetRecipe
from earthloom.train.controlnet.rows import Group
from earthloom.train.pictures import Picture, Square

Tokenize = Callable[[str], npt.NDArray[np.int64]]
"""From a text to its tokens, encoders x L."""


class PrepareGroup:
    """Makes arrays of co-registered samples. Any number of threads may call it at a time."""

    def __init__(self, recipe: ControlNetRecipe, tokenize: Tokenize) -> None:
        self._square = Square(
            side=recipe.size, scale=recipe.scale, is_random=recipe.crop == "random", turn=recipe.turn
        )
        self._modalities = tuple(selection.modality for selection in (*recipe.conditions, recipe.to))
        self._tokenize = tokenize

    def __call__(self, samples: Group, rng: np.random.Generator) -> dict[str, npt.NDArray[Any]]:
        """Cut all pictures alike; what is drawn is the last one.

        Returns:
            pixels, S x S x 3 (one channel stands three times, as the autoencoder wants it), and condition, S x S x K,
            both uint8; ids, encoders x L.

        Raises:
            RecordError: a picture cannot be decoded, or has other channels than its modality.

        """
        where = int(rng.integers(2**63))
        pictures = [
            self._read(sample, modality, np.random.default_rng(where))
            for sample, modality in zip(samples, self._modalities, strict=True)
        ]
        *before, drawn = pictures
        return {
            "pixels": np.repeat(drawn, 3, axis=2) if drawn.shape[2] == 1 else drawn,
            "condition": np.concatenate(before, axis=2),
            "ids": self._tokenize(_choose_text(samples, rng)),
        }

    def _read(self, sample: Sample, modality: Modality, rng: np.random.Generator) -> Picture:
        """RGB as it is displayed; near infrared and radar as they are stored, for nobody displays these in one way."""
        if modality is Modality.RGB:
            return self._square.show(sample, rng)
        picture = self._square.read(sample, rng)
        if picture.shape[2] != CHANNELS[modality]:
            raise RecordError(
                Reason.UNSUPPORTED_PIXELS,
                f"wanted {CHANNELS[modality]} channel of {modality.value}, got {picture.shape[2]}",
            )
        return picture


def _choose_text(samples: Group, rng: np.random.Generator) -> str:
    """A caption of what is drawn, else of what it is drawn after; none where nobody has one."""
    told = next((sample.captions for sample in reversed(samples) if sample.captions), ())
    return told[int(rng.integers(len(told)))].text if told else ""
