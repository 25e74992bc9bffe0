"""What is trained for a translation: FastCUT or CycleGAN, made by a recipe."""

from __future__ import annotations

import torch

from earthloom.train.config import TranslationRecipe
from earthloom.train.cyclegan import CycleGanStep
from earthloom.train.fastcut import FastCutStep
from earthloom.train.step import Step


def make_translation_step(recipe: TranslationRecipe, device: torch.device) -> Step:
    """Networks with first weights, drawn from torch's generator, and their optimisers.

    Raises:
        UsageError: the recipe compares layers that the generator does not have, or crops that are too small for it.

    """
    return CycleGanStep(recipe, device) if recipe.method == "cyclegan" else FastCutStep(recipe, device)
