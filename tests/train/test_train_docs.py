"""docs/training.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from pydantic import TypeAdapter
from training_folders import make_folders, make_recipe
from training_steps import TinyStep, making

from earthloom.store.selection import Selection
from earthloom.train.blip2.config import Blip2Recipe
from earthloom.train.clip.config import ClipRecipe
from earthloom.train.config import FREE
from earthloom.train.controlnet.config import ControlNetRecipe
from earthloom.train.kinds import TrainingRecipe
from earthloom.train.lora.config import LoraRecipe
from earthloom.train.tiny.config import TinyRecipe
from earthloom.train.training import train
from earthloom.train.translation.config import TranslationRecipe

RECIPES = (Blip2Recipe, ClipRecipe, ControlNetRecipe, LoraRecipe, TinyRecipe, TranslationRecipe)


def is_training(value: dict[str, object]) -> bool:
    """An evaluation may name a set `train`, which is a mapping."""
    return isinstance(value.get("train"), str)


def test_every_field_is_explained(repository: Path) -> None:
    rows = dict(
        re.findall(
            r"^\| `(\w+)` \|.*\| (.*) \|$", (repository / "docs/training.md").read_text(), flags=re.MULTILINE
        )
    )
    for model in (*RECIPES, Selection):
        for name, field in model.model_fields.items():
            assert len(rows[field.alias or name]) > 10, name


def test_the_examples_are_recipes(repository: Path) -> None:
    fenced = re.findall(r"```yaml\n(.*?)```", (repository / "docs/training.md").read_text(), flags=re.DOTALL)
    recipes = [value for text in fenced if is_training(value := yaml.safe_load(text))]
    adapter: TypeAdapter[TrainingRecipe] = TypeAdapter(TrainingRecipe)
    assert {adapter.validate_python(value).train for value in recipes} == {
        *("blip2", "clip", "controlnet", "lora", "tiny", "translation")
    }


def test_the_committed_recipes_are_right(repository: Path) -> None:
    adapter: TypeAdapter[TrainingRecipe] = TypeAdapter(TrainingRecipe)
    plain = [yaml.safe_load(path.read_text()) for path in (repository / "examples").glob("*.yaml")]
    found = [adapter.validate_python(value).train for value in plain if is_training(value)]
    assert set(found) == {"blip2", "clip", "controlnet", "lora", "tiny"}


def test_the_folder_holds_what_the_page_says(repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs/training.md").read_text()
    table = page.split("## What lies in the folder", 1)[1].split("\n#", 1)[0]
    told = set(re.findall(r"^\| `([\w.]+)[/`]", table, flags=re.MULTILINE))
    root = make_folders(tmp_path)
    (root / "a" / "empty.png").touch()
    train(make_recipe(steps=8), tmp_path / "out", base=root, make=making(TinyStep))
    assert told == {path.name for path in (tmp_path / "out").iterdir()} - {".training.lock"}


def test_the_free_fields_are_listed(repository: Path) -> None:
    page = " ".join((repository / "docs/training.md").read_text().split())
    listed = page.split("Free to change are ", 1)[1].split(".", 1)[0]
    assert set(re.findall(r"`(\w+)`", listed)) == FREE
    assert set().union(*(recipe.model_fields for recipe in RECIPES)) > FREE
