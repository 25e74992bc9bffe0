"""The recipe of a test of retrieval. No torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from earthloom.evaluate.benchmarks.config import BenchmarkSettings
from earthloom.evaluate.duals import DualSettings


class RetrievalRecipe(BenchmarkSettings):
    """Let pictures find their captions and captions their pictures. Paths are relative to the recipe."""

    evaluate: Literal["retrieval"]
    """What is measured."""
    clip: DualSettings
    """The model that is tested."""
    prefix: str = ""
    """Said before every caption."""
    capitalize: bool = False
    """First letter upper case, all others lower, as RemoteCLIP reads captions."""
    styles: tuple[str, ...] = ()
    """Of a release: captions of these styles; empty for all."""
    captions: int = Field(5, ge=1)
    """At most so many captions of each picture, the first; tables of the field have five."""
    examples: int = Field(6, ge=0, le=50)
    """Hits and misses that the page shows, of each so many."""
