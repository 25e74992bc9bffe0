"""From a training recipe to what is trained. Each kind is imported when it is asked for: they bring heavy libraries."""

from __future__ import annotations

from earthloom.train.kinds import TrainingRecipe
from earthloom.train.step import Made, Setting


def make_training(recipe: TrainingRecipe, setting: Setting) -> Made:
    """Networks, optimisers and batches of a recipe.

    Raises:
        UsageError: there are no such pictures or weights, or they do not fit what the recipe says.

    """
    from earthloom.train.translation.making import make_translation

    return make_translation(recipe, setting)
