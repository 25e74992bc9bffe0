from __future__ import annotations

import pytest
from pyproj import Geod

from earthloom.geo.ellipsoid import metres_per_degree

PUBLISHED = {
    0: (110574.276, 111319.491),
    30: (110852.442, 96486.280),
    45: (111131.777, 78846.835),
    60: (111412.287, 55800.002),
    75: (111618.384, 28902.006),
}
"""Metres per degree of latitude and of longitude on WGS 84."""


@pytest.mark.parametrize(("lat_deg", "wanted"), PUBLISHED.items())
def test_a_degree_is_as_long_as_published_to_the_millimetre(lat_deg, wanted):
    assert metres_per_degree(lat_deg) == pytest.approx(wanted, abs=5e-4)


@pytest.mark.parametrize("lat_deg", [-89.0, -33.3, 0.0, 12.5, 67.0])
def test_it_agrees_with_short_geodesics(lat_deg):
    step = 1e-3
    geod = Geod(ellps="WGS84")
    north = geod.line_length([10, 10], [lat_deg - step / 2, lat_deg + step / 2]) / step
    east = geod.line_length([10 - step / 2, 10 + step / 2], [lat_deg, lat_deg]) / step
    assert metres_per_degree(lat_deg) == pytest.approx((north, east), rel=1e-6)
    assert metres_per_degree(lat_deg) == metres_per_degree(-lat_deg)
