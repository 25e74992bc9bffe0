"""The evaluation of generated pictures, end to end, on pictures whose law is known. No network is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from drawn_pictures import LABELS, SIDE, Picture, paint, write_drawn, write_real
from pydantic import ValidationError

from earthloom.core.errors import RunError
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.generation.config import GenerationRecipe
from earthloom.evaluate.result import Figure, Result, read_result

N = 40
Measure = Callable[..., Result]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("generation")
    write_real(root / "real", N)
    write_drawn(root / "same", N, 1000)
    return root


@pytest.fixture(scope="module")
def measure(home: Path) -> Measure:
    def run(generated: str, name: str = "it", **more: Any) -> Result:
        recipe = {
            "evaluate": "generation",
            "name": "made",
            "real": {"folder": "real"},
            "generated": {"folder": generated},
            "encoders": [{"name": "classical"}],
            "probe_encoders": [{"name": "classical"}],
            "cache": "cache",
            "halves": 10,
            "subsets": 10,
            "resamples": 100,
            "rows": 3,
            **more,
        }
        return evaluate(GenerationRecipe.model_validate(recipe), home / f"{generated}-{name}", base=home)

    return run


@pytest.fixture(scope="module")
def same(measure: Measure) -> Result:
    return measure("same", attributes=True)


def number(figure: Figure) -> float:
    assert figure.value is not None
    return figure.value


def test_pictures_of_one_law_come_to_the_floor(same: Result) -> None:
    distance = same.find("kd:classical")
    assert distance.low is not None
    assert distance.low < 0
    assert abs(number(distance)) < 0.15  # below 0, for both sets have exactly as many of each kind
    assert (distance.n, distance.n_real) == (3 * N, 3 * N)
    for name in ("precision", "recall", "coverage"):
        figure = same.find(name)
        assert figure.floor is not None
        assert number(figure) > 0.6
        assert abs(number(figure) - figure.floor) < 0.3


def test_equal_counts_compare_alike_with_alike(same: Result) -> None:
    """At the floor's own count the biased distance of one law is the floor; at the full count it is lower."""
    figure = same.find("fd:classical")
    details = figure.details
    assert details["floor_low"] < details["at_floor_n"] * 1.3
    assert details["at_floor_n"] == pytest.approx(figure.floor, rel=0.35)
    assert number(figure) < details["at_floor_n"]
    assert details["floor_n"] == pytest.approx(3 * N / 2, abs=2)
    table = next(table for table in same.tables if table.title.startswith("At equal counts"))
    assert table.rows[0][:2] == ("fd:classical", details["at_floor_n"])


def test_what_was_asked_for_is_shown(same: Result) -> None:
    for name in ("cas", "cas_reverse", "faithful:class"):
        figure = same.find(name)
        assert number(figure) > 0.95
        assert figure.ceiling is not None
        assert figure.ceiling > 0.95
        assert figure.null == pytest.approx(1 / 3)
    assert {figure.group for figure in same.figures if figure.name == "kd:classical"} == {None, *LABELS}


def test_a_result_says_how_it_was_taken(same: Result, home: Path) -> None:
    assert read_result(home / "same-it").figures == same.figures
    assert same.protocol.encoders == {"classical@1": "none@1: pictures as they are"}
    assert {"floor", "kernel", "interval of a distance", "faithful"} <= set(same.protocol.rules)
    real, generated = same.sets[:2]
    assert (real.name, real.n, real.is_generated) == ("real", 3 * N, False)
    assert (generated.name, generated.n, generated.is_generated) == ("generated", 3 * N, True)
    assert generated.details["side"] == SIDE
    assert generated.details["formats"] == {"PNG": 3 * N}
    assert any("Under 5,000 pictures" in note for note in same.notes)
    assert any("No `train`" in note for note in same.notes)
    assert same.figures[0].name == "kd:classical"
    page = (home / "same-it" / "index.html").read_text()
    assert "Real and generated, by class" in page
    readings = (home / "same-it" / "attributes.jsonl").read_text().splitlines()
    assert len(readings) == 3 * N


def test_equal_recipes_give_equal_figures(measure: Measure, same: Result) -> None:
    again = measure("same", "again", attributes=True)
    assert again.figures == same.figures
    assert again.tables == same.tables
    assert [found.identity for found in again.sets] == [found.identity for found in same.sets]


def test_blurred_pictures_are_far_away(measure: Measure, home: Path, same: Result) -> None:
    write_drawn(
        home / "blurred", N, 1000, lambda picture: cv2.GaussianBlur(picture, (0, 0), 1.5).astype(np.uint8)
    )
    blurred = measure("blurred")
    for name in ("kd:classical", "fd:classical"):
        figure = blurred.find(name)
        assert figure.low is not None
        assert figure.floor is not None
        assert number(figure) > 3 * number(same.find(name))
        assert figure.low > figure.floor
    assert number(blurred.find("precision")) < number(same.find("precision"))


def test_few_pictures_again_and_again_are_precise_and_not_varied(
    measure: Measure, home: Path, same: Result
) -> None:
    few = [paint(label, 2000 + seed) for label in LABELS for seed in range(2)]
    write_drawn(home / "collapsed", N, 1000, pictures=few)
    collapsed = measure("collapsed")
    assert number(collapsed.find("recall")) < 0.2
    assert number(collapsed.find("coverage")) < 0.5 * number(same.find("coverage"))


def test_one_class_in_the_place_of_another_is_found(measure: Measure, home: Path, same: Result) -> None:
    wrong = {"water": "town"}
    write_drawn(home / "wrong", N, 1000, show=lambda label: wrong.get(label, label))
    result = measure("wrong", attributes=True)
    assert number(result.find("faithful:class", group="water")) < 0.1
    assert number(result.find("faithful:class", group="field")) > 0.9
    assert number(result.find("faithful:class")) == pytest.approx(2 / 3, abs=0.05)
    water, field = (number(result.find("kd:classical", group=name)) for name in ("water", "field"))
    assert water > 10 * abs(field)
    table = next(table for table in result.tables if "by class" in table.title)
    assert table.rows[0][0] == "water"
    assert number(result.find("cas")) < number(same.find("cas")) - 0.2


def test_copies_are_found_and_shown(measure: Measure, home: Path) -> None:
    trained = [paint(label, 3000 + seed) for label in LABELS for seed in range(N)]
    write_real(home / "train", N, first=3000)

    def disturb(picture: Picture) -> Picture:
        return np.clip(picture.astype(int) + 1, 0, 255).astype(np.uint8)

    write_drawn(home / "copies", N, 0, disturb, pictures=trained[:N])
    copied = measure("copies", train={"folder": "train"})
    fresh = measure("same", "train", train={"folder": "train"})
    for name, bad, good in (("copied", 0.9, 0.05), ("authentic", 0.1, 0.5)):
        one, other = copied.find(name), fresh.find(name)
        assert abs(number(one) - bad) < 0.12
        assert other.floor is not None
        assert abs(number(other) - other.floor) < 0.2
        assert abs(number(other) - good) < 0.2
    assert one.n_real == 3 * N
    page = (home / "copies-it" / "index.html").read_text()
    assert "Nearest training pictures" in page
    assert "trained on: field/field_30" in page
    assert "Nearest training pictures, by thumbnails" in page
    for encoder in ("thumbnail", "phash"):
        assert copied.find("near_copies", encoder=encoder).value == 1
        near = fresh.find("near_copies", encoder=encoder)
        assert near.floor is not None
        assert abs(number(near) - near.floor) < 0.1
    assert set(copied.protocol.encoders) == {"classical@1", "thumbnail@1", "phash@1"}
    assert "near copies" in copied.protocol.rules


def test_pictures_that_cannot_be_read_are_set_aside_and_counted(measure: Measure, home: Path) -> None:
    folder = write_drawn(home / "broken", N, 1000)
    (folder / "town-1003.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    result = measure("broken")
    assert result.sets[1].n == 3 * N - 1
    assert result.sets[1].n_refused == 1
    assert list(result.refused) == ["town-1003.png"]


def test_sets_of_another_side_and_encoding_are_told(measure: Measure, home: Path) -> None:
    folder = write_drawn(
        home / "large", N, 1000, lambda picture: np.kron(picture, np.ones((2, 2, 1), np.uint8))
    )
    result = measure("large")
    assert any("48 px, generated ones of 96 px" in note for note in result.notes)
    brought = measure("large", "side", side=SIDE)
    assert brought.protocol.encoders["classical@1"].startswith("area@1: shorter side to 48 px")
    assert number(brought.find("fd:classical")) < 0.5 * number(result.find("fd:classical"))
    for path in folder.glob("*.png"):
        picture = cv2.imread(str(path))
        assert picture is not None
        path.write_bytes(cv2.imencode(".jpg", picture)[1].tobytes())
    assert any(
        "Generated pictures are compressed with loss" in note for note in measure("large", "jpeg").notes
    )


def test_too_few_pictures_are_an_error_that_says_how_many(measure: Measure, home: Path) -> None:
    write_drawn(home / "few", 3, 1000)
    with pytest.raises(RunError, match=r"generated: 20 pictures .* got 9"):
        measure("few")
    (home / "one").mkdir()
    (home / "one" / "a.png").write_bytes(next((home / "same").glob("*.png")).read_bytes())
    with pytest.raises(RunError, match=r"train: 2 pictures .* got 1"):
        measure("same", "one", train={"folder": "one"})


def test_folders_without_labels_are_measured_without_classes(measure: Measure, home: Path) -> None:
    plain = home / "plain"
    plain.mkdir()
    for path in sorted((home / "same").glob("*.png")):
        (plain / path.name).write_bytes(path.read_bytes())
    result = measure("plain", attributes=True)
    assert {figure.name for figure in result.figures} == {
        "kd:classical",
        "fd:classical",
        "fd:classical_infinity",
        "precision",
        "recall",
        "density",
        "coverage",
    }
    assert any("No picture says what it was asked to show" in note for note in result.notes)


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"encoders": [{"name": "classical"}, {"name": "classical"}]}, "names one twice"),
        ({"encoders": []}, "at least 1"),
        ({"asked": {"folder": "x"}}, "wants a `release`"),
        ({"probes": [{"generator": {"model": "tiny"}}]}, "learn from real pictures"),
        ({"side": 8}, "greater than or equal to 32"),
    ],
)
def test_wrong_settings_say_what_is_wanted(told: dict[str, Any], fault: str) -> None:
    recipe = {"evaluate": "generation", "name": "a", "real": {"folder": "r"}, "generated": {"folder": "g"}}
    with pytest.raises(ValidationError, match=fault):
        GenerationRecipe.model_validate({**recipe, **told})


def test_probes_learn_from_sets_of_their_own(measure: Measure, home: Path) -> None:
    write_real(home / "learned", N, first=4000)
    result = measure("same", "probes", attributes=True, probes=[{"folder": "learned"}])
    assert [found.name for found in result.sets] == ["real", "generated", "probes[0]"]
    figure = result.find("faithful:class")
    assert number(figure) > 0.95
    assert figure.n_real == 3 * N
