"""Classical features: what each must say of pictures whose answer is known, and how they are scaled."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_scenes import encode, lay_fog, make_field, make_ground

from earthloom.core.errors import UsageError
from earthloom.metrics.features import (
    N_FEATURES,
    Scaler,
    describe_picture,
    describe_pictures,
    name_features,
    standardise,
)
from earthloom.metrics.kid import kid_unbiased


def describe(picture: np.ndarray) -> dict[str, float]:
    return dict(zip(name_features(), describe_picture(picture).tolist(), strict=True))


def make_picture(seed: int = 0) -> np.ndarray:
    return encode(make_ground((192, 160), seed))


def test_names_and_values_are_as_many_and_names_differ() -> None:
    assert len(name_features()) == len(set(name_features())) == N_FEATURES
    assert describe_picture(make_picture()).shape == (N_FEATURES,)


def test_moments_are_those_of_the_pixels() -> None:
    picture = make_picture()
    found = describe(picture)
    stored = picture[:, :, 1] / 255
    assert found["g_stored_mean"] == pytest.approx(stored.mean(), abs=1e-9)
    assert found["g_stored_sd"] == pytest.approx(stored.std(), abs=1e-9)
    third = np.mean((stored - stored.mean()) ** 3)
    assert found["g_stored_skew"] == pytest.approx(np.cbrt(third), abs=1e-9)
    light = np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)
    assert found["g_light_mean"] == pytest.approx(light.mean(), abs=1e-9)
    wanted = np.corrcoef(picture[:, :, 0].ravel(), picture[:, :, 1].ravel())[0, 1]
    assert found["correlation_rg"] == pytest.approx(wanted, abs=1e-9)


def test_white_and_dark_are_shares_of_the_pixels() -> None:
    picture = np.minimum(make_picture(), 180)
    picture[:48], picture[48:72] = 230, 10
    found = describe(picture)
    assert found["white_share"] == pytest.approx(48 / 192, abs=1e-9)
    assert found["dark_share"] >= 24 / 192
    picture[:48] = (230, 230, 120)  # bright and coloured: sand
    assert describe(picture)["white_share"] == 0


def test_stripes_have_one_direction() -> None:
    upright = np.broadcast_to(np.sin(np.arange(128) * 0.4)[None, :], (128, 128))
    picture = np.repeat((127 + 100 * upright).astype(np.uint8)[:, :, None], 3, axis=2)
    assert describe(picture)["direction_0deg"] > 0.95
    turned = np.ascontiguousarray(picture.swapaxes(0, 1))
    assert describe(turned)["direction_90deg"] > 0.95


def test_the_spectrums_slope_is_that_of_the_noise() -> None:
    """Amplitude falls as k^(-beta / 2)."""
    slopes = []
    for beta in (1.0, 2.0, 3.0):
        field = make_field((256, 256), beta, np.random.default_rng(1))
        slopes.append(
            describe(np.repeat((255 * field).astype(np.uint8)[:, :, None], 3, axis=2))["spectrum_slope"]
        )
    np.testing.assert_allclose(slopes, [-0.5, -1.0, -1.5], atol=0.2)


def test_fog_moves_features_the_way_it_must() -> None:
    ground = make_ground((192, 160))
    clear, foggy = describe(encode(ground)), describe(encode(lay_fog(ground, 0.4)))
    assert foggy["dark_mean"] > clear["dark_mean"] + 0.3
    assert foggy["saturation_mean"] < clear["saturation_mean"]
    assert foggy["contrast_1px"] < clear["contrast_1px"]
    assert foggy["block_contrast_q50"] < clear["block_contrast_q50"]


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_flat_pictures_have_finite_features(red: int, green: int, blue: int) -> None:
    picture = np.full((40, 33, 3), (red, green, blue), np.uint8)
    assert np.isfinite(describe_picture(picture)).all()


@given(st.integers(0, 2**32 - 1), st.integers(32, 90), st.integers(32, 90))
def test_any_picture_has_finite_features(seed: int, height: int, width: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.isfinite(describe_picture(picture)).all()


def test_the_same_picture_has_the_same_features_whatever_its_strides() -> None:
    picture = make_picture()
    np.testing.assert_array_equal(describe_picture(picture), describe_picture(picture.copy()))
    turned = picture[::-1][::-1]
    np.testing.assert_array_equal(describe_picture(picture), describe_picture(np.asfortranarray(turned)))


@pytest.mark.parametrize(
    "picture",
    [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3)), np.zeros((31, 64, 3), np.uint8)],
)
def test_other_pictures_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(UsageError):
        describe_picture(picture)


def test_a_reference_is_brought_to_one_scale() -> None:
    rng = np.random.default_rng(0)
    reference = rng.normal(3, [1, 10, 0.01], size=(500, 3))
    scaled, other = standardise(reference, reference + np.array([1, 0, 10]))
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=0.05)
    assert other[:, 0].mean() == pytest.approx(1, abs=0.05)
    assert (other[:, 2] == 5).all()  # cut, so that one odd feature does not decide a cubic kernel


def test_features_that_never_change_are_left_in_their_unit() -> None:
    scaler = Scaler.fit(np.array([[1.0, 2.0], [1.0, 4.0]]))
    np.testing.assert_allclose(scaler.scale(np.array([[1.5, 3.0]])), [[0.5, 0.0]])
    with pytest.raises(UsageError, match="At least 2"):
        Scaler.fit(np.ones((1, 3)))


def test_fog_is_further_than_other_clear_ground() -> None:
    first = describe_pictures([make_picture(seed) for seed in range(12)])
    second = describe_pictures([make_picture(seed) for seed in range(12, 24)])
    foggy = describe_pictures([encode(lay_fog(make_ground((192, 160), seed), 0.5)) for seed in range(12)])
    _, a, b, c = standardise(np.vstack([first, second, foggy]), first, second, foggy)
    assert kid_unbiased(a, c) > 20 * abs(kid_unbiased(a, b))
    assert describe_pictures([]).shape == (0, N_FEATURES)


def test_a_picture_of_512_pixels_takes_milliseconds() -> None:
    """10 ms on an idle core; six times that leaves room for a busy one."""
    picture = encode(make_ground((512, 512)))
    describe_picture(picture)
    start = time.process_time()
    for _ in range(5):
        describe_picture(picture)
    assert (time.process_time() - start) / 5 < 0.06
