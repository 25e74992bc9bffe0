"""A miniature of fMoW: JPEGs in two resolutions with their JSON, ground truth beside, or TIFFs of 3, 4 and 8 bands."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fakes.fields import draw_fields, draw_picture, write_tiff
from PIL import Image

VARIANTS = ("rgb", "truth", "full", "tar")
WAVES = {
    4: [484, 547, 676, 851],
    8: [427, 478, 546, 608, 659, 724, 831, 908],
}


@dataclass(frozen=True, kw_only=True)
class Box:
    category: str | None
    name: str
    """In plain words; empty where the category is hidden."""
    edges: tuple[int, int, int, int]
    """x, y, width, height."""


@dataclass(frozen=True, kw_only=True)
class View:
    folder: str
    """Below the split, with the sequence: `airport/airport_0`."""
    split: str
    number: int
    size: tuple[int, int]
    boxes: tuple[Box, ...]
    one_box: bool = False
    """`bounding_boxes` is an object and no list."""
    gsd: object = 0.5
    timestamp: str = "2015-06-01T10:20:30Z"
    country: tuple[str, str] = ("CHE", "CH")
    """As written, and as the reader should have it."""
    clouds: object = 0
    lonlat: tuple[float, float] = (8.5, 47.4)
    """Of the centre, in the ground truth only."""
    off_nadir: object = 21.5
    n_bands: int = 8

    @property
    def key(self) -> str:
        return f"{self.split}/{self.folder}/{self.folder.rpartition('/')[2]}_{self.number}"

    @property
    def is_hidden(self) -> bool:
        return "/" not in self.folder


@dataclass(frozen=True, kw_only=True)
class Truth:
    views: tuple[View, ...]


def _box(category: str | None, *edges: int) -> Box:
    x, y, width, height = edges
    return Box(category=category, name=(category or "").replace("_", " "), edges=(x, y, width, height))


VIEWS = (
    View(
        folder="airport/airport_0", split="train", number=0, size=(620, 560),
        boxes=(_box("airport", 20, 30, 500, 400), _box("airport_hangar", 100, 90, 60, 40)),
        clouds=12, timestamp="2014-02-03T01:02:03Z",
    ),
    View(
        folder="airport/airport_0", split="train", number=1, size=(600, 580),
        boxes=(_box("airport", 18, 33, 500, 400),), timestamp="2016-08-09T11:12:13Z", n_bands=4,
    ),
    View(
        folder="multi-unit_residential/multi-unit_residential_3", split="train", number=0, size=(180, 160),
        boxes=(_box("multi-unit_residential", 40, 50, 70, 60),), one_box=True, gsd="NaN", clouds=None,
        country=("CA-", "CA-"), lonlat=(49.2, 42.0), off_nadir="null",
    ),
    View(
        folder="place_of_worship/place_of_worship_12", split="val", number=3, size=(240, 200),
        boxes=(_box("place_of_worship", 200, 150, 60, 80),), country=("KO-", "KO-"), lonlat=(-70.2, -33.4),
    ),
    View(folder="0000000", split="test", number=0, size=(210, 190), boxes=(_box(None, 30, 40, 50, 60),)),
    View(folder="0000001", split="seq", number=2, size=(190, 170), boxes=(_box(None, 10, 20, 30, 40),)),
)  # fmt: skip
PIXEL_DEG = 4.6e-6
"""Side of a pixel of the sharpened images, in both directions."""


def write(folder: Path, variant: str = "rgb") -> Truth:
    """Write six views of five places.

    `rgb`: fMoW-rgb, each view as `_rgb` and as `_msrgb`; `truth`: with the ground truth of train and val; `full`:
    TIFFs, `_rgb.tif` and `_ms.tif`, whose JSON lacks the wavelengths once; `tar`: `rgb`, each split in a tar.
    """
    for seed, view in enumerate(VIEWS):
        for kind, ratio in (("ms" if variant == "full" else "msrgb", 4), ("rgb", 1)):
            stem = folder / f"{view.key}_{kind}"
            stem.parent.mkdir(parents=True, exist_ok=True)
            size = (view.size[0] // ratio, view.size[1] // ratio)
            waves = [661, 545, 477] if kind != "ms" else WAVES[view.n_bands]
            meta = describe(view, ratio, [] if kind == "ms" and view.number == 3 else waves)
            stem.with_suffix(".json").write_text(json.dumps(meta))
            _write_pixels(stem, seed, size, kind, view.n_bands, "tif" if variant == "full" else "jpg")
            if variant == "truth" and not view.is_hidden:
                known = folder / f"{view.key}_{kind}.json".replace(view.split, f"{view.split}_gt", 1)
                known.parent.mkdir(parents=True, exist_ok=True)
                known.write_text(json.dumps(_reveal(view, meta, ratio)))
    if variant == "truth":
        extra = folder / "test_gt/zoo/zoo_7/zoo_7_0_rgb.json"
        extra.parent.mkdir(parents=True)
        extra.write_text("{}")
    if variant == "tar":
        _pack(folder)
    return Truth(views=VIEWS)


def describe(view: View, ratio: int, waves: list[int]) -> dict[str, object]:
    """The JSON of the challenge: no place, no platform."""
    boxes = [
        {
            "ID": 100 + i,
            "box": [edge // ratio for edge in box.edges],
            **({"category": box.category} if box.category else {}),
        }
        for i, box in enumerate(view.boxes)
    ]
    return {
        "gsd": view.gsd if ratio == 1 or not isinstance(view.gsd, float) else view.gsd * 4,
        "img_width": view.size[0] // ratio,
        "img_height": view.size[1] // ratio,
        "mean_pixel_height": PIXEL_DEG * ratio,
        "mean_pixel_width": PIXEL_DEG * ratio,
        "utm": "32T",
        "country_code": view.country[0],
        "cloud_cover": view.clouds,
        "timestamp": view.timestamp,
        "scan_direction": "Forward",
        "pan_resolution_dbl": 0.5,
        "multi_resolution_dbl": 2.0,
        "target_azimuth_dbl": 31.25,
        "sun_azimuth_dbl": 159.5,
        "sun_elevation_dbl": 46.25,
        "off_nadir_angle_dbl": view.off_nadir,
        "approximate_wavelengths": waves,
        "bounding_boxes": boxes[0] if view.one_box else boxes,
    }  # fmt: skip


def outline_of(view: View) -> tuple[float, float, float, float]:
    """West, south, east, north of a view, degrees."""
    lon, lat = view.lonlat
    half_x, half_y = view.size[0] * PIXEL_DEG / 2, view.size[1] * PIXEL_DEG / 2
    return lon - half_x, lat - half_y, lon + half_x, lat + half_y


def _reveal(view: View, meta: dict[str, object], ratio: int) -> dict[str, object]:
    west, south, east, north = outline_of(view)
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    wkt = f"POLYGON (({', '.join(f'{x:.12f} {y:.12f}' for x, y in ring)}))"
    first = view.boxes[0]
    raw = {
        "ID": -1, "box": [edge // ratio for edge in first.edges], "category": first.category,
        "crowd_rank": 0.66, "raw_category": first.name.title(), "raw_location": wkt, "epsg": "4326",
    }  # fmt: skip
    boxes = meta["bounding_boxes"]
    return {
        **meta,
        "raw_location": wkt,
        "epsg": "4326",
        "spatial_reference": "GCS_WGS_1984",
        "sensor_platform_name": "WORLDVIEW03_VNIR" if view.number == 0 else "GEOEYE01",
        "catalog_id": "105041000048BE00",
        "bounding_boxes": [raw, *(boxes if isinstance(boxes, list) else [boxes])],
    }


def _write_pixels(stem: Path, seed: int, size: tuple[int, int], kind: str, n_bands: int, suffix: str) -> None:
    width, height = size
    path = stem.with_suffix(f".{suffix}")
    if kind == "ms":
        write_tiff(path, draw_bands(seed, height, width, n_bands))
    elif suffix == "tif":
        write_tiff(path, draw_picture(seed, height, width), photometric="RGB")
    else:
        Image.fromarray(draw_picture(seed, height, width)).save(path, quality=90)


def draw_bands(seed: int, height: int, width: int, n_bands: int) -> np.ndarray:
    """11-bit counts that rise from band to band, height x width x bands."""
    field, texture = draw_fields(seed, 2, height, width)
    counts = 100 + 200 * np.arange(n_bands) + (100 * field + 50 * texture)[..., None]
    return np.ascontiguousarray(counts.round().astype(np.uint16))


def _pack(folder: Path) -> None:
    for split in ("train", "val", "test", "seq"):
        with tarfile.open(folder / f"{split}.tar", "w") as tar:
            for path in sorted((folder / split).rglob("*.*")):
                tar.add(path, path.relative_to(folder))
                path.unlink()


def _lose_json(folder: Path) -> None:
    (folder / "train/airport/airport_0/airport_0_1_rgb.json").unlink()


def _rename_category(folder: Path) -> None:
    path = folder / "train/airport/airport_0/airport_0_0_rgb.json"
    path.write_text(path.read_text().replace("airport_hangar", "spaceport"))


def _cut_json_short(folder: Path) -> None:
    path = folder / "val/place_of_worship/place_of_worship_12/place_of_worship_12_3_rgb.json"
    path.write_bytes(path.read_bytes()[:120])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "JSON missing": _lose_json,
    "category not in the table": _rename_category,
    "JSON cut short": _cut_json_short,
}
"""For what `write` makes as `rgb`."""
