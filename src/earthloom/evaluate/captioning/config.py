"""The recipe of a test of captioning. No torch here."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from earthloom.core.settings import Settings
from earthloom.evaluate.benchmarks.config import BenchmarkSettings
from earthloom.evaluate.duals import DualSettings
from earthloom.metrics.clip_score import PREFIX, WEIGHT


class CaptionerSettings(Settings):
    """A model that captions pictures: BLIP-2, or any image-to-text or vision-chat model of transformers."""

    model: str = Field(min_length=1)
    """Folder of a saved model, or its name on the Hub where it lies in the cache already. Nothing is downloaded."""
    revision: str = ""
    """Commit of a model of the Hub."""
    adapter: str | None = Field(None, min_length=1)
    """Folder or file with LoRA weights that are laid over the model."""
    prompt: str = ""
    """What the model is asked; empty for a model that captions unasked."""
    batch: int = Field(8, ge=1, le=1024)
    """Pictures at a time; halved by itself where the memory does not hold them."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the first GPU where there is one."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto`: bfloat16 on a GPU, float32 on a CPU."""
    max_new_tokens: int = Field(40, ge=4, le=1024)
    """Longest caption."""
    beams: int = Field(3, ge=1, le=16)
    """Width of the beam search; 1 takes the likeliest token each time."""
    length_penalty: float = Field(1.0, ge=-5, le=5)
    """Over 0 longer captions win the beam search, under 0 shorter ones."""
    trust_pickles: bool = False
    """Also load weights that are no safetensors."""


class CaptioningRecipe(BenchmarkSettings):
    """Score captions of pictures by what people said of them. Paths are relative to the recipe."""

    evaluate: Literal["captioning"]
    """What is measured."""
    candidates: str | None = Field(None, min_length=1)
    """File of the captions to score: JSON (COCO's results, or an object from name to caption), JSON lines or CSV, each
    with a picture's key, file name or number (`image_id`) and its `caption`."""
    captioner: CaptionerSettings | None = None
    """Instead: a model that is shown the pictures."""
    references: str | None = Field(None, min_length=1)
    """File of references for pictures that come without: as `candidates`, several for a picture; COCO's annotations,
    too."""
    styles: tuple[str, ...] = ()
    """Of a release: references of these styles; empty for all."""
    authors: tuple[str, ...] = ()
    """Of a release: references by these authors, such as `source` for those of the dataset itself; empty for all."""
    captions: int = Field(5, ge=1)
    """At most so many references of each picture, the first."""
    meteor: bool | Literal["auto"] = "auto"
    """Whether METEOR is computed, which wants Java: `auto` where Java is there."""
    clip: DualSettings | None = None
    """A model for CLIPScore and RefCLIPScore."""
    prefix: str = PREFIX
    """Of CLIPScore: said before every text."""
    weight: float = Field(WEIGHT, gt=0, le=100)
    """Of CLIPScore: what a cosine is multiplied with, 2.5 as published."""
    shuffles: int = Field(5, ge=1, le=100)
    """How often captions are dealt to other pictures for the null."""
    examples: int = Field(6, ge=0, le=50)
    """Pictures with the best and the worst captions on the page, of each so many."""

    @model_validator(mode="after")
    def _check_candidates(self) -> Self:
        if (self.candidates is None) == (self.captioner is None):
            raise ValueError("wants either `candidates`, a file of captions, or `captioner`, a model.")
        return self
