"""What the training loop asks of anything that can be trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch


class Step(Protocol):
    """What is trained: its networks, its optimisers, one update of them.

    A step keeps no account of where training stands: the loop says the number of the step, seeds torch before each
    update, and saves and restores all that the four mappings below hold.
    """

    def modules(self) -> Mapping[str, torch.nn.Module]:
        """Every network by name; their parameters and buffers are saved and restored."""
        ...

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Every optimiser by name; its state is saved and restored."""
        ...

    def extra_state(self) -> Mapping[str, torch.Tensor]:
        """Give what else must outlive a kill, such as pools of earlier pictures; may be empty."""
        ...

    def load_extra_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take back what `extra_state` gave."""
        ...

    def set_rate(self, factor: float) -> None:
        """Set every learning rate to its base rate times the factor; the schedule is the loop's."""
        ...

    def learn(self, batch: Mapping[str, torch.Tensor], number: int) -> dict[str, float]:
        """Do one update, the one of this number, and give its losses by name.

        A batch of pictures is float32, N x 3 x H x W, -1 to 1, by the name of the set that they were drawn from.
        """
        ...

    def sample(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Pictures that show how training goes: float32, N' x 3 x H x W, -1 to 1, one row after the other.

        There are as many rows as the batch has pictures of a set, such as "before, after" for each.
        """
        ...

    def export(self, folder: Path) -> None:
        """Write into the folder what is used once training is done."""
        ...
