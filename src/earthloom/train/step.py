"""What the training loop asks of anything that can be trained, and of where its batches come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

Batch = Mapping[str, torch.Tensor]
"""What is learnt from at once, by name."""


class Update(Protocol):
    """Takes a loss to the weights: given to `Step.learn` by the loop."""

    def __call__(self, name: str, loss: torch.Tensor) -> None:
        """Go back through a loss for the optimiser of that name, and update its weights if it is time.

        It is time at the last micro-batch of a step: then gradients are averaged over the processes, clipped, and the
        optimiser does its update.
        """
        ...


class Step(Protocol):
    """What is trained: its networks, its optimisers, and the way from a batch to losses.

    A step keeps no account of where training stands: the loop says the number of the step, seeds torch before each
    micro-batch, scales learning rates, and saves and restores all that the mappings below hold.
    """

    def modules(self) -> Mapping[str, torch.nn.Module]:
        """Networks that are trained, by name: of these, parameters that want gradients and buffers are saved."""
        ...

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Every optimiser by name, with its base learning rates; the schedule is the loop's."""
        ...

    def extra_state(self) -> Mapping[str, torch.Tensor]:
        """Give what else must outlive a kill, such as pools of earlier pictures; may be empty."""
        ...

    def load_extra_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take back what `extra_state` gave."""
        ...

    def learn(self, batch: Batch, number: int, update: Update) -> Mapping[str, torch.Tensor]:
        """Learn from one micro-batch of the step of this number, and give its losses by name, detached scalars.

        `update` is called once for each optimiser. Forward passes run under autocast where the recipe says so.
        """
        ...

    def measure(self, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Losses by name on held-out data, scalars: no gradients, torch seeded alike every time."""
        ...

    def sample(self, batch: Batch) -> torch.Tensor | None:
        """Pictures that show how training goes: float32, N' x 3 x H x W, -1 to 1, one row after the other.

        There are as many rows as the batch has samples, such as "before, after" for each. None: nothing to look at.
        """
        ...

    def export(self, folder: Path) -> None:
        """Write into the folder what is used once training is done."""
        ...


class Batches(Protocol):
    """Where the loop gets what is learnt from. A micro-batch depends on its number alone."""

    def draw(self, number: int) -> Batch:
        """Make one micro-batch, on the CPU; numbers count from 1 and go on from step to step."""
        ...

    def show(self) -> Batch:
        """Make the batch of which samples are made: always the same one."""
        ...

    def held(self) -> Sequence[Batch]:
        """Batches of held-out data, always the same ones; empty where the recipe names none."""
        ...

    @property
    def identity(self) -> str:
        """Hash of what is drawn from: another one, other batches."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """Samples of each set by its place in the recipe, where that is known."""
        ...

    @property
    def refused(self) -> Mapping[str, Mapping[str, str]]:
        """What turned out to be unusable so far: place in the recipe, key, and reason with detail."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of every step is this process's."""

    rank: int = 0
    world: int = 1
    """Processes that train together."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a training takes place."""

    base: Path
    """Folder that the recipe's paths are relative to."""
    device: torch.device
    dtype: torch.dtype
    """Of forward passes; what is not trained may be kept in it."""
    share: Share
    folder: Path
    """Folder of the training."""
    say: Callable[[str], None]
    """Tells the user something worth a line."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a recipe becomes."""

    step: Step
    batches: Batches
    origins: tuple[Mapping[str, Any], ...] = field(default=())
    """Weights of others that it stands on: name, revision, licence, fingerprint."""
