"""Write docs/recipe.md from the recipe's schema: `python docs/make_recipe_reference.py`.

Meanings are the docstrings under the fields, types, defaults and ranges are those that are checked. Every example is
checked against the schema before it is written.
"""

from __future__ import annotations

import ast
import enum
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import annotated_types
import yaml
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from earthloom.caption.config import CaptionSettings, ChatSettings, Limits, LocalSettings, Price
from earthloom.core.settings import Settings
from earthloom.curate.config import CurateSettings
from earthloom.export.config import ExportSettings
from earthloom.ingest.config import SourceSettings
from earthloom.ingest.kinds import KINDS
from earthloom.net.config import Credential, NetSettings
from earthloom.run.recipe import ENTRIES, Recipe
from earthloom.synthesize import EFFECTS
from earthloom.synthesize.config import EffectSettings
from earthloom.tile.config import (
    Encoding,
    Enlarge,
    FixedCrop,
    Percentile,
    Radiometry,
    Range,
    TileOverrides,
    TileSettings,
)

TARGET = Path(__file__).with_name("recipe.md")

INTRODUCTION = """\
# Recipe reference

<!-- Made by docs/make_recipe_reference.py from the schema: change the schema and run it again. -->

A recipe is one YAML file that says everything about a dataset: where the images are, how they are cut, captioned,
divided and written. It is checked whole before any work begins: every fault is reported with its line and a remedy,
and a field that does not exist is a fault. Paths are relative to the recipe.

    earthloom build recipe.yaml -o WORK

In Python the same schema is a value: `earthloom.build(earthloom.Recipe(...), "WORK")`.
"""

COMPLETE = """\
name: north-dakota
sources:
  - {kind: geotiff, path: naip, bands: {rgb: [1, 2, 3], nir: [4]}, date: '_(\\d{8})\\.tif$',
     platform: NAIP, licence: public-domain}
tile: {size: 512, gsd_m: [native], edges: shift, min_valid: 0.8}
caption: {with: rules, styles: [mmm_rs, enriched], per_image: 5}
curate: {split: {train: 0.7, val: 0.1, test: 0.2}, seed: 7}
export: {formats: [webdataset, parquet]}
"""

SECTIONS: tuple[tuple[str, type[Settings], str], ...] = (
    ("The recipe", Recipe, ""),
    ("Any source", SourceSettings, ""),
    *((f"`{name}` source", entry, KINDS[name].about.example) for name, entry in ENTRIES.items()),
    (
        "`net`",
        NetSettings,
        "{per_host: 2, interval_s: 0.5, user_agent: 'example-lab/1.0 (+https://example.org)'}\n",
    ),
    ("A key for one host", Credential, "{host: api.example.org, env: EXAMPLE_ORG_TOKEN}\n"),
    ("`tile`", TileSettings, "{size: 512, fit: nested, gsd_m: [native, 10, 20], min_valid: 0.8}\n"),
    ("`tile` of one source", TileOverrides, "{fit: whole, radiometry: {rgb: {percentile: [1, 99]}}}\n"),
    ("A fixed crop", FixedCrop, "{side: 512, across: left, down: bottom}\n"),
    ("`tile.enlarge`", Enlarge, "{with: onnx, weights: networks/my-x4.onnx, scale: 4}\n"),
    ("`tile.radiometry`", Radiometry, "{rgb: {percentile: [2, 98], joint: true}, sar: {range: [-25, 5]}}\n"),
    ("A stretch between fixed values", Range, "{range: [[0, 3000], [0, 3000], [0, 2500]]}\n"),
    ("A stretch between percentiles", Percentile, "{percentile: [2, 98]}\n"),
    ("`tile.encoding`", Encoding, "{rgb: png, quality: 90}\n"),
    ("Any effect", EffectSettings, ""),
    *((f"`{name}` effect", kind.settings, kind.example) for name, kind in EFFECTS.items()),
    ("`caption`", CaptionSettings, "{with: rules, styles: [mmm_rs], per_image: 3}\n"),
    ("`caption.blip2`", LocalSettings, "{model: models/blip2-opt-2.7b, precision: bfloat16, batch: 16}\n"),
    (
        "`caption.chat`",
        ChatSettings,
        "model: gpt-4o-2024-08-06\nprices: {gpt-4o-2024-08-06: {input: 2.5, output: 10}}\nlimits: {budget: 20}\n",
    ),
    ("The price of a model", Price, "{input: 2.5, output: 10, batch: 0.5}\n"),
    ("`caption.chat.limits`", Limits, "{budget: 20, in_flight: 32, requests_per_minute: 500}\n"),
    ("`curate`", CurateSettings, "{split: {train: 0.8, val: 0.1, test: 0.1}, seed: 7}\n"),
    ("`export`", ExportSettings, "{formats: [parquet], shard_pairs: 500}\n"),
)

WORDS: dict[Any, str] = {
    Any: "any value",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
}

LIMITS: tuple[tuple[type, str, str], ...] = (
    (annotated_types.Gt, "gt", "more than {}"),
    (annotated_types.Ge, "ge", "at least {}"),
    (annotated_types.Lt, "lt", "less than {}"),
    (annotated_types.Le, "le", "at most {}"),
    (annotated_types.MinLen, "min_length", "length at least {}"),
    (annotated_types.MaxLen, "max_length", "length at most {}"),
)


def main() -> None:
    """Write the reference."""
    TARGET.write_text(render(), encoding="utf-8")


def render() -> str:
    """The whole page."""
    Recipe.model_validate(yaml.safe_load(COMPLETE))
    parts = [INTRODUCTION, _fence(COMPLETE)]
    parts += [_render_section(title, model, example) for title, model, example in SECTIONS]
    return "\n".join(parts)


def _render_section(title: str, model: type[Settings], example: str) -> str:
    _check_example(model, example)
    shared = {
        field
        for base in (SourceSettings, EffectSettings)
        if _is_one(model, base)
        for field in base.model_fields
    }
    lines = [f"## {title}", "", _introduce(model), ""]
    lines += ["| field | takes | default | meaning |", "|---|---|---|---|"]
    own = [name for name in model.model_fields if name not in shared]
    own.sort(key=lambda name: name not in {"kind", "effect"})
    meanings = {"effect": "Which effect it is."} | _find_meanings(model)
    lines += [_render_row(name, model.model_fields[name], meanings.get(name, "")) for name in own]
    return "\n".join([*lines, "", *([_fence(example)] if example else [])])


def _is_one(model: type[Settings], base: type[Settings]) -> bool:
    """Whether a model is one of those whose common fields have a section of their own."""
    return issubclass(model, base) and model is not base


def _introduce(model: type[Settings]) -> str:
    """A model's docstring; a source says what its settings are, and where the rest of its fields stand."""
    if _is_one(model, EffectSettings):
        return f"{_flow(model.__doc__ or '')} Takes the fields of [any effect](#any-effect) too."
    if not _is_one(model, SourceSettings):
        return _flow(model.__doc__ or "")
    return f"{_flow(model.__mro__[1].__doc__ or '')} Takes the fields of [any source](#any-source) too."


def _check_example(model: type[Settings], example: str) -> None:
    value = yaml.safe_load(example) if example else []
    for each in value if isinstance(value, list) else [value]:
        model.model_validate(each)


def _fence(text: str) -> str:
    return f"```yaml\n{text}```\n"


def _find_meanings(model: type[Settings]) -> dict[str, str]:
    """The docstrings under the fields of a model and of those it derives from.

    pydantic can collect them too, but does so at import, which every worker would pay for.
    """
    meanings: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, Settings):
            (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
            assert isinstance(definition, ast.ClassDef)
            meanings.update(_documented_fields(definition.body))
    return meanings


def _documented_fields(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, following in pairwise(body):
        match statement, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, _flow(text)


def _render_row(name: str, field: FieldInfo, meaning: str) -> str:
    takes = ", ".join([_describe_type(field.annotation), *_ranges(field.metadata)])
    cells = (f"`{field.alias or name}`", takes, _describe_default(field), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _describe_type(hint: Any) -> str:
    """A type in the words of someone who writes YAML."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return ", ".join([_describe_type(args[0]), *_ranges(args[1:])])
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_describe_type(arg) for arg in args if arg is not types.NoneType))
    if origin is Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if origin is dict:
        return f"mapping of {_describe_type(args[0])} to {_describe_type(args[1])}"
    if origin in {tuple, list}:
        return _describe_list(args)
    return _describe_class(hint)


def _describe_list(args: tuple[Any, ...]) -> str:
    if len(args) == 2 and args[1] is not Ellipsis:
        first, second = _describe_type(args[0]), _describe_type(args[1])
        shared, _, limits = first.partition(", ")
        if first == second and limits:
            return f"[{shared}, {shared}], each {limits}"
        return f"[{first}, {second}]"
    inner = _describe_type(args[0])
    if " or " in inner or ", " in inner:
        return f"list of ({inner})"
    return f"list of {inner}s" if inner.endswith("number") else f"list of {inner}"


def _describe_class(hint: Any) -> str:
    if issubclass(hint, enum.StrEnum):
        return " or ".join(f"`{member.value}`" for member in hint)
    if issubclass(hint, Settings):
        title = next(title for title, model, _ in SECTIONS if model is hint)
        return f"[{title}](#{_anchor(title)})"
    return WORDS[hint]


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
    for kind, name, words in LIMITS:
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


def _flow(text: str) -> str:
    """A docstring as one line."""
    return " ".join(text.split())


if __name__ == "__main__":
    main()
