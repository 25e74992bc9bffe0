"""The discriminator: how real each patch of a picture looks."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from earthloom.models.translation.generator import draw_weights

_SLOPE = 0.2
_N_HALVINGS = 3


class PatchDiscriminator(nn.Module):
    """Scores of patches of 70 x 70 pixels (PatchGAN: Isola et al., CVPR 2017; Zhu et al., ICCV 2017).

    N x 3 x H x W, -1 to 1, to N x 1 x H/8 - 2 x W/8 - 2 scores without bounds: 1 is what real pictures are taught.
    """

    def __init__(self, width: int) -> None:
        """Make a network with `width` channels in its first layer."""
        super().__init__()
        channels = [width * 2**n for n in range(_N_HALVINGS + 1)]
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(_SLOPE)]
        for number, (before, after) in enumerate(pairwise(channels), 1):
            stride = 2 if number < _N_HALVINGS else 1
            layers += [
                nn.Conv2d(before, after, 4, stride=stride, padding=1),
                nn.InstanceNorm2d(after),
                nn.LeakyReLU(_SLOPE),
            ]
        layers.append(nn.Conv2d(channels[-1], 1, 4, stride=1, padding=1))
        self.layers = nn.Sequential(*layers)
        draw_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """Score the patches of pictures."""
        return cast(Tensor, self.layers(x))
