"""From labels to statements: what is there, how much of it, where, how large and how far apart."""

from __future__ import annotations

import math
from statistics import median

from earthloom.caption.facts.cleaning import clean_class
from earthloom.caption.facts.statements import Adjacent, Cell, Cover, Objects, SceneClass
from earthloom.core.records import Box, Label, Scene, Tile

_WHOLE_SCENE = 0.9
"""Share of a scene from which on a tile is taken to show it."""
_MIN_FOR_SPACING = 3
_MAX_FOR_SPACING = 2000
"""Distances between more boxes than this are not measured: their number grows with the square."""
_EDGE_PX = 1.0
"""A box that comes this near to an edge of the frame may be cut by it."""
_CELLS = tuple(Cell)


def shows_scene(scene: Scene, tile: Tile) -> bool:
    """Tell whether a tile shows all of its scene but a rim."""
    return tile.crop.width * tile.crop.height >= _WHOLE_SCENE * scene.width * scene.height


def find_classes(scene: Scene, tile: Tile) -> tuple[SceneClass, ...]:
    """Take the classes of the scene, each name once, in the order of the record."""
    is_whole = shows_scene(scene, tile)
    labels = ((clean_class(label.name), label.origin) for label in tile.labels if label.kind == "class")
    classes = {
        name: SceneClass(origin=origin, name=name, is_whole=is_whole) for name, origin in labels if name
    }
    return tuple(classes.values())


def find_covers(tile: Tile) -> tuple[Cover, ...]:
    """Take the land covers with a share, largest first."""
    covers: dict[str, Cover] = {}
    for label in tile.labels:
        name = clean_class(label.name) if label.kind == "cover" else None
        if name is not None and label.share is not None and 0 < label.share <= 1:
            covers[name] = Cover(origin=label.origin, name=name, share=label.share)
    return tuple(sorted(covers.values(), key=lambda cover: (-cover.share, cover.name)))


def find_adjacent(tile: Tile, covers: tuple[Cover, ...]) -> tuple[Adjacent, ...]:
    """Take the borders between covers that may both be said, longest first."""
    origins = {cover.name: cover.origin for cover in covers}
    adjacent: list[Adjacent] = []
    for border in tile.borders:
        names = [clean_class(name) for name in border.names]
        if len(names) == 2 and 0 < border.share <= 1 and names[0] != names[1]:
            first, second = names
            if first in origins and second in origins and first is not None and second is not None:
                adjacent.append(
                    Adjacent(origin=origins[first], first=first, second=second, share=border.share)
                )
    return tuple(sorted(adjacent, key=lambda border: (-border.share, border.first, border.second)))


def find_objects(tile: Tile) -> tuple[Objects, ...]:
    """Gather objects by kind, the most numerous kind first."""
    kinds: dict[str, list[Label]] = {}
    for label in tile.labels:
        name = clean_class(label.name) if label.kind == "object" else None
        if name is not None:
            kinds.setdefault(name, []).append(label)
    groups = [_group(name, labels, tile) for name, labels in kinds.items()]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.name)))


def find_cell(box: Box, width: int, height: int) -> Cell:
    """Find the ninth of a frame of `width` x `height` pixels in which a box has its centre."""
    x = min(max((box.x0 + box.x1) / 2 / width, 0.0), 1.0)
    y = min(max((box.y0 + box.y1) / 2 / height, 0.0), 1.0)
    return _CELLS[3 * min(int(3 * y), 2) + min(int(3 * x), 2)]


def _group(name: str, labels: list[Label], tile: Tile) -> Objects:
    boxes = tuple(label.box for label in labels)
    known = [box for box in boxes if box is not None and _is_finite(box)]
    is_placed = len(known) == len(boxes)
    return Objects(
        origin=labels[0].origin,
        name=name,
        boxes=boxes,
        cells=tuple(find_cell(box, tile.width, tile.height) for box in known) if is_placed else (),
        lengths_m=_measure_lengths(labels, tile) if is_placed else (),
        spacing_m=_measure_spacing(known, tile.pixel_m) if is_placed else None,
    )


def _is_finite(box: Box) -> bool:
    return math.isfinite(box.x0 + box.x1 + box.y0 + box.y1)


def _measure_lengths(labels: list[Label], tile: Tile) -> tuple[float, ...]:
    """Longer sides in metres of the boxes that the frame does not cut."""
    pixel_m = tile.pixel_m
    if pixel_m is None or not 0 < pixel_m < math.inf:
        return ()
    sides = (_longer_side(label) for label in labels if not _may_be_cut(label, tile))
    return tuple(side * pixel_m for side in sides if side > 0)


def _may_be_cut(label: Label, tile: Tile) -> bool:
    box = label.box
    if box is None or label.truncated:
        return True
    is_low = min(box.x0, box.y0) <= _EDGE_PX
    return is_low or box.x1 >= tile.width - _EDGE_PX or box.y1 >= tile.height - _EDGE_PX


def _longer_side(label: Label) -> float:
    """In pixels, of the oriented box where there is one."""
    corners, box = label.corners, label.box
    if corners is not None and len(corners) == 8 and all(map(math.isfinite, corners)):
        x, y = corners[::2], corners[1::2]
        return max(math.hypot(x[i + 1] - x[i], y[i + 1] - y[i]) for i in range(2))
    return 0.0 if box is None else max(box.x1 - box.x0, box.y1 - box.y0)


def _measure_spacing(boxes: list[Box], pixel_m: float | None) -> float | None:
    """Median distance in metres from the centre of a box to the next one."""
    is_known = pixel_m is not None and 0 < pixel_m < math.inf
    if not is_known or not _MIN_FOR_SPACING <= len(boxes) <= _MAX_FOR_SPACING:
        return None
    centres = [((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in boxes]
    nearest = median(_distance_to_next(i, centres) for i in range(len(centres)))
    return nearest * (pixel_m or 0.0) or None


def _distance_to_next(i: int, centres: list[tuple[float, float]]) -> float:
    x, y = centres[i]
    return min(math.hypot(x - u, y - v) for j, (u, v) in enumerate(centres) if j != i)
