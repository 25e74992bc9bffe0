"""Landscapes of two looks, painted in code: farmland in summer, and other farmland under thin snow."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.light import to_display

Picture = npt.NDArray[np.uint8]
Light = npt.NDArray[np.float32]

CROPS = np.array(
    [(0.03, 0.08, 0.02), (0.10, 0.14, 0.04), (0.22, 0.16, 0.09), (0.05, 0.12, 0.03), (0.30, 0.25, 0.15)]
)
"""Linear light of forest, meadow, ploughed soil, beet and stubble."""
SNOW = np.array((0.90, 0.91, 0.92))


def paint_summer(seed: int, side: int) -> Picture:
    """Fields of five crops with plough lines, relief and grain."""
    return to_display(_lay_ground(np.random.default_rng(seed), side))


def paint_winter(seed: int, side: int) -> Picture:
    """The same kind of land under snow through which a fifth to a half of the ground's own light comes."""
    rng = np.random.default_rng(seed)
    through = rng.uniform(0.2, 0.5)
    ground = _lay_ground(rng, side)
    tone = ground.mean(axis=2, keepdims=True)
    local = cv2.GaussianBlur(tone, (0, 0), 8)[:, :, None]
    relief = np.clip(0.75 + 0.25 * tone / local, 0, 1.15)
    return to_display(np.asarray(through * ground + (0.85 - through) * SNOW * relief, np.float32))


def write_looks(root: Path, n: int, side: int, first: int = 0) -> Path:
    """Folders `summer` and `winter` with n PNGs each, of lands that have nothing in common."""
    for paint, offset in ((paint_summer, 0), (paint_winter, 50_000)):
        folder = root / paint.__name__.removeprefix("paint_")
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            picture = paint(first + offset + i, side)
            cv2.imwrite(str(folder / f"{i:03}.png"), picture[:, :, ::-1])
    return root


def _lay_ground(rng: np.random.Generator, side: int) -> Light:
    """Linear light, side x side x 3: every field has its crop and the direction of its lines."""
    n = max(4, (side // 20) ** 2)
    seeds = rng.random((n, 2)) * side
    y, x = np.mgrid[:side, :side] + rng.normal(0, 0.4, (2, side, side))
    fields = np.argmin((y[..., None] - seeds[:, 0]) ** 2 + (x[..., None] - seeds[:, 1]) ** 2, axis=2)
    colour = CROPS[rng.integers(len(CROPS), size=n)] * rng.uniform(0.8, 1.2, (n, 1))
    angle = rng.uniform(0, np.pi, n)[fields]
    lines = 1 + 0.10 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0.7, 1.1, n)[fields])
    bumps = cv2.GaussianBlur(rng.normal(0, 1, (side, side)), (0, 0), 5)
    relief = 1 + 0.15 * bumps / bumps.std()
    grain = 1 + 0.08 * cv2.GaussianBlur(rng.normal(0, 1, (side, side)), (0, 0), 0.8)
    return np.asarray(colour[fields] * (lines * relief * grain)[..., None], np.float32).clip(0.005, 1)
