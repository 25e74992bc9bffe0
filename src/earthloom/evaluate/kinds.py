"""Every kind of evaluation, told apart by `evaluate`. No torch here: recipes are checked without it.

A kind is a folder: `config.py` with its recipe, derived from `EvaluationSettings`, and `measuring.py` with a function
from that recipe and a `Work` to an `Outcome`. It has its line here and its branch in `making.py`.
"""

from __future__ import annotations

from earthloom.evaluate.scenes.recipe import SceneRecipe

EvaluationRecipe = SceneRecipe
"""Every kind of recipe."""
