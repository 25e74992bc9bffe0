"""What a recipe says of the pictures that a model is tested on. No torch here."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from earthloom.evaluate.benchmarks.names import BenchmarkName
from earthloom.evaluate.config import EvaluationSettings, PictureSet


class BenchmarkSettings(EvaluationSettings):
    """Pictures of one's own, or a common test set by its name."""

    pictures: PictureSet | None = None
    """A folder or a release."""
    test: BenchmarkName | None = None
    """Instead: a common test set, which lies at `path`. docs/evaluate-benchmarks.md says in which layouts."""
    path: str | None = Field(None, min_length=1)
    """Of `test`: its folder, a tar of it, or its file of captions."""
    split: tuple[str, ...] = ()
    """Of `test`: these splits. Empty for `test` of sets with captions, and for all pictures of sets with classes."""
    limit: int | None = Field(None, ge=1)
    """Of `test`: at most so many pictures, chosen by a hash of their names. Fewer make retrieval easier."""

    @model_validator(mode="after")
    def _check_tested(self) -> Self:
        if (self.pictures is None) == (self.test is None):
            raise ValueError("wants either `pictures` or `test`, the name of a common test set.")
        if (self.test is None) != (self.path is None):
            raise ValueError("wants `path`, where the test set lies, beside `test`, and not without it.")
        if self.test is None and (self.split or self.limit is not None):
            raise ValueError("has `split` and `limit` of `test`; those of `pictures` stand in it.")
        return self
