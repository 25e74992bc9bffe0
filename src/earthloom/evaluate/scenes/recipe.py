"""The evaluation of synthetic weather as a recipe."""

from __future__ import annotations

from typing import Literal

from earthloom.evaluate.config import EvaluationSettings
from earthloom.evaluate.scenes.config import SceneSettings


class SceneRecipe(SceneSettings, EvaluationSettings):
    """How real synthetic weather looks, and what it keeps of the ground. Paths are relative to the recipe."""

    evaluate: Literal["scenes"]
    """What is measured."""

    def scene_settings(self) -> SceneSettings:
        """What the comparison itself takes."""
        told = {name: getattr(self, name) for name in SceneSettings.model_fields}
        return SceneSettings.model_validate(told)
