"""The image tower of a CLIP as an encoder: OpenAI's for CMMD, or one for remote sensing such as RemoteCLIP, GeoRSCLIP.

CMMD (Jayasumana et al., CVPR 2024) takes `openai/clip-vit-large-patch14-336` and features of length 1. Pictures are
prepared as the model's own folder says: the shorter side to 336 px, and the middle of it. A picture that is not square
therefore loses its ends here; that stands in `resize`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import normalize

from earthloom.models.clip.dual import Dual, encode_images, open_dual
from earthloom.models.encoders.encoder import (
    Features,
    Picture,
    Pictures,
    Prepared,
    check_picture,
    describe_in_batches,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipImages:
    """Projected image features of length 1."""

    version: str
    dual: Dual
    """Both towers: texts for the same space."""
    name: str = "clip"
    batch: int = 16
    frechet: str = "FD-CLIP"
    kernel: str = "CMMD"

    @property
    def resize(self) -> str:
        """The rule in words."""
        look = self.dual.look
        method = Image.Resampling(look.resample).name.lower()
        return (
            f"clip@1: Pillow {method}, antialiased, rounded to whole grey steps, shorter side {look.load} px, "
            f"then the middle {look.side} x {look.side} px"
        )

    @property
    def width(self) -> int:
        """Of the common space of pictures and texts: 768 of ViT-L/14."""
        return int(self.dual.network.config.projection_dim)

    def prepare(self, picture: Picture) -> Prepared:
        """The middle, 3 x side x side, 8 bits."""
        return np.ascontiguousarray(self.dual.look.frame(check_picture(picture)).transpose(2, 0, 1))

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        """Features, N x D, each of length 1."""
        if not prepared:
            return np.empty((0, self.width))
        with torch.inference_mode():
            pixels = self.dual.look.normalise(torch.from_numpy(np.stack(prepared)))
            found = normalize(encode_images(self.dual.network, pixels).double(), dim=-1)
            return np.asarray(found.numpy(), np.float64)

    def describe(self, pictures: Pictures) -> Features:
        """Features of pictures, N x D, each of length 1."""
        return describe_in_batches(self, pictures)


def load_clip(weights: Path) -> ClipImages:
    """Load a CLIPModel, as transformers saves it, onto the CPU. Raises `UsageError` where it is none."""
    dual = open_dual(str(weights))
    assert dual.origin is not None
    return ClipImages(version=dual.origin.fingerprint, dual=dual)
