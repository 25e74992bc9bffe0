"""The order of samples: every one once an epoch, and the same at a position whatever was asked before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.store.stream.order import Order, Part, Spot, mix
from earthloom.store.stream.shard import Chunk

SHARDS = st.lists(st.lists(st.integers(0, 7), max_size=4), min_size=1, max_size=7)
"""Rows of each chunk of each shard."""


def make_order(
    shards: list[list[int]], *, seed: int = 0, shuffle: int = 8, room: int = 10**9, n_bytes: int = 0
) -> tuple[Order, Counter[int]]:
    listed: Counter[int] = Counter()

    def list_chunks(shard: int) -> list[Chunk]:
        listed[shard] += 1
        return [Chunk(n, n * n_bytes) for n in shards[shard]]

    order = Order(len(shards), list_chunks, seed=seed, purpose="samples", shuffle=shuffle, room=room)
    return order, listed


def all_spots(shards: list[list[int]]) -> list[Spot]:
    return [
        Spot(shard, chunk, row)
        for shard, chunks in enumerate(shards)
        for chunk, n in enumerate(chunks)
        for row in range(n)
    ]


@given(SHARDS, st.integers(0, 5), st.integers(1, 30), st.integers(0, 3), st.integers(1, 20))
def test_that_every_sample_comes_once_in_every_epoch(
    shards: list[list[int]], seed: int, shuffle: int, n_bytes: int, room: int
) -> None:
    order, _ = make_order(shards, seed=seed, shuffle=shuffle, n_bytes=n_bytes, room=room)
    wanted = all_spots(shards)
    for epoch in range(3):
        found = [order.locate(epoch * len(wanted) + i) for i in range(len(wanted))]
        assert sorted(spot for spot in found if spot is not None) == wanted


@given(SHARDS.filter(lambda shards: sum(map(sum, shards)) > 0), st.lists(st.integers(0, 200), max_size=20))
def test_that_a_position_gives_the_same_sample_whatever_was_asked_before(
    shards: list[list[int]], positions: list[int]
) -> None:
    whole, _ = make_order(shards)
    straight = {position: whole.locate(position) for position in range(201)}
    jumping, _ = make_order(shards)
    assert [jumping.locate(p) for p in positions] == [straight[p] for p in positions]
    for position in positions:
        assert make_order(shards)[0].locate(position) == straight[position]


def test_that_no_sample_is_nowhere() -> None:
    order, _ = make_order([[0], [], [0, 0]])
    assert order.locate(0) is None
    assert order.count() == 0
    assert not order.is_in_first_epoch(0)


def test_that_epochs_and_seeds_differ_and_purposes_do() -> None:
    shards = [[20], [20], [20]]
    order, _ = make_order(shards, shuffle=40)
    epochs = [tuple(order.locate(60 * epoch + i) for i in range(60)) for epoch in range(3)]
    assert len(set(epochs)) == 3
    other, _ = make_order(shards, shuffle=40, seed=1)
    assert tuple(other.locate(i) for i in range(60)) != epochs[0]


def test_that_only_the_shards_of_the_first_block_are_listed_for_the_first_sample() -> None:
    order, listed = make_order([[100]] * 1000, shuffle=250)
    assert order.locate(0) is not None
    assert len(listed) == 3
    assert order.known_count() is None
    order.locate(299)
    assert len(listed) == 3
    order.locate(300)
    assert len(listed) == 6
    assert order.count() == order.known_count() == 100_000


def test_that_a_block_mixes_its_shards_and_keeps_to_them() -> None:
    order, _ = make_order([[50]] * 8, shuffle=100)
    blocks = [[order.locate(i) for i in range(100 * b, 100 * b + 100)] for b in range(4)]
    shards = [{spot.shard for spot in block if spot is not None} for block in blocks]
    assert all(len(each) == 2 for each in shards)
    assert set().union(*shards) == set(range(8))
    first = [spot.shard for spot in blocks[0] if spot is not None]
    switches = sum(a != b for a, b in pairwise(first))
    assert 30 < switches < 70  # 49.5 are expected of a whole permutation, deviation 5


def test_that_row_groups_are_mixed_as_many_at_a_time_as_fit() -> None:
    parts = [Part(0, chunk, Chunk(10, 100)) for chunk in range(12)]
    spots = mix(parts, np.random.default_rng(0), room=300)
    assert {tuple(spot) for spot in spots.tolist()} == {(0, c, r) for c in range(12) for r in range(10)}
    groups = [set(spots[start : start + 30, 1].tolist()) for start in range(0, 120, 30)]
    assert [len(group) for group in groups] == [3, 3, 3, 3]
    assert set().union(*groups) == set(range(12))
    assert groups[0] != {0, 1, 2}


def test_that_a_permutation_is_uniform() -> None:
    counts = np.zeros((6, 6))
    for seed in range(3000):
        spots = mix([Part(0, 0, Chunk(2, 0)), Part(1, 0, Chunk(4, 0))], np.random.default_rng(seed), room=1)
        for place, (shard, _, row) in enumerate(spots.tolist()):
            counts[place, 2 * shard + row] += 1
    assert np.abs(counts / 3000 - 1 / 6).max() < 4 * np.sqrt(1 / 6 * 5 / 6 / 3000)


def test_that_the_shards_to_come_are_announced() -> None:
    told: list[list[int]] = []
    order = Order(
        6,
        lambda _: [Chunk(10, 0)],
        seed=0,
        purpose="p",
        shuffle=20,
        room=1,
        announce=lambda s: told.append(list(s)),
    )
    for position in range(60):
        order.locate(position)
    assert [len(each) for each in told] == [4, 4, 2]
    assert told[0][2:] == told[1][:2]
    assert told[1][2:] == told[2][:2]


@pytest.mark.parametrize("position", [0, 59, 60, 119, 6000])
def test_that_positions_of_all_processes_are_of_one_row(position: int) -> None:
    first, _ = make_order([[20], [40]])
    second, _ = make_order([[20], [40]])
    for other in range(position + 50, position, -7):
        second.locate(other)
    assert first.locate(position) == second.locate(position)


def test_that_an_epoch_which_others_push_out_meanwhile_is_found_again() -> None:
    """A set of one sample has an epoch for every position: threads are in more of them than are kept."""
    elsewhere = iter([(40, 50, 60, 70)])

    def announce(shards: Sequence[int]) -> None:
        for position in next(elsewhere, ()):
            order.locate(position)

    order = Order(2, lambda _: [Chunk(1, 0)], seed=0, purpose="samples", shuffle=1, room=1, announce=announce)
    undisturbed, _ = make_order([[1], [1]], shuffle=1)
    assert [order.locate(position) for position in range(9)] == [undisturbed.locate(p) for p in range(9)]
