"""Money and the number of requests for many threads: reserved before a request is sent, settled when it has ended."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Literal

from earthloom.caption.asking import Answer, Request
from earthloom.caption.config import ChatSettings
from earthloom.caption.ledger import Ledger
from earthloom.caption.ledger.prices import cost_of, highest_cost
from earthloom.caption.ledger.rows import Outcome


class Purse:
    """What one run has reserved in the ledger.

    What is reserved is the most that a request can cost, and what it does cost is less. So a request for which there
    is no room waits until others have ended, and a limit is reached only when none is under way and there is still no
    room for it. That makes the stop exact: no further request would have fitted.
    """

    def __init__(self, ledger: Ledger, settings: ChatSettings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._changed = threading.Condition()
        self._n_reserved = 0
        self._n_settled = 0
        self._is_closed = False

    @property
    def n_settled(self) -> int:
        """Requests of this run that have ended."""
        return self._n_settled

    def reserve(self, request: Request) -> float | None:
        """Reserve the most that a request can cost and give that amount; None where a limit forbids it for now."""
        cost = highest_cost(request, self._settings, self._ledger.factor(request.model))
        with self._changed:
            self._n_reserved += 1  # counted before the ledger is asked, so that others wait for this one
        is_reserved = False
        try:
            is_reserved = self._ledger.reserve(request, cost, self._settings.limits)
        finally:
            if not is_reserved:
                with self._changed:
                    self._n_reserved -= 1
        return cost if is_reserved else None

    def wait_for_room(self, n_settled: int) -> bool:
        """Wait until more requests have ended than `n_settled`; False where none is under way, or all is over."""
        with self._changed:
            if self._n_reserved == 0 and self._n_settled == n_settled:
                return False
            self._changed.wait_for(lambda: self._n_settled != n_settled or self._is_closed)
            return not self._is_closed

    def pay(self, request: Request, answer: Answer, *, seconds: float, tries: int) -> None:
        """Keep an answer, at the price of the tokens that the server counted."""
        cost = cost_of(request, answer, self._settings)
        self._ledger.finish(request, answer, cost=cost, seconds=seconds, tries=tries)
        self._settle()

    def write_off(self, request: Request, why: str, *, cost: float, tries: int, is_final: bool) -> None:
        """Note that a request brought no answer, and what it may have cost all the same."""
        self._ledger.fail(request, why, cost=cost, tries=tries, is_final=is_final)
        self._settle()

    def reopen(self, refused: Iterable[tuple[Request, str]]) -> None:
        """Let the next run ask again what was refused for good: the endpoint was at fault, and not these requests."""
        self._ledger.settle(Outcome(question=request, why=why, tries=0) for request, why in refused)

    def find_limit(self) -> Literal["budget", "requests"]:
        """Which of the limits left no room for a request."""
        return self._ledger.find_limit(self._settings.limits)

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _settle(self) -> None:
        with self._changed:
            self._n_reserved -= 1
            self._n_settled += 1
            self._changed.notify_all()
