"""Which kind measures which recipe. Rooms of the kinds are imported only then: some want torch."""

from __future__ import annotations

from earthloom.evaluate.kinds import EvaluationRecipe
from earthloom.evaluate.work import Outcome, Work


def measure(recipe: EvaluationRecipe, work: Work) -> Outcome:
    """Measure what a recipe describes."""
    match recipe.evaluate:
        case "alignment":
            from earthloom.evaluate.alignment.measuring import measure_alignment

            outcome = measure_alignment(recipe, work)
        case "captioning":
            from earthloom.evaluate.captioning.measuring import measure_captioning

            outcome = measure_captioning(recipe, work)
        case "classification":
            from earthloom.evaluate.classification.measuring import measure_classification

            outcome = measure_classification(recipe, work)
        case "generation":
            from earthloom.evaluate.generation.measuring import measure_generation

            outcome = measure_generation(recipe, work)
        case "retrieval":
            from earthloom.evaluate.retrieval.measuring import measure_retrieval

            outcome = measure_retrieval(recipe, work)
        case "crossmodal":
            from earthloom.evaluate.crossmodal.measuring import measure_crossmodal

            outcome = measure_crossmodal(recipe, work)
        case "scenes":
            from earthloom.evaluate.scenes.measuring import measure_scenes

            outcome = measure_scenes(recipe, work)
    return outcome
