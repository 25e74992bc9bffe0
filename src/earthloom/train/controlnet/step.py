"""From pairs of pictures to a loss: one step of training a ControlNet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from earthloom.models.diffusion.schedule import NoiseSchedule
from earthloom.models.stable.control import draw_controlled, save_controlnet, steer_by, to_one_channel
from earthloom.models.stable.drawing import Told, draw_latent_noise, tell_encoded
from earthloom.models.stable.exports import Export, write_export
from earthloom.models.stable.latents import encode_images
from earthloom.models.stable.parts import Stable
from earthloom.models.stable.text import encode_tokens
from earthloom.train.controlnet.config import CHANNELS, ControlNetRecipe
from earthloom.train.latent_loss import add_noise, diffusion_loss
from earthloom.train.optimizers import make_adamw
from earthloom.train.step import Batch, Update

_NAME = "controlnet"
"""Of the network, of its optimiser and of its loss."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a ControlNet is trained with."""

    stable: Stable
    """Stays as it is."""
    network: Any
    """diffusers' ControlNetModel."""
    empty: Tensor
    """Tokens of a text without words, 1 x encoders x L."""
    place: str
    """Where the Stable Diffusion was found: folder, absolute, or name on the Hub."""


class ControlNetStep:
    """Teach Stable Diffusion to draw after conditions: the protocol `train.step.Step`.

    Batches hold `pixels`, uint8 N x S x S x 3, `condition`, uint8 N x S x S x K, and `ids`, N x encoders x L.
    """

    def __init__(self, recipe: ControlNetRecipe, parts: Parts) -> None:
        """Take a new ControlNet, and what it lies over."""
        self._recipe = recipe
        self._parts = parts
        self._stable, self._network = parts.stable, parts.network
        device = parts.stable.unet.device
        self._empty = parts.empty.to(device)
        self._schedule = NoiseSchedule.from_scheduler_config(parts.stable.scheduler_config).to(device)
        self._optimizer = make_adamw(parts.network.parameters(), recipe)

    def modules(self) -> Mapping[str, nn.Module]:
        """The ControlNet."""
        return {_NAME: self._network}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One."""
        return {_NAME: self._optimizer}

    def extra_state(self) -> Mapping[str, Tensor]:
        """Nothing: no step depends on earlier ones."""
        return {}

    def load_extra_state(self, state: Mapping[str, Tensor]) -> None:
        """Nothing to take back."""

    def learn(self, batch: Batch, number: int, update: Update) -> dict[str, Tensor]:
        """Predict the noise of random steps after conditions, some of them or of the words kept back."""
        recipe = self._recipe
        ids, condition = batch["ids"], _scale_condition(batch["condition"])
        latents = self._encode(batch)
        if recipe.caption_drop:
            ids = torch.where(_draw(len(ids), recipe.caption_drop, ids)[:, None, None], self._empty, ids)
        if recipe.condition_drop:
            kept = ~_draw(len(condition), recipe.condition_drop, condition)
            condition = condition * kept[:, None, None, None]
        loss = self._grade(latents, condition, self._tell(ids))
        update(_NAME, loss)
        return {_NAME: loss.detach()}

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """The loss on held-out pairs, with conditions and words."""
        condition = _scale_condition(batch["condition"])
        return {_NAME: self._grade(self._encode(batch), condition, self._tell(batch["ids"]))}

    def sample(self, batch: Batch) -> Tensor | None:
        """Rows of: a condition (the first three channels of it), what is drawn after it, the true picture."""
        if not self._recipe.sample_steps:
            return None
        condition, true = _scale_condition(batch["condition"]), _scale_pixels(batch["pixels"])
        noise = draw_latent_noise(self._stable, range(len(true)), *true.shape[2:])
        drawn = draw_controlled(
            self._stable,
            self._network,
            condition,
            self._tell(batch["ids"]),
            noise=noise,
            steps=self._recipe.sample_steps,
        )
        if CHANNELS[self._recipe.to.modality] == 1:
            drawn = to_one_channel(drawn).expand_as(true)
        return torch.stack([_show_condition(condition), drawn, true], dim=1).flatten(0, 1)

    def export(self, folder: Path) -> None:
        """Write the ControlNet as diffusers does, and beside it what it is for."""
        recipe = self._recipe
        save_controlnet(self._network, folder)
        training = {
            "name": recipe.name,
            "steps": recipe.steps,
            "seed": recipe.seed,
            "recipe": recipe.digest(),
            "from": [selection.modality.value for selection in recipe.conditions],
            "to": recipe.to.modality.value,
        }
        export = Export(
            kind="controlnet",
            model=self._parts.place,
            base=self._stable.origin,
            size=recipe.size,
            modality=recipe.to.modality.value,
            training=training,
        )
        write_export(folder, export)

    def _grade(self, latents: Tensor, condition: Tensor, told: Told) -> Tensor:
        recipe, unet = self._recipe, self._stable.unet
        noised = add_noise(latents, self._schedule, offset=recipe.offset_noise)
        noisy = noised.latents.to(unet.dtype)
        added = steer_by(self._network, condition)(noisy, noised.steps, told)
        predicted = unet(
            noisy,
            noised.steps,
            encoder_hidden_states=told.states,
            added_cond_kwargs=dict(told.added) or None,
            return_dict=False,
            **added,
        )[0]
        return diffusion_loss(predicted, noised, self._schedule, min_snr=recipe.min_snr)

    @torch.no_grad()
    def _encode(self, batch: Batch) -> Tensor:
        """Latents, N x 4 x S/8 x S/8, float32, drawn from what the autoencoder says."""
        pixels = _scale_pixels(batch["pixels"])
        side = self._recipe.size // 8
        noise = torch.randn(
            len(pixels), self._stable.vae.config.latent_channels, side, side, device=pixels.device
        )
        return encode_images(self._stable.vae, pixels, noise=noise).float()

    @torch.no_grad()
    def _tell(self, ids: Tensor) -> Told:
        size = self._recipe.size
        is_said = (ids != self._empty).flatten(1).any(1)
        return tell_encoded(self._stable, encode_tokens(self._stable, ids), is_said, size, size)


def _draw(n: int, share: float, like: Tensor) -> Tensor:
    """N booleans, of which so large a share is true."""
    return torch.rand(n, device=like.device) < share


def _scale_pixels(pixels: Tensor) -> Tensor:
    """uint8 N x S x S x C to float32 N x C x S x S, -1 to 1."""
    return pixels.permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1.0


def _scale_condition(pixels: Tensor) -> Tensor:
    """uint8 N x S x S x K to float32 N x K x S x S, 0 to 1."""
    return pixels.permute(0, 3, 1, 2).to(torch.float32) / 255.0


def _show_condition(condition: Tensor) -> Tensor:
    """N x K x S x S, 0 to 1, as N x 3 x S x S, -1 to 1: three channels as RGB, else the first one as gray."""
    shown = condition[:, :3] if condition.shape[1] >= 3 else condition[:, :1].expand(-1, 3, -1, -1)
    return shown * 2.0 - 1.0
