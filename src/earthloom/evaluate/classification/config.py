"""The recipe of a test of classification. No torch here."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from earthloom.evaluate.benchmarks.config import BenchmarkSettings
from earthloom.evaluate.duals import DualSettings
from earthloom.evaluate.encoders import EncoderSettings


class ClassificationRecipe(BenchmarkSettings):
    """Tell the classes of pictures. Paths are relative to the recipe.

    Of `pictures` the class is the folder of a file, or the first label of a pair.
    """

    evaluate: Literal["classification"]
    """What is measured."""
    clip: DualSettings | None = None
    """A dual encoder, which is told the classes in words (zero-shot)."""
    templates: str | tuple[str, ...] | None = None
    """Sentences that class names are put into: the name of a set (`clip-eurosat`, `clip-resisc45`, `satellite`,
    `name`), or sentences with `{}`. Of `test` those of published tables where none is named, else `satellite`."""
    wording: str | None = None
    """Of `test`: which class names, `plain` or, of EuroSAT, `clip`; that of published tables where none is named."""
    classes: dict[str, str] = Field(default_factory=dict)
    """Words for labels, in place of others."""
    several: bool = False
    """Pictures may carry several labels of a release: zero-shot gives mean average precision then."""
    encoders: tuple[EncoderSettings, ...] = ()
    """Whose features are read by linear probes, cross-validated: no ground is in training and test of one fold."""
    folds: int = Field(5, ge=2, le=20)
    """Of the cross-validation."""

    @model_validator(mode="after")
    def _check_asked(self) -> Self:
        if self.clip is None and not self.encoders:
            raise ValueError("wants `clip` for zero-shot, `encoders` for linear probes, or both.")
        if self.several and (self.encoders or self.pictures is None or self.pictures.release is None):
            raise ValueError(
                "has `several` for zero-shot on a release alone: leave `encoders` and `test` out."
            )
        return self
