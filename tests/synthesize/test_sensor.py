from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from earthloom.synthesize.sensor import Sensor, draw_sensor, make_noise, quantise

SHOT = (1e-4, 0.012)
BITS = (12, 14, 16)


@pytest.mark.parametrize("level", [0.0, 1e-4, 1e-3, 0.01, 0.1, 1.0])
@pytest.mark.parametrize(("shot", "read"), [(1e-4, 6.3e-9), (1e-3, 1e-4), (0.012, 2.1e-4)])
def test_noise_has_the_variance_of_the_model(level: float, shot: float, read: float) -> None:
    flat = np.full((256, 256, 3), level, np.float32)
    noise = make_noise(flat, Sensor(shot=shot, read=read, bits=16), np.random.default_rng(4)).astype(float)
    variance = level * shot + read
    low, high = stats.chi2.ppf([1e-5, 1 - 1e-5], noise.size) / noise.size
    assert low < np.square(noise).mean() / variance < high
    assert abs(noise.mean()) < 4.5 * np.sqrt(variance / noise.size)


def test_noise_is_normal_and_white() -> None:
    flat = np.full((300, 300, 3), 0.1, np.float32)
    noise = make_noise(flat, Sensor(shot=1e-3, read=1e-6, bits=16), np.random.default_rng(0))
    unit = noise.astype(float) / np.sqrt(1e-4 + 1e-6)
    assert stats.kstest(unit.ravel(), "norm").pvalue > 1e-3
    assert stats.kurtosis(unit, axis=None) == pytest.approx(0, abs=0.04)
    for one, other in ((unit[1:], unit[:-1]), (unit[:, 1:], unit[:, :-1]), (unit[..., 0], unit[..., 1])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4.5 / np.sqrt(one.size)


@pytest.mark.parametrize("bits", BITS)
def test_converter_makes_whole_steps_and_keeps_the_mean(bits: int) -> None:
    step = 1 / (2**bits - 1)
    value = 20.3 * step
    made = quantise(np.full((256, 256, 3), value, np.float32), bits, np.random.default_rng(1)).astype(float)
    assert set(np.rint(made / step).ravel()) == {20.0, 21.0}
    np.testing.assert_allclose(made / step, np.rint(made / step), atol=1e-4)
    assert made.mean() / step == pytest.approx(20.3, abs=4.5 * np.sqrt(0.21 / made.size))


def test_converter_keeps_what_is_under_zero() -> None:
    made = quantise(np.full((64, 64, 1), -0.01, np.float32), 12, np.random.default_rng(1))
    assert made.mean() == pytest.approx(-0.01, abs=1e-4)


@given(seed=st.integers(0, 2**32), light=st.floats(0.02, 0.3), least=st.floats(1, 5))
def test_drawn_cameras_leave_middle_grey_readable(seed: int, light: float, least: float) -> None:
    sensor = draw_sensor(SHOT, BITS, least, light, np.random.default_rng(seed))
    x = 0.18 * light
    assert SHOT[0] * 0.999 <= sensor.shot <= SHOT[1] * 1.001
    assert sensor.bits in BITS
    assert x / np.sqrt(x * sensor.shot + sensor.read) >= least * 0.98 or sensor.shot == pytest.approx(1e-4)


def test_read_noise_follows_shot_noise_as_in_real_cameras() -> None:
    """Mean line and spread of log read over log shot, by regression: slope 2.18, offset 1.20, deviation 0.26."""
    rng = np.random.default_rng(3)
    drawn = [draw_sensor(SHOT, BITS, 0, 1.0, rng) for _ in range(3000)]
    x, y = (np.log([getattr(sensor, name) for sensor in drawn]) for name in ("shot", "read"))
    fit = stats.linregress(x, y)
    assert fit.slope == pytest.approx(2.18, abs=0.02)
    assert fit.intercept == pytest.approx(1.20, abs=0.13)
    assert (y - fit.slope * x - fit.intercept).std() == pytest.approx(0.26, abs=0.015)
    assert stats.kstest(x, stats.uniform(np.log(1e-4), np.log(120)).cdf).pvalue > 1e-3
