"""Masks of classes: which class each pixel of a scene has, and what of it a tile shows.

Shares are counted over all pixels of the mask in a window, so that thin classes count with what they cover; sampling
one value for each pixel of a coarse tile would leave them to chance. The tile's own mask has in each pixel the class
that covers most of it. Memory is bounded: windows are gone through in bands of rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.records import ClassMask, Label, Legend, Reason, Scene
from earthloom.tile.light import Array, Valid
from earthloom.tile.pixels import open_source
from earthloom.tile.windows import Window

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint16]
"""Class of each pixel as its place in the legend; as many as the legend has where it is none of them."""

_MAX_PIXELS = 2**22
"""Of a mask that are read at once."""
_MAX_SHOWN = 5
"""Unknown values that a refusal names."""
_MAX_TALLIED = 4096
"""Unknown values that are told apart; a JPEG of a mask has any number."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of one tile."""

    counts: npt.NDArray[np.int64]
    """Pixels of the mask for each entry of the legend, where the tile has data."""
    mask: npt.NDArray[np.uint8]
    """HxW, the tile's class values; what is outside of the scene or has no 8-bit value is one unused value."""
    numbers: Numbers
    """HxW, the same as places in the legend, whatever the values; outside of the scene the legend's length."""


class ClassReader:
    """The open class mask of a scene."""

    def __init__(self, mask: ClassMask, scene: Scene) -> None:
        """Open it; raises RecordError where it cannot be read or has another size than its scene."""
        self.mask = mask
        self._scene = scene
        first = mask.band
        bands = [first]
        if mask.by_colour:
            bands = [replace(first, index=first.index + i) for i in range(3)]
        self._source = open_source(bands, scene.width, scene.height, classes=not mask.by_colour)
        if mask.by_colour and set(self._source.dtypes) != {"uint8"}:
            raise RecordError(
                Reason.UNSUPPORTED_PIXELS,
                f"a class mask in colours wants 8-bit R, G, B, got {', '.join(self._source.dtypes)}",
            )

    def read(self, window: Window, size: int, valid: Valid) -> Classes:
        """Read the classes that a tile shows. Raises RecordError UNKNOWN_CLASS where the legend lacks one."""
        n, crop = len(self.mask.legend), window.crop
        counts = np.zeros(n, np.int64)
        shown = np.full((size, size), n, np.uint16)
        strangers = _Strangers()
        x = _Strip.of(crop.col, window.step_x, self._scene.width, range(size))
        for rows in _cut(size, _MAX_PIXELS / max(1, x.n) / window.step_y):
            y = _Strip.of(crop.row, window.step_y, self._scene.height, rows)
            if x.n and y.n:
                numbers = self._number(x, y, strangers)
                counts += _count(numbers[y.counted, x.counted], y, x, valid, n)
                if y.pixels.size and x.pixels.size:
                    shown[np.ix_(y.pixels, x.pixels)] = _find_majority(numbers, y, x)
        strangers.check(self.mask)
        return Classes(counts, to_eight_bits(self.mask.legend, shown), shown)

    def check(self) -> None:
        """Read all of it. Raises RecordError UNKNOWN_CLASS where the legend lacks a value or colour."""
        width, height = self._scene.width, self._scene.height
        strangers = _Strangers()
        x = _Strip.of(0, 1, width, range(width))
        for rows in _cut(height, _MAX_PIXELS / width):
            self._number(x, _Strip.of(0, 1, height, rows), strangers)
        strangers.check(self.mask)

    def _number(self, x: _Strip, y: _Strip, strangers: _Strangers) -> Numbers:
        stored = pack(self._source.read((x.first, y.first, x.n, y.n)))
        numbers = number_classes(stored, self.mask)
        strangers.note(stored[y.counted, x.counted], numbers[y.counted, x.counted] == len(self.mask.legend))
        return numbers


def check_classes(scene: Scene) -> None:
    """Read a scene's class mask whole, if it has one; raises RecordError where it is not what its legend says."""
    if scene.mask is not None:
        ClassReader(scene.mask, scene).check()


def label_cover(mask: ClassMask, classes: Classes) -> list[Label]:
    """Name the share that each class has of a tile's valid pixels, largest first; classes without any left out."""
    total = int(classes.counts.sum())
    found: dict[str, int] = {}
    for entry, count in zip(mask.legend, classes.counts.tolist(), strict=True):
        found[entry.name] = found.get(entry.name, 0) + count
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [
        Label(name=name, kind="cover", origin=mask.origin, share=round(n / total, 6))
        for name, n in ordered
        if n
    ]


def pack(stored: Array) -> Array:
    """Give one number a pixel: values as they are, colours as 65536 R + 256 G + B."""
    if stored.shape[2] == 1:
        return stored[:, :, 0]
    red, green, blue = (stored[:, :, i].astype(np.int32) for i in range(3))
    packed: Array = (red << 16) | (green << 8) | blue
    return packed


def number_classes(stored: Array, mask: ClassMask) -> Numbers:
    """Give the place in the legend of each packed value."""
    keys = _keys(mask)
    limit = 2**24 if mask.by_colour else 256**stored.dtype.itemsize
    if mask.by_colour or (stored.dtype.kind == "u" and limit <= 2**16):
        return _table(keys, limit).take(stored)
    order = {key: number for number, key in reversed(list(enumerate(keys)))}
    values = np.array(sorted(order), np.float64)
    numbers = np.array([order[value] for value in sorted(order)], np.uint16)
    places = np.minimum(np.searchsorted(values, stored), len(values) - 1)
    return np.where(values[places] == stored, numbers[places], np.uint16(len(keys)))


def to_eight_bits(legend: tuple[Legend, ...], numbers: Numbers) -> npt.NDArray[np.uint8]:
    """Give places in a legend as 8-bit class values."""
    used = {entry.value for entry in legend}
    unused = next((value for value in (0, 255, *range(1, 255)) if value not in used), 0)
    values = [entry.value if 0 <= entry.value <= 255 else unused for entry in legend]
    return np.array([*values, unused], np.uint8)[numbers]


def _keys(mask: ClassMask) -> tuple[int, ...]:
    """What stands in the mask for each entry of the legend; -1, which no colour is, where none is known."""
    if not mask.by_colour:
        return tuple(entry.value for entry in mask.legend)
    colours = (entry.colour for entry in mask.legend)
    return tuple(-1 if c is None else (c[0] << 16) | (c[1] << 8) | c[2] for c in colours)


@lru_cache(maxsize=2)
def _table(keys: tuple[int, ...], limit: int) -> Numbers:
    """The place in the legend of every value below `limit`; the first entry of a value counts."""
    table = np.full(limit, len(keys), np.uint16)
    for number, key in reversed(list(enumerate(keys))):
        if 0 <= key < limit:
            table[key] = number
    return table


@dataclass(frozen=True, slots=True)
class _Strip:
    """Some pixels of a tile along one axis, and the pixels of the mask that they show."""

    pixels: Places
    """Of the tile, those whose centres lie in the scene."""
    first: int
    """Pixel of the mask at which the strip begins."""
    n: int
    """Pixels of the mask."""
    centres: Places
    """Of each of `pixels` the pixel of the mask at its centre, counted from `first`."""
    counted: slice
    """Pixels of the mask whose centres lie in the strip, counted from `first`."""
    places: Places
    """Of each of these the pixel of the tile in which it lies."""
    is_coarse: bool
    """Whether a pixel of the tile holds several pixels of the mask."""

    @classmethod
    def of(cls, start: float, step: float, length: int, pixels: range) -> _Strip:
        """The strip of `pixels` of a tile that begins at `start` in a mask of `length`."""
        edges = (start + edge * step for edge in (pixels.start, pixels.stop))
        low, high = (min(max(math.ceil(edge - 0.5), 0), length) for edge in edges)
        tile = np.arange(pixels.start, pixels.stop)
        centres = np.floor(start + (tile + 0.5) * step).astype(np.int64)
        inside = (centres >= 0) & (centres < length)
        tile, centres = tile[inside], centres[inside]
        first = min([low, *centres[:1].tolist()])
        stop = max([high, *(centres[-1:] + 1).tolist()])
        places = np.floor((np.arange(low, high) + 0.5 - start) / step).astype(np.int64)
        places = np.clip(places, pixels.start, pixels.stop - 1)
        counted = slice(low - first, high - first)
        return cls(tile, first, stop - first, centres - first, counted, places, step > 1)

    def edges(self) -> tuple[Places, Places]:
        """Of each of `pixels` the first pixel of the mask in it and the one after the last, counted from `first`.

        A pixel of a finer tile has what is at its centre.
        """
        if not self.is_coarse:
            return self.centres, self.centres + 1
        low = np.searchsorted(self.places, self.pixels) + self.counted.start
        return low, np.searchsorted(self.places, self.pixels, "right") + self.counted.start


class _Strangers:
    """Values that a legend lacks."""

    def __init__(self) -> None:
        self._n = 0
        self._total = 0
        self._tally: Counter[float] = Counter()

    def note(self, stored: Array, unknown: npt.NDArray[np.bool_]) -> None:
        """Count the unknown among some values."""
        self._total += unknown.size
        if unknown.any():
            found, counts = np.unique(stored[unknown], return_counts=True)
            self._n += int(counts.sum())
            self._tally.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
            self._tally = Counter(dict(self._tally.most_common(_MAX_TALLIED)))

    def check(self, mask: ClassMask) -> None:
        """Refuse a mask that has any."""
        if not self._n:
            return
        ordered = sorted(self._tally.items(), key=lambda item: (-item[1], item[0]))
        what = "colours" if mask.by_colour else "values"
        shown = ", ".join(_format(value, mask) for value, _ in ordered[:_MAX_SHOWN])
        more = "" if len(ordered) <= _MAX_SHOWN else f" and {len(ordered) - _MAX_SHOWN} more"
        raise RecordError(
            Reason.UNKNOWN_CLASS,
            f"{100 * self._n / self._total:.3g}% of the class mask has {what} that are not among the "
            f"{len(mask.legend)} of its legend: {shown}{more}",
        )


def _format(value: float, mask: ClassMask) -> str:
    if not mask.by_colour:
        return f"{value:.12g}"
    packed = int(value)
    return f"({packed >> 16}, {packed >> 8 & 255}, {packed & 255})"


def _cut(length: int, rows: float) -> Iterator[range]:
    """Cut pixels of a tile into bands of some rows."""
    size = max(1, int(rows))
    for first in range(0, length, size):
        yield range(first, min(length, first + size))


def _count(numbers: Numbers, y: _Strip, x: _Strip, valid: Valid, n: int) -> npt.NDArray[np.int64]:
    """Count the pixels of each class that lie in valid pixels of the tile."""
    if valid is not None:
        numbers = numbers[valid[np.ix_(y.places, x.places)]]
    return np.bincount(numbers.ravel(), minlength=n)[:n]


def _find_majority(numbers: Numbers, y: _Strip, x: _Strip) -> Numbers:
    """Find the class that most of a tile's pixel has; of equal ones that at its centre, then the legend's first."""
    central = numbers[np.ix_(y.centres, x.centres)]
    present = np.unique(numbers)
    if len(present) == 1 or not (x.is_coarse or y.is_coarse):
        return central
    winner, most = central.copy(), np.full(central.shape, -1, np.int32)
    rows, cols = y.edges(), x.edges()
    for number in present:
        votes = 2 * _sum_blocks(numbers == number, rows, cols) + (central == number)
        better = votes > most
        winner[better], most[better] = number, votes[better]
    return winner


def _sum_blocks(
    flags: npt.NDArray[np.bool_], rows: tuple[Places, Places], cols: tuple[Places, Places]
) -> npt.NDArray[np.int32]:
    """Count what is set in each block [low, high) of rows and columns, from sums over all above and to the left."""
    sums = cv2.integral(flags.view(np.uint8))
    upper, lower = sums[rows[0]], sums[rows[1]]
    counts: npt.NDArray[np.int32] = (
        lower[:, cols[1]] - lower[:, cols[0]] - upper[:, cols[1]] + upper[:, cols[0]]
    )
    return counts
