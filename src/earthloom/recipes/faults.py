"""What pydantic finds wrong with a document, in our words: the place, its line, what was wanted, what to write."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from earthloom.core.errors import Fault
from earthloom.recipes.document import Document, Loc, format_place, parse_place


@dataclass(frozen=True)
class Subject:
    """A document and what it should be."""

    document: Document
    model: Any
    """A settings class, or a union of some."""
    page: str
    """Page of the documentation that lists the fields."""


def explain_all(details: Sequence[ErrorDetails], subject: Subject) -> list[Fault]:
    """Every error as a fault, without those that merely follow from others."""
    return [_explain(detail, subject) for detail in _drop_consequences(details)]


def merge(faults: Sequence[Fault]) -> list[Fault]:
    """One fault for each place: a field that may be this or that gives one error for each."""
    merged: dict[str, Fault] = {}
    for fault in faults:
        first = merged.get(fault.place)
        if first is None:
            merged[fault.place] = fault
        elif fault.problem not in first.problem:
            merged[fault.place] = replace(first, problem=f"{first.problem} Or: {fault.problem}")
    return list(merged.values())


def find_line(fault: Fault, document: Document, loc: Loc | None = None) -> Fault:
    """Fill in the line of the field, or of the nearest thing that holds it."""
    where = parse_place(fault.place) if loc is None else loc
    while where and where not in document.lines:
        where = where[:-1]
    return replace(fault, line=document.lines.get(where))


def describe(value: object) -> str:
    """A value that should have been a mapping."""
    return "empty" if value is None else f"the {type(value).__name__} {value!r}"[:80]


def _drop_consequences(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out "too short" for a list of which an element was refused: it follows from that one."""
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(other["loc"][: len(detail["loc"])] == detail["loc"] != other["loc"] for other in details)
    ]


def _explain(detail: ErrorDetails, subject: Subject) -> Fault:
    document = subject.document
    loc = _real_loc(detail, document)
    message = detail["msg"].removeprefix("Value error, ")
    field, colon, rest = message.partition(": ")
    if detail["type"] == "value_error" and colon and (*loc, field) in document.lines:
        loc, message = (*loc, field), rest
    problem, remedy = _WORDS.get(detail["type"], _plain)(detail, loc, message, subject)
    remedy = remedy or f"{subject.page} says what it takes."
    return find_line(Fault(place=format_place(loc), problem=problem, remedy=remedy), document, loc)


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


def _plain(detail: ErrorDetails, loc: Loc, message: str, subject: Subject) -> tuple[str, str]:
    got = detail.get("input")
    said = "" if isinstance(got, dict | list) else f", got {got!r}"
    return f"{message[:1].lower()}{message[1:].rstrip('.')}{said}.", ""


def _own(detail: ErrorDetails, loc: Loc, message: str, subject: Subject) -> tuple[str, str]:
    return message, ""


_EXAMPLES = {
    "name": "my-dataset",
    "path": "images",
    "kind": "geotiff",
    "sources": "[{kind: atlas}]",
    "train": "translation",
    "from": "{folder: clear}",
    "to": "{folder: snow}",
}


def _missing(detail: ErrorDetails, loc: Loc, message: str, subject: Subject) -> tuple[str, str]:
    return "is missing.", f"Add `{loc[-1]}: {_EXAMPLES.get(str(loc[-1]), '...')}`."


def _extra(detail: ErrorDetails, loc: Loc, message: str, subject: Subject) -> tuple[str, str]:
    fields = [name for model in _models_at(loc[:-1], subject) for name in _fields_of(model)]
    near = difflib.get_close_matches(str(loc[-1]), fields, n=1)
    return (
        "is no field here.",
        f"Did you mean `{near[0]}`?" if near else f"Remove it; {subject.page} lists all fields.",
    )


def _choice(detail: ErrorDetails, loc: Loc, message: str, subject: Subject) -> tuple[str, str]:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    got = str(detail.get("input"))
    near = difflib.get_close_matches(got, re.findall(r"'([^']*)'", expected), n=1)
    return f"must be {expected}, got {got!r}.", f"Did you mean `{near[0]}`?" if near else ""


def _tag(detail: ErrorDetails, loc: Loc, message: str, subject: Subject) -> tuple[str, str]:
    """A mapping whose tag, such as `kind`, is missing or unknown, so that it is not clear what it should hold."""
    name = str(detail.get("ctx", {}).get("discriminator", "")).strip("'")
    tags = list(dict.fromkeys(tag for model in _models_at(loc, subject) for tag in _tags_of(model, name)))
    listed = ", ".join(f"`{tag}`" for tag in tags)
    value = detail.get("input")
    got = value.get(name) if isinstance(value, dict) else value
    if got is None:
        return f"has no `{name}`.", f"Add `{name}:` with one of {listed}."
    near = difflib.get_close_matches(str(got), tags, n=1)
    return (
        f"the {name} {got!r} is not known.",
        f"Did you mean `{near[0]}`?" if near else f"It may be {listed}.",
    )


_Words = Callable[[ErrorDetails, Loc, str, Subject], tuple[str, str]]
_WORDS: dict[str, _Words] = {
    "missing": _missing,
    "extra_forbidden": _extra,
    "literal_error": _choice,
    "enum": _choice,
    "union_tag_invalid": _tag,
    "union_tag_not_found": _tag,
    "value_error": _own,
}


def _models_at(loc: Loc, subject: Subject) -> list[type[BaseModel]]:
    """The settings classes that may stand at a place, those of a union that another tag rules out left out."""
    value = subject.document.value
    models = list(_flatten(subject.model))
    for step in loc:
        if isinstance(step, str):
            fitting = _fitting(models, value)
            hints = [info.annotation for m in fitting for name, info in _fields_of(m).items() if name == step]
            models = [model for hint in hints for model in _flatten(hint)]
        value = value[step]
    return _fitting(models, value) or models


def _flatten(hint: Any) -> Iterator[type[BaseModel]]:
    """The settings classes in a type: of a union, of a tuple's elements."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint
        return
    for inner in typing.get_args(hint):
        yield from _flatten(inner)


def _fitting(models: Iterable[type[BaseModel]], value: object) -> list[type[BaseModel]]:
    """Those models none of whose tags is another one than in the value."""
    if not isinstance(value, dict):
        return list(models)
    return [
        model
        for model in models
        if all(value.get(name, tag) in (None, tag) for name, tag in _all_tags(model))
    ]


def _fields_of(model: type[BaseModel]) -> dict[str, Any]:
    """Fields by the name that a file gives them."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _all_tags(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Fields that can hold but one word."""
    for name, info in _fields_of(model).items():
        if (
            typing.get_origin(info.annotation) is typing.Literal
            and len(typing.get_args(info.annotation)) == 1
        ):
            yield name, typing.get_args(info.annotation)[0]


def _tags_of(model: type[BaseModel], name: str) -> list[str]:
    return [tag for field, tag in _all_tags(model) if field == name]
