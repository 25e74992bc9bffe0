"""A trained generator at work: pictures of any size, with bounded memory and without seams.

The generator normalises by the mean and the spread of each of its features over the whole picture. Windows that are
redrawn one by one would each have their own, and differ in brightness and colour. So for a picture that is too large to
be redrawn at once, these statistics are first taken over a sample of windows together, layer by layer, and then held
fast. What is left looks only so many pixels far: windows that overlap by as much fit exactly.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from earthloom.models.translation.generator import LEAST_SIDE, STRIDE, ResnetGenerator

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""

_WHOLE = 1024 * 1024
"""Pixels that are redrawn at once: at a width of 64 the largest layer has 256 MiB."""
_CORE = 512
"""Side of what is kept of a window, pixels; a multiple of 4."""
_SAMPLE_SIDE, _SAMPLE_GRID = 256, 4
"""Statistics of a large picture are those of 4 x 4 windows of this side: again 1024 x 1024 pixels."""


@dataclass(frozen=True, kw_only=True)
class Translator:
    """A generator and what is known of its training."""

    generator: ResnetGenerator
    digest: str
    """SHA-256 of the file of its weights."""
    training: dict[str, Any]
    """How it was trained: method, steps, and hashes of what it learnt from."""

    def translate(self, picture: Picture) -> Picture:
        """Redraw a picture, H x W x 3 of 8-bit sRGB, at least 1 x 1; equal pictures give equal bytes.

        One thread computes, whatever torch is set to: sums of several end in different bits.
        """
        height, width, _ = picture.shape
        padded = _pad(picture)
        with torch.inference_mode(), _one_thread():
            if padded.shape[0] * padded.shape[1] <= _WHOLE:
                drawn = _redraw(self.generator, padded)
            else:
                drawn = _redraw_by_windows(self.generator, padded)
        return drawn[:height, :width]


def _redraw(network: nn.Module, picture: Picture) -> Picture:
    levels = (network(_to_tensor([picture]))[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5
    return np.asarray(levels.round().to(torch.uint8).contiguous().numpy())


def _redraw_by_windows(generator: ResnetGenerator, picture: Picture) -> Picture:
    steady = _hold_statistics(generator, _sample_windows(picture))
    drawn = np.empty_like(picture)
    for core, window, inner in _cut_windows(picture.shape[0], picture.shape[1], generator.reach):
        drawn[core] = _redraw(steady, picture[window])[inner]
    return drawn


def _hold_statistics(generator: ResnetGenerator, windows: Tensor) -> nn.Module:
    """A copy of the generator whose normalisations keep the means and variances that windows have in common.

    Batch normalisation without memory of earlier batches (a momentum of 1) is just that.
    """
    steady = copy.deepcopy(generator)
    for module in list(steady.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.InstanceNorm2d):
                held = nn.BatchNorm2d(child.num_features, eps=child.eps, momentum=1.0, affine=False)
                setattr(module, name, held)
    steady.train()
    steady(windows)
    return steady.eval()


def _sample_windows(picture: Picture) -> Tensor:
    """Windows spread evenly over a picture, as a batch."""
    sides = [min(_SAMPLE_SIDE, extent) for extent in picture.shape[:2]]
    starts = [
        np.linspace(0, extent - side, _SAMPLE_GRID).round().astype(int)
        for extent, side in zip(picture.shape[:2], sides, strict=True)
    ]
    return _to_tensor(
        [picture[row : row + sides[0], col : col + sides[1]] for row in starts[0] for col in starts[1]]
    )


_Window = tuple[slice, slice]


def _cut_windows(height: int, width: int, margin: int) -> Iterator[tuple[_Window, _Window, _Window]]:
    """Cores that fill a picture, the windows around them, and where in its window each core lies."""
    for rows in _cut_axis(height, margin):
        for columns in _cut_axis(width, margin):
            core, window, inner = zip(rows, columns, strict=True)
            yield core, window, inner


def _cut_axis(extent: int, margin: int) -> Iterator[tuple[slice, slice, slice]]:
    for start in range(0, extent, _CORE):
        stop = min(start + _CORE, extent)
        first, last = max(start - margin, 0), min(stop + margin, extent)
        yield slice(start, stop), slice(first, last), slice(start - first, stop - first)


def _pad(picture: Picture) -> Picture:
    """Mirror a picture at its lower and right border up to sides that the generator takes."""
    missing = [max(LEAST_SIDE, -(-extent // STRIDE) * STRIDE) - extent for extent in picture.shape[:2]]
    return np.pad(picture, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="symmetric")


def _to_tensor(pictures: list[Picture]) -> Tensor:
    stacked = torch.from_numpy(np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2)))
    return stacked.to(torch.float32) / 127.5 - 1.0


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
