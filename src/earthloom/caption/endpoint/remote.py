"""Asking an endpoint: many conversations at a time, each request at most once, every answer kept at once.

Threads take one conversation each and lead it to its end with answers of the ledger; those that are missing are asked
for. Their number grows as far as the server keeps up (`pacing`). Whatever ends a run - a limit, an error, Ctrl-C -
what is under way is waited for and kept. Threads, as sixty-four of them cost less here than an event loop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Literal

from earthloom.caption.asking import Asked, BrokenTalkError, Talk, follow
from earthloom.caption.config import ChatSettings
from earthloom.caption.endpoint.posting import Poster
from earthloom.caption.endpoint.purse import Purse
from earthloom.caption.endpoint.sending import LimitReachedError, Sender
from earthloom.caption.endpoint.turns import StoppedAsking, Turns
from earthloom.caption.ledger import Ledger
from earthloom.core.errors import RecordError

GRACE_S = 10.0
"""How long what is under way is waited for when the run is interrupted."""
_HANG_UP_S = 5.0
"""How long threads may take to end once their connections are broken off."""

_POLL_S = 0.05
"""Longest time until a thread that can be used is started, and until the caller is told what ended."""


def ask_remote(
    talks: Iterable[Talk],
    ledger: Ledger,
    settings: ChatSettings,
    *,
    key: str | None,
    advance: Callable[[int], None],
) -> Asked:
    """Lead conversations to their ends with answers of the ledger, getting those that are missing from the endpoint.

    key: what the endpoint wants to see; None where it wants nothing. `advance` is called in this thread with the
    number of conversations that ended, well or badly. `talks` is drawn from as they are taken up, by one thread at a
    time, and their pictures are read by several.

    Raises:
        RunError: the endpoint refuses the key, has no such model, redirects, or failed `limits.give_up_after` times
            in a row. What was answered is in the ledger.
        WriteError: the ledger cannot be written.
        UsageError: the key is one that no header can hold.

    """
    return _Run(talks, ledger, settings, key).ask(advance)


class _Run:
    """One call of `ask_remote`, shared by its threads."""

    def __init__(
        self, talks: Iterable[Talk], ledger: Ledger, settings: ChatSettings, key: str | None
    ) -> None:
        self._settings = settings
        self._key = key
        self._talks = iter(talks)
        self._is_drawn = False
        """True where all talks are taken."""
        self._n_ended = 0
        """Conversations that came to their ends."""
        self._drawing = threading.Lock()
        self._turns = Turns(settings.limits)
        self._purse = Purse(ledger, settings)
        self._sender = Sender(ledger, settings, self._turns, self._purse)
        self._crew: list[tuple[threading.Thread, Poster]] = []
        self._leaving: SimpleQueue[None] = SimpleQueue()
        """One item for each thread that ended."""
        self._stopping = threading.Lock()
        self._is_stopped = False
        self._error: BaseException | None = None
        self._limit: Literal["budget", "requests"] | None = None

    def ask(self, advance: Callable[[int], None]) -> Asked:
        Poster(self._settings, self._key).close()  # a key that cannot be sent is found here, not in a thread
        try:
            self._attend(advance)
        except BaseException:
            self._stop()
            self._leave()
            raise
        if self._error is not None:
            raise self._error
        tally = self._sender.tally
        return Asked(
            n_sent=tally.n_sent,
            n_answered=tally.n_answered,
            n_failed=tally.n_failed,
            stopped=self._limit,
        )

    def _attend(self, advance: Callable[[int], None]) -> None:
        """Hire threads as they can be used and pass on what ends, until all threads have ended."""
        n_running, n_told = self._hire(), 0
        while n_running:
            with suppress(Empty):
                self._leaving.get(timeout=_POLL_S)
                n_running -= 1
            n_ended = self._n_ended
            if n_ended > n_told:
                advance(n_ended - n_told)
                n_told = n_ended
            n_running += self._hire()
        _join((thread for thread, _ in self._crew), _HANG_UP_S)

    def _hire(self) -> int:
        """Start threads up to the number that can be used; gives how many."""
        if self._is_drawn or self._turns.is_stopped:
            return 0
        n_new = max(self._turns.n_threads - len(self._crew), 0)
        for _ in range(n_new):
            poster = Poster(self._settings, self._key)
            thread = threading.Thread(target=self._work, args=(poster,), name="asking", daemon=True)
            self._crew.append((thread, poster))
            thread.start()
        return n_new

    def _leave(self) -> None:
        """Wait some time for what is under way, then break it off; a second Ctrl-C does that at once."""
        try:
            _join((thread for thread, _ in self._crew), GRACE_S)
        finally:
            for _, poster in self._crew:
                poster.hang_up()
            _join((thread for thread, _ in self._crew), _HANG_UP_S)

    def _stop(self, error: BaseException | None = None) -> None:
        """Let nothing more be sent; the first error counts."""
        with self._stopping:
            if not self._is_stopped:
                self._is_stopped, self._error = True, error
        self._turns.stop()
        self._purse.close()

    def _stop_at_limit(self) -> None:
        with self._stopping:
            if not self._is_stopped:
                self._limit = self._purse.find_limit()
                self._is_stopped = True
        self._stop()

    def _work(self, poster: Poster) -> None:
        """The life of a thread."""
        try:
            self._lead_all(poster)
        except StoppedAsking:
            pass
        except BaseException as error:  # noqa: BLE001  (it belongs to the caller, who waits)
            self._stop(error)
        finally:
            poster.close()
            self._leaving.put(None)

    def _lead_all(self, poster: Poster) -> None:
        """Lead one conversation after the other."""
        try:
            while (talk := self._draw()) is not None:
                self._lead(talk, poster)
                with self._drawing:
                    self._n_ended += 1
        except LimitReachedError:
            self._stop_at_limit()

    def _draw(self) -> Talk | None:
        with self._drawing:
            talk = None if self._turns.is_stopped or self._is_drawn else next(self._talks, None)
            self._is_drawn = self._is_drawn or talk is None
        return talk

    def _lead(self, talk: Talk, poster: Poster) -> None:
        conversation = talk.start()
        try:
            follow(conversation, lambda request: self._sender.find(request, talk, poster))
        except (RecordError, BrokenTalkError):
            pass  # nothing came of it: the stage will find the same, and keep the record with its reason
        finally:
            conversation.close()


def _join(threads: Iterable[threading.Thread], seconds: float) -> None:
    """Wait for threads to end, for so many seconds in all."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        if thread.ident is not None:  # it was started
            thread.join(max(deadline - time.monotonic(), 0.0))
