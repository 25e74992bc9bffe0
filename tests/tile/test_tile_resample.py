from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from earthloom.tile import resample as module
from earthloom.tile.resample import Axis, find_weights, resample

SLANT = 0.1237
"""About 7 degrees, and no simple fraction, so that distances from the edge take all values."""
RATIOS = [1.5, 2.0, 2.5, 3.0, 4.0, 5.37, 8.0, 13.0, 20.6]


def reader(values: np.ndarray, valid: np.ndarray | None = None):
    """Read windows of an array as a scene's pixels are read: beyond it is invalid."""

    def read(col, row, width, height):
        out = np.full((height, width, values.shape[2]), np.nan, np.float32)
        ok = np.zeros((height, width), bool)
        left, top = max(col, 0), max(row, 0)
        right, bottom = min(col + width, values.shape[1]), min(row + height, values.shape[0])
        if left < right and top < bottom:
            where = np.s_[top - row : bottom - row, left - col : right - col]
            out[where] = values[top:bottom, left:right]
            ok[where] = True if valid is None else valid[top:bottom, left:right]
        return out, None if ok.all() else ok

    return read


def axis(ratio: float, n: int, length: int, start: float = 0.0, detail: float | None = None) -> Axis:
    return Axis(start, ratio, ratio if detail is None else detail, n, length)


def draw(values, ratio, n, kernel="gaussian", *, start=0.0, valid=None):
    values = values if values.ndim == 3 else values[:, :, None]
    x, y = axis(ratio, n, values.shape[1], start), axis(ratio, n, values.shape[0], start)
    return resample(reader(values.astype(np.float32), valid), x, y, kernel)


def texture(size: int, seed: int = 1, beta: float = 2.0) -> np.ndarray:
    """A random field with the power spectrum k^-beta of landscapes, mean 0.4."""
    rng = np.random.default_rng(seed)
    k = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    k[0, 0] = 1
    spectrum = np.fft.rfft2(rng.normal(size=(size, size))) * k ** (-beta / 2)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=(size, size))
    return (0.4 + 0.1 * field / field.std()).astype(np.float32)


def modulation_of_edge(image: np.ndarray, edge: float, slope: float) -> tuple[float, float]:
    """Slanted-edge method (ISO 12233): modulation at 0.5 cycles a pixel, and by how many pixels the edge is off.

    The edge is the line x = edge + slope * y in pixels of `image`.
    """
    rows, cols = np.mgrid[0 : image.shape[0], 0 : image.shape[1]] + 0.5
    distance = ((cols - edge - slope * rows) / math.hypot(1, slope)).ravel()
    bins = 8
    index = np.floor(distance * bins).astype(int)
    near = (index >= -6 * bins) & (index < 6 * bins)
    index = index[near] + 6 * bins
    counts = np.bincount(index, minlength=12 * bins)
    spread = np.bincount(index, image.ravel()[near], minlength=12 * bins) / counts
    line = np.diff(spread)
    at = (np.arange(len(line)) + 1) / bins - 6
    blur = np.sinc(0.5 / bins) ** 2  # of binning and of differencing
    modulation = abs(np.sum(line * np.exp(-2j * math.pi * 0.5 * at))) / line.sum() / blur
    return float(modulation), float((line * at).sum() / line.sum())


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("start", [0.0, 3.3])
def test_an_edge_is_as_sharp_as_optics_leave_it(ratio, start):
    n = 100
    size = math.ceil(n * ratio + start + 20)
    rows, cols = np.mgrid[0:size, 0:size] + 0.5
    middle = start + ratio * 40.3
    scene = (cols - middle - SLANT * rows > 0).astype(np.float32)
    image, valid = draw(scene, ratio, n, start=start)
    assert valid is None
    edge = (middle + SLANT * start - start) / ratio
    modulation, off = modulation_of_edge(image[:, :, 0], edge, SLANT)
    assert modulation == pytest.approx(0.25, abs=0.03)
    assert abs(off) < 0.03, "in phase: the edge is where it was"


def test_the_edge_method_measures_what_is_known():
    rows, cols = np.mgrid[0:100, 0:100] + 0.5
    edge = (cols - 40 - SLANT * rows) / math.hypot(1, SLANT)
    for sigma, wanted in ((0.530, 0.25), (0.4247, 0.411)):
        image = np.vectorize(lambda d, s=sigma: 0.5 + 0.5 * math.erf(d / s / math.sqrt(2)))(edge)
        assert modulation_of_edge(image, 40, SLANT)[0] == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize(("kernel", "error"), [("gaussian", 0.015), ("box", 0.06)])
@pytest.mark.parametrize("ratio", [1.3, 2.0, 2.7, 4.0, 9.5])
def test_a_ramp_stays_where_it_is(kernel, error, ratio):
    """A symmetric kernel sampled at each pixel's own centre reproduces linear functions, whatever the phase.

    A box takes source pixels as squares of one value, so it is exact only where its edges are theirs.
    """
    n, start = 40, 31.7
    size = math.ceil(n * ratio + 80)
    rows, cols = np.mgrid[0:size, 0:size] + 0.5
    image, _ = draw(0.3 * cols - 0.2 * rows, ratio, n, kernel, start=start)
    centres = start + (np.arange(n) + 0.5) * ratio
    wanted = 0.3 * centres[None] - 0.2 * centres[:, None]
    assert np.abs(image[:, :, 0] - wanted).max() < error


@pytest.mark.parametrize("ratio", [2.0, 2.5, 3.0, 4.0, 8.0, 12.8])
@pytest.mark.parametrize("kernel", ["gaussian", "box"])
def test_the_mean_is_kept(ratio, kernel):
    scene = texture(1280)
    image, _ = draw(scene, ratio, int(1280 / ratio), kernel)
    assert image.mean() == pytest.approx(scene.mean(), rel=1e-3)


def test_four_at_once_is_much_like_two_times_two():
    scene = texture(1024)
    at_once, _ = draw(scene, 4.0, 256)
    halves, _ = draw(draw(scene, 2.0, 512)[0], 2.0, 256)
    inner = np.s_[4:-4, 4:-4]
    difference = (at_once - halves)[inner].std() / at_once[inner].std()
    assert difference < 0.05, "sigma 2.12 against sqrt(1.06^2 + 2.12^2) = 2.37 source pixels"
    assert halves.mean() == pytest.approx(at_once.mean(), rel=1e-3)


@pytest.mark.parametrize(("first", "second"), [(2.0, 2.0), (3.0, 2.0), (2.0, 4.0)])
def test_steps_blur_as_their_gaussians_add_up(first, second):
    """A Gaussian matched to a modulation is not the same in steps (Dou 2018): the variances of both steps add up.

    In source pixels sigma^2 = s^2 a^2 + s^2 (a b)^2 where one step has s^2 (a b)^2 alone; so G becomes G^(1 + b^-2).
    """
    n, ratio = 100, first * second
    size = int(n * ratio)
    rows, cols = np.mgrid[0:size, 0:size] + 0.5
    scene = (cols - ratio * 40.3 - SLANT * rows > 0).astype(np.float32)
    steps, _ = draw(draw(scene, first, int(n * second))[0], second, n)
    modulation, off = modulation_of_edge(steps[:, :, 0], 40.3, SLANT)
    assert modulation == pytest.approx(0.25 ** (1 + second**-2), abs=0.03)
    assert abs(off) < 0.03, "and neither way moves the edge"
    field = texture(800)
    got, _ = draw(draw(field, first, int(800 / first))[0], second, int(800 / ratio))
    sigma = 0.530 * math.hypot(first, ratio)
    blurred = ndimage.gaussian_filter(field.astype(float), sigma, truncate=6, mode="nearest")
    centres = (np.arange(got.shape[0]) + 0.5) * ratio - 0.5
    wanted = ndimage.map_coordinates(blurred, np.meshgrid(centres, centres, indexing="ij"), order=3)
    assert np.abs(got[:, :, 0] - wanted)[8:-8, 8:-8].max() < 0.03 * field.std()


@pytest.mark.parametrize("factor", [2, 3, 5, 8, 16])
def test_a_box_is_the_mean_of_blocks(factor):
    scene = texture(factor * 40)
    image, _ = draw(scene, float(factor), 40, "box")
    blocks = scene.reshape(40, factor, 40, factor).mean(axis=(1, 3))
    np.testing.assert_allclose(image[:, :, 0], blocks, atol=2e-6)


@pytest.mark.parametrize(("size", "n"), [(640, 512), (700, 512), (333, 100)])
def test_a_box_is_opencvs_area(size, n):
    scene = np.stack([texture(size, seed) for seed in (1, 2, 3)], axis=2)
    image, _ = draw(scene, size / n, n, "box")
    np.testing.assert_allclose(image, cv2.resize(scene, (n, n), interpolation=cv2.INTER_AREA), atol=1e-5)


def test_a_gaussian_is_scipys_at_whole_ratios():
    from scipy.ndimage import gaussian_filter

    scene = texture(600)
    image, _ = draw(scene, 3.0, 200)
    sigma = 3 / math.pi * math.sqrt(-2 * math.log(0.25))
    wanted = gaussian_filter(scene.astype(np.float64), sigma, truncate=6)[1::3, 1::3]
    np.testing.assert_allclose(image[5:-5, 5:-5, 0], wanted[5:-5, 5:-5], atol=2e-4)


@pytest.mark.parametrize("ratio", [8.0, 10.7, 33.0])
def test_averaging_cells_first_changes_next_to_nothing(ratio, monkeypatch):
    scene = texture(int(ratio * 50 + 7))
    quick, _ = draw(scene, ratio, 50)
    monkeypatch.setattr(Axis, "cell", 1)
    exact, _ = draw(scene, ratio, 50)
    assert np.abs(quick - exact).max() < 0.02 * scene.std()


@pytest.mark.parametrize("kernel", ["gaussian", "box"])
@pytest.mark.parametrize("ratio", [3.1, 9.3])
def test_chunks_and_blocks_make_no_difference(kernel, ratio, monkeypatch):
    scene = np.stack([texture(1100, 1), texture(1100, 2)], axis=2)
    valid = np.random.default_rng(0).random((1100, 1100)) > 0.1
    whole = draw(scene, ratio, 115, kernel, valid=valid)
    monkeypatch.setattr(module, "_CHUNK_SAMPLES", 1)
    monkeypatch.setattr(module, "_READ_PIXELS", 10_000)
    monkeypatch.setattr(module, "_WIDEST_BLOCK", 0)
    pieces = draw(scene, ratio, 115, kernel, valid=valid)
    np.testing.assert_allclose(whole[0], pieces[0], atol=1e-5)
    np.testing.assert_array_equal(whole[1], pieces[1])


@given(st.floats(1.1, 12), st.sampled_from(["gaussian", "box"]), st.integers(0, 2**31))
def test_nodata_never_bleeds(ratio, kernel, seed):
    rng = np.random.default_rng(seed)
    n = 12
    size = math.ceil(n * ratio)
    valid = rng.random((size, size)) > 0.4
    scene = np.where(valid, 0.37, rng.choice([np.nan, -9999.0, 1e9, np.inf]))
    image, kept = draw(scene, ratio, n, kernel, valid=valid)
    kept = np.ones((n, n), bool) if kept is None else kept
    np.testing.assert_allclose(image[kept][:, 0], 0.37, rtol=1e-4)
    assert (image[~kept] == 0).all()


def test_a_pixel_is_valid_with_half_of_its_weight():
    valid = np.ones((80, 80), bool)
    valid[:, 38:] = False
    _, kept = draw(np.ones((80, 80)), 4.0, 20, "box", valid=valid)
    assert kept[0].tolist() == [True] * 10 + [False] * 10, "pixel 9 has two of its four columns"


def test_beyond_the_scene_is_invalid_and_its_edge_is_not_darkened():
    image, kept = draw(np.full((50, 50), 0.8), 2.0, 40, start=-10.0)
    inside = np.zeros((40, 40), bool)
    inside[5:30, 5:30] = True
    np.testing.assert_array_equal(kept, inside)
    np.testing.assert_allclose(image[inside], 0.8, rtol=1e-5)
    far, none = draw(np.full((50, 50), 0.8), 2.0, 10, start=200.0)
    assert not none.any()
    assert not far.any()


def test_an_axis_that_is_only_multiplied_is_interpolated_by_a_cubic():
    scene = texture(40)
    x = axis(0.25, 160, 40, detail=1.0)
    image, _ = resample(reader(scene[:, :, None]), x, x, "gaussian")
    wanted = cv2.resize(scene, (160, 160), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(image[8:-8, 8:-8, 0], wanted[8:-8, 8:-8], atol=1e-5)


def test_an_axis_that_stays_is_copied():
    scene = texture(300)
    same, coarser = axis(1.0, 100, 300, start=40.0), axis(3.0, 100, 300)
    image, _ = resample(reader(scene[:, :, None]), same, coarser, "box")
    wanted = scene.reshape(100, 3, 300).mean(axis=1)[:, 40:140]
    np.testing.assert_allclose(image[:, :, 0], wanted, atol=1e-6)


def test_detail_and_step_are_separate():
    """A scene too short for its distance: blurred for 4 pixels, drawn every 2."""
    scene = texture(400)
    fine = axis(2.0, 200, 400, detail=4.0)
    image, _ = resample(reader(scene[:, :, None]), fine, fine, "gaussian")
    phase = axis(4.0, 99, 400, start=-1.0)
    coarse, _ = resample(reader(scene[:, :, None]), phase, phase, "gaussian")
    np.testing.assert_allclose(image[2:196:2, 2:196:2], coarse[1:98, 1:98], atol=1e-6)


@given(
    st.floats(-50, 500), st.floats(0.1, 40), st.floats(1, 3), st.integers(1, 64), st.integers(1, 400),
    st.sampled_from(["gaussian", "box"]),
)  # fmt: skip
def test_weights_add_up_wherever_the_scene_is(start, step, extra, n, length, kernel):
    sampled = Axis(start, step, max(1.0, step) * extra, n, length)
    weights = find_weights(sampled, kernel, 0, n)
    totals = np.asarray(weights.matrix.sum(axis=1)).ravel()
    inside = (sampled.centres(0, n) >= 0) & (sampled.centres(0, n) < length)
    np.testing.assert_allclose(totals, inside.astype(float), atol=1e-5)
    assert weights.covers == bool(inside.all())
    assert 0 <= weights.first < length
