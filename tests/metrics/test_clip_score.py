"""CLIPScore against its formula written out, shuffled texts against what expectation says, and long texts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.core.seeds import make_rng
from earthloom.metrics.clip_score import (
    clip_scores,
    measure_clip_score,
    measure_ref_clip_score,
    pool_windows,
    ref_clip_scores,
)
from earthloom.metrics.dealing import deal_others, deal_within, spell_key

Array = npt.NDArray[np.float64]


def turn(degrees: float) -> list[float]:
    """A unit vector in the plane."""
    return [float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))]


def test_a_score_is_two_and_a_half_times_the_cosine_and_never_below_zero() -> None:
    pictures = np.array([[3.0, 0.0], [0.5, 0.0], [1.0, 0.0], [2.0, 0.0]])
    texts = np.array([turn(0), turn(60), turn(90), turn(120)])
    np.testing.assert_allclose(clip_scores(pictures, texts), [2.5, 1.25, 0.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(
        clip_scores(pictures, texts, weight=100.0), [100.0, 50.0, 0.0, 0.0], atol=1e-13
    )


def test_the_references_go_in_without_the_weight() -> None:
    candidates = np.array([turn(0), turn(0), turn(0)])
    references = np.array([turn(60), turn(90), turn(120), turn(60), turn(10)])
    found = ref_clip_scores(np.array([1.0, 1.0, 0.0]), candidates, references, [0, 0, 1, 2, 2])
    # 2 x 1 x cos 60 / (1 + cos 60); the second's only reference points away; the third's picture has nothing of it.
    np.testing.assert_allclose(found, [2 / 3, 0.0, 0.0], atol=1e-15)


def test_a_text_that_is_its_own_reference_agrees_with_it_fully_however_long_it_is() -> None:
    long = pool_windows(np.array([turn(0), turn(60)]), [0, 0], [1, 1], 1)
    assert np.linalg.norm(long) < 0.9
    np.testing.assert_allclose(ref_clip_scores(np.array([0.6]), long, long, [0]), [2 * 0.6 / 1.6], atol=1e-12)


def test_a_text_without_words_scores_nothing() -> None:
    nothing = np.zeros((1, 2))
    assert clip_scores(np.array([turn(0)]), nothing).tolist() == [0.0]
    assert ref_clip_scores(np.array([0.0]), nothing, np.array([turn(0)]), [0]).tolist() == [0.0]


def test_references_of_other_pictures_are_the_null() -> None:
    """Against both formulas written out over the same shuffles; one reference more for the first picture."""
    rng = np.random.default_rng(0)
    pictures, candidates, references = (rng.normal(size=(n, 5)) + 1 for n in (9, 9, 10))
    candidates /= np.linalg.norm(candidates, axis=1, keepdims=True)
    references /= np.linalg.norm(references, axis=1, keepdims=True)
    keys, owners = [str(i) for i in range(9)], [*range(9), 0]
    found = measure_ref_clip_score(pictures, candidates, references, owners, keys, draws=3, seed=4)

    def score(picture: int, text: int) -> float:
        cosine = pictures[picture] @ candidates[text] / np.linalg.norm(pictures[picture])
        seen = 2.5 * max(cosine, 0)
        said = max(0, *(references[i] @ candidates[text] for i in range(10) if owners[i] == picture))
        return float(2 * seen * said / (seen + said)) if seen + said else 0.0

    np.testing.assert_allclose(found.scores, [score(i, i) for i in range(9)], atol=1e-12)
    dealt = deal_within(keys, None, 9, 3, 4)
    wanted = np.mean([[score(i, int(text)) for i, text in enumerate(draw)] for draw in dealt], axis=0)
    np.testing.assert_allclose(found.null_scores, wanted, atol=1e-12)
    assert found.null == pytest.approx(wanted.mean())
    assert found.lift == pytest.approx(found.value - wanted.mean())


def test_own_references_lift_a_score_above_its_null() -> None:
    eye = np.eye(6)
    found = measure_ref_clip_score(eye, eye, eye, range(6), list("abcdef"), weight=1.0)
    assert (found.value, found.null, found.wins) == (1.0, 0.0, 1.0)
    assert measure_ref_clip_score(eye, eye, eye, range(6), ["a"] * 6).null is None


def test_texts_that_read_alike_have_one_key() -> None:
    assert spell_key("A  field.\n") == spell_key("a Field.")
    assert spell_key("a field") != spell_key("a fields")


def test_a_long_text_scores_the_weighted_mean_of_its_windows() -> None:
    picture = np.array([[1.0, 0.0]])
    windows = np.array([[2.0, 0.0], turn(60)])
    pooled = pool_windows(windows, [0, 0], [3, 1], 1)
    np.testing.assert_allclose(clip_scores(picture, pooled, weight=1.0), [(3 * 1.0 + 1 * 0.5) / 4])
    alone = pool_windows(windows, [1, 0], [7, 5], 2)
    np.testing.assert_allclose(alone, [turn(60), [1.0, 0.0]], atol=1e-15)


def test_own_texts_score_one_and_those_of_others_nothing() -> None:
    eye = np.eye(12)
    found = measure_clip_score(eye, eye, [str(i) for i in range(12)], weight=1.0)
    assert (found.value, found.null, found.lift, found.wins) == (1.0, 0.0, 1.0, 1.0)
    assert found.null_spread == 0.0
    assert (found.n, found.n_null, found.n_draws) == (12, 12, 20)


def test_texts_that_have_nothing_to_do_with_their_pictures_are_no_better_than_shuffled_ones() -> None:
    rng = np.random.default_rng(5)
    pictures = rng.normal(size=(800, 16)) + 1.0
    texts = rng.normal(size=(800, 16)) + 1.0
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    found = measure_clip_score(pictures, texts, [str(i) for i in range(800)], draws=40)
    assert found.null is not None
    assert found.value > 1.0, "both lean one way, so that any pair scores high"
    assert found.lift == pytest.approx(0.0, abs=0.03)
    assert found.wins == pytest.approx(0.5, abs=0.03)
    cosines = 2.5 * np.maximum((pictures / np.linalg.norm(pictures, axis=1)[:, None]) @ texts.T, 0)
    expected = (cosines.sum() - np.trace(cosines)) / (800 * 799)
    assert found.null == pytest.approx(expected, abs=0.01), (
        "the mean over all pairs that do not belong together"
    )


def test_shuffling_the_texts_takes_the_lift_away() -> None:
    rng = np.random.default_rng(1)
    texts = rng.normal(size=(300, 8))
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    pictures = texts + 0.3 * rng.normal(size=texts.shape)
    names = [str(i) for i in range(300)]
    right = measure_clip_score(pictures, texts, names)
    order = rng.permutation(300)
    wrong = measure_clip_score(pictures, texts[order], [names[i] for i in order])
    assert right.lift is not None
    assert wrong.lift is not None
    assert right.lift > 1.0 > 10 * abs(wrong.lift)
    assert right.null == pytest.approx(wrong.null, abs=0.05)


def test_texts_are_dealt_within_their_stratum() -> None:
    pictures = np.array([[1.0, 0.0]] * 2 + [[0.0, 1.0]] * 2)
    found = measure_clip_score(pictures, pictures, list("abcd"), strata=["x", "x", "y", "y"], weight=1.0)
    assert found.null == 1.0
    mixed = measure_clip_score(pictures, pictures, list("abcd"), weight=1.0, draws=300)
    assert mixed.null == pytest.approx(1 / 3, abs=0.05), "one of the three others is of the same direction"


def test_there_is_no_null_where_most_texts_are_one() -> None:
    pictures = np.eye(3)
    found = measure_clip_score(pictures, pictures, ["a", "a", "b"])
    assert (found.null, found.lift, found.wins, found.n_null) == (None, None, None, 0)
    assert found.value == 2.5


def test_the_seed_decides_the_draws() -> None:
    rng = np.random.default_rng(2)
    texts = rng.normal(size=(20, 4))
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    names = [str(i) for i in range(20)]
    first, again, other = (measure_clip_score(texts, texts, names, draws=2, seed=s) for s in (0, 0, 1))
    assert first.null == again.null != other.null


@given(st.lists(st.sampled_from("abcdef"), max_size=30), st.integers(0, 5))
def test_nothing_comes_to_its_own_key(keys: list[str], seed: int) -> None:
    dealt = deal_others(keys, make_rng(seed))
    most = max((keys.count(key) for key in keys), default=0)
    if len(keys) < 2 or 2 * most > len(keys):
        assert dealt is None
        return
    assert dealt is not None
    assert sorted(dealt.tolist()) == list(range(len(keys)))
    assert all(keys[i] != keys[j] for i, j in enumerate(dealt.tolist()))


def test_all_derangements_of_distinct_keys_that_are_turns_come_up_evenly() -> None:
    rng = make_rng(0)
    counts = np.zeros((4, 4))
    for _ in range(3000):
        dealt = deal_others(list("abcd"), rng)
        assert dealt is not None
        counts[np.arange(4), dealt] += 1
    assert np.diag(counts).sum() == 0
    np.testing.assert_allclose(counts[~np.eye(4, dtype=bool)] / 3000, 1 / 3, atol=0.04)


@pytest.mark.parametrize(
    ("pictures", "texts"),
    [
        (np.eye(2), np.eye(3)),
        (np.zeros((2, 2)), np.eye(2)),
        (np.eye(2), 2 * np.eye(2)),
        (np.full((2, 2), np.nan), np.eye(2)),
    ],
)
def test_features_that_cannot_be_scored_are_faults(pictures: Array, texts: Array) -> None:
    with pytest.raises(UsageError):
        clip_scores(pictures, texts)


def test_a_candidate_without_reference_is_a_fault() -> None:
    with pytest.raises(UsageError, match="each of 2"):
        ref_clip_scores(np.ones(2), np.eye(2), np.eye(2), [0, 0])
    with pytest.raises(UsageError, match="window"):
        pool_windows(np.eye(2), [0, 0], [1, 1], 2)
