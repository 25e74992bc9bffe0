"""Sections of documentation about settings, made from the schema that recipes are checked against.

Meanings are the docstrings under the fields; types, defaults and ranges are those that are checked. Every example is
checked against its model before it is written.
"""

from __future__ import annotations

import ast
import enum
import inspect
import textwrap
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import annotated_types
import yaml
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from earthloom.core.settings import Settings

EXAMPLES = Path(__file__).parents[1] / "examples"
Section = tuple[str, type[Settings], str]
"""Heading, the settings that stand below it, and an example of them in YAML; an empty one is left out."""

_WORDS: dict[Any, str] = {
    Any: "any value",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
}

_LIMITS: tuple[tuple[type, str, str], ...] = (
    (annotated_types.Gt, "gt", "more than {}"),
    (annotated_types.Ge, "ge", "at least {}"),
    (annotated_types.Lt, "lt", "less than {}"),
    (annotated_types.Le, "le", "at most {}"),
    (annotated_types.MinLen, "min_length", "length at least {}"),
    (annotated_types.MaxLen, "max_length", "length at most {}"),
)


def read_example(name: str) -> str:
    """A committed recipe without the remarks above it."""
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#"))


def put_between(page: str, begin: str, made: str, end: str) -> str:
    """A page with what stands between two marks made anew. Raises ValueError where it lacks them."""
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"The page lacks {begin.strip()!r}, or {end.strip()!r} behind it.")
    return before + begin + made + end + after


def flow(text: str) -> str:
    """A docstring as one line."""
    return " ".join(text.split())


def fence(text: str) -> str:
    """YAML as Markdown shows it."""
    return f"```yaml\n{text}```\n"


def tell_model(model: type[Settings]) -> str:
    """A model's docstring."""
    return flow(model.__doc__ or "")


def derives(model: type[Settings], base: type[Settings]) -> bool:
    """Whether a model has the fields of another one, which is not itself."""
    return issubclass(model, base) and model is not base


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Sections about settings that refer to each other."""

    sections: Sequence[Section]
    """All of them: a field that is a group of fields links to the heading of that group."""
    shared: Sequence[type[Settings]] = ()
    """Models whose fields have a section of their own, and are not told again of those that derive from them."""
    introduce: Callable[[type[Settings]], str] = tell_model
    """What stands between a heading and its table."""

    def render(self) -> str:
        """The sections in their order. Raises `pydantic.ValidationError` where an example is wrong."""
        return "\n".join(self._render_section(*section) for section in self.sections)

    def _render_section(self, title: str, model: type[Settings], example: str) -> str:
        _check_example(model, example)
        told = {name for base in self.shared if derives(model, base) for name in base.model_fields}
        lines = [f"## {title}", "", self.introduce(model), ""]
        lines += ["| field | takes | default | meaning |", "|---|---|---|---|"]
        own = [name for name in model.model_fields if name not in told]
        own.sort(key=lambda name: name not in {"kind", "effect"})
        meanings = {"effect": "Which effect it is."} | _find_meanings(model)
        lines += [self._render_row(name, model.model_fields[name], meanings.get(name, "")) for name in own]
        return "\n".join([*lines, "", *([fence(example)] if example else [])])

    def _render_row(self, name: str, field: FieldInfo, meaning: str) -> str:
        takes = ", ".join([self._describe_type(field.annotation), *_ranges(field.metadata)])
        cells = (f"`{field.alias or name}`", takes, _describe_default(field), meaning)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    def _describe_type(self, hint: Any) -> str:
        """A type in the words of someone who writes YAML."""
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return ", ".join([self._describe_type(args[0]), *_ranges(args[1:])])
        if origin in {typing.Union, types.UnionType}:
            return " or ".join(
                dict.fromkeys(self._describe_type(arg) for arg in args if arg is not types.NoneType)
            )
        if origin is Literal:
            return " or ".join(f"`{arg}`" for arg in args)
        if origin is dict:
            return f"mapping of {self._describe_type(args[0])} to {self._describe_type(args[1])}"
        if origin in {tuple, list}:
            return self._describe_list(args)
        return self._describe_class(hint)

    def _describe_list(self, args: tuple[Any, ...]) -> str:
        if len(args) == 2 and args[1] is not Ellipsis:
            first, second = self._describe_type(args[0]), self._describe_type(args[1])
            shared, _, limits = first.partition(", ")
            if first == second and limits:
                return f"[{shared}, {shared}], each {limits}"
            return f"[{first}, {second}]"
        inner = self._describe_type(args[0])
        if " or " in inner or ", " in inner:
            return f"list of ({inner})"
        return f"list of {inner}s" if inner.endswith("number") else f"list of {inner}"

    def _describe_class(self, hint: Any) -> str:
        if issubclass(hint, enum.StrEnum):
            return " or ".join(f"`{member.value}`" for member in hint)
        if issubclass(hint, Settings):
            title = next(title for title, model, _ in self.sections if model is hint)
            return f"[{title}](#{_anchor(title)})"
        return _WORDS[hint]


def _check_example(model: type[Settings], example: str) -> None:
    value = yaml.safe_load(example) if example else []
    for each in value if isinstance(value, list) else [value]:
        model.model_validate(each)


def _find_meanings(model: type[Settings]) -> dict[str, str]:
    """The docstrings under the fields of a model and of those it derives from.

    pydantic can collect them too, but does so at import, which every worker would pay for.
    """
    bases = [base for base in reversed(model.__mro__) if issubclass(base, Settings)]
    return {name: meaning for base in bases for name, meaning in _read_docstrings(base)}


@cache
def _read_docstrings(model: type[Settings]) -> tuple[tuple[str, str], ...]:
    """Of a model's own fields. Kept: to find the source of a class, Python parses the whole of its module."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)
    return tuple(_documented_fields(definition.body))


def _documented_fields(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, following in pairwise(body):
        match statement, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, flow(text)


def _anchor(title: str) -> str:
    """The anchor that renderers of Markdown give a heading."""
    return "".join(c for c in title.lower() if c.isalnum() or c in " -_").replace(" ", "-")


def _ranges(metadata: typing.Iterable[Any]) -> list[str]:
    return [text for item in metadata for text in _range(item)]


def _range(item: Any) -> list[str]:
    """What one constraint says; a validator of ours says it in the field's meaning."""
    if isinstance(item, FieldInfo):
        return _ranges(item.metadata)
    if isinstance(item, annotated_types.MinLen) and item.min_length == 1:
        return ["not empty"]
    for kind, name, words in _LIMITS:
        if isinstance(item, kind):
            return [words.format(getattr(item, name))]
    pattern = getattr(item, "pattern", None)
    return [f"matches `{pattern}`"] if isinstance(pattern, str) else []


def _describe_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    assert value is not PydanticUndefined
    if value is None:
        return ""
    if isinstance(value, Settings):
        return "its defaults"
    return f"`{_to_yaml(value)}`"


def _to_yaml(value: Any) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    plain = [_plain_word(v) for v in plain] if isinstance(plain, list) else _plain_word(plain)
    return yaml.safe_dump(plain, default_flow_style=True, sort_keys=False).removesuffix("...\n").strip()


def _plain_word(value: Any) -> Any:
    """What YAML can write: the word of an enumeration, what is set of a group of fields, anything else as it is."""
    if isinstance(value, Settings):
        return value.model_dump(mode="json", exclude_unset=True)
    return str(value) if isinstance(value, enum.StrEnum) else value
