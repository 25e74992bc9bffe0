"""The step of a tiny painter: the velocity of noisy pictures, predicted from words, facts and another picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from earthloom.models.diffusion.weights import min_snr_weights
from earthloom.models.tiny.conditions import drop_facts
from earthloom.models.tiny.drawing import (
    KIND,
    draw_pictures,
    forget,
    forget_control,
    forget_words,
    make_schedule,
    predict,
)
from earthloom.models.tiny.files import NAME, save_tiny
from earthloom.models.tiny.network import TinyUNet, Told
from earthloom.train.optimizers import make_adamw
from earthloom.train.step import Batch, Update
from earthloom.train.tiny.config import TinyRecipe

_DRAWN = 3
"""Pictures that samples show beside the real one."""


class TinyStep:
    """Teach a network to draw: the protocol `train.step.Step`."""

    def __init__(
        self,
        recipe: TinyRecipe,
        device: torch.device,
        looked_at: Tensor,
        about: Mapping[str, Any],
        controls: Tensor | None = None,
    ) -> None:
        """Draw first weights from torch's generator.

        Args:
            recipe: what to train.
            device: where.
            looked_at: some pictures, N x C x side x side, 8 bits, of which colours and contrast are measured.
            about: what is known of the training; it goes into the file of the weights.
            controls: so many pictures to draw from, where there are such.

        """
        self._recipe = recipe
        self._about = dict(about)
        network = TinyUNet(recipe.shape())
        network.set_levels(to_pictures(looked_at), None if controls is None else to_pictures(controls))
        network = network.to(device)
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimizer = make_adamw(self._network.parameters(), recipe)

    def modules(self) -> Mapping[str, torch.nn.Module]:
        """One network."""
        return {"network": self._network}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One for all of it."""
        return {"network": self._optimizer}

    def extra_state(self) -> Mapping[str, Tensor]:
        """Nothing: no step depends on earlier ones but by the weights."""
        return {}

    def load_extra_state(self, state: Mapping[str, Tensor]) -> None:
        """Nothing to take back."""

    def learn(self, batch: Batch, number: int, update: Update) -> Mapping[str, Tensor]:
        """One step of each picture's dissolution, drawn at random, with some of what is known withheld."""
        images, told = to_pictures(batch["image"]), tell(batch)
        n_steps = make_schedule(images.device).n_steps
        t = torch.randint(n_steps, (len(images),), device=images.device)
        t = shift_steps(t, n_steps, self._recipe.shift)
        loss = self._compare(images, self._withhold(told), t)
        update("network", loss)
        return {"loss": loss.detach()}

    def measure(self, batch: Batch) -> Mapping[str, Tensor]:
        """The same with everything told, at steps spread evenly over the batch."""
        images = to_pictures(batch["image"])
        n_steps = make_schedule(images.device).n_steps
        t = ((torch.arange(len(images), device=images.device) + 0.5) / len(images) * n_steps).long()
        return {"loss": self._compare(images, self._tell(batch), t)}

    def sample(self, batch: Batch) -> Tensor:
        """Rows of: what it draws from, if there is such a picture, the real one, and three that are drawn."""
        images, told = to_pictures(batch["image"]), self._tell(batch)
        columns = [images] if told.control is None else [told.control, images]
        for _ in range(_DRAWN):
            columns.append(
                draw_pictures(
                    self._network,
                    told,
                    torch.randn_like(images),
                    steps=self._recipe.sample_steps,
                    guidance=self._recipe.guidance,
                )
            )
        return torch.stack([to_colours(column) for column in columns], 1).flatten(0, 1)

    def export(self, folder: Path) -> None:
        """Write `tiny.safetensors`."""
        save_tiny(folder / NAME, self._network, self._about, storage=self._recipe.storage)

    def _compare(self, images: Tensor, told: Told, t: Tensor) -> Tensor:
        """Mean squared error of the velocity, weighted by the step where the recipe says so."""
        schedule = make_schedule(images.device)
        levels, noise = self._network.to_levels(images), torch.randn_like(images)
        drawn = predict(self._network, schedule.noisy(levels, noise, t), t, told)
        errors = (drawn - schedule.target(levels, noise, t, KIND)).square().mean((1, 2, 3))
        if self._recipe.min_snr is None:
            return errors.mean()
        weights = min_snr_weights(schedule.snr(t), self._recipe.min_snr, KIND)
        return (errors * weights.to(errors.dtype)).mean()

    def _tell(self, batch: Batch) -> Told:
        """All that it has learned to be told: numbers of facts that were always withheld would be noise to it."""
        told = tell(batch)
        return replace(told, known=torch.zeros_like(told.known)) if self._recipe.drop_facts == 1 else told

    def _withhold(self, told: Told) -> Told:
        """Forget words, facts and the other picture with the recipe's probabilities."""
        recipe, n, device = self._recipe, len(told.known), told.known.device

        def draw(share: float) -> Tensor:
            return torch.rand(n, device=device) < share

        told = replace(told, known=drop_facts(told.known, recipe.drop, recipe.drop_facts))
        told = forget_control(forget_words(told, draw(recipe.drop)), draw(recipe.drop))
        return forget(told, draw(recipe.drop_all))


def shift_steps(t: Tensor, n_steps: int, factor: float) -> Tensor:
    """Steps (N whole numbers from 0) moved to where noise is `factor` times as strong beside the picture.

    That is how Hoogeboom et al. (ICML 2023, section 2.1) shift the cosine schedule, whose ratio of noise to picture is
    the tangent of a quarter turn times the share of the way.
    """
    if factor == 1.0:
        return t
    angles = (t + 0.5) / n_steps * (math.pi / 2)
    return (torch.atan(factor * torch.tan(angles)) / (math.pi / 2) * n_steps).long().clamp(max=n_steps - 1)


def tell(batch: Batch) -> Told:
    """What a batch says of its pictures."""
    control = batch.get("control")
    return Told(
        tokens=batch["tokens"],
        names=batch["names"],
        measures=batch["measures"],
        known=batch["known"],
        control=None if control is None else to_pictures(control),
    )


def to_pictures(levels: Tensor) -> Tensor:
    """8 bits to -1 to 1, float32."""
    return levels.float() / 127.5 - 1.0


def to_colours(images: Tensor) -> Tensor:
    """N x C x H x W to N x 3 x H x W: one channel is shown as grey."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
