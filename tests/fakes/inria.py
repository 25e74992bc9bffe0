"""A miniature of Inria Aerial Image Labeling: few images of the true 5000 x 5000 pixels, in small even squares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from fakes.fields import draw_fields, draw_picture, write_tiff
from rasterio.transform import from_origin
from rasterio.windows import Window

SQUARES = 125
"""Along each side of a picture."""
TRAIN = ("austin1", "austin6", "tyrol-w12")
TEST = ("sfo3", "tyrol-e36")
VARIANTS = ("zip", "mirror")
_TIFF = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "zstd", "predictor": 1}


@dataclass(frozen=True, kw_only=True)
class Image:
    split: str
    place: str
    country: str
    city: str
    pixels: npt.NDArray[np.uint8]
    """Squares x squares x 3."""
    buildings: npt.NDArray[np.bool_] | None
    """Squares x squares; None in the test part."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    images: Mapping[str, Image]
    """By key of the item."""
    cell: int


_PLACES = {
    "austin": ("Austin, Texas", "US"), "tyrol-w": ("West Tyrol", "AT"), "sfo": ("San Francisco, California", "US"),
    "tyrol-e": ("East Tyrol", "AT"),
}  # fmt: skip
_GRIDS = {
    "austin": ("EPSG:32614", 621_000, 3_350_000), "tyrol-w": ("EPSG:32632", 620_000, 5_230_000),
    "sfo": ("EPSG:32610", 552_000, 4_182_000), "tyrol-e": ("EPSG:32633", 330_000, 5_189_000),
}  # fmt: skip
"""Of each city: coordinate system, left and upper edge in metres."""


def write(folder: Path, variant: str = "zip", cell: int = 40) -> Truth:
    """Write three training and two test images; squares of 40 pixels make them as large as the true ones."""
    top = {"zip": "AerialImageDataset", "mirror": "data"}[variant]
    images = {}
    for number, stem in enumerate(TRAIN + TEST):
        split = "train" if stem in TRAIN else "test"
        pixels = draw_picture(number * 10, SQUARES, SQUARES)
        buildings = draw_fields(number, 1, SQUARES, SQUARES, 8)[0] > 0.7
        city = stem.rstrip("0123456789")
        crs, left, upper = _GRIDS[city]
        place = {"crs": crs, "transform": from_origin(left + 1500 * number, upper, 0.3, 0.3)}
        save(folder / top / split / "images" / f"{stem}.tif", pixels, cell, photometric="RGB", **place)
        if split == "train":
            save(
                folder / top / split / "gt" / f"{stem}.tif",
                (buildings * 255).astype(np.uint8)[..., None],
                cell,
                **place,
            )
        name, country = _PLACES[city]
        images[f"{top}/{split}/{stem}"] = Image(
            split=split, place=name, country=country, city=city, pixels=pixels,
            buildings=buildings if split == "train" else None,
        )  # fmt: skip
    return Truth(images=images, cell=cell)


def save(path: Path, squares: npt.NDArray[np.uint8], cell: int, **options: object) -> None:
    """Write a TIFF whose pixels are squares of `cell`."""
    write_tiff(path, squares.repeat(cell, axis=0).repeat(cell, axis=1), **_TIFF, **options)


def _lose_mask(folder: Path) -> None:
    (folder / "AerialImageDataset/train/gt/austin1.tif").unlink()


def _cut_short(folder: Path) -> None:
    path = folder / "AerialImageDataset/test/images/sfo3.tif"
    path.write_bytes(path.read_bytes()[:20])


def _soften_mask(folder: Path) -> None:
    """A mask was resized with interpolation: there is something between building and none."""
    with rasterio.open(folder / "AerialImageDataset/train/gt/austin1.tif", "r+") as file:
        file.write(np.full((1, 2, 2), 128, np.uint8), window=Window(0, 0, 2, 2))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "mask missing": _lose_mask,
    "image cut short": _cut_short,
    "mask of another value": _soften_mask,
}
"""For what `write` makes as `zip`."""
