"""`$name` in the file of an experiment: a value of the size, or the folder of an earlier step.

A text that is `$name`, or begins with `$name/`, stands for something else; any other text stands for itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from earthloom.core.errors import Fault
from earthloom.recipes.document import Document, Loc, format_place

_REFERENCE = re.compile(r"\$([a-z][a-z0-9_]*)(/.*)?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Value:
    """A value that has a name."""

    value: Any
    loc: Loc | None
    """Where it stands in the file; None where it does not."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """What `$name` may stand for at one place of the file."""

    values: Mapping[str, Value]
    folders: Mapping[str, str]
    """Of the steps before: their absolute paths."""
    later: frozenset[str]
    """Steps that are not done yet there."""


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A part of the file with nothing left to look up."""

    document: Document
    """The part alone: its locations begin at the part."""
    reads: tuple[str, ...]
    """Steps whose folders it names."""
    by_name: Mapping[Loc, str]
    """Which value stands there, of those that are texts."""
    faults: tuple[Fault, ...]
    """Names that stand for nothing."""


def resolve(document: Document, loc: Loc, names: Names) -> Resolved:
    """Put values and folders in the place of their names, below `loc` of a document."""
    search = _Search(document, names, loc)
    value = search.find(_look_up(document.value, loc), loc, ())
    return Resolved(
        document=Document(value, search.lines, ()),
        reads=tuple(sorted(search.reads)),
        by_name=search.by_name,
        faults=tuple(search.faults),
    )


@dataclass
class _Search:
    """One pass through a part of a document."""

    document: Document
    names: Names
    root: Loc
    lines: dict[Loc, int] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    by_name: dict[Loc, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    within: tuple[str, ...] = ()
    """Values that are being looked up: one that stands for itself would have no end."""

    def find(self, value: Any, source: Loc | None, target: Loc) -> Any:
        """What a value becomes that stands at `source` of the file and goes to `target` of the part."""
        line = None if source is None else self.document.lines.get(source)
        if line is not None:
            self.lines[target] = line
        if isinstance(value, dict):
            return {key: self.find(each, _below(source, key), (*target, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.find(each, _below(source, i), (*target, i)) for i, each in enumerate(value)]
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        return value if found is None else self._look_up(found[1], found[2] or "", value, target)

    def _look_up(self, name: str, rest: str, text: str, target: Loc) -> Any:
        if name in self.names.folders:
            self.reads.add(name)
            return self.names.folders[name] + rest
        if name in self.names.later:
            return self._blame(
                text, target, f"`${name}` is a step that comes later.", "Put it before this one."
            )
        if name not in self.names.values:
            remedy = _suggest(name, [*self.names.folders, *self.names.values])
            return self._blame(text, target, f"`${name}` is neither an earlier step nor a value.", remedy)
        if name in self.within:
            return self._blame(text, target, f"`${name}` stands for itself.", "Give it a value.")
        return self._fill_in(name, rest, target)

    def _fill_in(self, name: str, rest: str, target: Loc) -> Any:
        known = self.names.values[name]
        self.within = (*self.within, name)
        value = self.find(known.value, known.loc, target)
        self.within = self.within[:-1]
        if isinstance(value, str):
            self.by_name.setdefault(target, name)
        if rest and not isinstance(value, str):
            return self._blame(
                value, target, f"`${name}{rest}` wants a path for `{name}`, got {value!r}.", ""
            )
        return value + rest if rest else value

    def _blame(self, value: Any, target: Loc, problem: str, remedy: str) -> Any:
        place = format_place((*self.root, *target))
        self.faults.append(Fault(place=place, problem=problem, remedy=remedy, line=self._line(target)))
        return value

    def _line(self, target: Loc) -> int | None:
        while target and target not in self.lines:
            target = target[:-1]
        return self.lines.get(target)


def _below(loc: Loc | None, step: str | int) -> Loc | None:
    return None if loc is None else (*loc, step)


def _look_up(value: Any, loc: Loc) -> Any:
    for step in loc:
        value = value[step]
    return value


def _suggest(name: str, known: Iterable[str]) -> str:
    listed = sorted(known)
    near = difflib.get_close_matches(name, listed, n=1)
    if near:
        return f"Did you mean `${near[0]}`?"
    return f"There are {', '.join(f'`${each}`' for each in listed)}." if listed else "There are none here."
