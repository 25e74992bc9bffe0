"""Nearest neighbours are exact, and copies stand out from fresh samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from earthloom.core.errors import UsageError
from earthloom.metrics import feature_sets
from earthloom.metrics.neighbours import find_nearest, measure_memorisation


@settings(max_examples=30)
@given(n=st.integers(2, 40), m=st.integers(1, 40), d=st.integers(1, 6), offset=st.sampled_from([0.0, 1e4]))
def test_all_pairs_by_scipy(n: int, m: int, d: int, offset: float) -> None:
    rng = np.random.default_rng(n * 41 + m)
    train, generated = rng.normal(size=(n, d)) + offset, rng.normal(size=(m, d)) + offset
    apart = cdist(generated, train)
    found = find_nearest(generated, train)
    np.testing.assert_array_equal(found.index, apart.argmin(axis=1))
    np.testing.assert_allclose(found.distance, apart.min(axis=1), rtol=1e-9)
    own = cdist(train, train)
    np.fill_diagonal(own, np.inf)
    others = find_nearest(train, train, omit_own=True)
    np.testing.assert_allclose(others.distance, own.min(axis=1), rtol=1e-9)


def test_blocks_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    train, generated = rng.normal(size=(90, 4)), rng.normal(size=(70, 4))
    whole = measure_memorisation(train, generated)
    monkeypatch.setattr(feature_sets, "_ENTRIES", 500)
    assert measure_memorisation(train, generated) == whole


def test_fresh_samples_stand_where_the_training_set_does() -> None:
    """1 % and 5 % lie under the percentiles, and half are authentic, all by exchange of equals."""
    rng = np.random.default_rng(1)
    found = measure_memorisation(rng.normal(size=(2000, 6)), rng.normal(size=(2000, 6)))
    assert found.under_1 == pytest.approx(0.01, abs=0.008)
    assert found.under_5 == pytest.approx(0.05, abs=0.02)
    assert found.authentic == pytest.approx(0.5, abs=0.06)
    assert found.generated == pytest.approx(found.train, rel=0.15, abs=0.15)
    assert (found.n_train, found.n_generated) == (2000, 2000)


def test_copies_are_caught_one_by_one() -> None:
    rng = np.random.default_rng(2)
    train, fresh = rng.normal(size=(500, 6)), rng.normal(size=(300, 6))
    copies = train[:100] + 1e-3 * rng.normal(size=(100, 6))
    found = measure_memorisation(train, np.vstack([fresh, copies]))
    assert found.under_1 == pytest.approx(0.25, abs=0.02)
    assert measure_memorisation(train, copies).authentic == 0
    assert measure_memorisation(train, train).generated[-1] == 0


def test_authentic_by_hand() -> None:
    """On a line: the neighbour of 0.4 is 0, whose own is 1 away; that of 3 is 1, whose own is 1 away."""
    found = measure_memorisation(np.array([[0.0], [1.0]]), np.array([[-0.4], [3.0]]))
    assert found.authentic == 0.5
    assert found.generated[0] == pytest.approx(0.4)


def test_sets_without_neighbours_are_refused() -> None:
    with pytest.raises(UsageError, match="At least 2"):
        measure_memorisation(np.ones((1, 2)), np.ones((3, 2)))
    with pytest.raises(UsageError, match="As many queries"):
        find_nearest(np.ones((2, 2)), np.ones((3, 2)), omit_own=True)


def test_copies_are_caught_where_training_samples_are_doubled() -> None:
    """One training sample in fifty stands twice: 1 % of them are at 0 from another, and so is every copy."""
    train = np.random.default_rng(0).normal(size=(200, 4))
    train[:4] = train[4:8]
    found = measure_memorisation(train, train[50:90])
    assert (found.under_1, found.under_5, found.authentic) == (1.0, 1.0, 0.0)


def test_what_belongs_together_is_no_neighbour() -> None:
    rng = np.random.default_rng(3)
    train = np.repeat(rng.normal(size=(12, 5)), 3, axis=0) + rng.normal(size=(36, 5)) * 1e-3
    groups = [f"ground {row // 3}" for row in range(36)]
    apart = cdist(train, train)
    apart[np.equal.outer(np.arange(36) // 3, np.arange(36) // 3)] = np.inf
    found = find_nearest(train, train, omit_own=True, groups=groups)
    np.testing.assert_array_equal(found.index, apart.argmin(axis=1))
    np.testing.assert_allclose(found.distance, apart.min(axis=1), rtol=1e-9)
    assert find_nearest(train, train, omit_own=True).distance.max() < 0.02 < found.distance.min()
    with pytest.raises(UsageError, match="Two groups of 36 references"):
        find_nearest(train, train, omit_own=True, groups=["one"] * 36)
    with pytest.raises(UsageError, match="Two groups of 36 references"):
        find_nearest(train, train, omit_own=True, groups=groups[:-1])
