"""Gates: pictures in which the answer is known, by the formulas that weather follows."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import cv2
import numpy as np
import pytest
from scene_pictures import lay_depth_fog, lay_real_fog, lay_street_snow, make_ground

from earthloom.core.light import Light, to_display, to_light
from earthloom.evaluate.scenes.gates import Gate, judge_picture, judge_set, list_rules
from earthloom.evaluate.scenes.keeping import estimate_cover, find_seen, measure_kept
from earthloom.evaluate.scenes.readings import Case, Reading, find_water


def make_case(
    effect: str,
    before: Light,
    after: Light,
    record: dict[str, Any] | None = None,
    severity: str | None = None,
) -> Case:
    """As a stored picture would be read: rounded to 8 bits."""
    pictures = [to_display(np.array(light, np.float32)) for light in (before, after)]
    lights = to_light(pictures[0]), to_light(pictures[1])
    return Case(
        effect=effect,
        severity=severity,
        record={} if record is None else {"measured": record},
        before=lights[0],
        after=lights[1],
        kept=measure_kept(effect, pictures[0], pictures[1], lights),
        is_exposed_anew=False,
    )


def ground(seed: int = 0, side: int = 192) -> Light:
    return to_light(make_ground(seed, side))


def read(case: Case, name: str) -> Reading:
    return judge_picture(case)[name]


@pytest.mark.parametrize("t", [0.9, 0.6, 0.35])
def test_an_even_veil_keeps_structure_and_its_transmission_is_found(t: float) -> None:
    before = ground()
    case = make_case(
        "fog", before, before * np.float32(t) + np.float32(0.9 * (1 - t)), {"mean_transmission": t}
    )
    readings = judge_picture(case)
    assert readings["structure"].measured == pytest.approx(1, abs=0.03)
    assert readings["edges"].measured == pytest.approx(1, abs=0.03)
    assert readings["transmission"].measured is not None
    assert readings["transmission"].measured < 0.02
    assert all(reading.passed for reading in readings.values())


def test_a_record_that_is_wrong_is_found_out() -> None:
    before = ground()
    veiled = before * np.float32(0.5) + np.float32(0.45)
    assert read(make_case("fog", before, veiled, {"mean_transmission": 0.8}), "transmission").passed is False
    for record in (
        {},
        {"mean_transmission": None},
        {"mean_transmission": "0.5"},
        {"mean_transmission": True},
    ):
        assert read(make_case("fog", before, veiled, record), "transmission").passed is None


def test_a_dark_veil_is_no_fog() -> None:
    before = ground()
    assert read(make_case("haze", before, before * np.float32(0.5)), "dark_channel").passed is False


def test_other_ground_fails_whatever_the_veil() -> None:
    for strength in ("light", "moderate", "heavy"):
        case = make_case("fog", ground(0), ground(1) * np.float32(0.6) + np.float32(0.36), severity=strength)
        assert read(case, "structure").passed is False
        assert read(case, "edges").passed is False


def lay_discs(side: int, shift: tuple[float, float]) -> tuple[Light, Light]:
    """Round clouds, and shadows a given shift (right, down) away, over even ground."""
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    cloud, shade = np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    for _ in range(9):
        cx, cy, radius = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(0.04, 0.09) * side
        for plane, right, down in ((cloud, 0.0, 0.0), (shade, *shift)):
            away = np.hypot(x - cx - right, y - cy - down)
            np.maximum(plane, np.clip((radius - away) / 4 + 0.5, 0, 1), out=plane)
    before = ground(3, side)
    lit = before * (1 - 0.7 * shade[:, :, None])
    return before, np.asarray(lit * (1 - cloud[:, :, None]) + 0.93 * cloud[:, :, None], np.float32)


def test_shadows_lie_where_the_record_puts_them() -> None:
    right, down = 31.0, -18.0
    before, after = lay_discs(256, (right, down))
    good = read(
        make_case("cloud", before, after, {"shadow_right_px": right, "shadow_down_px": down}), "shadow_offset"
    )
    assert good.passed is True
    assert good.measured == pytest.approx(0, abs=1)
    mirrored = {"shadow_right_px": -right, "shadow_down_px": -down}
    wrong = read(make_case("cloud", before, after, mirrored), "shadow_offset")
    assert wrong.passed is False
    assert wrong.measured == pytest.approx(100 * 2 * math.hypot(right, down) / 256, abs=1)
    one_cloud = make_case("cloud", before, after, {"shadow_right_px": right, "shadow_down_px": down})
    drawn = dataclasses.replace(one_cloud, record={**one_cloud.record, "cell_m": 2000.0, "pixel_m": 5.0})
    assert read(drawn, "shadow_offset").passed is None
    far = {"shadow_right_px": 400.0, "shadow_down_px": 0.0}
    assert read(make_case("cloud", before, after, far), "shadow_offset").passed is None


def test_snow_on_water_is_seen() -> None:
    before = ground(2)
    water = find_water(before)
    assert 0.005 < water.mean() < 0.2
    assert float(before[water].mean()) < 0.03
    cover = np.full(before.shape[:2], 0.5, np.float32)
    everywhere = before * (1 - cover[:, :, None]) + 0.9 * cover[:, :, None]
    assert read(make_case("snow", before, everywhere), "water").passed is False
    cover[cv2.dilate(water.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0] = 0
    on_land = before * (1 - cover[:, :, None]) + 0.9 * cover[:, :, None]
    assert read(make_case("snow", before, on_land), "water").passed is True
    assert read(make_case("snow", np.maximum(before, np.float32(0.1)), everywhere), "water").passed is None


def test_streaks_are_seen_whatever_their_direction() -> None:
    for seed in range(6):
        before = make_ground(seed, 192)
        case = make_case("snow", to_light(before), to_light(lay_street_snow(before, seed)))
        assert read(case, "streaks").passed is False


def test_veils_that_lean_one_way_are_a_fault_of_the_set_only() -> None:
    def judge(lay: Any) -> Gate:
        pictures = [make_ground(seed, 192) for seed in range(10)]
        cases = [make_case("fog", to_light(p), to_light(lay(p, seed))) for seed, p in enumerate(pictures)]
        return {gate.name: gate for gate in judge_set("fog", [judge_picture(case) for case in cases])}[
            "trend"
        ]

    leaning, straight = judge(lay_depth_fog), judge(lay_real_fog)
    assert leaning.passed is False
    assert leaning.measured is not None
    assert leaning.measured > 0.8
    assert straight.passed is True


def test_too_few_pictures_are_not_judged() -> None:
    before = ground()
    readings = [judge_picture(make_case("fog", before, before * np.float32(0.5) + np.float32(0.45)))] * 3
    gates = {gate.name: gate for gate in judge_set("fog", readings)}
    assert gates["structure"].passed is None
    assert gates["structure"].note == "5 pictures wanted, 3 could be judged"
    assert gates["transmission"].note == "no transmission on record, or ground without contrast"
    assert gates["trend"].passed is None
    assert judge_set("fog", []) == ()


def test_one_picture_in_ten_may_fail() -> None:
    good, bad = Reading(measured=1.0, passed=True), Reading(measured=0.0, passed=False)
    names = [rule.name for rule in list_rules("autumn")]
    assert names == ["structure", "edges"]

    def judge(n_bad: int) -> bool | None:
        readings = [dict.fromkeys(names, bad)] * n_bad + [dict.fromkeys(names, good)] * (30 - n_bad)
        return judge_set("autumn", readings)[0].passed

    assert [judge(n) for n in (0, 3, 4)] == [True, True, False]


def test_low_light_is_judged_by_its_record() -> None:
    before = ground()
    record = {"light_ratio": 0.1, "gain": 2.0, "structure_before_noise": 0.97}
    readings = judge_picture(make_case("low_light", before, before * np.float32(0.2), record))
    assert readings["light_left"].passed is True
    assert readings["before_noise"].passed is True
    readings = judge_picture(
        make_case("low_light", before, before * np.float32(0.3), record | {"structure_before_noise": 0.9})
    )
    assert readings["light_left"].passed is False
    assert readings["light_left"].measured == pytest.approx(0.5, abs=0.03)
    assert readings["before_noise"].passed is False


@pytest.mark.parametrize("share", [0.0, 0.25, 0.6, 1.0])
def test_cover_is_found_again(share: float) -> None:
    before = ground()
    after = before * np.float32(1 - share) + np.float32(0.9 * share)
    assert estimate_cover(before, after, 0.9) == pytest.approx(share, abs=1e-3)


def test_structure_is_looked_at_where_the_ground_is_seen() -> None:
    before = ground(4, 256)
    hidden = np.zeros(before.shape[:2], bool)
    hidden[:, :128] = True
    noise = np.random.default_rng(0).uniform(0.7, 1.0, before.shape).astype(np.float32)
    after = np.where(hidden[:, :, None], noise, before)
    seen = find_seen("cloud", before, after)
    assert seen is not None
    assert not seen[:, :120].any()
    assert seen[20:-20, 145:-20].all()
    kept = measure_kept("cloud", to_display(before), to_display(after), (before, after))
    assert kept.structure == pytest.approx(1, abs=0.01)
    assert kept.structure_whole < 0.7
    assert 0.4 < kept.seen_share < 0.5
    assert find_seen("fog", before, after) is None
    nothing = measure_kept("cloud", to_display(before), to_display(noise), (before, noise))
    assert nothing.structure is None
    assert nothing.gradient_correlation is None
