"""Which windows a scene is cut into: values that say "how many" and "what is window i", and never list them all.

A scene of millions of windows costs nothing to plan. All coordinates are pixels of the scene's grid; x runs along
rows, y along columns. `earthloom.tile.planning` makes these values from a scene's record.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from earthloom.core.records import Crop, Reason

Request = Literal["native"] | float


@dataclass(frozen=True, slots=True)
class Window:
    """One tile to cut."""

    request: Request
    crop: Crop
    step_x: float
    """Source pixels from one tile pixel to the next; under 1 where the tile is an enlargement."""
    step_y: float
    detail_x: float
    """Source pixels to one resolvable element, at least 1 and at least the step."""
    detail_y: float
    base: Window | None = None
    """The finer window about the same centre of which this one is a variant; None where there is none."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that cannot be met by the scene; stands for one planned unit."""

    request: Request | None
    """None: the scene as a whole."""
    reason: Reason
    detail: str
    crop: int | None = None
    """Which of the fixed crops, from 0; None where the request is none of them."""

    @property
    def name(self) -> str:
        """What tells it from the other refusals of its scene."""
        return f"{self.request}" if self.crop is None else f"crop {self.crop}"


@dataclass(frozen=True, slots=True)
class Axis:
    """The windows along one axis."""

    n: int
    span: float
    """Source pixels that a window covers."""
    first: float
    """Start of the first window; negative where it is padded on both sides."""
    last: float
    """Start of the last window."""
    step: float
    detail: float

    def start(self, i: int) -> float:
        """Where window i begins."""
        return self.last if i == self.n - 1 else self.first + i * self.span


@dataclass(frozen=True, slots=True)
class Lattice:
    """All windows of one request, row by row."""

    request: Request
    x: Axis
    y: Axis

    @property
    def n(self) -> int:
        """How many."""
        return self.x.n * self.y.n

    def window(self, i: int) -> Window:
        """Window i."""
        down, across = divmod(i, self.x.n)
        return self.window_at(self.x.start(across), self.y.start(down))

    def window_at(self, col: float, row: float) -> Window:
        """A window of this request that begins anywhere."""
        crop = Crop(col=col, row=row, width=self.x.span, height=self.y.span)
        return Window(self.request, crop, self.x.step, self.y.step, self.x.detail, self.y.detail)


@dataclass(frozen=True, slots=True)
class Nest:
    """In each cell of the coarsest request's lattice one window of every request, about the cell's centre."""

    cells: Lattice
    requests: tuple[Lattice, ...]
    """Of each only the size of its windows is used."""

    @property
    def n(self) -> int:
        """How many windows."""
        return self.cells.n * len(self.requests)

    def window(self, i: int) -> Window:
        """Window i, counted through the requests of a cell, then through the cells."""
        number, which = divmod(i, len(self.requests))
        cell = self.cells.window(number)
        wanted, finest = self.requests[which], min(self.requests, key=_fineness)
        window = self._centre(wanted, cell)
        return window if wanted is finest else replace(window, base=self._centre(finest, cell))

    def _centre(self, request: Lattice, cell: Window) -> Window:
        """Put a window into the middle of a cell; the coarsest is the cell."""
        if request is self.cells:
            return cell
        col = centre(cell.crop.col, cell.crop.width, request.x.span)
        return request.window_at(col, centre(cell.crop.row, cell.crop.height, request.y.span))


@dataclass(frozen=True, slots=True)
class Squares:
    """A few windows, each at its own place."""

    windows: tuple[Window, ...]

    @property
    def n(self) -> int:
        """How many."""
        return len(self.windows)

    def window(self, i: int) -> Window:
        """Window i."""
        return self.windows[i]


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a scene: windows and refusals."""

    parts: tuple[Lattice | Nest | Squares | Refusal, ...]

    @property
    def n(self) -> int:
        """Planned units: windows, and one for each refusal."""
        return sum(1 if isinstance(part, Refusal) else part.n for part in self.parts)

    def unit(self, i: int) -> Window | Refusal:
        """Unit i, counted through all parts."""
        for part in self.parts:
            n = 1 if isinstance(part, Refusal) else part.n
            if i < n:
                return part if isinstance(part, Refusal) else part.window(i)
            i -= n
        raise IndexError(f"unit {i} of a plan of {self.n}")


def centre(start: float, length: float, span: float) -> float:
    """Find where a span begins that lies in the middle of a stretch; a span of whole pixels begins on a whole one.

    So its centre is up to half a pixel beside that of the stretch, but its pixels need not be interpolated.
    """
    exact = start + (length - span) / 2
    return float(math.ceil(exact - 0.5)) if span == int(span) else exact


def _fineness(request: Lattice) -> tuple[float, float]:
    """Order requests from the finest to the coarsest."""
    return request.x.detail * request.y.detail, request.x.span * request.y.span
