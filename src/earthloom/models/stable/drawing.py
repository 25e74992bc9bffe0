"""Pictures from Stable Diffusion: what its UNet is told, and the way from noise to pixels.

The noise of each picture is drawn on the CPU from its own seed, as diffusers draws it from a generator of that seed;
denoising is DPM-Solver++(2M) on steps that begin at the noisiest one (Lin et al., WACV 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from earthloom.core.errors import UsageError
from earthloom.models.diffusion.sampling import dpmpp_2m, guide, space_steps
from earthloom.models.diffusion.schedule import NoiseSchedule
from earthloom.models.stable.latents import decode_latents, pixels_per_latent
from earthloom.models.stable.parts import Stable
from earthloom.models.stable.text import Encoded, encode_texts
from earthloom.models.weights.pipelines import INDEX
from earthloom.models.weights.places import read_json

SAMPLER = "DPM++ 2M"
"""As web interfaces call what is used here."""

Steer = Callable[[Tensor, Tensor, "Told"], Mapping[str, Any]]
"""From noisy latents (N x 4 x h x w), steps (N) and what the UNet is told to further arguments of the UNet, such as a
ControlNet's residuals."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the UNet is told of N pictures besides noise and step."""

    states: Tensor
    """N x L x D, of the words and of whatever else stands behind them."""
    added: Mapping[str, Tensor] = field(default_factory=dict)
    """XL alone: `text_embeds`, N x P, and `time_ids`, N x 6."""
    n_cut: int = 0
    """Prompts that were too long and lost their end."""


def tell_texts(stable: Stable, texts: Sequence[str], height: int, width: int) -> Told:
    """Encode prompts for pictures of that size, pixels; an empty one is what XL was trained with, zeros."""
    is_said = torch.tensor([bool(text) for text in texts])
    return tell_encoded(stable, encode_texts(stable, texts), is_said, height, width)


def tell_encoded(stable: Stable, encoded: Encoded, is_said: Tensor, height: int, width: int) -> Told:
    """What `tell_texts` gives, of texts that are encoded already; is_said: N, False where the text was empty."""
    if encoded.pooled is None:
        return Told(states=encoded.states, n_cut=encoded.n_cut)
    states, pooled = encoded.states, encoded.pooled
    if _zeroes_empty(stable):
        said = is_said.to(states)
        states, pooled = states * said[:, None, None], pooled * said[:, None]
    sizes = torch.tensor([[height, width, 0, 0, height, width]] * len(states), device=states.device)
    added = {"text_embeds": pooled, "time_ids": sizes.to(states.dtype)}
    return Told(states=states, added=added, n_cut=encoded.n_cut)


def join_told(first: Told, second: Told) -> Told:
    """Both, one after the other."""
    added = {name: torch.cat([value, second.added[name]]) for name, value in first.added.items()}
    return Told(
        states=torch.cat([first.states, second.states]), added=added, n_cut=first.n_cut + second.n_cut
    )


def draw_latent_noise(stable: Stable, seeds: Sequence[int], height: int, width: int) -> Tensor:
    """Noise to begin with, N x 4 x height/8 x width/8, float32: that of each picture depends on its seed alone."""
    scale = pixels_per_latent(stable.vae)
    shape = (int(stable.unet.config.in_channels), height // scale, width // scale)
    rows = [torch.randn((1, *shape), generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.cat(rows)


@torch.no_grad()
def draw_pictures(
    stable: Stable,
    noise: Tensor,
    told: Told,
    without: Told | None,
    *,
    steps: int,
    guidance: float,
    steer: Steer | None = None,
) -> Tensor:
    """Denoise and decode.

    Args:
        stable: with UNet and autoencoder.
        noise: N x 4 x h x w, standard normal.
        told: of the N pictures.
        without: the same without the prompts, or with negative ones, from which guidance leads away; None where
            guidance is 1.
        steps: predictions of the UNet, 1 to as many as it was trained with.
        guidance: scale of classifier-free guidance; 1 for none.
        steer: gives further arguments of the UNet.

    Returns:
        N x 3 x 8h x 8w, -1 to 1, float32.

    Raises:
        UsageError: the UNet wants more than noise (one for inpainting), or its scheduler is of an unknown kind.

    """
    check_unet(stable)
    schedule = NoiseSchedule.from_scheduler_config(stable.scheduler_config)
    device = stable.unet.device
    both = told if without is None or guidance == 1.0 else join_told(without, told)
    predict = _Predict(stable.unet, both, guidance, steer)
    latents = dpmpp_2m(
        predict, noise.to(device), schedule, space_steps(schedule.n_steps, steps), kind=schedule.kind
    )
    return decode_latents(stable.vae, latents).float()


def check_unet(stable: Stable) -> None:
    """Raise UsageError where the UNet takes more than noise, as those for inpainting and for editing do."""
    given, drawn = int(stable.unet.config.in_channels), int(stable.unet.config.out_channels)
    if given != drawn:
        raise UsageError(
            f"{stable.origin.name} draws {drawn} channels from {given}: it wants a picture to paint in. Take a "
            "Stable Diffusion for text to image."
        )


@dataclass(frozen=True)
class _Predict:
    """The UNet's prediction, guided."""

    unet: Any
    told: Told
    """Of N pictures; of 2 N with guidance, those that it leads away from first."""
    guidance: float
    steer: Steer | None

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        n_times = len(self.told.states) // len(x)
        latents, steps = torch.cat([x] * n_times).to(self.unet.dtype), torch.cat([t] * n_times)
        more = {} if self.steer is None else self.steer(latents, steps, self.told)
        predicted: Tensor = self.unet(
            latents,
            steps,
            encoder_hidden_states=self.told.states,
            added_cond_kwargs=dict(self.told.added) or None,
            return_dict=False,
            **more,
        )[0]
        predicted = predicted.to(x.dtype)
        if n_times == 1:
            return predicted
        plain, prompted = predicted.chunk(2)
        return guide(prompted, plain, self.guidance)


def _zeroes_empty(stable: Stable) -> bool:
    """What the index of XL says; it is true in the published one, and where nothing is said."""
    return bool(read_json(stable.files.folder / INDEX).get("force_zeros_for_empty_prompt", True))
