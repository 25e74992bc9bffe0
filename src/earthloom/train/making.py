"""From a training recipe to what is trained. Each kind is imported when it is asked for: they bring heavy libraries."""

from __future__ import annotations

from earthloom.core.extras import explain_missing_models
from earthloom.train.blip2.config import Blip2Recipe
from earthloom.train.clip.config import ClipRecipe
from earthloom.train.controlnet.config import ControlNetRecipe
from earthloom.train.kinds import TrainingRecipe
from earthloom.train.lora.config import LoraRecipe
from earthloom.train.step import Made, Setting
from earthloom.train.tiny.config import TinyRecipe


def make_training(recipe: TrainingRecipe, setting: Setting) -> Made:
    """Networks, optimisers and batches of a recipe.

    Raises:
        UsageError: there are no such pictures or weights, or they do not fit what the recipe says.

    """
    with explain_missing_models("Training needs"):
        return _make(recipe, setting)


def _make(recipe: TrainingRecipe, setting: Setting) -> Made:
    if isinstance(recipe, LoraRecipe):
        from earthloom.train.lora.making import make_lora

        return make_lora(recipe, setting)
    if isinstance(recipe, ControlNetRecipe):
        from earthloom.train.controlnet.making import make_controlnet

        return make_controlnet(recipe, setting)
    if isinstance(recipe, ClipRecipe):
        from earthloom.train.clip.making import make_clip

        return make_clip(recipe, setting)
    if isinstance(recipe, Blip2Recipe):
        from earthloom.train.blip2.making import make_blip2

        return make_blip2(recipe, setting)
    if isinstance(recipe, TinyRecipe):
        from earthloom.train.tiny.making import make_tiny

        return make_tiny(recipe, setting)
    from earthloom.train.translation.making import make_translation

    return make_translation(recipe, setting)
