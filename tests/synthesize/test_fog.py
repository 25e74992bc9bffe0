from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from veil_scenes import make_ground, make_stack, read_naip

from earthloom.core.light import Light, to_display, to_light
from earthloom.metrics.veils import recover_transmission
from earthloom.synthesize.config import SEVERITIES, Severity
from earthloom.synthesize.fog import FogSettings, add_fog, draw_fog
from earthloom.synthesize.stack import Outcome, Stack
from earthloom.synthesize.veil import TRANSMISSION


def lay(stack: Stack, severity: Severity, seed: int, **given: object) -> Outcome:
    """Draw and add."""
    rng = np.random.default_rng(seed)
    fog = draw_fog(FogSettings.model_validate(given), stack.view, severity, rng)
    return add_fog(stack, fog, rng)


@settings(max_examples=60)
@given(
    severity=st.sampled_from(SEVERITIES),
    seed=st.integers(0, 2**32),
    size=st.sampled_from([(64, 64), (65, 130), (256, 256)]),
)
def test_mean_transmission_is_the_drawn_one(severity: Severity, seed: int, size: tuple[int, int]) -> None:
    stack = make_stack(make_ground(*size))
    rng = np.random.default_rng(seed)
    fog = draw_fog(FogSettings(), stack.view, severity, rng)
    low, high = TRANSMISSION[severity]
    assert low < fog.mean_transmission < high
    outcome = add_fog(stack, fog, rng)
    assert outcome.visible is not None
    assert float(outcome.visible.mean()) == pytest.approx(fog.mean_transmission, abs=0.02)
    assert outcome.severity == severity
    json.dumps([dataclasses.asdict(fog), dict(outcome.measured)], allow_nan=False)


def test_contrast_left_in_the_picture_is_the_transmission() -> None:
    stack = make_stack(make_ground(256, 256))
    for seed, severity in enumerate(SEVERITIES * 3):
        measured = lay(stack, severity, seed).measured
        assert measured["contrast_left"] == pytest.approx(measured["mean_transmission"], abs=0.04)


def test_the_picture_follows_the_model_pixel_by_pixel() -> None:
    """From the drawn numbers and the visible share alone, with NumPy."""
    stack = make_stack(make_ground(128, 160), make_ground(128, 160, 1, seed=1))
    rng = np.random.default_rng(8)
    fog = draw_fog(FogSettings(angstrom=(0.1, 0.15)), stack.view, "moderate", rng)
    outcome = add_fog(stack, fog, rng)
    assert outcome.visible is not None
    tau_green = -np.log(outcome.visible.astype(np.float64))
    for layer, light in zip(stack.layers, outcome.layers, strict=True):
        for band, um in enumerate(layer.wavelengths_um):
            t = np.exp(-tau_green * (0.5625 / um) ** fog.angstrom)
            expected = layer.light[:, :, band] * t + fog.airlight * (1 - t)
            assert light[:, :, band] == pytest.approx(expected, abs=2e-6)


def test_fog_is_nearly_grey_on_black_ground() -> None:
    black = np.zeros((96, 96, 3), np.float32)
    for seed in range(5):
        veil = lay(make_stack(black), "heavy", seed).layers[0].reshape(-1, 3)
        assert np.ptp(veil, axis=1).max() < 0.03


def test_rgb_and_infrared_lie_under_one_fog(real_data: Path) -> None:
    """The optical depths found again in the stored 8-bit pictures, brought to 0.55 um, agree within 2 %."""
    rgb, nir = read_naip(real_data)
    stack = make_stack(rgb, nir, pixel_m=5)
    rng = np.random.default_rng(4)
    fog = draw_fog(FogSettings(angstrom=(0.15, 0.15), beta=(3.4, 3.6)), stack.view, "moderate", rng)
    outcome = add_fog(stack, fog, rng)
    depths = []
    for layer, light in zip(stack.layers, outcome.layers, strict=True):
        stored = to_light(to_display(light))
        for band, um in enumerate(layer.wavelengths_um):
            clear = layer.light[:, :, band]
            found = recover_transmission(clear, stored[:, :, band], window=32)
            tau = -np.log(np.maximum(found, 1e-3)) * (um / 0.55) ** fog.angstrom
            depths.append(np.where(_texture(clear) > 0.02, tau, np.nan))
    for depth in depths[:3]:
        both = np.isfinite(depth) & np.isfinite(depths[3])
        assert both.sum() > 150
        assert np.median(depth[both] / depths[3][both]) == pytest.approx(1, abs=0.02)


def test_real_fields_are_used_and_named(real_data: Path, tmp_path: Path) -> None:
    for path in (real_data / "haze").glob("*_B9.tiff"):
        (tmp_path / path.name).symlink_to(path)
    stack = make_stack(make_ground())
    for seed in range(12):
        rng = np.random.default_rng(seed)
        fog = draw_fog(FogSettings(fields=str(tmp_path)), stack.view, "heavy", rng)
        assert fog.beta is None
        assert fog.cut is not None
        assert fog.cut.file.endswith("_B9.tiff")
        outcome = add_fog(stack, fog, rng)
        assert outcome.severity == "heavy"
        assert outcome.measured["mean_transmission"] == pytest.approx(fog.mean_transmission, abs=0.02)


def test_same_seed_same_bytes_and_inputs_stay() -> None:
    ground = make_ground()
    stack = make_stack(ground.copy())
    first, again, other = (lay(stack, "moderate", seed).layers[0].tobytes() for seed in (1, 1, 2))
    assert first == again != other
    assert np.array_equal(stack.layers[0].light, ground)


def test_no_banding_where_the_ground_is_smooth() -> None:
    """On even ground the stored veil passes through every 8-bit value on its way."""
    even = np.full((512, 512, 3), 0.05, np.float32)
    shown = to_display(lay(make_stack(even), "moderate", 3).layers[0])[:, :, 1]
    counts = np.bincount(shown.ravel(), minlength=256)
    low, high = np.percentile(shown, [1, 99]).astype(int)
    inside = counts[low : high + 1]
    assert len(inside) > 20
    assert (inside > 0).all()


def test_bad_settings_are_faults() -> None:
    with pytest.raises(ValidationError, match="smaller number first"):
        FogSettings(airlight=(1.0, 0.75))
    with pytest.raises(ValidationError):
        FogSettings(airlight=(0.5, 1.5))


def _texture(plane: Light) -> np.ndarray:
    rows, columns = plane.shape[0] // 32, plane.shape[1] // 32
    return np.asarray(plane.reshape(rows, 32, columns, 32).std(axis=(1, 3)))
