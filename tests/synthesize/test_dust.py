from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from veil_scenes import make_ground, make_stack

from earthloom.synthesize.config import SEVERITIES
from earthloom.synthesize.dust import DustSettings, add_dust, draw_dust


def test_mean_transmission_is_the_drawn_one_and_the_word_too() -> None:
    stack = make_stack(make_ground(128, 192))
    for seed, severity in enumerate(SEVERITIES * 6):
        rng = np.random.default_rng(seed)
        dust = draw_dust(DustSettings(), stack.view, severity, rng)
        outcome = add_dust(stack, dust, rng)
        assert outcome.severity == severity
        assert outcome.measured["mean_transmission"] == pytest.approx(dust.mean_transmission, abs=0.02)
        json.dumps([dataclasses.asdict(dust), dict(outcome.measured)], allow_nan=False)


def test_thick_dust_has_the_published_colour() -> None:
    """On black ground, freed of its transmission: .85 : .70 : .50, and every band by Angstrom's law."""
    stack = make_stack(np.zeros((96, 96, 3), np.float32), np.zeros((96, 96, 1), np.float32))
    rng = np.random.default_rng(3)
    dust = draw_dust(DustSettings(), stack.view, "heavy", rng)
    outcome = add_dust(stack, dust, rng)
    assert outcome.visible is not None
    tau = -np.log(outcome.visible.astype(np.float64))
    red, green, blue = np.moveaxis(outcome.layers[0], 2, 0)
    for light, um, colour in (
        (red, 0.655, 0.85),
        (green, 0.5625, 0.70),
        (blue, 0.4825, 0.50),
        (outcome.layers[1][:, :, 0], 0.865, 0.95),
    ):
        t = np.exp(-tau * (0.5625 / um) ** dust.angstrom)
        assert light == pytest.approx(colour * dust.brightness * (1 - t), abs=1e-5)
    assert 0 <= dust.angstrom <= 0.4
    assert 0.8 <= dust.brightness <= 1


def test_streaks_follow_the_wind() -> None:
    stack = make_stack(np.zeros((256, 256, 3), np.float32))
    rng = np.random.default_rng(1)
    drawn = draw_dust(DustSettings(stretch=(4, 4)), stack.view, "moderate", rng)
    for wind in (0.0, 45.0, 100.0):
        outcome = add_dust(stack, dataclasses.replace(drawn, wind_deg=wind), rng)
        assert outcome.visible is not None
        down, right = np.gradient(outcome.visible.astype(np.float64))
        angle = np.radians(wind)
        along = right * np.sin(angle) - down * np.cos(angle)
        across = right * np.cos(angle) + down * np.sin(angle)
        assert np.std(across) > 1.8 * np.std(along)


def test_same_seed_same_bytes() -> None:
    stack = make_stack(make_ground(96, 96))
    made = []
    for seed in (1, 1, 2):
        rng = np.random.default_rng(seed)
        made.append(
            add_dust(stack, draw_dust(DustSettings(), stack.view, "heavy", rng), rng).layers[0].tobytes()
        )
    assert made[0] == made[1] != made[2]
