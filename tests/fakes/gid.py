"""A miniature of GID: few scenes of the true 7200 x 6800 pixels, in colours that are constant over small squares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from fakes.fields import draw_classes, draw_fields, read_tiff, write_tiff
from PIL import Image

COARSE = {
    "unlabelled": "0,0,0", "built-up": "255,0,0", "farmland": "0,255,0", "forest": "0,255,255",
    "meadow": "255,255,0", "water": "0,0,255",
}  # fmt: skip
FINE = {
    "unlabelled": "0,0,0", "industrial land": "200,0,0", "urban residential": "250,0,150",
    "rural residential": "200,150,150", "traffic land": "250,150,150", "paddy field": "0,200,0",
    "irrigated land": "150,250,0", "dry cropland": "150,200,150", "garden plot": "200,0,200",
    "arbor woodland": "150,0,250", "shrub land": "150,150,250", "natural grassland": "250,200,0",
    "artificial grassland": "200,200,0", "river": "0,0,200", "lake": "0,150,200", "pond": "0,200,250",
}  # fmt: skip
"""In the order of torchgeo's class numbers."""
SOLC = (
    "paddy field", "irrigated land", "dry cropland", "garden plot", "arbor woodland", "shrub land",
    "natural grassland", "artificial grassland", "industrial land", "urban residential", "rural residential",
    "traffic land", "river", "lake", "pond", "unlabelled",
)  # fmt: skip
"""In the order of SOLC's class numbers."""

STEMS = ("GF2_PMS1__L1A0000564539-MSS1", "GF2_PMS2__L1A0001517494-MSS2", "GF2_PMS1__L1A0001064454-MSS1")
SHADES = (60, 130, 90, 70, 110, 40, 100, 120, 150, 80, 95, 105, 115, 45, 50, 55)
"""Mean brightness of each class in the made pictures, in the order of the tables above."""
COLUMNS, ROWS = 180, 170
VARIANTS = ("coarse", "fine", "both", "png", "nir", "alpha", "challenge", "solc", "patches")
_COARSE_SET = "Large-scale Classification_5classes"
_FINE_SET = "Fine Land-cover Classification_15classes"


@dataclass(frozen=True, kw_only=True)
class Scene:
    key: str
    """Of the item."""
    stem: str
    roles: tuple[str, ...]
    names: tuple[str, ...] = ()
    """Of the classes that the numbers in `classes` mean."""
    classes: npt.NDArray[np.uint8] | None = None
    """The label, one number for each square of `cell` pixels."""
    cell: int = 1
    split: str | None = None
    nirrgb: npt.NDArray[np.uint8] | None = None
    """The picture, squares x squares x (NIR, R, G, B)."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    scenes: tuple[Scene, ...] = ()
    patches: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Key of a patch to its class and to the stem of its scene, empty where its name does not say it."""


def write(folder: Path, variant: str = "coarse", n: int = 2, cell: int = 40) -> Truth:
    """Write n scenes of 180 x 170 squares; a square of 40 pixels makes them as large as the true ones.

    `coarse` and `fine`: the sets of 5 and 15 classes; `both`: both, of the same scenes; `png`: `coarse` with labels
    as PNG; `nir`: `coarse` without image_RGB; `alpha`: `coarse` whose RGB has an alpha band; `challenge`: the zip
    of GID-15, unpacked, with labels in torchgeo's numbers; `solc`: the same in SOLC's; `patches`: class folders.
    """
    if variant == "patches":
        return Truth(patches=_write_patches(folder))
    if variant in {"challenge", "solc"}:
        names = tuple(FINE) if variant == "challenge" else SOLC
        return Truth(scenes=tuple(_write_challenge(folder, names, cell)))
    sets = {"fine": (_FINE_SET,), "both": (_FINE_SET, _COARSE_SET)}.get(variant, (_COARSE_SET,))
    scenes = [_write_scene(folder, top, i, variant, cell) for top in sets for i in range(n)]
    return Truth(scenes=tuple(scenes))


def _write_scene(folder: Path, top: str, number: int, variant: str, cell: int) -> Scene:
    table, labels = (FINE, "label_15classes") if top == _FINE_SET else (COARSE, "label_5classes")
    stem = STEMS[number]
    classes, nirrgb = _draw(number, len(table))
    nir_path, rgb_path = (folder / top / images / f"{stem}.tif" for images in ("image_NirRGB", "image_RGB"))
    # Pillow and others save four bands as R, G, B and alpha, whatever they are.
    write_tiff(nir_path, _grow(nirrgb, cell), photometric="RGB", alpha="NON-PREMULTIPLIED", **_TILED)
    if variant == "alpha":
        alpha = np.where(classes == 0, 0, 255)[..., None].astype(np.uint8)
        pixels = np.concatenate([nirrgb[:, :, 1:], alpha], axis=2)
        write_tiff(rgb_path, _grow(pixels, cell), photometric="RGB", alpha="NON-PREMULTIPLIED", **_TILED)
    elif variant != "nir":
        write_tiff(rgb_path, _grow(nirrgb[:, :, 1:], cell), photometric="RGB", **_TILED)
    _write_colours(folder / top / labels / f"{stem}_label", table, classes, variant, cell)
    return Scene(
        key=f"{top}/{stem}",
        stem=stem,
        roles=("nir", "label") if variant == "nir" else ("rgb", "nir", "label"),
        names=tuple(table),
        classes=classes,
        cell=cell,
        nirrgb=nirrgb,
    )


def _write_colours(
    path: Path, table: Mapping[str, str], classes: npt.NDArray[np.uint8], variant: str, cell: int
) -> None:
    colours = np.array([[int(part) for part in colour.split(",")] for colour in table.values()], np.uint8)
    label = _grow(colours[classes], cell)
    if variant == "png":
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(label).save(path.with_suffix(".png"), compress_level=1)
    else:
        write_tiff(path.with_suffix(".tif"), label, photometric="RGB", **_TILED)


def _write_challenge(folder: Path, names: tuple[str, ...], cell: int) -> list[Scene]:
    scenes = []
    order = list(FINE)
    for number, split in enumerate(("train", "val", "test")):
        stem = STEMS[number]
        drawn, nirrgb = _draw(number, len(order))
        classes = np.array([names.index(name) for name in order], np.uint8)[drawn]
        write_tiff(folder / "GID/img_dir" / split / f"{stem}.tif", _grow(nirrgb[:, :, 1:], cell), **_TILED)
        if split != "test":
            path = folder / "GID/ann_dir" / split / f"{stem}_15label.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(_grow(classes[..., None], cell)[:, :, 0]).save(path, compress_level=1)
        scenes.append(
            Scene(
                key=f"GID/{split}/{stem}",
                stem=stem,
                roles=("rgb", "label") if split != "test" else ("rgb",),
                names=names,
                classes=classes if split != "test" else None,
                cell=cell,
                split=split,
                nirrgb=nirrgb,
            )
        )
    return scenes


def _write_patches(folder: Path) -> dict[str, tuple[str, str]]:
    written = {}
    for number, (name, spelt) in enumerate((("paddy field", "paddy_field"), ("pond", "pond"))):
        for i, stem in enumerate((STEMS[number], "")):
            key = f"RGB_15_train/{spelt}/{f'{stem}_{i}' if stem else f'{i:05d}'}.tif"
            pixels = np.moveaxis(draw_fields(number * 10 + i, 3, 56, 56, 12) * 200, 0, 2).astype(np.uint8)
            write_tiff(folder / key, pixels, photometric="RGB")
            written[key] = (name, stem)
    return written


_TILED = {
    "tiled": True,
    "blockxsize": 512,
    "blockysize": 512,
    "compress": "zstd",
    "predictor": 1,
    "zstd_level": 7,
}


def _draw(seed: int, n: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A map of classes and a picture of it (NIR, R, G, B), one value for each square."""
    classes = draw_classes(seed, n, ROWS, COLUMNS)
    texture = draw_fields(seed + 50, 4, ROWS, COLUMNS, 6)
    picture = (
        np.array(SHADES)[classes][None] + (texture - 0.5) * 60 + np.array([40, 10, 0, -10])[:, None, None]
    )
    picture[3, :9, :9] = 0  # blue has a value that an alpha would mean something by
    return classes, np.moveaxis(picture.clip(0, 255), 0, 2).round().astype(np.uint8)


def _grow(squares: npt.NDArray[np.uint8], cell: int) -> npt.NDArray[np.uint8]:
    return squares.repeat(cell, axis=0).repeat(cell, axis=1)


def _lose_label(folder: Path) -> None:
    (folder / _COARSE_SET / "label_5classes" / f"{STEMS[0]}_label.tif").unlink()


def _cut_short(folder: Path) -> None:
    path = folder / _COARSE_SET / "image_NirRGB" / f"{STEMS[1]}.tif"
    path.write_bytes(path.read_bytes()[:100])


def _smooth_label(folder: Path) -> None:
    """A label was resized with interpolation: colours between classes that mean nothing."""
    path = folder / _COARSE_SET / "label_5classes" / f"{STEMS[1]}_label.tif"
    label = read_tiff(path)
    label[:7, :7] = 128
    write_tiff(path, label, photometric="RGB", **_TILED)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "label missing": _lose_label,
    "image cut short": _cut_short,
    "colours not in the table": _smooth_label,
}
"""For what `write` makes as `coarse`."""
