"""The header of a raster file: what it says of its pixels, its place and its time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rasterio.crs import CRS
from rasterio.errors import CRSError

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.geo.raster import open_raster, read_start
from earthloom.net.urls import name_of

RASTERS = frozenset((".tif", ".tiff", ".gtif", ".btf", ".jp2", ".j2k", ".img", ".ntf"))
"""Suffixes, in lower case, of files that are listed: GeoTIFF and COG, JPEG 2000, Erdas Imagine, NITF."""

_MAGIC = (
    b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"EHFA_HEADER_TAG", b"NITF",
    b"\x89PNG", b"\xff\xd8\xff",
)  # fmt: skip
"""First bytes of the formats that are read, whatever a file's name: TIFF and BigTIFF, JPEG 2000, Imagine, NITF,
PNG, JPEG. Not among them: VRT and the like, which point to other files and to the network, so that a picture from
elsewhere could make us read what it likes."""

_DATE_TAGS = (
    "ACQUISITIONDATETIME", "ACQUISITION_DATETIME", "ACQUISITION_DATE", "DATE_ACQUIRED", "SENSING_TIME",
    "TIFFTAG_DATETIME",
)  # fmt: skip
"""Tags that hold a date, surest first; the first of GDAL's IMAGERY domain, the last of TIFF 6.0."""

Transform = tuple[float, float, float, float, float, float]
_NO_TRANSFORM: Transform = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""What GDAL gives for a file without a geo-transform."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Raster:
    """What a raster file says of itself; tuples hold one value a band."""

    uri: str
    width: int
    height: int
    dtypes: tuple[str, ...]
    crs: str | None
    """`EPSG:n` or WKT; None, and the transform with it, unless the file has both."""
    transform: Transform | None
    nodata: tuple[float | None, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    colours: tuple[str, ...]
    """Colour interpretation: `red`, `green`, `blue`, `alpha`, `nir`, `gray`, `palette`, `undefined`, ..."""
    descriptions: tuple[str | None, ...]
    dates: tuple[str, ...]
    """What the file's tags say of the time, surest first, as written."""
    platform: str | None
    """Of the IMAGERY domain."""

    @property
    def n_bands(self) -> int:
        """Number of bands."""
        return len(self.dtypes)


def read_raster(uri: str) -> Raster:
    """Read the header of a raster file; no pixels.

    Raises RecordError MISSING, NO_PERMISSION, EMPTY, NOT_AN_IMAGE, ANIMATED, UNREADABLE, TOO_LARGE, BAD_GRID.
    """
    _check_magic(uri)
    try:
        dataset = open_raster(uri)
    except RecordError as error:
        if error.reason is Reason.NOT_AN_IMAGE:  # it begins like a raster, so it must have been one
            raise RecordError(
                Reason.UNREADABLE, f"the header is cut short or broken: {error.detail}"
            ) from error
        raise
    return _read_dataset(uri, dataset)


def _read_dataset(uri: str, dataset: Any) -> Raster:
    if dataset.subdatasets:
        n = len(dataset.subdatasets)
        raise RecordError(Reason.ANIMATED, f"{name_of(uri)}: {n} images in one file; wanted one")
    transform: Transform = tuple(dataset.transform)[:6]
    is_placed = dataset.crs is not None and transform != _NO_TRANSFORM
    tags, imagery = dataset.tags(), dataset.tags(ns="IMAGERY")
    found = (source.get(name) for name in _DATE_TAGS for source in (imagery, tags))
    return Raster(
        uri=uri,
        width=dataset.width,
        height=dataset.height,
        dtypes=tuple(dataset.dtypes),
        crs=_name_crs(dataset.crs.to_wkt()) if is_placed else None,
        transform=transform if is_placed else None,
        nodata=tuple(dataset.nodatavals),
        scales=tuple(dataset.scales),
        offsets=tuple(dataset.offsets),
        colours=tuple(colour.name for colour in dataset.colorinterp),
        descriptions=tuple(dataset.descriptions),
        dates=tuple(text for text in found if text),
        platform=imagery.get("SATELLITEID") or None,
    )


@lru_cache(maxsize=256)
def _name_crs(wkt: str) -> str:
    """Give `EPSG:n` where that says all of it, else the WKT: a rough match would move the picture."""
    try:
        authority = CRS.from_wkt(wkt).to_authority(confidence_threshold=100)
    except CRSError as error:
        raise RecordError(Reason.BAD_GRID, f"unusable reference system: {error}") from error
    return f"EPSG:{authority[1]}" if authority is not None and authority[0] == "EPSG" else wkt


def _check_magic(uri: str) -> None:
    start = read_start(uri, 16)
    if not start:
        raise RecordError(Reason.EMPTY, f"{name_of(uri)}: no bytes")
    if not start.startswith(_MAGIC):
        raise RecordError(
            Reason.NOT_AN_IMAGE, f"no raster format that is read here; it starts with {start!r}"
        )
