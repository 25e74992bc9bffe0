"""One evaluation from its recipe to its files, whatever is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from earthloom.core.errors import LockedError, RecipeError, UsageError, WriteError
from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.result import Curve, Figure, Line, Result, SetInfo, Table, read_result
from earthloom.evaluate.scenes.recipe import SceneRecipe
from earthloom.evaluate.sets import open_set
from earthloom.evaluate.work import Outcome, Work
from earthloom.recipes import parse_evaluation
from earthloom.store.lock import hold_lock

RECIPE = SceneRecipe(evaluate="scenes", name="a b", synthetic={"fog": "fog"}, seed=3)
FIGURE = Figure(name="kid", value=0.5, encoder="ours@1", low=0.25, high=0.75, n=7, details={"subsets": 10})


def measure(recipe: object, work: Work) -> Outcome:
    work.refused["x.png"] = {"reason": "unreadable", "detail": "cut off"}
    line = Line(name="fd", x=(1.0, 2.0), y=(3.0, 4.0), low=(2.5, 3.5), high=(3.5, 4.5))
    return Outcome(
        sets=(),
        figures=(FIGURE, Figure(name="kid", value=None, group="river", reason="too few")),
        rules={"ties": "against the model"},
        tables=(Table(title="t", columns=("a", "b"), rows=(("x", 1.5), ("y", None))),),
        curves=(Curve(title="c", x_label="1/N", y_label="FD", lines=(line,)),),
        notes=("Few pictures.",),
    )


def write_picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 255, (40, 48, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)


def test_that_a_result_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    result = evaluate(RECIPE, tmp_path / "out", measure_by=measure)
    assert read_result(tmp_path / "out") == result
    assert read_result(tmp_path / "out" / "result.json") == result
    assert (result.kind, result.name, result.protocol.seed) == ("scenes", "a b", 3)
    assert result.protocol.rules == {"ties": "against the model"}
    assert result.refused == {"x.png": {"reason": "unreadable", "detail": "cut off"}}
    assert result.recipe == {"evaluate": "scenes", "name": "a b", "synthetic": {"fog": "fog"}, "seed": 3}
    assert "a b" in (tmp_path / "out" / "index.html").read_text()


def test_that_figures_are_found_by_name_group_and_encoder(tmp_path: Path) -> None:
    result = evaluate(RECIPE, tmp_path, measure_by=measure)
    assert result.find("kid") == FIGURE
    assert result.find("kid", encoder="ours") == FIGURE
    assert result.find("kid", group="river").reason == "too few"
    with pytest.raises(KeyError):
        result.find("kid", encoder="inception")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": 1}', '{"format": 2, "kind": "x"}', '{"format": 1, "sets": 3}']
)
def test_that_another_file_is_no_result(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(UsageError, match="no result of an evaluation"):
        read_result(tmp_path)


def test_that_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_result(tmp_path / "nothing")


def test_that_one_process_evaluates_into_a_folder(tmp_path: Path) -> None:
    with hold_lock(tmp_path / ".evaluation.lock"), pytest.raises(LockedError):
        evaluate(RECIPE, tmp_path, measure_by=measure)


def test_that_the_same_draws_are_made_for_a_purpose(tmp_path: Path) -> None:
    work = Work(base=tmp_path, folder=tmp_path, seed=1, tell=lambda text: None)
    assert work.rng("a").random() == work.rng("a").random() != work.rng("b").random()


@pytest.mark.parametrize(
    "told", [{}, {"folder": "a", "release": "b"}, {"folder": "a", "generator": {"model": "tiny"}}]
)
def test_that_a_set_lies_in_one_place(told: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="wants one of `folder`, `release` and `generator`"):
        PictureSet.model_validate(told)


def test_that_folders_of_classes_give_labels(tmp_path: Path) -> None:
    for name, seed in (("river/a.png", 1), ("sea lake/b.png", 2), ("c.png", 3)):
        write_picture(tmp_path / "set" / name, seed)
    opened = open_set("real", PictureSet(folder="set"), tmp_path)
    assert {entry.key: entry.label for entry in opened.entries} == {
        "c.png": None, "river/a.png": "river", "sea lake/b.png": "sea lake"
    }  # fmt: skip
    assert not opened.is_generated


def test_that_generated_pictures_bring_what_was_asked_for(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", 1)
    write_picture(tmp_path / "grid.png", 2)
    row = {"file_name": "a.png", "prompt": "a river in fog", "prompt_key": "k", "scene": "fog", "gsd_m": 2.5}
    (tmp_path / "metadata.jsonl").write_text(json.dumps(row | {"generated": True}) + "\n\n")
    opened = open_set("generated", PictureSet(folder=str(tmp_path)), Path())
    (entry,) = opened.entries
    assert opened.is_generated
    assert (entry.prompt, entry.prompt_key, entry.scene, entry.gsd_m) == ("a river in fog", "k", "fog", 2.5)


@pytest.mark.parametrize(("text", "match"), [("[1]\n", "wants a JSON object"), ("{", "wants a JSON object")])
def test_that_broken_metadata_is_told(tmp_path: Path, text: str, match: str) -> None:
    write_picture(tmp_path / "a.png", 1)
    (tmp_path / "metadata.jsonl").write_text(text)
    with pytest.raises(UsageError, match=match):
        open_set("generated", PictureSet(folder=str(tmp_path)), Path())


def test_that_metadata_of_other_pictures_are_told(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", 1)
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "b.png"}\n')
    with pytest.raises(UsageError, match="none of the pictures"):
        open_set("generated", PictureSet(folder=str(tmp_path)), Path())


def test_that_a_broken_picture_is_set_aside(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", 1)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:200])
    work = Work(base=tmp_path, folder=tmp_path, seed=0, tell=lambda text: None)
    opened = work.open("real", PictureSet(folder="."))
    read = [work.read(entry) for entry in opened.entries]
    assert read[0] is not None
    assert read[1] is None
    assert list(work.refused) == ["b.png"]
    info = work.inform(opened, [opened.entries[0]], side=40)
    assert (info.n, info.n_refused, info.details["side"]) == (1, 1, 40)


def test_that_a_wrong_recipe_is_refused_with_every_fault(tmp_path: Path) -> None:
    text = "evaluate: scenes\nname: x\nsynthetic: {fog: fog}\nclear: nowhere\nseed: many\nlevel: 2\n"
    with pytest.raises(RecipeError) as caught:
        parse_evaluation(text, base=tmp_path)
    places = {fault.place: fault.line for fault in caught.value.faults}
    assert places == {"clear": 4, "seed": 5, "level": 6}


@pytest.mark.parametrize("told", [{"cache": "kept"}, {"resamples": 500}, {"level": 0.9}])
def test_that_scenes_takes_nothing_that_it_makes_no_use_of(told: dict[str, object]) -> None:
    plain = RECIPE.model_dump(by_alias=True)
    assert SceneRecipe.model_validate(plain) == RECIPE  # defaults may be written out
    with pytest.raises(ValidationError, match=f"scenes makes no use of `{next(iter(told))}`"):
        SceneRecipe.model_validate(plain | told)


def test_that_equal_results_are_equal_bytes(tmp_path: Path) -> None:
    first, second = (evaluate(RECIPE, tmp_path / name, measure_by=measure) for name in "ab")
    assert isinstance(first, Result)
    plain = [result.to_json() | {"seconds": 0} for result in (first, second)]
    assert plain[0] == plain[1]


def open_work(folder: Path) -> Work:
    return Work(base=folder, folder=folder / "out", seed=0, tell=lambda text: None)


def test_that_a_name_in_two_sets_is_two_pictures(tmp_path: Path) -> None:
    write_picture(tmp_path / "drawn" / "a.png", 1)
    for folder in ("real", "more"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(b"no picture")
    work = open_work(tmp_path)
    sets = [work.open(name, PictureSet(folder=name)) for name in ("drawn", "real", "more")]
    for opened in sets:
        for entry in opened.entries:
            work.read(entry)
    assert [work.inform(opened, []).n_refused for opened in sets] == [0, 1, 1]
    assert len(work.refused) == 2


def test_that_other_pictures_under_old_names_are_another_set(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", 1)
    work = open_work(tmp_path)

    def identify() -> str | None:
        opened = work.open("real", PictureSet(folder="."))
        return work.inform(opened, list(opened.entries)).identity

    first = identify()
    assert identify() == first
    write_picture(tmp_path / "a.png", 2)
    assert identify() != first


def test_that_grids_beside_drawn_pictures_do_not_count_towards_a_limit(tmp_path: Path) -> None:
    for number in range(8):
        write_picture(tmp_path / f"{number}.png", number)
    rows = [json.dumps({"file_name": f"{number}.png"}) for number in range(4)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(rows))
    opened = open_set("generated", PictureSet(folder=str(tmp_path), limit=3), Path())
    assert len(opened.entries) == 3


def test_that_prompts_may_hold_separators_of_lines(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", 1)
    row = {"file_name": "a.png", "prompt": "a\u2028b\x85c", "label": 3}
    (tmp_path / "metadata.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    (entry,) = open_set("generated", PictureSet(folder=str(tmp_path)), Path()).entries
    assert (entry.prompt, entry.label) == ("a\u2028b\x85c", "3")


@pytest.mark.parametrize(
    "odd", [{"prompt": 5}, {"gsd_m": "10"}, {"label": ["a"]}, {"label": True}, {"file_name": None}]
)
def test_that_metadata_of_other_types_are_told_with_their_place(
    tmp_path: Path, odd: dict[str, object]
) -> None:
    write_picture(tmp_path / "a.png", 1)
    (tmp_path / "metadata.jsonl").write_text(json.dumps({"file_name": "a.png"} | odd))
    with pytest.raises(UsageError, match=f"picture 1: `{next(iter(odd))}` wants"):
        open_set("generated", PictureSet(folder=str(tmp_path)), Path())


def test_that_filters_of_releases_are_no_silence_elsewhere() -> None:
    for place in ({"folder": "a"}, {"generator": {"model": "tiny", "prompt": ["x"]}}):
        with pytest.raises(ValueError, match="wants no `split`, `labels` without a `release`"):
            PictureSet.model_validate({**place, "split": ["test"], "labels": ["sea"]})


def test_that_a_generator_without_settings_is_a_fault_with_its_place(tmp_path: Path) -> None:
    text = "evaluate: generation\nname: x\nreal: {folder: .}\ngenerated: {generator: {}}\n"
    with pytest.raises(RecipeError, match=r"generated\.generator\.model"):
        parse_evaluation(text, base=tmp_path)


def test_that_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(WriteError, match="out"):
        evaluate(RECIPE, tmp_path / "out", measure_by=measure)


def test_that_numbers_that_are_none_are_unknown_and_told(tmp_path: Path) -> None:
    nan, inf = float("nan"), float("inf")

    def fail(recipe: object, work: Work) -> Outcome:
        line = Line(
            name="fd", x=(1.0, 2.0, 3.0), y=(3.0, nan, 4.0), low=(1.0, 1.0, -inf), high=(5.0, 5.0, 5.0)
        )
        return Outcome(
            sets=(),
            figures=(
                Figure(
                    name="a", value=nan, low=-inf, high=1.0, details={"each": [1.0, inf], "n": np.int64(3)}
                ),
                Figure(name="b", value=np.float32(0.5), floor=inf, reason="few"),  # type: ignore[arg-type]
            ),
            tables=(Table(title="t", columns=("a", "b"), rows=(("x", nan),)),),
            curves=(Curve(title="c", x_label="x", y_label="y", lines=(line,)),),
        )

    result = evaluate(RECIPE, tmp_path, measure_by=fail)
    text = (tmp_path / "result.json").read_text()
    assert not {"NaN", "Infinity"} & set(text.replace(",", " ").split())
    a, b = result.figures
    assert (a.value, a.low, a.high, a.reason) == (
        None,
        None,
        1.0,
        "value came out as nan, low came out as -inf",
    )
    assert a.details == {"each": [1.0, None], "n": 3}
    assert (b.value, b.floor, b.reason) == (0.5, None, "few; floor came out as inf")
    assert result.tables[0].rows == (("x", None),)
    assert (result.curves[0].lines[0].x, result.curves[0].lines[0].low) == ((1.0,), (1.0,))
    assert read_result(tmp_path) == result


@pytest.mark.parametrize(("identity", "n"), [("abc", 1), ("abd", 0)])
def test_that_a_set_measured_against_itself_is_told(tmp_path: Path, identity: str, n: int) -> None:
    def repeat(recipe: object, work: Work) -> Outcome:
        sets = (
            SetInfo(name="real", place="a", n=3, identity="abc"),
            SetInfo(name="generated", place="b", n=3, identity=identity),
            SetInfo(name="probes", place="a", n=3, identity="abc"),
        )
        return Outcome(sets=sets, figures=())

    notes = evaluate(RECIPE, tmp_path, measure_by=repeat).notes
    assert [note for note in notes if "real and generated are the same pictures" in note] == [*notes]
    assert len(notes) == n


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"value": 0.5', '"value": "high"', r"figures\.0\.value"),
        ('"value": 0.5', '"value": NaN', "NaN is no number"),
        ('"name": "kid"', '"name": ["kid"]', r"figures\.0\.name"),
        ('"seed": 3,\n    "version"', '"seed": "x",\n    "version"', r"protocol\.seed"),
        ('"x": [\n            1.0,', '"x": [', r"curves\.0\.lines\.0"),
        ('"kind": "scenes"', '"kind": null', "kind"),
    ],
)
def test_that_values_of_other_types_are_told_with_their_place(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    evaluate(RECIPE, tmp_path, measure_by=measure)
    text = (tmp_path / "result.json").read_text()
    assert old in text
    (tmp_path / "result.json").write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError, match=place):
        read_result(tmp_path)
