"""Which places get which effect."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.run.variants import Ground, Rows, choose_places, find_ground, label_effects, share_out
from earthloom.synthesize.fog import FogSettings
from earthloom.synthesize.snow import SnowSettings


def make_ground(n: int, *, sources: int = 1, levels: int = 1) -> Ground:
    rng = np.random.default_rng(5)
    return Ground(
        place=np.sort(rng.integers(0, 2**63, n, dtype=np.uint64)),
        source=rng.integers(0, sources, n),
        level=rng.integers(0, levels, n),
    )


def make_rows(*tiles: tuple[int, bool, bool]) -> Rows:
    places, fits, weathered = zip(*tiles, strict=True)
    n = len(tiles)
    return Rows(
        place=np.array(places, np.uint64),
        shard=np.zeros(n, np.int64),
        row=np.arange(n),
        fits=np.array(fits),
        weathered=np.array(weathered),
        source=np.arange(n),
        level=np.zeros(n, np.int64),
    )


def test_that_a_share_is_met_in_expectation_and_a_place_keeps_its_weather() -> None:
    ground = make_ground(20_000)
    chosen = choose_places(ground, FogSettings(share=0.1), "fog")
    assert abs(len(chosen) - 2000) < 5 * math.sqrt(20_000 * 0.1 * 0.9)
    half = Ground(place=ground.place[::2], source=ground.source[::2], level=ground.level[::2])
    again = choose_places(half, FogSettings(share=0.1), "fog")
    assert set(again.tolist()) == set(chosen.tolist()) & set(half.place.tolist())
    more = choose_places(ground, FogSettings(share=0.3), "fog")
    assert set(chosen.tolist()) < set(more.tolist())


def test_that_effects_seeds_and_entries_are_drawn_apart() -> None:
    ground = make_ground(20_000)
    fog = set(choose_places(ground, FogSettings(share=0.5), "fog").tolist())
    for other in (
        choose_places(ground, FogSettings(share=0.5, seed=1), "fog"),
        choose_places(ground, SnowSettings(share=0.5), "snow"),
        choose_places(ground, FogSettings(share=0.5), "fog-2"),
    ):
        assert abs(len(fog & set(other.tolist())) - 5000) < 5 * math.sqrt(20_000 * 0.25 * 0.75)


def test_that_a_count_is_met_exactly_or_all_are_taken() -> None:
    ground = make_ground(500)
    assert len(choose_places(ground, FogSettings(count=123), "fog")) == 123
    assert len(choose_places(ground, FogSettings(count=900), "fog")) == 500


def test_that_a_balance_takes_as_many_from_each() -> None:
    ground = make_ground(5000, sources=3, levels=2)
    chosen = choose_places(ground, FogSettings(count=600, balance=("source", "gsd")), "fog")
    at = np.searchsorted(ground.place, chosen)
    cells = np.bincount(ground.source[at] * 2 + ground.level[at])
    assert cells.tolist() == [100] * 6


def test_that_a_small_source_gives_all_and_the_others_the_rest() -> None:
    assert share_out(100, [10, 500, 500]) == [10, 45, 45]
    assert share_out(7, [2, 2]) == [2, 2]
    assert share_out(5, [3, 3, 3]) == [2, 2, 1]
    assert share_out(5, []) == []


@given(st.integers(0, 300), st.lists(st.integers(0, 60), max_size=8))
def test_that_shares_are_as_even_as_the_rooms_allow(wanted: int, rooms: list[int]) -> None:
    given_out = share_out(wanted, rooms)
    assert sum(given_out) == min(wanted, sum(rooms))
    assert all(n <= room for n, room in zip(given_out, rooms, strict=True))
    held_back = [n for n, room in zip(given_out, rooms, strict=True) if n < room]
    if held_back:
        assert max(given_out) - min(held_back) <= 1


def test_that_only_places_with_an_optical_and_clear_picture_are_varied() -> None:
    ground = find_ground(
        make_rows(
            (7, True, False),  # RGB with radar beside it
            (7, False, False),
            (3, False, False),  # radar alone
            (5, True, True),  # shows fog already
            (9, True, False),  # its infrared is said to show weather
            (9, True, True),
            (1, True, False),
        )
    )
    assert ground.place.tolist() == [1, 7]
    assert ground.source.tolist() == [6, 0]


def test_that_entries_of_one_effect_are_told_apart() -> None:
    effects = [FogSettings(), SnowSettings(), FogSettings(), FogSettings()]
    assert label_effects(effects) == ["fog", "snow", "fog-2", "fog-3"]


def test_that_share_and_count_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        FogSettings(share=0.1, count=5)
