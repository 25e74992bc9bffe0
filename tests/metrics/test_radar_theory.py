"""Closed forms of speckle, against published values and against draws."""

from __future__ import annotations

import numpy as np
import pytest

from earthloom.metrics.radar import theory
from earthloom.metrics.radar.distribution import count_db, entropy_bits


@pytest.mark.parametrize(
    ("looks", "mean_log", "variance_log", "std_db", "bias_db", "of_intensity", "of_amplitude"),
    [
        (1.0, -0.57722, 1.64493, 5.570, -2.507, 1.0, 0.5227),
        (4.0, -0.13018, 0.28382, 2.314, -0.565, 0.5, 0.2536),
        (4.4, -0.11792, 0.25504, 2.193, -0.512, 0.4767, 0.2415),
        (10.0, -0.05083, 0.10517, 1.408, -0.221, 0.3162, 0.1591),
    ],
)
def test_table(
    looks: float,
    mean_log: float,
    variance_log: float,
    std_db: float,
    bias_db: float,
    of_intensity: float,
    of_amplitude: float,
) -> None:
    assert theory.mean_log(looks) == pytest.approx(mean_log, abs=5.1e-6)
    assert theory.variance_log(looks) == pytest.approx(variance_log, abs=5.1e-6)
    assert theory.std_db(looks) == pytest.approx(std_db, abs=5.1e-4)
    assert theory.bias_db(looks) == pytest.approx(bias_db, abs=5.1e-4)
    assert theory.variation_of_intensity(looks) == pytest.approx(of_intensity, abs=5.1e-5)
    assert theory.variation_of_amplitude(looks) == pytest.approx(of_amplitude, abs=5.1e-5)


@pytest.mark.parametrize(("looks", "expected"), [(1, 3.010), (4, 1.761), (4.4, 1.693), (10, 1.193)])
def test_radiometric_resolution(looks: float, expected: float) -> None:
    assert theory.radiometric_resolution_db(looks) == pytest.approx(expected, abs=5.1e-4)


@pytest.mark.parametrize("looks", [1.0, 4.4, 20.0])
def test_draws_follow_the_closed_forms(looks: float) -> None:
    intensity = np.random.default_rng(0).gamma(looks, 1 / looks, 1_000_000)
    decibels = 10 * np.log10(intensity)
    assert decibels.mean() == pytest.approx(float(theory.bias_db(looks)), abs=0.02)
    assert decibels.std() == pytest.approx(float(theory.std_db(looks)), rel=0.005)
    assert np.sqrt(intensity).std() / np.sqrt(intensity).mean() == pytest.approx(
        float(theory.variation_of_amplitude(looks)), rel=0.005
    )
    counts = count_db(decibels, -60, 20, 800)
    assert float(entropy_bits(counts)) == pytest.approx(float(theory.entropy_bits(looks, 0.1)), abs=0.01)


def test_it_takes_arrays_and_refuses_what_is_no_number_of_looks() -> None:
    looks = np.array([[1.0, 4.0]])
    assert theory.mean_log(looks).shape == (1, 2)
    with pytest.raises(ValueError, match="above 0"):
        theory.std_db([1.0, 0.0])
