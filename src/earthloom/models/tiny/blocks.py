"""The parts of the network: all keep height and width, but for `Halve` and `Double`."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from earthloom.models.tiny.attention import attend

Layer = TypeVar("Layer", bound=nn.Module)


class Residual(nn.Module):
    """Two convolutions added to what came in, the second told about step, words and facts (FiLM; Perez et al., 2018).

    Each place is normalised by itself over its features, which on a CPU in bfloat16 is four times as fast as over
    groups of them and the picture. The last convolution begins at zero, so that the block begins as nothing.
    """

    def __init__(self, before: int, after: int, told: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.tell = start_at_zero(nn.Linear(told, 2 * after))
        self.second = start_at_zero(nn.Conv2d(after, after, 3, padding=1))
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """N x before x H x W and N x told to N x after x H x W."""
        inner = self.first(functional.silu(normalise(x)))
        scale, shift = self.tell(told)[..., None, None].chunk(2, 1)
        inner = self.second(functional.silu(torch.addcmul(shift, normalise(inner), 1.0 + scale)))
        drawn: Tensor = self.skip(x) + inner
        return drawn


class Look(nn.Module):
    """Attention of every place to all places and, where there are any, to the words (Vaswani et al., 2017)."""

    def __init__(self, width: int, text_width: int) -> None:
        super().__init__()
        self.ask = nn.Linear(width, width)
        self.around = nn.Linear(width, 2 * width)
        self.words = nn.Linear(text_width, 2 * width)
        self.out = start_at_zero(nn.Linear(width, width))

    def forward(self, x: Tensor, words: Tensor, is_word: Tensor) -> Tensor:
        """N x width x H x W, N x L x text_width and N x L (True at words) to N x width x H x W."""
        n, width, height, across = x.shape
        places = functional.layer_norm(x.permute(0, 2, 3, 1).reshape(n, height * across, width), (width,))
        known = torch.cat([self.around(places), self.words(words)], 1)
        keys, values = known.chunk(2, -1)
        seen = functional.pad(is_word, (height * across, 0), value=True)
        drawn = self.out(attend(self.ask(places), keys, values, seen))
        added: Tensor = x + drawn.reshape(n, height, across, width).permute(0, 3, 1, 2)
        return added


class Halve(nn.Module):
    """Half the height and width, by a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """N x width x H x W to N x width x H/2 x W/2."""
        halved: Tensor = self.conv(x)
        return halved


class Double(nn.Module):
    """Twice the height and width: each place becomes four of its own features."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, 4 * after, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N x before x H x W to N x after x 2H x 2W."""
        return functional.pixel_shuffle(self.conv(x), 2)


def normalise(x: Tensor) -> Tensor:
    """Bring the features of every place of N x C x H x W to mean 0 and variance 1."""
    return functional.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],)).permute(0, 3, 1, 2)


def start_at_zero(layer: Layer) -> Layer:
    """Set all weights of a layer to zero, so that what it adds begins as nothing."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
