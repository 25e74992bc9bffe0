"""What a training recipe for a tiny painter may say. No torch here: recipes are checked without it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from earthloom.core.records import Modality
from earthloom.models.tiny.shape import TinyMeasures, TinyShape
from earthloom.store.selection import Selection
from earthloom.train.config import Beta, OptimizerSettings, TrainingSettings

Share = Annotated[float, Field(ge=0, le=1)]
_CHANNELS = {Modality.RGB: 3, Modality.NIR: 1, Modality.SAR: 1}


class TinySettings(TinyMeasures):
    """How a small diffusion model is taught to draw what words and facts say."""

    batch: int = Field(32, ge=1)
    """Pictures of one micro-batch."""
    scale: bool = True
    """Scale the shorter side of every picture to `side`, which changes the ground sample distance that is told. False:
    cut squares of `side` pixels as they are."""
    turn: bool = True
    """Turn and mirror pictures at random: seen from above there is no up."""
    control_jitter: float = Field(0.0, ge=0, le=1)
    """Most by which contrast and brightness of each channel of `control` are changed at random, as `jitter_levels`
    does: what colours tell of a place and a day holds for no other, texture and shape do. 0 for not at all."""
    styles: tuple[str, ...] = ()
    """Styles of the captions to learn from, one of which is drawn each time; empty for all."""
    drop: Share = 0.1
    """Share of the pictures whose words are withheld, and share for each fact and for `control`: what is learnt so can
    be left open."""
    drop_facts: Share = 0.3
    """Share of the pictures of which no fact is told, so that words alone suffice."""
    drop_all: Share = 0.1
    """Share of the pictures of which nothing is told: what guidance leads away from."""
    min_snr: float | None = Field(None, gt=0, le=1000)
    """Cap of the Min-SNR weights (Hang et al., ICCV 2023), 5 in the paper; left out, the error of the velocity has the
    same weight at all steps."""
    shift: float = Field(1.0, gt=0, le=100)
    """How many times stronger noise is in what is learnt from than the schedule has it, see `shift_steps`. Large even
    areas show through much noise: above 1, more is learnt of what they are to be, and so of `control`."""
    guidance: float = Field(2.0, ge=1, le=20)
    """How far the samples go beyond what they are told; 1 for no guidance."""
    sample_steps: int = Field(20, ge=1, le=1000)
    """Predictions for each of the samples."""
    shown: int = Field(8, ge=1, le=64)
    """Pictures of which samples are made."""
    held: int = Field(256, ge=1)
    """Held-out pictures to measure on, at most, where `validate` names some."""
    storage: Literal["float32", "float16", "bfloat16"] = "float16"
    """Numbers that the finished weights are stored as; they compute in float32."""
    licence: str | None = Field(None, max_length=500)
    """Licence of what is learnt from; it goes into the file of the weights."""
    credit: str | None = Field(None, max_length=2000)
    """Whom to name; it goes into the file of the weights."""


class TinyRecipe(TinySettings, OptimizerSettings, TrainingSettings):
    """A training recipe for a tiny painter. Paths are relative to the recipe.

    What it says otherwise than other recipes by default suits a network of this size on a CPU.
    """

    train: Literal["tiny"]
    """What is trained."""
    data: Selection
    """Pictures with captions."""
    control: Selection | None = None
    """Pictures of the same ground to draw from, such as those of another modality; only pairs are learnt from."""
    validate_with: Selection | None = Field(None, alias="validate")
    """Held-out pictures, on which losses are measured."""
    validate_control: Selection | None = None
    """What held-out pictures are drawn from, where `control` is given."""
    steps: int = Field(4000, ge=1)
    """Updates in all."""
    warmup: int = Field(100, ge=0)
    """Steps in which the rate rises linearly from zero to its full height."""
    decay: float = Field(0.3, ge=0, le=1)
    """Share of the steps, the last ones, in which the rate falls to zero."""
    clip: float | None = Field(1.0, gt=0)
    """Longest gradient, by its norm over all weights; longer ones are shortened to it."""
    ema: float | None = Field(0.999, gt=0, lt=1)
    """Decay of the moving average of the weights, which is what samples are made of and what is exported."""
    rate: float = Field(8e-4, gt=0, le=1)
    """Learning rate at its full height."""
    betas: tuple[Beta, Beta] = (0.9, 0.99)
    """AdamW's decay rates."""

    def shape(self) -> TinyShape:
        """All measures of the networks: the channels follow from what is selected."""
        measures = {name: getattr(self, name) for name in TinyMeasures.model_fields}
        return TinyShape(
            **measures,
            channels=_CHANNELS[self.data.modality],
            control_channels=0 if self.control is None else _CHANNELS[self.control.modality],
        )
