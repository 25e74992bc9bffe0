"""Noise schedules: closed forms, and diffusers' schedulers as the other implementation."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.models.diffusion.schedule import Kind, NoiseSchedule

SD = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "num_train_timesteps": 1000}
KINDS: tuple[Kind, ...] = ("epsilon", "v", "x0")
NAMES: dict[Kind, str] = {"epsilon": "epsilon", "v": "v_prediction", "x0": "sample"}


def test_first_and_last_share_of_stable_diffusion_in_closed_form() -> None:
    schedule = NoiseSchedule.scaled_linear()
    betas = [
        (math.sqrt(0.00085) + i / 999 * (math.sqrt(0.012) - math.sqrt(0.00085))) ** 2 for i in range(1000)
    ]
    assert schedule.alphas_cumprod[0].item() == pytest.approx(1 - 0.00085, rel=1e-12)
    assert schedule.alphas_cumprod[-1].item() == pytest.approx(
        math.exp(math.fsum(math.log1p(-beta) for beta in betas)), rel=1e-10
    )
    assert schedule.alphas_cumprod[-1].item() == pytest.approx(0.00466, abs=1e-5)  # known of SD 1.5


def test_linear_betas_are_those_of_ddpm() -> None:
    schedule = NoiseSchedule.linear()
    betas = [1e-4 + i / 999 * (0.02 - 1e-4) for i in range(1000)]
    for t in (0, 1, 499, 999):
        expected = math.exp(math.fsum(math.log1p(-beta) for beta in betas[: t + 1]))
        assert schedule.alphas_cumprod[t].item() == pytest.approx(expected, rel=1e-10)


def test_cosine_is_the_square_of_a_cosine_until_betas_are_capped() -> None:
    schedule = NoiseSchedule.cosine(1000)

    def share(t: float) -> float:
        return math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2

    for t in (0, 1, 250, 500, 997):
        assert schedule.alphas_cumprod[t].item() == pytest.approx(share(t + 1) / share(0), rel=1e-9)
    last = (schedule.alphas_cumprod[-1] / schedule.alphas_cumprod[-2]).item()
    assert last == pytest.approx(1 - 0.999, rel=1e-9)


@pytest.mark.parametrize(
    "config",
    [
        SD,
        {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02},
        {"beta_schedule": "squaredcos_cap_v2"},
        {**SD, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True},
        {"trained_betas": [0.1, 0.2, 0.3], "num_train_timesteps": 3, "prediction_type": "sample"},
    ],
)
def test_config_gives_what_diffusers_makes_of_it(config: dict[str, Any]) -> None:
    from diffusers import DDPMScheduler

    theirs = DDPMScheduler(**config)
    schedule = NoiseSchedule.from_scheduler_config(theirs.config)
    torch.testing.assert_close(schedule.alphas_cumprod, theirs.alphas_cumprod.double(), rtol=2e-4, atol=1e-7)
    assert NAMES[schedule.kind] == theirs.config.prediction_type


def test_noise_and_velocity_equal_those_of_diffusers() -> None:
    from diffusers import DDPMScheduler

    theirs, ours = DDPMScheduler(**SD), NoiseSchedule.from_scheduler_config(SD)
    x0, noise = torch.randn(2, 5, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    t = torch.tensor([0, 1, 250, 700, 999])
    torch.testing.assert_close(ours.noisy(x0, noise, t), theirs.add_noise(x0, noise, t), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        ours.target(x0, noise, t, "v"), theirs.get_velocity(x0, noise, t), rtol=1e-5, atol=1e-5
    )


def test_nothing_is_left_at_the_last_step_once_it_is_rescaled() -> None:
    before = NoiseSchedule.scaled_linear()
    after = before.without_last_signal()
    assert after.alphas_cumprod[-1] == 0
    assert after.alphas_cumprod[0].item() == pytest.approx(before.alphas_cumprod[0].item(), rel=1e-12)
    assert after.snr(torch.tensor([999])).item() == 0


@given(t=st.integers(0, 999), seed=st.integers(0, 2**31), kind=st.sampled_from(KINDS))
def test_picture_and_noise_come_back_from_what_is_predicted(t: int, seed: int, kind: Kind) -> None:
    schedule = NoiseSchedule.scaled_linear()
    x0, noise = torch.randn(2, 3, 1, 4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    steps = torch.full((3,), t)
    x, target = schedule.noisy(x0, noise, steps), schedule.target(x0, noise, steps, kind)
    torch.testing.assert_close(schedule.to_x0(x, target, steps, kind), x0)
    torch.testing.assert_close(schedule.to_noise(x, target, steps, kind), noise)


@given(t=st.integers(0, 999))
def test_snr_is_signal_over_noise(t: int) -> None:
    schedule = NoiseSchedule.cosine()
    signal, spread = schedule.amplitudes(torch.tensor([t]), torch.zeros(1, 1, 1, 1, dtype=torch.float64))
    assert schedule.snr(torch.tensor([t])).item() == pytest.approx((signal / spread).item() ** 2, rel=1e-9)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"beta_schedule": "sigmoid"}, "beta_schedule"),
        ({"prediction_type": "flow"}, "prediction_type"),
        ({**SD, "rescale_betas_zero_snr": True}, "v_prediction"),
    ],
)
def test_what_is_not_known_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        NoiseSchedule.from_scheduler_config(config)


@pytest.mark.parametrize("name", ["EDMDPMSolverMultistepScheduler", "FlowMatchEulerDiscreteScheduler"])
def test_schedulers_of_other_noise_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"The scheduler is a {name}"):
        NoiseSchedule.from_scheduler_config({"_class_name": name, "sigma_data": 0.5})
