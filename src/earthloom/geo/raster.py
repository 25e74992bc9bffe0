"""Windows of rasters through rasterio: the one border at which GDAL's settings and errors are dealt with.

Datasets stay open in a small cache of this process, since opening one takes longer than reading a window.
Nothing here is safe to share between threads; workers are processes.
"""

from __future__ import annotations

import stat
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from earthloom.core.blobs import translate_read_errors
from earthloom.core.errors import RecordError
from earthloom.core.records import Band, Reason

GDAL_OPTIONS = {
    "GDAL_CACHEMAX": 64,  # MB of decoded blocks in a process
    "GDAL_NUM_THREADS": 1,  # parallelism is over shards
    "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",  # .msk, .ovr and .aux.xml are found by name, not by listing
    "VSI_CACHE": False,
}
MAX_WINDOW_BYTES = 2**30
"""Largest window that is read at once."""
MAX_BLOCK_BYTES = 2**28
"""Largest block (strip or tile) of a file: GDAL decodes a whole one to give a single pixel."""
_MAX_OPEN = 32

_Identity = tuple[int, int, int, int]
_open: OrderedDict[str, tuple[_Identity, Any]] = OrderedDict()


def open_raster(uri: str) -> Any:
    """Open a raster or give the dataset that is open already; the cache closes it, not the caller.

    Raises RecordError MISSING, NO_PERMISSION, EMPTY, NOT_AN_IMAGE, UNREADABLE, or TOO_LARGE where a single
    block of the file would not fit into memory.
    """
    identity = _identify(uri)
    held = _open.get(uri)
    if held is not None and held[0] == identity:
        _open.move_to_end(uri)
        return held[1]
    dataset = _open_dataset(uri)
    _forget(uri)
    _open[uri] = (identity, dataset)
    while len(_open) > _MAX_OPEN:
        _forget(next(iter(_open)))
    return dataset


def close_rasters() -> None:
    """Close every raster that this process holds open."""
    while _open:
        _forget(next(iter(_open)))


def read_window(
    bands: Sequence[Band], col: int, row: int, width: int, height: int
) -> npt.NDArray[np.generic]:
    """Read a window of bands that may lie in several files: CxHxW, stored type, in the order of `bands`.

    The window must lie inside of every file. Files of different types give their common type. Raises
    RecordError as `open_raster` does, MISSING for a band that a file lacks, MISALIGNED for a window that
    reaches beyond a file.
    """
    parts = []
    for uri, group in groupby(bands, key=lambda band: band.uri):
        dataset = open_raster(uri)
        indexes = [band.index for band in group]
        _check_window(dataset, uri, indexes, (col, row, width, height))
        with translate_raster_errors(uri):
            parts.append(dataset.read(indexes, window=Window(col, row, width, height)))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def has_mask(uri: str) -> bool:
    """Tell whether a raster brings a mask of its own: internal or a `.msk` file, no alpha band, no nodata."""
    flags = open_raster(uri).mask_flag_enums[0]
    return MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags


def read_mask(uri: str, col: int, row: int, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Read a window of a raster's own mask: HxW, True where pixels are valid."""
    dataset = open_raster(uri)
    _check_window(dataset, uri, [1], (col, row, width, height))
    with translate_raster_errors(uri):
        mask = dataset.read_masks(1, window=Window(col, row, width, height))
    return np.asarray(mask != 0)


@contextmanager
def translate_raster_errors(uri: str) -> Iterator[None]:
    """Turn rasterio's and GDAL's errors on `uri` into a `RecordError` that does not name its folder."""
    try:
        yield
    except (RasterioError, UnicodeEncodeError) as error:
        said = str(error.__cause__ or error).replace(uri, Path(uri).name)
        reason = (
            Reason.NOT_AN_IMAGE if "not recognized as being in a supported" in said else Reason.UNREADABLE
        )
        raise RecordError(reason, said) from error


@cache
def _start_gdal() -> None:
    """Set GDAL up once for this process: entering an environment around every read would cost 20 us each."""
    rasterio.Env(**GDAL_OPTIONS).__enter__()


def _identify(uri: str) -> _Identity:
    """Tell a file from another one that has taken its name."""
    with translate_read_errors(uri):
        status = Path(uri).stat()
    if not stat.S_ISREG(status.st_mode):
        raise RecordError(
            Reason.UNREADABLE, f"{Path(uri).name}: wanted a regular file, got a folder or device"
        )
    if status.st_size == 0:
        raise RecordError(Reason.EMPTY, f"{Path(uri).name}: no bytes")
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _open_dataset(uri: str) -> Any:
    _start_gdal()
    with translate_read_errors(uri), Path(uri).open("rb"):
        pass  # the system says more clearly than GDAL why a file may not be read
    with translate_raster_errors(uri), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        dataset = rasterio.open(Path(uri))
    if dataset.count == 0:
        raise RecordError(Reason.MISSING, f"{Path(uri).name}: a container without bands of its own")
    _check_blocks(dataset, uri)
    return dataset


def _check_blocks(dataset: Any, uri: str) -> None:
    rows, cols = dataset.block_shapes[0]
    pixel_interleaved = dataset.interleaving is not None and dataset.interleaving.name == "pixel"
    size = rows * cols * _item_size(dataset) * (dataset.count if pixel_interleaved else 1)
    if size > MAX_BLOCK_BYTES:
        raise RecordError(
            Reason.TOO_LARGE,
            f"{Path(uri).name}: one block of the file is {cols} x {rows} pixels, {size >> 20} MiB; at most "
            f"{MAX_BLOCK_BYTES >> 20} MiB are decoded at once. Tile it (gdal_translate -co TILED=YES)",
        )


def _check_window(dataset: Any, uri: str, indexes: list[int], window: tuple[int, int, int, int]) -> None:
    col, row, width, height = window
    wanted = f"{Path(uri).name}: wanted {width} x {height} pixels at {col}, {row}"
    if max(indexes) > dataset.count:
        raise RecordError(Reason.MISSING, f"{wanted} of band {max(indexes)}, it has {dataset.count}")
    if col < 0 or row < 0 or col + width > dataset.width or row + height > dataset.height:
        raise RecordError(Reason.MISALIGNED, f"{wanted}, it has {dataset.width} x {dataset.height}")
    size = width * height * len(indexes) * _item_size(dataset)
    if size > MAX_WINDOW_BYTES:
        raise RecordError(Reason.TOO_LARGE, f"{wanted}: {size >> 20} MiB at once")


def _item_size(dataset: Any) -> int:
    """Bytes of a sample; `complex_int16` is a type of GDAL that NumPy does not have."""
    name = dataset.dtypes[0]
    return 4 if name == "complex_int16" else np.dtype(name).itemsize


def _forget(uri: str) -> None:
    held = _open.pop(uri, None)
    if held is not None:
        held[1].close()
