"""Values that are kept: made once, however many threads ask."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from earthloom.store.stream.kept import Kept


def test_that_a_value_is_made_once_for_all_threads() -> None:
    made: list[int] = []
    gate = threading.Barrier(8)

    def make(key: int) -> int:
        made.append(key)
        return key * key

    kept: Kept[int, int] = Kept(make, room=10, weigh=lambda _: 1)

    def ask(_: int) -> int:
        gate.wait()
        return kept.get(7)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [49] * 8
    assert made == [7]


def test_that_the_value_asked_for_longest_ago_goes_first() -> None:
    made: list[str] = []
    kept: Kept[str, str] = Kept(lambda key: made.append(key) or key, room=5, weigh=len)
    for key in ("aa", "bb", "aa", "cc", "aa", "bb"):
        assert kept.get(key) == key
    assert made == ["aa", "bb", "cc", "bb"]


def test_that_a_value_larger_than_the_room_is_kept_alone() -> None:
    made: list[str] = []
    kept: Kept[str, str] = Kept(lambda key: made.append(key) or key, room=3, weigh=len)
    for key in ("a", "large", "large", "a"):
        kept.get(key)
    assert made == ["a", "large", "a"]


def test_that_an_error_reaches_who_asks_and_is_not_kept() -> None:
    tries = iter([ValueError("once"), None])

    def make(key: int) -> int:
        error = next(tries)
        if error is not None:
            raise error
        return key

    kept: Kept[int, int] = Kept(make, room=3, weigh=lambda _: 1)
    with pytest.raises(ValueError, match="once"):
        kept.get(1)
    assert kept.get(1) == 1
