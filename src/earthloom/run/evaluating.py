"""Evaluations: what their generators are to draw is drawn first, then all is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from earthloom.core.errors import UsageError
from earthloom.evaluate.config import EvaluationSettings, PictureSet, list_sets
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.result import Result
from earthloom.generate.config import GenerateSettings
from earthloom.generate.progress import Listener
from earthloom.store.layout import EvaluationFolder

Tell = Callable[[str], None]


def run_evaluation(
    recipe: EvaluationSettings,
    folder: Path,
    *,
    base: Path = Path(),
    tell: Tell = lambda text: None,
    listener: Listener | None = None,
) -> Result:
    """Draw what the generators of a recipe are to draw, and measure.

    Args:
        recipe: one of `earthloom.evaluate.kinds`.
        folder: of the evaluation; drawn pictures are kept in `folder/drawn`, and not drawn again.
        base: folder that the paths of the recipe are relative to.
        tell: is told in a few words how far measuring is.
        listener: is told how drawing goes on.

    Raises:
        UsageError: as `generate` and `evaluate`.
        RunError: nothing could be drawn or measured.

    """
    home = EvaluationFolder(folder.resolve())
    drawn = {
        name: _draw(name, chosen.generator, home.drawn(name), base, listener)
        for name, chosen in list_sets(recipe)
        if chosen.generator is not None
    }
    return evaluate(recipe.model_copy(update=drawn), home.root, base=base, tell=tell)


def parse_generator(place: str, told: dict[str, Any]) -> GenerateSettings:
    """Check the settings of a generator. Raises `UsageError` that names every fault and its place."""
    try:
        return GenerateSettings.model_validate(told)
    except ValidationError as error:
        faults = (
            f"{place}.generator{''.join(f'.{part}' for part in fault['loc'])}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise UsageError("; ".join(faults)) from error


def _draw(name: str, told: dict[str, Any], folder: Path, base: Path, listener: Listener | None) -> PictureSet:
    """Draw the pictures of a set; what it is then is their folder."""
    from earthloom.generate.generating import generate

    generate(parse_generator(name, told), folder, base=base, listener=listener)
    return PictureSet(folder=str(folder))
