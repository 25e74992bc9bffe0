"""What a loss is weighted by at each step, and the noise that is added."""

from __future__ import annotations

import torch
from torch import Tensor

from earthloom.models.diffusion.schedule import Kind


def min_snr_weights(snr: Tensor, gamma: float, kind: Kind) -> Tensor:
    """Weights of a squared error by the ratio of signal to noise (Hang et al., ICCV 2023, section 3.4).

    The error of the clean picture weighs `min(snr, gamma)`; that of the noise is `snr` times as large and that of the
    velocity `snr + 1` times, so their weights are divided by as much. Without any signal the noise has the limit, 1.

    Args:
        snr: N, 0 or more.
        gamma: cap; 5 in the paper.
        kind: what is predicted.

    """
    capped = snr.clamp(max=gamma)
    if kind == "x0":
        return capped
    if kind == "v":
        return capped / (snr + 1.0)
    return torch.where(snr > gamma, capped / snr.clamp(min=gamma), torch.ones_like(snr))


def offset_noise(
    shape: tuple[int, ...],
    strength: float,
    *,
    generator: torch.Generator | None = None,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Normal noise, N x C x H x W, with `strength` times one more draw for each channel as a whole.

    It teaches networks to move the mean of a picture, which plain noise leaves in place (Guttenberg, "Diffusion with
    offset noise", 2023; 0.1 there). With a strength of 0 it is plain noise, and nothing more is drawn.
    """
    noise = torch.randn(shape, generator=generator, device=device, dtype=dtype)
    if not strength:
        return noise
    whole = torch.randn((*shape[:2], 1, 1), generator=generator, device=device, dtype=dtype)
    return noise + strength * whole
