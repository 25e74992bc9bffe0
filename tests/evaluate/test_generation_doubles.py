"""What is told of sets that hold pictures twice or share them."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import numpy as np
from drawn_pictures import write_drawn, write_real

from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.generation.config import GenerationRecipe
from earthloom.evaluate.generation.doubles import list_doubles

RNG = np.random.default_rng(0)


def test_sets_of_different_pictures_are_not_spoken_of() -> None:
    assert list(list_doubles({"real": RNG.normal(size=(9, 4)), "generated": RNG.normal(size=(7, 4))})) == []


def test_doubles_of_a_set_are_counted() -> None:
    rows = RNG.normal(size=(5, 4))
    (told,) = list_doubles({"real": rows[[0, 1, 1, 2, 3, 3, 3, 4]], "generated": RNG.normal(size=(3, 4))})
    assert told.startswith("Of the 8 pictures of real, 3 are there again, ")
    assert "one is there 3 times" in told


def test_pictures_that_sets_share_are_counted_and_what_follows_is_said() -> None:
    rows = RNG.normal(size=(10, 4))
    sets = {"real": rows[:5], "generated": rows[4:7], "train": rows[[7, 8, 9, 5, 0, 1]]}
    one, two, three = list_doubles(sets)
    assert one.startswith("Of the 3 pictures of generated, 1 is in real too, ")
    assert "distances are too small" in one
    assert two.startswith("Of the 6 pictures of train, 2 are in real too, ")
    assert "copies are judged by" in two
    assert three.startswith("Of the 6 pictures of train, 1 is in generated too, ")


def test_a_rounding_apart_is_another_picture() -> None:
    rows = RNG.normal(size=(3, 4))
    assert not list(list_doubles({"real": rows, "generated": np.nextafter(rows, 9)}))


def test_equal_sets_are_told_of_elsewhere() -> None:
    rows = RNG.normal(size=(3, 4))
    assert not list(list_doubles({"real": rows, "generated": rows[::-1]}))


def test_a_result_notes_real_pictures_among_generated_ones(tmp_path: Path) -> None:
    write_real(tmp_path / "real", 12)
    write_drawn(tmp_path / "drawn", 12, 1000)
    taken = zip(
        sorted((tmp_path / "real").rglob("*.png"))[:4],
        sorted((tmp_path / "drawn").glob("*.png")),
        strict=False,
    )
    for real, drawn in taken:
        copyfile(real, drawn)
    recipe = {
        "evaluate": "generation",
        "name": "leak",
        "real": {"folder": "real"},
        "generated": {"folder": "drawn"},
        "encoders": [{"name": "classical"}],
        "cache": "cache",
        "halves": 10,
        "subsets": 10,
        "resamples": 100,
    }
    result = evaluate(GenerationRecipe.model_validate(recipe), tmp_path / "out", base=tmp_path)
    assert any("of generated, 4 are in real too" in note for note in result.notes)
