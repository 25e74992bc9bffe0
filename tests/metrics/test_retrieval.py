"""Retrieval against closed forms, a count by sorting, and torch's top-k."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.metrics.retrieval import expect_chance, expect_chances, measure_retrieval

Features = npt.NDArray[np.float64]


def draw(seed: int, n: int, texts: int, width: int) -> tuple[Features, Features, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    owners = np.repeat(np.arange(n), texts)
    pictures = rng.normal(size=(n, width))
    return pictures, pictures[owners] + rng.normal(size=(n * texts, width)), owners


def test_one_direction_each_finds_all() -> None:
    found = measure_retrieval(np.eye(7), np.repeat(np.eye(7), 5, 0) * 3.0, np.repeat(np.arange(7), 5))
    assert found.mean_recall == 1.0
    assert (found.to_text.median_rank, found.to_picture.tied) == (1.0, 0.0)
    assert (found.n_pictures, found.n_texts) == (7, 35)


def test_toy_by_hand() -> None:
    # Cosines of texts (rows, owners 0 0 1 1 2 2) with pictures at 0, 90 and 180 degrees: cos of the differences.
    degrees = np.radians([10.0, 50.0, 80.0, 170.0, 100.0, 130.0])
    texts = np.stack([np.cos(degrees), np.sin(degrees)], 1)
    pictures = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    found = measure_retrieval(pictures, texts, [0, 0, 1, 1, 2, 2])
    # Pictures: 0 finds the text at 10 first (own); 90 finds 80 and 100 alike, one wrong: behind it, second;
    # 180 finds 170 (wrong), then 130 (own): second.
    assert found.to_text.at_1 == pytest.approx(1 / 3)
    assert found.to_text.at_5 == 1.0
    assert found.to_text.tied == pytest.approx(1 / 3)
    assert found.to_text.median_rank == 2.0
    # Texts: 10 -> 0 own; 50 -> 90 first, own second; 80 own; 170 -> 180, own second; 100 -> 90, own second; 130 -> 90
    # (40 off), own (50 off) second.
    assert found.to_picture.at_1 == pytest.approx(2 / 6)
    assert found.to_picture.at_5 == 1.0


def test_a_model_that_says_one_thing_finds_nothing() -> None:
    found = measure_retrieval(np.ones((40, 3)), np.ones((200, 3)), np.repeat(np.arange(40), 5))
    assert found.mean_recall == 0.0
    assert found.to_text.tied == found.to_picture.tied == 1.0


@given(st.integers(0, 10**6), st.integers(11, 30), st.integers(1, 4))
def test_as_topk_of_torch(seed: int, n: int, texts: int) -> None:
    pictures, words, owners = draw(seed, n, texts, 5)
    found = measure_retrieval(pictures, words, owners)
    cosines = torch.nn.functional.cosine_similarity(
        torch.from_numpy(pictures)[:, None], torch.from_numpy(words)[None], dim=-1
    )
    own = torch.from_numpy(owners)
    for top, share in ((1, found.to_text.at_1), (5, found.to_text.at_5), (10, found.to_text.at_10)):
        hits = (own[cosines.topk(top, dim=1).indices] == torch.arange(n)[:, None]).any(1)
        assert share == pytest.approx(float(hits.double().mean()))
    for top, share in ((1, found.to_picture.at_1), (5, found.to_picture.at_5), (10, found.to_picture.at_10)):
        hits = (cosines.t().topk(top, dim=1).indices == own[:, None]).any(1)
        assert share == pytest.approx(float(hits.double().mean()))


def test_order_of_rows_does_not_matter() -> None:
    pictures, words, owners = draw(3, 700, 2, 8)  # more than one block of rows
    order = np.random.default_rng(0).permutation(len(words))
    first = measure_retrieval(pictures, words, owners)
    assert measure_retrieval(pictures, words[order], owners[order]) == first
    assert first.to_text.at_1 <= first.to_text.at_5 <= first.to_text.at_10


def test_pictures_without_texts_do_not_ask() -> None:
    found = measure_retrieval(np.eye(4), np.eye(4)[[1, 3]], [1, 3])
    assert found.to_text.at_1 == 1.0
    assert found.to_picture.at_1 == 1.0


def test_chance_in_closed_form_and_drawn() -> None:
    assert expect_chance(1, 1094, 10) == pytest.approx(10 / 1094)
    assert expect_chance(5, 5470, 1) == pytest.approx(5 / 5470)
    assert expect_chance(2, 3, 2) == 1.0
    n, texts, rounds = 20, 3, 300
    owners = np.repeat(np.arange(n), texts)
    rng = np.random.default_rng(1)
    drawn = [
        measure_retrieval(rng.normal(size=(n, 4)), rng.normal(size=(n * texts, 4)), owners)
        for _ in range(rounds)
    ]
    chance = expect_chances(owners, n)
    assert np.mean([found.to_text.at_5 for found in drawn]) == pytest.approx(chance["to_text@5"], abs=0.02)
    assert np.mean([found.to_picture.at_10 for found in drawn]) == pytest.approx(
        chance["to_picture@10"], abs=0.02
    )


@pytest.mark.parametrize(
    ("pictures", "texts", "owners", "what"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), [0, 1], "M x D"),
        (np.ones((2, 3)), np.ones((2, 3)), [0], "M owners"),
        (np.ones((2, 3)), np.ones((2, 3)), [0, 2], "0 to 1"),
        (np.zeros((2, 3)), np.ones((2, 3)), [0, 1], "direction"),
        (np.full((2, 3), np.nan), np.ones((2, 3)), [0, 1], "direction"),
        (np.ones((0, 3)), np.ones((0, 3)), [], "N x D"),
    ],
)
def test_wrong_input(pictures: Features, texts: Features, owners: list[int], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        measure_retrieval(pictures, texts, owners)


def test_to_json() -> None:
    found = measure_retrieval(np.eye(3), np.eye(3), [0, 1, 2]).to_json()
    assert found["mean_recall"] == 1.0
    assert found["to_text"] == {"at_1": 1.0, "at_5": 1.0, "at_10": 1.0, "median_rank": 1.0, "tied": 0.0}
