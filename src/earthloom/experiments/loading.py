"""The file of an experiment as an experiment: the recipes of all steps are checked before any is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from earthloom.core.errors import Fault, RecipeError
from earthloom.core.settings import Settings
from earthloom.evaluate.config import EvaluationSettings, list_sets
from earthloom.experiments.config import ExperimentSettings, Kind
from earthloom.experiments.references import Names, Resolved, Value, resolve
from earthloom.generate.config import GenerateSettings
from earthloom.recipes.document import Document, Loc, format_place, parse_place, read_yaml
from earthloom.recipes.load import EVALUATION, RELEASE, TRAINING, Schema, check_part
from earthloom.store.layout import ExperimentFolder

PAGE = "docs/experiments.md"
_FILE: Schema[ExperimentSettings] = Schema(
    ExperimentSettings, lambda _: iter(()), start="Start with `experiment:` and `steps:`.", page=PAGE
)


def _list_generate_paths(recipe: object) -> Iterator[tuple[str, str]]:
    """Files that settings of a generation name; a model may be a name of the Hub's."""
    for name in ("release", "prompts", "control"):
        path = recipe.get(name) if isinstance(recipe, dict) else None
        if isinstance(path, str) and path and "://" not in path:
            yield name, path


_GENERATION: Schema[GenerateSettings] = Schema(
    GenerateSettings, _list_generate_paths, start="Start with `model:`.", page="docs/generate.md"
)
_SCHEMAS: Mapping[Kind, Schema[Any]] = {
    "build": RELEASE,
    "train": TRAINING,
    "generate": _GENERATION,
    "evaluate": EVALUATION,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step with its recipe."""

    name: str
    kind: Kind
    recipe: Settings
    plain: Any
    """The recipe as it was written, names looked up."""
    reads: tuple[str, ...]
    """Steps whose folders it names."""
    inputs: tuple[Path, ...]
    """Files and folders outside the experiment that it names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """An experiment at one size, ready to be done."""

    settings: ExperimentSettings
    size: str
    given: Mapping[str, Any]
    """Values that are not those of the file."""
    base: Path
    """Folder that paths are relative to."""
    folder: ExperimentFolder
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is wanted of a file."""

    size: str | None = None
    """The file's own where there is none."""
    given: Mapping[str, Any]
    """Values in place of those of the file."""
    base: Path
    """Folder that the file's paths are relative to; absolute."""
    folder: Path | None = None
    """Where it is done; `NAME-SIZE` below `base` where there is none. Absolute."""


def parse_experiment(text: str, request: Request, name: str = "experiment") -> Experiment:
    """Check the text of an experiment and the recipes of all its steps.

    Args:
        text: YAML.
        request: size, values and folders.
        name: what faults call the text, such as its path.

    Raises:
        RecipeError: with every fault, its line and its remedy; those of steps only where the frame that holds them
            has none.

    """
    document = read_yaml(text, name)
    settings, faults = check_part(document, _FILE, request.base)
    if faults or settings is None:
        raise _collect(faults, name)
    size = request.size or settings.size
    faults = _check_request(settings, size, request.given)
    if faults:
        raise RecipeError(faults, recipe=name)
    folder = ExperimentFolder(request.folder or request.base / f"{settings.experiment}-{size}")
    values = _list_values(settings, size, request.given)
    frame = _Frame(document, settings, values, folder, request.base)
    checked = [frame.check(step) for step in settings.steps]
    faults = [fault for _, found in checked for fault in found]
    steps = tuple(step for step, _ in checked if step is not None)
    if faults:
        raise _collect(faults, name)
    return Experiment(
        settings=settings, size=size, given=request.given, base=request.base, folder=folder, steps=steps
    )


def _collect(faults: list[Fault], name: str) -> RecipeError:
    return RecipeError(sorted(faults, key=lambda fault: (fault.line or 0, fault.place)), recipe=name)


def _check_request(settings: ExperimentSettings, size: str, given: Mapping[str, Any]) -> list[Fault]:
    if size not in settings.sizes:
        known = ", ".join(settings.sizes)
        return [Fault(place="size", problem=f"{size!r} is none of its sizes.", remedy=f"It has {known}.")]
    values = settings.sizes[size]
    known = ", ".join(values) or "none"
    faults = [
        Fault(place=f"--set {name}", problem=f"size {size} has no such value.", remedy=f"It has {known}.")
        for name in given
        if name not in values
    ]
    return faults + [
        Fault(
            place=name, problem=f"has to be given: {settings.wants[name]}.", remedy=f"Say `--set {name}=...`."
        )
        for name, value in values.items()
        if value is None and given.get(name) is None
    ]


def _list_values(settings: ExperimentSettings, size: str, given: Mapping[str, Any]) -> dict[str, Value]:
    of_file = {
        name: Value(value=value, loc=("sizes", size, name)) for name, value in settings.sizes[size].items()
    }
    return of_file | {name: Value(value=value, loc=None) for name, value in given.items()}


@dataclass(frozen=True)
class _Frame:
    """The file without its steps, against which these are checked."""

    document: Document
    settings: ExperimentSettings
    values: Mapping[str, Value]
    folder: ExperimentFolder
    base: Path

    def check(self, name: str) -> tuple[Step | None, list[Fault]]:
        """A step, and what is wrong with it."""
        kind = self.settings.steps[name].kind
        loc: Loc = ("steps", name, kind)
        resolved = self._resolve(name, loc)
        document = _name_recipe(resolved.document, name, kind)
        schema, outside = self._leave_out_steps(_SCHEMAS[kind])
        recipe, found = check_part(document, schema, self.base)
        if recipe is not None and isinstance(recipe, EvaluationSettings):
            found += self._check_generators(recipe, document)
        faults = [*resolved.faults, *(_place(fault, loc, resolved) for fault in found)]
        if recipe is None or faults:
            return None, faults
        inputs = tuple(self.base / path for path in outside)
        step = Step(
            name=name, kind=kind, recipe=recipe, plain=document.value, reads=resolved.reads, inputs=inputs
        )
        return step, []

    def _resolve(self, name: str, loc: Loc) -> Resolved:
        order = list(self.settings.steps)
        at = order.index(name)
        folders = {earlier: str(self.folder.step(earlier)) for earlier in order[:at]}
        names = Names(values=self.values, folders=folders, later=frozenset(order[at:]))
        return resolve(self.document, loc, names)

    def _leave_out_steps(self, schema: Schema[Any]) -> tuple[Schema[Any], list[str]]:
        """The schema without paths below the experiment, which come to be; and a list that the others are put on."""
        outside: list[str] = []

        def list_paths(recipe: object) -> Iterator[tuple[str, str]]:
            for place, path in schema.list_paths(recipe):
                if not PurePath(path).is_relative_to(self.folder.root):
                    outside.append(path)
                    yield place, path

        return replace(schema, list_paths=list_paths), outside

    def _check_generators(self, recipe: EvaluationSettings, document: Document) -> list[Fault]:
        """Faults of the generators that the sets of an evaluation name."""
        faults = []
        for place, chosen in list_sets(recipe):
            if chosen.generator is not None:
                loc = (place, "generator")
                part = resolve(document, loc, Names(values={}, folders={}, later=frozenset())).document
                found = check_part(part, replace(_GENERATION, list_paths=lambda _: iter(())), self.base)[1]
                faults += [
                    replace(fault, place=format_place((*loc, *_parse(fault.place)))) for fault in found
                ]
        return faults


def _name_recipe(document: Document, name: str, kind: Kind) -> Document:
    """The recipe with the step's name where it has none of its own and wants one."""
    if kind == "generate" or not isinstance(document.value, dict):
        return document
    return replace(document, value={"name": name, **document.value})


def _place(fault: Fault, loc: Loc, resolved: Resolved) -> Fault:
    """A fault of a step's recipe as one of the file."""
    where = _parse(fault.place)
    remedy = fault.remedy
    if (value := resolved.by_name.get(where)) is not None and fault.problem.startswith("there is no"):
        remedy = f"Say where it is: `--set {value}=PATH`."
    return replace(fault, place=format_place((*loc, *where)), remedy=remedy)


def _parse(place: str) -> Loc:
    return () if place == "recipe" else parse_place(place)
