from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from veil_scenes import Array, compare_structure, correlate_gradients, make_ground, make_stack

from earthloom.core.errors import RecordError
from earthloom.core.light import Light
from earthloom.core.records import Reason
from earthloom.metrics.veils import recover_transmission
from earthloom.synthesize.unveil import recover_contrast
from earthloom.synthesize.veil import (
    angstrom_depth,
    compose_veil,
    grade_transmission,
    haze_exponent,
    haze_exponent_logarithmic,
    haze_plane,
    haze_transmission,
    lay_veil,
    solve_strength,
)

LANDSAT_UM = (0.443, 0.4825, 0.5625, 0.655, 0.865, 1.61, 2.2)
SENTINEL_UM = (0.490, 0.560, 0.665, 0.842)
"""Blue, green, red and NIR of Sentinel-2, at which the table of Angstrom's law was worked out."""


@pytest.mark.parametrize(
    ("t1", "gamma", "published"),
    [
        (0.8, 2.521, [0.8, 0.8353, 0.8850, 0.9201, 0.9595, 0.9914, 0.9961]),
        (0.5, 0.417, [0.5, 0.5123, 0.5340, 0.5550, 0.5920, 0.6672, 0.7010]),
        (0.15, 0, [0.15] * 7),
    ],
)
def test_haze_law_gives_the_published_vectors(t1: float, gamma: float, published: list[float]) -> None:
    assert float(haze_exponent(np.array(t1))) == pytest.approx(gamma, abs=5e-4)
    got = [float(haze_transmission(np.array(t1), um)) for um in LANDSAT_UM]
    assert got == pytest.approx(published, abs=5.1e-5)


def test_second_fit_agrees_with_the_first_where_haze_is_common() -> None:
    t1 = np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert haze_exponent_logarithmic(t1) == pytest.approx(haze_exponent(t1), abs=1)
    assert haze_exponent_logarithmic(np.exp(-np.exp([0.1, 0.0, -0.5]))) == pytest.approx(
        [0.4318 - 0.1896, 0.4318, 0.4318 + 0.948]
    )
    assert haze_exponent_logarithmic(np.array([0.0, 1.0])).tolist() == [0, 4]


@given(st.floats(0, 1), st.sampled_from(LANDSAT_UM))
def test_table_follows_the_law(obscuration: float, um: float) -> None:
    plane = np.full((2, 2), obscuration, np.float32)
    assert haze_plane(plane, um) == pytest.approx(
        float(haze_transmission(np.array(1 - obscuration), um)), abs=1e-4
    )


@pytest.mark.parametrize(
    ("alpha", "published"),
    [
        (0, [0.607, 0.607, 0.607, 0.607]),
        (0.3, [0.596, 0.608, 0.624, 0.644]),
        (1.3, [0.559, 0.614, 0.677, 0.750]),
        (1.8, [0.540, 0.616, 0.701, 0.793]),
        (4, [0.452, 0.628, 0.791, 0.913]),
    ],
)
def test_angstrom_law_gives_the_published_table(alpha: float, published: list[float]) -> None:
    got = [np.exp(-angstrom_depth(0.5, um, alpha)) for um in SENTINEL_UM]
    assert got == pytest.approx(published, abs=5.1e-4)


@pytest.mark.parametrize("t", [0.8, 0.6, 0.4, 0.2])
def test_a_uniform_veil_keeps_structure_and_scales_contrast(t: float) -> None:
    clear = make_ground()[:, :, 1]
    veiled = compose_veil(clear, np.full_like(clear, t), 0.9)
    before, after = clear.astype(np.float64), veiled.astype(np.float64)
    assert compare_structure(before, after) == pytest.approx(1, abs=5e-4)
    assert correlate_gradients(before, after) == pytest.approx(1, abs=5e-4)
    assert _local_deviation(after) == pytest.approx(t * _local_deviation(before), rel=1e-3)


def test_dark_channel_rises_by_the_airlight() -> None:
    clear = make_ground()
    veiled = np.dstack(
        [compose_veil(clear[:, :, band], np.full(clear.shape[:2], 0.7, np.float32), 0.9) for band in range(3)]
    )
    assert _dark_channel(veiled) == pytest.approx(0.7 * _dark_channel(clear) + 0.3 * 0.9, abs=1e-5)


def test_transmission_is_recovered_under_a_sloping_veil() -> None:
    clear = make_ground(128, 192)[:, :, 0]
    t = np.linspace(0.3, 0.9, 192, dtype=np.float32)[None, :].repeat(128, axis=0)
    recovered = recover_transmission(clear, compose_veil(clear, t, 0.8), window=16)
    wanted = t.reshape(8, 16, 12, 16).mean(axis=(1, 3))
    assert recovered.shape == (8, 12)
    # A ramp of 0.05 across a window leaves a little of the ramp times the texture.
    assert np.median(np.abs(recovered - wanted)) < 0.003
    assert np.abs(recovered - wanted).max() < 0.03


def test_flat_ground_tells_nothing() -> None:
    flat = np.full((64, 64), 0.2, np.float32)
    assert np.isnan(recover_transmission(flat, flat)).all()
    assert recover_contrast(flat, flat) is None


@pytest.mark.parametrize(
    ("mean", "word"),
    [
        (0.951, None),
        (0.95, "light"),
        (0.8, "light"),
        (0.799, "moderate"),
        (0.55, "moderate"),
        (0.549, "heavy"),
    ],
)
def test_words_follow_the_measured_mean(mean: float, word: str | None) -> None:
    assert grade_transmission(mean) == word
    assert grade_transmission(0.01) == "heavy"


def test_strength_is_solved_or_as_much_as_there_is() -> None:
    def fall(x: float) -> float:
        return float(np.exp(-x))

    assert solve_strength(fall, 0.5, 10) == pytest.approx(np.log(2), abs=1e-6)
    assert solve_strength(fall, 0.5, 0.3) == 0.3


def test_a_stack_is_veiled_by_one_plane_in_every_band() -> None:
    stack = make_stack(make_ground(64, 96), make_ground(64, 96, 1, seed=1))
    inputs = [layer.light.copy() for layer in stack.layers]
    t = np.linspace(0.4, 0.9, 96, dtype=np.float32)[None].repeat(64, axis=0)
    outcome = lay_veil(stack, lambda um: t ** np.float32(um), lambda um: um, "test")
    for layer, clear, light in zip(stack.layers, inputs, outcome.layers, strict=True):
        assert np.array_equal(layer.light, clear)
        assert light.shape == clear.shape
        assert light.dtype == np.float32
        for band, um in enumerate(layer.wavelengths_um):
            expected = clear[:, :, band] * t**um + um * (1 - t**um)
            assert light[:, :, band] == pytest.approx(expected, abs=1e-6)
    assert outcome.visible == pytest.approx(t**0.5625)
    assert outcome.measured["at_um"] == 0.5625
    assert outcome.measured["mean_transmission"] == pytest.approx(float((t**0.5625).mean()), abs=1e-4)


def test_near_infrared_alone_is_measured_there() -> None:
    stack = make_stack(None, make_ground(64, 64, 1))
    outcome = lay_veil(stack, lambda um: np.full((64, 64), um, np.float32), lambda _: 0.9, "test")
    assert outcome.measured["mean_transmission"] == outcome.measured["at_um"] == 0.865
    assert outcome.severity == "light"
    assert outcome.measured["contrast_left"] == pytest.approx(0.865, abs=1e-3)


def test_only_pixels_with_data_count() -> None:
    valid = np.zeros((64, 64), bool)
    valid[:, :32] = True
    t = np.where(valid, 0.5, 0.99).astype(np.float32)
    stack = make_stack(make_ground(64, 64), valid=valid)
    outcome = lay_veil(stack, lambda _: t, lambda _: 0.9, "test")
    assert outcome.measured["mean_transmission"] == 0.5
    assert outcome.severity == "heavy"


def _refusal(light: Light, transmission: float, valid: bool = True) -> RecordError:
    stack = make_stack(light)
    stack = stack if valid else dataclasses.replace(stack, valid=np.zeros(light.shape[:2], bool))
    plane = np.full(light.shape[:2], transmission, np.float32)
    with pytest.raises(RecordError) as caught:
        lay_veil(stack, lambda _: plane, lambda _: 0.9, "test")
    return caught.value


def test_what_nobody_sees_is_refused() -> None:
    ground = make_ground(64, 64)
    assert _refusal(ground, 0.96).reason is Reason.NO_EFFECT
    assert "0.960" in str(_refusal(ground, 0.96))
    snow = np.full((64, 64, 3), 0.9, np.float32)
    assert _refusal(snow, 0.5).reason is Reason.NO_EFFECT
    assert _refusal(ground, 0.5, valid=False).reason is Reason.NO_EFFECT


def _local_deviation(plane: Array) -> float:
    cut = plane.reshape(16, 16, 16, 16).swapaxes(1, 2)
    return float(cut.std(axis=(2, 3)).mean())


def _dark_channel(light: Light) -> float:
    return float(light.min(axis=2).reshape(16, 16, 16, 16).min(axis=(1, 3)).mean())
