"""How fast a server is asked: against closed forms and against simulated servers, with no clock."""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.caption.config import Limits
from earthloom.caption.endpoint.pacing import (
    CUT_INTERVAL_S,
    LONGEST_PAUSE_S,
    PATIENCE,
    START,
    Pacing,
    Spacing,
    Window,
)


@dataclass
class Simulation:
    """A server with room for `capacity` requests, each of which takes a second; others are refused after 0.01 s."""

    capacity: int
    in_flight: int = 64
    now: float = 0.0
    n_answered: int = 0
    n_refused: int = 0
    most: int = 0
    sizes: list[int] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        """Let clients start whatever may start, and time pass to the next end of a request."""
        pacing = Pacing(Limits(in_flight=self.in_flight))
        ends: list[tuple[float, int, bool, float]] = []
        order = itertools.count()
        while self.now < seconds:
            while pacing.start(self.now, 100) == 0:
                self.most = max(self.most, pacing.n_under_way)
                n_served = sum(is_taken for _, _, is_taken, _ in ends)
                is_taken = n_served < self.capacity
                heapq.heappush(
                    ends, (self.now + (1.0 if is_taken else 0.01), next(order), is_taken, self.now)
                )
            self.now, _, is_taken, started = heapq.heappop(ends)
            pacing.end(is_answered=is_taken)
            if is_taken:
                self.n_answered += 1
            else:
                self.n_refused += 1
                pacing.push_back(self.now, started)
            self.sizes.append(pacing.window.size)


@pytest.mark.parametrize("capacity", [1, 2, 5, 10, 23, 50])
def test_the_window_settles_below_what_a_server_takes(capacity: int) -> None:
    simulation = Simulation(capacity)
    simulation.run(400)
    assert simulation.n_answered >= 0.8 * capacity * 400
    # One refusal after PATIENCE windows of `capacity` answers, and some before the first cut.
    assert simulation.n_refused <= 1.1 * simulation.n_answered / (PATIENCE * capacity) + 30


def test_a_server_that_takes_all_is_asked_by_all_and_by_no_more() -> None:
    simulation = Simulation(1000, in_flight=64)
    simulation.run(60)
    assert simulation.most == 64
    assert simulation.n_refused == 0
    assert simulation.sizes[0] == START + 1
    assert simulation.sizes.index(64) < 64  # four windows of answers: 4, 8, 16, 32


@given(in_flight=st.integers(1, 100), capacity=st.integers(1, 100))
def test_never_more_than_allowed_and_never_none(in_flight: int, capacity: int) -> None:
    simulation = Simulation(capacity, in_flight)
    simulation.run(20)
    assert simulation.most <= in_flight
    assert min(simulation.sizes) >= 1


def test_the_window_doubles_then_grows_by_one_and_waits_at_the_ceiling() -> None:
    window = Window(64)
    for _ in range(12):
        window.grow()
    assert window.size == 16
    window.cut(100.0, 99.0)
    assert window.size == 8
    for size in range(8, 15):
        for _ in range(size):
            assert window.size == size
            window.grow()
    assert window.size == 15  # one less than what was pushed back
    for _ in range(15 * PATIENCE):
        assert window.size == 15
        window.grow()
    assert window.size == 16
    for _ in range(16):
        window.grow()
    assert window.size == 17


def test_the_window_is_halved_at_most_once_a_second() -> None:
    window = Window(64, start=64)
    for moment in (5.0, 5.1, 5.9):  # of requests that were under way before the first of them came back
        window.cut(moment, 4.9)
    assert window.size == 32
    window.cut(5.95, 5.5)
    assert window.size == 31
    window.cut(5.96, 5.96)
    assert window.size == 30
    window.cut(5.0 + CUT_INTERVAL_S, 5.97)
    assert window.size == 15
    for number in range(10):
        window.cut(10.0 + number, 10.0 + number)
    assert window.size == 1


def test_a_window_that_is_not_used_does_not_grow() -> None:
    pacing = Pacing(Limits(in_flight=64))
    for number in range(100):
        assert pacing.start(float(number), 1) == 0
        pacing.end(is_answered=True)
    assert pacing.window.size == START


def test_a_pause_holds_back_all_and_is_bounded() -> None:
    pacing = Pacing(Limits())
    pacing.pause(10.0, 5.0)
    pacing.pause(10.0, 2.0)  # a shorter one changes nothing
    assert pacing.start(11.0, 1) == 4.0
    assert pacing.start(15.0, 1) == 0
    pacing.pause(20.0, 1e12)
    assert pacing.start(20.0, 1) == LONGEST_PAUSE_S


def test_a_full_window_waits_for_an_end() -> None:
    pacing = Pacing(Limits(in_flight=1))
    assert pacing.start(0.0, 1) == 0
    assert pacing.start(1e9, 1) == math.inf
    pacing.end(is_answered=False)
    assert pacing.start(1e9, 1) == 0


@given(
    per_minute=st.integers(1, 2000),
    amounts=st.lists(st.integers(1, 500), min_size=2, max_size=200),
    idle=st.lists(st.floats(0, 30), min_size=200, max_size=200),
)
def test_no_minute_sees_more_than_the_rate(per_minute: int, amounts: list[int], idle: list[float]) -> None:
    if 2 * max(amounts) > per_minute:
        amounts = [1] * len(amounts)  # such a start is let through at half the rate
    spacing, now = Spacing(per_minute), 0.0
    spacing.start(-1e6, max(amounts))  # the largest is known
    starts: list[tuple[float, int]] = []
    for amount, pause in zip(amounts, idle, strict=False):
        now += pause
        now += spacing.find_wait(now)
        spacing.start(now, amount)
        starts.append((now, amount))
    for first, _ in starts:
        within = sum(amount for at, amount in starts if first <= at < first + 60 - 1e-6)
        assert within <= per_minute


def test_the_rate_is_reached() -> None:
    pacing, now, n = Pacing(Limits(requests_per_minute=600, tokens_per_minute=1e9)), 0.0, 0
    while now < 60 - 1e-6:
        wait = pacing.start(now, 10)
        if wait:
            now += wait
        else:
            pacing.end(is_answered=True)
            n += 1
    assert n == 600
    tokens, now, total = Pacing(Limits(tokens_per_minute=90_000)), 0.0, 0
    while now < 60 - 1e-6:
        wait = tokens.start(now, 1800)
        if wait:
            now += wait
        else:
            tokens.end(is_answered=True)
            total += 1800
    assert 0.97 * 90_000 <= total <= 90_000


def test_one_start_larger_than_the_rate_is_let_through() -> None:
    pacing = Pacing(Limits(tokens_per_minute=1000))
    assert pacing.start(0.0, 5000) == 0
    assert pacing.start(1.0, 10) == pytest.approx(5000 * 60 / 500 - 1)


def test_a_start_that_came_to_nothing_costs_nothing() -> None:
    pacing = Pacing(Limits(requests_per_minute=60, tokens_per_minute=60_000, in_flight=1))
    for _ in range(5):
        assert pacing.start(0.0, 2000) == 0
        pacing.undo(2000)
    assert pacing.start(0.0, 2000) == 0
    pacing.end(is_answered=True)
    assert pacing.start(0.0, 2000) == pytest.approx(2000 * 60 / (60_000 - 2000 + 1))
