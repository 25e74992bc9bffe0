"""Super-resolution by a network of the user's: an ONNX file run by OpenCV, patch by patch.

What a network adds was never measured, so a tile that it drew says so (`Tile.resampling`) and keeps the ground
sample distance of its source. Memory is bounded whatever the picture's size: patches overlap by a margin that is
cut off again, and each is brought to the size of the tile on its own, since resampling adds up over patches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.tile.config import Enlarge
from earthloom.tile.resample import Axis, find_weights

Image = npt.NDArray[np.uint8]

_CORE = 128
"""Side of what is kept of a patch, source pixels: 64 channels of 160 x 160 enlarged four times are 105 MB."""
_MARGIN = 16
"""Source pixels around it that the network sees and that are thrown away; Real-ESRGAN's own tiling takes 10."""
_PROBE = 16
"""Side of the picture that a network is tried on before any work."""


@dataclass(frozen=True)
class Network:
    """A super-resolution network, ready to draw."""

    name: str
    """Of the file, without its suffix."""
    digest: str
    """SHA-256 of the file."""
    scale: int
    net: Any

    @property
    def title(self) -> str:
        """As `Tile.resampling` names it."""
        return f"model:{self.name}@{self.digest[:12]}"

    def enlarge(self, image: Image, size: int) -> Image:
        """Draw HxWx3 RGB as `size` x `size` x 3."""
        height, width = image.shape[:2]
        across, down = (_find_matrix(length * self.scale, size) for length in (width, height))
        padded = cv2.copyMakeBorder(image, *(_MARGIN,) * 4, cv2.BORDER_REFLECT_101)
        drawn = np.zeros((size, size, 3), np.float32)
        for row, n_rows in _cut(height):
            for col, n_cols in _cut(width):
                patch = padded[row : row + n_rows + 2 * _MARGIN, col : col + n_cols + 2 * _MARGIN]
                _add(drawn, self._draw(patch), down, across, row * self.scale, col * self.scale)
        drawn *= 255
        return np.rint(np.clip(drawn, 0, 255, out=drawn), out=drawn).astype(np.uint8)

    def _draw(self, patch: Image) -> npt.NDArray[np.float32]:
        """Enlarge a patch and cut its margin off."""
        drawn = np.clip(self.run(patch), 0, 1)
        margin = _MARGIN * self.scale
        return drawn[margin:-margin, margin:-margin]

    def run(self, image: Image) -> npt.NDArray[np.float32]:
        """Give what the network makes of HxWx3 RGB: H' x W' x 3, some 0 to 1."""
        self.net.setInput(np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32) / 255)
        drawn: npt.NDArray[np.float32] = self.net.forward()[0].transpose(1, 2, 0)
        return drawn


def load_network(settings: Enlarge) -> Network | None:
    """Load the network that small scenes are enlarged with and try it; None where there is none.

    Kept for this process until the file changes. Raises UsageError when the file is missing or unreadable, or is no
    network that draws `scale` times larger.
    """
    if settings.weights is None or settings.scale is None:
        return None
    try:
        status = Path(settings.weights).stat()
    except OSError as error:
        raise UsageError(f"{settings.weights}: {error.strerror}.") from error
    return _load(settings.weights, settings.scale, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: str, scale: int, size: int, mtime_ns: int) -> Network:
    try:
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        network = Network(Path(path).stem, digest, scale, cv2.dnn.readNetFromONNX(path))
        shape = network.run(np.zeros((_PROBE, _PROBE, 3), np.uint8)).shape
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    except (cv2.error, ValueError, IndexError) as error:
        said = str(error).strip().splitlines()[0]
        raise UsageError(f"{path}: OpenCV cannot run it on RGB pictures: {said}") from error
    wanted = (_PROBE * scale, _PROBE * scale, 3)
    if shape != wanted:
        raise UsageError(
            f"{path}: makes {shape} of {_PROBE} x {_PROBE} RGB pixels; scale {scale} wants {wanted}."
        )
    return network


def _find_matrix(length: int, size: int) -> Any:
    """Weights that bring an axis of the enlarged picture to that of the tile: areas, or a cubic to enlarge further."""
    step = length / size
    weights = find_weights(Axis(0.0, step, max(1.0, step), size, length), "box", 0, size)
    assert weights.first == 0
    assert weights.cell == 1, "a tile is larger than the picture and a network draws at most 4 times larger"
    weights.matrix.eliminate_zeros()
    return weights.matrix.tocsc()


def _cut(length: int) -> Iterator[tuple[int, int]]:
    """Cut an axis into cores: first pixel and how many."""
    for first in range(0, length, _CORE):
        yield first, min(_CORE, length - first)


def _add(
    drawn: npt.NDArray[np.float32], patch: npt.NDArray[np.float32], down: Any, across: Any, row: int, col: int
) -> None:
    """Add a patch of the enlarged picture, which begins at (row, col) there, to the tile."""
    height, width = patch.shape[:2]
    rows, top = _take(down, row, height)
    cols, left = _take(across, col, width)
    upright = (rows @ patch.reshape(height, -1)).reshape(-1, width, 3)
    lying = cols @ upright.transpose(1, 0, 2).reshape(width, -1)
    done = lying.reshape(cols.shape[0], -1, 3).transpose(1, 0, 2)
    drawn[top : top + done.shape[0], left : left + done.shape[1]] += done


def _take(matrix: Any, first: int, n: int) -> tuple[Any, int]:
    """Take the columns of a patch and the rows that they reach; also the first of these."""
    part = matrix[:, first : first + n]
    low, high = int(part.indices.min()), int(part.indices.max())
    return part[low : high + 1].tocsr(), low
