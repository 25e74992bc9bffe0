"""A miniature of SEN12MS: triplets of geo-referenced GeoTIFF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from fakes.fields import draw_classes, draw_fields
from rasterio.transform import from_origin

WEST, NORTH = 500_000.0, 5_300_000.0
"""Of every patch, metres in UTM zone 32 north: the central meridian, 9 degrees east."""
VARIANTS = ("plain", "lists")


@dataclass(frozen=True, kw_only=True)
class Triplet:
    season: str
    split: str | None
    radar: npt.NDArray[np.float32]
    """2 x 256 x 256, dB."""
    optical: npt.NDArray[np.uint16]
    """13 x 256 x 256."""
    classes: npt.NDArray[np.uint16]
    """256 x 256, IGBP."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    triplets: Mapping[str, Triplet]
    """By key of the item."""


def write(folder: Path, variant: str = "plain") -> Truth:
    """Write three triplets of two scenes; `lists` adds the authors' lists of train and test."""
    triplets = {}
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for number, (rois, season, scene, patch) in enumerate(
        (
            ("ROIs1158_spring", "spring", 1, 30),
            ("ROIs1158_spring", "spring", 1, 31),
            ("ROIs1970_fall", "autumn", 9, 2),
        )
    ):
        radar = (draw_fields(number, 2, 256, 256) * 20 - [[[25]], [[32]]]).astype(np.float32)
        optical = (draw_fields(number + 9, 13, 256, 256) * 4000 + 200).astype(np.uint16)
        classes = np.array([1, 10, 12, 17], np.uint16)[draw_classes(number, 4, 256, 256)]
        layers = np.stack([classes, classes * 0 + 11, classes * 0 + 21, classes * 0 + 31])
        for sensor, pixels in (("s1", radar), ("s2", optical), ("lc", layers)):
            save(folder / rois / f"{sensor}_{scene}" / f"{rois}_{sensor}_{scene}_p{patch}.tif", pixels)
        split = "test" if rois.endswith("fall") else "train"
        lists[split].append(f"{rois}_s2_{scene}_p{patch}.tif")
        known = split if variant == "lists" else None
        key = f"{rois}/{scene}/p{patch}"
        triplets[key] = Triplet(season=season, split=known, radar=radar, optical=optical, classes=classes)
    if variant == "lists":
        for split, names in lists.items():
            (folder / f"{split}_list.txt").write_text("\n".join(names) + "\n")
    return Truth(triplets=triplets)


def save(path: Path, pixels: npt.NDArray[np.float32] | npt.NDArray[np.uint16]) -> None:
    """Write a GeoTIFF, bands x height x width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = pixels.shape
    transform = from_origin(WEST, NORTH, 10, 10)
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=count, dtype=pixels.dtype.name,
        crs="EPSG:32632", transform=transform, compress="deflate",
    ) as file:  # fmt: skip
        file.write(pixels)


def _file(folder: Path, sensor: str) -> Path:
    return folder / f"ROIs1158_spring/{sensor}_1/ROIs1158_spring_{sensor}_1_p30.tif"


def _lose_cover(folder: Path) -> None:
    _file(folder, "lc").unlink()


def _cut_short(folder: Path) -> None:
    _file(folder, "s2").write_bytes(_file(folder, "s2").read_bytes()[:20])


def _spoil_cover(folder: Path) -> None:
    save(_file(folder, "lc"), np.full((4, 256, 256), 42, np.uint16))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "land cover missing": _lose_cover,
    "optical cut short": _cut_short,
    "class not in the table": _spoil_cover,
}
