"""What a recipe of the evaluation of generated pictures says. No torch here."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from earthloom.evaluate.attributes.config import AttributeSettings
from earthloom.evaluate.config import EvaluationSettings, PictureSet
from earthloom.evaluate.encoders import EncoderSettings


class GenerationRecipe(AttributeSettings, EvaluationSettings):
    """How near generated pictures are to real ones, how varied they are, and whether they are copies."""

    evaluate: Literal["generation"]
    """What is measured."""
    real: PictureSet
    """Real pictures that the generator has not seen: best of the test split."""
    generated: PictureSet
    """What is measured."""
    train: PictureSet | None = None
    """Pictures that the generator was trained on: whether generated ones are copies of these."""
    encoders: tuple[EncoderSettings, ...] = Field(
        (EncoderSettings(name="ours"), EncoderSettings(name="classical")), min_length=1
    )
    """What pictures are described by; every distance is taken for each."""
    side: int | None = Field(None, ge=32, le=4096)
    """Shorter side, pixels, that all larger pictures are brought to first, by the mean of areas; as they are where none
    is given. To compare with a generator of smaller pictures for what they show and not for their size."""
    subsets: int = Field(100, ge=10, le=10_000)
    """Of kernel distances (KID): how many are drawn."""
    subset_size: int = Field(1000, ge=10, le=10_000)
    """Pictures of each set in a subset; at most half of the smaller set."""
    halves: int = Field(100, ge=10, le=10_000)
    """Half-samples behind the interval of a distance; 20 at most where each takes long."""
    attributes: bool = False
    """Whether pictures show the class, scene, modality and distance that were asked for."""
    rows: int = Field(10, ge=1, le=100)
    """Rows of pictures in each grid of the page."""

    @model_validator(mode="after")
    def _check_encoders(self) -> Self:
        told = [encoder.model_dump_json() for encoder in self.encoders]
        if len(set(told)) < len(told):
            raise ValueError("`encoders` names one twice: leave one of them out.")
        return self
