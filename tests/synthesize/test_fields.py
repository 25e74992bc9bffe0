from __future__ import annotations

import numpy as np
import pytest
from veil_scenes import measure_slope

from earthloom.synthesize.fields import make_power_law_field


@pytest.mark.parametrize(("beta", "fitted"), [(2.0, 1.95), (2.5, 2.45), (3.0, 2.95), (3.67, 3.61)])
def test_spectrum_falls_as_published(beta: float, fitted: float) -> None:
    slopes = [
        measure_slope(make_power_law_field(512, 512, beta, np.random.default_rng(seed))) for seed in range(6)
    ]
    assert np.mean(slopes) == pytest.approx(fitted, abs=0.15)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 511), (512, 512), (1024, 300)])
def test_fills_zero_to_one_at_any_size(height: int, width: int) -> None:
    field = make_power_law_field(height, width, 3, np.random.default_rng(1))
    assert field.shape == (height, width)
    assert field.dtype == np.float32
    assert (field.min(), field.max()) == (0, 1)


def test_one_seed_one_field() -> None:
    first, again, other = (make_power_law_field(96, 96, 3, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.95


def test_values_are_normal() -> None:
    """Sums of many waves: third and fourth moments as of a normal distribution, over many fields."""
    rng = np.random.default_rng(7)
    rows = [make_power_law_field(128, 128, 2.2, rng)[::16, ::16].ravel() for _ in range(200)]
    values = np.concatenate([(row - row.mean()) / row.std() for row in rows])
    assert np.mean(values**3) == pytest.approx(0, abs=0.1)
    assert np.mean(values**4) == pytest.approx(3, abs=0.3)


def test_no_gradient_from_top_to_bottom() -> None:
    rng = np.random.default_rng(2)
    drops = []
    for _ in range(200):
        field = make_power_law_field(64, 64, 3, rng)
        drops.append(field[:32].mean() - field[32:].mean())
    assert abs(np.mean(drops)) < 3 * np.std(drops) / np.sqrt(len(drops))


def test_opposite_edges_do_not_match() -> None:
    rng = np.random.default_rng(3)
    seam, inside = [], []
    for _ in range(20):
        field = make_power_law_field(256, 256, 3.4, rng)
        seam.append(np.abs(field[0] - field[-1]).mean())
        inside.append(np.abs(field[0] - field[1]).mean())
    assert np.mean(seam) > 5 * np.mean(inside)


def test_beyond_the_outer_wavelength_the_spectrum_is_flat() -> None:
    rng = np.random.default_rng(4)
    slopes = [
        measure_slope(make_power_law_field(512, 512, 3, rng, outer_px=16), 0.01, 0.05) for _ in range(6)
    ]
    assert np.mean(slopes) == pytest.approx(0, abs=0.25)


@pytest.mark.parametrize("along_deg", [0.0, 30.0, 90.0, 120.0])
def test_features_are_longer_along_their_direction(along_deg: float) -> None:
    field = make_power_law_field(
        256, 256, 3, np.random.default_rng(5), stretch=4, along_deg=along_deg
    ).astype(np.float64)
    down, right = np.gradient(field)
    angle = np.radians(along_deg)
    lengthwise = right * np.sin(angle) - down * np.cos(angle)
    crosswise = right * np.cos(angle) + down * np.sin(angle)
    assert np.std(crosswise) > 2 * np.std(lengthwise)
