"""Read a recipe from YAML. All of its faults are found at once, each with its line and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from earthloom.core.errors import Fault, RecipeError
from earthloom.core.settings import Settings
from earthloom.evaluate import config as evaluate_config
from earthloom.evaluate.kinds import EvaluationRecipe
from earthloom.recipes.document import Document, read_yaml
from earthloom.recipes.faults import Subject, describe, explain_all, find_line, merge
from earthloom.run.evaluating import list_generator_faults
from earthloom.run.recipe import Recipe, check_path, list_paths
from earthloom.train import config as train_config
from earthloom.train.kinds import TrainingRecipe

RecipeT = TypeVar("RecipeT", bound=Settings)


@dataclass(frozen=True)
class Schema(Generic[RecipeT]):
    """A kind of recipe."""

    model: Any
    """Its settings class, or a union of some."""
    list_paths: Callable[[object], Iterator[tuple[str, str]]]
    """Gives the place and path of all that it names, from plain values that need not be right."""
    start: str
    """How one begins, for those who have written something else."""
    page: str
    """The page of the documentation."""
    list_faults: Callable[[RecipeT], Iterator[tuple[str, str]]] = lambda recipe: iter(())
    """Gives place and problem of what is wrong with a recipe as a whole, which a settings class alone cannot know."""


RELEASE: Schema[Recipe] = Schema(
    Recipe, list_paths, start="Start with `name:` and `sources:`.", page="docs/recipe.md"
)
TRAINING: Schema[TrainingRecipe] = Schema(
    TrainingRecipe,
    train_config.list_paths,
    start="Start with `train:` and `name:`.",
    page="docs/training.md",
)
EVALUATION: Schema[EvaluationRecipe] = Schema(
    EvaluationRecipe,
    evaluate_config.list_paths,
    start="Start with `evaluate:` and `name:`.",
    page="docs/evaluate.md",
    list_faults=list_generator_faults,
)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file and check it whole, the paths it names included.

    Raises:
        RecipeError: with every fault, its line and its remedy.

    """
    return _load(path, RELEASE)


def load_training(path: Path) -> TrainingRecipe:
    """Read a training recipe, as `load_recipe` does one for a release."""
    return _load(path, TRAINING)


def load_evaluation(path: Path) -> EvaluationRecipe:
    """Read an evaluation's recipe, as `load_recipe` does one for a release."""
    return _load(path, EVALUATION)


def load_named(name: str) -> Recipe:
    """Read a recipe that ships with earthloom."""
    text = (files("earthloom.recipes") / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_recipe(text, base=Path.cwd(), name=name)


def list_named() -> list[str]:
    """Names of the recipes that ship with earthloom."""
    return sorted(
        entry.name.removesuffix(".yaml")
        for entry in files("earthloom.recipes").iterdir()
        if entry.name.endswith(".yaml")
    )


def parse_recipe(text: str, *, base: Path, name: str = "recipe") -> Recipe:
    """Check a recipe's text; `base` is the folder that its paths are relative to."""
    return _parse(text, RELEASE, base, name)


def parse_training(text: str, *, base: Path, name: str = "recipe") -> TrainingRecipe:
    """Check a training recipe's text; `base` is the folder that its paths are relative to."""
    return _parse(text, TRAINING, base, name)


def parse_evaluation(text: str, *, base: Path, name: str = "recipe") -> EvaluationRecipe:
    """Check an evaluation recipe's text; `base` is the folder that its paths are relative to."""
    return _parse(text, EVALUATION, base, name)


def check_part(document: Document, schema: Schema[RecipeT], base: Path) -> tuple[RecipeT | None, list[Fault]]:
    """Check a recipe that is a part of another document: the recipe, where it is one, and all of its faults."""
    recipe, faults = _validate(document, schema)
    faults += [] if recipe is None else _check_whole(recipe, document, schema)
    return recipe, merge([*document.faults, *faults, *_check_paths(document, schema, base)])


def read_text(path: Path) -> str:
    """Read the text of a recipe. Raises `RecipeError`."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        fault = Fault(place=str(path), problem=f"cannot be read: {error.strerror}.", remedy="Check the path.")
        raise RecipeError([fault], recipe=str(path)) from error
    except UnicodeDecodeError as error:
        fault = Fault(place=str(path), problem=f"is no UTF-8 text ({error}).", remedy="Save it as UTF-8.")
        raise RecipeError([fault], recipe=str(path)) from error


def _load(path: Path, schema: Schema[RecipeT]) -> RecipeT:
    return _parse(read_text(path), schema, path.resolve().parent, str(path))


def _parse(text: str, schema: Schema[RecipeT], base: Path, name: str) -> RecipeT:
    recipe, faults = check_part(read_yaml(text, name), schema, base)
    faults.sort(key=lambda fault: (fault.line or 0, fault.place))
    if faults or recipe is None:
        raise RecipeError(faults, recipe=name)
    return recipe


def _validate(document: Document, schema: Schema[RecipeT]) -> tuple[RecipeT | None, list[Fault]]:
    if not isinstance(document.value, dict):
        problem = f"is {describe(document.value)}, not a mapping of fields."
        return None, [Fault(place="recipe", problem=problem, remedy=schema.start, line=1)]
    adapter: TypeAdapter[RecipeT] = TypeAdapter(schema.model)
    try:
        return adapter.validate_python(document.value), []
    except ValidationError as error:
        return None, explain_all(error.errors(), Subject(document, schema.model, schema.page))


def _check_whole(recipe: RecipeT, document: Document, schema: Schema[RecipeT]) -> list[Fault]:
    return [
        find_line(Fault(place=place, problem=problem, remedy=f"{schema.page} says what it takes."), document)
        for place, problem in schema.list_faults(recipe)
    ]


def _check_paths(document: Document, schema: Schema[RecipeT], base: Path) -> list[Fault]:
    """Check all paths as they stand in the file, also those of entries that have other faults."""
    return [
        find_line(fault, document)
        for place, path in schema.list_paths(document.value)
        for fault in check_path(place, path, base)
    ]
