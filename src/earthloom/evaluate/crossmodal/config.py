"""The evaluation of drawn radar and near infrared as a recipe."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from earthloom.core.records import Modality
from earthloom.evaluate.config import EvaluationSettings, PictureSet


class CrossModalRecipe(EvaluationSettings):
    """Drawn radar or near infrared against true pictures. Paths are relative to the recipe."""

    evaluate: Literal["crossmodal"]
    """What is measured."""
    modality: Literal[Modality.SAR, Modality.NIR]
    """What the pictures are."""
    real: PictureSet
    """True pictures. Paired with the drawn ones where those name them: by the record whose caption or control they were
    drawn from, by `pair_id`, or by equal file names."""
    generated: PictureSet
    """Drawn pictures, or any others that are to be held against the true ones."""
    rgb: PictureSet | None = None
    """Near infrared: RGB pictures of the grounds of `real`. A linear regression from them, fitted to other grounds, is
    what the drawn pictures have to beat."""
    clip_db: tuple[float, float] | None = None
    """Radar: decibels that levels 0 and 255 stand for, such as [-25, 0], where pictures do not say so themselves: pairs
    of a release do, drawn pictures have the scale of the true ones they are paired with."""
    side: int = Field(9, ge=5, le=31)
    """Pixels of the picture, side of the windows in which looks are estimated; odd."""
    step: Literal[1, 2] = 1
    """2 estimates looks from every second pixel, in windows of the same ground: for pixels that lie closer than the
    sensor resolves."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.side % 2 == 0:
            raise ValueError(f"side: wants an odd number, got {self.side}; write {self.side + 1}.")
        if self.clip_db is not None and not self.clip_db[0] < self.clip_db[1]:
            raise ValueError(f"clip_db: wants low and high in this order, got {list(self.clip_db)}.")
        wanted = {"real": self.modality, "generated": self.modality, "rgb": Modality.RGB}
        for name, modality in wanted.items():
            chosen: PictureSet | None = getattr(self, name)
            if chosen is not None and chosen.release is not None and chosen.modality is not modality:
                raise ValueError(
                    f"{name}: takes {chosen.modality.value} pictures of a release where {modality.value} is measured; "
                    f"write `modality: {modality.value}` into it."
                )
        if self.rgb is not None and self.modality is not Modality.NIR:
            raise ValueError(
                "rgb: is for near infrared; a regression has no speckle to compare. Leave it out."
            )
        return self
