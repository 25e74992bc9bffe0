"""The language of frames."""

from __future__ import annotations

from collections import Counter

import pytest

from earthloom.caption.rules.grammar import Draw, parse_frame, render

SLOTS = {"a": 1, "b": 2, "c": 4}


class Fixed:
    """Phrases that say their slot."""

    def __init__(self, known: int) -> None:
        self.known = known

    def say(self, slot: int, draw: Draw) -> str:
        return {1: "an apple", 2: "bread", 4: "cheese"}[slot]


def every(frame: str, known: int = 7, n: int = 300) -> Counter[str]:
    parsed = parse_frame(frame, SLOTS)
    return Counter(render(parsed, Fixed(known), Draw(seed)) for seed in range(n))


def test_slots_and_capitals() -> None:
    assert set(every("{^a} and {b}. {^c}.")) == {"An apple and bread. Cheese."}
    assert set(every("{a}, {b}.")) == {"An apple, bread."}


def test_choices_are_taken_about_equally() -> None:
    counts = every("[x|y|z {a}]", n=900)
    assert set(counts) == {"X", "Y", "Z an apple"}
    assert min(counts.values()) > 240


def test_that_an_unknown_choice_is_never_taken() -> None:
    assert set(every("eat [{a}|something]", known=2)) == {"Eat something"}
    assert parse_frame("eat [{a}|something]", SLOTS).needs == 0
    assert parse_frame("eat [{a}|{a} and {b}]", SLOTS).needs == 1


def test_options_are_said_sometimes_and_musts_always() -> None:
    assert set(every("x< with {b}>")) == {"X", "X with bread"}
    assert set(every("x<! with {b}>")) == {"X with bread"}
    assert set(every("x<! with {b}>", known=5)) == {"X"}
    assert parse_frame("x<! with {b}> {a}", SLOTS).needs == 1


@pytest.mark.parametrize("frame", ["[x|y", "x>", "x<{a}", "{a", "x]", "[{a}|{b}]"])
def test_that_a_broken_frame_is_a_bug(frame: str) -> None:
    with pytest.raises(AssertionError):
        parse_frame(frame, SLOTS)


def test_that_a_draw_repeats_and_is_even() -> None:
    first, second = Draw(7), Draw(7)
    values = [first.below(5) for _ in range(5000)]
    assert values == [second.below(5) for _ in range(5000)]
    counts = Counter(values)
    assert all(abs(counts[i] - 1000) < 130 for i in range(5))


def test_that_draws_are_those_of_splitmix64() -> None:
    """First outputs for seed 1234567, as published with the reference implementation (Vigna, splitmix64.c)."""
    draw = Draw(1234567)
    outputs = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [draw.below(2**64) for _ in range(5)] == outputs


def test_that_near_seeds_draw_apart() -> None:
    draws = [Draw(seed) for seed in range(200)]
    assert len({tuple(draw.below(1000) for _ in range(3)) for draw in draws}) == 200
