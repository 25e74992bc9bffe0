"""What a ledger comes to: requests, tokens and money by model."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from earthloom.caption.ledger.rows import NANO

_QUERY = """
SELECT model, COUNT(*), SUM(status = 'answered'), SUM(status = 'failed' AND is_final), SUM(n_asked),
    TOTAL(tokens_in), TOTAL(tokens_out), SUM(cost_nano), SUM(reserved_nano)
FROM request GROUP BY model ORDER BY model
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelTotals:
    """What one model was asked, and what that cost."""

    n_requests: int = 0
    """Different requests."""
    n_answered: int = 0
    n_failed: int = 0
    """For good."""
    n_sent: int = 0
    """How often any of them was sent: more than there are where one was asked again, or where a try got no whole answer
    that the server may have charged for."""
    tokens_in: int = 0
    tokens_out: int = 0
    """As the servers counted them; requests of which they did not say are left out."""
    spent: float = 0.0
    maybe: float = 0.0
    """The most that requests can have cost which were sent and never answered, those under way among them."""

    @property
    def n_open(self) -> int:
        """Requests without an answer that the next run asks again."""
        return self.n_requests - self.n_answered - self.n_failed


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """What all models were asked, and what that cost."""

    models: Mapping[str, ModelTotals] = field(default_factory=dict)
    """By name, in alphabetical order."""
    all: ModelTotals = ModelTotals()
    """Sums over all models; those of money are exact to a billionth."""

    @property
    def spent(self) -> float:
        """Money that was spent."""
        return self.all.spent

    @property
    def maybe(self) -> float:
        """The most that was spent besides, on requests that were never answered."""
        return self.all.maybe


def read_totals(connection: sqlite3.Connection) -> Totals:
    """Add up all rows."""
    rows = [(name, tuple(map(int, counts))) for name, *counts in connection.execute(_QUERY).fetchall()]
    sums = tuple(map(sum, zip(*(counts for _, counts in rows), strict=True))) or (0,) * 8
    return Totals(models={name: _total(counts) for name, counts in rows}, all=_total(sums))


def _total(counts: tuple[int, ...]) -> ModelTotals:
    n_requests, n_answered, n_failed, n_sent, tokens_in, tokens_out, spent, maybe = counts
    return ModelTotals(
        n_requests=n_requests,
        n_answered=n_answered,
        n_failed=n_failed,
        n_sent=n_sent,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        spent=spent / NANO,
        maybe=maybe / NANO,
    )


_HABITS = """
SELECT model, purpose, COUNT(*), AVG(CAST(tokens_in AS REAL) / estimated_in), AVG(tokens_out)
FROM request WHERE status = 'answered' AND tokens_in IS NOT NULL AND tokens_out IS NOT NULL AND estimated_in > 0
GROUP BY model, purpose
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Habit:
    """What the answers of one model to requests of one purpose were like, on average."""

    n: int
    """Answers whose tokens the server counted."""
    ratio_in: float
    """Tokens read over those that were estimated."""
    tokens_out: float


def read_habits(connection: sqlite3.Connection) -> dict[tuple[str, str], Habit]:
    """Average over all answers, by model and purpose."""
    return {
        (model, purpose): Habit(n=n, ratio_in=ratio_in, tokens_out=tokens_out)
        for model, purpose, n, ratio_in, tokens_out in connection.execute(_HABITS).fetchall()
    }
