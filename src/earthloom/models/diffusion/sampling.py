"""Samplers: from noise to pictures in few steps, with nothing random on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from earthloom.core.seeds import stable_hash
from earthloom.models.diffusion.schedule import Kind, NoiseSchedule

Predict = Callable[[Tensor, Tensor], Tensor]
"""From noisy pictures (N x C x H x W) and their steps (N whole numbers) to what the network predicts of them."""
Bounds = tuple[Tensor, Tensor]
"""Of a shape that fits pictures, such as C x 1 x 1."""
Spacing = Literal["leading", "linspace", "trailing"]
"""Which steps are visited (Lin et al., WACV 2024, table 2): `trailing` begins at the last one, as it should be."""
_LEAST_SHARE = 2.0**-24
"""In place of a share of 0, whose logarithm DPM-Solver would need; as diffusers has it."""


def space_steps(n_steps: int, n: int, spacing: Spacing = "trailing", offset: int = 0) -> list[int]:
    """`n` of `n_steps` steps, from the noisiest down, as diffusers' schedulers name and space them.

    Raises:
        ValueError: `n` is less than 1 or more than there are.

    """
    if not 1 <= n <= n_steps:
        raise ValueError(f"steps: wants 1 to {n_steps}, got {n}.")
    if spacing == "trailing":
        steps = np.round(np.arange(n_steps, 0, -n_steps / n))[:n] - 1
    elif spacing == "linspace":
        steps = np.linspace(0, n_steps - 1, n).round()[::-1]
    else:
        steps = (np.arange(n) * (n_steps // n)).round()[::-1] + offset
    return [int(step) for step in steps.clip(0, n_steps - 1)]


def ddim(
    predict: Predict,
    x: Tensor,
    schedule: NoiseSchedule,
    steps: Sequence[int],
    *,
    kind: Kind,
    clip: Bounds | None = None,
) -> Tensor:
    """Denoise by the deterministic rule of DDIM (Song et al., ICLR 2021, equation 12 with sigma 0).

    Args:
        predict: the network, with whatever it is told besides.
        x: noise to begin with, N x C x H x W.
        schedule: the one that the network was trained with.
        steps: to visit, falling; see `space_steps`. From the last one it goes straight to the clean picture.
        kind: what the network predicts.
        clip: least and largest value of clean pictures, where they have any.

    """
    table = schedule.alphas_cumprod.cpu()
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        clean, noise = _predict_both(predict, x, schedule, step, kind, clip)
        share = 1.0 if after is None else float(table[after])
        x = share**0.5 * clean + (1.0 - share) ** 0.5 * noise
    return x


def dpmpp_2m(
    predict: Predict,
    x: Tensor,
    schedule: NoiseSchedule,
    steps: Sequence[int],
    *,
    kind: Kind,
    clip: Bounds | None = None,
) -> Tensor:
    """Denoise by DPM-Solver++(2M) (Lu et al., 2022, algorithm 2): second order, one prediction a step.

    Arguments as of `ddim`. The first step is of first order, having no history, and so is the last, which goes to the
    clean picture.
    """
    table = schedule.alphas_cumprod.cpu().clamp(min=_LEAST_SHARE)
    log_ratio = 0.5 * torch.log(table / (1.0 - table))
    before: tuple[Tensor, float] | None = None
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        clean, _ = _predict_both(predict, x, schedule, step, kind, clip)
        if after is None:
            return clean
        here, there = float(log_ratio[step]), float(log_ratio[after])
        width = there - here
        direction = clean
        if before is not None:
            older, where = before
            direction = clean + (clean - older) * (0.5 * width / (here - where))
        ratio = float(((1.0 - table[after]) / (1.0 - table[step])).sqrt())
        x = ratio * x - float(table[after].sqrt()) * float(np.expm1(-width)) * direction
        before = (clean, here)
    return x


def guide(conditioned: Tensor, unconditioned: Tensor, scale: float) -> Tensor:
    """Go beyond the prediction with conditions, away from that without (Ho and Salimans 2022); 1 is no guidance."""
    return unconditioned + scale * (conditioned - unconditioned)


def draw_noise(
    keys: Sequence[str], shape: tuple[int, ...], seed: int, *, device: torch.device | None = None
) -> Tensor:
    """Noise to begin with, N x `shape`, float32: that of each picture depends on the seed and its key alone.

    It is drawn on the CPU, so that other devices begin with the same.
    """
    drawn = [
        torch.randn(shape, generator=torch.Generator().manual_seed(stable_hash(seed, "noise", key) >> 1))
        for key in keys
    ]
    return torch.stack(drawn).to(device) if drawn else torch.empty((0, *shape), device=device)


def _predict_both(
    predict: Predict, x: Tensor, schedule: NoiseSchedule, step: int, kind: Kind, clip: Bounds | None
) -> tuple[Tensor, Tensor]:
    """The clean pictures and the noise that a prediction amounts to; the noise is not touched by clipping."""
    t = torch.full((len(x),), step, dtype=torch.long, device=x.device)
    predicted = predict(x, t)
    clean = schedule.to_x0(x, predicted, t, kind)
    noise = schedule.to_noise(x, predicted, t, kind)
    return (clean if clip is None else clean.clamp(*clip)), noise
