"""Every kind of evaluation, told apart by `evaluate`. No torch here: recipes are checked without it.

A kind is a folder: `config.py` with its recipe, derived from `EvaluationSettings`, and `measuring.py` with a function
from that recipe and a `Work` to an `Outcome`. It has its line here and its branch in `making.py`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from earthloom.evaluate.alignment.config import AlignmentRecipe
from earthloom.evaluate.captioning.config import CaptioningRecipe
from earthloom.evaluate.classification.config import ClassificationRecipe
from earthloom.evaluate.crossmodal.config import CrossModalRecipe
from earthloom.evaluate.generation.config import GenerationRecipe
from earthloom.evaluate.retrieval.config import RetrievalRecipe
from earthloom.evaluate.scenes.recipe import SceneRecipe

EvaluationRecipe = Annotated[
    AlignmentRecipe
    | CaptioningRecipe
    | ClassificationRecipe
    | CrossModalRecipe
    | GenerationRecipe
    | RetrievalRecipe
    | SceneRecipe,
    Field(discriminator="evaluate"),
]
"""Every kind of recipe."""
