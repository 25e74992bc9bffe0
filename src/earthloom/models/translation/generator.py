"""The generator: a residual network that redraws a picture of any size.

The layout is that of CycleGAN (Zhu et al., ICCV 2017; after Johnson et al., ECCV 2016), in the antialiased form of CUT
(Park et al., ECCV 2020), whose numbering of layers it keeps. Two things differ, both because labels must stay where
they are on tiles that end anywhere: blurs have four taps on the way down as on the way up, so that nothing shifts by
half a pixel, and every convolution mirrors the picture at its border instead of adding a frame of zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from earthloom.core.errors import UsageError

STRIDE = 4
"""Sides of pictures must be multiples of this: two halvings."""
LEAST_SIDE = 16
"""Pixels a side of a picture must have, so that there is something to mirror at a quarter of it."""
_FIRST_BLOCK = 12
"""Number of the first residual block."""
_BLUR = (0.125, 0.375, 0.375, 0.125)
_SPREAD = 0.02
"""Standard deviation of first weights, as in both papers' code."""


class BlurDown(nn.Module):
    """Halve height and width behind a binomial blur (Zhang, ICML 2019); pixel i then covers pixels 2i and 2i + 1."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor(_BLUR)
        self.register_buffer("kernel", torch.outer(taps, taps)[None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W to N x C x H/2 x W/2."""
        channels = x.shape[1]
        padded = functional.pad(x, (1, 1, 1, 1), mode="reflect")
        return functional.conv2d(padded, self.kernel.expand(channels, 1, 4, 4), stride=2, groups=channels)


class BlurUp(nn.Module):
    """Double height and width, bilinearly: the same four taps as on the way down."""

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W to N x C x 2H x 2W."""
        return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to what came in (He et al., CVPR 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _convolve(channels, channels, 3),
            nn.InstanceNorm2d(channels),
            nn.ReLU(),
            _convolve(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W to the same."""
        return x + cast(Tensor, self.layers(x))


class ResnetGenerator(nn.Module):
    """Pictures to pictures of the same size, N x 3 x H x W, -1 to 1; H and W multiples of 4, at least 16.

    Layers, numbered as in CUT: 0 mirrored border; 1-3 first convolution; 4-7 and 8-11 the two halvings, beginning with
    their convolutions; from 12 on the residual blocks; then two doublings and the last convolution.
    """

    def __init__(self, width: int, blocks: int, *, blend: bool = False) -> None:
        """Make a network with `width` channels in its first layer, four times as many in its blocks.

        One that blends draws colours and a mask m, and gives `m x picture + (1 - m) x colours` (GANimation, Pumarola et
        al., ECCV 2018), which is the form of any veil: what comes through keeps its detail.
        """
        super().__init__()
        self.width, self.blocks, self.blend = width, blocks, blend
        down, up = (width, 2 * width, 4 * width), (4 * width, 2 * width, width)
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), *_normalise(width)]
        for before, after in pairwise(down):
            layers += [_convolve(before, after, 3), *_normalise(after), BlurDown()]
        layers += [ResidualBlock(4 * width) for _ in range(blocks)]
        for before, after in pairwise(up):
            layers += [BlurUp(), _convolve(before, after, 3), *_normalise(after)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, 4 if blend else 3, 7)]
        self.layers = nn.Sequential(*layers)
        draw_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """Redraw pictures."""
        drawn = cast(Tensor, self.layers(x))
        colours = torch.tanh(drawn[:, :3])
        if not self.blend:
            return colours
        return torch.lerp(colours, x, torch.sigmoid(drawn[:, 3:]))

    def encode(self, x: Tensor, at: Sequence[int]) -> list[Tensor]:
        """What comes out of the layers of these numbers, in rising order; layers behind the last one do nothing."""
        return list(self._encode(x, frozenset(at)))

    def _encode(self, x: Tensor, at: frozenset[int]) -> Iterator[Tensor]:
        for number, layer in enumerate(self.layers.children()):
            if number > max(at):
                return
            x = layer(x)
            if number in at:
                yield x

    def count_channels(self, at: Sequence[int]) -> list[int]:
        """Channels of the layers of these numbers, in rising order.

        Raises:
            UsageError: for a number that is not one of the layers up to the last residual block.

        """
        last = _FIRST_BLOCK + self.blocks - 1
        wrong = sorted(number for number in at if not 0 <= number <= last)
        if wrong:
            raise UsageError(
                f"nce_layers: a generator of {self.blocks} blocks has layers 0 to {last} up to its last block, "
                f"got {wrong}. Leave these out, or raise `blocks`."
            )
        with torch.no_grad():
            probe = next(self.parameters()).new_zeros(1, 3, LEAST_SIDE, LEAST_SIDE)
            return [features.shape[1] for features in self.encode(probe, at)]

    @property
    def reach(self) -> int:
        """How far a pixel of the output looks, in pixels of the picture to each side; a multiple of 4.

        Of every layer the radius of its kernel, times the pixels that one of its steps spans; statistics of the whole
        picture in the normalisations come on top of it.
        """
        outer = 3 + 3  # the first and the last convolution
        down = (1 + 2) * 1 + (1 + 2) * 2  # convolution and blur, at the full and at half the size
        up = (
            (1 + 0) * 4 + 1 * 2 + 1 * 2 + 1 * 1
        )  # interpolation from a quarter, convolution at a half; and so on
        return outer + down + 2 * self.blocks * STRIDE + up


def draw_weights(network: nn.Module) -> None:
    """Draw all weights of convolutions and linear layers from N(0, 0.02) with torch's generator; biases are 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, _SPREAD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _convolve(before: int, after: int, side: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, side, padding=side // 2, padding_mode="reflect")


def _normalise(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels), nn.ReLU()
