"""The recipe of a test of alignment. No torch here."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from earthloom.evaluate.attributes.config import AttributeSettings
from earthloom.evaluate.config import EvaluationSettings, PictureSet
from earthloom.evaluate.duals import DualSettings
from earthloom.metrics.clip_score import PREFIX, WEIGHT


class AlignmentRecipe(AttributeSettings, EvaluationSettings):
    """Score pictures by their prompts or captions. Paths are relative to the recipe."""

    evaluate: Literal["alignment"]
    """What is measured."""
    generated: PictureSet
    """Pictures that were drawn from prompts; or a release, whose pictures are scored by their captions."""
    real: PictureSet | None = None
    """Real pictures with captions, best the release that prompts were taken from: what they score is the ceiling, by
    the same prompts where these are theirs, else by their own captions."""
    clip: DualSettings
    """The model that scores. One that was trained on such imagery tells more than one of the web."""
    prefix: str = PREFIX
    """Said before every text: `A photo depicts ` as published, nothing, or `a satellite image of `."""
    weight: float = Field(WEIGHT, gt=0, le=100)
    """Of the cosine: 2.5 as published; others have 1 or 100."""
    draws: int = Field(20, ge=1, le=1000)
    """How often texts are dealt to other pictures for the null."""
    styles: tuple[str, ...] = ()
    """Of captions: these styles; empty for all."""
    captions: int = Field(5, ge=1)
    """At most so many captions of each picture, the first."""
    attributes: bool = False
    """Also whether pictures show the class, scene, modality and distance that their prompts asked for, as probes read
    it; prompts' facts are those of `asked`, of `real` where that is a release and nothing else is said."""
    examples: int = Field(6, ge=0, le=50)
    """Pictures that fit best and worst on the page, of each so many."""

    @model_validator(mode="after")
    def _check_attributes(self) -> Self:
        if self.attributes and self.real is None and not self.probes:
            raise ValueError(
                "has `attributes`, whose probes learn from real pictures: name `real` or `probes`."
            )
        return self
