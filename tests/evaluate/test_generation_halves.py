"""Halves of equal counts, and what distances come to on features whose law is known."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.evaluate.attributes.readings import Resampling
from earthloom.evaluate.generation.classes import LEAST, match_labels, measure_classes
from earthloom.evaluate.generation.config import GenerationRecipe
from earthloom.evaluate.generation.distances import (
    measure_frechet,
    measure_frechet_infinity,
    measure_kernel,
)
from earthloom.evaluate.generation.halves import draw_halves, find_unit, measure_levels
from earthloom.evaluate.generation.manifolds import measure_manifolds, measure_prdc
from earthloom.evaluate.generation.spaces import Draws, Space
from earthloom.evaluate.generation.spaces import make_space as build_space
from earthloom.evaluate.generation.transfer import measure_transfer
from earthloom.evaluate.generation.wording import list_rules
from earthloom.metrics.frechet import frechet_distance

DRAWS = Draws(
    resampling=Resampling(resamples=100, level=0.95, seed=0), halves=20, subsets=10, subset_size=100
)
RECIPE = GenerationRecipe.model_validate(
    {"evaluate": "generation", "name": "made", "real": {"folder": "r"}, "generated": {"folder": "g"}}
)


def make_space(n: int, m: int, shift: float = 0.0, width: int = 16, kernel: str = "kd:made") -> Space:
    rng = np.random.default_rng(5)
    return Space(
        encoder="made@1",
        frechet="fd:made",
        kernel=kernel,
        scaler=None,
        real=rng.normal(size=(n, width)),
        generated=rng.normal(size=(m, width)) + shift,
        real_groups=tuple(f"g{row // 2}" for row in range(n)),
        generated_groups=tuple(f"p{row}" for row in range(m)),
    )


@given(st.integers(4, 60), st.integers(1, 4), st.integers(1, 80), st.integers(0, 99))
def test_halves_share_no_ground_and_are_of_equal_counts(n: int, together: int, m: int, seed: int) -> None:
    groups = [f"g{row // together}" for row in range(n)]
    draws = draw_halves(groups, m, 3, seed)
    if len(set(groups)) < 2:
        assert draws == []
        return
    assert len({len(part) for draw in draws for part in (draw.one, draw.other, draw.drawn)}) == 1
    for draw in draws:
        assert not {groups[row] for row in draw.one} & {groups[row] for row in draw.other}
        assert len(set(draw.drawn.tolist())) == len(draw.drawn) <= m
        assert len(draw.one) >= min(m, (n - 2 * together) // 2)


def test_the_floor_and_the_score_of_one_law_agree_at_equal_counts() -> None:
    """White features: 2 d / n for the means, d (d + 1) / (2 n) for the covariances, to the first order in 1 / n."""
    levels = measure_levels(make_space(800, 400), lambda x, y: {"fd": frechet_distance(x, y)}, 0)
    level = levels["fd"]
    assert level.n == 400
    assert level.generated == pytest.approx(level.floor, rel=0.15)
    assert level.floor == pytest.approx((16**2 + 5 * 16) / (2 * 400), rel=0.15)
    assert level.floor_low < level.floor < level.floor_high


def test_too_few_real_pictures_have_no_floor() -> None:
    assert measure_levels(make_space(16, 50), lambda x, y: {"fd": 0.0}, 0) == {}
    assert measure_frechet(make_space(16, 50), DRAWS, None).floor is None


@pytest.mark.parametrize(
    ("n_grounds", "unit", "said"),
    [(40, "ground", "by ground"), (8, "picture", "by picture, for there are few grounds")],
)
def test_that_what_was_dealt_to_the_halves_is_said(n_grounds: int, unit: str, said: str) -> None:
    """Fewer than twenty grounds are not dealt whole: their pictures are, and no word says otherwise."""
    grounds = tuple(f"g{row % n_grounds}" for row in range(120))
    entries = tuple(SimpleNamespace(key=f"k{row}") for row in range(120))
    features = {"ours@1": np.random.default_rng(1).normal(size=(120, 4))}
    gathered = SimpleNamespace(features=features, groups=grounds, entries=entries)
    encoder = SimpleNamespace(name="ours", version="1", frechet="FD-made", kernel="KD-made")
    space = build_space(encoder, gathered, gathered)  # type: ignore[arg-type]
    assert find_unit(space) == unit
    level = measure_levels(space, lambda x, y: {"fd:made": frechet_distance(x, y)}, 0)["fd:made"]
    figure = measure_frechet(space, DRAWS, level)
    assert figure.details["floor_by"] == unit
    assert said in list_rules(RECIPE, space)["floor"]
    for draw in draw_halves(space.real_groups, 120, 5, 0):
        shared = {grounds[row] for row in draw.one} & {grounds[row] for row in draw.other}
        assert bool(shared) == (unit == "picture")


def test_that_a_class_of_few_grounds_says_what_was_dealt() -> None:
    """Of 40 grounds all are dealt whole, of one class's five the pictures."""
    names = ["many"] * 60 + ["few"] * 60
    grounds = tuple(f"{name}{row % (35 if name == 'many' else 5)}" for row, name in enumerate(names))
    space = replace(make_space(120, 120), real_groups=grounds, real_grounds=grounds)
    found = measure_classes(space, match_labels(names, names), DRAWS)
    assert {figure.group: figure.details["floor_by"] for figure in found} == {
        "few": "picture",
        "many": "ground",
    }


def test_a_shift_is_what_frechet_distances_measure() -> None:
    space = make_space(1000, 1000, shift=1.0)
    found = measure_frechet(space, DRAWS, None)
    endless = measure_frechet_infinity(space, DRAWS, None)
    assert found.value == pytest.approx(16, rel=0.1)
    assert endless.figure.value == pytest.approx(16, rel=0.1)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 16.1
    assert found.high > 16
    assert endless.curve is not None
    fit = next(line for line in endless.curve.lines if line.name == "fit")
    assert (fit.x[0], fit.y[0]) == (0.0, endless.figure.value)


@pytest.mark.parametrize("kernel", ["kd:made", "cmmd"])
def test_kernel_distances_see_a_shift_and_nothing_else(kernel: str) -> None:
    same, moved = (
        measure_kernel(make_space(300, 200, shift, kernel=kernel), DRAWS, None) for shift in (0, 0.5)
    )
    assert same.value is not None
    assert moved.value is not None
    assert moved.low is not None
    assert same.high is not None
    assert moved.low > same.high
    assert (moved.name, moved.n, moved.n_real) == (kernel, 200, 300)
    assert moved.details.keys() == (
        {"unbiased"} if kernel == "cmmd" else {"subset_mean", "subset_std", "subset_size", "n_subsets"}
    )


def test_fewer_pictures_than_features_are_told() -> None:
    found = measure_frechet(make_space(40, 15), DRAWS, None)
    assert found.reason is not None
    assert "15 pictures for 16 features" in found.reason


def test_manifolds_take_equal_counts_and_stay_shares() -> None:
    space = make_space(300, 120)
    levels = measure_levels(space, measure_prdc, 0)
    found = {figure.name: figure for figure in measure_manifolds(space, DRAWS, levels)}
    for figure in found.values():
        assert (figure.n, figure.n_real) == (120, 120)
        assert figure.low is not None
        assert figure.high is not None
        assert 0 <= figure.low <= figure.high
    assert found["coverage"].high is not None
    assert found["coverage"].high <= 1
    # 1 - 2^-5 for endless sets of one law: Naeem et al., ICML 2020
    assert found["coverage"].value == pytest.approx(0.96875, abs=0.06)


def test_classes_match_however_they_are_spelt_and_want_enough_pictures() -> None:
    labels = match_labels(
        ["Sea Lake"] * LEAST + ["river"] * 3, ["sea_lake"] * LEAST + ["river"] * LEAST + [None]
    )
    assert labels.common == ["Sea Lake"]
    assert labels.generated[0] == "Sea Lake"


def test_one_prompt_a_class_has_no_ceiling_and_is_measured_all_the_same() -> None:
    """A probe cannot be tried on a class whose only prompt it has to learn from."""
    rng = np.random.default_rng(1)
    names = [name for name in ("forest", "river") for _ in range(LEAST)]
    features = (
        np.array([[name == "river", 1.0] for name in names]) * 3 + rng.normal(size=(2 * LEAST, 2)) * 0.2
    )
    space = replace(
        make_space(2 * LEAST, 2 * LEAST),
        real=features,
        generated=features[::-1].copy(),
        generated_groups=tuple(reversed(names)),
    )
    forth, back = measure_transfer(space, match_labels(names, names[::-1]), DRAWS, 5)
    assert forth.ceiling is not None
    assert forth.ceiling > 0.9
    assert back.ceiling is None
    for figure in (forth, back):
        assert figure.value is not None
        assert figure.value > 0.9


def test_the_ceiling_of_a_probe_is_of_other_grounds_even_where_there_are_few() -> None:
    """Eighteen grounds of near copies: who has seen one knows its class, and nothing of the next ground's."""
    rng = np.random.default_rng(4)
    n = 18 * 7
    grounds = [f"g{row // 7}" for row in range(n)]
    names = ["river" if int(ground[1:]) % 2 else "forest" for ground in grounds]
    places = {ground: rng.normal(size=32) for ground in sorted(set(grounds))}
    features = np.array([places[ground] for ground in grounds]) + rng.normal(size=(n, 32)) * 0.01
    space = replace(
        make_space(n, n),
        real=features,
        generated=features,
        real_groups=tuple(map(str, range(n))),
        generated_groups=tuple(map(str, range(n))),
        real_grounds=tuple(grounds),
        generated_prompts=tuple(grounds),
    )
    for figure in measure_transfer(space, match_labels(names, names), DRAWS, 5):
        assert figure.value == 1.0
        assert figure.ceiling is not None
        assert figure.ceiling < 0.9
        assert figure.interval == "bootstrap over 18 groups of what was tried"
