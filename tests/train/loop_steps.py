"""A small thing to train without any chance in it: a line through numbers, by two optimisers. Run as a script it is one
process of several that train it together."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file

from earthloom.core.errors import StoppedError
from earthloom.train.config import OptimizerSettings, TrainingSettings
from earthloom.train.optimizers import make_adamw
from earthloom.train.step import Batch, Made, Setting, Share, Update
from earthloom.train.training import train

STOPPED = 75
"""Exit status of a process that was asked to stop."""


class LineRecipe(OptimizerSettings, TrainingSettings):
    """What the line is taught with."""

    train: Literal["line"] = "line"
    batch: int = 2
    held: int = 0
    """Held-out batches."""


def make_recipe(**changes: Any) -> LineRecipe:
    small = {
        "name": "line",
        "steps": 12,
        "rate": 0.05,
        "checkpoint_every": 5,
        "sample_every": 100,
        "device": "cpu",
    }
    return LineRecipe.model_validate(small | changes)


class LineStep:
    """Learns y = x A, with a bias of its own optimiser."""

    def __init__(self, recipe: LineRecipe, device: torch.device) -> None:
        self.line = torch.nn.Linear(4, 3, bias=False).to(device)
        self.shift = torch.nn.ParameterDict({"bias": torch.zeros(3, device=device)})
        self.adam = make_adamw(self.line.parameters(), recipe)
        self.sgd = torch.optim.SGD(self.shift.parameters(), lr=recipe.rate, momentum=0.9)
        self.seen: list[tuple[int, float]] = []
        """Number and rate of every micro-batch."""

    def modules(self) -> Mapping[str, torch.nn.Module]:
        return {"line": self.line, "shift": self.shift}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"line": self.adam, "shift": self.sgd}

    def extra_state(self) -> Mapping[str, torch.Tensor]:
        return {}

    def load_extra_state(self, state: Mapping[str, torch.Tensor]) -> None:
        pass

    def learn(self, batch: Batch, number: int, update: Update) -> Mapping[str, torch.Tensor]:
        time.sleep(float(os.environ.get("SLOW_STEPS", "0")))
        self.seen.append((number, float(self.adam.param_groups[0]["lr"])))
        loss = self._miss(batch, self.line.weight, self.shift["bias"].detach())
        shifted = self._miss(batch, self.line.weight.detach(), self.shift["bias"])
        update("line", loss)
        update("shift", shifted)
        return {"line": loss.detach(), "shift": shifted.detach()}

    @staticmethod
    def _miss(batch: Batch, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return ((batch["x"] @ weight.T + bias - batch["y"]) ** 2).mean()

    def measure(self, batch: Batch) -> Mapping[str, torch.Tensor]:
        return {"line": self._miss(batch, self.line.weight, self.shift["bias"])}

    def sample(self, batch: Batch) -> torch.Tensor | None:
        return None

    def export(self, folder: Path) -> None:
        save_file(
            {"weight": self.line.weight.detach(), **self.shift.state_dict()}, folder / "line.safetensors"
        )


class NumberBatches:
    """Numbers that depend on their position in an endless row alone, shared out as those of a stream are."""

    def __init__(self, batch: int, share: Share, n_held: int = 0) -> None:
        self.batch, self.share, self.n_held = batch, share, n_held

    def draw(self, number: int) -> Batch:
        start = ((number - 1) * self.share.world + self.share.rank) * self.batch
        return make_numbers(range(start, start + self.batch))

    def show(self) -> Batch:
        return make_numbers(range(2))

    def held(self) -> Sequence[Batch]:
        return [make_numbers(range(-10 * k - 10, -10 * k - 5)) for k in range(self.n_held)]

    identity = "numbers"
    counts: Mapping[str, int] = {}

    @property
    def refused(self) -> Mapping[str, Mapping[str, str]]:
        """Where a test asks for it, each process finds a broken sample of its own and one that all find."""
        if "BROKEN_SAMPLES" not in os.environ:
            return {}
        return {"data": {f"number {self.share.rank}": "unreadable", "number of all": "unreadable"}}


def make_numbers(positions: range) -> Batch:
    rows = []
    for position in positions:
        drawn = torch.Generator().manual_seed(1000 + position)
        rows.append(torch.randn(7, generator=drawn))
    both = torch.stack(rows)
    return {"x": both[:, :4], "y": both[:, 4:]}


def make_line(recipe: LineRecipe, setting: Setting) -> Made:
    step = LineStep(recipe, setting.device)
    return Made(step=step, batches=NumberBatches(recipe.batch, setting.share, recipe.held))


def main() -> int:
    recipe = make_recipe(**json.loads(sys.argv[2]))
    try:
        train(recipe, sys.argv[1], make=make_line)  # type: ignore[arg-type]
    except StoppedError:
        return STOPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
