"""What a recipe may say about curation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from earthloom.core.settings import Settings

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


def _default_shares() -> dict[Split, float]:
    return {"train": 0.7, "val": 0.1, "test": 0.2}


class CurateSettings(Settings):
    """How pairs are divided."""

    split: dict[Split, float] = Field(default_factory=_default_shares)
    """Shares; they add up to 1."""
    seed: int = 0
    """Another seed divides the groups otherwise."""

    @field_validator("split")
    @classmethod
    def _check_shares(cls, split: dict[Split, float]) -> dict[Split, float]:
        if any(share < 0 for share in split.values()):
            raise ValueError(f"shares are 0 or more, got {split}.")
        if abs(sum(split.values()) - 1) > 1e-6:
            raise ValueError(f"shares add up to 1, these to {sum(split.values()):g}.")
        return split
