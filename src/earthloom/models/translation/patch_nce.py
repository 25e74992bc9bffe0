"""PatchNCE: what a generator draws in a place has to tell of that place and of no other (Park et al., ECCV 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from earthloom.models.translation.generator import draw_weights

TEMPERATURE = 0.07
"""Of CUT, after He et al. (MoCo, CVPR 2020)."""
_WIDTH = 256
"""Numbers that describe a patch, as in CUT."""

Places = list[Tensor]
"""Of each layer the numbers of some of its pixels, counted row by row."""


class PatchHeads(nn.Module):
    """One small network a layer: from the features of a patch to a unit vector that describes it."""

    def __init__(self, channels: Sequence[int]) -> None:
        """Make heads for layers with so many channels."""
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(n, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, _WIDTH)) for n in channels
        )
        draw_weights(self)

    def forward(self, features: Sequence[Tensor], places: Places) -> list[Tensor]:
        """Describe some places of each layer.

        Args:
            features: of each layer, N x C x H x W.
            places: of each layer, P numbers of its pixels.

        Returns:
            Of each layer N x P x 256, of length 1.

        """
        chosen = [f.flatten(2)[:, :, p].transpose(1, 2) for f, p in zip(features, places, strict=True)]
        return [
            functional.normalize(head(patches), dim=2, eps=1e-7)
            for head, patches in zip(self.heads, chosen, strict=True)
        ]


def draw_places(features: Sequence[Tensor], n: int) -> Places:
    """Draw n pixels of each layer without replacement, or take all of them, with torch's generator."""
    return [torch.randperm(f.shape[2] * f.shape[3])[:n].to(f.device) for f in features]


def patch_nce(queries: Tensor, keys: Tensor) -> Tensor:
    """InfoNCE (van den Oord et al., 2018) of patches against the others of their own picture; a scalar.

    `-log(exp(q_i k_i / t) / sum_j exp(q_i k_j / t))`, averaged, with t = 0.07: the patch drawn in a place has to be
    found among P patches of the picture that it was drawn from.

    Args:
        queries: N x P x D, unit vectors of what was drawn.
        keys: N x P x D, of the same places of what it was drawn from; taught nothing.

    """
    n, p, _ = queries.shape
    likeness = torch.bmm(queries, keys.detach().transpose(1, 2)) / TEMPERATURE
    own = torch.arange(p, device=queries.device).repeat(n)
    return functional.cross_entropy(likeness.flatten(0, 1), own)
