"""Samplers beside those of diffusers, and on a distribution whose score is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from earthloom.models.diffusion.sampling import (
    Spacing,
    ddim,
    dpmpp_2m,
    draw_noise,
    guide,
    space_steps,
)
from earthloom.models.diffusion.schedule import Kind, NoiseSchedule

SD = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "num_train_timesteps": 1000}
NAMES = {"epsilon": "epsilon", "v": "v_prediction", "x0": "sample"}


def network(x: Tensor, t: Tensor) -> Tensor:
    """Something that bends, and differs from step to step."""
    return torch.tanh(0.7 * x + 0.3 * x.flip(-1)) * (0.4 + t.reshape(-1, 1, 1, 1) / 2000)


def run_theirs(scheduler: Any, x: Tensor, n: int) -> Tensor:
    scheduler.set_timesteps(n)
    for t in scheduler.timesteps:
        x = scheduler.step(network(x, t.repeat(len(x))), t, x).prev_sample
    return x


@pytest.mark.parametrize("spacing", ["leading", "linspace", "trailing"])
@pytest.mark.parametrize("n", [1, 7, 20, 50])
def test_steps_are_spaced_as_diffusers_spaces_them(spacing: Spacing, n: int) -> None:
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(**SD, timestep_spacing=spacing)
    scheduler.set_timesteps(n)
    assert space_steps(1000, n, spacing) == scheduler.timesteps.tolist()


@pytest.mark.parametrize("n", [0, 1001])
def test_too_few_and_too_many_steps_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        space_steps(1000, n)


@pytest.mark.parametrize("kind", ["epsilon", "v", "x0"])
@pytest.mark.parametrize("clip", [None, 1.0])
def test_ddim_equals_that_of_diffusers(kind: Kind, clip: float | None) -> None:
    """At 20 steps, which divide 1,000: else theirs goes by equal strides from where it should be."""
    from diffusers import DDIMScheduler

    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    theirs = DDIMScheduler(
        **SD,
        prediction_type=NAMES[kind],
        timestep_spacing="trailing",
        clip_sample=clip is not None,
        clip_sample_range=clip or 1.0,
    )
    bounds = None if clip is None else (torch.tensor(-clip), torch.tensor(clip))
    ours = ddim(network, x, NoiseSchedule.scaled_linear(), space_steps(1000, 20), kind=kind, clip=bounds)
    torch.testing.assert_close(ours, run_theirs(theirs, x, 20), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["epsilon", "v", "x0"])
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # theirs, of NumPy 2
@pytest.mark.parametrize("n", [1, 2, 10, 25])
def test_dpm_solver_equals_that_of_diffusers(kind: Kind, n: int) -> None:
    from diffusers import DPMSolverMultistepScheduler

    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    theirs = DPMSolverMultistepScheduler(**SD, prediction_type=NAMES[kind], timestep_spacing="trailing")
    ours = dpmpp_2m(network, x, NoiseSchedule.scaled_linear(), space_steps(1000, n), kind=kind)
    torch.testing.assert_close(ours, run_theirs(theirs, x, n), rtol=1e-4, atol=1e-4)


MEAN, SPREAD = 0.7, 0.4


def know(schedule: NoiseSchedule) -> Callable[[Tensor, Tensor], Tensor]:
    """The best prediction of x0 where pictures are N(0.7, 0.4^2): the mean of the posterior."""

    def predict(x: Tensor, t: Tensor) -> Tensor:
        signal, noise = schedule.amplitudes(t, x)
        return MEAN + signal * SPREAD**2 / (signal**2 * SPREAD**2 + noise**2) * (x - signal * MEAN)

    return predict


def flow_to_end(schedule: NoiseSchedule, x: Tensor, step: int) -> Tensor:
    """Where the probability flow takes x: a Gaussian stays one, so quantiles go to quantiles."""
    signal, noise = schedule.amplitudes(torch.tensor([step]), x)
    return MEAN + SPREAD * (x - signal * MEAN) / torch.sqrt(signal**2 * SPREAD**2 + noise**2)


def error_of(sampler: Any, n: int) -> float:
    schedule = NoiseSchedule.scaled_linear()
    x = torch.linspace(-2, 2, 9, dtype=torch.float64).reshape(9, 1, 1, 1)
    steps = space_steps(1000, n)
    drawn = sampler(know(schedule), x, schedule, steps, kind="x0")
    return float((drawn - flow_to_end(schedule, x, steps[0])).abs().max())


def test_ddim_follows_the_flow_of_a_gaussian() -> None:
    assert error_of(ddim, 1000) < 0.01
    assert error_of(ddim, 1000) < 0.2 * error_of(ddim, 100)  # first order


def test_dpm_solver_follows_it_in_fewer_steps() -> None:
    assert error_of(dpmpp_2m, 50) < 0.7 * error_of(ddim, 50)
    assert error_of(dpmpp_2m, 1000) < 0.5 * error_of(ddim, 1000)


@pytest.mark.parametrize("sampler", [ddim, dpmpp_2m])
@pytest.mark.parametrize("n", [1, 5])
def test_a_single_picture_is_found_in_any_number_of_steps(sampler: Any, n: int) -> None:
    picture = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(4))
    noise = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(5))
    schedule = NoiseSchedule.cosine()
    drawn = sampler(lambda x, t: picture, noise, schedule, space_steps(1000, n), kind="x0")
    torch.testing.assert_close(drawn, picture)


def test_guidance_of_one_is_none_and_of_zero_takes_the_condition_away() -> None:
    told, untold = torch.randn(2, 4, generator=torch.Generator().manual_seed(6))
    torch.testing.assert_close(guide(told, untold, 1.0), told)
    torch.testing.assert_close(guide(told, untold, 0.0), untold)
    torch.testing.assert_close(guide(told, untold, 3.0), 3 * told - 2 * untold)


def test_noise_depends_on_seed_and_key_alone() -> None:
    together = draw_noise(["a", "b", "c"], (3, 8, 8), 1)
    assert torch.equal(together[1], draw_noise(["b"], (3, 8, 8), 1)[0])
    assert not torch.equal(together[0], together[1])
    assert not torch.equal(together, draw_noise(["a", "b", "c"], (3, 8, 8), 2))
    many = draw_noise([str(k) for k in range(200)], (1, 8, 8), 0)
    assert abs(many.mean()) < 0.03
    assert many.var().item() == pytest.approx(1.0, abs=0.05)
