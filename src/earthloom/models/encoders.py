"""Encoders that others trained, read from a path: DINOv2 and the Inception network of FID.

Nothing is downloaded. Features that need no weights are `earthloom.metrics.features`; rooms of one level do not import
each other, so who wants either chooses between the two.

What is taken from where:

- DINOv2 (Oquab et al., TMLR 2024), prepared as in dgm-eval (Stein et al., NeurIPS 2023, whose FD-DINOv2 uses ViT-L/14):
  Pillow's bicubic to 224 x 224, ImageNet's mean and deviation, the class token after the last norm. The folder is one
  of Hugging Face's `facebook/dinov2-*`; its position codes are brought to 224 px by transformers.
- Inception: `inception-2015-12-05.pt`, NVIDIA's TorchScript translation of the network of FID, prepared as in clean-fid
  (Parmar et al., CVPR 2022): Pillow's bicubic on floats, channel by channel, to 299 x 299, values 0 to 255 unrounded.

Both were run with small random networks of the same interface only; the published weights themselves were not at hand.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.core.ids import fingerprint_file

if TYPE_CHECKING:
    from torch import Tensor
    from torch.jit import ScriptModule
    from transformers import Dinov2Model

Pictures = Sequence[npt.NDArray[np.uint8]]
"""Each H x W x 3, sRGB; sizes may differ."""
Features = npt.NDArray[np.float64]
"""N x D."""

DINOV2_SIDE, INCEPTION_SIDE = 224, 299
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
INCEPTION_FEATURES = 2048
_BATCH = 16


class Encoder(Protocol):
    """Turns pictures into features."""

    @property
    def name(self) -> str:
        """Such as `dinov2`."""

    @property
    def version(self) -> str:
        """Fingerprint of the weights: features of different versions are not comparable."""

    def describe(self, pictures: Pictures) -> Features:
        """Features of each picture, N x D."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dinov2:
    """DINOv2's class token."""

    version: str
    network: Dinov2Model
    name: str = "dinov2"

    def describe(self, pictures: Pictures) -> Features:
        """Class token after the last norm, N x D with D the width of the network (1024 of ViT-L/14)."""
        import torch

        parts = [np.empty((0, self.network.config.hidden_size))]
        for start in range(0, len(pictures), _BATCH):
            batch = np.stack([prepare_dinov2(picture) for picture in pictures[start : start + _BATCH]])
            with torch.inference_mode():
                found = self.network(pixel_values=torch.from_numpy(batch)).last_hidden_state
            parts.append(_to_features(found[:, 0]))
        return np.concatenate(parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inception:
    """Inception's last pooled features, those of FID and KID."""

    version: str
    network: ScriptModule
    name: str = "inception"

    def describe(self, pictures: Pictures) -> Features:
        """Features before the softmax layer, N x 2048."""
        import torch

        parts = [np.empty((0, INCEPTION_FEATURES))]
        for start in range(0, len(pictures), _BATCH):
            batch = np.stack([prepare_inception(picture) for picture in pictures[start : start + _BATCH]])
            with torch.inference_mode():
                found = self.network(torch.from_numpy(batch), return_features=True)
            parts.append(_to_features(found.reshape(len(batch), -1)))
        return np.concatenate(parts)


def load_encoder(name: Literal["dinov2", "inception"], weights: Path) -> Encoder:
    """Read an encoder from its weights, onto the CPU.

    Args:
        name: which network.
        weights: for `dinov2` a folder with `config.json` and `model.safetensors`; for `inception` the TorchScript file.

    Raises:
        UsageError: where torch or transformers are not installed, or the weights are not there or not of this kind.

    """
    with explain_missing_models(f"The encoder {name} wants"):
        return _load_dinov2(weights) if name == "dinov2" else _load_inception(weights)


def prepare_dinov2(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Resize to 224 x 224 in whole grey steps and normalise, 3 x 224 x 224."""
    image = Image.fromarray(_check_picture(picture))
    resized = image.resize((DINOV2_SIDE, DINOV2_SIDE), Image.Resampling.BICUBIC)
    scaled = np.asarray(resized, np.float32) / np.float32(255)
    normal = (scaled - np.array(IMAGENET_MEAN, np.float32)) / np.array(IMAGENET_STD, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def prepare_inception(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Resize to 299 x 299 without rounding, 3 x 299 x 299, 0 to 255 (bicubic may reach a little beyond)."""
    side = (INCEPTION_SIDE, INCEPTION_SIDE)
    channels = np.asarray(_check_picture(picture), np.float32).transpose(2, 0, 1)
    planes = [Image.fromarray(channel).resize(side, Image.Resampling.BICUBIC) for channel in channels]
    return np.stack([np.asarray(plane, np.float32) for plane in planes])


def _load_dinov2(weights: Path) -> Dinov2:
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
        network = Dinov2Model.from_pretrained(weights, config=settings, local_files_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"Weights of DINOv2 were wanted in {weights}: {error}") from error
    network.eval()  # type: ignore[no-untyped-call]
    return Dinov2(version=_fingerprint([config, *tensors]), network=network)


def _load_inception(weights: Path) -> Inception:
    if not weights.is_file():
        raise UsageError(
            f"The file inception-2015-12-05.pt was wanted, got {weights}: download it from NVIDIA."
        )
    import torch

    try:
        with warnings.catch_warnings():
            # torch means to leave TorchScript; the published file exists in no other form.
            warnings.simplefilter("ignore", DeprecationWarning)
            network: ScriptModule = torch.jit.load(str(weights), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"TorchScript was wanted, {weights} is none: {error}") from error
    if "return_features" not in str(getattr(network.forward, "schema", "")):
        raise UsageError(f"{weights} has no argument return_features: give NVIDIA's inception-2015-12-05.pt.")
    network.eval()
    return Inception(version=_fingerprint([weights]), network=network)


def _fingerprint(files: Sequence[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for file in files:
        digest.update(fingerprint_file(file).encode())
    return digest.hexdigest()


def _check_picture(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise UsageError(f"H x W x 3 of uint8 was wanted, got {picture.dtype} of shape {picture.shape}.")
    return np.ascontiguousarray(picture)


def _to_features(tensor: Tensor) -> Features:
    return np.asarray(tensor.double().numpy(), np.float64)
