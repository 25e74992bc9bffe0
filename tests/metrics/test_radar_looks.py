"""Looks of speckle, against the theory of the gamma distribution and against draws of it."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_scenes import make_field
from scipy.special import digamma, polygamma

from earthloom.metrics.radar.looks import (
    common_looks,
    count_looks,
    estimate_looks,
    find_common_looks,
    find_mode,
    looks_by_amplitude,
    looks_by_log_variance,
    looks_by_moments,
    map_looks,
    neighbour_correlation,
)
from earthloom.metrics.radar.theory import variation_of_amplitude


@pytest.mark.parametrize(
    ("looks", "mean_log"), [(1.0, -0.57722), (4.0, -0.13018), (4.4, -0.11792), (10.0, -0.05083)]
)
def test_published_means_of_logarithms_give_their_looks(looks: float, mean_log: float) -> None:
    """With a mean intensity of 1, ln(mean I) - mean(ln I) is minus the mean logarithm."""
    assert float(estimate_looks(-mean_log)) == pytest.approx(looks, rel=1e-3)


@given(st.floats(0.05, 5e4))
def test_it_undoes_the_theory(looks: float) -> None:
    contrast = math.log(looks) - float(digamma(looks))
    assert float(estimate_looks(contrast)) == pytest.approx(looks, rel=1e-4)


@pytest.mark.parametrize(
    ("looks", "moments", "likelihood", "log_variance"),
    [
        (1, (1.107, 0.288), (1.061, 0.207), (1.083, 0.235)),
        (4, (4.34, 1.13), (4.21, 0.93), (4.19, 0.91)),
        (10, (10.57, 2.29), (10.51, 2.20), (10.54, 2.25)),
    ],
)
def test_small_windows_scatter_as_they_are_known_to(
    looks: int,
    moments: tuple[float, float],
    likelihood: tuple[float, float],
    log_variance: tuple[float, float],
) -> None:
    """Means and deviations over windows of 49 draws, from 300 trials elsewhere; here from 4,000."""
    draws = np.random.default_rng(0).gamma(looks, 1 / looks, (4000, 49))
    found = {
        moments: looks_by_moments(draws, 1),
        likelihood: estimate_looks(np.log(draws.mean(1)) - np.log(draws).mean(1)),
        log_variance: looks_by_log_variance(draws, 1),
    }
    for (mean, deviation), estimates in found.items():
        # both have an error of their own; the other's is that of 300 trials
        assert estimates.mean() == pytest.approx(mean, abs=3 * deviation / math.sqrt(300))
        assert estimates.std() == pytest.approx(deviation, rel=0.15)
    assert found[likelihood].std() < found[moments].std()


def test_log_variance_undoes_its_theory() -> None:
    for looks in (0.3, 1.0, 4.4, 30.0):
        spread = math.sqrt(float(polygamma(1, looks)) / 2)  # two values with a variance (n - 1) of trigamma
        assert float(looks_by_log_variance(np.exp([spread, -spread]))) == pytest.approx(looks, rel=1e-9)


def test_amplitude_overestimates_by_what_is_said() -> None:
    rng = np.random.default_rng(3)
    for looks, excess in ((1, 1.0), (4, 1.062), (100, 1.093)):
        amplitude = np.sqrt(rng.gamma(looks, 1 / looks, 400_000))
        assert float(looks_by_amplitude(amplitude)) == pytest.approx(excess * looks, rel=0.012)
        assert (4 / math.pi - 1) / float(variation_of_amplitude(looks)) ** 2 == pytest.approx(
            excess * looks, rel=2e-3
        )


def make_edged_scene(looks: float, seed: int) -> np.ndarray:
    """Fields of strongly different brightness with some texture, under independent speckle."""
    rng = np.random.default_rng(seed)
    fields = cv2.resize(
        np.exp(rng.normal(0, 1.2, (8, 8))), (384, 384), interpolation=cv2.INTER_NEAREST
    ) * np.exp(0.6 * (make_field((384, 384), 2.0, rng) - 0.5))
    return np.asarray(fields * rng.gamma(looks, 1 / looks, fields.shape))


def find_linear_mode(looks: np.ndarray) -> float:
    """Top of a histogram of bins of equal width, by a parabola."""
    counts, edges = np.histogram(looks, np.arange(0, 20, 0.25))
    near = np.arange(counts.argmax() - 3, counts.argmax() + 4)
    curve, slope, _ = np.polyfit(edges[near] + 0.125, counts[near], 2)
    return float(-slope / (2 * curve))


def test_the_mode_of_windows_passes_over_edges_and_texture() -> None:
    """Known of 4.4 looks: moments over all give .547, tops for windows of 7, 9, 11 pixels lie at 4.05, 4.17, 4.29."""
    scenes = [make_edged_scene(4.4, seed) for seed in range(4)]
    assert np.mean([looks_by_moments(power) for power in scenes]) == pytest.approx(0.5, abs=0.2)
    maps = {side: np.stack([map_looks(power, side) for power in scenes]) for side in (7, 9, 11)}
    tops = {side: find_linear_mode(looks) for side, looks in maps.items()}
    assert tops[7] < min(tops[9], tops[11])
    for side, expected in ((7, 4.05), (9, 4.17), (11, 4.29)):
        assert tops[side] == pytest.approx(expected, rel=0.06)
        assert find_common_looks(maps[side]) == pytest.approx(4.4, rel=0.04)  # bins of equal ratio are nearer


def test_a_window_sees_what_it_covers() -> None:
    power = np.random.default_rng(2).gamma(3.0, 1 / 3, (20, 24))
    part = power[3:12, 5:14]
    expected = float(estimate_looks(np.log(part.mean()) - np.log(part).mean()))
    assert map_looks(power, 9)[3, 5] == pytest.approx(expected, rel=1e-6)


def test_missing_and_clipped_pixels_leave_their_windows_out() -> None:
    power = np.random.default_rng(2).gamma(3.0, 1 / 3, (40, 40))
    whole = map_looks(power, 9)
    for hole in (np.nan, 0.0, -1.0, np.inf):
        power_with_hole = power.copy()
        power_with_hole[20, 20] = hole
        looks = map_looks(power_with_hole, 9)
        expected = np.zeros(looks.shape, bool)
        expected[12:21, 12:21] = True
        np.testing.assert_array_equal(np.isnan(looks), expected)
        np.testing.assert_allclose(looks[~expected], whole[~expected], rtol=1e-6)
    clipped = np.zeros(power.shape, bool)
    clipped[20, 20] = True
    assert not np.isnan(map_looks(power, 9, clipped)).any()  # one of 81 is borne
    clipped[20, 21] = True
    assert np.isnan(map_looks(power, 9, clipped)[16, 16])


def test_clipped_ground_does_not_look_smoother() -> None:
    """Dark ground at the lower limit: its cut tail would pass for more looks."""
    rng = np.random.default_rng(5)
    power = 10 ** (-2.4) * rng.gamma(4.4, 1 / 4.4, (200, 400))
    power[:, :120] *= 10.0
    clipped = power < 10**-2.5
    cut = np.maximum(power, 10**-2.5)
    assert find_common_looks(map_looks(cut)) > 8
    assert find_common_looks(map_looks(cut, clipped=clipped)) == pytest.approx(4.4, rel=0.1)


def test_neighbours_that_share_speckle_inflate_looks_and_every_second_pixel_mends_it() -> None:
    fine = np.random.default_rng(7).gamma(4.4, 1 / 4.4, (600, 600))
    kernel = np.outer([0.5, 1.0, 0.5], [0.5, 1.0, 0.5])
    smooth = cv2.filter2D(fine, -1, kernel / kernel.sum())  # as many looks as 4.4 / sum of squares
    true_looks = 4.4 * 16 / float((kernel**2).sum())
    assert neighbour_correlation(fine) == pytest.approx(0, abs=0.02)
    assert neighbour_correlation(smooth) > 0.5
    whole, second = (common_looks([smooth], step=step) for step in (1, 2))
    assert whole.value is not None
    assert second.value is not None
    assert true_looks < second.value < whole.value
    thinned = map_looks(smooth[::2, ::2], 5)  # of the same ground as 9 x 9 of the whole
    assert second.value == pytest.approx(find_common_looks(thinned))
    assert (second.side, second.step, second.n_windows) == (9, 2, thinned.size)
    of_wide_windows = find_common_looks(map_looks(smooth[::2, ::2], 9))
    assert abs(of_wide_windows - true_looks) < 0.7 * abs(whole.value - true_looks)


def test_histograms_add_up_over_pictures() -> None:
    pictures = [make_edged_scene(4.4, seed) for seed in (1, 2)]
    together = common_looks(pictures)
    maps = [map_looks(each) for each in pictures]
    assert together.value == pytest.approx(find_common_looks(np.stack(maps)))
    added = sum(count_looks(each) for each in maps)
    assert together.value == pytest.approx(float(find_mode(np.asarray(added))))
    assert (together.side, together.step, together.n_left_out) == (9, 1, 0)
    assert together.n_windows == 2 * 376 * 376
    many = find_mode(np.stack([count_looks(each) for each in maps]))
    np.testing.assert_allclose(many, [find_common_looks(each) for each in maps])


def test_flat_ground_has_no_speckle() -> None:
    assert np.isinf(estimate_looks(0.0))
    assert np.isinf(map_looks(np.full((9, 9), 0.3), 9)).all()
    assert np.isinf(looks_by_moments(np.ones(4)))
    with pytest.raises(ValueError, match="wants finite values"):
        find_common_looks(np.array([np.inf]))
    nothing = common_looks([np.ones((12, 12))])
    assert (nothing.value, nothing.n_windows, nothing.n_left_out) == (None, 0, 16)


@pytest.mark.parametrize("side", [8, 1, 21])
def test_windows_have_to_fit(side: int) -> None:
    with pytest.raises(ValueError, match="wants an odd number"):
        map_looks(np.ones((20, 20)), side)


def test_bright_points_leave_nothing_behind() -> None:
    """A window beside a point of 200 dB sees its own ground alone."""
    power = np.random.default_rng(4).gamma(4.0, 0.25, (60, 60))
    spotted = power.copy()
    spotted[10, 10] = 1e20
    np.testing.assert_allclose(map_looks(spotted)[16:, :], map_looks(power)[16:, :], rtol=1e-6)
    np.testing.assert_allclose(map_looks(spotted)[:, 16:], map_looks(power)[:, 16:], rtol=1e-6)
