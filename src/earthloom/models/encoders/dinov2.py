"""DINOv2 (Oquab et al., TMLR 2024) as an encoder, prepared as in dgm-eval (Stein et al., NeurIPS 2023).

Their FD-DINOv2 uses ViT-L/14: Pillow's bicubic to 224 x 224, ImageNet's mean and deviation, the class token after the
last norm. The folder is one of Hugging Face's `facebook/dinov2-*`; its position codes are brought to 224 px by
transformers. It was run with small random networks of the same interface only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from earthloom.core.errors import UsageError
from earthloom.models.encoders.encoder import Features, Picture, Pictures, Prepared, describe_in_batches
from earthloom.models.encoders.resizing import WHOLE_GREY
from earthloom.models.weights.fingerprints import fingerprint_files

if TYPE_CHECKING:
    from transformers import Dinov2Model

DINOV2_SIDE = 224
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dinov2:
    """The class token after the last norm."""

    version: str
    network: Dinov2Model
    name: str = "dinov2"
    batch: int = 16
    frechet: str = "FD-DINOv2"
    kernel: str = "KD-DINOv2"

    @property
    def resize(self) -> str:
        """The rule in words."""
        return WHOLE_GREY.say(DINOV2_SIDE)

    @property
    def width(self) -> int:
        """That of the network: 1024 of ViT-L/14."""
        return int(self.network.config.hidden_size)

    def prepare(self, picture: Picture) -> Prepared:
        """Resize in whole grey steps and normalise, 3 x 224 x 224."""
        return prepare_dinov2(picture)

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        """Features, N x D."""
        if not prepared:
            return np.empty((0, self.width))
        with torch.inference_mode():
            found = self.network(pixel_values=torch.from_numpy(np.stack(prepared))).last_hidden_state
            return np.asarray(found[:, 0].double().numpy(), np.float64)

    def describe(self, pictures: Pictures) -> Features:
        """Features of pictures, N x D."""
        return describe_in_batches(self, pictures)


def prepare_dinov2(picture: Picture) -> npt.NDArray[np.float32]:
    """Resize to 224 x 224 in whole grey steps and normalise, 3 x 224 x 224."""
    scaled = WHOLE_GREY.resize(picture, DINOV2_SIDE).astype(np.float32) / np.float32(255)
    mean, std = (np.array(values, np.float32)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return np.asarray((scaled - mean) / std, np.float32)


def load_dinov2(weights: Path) -> Dinov2:
    """Load a folder of `facebook/dinov2-*` onto the CPU. Raises `UsageError` where it is none."""
    config = weights / "config.json"
    tensors = sorted(weights.glob("*.safetensors"))
    if not config.is_file() or not tensors:
        raise UsageError(
            f"A folder with config.json and *.safetensors of DINOv2 was wanted, got {weights}: "
            "download one of facebook/dinov2-small, -base, -large or -giant."
        )
    from transformers import Dinov2Config, Dinov2Model

    try:
        settings = Dinov2Config.from_pretrained(weights, local_files_only=True)
        if settings.model_type != "dinov2":
            raise ValueError(f"it is of model type {settings.model_type!r}")
        network = Dinov2Model.from_pretrained(
            weights, config=settings, local_files_only=True, dtype=torch.float32
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"Weights of DINOv2 were wanted in {weights}: {error}") from error
    network.eval()  # type: ignore[no-untyped-call]
    return Dinov2(version=fingerprint_files([config, *tensors]), network=network)
