"""Vendi score against closed forms and the definition."""

from __future__ import annotations

import numpy as np
import pytest

from earthloom.core.errors import UsageError
from earthloom.metrics.vendi import vendi_score


def test_orthogonal_things_count_each_and_equal_ones_once() -> None:
    assert vendi_score(3 * np.eye(7)) == pytest.approx(7, abs=1e-12)
    assert vendi_score(np.ones((7, 3))) == pytest.approx(1, abs=1e-12)
    assert vendi_score(np.repeat(np.eye(4), 25, axis=0)) == pytest.approx(4, abs=1e-9)


def test_two_things_at_an_angle() -> None:
    """Eigenvalues (1 + c) / 2 and (1 - c) / 2 for a cosine of c."""
    cosine = 0.6
    shares = np.array([1 + cosine, 1 - cosine]) / 2
    x = np.array([[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]])
    assert vendi_score(x) == pytest.approx(np.exp(-(shares @ np.log(shares))), rel=1e-12)


def test_tall_and_wide_sets_follow_the_definition() -> None:
    for shape in ((30, 6), (6, 30)):
        x = np.random.default_rng(0).normal(size=shape)
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        shares = np.linalg.eigvalsh(unit @ unit.T / len(x))
        shares = shares[shares > 1e-12]
        assert vendi_score(x) == pytest.approx(np.exp(-(shares @ np.log(shares))), rel=1e-9)


def test_what_has_no_direction_is_refused() -> None:
    with pytest.raises(UsageError, match="direction"):
        vendi_score(np.zeros((3, 2)))
    with pytest.raises(UsageError, match="finite"):
        vendi_score(np.full((3, 2), np.inf))
