"""Scenes for tests, made from files as a source would, and files made for tests."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine

from earthloom.core.ids import make_id
from earthloom.core.records import Band, Modality, Quantity, Scene
from earthloom.geo.grid import Grid

UTM = "EPSG:32633"


def write_raster(
    path: Path, data: np.ndarray, *, crs: str | None = UTM, transform: Any = None, **options: Any
) -> Path:
    """Write CxHxW as a GeoTIFF; 1 m pixels in UTM unless told otherwise."""
    if data.ndim == 2:
        data = data[None]
    if transform is None and crs is not None:
        transform = (1.0, 0.0, 500_000.0, 0.0, -1.0, 5_000_000.0)
    profile = {"driver": "GTiff", "count": data.shape[0], "height": data.shape[1], "width": data.shape[2]}
    profile |= {"dtype": data.dtype.name, "crs": crs} | options
    if transform is not None:
        profile["transform"] = Affine(*transform)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **profile) as dataset:
            dataset.write(data)
    return path


def scene_of(
    path: Path,
    modality: Modality = Modality.RGB,
    bands: tuple[int, ...] | None = None,
    quantity: Quantity | None = None,
    **changes: Any,
) -> Scene:
    """Describe a raster as a scene: header facts by rasterio, distances by the grid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as dataset:
            crs = dataset.crs.to_string() if dataset.crs else None
            transform = tuple(dataset.transform)[:6] if crs else None
            width, height, dtype, nodata = dataset.width, dataset.height, dataset.dtypes[0], dataset.nodata
    if bands is None:
        bands = (1, 2, 3) if modality is Modality.RGB else (1,)
    if quantity is None:
        quantity = Quantity.DISPLAY if dtype == "uint8" else Quantity.COUNTS
    place = Grid(crs, transform, width, height).locate()
    scene = Scene(
        id=make_id("scene", path.name, modality.value),
        item_id=make_id("item", path.name),
        source="made",
        source_key=path.name,
        dataset="made",
        modality=modality,
        quantity=quantity,
        bands=tuple(Band(uri=str(path), index=i) for i in bands),
        nodata=nodata,
        width=width,
        height=height,
        dtype=dtype,
        crs=crs,
        transform=transform,
        gsd_x_m=place.gsd_x_m if place else None,
        gsd_y_m=place.gsd_y_m if place else None,
        lon=place.lon if place else None,
        lat=place.lat if place else None,
        footprint=place.footprint if place else None,
        group="group",
        pair_key="pair",
    )
    return replace(scene, **changes)


def picture_scene(path: Path, width: int, height: int, **changes: Any) -> Scene:
    """Describe an encoded picture (8-bit RGB unless told otherwise) without geo-reference."""
    scene = Scene(
        id=make_id("scene", path.name),
        item_id=make_id("item", path.name),
        source="pictures",
        source_key=path.name,
        dataset="pictures",
        modality=Modality.RGB,
        quantity=Quantity.DISPLAY,
        bands=tuple(Band(uri=str(path), index=i) for i in (1, 2, 3)),
        width=width,
        height=height,
        dtype="uint8",
        group="group",
        pair_key="pair",
    )
    return replace(scene, **changes)
