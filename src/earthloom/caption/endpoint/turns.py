"""Turns at an endpoint for many threads: `pacing` decides, this waits."""

from __future__ import annotations

import math
import threading
import time

from earthloom.caption.config import Limits
from earthloom.caption.endpoint.pacing import Pacing


class StoppedAsking(Exception):  # noqa: N818  (it is caught within the room: nothing more is to be sent)
    """The run was asked to stop, or has to."""


class Turns:
    """Who may send a request, and when."""

    def __init__(self, limits: Limits) -> None:
        self._pacing = Pacing(limits)
        self._most_threads = 2 * limits.in_flight
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._n_resting = 0

    @property
    def n_threads(self) -> int:
        """Threads that can be used now.

        One for each turn, a few that prepare or settle a request meanwhile, and others in place of those that rest.
        """
        size = self._pacing.window.size
        return min(size + size // 8 + 1 + self._n_resting, self._most_threads)

    @property
    def is_stopped(self) -> bool:
        """True where no more turns are given."""
        return self._stopped.is_set()

    def take(self, tokens: int) -> float:
        """Wait for a turn for a request of so many tokens; gives the time at which it began. Raises StoppedAsking."""
        with self._changed:
            while True:
                self._check()
                now = time.monotonic()
                wait_s = self._pacing.start(now, tokens)
                if wait_s == 0:
                    return now
                self._changed.wait(None if math.isinf(wait_s) else wait_s)

    def give_back(self, *, is_answered: bool) -> None:
        """End a turn."""
        with self._changed:
            self._pacing.end(is_answered=is_answered)
            self._changed.notify(min(self._pacing.n_free, 2))  # an answer may have made room for one more

    def hand_back(self, tokens: int) -> None:
        """Give back a turn that was not used."""
        with self._changed:
            self._pacing.undo(tokens)
            self._changed.notify()

    def push_back(self, began: float) -> None:
        """Note that the server had too much to do for a request whose turn began at that time."""
        with self._changed:
            self._pacing.push_back(time.monotonic(), began)

    def pause(self, seconds: float) -> None:
        """Give no turns for some time, as the server asked for that."""
        with self._changed:
            self._pacing.pause(time.monotonic(), seconds)

    def rest(self, seconds: float) -> None:
        """Wait before another try, without a turn. Raises StoppedAsking."""
        with self._changed:
            self._n_resting += 1
        try:
            self._stopped.wait(seconds)
        finally:
            with self._changed:
                self._n_resting -= 1
        self._check()

    def stop(self) -> None:
        """Give no more turns; those that were given may be used."""
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()

    def _check(self) -> None:
        if self._stopped.is_set():
            raise StoppedAsking
