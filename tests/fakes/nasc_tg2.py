"""A miniature of NaSC-TG2: ten class folders of 128 x 128 scenes, as RGB JPEG and as 14-band TIFF."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from fakes.fields import draw_fields, write_tiff
from PIL import Image

CLASSES = {
    "beach": "beach",
    "circularfarmland": "circular farmland",
    "cloud": "cloud",
    "desert": "desert",
    "forest": "forest",
    "mountain": "mountain",
    "rectangularfarmland": "rectangular farmland",
    "residential": "residential",
    "river": "river",
    "snowberg": "snowberg",
}
"""Folder to class."""
SPELLINGS = {
    "circularfarmland": "CircularFarmland",
    "rectangularfarmland": "rectangular_farmland",
    "beach": "Beach",
}
"""Folders as mirrors spell them."""
RED, GREEN, BLUE, NIR = 8, 5, 3, 12
"""Bands of the made 14-band files, from 1; the publisher does not say which they are in the true ones."""
VARIANTS = ("pairs", "rgb", "bands", "zip")


@dataclass(frozen=True, kw_only=True)
class Scene:
    folder: str
    """Of its class, as written."""
    stem: str
    name: str
    """Of its class, in plain words."""
    bands: npt.NDArray[np.uint16]
    """128 x 128 x 14, reflectance times 10,000."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    scenes: tuple[Scene, ...]


def write(folder: Path, variant: str = "pairs", n: int = 1) -> Truth:
    """Write n scenes of each class.

    `pairs`: NaSC_TG2_RGB and NaSC_TG2_TIF side by side; `rgb`: class folders alone, spelt as mirrors do; `bands`:
    only the 14-band files; `zip`: `pairs` in NASC_TG2.zip.
    """
    loose = folder / "loose" if variant == "zip" else folder
    scenes: list[Scene] = []
    for plain, name in CLASSES.items():
        spelt = SPELLINGS.get(plain, plain) if variant == "rgb" else plain
        for i in range(n):
            bands = _draw_bands(len(scenes))
            scene = Scene(folder=spelt, stem=f"{plain}_{i + 1}", name=name, bands=bands)
            scenes.append(scene)
            if variant != "bands":
                _write_picture(loose / ("" if variant == "rgb" else "NaSC_TG2_RGB") / spelt, scene)
            if variant != "rgb":
                write_tiff(loose / "NaSC_TG2_TIF" / spelt / f"{scene.stem}.tif", bands)
    if variant == "zip":
        with zipfile.ZipFile(folder / "NASC_TG2.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in loose.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(loose))
        shutil.rmtree(loose)
    return Truth(scenes=tuple(scenes))


def _draw_bands(seed: int) -> npt.NDArray[np.uint16]:
    """A land surface's spectrum that rises towards the infrared, as uneven as the field below it."""
    brightness, green = draw_fields(seed, 2, 128, 128)
    texture = draw_fields(seed + 100, 1, 128, 128, 3)[0]
    rise = np.linspace(0.5, 1.5, 14)
    spectrum = (0.05 + 0.3 * brightness + 0.05 * texture)[..., None] * rise + green[..., None] * 0.1 * (
        rise > 1.2
    )
    counts: npt.NDArray[np.uint16] = (spectrum * 10_000).round().astype(np.uint16)
    return counts


def _write_picture(folder: Path, scene: Scene) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shown = scene.bands[:, :, [RED - 1, GREEN - 1, BLUE - 1]].astype(np.float64) / 6000 * 255
    Image.fromarray(shown.clip(0, 255).astype(np.uint8)).save(folder / f"{scene.stem}.jpg", quality=90)


def _rename_class(folder: Path) -> None:
    """A folder of another dataset lies among the classes."""
    for top in ("NaSC_TG2_RGB", "NaSC_TG2_TIF"):
        (folder / top / "river").rename(folder / top / "sea_ice")


def _cut_short(folder: Path) -> None:
    path = folder / "NaSC_TG2_RGB/cloud/cloud_1.jpg"
    path.write_bytes(path.read_bytes()[:100])


def _leave_unfinished(folder: Path) -> None:
    """The archive of the JPEGs is still being downloaded; of the TIFFs no one says which bands are red and so on."""
    shutil.rmtree(folder / "NaSC_TG2_RGB")
    (folder / "NASC_TG2.zip.crdownload").write_bytes(b"PK\x03\x04" + bytes(500))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "class not in the table": _rename_class,
    "picture cut short": _cut_short,
    "unfinished download": _leave_unfinished,
}
"""For what `write` makes as `pairs`."""
