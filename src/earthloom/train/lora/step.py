"""From pictures and texts to a loss: one step of training a LoRA, whatever the version of Stable Diffusion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from earthloom.models.diffusion.schedule import NoiseSchedule
from earthloom.models.stable.drawing import Told, draw_latent_noise, draw_pictures
from earthloom.models.stable.latents import decode_latents, encode_images, pixels_per_latent
from earthloom.models.stable.parts import Stable
from earthloom.train.latent_loss import add_noise, diffusion_loss
from earthloom.train.lora.conditions import Conditions
from earthloom.train.lora.config import LoraRecipe
from earthloom.train.lora.exporting import export_lora
from earthloom.train.lora.networks import Adapted, Denoiser
from earthloom.train.lora.texts import Texts
from earthloom.train.optimizers import make_adamw
from earthloom.train.step import Batch, Update

_NAME = "lora"
"""Of the optimiser and of the loss."""


class LoraStep:
    """Teach a Stable Diffusion by LoRA: the protocol `train.step.Step`.

    Batches hold, of N pictures:

    pixels   uint8, N x S x S x 3; or `moments`, N x 2C x h x w: mean and spread of their latents
    ids      N x encoders x L, tokens; or `states`, N x L x D, and for XL `pooled`, N x P
    sizes    N x 6, for XL: height and width of the whole picture, top and left of the crop, height and width
    facts    N x 7 and `known`, N x 7, where there are metadata tokens
    """

    def __init__(
        self, recipe: LoraRecipe, adapted: Adapted, texts: Texts, open_vae: Callable[[], Any]
    ) -> None:
        """Take what is trained.

        Args:
            recipe: how.
            adapted: the model and what is laid over it.
            texts: those that no batch holds.
            open_vae: loads the autoencoder, where the model is without it and pictures are to be drawn.

        """
        self._recipe = recipe
        self._adapted = adapted
        self._stable = adapted.stable
        self._open_vae = open_vae
        self._conditions = Conditions(
            stable=adapted.stable, settings=recipe, tokens=adapted.tokens, texts=texts
        )
        unet = adapted.stable.unet
        self._schedule = NoiseSchedule.from_scheduler_config(adapted.stable.scheduler_config).to(unet.device)
        self._denoise = Denoiser(unet, recipe)
        self._optimizer = make_adamw(
            (p for network in adapted.networks.values() for p in network.parameters()), recipe
        )

    @property
    def stable(self) -> Stable:
        """The model that is trained."""
        return self._stable

    def modules(self) -> Mapping[str, nn.Module]:
        """Networks with LoRA, and the metadata tokens where there are any."""
        return self._adapted.networks

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One over everything."""
        return {_NAME: self._optimizer}

    def extra_state(self) -> Mapping[str, Tensor]:
        """Nothing: no step depends on earlier ones."""
        return {}

    def load_extra_state(self, state: Mapping[str, Tensor]) -> None:
        """Nothing to take back."""

    def learn(self, batch: Batch, number: int, update: Update) -> dict[str, Tensor]:
        """Predict the noise of random steps, with some captions and facts kept back."""
        loss = self._grade(batch, is_learning=True)
        update(_NAME, loss)
        return {_NAME: loss.detach()}

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """The loss on held-out pictures, with all that is known of them."""
        return {_NAME: self._grade(batch, is_learning=False)}

    def sample(self, batch: Batch) -> Tensor | None:
        """Rows of: a picture as the autoencoder gives it back, one drawn from its words, one from a sample prompt."""
        if not self._recipe.sample_steps:
            return None
        with _exactly(self._stable):
            return self._show(batch)

    def export(self, folder: Path) -> None:
        """Write the LoRA for diffusers and for kohya's programs, metadata tokens, and what all of it is for."""
        export_lora(folder, self._adapted, self._recipe)

    def _show(self, batch: Batch) -> Tensor:
        if self._stable.vae is None:
            self._stable = replace(self._stable, vae=self._open_vae())
        shown = [decode_latents(self._stable.vae, self._encode(batch, is_drawn=False)).float()]
        nothing = self._conditions.tell_nothing(batch)
        for told in (self._conditions.tell(batch, is_learning=False), self._conditions.tell_prompts(batch)):
            if told is not None:
                shown.append(self._draw(told, nothing))
        return torch.stack(shown, dim=1).flatten(0, 1)

    def _grade(self, batch: Batch, *, is_learning: bool) -> Tensor:
        with torch.no_grad(), _exactly(self._stable):
            latents = self._encode(batch, is_drawn=True)
        noised = add_noise(latents, self._schedule, offset=self._recipe.offset_noise)
        told = self._conditions.tell(batch, is_learning=is_learning)
        predicted = self._denoise(noised.latents, noised.steps, told)
        return diffusion_loss(predicted, noised, self._schedule, min_snr=self._recipe.min_snr)

    def _encode(self, batch: Batch, *, is_drawn: bool) -> Tensor:
        """Latents, float32: drawn from what the autoencoder says, or the mean of it."""
        if "moments" in batch:
            mean, spread = batch["moments"].float().chunk(2, dim=1)
            return mean + spread * torch.randn_like(mean) if is_drawn else mean
        pixels = batch["pixels"].permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1.0
        noise = self._draw_noise(pixels) if is_drawn else None
        return encode_images(self._stable.vae, pixels, noise=noise).float()

    def _draw_noise(self, pixels: Tensor) -> Tensor:
        """Normal numbers of the shape of the latents of N x 3 x H x W pictures."""
        vae = self._stable.vae
        height, width = (extent // pixels_per_latent(vae) for extent in pixels.shape[2:])
        shape = (len(pixels), int(vae.config.latent_channels), height, width)
        return torch.randn(shape, device=pixels.device)

    def _draw(self, told: Told, nothing: Told) -> Tensor:
        """Pictures of what is told, from the same noise every time."""
        recipe = self._recipe
        seeds = list(range(len(told.states)))
        return draw_pictures(
            self._stable,
            draw_latent_noise(self._stable, seeds, recipe.size, recipe.size),
            told,
            None if recipe.guidance == 1.0 else nothing,
            steps=recipe.sample_steps,
            guidance=recipe.guidance,
        )


def _exactly(stable: Stable) -> torch.autocast:
    """Within the block every network computes in the precision of its weights.

    An autoencoder that overflows in 16 bits is kept in float32, and autocast would not heed that.
    """
    return torch.autocast(stable.unet.device.type, enabled=False)
