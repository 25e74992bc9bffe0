"""Indices of covers in their published form; finding covers is tested on scenes in `test_surface`."""

from __future__ import annotations

import numpy as np
import pytest

from earthloom.synthesize.covers import compute_excess_green, compute_ndvi, compute_ndwi


def test_indices_have_their_published_form() -> None:
    a, b = np.full((2, 2), 0.5, np.float32), np.full((2, 2), 0.1, np.float32)
    assert compute_ndwi(a, b) == pytest.approx(0.4 / 0.6, abs=0.03)
    assert compute_ndvi(b, a) == pytest.approx(0.4 / 0.6, abs=0.03)
    rgb = np.dstack([b, a, b])
    assert compute_excess_green(rgb) == pytest.approx((2 * 0.5 - 0.2) / 0.7, abs=0.1)
    grey = np.dstack([a, a, a])
    assert compute_excess_green(grey) == pytest.approx(0, abs=1e-6)
