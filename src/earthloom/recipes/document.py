"""YAML as plain values that know their lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from earthloom.core.errors import Fault, RecipeError

Loc = tuple[str | int, ...]
"""Path of keys and indices from the top of a document."""


@dataclass(frozen=True)
class Document:
    """A YAML document as plain values, with the line of each."""

    value: Any
    lines: dict[Loc, int]
    """Path of keys and indices to the line, from 1, on which the key or item stands."""
    faults: tuple[Fault, ...]
    """What is wrong with the YAML itself: keys that stand twice."""


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
