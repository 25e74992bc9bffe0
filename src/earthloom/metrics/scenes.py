"""The physics of synthetic weather, checked in the pictures: one door to `veils`, `shadows` and `surfaces`."""

from earthloom.metrics.shadows import SHADOW_STRENGTH, SHADOW_WITHIN, ShadowOffset, shadow_offset
from earthloom.metrics.surfaces import (
    NDSI_SNOW,
    SPECKLE_LIMIT,
    STREAK_LIMIT,
    WATER_WITHIN,
    leave_ground,
    ndsi,
    speckle_share,
    streak_score,
    water_change,
)
from earthloom.metrics.veils import (
    TRANSMISSION_WITHIN,
    TREND_LIMIT,
    mean_transmission,
    recover_transmission,
    trend_bound,
    veil_lean,
    veil_trend,
)

__all__ = [
    "NDSI_SNOW",
    "SHADOW_STRENGTH",
    "SHADOW_WITHIN",
    "SPECKLE_LIMIT",
    "STREAK_LIMIT",
    "TRANSMISSION_WITHIN",
    "TREND_LIMIT",
    "WATER_WITHIN",
    "ShadowOffset",
    "leave_ground",
    "mean_transmission",
    "ndsi",
    "recover_transmission",
    "shadow_offset",
    "speckle_share",
    "streak_score",
    "trend_bound",
    "veil_lean",
    "veil_trend",
    "water_change",
]
