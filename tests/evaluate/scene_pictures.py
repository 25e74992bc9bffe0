"""Pictures for the tests: ground, weather that is written independently of the package, and weather made wrongly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.images import encode_jpeg
from earthloom.core.light import to_display, to_light
from earthloom.core.records import Modality
from earthloom.synthesize import EFFECTS
from earthloom.synthesize.config import SEVERITIES
from earthloom.synthesize.stack import DISPLAY_UM, Layer, Stack, View

Picture = npt.NDArray[np.uint8]
Light = npt.NDArray[np.float32]


def make_ground(seed: int, side: int = 160) -> Picture:
    """Parcels of crops, rows and soil, a road and a pond: Voronoi cells with texture of their own."""
    rng = np.random.default_rng([17, seed])
    y, x = np.mgrid[:side, :side].astype(np.float64)
    n_parcels = int(rng.integers(6, 22))
    centres = rng.uniform(0, side, (n_parcels, 2))
    squeeze = np.array([1.0, rng.uniform(0.5, 1.0)])
    nearest = np.argmin(
        [((y - a) * squeeze[0]) ** 2 + ((x - b) * squeeze[1]) ** 2 for a, b in centres], axis=0
    )
    colours = np.array(
        [[0.10, 0.14, 0.05], [0.07, 0.12, 0.04], [0.24, 0.18, 0.12], [0.16, 0.15, 0.08], [0.30, 0.27, 0.19]]
    )
    light = colours[rng.integers(len(colours), size=n_parcels)][nearest]
    rough = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 1.2) * rng.uniform(0.2, 0.6)
    rows = np.zeros((side, side))
    for parcel in range(n_parcels):
        angle, period = rng.uniform(0, np.pi), rng.uniform(4, 9)
        wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
        rows[nearest == parcel] = rng.uniform(0.0, 0.15) * wave[nearest == parcel]
    light = light * (1 + rough + rows)[:, :, None] * rng.uniform(0.6, 1.3)
    light = draw_road(light, rng, side)
    pond = ((y - rng.uniform(0.2, 0.8) * side) / 1.4) ** 2 + (x - rng.uniform(0.2, 0.8) * side) ** 2
    light[pond < (rng.uniform(0.08, 0.2) * side) ** 2] = (0.010, 0.020, 0.026)
    return to_display(np.asarray(np.clip(light, 0, 1), np.float32))


def draw_road(light: npt.NDArray[np.float64], rng: np.random.Generator, side: int) -> npt.NDArray[np.float64]:
    plane = np.zeros((side, side), np.uint8)
    ends = rng.integers(0, side, 2)
    cv2.line(plane, (0, int(ends[0])), (side, int(ends[1])), 255, max(side // 50, 2), cv2.LINE_AA)
    share = plane[:, :, None] / 255
    return np.asarray(light * (1 - share) + 0.28 * share)


def octaves(rng: np.random.Generator, side: int, first: int = 2, fall: float = 0.55) -> Light:
    """Value noise over octaves, 0 to 1: not the Fourier fields that the package makes."""
    field = np.zeros((side, side), np.float32)
    cells, weight = first, 1.0
    while cells < side // 4:
        coarse = rng.normal(size=(cells + 3, cells + 3)).astype(np.float32)
        fine = cv2.resize(coarse, (side + 64, side + 64), interpolation=cv2.INTER_CUBIC)
        field += np.float32(weight) * fine[32 : 32 + side, 32 : 32 + side]
        cells, weight = cells * 2, weight * fall
    field -= field.min()
    return np.asarray(field / field.max(), np.float32)


def lay_real_fog(picture: Picture, seed: int) -> Picture:
    """Fog of another make: octaves of value noise, its light a little bluish."""
    rng = np.random.default_rng([23, seed])
    side = picture.shape[0]
    depth = rng.uniform(0.1, 0.9) + rng.uniform(0.4, 1.6) * octaves(rng, side) ** 1.4
    passed = np.exp(-depth)[:, :, None]
    airlight = np.array([0.97, 0.99, 1.0]) * rng.uniform(0.75, 0.98)
    return to_display(np.asarray(to_light(picture) * passed + airlight * (1 - passed), np.float32))


def lay_real_snow(picture: Picture, seed: int) -> Picture:
    """Snow of another make: bright and flat ground first, with the ground's own shading in it; water stays."""
    rng = np.random.default_rng([29, seed])
    light = to_light(picture)
    grey = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    wide = cv2.GaussianBlur(grey, (0, 0), 12)
    drift = octaves(rng, picture.shape[0], 4)
    score = cv2.GaussianBlur(grey, (0, 0), 1.5) / (wide + 0.01) + rng.uniform(0.2, 1.2) * drift
    water = wide < 0.5 * np.median(grey)
    water |= grey < 0.03
    level = np.quantile(score[~water], rng.uniform(0.1, 0.85))
    cover = np.clip((score - level) / rng.uniform(0.1, 0.4) + 0.5, 0, 1) * ~water
    shade = np.clip(0.7 + 0.3 * grey / (cv2.GaussianBlur(grey, (0, 0), 4) + 0.01), 0, 1.1)
    white = shade[:, :, None] * np.array([0.90, 0.91, 0.93], np.float32) * np.float32(rng.uniform(0.85, 1.0))
    mixed = light * (1 - cover[:, :, None]) + white * cover[:, :, None]
    return to_display(np.asarray(mixed, np.float32))


def lay_street_snow(picture: Picture, seed: int) -> Picture:
    """Snow as the corruption `snow` of ImageNet-C (Hendrycks and Dietterich, ICLR 2019): blurred flakes in the air.

    Our own writing of the published recipe: normal noise, zoomed, cut at a level, blurred along one direction, added in
    both orientations over a picture that is bleached towards grey; on stored values, as there.
    """
    rng = np.random.default_rng([31, seed])
    height, width = picture.shape[:2]
    flakes = rng.normal(0.55, 0.3, (height, width)).astype(np.float32)
    top, left = height // 3, width // 3
    flakes = cv2.resize(flakes[top : top + height // 3 + 1, left : left + width // 3 + 1], (width, height))
    flakes[flakes < 0.85] = 0
    angle = rng.uniform(-135, -45)
    length = 13
    kernel = np.zeros((length, length), np.float32)
    middle = length // 2
    reach = middle * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    start, end = (middle - reach).round().astype(int), (middle + reach).round().astype(int)
    cv2.line(kernel, tuple(map(int, start)), tuple(map(int, end)), 1.0, 1)
    flakes = cv2.filter2D(np.clip(flakes, 0, 1), -1, kernel / kernel.sum())[:, :, None]
    stored = picture.astype(np.float32) / 255
    grey = stored.mean(axis=2, keepdims=True)
    bleached = 0.7 * stored + 0.3 * np.maximum(stored, grey * 1.5 + 0.5)
    mixed = np.clip(bleached + flakes + np.rot90(flakes, 2), 0, 1)
    return np.asarray(np.round(mixed * 255), np.uint8)


def lay_depth_fog(picture: Picture, seed: int) -> Picture:
    """Fog as of a street: what lies higher in the picture is taken to be farther away, and is paler."""
    rng = np.random.default_rng([37, seed])
    height, width = picture.shape[:2]
    far = np.linspace(1, 0.05, height)[:, None] + 0.1 * octaves(rng, max(height, width))[:height, :width]
    passed = np.exp(-rng.uniform(1.2, 2.2) * far)[:, :, None]
    light = to_light(picture) * passed + rng.uniform(0.75, 0.95) * (1 - passed)
    return to_display(np.asarray(light, np.float32))


def make_stack(picture: Picture, pixel_m: float | None = 5.0, lat: float | None = 55.0) -> Stack:
    """What an effect of the package is given."""
    height, width = picture.shape[:2]
    layer = Layer(modality=Modality.RGB, light=to_light(picture), wavelengths_um=DISPLAY_UM[Modality.RGB])
    return Stack(view=View(height=height, width=width, pixel_m=pixel_m, lat=lat), layers=(layer,))


def lay_ours(picture: Picture, effect: str, seed: int) -> tuple[Picture, dict[str, object], str]:
    """An effect of the package at one of its strengths: picture, what it measured, severity."""
    kind = EFFECTS[effect]
    rng = np.random.default_rng([41, seed])
    stack = make_stack(picture)
    drawn = kind.draw(kind.settings(), stack.view, SEVERITIES[seed % 3], rng)
    outcome = kind.add(stack, drawn, rng)
    return to_display(np.ascontiguousarray(outcome.layers[0])), dict(outcome.measured), outcome.severity


def write_pictures(folder: Path, pictures: list[Picture], lay: Callable[[Picture, int], Picture]) -> None:
    """A JPEG of each, as something lays weather over it."""
    folder.mkdir(parents=True)
    for seed, picture in enumerate(pictures):
        (folder / f"{seed:03d}.jpg").write_bytes(encode_jpeg(lay(picture, seed), 95))
