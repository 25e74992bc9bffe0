"""The loss of latent diffusion: what LoRA and ControlNet learn by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from earthloom.models.diffusion.schedule import NoiseSchedule
from earthloom.models.diffusion.weights import min_snr_weights, offset_noise


@dataclass(frozen=True, kw_only=True, slots=True)
class Noised:
    """Latents with noise, and what is to be predicted of them."""

    latents: Tensor
    """N x C x h x w, noisy."""
    steps: Tensor
    """N whole numbers, 0 the least noisy."""
    target: Tensor
    """N x C x h x w: noise, velocity or clean latents, as the schedule's networks predict."""


def add_noise(latents: Tensor, schedule: NoiseSchedule, *, offset: float = 0.0) -> Noised:
    """Add noise of a random step to each of N x C x h x w clean latents.

    Draws from torch's generator on the latents' device: the noise, with an `offset` one more number for each channel,
    then the steps; the order is that of diffusers' training scripts.
    """
    shape, device = tuple(latents.shape), latents.device
    noise = offset_noise(shape, offset, device=device, dtype=latents.dtype)
    steps = torch.randint(0, schedule.n_steps, shape[:1], device=device)
    return Noised(
        latents=schedule.noisy(latents, noise, steps),
        steps=steps,
        target=schedule.target(latents, noise, steps, schedule.kind),
    )


def diffusion_loss(
    predicted: Tensor, noised: Noised, schedule: NoiseSchedule, *, min_snr: float | None
) -> Tensor:
    """Mean squared error of a prediction, a scalar in float32.

    Args:
        predicted: of the network, N x C x h x w.
        noised: what it was given.
        schedule: by which noise was added.
        min_snr: the cap of Hang et al. (ICCV 2023) on the weight of a sample's ratio of signal to noise; None weighs
            all samples alike.

    """
    errors = mse_loss(predicted.float(), noised.target.float(), reduction="none").flatten(1).mean(1)
    if min_snr is None:
        return errors.mean()
    weights = min_snr_weights(schedule.snr(noised.steps), min_snr, schedule.kind)
    return (errors * weights.to(errors)).mean()
