"""Which kind measures which recipe. Rooms of the kinds are imported only then: some want torch."""

from __future__ import annotations

from earthloom.evaluate.kinds import EvaluationRecipe
from earthloom.evaluate.work import Outcome, Work


def measure(recipe: EvaluationRecipe, work: Work) -> Outcome:
    """Measure what a recipe describes."""
    match recipe.evaluate:
        case "scenes":
            from earthloom.evaluate.scenes.measuring import measure_scenes

            return measure_scenes(recipe, work)
