"""Resampling: what a coarser instrument would have seen, from linear values.

`gaussian`: a point spread function whose modulation at the output's Nyquist frequency is G = 0.25, as optics
have; sigma = (r / pi) sqrt(-2 ln G) source pixels for a ratio r. `box`: averaging over the output pixel.
Weights are those of each output pixel's own centre, so any ratio, on each axis apart, is sampled in phase.
Axes whose pixels are only multiplied are interpolated by a cubic.

Invalid pixels weigh nothing: a mean is taken over the valid ones around, and is valid where they hold at least
half of the weight. What lies beyond the scene is invalid. Memory is bounded whatever the ratio: output rows are
made in chunks, and at ratios of 8 and more whole blocks of source pixels are averaged first; the Gaussian gets
what is then missing to its variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.tile.light import Valid

Kernel = Literal["gaussian", "box"]
Linear = npt.NDArray[np.float32]
Read = Callable[[int, int, int, int], tuple[Linear, Valid]]
"""Gives linear values HxWxC and validity of a window (col, row, width, height) of the scene; beyond the scene
they are invalid."""

MODULATION = 0.25
"""G at the output's Nyquist frequency. Instruments have 0.15 to 0.35 (genMTF of the DLPan toolbox)."""
_SIGMA = math.sqrt(-2 * math.log(MODULATION)) / math.pi
"""Per ratio: 0.530."""
_REACH = 3.5
"""Sigmas after which the Gaussian ends: 0.05 % of its weight lies beyond."""
_CUBIC = -0.75
"""OpenCV's cubic, so that both ways to enlarge agree."""
_MIN_WEIGHT = 0.5
_CELLS = 4
"""At least as many averaged cells to an output pixel: a quarter-pixel box under a Gaussian leaves less than
0.4 % of power of what lies beyond the cells' own Nyquist frequency."""
_CHUNK_SAMPLES = 6_000_000
"""Values of a chunk: 24 MB in float32."""
_READ_PIXELS = 2_000_000
_WIDEST_BLOCK = 2**15
"""Pixels: 512 rows of them, a row of the usual tiles of files, are 48 MB as 8-bit RGB."""


@dataclass(frozen=True, slots=True)
class Axis:
    """How one axis of a window is sampled."""

    start: float
    """Outer edge of the first output pixel, in source pixels."""
    step: float
    detail: float
    n: int
    """Output pixels."""
    length: int
    """Source pixels that the scene has."""

    @property
    def cell(self) -> int:
        """Source pixels that are averaged before anything else."""
        return max(1, int(self.detail) // _CELLS) if self.detail >= 2 * _CELLS else 1

    def centres(self, first: int, stop: int) -> npt.NDArray[np.float64]:
        """Centres of output pixels [first, stop), in source pixels."""
        return self.start + (np.arange(first, stop, dtype=np.float64) + 0.5) * self.step


@dataclass(frozen=True, slots=True)
class Weights:
    """How output pixels are made of cells."""

    matrix: Any
    """Sparse, output pixels x cells; rows add up to 1, or are empty where the centre is beyond the scene."""
    first: int
    """Source pixel at which the first cell begins."""
    n: int
    """Cells."""
    cell: int
    covers: bool
    """Whether every output pixel is made of something."""


def resample(read: Read, x: Axis, y: Axis, kernel: Kernel) -> tuple[Linear, Valid]:
    """Make y.n x x.n x C linear values out of a scene, and their validity."""
    across = find_weights(x, kernel, 0, x.n)
    bands: list[Linear] = []
    valid: list[Valid] = []
    start = 0
    while start < y.n:
        n_channels = bands[0].shape[2] if bands else 4
        stop = min(y.n, start + _chunk_rows(y, across.n * n_channels))
        down = find_weights(y, kernel, start, stop)
        values, weight = _reduce(read, across, down)
        drawn, share = _apply(values, weight, across, down)
        bands.append(drawn)
        valid.append(share)
        start = stop
    return np.concatenate(bands), _join(valid, bands)


def find_weights(axis: Axis, kernel: Kernel, first: int, stop: int) -> Weights:
    """Find the weights of output pixels [first, stop) of an axis."""
    centres = axis.centres(first, stop)
    shape, reach = _find_shape(axis, kernel)
    base = min(max(0, math.floor(centres[0] - reach)), axis.length - 1) // axis.cell * axis.cell
    end = min(axis.length, math.ceil(centres[-1] + reach) + axis.cell)
    n_cells = max(1, math.ceil((end - base) / axis.cell))
    n_taps = math.ceil(2 * reach / axis.cell) + 2
    cells = np.floor((centres - reach - base) / axis.cell).astype(np.int32)[:, None] + np.arange(
        n_taps, dtype=np.int32
    )
    distances = base + (cells + 0.5) * axis.cell - centres[:, None]
    weights = shape(distances)
    weights[(cells < 0) | (cells >= n_cells)] = 0
    weights[(centres < 0) | (centres >= axis.length)] = 0
    totals = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
    return Weights(_to_sparse(weights, cells, n_cells), base, n_cells, axis.cell, bool((totals > 0).all()))


def _find_shape(
    axis: Axis, kernel: Kernel
) -> tuple[Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]], float]:
    """Weight of a cell by the distance of its centre from that of the output pixel, and how far weights reach."""
    if axis.detail <= 1:
        return _weigh_cubic, 2.0
    cell = axis.cell
    if kernel == "box":
        reach = (axis.detail + cell) / 2
        return lambda d: np.clip(reach - np.abs(d), 0, min(cell, axis.detail)), reach
    # A box of `cell` pixels has the variance (cell^2 - 1) / 12 more than the single pixels it averages.
    variance = (_SIGMA * axis.detail) ** 2 - (cell**2 - 1) / 12
    reach = _REACH * math.sqrt(variance)
    return lambda d: np.where(np.abs(d) <= reach, np.exp(-(d**2) / (2 * variance)), 0), reach


def _weigh_cubic(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Cubic convolution (Keys 1981, eq. 4) with a = -0.75."""
    d = np.abs(distances)
    near = ((_CUBIC + 2) * d - (_CUBIC + 3)) * d**2 + 1
    far = _CUBIC * (((d - 5) * d + 8) * d - 4)
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


def _to_sparse(weights: npt.NDArray[np.float64], cells: npt.NDArray[np.int32], n_cells: int) -> Any:
    from scipy import sparse  # takes a tenth of a second, which averaging of stored values does without

    rows = np.arange(len(weights) + 1, dtype=np.int32) * weights.shape[1]
    columns = np.clip(cells, 0, n_cells - 1)
    parts = (weights.astype(np.float32).ravel(), columns.ravel(), rows)
    return sparse.csr_matrix(parts, shape=(len(weights), n_cells))


def _chunk_rows(y: Axis, samples_per_cell_row: int) -> int:
    """Output rows that are made at once."""
    cell_rows = _CHUNK_SAMPLES / samples_per_cell_row
    return max(16, int(cell_rows * y.cell / y.step))


def _reduce(read: Read, across: Weights, down: Weights) -> tuple[Linear, Linear | None]:
    """Read the cells of a chunk: means over valid pixels times their share, and that share (None where all are)."""
    if across.cell == down.cell == 1 and across.n * down.n <= _READ_PIXELS:
        return _weigh(*read(across.first, down.first, across.n, down.n))
    values: Linear | None = None
    weight: Linear | None = None
    for left, top, n_across, n_down in _blocks(across, down):
        block, share = _weigh(
            *read(
                across.first + left * across.cell,
                down.first + top * down.cell,
                n_across * across.cell,
                n_down * down.cell,
            )
        )
        if values is None:
            values = np.empty((down.n, across.n, block.shape[2]), np.float32)
        where = np.s_[top : top + n_down, left : left + n_across]
        values[where] = _average(block, n_across, n_down)
        if share is not None and weight is None:
            weight = np.ones((down.n, across.n, 1), np.float32)
        if weight is not None and share is not None:
            weight[where] = _average(share, n_across, n_down)
    assert values is not None, "a chunk has cells"
    return values, weight


def _blocks(across: Weights, down: Weights) -> Iterator[tuple[int, int, int, int]]:
    """Cut a chunk into blocks of cells (left, top, width, height) of some `_READ_PIXELS` source pixels.

    They are as wide as the chunk, so that a file is read from top to bottom; squares where it is very wide.
    """
    wide = across.n * across.cell <= _WIDEST_BLOCK
    n_across = across.n if wide else max(1, int(math.sqrt(_READ_PIXELS) / across.cell))
    n_down = max(1, int(_READ_PIXELS / (n_across * across.cell) / down.cell))
    for top in range(0, down.n, n_down):
        for left in range(0, across.n, n_across):
            yield left, top, min(n_across, across.n - left), min(n_down, down.n - top)


def _weigh(values: Linear, valid: Valid) -> tuple[Linear, Linear | None]:
    """Set invalid pixels to zero (they may be NaN) and make a weight of validity: HxWx1."""
    if valid is None:
        return values, None
    return np.where(valid[:, :, None], values, np.float32(0)), valid[:, :, None].astype(np.float32)


def _average(block: Linear, width: int, height: int) -> Linear:
    if block.shape[:2] == (height, width):
        return block
    averaged: Linear = cv2.resize(block, (width, height), interpolation=cv2.INTER_AREA)
    return averaged.reshape(height, width, -1)


def _apply(values: Linear, weight: Linear | None, across: Weights, down: Weights) -> tuple[Linear, Valid]:
    """Apply both axes; divide by the weight of what was valid."""
    drawn = _apply_axes(values, across, down)
    if weight is None and across.covers and down.covers:
        return drawn, None
    if weight is None:
        weight = np.ones((*values.shape[:2], 1), np.float32)
    total = _apply_axes(weight, across, down)
    valid = total >= _MIN_WEIGHT
    drawn = np.divide(drawn, total, out=np.zeros_like(drawn), where=valid)
    return drawn, None if valid.all() else valid[:, :, 0]


def _apply_axes(values: Linear, across: Weights, down: Weights) -> Linear:
    height, width, channels = values.shape
    rows = down.matrix @ values.reshape(height, width * channels)
    turned = cv2.transpose(rows.reshape(-1, width, channels)).reshape(width, -1)
    columns = (across.matrix @ turned).reshape(across.matrix.shape[0], -1, channels)
    drawn: Linear = cv2.transpose(columns)
    return drawn.reshape(columns.shape[1], columns.shape[0], channels)


def _join(valid: list[Valid], bands: list[Linear]) -> Valid:
    if all(v is None for v in valid):
        return None
    return np.concatenate(
        [np.ones(b.shape[:2], bool) if v is None else v for v, b in zip(valid, bands, strict=True)]
    )
