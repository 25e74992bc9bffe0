"""The stored pixels of a scene and which of them hold data.

A scene lies in raster files, read window by window, or in encoded pictures, decoded once and kept as long as
the scene is worked on (`core.images` bounds their size). Values stay in the stored type; scale and offset are
applied later, once, by `earthloom.tile.light`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.images import decode_image
from earthloom.core.records import Band, Quantity, Reason, Scene
from earthloom.geo.raster import (
    decode_raster,
    has_mask,
    open_raster,
    read_encoded,
    read_mask,
    read_start,
    read_window,
)
from earthloom.net.urls import name_of
from earthloom.tile.light import Array, Valid, check_pixel_type, find_positive, has_logarithm

_TIFF_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_PICTURE_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"BM", b"GIF8")
_MERGED_BY_OPENCV = frozenset({"uint8", "uint16", "int16", "int32", "float32", "float64"})

_MAX_STRIP_BYTES = 2**26

Bounds = tuple[int, int, int, int]
"""(col, row, width, height) in whole pixels."""


class Source(Protocol):
    """Bands of one size, wherever they lie."""

    dtypes: tuple[str, ...]
    """Stored type of each band."""
    block_height: int
    """Rows that are stored together."""

    def read(self, bounds: Bounds) -> Array:
        """Read a window that lies inside: HxWxC, stored type."""


class ScenePixels:
    """The pixels of one scene."""

    def __init__(self, scene: Scene) -> None:
        """Open the scene's files; raises RecordError when they cannot be read or are not what the record says."""
        check_pixel_type(scene)
        self.scene = scene
        self._bounds = (0, 0, scene.width, scene.height)
        alpha = () if scene.alpha is None else (scene.alpha,)
        self._source = open_source((*scene.bands, *alpha), scene.width, scene.height)
        _check_type(scene, self._source.dtypes)
        self._mask_uri = _find_mask(scene.bands[0], self._source)
        self._nodata = _cast_nodata(scene.nodata, scene.dtype)

    @property
    def block_height(self) -> int:
        """Rows that the file stores together; 1 where it makes no difference."""
        return self._source.block_height

    def measure_strip(self, width: int) -> int:
        """Measure how many bytes a row of blocks has in windows of a width."""
        item = np.dtype(self.scene.dtype).itemsize
        return width * self.block_height * len(self.scene.bands) * item

    def read(self, bounds: Bounds) -> tuple[Array, Valid]:
        """Read a window: stored values HxWxC and validity HxW, None where nothing can be invalid.

        What lies beyond the scene is 0 and invalid.
        """
        inside = _intersect(bounds, self._bounds)
        if inside == bounds:
            return self._read_inside(bounds)
        col, row, width, height = bounds
        n_channels = len(self.scene.bands)
        values = np.zeros((height, width, n_channels), self.scene.dtype)
        valid = np.zeros((height, width), bool)
        if inside is not None:
            left, top = inside[0] - col, inside[1] - row
            where = np.s_[top : top + inside[3], left : left + inside[2]]
            values[where], known = self._read_inside(inside)
            valid[where] = True if known is None else known
        return values, valid

    def _read_inside(self, bounds: Bounds) -> tuple[Array, Valid]:
        values = self._source.read(bounds)
        valid: Valid = None
        if self.scene.alpha is not None:
            valid = values[:, :, -1] != 0
            values = np.ascontiguousarray(values[:, :, :-1], self.scene.dtype)
        for known in self._find_valid(values, bounds):
            valid = known if valid is None else valid & known
        if valid is not None and valid.all():
            valid = None
        return values, valid

    def _find_valid(self, values: Array, bounds: Bounds) -> list[npt.NDArray[np.bool_]]:
        """Tests that apply to this scene, each HxW."""
        known = []
        if self._nodata is not None:
            known.append(_differs(values, self._nodata, self.scene.quantity))
        if values.dtype.kind == "f":
            known.append(_reduce_channels(np.isfinite(values), np.logical_and))
        if has_logarithm(self.scene):
            known.append(find_positive(values, self.scene))
        if self._mask_uri is not None:
            known.append(read_mask(self._mask_uri, *bounds))
        return known


class StripReader:
    """Reads windows from top to bottom so that each block of a file is decoded once.

    GDAL does not cache the blocks of wide windows, and rows are asked for in pieces that end within blocks.
    So what is read ends where blocks end, and the rows that the next piece needs are kept.
    """

    def __init__(self, pixels: ScenePixels) -> None:
        self._pixels = pixels
        self._held: Bounds = (0, 0, 0, 0)
        self._values: Array = np.empty((0, 0, 0))
        self._valid: Valid = None

    def read(self, bounds: Bounds) -> tuple[Array, Valid]:
        """Read a window, as `ScenePixels.read` does."""
        if self._pixels.block_height == 1 or self._pixels.measure_strip(bounds[2]) > _MAX_STRIP_BYTES:
            return self._pixels.read(bounds)
        if not self._continues(bounds):
            self._hold(bounds, bounds[1])
        elif bounds[1] + bounds[3] > self._held[1] + self._held[3]:
            self._extend(bounds)
        start = bounds[1] - self._held[1]
        rows = slice(start, start + bounds[3])
        return self._values[rows], None if self._valid is None else self._valid[rows]

    def _continues(self, bounds: Bounds) -> bool:
        """Whether a window has the columns that are held and begins among or right below the rows."""
        col, top, width, height = self._held
        return (bounds[0], bounds[2]) == (col, width) and top <= bounds[1] <= top + height

    def _hold(self, bounds: Bounds, top: int) -> None:
        """Read from row `top` to the end of the block in which a window ends."""
        bottom, block = bounds[1] + bounds[3], self._pixels.block_height
        end = max(bottom, min(-(-bottom // block) * block, self._pixels.scene.height))
        self._held = (bounds[0], top, bounds[2], end - top)
        self._values, self._valid = self._pixels.read(self._held)

    def _extend(self, bounds: Bounds) -> None:
        """Keep the rows from the window's first on and read what is missing below."""
        kept = slice(bounds[1] - self._held[1], None)
        values, valid = self._values[kept], None if self._valid is None else self._valid[kept]
        self._hold(bounds, self._held[1] + self._held[3])
        if valid is not None or self._valid is not None:
            self._valid = np.concatenate([_to_mask(values, valid), _to_mask(self._values, self._valid)])
        self._values = np.concatenate([values, self._values])
        self._held = (bounds[0], bounds[1], bounds[2], len(self._values))


def _to_mask(values: Array, valid: Valid) -> npt.NDArray[np.bool_]:
    return np.ones(values.shape[:2], bool) if valid is None else valid


def open_source(bands: Sequence[Band], width: int, height: int, *, classes: bool = False) -> Source:
    """Open bands of one size, all in rasters or all in encoded pictures.

    classes: the values are class numbers, so a palette must not be turned into colours. Raises RecordError
    MISALIGNED where a size differs, MISSING for an absent band, and as `geo.raster` and `core.images` do.
    """
    if classes and bands[0].within is not None:
        return _PictureSource(bands, width, height, _decode_classes)
    if _is_picture(bands[0], classes=classes):
        return _PictureSource(bands, width, height, decode_image)
    return _RasterSource(bands, width, height)


class _RasterSource:
    def __init__(self, bands: Sequence[Band], width: int, height: int) -> None:
        self._bands = tuple(bands)
        for uri in dict.fromkeys(band.uri for band in bands):
            dataset = open_raster(uri)
            _check_size(uri, (dataset.width, dataset.height), (width, height))
        self.dtypes = tuple(_find_type(band) for band in bands)
        self.block_height = max(open_raster(band.uri).block_shapes[0][0] for band in bands)

    def read(self, bounds: Bounds) -> Array:
        planes: Array = read_window(self._bands, *bounds)
        if len(planes) == 1:
            return planes.reshape(*planes.shape[1:], 1)
        if planes.dtype.name in _MERGED_BY_OPENCV:
            merged: Array = cv2.merge(list(planes))
            return merged
        return np.ascontiguousarray(np.moveaxis(planes, 0, 2))


class _PictureSource:
    def __init__(
        self, bands: Sequence[Band], width: int, height: int, decode: Callable[[bytes], Array]
    ) -> None:
        pictures: dict[tuple[str, Any], Array] = {}
        for band in bands:
            where = (band.uri, band.within)
            if where not in pictures:
                pictures[where] = decode(read_encoded(band.uri, band.within))
            shape = pictures[where].shape
            _check_size(band.uri, (shape[1], shape[0]), (width, height))
            if band.index > shape[2]:
                raise RecordError(
                    Reason.MISSING,
                    f"{name_of(band.uri)}: wanted channel {band.index}, the picture has {shape[2]}",
                )
        self.block_height = 1
        self.dtypes = tuple(pictures[band.uri, band.within].dtype.name for band in bands)
        self._picture = _pick([(pictures[band.uri, band.within], band.index) for band in bands])

    def read(self, bounds: Bounds) -> Array:
        col, row, width, height = bounds
        return self._picture[row : row + height, col : col + width]


def _decode_classes(data: bytes) -> Array:
    """Decode a member of an archive to its stored values, a palette's numbers: HxWxC."""
    return np.ascontiguousarray(np.moveaxis(decode_raster(data, "the mask"), 0, 2))


def _pick(channels: Sequence[tuple[Array, int]]) -> Array:
    """Put channels (counted from 1) together, without a copy where they are one whole picture."""
    first = channels[0][0]
    is_whole = all(picture is first and index == i + 1 for i, (picture, index) in enumerate(channels))
    if is_whole and len(channels) == first.shape[2]:
        return first
    return np.stack([picture[:, :, index - 1] for picture, index in channels], axis=2)


def _is_picture(band: Band, *, classes: bool) -> bool:
    """Tell an encoded picture from a raster by its first bytes; a scene in an archive is always a picture.

    A TIFF is a raster, read in windows, unless it is a picture whose stored values are no colours yet.
    """
    if band.within is not None:
        return True
    if classes:
        return False
    magic = read_start(band.uri, 4)
    if magic in _TIFF_MAGIC:
        return _needs_decoding(open_raster(band.uri))
    return magic.startswith(_PICTURE_MAGIC)


def _needs_decoding(dataset: Any) -> bool:
    """Whether a TIFF without a place on Earth stores a palette's numbers or CMYK."""
    colours = {colour.name for colour in dataset.colorinterp}
    return dataset.crs is None and bool(colours & {"palette", "cyan"})


def _find_type(band: Band) -> str:
    dtypes = open_raster(band.uri).dtypes
    if band.index > len(dtypes):
        name = name_of(band.uri)
        raise RecordError(Reason.MISSING, f"{name}: wanted band {band.index}, it has {len(dtypes)}")
    return str(dtypes[band.index - 1])


def _check_type(scene: Scene, dtypes: Sequence[str]) -> None:
    kinds = set(dtypes[: len(scene.bands)])
    got = kinds.pop() if len(kinds) == 1 else np.result_type(*kinds).name
    if got != scene.dtype:
        name = name_of(scene.bands[0].uri)
        raise RecordError(
            Reason.MISALIGNED, f"{name}: has pixels of type {got}, its record says {scene.dtype}"
        )


def _find_mask(band: Band, source: Source) -> str | None:
    return band.uri if isinstance(source, _RasterSource) and has_mask(band.uri) else None


def _check_size(uri: str, got: tuple[int, int], wanted: tuple[int, int]) -> None:
    if got != wanted:
        raise RecordError(
            Reason.MISALIGNED,
            f"{name_of(uri)}: has {got[0]} x {got[1]} pixels, its scene {wanted[0]} x {wanted[1]}",
        )


def _cast_nodata(nodata: float | None, dtype: str) -> Any:
    """Turn nodata into the stored type; None where no stored value can equal it, or where NaN says it already."""
    if nodata is None or np.isnan(nodata):
        return None
    kind = np.dtype(dtype)
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return kind.type(nodata)
    limits = np.iinfo(kind)
    fits = float(nodata).is_integer() and limits.min <= nodata <= limits.max
    return kind.type(int(nodata)) if fits else None


def _differs(values: Array, nodata: Any, quantity: Quantity) -> npt.NDArray[np.bool_]:
    """Where pixels are no nodata: HxW.

    In a picture a pixel is nodata when all its channels are (0 in one of them is a colour); in a measurement
    it is when any channel is, since the others make no colour.
    """
    if quantity is not Quantity.DISPLAY:
        return _reduce_channels(values != nodata, np.logical_and)
    if values.dtype == np.uint8:
        limit = (int(nodata),) * values.shape[2]
        return np.asarray(cv2.inRange(values, limit, limit) == 0)
    return _reduce_channels(values != nodata, np.logical_or)


def _reduce_channels(flags: npt.NDArray[np.bool_], operation: np.ufunc) -> npt.NDArray[np.bool_]:
    """Combine HxWxC to HxW; channel by channel, which is five times as fast as along the last axis."""
    combined = flags[:, :, 0]
    for channel in range(1, flags.shape[2]):
        combined = operation(combined, flags[:, :, channel])
    return combined


def _intersect(bounds: Bounds, limits: Bounds) -> Bounds | None:
    left, top = max(bounds[0], limits[0]), max(bounds[1], limits[1])
    right = min(bounds[0] + bounds[2], limits[0] + limits[2])
    bottom = min(bounds[1] + bounds[3], limits[1] + limits[3])
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None
