"""Small pictures with captions that fit them, recipes for dual encoders over them, and steps of one batch.

Run as a script it does one step in one of two processes: see `test_train_clip_processes.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from earthloom.models.clip.dual import open_dual
from earthloom.train.batches import StreamBatches
from earthloom.train.clip.config import ClipRecipe
from earthloom.train.clip.preparing import Preparing
from earthloom.train.clip.step import ClipStep
from earthloom.train.step import Batch, Share

COLOURS = {"forest": (20, 90, 30), "desert": (200, 170, 110), "sea": (20, 60, 140), "snow": (240, 240, 245)}
SIDE = 32


def make_captioned(root: Path, n: int = 16, *, extra: str = "") -> Path:
    """A folder `pictures` of n PNGs of four kinds of ground, each with three captions; `extra` ends all of them."""
    folder = root / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(n):
        name = list(COLOURS)[i % 4]
        noise = np.random.default_rng(i).normal(0, 12, (40, 48, 3))
        picture = np.clip(np.array(COLOURS[name]) + noise, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{i}.png"), picture[:, :, ::-1])
        captions = [f"a {name} seen from above", f"dense {name} number {i}", f"{name} {i} in the picture"]
        rows.append({"file_name": f"{i}.png", "captions": [f"{text}{extra}" for text in captions]})
    (folder / "metadata.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return root


def make_clip_recipe(**changes: Any) -> ClipRecipe:
    """A recipe for the model `tiny` and the folder `pictures` with some fields changed; None leaves one out."""
    fields = {
        "train": "clip",
        "name": "tiny clip",
        "model": "tiny",
        "data": {"folder": "pictures"},
        "batch": 8,
        "steps": 12,
        "rate": 2e-3,
        "warmup": 0,
        "checkpoint_every": 4,
        "sample_every": 12,
        "validate_every": 6,
        "device": "cpu",
        "threads": 1,
    }
    return ClipRecipe.model_validate(
        {name: value for name, value in (fields | changes).items() if value is not None}
    )


def draw_batch(root: Path, recipe: ClipRecipe, number: int = 1) -> Batch:
    """A micro-batch of the folder `pictures`."""
    from earthloom.store.stream.samples import Stream

    dual = open_dual(str(root / "tiny"))
    prepare = Preparing(dual=dual, settings=recipe, varies=True)
    stream = Stream(recipe.data, root, seed=0)
    return StreamBatches(
        stream, prepare, batch=recipe.batch, seed=0, share=Share(), threads=0
    ).draw(number)  # fmt: skip


class Kept:
    """An update that goes back through the loss and keeps the weights as they are."""

    def __init__(self) -> None:
        self.loss = torch.tensor(0.0)

    def __call__(self, name: str, loss: torch.Tensor) -> None:
        self.loss = loss.detach()
        loss.backward()


def take_gradients(
    root: Path, recipe: ClipRecipe, batch: Batch, share: Share | None = None
) -> tuple[dict[str, torch.Tensor], float]:
    """Gradients by name, and the loss, of one batch for the model `tiny`."""
    dual = open_dual(str(root / "tiny"))
    step, kept = ClipStep(recipe, dual, share=share), Kept()
    torch.manual_seed(5)
    step.learn(batch, 1, kept)
    network = step.modules()["clip"]
    return {
        name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None
    }, float(kept.loss)


def main(root: Path, rank: int) -> None:
    """Take this process's half of a batch; write the gradients that both agree on."""
    from safetensors.torch import save_file

    torch.distributed.init_process_group("gloo", f"file://{root / 'meeting'}", rank=rank, world_size=2)
    recipe = make_clip_recipe(texts=2)
    batch = draw_batch(root, recipe)
    half = len(batch["image"]) // 2
    mine = {name: values[rank * half : (rank + 1) * half] for name, values in batch.items()}
    found, loss = take_gradients(root, recipe, mine, Share(rank, 2))
    for gradient in found.values():
        torch.distributed.all_reduce(gradient)
        gradient.div_(2)
    save_file(found | {"loss": torch.tensor(loss)}, root / f"gradients-{rank}.safetensors")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
