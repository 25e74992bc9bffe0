"""A small thing to train that has all that a real one has: two networks with buffers, two kinds of optimiser, dropout,
a pool of earlier pictures. Run as a script it trains by a recipe: for tests that kill it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from training_folders import make_recipe

from earthloom.recipes import load_training
from earthloom.train.kinds import TrainingRecipe
from earthloom.train.loop import Updates
from earthloom.train.processes import Processes
from earthloom.train.step import Batch, Made, Setting, Share, Update
from earthloom.train.training import train
from earthloom.train.translation.making import make_picture_batches

POOL = 3


class TinyStep:
    """Learns to make `b`-like pictures out of `a`: an autoencoder, and a critic with a memory."""

    def __init__(self, recipe: TrainingRecipe, device: torch.device) -> None:
        width = recipe.width
        self.painter = torch.nn.Sequential(
            torch.nn.Conv2d(3, width, 3, padding=1),
            torch.nn.BatchNorm2d(width),
            torch.nn.ReLU(),
            torch.nn.Dropout2d(0.2),
            torch.nn.Conv2d(width, 3, 3, padding=1),
            torch.nn.Tanh(),
        ).to(device)
        self.critic = torch.nn.Conv2d(3, 1, 4, stride=2).to(device)
        self.base = recipe.rate
        self.adam = torch.optim.Adam(self.painter.parameters(), lr=self.base, betas=recipe.betas)
        self.sgd = torch.optim.SGD(self.critic.parameters(), lr=self.base, momentum=0.9)
        self.pool = torch.zeros(POOL, 3, recipe.crop, recipe.crop, device=device)
        self.before_update: Callable[[int], None] = lambda number: None

    def modules(self) -> Mapping[str, torch.nn.Module]:
        return {"painter": self.painter, "critic": self.critic}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"painter": self.adam, "critic": self.sgd}

    def extra_state(self) -> Mapping[str, torch.Tensor]:
        return {"pool": self.pool}

    def load_extra_state(self, state: Mapping[str, torch.Tensor]) -> None:
        self.pool = state["pool"].to(self.pool.device)

    def learn(self, batch: Batch, number: int, update: Update) -> Mapping[str, torch.Tensor]:
        self.painter.train()
        made = self.painter(batch["a"])
        place = int(torch.randint(POOL, ()))
        old, self.pool[place] = self.pool[place].clone(), made[0].detach()
        self.before_update(number)
        critic = (self.critic(old[None]) ** 2).mean() + ((self.critic(batch["b"]) - 1) ** 2).mean()
        update("critic", critic)
        self.critic.requires_grad_(requires_grad=False)
        loss = ((self.critic(made) - 1) ** 2).mean() + (made - batch["a"]).abs().mean()
        update("painter", loss)
        self.critic.requires_grad_(requires_grad=True)
        return {"painter": loss.detach(), "critic": critic.detach()}

    def measure(self, batch: Batch) -> Mapping[str, torch.Tensor]:
        self.painter.eval()
        return {"painter": (self.painter(batch["a"]) - batch["a"]).abs().mean()}

    def sample(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        self.painter.eval()
        made = self.painter(batch["a"])
        return torch.stack([batch["a"], made], dim=1).flatten(0, 1)

    def export(self, folder: Path) -> None:
        save_file(self.painter.state_dict(), folder / "painter.safetensors")


def learn(step: Any, batch: Batch, number: int, factor: float = 1.0) -> dict[str, float]:
    """One step as the loop does it: the losses."""
    updates = Updates(step, make_recipe(), Processes(torch.device("cpu"), Share()), torch.float32)
    updates.start(factor, 0)
    losses = step.learn(batch, number, updates)
    updates.finish()
    return {name: float(value) for name, value in losses.items()}


def making(make_step: Callable[[Any, torch.device], Any]) -> Callable[[Any, Setting], Made]:
    """What `train` wants, from something that makes a step."""

    def make(recipe: Any, setting: Setting) -> Made:
        batches = make_picture_batches(recipe, setting)
        return Made(step=make_step(recipe, setting.device), batches=batches)

    return make


def make_slow_step(recipe: TrainingRecipe, device: torch.device) -> TinyStep:
    """One whose steps take so long that a test can kill it in the middle."""
    step = TinyStep(recipe, device)
    step.before_update = lambda number: time.sleep(float(os.environ["SLOW_STEPS"]))
    return step


def main() -> None:
    recipe = Path(sys.argv[1])
    train(load_training(recipe), sys.argv[2], base=recipe.parent, make=making(make_slow_step))


if __name__ == "__main__":
    main()
