"""Training recipes are checked as those of releases are: whole, with lines and remedies."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import RecipeError
from earthloom.recipes import load_training, parse_recipe, parse_training

GOOD = """\
train: translation
name: snow
from: {release: tiles, effects: [clear], split: [train]}
to: {folder: snowy}
method: fastcut
tps: 0.1
steps: 400
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in ("tiles", "snowy"):
        (tmp_path / name).mkdir()
    return tmp_path


def find_faults(text: str, base: Path) -> list[tuple[int | None, str, str]]:
    with pytest.raises(RecipeError) as caught:
        parse_training(text, base=base)
    assert all(fault.problem and fault.remedy for fault in caught.value.faults)
    return [(fault.line, fault.place, f"{fault.problem} {fault.remedy}") for fault in caught.value.faults]


def test_a_training_recipe_is_read(base: Path) -> None:
    (base / "snow.yaml").write_text(GOOD)
    recipe = load_training(base / "snow.yaml")
    assert (recipe.train, recipe.name, recipe.steps, recipe.tps) == ("translation", "snow", 400, 0.1)
    assert recipe.from_.release == "tiles"
    assert recipe.to.folder == "snowy"
    assert (recipe.crop, recipe.batch, recipe.nce, recipe.betas) == (256, 1, 10.0, (0.5, 0.999))


def test_all_faults_are_reported_with_their_lines(base: Path) -> None:
    text = """\
train: translation
name: a/b
from: {folder: nowhere}
to: {folder: snowy, release: tiles}
methd: cyclegan
crop: 250
load: 128
steps: 0
device: gpu
betas: [0.5, 1.5]
"""
    faults = find_faults(text, base)
    assert [(line, place) for line, place, _ in faults] == [
        (2, "name"),
        (3, "from.folder"),
        (4, "to"),
        (5, "methd"),
        (6, "crop"),
        (8, "steps"),
        (9, "device"),
        (10, "betas[1]"),
    ]
    words = " | ".join(said for _, _, said in faults)
    for wanted in (
        "Did you mean `method`?",
        "nowhere",
        "wants either `folder` or `release`",
        "multiple of 4, got 250",
        "must be 'auto', 'cpu' or 'cuda', got 'gpu'",
        "docs/training.md",
    ):
        assert wanted in words, wanted


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("train: translation\n", ""), 1, "recipe has no `train`. Add `train:` with one of `blip2`,"),
        (("to: {folder: snowy}\n", ""), 1, "to is missing. Add `to: {folder: snow}`."),
        (("train: translation", "train: translaton"), 1, "Did you mean `translation`?"),
        (("to: {folder: snowy}", "to: {foldr: snowy}"), 4, "Did you mean `folder`?"),
        (("method: fastcut", "method: cyclgan"), 5, "Did you mean `cyclegan`?"),
        (("tps: 0.1", "tps: -1"), 6, "greater than or equal to 0, got -1"),
        (("tps: 0.1", "load: 128"), 6, "wants at least `crop` (256), got 128"),
        (("steps: 400", "steps: 400\nsteps: 500"), 8, "stands twice, first on line 7"),
        (("to: {folder: snowy}", "to: snowy"), 4, "snowy"),
    ],
)
def test_every_fault_has_its_line_and_a_remedy(
    change: tuple[str, str], line: int, words: str, base: Path
) -> None:
    faults = find_faults(GOOD.replace(*change), base)
    assert any(at == line and words in f"{place} {said}" for at, place, said in faults), faults


def test_what_is_no_mapping_is_told_how_to_begin(base: Path) -> None:
    ((line, _, said),) = find_faults("- train\n", base)
    assert line == 1
    assert "Start with `train:` and `name:`." in said


def test_one_kind_of_recipe_is_not_the_other(base: Path) -> None:
    with pytest.raises(RecipeError, match=r"sources: is missing"):
        parse_recipe(GOOD, base=base)
    with pytest.raises(RecipeError, match=r"has no `train`"):
        parse_training("name: x\nsources: [{kind: atlas}]\n", base=base)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["train", "from", "to", "folder", "kind", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    value=st.dictionaries(
        st.sampled_from(["train", "name", "from", "to", "betas", "nce_layers", "crop", "load", "sources"]),
        plain,
    )
)
def test_whatever_is_written_gives_faults_and_no_crash(value: dict[str, object]) -> None:
    with pytest.raises(RecipeError):
        parse_training(yaml.safe_dump(value), base=Path("/nonexistent"))


@pytest.mark.parametrize("kind", ["[a]", "{a: 1}", "7", "null", "''"])
def test_a_tag_may_be_anything(kind: str) -> None:
    with pytest.raises(RecipeError, match=r"sources\[0\]"):
        parse_recipe(f"name: x\nsources: [{{kind: {kind}, pth: .}}]\n", base=Path())
