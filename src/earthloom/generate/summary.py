"""What a generation did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earthloom.core.durations import format_seconds

_REFUSALS = 3
"""Refusals that are named; the file has all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateSummary:
    """Counts and places; asked = drawn + kept + refused, but for what other parts of a shared run do."""

    model: str
    output: Path
    """The folder, or the one picture."""
    n_asked: int
    """Pictures of this part of the run."""
    n_drawn: int
    n_kept: int
    """There already, by the same recipe."""
    refused: Mapping[str, str]
    """Pictures and records that could not be used, by key, with why."""
    n_listed: int
    """Pictures in the folder's list, those of other parts among them."""
    n_cut: int
    """Of those drawn: prompts that were too long for the model and lost their end."""
    grids: tuple[Path, ...]
    seconds: float
    device: str

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "model": self.model,
            "output": str(self.output),
            "counts": {
                "asked": self.n_asked,
                "drawn": self.n_drawn,
                "kept": self.n_kept,
                "refused": len(self.refused),
                "listed": self.n_listed,
                "cut": self.n_cut,
            },
            "refused": dict(self.refused),
            "grids": [str(path) for path in self.grids],
            "seconds": round(self.seconds, 3),
            "device": self.device,
        }

    def to_text(self) -> str:
        """A few lines."""
        return "\n".join(self._iter_lines())

    def _iter_lines(self) -> Iterator[str]:
        kept = f", {self.n_kept:,} there already" if self.n_kept else ""
        taken = format_seconds(self.seconds)
        yield f"{self.model}: {self.n_drawn:,} pictures drawn{kept}, in {taken} on {self.device}"
        if self.n_cut:
            yield f"  {self.n_cut:,} prompts were longer than the model reads and lost their end"
        if self.refused:
            yield f"  {len(self.refused):,} could not be used:"
            yield from (f"    {key}: {why}" for key, why in list(self.refused.items())[:_REFUSALS])
        yield f"pictures  {self.output}"
        if self.n_listed > self.n_asked:
            yield f"  {self.n_listed:,} in its metadata.jsonl, with those of other runs"
        if self.grids:
            more = f" and {len(self.grids) - 1:,} more" if len(self.grids) > 1 else ""
            yield f"grid      {self.grids[0]}{more}"
