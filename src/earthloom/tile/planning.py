"""From a scene's record to its windows: no file is opened, no window listed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from earthloom.core.errors import RecordError
from earthloom.core.records import Crop, Reason, Scene
from earthloom.geo.grid import grid_of
from earthloom.tile.config import FixedCrop, TileSettings
from earthloom.tile.windows import Axis, Lattice, Nest, Plan, Refusal, Request, Squares, Window, centre

FINER_TOLERANCE = 0.01
"""A request up to 1 % finer than the source counts as the source's own: 0.3 m of a 0.302 m scene."""
SNAP = 0.002
"""A ratio this close to a whole number is that number. A UTM zone stretches distances by -0.04 to +0.1 %, so 5 m
pixels asked for at 10 m are averaged two by two instead of by 2.0008; the tile records its true distance."""
_EPSILON = 1e-9
"""Of a window: what floating point may lose."""
_SAME_CENTRE = 0.5
"""Source pixels by which the centres of two squares may lie apart: one of an odd side, one of an even."""


def plan_scene(scene: Scene, settings: TileSettings) -> Plan:
    """Plan the windows of a scene."""
    if min(scene.width, scene.height) < settings.min_side:
        return Plan((_too_small(None, scene, f"at least {settings.min_side} pixels a side are wanted"),))
    if settings.fit == "fixed":
        return _plan_crops(scene, settings)
    requests = [_plan_request(scene, settings, request) for request in settings.gsd_m]
    if settings.fit == "nested":
        return _nest(requests)
    return _link_whole(requests) if settings.fit == "whole" else Plan(tuple(requests))


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


def _too_small(request: Request | None, scene: Scene, problem: str, crop: int | None = None) -> Refusal:
    detail = f"the scene has {scene.width} x {scene.height} pixels; {problem}"
    return Refusal(request, Reason.TOO_SMALL, detail, crop)


def _lay_out(scene: Scene, settings: TileSettings, request: Request, ratios: tuple[float, float]) -> Lattice:
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
    if settings.fit == "whole" or (settings.fit == "nested" and span > length):
        start = centre(0, length, span)
        return Axis(1, span, start, start, step, detail)
    if span > length:
        return Axis(1, span, 0.0, 0.0, step, detail)
    whole, covering = math.floor(length / span + _EPSILON), math.ceil(length / span - _EPSILON)
    n = whole if settings.edges == "drop" else covering
    last = length - span if settings.edges == "shift" else (n - 1) * span
    return Axis(n, span, 0.0, last, step, detail)


def _nest(requests: Sequence[Lattice | Refusal]) -> Plan:
    """Put all requests that can be met into the cells of the coarsest."""
    lattices = tuple(request for request in requests if isinstance(request, Lattice))
    refusals = tuple(request for request in requests if isinstance(request, Refusal))
    if not lattices:
        return Plan(refusals)
    coarsest = max(lattices, key=lambda lattice: lattice.x.span * lattice.y.span)
    return Plan((Nest(coarsest, lattices), *refusals))


def _link_whole(requests: Sequence[Lattice | Refusal]) -> Plan:
    """Link the one window of each request: all of them are about the scene's centre."""
    windows = iter(_link([part.window(0) for part in requests if isinstance(part, Lattice)]))
    return Plan(tuple(part if isinstance(part, Refusal) else Squares((next(windows),)) for part in requests))


def _plan_crops(scene: Scene, settings: TileSettings) -> Plan:
    """Place the fixed crops, or take the whole of a scene that is too small for them."""
    if min(scene.width, scene.height) <= settings.crops_above:
        whole = settings.model_copy(update={"fit": "whole"})
        return _link_whole([_plan_request(scene, whole, "native")])
    windows: dict[Crop, Window] = {}
    refusals = []
    for number, crop in enumerate(settings.crops):
        square = _place(crop, scene)
        if _fits(square, scene, settings):
            step = crop.side / settings.size
            windows[square] = Window("native", square, step, step, max(1.0, step), max(1.0, step))
        else:
            problem = (
                f"the crop of {crop.side} x {crop.side} at {crop.down} {crop.across} begins at "
                f"column {square.col:g}, row {square.row:g}"
            )
            refusals.append(_too_small("native", scene, problem, number))
    return Plan((Squares(tuple(_link(list(windows.values())))), *refusals))


def _place(crop: FixedCrop, scene: Scene) -> Crop:
    """Find a fixed crop's place; a centre that falls between pixels goes to the left and up."""
    col = {"left": 0, "centre": (scene.width - crop.side) // 2, "right": scene.width - crop.side}[crop.across]
    row = {"top": 0, "centre": (scene.height - crop.side) // 2, "bottom": scene.height - crop.side}[crop.down]
    return Crop(
        col=float(col + crop.shift_x),
        row=float(row + crop.shift_y),
        width=float(crop.side),
        height=float(crop.side),
    )


def _fits(square: Crop, scene: Scene, settings: TileSettings) -> bool:
    """Whether a square lies in the scene, or reaches into it where it may be padded."""
    right, bottom = square.col + square.width, square.row + square.height
    if settings.small == "pad":
        return right > 0 and bottom > 0 and square.col < scene.width and square.row < scene.height
    return square.col >= 0 and square.row >= 0 and right <= scene.width and bottom <= scene.height


def _link(windows: Sequence[Window]) -> list[Window]:
    """Make each window a variant of the finest one about the same centre."""
    bases: list[Window] = []
    linked: dict[int, Window] = {}
    for number in sorted(range(len(windows)), key=lambda i: _fineness(windows[i])):
        window = windows[number]
        base = next((base for base in bases if _is_concentric(base.crop, window.crop)), None)
        if base is None:
            bases.append(window)
        linked[number] = window if base is None else replace(window, base=base)
    return [linked[number] for number in range(len(windows))]


def _fineness(window: Window) -> tuple[float, float]:
    return window.detail_x * window.detail_y, window.crop.width * window.crop.height


def _is_concentric(one: Crop, other: Crop) -> bool:
    off_x = one.col + one.width / 2 - other.col - other.width / 2
    off_y = one.row + one.height / 2 - other.row - other.height / 2
    return max(abs(off_x), abs(off_y)) <= _SAME_CENTRE + _EPSILON
