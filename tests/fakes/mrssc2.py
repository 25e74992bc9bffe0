"""A miniature of MRSSC2.0: four modes, class folders, 256 x 256 pictures."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fakes.fields import draw_picture
from PIL import Image

CLASSES = ("city", "Farm_Land")
NAMES = {"city": "city", "Farm_Land": "farm land"}
MODES = {"VIS": 3, "SWI": 1, "INF": 1, "SAR": 1}
"""Mode to channels of its pictures."""
VARIANTS = ("modes", "visible", "zip", "tar")


@dataclass(frozen=True, kw_only=True)
class Picture:
    key: str
    mode: str
    name: str
    """Of its class, in plain words."""
    channels: int


@dataclass(frozen=True, kw_only=True)
class Truth:
    pictures: tuple[Picture, ...]

    def of(self, *modes: str) -> dict[str, Picture]:
        return {picture.key: picture for picture in self.pictures if picture.mode in modes}


def write(folder: Path, variant: str = "modes", n: int = 2) -> Truth:
    """Write n pictures of each class and mode.

    `modes`: MODE/CLASS/NAME; `visible`: CLASS/NAME, nothing says the mode; `zip` and `tar`: `modes` in one archive.
    """
    loose = folder / "loose" if variant in {"zip", "tar"} else folder
    pictures: list[Picture] = []
    for mode, channels in MODES.items() if variant != "visible" else [("VIS", 3)]:
        for name in CLASSES:
            for i in range(n):
                suffix = "jpg" if mode == "INF" else "png"
                key = f"{mode}/{name}/{i + 1:04d}.{suffix}".removeprefix(
                    "VIS/" if variant == "visible" else ""
                )
                path = loose / key
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = draw_picture(len(pictures), 256, 256, channels)
                Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels).save(path)
                prefix = f"MRSSC2.0.{variant}/MRSSC2.0/" if loose != folder else ""
                pictures.append(Picture(key=f"{prefix}{key}", mode=mode, name=NAMES[name], channels=channels))
    if loose != folder:
        _pack(loose, folder / f"MRSSC2.0.{variant}")
        shutil.rmtree(loose)
    return Truth(pictures=tuple(pictures))


def _pack(loose: Path, archive: Path) -> None:
    files = sorted(path for path in loose.rglob("*") if path.is_file())
    names = [f"MRSSC2.0/{path.relative_to(loose).as_posix()}" for path in files]
    if archive.suffix == ".tar":
        with tarfile.open(archive, "w") as tar:
            for path, name in zip(files, names, strict=True):
                tar.add(path, name)
        return
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, name in zip(files, names, strict=True):
            packed.write(path, name)


def _cut_short(folder: Path) -> None:
    path = folder / "SAR/city/0001.png"
    path.write_bytes(path.read_bytes()[:20])


def _leave_half_unpacked(folder: Path) -> None:
    """The visible pictures are still in a RAR."""
    shutil.rmtree(folder / "VIS")
    (folder / "VIS.rar").write_bytes(b"Rar!\x1a\x07\x01\x00" + bytes(200))


def _flatten_modes(folder: Path) -> None:
    """Thermal pictures moved to a folder that does not say what they are."""
    (folder / "INF").rename(folder / "new folder")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "picture cut short": _cut_short,
    "half unpacked": _leave_half_unpacked,
    "mode folder renamed": _flatten_modes,
}
"""For what `write` makes as `modes`."""
