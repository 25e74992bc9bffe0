"""Evaluations: what their generators are to draw is drawn first, then all is measured."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from earthloom.core.errors import UsageError
from earthloom.core.ids import hash_json
from earthloom.evaluate.config import EvaluationSettings, PictureSet, list_sets
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.making import measure
from earthloom.evaluate.result import Result
from earthloom.evaluate.work import Outcome, Work
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
    measure_by: Callable[[Any, Work], Outcome] = measure,
) -> Result:
    """Draw what the generators of a recipe are to draw, and measure.

    Args:
        recipe: one of `earthloom.evaluate.kinds`.
        folder: of the evaluation; drawn pictures are kept in `folder/drawn`, and not drawn again
            by the same settings.
        base: folder that the paths of the recipe are relative to.
        tell: is told in a few words how far measuring is.
        listener: is told how drawing goes on.
        measure_by: measures, for those who bring their own; by the recipe where it is not given.

    Raises:
        UsageError: as `generate` and `evaluate`.
        RunError: nothing could be drawn or measured.

    """
    home = EvaluationFolder(folder.resolve())
    faults = [f"{place}: {problem}" for place, problem in list_generator_faults(recipe)]
    if faults:
        raise UsageError("; ".join(faults))
    drawn = {
        name: _draw(chosen, home.drawn(name, _hash_generator(chosen.generator, base)), base, listener)
        for name, chosen in list_sets(recipe)
        if chosen.generator is not None
    }
    return evaluate(
        recipe.model_copy(update=drawn), home.root, base=base, tell=tell, asked=recipe, measure_by=measure_by
    )


def list_generator_faults(recipe: EvaluationSettings) -> Iterator[tuple[str, str]]:
    """Place and problem of everything that is wrong with the settings of the generators of a recipe."""
    for name, chosen in list_sets(recipe):
        if chosen.generator is None:
            continue
        try:
            GenerateSettings.model_validate(chosen.generator)
        except ValidationError as error:
            for fault in error.errors():
                place = ".".join((name, "generator", *map(str, fault["loc"])))
                if fault["type"] == "extra_forbidden":
                    yield place, _name_field(str(fault["loc"][-1]))
                    continue
                problem = fault["msg"].removeprefix("Value error, ").rstrip(".")
                got = fault["input"]
                yield place, f"{problem}." if isinstance(got, dict) else f"{problem}, got {got!r}."


def _name_field(wrong: str) -> str:
    """What to say of a field that generators do not have."""
    near = difflib.get_close_matches(wrong, GenerateSettings.model_fields, n=1)
    return (
        f"is no field here. {f'Did you mean `{near[0]}`?' if near else 'docs/generate.md lists all fields.'}"
    )


def _hash_generator(told: dict[str, Any], base: Path) -> str:
    """Hash of the settings and of what prompts are read from: what was drawn for other prompts lies elsewhere."""
    stamps = []
    for place in (told.get("release"), told.get("prompts")):
        root = base / str(place)
        files = sorted(path for path in root.rglob("*") if path.suffix in _READ) if root.is_dir() else [root]
        stamps += [[path.name, path.stat().st_size] for path in files if place and path.is_file()]
    return hash_json([told, stamps])


_READ = frozenset({".parquet", ".tar"})


def _draw(chosen: PictureSet, folder: Path, base: Path, listener: Listener | None) -> PictureSet:
    """Draw the pictures of a set; what it is then is their folder, of which it may take no more than a `limit`."""
    from earthloom.generate.generating import generate

    generate(GenerateSettings.model_validate(chosen.generator), folder, base=base, listener=listener)
    return chosen.model_copy(update={"folder": str(folder), "generator": None})
