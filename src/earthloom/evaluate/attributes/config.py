"""What a recipe says of attribute faithfulness. No torch here."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from earthloom.core.settings import Settings
from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.encoders import EncoderSettings


class AttributeSettings(Settings):
    """Whether pictures show what they were asked to show, as probes read it that learned from real pictures."""

    asked: PictureSet | None = None
    """Release whose captions were the prompts: what its records say is what was asked for, where the generator was not
    told it as a fact."""
    probes: tuple[PictureSet, ...] = ()
    """Real pictures that probes learn from, one set for each modality; `real` where there is none."""
    probe_encoders: tuple[EncoderSettings, ...] = Field(
        (EncoderSettings(name="ours"), EncoderSettings(name="classical")), min_length=1
    )
    """What probes read: the features of all of these together."""
    folds: int = Field(5, ge=2, le=20)
    """Of the cross-validation over grounds."""

    @model_validator(mode="after")
    def _check_probes(self) -> Self:
        if self.asked is not None and self.asked.release is None:
            raise ValueError("`asked` wants a `release`: the one whose captions were the prompts.")
        if any(chosen.generator is not None for chosen in self.probes):
            raise ValueError("`probes` learn from real pictures: name a `folder` or a `release`.")
        return self
