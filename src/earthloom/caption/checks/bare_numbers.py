"""Numbers without a unit, which are no dates and count nothing that is labelled: those that no picture shows."""

from __future__ import annotations

from earthloom.caption.checks.numbers import agrees, find_hedge
from earthloom.caption.checks.reading import Reading

_MANY = 1000
"""From here on nobody counts things in a picture (our choice)."""
_SIDES = {"n": (1, 1), "s": (1, -1), "e": (0, 1), "w": (0, -1)}
"""Letters behind a coordinate: index into longitude and latitude, and the sign."""


def is_beyond_eyes(reading: Reading, i: int, value: float, half_digit: float) -> bool:
    """Tell whether a bare number is one that nobody reads off a picture: a decimal fraction, or thousands."""
    is_compared = reading.at(i + 1) in {"times", "x", "×", "to", ":"} or reading.at(i - 1) in {":", "x", "×"}
    return not is_compared and (half_digit < 0.5 or abs(value) >= _MANY)


def is_known_somewhere(reading: Reading, i: int, value: float, half_digit: float) -> bool:
    """Tell whether a text or any fact has a bare number: coordinates, sampling, angles, counts."""
    known = reading.known
    if known.position is not None and reading.at(i + 1) in _SIDES:
        axis, sign = _SIDES[reading.at(i + 1)]
        return abs(sign * value - known.position[axis]) <= half_digit + 1e-9
    lon_lat = () if known.position is None else tuple(map(abs, known.position))
    counts = (group.count for group in known.said.objects)
    facts = (
        *known.lengths_m,
        *known.degrees,
        *known.decibels,
        *known.looks,
        *known.levels,
        *known.shares,
        *counts,
    )
    is_fact = any(agrees(abs(value), fact, half_digit, find_hedge(reading, i), 0.1) for fact in facts)
    is_place = any(abs(abs(value) - degrees) <= half_digit + 1e-9 for degrees in lon_lat)
    return is_fact or is_place or known.sources.has_number(reading.lower[i])
