"""Rasters of a landscape as GeoTIFF files: whole or absent, the same bytes every time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from earthloom.geo.grid import Transform
from earthloom.ingest.atlas.frame import Frame
from earthloom.ingest.atlas.site import Site, utm_epsg
from earthloom.store.atomic import open_atomic

_TILE = 512
_TAGS = {
    "TIFFTAG_IMAGEDESCRIPTION": "Synthetic landscape: it exists nowhere. Made by earthloom atlas.",
    "TIFFTAG_COPYRIGHT": "CC0-1.0",
}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the pixels of a scene lie."""

    crs: str
    transform: Transform


def place_scene(frame: Frame, site: Site) -> Placement:
    """The scene's grid in the UTM zone of its site, its corner on a multiple of ten pixels."""
    epsg = utm_epsg(site.lon, site.lat)
    to_utm = Transformer.from_crs("EPSG:4326", f"EPSG:{epsg}", always_xy=True)
    east, north = to_utm.transform(site.lon, site.lat)
    step = 10 * frame.gsd_m
    left = round((east - frame.extent_m / 2) / step) * step
    top = round((north + frame.extent_m / 2) / step) * step
    return Placement(f"EPSG:{epsg}", (frame.gsd_m, 0.0, left, 0.0, -frame.gsd_m, top))


def write_raster(path: Path, pixels: NDArray[np.generic], placement: Placement) -> None:
    """Write (rows, cols) or (rows, cols, 3) pixels as a tiled GeoTIFF.

    Pictures stay uncompressed: their noise would shrink by a tenth at several times the cost of writing them.
    Classes (uint8, one band) are deflated, to a few per cent. Raises WriteError.
    """
    planes = pixels[np.newaxis] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    with MemoryFile() as memory:
        with memory.open(**_profile(planes, placement, path.stem == "cover")) as dataset:
            dataset.write(planes)
            dataset.update_tags(**_TAGS)
        with open_atomic(path) as file:
            file.write(memory.getbuffer())


def _profile(planes: NDArray[np.generic], placement: Placement, deflate: bool) -> dict[str, object]:
    count, height, width = planes.shape
    side = min(_TILE, 16 * -(-max(width, height) // 16))
    colour = {"interleave": "pixel", "photometric": "RGB"} if count == 3 else {"photometric": "MINISBLACK"}
    packed = {"compress": "DEFLATE", "zlevel": 1} if deflate else {}
    return {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": count,
        "dtype": planes.dtype.name,
        "crs": placement.crs,
        "transform": Affine(*placement.transform),
        "tiled": True,
        "blockxsize": side,
        "blockysize": side,
        "BIGTIFF": "IF_SAFER",
        **colour,
        **packed,
    }
