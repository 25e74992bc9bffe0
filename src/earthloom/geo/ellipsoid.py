"""Closed forms on the WGS 84 ellipsoid."""

from __future__ import annotations

import math

SEMI_MAJOR_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
_E2 = FLATTENING * (2 - FLATTENING)


def metres_per_degree(lat_deg: float) -> tuple[float, float]:
    """Length of one degree of latitude and of one degree of longitude at a latitude, metres.

    From the radii of curvature of the meridian, M = a(1-e2)/(1-e2 sin2)^1.5, and of the prime vertical,
    N = a/sqrt(1-e2 sin2): M pi/180 and N cos(lat) pi/180.
    """
    lat = math.radians(lat_deg)
    w2 = 1 - _E2 * math.sin(lat) ** 2
    meridian_m = SEMI_MAJOR_M * (1 - _E2) / w2**1.5
    parallel_m = SEMI_MAJOR_M / math.sqrt(w2) * math.cos(lat)
    return math.radians(meridian_m), math.radians(parallel_m)
