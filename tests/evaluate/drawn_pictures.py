"""Pictures of three kinds of ground, some of them as a generator's folder has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.uint8]
LABELS = ("field", "town", "water")
SIDE = 48


def paint(label: str, seed: int, side: int = SIDE) -> Picture:
    """A picture of a kind of ground: stripes, blocks or smooth dark waves, with noise."""
    rng = np.random.default_rng((LABELS.index(label), seed))
    y, x = np.mgrid[:side, :side] / SIDE
    angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 6)
    wave = np.sin((np.cos(angle) * x + np.sin(angle) * y) * (60 if label == "field" else 9) + phase)
    if label == "town":
        blocks = rng.uniform(-1, 1, (8, 8)).astype(np.float32)
        wave = cv2.resize(blocks, (side, side), interpolation=cv2.INTER_NEAREST)
    colour = {"field": (90, 140, 60), "town": (140, 130, 125), "water": (30, 60, 110)}[label]
    strength = {"field": 30, "town": 60, "water": 8}[label]
    light = np.array(colour) + rng.normal(scale=8, size=3)
    picture = light + strength * wave[..., None] + rng.normal(scale=5, size=(side, side, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def write_real(folder: Path, n: int, first: int = 0, **how: Any) -> Path:
    """`n` pictures of each kind, in a folder each."""
    for label in LABELS:
        (folder / label).mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + n):
            Image.fromarray(paint(label, seed, **how)).save(folder / label / f"{label}_{seed}.png")
    return folder


def write_drawn(
    folder: Path,
    n: int,
    first: int,
    change: Callable[[Picture], Picture] = lambda picture: picture,
    show: Callable[[str], str] = lambda label: label,
    pictures: list[Picture] | None = None,
) -> Path:
    """`n` pictures of each kind with the list that generators write; `show` says what is painted for a label."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for label in LABELS:
        for seed in range(first, first + n):
            picture = pictures[seed % len(pictures)] if pictures else paint(show(label), seed)
            name = f"{label}-{seed}.png"
            Image.fromarray(change(picture)).save(folder / name)
            rows.append(
                {
                    "file_name": name,
                    "generated": True,
                    "prompt": f"a satellite image of {label}",
                    "prompt_key": f"{label}-{seed}",
                    "label": label,
                    "width": SIDE,
                    "height": SIDE,
                }
            )
    (folder / "metadata.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder
