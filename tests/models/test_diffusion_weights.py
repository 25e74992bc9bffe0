"""Weights of losses by hand, and noise by its moments."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from earthloom.models.diffusion.schedule import Kind
from earthloom.models.diffusion.weights import min_snr_weights, offset_noise

# snr:             0     0.5    1      5      20     100
BY_HAND: dict[Kind, list[float]] = {
    "epsilon": [1.0, 1.0, 1.0, 1.0, 0.25, 0.05],
    "x0": [0.0, 0.5, 1.0, 5.0, 5.0, 5.0],
    "v": [0.0, 1 / 3, 0.5, 5 / 6, 5 / 21, 5 / 101],
}


@pytest.mark.parametrize("kind", BY_HAND)
def test_min_snr_weights_with_a_cap_of_five(kind: Kind) -> None:
    snr = torch.tensor([0.0, 0.5, 1.0, 5.0, 20.0, 100.0], dtype=torch.float64)
    torch.testing.assert_close(
        min_snr_weights(snr, 5.0, kind), torch.tensor(BY_HAND[kind], dtype=torch.float64)
    )


@given(snr=st.floats(1e-6, 1e6), gamma=st.floats(0.1, 100))
def test_one_error_weighs_the_same_whatever_is_predicted(snr: float, gamma: float) -> None:
    """An error e of x0 is an error of e sqrt(snr) of the noise and of e sqrt(snr + 1) of the velocity."""
    of_x0, of_noise, of_velocity = (
        min_snr_weights(torch.tensor([snr], dtype=torch.float64), gamma, kind).item()
        for kind in ("x0", "epsilon", "v")
    )
    assert of_noise * snr == pytest.approx(of_x0, rel=1e-9)
    assert of_velocity * (snr + 1) == pytest.approx(of_x0, rel=1e-9)


def test_offset_moves_whole_channels() -> None:
    noise = offset_noise((4000, 2, 4, 4), 0.5, generator=torch.Generator().manual_seed(0))
    means = noise.mean((2, 3))
    assert means.var().item() == pytest.approx(1 / 16 + 0.25, rel=0.05)
    within = (noise - means[..., None, None]).var(dim=(2, 3)).mean()
    assert within.item() == pytest.approx(1.0, rel=0.05)
    assert torch.corrcoef(means.T)[0, 1].abs() < 0.05  # channels move apart


def test_without_offset_it_is_plain_noise_and_no_more_is_drawn() -> None:
    generators = [torch.Generator().manual_seed(7) for _ in range(2)]
    plain = offset_noise((2, 3, 4, 4), 0.0, generator=generators[0])
    assert torch.equal(plain, torch.randn(2, 3, 4, 4, generator=generators[1]))
    assert torch.equal(generators[0].get_state(), generators[1].get_state())
