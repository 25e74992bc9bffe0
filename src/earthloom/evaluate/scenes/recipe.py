"""The evaluation of synthetic weather as a recipe."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from earthloom.evaluate.config import EvaluationSettings
from earthloom.evaluate.scenes.config import SceneSettings

_IDLE = ("resamples", "level", "cache")
"""Of every evaluation, and without a meaning here: spreads are over random halves, features are kept for a run only."""


class SceneRecipe(SceneSettings, EvaluationSettings):
    """How real synthetic weather looks, and what it keeps of the ground. Paths are relative to the recipe.

    `resamples`, `level` and `cache` stay at their defaults: spreads are over random halves, and features are kept for
    one run only.
    """

    evaluate: Literal["scenes"]
    """What is measured."""

    @model_validator(mode="after")
    def _check_idle(self) -> Self:
        fields = type(self).model_fields
        idle = [name for name in _IDLE if getattr(self, name) != fields[name].default]
        if idle:
            raise ValueError(f"scenes makes no use of `{'`, `'.join(idle)}`. Leave it out.")
        return self

    def scene_settings(self) -> SceneSettings:
        """What the comparison itself takes."""
        told = {name: getattr(self, name) for name in SceneSettings.model_fields}
        return SceneSettings.model_validate(told)
