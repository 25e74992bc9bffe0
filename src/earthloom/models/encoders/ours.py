"""The small network that comes with the package, as an encoder: `earthloom.models.loom`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from earthloom.core.errors import UsageError
from earthloom.models.encoders.encoder import Features, Picture, Pictures, Prepared, describe_in_batches
from earthloom.models.encoders.resizing import WHOLE_GREY
from earthloom.models.loom.network import SIDE, LoomNet


@dataclass(frozen=True, kw_only=True, slots=True)
class Loom:
    """Its pooled features. Finer detail than 1/64 of a picture is beyond it."""

    version: str
    network: LoomNet
    answers: Mapping[str, tuple[str, ...]]
    """What each head may answer, in the order of its scores: `cover`, `weather`, `modality`, `distance`, `detail`."""
    training: Mapping[str, Any]
    """What it was trained with, and how often each head was right on ground that was held out."""
    name: str = "earthloom-features"
    batch: int = 64
    frechet: str = "FD-loom"
    kernel: str = "KD-loom"

    @property
    def resize(self) -> str:
        """The rule in words."""
        return WHOLE_GREY.say(SIDE)

    @property
    def width(self) -> int:
        """Number of features."""
        return self.network.width

    def prepare(self, picture: Picture) -> Prepared:
        """Resize to 3 x 64 x 64, 8 bits."""
        return WHOLE_GREY.resize(picture, SIDE)

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        """Features, N x width."""
        if not prepared:
            return np.empty((0, self.width))
        with torch.inference_mode():
            levels = torch.from_numpy(np.stack(prepared)).float()
            return np.asarray(self.network(levels).double().numpy(), np.float64)

    def describe(self, pictures: Pictures) -> Features:
        """Features of pictures, N x width."""
        return describe_in_batches(self, pictures)

    def ask(self, head: str, features: npt.NDArray[np.floating]) -> Features:
        """Probabilities of a head's answers, N x answers, of features.

        Raises:
            UsageError: there is no such head.

        """
        if head not in self.answers:
            raise UsageError(f"A head of {', '.join(self.answers)} was wanted, got {head!r}.")
        with torch.inference_mode():
            scores = self.network.heads[head](torch.from_numpy(np.asarray(features, np.float32)))
            return np.asarray(scores.double().softmax(1).numpy(), np.float64)
