"""Small folders of pictures and recipes for tests of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import yaml

from earthloom.train.translation.config import TranslationRecipe

SMALL = {
    "train": "translation",
    "name": "tiny",
    "from": {"folder": "a"},
    "to": {"folder": "b"},
    "crop": 32,
    "width": 8,
    "steps": 24,
    "checkpoint_every": 5,
    "sample_every": 8,
    "device": "cpu",
}


def paint(seed: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    """A picture in which no two pixels of a channel's row are alike by design: noise, a little smoothed."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.7), np.uint8)


def make_folders(root: Path, n: int = 5, size: tuple[int, int] = (48, 56)) -> Path:
    """Folders `a` and `b` with n PNGs each."""
    for offset, name in enumerate("ab"):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            picture = paint(100 * offset + i, *size)
            cv2.imwrite(str(root / name / f"{i}.png"), picture[:, :, ::-1])
    return root


def make_recipe(**changes: Any) -> TranslationRecipe:
    """The small recipe with some fields changed."""
    return TranslationRecipe.model_validate(SMALL | changes)


def write_recipe(path: Path, **changes: Any) -> Path:
    """The same as a file."""
    path.write_text(yaml.safe_dump(SMALL | changes, sort_keys=False))
    return path
