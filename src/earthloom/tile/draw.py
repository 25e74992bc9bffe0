"""From a window to a picture of a tile: the fastest way that gives the right pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Reason
from earthloom.tile.averaging import average_areas
from earthloom.tile.config import TileSettings
from earthloom.tile.light import POWER, Array, Valid, measure, to_linear
from earthloom.tile.network import Network
from earthloom.tile.pixels import Bounds, ScenePixels, StripReader
from earthloom.tile.radiometry import Image, Renderer
from earthloom.tile.resample import Axis, Linear, resample
from earthloom.tile.windows import Window

_MAX_AT_ONCE = 2**24
"""Source pixels that are averaged in one call, without chunks."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture of a tile."""

    image: Image
    valid: Valid
    resampling: str
    """As `Tile.resampling`."""


class Painter:
    """Draws windows of one scene."""

    def __init__(
        self, pixels: ScenePixels, renderer: Renderer, settings: TileSettings, network: Network | None
    ) -> None:
        self._pixels = pixels
        self._renderer = renderer
        self._settings = settings
        is_picture = pixels.scene.modality is Modality.RGB and renderer.keeps_values
        self._network = network if is_picture else None

    def draw(self, window: Window) -> Drawn:
        """Draw a window as a tile of `size` x `size`, and say which of its pixels hold data.

        Raises RecordError NO_VALID_PIXELS where there is nothing to draw.
        """
        pixels, renderer, settings = self._pixels, self._renderer, self._settings
        bounds = _find_bounds(window)
        if bounds is not None and window.step_x == window.step_y == 1:
            values, valid = pixels.read(bounds)
            return Drawn(renderer.render_stored(values, _check_any(valid)), valid, "none")
        if bounds is not None and window.detail_x == window.detail_y == 1:
            if self._network is not None:
                return _invent(bounds, pixels, renderer, self._network, settings.size)
            return Drawn(*_enlarge(bounds, pixels, renderer, settings.size), "cubic")
        if bounds is not None and settings.resample == "area" and renderer.keeps_values:
            image = _average_stored(bounds, pixels, settings.size)
            if image is not None:
                return Drawn(image, None, "area")
        is_coarser = max(window.detail_x, window.detail_y) > 1
        return Drawn(
            *_resample(window, pixels, renderer, settings), settings.resample if is_coarser else "cubic"
        )


def _find_bounds(window: Window) -> Bounds | None:
    """The window in whole pixels, if it begins and ends on pixel edges."""
    crop = window.crop
    bounds = (int(crop.col), int(crop.row), int(crop.width), int(crop.height))
    return bounds if bounds == (crop.col, crop.row, crop.width, crop.height) else None


def _check_any(valid: Valid) -> Valid:
    if valid is not None and not valid.any():
        raise RecordError(Reason.NO_VALID_PIXELS, "every pixel is nodata, masked, transparent or not finite")
    return valid


def _average_stored(bounds: Bounds, pixels: ScenePixels, size: int) -> Image | None:
    """Average 8-bit values as they are; None where some are invalid or there are too many at once."""
    if bounds[2] * bounds[3] > _MAX_AT_ONCE or min(bounds[2:]) < size:
        return None
    values, valid = pixels.read(bounds)
    if valid is not None:
        return None
    return average_areas(values, size)


def _enlarge(bounds: Bounds, pixels: ScenePixels, renderer: Renderer, size: int) -> tuple[Image, Valid]:
    """Interpolate by a cubic that never goes beyond the values around; a picture as it is, others linear."""
    values, valid = pixels.read(bounds)
    grown = _grow_mask(_check_any(valid), size)
    if renderer.keeps_values:
        return renderer.render_stored(_grow(_fill(values, valid), size), grown), grown
    linear = _fill(to_linear(values, pixels.scene), valid)
    limits = linear.min(axis=(0, 1)), linear.max(axis=(0, 1))
    return renderer.render_linear(np.clip(_grow(linear, size), *limits), grown), grown


def _invent(bounds: Bounds, pixels: ScenePixels, renderer: Renderer, network: Network, size: int) -> Drawn:
    """Enlarge a picture by a network."""
    values, valid = pixels.read(bounds)
    grown = _grow_mask(_check_any(valid), size)
    image = network.enlarge(np.ascontiguousarray(_fill(values, valid)), size)
    return Drawn(renderer.render_stored(image, grown), grown, network.title)


def _grow(values: Array, size: int) -> Array:
    grown: Array = cv2.resize(np.ascontiguousarray(values), (size, size), interpolation=cv2.INTER_CUBIC)
    return grown.reshape(size, size, -1)


def _grow_mask(valid: Valid, size: int) -> Valid:
    if valid is None:
        return None
    grown = cv2.resize(valid.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(grown != 0)


def _fill(values: Array, valid: Valid) -> Array:
    """Give invalid pixels the value of the nearest valid one, so that they do not bleed into it."""
    if valid is None:
        return values
    from scipy import ndimage

    nearest = ndimage.distance_transform_edt(~valid, return_distances=False, return_indices=True)
    filled: Array = values[tuple(nearest)]
    return filled


def _resample(
    window: Window, pixels: ScenePixels, renderer: Renderer, settings: TileSettings
) -> tuple[Image, Valid]:
    """Average values in linear light (`mtf`, and radar always), or as they are stored (`area`)."""
    scene, crop, size = pixels.scene, window.crop, settings.size
    strips = StripReader(pixels)
    in_light = settings.resample == "mtf" or scene.quantity in POWER

    def read(col: int, row: int, width: int, height: int) -> tuple[Linear, Valid]:
        values, valid = strips.read((col, row, width, height))
        if in_light:
            return to_linear(values, scene), valid
        return measure(values, scene).astype(np.float32, copy=False), valid

    x = Axis(crop.col, window.step_x, window.detail_x, size, scene.width)
    y = Axis(crop.row, window.step_y, window.detail_y, size, scene.height)
    drawn, valid = resample(read, x, y, "gaussian" if settings.resample == "mtf" else "box")
    _check_any(valid)
    render = renderer.render_linear if in_light else renderer.render_measured
    return render(drawn, valid), valid
