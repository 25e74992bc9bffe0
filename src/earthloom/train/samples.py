"""Sheets of samples: pictures that show how training goes, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from earthloom.core.images import encode_png
from earthloom.store.atomic import open_atomic

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""

_GAP = 4
"""White pixels around every picture."""


def write_sheet(path: Path, images: torch.Tensor, n_rows: int) -> None:
    """Write images, N x 3 x H x W from -1 to 1 and row after row, as one PNG with so many rows."""
    sheet = lay_out(to_pictures(images), n_rows)
    with open_atomic(path) as file:
        file.write(encode_png(sheet))


def lay_out(pictures: Picture, n_rows: int) -> Picture:
    """Put N pictures, N x H x W x 3, on a white sheet, row after row."""
    n, height, width, _ = pictures.shape
    assert n % n_rows == 0, f"{n} pictures do not fill {n_rows} rows"
    n_columns = n // n_rows
    sheet = np.full(
        (n_rows * (height + _GAP) + _GAP, n_columns * (width + _GAP) + _GAP, 3), 255, dtype=np.uint8
    )
    for number, picture in enumerate(pictures):
        row, column = divmod(number, n_columns)
        y, x = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        sheet[y : y + height, x : x + width] = picture
    return sheet


def to_tensor(pictures: Sequence[Picture]) -> torch.Tensor:
    """Pictures of one size as float32, N x 3 x H x W, -1 to 1."""
    stacked = torch.from_numpy(np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2)))
    return stacked.to(torch.float32) / 127.5 - 1.0


def to_pictures(images: torch.Tensor) -> Picture:
    """The inverse of `to_tensor`, rounded: N x H x W x 3; what lies outside -1 to 1 is clipped."""
    levels = ((images.detach().cpu().to(torch.float32).clamp(-1, 1) + 1.0) * 127.5).round().to(torch.uint8)
    return np.asarray(levels.permute(0, 2, 3, 1).contiguous().numpy(), np.uint8)
