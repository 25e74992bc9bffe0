"""Pictures to latents and back, by Stable Diffusion's autoencoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def encode_images(vae: Any, images: Tensor, *, noise: Tensor | None) -> Tensor:
    """Encode pictures, scaled as the UNet was trained with.

    Args:
        vae: diffusers' AutoencoderKL.
        images: N x 3 x H x W, -1..1; H and W are multiples of `pixels_per_latent`.
        noise: N x 4 x H/8 x W/8, standard normal, with which the latents are drawn from the distribution that the
            autoencoder gives; None for its mean.

    Returns:
        N x 4 x H/8 x W/8, in the autoencoder's precision.

    """
    spread = vae.encode(images.to(vae.device, vae.dtype)).latent_dist
    drawn = spread.mean if noise is None else spread.mean + spread.std * noise.to(spread.mean)
    scaled: Tensor = (drawn - _read_shift(vae)) * vae.config.scaling_factor
    return scaled


def find_moments(vae: Any, images: Tensor) -> Tensor:
    """Mean and standard deviation of the latents of pictures, to draw from later: `mean + deviation * noise`.

    Args:
        vae: diffusers' AutoencoderKL.
        images: as of `encode_images`, and scaled as there.

    Returns:
        N x 8 x H/8 x W/8, means before deviations, in the autoencoder's precision.

    """
    spread = vae.encode(images.to(vae.device, vae.dtype)).latent_dist
    mean = (spread.mean - _read_shift(vae)) * vae.config.scaling_factor
    return torch.cat([mean, spread.std * vae.config.scaling_factor], dim=1)


def decode_latents(vae: Any, latents: Tensor) -> Tensor:
    """Decode latents, N x 4 x h x w, to pictures, N x 3 x 8h x 8w, -1..1; what the decoder overshoots is cut off."""
    plain = latents.to(vae.device, vae.dtype) / vae.config.scaling_factor + _read_shift(vae)
    images: Tensor = vae.decode(plain).sample
    return images.clamp(-1, 1)


def pixels_per_latent(vae: Any) -> int:
    """Pixels of a picture's side that one latent stands for: 8 in all published versions."""
    return int(2 ** (len(vae.config.block_out_channels) - 1))


def _read_shift(vae: Any) -> float:
    """Models after XL shift their latents; the others name no shift, or null."""
    return float(getattr(vae.config, "shift_factor", None) or 0.0)
