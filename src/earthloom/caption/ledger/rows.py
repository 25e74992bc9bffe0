"""What is written into the ledger: statements that run within one transaction.

Money is kept in billionths, as integers, so that sums are exact in any order and a budget is met to the request.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from earthloom.caption.asking import Answer, Request
from earthloom.caption.config import Limits
from earthloom.core.text import mend

NANO = 1_000_000_000
MOST_TEXT = 65_536
"""Bytes of an answer or a request that are kept."""
_MOST_TOKENS = 10**9
"""A server that counts more tokens than that is mistaken."""
_NO_LIMITS = Limits()
ANY = b""
"""Stands in the tally for all answers together."""


class Question(Protocol):
    """What has to be known of a request to settle it: a `Request`, or what the ledger remembers of one."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def purpose(self) -> str: ...  # noqa: D102
    @property
    def picture(self) -> str | None: ...  # noqa: D102
    @property
    def tokens_in(self) -> int: ...  # noqa: D102
    @property
    def tokens_out(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What the ledger remembers of a request that was sent."""

    key: str
    model: str
    purpose: str
    picture: str | None
    tokens_in: int
    """As estimated."""
    tokens_out: int
    """Most that the answer may have."""
    status: str
    """`sent`, `answered` or `failed`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a request."""

    question: Question
    answer: Answer | None = None
    """None where it failed."""
    why: str = ""
    """What it failed with."""
    is_final: bool = False
    """False where the next run is to ask again."""
    cost: float = 0.0
    seconds: float | None = None
    tries: int = 1


def to_nano(money: float) -> int:
    """Give money in billionths."""
    return round(money * NANO)


def now() -> str:
    """The time, UTC; people read it, and nothing is decided by it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def hash_answer(text: str) -> bytes:
    """Hash an answer as it is kept."""
    return hashlib.blake2b(text.encode(), digest_size=12).digest()


def shorten(text: str, n_bytes: int = MOST_TEXT) -> str:
    """Cut a mended text to so many bytes, at a letter."""
    return text[:n_bytes].encode()[:n_bytes].decode("utf-8", "ignore")


def _note(text: str, n_bytes: int = 2_000) -> str:
    return shorten(mend(text), n_bytes)


_ASK_AGAIN = """
UPDATE request SET status = CASE status WHEN 'answered' THEN status ELSE 'sent' END, is_final = 0, why = NULL,
    batch = NULL, n_asked = n_asked + 1, reserved_nano = ?, sent_at = ? WHERE key = ?
"""
"""An answer that is there stays, whatever becomes of one who asks again."""


def reserve_row(
    connection: sqlite3.Connection, request: Request, nano: int, limits: Limits, when: str
) -> bool:
    """Note that a request is about to be sent, unless a limit forbids it."""
    known = connection.execute("SELECT reserved_nano FROM request WHERE key = ?", (request.key,)).fetchall()
    before = known[0][0] if known else 0
    counts = int(request.author == "chat")
    if not _is_within(connection, nano - before, counts, limits):
        return False
    if known:
        connection.execute(_ASK_AGAIN, (nano, when, request.key))
    else:
        _insert(connection, request, nano, when)
    connection.execute(
        "UPDATE account SET reserved_nano = reserved_nano + ?, n_sent = n_sent + ?", (nano - before, counts)
    )
    return True


def _is_within(connection: sqlite3.Connection, nano: int, n_requests: int, limits: Limits) -> bool:
    if limits.budget is None and limits.requests is None:
        return True
    ((spent, reserved, n_sent),) = connection.execute(
        "SELECT spent_nano, reserved_nano, n_sent FROM account"
    ).fetchall()
    if limits.budget is not None and spent + reserved + nano > to_nano(limits.budget):
        return False
    return limits.requests is None or n_sent + n_requests <= limits.requests


def _insert(connection: sqlite3.Connection, request: Request, nano: int, when: str) -> None:
    connection.execute(
        "INSERT INTO request (key, author, purpose, model, revision, tile_id, picture, status, n_asked, reserved_nano,"
        " sent_at, estimated_in, most_out, body) VALUES (?, ?, ?, ?, ?, ?, ?, 'sent', 1, ?, ?, ?, ?, ?)",
        (
            request.key,
            request.author,
            request.purpose,
            request.model,
            request.revision,
            _note(request.tile_id),
            request.picture,
            nano,
            when,
            request.tokens_in,
            request.tokens_out,
            _say_cut(request.to_json()),
        ),
    )


def _say_cut(text: str) -> str:
    text = mend(text)
    kept = shorten(text)
    return kept if len(text) == len(kept) else f"{kept} [cut, {len(text)} letters in all]"


_PAY = """
UPDATE request SET reserved_nano = 0, batch = NULL, cost_nano = cost_nano + ?, tries = tries + ? WHERE key = ?
"""
_FAIL = """
UPDATE request SET reserved_nano = 0, batch = NULL, cost_nano = cost_nano + ?, tries = tries + ?,
    status = 'failed', is_final = ?, why = ?, ended_at = ? WHERE key = ?
"""
_ANSWER = """
UPDATE request SET reserved_nano = 0, batch = NULL, cost_nano = cost_nano + ?, tries = tries + ?,
    status = 'answered', is_final = 1, answer = ?, answer_hash = ?, finish = ?, served = ?, tokens_in = ?,
    tokens_out = ?, seconds = ?, ended_at = ?, why = ? WHERE key = ?
"""


def settle_row(connection: sqlite3.Connection, outcome: Outcome, when: str) -> None:
    """Note what became of a request. The first answer is kept for good; money adds up over all."""
    question = outcome.question
    row = _read_row(connection, question.key)
    if row is None:
        if not isinstance(question, Request):
            return
        reserve_row(connection, question, 0, _NO_LIMITS, when)
        row = ("sent", 0)
    status, reserved = row
    nano = to_nano(outcome.cost)
    connection.execute(
        "UPDATE account SET spent_nano = spent_nano + ?, reserved_nano = reserved_nano - ?", (nano, reserved)
    )
    paid = (nano, outcome.tries)
    if status == "answered":
        connection.execute(_PAY, (*paid, question.key))
    elif outcome.answer is None:
        why = (int(outcome.is_final), _note(outcome.why), when)
        connection.execute(_FAIL, (*paid, *why, question.key))
    else:
        _write_answer(connection, outcome, outcome.answer, paid, when)


def _read_row(connection: sqlite3.Connection, key: str) -> tuple[str, int] | None:
    rows = connection.execute("SELECT status, reserved_nano FROM request WHERE key = ?", (key,)).fetchall()
    return rows[0] if rows else None


def _write_answer(
    connection: sqlite3.Connection, outcome: Outcome, answer: Answer, paid: tuple[int, int], when: str
) -> None:
    question = outcome.question
    said = mend(answer.text)
    text = shorten(said)
    is_whole = len(text) == len(said)
    digest = hash_answer(text)
    values = (
        text,
        digest,
        _note(answer.finish, 100) if is_whole else "too_long",
        _note(answer.served, 200),
        _trust(answer.tokens_in),
        _trust(answer.tokens_out),
        outcome.seconds,
        when,
        None if is_whole else f"answer cut: {len(said)} letters, the first {len(text)} are kept",
    )
    connection.execute(_ANSWER, (*paid, *values, question.key))
    _count(connection, question, digest)
    _learn(connection, question, _trust(answer.tokens_in))


def _trust(n_tokens: int | None) -> int | None:
    return n_tokens if n_tokens is not None and 0 <= n_tokens <= _MOST_TOKENS else None


def _count(connection: sqlite3.Connection, question: Question, digest: bytes) -> None:
    """Count for how many pictures there is this answer, and any; a question about text counts by itself."""
    picture = question.picture or question.key
    for answer_hash in (digest, ANY):
        which = (question.model, question.purpose, answer_hash)
        is_new = connection.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", (*which, picture)
        ).rowcount
        if is_new > 0:
            connection.execute(
                "INSERT INTO tally VALUES (?, ?, ?, 1)"
                " ON CONFLICT (model, purpose, answer_hash) DO UPDATE SET n = n + 1",
                which,
            )


def _learn(connection: sqlite3.Connection, question: Question, tokens_in: int | None) -> None:
    """Remember by how much the server counted more tokens than were estimated, at most."""
    if tokens_in is not None and tokens_in > question.tokens_in > 0:
        connection.execute(
            "INSERT INTO ratio VALUES (?, ?) ON CONFLICT (model) DO UPDATE SET factor = MAX(factor, excluded.factor)",
            (question.model, tokens_in / question.tokens_in),
        )
