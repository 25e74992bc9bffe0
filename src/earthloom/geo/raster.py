"""Windows of rasters through rasterio: the one border at which GDAL's settings and errors are dealt with.

A raster is a file, named by its path, or a file on a server, named by its URL (http or https), which is read in
parts as `net.client.configure` says. Datasets stay open in a small cache of this process, since opening one takes
longer than reading a window. Nothing here is safe to share between threads; workers are processes.
"""

from __future__ import annotations

import atexit
import re
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
from rasterio.io import MemoryFile
from rasterio.windows import Window

from earthloom.core.blobs import MAX_BLOB_BYTES, read_blob, translate_read_errors
from earthloom.core.errors import RecordError
from earthloom.core.ids import fingerprint_file
from earthloom.core.records import Band, ByteRange, Reason
from earthloom.net.urls import is_remote, name_of

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
_DRIVERS = {
    b"II": "GTiff", b"MM": "GTiff", b"\0\0\0\x0cjP  ": "JP2OpenJPEG", b"\xff\x4f\xff\x51": "JP2OpenJPEG",
    b"EHFA_HEADER_TAG": "HFA", b"NITF": "NITF", b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG",
}  # fmt: skip
"""What a file on a server is opened as, by its first bytes: no format that points to other files, which it would
make us read."""
_SELF_CONTAINED = [*dict.fromkeys(_DRIVERS.values()), "BMP", "GIF"]
"""What a member of an archive is opened as, for the same reason."""
_MAX_OPEN = 32

_VSI_PATH = re.compile(r"/vsi\w+/remote/")
"""Where GDAL believes that a file on a server lies."""

_Identity = tuple[int, int, int, int]
_open: OrderedDict[str, tuple[_Identity, Any]] = OrderedDict()


def open_raster(uri: str) -> Any:
    """Open a raster or give the dataset that is open already; the cache closes it, not the caller.

    Sidecars of a file on a server (.msk, .ovr, .aux.xml) are not looked for. Raises RecordError MISSING,
    NO_PERMISSION, EMPTY, NOT_AN_IMAGE, UNREADABLE, TOO_LARGE where a single block of the file would not fit into
    memory, and for a URL all that `net.client` raises.
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
        uri = next(iter(_open))
        _forget(uri)
        if is_remote(uri):
            _web().forget_remote(uri)


def read_start(uri: str, n_bytes: int) -> bytes:
    """Read the first bytes of a file, from the disk or a server; raises RecordError as `open_raster` does."""
    if is_remote(uri):
        return bytes(_web().open_remote(uri).read(0, n_bytes))
    with translate_read_errors(uri), Path(uri).open("rb") as file:
        return file.read(n_bytes)


def read_encoded(uri: str, within: ByteRange | None = None) -> bytes:
    """Read an encoded picture whole, as `core.blobs.read_blob` does; without `within` also from a server."""
    if within is not None or not is_remote(uri):
        return read_blob(uri, within)
    file = _web().open_remote(uri)
    if file.size > MAX_BLOB_BYTES:
        limit = MAX_BLOB_BYTES >> 20
        raise RecordError(
            Reason.TOO_LARGE,
            f"{name_of(uri)}: {file.size >> 20} MiB encoded, at most {limit} MiB are read as one picture",
        )
    return bytes(file.read(0, file.size))


def fingerprint_raster(uri: str) -> str:
    """Fingerprint the content of a file: `fingerprint_file`, or `fingerprint_remote` where it lies on a server."""
    return str(_web().fingerprint_remote(uri)) if is_remote(uri) else fingerprint_file(Path(uri))


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


def decode_raster(data: bytes, name: str) -> npt.NDArray[np.generic]:
    """Read a raster that is in memory whole, such as a member of an archive: CxHxW, stored type.

    A palette's numbers stay numbers, as in files that are read window by window; so this is for masks, not for
    pictures. Raises RecordError as `open_raster` does, TOO_LARGE where it has more than `MAX_BLOCK_BYTES`.
    """
    _start_gdal()
    with translate_raster_errors(name), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with MemoryFile(data) as memory, memory.open(driver=_SELF_CONTAINED) as dataset:
            size = dataset.width * dataset.height * dataset.count * _item_size(dataset)
            if size > MAX_BLOCK_BYTES:
                raise RecordError(Reason.TOO_LARGE, f"{name}: {size >> 20} MiB at once; unpack the archive")
            values: npt.NDArray[np.generic] = dataset.read()
    return values


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
    """Turn rasterio's and GDAL's errors on `uri` into a `RecordError` that does not name its folder.

    What reading a file on a server met is raised as it was, whether GDAL minded it or not, and its dataset closed.
    """
    try:
        yield
    except (RasterioError, UnicodeEncodeError) as error:
        _raise_remote(uri, error)
        said = _VSI_PATH.sub("", str(error.__cause__ or error).replace(uri, name_of(uri)))
        reason = (
            Reason.NOT_AN_IMAGE if "not recognized as being in a supported" in said else Reason.UNREADABLE
        )
        raise RecordError(reason, said) from error
    _raise_remote(uri, None)


def _raise_remote(uri: str, seen: Exception | None) -> None:
    """Raise what GDAL swallowed, if anything; what it holds of the file is not to be trusted then."""
    swallowed = _web().take_error(uri) if is_remote(uri) else None
    if swallowed is not None:
        _forget(uri)
        raise swallowed from seen


def _web() -> Any:
    """What reads files on servers. It brings the HTTP client, which most runs do without."""
    from earthloom.geo import remote

    return remote


@cache
def _close_at_exit() -> None:
    """GDAL calls back into Python when it closes a file on a server, so that has to be done while there is a Python."""
    atexit.register(close_rasters)


@cache
def _start_gdal() -> None:
    """Set GDAL up once for this process: entering an environment around every read would cost 20 us each."""
    rasterio.Env(**GDAL_OPTIONS).__enter__()


def _identify(uri: str) -> _Identity:
    """Tell a file from another one that has taken its name; on a server that is seen when it is read."""
    if is_remote(uri):
        return (0, 0, _web().open_remote(uri).size, 0)
    with translate_read_errors(uri):
        status = Path(uri).stat()
    if not stat.S_ISREG(status.st_mode):
        raise RecordError(Reason.UNREADABLE, f"{name_of(uri)}: wanted a regular file, got a folder or device")
    if status.st_size == 0:
        raise RecordError(Reason.EMPTY, f"{name_of(uri)}: no bytes")
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _open_dataset(uri: str) -> Any:
    _start_gdal()
    read_start(uri, 0)  # the system, or the server, says more clearly than GDAL why a file may not be read
    with translate_raster_errors(uri), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        dataset = _open_on_server(uri) if is_remote(uri) else rasterio.open(Path(uri))
    if dataset.count == 0:
        raise RecordError(Reason.MISSING, f"{name_of(uri)}: a container without bands of its own")
    _check_blocks(dataset, uri)
    return dataset


def _open_on_server(url: str) -> Any:
    start = read_start(url, 16)
    driver = next((name for magic, name in _DRIVERS.items() if start.startswith(magic)), None)
    if driver is None:
        said = f"{name_of(url)}: no raster format that is read here; it starts with {start!r}"
        raise RecordError(Reason.NOT_AN_IMAGE, said)
    container = _web().RemoteContainer(url)
    _close_at_exit()
    return rasterio.open(container.path, driver=driver, opener=container)


def _check_blocks(dataset: Any, uri: str) -> None:
    rows, cols = dataset.block_shapes[0]
    pixel_interleaved = dataset.interleaving is not None and dataset.interleaving.name == "pixel"
    size = rows * cols * _item_size(dataset) * (dataset.count if pixel_interleaved else 1)
    if size > MAX_BLOCK_BYTES:
        raise RecordError(
            Reason.TOO_LARGE,
            f"{name_of(uri)}: one block of the file is {cols} x {rows} pixels, {size >> 20} MiB; at most "
            f"{MAX_BLOCK_BYTES >> 20} MiB are decoded at once. Tile it (gdal_translate -co TILED=YES)",
        )


def _check_window(dataset: Any, uri: str, indexes: list[int], window: tuple[int, int, int, int]) -> None:
    col, row, width, height = window
    wanted = f"{name_of(uri)}: wanted {width} x {height} pixels at {col}, {row}"
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
