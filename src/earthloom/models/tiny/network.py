"""The network of a tiny painter: a UNet on squares of pixels that is told step, words, facts and another picture.

The layout is that of Ho et al. (NeurIPS 2020) and Rombach et al. (CVPR 2022), made small: it works on squares of
`patch` x `patch` pixels (as Hoogeboom et al., ICML 2023, do in pixel space), and looks at words and at the whole of the
picture only where that is a handful of places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from earthloom.models.tiny.blocks import Double, Halve, Look, Residual, normalise, start_at_zero
from earthloom.models.tiny.conditions import FactEncoder
from earthloom.models.tiny.shape import TinyShape
from earthloom.models.tiny.text import TextEncoder

_WAVES = 64
"""Frequencies by which a step is told."""
_LEAST_SPREAD = 1e-2
"""Deviation of levels that flat pictures are taken to have, -1 to 1."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """All that the network is told of N pictures."""

    tokens: Tensor
    """N x L x 2 rows of words."""
    names: Tensor
    """N x 3 x 2 rows of names."""
    measures: Tensor
    """N x numbers, float."""
    known: Tensor
    """N x 7, True where a fact is known."""
    control: Tensor | None = None
    """N x control_channels x side x side, -1 to 1: another picture of the same ground."""
    has_control: Tensor | None = None
    """N, True where that picture is known; None for all."""


class TinyUNet(nn.Module):
    """From noisy pictures to the velocity of their noise.

    It works on levels with mean 0 and variance 1 in every channel, see `set_levels`: then the velocity is what EDM's
    preconditioning comes to (Karras et al., NeurIPS 2022, table 1, with sigma_data 1), and noise is measured by the
    contrast of the pictures, which from above is a fifth of what 8 bits can hold.
    """

    centre: Tensor
    spread: Tensor
    control_centre: Tensor
    control_spread: Tensor

    def __init__(self, shape: TinyShape) -> None:
        """Draw first weights from torch's generator."""
        super().__init__()
        self.shape = shape
        self.register_buffer("centre", torch.zeros(shape.channels, 1, 1))
        self.register_buffer("spread", torch.ones(shape.channels, 1, 1))
        if shape.control_channels:
            self.register_buffer("control_centre", torch.zeros(shape.control_channels, 1, 1))
            self.register_buffer("control_spread", torch.ones(shape.control_channels, 1, 1))
        width = shape.width
        told = 4 * width
        self.text = TextEncoder(shape.text_width, shape.text_layers, shape.text_length, shape.buckets)
        self.facts = FactEncoder(told)
        self.step = nn.Sequential(nn.Linear(2 * _WAVES, told), nn.SiLU(), nn.Linear(told, told))
        self.summary = nn.Linear(shape.text_width, told)
        self.tell = nn.Sequential(nn.SiLU(), nn.Linear(told, told), nn.SiLU())
        given = shape.channels + (shape.control_channels + 1 if shape.control_channels else 0)
        self.enter = nn.Conv2d(given * shape.patch**2, width, 3, padding=1)
        self._make_sizes(told)
        self.leave = start_at_zero(nn.Conv2d(width, shape.channels * shape.patch**2, 3, padding=1))

    def set_levels(self, pictures: Tensor, controls: Tensor | None = None) -> None:
        """Measure mean and deviation of each channel of some pictures, N x channels x H x W, -1 to 1.

        So of pictures to draw from, where there are such: beside noise of variance 1 they would hardly be seen.
        """
        _measure(pictures, self.centre, self.spread)
        if controls is not None:
            _measure(controls, self.control_centre, self.control_spread)

    def to_levels(self, pictures: Tensor) -> Tensor:
        """Pictures, -1 to 1, as the network takes them."""
        return (pictures - self.centre) / self.spread

    def to_pictures(self, levels: Tensor) -> Tensor:
        """What the network draws as pictures, -1 to 1."""
        return (levels * self.spread + self.centre).clamp(-1.0, 1.0)

    def _make_sizes(self, told: int) -> None:
        shape = self.shape
        widths = [shape.width * factor for factor in shape.growth]
        sides = [shape.side // shape.patch // 2**level for level in range(len(widths))]
        levels = list(zip(widths, sides, strict=True))
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        width = widths[0]
        for level, (after, side) in enumerate(levels):
            for _ in range(shape.blocks):
                self.down.append(self._make_block(width, after, told, side))
                width = after
            if level < len(levels) - 1:
                self.down.append(Halve(width))
        self.middle = self._make_block(width, width, told, shape.attention_side)
        self.last = Residual(width, width, told)
        for level, (after, side) in reversed(list(enumerate(levels))):
            for _ in range(shape.blocks):
                self.up.append(self._make_block(width + after, after, told, side))
                width = after
            if level:
                self.up.append(Double(width, widths[level - 1]))
                width = widths[level - 1]

    def _make_block(self, before: int, after: int, told: int, side: int) -> Block:
        return Block(before, after, told, self.shape.text_width, looks=side <= self.shape.attention_side)

    def forward(self, x: Tensor, t: Tensor, told: Told) -> Tensor:
        """N x channels x side x side levels and N times (0 to 1) to as many velocities, float32."""
        words, is_word = self.text(told.tokens)
        total = self.step(_encode_times(t)) + self.facts(told.names, told.measures, told.known)
        about = self.tell(total + self.summary(_average(words, is_word)))
        x = self.enter(functional.pixel_unshuffle(self._join(x, told), self.shape.patch))
        x = self._run(x.contiguous(memory_format=torch.channels_last), about, words, is_word)
        drawn = self.leave(functional.silu(normalise(x)))
        return functional.pixel_shuffle(drawn, self.shape.patch).float()

    def _run(self, x: Tensor, about: Tensor, words: Tensor, is_word: Tensor) -> Tensor:
        kept: list[Tensor] = []
        for layer in self.down:
            if isinstance(layer, Block):
                x = layer(x, about, words, is_word)
                kept.append(x)
            else:
                x = layer(x)
        x = self.last(self.middle(x, about, words, is_word), about)
        for layer in self.up:
            if not isinstance(layer, Block):
                x = layer(x)
                continue
            x = layer(torch.cat([x, kept.pop()], 1), about, words, is_word)
        return x

    def _join(self, x: Tensor, told: Told) -> Tensor:
        """The noisy picture, the one to draw from, and one channel that says whether that one is known."""
        n_control = self.shape.control_channels
        if not n_control:
            return x
        n, _, height, across = x.shape
        if told.control is None:
            return torch.cat([x, x.new_zeros(n, n_control + 1, height, across)], 1)
        has = x.new_ones(n) if told.has_control is None else told.has_control.to(x.dtype)
        has = has[:, None, None, None]
        control = (told.control - self.control_centre) / self.control_spread
        return torch.cat([x, control * has, has.expand(n, 1, height, across)], 1)


def _measure(pictures: Tensor, centre: Tensor, spread: Tensor) -> None:
    centre.copy_(pictures.mean((0, 2, 3))[:, None, None])
    spread.copy_(pictures.std((0, 2, 3))[:, None, None].clamp(min=_LEAST_SPREAD))


class Block(nn.Module):
    """A residual block, followed by a look around where the picture is small enough."""

    def __init__(self, before: int, after: int, told: int, text_width: int, *, looks: bool) -> None:
        super().__init__()
        self.residual = Residual(before, after, told)
        self.look = Look(after, text_width) if looks else None

    def forward(self, x: Tensor, about: Tensor, words: Tensor, is_word: Tensor) -> Tensor:
        """N x before x H x W to N x after x H x W."""
        drawn: Tensor = self.residual(x, about)
        return drawn if self.look is None else self.look(drawn, words, is_word)


def _encode_times(t: Tensor) -> Tensor:
    """Sines and cosines of N times (0 to 1), N x 128: 1 to 1,000 radians, evenly spaced in their logarithm."""
    rates = torch.exp(torch.linspace(0.0, math.log(1000.0), _WAVES, device=t.device))
    angles = t.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


def _average(words: Tensor, is_word: Tensor) -> Tensor:
    """Mean over the words of N x L x width; every text has one at least, its beginning."""
    weights = is_word[..., None].to(words.dtype)
    return (words * weights).sum(1) / weights.sum(1)
