"""What models have cost so far: a ledger as a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earthloom.caption.ledger import Ledger
from earthloom.caption.ledger.prices import show_money
from earthloom.caption.ledger.totals import ModelTotals, Totals
from earthloom.core.errors import UsageError
from earthloom.store.layout import WorkFolder

_HEAD = ("model", "asked", "answered", "failed", "open", "tokens in", "tokens out", "spent", "maybe")


@dataclass(frozen=True, kw_only=True)
class Costs:
    """The totals of one ledger."""

    path: Path
    totals: Totals

    def to_json(self) -> dict[str, Any]:
        """Counts, tokens and money by model and in all."""
        models = {name: _to_json(totals) for name, totals in self.totals.models.items()}
        return {"ledger": str(self.path), "models": models, "all": _to_json(self.totals.all)}

    def to_text(self) -> str:
        """An aligned table, a line a model."""
        rows = [_HEAD, *(_row(name, totals) for name, totals in self.totals.models.items())]
        if len(self.totals.models) != 1:
            rows.append(_row("all", self.totals.all))
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in rows
        ]
        note = "maybe: requests that were sent and not answered yet, at the most that they can cost."
        return "\n".join([*lines, note] if self.totals.maybe else lines)


def read_costs(place: Path) -> Costs:
    """Add up the ledger of a work folder, or the one that is named.

    Raises UsageError where there is none.
    """
    path = WorkFolder(place).ledger if place.is_dir() else place
    if not path.is_file():
        raise UsageError(
            f"There is no ledger at {path}. Name a work folder in which a model was asked, or the file itself."
        )
    with Ledger(path, read_only=True) as ledger:
        return Costs(path=path, totals=ledger.totals())


def _row(name: str, totals: ModelTotals) -> tuple[str, ...]:
    counts = (totals.n_requests, totals.n_answered, totals.n_failed, totals.n_open)
    tokens = (totals.tokens_in, totals.tokens_out)
    return (
        name,
        *(f"{n:,}" for n in (*counts, *tokens)),
        show_money(totals.spent),
        show_money(totals.maybe),
    )


def _to_json(totals: ModelTotals) -> dict[str, Any]:
    return {
        "requests": totals.n_requests,
        "answered": totals.n_answered,
        "failed": totals.n_failed,
        "open": totals.n_open,
        "tokens_in": totals.tokens_in,
        "tokens_out": totals.tokens_out,
        "spent": totals.spent,
        "maybe": totals.maybe,
    }
