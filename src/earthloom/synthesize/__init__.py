"""Weather and light laid over clear tiles: one module an effect, its physics and the source of it in the docstring."""

from __future__ import annotations

from earthloom.synthesize.effects import EFFECTS, OPTICAL, AnyEffect, find_effect, fingerprint_effect
from earthloom.synthesize.vary import SYNTHESIZE_VERSION, Member, vary_place

__all__ = [
    "EFFECTS",
    "OPTICAL",
    "SYNTHESIZE_VERSION",
    "AnyEffect",
    "Member",
    "find_effect",
    "fingerprint_effect",
    "vary_place",
]
