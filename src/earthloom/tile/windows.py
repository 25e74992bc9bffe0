"""Which windows a scene is cut into, from its record alone: no file is opened, no window listed.

A plan answers "how many" and "what is window i" in constant time, so a scene of millions of windows costs
nothing to plan. All coordinates are pixels of the scene's grid; x runs along rows, y along columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from earthloom.core.errors import RecordError
from earthloom.core.records import Crop, Reason, Scene
from earthloom.geo.grid import grid_of
from earthloom.tile.config import TileSettings

Request = Literal["native"] | float

FINER_TOLERANCE = 0.01
"""A request up to 1 % finer than the source counts as the source's own: 0.3 m of a 0.302 m scene."""
SNAP = 0.002
"""A ratio this close to a whole number is that number. A UTM zone stretches distances by -0.04 to +0.1 %, so 5 m
pixels asked for at 10 m are averaged two by two instead of by 2.0008; the tile records its true distance."""
_EPSILON = 1e-9
"""Of a window: what floating point may lose."""


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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that cannot be met by the scene; stands for one planned unit."""

    request: Request | None
    """None: the scene as a whole."""
    reason: Reason
    detail: str


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
        crop = Crop(col=self.x.start(across), row=self.y.start(down), width=self.x.span, height=self.y.span)
        return Window(self.request, crop, self.x.step, self.y.step, self.x.detail, self.y.detail)


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a scene: for each request a lattice of windows or a refusal."""

    parts: tuple[Lattice | Refusal, ...]

    @property
    def n(self) -> int:
        """Planned units: windows, and one for each refusal."""
        return sum(_count(part) for part in self.parts)

    def unit(self, i: int) -> Window | Refusal:
        """Unit i, counted through all requests."""
        for part in self.parts:
            n = _count(part)
            if i < n:
                return part if isinstance(part, Refusal) else part.window(i)
            i -= n
        raise IndexError(f"unit {i} of a plan of {self.n}")


def _count(part: Lattice | Refusal) -> int:
    return 1 if isinstance(part, Refusal) else part.n


def plan_scene(scene: Scene, settings: TileSettings) -> Plan:
    """Plan the windows of a scene."""
    if min(scene.width, scene.height) < settings.min_side:
        return Plan((_too_small(None, scene, f"at least {settings.min_side} pixels a side are wanted"),))
    return Plan(tuple(_plan_request(scene, settings, request) for request in settings.gsd_m))


def find_native_gsd(scene: Scene) -> tuple[float, float] | None:
    """Ground sample distance of a scene's centre along x and y, metres, as recorded or from its grid."""
    if scene.gsd_x_m is not None and scene.gsd_y_m is not None:
        return scene.gsd_x_m, scene.gsd_y_m
    return grid_of(scene).gsd_at(scene.width / 2, scene.height / 2)


def _plan_request(scene: Scene, settings: TileSettings, request: Request) -> Lattice | Refusal:
    ratios = (1.0, 1.0) if request == "native" else _find_ratios(scene, request)
    if isinstance(ratios, Refusal):
        return ratios
    width, height = scene.width / ratios[0], scene.height / ratios[1]
    if min(width, height) < settings.min_side - _EPSILON:
        problem = f"at {request} m it has {width:.0f} x {height:.0f}, at least {settings.min_side} are wanted"
        return _too_small(request, scene, problem)
    if settings.small == "drop" and min(width, height) < settings.size * (1 - _EPSILON):
        problem = f"a tile needs {settings.size * ratios[0]:g} x {settings.size * ratios[1]:g}"
        return _too_small(request, scene, problem)
    return _lay_out(scene, settings, request, ratios)


def _find_ratios(scene: Scene, gsd_m: float) -> tuple[float, float] | Refusal:
    """Source pixels to a tile pixel along x and y, for square pixels of a size on the ground."""
    try:
        native = find_native_gsd(scene)
    except RecordError as error:
        return Refusal(gsd_m, error.reason, error.detail)
    if native is None:
        problem = f"{gsd_m:g} m was requested, but the ground sample distance of the source is unknown"
        return Refusal(gsd_m, Reason.NO_GSD, problem)
    if gsd_m < max(native) * (1 - FINER_TOLERANCE):
        problem = f"{gsd_m:g} m was requested; the source has {native[0]:.4g} m along x and {native[1]:.4g} m along y"
        return Refusal(gsd_m, Reason.FINER_THAN_NATIVE, problem)
    return _snap(gsd_m / native[0]), _snap(gsd_m / native[1])


def _snap(ratio: float) -> float:
    whole = max(1.0, float(round(ratio)))
    return whole if ratio < 1 or abs(ratio - whole) <= SNAP * whole else ratio


def _too_small(request: Request | None, scene: Scene, problem: str) -> Refusal:
    return Refusal(
        request, Reason.TOO_SMALL, f"the scene has {scene.width} x {scene.height} pixels; {problem}"
    )


def _lay_out(
    scene: Scene, settings: TileSettings, request: Request, ratios: tuple[float, float]
) -> Lattice | Refusal:
    """Lay windows over both axes; a short scene is enlarged by one factor on both, or padded."""
    lengths = (scene.width, scene.height)
    size = _find_window_size(settings, request, lengths, ratios)
    axes = [
        _plan_axis(length, size * ratio, ratio, settings)
        for length, ratio in zip(lengths, ratios, strict=True)
    ]
    return Lattice(request, axes[0], axes[1])


def _find_window_size(
    settings: TileSettings, request: Request, lengths: tuple[int, int], ratios: tuple[float, float]
) -> float:
    """Side of a window in pixels of the requested distance: that of a tile, or what there is of a short scene.

    `whole` at the native distance takes the largest square, and the tile's distance follows from it.
    """
    available = min(length / ratio for length, ratio in zip(lengths, ratios, strict=True))
    if settings.fit == "whole" and request == "native":
        return available if settings.small == "enlarge" else max(available, float(settings.size))
    return min(available, float(settings.size)) if settings.small == "enlarge" else float(settings.size)


def _plan_axis(length: int, span: float, ratio: float, settings: TileSettings) -> Axis:
    span = min(span, float(length)) if abs(span - length) <= _EPSILON * length else span
    step = span / settings.size
    detail = max(ratio, step)
    if settings.fit == "whole":
        start = (length - span) / 2
        start = float(math.floor(start)) if span == int(span) else start
        return Axis(1, span, start, start, step, detail)
    if span > length:
        return Axis(1, span, 0.0, 0.0, step, detail)
    whole, covering = math.floor(length / span + _EPSILON), math.ceil(length / span - _EPSILON)
    n = whole if settings.edges == "drop" else covering
    last = length - span if settings.edges == "shift" else (n - 1) * span
    return Axis(n, span, 0.0, last, step, detail)
