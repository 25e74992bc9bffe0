"""Scores of pictures and texts move the right way: the rows of docs/evaluation-sanity.md, in small and on real data."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))
from sanity import texts  # noqa: E402
from sanity.rows import render_rows  # noqa: E402

sys.path.remove(str(DOCS))


def test_made_pairs_lose_what_shuffling_and_noise_take() -> None:
    rng = np.random.default_rng(0)
    words = rng.normal(size=(200, 12))
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    pictures = words + 0.6 * rng.normal(size=words.shape)
    rows = list(texts.list_text_rows(pictures, words, [str(i) for i in range(200)]))
    assert {row.metric for row in rows} >= {
        "CLIPScore",
        "its lift",
        "its wins",
        "its null",
        "mR",
        "median rank",
    }
    assert all(row.is_right for row in rows), "\n".join(render_rows(rows))


def test_a_metric_that_ignores_the_texts_is_found_out() -> None:
    pictures = np.ones((50, 3))
    words = np.tile([1.0, 0.0, 0.0], (50, 1))
    rows = list(texts.list_text_rows(pictures, words, [str(i) for i in range(50)]))
    wrong = {row.metric for row in rows if not row.is_right}
    assert wrong >= {"CLIPScore", "its lift", "its wins", "mR", "median rank"}


@pytest.mark.slow
def test_real_pairs_lose_what_shuffling_and_noise_take(real_data: Path) -> None:
    rows = list(texts.measure(real_data))
    assert all(row.is_right for row in rows), "\n".join(render_rows(rows))
