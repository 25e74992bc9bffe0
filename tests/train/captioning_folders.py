"""A folder of small pictures with captions and a recipe that teaches them to a tiny BLIP-2. Run as a script it trains
by a recipe: for tests that kill it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import yaml

sys.path.insert(0, str(Path(__file__).parent.parent))
from fakes.tiny_captioners import OTHER_SCENES, paint

from earthloom.train.blip2.config import Blip2Recipe
from earthloom.train.blip2.making import make_blip2
from earthloom.train.step import Batch, Made, Setting, Update
from earthloom.train.training import train

SMALL = {
    "train": "blip2",
    "name": "tiny",
    "model": "model",
    "data": {"folder": "pictures"},
    "rank": 8,
    "alpha": 16,
    "dropout": 0.0,
    "rate": 2e-2,
    "weight_decay": 0.0,
    "decay": 0.0,
    "batch": 8,
    "n_shown": 4,
    "max_tokens": 16,
    "steps": 12,
    "checkpoint_every": 4,
    "sample_every": 6,
    "device": "cpu",
    "threads": 1,
}


def make_pictures(folder: Path, n: int = 3) -> Path:
    """Each colour n times, with other captions than those that the tiny models were taught."""
    folder.mkdir(parents=True)
    for number, (colour, text) in enumerate(OTHER_SCENES.items()):
        for copy in range(n):
            path = folder / f"{number}-{copy}.png"
            cv2.imwrite(str(path), paint(colour, side=40 + copy, seed=copy)[:, :, ::-1])
            path.with_suffix(".txt").write_text(text)
    return folder


def make_recipe(**changes: Any) -> Blip2Recipe:
    """The small recipe with some fields changed."""
    return Blip2Recipe.model_validate(SMALL | changes)


class Slow:
    """A step that takes so long that a test can kill it in the middle."""

    def __init__(self, step: Any) -> None:
        self._step = step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._step, name)

    def learn(self, batch: Batch, number: int, update: Update) -> Mapping[str, Any]:
        time.sleep(float(os.environ["SLOW_STEPS"]))
        losses: Mapping[str, Any] = self._step.learn(batch, number, update)
        return losses


def make_slow(recipe: Blip2Recipe, setting: Setting) -> Made:
    made = make_blip2(recipe, setting)
    return Made(step=Slow(made.step), batches=made.batches, origins=made.origins)


def main() -> None:
    recipe = Path(sys.argv[1])
    settings = Blip2Recipe.model_validate(yaml.safe_load(recipe.read_text()))
    train(settings, sys.argv[2], base=recipe.parent, make=make_slow)


if __name__ == "__main__":
    main()
