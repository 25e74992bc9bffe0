"""A small residual network (He et al., CVPR 2016) whose pooled features several linear heads read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 64
"""Pixels of the pictures that it takes."""
_GRAY, _SPREAD = 127.5, 63.75
"""8-bit levels become -2 to 2."""


class LoomNet(nn.Module):
    """Pictures to features, and features to answers.

    The features are means over the picture of what the last stage found, as in ResNet and Inception: where something
    lies is lost, what there is stays. Every head is linear, so that what it tells is there in the features for others
    to find: a distance between features moves when an answer would.
    """

    def __init__(self, widths: Sequence[int], blocks: Sequence[int], heads: Mapping[str, int]) -> None:
        """Draw first weights from torch's generator.

        Args:
            widths: channels of each stage; each has half the side of the one before, the first 32 pixels.
            blocks: residual blocks of each stage.
            heads: name to number of answers.

        """
        super().__init__()
        stages: list[nn.Module] = []
        before = (
            3 * 4
        )  # four pixels are one, each with its own channels: a stem without a convolution at full size
        for width, n in zip(widths, blocks, strict=True):
            stride = 2 if stages else 1
            stages.append(Stem(before, width, stride))
            stages.extend(Block(width) for _ in range(n))
            before = width
        self.stages = nn.Sequential(*stages)
        self.heads = nn.ModuleDict({name: nn.Linear(before, n) for name, n in heads.items()})
        self.width = before

    def forward(self, levels: Tensor) -> Tensor:
        """Features, N x width and not negative, of 8-bit levels as floats, N x 3 x 64 x 64."""
        shown = functional.pixel_unshuffle((levels - _GRAY) / _SPREAD, 2)
        found: Tensor = self.stages(shown.contiguous(memory_format=torch.channels_last))
        return found.mean((2, 3))

    def ask(self, features: Tensor) -> dict[str, Tensor]:
        """Scores of every head before the softmax, each N x answers."""
        return {name: head(features) for name, head in self.heads.items()}


class Stem(nn.Module):
    """Changes the number of channels, and may halve the sides."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        """N x before x H x W to N x after x H / stride x W / stride."""
        return functional.relu(self.norm(self.conv(x)))


class Block(nn.Module):
    """Adds to its input what two convolutions make of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.second_norm.weight)  # begins as the identity: Goyal et al. 2017, section 5.1

    def forward(self, x: Tensor) -> Tensor:
        """Shape stays."""
        inner = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(x + self.second_norm(self.second(inner)))
