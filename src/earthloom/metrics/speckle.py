"""Names of `earthloom.metrics.radar` that were here before it."""

from __future__ import annotations

from earthloom.metrics.radar.decibels import from_levels
from earthloom.metrics.radar.looks import estimate_looks, find_common_looks, map_looks

__all__ = ["estimate_looks", "find_common_looks", "from_levels", "map_looks"]
