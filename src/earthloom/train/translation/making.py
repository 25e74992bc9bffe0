"""What is trained for a translation: FastCUT or CycleGAN, made by a recipe."""

from __future__ import annotations

import torch

from earthloom.store.selection import select
from earthloom.train.config import list_selections
from earthloom.train.step import Made, Setting, Step
from earthloom.train.translation.config import TranslationRecipe
from earthloom.train.translation.cyclegan import CycleGanStep
from earthloom.train.translation.fastcut import FastCutStep
from earthloom.train.translation.pictures import PictureBatches

_NAMES = {"from": "a", "to": "b"}
"""What a batch calls the sets of a recipe."""


def make_translation(recipe: TranslationRecipe, setting: Setting) -> Made:
    """Networks with first weights, drawn from torch's generator, and both sets of pictures.

    Raises:
        UsageError: no such pictures; or the recipe compares layers that the generator does not have, or crops that are
            too small for it.

    """
    batches = make_picture_batches(recipe, setting)
    return Made(step=make_translation_step(recipe, setting.device), batches=batches)


def make_picture_batches(recipe: TranslationRecipe, setting: Setting) -> PictureBatches:
    """Crops of both sets. Raises `UsageError` where there are no such pictures."""
    sets = {place: select(selection, setting.base) for place, selection in list_selections(recipe).items()}
    return PictureBatches(sets, recipe, seed=recipe.seed, names=_NAMES, share=setting.share)


def make_translation_step(recipe: TranslationRecipe, device: torch.device) -> Step:
    """The networks and their optimisers. Raises `UsageError` as `make_translation`."""
    return CycleGanStep(recipe, device) if recipe.method == "cyclegan" else FastCutStep(recipe, device)
