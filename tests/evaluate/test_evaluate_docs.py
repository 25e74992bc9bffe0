"""docs/evaluate.md and the pages about its kinds say what the code does."""

from __future__ import annotations

import re
import textwrap
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter
from typer.main import get_command

from earthloom.cli import app
from earthloom.evaluate.benchmarks.names import NAMES, find_benchmark
from earthloom.evaluate.captioning.config import CaptionerSettings
from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.crossmodal.config import CrossModalRecipe
from earthloom.evaluate.duals import DualSettings
from earthloom.evaluate.encoders import EncoderSettings
from earthloom.evaluate.generation.config import GenerationRecipe
from earthloom.evaluate.kinds import EvaluationRecipe

RECIPES: dict[str, type[BaseModel]] = {
    typing.get_args(recipe.model_fields["evaluate"].annotation)[0]: recipe
    for recipe in typing.get_args(typing.get_args(EvaluationRecipe)[0])
}
"""Kind to recipe."""
READ: TypeAdapter[Any] = TypeAdapter(EvaluationRecipe)


def read_page(repository: Path, name: str) -> str:
    return (repository / "docs" / name).read_text(encoding="utf-8")


def find_recipes(page: str) -> list[dict[str, Any]]:
    """What stands in fences or is set in, and says what it evaluates."""
    blocks = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    blocks += [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", page, flags=re.MULTILINE)]
    found = [yaml.safe_load(block) for block in blocks if block.lstrip("\n").startswith("evaluate:")]
    assert all(isinstance(value, dict) for value in found)
    return found


def read_rows(page: str, heading: str) -> dict[str, str]:
    """Rows of the first table whose head begins so: what is marked as code in the first cell, to the other cells."""
    table = page.split(f"\n{heading}", 1)[1].split("\n\n", 1)[0]
    rows = re.findall(r"^\| (`[^|]*`) \|(.*)\|$", table, flags=re.MULTILINE)
    return {name: rest.strip() for first, rest in rows for name in re.findall(r"`([^`]+)`", first)}


def test_every_field_is_explained(repository: Path) -> None:
    made = read_page(repository, "evaluate.md").split("<!-- Fields:", 1)[1]
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", made, flags=re.MULTILINE))
    models = (*RECIPES.values(), PictureSet, EncoderSettings, DualSettings, CaptionerSettings)
    for model in models:
        for name, field in model.model_fields.items():
            assert len(rows[field.alias or name]) > 10, (model.__name__, name)


def test_every_kind_has_its_line_and_its_fields(repository: Path) -> None:
    page = read_page(repository, "evaluate.md")
    assert set(read_rows(page, "| `evaluate:` |")) == set(RECIPES)
    assert {READ.validate_python(value).evaluate for value in find_recipes(page)} == set(RECIPES)


def test_the_examples_are_recipes(repository: Path) -> None:
    """Each page about a kind shows how to ask for it; scenes have a verb of their own."""
    pages = sorted(path.name for path in (repository / "docs").glob("evaluat*-*.md"))
    found = [value for page in pages for value in find_recipes(read_page(repository, page))]
    assert {READ.validate_python(value).evaluate for value in found} == set(RECIPES) - {"scenes"}


def test_the_committed_recipes_are_right(repository: Path) -> None:
    plain = [yaml.safe_load(path.read_text()) for path in (repository / "examples").glob("*.yaml")]
    found = [READ.validate_python(value).evaluate for value in plain if "evaluate" in value]
    assert sorted(found) == sorted(set(RECIPES) - {"scenes"})


@pytest.mark.parametrize(
    ("name", "recipe"),
    [("evaluate-generation.md", GenerationRecipe), ("evaluate-radar.md", CrossModalRecipe)],
)
def test_tables_by_hand_name_fields_that_exist(repository: Path, name: str, recipe: type[BaseModel]) -> None:
    named = {
        field
        for part in read_page(repository, name).split("\n## ")
        if "\n| field |" in part
        for field in read_rows(part, "| field |")
    }
    assert len(named) >= 5
    assert named <= set(recipe.model_fields)


def test_test_sets_are_listed_with_their_published_counts(repository: Path) -> None:
    rows = read_rows(read_page(repository, "evaluate-benchmarks.md"), "| `test` |")
    counts = {name: rows[name].rpartition("|")[2].strip() for name in NAMES}
    assert list(counts) == [name for name in rows if name in counts]
    for name, told in counts.items():
        found = find_benchmark(name)
        splits = found.published_splits.values() or (found.published,)
        assert told == " / ".join(f"{n:,}" for n in splits), name


def test_every_encoder_is_listed(repository: Path) -> None:
    rows = read_rows(read_page(repository, "evaluation-encoders.md"), "| name | features |")
    assert set(rows) == set(typing.get_args(EncoderSettings.model_fields["name"].annotation))


def test_the_options_of_scenes_exist(repository: Path) -> None:
    verb = get_command(app).commands["evaluate"].commands["scenes"]  # type: ignore[attr-defined]
    options = {spelling for option in verb.params for spelling in option.opts if spelling.startswith("-")}
    told = {
        name.split(" ")[0] for name in read_rows(read_page(repository, "evaluate-scenes.md"), "| option |")
    }
    assert told <= options
    assert {"--synthetic", "--clear"} == {name for name in options if len(name) > 2} - told - {
        "--output",
        "--help",
    }
