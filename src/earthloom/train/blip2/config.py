"""What a training recipe for captioning may say. No torch here: recipes are checked without it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from earthloom.core.settings import Settings
from earthloom.store.selection import Selection
from earthloom.train.config import OptimizerSettings, TrainingSettings


class Blip2Settings(Settings):
    """How a captioner learns: LoRA (Hu et al., ICLR 2022) over a frozen model of transformers."""

    model: str = Field(min_length=1)
    """Folder of a saved model, relative to the recipe, or its name on the Hub where it lies in the cache: BLIP-2 with
    OPT or T5, BLIP, GIT, ViT-GPT2, or a LLaVA that sees pictures at one size."""
    revision: str = ""
    """Commit of a model of the Hub; empty for `main`."""
    trust_pickles: bool = False
    """Also load weights that are no safetensors."""
    prompt: str = ""
    """What comes before every caption and is not learnt; ask the trained model with the same. Chat models want one."""
    styles: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Captions of these styles alone; empty for all. One is drawn each time a picture comes by."""
    max_tokens: int = Field(64, ge=1, le=2048)
    """Longest caption, tokens; of longer ones the beginning is learnt."""
    rank: int = Field(16, ge=1, le=1024)
    """Rank of the LoRA matrices."""
    alpha: int = Field(32, ge=1)
    """What LoRA adds is scaled by alpha / rank."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """Share of the input of LoRA that is left out at random."""
    targets: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Layers that get LoRA, by the ends of their names, as peft takes them. Empty: the attention of the language model
    and, in BLIP-2, of the Q-Former."""
    qformer: Literal["lora", "full", "frozen"] = "lora"
    """BLIP-2: how its Q-Former is trained. `full`: all of its weights and those of the projection into the language
    model; they are saved beside LoRA."""
    gradient_checkpointing: bool = False
    """Compute forward passes twice to hold less: about a third slower, for a far larger batch."""
    merge: bool = False
    """Also write the whole model with LoRA merged into it, as a folder of transformers."""
    batch: int = Field(8, ge=1)
    """Pictures in one micro-batch of one process."""
    n_shown: int = Field(8, ge=1, le=64)
    """Pictures whose captions are written onto the sheets of samples."""


class Blip2Recipe(Blip2Settings, OptimizerSettings, TrainingSettings):
    """A training recipe for captioning. Paths are relative to the recipe."""

    train: Literal["blip2"]
    """What is trained."""
    data: Selection
    """Pictures with captions to learn from."""
    validate_with: Selection | None = Field(None, alias="validate")
    """Pictures with captions to measure on."""
    n_held: int = Field(64, ge=1)
    """So many of them."""
