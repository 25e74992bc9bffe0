"""A small release of co-registered pictures, in which every modality follows from RGB by a formula."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Picture = npt.NDArray[np.uint8]


def paint_ground(seed: int, side: int) -> Picture:
    """Soft blots of colour, side x side x 3."""
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3.0)
    stretched = (soft - soft.min()) / (soft.max() - soft.min()) * 255
    return np.asarray(stretched.round(), np.uint8)


def to_nir(rgb: Picture) -> Picture:
    """Where green is dark it is bright: H x W x 1."""
    return np.asarray(255 - rgb[:, :, 1:2], np.uint8)


def to_sar(rgb: Picture) -> Picture:
    """Half the red: H x W x 1."""
    return np.asarray(rgb[:, :, :1] // 2, np.uint8)


def write_pair_release(folder: Path, *, side: int = 64, n_train: int = 6, n_val: int = 2) -> Path:
    """Write `folder/data/SPLIT-MODALITY-00000.parquet`; the last ground of `train` has no radar picture."""
    data = folder / "data"
    data.mkdir(parents=True)
    grounds = [paint_ground(number, side) for number in range(n_train + n_val)]
    for split, numbers in (("train", range(n_train)), ("val", range(n_train, n_train + n_val))):
        for modality, make in (("rgb", lambda rgb: rgb), ("nir", to_nir), ("sar", to_sar)):
            rows = [
                _describe(number, split, modality, make(grounds[number]))
                for number in reversed(numbers)
                if not (modality == "sar" and number == n_train - 1)
            ]
            pq.write_table(pa.Table.from_pylist(rows), data / f"{split}-{modality}-00000.parquet")
    return folder


def _describe(number: int, split: str, modality: str, picture: Picture) -> dict[str, Any]:
    told = picture[:, :, ::-1] if picture.shape[2] == 3 else picture
    return {
        "id": f"{modality}{number}",
        "base_id": f"{modality}{number}",
        "group": f"ground{number}",
        "pair_id": f"ground{number}",
        "modality": modality,
        "quantity": "db" if modality == "sar" else "display",
        "gsd_m": 10.0,
        "split": split,
        "image": {"bytes": cv2.imencode(".png", told)[1].tobytes(), "path": f"{modality}{number}.png"},
        "captions": [
            {"text": f"a {modality} picture of a river", "style": "plain", "role": None, "author": "rules"}
        ],
    }
