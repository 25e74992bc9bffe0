from __future__ import annotations

import pytest

from earthloom.geo.levels import find_level, round_gsd


@pytest.mark.parametrize(
    ("gsd_m", "word"),
    [
        (0.05, "Ultra-high"), (0.3, "Ultra-high"), (0.4994, "Ultra-high"), (0.49986, "High"), (0.5, "High"),
        (0.99, "High"), (0.9996, "Ordinary"), (1.0, "Ordinary"), (2.4, "Ordinary"), (4.99, "Ordinary"),
        (4.998, "Low"), (5.0, "Low"), (10.0, "Low"), (30.0, "Low"), (49.9, "Low"), (50.0, "Ultra-low"),
        (100.0, "Ultra-low"), (529.0, "Ultra-low"),
    ],
)  # fmt: skip
def test_levels_are_those_of_the_paper(gsd_m, word):
    assert find_level(gsd_m) == f"{word} precision resolution"


def test_the_unpublished_threshold_can_be_set():
    assert find_level(30.0, low_below_m=20.0).startswith("Ultra-low")


@pytest.mark.parametrize(
    ("gsd_m", "rounded"), [(0.302349, 0.302), (123.456, 123.0), (12345.0, 12300.0), (9.996, 10.0), (1.0, 1.0)]
)
def test_distances_are_rounded_to_three_significant_digits(gsd_m, rounded):
    assert round_gsd(gsd_m) == pytest.approx(rounded, rel=1e-12)
