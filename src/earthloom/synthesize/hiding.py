"""What labels still say of a picture of which an effect hides a part."""

from __future__ import annotations

import math
from collections.abc import Iterable

from earthloom.core.records import Border, Box, Label
from earthloom.synthesize.stack import Plane

_SEEN = 0.5
"""An object of which less of its own light than this comes through is no longer in the picture to be counted."""
_COVER_SEEN = 0.8
"""Shares of covers are of what is seen; with more than a fifth hidden they are no longer known."""


def hide_labels(labels: Iterable[Label], visible: Plane | None) -> tuple[Label, ...]:
    """Keep the labels that a reader of the picture could still confirm.

    Args:
        labels: boxes in pixels of the picture.
        visible: H x W, share of the ground's own light that is seen, 0 to 1; None where all is.

    """
    if visible is None:
        return tuple(labels)
    mean = float(visible.mean())
    return tuple(label for label in labels if _is_seen(label, visible, mean))


def hide_borders(borders: tuple[Border, ...], visible: Plane | None) -> tuple[Border, ...]:
    """Keep the borders between covers as long as the shares of covers are known; `visible` as in `hide_labels`."""
    return borders if visible is None or float(visible.mean()) >= _COVER_SEEN else ()


def _is_seen(label: Label, visible: Plane, mean: float) -> bool:
    if label.kind == "cover":
        return mean >= _COVER_SEEN
    if label.kind == "class":
        return mean >= _SEEN
    if label.kind != "object" or label.box is None:
        return True
    return _look_at(label.box, visible) >= _SEEN


def _look_at(box: Box, visible: Plane) -> float:
    """Mean share that is seen within a box; a box always holds at least the pixel that it begins in."""
    height, width = visible.shape
    left = min(max(math.floor(box.x0), 0), width - 1)
    top = min(max(math.floor(box.y0), 0), height - 1)
    right, bottom = min(math.ceil(box.x1), width), min(math.ceil(box.y1), height)
    return float(visible[top : max(bottom, top + 1), left : max(right, left + 1)].mean())
