"""Intervals against scipy's, closed forms, and how often they hold what they should."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from earthloom.core.errors import UsageError
from earthloom.metrics.bootstrap import (
    bootstrap,
    bootstrap_difference,
    bootstrap_mean,
    draw_halves,
    half_sample_interval,
    share_interval,
)


@pytest.mark.parametrize("method", ["percentile", "basic"])
def test_intervals_of_scipy(method: str) -> None:
    """Of a skewed statistic, within what two draws of resamples differ by."""
    x = np.random.default_rng(0).exponential(size=120)
    theirs = scipy.stats.bootstrap(
        (x,), np.var, n_resamples=4000, method=method, rng=np.random.default_rng(1), vectorized=True
    ).confidence_interval
    ours = bootstrap(lambda items: float(np.var(x[items])), 120, resamples=4000, method=method)
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)
    assert (ours.level, ours.resamples) == (0.95, 4000)


@pytest.mark.parametrize("method", ["percentile", "basic"])
@pytest.mark.parametrize("grouped", [False, True])
def test_the_fast_way_for_means_is_the_slow_one(method: str, grouped: bool) -> None:
    rng = np.random.default_rng(2)
    x, groups = rng.normal(size=50), rng.integers(0, 12, size=50) if grouped else None
    slow = bootstrap(
        lambda items: float(x[items].mean()), 50, groups=groups, resamples=200, seed=5, method=method
    )
    fast = bootstrap_mean(x, groups=groups, resamples=200, seed=5, method=method)
    assert (fast.interval.low, fast.interval.high) == pytest.approx((slow.low, slow.high), rel=1e-12)
    assert fast.value == pytest.approx(x.mean())
    assert (fast.n, fast.n_units) == (50, 12 if grouped else 50)


def test_means_of_normals_have_the_interval_of_the_textbook() -> None:
    """s / sqrt(n) times 1.96 on either side."""
    x = np.random.default_rng(3).normal(5, 2, size=2000)
    found = bootstrap_mean(x, resamples=4000).interval
    reach = 1.96 * x.std() / np.sqrt(2000)
    assert (found.low, found.high) == pytest.approx((x.mean() - reach, x.mean() + reach), abs=0.06 * reach)


@pytest.mark.parametrize("method", ["percentile", "basic"])
def test_nine_in_ten_hold_the_mean(method: str) -> None:
    """400 cases of 60 normals: the share has a standard deviation of 0.015; 60 samples cost about one per cent."""
    rng = np.random.default_rng(4)
    held = [
        bootstrap_mean(
            rng.normal(1, 3, 60), resamples=400, seed=case, level=0.9, method=method
        ).interval.holds(1)
        for case in range(400)
    ]
    assert np.mean(held) == pytest.approx(0.89, abs=0.045)


@pytest.mark.parametrize(("right", "n"), [(0, 8), (3, 8), (20, 20), (19, 20), (431, 500), (500, 500)])
def test_shares_have_the_interval_of_scipy(right: int, n: int) -> None:
    flags = np.arange(n) < right
    for level in (0.9, 0.95):
        found = share_interval(flags, level=level)
        wanted = scipy.stats.binomtest(right, n).proportion_ci(level, method="wilson")
        assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    assert (found.how, found.holds(right / n)) == ("Wilson's score interval", True)


@pytest.mark.parametrize(("share", "n"), [(0.5, 20), (0.9, 20), (0.98, 50), (0.995, 100), (0.02, 100)])
def test_intervals_hold_shares_near_the_ends_too(share: float, n: int) -> None:
    """Counted over all outcomes by the binomial law; of the bootstrap less than half hold a share of 0.995."""
    outcomes = np.arange(n + 1)
    held = [share_interval(np.arange(n) < right).holds(share) for right in outcomes]
    assert 0.9 < scipy.stats.binom.pmf(outcomes, n, share) @ held <= 1


@pytest.mark.parametrize(("n_groups", "share"), [(15, 0.5), (40, 0.9), (40, 0.98)])
def test_shares_of_groups_that_agree_within_themselves(n_groups: int, share: float) -> None:
    """Four of five items of a group have its answer, the others one of their own."""
    rng = np.random.default_rng(11)
    groups = np.repeat(np.arange(n_groups), 5)
    held = []
    for _ in range(400):
        common = (rng.random(n_groups) < share)[groups]
        flags = np.where(rng.random(len(groups)) < 0.8, common, rng.random(len(groups)) < share)
        held.append(share_interval(flags, groups=groups).holds(share))
    assert 0.9 < np.mean(held) <= 1
    # Where all items are their own groups, or agree with none of them, groups cost next to nothing.
    flags = rng.random(300) < 0.7
    alone, shuffled = share_interval(flags), share_interval(flags, groups=np.arange(300) % 60)
    assert shuffled.high - shuffled.low == pytest.approx(alone.high - alone.low, rel=0.25)
    assert share_interval(flags, groups=np.arange(300)) == alone


def test_groups_of_one_answer_count_once() -> None:
    copies, groups = np.repeat(np.arange(40) < 29, 5), np.repeat(np.arange(40), 5)
    found, wanted = share_interval(copies, groups=groups), share_interval(np.arange(40) < 29)
    assert found.high - found.low == pytest.approx(wanted.high - wanted.low, rel=0.04)
    certain = share_interval(np.ones(200, np.bool_), groups=groups)
    assert certain.high == 1
    assert 0.9 < certain.low < wanted_low(40)


def wanted_low(n: int) -> float:
    """Wilson's lower limit of n right answers of n: n / (n + z^2)."""
    return n / (n + scipy.stats.norm.ppf(0.975) ** 2)


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(UsageError, match="A truth for each item"):
        share_interval(np.array([0.5, 1.0]))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="At least 2"):
        share_interval(np.ones(1, np.bool_))
    with pytest.raises(UsageError, match="level"):
        share_interval(np.ones(4, np.bool_), level=1)


def test_items_that_depend_on_each_other_need_groups() -> None:
    """Five equal scores a group: a fifth of the samples in truth, an interval wider by sqrt(5)."""
    scores = np.repeat(np.random.default_rng(5).normal(size=300), 5)
    groups = np.repeat(np.arange(300), 5)
    blind, right = (bootstrap_mean(scores, groups=own, resamples=3000).interval for own in (None, groups))
    assert (right.high - right.low) / (blind.high - blind.low) == pytest.approx(np.sqrt(5), rel=0.08)


def test_pairs_see_what_two_means_do_not() -> None:
    rng = np.random.default_rng(6)
    hardness = rng.normal(0, 10, 200)
    a, b = hardness + rng.normal(0.5, 1, 200), hardness + rng.normal(0, 1, 200)
    apart = bootstrap_difference(a, b)
    assert apart.value == pytest.approx((a - b).mean(), rel=1e-9)
    assert apart.interval.low > 0, "the better one is told although items differ by twenty times more"
    assert bootstrap_mean(a).interval.holds(float(b.mean()))


def test_halves_spread_like_the_mean_of_the_whole() -> None:
    """Half-samples without replacement vary by s^2 / n, as the mean of all n does."""
    x = np.random.default_rng(7).normal(size=400)
    values = np.array([x[half].mean() for half in draw_halves(400, 4000, seed=0)])
    assert values.std() == pytest.approx(x.std() / np.sqrt(400), rel=0.04)
    found = half_sample_interval(float(x.mean()), values)
    reach = 1.96 * x.std() / np.sqrt(400)
    assert (found.low, found.high) == pytest.approx((x.mean() - reach, x.mean() + reach), abs=0.1 * reach)


def test_halves_hold_half_of_the_groups_whole() -> None:
    groups = ["a", "b", "c", "d", "a", "c", "e"]
    for half in draw_halves(7, 20, seed=1, groups=groups):
        chosen = {groups[item] for item in half}
        assert len(chosen) == 2
        assert sorted(half) == [item for item in range(7) if groups[item] in chosen]


def test_one_seed_gives_one_interval() -> None:
    x = np.arange(20.0)
    assert bootstrap_mean(x, seed=1) == bootstrap_mean(x, seed=1)
    assert bootstrap_mean(x, seed=1) != bootstrap_mean(x, seed=2)
    first, second = (np.concatenate(list(draw_halves(9, 5, 0, purpose))) for purpose in "xy")
    assert not np.array_equal(first, second), "two sets are halved independently"


def test_what_has_no_interval_is_refused() -> None:
    with pytest.raises(UsageError, match="At least 2 items or groups"):
        bootstrap_mean(np.ones(1))
    with pytest.raises(UsageError, match="At least 2 items or groups"):
        bootstrap_mean(np.ones(5), groups=["one"] * 5)
    with pytest.raises(UsageError, match="A group for each of 5"):
        bootstrap_mean(np.ones(5), groups=["a", "b"])
    with pytest.raises(UsageError, match="finite"):
        bootstrap_mean(np.array([1.0, np.nan, 2.0]))
    with pytest.raises(UsageError, match="level between 0 and 1"):
        bootstrap_mean(np.ones(5), level=95)
    with pytest.raises(UsageError, match="At least 2 resamples"):
        bootstrap_mean(np.ones(5), resamples=1)
    with pytest.raises(UsageError, match="same items"):
        bootstrap_difference(np.ones(5), np.ones(4))
    with pytest.raises(UsageError, match="score for each"):
        bootstrap_mean(np.ones((5, 2)))
    with pytest.raises(UsageError, match="At least 4"):
        list(draw_halves(3, 2, 0))
