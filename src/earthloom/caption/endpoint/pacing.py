"""How fast a server is asked: how many requests at a time, how many and how many tokens a minute, and pauses.

The number at a time follows the congestion control of TCP (Jacobson 1988; Chiu and Jain 1989): it doubles with each
window of answers until the server first pushes back with 429 or 503, is halved then, and grows by one a window from
there. Like CUBIC (RFC 9438) it remembers where it was pushed back and stays just below for a while before it tries
more, so that a server with a fixed limit is kept busy and seldom has to say no.

Nothing here waits or looks at a clock: times are given, in seconds of any one clock that never goes back.
"""

from __future__ import annotations

import math

from earthloom.caption.config import Limits

START = 4
"""Requests at a time to begin with."""
CUT_INTERVAL_S = 1.0
"""The window is halved at most once within this time."""
PATIENCE = 20
"""Windows of answers at the remembered ceiling before one more is tried."""
LONGEST_PAUSE_S = 600.0
"""A server that asks for a longer pause gets this one."""
_MINUTE = 60.0


class Window:
    """How many requests may be under way at a time."""

    def __init__(self, largest: int, start: int = START) -> None:
        self.size = min(start, largest)
        """Requests, from 1 to `largest`."""
        self._largest = largest
        self._ceiling: int | None = None
        """One less than the size that was pushed back last; None until the first time."""
        self._n_well = 0
        self._cut_at = -math.inf
        self._halved_at = -math.inf

    def grow(self) -> None:
        """Note an answer that came while the window was in full use."""
        self._n_well += 1
        if self._n_well >= self._find_wanted() and self.size < self._largest:
            self._n_well = 0
            self.size += 1

    def cut(self, now: float, started: float) -> None:
        """Note that a request was pushed back which had started at that time.

        Those that were under way already when the window was last made smaller tell nothing new. Others halve it, or
        where that was done just now, make it smaller by one.
        """
        if started < self._cut_at:
            return
        if now - self._halved_at >= CUT_INTERVAL_S:
            self._halved_at = now
            self._ceiling = max(self.size - 1, 1)
            self.size = max(self.size // 2, 1)
        else:
            self._ceiling = self.size = max(self.size - 1, 1)
        self._cut_at = now
        self._n_well = 0

    def _find_wanted(self) -> int:
        """Answers that one more request at a time wants."""
        if self._ceiling is None:
            return 1
        return self.size * (PATIENCE if self.size == self._ceiling else 1)


class Spacing:
    """A rate that is kept by the distance of starts, so that there are no bursts."""

    def __init__(self, per_minute: float | None) -> None:
        self._per_minute = per_minute
        self._largest = 0.0
        self._next_at = -math.inf

    def find_wait(self, now: float) -> float:
        """Seconds until the next start."""
        return max(self._next_at - now, 0.0)

    def start(self, now: float, amount: float) -> None:
        """Note a start of this size.

        A minute has one start more than whole distances between them. So that none sees more than the rate, the
        distances are those of the rate less the largest start, but for one unit; a start of more than half the rate
        leaves half of it.
        """
        self._largest = max(self._largest, amount)
        self._next_at = max(self._next_at, now) + self._find_distance(amount)

    def undo(self, amount: float) -> None:
        """Take back a start of this size that came to nothing."""
        self._next_at -= self._find_distance(amount)

    def _find_distance(self, amount: float) -> float:
        if self._per_minute is None:
            return 0.0
        return amount * _MINUTE / max(self._per_minute - self._largest + 1, self._per_minute / 2)


class Pacing:
    """When the next request may start."""

    def __init__(self, limits: Limits) -> None:
        # With a budget the first answer tells what a picture costs before others are on their way.
        self.window = Window(limits.in_flight, START if limits.budget is None else 1)
        self.n_under_way = 0
        self._requests = Spacing(limits.requests_per_minute)
        self._tokens = Spacing(limits.tokens_per_minute)
        self._resume_at = -math.inf

    @property
    def n_free(self) -> int:
        """Requests for which the window has room."""
        return max(self.window.size - self.n_under_way, 0)

    def start(self, now: float, tokens: int) -> float:
        """Start a request of so many tokens: 0 where it is under way now, else the seconds to wait before asking again.

        Infinity: not before another request has ended.
        """
        if self.n_free == 0:
            return math.inf
        waits = (self._resume_at - now, self._requests.find_wait(now), self._tokens.find_wait(now))
        wait = max(0.0, *waits)
        if wait == 0.0:
            self.n_under_way += 1
            self._requests.start(now, 1)
            self._tokens.start(now, tokens)
        return wait

    def undo(self, tokens: int) -> None:
        """Take back the start of a request that was not sent."""
        self.n_under_way -= 1
        self._requests.undo(1)
        self._tokens.undo(tokens)

    def end(self, *, is_answered: bool) -> None:
        """Note that a request ended, with an answer or without."""
        # A window that is not used up says nothing about what the server would take.
        if is_answered and 2 * self.n_under_way > self.window.size:
            self.window.grow()
        self.n_under_way -= 1

    def push_back(self, now: float, started: float) -> None:
        """Note that the server has too much to do for a request that started at that time."""
        self.window.cut(now, started)

    def pause(self, now: float, seconds: float) -> None:
        """Let nothing start for some time, as the server asked for that."""
        self._resume_at = max(self._resume_at, now + min(seconds, LONGEST_PAUSE_S))
