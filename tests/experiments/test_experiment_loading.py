"""An experiment is checked whole, recipes of all steps included, before anything is done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from experiment_files import GOOD, parse

from earthloom.core.errors import RecipeError, UsageError
from earthloom.experiments.shipped import list_experiments, load_experiment, parse_given, read_experiment
from earthloom.generate.config import GenerateSettings
from earthloom.run.recipe import Recipe
from earthloom.train.tiny.config import TinyRecipe


def find_faults(text: str, base: Path, **how: object) -> list[tuple[int | None, str, str]]:
    with pytest.raises(RecipeError) as caught:
        parse(text, base, **how)  # type: ignore[arg-type]
    return [(fault.line, fault.place, f"{fault.problem} {fault.remedy}") for fault in caught.value.faults]


def test_every_step_is_read_as_its_recipe(tmp_path: Path) -> None:
    experiment = parse(GOOD, tmp_path)
    by_name = {step.name: step for step in experiment.steps}
    assert list(by_name) == ["data_set", "narrow", "wide_one", "drawn", "before", "after"]
    assert experiment.size == "toy"
    recipe = by_name["data_set"].recipe
    assert isinstance(recipe, Recipe)
    assert (recipe.name, recipe.tile.size) == ("data_set", 32)
    wide = by_name["wide_one"]
    assert isinstance(wide.recipe, TinyRecipe)
    assert (wide.recipe.steps, wide.recipe.width, wide.recipe.name) == (3, 64, "wide_one")
    assert wide.recipe.data.release == str(tmp_path / "out" / "data_set")
    assert wide.reads == ("data_set",)
    drawn = by_name["drawn"].recipe
    assert isinstance(drawn, GenerateSettings)
    assert drawn.model == str(tmp_path / "out" / "wide_one")


def test_one_word_chooses_the_size(tmp_path: Path) -> None:
    (tmp_path / "eurosat").mkdir()
    for experiment in (
        parse(GOOD, tmp_path, size="full"),
        parse(GOOD.replace("\nsizes:", "\nsize: full\nsizes:", 1), tmp_path),
    ):
        build, train = experiment.steps[0], experiment.steps[1]
        assert build.inputs == (tmp_path / "eurosat",)
        assert isinstance(train.recipe, TinyRecipe)
        assert train.recipe.steps == 4000


def test_values_can_be_given(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    experiment = parse(GOOD, tmp_path, size="full", given={"data": str(elsewhere), "steps": 7})
    assert experiment.steps[0].inputs == (elsewhere,)
    assert isinstance(experiment.steps[1].recipe, TinyRecipe)
    assert experiment.steps[1].recipe.steps == 7


def test_a_missing_path_says_how_to_give_it(tmp_path: Path) -> None:
    ((line, place, words),) = find_faults(GOOD, tmp_path, size="full")
    assert (line, place) == (10, "steps.data_set.build.sources[0].path")
    assert "there is no" in words
    assert "--set data=PATH" in words


def test_all_faults_of_all_steps_are_told_with_their_lines(tmp_path: Path) -> None:
    text = (
        GOOD.replace("tile: {size: 32}", "tile: {sise: 32}")
        .replace("steps: 3", "steps: -3")
        .replace("width: 32", "widht: 32")
        .replace("model: $wide_one", "model: $wide")
        .replace("limit: 5", "limit: 0, release: $after")
        .replace("release: $data_set, limit", "limit")
    )
    found = {place: (line, words) for line, place, words in find_faults(text, tmp_path)}
    assert set(found) >= {
        "steps.data_set.build.tile.sise",
        "steps.narrow.train.steps",
        "steps.narrow.train.widht",
        "steps.wide_one.train.steps",
        "steps.drawn.generate.model",
        "steps.after.evaluate.limit",
        "steps.after.evaluate.release",
    }
    assert found["steps.data_set.build.tile.sise"][0] == 16
    assert "size" in found["steps.data_set.build.tile.sise"][1]
    assert found["steps.narrow.train.steps"][0] == 7
    assert found["steps.after.evaluate.release"][0] == 26


def test_generators_of_evaluations_are_checked_too(tmp_path: Path) -> None:
    text = GOOD.replace(
        "    evaluate: {evaluate: scenes, release: $data_set, limit: 5}",
        "    evaluate:\n      evaluate: generation\n      real: {release: $data_set}\n"
        "      generated: {generator: {model: $drawn, prompt: [a river], stps: 3}}",
    )
    found = {place: line for line, place, _ in find_faults(text, tmp_path)}
    assert found == {"steps.after.evaluate.generated.generator.stps": 29}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("experiment: widths", "experiment: Wi dths", "experiment"),
        ("question: Is a wide painter better?\n", "", "question"),
        ("sizes:\n", "size: huge\nsizes:\n", "size"),
        ("    build: {", "    build: {}\n    train: {", "steps.data_set"),
        ("the wide one: after", "the wide one: wide_one", "answers"),
        ("    wide: 64", "    narrow: 64", "sizes"),
        ("figure: accuracy\n", "figur: accuracy\n", "answers[0].figur"),
    ],
)
def test_faults_of_the_frame(tmp_path: Path, old: str, new: str, place: str) -> None:
    assert old in GOOD
    assert place in {place for _, place, _ in find_faults(GOOD.replace(old, new, 1), tmp_path)}


def test_unknown_sizes_and_values_are_refused(tmp_path: Path) -> None:
    ((_, place, words),) = find_faults(GOOD, tmp_path, size="giant")
    assert (place, "toy, full" in words) == ("size", True)
    ((_, place, words),) = find_faults(GOOD, tmp_path, given={"data": "x"})
    assert (place, "sources, steps, wide" in words) == ("--set data", True)


def test_what_is_typed_is_split() -> None:
    assert parse_given(["data=a=b", "steps=3"]) == {"data": "a=b", "steps": "3"}
    for told in (["data"], ["=x"], ["data="], ["a=1", "a=2"]):
        with pytest.raises(UsageError, match="--set"):
            parse_given(told)


def test_a_file_is_read_with_its_own_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "widths.yaml").write_text(GOOD)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    found = load_experiment("home/widths.yaml", size="full", given={"data": "here", "steps": "12"})
    assert found.given == {"data": str(tmp_path / "here"), "steps": 12}
    assert found.folder.root == home / "widths-full"
    with pytest.raises(UsageError, match="finetune"):
        load_experiment("fine-tune")
    with pytest.raises(RecipeError, match="cannot be read"):
        load_experiment("nowhere.yaml")


@pytest.mark.parametrize("experiment", list_experiments().experiments, ids=lambda each: each.experiment)
def test_what_ships_is_right_at_every_size(
    experiment: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a size wants of its users is theirs to bring; here empty folders stand for it."""
    monkeypatch.chdir(tmp_path)
    name = experiment.experiment  # type: ignore[attr-defined]
    for size, values in experiment.sizes.items():  # type: ignore[attr-defined]
        given = {}
        for key in (key for key, value in values.items() if value is None):
            (tmp_path / key).mkdir(exist_ok=True)
            given[key] = key
        if given:
            with pytest.raises(RecipeError, match=f"has to be given.*--set {next(iter(given))}="):
                load_experiment(name, size=size)
        loaded = load_experiment(name, size=size, given=given)
        assert len(loaded.steps) == len(experiment.steps)  # type: ignore[attr-defined]
        assert "$" not in loaded.folder.root.name


def test_the_example_of_the_docs_is_right(repository: Path, tmp_path: Path) -> None:
    text = (repository / "docs" / "experiments.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "earthloom-demo").mkdir()
    assert len(parse(example, tmp_path).steps) == 5
    with pytest.raises(RecipeError, match="folder of a release"):
        parse(example, tmp_path, size="full")


def test_the_shipped_ones_name_themselves() -> None:
    listing = list_experiments()
    for each in listing.experiments:
        assert f"experiment: {each.experiment}\n" in read_experiment(each.experiment)
        assert set(each.sizes) >= {"toy", "full"}
        assert each.size == "toy"
    assert all(each.experiment in listing.to_text() for each in listing.experiments)
    assert [each["experiment"] for each in listing.to_json()][:2] == ["finetune", "prompt_richness"]
