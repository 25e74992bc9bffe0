"""Files of prompts: one line a prompt, or rows with facts. All of a file's faults are found at once."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from earthloom.core.errors import Fault, RecipeError, UsageError
from earthloom.generate.config import Wish

_REMEDY = "docs/generate.md says what a row takes."


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One prompt of a file, as it stands there."""

    line: int
    """From 1."""
    value: Any
    """A text, or a mapping of fields."""
    problem: str | None = None
    """What keeps it from being read at all."""


def read_prompts(path: Path) -> list[tuple[Wish, Row]]:
    """Read a file of prompts, in its order: .txt (one a line), .jsonl, .csv (with a header), .yaml (a list).

    Raises:
        UsageError: there is no such file, or it is of another kind.
        RecipeError: with every fault of the file, its line and its remedy.

    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise UsageError(
            f"{path}: wants a file of prompts that ends in {', '.join(sorted(_READERS))}, got "
            f"{path.suffix or 'no ending'!r}."
        )
    rows = list(read(_read_text(path), str(path)))
    faults = [fault for row in rows for fault in _find_faults(row)]
    if faults:
        raise RecipeError(faults, recipe=str(path))
    if not rows:
        raise UsageError(f"{path} holds no prompt.")
    wishes = [(_make_wish(row), row) for row in rows]
    _check_keys(wishes, path)
    return wishes


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no UTF-8 text ({error}). Save it as UTF-8.") from error


def _read_lines(text: str, name: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield Row(line=number, value=line.strip())


def _read_jsonl(text: str, name: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield Row(line=number, value=json.loads(line))
        except (ValueError, RecursionError) as error:
            yield Row(line=number, value=None, problem=f"is no JSON: {error}.")


def _read_csv(text: str, name: str) -> Iterator[Row]:
    """Cells that are empty are not given."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if header is None:
                header = [cell.strip() for cell in cells]
                yield from _check_header(header, line)
            elif len(cells) > len(header):
                yield Row(line=line, value=None, problem=f"has {len(cells)} cells, the header {len(header)}.")
            elif any(cell.strip() for cell in cells):
                given = {name: cell for name, cell in zip(header, cells, strict=False) if cell.strip()}
                # A column that is not known is told of once, at the header.
                yield Row(line=line, value={name: given[name] for name in given if name in Wish.model_fields})
    except csv.Error as error:
        yield Row(line=start, value=None, problem=f"is no CSV: {error}.")


def _check_header(header: list[str], line: int) -> Iterator[Row]:
    known = list(Wish.model_fields)
    strange = [name for name in header if name not in known]
    if strange or len(set(header)) < len(header):
        problem = f"is a header with {', '.join(map(repr, strange)) or 'a name twice'}; known are {', '.join(known)}."
        yield Row(line=line, value=None, problem=problem)


def _read_yaml(text: str, name: str) -> Iterator[Row]:
    try:
        node, value = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        yield Row(line=line, value=None, problem=f"is no YAML: {getattr(error, 'problem', None) or error}.")
        return
    if node is None:
        return
    if not isinstance(node, yaml.SequenceNode):
        yield Row(line=1, value=None, problem="is no list: wants `- prompt: ...` for every prompt.")
        return
    for child, item in zip(node.value, value, strict=True):
        yield Row(line=child.start_mark.line + 1, value=_plain(item))


def _plain(item: Any) -> Any:
    """YAML makes dates of what looks like one; here they are texts."""
    if not isinstance(item, dict):
        return item
    dates = (datetime.date, datetime.datetime)
    plain = {key: value.isoformat() if isinstance(value, dates) else value for key, value in item.items()}
    return {
        key: str(value) if key in {"date", "key"} and value is not None else value
        for key, value in plain.items()
    }


_READERS: Mapping[str, Callable[[str, str], Iterator[Row]]] = {
    ".txt": _read_lines,
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}


def _make_wish(row: Row) -> Wish:
    value = row.value
    return Wish.model_validate({"prompt": value} if isinstance(value, str) else value)


def _find_faults(row: Row) -> list[Fault]:
    if row.problem is not None:
        return [Fault(place="row", problem=row.problem, remedy=_REMEDY, line=row.line)]
    if not isinstance(row.value, str | dict):
        problem = f"is {type(row.value).__name__} {row.value!r}"[:80] + ", not a text or a mapping of fields."
        return [Fault(place="row", problem=problem, remedy=_REMEDY, line=row.line)]
    try:
        _make_wish(row)
    except ValidationError as error:
        return [_explain(detail, row.line) for detail in error.errors(include_url=False)]
    return []


def _explain(detail: ErrorDetails, line: int) -> Fault:
    place = ".".join(map(str, detail["loc"])) or "row"
    if detail["type"] == "extra_forbidden":
        problem = f"is not known; known are {', '.join(Wish.model_fields)}."
    else:
        problem = f"{detail['msg'].removeprefix('Value error, ')}, got {detail['input']!r}."
    return Fault(place=place, problem=problem, remedy=_REMEDY, line=line)


def _check_keys(wishes: list[tuple[Wish, Row]], path: Path) -> None:
    first: dict[str, int] = {}
    faults = []
    for wish, row in wishes:
        if wish.key is None:
            continue
        # File systems that ignore case would let one picture overwrite the other.
        before = first.setdefault(wish.key.casefold(), row.line)
        if before != row.line:
            problem = f"{wish.key!r} stands on line {before} already."
            faults.append(Fault(place="key", problem=problem, remedy="Give each row its own.", line=row.line))
    if faults:
        raise RecipeError(faults, recipe=str(path))
