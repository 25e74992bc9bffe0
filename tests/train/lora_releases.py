"""A small release with captions of two styles, as tars, and recipes for tests of LoRA. Run as a script it trains."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.train.lora.config import LoraRecipe

SIDE = 64
LOOKS = {"water": (20, 60, 110), "forest": (30, 90, 40), "desert": (200, 170, 120)}


def paint(look: str, number: int, size: tuple[int, int] = (SIDE, SIDE)) -> npt.NDArray[np.uint8]:
    """A picture of one colour with soft noise over it: H x W x 3."""
    rng = np.random.default_rng(number)
    noise = cv2.GaussianBlur(rng.normal(0, 40, (*size, 3)).astype(np.float32), (0, 0), 2)
    return np.clip(noise + np.array(LOOKS[look], np.float32), 0, 255).astype(np.uint8)


def make_facts(number: int, look: str, split: str) -> dict[str, Any]:
    """A row of our own release; every third picture has no place, no date and no cloud."""
    is_known = number % 3 != 0
    return {
        "id": f"{split}{number:04d}", "base_id": f"{split}{number:04d}", "group": f"{split}{number:04d}",
        "pair_id": f"{split}{number:04d}", "modality": "rgb", "quantity": "display", "gsd_m": 10.0,
        "lon": 10.0 + number if is_known else None, "lat": 45.0 if is_known else None,
        "acquired": "2019-09-04" if is_known else None, "cloud_share": 0.05 if is_known else None,
        "split": split, "source": "made", "effect": None, "labels": [],
        "captions": [
            {"text": text, "style": style, "role": "prompt", "author": "rules@1", "checks": []}
            for style, text in (
                ("plain", f"a satellite image of {look}"),
                ("plain", f"clear view of {look} from above"),
                ("mmm_rs", f"{look}, 10 meter"),
            )
        ],
    }  # fmt: skip


def write_release(
    root: Path, *, n: int = 12, size: tuple[int, int] = (SIDE, SIDE), broken: bool = False
) -> Path:
    """Write `release/data` with tars of n pictures to train on and 3 to validate with."""
    data = root / "release" / "data"
    data.mkdir(parents=True)
    looks = list(LOOKS)
    for split, count in (("train", n), ("val", 3)):
        with tarfile.open(data / f"{split}-rgb-00000.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for number in range(count):
                look = looks[number % len(looks)]
                facts = make_facts(number, look, split)
                picture = cv2.imencode(".png", paint(look, number, size)[:, :, ::-1])[1].tobytes()
                if broken and (split, number) == ("train", 1):
                    picture = picture[: len(picture) // 2]
                _add(tar, f"{facts['id']}.png", picture)
                _add(tar, f"{facts['id']}.json", json.dumps(facts).encode())
    return root / "release"


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size = len(content)
    tar.addfile(header, io.BytesIO(content))


SMALL: dict[str, Any] = {
    "train": "lora",
    "name": "tiny",
    "model": "model",
    "data": {"release": "release", "split": ["train"]},
    "validate": {"release": "release", "split": ["val"]},
    "size": SIDE,
    "batch": 2,
    "rank": 4,
    "steps": 6,
    "rate": 1e-3,
    "checkpoint_every": 2,
    "sample_every": 6,
    "validate_every": 3,
    "sample_steps": 2,
    "device": "cpu",
    "threads": 1,
    "caption_drop": 0.25,
    "offset_noise": 0.05,
    "ema": 0.9,
}


def make_recipe(**changes: Any) -> LoraRecipe:
    """The small recipe with some fields changed."""
    return LoraRecipe.model_validate(SMALL | changes)


def main() -> None:
    """Train what a file of changes says: for tests that kill it."""
    from earthloom.train.training import train

    root = Path(sys.argv[1])
    changes = json.loads(sys.argv[3])
    train(make_recipe(**changes), sys.argv[2], base=root)


if __name__ == "__main__":
    main()
