"""What a training recipe for a ControlNet may say. No torch here: recipes are checked without it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from earthloom.core.records import Modality
from earthloom.core.settings import Settings
from earthloom.store.selection import Selection
from earthloom.train.config import OptimizerSettings, TrainingSettings

Share = Annotated[float, Field(ge=0, le=1)]

CHANNELS = {Modality.RGB: 3, Modality.NIR: 1, Modality.SAR: 1}
"""Of a picture of each modality, as a condition and as what is drawn."""


class ControlNetSettings(Settings):
    """How a ControlNet is trained over a Stable Diffusion that stays as it is."""

    model: str = Field(min_length=1)
    """Stable Diffusion 1.x, 2.x or XL: folder of a pipeline as diffusers saves it, or its name on the Hub where it lies
    in the cache. Nothing is downloaded."""
    revision: str = ""
    """Commit, tag or branch of a model of the Hub; the newest one in the cache where it is left out."""
    trust_pickles: bool = False
    """Also load weights that are no safetensors. Pickles can run any code."""
    size: int = Field(512, ge=64, le=2048, multiple_of=64)
    """Side of the square pictures, pixels: 512 for 1.x, 768 for most 2.x, 1024 for XL."""
    scale: bool = True
    """Scale a picture's shorter side to `size`, which also changes how radar speckles. False: keep the scale, and crop;
    what is too small is enlarged all the same."""
    crop: Literal["centre", "random"] = "random"
    """Which part of a picture that is larger is learnt from; of both modalities the same."""
    turn: bool = True
    """Turn and mirror both pictures alike at random. Radar looks from one side and the sun stands on one: say `false`
    where all pictures are lit alike and that is to be learnt."""
    batch: int = Field(4, ge=1)
    """Pairs in one micro-batch of each process."""
    caption_drop: Share = 0.5
    """Share of pairs that are learnt without words, so that the condition is what is drawn from (Zhang et al., ICCV
    2023, section 3.4)."""
    condition_drop: Share = 0.0
    """Share of pairs that are learnt with an empty condition, all zeros."""
    min_snr: float | None = Field(5.0, gt=0)
    """Cap of a sample's ratio of signal to noise in the weight of its loss (Hang et al., ICCV 2023, 5 there); null
    weighs all alike."""
    offset_noise: float = Field(0.0, ge=0, le=1)
    """Strength of noise that is one number for each channel: lets darker and brighter pictures be learnt."""
    sample_steps: int = Field(20, ge=0, le=1000)
    """Steps in which samples are drawn; 0 draws none."""
    gradient_checkpointing: bool = False
    """Compute activations twice instead of keeping them: about a third slower, for a GPU that has too little memory."""


class ControlNetRecipe(ControlNetSettings, OptimizerSettings, TrainingSettings):
    """A training recipe for a ControlNet. Paths are relative to the recipe."""

    train: Literal["controlnet"]
    """What is trained."""
    from_: Selection = Field(alias="from")
    """What is drawn after: pictures of one modality of a release."""
    also: Selection | None = None
    """Pictures of one more modality that are drawn after, such as near infrared beside RGB."""
    to: Selection
    """What is drawn: pictures of another modality that show the same ground, of the same release or of another one."""
    validate_with: Literal["val", "test"] | None = Field(None, alias="validate")
    """The split of these releases on which the loss is measured; `split` of the selections above must leave it out."""
    held: int = Field(64, ge=1)
    """Of those so many pairs, always the same ones."""
    rate: float = Field(1e-5, gt=0, le=1)
    """Learning rate at its full height."""
    decay: float = Field(0.0, ge=0, le=1)
    """Share of the steps, the last ones, in which the rate falls to zero; 0 keeps it constant."""
    clip: float | None = Field(1.0, gt=0)
    """Longest gradient, by its norm over all weights; longer ones are shortened to it."""

    @property
    def conditions(self) -> tuple[Selection, ...]:
        """What is drawn after, in the order of the condition's channels."""
        return (self.from_,) if self.also is None else (self.from_, self.also)

    @property
    def n_channels(self) -> int:
        """Channels of a condition."""
        return sum(CHANNELS[selection.modality] for selection in self.conditions)

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        chosen = (*self.conditions, self.to)
        if any(selection.release is None for selection in chosen):
            raise ValueError("from, also, to: want `release`, for pairs are told by their records.")
        if len({selection.modality for selection in chosen}) < len(chosen):
            shown = ", ".join(selection.modality.value for selection in chosen)
            raise ValueError(
                f"from, also, to: want different modalities, got {shown}. Say `modality` (rgb, nir, sar) in each."
            )
        if self.validate_with is not None and any(
            not selection.split or self.validate_with in selection.split for selection in chosen
        ):
            raise ValueError(
                f"validate: pairs of the split `{self.validate_with}` are to be held out: say `split: [train]` in "
                "`from`, `also` and `to`."
            )
        return self
