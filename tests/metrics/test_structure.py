"""Structure against scikit-image, the formulas written out, and the published behaviour under fog (METHODS 1.7)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_scenes import encode, lay_fog, make_field, make_ground
from scipy.signal import convolve2d

from earthloom.core.errors import UsageError
from earthloom.core.light import to_light
from earthloom.metrics.structure import (
    gmsd,
    gradient_correlation,
    light_luminance,
    ssim,
    stored_grey,
    structure_term,
)


def make_noise(seed: int, shape: tuple[int, ...] = (80, 97)) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


@pytest.mark.parametrize("t", [0.8, 0.6, 0.4, 0.2])
def test_uniform_fog_keeps_structure_and_edges_exactly_and_lowers_ssim(t: float) -> None:
    ground = make_ground()
    foggy = lay_fog(ground, t)
    assert structure_term(ground, foggy) == pytest.approx(1, abs=5e-4)
    assert gradient_correlation(ground, foggy) == pytest.approx(1, abs=5e-4)


def test_ssim_falls_and_gmsd_rises_with_uniform_fog() -> None:
    """METHODS 1.7, another scene: SSIM .958, .844, .661, .422 and GMSD .007, .033, .086, .171 at these t."""
    ground = make_ground(seed=3)
    levels = (0.8, 0.6, 0.4, 0.2)
    similar = [ssim(ground, lay_fog(ground, t)) for t in levels]
    assert similar == sorted(similar, reverse=True)
    assert similar[0] > 0.8
    assert similar[-1] < 0.45
    apart = [gmsd(ground, lay_fog(ground, t)) for t in levels]
    assert apart == sorted(apart)
    np.testing.assert_allclose(apart, [0.007, 0.033, 0.086, 0.171], atol=0.025)


def test_8_bits_take_little_of_the_structure_under_thin_fog() -> None:
    ground = make_ground()
    clear, foggy = encode(ground), encode(lay_fog(ground, 0.8))
    assert structure_term(clear, foggy) > 0.97
    assert gradient_correlation(clear, foggy) > 0.97


def test_uneven_fog_costs_a_little_structure() -> None:
    """METHODS 1.7, another scene and a smoother field: .998, .992, .966 at these w."""
    ground, field = make_ground(seed=5), make_field((256, 256), 3.6, np.random.default_rng(1))
    terms = [structure_term(ground, lay_fog(ground, 1 - w * field)) for w in (0.3, 0.5, 0.8)]
    assert terms == sorted(terms, reverse=True)
    assert np.all(np.array(terms) > [0.98, 0.95, 0.85])
    assert terms[0] < 0.9999


def test_unrelated_ground_shares_little_structure() -> None:
    """METHODS 1.7: structure .097, edges -.008; what is flat in either picture counts for structure as equal."""
    a, b = make_ground(seed=1), make_ground(seed=2)
    assert abs(structure_term(a, b)) < 0.3
    assert abs(gradient_correlation(a, b)) < 0.05
    assert structure_term(a, np.roll(a, 8, axis=1)) < 0.3


def test_erased_ground_counts_as_structure_and_not_as_edges() -> None:
    """A known blindness of the term: without contrast in b it is C3 / C3."""
    ground = make_ground()
    erased = np.where(np.arange(256)[None, :, None] < 128, 0.9, ground)
    assert structure_term(ground, erased) > 0.9
    assert gradient_correlation(ground, erased) < 0.7


def test_ssim_is_that_of_scikit_image() -> None:
    peer = pytest.importorskip("skimage.metrics").structural_similarity
    a, b = make_noise(0), np.clip(make_noise(0) + 0.2 * make_noise(1), 0, 1)
    wanted = peer(a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    assert ssim(a, b) == pytest.approx(wanted, abs=1e-12)


def test_structure_term_is_the_formula_window_by_window() -> None:
    a, b = make_noise(2, (24, 20)), make_noise(3, (24, 20))
    profile = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(profile, profile) / profile.sum() ** 2
    terms = []
    for row in range(14):
        for column in range(10):
            x, y = a[row : row + 11, column : column + 11], b[row : row + 11, column : column + 11]
            x, y = x - (window * x).sum(), y - (window * y).sum()
            deviations = np.sqrt((window * x * x).sum() * (window * y * y).sum())
            c3 = 0.03**2 / 2
            terms.append(((window * x * y).sum() + c3) / (deviations + c3))
    assert structure_term(a, b) == pytest.approx(np.mean(terms), abs=1e-12)


def test_gmsd_is_the_published_algorithm() -> None:
    """Xue et al.'s steps on grey of 0 to 255, with another library's convolution."""
    a, b = make_noise(4, (64, 50)), make_noise(5, (64, 50))
    prewitt = np.array([[1, 0, -1]] * 3) / 3
    maps = []
    for grey in (255 * a, 255 * b):
        small = convolve2d(grey, np.full((2, 2), 0.25), mode="full")[1:, 1:][::2, ::2]
        across, down = (convolve2d(small, kernel, mode="same") for kernel in (prewitt, prewitt.T))
        maps.append(np.sqrt(across**2 + down**2))
    similarity = (2 * maps[0] * maps[1] + 170) / (maps[0] ** 2 + maps[1] ** 2 + 170)
    assert gmsd(a, b) == pytest.approx(np.std(similarity, ddof=1), abs=1e-12)
    assert gmsd(a, a) == 0


@given(st.floats(0.05, 1), st.floats(0, 0.5), st.integers(0, 50))
def test_gradients_know_no_scale_and_no_offset(scale: float, offset: float, seed: int) -> None:
    a = make_noise(seed, (20, 20))
    assert gradient_correlation(a, scale * a + offset) == pytest.approx(1, abs=1e-9)
    assert structure_term(a, scale * a + offset) == pytest.approx(1, abs=1e-9)
    assert gradient_correlation(a, offset - scale * a) == pytest.approx(1, abs=1e-9)
    assert structure_term(a, offset - scale * a) < 0


def test_a_mask_leaves_out_what_is_hidden() -> None:
    ground = make_ground()
    clouded = ground.copy()
    clouded[:, :128] = 0.9
    seen = np.zeros(ground.shape[:2], bool)
    seen[:, 128 + 6 :] = True
    assert structure_term(ground, clouded, seen) == pytest.approx(1, abs=1e-9)
    assert gradient_correlation(ground, clouded, seen) == pytest.approx(1, abs=1e-9)
    assert gradient_correlation(ground, clouded) < 0.7
    assert np.isnan(structure_term(ground, clouded, np.zeros_like(seen)))
    assert np.isnan(gradient_correlation(ground, clouded, np.zeros_like(seen)))


def test_flat_pictures_have_no_gradients_to_correlate() -> None:
    assert np.isnan(gradient_correlation(np.full((32, 32), 0.3), make_noise(0, (32, 32))))


def test_bytes_are_decoded_for_light_and_not_for_grey() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    luminance = to_light(picture).astype(np.float64) @ [0.2126, 0.7152, 0.0722]
    np.testing.assert_allclose(light_luminance(picture), luminance, atol=1e-7)
    np.testing.assert_allclose(stored_grey(picture), picture @ [0.299, 0.587, 0.114] / 255, atol=1e-12)
    single = picture[:, :, :1]
    np.testing.assert_array_equal(light_luminance(single), light_luminance(single[:, :, 0]))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.zeros((20, 20)), np.zeros((20, 21))),
        (np.zeros((10, 40)), np.zeros((10, 40))),
        (np.zeros((20, 20, 4)), np.zeros((20, 20, 4))),
        (np.zeros((20, 20), np.int16), np.zeros((20, 20), np.int16)),
    ],
)
def test_pictures_that_cannot_be_compared_are_refused(a: np.ndarray, b: np.ndarray) -> None:
    with pytest.raises(UsageError):
        structure_term(a, b)


def test_masks_of_another_shape_or_type_are_refused() -> None:
    a = make_noise(0, (20, 20))
    with pytest.raises(UsageError, match="mask"):
        structure_term(a, a, np.ones((19, 20), bool))
    with pytest.raises(UsageError, match="mask"):
        gradient_correlation(a, a, np.ones((20, 20), np.uint8))  # type: ignore[arg-type]
