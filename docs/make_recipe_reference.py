"""Write docs/recipe.md from the recipe's schema: `python docs/make_recipe_reference.py`.

The tables are those of docs/reference.py.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from reference import Reference, Section, derives, fence, tell_model

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

SECTIONS: tuple[Section, ...] = (
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


def main() -> None:
    """Write the reference."""
    TARGET.write_text(render(), encoding="utf-8")


def render() -> str:
    """The whole page."""
    Recipe.model_validate(yaml.safe_load(COMPLETE))
    made = Reference(sections=SECTIONS, shared=(SourceSettings, EffectSettings), introduce=introduce)
    return "\n".join([INTRODUCTION, fence(COMPLETE), made.render()])


def introduce(model: type[Settings]) -> str:
    """A model's docstring; a source says what its settings are, and where the rest of its fields stand."""
    if derives(model, EffectSettings):
        return f"{tell_model(model)} Takes the fields of [any effect](#any-effect) too."
    if derives(model, SourceSettings):
        return f"{tell_model(model.__mro__[1])} Takes the fields of [any source](#any-source) too."
    return tell_model(model)


if __name__ == "__main__":
    main()
