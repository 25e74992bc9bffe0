"""Cutting: from one scene, one outcome for each planned window - a tile, or a refusal with its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes, make_id
from earthloom.core.images import encode_jpeg, encode_png
from earthloom.core.records import Border, Label, Modality, Reason, Refused, Scene, Tile
from earthloom.geo.grid import Grid, Place, grid_of
from earthloom.metrics.appearance import measure_appearance
from earthloom.tile.borders import find_borders
from earthloom.tile.classes import ClassReader, label_cover
from earthloom.tile.config import TileSettings
from earthloom.tile.draw import Painter
from earthloom.tile.labels import move_labels
from earthloom.tile.light import Valid
from earthloom.tile.network import load_network
from earthloom.tile.pixels import ScenePixels
from earthloom.tile.planning import find_native_gsd, plan_scene
from earthloom.tile.radiometry import Image, Renderer, choose_stretch
from earthloom.tile.windows import Refusal, Window

TILE_VERSION = "3"
"""Raised when the same scene and settings give other tiles than before."""
_MICROMETRES = 6
"""Decimals of distances in metres: well beyond what any geo-reference knows, short of what machines differ in."""
_FLAT_STRIDE = 61
"""Rows and columns looked at first to see that a tile is not flat; a prime, so that no regular pattern hides."""


def count_windows(scene: Scene, settings: TileSettings) -> int:
    """Count the outcomes that cutting a scene will have; from its record alone, no file is opened."""
    return plan_scene(scene, settings).n


def cut_tiles(scene: Scene, settings: TileSettings, start: int, stop: int) -> Iterator[Tile | Refused]:
    """Cut the planned windows [start, stop) of a scene.

    Every window has one outcome, in order. Only where the scene as a whole cannot be used does one refusal
    stand for all of its windows (its `n` says how many). Raises UsageError where `enlarge` names a network that
    cannot be used.
    """
    plan = plan_scene(scene, settings)
    cutter: _Cutter | None = None
    for i in range(start, stop):
        unit = plan.unit(i)
        if isinstance(unit, Refusal):
            yield _refuse(scene, unit.reason, unit.detail, unit.name)
            continue
        if cutter is None:
            try:
                cutter = _Cutter(scene, settings)
            except RecordError as error:
                refusals = [u for j in range(i, stop) if isinstance(u := plan.unit(j), Refusal)]
                yield _refuse(scene, error.reason, error.detail, n=stop - i - len(refusals))
                yield from (_refuse(scene, u.reason, u.detail, u.name) for u in refusals)
                return
        yield cutter.cut(unit)


def _refuse(scene: Scene, reason: Reason, detail: str, request: str | None = None, n: int = 1) -> Refused:
    name = scene.id if request is None else make_id("request", scene.id, request)
    return Refused(id=name, key=_key(scene), reason=reason, detail=detail, n=n)


def _key(scene: Scene) -> str:
    return f"{scene.source}:{scene.source_key}"


@dataclass(frozen=True, slots=True)
class _Facts:
    """Where a tile lies and what its pixels measure."""

    native_gsd_m: float | None
    gsd_m: float | None
    pixel_m: float | None
    lon: float | None
    lat: float | None
    footprint: bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ground:
    """What is known to be on the ground that a tile shows."""

    labels: tuple[Label, ...]
    class_mask: bytes | None = None
    borders: tuple[Border, ...] = ()


class _Cutter:
    """An open scene with its stretch."""

    def __init__(self, scene: Scene, settings: TileSettings) -> None:
        self._scene = scene
        self._settings = settings
        self._grid = grid_of(scene)
        self._pixels = ScenePixels(scene)
        self._renderer = Renderer(scene, choose_stretch(scene, settings.radiometry, self._pixels))
        self._painter = Painter(self._pixels, self._renderer, settings, load_network(settings.enlarge))
        self._classes = None if scene.mask is None else ClassReader(scene.mask, scene)

    def cut(self, window: Window) -> Tile | Refused:
        """Cut one window."""
        tile_id = _make_tile_id(self._scene, window, self._settings.size)
        try:
            return self._cut(window, tile_id)
        except RecordError as error:
            return Refused(id=tile_id, key=_key(self._scene), reason=error.reason, detail=error.detail)

    def _cut(self, window: Window, tile_id: str) -> Tile:
        scene, size = self._scene, self._settings.size
        drawn = self._painter.draw(window)
        valid_share = _screen(drawn.image, drawn.valid, self._settings.min_valid)
        ground = self._look_at_ground(window, drawn.valid)
        facts = _find_facts(scene, self._grid, window)
        data, media = self._encode(drawn.image)
        return Tile(
            id=tile_id,
            scene_id=scene.id,
            base_id=tile_id if window.base is None else _make_tile_id(scene, window.base, size),
            pair_id=_make_pair_id(scene, window),
            crop=window.crop,
            width=size,
            height=size,
            native_gsd_m=facts.native_gsd_m,
            gsd_m=facts.gsd_m,
            pixel_m=facts.pixel_m,
            valid_share=valid_share,
            lon=facts.lon,
            lat=facts.lat,
            footprint=facts.footprint,
            stretch=self._renderer.stretch,
            resampling=drawn.resampling,
            labels=ground.labels,
            image=data,
            media=media,
            valid_mask=None if drawn.valid is None else encode_png(drawn.valid[:, :, None] * np.uint8(255)),
            class_mask=ground.class_mask,
            borders=ground.borders,
            appearance=measure_appearance(drawn.image, drawn.valid, scene.modality, self._renderer.stretch),
            sha256=hash_bytes(data),
        )

    def _look_at_ground(self, window: Window, valid: Valid) -> _Ground:
        labels = move_labels(self._scene, window, self._settings.size)
        if self._classes is None:
            return _Ground(labels=tuple(labels))
        mask, classes = self._classes.mask, self._classes.read(window, self._settings.size, valid)
        return _Ground(
            labels=(*labels, *label_cover(mask, classes)),
            class_mask=encode_png(classes.mask[:, :, None]),
            borders=find_borders(classes.numbers, mask.legend, valid),
        )

    def _encode(self, image: Image) -> tuple[bytes, str]:
        encoding = self._settings.encoding
        media = {Modality.RGB: encoding.rgb, Modality.NIR: encoding.nir, Modality.SAR: encoding.sar}
        if media[self._scene.modality] == "jpg":
            return encode_jpeg(image, encoding.quality), "jpg"
        return encode_png(image), "png"


def _make_tile_id(scene: Scene, window: Window, size: int) -> str:
    crop = window.crop
    return make_id("tile", scene.id, str(window.request), crop.col, crop.row, crop.width, crop.height, size)


def _make_pair_id(scene: Scene, window: Window) -> str:
    """Hash what ground a window shows: its corners on the ground, or as shares of an image without a grid.

    Shares of a scene's size and not pixels, so that modalities of other pixel sizes pair up over one ground.
    """
    crop = window.crop
    left, top, right, bottom = crop.col, crop.row, crop.col + crop.width, crop.row + crop.height
    if scene.crs is None or scene.transform is None:
        places = [left / scene.width, top / scene.height, right / scene.width, bottom / scene.height]
        system = "image"
    else:
        a, b, c, d, e, f = scene.transform
        corners = ((left, top), (right, bottom))
        places = [place for x, y in corners for place in (a * x + b * y + c, d * x + e * y + f)]
        system = scene.crs
    return make_id("pair", scene.pair_key, str(window.request), system, *(f"{place:.9g}" for place in places))


def _screen(image: Image, valid: Valid, min_valid: float) -> float:
    """Refuse a tile without enough to see; the share of its pixels that hold data."""
    share = 1.0 if valid is None else float(valid.mean())
    if share < min_valid:
        raise RecordError(
            Reason.TOO_LITTLE_VALID, f"{share:.4f} of the pixels hold data, at least {min_valid:g} are wanted"
        )
    if _is_flat(image, valid):
        shown = image[0, 0] if valid is None else image[valid][0]
        raise RecordError(Reason.FLAT, f"every pixel that holds data is drawn as {shown.tolist()}")
    return share


def _is_flat(image: Image, valid: Valid) -> bool:
    if valid is not None:
        shown = image[valid]
        return bool((shown == shown[0]).all())
    few = image[::_FLAT_STRIDE, ::_FLAT_STRIDE]
    return bool((few == image[0, 0]).all() and (image == image[0, 0]).all())


def _find_facts(scene: Scene, grid: Grid, window: Window) -> _Facts:
    crop = window.crop
    place = grid.locate(crop.col, crop.row, crop.width, crop.height)
    native_m = _find_native(scene, place)
    step = math.sqrt(window.step_x * window.step_y)
    detail = math.sqrt(window.detail_x * window.detail_y)
    lon, lat, footprint = _find_place(scene, window, place)
    return _Facts(
        native_gsd_m=_scale(native_m, 1.0),
        gsd_m=_scale(native_m, detail),
        pixel_m=_scale(native_m, step),
        lon=lon,
        lat=lat,
        footprint=footprint,
    )


def _find_native(scene: Scene, place: Place | None) -> float | None:
    if place is not None:
        return place.gsd_m
    native = find_native_gsd(scene)
    return None if native is None else math.sqrt(native[0] * native[1])


def _scale(native_m: float | None, factor: float) -> float | None:
    return None if native_m is None else round(native_m * factor, _MICROMETRES)


def _find_place(
    scene: Scene, window: Window, place: Place | None
) -> tuple[float | None, float | None, bytes | None]:
    """Find centre and footprint of a tile.

    Without a grid only a tile in the middle of its scene is where the scene is said to be: which way is north
    in such a picture is not known.
    """
    if place is not None:
        return place.lon, place.lat, place.footprint
    crop = window.crop
    off_x = crop.col + crop.width / 2 - scene.width / 2
    off_y = crop.row + crop.height / 2 - scene.height / 2
    if max(abs(off_x), abs(off_y)) > 1:
        return None, None, None
    is_whole = (crop.width, crop.height) == (scene.width, scene.height)
    return scene.lon, scene.lat, scene.footprint if is_whole else None
