"""The ledger: every request to a model, and its answer, kept for good in one SQLite file.

A request is written down before it is sent and its answer before it is used, so a run that is killed loses no answer:
what was on the wire at the instant of the kill may be asked once more; nothing that was answered and committed ever
is. Until it is asked again and answered, such a request counts in the budget at the most it can have cost (`maybe`).

Many threads may use one `Ledger`, and many processes may each open the same file: one writes at a time, readers do
not wait (write-ahead log). The times of day in it are for people; no answer depends on them.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NoReturn, Self, TypeVar

from earthloom.caption.asking import Answer, Request, Talk, Written, resume
from earthloom.caption.config import Limits
from earthloom.caption.ledger.committer import Committer
from earthloom.caption.ledger.file import open_to_read, open_to_write, translate_errors
from earthloom.caption.ledger.rows import ANY, Outcome, Question, Sent, now, reserve_row, settle_row, to_nano
from earthloom.caption.ledger.totals import Habit, Totals, read_habits, read_totals
from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Reason

T = TypeVar("T")

_FIND = """
SELECT r.answer, r.finish, r.tokens_in, r.tokens_out, r.served, same.n, every.n
FROM request AS r
LEFT JOIN tally AS same ON same.model = r.model AND same.purpose = r.purpose AND same.answer_hash = r.answer_hash
LEFT JOIN tally AS every ON every.model = r.model AND every.purpose = r.purpose AND every.answer_hash = ?
WHERE r.key = ? AND r.status = 'answered'
"""
_SENT = "SELECT key, model, purpose, picture, estimated_in, most_out, status FROM request WHERE key = ?"


class Ledger:
    """Answers by request, money by model. Open one in each process; it cannot be sent to another."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the ledger at `path`, made where it is missing; read-only, a missing file reads as an empty one.

        Raises:
            UsageError: the file is no ledger, or one of another version of earthloom.
            RunError: the file is damaged.
            WriteError: it cannot be made or written.

        """
        self.path = path
        self._pid = os.getpid()
        self._reading = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._committer = None if read_only else Committer(path, open_to_write(path))
        self._is_closed = False
        try:
            with self._reading:
                self._reader = open_to_read(path)
        except BaseException:
            self.close()
            raise

    def find(self, request: Request) -> Answer | None:
        """Find the answer to a request, with how often it was given; None where none was received."""
        rows = self._read(_FIND, (ANY, request.key))
        if not rows:
            return None
        text, finish, tokens_in, tokens_out, served, n_same, n_all = rows[0]
        return Answer(
            text=text,
            finish=finish,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            served=served,
            n_same=n_same,
            n_all=n_all,
        )

    def why_not(self, request: Request) -> str | None:
        """What a request failed with for good; None where it did not, or where it is to be asked again."""
        rows = self._read(
            "SELECT why FROM request WHERE key = ? AND status = 'failed' AND is_final", (request.key,)
        )
        return str(rows[0][0]) if rows else None

    def recall(self, key: str) -> Sent | None:
        """What is known of the request with this key."""
        rows = self._read(_SENT, (key,))
        if not rows:
            return None
        name, model, purpose, picture, tokens_in, tokens_out, status = rows[0]
        return Sent(
            key=name,
            model=model,
            purpose=purpose,
            picture=picture,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            status=status,
        )

    def factor(self, model: str) -> float:
        """By how much the server counted more tokens read than were estimated, at most; 1 or more.

        The argument for `prices.highest_cost` that keeps what is reserved an upper bound.
        """
        rows = self._read("SELECT factor FROM ratio WHERE model = ?", (model,))
        return max(1.0, float(rows[0][0])) if rows else 1.0

    def is_out(self, request: Request) -> bool:
        """True while a request is in a batch file whose answers have not been read."""
        return bool(
            self._read(
                "SELECT 1 FROM request WHERE key = ? AND status = 'sent' AND batch IS NOT NULL",
                (request.key,),
            )
        )

    def reserve(self, request: Request, cost: float, limits: Limits) -> bool:
        """Write down that a request is about to be sent and what it may cost at most.

        False, and nothing written, where the budget or the number of requests would be exceeded: what was spent, what
        is reserved and `cost` come to more than `limits.budget`. Atomic over threads and processes.
        """
        return self.reserve_all([(request, cost)], limits)[0]

    def reserve_all(self, requests: Sequence[tuple[Request, float]], limits: Limits) -> list[bool]:
        """`reserve` several, one after the other, with one flush of the disk."""
        priced = [(request, to_nano(_check_money(cost))) for request, cost in requests]
        for request, _ in requests:
            _ = request.key  # what cannot be hashed fails here, not in a transaction that others share
        when = now()
        done: list[bool] = self._commit(
            lambda connection: [
                reserve_row(connection, request, nano, limits, when) for request, nano in priced
            ]
        )
        return done

    def find_limit(self, limits: Limits) -> Literal["budget", "requests"]:
        """Which limit it was that `reserve` refused a request for."""
        ((n_sent,),) = self._read("SELECT n_sent FROM account", ()) or ((0,),)
        return "requests" if limits.requests is not None and n_sent >= limits.requests else "budget"

    def finish(self, request: Question, answer: Answer, *, cost: float, seconds: float, tries: int) -> None:
        """Keep an answer; it is on the disk when this returns.

        Conversations must be sent what `find` gives from here on, not `answer`: of a text over 64 KiB only the
        beginning is kept, with `too_long` for its finish, and a first answer is never replaced by a second.
        """
        self.settle([Outcome(question=request, answer=answer, cost=cost, seconds=seconds, tries=tries)])

    def fail(self, request: Question, why: str, *, cost: float, tries: int, is_final: bool) -> None:
        """Note that a request has no answer: for good, or (time-outs, 5xx) until the next run asks again."""
        self.settle([Outcome(question=request, why=why, is_final=is_final, cost=cost, tries=tries)])

    def settle(self, outcomes: Iterable[Outcome]) -> None:
        """`finish` and `fail` several with one flush of the disk."""
        todo = list(outcomes)
        for outcome in todo:
            _check_money(outcome.cost)
            _ = (
                outcome.question.key
            )  # what cannot be hashed fails here, not in a transaction that others share
        when = now()

        def settle(connection: sqlite3.Connection) -> None:
            for outcome in todo:
                settle_row(connection, outcome, when)

        self._commit(settle)

    def knows_batch(self, name: str) -> bool:
        """True where `mark_batch` has noted a file of this name."""
        return bool(self._read("SELECT 1 FROM batch WHERE name = ?", (name,)))

    def mark_batch(self, name: str, keys: Iterable[str]) -> None:
        """Note that the requests of these keys, if they wait for an answer, are out in the batch file `name`."""
        rows = [(name, key) for key in keys]
        when = now()

        def mark(connection: sqlite3.Connection) -> None:
            connection.executemany("UPDATE request SET batch = ? WHERE key = ? AND status = 'sent'", rows)
            connection.execute("INSERT OR IGNORE INTO batch VALUES (?, ?)", (name, when))

        self._commit(mark)

    def release_batches(self) -> int:
        """Let all requests that are out in batch files be written again; how many those are."""
        released: int = self._commit(
            lambda connection: (
                connection.execute(
                    "UPDATE request SET batch = NULL WHERE status = 'sent' AND batch IS NOT NULL"
                ).rowcount
            )
        )
        return released

    def totals(self) -> Totals:
        """Count requests, tokens and money by model."""
        return self._with_reader(read_totals, Totals())

    def habits(self) -> Mapping[tuple[str, str], Habit]:
        """What the answers so far were like, by model and purpose."""
        none: dict[tuple[str, str], Habit] = {}
        return self._with_reader(read_habits, none)

    def close(self) -> None:
        """Write what is under way and let go of the file. In a forked child this does nothing."""
        if os.getpid() != self._pid:
            return
        with self._reading:
            self._is_closed = True
            if self._reader is not None:
                self._reader.close()
                self._reader = None
        if self._committer is not None:  # last: only who may write can fold the log into the file
            self._committer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise UsageError(
            "A ledger cannot be sent to another process. Open its file there, with read_only=True."
        )

    def _read(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        empty: list[Any] = []
        return self._with_reader(lambda connection: connection.execute(query, values).fetchall(), empty)

    def _with_reader(self, read: Callable[[sqlite3.Connection], T], if_missing: T) -> T:
        with self._reading, translate_errors(self.path):
            self._check_usable()  # with the lock: nobody closes it meanwhile
            if self._reader is None:
                self._reader = open_to_read(self.path)
            return if_missing if self._reader is None else read(self._reader)

    def _commit(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        self._check_usable()
        if self._committer is None:
            raise UsageError(f"The ledger {self.path} was opened to be read only. Open it without read_only.")
        return self._committer.commit(work)

    def _check_usable(self) -> None:
        if self._is_closed:
            raise UsageError(f"The ledger {self.path} is closed. Open it again.")
        if os.getpid() != self._pid:
            raise UsageError(
                f"The ledger {self.path} was opened in another process. Open it in each process."
            )


def _check_money(cost: float) -> float:
    if not (math.isfinite(cost) and cost >= 0):
        raise UsageError(f"A cost must be a finite number of at least 0, got {cost}.")
    return cost


def find_missing(talk: Talk, ledger: Ledger) -> Request | Written:
    """Lead a conversation as far as the ledger's answers go: its first request without one, or what was written.

    Raises a `RecordError` where nothing came of it, and `BrokenTalkError`.
    """
    conversation = talk.start()
    outcome: Answer | RecordError | None = None
    while True:
        try:
            request = resume(conversation, outcome)
        except StopIteration as end:
            written: Written = end.value
            return written
        outcome = find_outcome(request, ledger)
        if outcome is None:
            conversation.close()
            return request


def find_outcome(request: Request, ledger: Ledger) -> Answer | RecordError | None:
    """What the ledger has to say to a request: an answer, what it failed with for good, or nothing."""
    answer = ledger.find(request)
    if answer is not None:
        return answer
    why = ledger.why_not(request)
    return None if why is None else RecordError(Reason.BAD_ANSWER, why)
