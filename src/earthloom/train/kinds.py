"""Every kind of training recipe, told apart by `train`. No torch here: recipes are checked without it."""

from __future__ import annotations

from earthloom.train.translation.config import TranslationRecipe

TrainingRecipe = TranslationRecipe
"""Every kind of training recipe."""
