"""One request with all its tries: found in the ledger, or reserved, sent, tried again, and settled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from earthloom.caption.asking import Answer, Request, Talk
from earthloom.caption.config import ChatSettings, Limits
from earthloom.caption.endpoint.completion import encode_request
from earthloom.caption.endpoint.posting import NoAnswerError, Poster
from earthloom.caption.endpoint.purse import Purse
from earthloom.caption.endpoint.turns import StoppedAsking, Turns
from earthloom.caption.ledger import Ledger, find_outcome
from earthloom.core.errors import RecordError, RunError
from earthloom.core.records import Reason
from earthloom.net.retry import find_pause
from earthloom.net.urls import show_url

_UNSETTLED = "the run ended before it was answered"


class LimitReachedError(Exception):
    """No room is left in the budget, or in the number of requests."""


class Sender:
    """Finds answers for the conversations of all threads."""

    def __init__(self, ledger: Ledger, settings: ChatSettings, turns: Turns, purse: Purse) -> None:
        self._ledger = ledger
        self._settings = settings
        self._turns = turns
        self._purse = purse
        self._flights = _Flights()
        self.tally = Tally(settings.limits)

    def find(self, request: Request, talk: Talk, poster: Poster) -> Answer:
        """The answer to a request, from the ledger or else from the endpoint.

        Raises:
            RecordError: there is none: UNREACHABLE, or BAD_ANSWER where it is of no use to ask again.
            RunError: no request would be answered.
            LimitReachedError: a limit forbids to send it.
            StoppedAsking: nothing more is sent in this run.

        """
        with self._flights.board(request.key) as flight:
            outcome = find_outcome(request, self._ledger) or flight.find_fault()
            if outcome is None:
                outcome = self._ask(request, talk, poster)
                flight.fault = outcome if isinstance(outcome, RecordError) else None
        if isinstance(outcome, RecordError):
            raise outcome
        return outcome

    def _ask(self, request: Request, talk: Talk, poster: Poster) -> Answer | RecordError:
        if self._ledger.is_out(request):
            raise RunError(
                "Requests of this run wait in batch files, and would be paid for twice. Take their answers in with "
                "`earthloom batch RECIPE FILES`, or give the files up with `earthloom batch RECIPE --lost`."
            )
        try:
            content = encode_request(request, talk)
            _Errand(request, self._settings, self._turns, self._purse, self.tally).run(content, poster)
        except RecordError as error:
            return error
        # As the ledger has it: with how often it was given, and no longer than it is kept.
        outcome = find_outcome(request, self._ledger)
        assert outcome is not None, "what was paid for is in the ledger"
        return outcome


class _Errand:
    """The tries of one request."""

    def __init__(
        self, request: Request, settings: ChatSettings, turns: Turns, purse: Purse, tally: Tally
    ) -> None:
        self._request = request
        self._settings = settings
        self._turns = turns
        self._purse = purse
        self._tally = tally
        self._reserved: float | None = None
        """What the ledger has reserved for it; None where nothing is."""
        self._turn_began = 0.0
        """Of the last try, `time.monotonic()`."""
        self._n_tries = 0
        self._n_settled = 0
        """Tries that are in the ledger already."""

    def run(self, content: bytes, poster: Poster) -> None:
        """Try until the answer is in the ledger. Raises as `Sender.find`."""
        try:
            while not self._try(content, poster):
                pass
        except (StoppedAsking, RunError):
            if self._reserved is not None:  # it is not sent again in this run
                self._write_off(_UNSETTLED, 0.0, is_final=False)
            raise

    def _try(self, content: bytes, poster: Poster) -> bool:
        """Send it once; True where it is answered, False where it is to be sent again."""
        try:
            answer, seconds = self._post(content, poster)
        except NoAnswerError as fault:
            self._meet(fault)
            return False
        self._reserved = None
        self._purse.pay(self._request, answer, seconds=seconds, tries=self._n_tries - self._n_settled)
        self._tally.note_answer()
        return True

    def _post(self, content: bytes, poster: Poster) -> tuple[Answer, float]:
        """Send it when there is a turn and money for it; gives the answer and the seconds that it took."""
        is_answered = False
        self._get_ready()
        try:
            self._n_tries += 1
            began = time.monotonic()
            answer = poster.post(content)
            is_answered = True
            return answer, time.monotonic() - began
        except RunError:
            self._turns.stop()  # before the next one gets this turn
            raise
        finally:
            self._turns.give_back(is_answered=is_answered)

    def _get_ready(self) -> None:
        """Wait for a turn and for money.

        Who waits for money holds no turn: those who have reserved some may need one, to try again and end.
        """
        tokens = self._request.tokens_in + self._request.tokens_out
        while True:
            n_settled = self._purse.n_settled
            self._turn_began = self._turns.take(tokens)
            try:
                self._reserve()
            finally:
                if self._reserved is None:
                    self._turns.hand_back(tokens)
            if self._reserved is not None:
                return
            if not self._purse.wait_for_room(n_settled):
                raise LimitReachedError

    def _reserve(self) -> None:
        if self._reserved is None:
            self._reserved = self._purse.reserve(self._request)
            if self._reserved is not None and self._n_tries == 0:
                self._tally.note_sent()

    def _meet(self, fault: NoAnswerError) -> None:
        """Settle a try that brought no answer, then wait for the next; raises where there is to be none."""
        if fault.is_pushed_back:
            self._turns.push_back(self._turn_began)
        if fault.wait_s:
            self._turns.pause(fault.wait_s)
        is_last = not fault.again or self._n_tries >= self._settings.limits.tries
        # A try that may be charged for is settled at the most it can have cost; the next one reserves anew.
        if is_last or fault.may_cost:
            cost = self._reserved if fault.may_cost else 0.0
            self._write_off(fault.said, cost or 0.0, is_final=not fault.again)
        if is_last:
            raise self._give_up(fault)
        if not fault.wait_s:
            self._turns.rest(find_pause(self._request.key, self._n_tries, self._settings.limits.backoff_s))

    def _give_up(self, fault: NoAnswerError) -> RecordError:
        if self._tally.note_failure(self._request, fault.said, is_final=not fault.again):
            self._purse.reopen(self._tally.take_refused())
            raise RunError(
                f"{self._settings.limits.give_up_after} requests in a row failed at "
                f"{show_url(self._settings.base_url)}, the last with {fault.said}. See that the server is up and takes "
                "such requests, then run the same command again: nothing that was answered is asked twice."
            )
        if not fault.again:
            return RecordError(Reason.BAD_ANSWER, f"wanted an answer, got {fault.said}")
        tries = "1 try" if self._n_tries == 1 else f"{self._n_tries} tries"
        return RecordError(Reason.UNREACHABLE, f"wanted an answer, got {fault.said}, after {tries}")

    def _write_off(self, why: str, cost: float, *, is_final: bool) -> None:
        n_tries = self._n_tries - self._n_settled
        self._purse.write_off(self._request, why, cost=cost, tries=n_tries, is_final=is_final)
        self._n_settled, self._reserved = self._n_tries, None


class Tally:
    """Counts requests, and tells when an endpoint answers none of them."""

    def __init__(self, limits: Limits) -> None:
        self._most_in_a_row = limits.give_up_after
        self._lock = threading.Lock()
        self._n_in_a_row = 0
        self._refused: list[tuple[Request, str]] = []
        """Of those in a row, the ones that failed for good, and with what."""
        self.n_sent = 0
        self.n_answered = 0
        self.n_failed = 0

    def note_sent(self) -> None:
        """Count a request, tries not counted."""
        with self._lock:
            self.n_sent += 1

    def note_answer(self) -> None:
        """Count an answer."""
        with self._lock:
            self.n_answered += 1
            self._n_in_a_row = 0
            self._refused.clear()

    def note_failure(self, request: Request, said: str, *, is_final: bool) -> bool:
        """Count a request without an answer; True where so many failed in a row that the endpoint is to be given up."""
        with self._lock:
            self.n_failed += 1
            self._n_in_a_row += 1
            if is_final:
                self._refused.append((request, said))
            return self._n_in_a_row >= self._most_in_a_row

    def take_refused(self) -> list[tuple[Request, str]]:
        """The requests in a row that failed for good, each given once."""
        with self._lock:
            refused, self._refused = self._refused, []
        return refused


class _Flight:
    """Who asks for one key: one at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.n_aboard = 0
        self.fault: RecordError | None = None
        """Why who asked before got no answer."""

    def find_fault(self) -> RecordError | None:
        """The same fault, for another thread to raise."""
        return None if self.fault is None else RecordError(self.fault.reason, self.fault.detail)


class _Flights:
    """Keeps equal requests from being under way together: the second waits for the first, and finds its answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}

    @contextmanager
    def board(self, key: str) -> Iterator[_Flight]:
        with self._lock:
            flight = self._flights.setdefault(key, _Flight())
            flight.n_aboard += 1
        try:
            with flight.lock:
                yield flight
        finally:
            with self._lock:
                flight.n_aboard -= 1
                if flight.n_aboard == 0:
                    del self._flights[key]
