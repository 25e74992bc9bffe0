"""Drawn radar and near infrared against true ones, from a recipe to the result."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from crossmodal_pictures import SIDE, add_speckle, make_power, to_levels, write_release, write_set
from pydantic import ValidationError

from earthloom.core.errors import UsageError
from earthloom.evaluate.crossmodal.checks import CHECKS
from earthloom.evaluate.crossmodal.config import CrossModalRecipe
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.result import Result, read_result
from earthloom.recipes import parse_evaluation

N = 24
CLIP = [-25, 0]


def draw_true(number: int) -> np.ndarray:
    return to_levels(add_speckle(make_power(number), 1000 + number))


def draw_again(number: int) -> np.ndarray:
    """The same ground with speckle of its own: as good as a picture can be."""
    return to_levels(add_speckle(make_power(number), 2000 + number))


def measure(folder: Path, **told: Any) -> Result:
    settings: dict[str, Any] = {
        "evaluate": "crossmodal",
        "name": "radar",
        "modality": "sar",
        "real": {"folder": "real"},
        "generated": {"folder": "drawn"},
        "clip_db": CLIP,
        "resamples": 100,
    }
    recipe = CrossModalRecipe.model_validate({**settings, **told})
    return evaluate(recipe, folder / "out", base=folder)


def broken(result: Result) -> set[str]:
    return {figure.name for figure in result.figures if figure.passed is False}


def test_that_ground_drawn_again_passes(tmp_path: Path) -> None:
    write_set(tmp_path / "real", draw_true, range(N))
    write_set(tmp_path / "drawn", draw_again, range(N))
    result = measure(tmp_path)
    assert read_result(tmp_path / "out") == result
    assert broken(result) == set()
    looks = result.find("looks", group="generated")
    assert looks.value == pytest.approx(4, rel=0.12)
    assert looks.low is not None
    assert looks.high is not None
    assert looks.low < looks.value < looks.high
    ratio = result.find("looks_ratio")
    assert ratio.value == pytest.approx(1, abs=0.1)
    assert (ratio.n, ratio.n_real, ratio.passed) == (N, N, True)
    means, pixels = (
        result.find("correlation_of_means"),
        result.find("correlation"),
    )
    assert means.value is not None
    assert pixels.value is not None
    assert means.null is not None
    assert means.value > 0.9 > pixels.value + 0.1
    assert abs(means.null) < 0.3
    distance = result.find("wasserstein")
    assert distance.unit == "dB"
    assert distance.value is not None
    assert distance.floor is not None
    assert distance.value < distance.floor  # of halves, which show different grounds
    assert result.protocol.rules["pairs"] == "by file name"
    assert result.sets[0].details["grounds"] == N
    assert "True and drawn" in (tmp_path / "out/index.html").read_text()


def change(result: Callable[[np.ndarray], np.ndarray]) -> Callable[[int], np.ndarray]:
    return lambda number: result(add_speckle(make_power(number), 2000 + number))


@pytest.mark.parametrize(
    ("alter", "expected"),
    [
        (lambda power: to_levels(cv2.blur(power, (3, 3))), {"looks_ratio"}),
        (lambda power: to_levels(power * 10**0.15), {"mean_shift_db"}),
        (lambda power: to_levels(power, -40, 10), {"looks_ratio", "std_ratio"}),
        (lambda power: to_levels(power, -25, -10), {"mean_shift_db", "saturation_shift"}),
        (
            lambda power: np.clip(power * 255 / 0.3, 0, 255).astype(np.uint8),
            {"looks_ratio", "mean_shift_db", "decibels_skewness"},
        ),
        (lambda power: np.clip(np.sqrt(power) * 400, 0, 255).astype(np.uint8), {"decibels_skewness"}),
    ],
    ids=["despeckled", "brighter", "wide scale", "narrow scale", "power", "amplitude"],
)
def test_that_filters_and_wrong_scales_are_caught(
    tmp_path: Path, alter: Callable[[np.ndarray], np.ndarray], expected: set[str]
) -> None:
    write_set(tmp_path / "real", draw_true, range(N))
    write_set(tmp_path / "drawn", change(alter), range(N))
    assert expected <= broken(measure(tmp_path))


def test_that_levels_of_power_read_as_decibels_are_too_bright(tmp_path: Path) -> None:
    """Levels from 0 to 255 taken for decibels as they are."""
    write_set(tmp_path / "real", draw_true, range(N))
    write_set(
        tmp_path / "drawn",
        change(lambda power: np.clip(power * 255 / 0.3, 0, 255).astype(np.uint8)),
        range(N),
    )
    result = measure(tmp_path, clip_db=[0, 255])
    assert result.find("decibels_median").passed is False


def test_that_the_same_recipe_gives_the_same_figures(tmp_path: Path) -> None:
    write_set(tmp_path / "real", draw_true, range(6))
    write_set(tmp_path / "drawn", draw_again, range(6))
    assert measure(tmp_path).figures == measure(tmp_path).figures


def test_that_sets_of_different_grounds_are_compared_as_sets(tmp_path: Path) -> None:
    write_set(tmp_path / "real", draw_true, range(N))
    write_set(tmp_path / "drawn", draw_again, range(50, 50 + N))
    result = measure(tmp_path)
    assert broken(result) <= {"mean_shift_db", "std_ratio"}  # the grounds differ, the radar does not
    assert {figure.group for figure in result.figures} == {None, "real", "generated"}
    assert any("Nothing is compared pixel by pixel" in note for note in result.notes)


def test_that_pictures_that_cannot_be_used_are_set_aside(tmp_path: Path) -> None:
    write_set(tmp_path / "real", draw_true, range(8))
    write_set(tmp_path / "drawn", draw_again, range(8))
    (tmp_path / "drawn/ground-00.png").write_bytes(b"\x89PNG broken")
    rng = np.random.default_rng(0)
    for name, shape in (("ground-01", (SIDE, SIDE, 3)), ("ground-02", (10, 10)), ("ground-03", (SIDE, 48))):
        picture = rng.integers(0, 255, shape, dtype=np.uint8)
        assert cv2.imwrite(str(tmp_path / f"drawn/{name}.png"), picture)
    result = measure(tmp_path)
    told = {key: fault["detail"] for key, fault in result.refused.items()}
    assert set(told) == {f"ground-0{number}.png" for number in range(3)}
    assert "one band was wanted" in told["ground-01.png"]
    assert "16 pixels each way" in told["ground-02.png"]
    assert result.find("correlation").n == 4
    size = "1 drawn pictures count .*: the size of its partner was wanted, 64 x 64 pixels, got 48 x 64"
    assert any(re.search(size, note) for note in result.notes)
    real, drawn = result.sets
    assert [(real.n, real.n_refused), (drawn.n, drawn.n_refused)] == [(8, 0), (5, 3)]
    assert result.find("mean_db", group="generated").n == drawn.n
    assert any("grounds in a set" in note for note in result.notes)


def test_that_a_set_of_nothing_usable_is_told(tmp_path: Path) -> None:
    write_set(tmp_path / "real", draw_true, range(3))
    write_set(tmp_path / "drawn", lambda number: np.zeros((9, 9), np.uint8), range(3))
    with pytest.raises(UsageError, match="generated: none of 3 pictures can be used: 16 pixels each way"):
        measure(tmp_path)


def test_that_the_scale_has_to_be_known(tmp_path: Path) -> None:
    write_set(tmp_path / "real", draw_true, range(3))
    write_set(tmp_path / "drawn", draw_again, range(3))
    with pytest.raises(UsageError, match=r"real: its pictures do not say which decibels.* set `clip_db`"):
        measure(tmp_path, clip_db=None)


def test_that_flat_pictures_have_no_looks_and_break_nothing(tmp_path: Path) -> None:
    write_set(tmp_path / "real", draw_true, range(6))
    write_set(tmp_path / "drawn", lambda number: np.full((SIDE, SIDE), 90, np.uint8), range(6))
    result = measure(tmp_path)
    looks = result.find("looks", group="generated")
    assert (looks.value, looks.reason) == (None, "no picture has any contrast")
    assert result.find("looks_ratio").passed is None
    assert result.find("std_ratio").passed is False
    assert result.find("correlation").value is None


def write_drawn_of_release(folder: Path, draw: Callable[[int], np.ndarray], n: int) -> None:
    """As `earthloom generate --release` leaves them: two drawings of each record, and a sheet."""
    folder.mkdir()
    lines = []
    for number in range(n):
        for drawing in range(2):
            name = f"sar-{number}-s{drawing}.png"
            assert cv2.imwrite(str(folder / name), draw(number + 100 * drawing))
            lines.append(
                {"file_name": name, "prompt": "fields", "prompt_key": f"sar-{number}", "generated": True}
            )
    assert cv2.imwrite(str(folder / "grid.png"), np.zeros((99, 99, 3), np.uint8))
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))


def test_that_drawings_of_a_release_find_their_records_and_their_scale(tmp_path: Path) -> None:
    stretch = {"method": "db", "low": [-32.0], "high": [-5.0]}
    true = {
        f"sar-{number}": to_levels(add_speckle(make_power(number), 1000 + number), -32, -5)
        for number in range(10)
    }
    write_release(tmp_path / "release", "sar", true, stretch=stretch, polarisation="VV")

    def draw(number: int) -> np.ndarray:
        return to_levels(add_speckle(make_power(number % 100), 3000 + number), -32, -5)

    write_drawn_of_release(tmp_path / "drawn", draw, 10)
    result = measure(tmp_path, clip_db=None, real={"release": "release", "modality": "sar"})
    assert result.protocol.rules["pairs"] == "by the record that was drawn"
    assert broken(result) == set()
    figure = result.find("correlation_of_means")
    assert (figure.n, figure.interval) == (20, "bootstrap over 10 grounds")
    real, drawn = result.sets
    assert (real.n, drawn.n, drawn.is_generated) == (10, 20, True)
    assert real.details["scales"] == drawn.details["scales"] == [[-32.0, -5.0]]


def test_that_releases_pair_by_ground_and_gaps_are_set_aside(tmp_path: Path) -> None:
    stretch = {"method": "db", "low": [-25.0], "high": [0.0]}
    write_release(
        tmp_path / "a", "sar", {f"a-{n}": draw_true(n) for n in range(6)}, stretch=stretch, polarisation="VV"
    )
    write_release(
        tmp_path / "b", "sar", {f"b-{n}": draw_again(n) for n in range(6)}, stretch=stretch, polarisation="VH"
    )
    chosen = {"real": {"release": "a", "modality": "sar"}, "generated": {"release": "b", "modality": "sar"}}
    result = measure(tmp_path, clip_db=None, **chosen)
    assert result.protocol.rules["pairs"] == "by pair_id"
    assert result.find("correlation").n == 6
    bad = {"method": "percentile", "low": [3.0], "high": [80.0]}
    write_release(
        tmp_path / "b", "sar", {f"b-{n}": draw_again(n) for n in range(6)}, stretch=bad, polarisation="VV"
    )
    with pytest.raises(UsageError, match="generated: its pictures do not say"):
        measure(tmp_path, clip_db=None, **chosen)
    write_release(
        tmp_path / "b", "sar", {f"b-{n}": draw_again(n) for n in range(6)}, stretch=stretch, valid_share=0.5
    )
    with pytest.raises(UsageError, match=r"data everywhere was wanted, got 50.0%"):
        measure(tmp_path, clip_db=None, **chosen)


def test_that_levels_of_two_scales_are_compared_as_decibels(tmp_path: Path) -> None:
    """The same power on a wider scale: levels differ everywhere, and nothing else does."""
    power = {n: add_speckle(make_power(n), 1000 + n) for n in range(6)}
    for name, (low, high) in {"a": (-25, 0), "b": (-32, 5)}.items():
        pictures = {f"{name}-{n}": to_levels(each, low, high) for n, each in power.items()}
        stretch = {"method": "db", "low": [float(low)], "high": [float(high)]}
        write_release(tmp_path / name, "sar", pictures, stretch=stretch)
    chosen = {"real": {"release": "a", "modality": "sar"}, "generated": {"release": "b", "modality": "sar"}}
    result = measure(tmp_path, clip_db=None, **chosen)
    for name in ("correlation", "ssim", "ssim_contrast"):
        value = result.find(name).value
        assert value is not None
        assert value > 0.99, name
    assert not any("drawn pictures have no true one" in note for note in result.notes)
    more = {f"b-{n}": to_levels(add_speckle(make_power(n), 1000 + n), -32, 5) for n in range(9)}
    stretch = {"method": "db", "low": [-32.0], "high": [5.0]}
    write_release(tmp_path / "b", "sar", more, stretch=stretch)
    result = measure(tmp_path, clip_db=None, **chosen)
    assert any("3 of 9 drawn pictures have no true one" in note for note in result.notes)


def make_rgb(number: int) -> np.ndarray:
    rng = np.random.default_rng(number)
    return cv2.resize(
        rng.integers(20, 230, (8, 8, 3)).astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC
    )


def make_infrared(number: int) -> np.ndarray:
    """Bright where green outweighs red, which no linear function tells."""
    rgb = make_rgb(number).astype(np.float64)
    plants = rgb[:, :, 1] > 1.1 * rgb[:, :, 0]
    return np.clip(np.where(plants, 200, 40) + 0.1 * rgb[:, :, 2], 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("noise", "is_better"), [(5, True), (150, False)])
def test_that_near_infrared_has_to_beat_a_regression(tmp_path: Path, noise: int, is_better: bool) -> None:
    def draw(number: int) -> np.ndarray:
        rng = np.random.default_rng(9000 + number)
        return np.clip(make_infrared(number) + rng.normal(0, noise, (SIDE, SIDE)), 0, 255).astype(np.uint8)

    write_set(tmp_path / "real", make_infrared, range(12))
    write_set(tmp_path / "drawn", draw, range(12))
    write_set(tmp_path / "rgb", make_rgb, range(12))
    result = measure(tmp_path, modality="nir", clip_db=None, rgb={"folder": "rgb"})
    drawn, guessed = (result.find("correlation", group=group).value for group in (None, "regression"))
    assert drawn is not None
    assert guessed is not None
    assert 0.3 < guessed < 0.97
    gain = result.find("correlation_over_regression")
    assert gain.passed is is_better
    assert gain.value == pytest.approx(drawn - guessed, abs=1e-9)
    assert not any(check in {figure.name for figure in result.figures} for check in CHECKS)
    expected = np.sqrt(np.mean((draw(0).astype(float) - make_infrared(0)) ** 2))
    rmse = result.find("rmse")
    assert rmse.value is not None
    assert math.isclose(rmse.value, expected, rel_tol=0.15)


def test_that_no_regression_without_rgb_of_the_grounds(tmp_path: Path) -> None:
    write_set(tmp_path / "real", make_infrared, range(6))
    write_set(tmp_path / "drawn", make_infrared, range(6))
    write_set(tmp_path / "rgb", make_rgb, range(70, 74))
    result = measure(tmp_path, modality="nir", clip_db=None, rgb={"folder": "rgb"})
    assert any("No regression was fitted" in note for note in result.notes)
    assert "correlation_over_regression" not in {figure.name for figure in result.figures}


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"side": 8}, "wants an odd number"),
        ({"clip_db": [0, -25]}, "wants low and high"),
        ({"rgb": {"folder": "rgb"}}, "is for near infrared"),
        ({"real": {"release": "r"}}, "write `modality: sar`"),
        ({"modality": "rgb"}, "'sar'"),
    ],
)
def test_that_wrong_recipes_say_so(told: dict[str, Any], match: str) -> None:
    plain = {
        "evaluate": "crossmodal", "name": "x", "modality": "sar", "real": {"folder": "a"}, "generated": {"folder": "b"}
    }  # fmt: skip
    with pytest.raises(ValidationError, match=match):
        CrossModalRecipe.model_validate({**plain, **told})


def test_that_it_is_a_kind_of_recipe(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    text = "evaluate: crossmodal\nname: x\nmodality: nir\nreal: {folder: a}\ngenerated: {folder: b}\n"
    assert isinstance(parse_evaluation(text, base=tmp_path), CrossModalRecipe)
