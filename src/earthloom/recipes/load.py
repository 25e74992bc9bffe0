"""Read a recipe from YAML. All of its faults are found at once, each with its line and a remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from earthloom.core.errors import Fault, RecipeError
from earthloom.run.recipe import ENTRIES, Recipe, check_path, list_paths

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A YAML document as plain values, with the line of each."""

    value: Any
    lines: dict[Loc, int]
    """Path of keys and indices to the line, from 1, on which the key or item stands."""
    faults: tuple[Fault, ...]
    """What is wrong with the YAML itself: keys that stand twice."""


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file and check it whole, the paths it names included.

    Raises:
        RecipeError: with every fault, its line and its remedy.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        fault = Fault(place=str(path), problem=f"cannot be read: {error.strerror}.", remedy="Check the path.")
        raise RecipeError([fault], recipe=str(path)) from error
    except UnicodeDecodeError as error:
        fault = Fault(place=str(path), problem=f"is no UTF-8 text ({error}).", remedy="Save it as UTF-8.")
        raise RecipeError([fault], recipe=str(path)) from error
    return parse_recipe(text, base=path.resolve().parent, name=str(path))


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
    document = read_yaml(text, name)
    recipe, faults = _validate(document)
    faults += _check_paths(document, base)
    faults = sorted(_merge([*document.faults, *faults]), key=lambda fault: (fault.line or 0, fault.place))
    if faults or recipe is None:
        raise RecipeError(faults, recipe=name)
    return recipe


def read_yaml(text: str, name: str = "recipe") -> Document:
    """Parse YAML into plain values with line numbers; only plain data, no tags that run code."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        problem = f"is no YAML: {getattr(error, 'problem', None) or error}."
        fault = Fault(
            place="recipe", problem=problem, remedy="Check quotes, brackets and indents.", line=line
        )
        raise RecipeError([fault], recipe=name) from error
    lines: dict[Loc, int] = {}
    faults: list[Fault] = []
    if node is not None:
        _walk(node, (), lines, faults)
    return Document(value, lines, tuple(faults))


def _walk(node: yaml.Node, loc: Loc, lines: dict[Loc, int], faults: list[Fault]) -> None:
    lines.setdefault(loc, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            where = (*loc, key.value)
            line = key.start_mark.line + 1
            if where in lines:
                problem = f"stands twice, first on line {lines[where]}."
                faults.append(
                    Fault(place=format_place(where), problem=problem, remedy="Keep one.", line=line)
                )
            lines[where] = line
            _walk(child, where, lines, faults)
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _walk(child, (*loc, index), lines, faults)


def _validate(document: Document) -> tuple[Recipe | None, list[Fault]]:
    if not isinstance(document.value, dict):
        problem = f"is {_describe(document.value)}, not a mapping of fields."
        return None, [
            Fault(place="recipe", problem=problem, remedy="Start with `name:` and `sources:`.", line=1)
        ]
    try:
        return Recipe.model_validate(document.value), []
    except ValidationError as error:
        return None, [_explain(detail, document) for detail in _drop_consequences(error.errors())]


def _drop_consequences(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out "too short" for a list of which an element was refused: it follows from that one."""
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(other["loc"][: len(detail["loc"])] == detail["loc"] != other["loc"] for other in details)
    ]


def _check_paths(document: Document, base: Path) -> list[Fault]:
    """Check all paths as they stand in the file, also those of sources that have other faults."""
    return [
        _place(fault, document)
        for place, path in list_paths(document.value)
        for fault in check_path(place, path, base)
    ]


def _explain(detail: ErrorDetails, document: Document) -> Fault:
    """One of pydantic's errors in our words, with its place in the file."""
    loc = _real_loc(detail, document)
    message = detail["msg"].removeprefix("Value error, ")
    field, colon, rest = message.partition(": ")
    if detail["type"] == "value_error" and colon and (*loc, field) in document.lines:
        loc, message = (*loc, field), rest
    problem, remedy = _WORDS.get(detail["type"], _plain)(detail, loc, message, document)
    fault = Fault(
        place=format_place(loc), problem=problem, remedy=remedy or "docs/recipe.md says what it takes."
    )
    return _place(fault, document, loc)


def _place(fault: Fault, document: Document, loc: Loc | None = None) -> Fault:
    """Fill in the line of the field, or of the nearest thing that holds it."""
    where = parse_place(fault.place) if loc is None else loc
    while where and where not in document.lines:
        where = where[:-1]
    return replace(fault, line=document.lines.get(where))


def _merge(faults: Sequence[Fault]) -> list[Fault]:
    """One fault for each place: a field that may be this or that gives one error for each."""
    merged: dict[str, Fault] = {}
    for fault in faults:
        first = merged.get(fault.place)
        if first is None:
            merged[fault.place] = fault
        elif fault.problem not in first.problem:
            merged[fault.place] = replace(first, problem=f"{first.problem} Or: {fault.problem}")
    return list(merged.values())


def _real_loc(detail: ErrorDetails, document: Document) -> Loc:
    """Pydantic's location without the names of union members, which are no fields of the file."""
    real: list[str | int] = []
    value = document.value
    last = len(detail["loc"]) - 1
    for i, step in enumerate(detail["loc"]):
        if _holds(value, step):
            value = value[step]
        elif not (i == last and detail["type"] == "missing"):
            continue
        real.append(step)
    return tuple(real)


def _holds(value: Any, step: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, dict) and step in value


def format_place(loc: Loc) -> str:
    """`("sources", 0, "bands")` as `sources[0].bands`."""
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text or "recipe"


def parse_place(place: str) -> Loc:
    """The inverse of `format_place`."""
    steps: list[str | int] = []
    for part in place.replace("[", ".[").split("."):
        if part.startswith("["):
            steps.append(int(part[1:-1]))
        elif part:
            steps.append(part)
    return tuple(steps)


def _describe(value: object) -> str:
    return "empty" if value is None else f"the {type(value).__name__} {value!r}"[:80]


def _plain(detail: ErrorDetails, loc: Loc, message: str, document: Document) -> tuple[str, str]:
    got = detail.get("input")
    said = "" if isinstance(got, dict | list) else f", got {got!r}"
    return f"{message[:1].lower()}{message[1:].rstrip('.')}{said}.", ""


def _own(detail: ErrorDetails, loc: Loc, message: str, document: Document) -> tuple[str, str]:
    return message, ""


def _missing(detail: ErrorDetails, loc: Loc, message: str, document: Document) -> tuple[str, str]:
    examples = {"name": "my-dataset", "path": "images", "kind": "geotiff", "sources": "[{kind: atlas}]"}
    return "is missing.", f"Add `{loc[-1]}: {examples.get(str(loc[-1]), '...')}`."


def _extra(detail: ErrorDetails, loc: Loc, message: str, document: Document) -> tuple[str, str]:
    near = difflib.get_close_matches(str(loc[-1]), _fields_at(loc[:-1], document), n=1)
    return (
        "is no field here.",
        f"Did you mean `{near[0]}`?" if near else "Remove it; docs/recipe.md lists all fields.",
    )


def _choice(detail: ErrorDetails, loc: Loc, message: str, document: Document) -> tuple[str, str]:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    got = str(detail.get("input"))
    near = difflib.get_close_matches(got, re.findall(r"'([^']*)'", expected), n=1)
    return f"must be {expected}, got {got!r}.", f"Did you mean `{near[0]}`?" if near else ""


def _kind(detail: ErrorDetails, loc: Loc, message: str, document: Document) -> tuple[str, str]:
    kinds = ", ".join(f"`{kind}`" for kind in ENTRIES)
    source = detail.get("input")
    got = source.get("kind") if isinstance(source, dict) else source
    if got is None:
        return "has no `kind`.", f"Add `kind:` with one of {kinds}."
    near = difflib.get_close_matches(str(got), ENTRIES, n=1)
    return f"the kind {got!r} is not known.", f"Did you mean `{near[0]}`?" if near else f"Kinds are {kinds}."


_WORDS = {
    "missing": _missing,
    "extra_forbidden": _extra,
    "literal_error": _choice,
    "enum": _choice,
    "union_tag_invalid": _kind,
    "union_tag_not_found": _kind,
    "value_error": _own,
}


def _fields_at(loc: Loc, document: Document) -> list[str]:
    """Names of the fields that may stand at a place, for a hint at the right spelling."""
    model: Any = Recipe
    value = document.value
    for step in loc:
        value = value[step]
        if loc[0] == "sources" and isinstance(step, int) and model is Recipe:
            model = ENTRIES.get(value.get("kind", "")) if isinstance(value, dict) else None
        elif isinstance(step, str) and step != "sources":
            model = _model_of(model, step)
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_of(model: Any, field: str) -> Any:
    info = None if model is None else model.model_fields.get(field)
    annotation = None if info is None else info.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
