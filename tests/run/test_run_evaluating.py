"""Evaluations whose pictures are still to be drawn."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

pytest.importorskip("torch")

from earthloom.core.errors import RecipeError, UsageError
from earthloom.evaluate.config import EvaluationSettings, PictureSet, list_paths
from earthloom.evaluate.result import Figure, Result, read_result
from earthloom.evaluate.work import Outcome, Work
from earthloom.recipes import parse_evaluation
from earthloom.run.evaluating import list_generator_faults, run_evaluation


class CountRecipe(EvaluationSettings):
    """Counts pictures."""

    evaluate: Literal["count"] = "count"
    generated: PictureSet


def count(recipe: Any, work: Work) -> Outcome:
    opened = work.open("generated", recipe.generated)
    assert all(entry.is_generated and entry.prompt for entry in opened.entries)
    entries = list(opened.entries)
    figure = Figure(name="n", value=float(len(entries)))
    return Outcome(sets=(work.inform(opened, entries),), figures=(figure,))


def run(tmp_path: Path, **changes: object) -> Result:
    told = {
        "model": "tiny",
        "prompt": ["a river", "a forest in fog"],
        "steps": 1,
        "n": 2,
        "sheets": 0,
    } | changes
    recipe = CountRecipe(name="drawn", generated=PictureSet(generator=told))
    return run_evaluation(recipe, tmp_path / "out", base=tmp_path, measure_by=count)


def test_that_what_is_to_be_measured_is_drawn_first_and_once(tmp_path: Path) -> None:
    result = run(tmp_path)
    drawn = sorted((tmp_path / "out" / "drawn").glob("generated-*/*.png"))
    assert result.find("n").value == 4 == len(drawn)
    (chosen,) = result.sets
    assert (chosen.n, chosen.is_generated) == (4, True)
    assert chosen.place == drawn[0].parent.relative_to(tmp_path / "out").as_posix()
    assert result.recipe["generated"]["generator"]["prompt"] == ["a river", "a forest in fog"]
    assert read_result(tmp_path / "out") == result
    times = [path.stat().st_mtime_ns for path in drawn]
    assert run(tmp_path).sets == result.sets
    assert [path.stat().st_mtime_ns for path in drawn] == times


def test_that_only_what_the_recipe_asks_for_is_measured(tmp_path: Path) -> None:
    run(tmp_path)
    assert run(tmp_path, n=1).find("n").value == 2


def test_that_other_prompts_in_the_same_file_are_drawn_apart(tmp_path: Path) -> None:
    for words in ("a river", "a forest\na lake"):
        (tmp_path / "prompts.txt").write_text(words)
        found = run(tmp_path, prompt=(), prompts="prompts.txt", n=1)
        assert found.find("n").value == len(words.splitlines())


def test_that_wrong_settings_of_a_generator_are_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"generated.generator.n: .*got 'many'.; generated.generator.stepz: is no field here"
    ):
        run(tmp_path, n="many", stepz=3)
    assert not (tmp_path / "out").exists()


def test_that_faults_of_a_generator_have_their_line(tmp_path: Path) -> None:
    text = "evaluate: generation\nname: x\nreal: {folder: .}\ngenerated:\n  generator:\n    model: tiny\n    stepz: 3\n"
    with pytest.raises(RecipeError) as caught:
        parse_evaluation(text, base=tmp_path)
    lines = {fault.place: fault.line for fault in caught.value.faults}
    assert lines["generated.generator.stepz"] == 7


def test_that_a_field_that_generators_do_not_have_is_named_as_it_should_be(tmp_path: Path) -> None:
    told = {
        "stepz": "Did you mean `steps`?",
        "guidence": "Did you mean `guidance`?",
        "xyz": "docs/generate.md",
    }
    recipe = CountRecipe(
        name="x", generated=PictureSet(generator={"model": "tiny", "prompt": ["a"], **dict.fromkeys(told, 1)})
    )
    faults = dict(list_generator_faults(recipe))
    assert faults.keys() == {f"generated.generator.{name}" for name in told}
    for name, words in told.items():
        assert words in faults[f"generated.generator.{name}"]


def test_which_paths_are_checked() -> None:
    recipe = {
        "real": {"folder": "a"},
        "generated": {"generator": {"model": "name/of-hub", "release": "b", "weights": "no-path"}},
        "encoders": [{"name": "dinov2", "weights": "c"}, {"name": "ours"}],
        "weights": "d",
        "train": {"release": "s3://bucket/e"},
    }
    assert sorted(list_paths(recipe)) == [
        ("encoders[0].weights", "c"),
        ("generated.generator.release", "b"),
        ("real.folder", "a"),
        ("weights", "d"),
    ]
    assert list(list_paths("nothing")) == []


@pytest.mark.slow
def test_as_a_person_types_it(tmp_path: Path) -> None:
    told = {
        "evaluate": "generation", "name": "drawn", "resamples": 100,
        "real": {"generator": {"model": "tiny", "prompt": ["a river"], "n": 40, "steps": 2, "seed": 1}},
        "generated": {"generator": {"model": "tiny", "prompt": ["a river"], "n": 40, "steps": 2, "seed": 2}},
    }  # fmt: skip
    (tmp_path / "recipe.yaml").write_text(json.dumps(told))
    done = subprocess.run(
        [sys.executable, "-m", "earthloom", "evaluate", "run", "recipe.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "index.html" in done.stdout
    assert {each.name: each.n for each in read_result(tmp_path / "drawn-evaluation").sets} == {
        "real": 40,
        "generated": 40,
    }


def test_that_a_limit_holds_for_what_was_drawn(tmp_path: Path) -> None:
    recipe = CountRecipe(
        name="few",
        generated=PictureSet(
            generator={"model": "tiny", "prompt": ["a river", "a lake", "a town"], "steps": 1, "sheets": 0},
            limit=2,
        ),
    )
    result = run_evaluation(recipe, tmp_path / "out", base=tmp_path, measure_by=count)
    assert result.find("n").value == 2
