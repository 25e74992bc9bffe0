"""What a recipe may say about the release."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from earthloom.core.settings import Settings

Format = Literal["webdataset", "parquet"]


class ExportSettings(Settings):
    """In which forms the release is written."""

    formats: tuple[Format, ...] = Field(("webdataset", "parquet"), min_length=1)
    """Tars for streaming, Parquet for tables; both hold the same pairs."""
    shard_pairs: int = Field(1000, ge=1, le=100_000)
    """Pairs in a shard of the release."""
    report: bool = True
    """Write `report.html` beside the data."""
