"""Every kind of training recipe, told apart by `train`. No torch here: recipes are checked without it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from earthloom.train.blip2.config import Blip2Recipe
from earthloom.train.clip.config import ClipRecipe
from earthloom.train.controlnet.config import ControlNetRecipe
from earthloom.train.lora.config import LoraRecipe
from earthloom.train.tiny.config import TinyRecipe
from earthloom.train.translation.config import TranslationRecipe

TrainingRecipe = Annotated[
    Blip2Recipe | ClipRecipe | ControlNetRecipe | LoraRecipe | TinyRecipe | TranslationRecipe,
    Field(discriminator="train"),
]
"""Every kind of training recipe."""
