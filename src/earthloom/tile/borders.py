"""Borders: which classes of a tile touch, and how long each border is beside the others."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.records import Border, Legend
from earthloom.tile.classes import Numbers
from earthloom.tile.light import Valid

Places = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""HxW, the class of each pixel as the place of its name among all names; their number where it has none."""


def find_borders(numbers: Numbers, legend: tuple[Legend, ...], valid: Valid) -> tuple[Border, ...]:
    """Find the borders between the classes of a tile, longest first, equal ones by name.

    A border's length is its number of pixel edges: pairs of pixels, one beside or above the other, of different
    classes (the unlike adjacencies of FRAGSTATS, McGarigal and Marks 1995). Values of one name are one class. Pixels
    outside of the scene, without data, or of no class in the legend have no borders. Nothing is left out for being
    short: shares are over all edges that are counted.

    Args:
        numbers: HxW, the class of each pixel as its place in the legend, the length of the legend for none.
        legend: what the classes are called.
        valid: HxW, True where pixels hold data; None where all do.

    """
    names = sorted({entry.name for entry in legend})
    edges = _count_edges(_find_places(numbers, legend, names, valid), len(names))
    total = sum(edges.values())
    borders = (
        Border(names=(names[first], names[second]), share=n / total) for (first, second), n in edges.items()
    )
    return tuple(sorted(borders, key=lambda border: (-border.share, border.names)))


def _find_places(numbers: Numbers, legend: tuple[Legend, ...], names: list[str], valid: Valid) -> Places:
    place = {name: i for i, name in enumerate(names)}
    table = [*(place[entry.name] for entry in legend), len(names)]
    places: Places
    if len(legend) < 256:
        few = np.full(256, len(names), np.uint8)
        few[: len(table)] = table
        places = np.asarray(cv2.LUT(numbers.astype(np.uint8), few), np.uint8)
    else:
        places = np.array(table, np.uint16).take(numbers)
    if valid is not None:
        places[~valid] = len(names)
    return places


def _count_edges(places: Places, n: int) -> Mapping[tuple[int, int], int]:
    """Count the edges between each two of `n` classes, the lower place first."""
    count = _count_few if places.dtype == np.uint8 else _count_many
    beside, above = count(places[:, :-1], places[:, 1:], n), count(places[:-1], places[1:], n)
    edges: dict[tuple[int, int], int] = {}
    for first, second, found in (*beside, *above):
        if first != second and max(first, second) < n:
            pair = (min(first, second), max(first, second))
            edges[pair] = edges.get(pair, 0) + found
    return edges


def _count_few(before: Places, after: Places, n: int) -> list[tuple[int, int, int]]:
    """Count each pair of places through their joint histogram."""
    joint = cv2.calcHist([before, after], [0, 1], None, [n + 1, n + 1], [0, n + 1, 0, n + 1])
    first, second = np.nonzero(joint)
    return list(
        zip(first.tolist(), second.tolist(), np.rint(joint[first, second]).astype(int).tolist(), strict=True)
    )


def _count_many(before: Places, after: Places, n: int) -> list[tuple[int, int, int]]:
    """Count each pair of places by sorting: a joint histogram of thousands of classes would not fit."""
    differ = before != after
    pairs, counts = np.unique(before[differ].astype(np.int64) * (n + 1) + after[differ], return_counts=True)
    return list(zip((pairs // (n + 1)).tolist(), (pairs % (n + 1)).tolist(), counts.tolist(), strict=True))
