"""Pictures of several classes, real or made, and ways to make a set of them worse."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from earthloom.core.seeds import make_rng

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""


@dataclass(frozen=True, kw_only=True)
class Halves:
    """Pictures of every class in two halves that share none."""

    reference: Mapping[str, Sequence[Picture]]
    others: Mapping[str, Sequence[Picture]]
    """Twice as many of each class, so that half of the classes still fill a set."""

    def take(self, classes: Sequence[str] | None = None) -> list[tuple[str, Picture]]:
        """As many of the others as the reference has, evenly from some classes; every class when none are named."""
        names = list(self.others) if classes is None else list(classes)
        each = sum(map(len, self.reference.values())) // len(names)
        return [(name, picture) for name in names for picture in self.others[name][:each]]

    def list_reference(self) -> list[tuple[str, Picture]]:
        """All of the reference."""
        return [(name, picture) for name, pictures in self.reference.items() for picture in pictures]


def read_eurosat(data: Path, each: int) -> Halves:
    """Of every class of EuroSAT the first `each` pictures as reference, and the next 2 x `each` as others."""
    found: dict[str, list[Picture]] = {}
    with tarfile.open(data / "eurosat" / "eurosat_rgb.tar") as archive:
        for member in archive:
            pictures = found.setdefault(member.name.split("/")[-2], []) if member.isfile() else None
            if pictures is not None and len(pictures) < 3 * each:
                stream = archive.extractfile(member)
                assert stream is not None
                pictures.append(np.asarray(Image.open(io.BytesIO(stream.read())).convert("RGB")))
    return _halve(found, each)


def make_classes(each: int, side: int = 64) -> Halves:
    """Four made classes: fields, woods, water and streets, none two pictures alike."""
    makers = {"fields": _draw_fields, "woods": _draw_woods, "water": _draw_water, "streets": _draw_streets}
    found = {
        name: [maker(make_rng(number, "sanity", name), side) for number in range(3 * each)]
        for name, maker in makers.items()
    }
    return _halve(found, each)


def _halve(found: Mapping[str, Sequence[Picture]], each: int) -> Halves:
    return Halves(
        reference={name: pictures[:each] for name, pictures in sorted(found.items())},
        others={name: pictures[each : 3 * each] for name, pictures in sorted(found.items())},
    )


def _draw_fields(rng: np.random.Generator, side: int) -> Picture:
    colours = rng.uniform((120, 110, 60), (190, 170, 110), (16, 3))
    cells = rng.integers(16, size=(4, 4))
    patches = np.kron(cells, np.ones((side // 4, side // 4), int))
    return _finish(colours[patches], 3, rng)


def _draw_woods(rng: np.random.Generator, side: int) -> Picture:
    crowns = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 1.2)[..., None]
    return _finish(rng.uniform((25, 55, 25), (45, 80, 45)) + 40 * crowns, 3, rng)


def _draw_water(rng: np.random.Generator, side: int) -> Picture:
    swell = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 8)[..., None]
    return _finish(rng.uniform((15, 35, 70), (40, 70, 120)) + 60 * swell, 2, rng)


def _draw_streets(rng: np.random.Generator, side: int) -> Picture:
    light = np.full((side, side, 3), rng.uniform(95, 135))
    for _ in range(40):
        row, column = rng.integers(0, side - 6, 2)
        light[row : row + rng.integers(3, 8), column : column + rng.integers(3, 8)] = rng.uniform(70, 230, 3)
    return _finish(light, 4, rng)


def _finish(light: npt.NDArray[np.float64], noise: float, rng: np.random.Generator) -> Picture:
    return _to_picture(light + rng.normal(0, noise, light.shape))


def _to_picture(light: npt.NDArray[np.floating]) -> Picture:
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


Change = Callable[[Picture, float, np.random.Generator], Picture]
"""A picture, a strength, and what to draw from."""


def blur(picture: Picture, sigma: float, _: np.random.Generator) -> Picture:
    """Out of focus; sigma in pixels."""
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def add_noise(picture: Picture, std: float, rng: np.random.Generator) -> Picture:
    """White noise, in grey levels."""
    return _to_picture(picture + rng.normal(0, std, picture.shape))


def coarsen(picture: Picture, factor: float, _: np.random.Generator) -> Picture:
    """The same ground at a coarser ground sampling distance, brought back to size."""
    side = round(picture.shape[0] / factor)
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def look_like_radar(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """With a chance of `share`, grey with multiplied speckle of four looks in place of colour."""
    if rng.random() >= share:
        return picture
    grey = picture.mean(axis=2, keepdims=True)
    return _to_picture(np.repeat(grey * np.sqrt(rng.gamma(4, 1 / 4, grey.shape)), 3, axis=2))


def change_all(pictures: Sequence[Picture], change: Change, strength: float) -> Iterator[Picture]:
    """Every picture changed, with draws of its own."""
    for number, picture in enumerate(pictures):
        yield change(picture, strength, make_rng(number, "sanity", change.__name__))
