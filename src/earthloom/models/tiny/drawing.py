"""From noise to pictures with the network: the schedule it is trained by, its predictions, and guidance."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from earthloom.models.diffusion.sampling import dpmpp_2m, guide, space_steps
from earthloom.models.diffusion.schedule import Kind, NoiseSchedule
from earthloom.models.tiny.network import TinyUNet, Told

KIND: Kind = "v"
"""The velocity is of one size at all steps, so that neither pictures nor noise need be scaled."""


@lru_cache(maxsize=4)
def make_schedule(device: torch.device) -> NoiseSchedule:
    """The schedule that tiny painters learn and draw by: the cosine of Nichol and Dhariwal, 1,000 steps."""
    return NoiseSchedule.cosine().to(device)


def predict(network: TinyUNet, x: Tensor, t: Tensor, told: Told) -> Tensor:
    """The velocities of noisy levels at steps `t` (N whole numbers)."""
    drawn: Tensor = network(x, t / make_schedule(x.device).n_steps, told)
    return drawn


def draw_pictures(network: TinyUNet, told: Told, noise: Tensor, *, steps: int, guidance: float) -> Tensor:
    """Draw what is told from noise, N x channels x side x side: pictures of the same shape, -1 to 1.

    Args:
        network: trained.
        told: of N pictures.
        noise: to begin with.
        steps: predictions on the way, 1 to 1,000.
        guidance: how far to go beyond what is told; 1 for no guidance, which takes half the time.

    """
    nothing = forget(told, torch.ones(len(noise), dtype=torch.bool, device=noise.device))

    def predict_guided(x: Tensor, t: Tensor) -> Tensor:
        if guidance == 1.0:
            return predict(network, x, t, told)
        return guide(predict(network, x, t, told), predict(network, x, t, nothing), guidance)

    schedule = make_schedule(noise.device)
    visited = space_steps(schedule.n_steps, steps, "trailing")
    bounds = network.to_levels(noise.new_full((1, 1, 1), -1.0)), network.to_levels(noise.new_ones(1, 1, 1))
    return network.to_pictures(dpmpp_2m(predict_guided, noise, schedule, visited, kind=KIND, clip=bounds))


def forget(told: Told, is_gone: Tensor) -> Told:
    """Take words, facts and the other picture from those of N for which `is_gone` is True."""
    return forget_control(
        forget_words(replace(told, known=told.known & ~is_gone[:, None]), is_gone),
        is_gone,
    )


def forget_words(told: Told, is_gone: Tensor) -> Told:
    """Take the words, but for the beginning that every text has."""
    tokens = told.tokens.clone()
    tokens[:, 1:] = tokens[:, 1:].masked_fill(is_gone[:, None, None], 0)
    return replace(told, tokens=tokens)


def forget_control(told: Told, is_gone: Tensor) -> Told:
    """Take the other picture."""
    if told.control is None:
        return told
    has = torch.ones_like(is_gone) if told.has_control is None else told.has_control
    return replace(told, has_control=has & ~is_gone)
