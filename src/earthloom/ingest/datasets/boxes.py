"""Boxes of annotations: the numbers of an XML element, a box within its image, the corners of an oriented one."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from earthloom.core.errors import RecordError
from earthloom.core.records import Box, Reason
from earthloom.ingest.datasets.reading import to_number

_FLAGS = {"0": False, "1": True, "false": False, "true": True}


def read_numbers(element: ET.Element, tags: Sequence[str], what: str) -> list[float]:
    """Give the numbers below an element, one for each tag. Raises RecordError BAD_FACTS where one is missing."""
    numbers = []
    for tag in tags:
        number = to_number(element.findtext(tag), f"{tag} of {what}")
        if number is None:
            raise RecordError(Reason.BAD_FACTS, f"{what} has no {tag}")
        numbers.append(number)
    return numbers


def read_flag(element: ET.Element, tag: str, what: str) -> bool | None:
    """Give a yes or no below an element; None where it is not stated. Raises RecordError BAD_FACTS."""
    text = (element.findtext(tag) or "").strip().lower()
    if text and text not in _FLAGS:
        raise RecordError(Reason.BAD_FACTS, f"{tag} of {what} is {text!r}; wanted 0 or 1")
    return _FLAGS.get(text)


def fit_box(edges: Sequence[float], size: tuple[int, int], what: str) -> Box:
    """Make a box of its edges x0, y0, x1, y1, cut at the edges of an image of a size (width, height), pixels.

    Raises RecordError BAD_FACTS for one without area, or wholly outside: who finds that cannot trust the other
    boxes of the image either, and an image without one of its boxes would say that nothing is there.
    """
    x0, y0, x1, y1 = edges
    width, height = size
    inside = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
    if not (x0 < x1 and y0 < y1 and inside[0] < inside[2] and inside[1] < inside[3]):
        raise RecordError(
            Reason.BAD_FACTS,
            f"{what} spans x {x0:g} to {x1:g}, y {y0:g} to {y1:g} of {width} x {height} pixels",
        )
    return Box(x0=inside[0], y0=inside[1], x1=inside[2], y1=inside[3])


def find_corners(cx: float, cy: float, width: float, height: float, angle: float) -> tuple[float, ...]:
    """Give x, y of the four corners of an oriented box, in order around it, eight numbers, pixels.

    angle: radians from the x axis to the side `width`, towards the y axis: clockwise as seen, since y is down.
    """
    cos, sin = math.cos(angle), math.sin(angle)
    corners = []
    for along, across in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        dx, dy = along * width, across * height
        corners += [cx + dx * cos - dy * sin, cy + dx * sin + dy * cos]
    return tuple(corners)
