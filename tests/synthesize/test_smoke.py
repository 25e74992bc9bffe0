from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from veil_scenes import make_ground, make_stack

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.synthesize.config import SEVERITIES
from earthloom.synthesize.smoke import Smoke, SmokeSettings, add_smoke, draw_smoke, make_plume

CALM = Smoke(
    mean_transmission=0.8,
    brightness=0.9,
    angstrom=1.8,
    wind_deg=90,
    half_width_px=30,
    half_width_m=None,
    spread=0.1,
    fire_px=6,
    x_px=40,
    y_px=128,
    turbulence=0.4,
    beta=3,
    stretch=1.5,
)
"""A plume that drifts to the right."""


def mean_plume(smoke: Smoke, n: int = 60) -> np.ndarray:
    """Of many turbulent plumes: what is left is the plume of the books."""
    rng = np.random.default_rng(0)
    return np.mean([make_plume(smoke, 256, 512, rng) for _ in range(n)], axis=0)


def test_mean_transmission_is_the_drawn_one_and_the_word_too() -> None:
    stack = make_stack(make_ground(192, 256))
    for seed, severity in enumerate(SEVERITIES * 10):
        rng = np.random.default_rng(seed)
        smoke = draw_smoke(SmokeSettings(), stack.view, severity, rng)
        outcome = add_smoke(stack, smoke, rng)
        assert outcome.measured["mean_transmission"] == pytest.approx(smoke.mean_transmission, abs=0.02)
        assert outcome.severity == severity
        json.dumps([dataclasses.asdict(smoke), dict(outcome.measured)], allow_nan=False)


def test_light_smoke_leaves_a_part_of_the_picture_clear() -> None:
    stack = make_stack(make_ground(256, 256), pixel_m=10)
    clear, covered = [], []
    for seed in range(12):
        for severity, shares in (("light", clear), ("heavy", covered)):
            rng = np.random.default_rng(seed)
            smoke = draw_smoke(SmokeSettings(), stack.view, severity, rng)
            visible = add_smoke(stack, smoke, rng).visible
            assert visible is not None
            shares.append(float((visible > 0.98).mean()))
    assert np.median(clear) > 0.35
    assert np.median(covered) < 0.05


def test_plume_widens_and_thins_as_briggs_has_it() -> None:
    plume = mean_plume(CALM)
    y = np.arange(256) + 0.5 - CALM.y_px
    widths, totals = [], []
    for x in (140, 240, 340):
        profile = plume[:, x]
        totals.append(float(profile.sum()))
        widths.append(float(np.sqrt((profile * y**2).sum() / profile.sum())))
    # The edges' fraying adds (0.45 sigma)^2 to the variance across the wind.
    expected = [
        np.hypot(1, 0.45) * (CALM.fire_px + CALM.spread * (x + 0.5 - CALM.x_px)) for x in (140, 240, 340)
    ]
    assert widths == pytest.approx(expected, rel=0.12)
    assert np.ptp(totals) < 0.15 * np.mean(totals)  # what leaves the fire passes through every section


def test_upwind_of_the_fire_the_air_is_clear() -> None:
    plume = mean_plume(CALM, 5)
    assert plume[:, :10].max() < 1e-4 * plume.max()


def test_blue_is_held_back_and_infrared_hardly() -> None:
    stack = make_stack(np.zeros((96, 96, 3), np.float32), np.zeros((96, 96, 1), np.float32))
    smoke = dataclasses.replace(CALM, half_width_px=60, x_px=-300, y_px=48, mean_transmission=0.5)
    outcome = add_smoke(stack, smoke, np.random.default_rng(1))
    assert outcome.visible is not None
    tau = -np.log(outcome.visible.astype(np.float64))
    for light, um, colour in (
        (outcome.layers[0][:, :, 0], 0.655, 0.75),
        (outcome.layers[0][:, :, 1], 0.5625, 0.77),
        (outcome.layers[0][:, :, 2], 0.4825, 0.82),
        (outcome.layers[1][:, :, 0], 0.865, 0.71),
    ):
        t = np.exp(-tau * (0.5625 / um) ** 1.8)
        assert light == pytest.approx(0.9 * colour * (1 - t), abs=1e-5)


def test_fine_pictures_lie_inside_a_plume_of_plausible_size() -> None:
    stack = make_stack(make_ground(128, 128), pixel_m=0.3)
    for seed, severity in enumerate(SEVERITIES * 3):
        smoke = draw_smoke(SmokeSettings(), stack.view, severity, np.random.default_rng(seed))
        assert smoke.half_width_m == pytest.approx(60)
        assert smoke.half_width_px > 128
    wide = make_stack(make_ground(128, 128), pixel_m=500).view
    smoke = draw_smoke(SmokeSettings(), wide, "heavy", np.random.default_rng(0))
    assert smoke.half_width_m == pytest.approx(8000)


def test_a_plume_that_misses_the_picture_is_refused() -> None:
    stack = make_stack(make_ground(128, 128))
    away = dataclasses.replace(CALM, y_px=-5000)
    with pytest.raises(RecordError) as caught:
        add_smoke(stack, away, np.random.default_rng(0))
    assert caught.value.reason is Reason.NO_EFFECT


def test_same_seed_same_bytes() -> None:
    stack = make_stack(make_ground(96, 96))
    made = []
    for seed in (1, 1, 2):
        rng = np.random.default_rng(seed)
        smoke = draw_smoke(SmokeSettings(), stack.view, "heavy", rng)
        made.append(add_smoke(stack, smoke, rng).layers[0].tobytes())
    assert made[0] == made[1] != made[2]
