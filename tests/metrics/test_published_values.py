"""Defaults and reference values of the field that no other test of a metric holds."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

import earthloom.evaluate
from earthloom.evaluate.generation.config import GenerationRecipe
from earthloom.metrics import clip_score, cmmd, inception
from earthloom.metrics.frechet import frechet_distance
from earthloom.metrics.frechet_infinity import frechet_infinity
from earthloom.metrics.kid import kid
from earthloom.metrics.prdc import prdc
from earthloom.metrics.retrieval import expect_chance, measure_retrieval


def test_defaults_are_those_of_the_released_codes() -> None:
    """Counts of subsets and neighbours, parts and seed of the Inception Score, scales of CMMD and CLIPScore."""

    def defaults(function: object) -> dict[str, object]:
        found = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
        return {each.name: each.default for each in found if each.default is not each.empty}

    assert defaults(kid)["subsets"] == 100
    assert defaults(kid)["size"] == 1000
    assert defaults(prdc) == {"k_precision": 3, "k_density": 5}
    assert defaults(frechet_infinity)["points"] == 15
    assert (inception.SPLITS, inception.SEED) == (10, 2020)
    assert (cmmd.SIGMA, cmmd.SCALE) == (10, 1000)
    assert (clip_score.WEIGHT, clip_score.PREFIX) == (2.5, "A photo depicts ")
    recipe = GenerationRecipe.model_validate(
        {"evaluate": "generation", "name": "a", "real": {"folder": "a"}, "generated": {"folder": "b"}}
    )
    assert (recipe.subsets, recipe.subset_size) == (100, 1000)


def test_bias_of_white_gaussians_in_256_dimensions() -> None:
    """16.7 for 2,000 each; (d (d + 1) / 2 + 2 d) / n in first order, which 1 / n^2 raises by some per cent."""
    rng = np.random.default_rng(0)
    value = frechet_distance(rng.normal(size=(2000, 256)), rng.normal(size=(2000, 256)))
    assert value == pytest.approx(16.7, rel=0.03)


def test_counts_of_the_extrapolation_begin_at_5000_for_large_sets() -> None:
    """As in dgm-eval: 15 counts evenly from min(5000, max(n / 10, 2)) to n."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(100, 1)), rng.normal(size=(52_000, 1))
    assert frechet_infinity(x, y).sizes == tuple(np.linspace(5000, 52_000, 15).astype(int))
    assert frechet_infinity(x, y[:30]).sizes[0] == 3


@pytest.mark.parametrize("n", [452, 1093])
@pytest.mark.parametrize("top", [1, 5, 10])
def test_chance_at_the_sizes_of_rsitmd_and_rsicd(n: int, top: int) -> None:
    """Five right captions of 5 n, one right picture of n: by the hypergeometric law."""
    wanted = 1 - scipy.stats.hypergeom.pmf(0, 5 * n, 5, top)
    assert expect_chance(5, 5 * n, top) == pytest.approx(wanted, rel=1e-9)
    assert expect_chance(1, n, top) == pytest.approx(top / n, rel=1e-12)


def test_three_pictures_of_five_captions_by_hand() -> None:
    """Cosines by the angle: the captions of the first all lie by it, of the second one does, of the third none."""
    degrees = np.radians([1, 2, 3, 4, 5, 91, 179, 178, 177, 176, 6, 7, 8, 9, 10])
    texts = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    pictures = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    found = measure_retrieval(pictures, texts, np.repeat(np.arange(3), 5))
    # The third finds 179, 178, 177, 176 and 91 first, all of the second, then its own at 10 degrees: sixth.
    to_text, to_picture = found.to_text, found.to_picture
    assert (to_text.at_1, to_text.at_5, to_text.at_10) == pytest.approx((2 / 3, 2 / 3, 1))
    # Captions: five find the first; 91 the second; 179 to 176 find it second; 6 to 10 find the third last.
    assert (to_picture.at_1, to_picture.at_5, to_picture.at_10) == pytest.approx((6 / 15, 1, 1))
    assert found.mean_recall == pytest.approx((2 / 3 + 2 / 3 + 1 + 6 / 15 + 1 + 1) / 6)


def test_published_mean_recalls_are_the_means_of_their_six() -> None:
    path = Path(earthloom.evaluate.__file__).parent / "tables" / "benchmarks.toml"
    rows = {row["model"]: row for row in tomllib.loads(path.read_text(encoding="utf-8"))["rsicd"]["measured"]}
    assert sorted(row["mr"] for row in rows.values()) == [15.74, 35.26, 38.87]
    for row in rows.values():
        assert np.mean([*row["to_text"], *row["to_picture"]]) == pytest.approx(row["mr"], abs=0.0051)
