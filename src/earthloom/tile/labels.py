"""What is known to be in a scene, as one of its tiles shows it."""

from __future__ import annotations

from dataclasses import replace

from earthloom.core.records import Box, Crop, Label, Scene
from earthloom.tile.windows import Window

MIN_AREA_LEFT = 0.2
"""A box of which less than this share of its area is in the tile is left out: what is left shows too little of
the object to be called by its name. Our choice."""
_EPSILON = 1e-9
"""Of an area: what floating point may lose."""


def move_labels(scene: Scene, window: Window, size: int) -> list[Label]:
    """Give the labels of a scene in the pixels of a tile.

    Classes of the whole image stay; boxes are moved and clipped, oriented ones with their corners, which are not
    clipped; shares of cover hold for the scene and stay only with a tile that shows all of it.
    """
    is_whole = window.crop == Crop(col=0.0, row=0.0, width=float(scene.width), height=float(scene.height))
    moved = (
        _move_object(label, window, size) if label.box is not None or label.corners is not None else label
        for label in scene.labels
        if label.kind != "cover" or (is_whole and scene.mask is None)
    )
    return [label for label in moved if label is not None]


def _move_object(label: Label, window: Window, size: int) -> Label | None:
    box = label.box or _bound(label.corners or ())
    x0, x1 = (_move_x(x, window) for x in (box.x0, box.x1))
    y0, y1 = (_move_y(y, window) for y in (box.y0, box.y1))
    area = (x1 - x0) * (y1 - y0)
    clipped = Box(x0=_clip(x0, size), y0=_clip(y0, size), x1=_clip(x1, size), y1=_clip(y1, size))
    left = (clipped.x1 - clipped.x0) * (clipped.y1 - clipped.y0)
    if left <= 0 or left < MIN_AREA_LEFT * area:
        return None
    return replace(
        label,
        box=clipped,
        corners=None if label.corners is None else _move_corners(label.corners, window),
        truncated=True if left < area * (1 - _EPSILON) else label.truncated,
    )


def _bound(corners: tuple[float, ...]) -> Box:
    """The axis-aligned box around an oriented one."""
    return Box(x0=min(corners[::2]), y0=min(corners[1::2]), x1=max(corners[::2]), y1=max(corners[1::2]))


def _move_corners(corners: tuple[float, ...], window: Window) -> tuple[float, ...]:
    return tuple(
        _move_y(place, window) if i % 2 else _move_x(place, window) for i, place in enumerate(corners)
    )


def _move_x(x: float, window: Window) -> float:
    return (x - window.crop.col) / window.step_x


def _move_y(y: float, window: Window) -> float:
    return (y - window.crop.row) / window.step_y


def _clip(place: float, size: int) -> float:
    return min(max(place, 0.0), float(size))
