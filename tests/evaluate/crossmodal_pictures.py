"""Radar and near infrared over grounds that are made up, as files and as a small release."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

LOW, HIGH = -25.0, 0.0
SIDE = 64


def make_power(seed: int) -> np.ndarray:
    """Fields of one brightness each, linear power, without speckle."""
    rng = np.random.default_rng(seed)
    fields = cv2.resize(rng.normal(-12, 3, (3, 3)), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    return np.asarray(10 ** (fields / 10))


def add_speckle(power: np.ndarray, seed: int, looks: float = 4.0) -> np.ndarray:
    """Power times a gamma variable of mean 1."""
    return np.asarray(power * np.random.default_rng(seed).gamma(looks, 1 / looks, power.shape))


def to_levels(power: np.ndarray, low: float = LOW, high: float = HIGH) -> np.ndarray:
    """8 bits over a scale of decibels."""
    return np.rint(np.clip((10 * np.log10(power) - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def encode(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def write_set(folder: Path, make: Callable[[int], np.ndarray], numbers: Iterable[int]) -> None:
    """A picture for each number, by its name."""
    folder.mkdir(parents=True)
    for number in numbers:
        (folder / f"ground-{number:02}.png").write_bytes(encode(make(number)))


def write_release(folder: Path, modality: str, pictures: dict[str, np.ndarray], **facts: Any) -> None:
    """Pictures as pairs, each a ground of its own; `pair_id` is the key's last part."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "id": key,
            "base_id": key,
            "group": f"scene-{key.rpartition('-')[2]}",
            "pair_id": f"pair-{key.rpartition('-')[2]}",
            "image": {"bytes": encode(picture), "path": f"{key}.png"},
            "modality": modality,
            "split": "test",
            "quantity": "db" if modality == "sar" else "display",
            "valid_share": 1.0,
            **facts,
        }
        for key, picture in pictures.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / f"test-{modality}-00000.parquet")
