"""The step of captioning: the mean over the tokens of captions of minus the logarithm of their probability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from earthloom.train.blip2.cards import draw_cards
from earthloom.train.blip2.config import Blip2Recipe
from earthloom.train.blip2.teaching import IGNORED, Teaching
from earthloom.train.optimizers import make_adamw
from earthloom.train.step import Batch, Update

NAME = "captioner"
"""Of the network and of its optimiser."""


class Blip2Step:
    """Teach a captioner the captions of pictures: the protocol `train.step.Step`.

    Batches hold `pixels` and `answer`, as `PrepareCaption` makes them.
    """

    def __init__(
        self, recipe: Blip2Recipe, teaching: Teaching, export: Callable[[nn.Module, Path], None]
    ) -> None:
        """Take a captioner whose network is frozen but for what is to be trained, and what writes it."""
        self.teaching = teaching
        """How the captioner is asked and taught."""
        self._network: nn.Module = teaching.captioner.network
        self._optimizer = make_adamw(self._network.parameters(), recipe)
        self._export = export
        self._dtype = teaching.captioner.network.dtype

    def modules(self) -> Mapping[str, nn.Module]:
        """The captioner."""
        return {NAME: self._network}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One, over LoRA and what is trained beside it."""
        return {NAME: self._optimizer}

    def extra_state(self) -> Mapping[str, Tensor]:
        """Nothing: no step depends on earlier ones but through the weights."""
        return {}

    def load_extra_state(self, state: Mapping[str, Tensor]) -> None:
        """Nothing to take back."""

    def learn(self, batch: Batch, number: int, update: Update) -> dict[str, Tensor]:
        """Learn one caption of each picture; dropout is at work."""
        self._network.train()
        loss = self._grade(batch)
        update(NAME, loss)
        return {"caption": loss.detach()}

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """The same loss without dropout."""
        self._network.eval()
        return {"caption": self._grade(batch)}

    def sample(self, batch: Batch) -> Tensor:
        """One card for each picture, 3 x H x W: the picture as the model sees it, what it says, what it was given."""
        self._network.eval()
        pixels = batch["pixels"]
        said = self.teaching.ask(pixels)
        given = [self._read(answer) for answer in batch["answer"]]
        return draw_cards(pixels, self.teaching.levels, said, given)

    def export(self, folder: Path) -> None:
        """Write LoRA as peft does, with what reads and writes the model's input beside it."""
        self._export(self._network, folder)

    def _grade(self, batch: Batch) -> Tensor:
        answer = batch["answer"]
        longest = max(int((answer != IGNORED).sum(1).max()), 1)
        answer = answer[:, :longest]
        inputs = self.teaching.arrange(batch["pixels"].to(self._dtype), answer)
        return self.teaching.grade(self._network(**inputs).logits, answer)

    def _read(self, answer: Tensor) -> str:
        return self.teaching.captioner.decode(answer[answer != IGNORED].tolist()).strip()
