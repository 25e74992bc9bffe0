"""Sheets of samples: pictures that show how training goes, side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from earthloom.core.images import encode_png
from earthloom.store.atomic import open_atomic
from earthloom.train.data import Picture, to_pictures

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
