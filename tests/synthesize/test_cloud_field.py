"""One field of water, whatever part of it is looked at and however finely."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from earthloom.synthesize.cloud_field import CloudField, interpolate, make_cloud_field


def make_field(pixel_m: float = 10, shift_m: float = 1000, seed: int = 0, **changes: float) -> CloudField:
    side = 256 * pixel_m
    settings = {"cell_m": 1500.0, "beta": 3.0, "cover": 0.5} | changes
    return make_cloud_field(
        (side, side), (-shift_m, shift_m), pixel_m, rng=np.random.default_rng(seed), **settings
    )


@given(
    top=st.floats(-30, 30),
    left=st.floats(-30, 30),
    step=st.floats(0.05, 3),
    seed=st.integers(0, 1000),
)
def test_spline_is_scipys(top: float, left: float, step: float, seed: int) -> None:
    nodes = np.random.default_rng(seed).normal(size=(18, 24)).astype(np.float32)
    got = interpolate(nodes, 2.0, (top, left), (13, 9), step)
    rows, columns = np.meshgrid(
        (top + step * np.arange(13)) / 2, (left + step * np.arange(9)) / 2, indexing="ij"
    )
    want = ndimage.map_coordinates(
        nodes.astype(np.float64), [rows, columns], order=3, mode="grid-wrap", prefilter=False
    )
    np.testing.assert_allclose(got, want, atol=2e-5)


@pytest.mark.parametrize("pixel_m", [0.3, 10, 300])
def test_every_look_sees_the_same_field(pixel_m: float) -> None:
    field = make_field(pixel_m, shift_m=4000)  # the parts lie within the picture
    whole = field.sample((0, 0), (96, 128), pixel_m)
    np.testing.assert_allclose(field.sample((0, 0), (48, 64), 2 * pixel_m), whole[::2, ::2], atol=1e-4)
    part = field.sample((32 * pixel_m, 50 * pixel_m), (40, 30), pixel_m)
    np.testing.assert_allclose(part, whole[32:72, 50:80], atol=1e-4)


def test_smooth_however_close_one_looks() -> None:
    near = make_field(0.3, shift_m=5000).sample((0, 0), (200, 200), 0.3)
    bends = np.abs(np.diff(near, 2, axis=0)).max()
    assert bends < 0.02 * np.ptp(near)


@pytest.mark.parametrize("pixel_m", [2, 10, 50])
def test_has_unit_variance_over_its_domain(pixel_m: float) -> None:
    """Spread of 12 draws: a domain of about ten cells has a variance of one within a tenth."""
    variances = []
    for seed in range(12):
        field = make_field(pixel_m, shift_m=20_000, seed=seed)
        step = field.coarse_m * field.coarse.shape[0] / 300
        variances.append(float(field.sample((0, 0), (300, 300), step).var()))
    assert np.mean(variances) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("beta", [2.4, 3.0, 3.6])
def test_spectrum_falls_as_asked_over_both_scales(beta: float) -> None:
    """Periodogram of 100 m to 500 m waves: the step from coarse to detail, at 300 m, leaves no kink."""
    pixel_m, side = 10.0, 256
    power = np.zeros((side, side // 2 + 1))
    window = np.hanning(side)[:, None] * np.hanning(side)[None, :]
    for seed in range(12):
        field = make_field(pixel_m, shift_m=5000, seed=seed, beta=beta, cell_m=4000)
        seen = field.sample((0, 0), (side, side), pixel_m).astype(np.float64)
        power += np.abs(np.fft.rfft2((seen - seen.mean()) * window)) ** 2
    k = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    edges = np.geomspace(0.02, 0.1, 13)
    ring = np.digitize(k, edges)
    means = np.array([power[ring == i].mean() for i in range(1, 13)])
    centres = np.array([k[ring == i].mean() for i in range(1, 13)])
    slope, _ = np.polyfit(np.log(centres), np.log(means), 1)
    assert -slope == pytest.approx(beta, abs=0.2)
    halves = [np.polyfit(np.log(centres[s]), np.log(means[s]), 1)[0] for s in (slice(0, 6), slice(6, 12))]
    assert -np.array(halves) == pytest.approx(beta, abs=0.4)


def test_a_small_picture_lies_where_the_sky_is_as_cloudy_as_asked() -> None:
    for cover, level in ((0.1, 1.2816), (0.5, 0.0), (0.8, -0.8416)):
        field = make_field(0.3, shift_m=3000, cover=cover, seed=4)
        assert field.sample((0, 0), (256, 256), 0.3).mean() == pytest.approx(level, abs=0.3)


@pytest.mark.parametrize("shift_px", [0, 60, 200, 255, 256, 300, 2000])
def test_no_texture_is_seen_twice(shift_px: int) -> None:
    """Circular correlation of what is fine in the picture and in what casts its shadows: only the true shift shows."""
    shift_m = 10.0 * shift_px
    field = make_field(10, shift_m=shift_m, seed=shift_px)
    here = field.sample((0, 0), (256, 256), 10)
    there = field.sample((shift_m, -shift_m), (256, 256), 10)
    window = np.hanning(256)[:, None] * np.hanning(256)[None, :]
    spectra = []
    for seen in (here, there):
        fine = (seen - ndimage.gaussian_filter(seen, 6)) * window
        spectra.append(np.fft.rfft2(fine / np.sqrt((fine**2).sum())))
    score = np.fft.irfft2(np.conj(spectra[1]) * spectra[0])
    row, column = np.unravel_index(int(score.argmax()), score.shape)
    if shift_px <= 60:
        assert (row, column) == (shift_px, (256 - shift_px) % 256)
    else:
        assert score.max() < 0.2


def test_time_and_memory_do_not_grow_with_the_shift() -> None:
    for shift_m in (0, 1000, 60_000):
        field = make_field(0.3, shift_m=shift_m)
        assert field.coarse.size <= 170**2
        assert field.detail.size <= 300**2
        assert (field.far_detail is None) == (shift_m == 0)
        assert np.isfinite(field.sample((-shift_m, shift_m), (64, 64), 0.3)).all()
