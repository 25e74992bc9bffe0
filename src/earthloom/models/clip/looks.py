"""Pictures as an image tower sees them: scaled, cut to a square and normalised as CLIPImageProcessor does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from earthloom.core.errors import UsageError
from earthloom.models.weights.places import read_json
from earthloom.store.atomic import write_json

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""
Box = tuple[float, float, float, float]
"""Left, upper, right and lower edge, pixels."""

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that OpenAI's models were trained with."""
_NAMES = ("preprocessor_config.json", "processor_config.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How pictures become the input of an image tower."""

    side: int
    """Pixels."""
    load: int
    """Pixels to which the shorter side is scaled before the middle is cut out."""
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    """Of each channel, as shares of full brightness."""
    resample: int = Image.Resampling.BICUBIC
    """Pillow's number of the filter."""

    def frame(self, picture: Picture) -> Picture:
        """The middle of a picture, `side` x `side` x 3: what CLIPImageProcessor makes before it normalises."""
        height, width = picture.shape[:2]
        short = min(height, width)
        sizes = (int(self.load * width / short), int(self.load * height / short))
        scaled = Image.fromarray(picture).resize(sizes, Image.Resampling(self.resample))
        x, y = ((length - self.side) // 2 for length in sizes)
        return np.asarray(scaled.crop((x, y, x + self.side, y + self.side)), np.uint8)

    def cut(self, picture: Picture, box: Box) -> Picture:
        """A square part of a picture, `side` x `side` x 3."""
        size = (self.side, self.side)
        return np.asarray(
            Image.fromarray(picture).resize(size, Image.Resampling(self.resample), box), np.uint8
        )

    def normalise(self, images: Tensor) -> Tensor:
        """Turn uint8 images, N x 3 x side x side, into the input of the tower: float32."""
        mean, std = (
            torch.tensor(values, device=images.device).view(1, 3, 1, 1) for values in (self.mean, self.std)
        )
        return (images.to(torch.float32) / 255.0 - mean) / std

    def write(self, folder: Path) -> None:
        """Write what transformers' AutoImageProcessor reads."""
        config = {
            "image_processor_type": "CLIPImageProcessor",
            "do_convert_rgb": True,
            "do_resize": True,
            "size": {"shortest_edge": self.load},
            "resample": int(self.resample),
            "do_center_crop": True,
            "crop_size": {"height": self.side, "width": self.side},
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": list(self.mean),
            "image_std": list(self.std),
        }
        write_json(folder / _NAMES[0], config)


def read_look(folder: Path, side: int) -> Look:
    """Read how a saved model wants its pictures.

    Args:
        folder: of the model.
        side: what its image tower takes, pixels.

    Raises:
        UsageError: pictures are prepared in a way that is not CLIP's.

    """
    path = next((path for name in _NAMES if (path := folder / name).is_file()), folder / _NAMES[0])
    config = read_json(path)
    config = config.get("image_processor", config)
    switches = ("do_resize", "do_center_crop", "do_rescale", "do_normalize")
    off = [name for name in switches if config.get(name, True) is not True]
    crop = _read_size(config.get("crop_size", 224), "height")
    load = _read_size(config.get("size", 224), "shortest_edge")
    if off or crop != side or load is None or load < side:
        raise UsageError(
            f"{path} prepares pictures in another way than CLIP: wanted its four steps, a shorter side scaled to at "
            f"least {side} px and a middle of {side} px, which is what the image tower takes."
        )
    mean, std = (
        _read_triple(config, *named) for named in (("image_mean", CLIP_MEAN), ("image_std", CLIP_STD))
    )
    return Look(side=side, load=load, mean=mean, std=std, resample=int(config.get("resample", 3)))


def _read_size(value: Any, name: str) -> int | None:
    """A number, or that of a mapping."""
    found = value.get(name) if isinstance(value, Mapping) else value
    return found if isinstance(found, int) else None


def _read_triple(
    config: Mapping[str, Any], name: str, usual: tuple[float, float, float]
) -> tuple[float, float, float]:
    red, green, blue = config.get(name, usual)
    return float(red), float(green), float(blue)
