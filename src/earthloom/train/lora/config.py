"""What a training recipe for a text-to-image LoRA may say. No torch here: recipes are checked without it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from earthloom.core.settings import Settings
from earthloom.store.selection import Selection
from earthloom.train.config import OptimizerSettings, TrainingSettings

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(gt=0, le=1000)]


class ModelSettings(Settings):
    """What is fine-tuned, and by which matrices."""

    model: str = Field(min_length=1)
    """Stable Diffusion 1.x, 2.x or XL: folder of a pipeline as diffusers saves it, or its name on the Hub where it lies
    in the cache. Nothing is downloaded."""
    revision: str = ""
    """Commit, tag or branch of a model of the Hub; the newest one in the cache where it is left out."""
    trust_pickles: bool = False
    """Also load weights that are no safetensors. Pickles can run any code."""
    rank: int = Field(16, ge=1, le=1024)
    """Rank of the matrices that are learnt."""
    alpha: float | None = Field(None, gt=0)
    """What is learnt is scaled by `alpha / rank`. Left out, it is as large as `rank`."""
    targets: Literal["attention", "attention+ff", "all-linear"] | tuple[str, ...] = Field(
        "attention", min_length=1
    )
    """Layers of the UNet that get such matrices: projections of attention, these and the feed-forward layers, all
    linear ones, or those whose names end in one of a list."""
    text_encoder: bool = False
    """Also give matrices to the attention of the text encoders. They learn words fast and forget others as fast."""


class PictureSettings(Settings):
    """How pictures and captions are made ready."""

    size: int = Field(512, ge=64, le=2048, multiple_of=64)
    """Side of the square pictures, pixels. A picture's shorter side is scaled to it: 512 for 1.x, 768 for most 2.x,
    1024 for XL."""
    crop: Literal["centre", "random"] = "centre"
    """Which part of a picture that is not square is learnt from."""
    turn: bool = False
    """Turn and mirror pictures at random. Seen from above there is no up, but shadows fall northwards over most land
    that is photographed, and captions may say where things are."""
    styles: dict[str, Weight] = Field(default_factory=dict)
    """Which captions are learnt: their styles (as `captions.style` of a release) and how often each is drawn beside the
    others, such as `{plain: 2, mmm_rs: 1}`. A picture without any of them is refused. Left out, all captions are drawn
    alike. What models propose beside the captions is never learnt from."""
    caption_drop: Share = 0.1
    """Share of pictures that are learnt without words, which is what guidance needs (Ho and Salimans 2022)."""
    metadata: Literal["none", "text", "embeddings", "both"] = "none"
    """Tell also ground sample distance, place, date and cloud: as a clause at the end of captions (`text`), as seven
    tokens beside them (`embeddings`, after DiffusionSat, Khanna et al., ICLR 2024), or both."""
    metadata_drop: Share = 0.1
    """Share of what is known that is kept back: of clauses as a whole, of the facts of tokens each by itself."""


class CacheSettings(Settings):
    """What is computed once."""

    cache: Literal["none", "latents", "latents+texts"] = "latents"
    """What is encoded once before training and kept: latents (mean and spread, 64 kB for a
    picture of 512 pixels), latents and the states of all texts (118 kB each for 1.x), or nothing. What is not needed
    any more is not loaded either."""
    cache_folder: str | None = Field(None, min_length=1)
    """Where it is kept: another training of the same pictures, sizes and model finds it there. Left out, in the
    training's folder."""
    variants: int | None = Field(None, ge=1, le=64)
    """With a cache, so many crops and turns of each picture are drawn once and kept: wanted with `crop: random` or
    `turn: true`, which need pictures and not latents."""


class LatentLossSettings(Settings):
    """What is learnt by."""

    min_snr: float | None = Field(5.0, gt=0)
    """Cap of a sample's ratio of signal to noise in the weight of its loss (Hang et al., ICCV 2023, 5 there); null
    weighs all alike."""
    offset_noise: float = Field(0.0, ge=0, le=1)
    """Strength of noise that is one number for each channel: lets darker and brighter pictures be learnt; 0.05 to 0.1
    is usual."""


class SampleSettings(Settings):
    """Pictures that show how training goes."""

    prompts: tuple[str, ...] = ()
    """Texts to draw beside the captions of the pictures that are shown, one for each row in turn."""
    sample_steps: int = Field(20, ge=0, le=1000)
    """Steps in which samples are drawn; 0 draws none."""
    guidance: float = Field(7.5, ge=1, le=50)
    """Strength of guidance for samples; 1 is none."""


class SpeedSettings(Settings):
    """What computes the same, otherwise. Their effect depends on the GPU and the versions of torch: try them."""

    gradient_checkpointing: bool = False
    """Compute activations twice instead of keeping them: about a third slower, for a GPU that has too little memory."""
    channels_last: bool = True
    """Order the UNet's weights for the convolutions of a GPU's tensor cores; has no effect on a CPU."""
    compile: bool = False
    """Let torch compile the UNet: minutes at the start, faster steps afterwards. Wants a compiler on the machine."""


class LoraSettings(
    ModelSettings, PictureSettings, CacheSettings, LatentLossSettings, SampleSettings, SpeedSettings
):
    """How a text-to-image LoRA is trained."""

    batch: int = Field(8, ge=1)
    """Pictures in one micro-batch of each process."""

    @model_validator(mode="after")
    def _check_cache(self) -> Self:
        changes = [
            text for text in (self.crop == "random" and "crop: random", self.turn and "turn: true") if text
        ]
        if self.cache != "none" and changes and self.variants is None:
            raise ValueError(
                f"`{changes[0]}` draws other pictures every time, and `cache: {self.cache}` keeps what was drawn once: "
                f"say `variants: 4` to keep so many of each picture, or `cache: none` to encode at every step."
            )
        if self.variants is not None and self.cache == "none":
            raise ValueError("variants: is of use with a cache; leave it out, or say `cache: latents`.")
        if self.variants is not None and not changes:
            raise ValueError("variants: all would be equal; say also `crop: random` or `turn: true`.")
        if self.cache == "latents+texts" and self.text_encoder:
            raise ValueError(
                "cache: texts cannot be encoded once while `text_encoder` learns; say `cache: latents`."
            )
        return self

    @property
    def scale(self) -> float:
        """`alpha`, or what it is where it is left out."""
        return float(self.rank if self.alpha is None else self.alpha)


class LoraRecipe(LoraSettings, OptimizerSettings, TrainingSettings):
    """A training recipe for a text-to-image LoRA. Paths are relative to the recipe."""

    train: Literal["lora"]
    """What is trained."""
    data: Selection
    """Pictures with captions."""
    validate_with: Selection | None = Field(None, alias="validate")
    """Pictures with captions that are held out, on which the loss is measured."""
    held: int = Field(64, ge=1)
    """Of those so many pictures, always the same ones."""
    decay: float = Field(0.0, ge=0, le=1)
    """Share of the steps, the last ones, in which the rate falls to zero; 0 keeps it constant."""
    clip: float | None = Field(1.0, gt=0)
    """Longest gradient, by its norm over all weights; longer ones are shortened to it."""
