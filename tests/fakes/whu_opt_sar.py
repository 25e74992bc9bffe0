"""A miniature of WHU-OPT-SAR: few sheets of the true 5556 x 3704 pixels, in small even squares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from fakes.fields import draw_classes, draw_fields, read_tiff, write_tiff

STEMS = ("NH49E001013", "NH49E010015", "NI49E023020")
VARIANTS = ("publisher", "nested", "folders")
_TIFF = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "zstd", "predictor": 1}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    split: str | None
    optical: npt.NDArray[np.uint8]
    """Rows x columns x (B, G, R, NIR), of squares."""
    sar: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Truth:
    sheets: Mapping[str, Sheet]
    """By key of the item."""
    cell: int


def write(folder: Path, variant: str = "publisher", cell: int = 463, n: int = 3) -> Truth:
    """Write n sheets of 12 x 8 squares; squares of 463 pixels make them as large as the true ones.

    `publisher`: optical, sar and lbl with a division; `nested`: image, sar and lbl below whu-opt-sar, with the intro's
    other labels beside it; `folders`: without a division.
    """
    top = "whu-opt-sar/" if variant == "nested" else ""
    images = "image" if variant == "nested" else "optical"
    sheets = {}
    for number, stem in enumerate(STEMS[:n]):
        optical, sar, classes = _draw(number)
        if stem == "NH49E010015":
            optical[:2, :3], classes[:2, :3] = 0, 0
        for name, pixels in ((images, optical), ("sar", sar), ("lbl", classes)):
            save(folder / f"{top}{name}/{stem}.tif", pixels, cell)
        if variant == "nested":
            save(folder / f"intro/lbl/{stem}.tif", 70 - classes, cell)
        split = None if variant == "folders" else ("train" if number < 2 else "test")
        sheets[f"{top}{stem}"] = Sheet(
            split=split, optical=optical, sar=sar[:, :, 0], classes=classes[:, :, 0]
        )
    if variant != "folders":
        text = f"Train set:\r\n{STEMS[0]}.tif {STEMS[1]}.tif\r\n\r\nTest set:\r\n{STEMS[2]}.tif\r\n"
        (folder / "The division of the dataset.txt").write_bytes(text.encode())
    return Truth(sheets=sheets, cell=cell)


def _draw(seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    optical = np.moveaxis(draw_fields(seed, 4, 8, 12, 4) * 200 + 20, 0, 2).astype(np.uint8)
    optical[7, 11] = (0, 90, 0, 0)  # one dark colour, and water in the near infrared
    sar = np.moveaxis(draw_fields(seed + 5, 1, 8, 12, 4) * 250, 0, 2).astype(np.uint8)
    classes = (draw_classes(seed + 9, 7, 8, 12, 4) * 10 + 10).astype(np.uint8)[..., None]
    return optical, sar, classes


def save(path: Path, squares: npt.NDArray[np.uint8], cell: int) -> None:
    """Write a TIFF whose pixels are squares of `cell`; four bands are said to be RGB and alpha, as Pillow has it."""
    alpha = {"photometric": "RGB", "alpha": "NON-PREMULTIPLIED"} if squares.shape[2] == 4 else {}
    write_tiff(path, squares.repeat(cell, axis=0).repeat(cell, axis=1), **_TIFF, **alpha)


def _lose_radar(folder: Path) -> None:
    (folder / f"sar/{STEMS[0]}.tif").unlink()


def _cut_short(folder: Path) -> None:
    path = folder / f"optical/{STEMS[0]}.tif"
    path.write_bytes(path.read_bytes()[:20])


def _spoil_label(folder: Path) -> None:
    path = folder / f"lbl/{STEMS[0]}.tif"
    label = read_tiff(path)
    label[:4, :4] = 7
    write_tiff(path, label, **_TIFF)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "radar missing": _lose_radar,
    "optical cut short": _cut_short,
    "class not in the table": _spoil_label,
}
"""For what `write` makes as `publisher`."""
