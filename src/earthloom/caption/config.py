"""What a recipe may say about captions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from earthloom.core.settings import Settings

Style = Literal["mmm_rs", "enriched", "plain"]


class CaptionSettings(Settings):
    """How captions are written."""

    with_: Literal["rules"] = Field("rules", alias="with")
    """Who writes: rules that turn checked facts into sentences."""
    styles: tuple[Style, ...] = Field(("mmm_rs", "enriched"), min_length=1)
    """Prompt styles to write one caption each in: `mmm_rs` (exact form `{level}, {weather}, {caption},
    {satellite}`) and `enriched` (platform, metres, date, place, labels, shares). `plain` asks for one plain
    description where `per_image` is 0."""
    per_image: int = Field(5, ge=0, le=5)
    """Plain descriptions beside the prompts, each with another role."""
    seed: int = 0
    """Another seed, other words for the same facts."""
