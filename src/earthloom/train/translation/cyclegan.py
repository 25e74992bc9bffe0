"""CycleGAN: two generators that undo each other, each with its discriminator (Zhu et al., ICCV 2017).

After github.com/junyanz/pytorch-CycleGAN-and-pix2pix: least squares, there and back weighs 10, identity half as much,
discriminators see a pool of 50 earlier pictures. Generators are updated first, then discriminators.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from earthloom.models.translation.discriminator import PatchDiscriminator
from earthloom.models.translation.generator import ResnetGenerator
from earthloom.models.translation.image_pool import ImagePool
from earthloom.models.translation.losses import REAL, lsgan, lsgan_pair, structure_loss
from earthloom.train.step import Batch, Update
from earthloom.train.translation.adversarial import (
    add_up,
    export_generator,
    frozen,
    make_adam,
    tell,
)
from earthloom.train.translation.config import TranslationRecipe


class CycleGanStep:
    """Teach pictures `a` to look like pictures `b`, and the reverse: the protocol `train.step.Step`."""

    def __init__(self, recipe: TranslationRecipe, device: torch.device) -> None:
        """Draw first weights from torch's generator."""
        self._recipe = recipe
        self._there = ResnetGenerator(recipe.width, recipe.blocks, blend=recipe.blend).to(device)
        self._back = ResnetGenerator(recipe.width, recipe.blocks, blend=recipe.blend).to(device)
        self._judge_b = PatchDiscriminator(recipe.width).to(device)
        self._judge_a = PatchDiscriminator(recipe.width).to(device)
        self._drawing = make_adam([self._there, self._back], recipe)
        self._judging = make_adam([self._judge_a, self._judge_b], recipe)
        self._pools = {"pool_a": ImagePool(), "pool_b": ImagePool()}
        self._device = device

    def modules(self) -> Mapping[str, nn.Module]:
        """All four networks; `generator` is the one that is exported."""
        return {
            "generator": self._there,
            "generator_back": self._back,
            "discriminator": self._judge_b,
            "discriminator_back": self._judge_a,
        }

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One for both generators, one for both discriminators."""
        return {"generators": self._drawing, "discriminators": self._judging}

    def extra_state(self) -> Mapping[str, Tensor]:
        """The pools of drawn pictures."""
        states = {name: pool.state() for name, pool in self._pools.items()}
        return {name: images for name, images in states.items() if images is not None}

    def load_extra_state(self, state: Mapping[str, Tensor]) -> None:
        """Fill the pools again."""
        for name, pool in self._pools.items():
            images = state.get(name)
            pool.load_state(None if images is None else images.to(self._device))

    def learn(self, batch: Batch, number: int, update: Update) -> dict[str, Tensor]:
        """Update both generators, then both discriminators."""
        a, b = batch["a"], batch["b"]
        drawn_b, drawn_a = self._there(a), self._back(b)
        with frozen(self._judge_a, self._judge_b):
            losses = self._grade(a, b, drawn_a, drawn_b)
            update("generators", add_up(losses, self._weights))
        shown_a = self._pools["pool_a"].exchange(drawn_a)
        shown_b = self._pools["pool_b"].exchange(drawn_b)
        judged = {
            "discriminator": lsgan_pair(self._judge_b(b), self._judge_b(shown_b)),
            "discriminator_back": lsgan_pair(self._judge_a(a), self._judge_a(shown_a)),
        }
        update("discriminators", add_up(judged, {}))
        return tell({**losses, **judged})

    @property
    def _weights(self) -> dict[str, float]:
        recipe = self._recipe
        return {
            "cycle": recipe.cycle,
            "identity": recipe.cycle * recipe.identity,
            "structure": recipe.structure,
        }

    def _grade(self, a: Tensor, b: Tensor, drawn_a: Tensor, drawn_b: Tensor) -> dict[str, Tensor]:
        """What the generators are taught by; each but the first two sums over both ways."""
        losses = {
            "generator": lsgan(self._judge_b(drawn_b), REAL),
            "generator_back": lsgan(self._judge_a(drawn_a), REAL),
            "cycle": l1_loss(self._back(drawn_b), a) + l1_loss(self._there(drawn_a), b),
        }
        if self._recipe.identity:
            losses["identity"] = l1_loss(self._back(a), a) + l1_loss(self._there(b), b)
        if self._recipe.structure:
            losses["structure"] = structure_loss(a, drawn_b) + structure_loss(b, drawn_a)
        return losses

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Nothing: adversarial losses say little, and a recipe for translation holds nothing out."""
        return {}

    def sample(self, batch: Batch) -> Tensor:
        """Rows of: a picture, the same translated, there and back, a picture of the target."""
        a = batch["a"]
        drawn = self._there(a)
        return torch.stack([a, drawn, self._back(drawn), batch["b"]], dim=1).flatten(0, 1)

    def export(self, folder: Path) -> None:
        """Write the generator from `a` to `b` as `translation.safetensors`."""
        export_generator(folder, self._there, self._recipe)
