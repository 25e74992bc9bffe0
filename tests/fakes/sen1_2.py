"""A miniature of SEN1-2: pairs of PNG in folders by season and scene."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from fakes.fields import draw_picture
from PIL import Image

SEASONS = {
    "ROIs1158_spring": "spring",
    "ROIs1868_summer": "summer",
    "ROIs1970_fall": "autumn",
    "ROIs2017_winter": "winter",
}
VARIANTS = ("folders", "nested", "tar")


@dataclass(frozen=True, kw_only=True)
class Pair:
    season: str
    group: str
    radar: npt.NDArray[np.uint8]
    optical: npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Truth:
    pairs: Mapping[str, Pair]
    """By key of the item."""


def write(folder: Path, variant: str = "folders") -> Truth:
    """Write eight pairs: two of one scene in each season; `nested` below a folder, `tar` in one archive."""
    top = {"folders": "", "nested": "sen12/", "tar": "sen12.tar/"}[variant]
    tree = folder / ("unpacked" if variant == "tar" else top)
    pairs = {}
    for number, (rois, season) in enumerate(SEASONS.items()):
        for patch in (7, 30):
            optical = draw_picture(number * 100 + patch, 256, 256)
            radar = optical.mean(axis=2).astype(np.uint8)
            for sensor, pixels in (("s1", radar), ("s2", optical)):
                path = tree / rois / f"{sensor}_{number + 3}" / f"{rois}_{sensor}_{number + 3}_p{patch}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
            group = f"{top}{rois}/{number + 3}"
            pairs[f"{group}/p{patch}"] = Pair(season=season, group=group, radar=radar, optical=optical)
    if variant == "tar":
        with tarfile.open(folder / "sen12.tar", "w") as archive:
            archive.add(tree, arcname=".")
        for path in tree.rglob("*.png"):
            path.unlink()
    return Truth(pairs=pairs)


FIRST = "ROIs1158_spring/s1_3/ROIs1158_spring_s1_3_p7.png"


def _lose_radar(folder: Path) -> None:
    (folder / FIRST).unlink()


def _cut_short(folder: Path) -> None:
    path = folder / FIRST
    path.write_bytes(path.read_bytes()[:20])


def _leave_download(folder: Path) -> None:
    (folder / "sen12_winter.tar.part").write_bytes(b"\0" * 512)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "radar missing": _lose_radar,
    "radar cut short": _cut_short,
    "download unfinished": _leave_download,
}
"""For what `write` makes as `folders`."""
