"""What is known to be in a scene, as one of its tiles shows it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from earthloom.core.records import Box, ClassMask, Crop, Label, Scene
from earthloom.tile.light import Array, Valid
from earthloom.tile.pixels import Source
from earthloom.tile.windows import Window

MIN_AREA_LEFT = 0.2
"""A box of which less than this share of its area is in the tile is left out: what is left shows too little of
the object to be called by its name. Our choice."""
_MAX_SAMPLES = 2**24
"""Class values that are read at once."""


def move_labels(scene: Scene, window: Window, size: int) -> list[Label]:
    """Give the labels of a scene in the pixels of a tile.

    Classes of the whole image stay; boxes are moved and clipped; shares of cover hold for the scene and stay
    only with a tile that shows all of it.
    """
    is_whole = window.crop == Crop(col=0.0, row=0.0, width=float(scene.width), height=float(scene.height))
    moved = (
        _move_box(label, window, size) if label.box is not None else label
        for label in scene.labels
        if label.kind != "cover" or (is_whole and scene.mask is None)
    )
    return [label for label in moved if label is not None]


def _move_box(label: Label, window: Window, size: int) -> Label | None:
    box, crop = label.box, window.crop
    assert box is not None
    x0, x1 = ((x - crop.col) / window.step_x for x in (box.x0, box.x1))
    y0, y1 = ((y - crop.row) / window.step_y for y in (box.y0, box.y1))
    area = (x1 - x0) * (y1 - y0)
    x0, x1 = (min(max(x, 0.0), float(size)) for x in (x0, x1))
    y0, y1 = (min(max(y, 0.0), float(size)) for y in (y0, y1))
    left = (x1 - x0) * (y1 - y0)
    if left <= 0 or left < MIN_AREA_LEFT * area:
        return None
    return Label(
        name=label.name,
        kind=label.kind,
        origin=label.origin,
        box=Box(x0=x0, y0=y0, x1=x1, y1=y1),
        share=label.share,
    )


def read_classes(
    source: Source, scene: Scene, window: Window, size: int
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Sample a class mask at the centres of a tile's pixels: values HxW as stored, and where there are any."""
    cols = np.floor(window.crop.col + (np.arange(size) + 0.5) * window.step_x).astype(int)
    rows = np.floor(window.crop.row + (np.arange(size) + 0.5) * window.step_y).astype(int)
    col_in, row_in = (cols >= 0) & (cols < scene.width), (rows >= 0) & (rows < scene.height)
    classes = np.zeros((size, size), source.dtypes[0])
    inside = np.outer(row_in, col_in)
    if inside.any():
        sampled = [_read_rows(source, cols[col_in], some) for some in _chunk_rows(cols[col_in], rows[row_in])]
        classes[np.ix_(row_in, col_in)] = np.concatenate(sampled)
    return classes, inside


def _chunk_rows(cols: npt.NDArray[np.int_], rows: npt.NDArray[np.int_]) -> Iterable[npt.NDArray[np.int_]]:
    samples = (int(cols[-1]) - int(cols[0]) + 1) * (int(rows[-1]) - int(rows[0]) + 1)
    return np.array_split(rows, min(len(rows), -(-samples // _MAX_SAMPLES)))


def _read_rows(source: Source, cols: npt.NDArray[np.int_], rows: npt.NDArray[np.int_]) -> Array:
    left, top = int(cols[0]), int(rows[0])
    values = source.read((left, top, int(cols[-1]) - left + 1, int(rows[-1]) - top + 1))
    return values[np.ix_(rows - top, cols - left)][:, :, 0]


def measure_cover(
    mask: ClassMask, classes: Array, inside: npt.NDArray[np.bool_], valid: Valid
) -> list[Label]:
    """Find the share that each class has of a tile's valid pixels, largest first; classes without any left out."""
    counted = inside if valid is None else inside & valid
    total = int(counted.sum())
    values, counts = np.unique(classes[counted], return_counts=True)
    found = dict(zip(values.tolist(), counts.tolist(), strict=True))
    shares: dict[str, int] = {}
    for entry in mask.legend:
        shares[entry.name] = shares.get(entry.name, 0) + found.get(entry.value, 0)
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return [
        Label(name=name, kind="cover", origin=mask.origin, share=round(n / total, 6))
        for name, n in ordered
        if n
    ]


def to_eight_bits(mask: ClassMask, classes: Array, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Give class values as 8-bit ones; what is outside of the scene or has no 8-bit value is one unused value."""
    used = {entry.value for entry in mask.legend}
    unused = next((value for value in (0, 255, *range(1, 255)) if value not in used), 0)
    fits = inside & (classes >= 0) & (classes <= 255)
    return np.where(fits, classes, unused).astype(np.uint8)
