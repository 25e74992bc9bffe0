"""Inception-v3 as an encoder: the features of FID (Heusel et al., NeurIPS 2017) and KID (Binkowski et al., ICLR 2018).

Its 1008 scores, of the Inception Score (Salimans et al., NeurIPS 2016), are a linear map of the features, so features
that are kept are enough for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from earthloom.models.encoders.encoder import Features, Picture, Pictures, Prepared, describe_in_batches
from earthloom.models.encoders.inception_graph import N_FEATURES, InceptionV3
from earthloom.models.encoders.resizing import CLEAN, Resize

if TYPE_CHECKING:
    from torch.jit import ScriptModule

INCEPTION_SIDE = 299
BATCH = 16
"""Pictures at once: more are no faster on a CPU, and each takes 15 MB on its way through the first layers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inception:
    """The network from its state dict."""

    version: str
    network: InceptionV3
    rule: Resize = CLEAN
    is_published: bool
    """Whether the weights are those of FID, by their hash."""
    name: str = "inception"
    width: int = N_FEATURES
    batch: int = BATCH

    @property
    def resize(self) -> str:
        """The rule in words."""
        return self.rule.say(INCEPTION_SIDE)

    @property
    def frechet(self) -> str:
        """`FID` for the published weights alone."""
        return "FID" if self.is_published else "FD-Inception"

    @property
    def kernel(self) -> str:
        """`KID` for the published weights alone."""
        return "KID" if self.is_published else "KD-Inception"

    def prepare(self, picture: Picture) -> Prepared:
        """Resize to 3 x 299 x 299, 0 to 255, not rounded."""
        return self.rule.resize(picture, INCEPTION_SIDE)

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        """Features of the last pooling, N x 2048."""
        if not prepared:
            return np.empty((0, N_FEATURES))
        with torch.inference_mode():
            return _to_features(self.network(self._scale(stack_levels(prepared))))

    def describe(self, pictures: Pictures) -> Features:
        """Features of pictures, N x 2048."""
        return describe_in_batches(self, pictures)

    def classify(self, features: npt.NDArray[np.floating], *, is_biased: bool = False) -> Features:
        """Scores of 1008 classes before the softmax, N x 1008, of features; see `InceptionV3.classify`."""
        with torch.inference_mode():
            rows = torch.from_numpy(np.asarray(features, np.float32))
            return _to_features(self.network.classify(rows, is_biased=is_biased))

    def _scale(self, levels: Tensor) -> Tensor:
        """To about -1 to 1: about 128 as the graph of TensorFlow, about 127.5 as pytorch-fid."""
        middle = 127.5 if self.rule.name == "legacy" else 128.0
        return levels.sub_(middle).div_(middle).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptedInception:
    """The network from NVIDIA's TorchScript, which clean-fid uses; it scales its input itself, and gives no scores."""

    version: str
    network: ScriptModule
    rule: Resize = CLEAN
    name: str = "inception"
    width: int = N_FEATURES
    batch: int = BATCH
    frechet: str = "FID"
    kernel: str = "KID"

    @property
    def resize(self) -> str:
        """The rule in words."""
        return self.rule.say(INCEPTION_SIDE)

    def prepare(self, picture: Picture) -> Prepared:
        """Resize to 3 x 299 x 299, 0 to 255, not rounded."""
        return self.rule.resize(picture, INCEPTION_SIDE)

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        """Features of the last pooling, N x 2048."""
        if not prepared:
            return np.empty((0, N_FEATURES))
        with torch.inference_mode():
            found = self.network(stack_levels(prepared), return_features=True)
        return _to_features(found.reshape(len(prepared), -1))

    def describe(self, pictures: Pictures) -> Features:
        """Features of pictures, N x 2048."""
        return describe_in_batches(self, pictures)


def stack_levels(prepared: Sequence[Prepared]) -> Tensor:
    """One tensor of its own, N x 3 x S x S, float32."""
    return torch.from_numpy(np.stack(prepared).astype(np.float32, copy=False))


def _to_features(tensor: Tensor) -> Features:
    return np.asarray(tensor.double().numpy(), np.float64)
