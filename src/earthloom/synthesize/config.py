"""What every effect in a recipe has: how much of it, on what, how strong."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from earthloom.core.records import SEVERITIES, Severity
from earthloom.core.settings import Settings

__all__ = ["SEVERITIES", "EffectSettings", "Severity"]


class EffectSettings(Settings):
    """What every effect has. Each adds `effect`, its name, and its own parameters."""

    share: float | None = Field(None, gt=0, le=1)
    """Share of all places (tiles that show one ground at one time, in all their modalities) that get the effect, met
    in expectation; 0.1 where neither this nor `count` is set."""
    count: int | None = Field(None, ge=1)
    """Exactly so many places, or all there are."""
    balance: tuple[Literal["source", "gsd"], ...] = ()
    """Take as many places from each source, from each level of ground sample distance, or from each pair of both."""
    severity: tuple[Severity, ...] = Field(SEVERITIES, min_length=1)
    """How strong: one of these is drawn for each place. What the record then says is measured."""
    seed: int = 0
    """Another seed draws other places and other weather."""

    @model_validator(mode="after")
    def _check_amount(self) -> Self:
        if self.share is not None and self.count is not None:
            raise ValueError("share and count exclude each other: say one of them.")
        return self
